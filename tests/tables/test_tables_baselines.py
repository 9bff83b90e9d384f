"""Baselines of a network: linear models as good as those of other libraries, and a note if they are better."""

import json

import numpy as np
import pytest

from fastnn import cli
from fastnn.tables import Recipe, train

pd = pytest.importorskip("pandas", reason="tables need the extra cli")
pytest.importorskip("sklearn", reason="the baselines need the extra cli")
from fastnn.tables.training.baselines import baselines, remark  # noqa: E402

generator = np.random.default_rng(0)
X = generator.normal(size=600)
QUICK = Recipe(epochs=1)


def test_the_linear_model_has_numbers_beyond_the_limit():
    table = pd.DataFrame({"x": np.exp(3 * X), "y": 3 * np.exp(3 * X) + generator.normal(size=600)})
    assert baselines(train(table, "y", Recipe(epochs=1, limit=1.0)))["linear"]["r2"] > 0.99


def test_the_linear_model_has_them_within_the_limit_too():
    """A table with outliers that would spoil a linear model."""
    x = X.copy()
    x[::50] *= 1000
    table = pd.DataFrame({"x": x, "z": X[::-1], "y": np.where(np.arange(600) % 50, X, 0) + X[::-1]})
    assert baselines(train(table, "y", QUICK))["linear"]["r2"] > 0.5


def test_rare_categories_do_not_spoil_the_linear_model():
    table = pd.DataFrame({"k": [f"k{each}" for each in generator.integers(0, 150, 600)], "x": X, "y": X + 0.1})
    assert baselines(train(table, "y", QUICK))["linear"]["r2"] > 0.99
    noise = table.assign(y=generator.normal(size=600))
    assert baselines(train(noise, "y", QUICK))["linear"]["r2"] > -0.1


def test_the_logistic_model_has_numbers_beyond_the_limit():
    x = np.exp(2 * X)
    table = pd.DataFrame({"x": x, "y": np.where(x > 30, "high", "low")})
    assert baselines(train(table, "y", Recipe(epochs=1, limit=0.1)))["logistic"]["accuracy"] > 0.95


def test_the_test_rows_have_no_part_in_the_choice():
    result = train(pd.DataFrame({"x": np.exp(3 * X), "y": 3 * np.exp(3 * X)}), "y", QUICK)
    found = baselines(result)
    y = result.table["y"].to_numpy(copy=True)
    y[result.test] = generator.permutation(y[result.test]) * 5
    result.table = result.table.assign(y=y)
    assert baselines(result) != found
    result.table = result.table.assign(y=np.where(np.isin(range(600), result.test), 3 * np.exp(3 * X), y))
    assert baselines(result) == found


@pytest.mark.parametrize(("own", "beside", "said"), [
    ({"rmse": 2.0}, {"mean": {"rmse": 3.0}, "linear": {"rmse": 1.0}}, "linear model does better than this network: rmse 1 "),
    ({"rmse": 4.0}, {"mean": {"rmse": 3.0}, "linear": {"rmse": 5.0}}, "a guess that looks at no column does better"),
    ({"log_loss": 0.5}, {"most frequent class": {"log_loss": 0.6}, "logistic": {"log_loss": 0.4}}, "the logistic model"),
    ({"rmse": 2.0}, {"mean": {"rmse": 3.0}, "linear": {"rmse": 1.999}}, None),
    ({"rmse": 2.0}, {"mean": {"rmse": 3.0}, "linear": {"rmse": 2.5}}, None), ({"rmse": 2.0}, {}, None),
])
def test_a_network_that_loses_is_told(own, beside, said):
    found = remark(next(iter(own)), own, beside)
    assert (found is None) if said is None else (said in found)


def test_the_command_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"x": X, "z": generator.normal(size=600), "y": 100 * X}).to_csv("t.csv", index=False)
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "1", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "fastnn train: on the test rows the linear model does better than this network" in err
    assert any("does better than this network" in note for note in json.loads(out)["notes"])
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{x},{x * x}\n" for x in X))
    assert cli.main(["train", "t.csv", "--target", "y", "--quiet"]) == 0
    assert "does better" not in capsys.readouterr().err
