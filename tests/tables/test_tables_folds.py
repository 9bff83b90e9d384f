"""Cross-validation of a training on a table."""

import json

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, train
from fastnn.tables.training.cross_validation import cross_validate, outer_folds, summary

generator = np.random.default_rng(0)
ROWS = 200
X = generator.normal(size=(ROWS, 2))
NOISY = pd.DataFrame(X, columns=["a", "b"]).assign(y=X[:, 0] + 2 * generator.normal(size=ROWS), k=np.arange(ROWS) // 10)
QUICK = Recipe(epochs=2, drop=["k"], members=2)


@pytest.mark.parametrize("options", [{}, {"group": "k", "drop": []}, {"task": "classification"}])
def test_each_row_is_evaluated_once(options):
    recipe = Recipe(**{"epochs": 2, "drop": ["k"], "members": 2} | options)
    table = NOISY.assign(y=np.where(NOISY["y"] > 0, "u", "v")) if "task" in options else NOISY
    result = train(table, "y", recipe)
    folds = outer_folds(result.table, result.model.target, recipe, 4)
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(ROWS))
    assert all(not {*learned} & {*held} and len(learned) + len(held) == ROWS for learned, held in folds)
    if "group" in options:
        assert all(not {*NOISY["k"][learned]} & {*NOISY["k"][held]} for learned, held in folds)
    scores = cross_validate(result, recipe, 4)
    assert {len(values) for values in scores.values()} == {4}
    name = "accuracy" if "task" in options else "rmse"
    assert summary(scores)[name] == pytest.approx((np.mean(scores[name]), np.std(scores[name], ddof=1)))


def test_in_time_only_earlier_rows_are_learned_from():
    recipe = Recipe(epochs=2, time="k", members=2)
    result = train(NOISY, "y", recipe)
    folds = outer_folds(result.table, result.model.target, recipe, 3)
    assert len(folds) == 3
    for learned, held in folds:
        assert NOISY["k"][learned].max() < NOISY["k"][held].min()


def test_a_class_in_one_part_alone_is_refused():
    table = NOISY.assign(y=["lone"] + ["u", "v"] * 99 + ["u"])
    result = train(table, "y", QUICK)
    with pytest.raises(ValueError, match="the class 'lone' of 'y' is in one of 3 parts alone"):
        cross_validate(result, QUICK, 3)


def test_the_command_prints_the_mean(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    NOISY.to_csv("t.csv", index=False)
    usual = ["train", "t.csv", "--target", "y", "--epochs", "2", "--members", "2", "--no-baselines", "--folds", "3"]
    assert cli.main(usual) == 0
    assert "mean of the folds" in capsys.readouterr().out
    assert cli.main([*usual, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["folds"]["rmse"]) == 3
    with pytest.raises(SystemExit):
        cli.main([*usual[:-1], "1"])
