"""Linear members: as good as scikit-learn's, and added with the weights of the least loss."""

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import Recipe, TableModel, train
from fastnn.tables.training import likelihoods, linear, mixing
from fastnn.tables.training.members import deal

pytest.importorskip("sklearn", reason="compared with scikit-learn")
generator = np.random.default_rng(0)
ROWS = 240
X = generator.normal(size=(ROWS, 5)).astype(np.float32)
X[:, 4] = X[:, 0] + 0.01 * X[:, 4]  # nearly the same
FOLDS = deal(None, np.arange(0, 200), np.arange(200, 220), 4, 0)  # the last rows are those of a test


def targets(kind):
    linear = X[:, :3] @ [1.0, -2.0, 0.5] + generator.normal(size=ROWS)
    return linear if kind == "regression" else np.digitize(linear, [-1.0, 1.0])


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_each_fold_is_that_of_scikit_learn(kind, monkeypatch):
    from sklearn.linear_model import LogisticRegression, Ridge

    monkeypatch.setattr(linear, "LEAST_SLOPE", 1e-9)
    y = targets(kind)
    member = linear.linear_member(X, y, kind, FOLDS, np.arange(5), 3 if kind == "classification" else 1, 0)
    assert len(member.unseen) == len(FOLDS)
    for (learned, held), out in zip(FOLDS, member.unseen, strict=True):
        if kind == "regression":
            own = Ridge(member.penalty).fit(X[learned], y[learned]).predict(X[held])[:, None]
        else:
            own = LogisticRegression(C=1 / member.penalty, tol=1e-8, max_iter=1000).fit(X[learned], y[learned])
            own, out = own.predict_proba(X[held]), likelihoods.probabilities(out)
        np.testing.assert_allclose(out, own, rtol=1e-2, atol=2e-3)
    changed = y.copy()
    changed[220:] = 1 - changed[220:]
    np.testing.assert_array_equal(linear.linear_member(X, changed, kind, FOLDS, np.arange(5), member.weight.shape[1],
                                                       0).weight, member.weight)


def test_of_very_many_features_those_that_vary_most_have_weights(monkeypatch):
    monkeypatch.setattr(linear, "FEATURES", 2)
    wide = np.concatenate([X * [1, 5, 0, 3, 1], np.ones((ROWS, 1))], axis=1).astype(np.float32)
    member = linear.linear_member(wide, targets("regression"), "regression", FOLDS, np.array([0, 1, 2, 3, 5]), 1, 0)
    assert (member.weight[:, 0] != 0).tolist() == [False, True, False, True, False, False]


def test_large_tables_are_fitted_on_fewer_rows_and_folds(monkeypatch):
    monkeypatch.setattr(linear, "ROWS", 120)
    monkeypatch.setattr(linear, "LIKELY_ROWS", 120)
    monkeypatch.setattr(linear, "WORK", 1.0)
    member = linear.linear_member(X, targets("classification"), "classification", FOLDS, np.arange(5), 3, 0)
    assert [len(out) for out in member.unseen] == [len(held) for _, held in FOLDS[:2]]
    assert linear.linear_member(X, targets("regression"), "regression", FOLDS, np.arange(5), 1, 0).weight[0] != 0


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_weights_have_the_least_loss_of_all_that_are_not_negative(kind):
    y = targets(kind)
    out = np.stack([X[:, [k]] for k in range(3)])  # the second is opposed to the target
    if kind == "classification":
        out = out * [-1.0, 0.0, 1.0]
    y = y if kind == "classification" else y[:, None]

    def loss(weights):
        mixed = np.tensordot(weights, out, 1)
        return likelihoods.log_losses(mixed, y).mean() if kind == "classification" else ((mixed - y) ** 2).mean()

    best = mixing.mixing_weights(out, y, kind, 0)
    assert (best >= 0).all()
    assert (best == 0).any()
    for change in generator.normal(size=(100, 3)) * 0.05:
        assert loss(best) <= loss(np.maximum(best + change, 0)) + 1e-2


def test_outputs_that_are_worse_than_none_leave_the_networks():
    opposed = np.stack([np.full((20, 1), -1.0), np.full((20, 1), -3.0)])
    assert mixing.mixing_weights(opposed, np.ones((20, 1)), "regression", 0).tolist() == [1, 0]


@pytest.mark.parametrize("classes", [False, True])
def test_a_linear_table_is_learned_as_by_a_linear_model(classes, tmp_path):
    from sklearn.linear_model import LogisticRegression, Ridge

    table = pd.DataFrame(X[:, :4], columns=list("abcd")).assign(y=targets("classification" if classes else "regression"))
    result = train(table, "y", Recipe(epochs=20, task="classification" if classes else "regression"))
    learned = np.sort(np.concatenate([result.training, result.validation]))
    plain = (LogisticRegression if classes else Ridge)().fit(X[learned, :4], table["y"][learned])
    if classes:
        own = likelihoods.log_losses(plain.decision_function(X[result.test, :4]), table["y"].to_numpy()[result.test]).mean()
        assert result.metrics["log_loss"] < 1.05 * own + 0.01
    else:
        errors = plain.predict(X[result.test, :4]) - table["y"][result.test]
        assert result.metrics["rmse"] < 1.03 * np.sqrt((errors**2).mean())
    assert list(result.weights) == ["networks", "linear", "linear in bins"]
    assert sum(result.weights.values()) == pytest.approx(1, abs=0.7 if classes else 0.2)
    result.model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(TableModel.load(tmp_path / "m.safetensors").forward(table), result.model.forward(table))


def test_the_network_is_the_weighted_sum(monkeypatch):
    from fastnn.tables.training import members

    seen, combined = [], members.combined
    monkeypatch.setattr(members, "combined", lambda *given: seen.extend(given) or combined(*given))
    table = pd.DataFrame(X[:, :3], columns=list("abc")).assign(y=targets("regression"))
    model = train(table, "y", Recipe(members=2, epochs=2)).model
    networks, *_, mixture = seen
    matrix = model.preprocessing.transform(table)
    wanted = mixture.factor * np.mean([network.forward(matrix) for network in networks], axis=0)
    np.testing.assert_allclose(model.forward(table), wanted + matrix @ mixture.weight + mixture.bias, rtol=1e-4, atol=1e-5)


def test_whether_there_are_linear_members_can_be_said():
    table = pd.DataFrame(X[:, :2], columns=list("ab")).assign(y=targets("regression"))
    for options, there in (({"linear": "no"}, False), ({"members": 1}, False), ({"members": 1, "linear": "yes"}, True),
                           ({"layers": []}, False), ({"bins": 0}, True)):
        weights = train(table, "y", Recipe(epochs=1, **options)).weights
        assert bool(weights) == there
        assert ("linear in bins" in weights) == (there and "bins" not in options)
