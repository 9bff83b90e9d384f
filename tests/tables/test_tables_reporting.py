"""What a training tells: metrics as scikit-learn's, the importance of columns, classes that are never predicted."""

import json

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, metrics, train
from fastnn.tables.training.importance import importance

of_sklearn = pytest.importorskip("sklearn.metrics", reason="compared with scikit-learn")
generator = np.random.default_rng(0)
ROWS = 400
X = generator.normal(size=(ROWS, 3))
TABLE = pd.DataFrame(X, columns=["much", "little", "none"])
RARE = np.where(X[:, 0] + 0.6 * generator.normal(size=ROWS) > 2.0, "rare", "usual")


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_of_classes_are_those_of_scikit_learn(classes):
    labels = generator.integers(0, classes, 200)
    p = generator.dirichlet(np.ones(classes), 200).round(1) + 0.01
    p /= p.sum(axis=1, keepdims=True)
    found, chosen = metrics.classification(labels, p), p.argmax(axis=1)
    scores = p[:, 1] if classes == 2 else p
    assert found == pytest.approx({
        "accuracy": of_sklearn.accuracy_score(labels, chosen), "log_loss": of_sklearn.log_loss(labels, p),
        "balanced_accuracy": of_sklearn.balanced_accuracy_score(labels, chosen),
        "f1": of_sklearn.f1_score(labels, chosen, average="macro"),
        "auc": of_sklearn.roc_auc_score(labels, scores, multi_class="ovr")})
    assert metrics.classification(np.zeros(5, int), p[:5])["auc"] is None


def test_metrics_of_values_are_those_of_scikit_learn():
    y, predicted = generator.uniform(1, 3, 50), generator.uniform(1, 3, 50)
    assert metrics.regression(y, predicted)["mape"] == pytest.approx(
        of_sklearn.mean_absolute_percentage_error(y, predicted))
    assert "mape" not in metrics.regression(y - 2, predicted)


@pytest.mark.parametrize("classes", [False, True])
def test_columns_are_ordered_by_what_they_tell(classes):
    y = 3 * X[:, 0] + X[:, 1]
    result = train(TABLE.assign(y=np.where(y > 0, "a", "b") if classes else y), "y", Recipe(epochs=20))
    found = importance(result)
    assert list(found) == ["much", "little", "none"]
    assert found["much"] > 1 > abs(found["none"])
    assert found == importance(result)


def test_a_class_that_is_never_predicted_is_told_and_balanced_predicts_it(tmp_path):
    table = TABLE.assign(y=np.where(generator.uniform(size=ROWS) < 0.1, "rare", "usual"))
    result = train(table, "y", Recipe(epochs=5))
    assert any("never predicted for any of the 80 test rows: 'rare'" in note and "--balanced" in note
               for note in result.notes)
    table = TABLE.assign(y=RARE)
    plain, balanced = (train(table, "y", Recipe(epochs=20, balanced=each)) for each in (False, True))
    assert balanced.metrics["balanced_accuracy"] > plain.metrics["balanced_accuracy"] + 0.02
    assert balanced.metrics["log_loss"] == plain.metrics["log_loss"]
    balanced.model.save(tmp_path / "m.safetensors")
    loaded = TableModel.load(tmp_path / "m.safetensors")
    assert (loaded.predict(table) == balanced.model.predict(table)).all()
    assert (loaded.predict(table) == "rare").sum() > (plain.model.predict(table) == "rare").sum()


def test_factors_choose_by_their_product_with_the_probability():
    from fastnn.tables import Classes

    classes = Classes("y", ("a", "b"), "object").balanced(np.array([0] * 9 + [1]))
    assert classes.chosen(np.array([[0.85, 0.15], [0.95, 0.05]])).tolist() == [1, 0]
    with pytest.raises(ValueError, match="factors has 3 numbers for 2 labels"):
        Classes("y", ("a", "b"), "object", None, (1.0, 1.0, 1.0))


def test_the_command_reports_all_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    TABLE.assign(y=X[:, 0]).to_csv("t.csv", index=False)
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "2", "--no-baselines", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert next(iter(found["importance"])) == "much"
    assert TableModel.load("t.safetensors").report["importance"] == found["importance"]
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "2", "--no-baselines", "--no-importance"]) == 0
    assert "without each" not in capsys.readouterr().out
