"""Splits by groups and by time: no group and no time is on two sides."""

import itertools

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, train
from fastnn.tables.training.dependent_rows import Dependence

generator = np.random.default_rng(0)
ROWS = 300
GROUP = generator.integers(0, 25, ROWS)
DAY = pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 90, ROWS), unit="D")
TABLE = pd.DataFrame({"x": generator.normal(size=ROWS), "patient": [f"p{k}" for k in GROUP], "day": DAY.strftime("%Y-%m-%d"),
                      "y": generator.normal(size=25)[GROUP] + 0.1 * generator.normal(size=ROWS)})


@pytest.mark.parametrize(("by", "column"), [("group", "patient"), ("time", "day")])
@pytest.mark.parametrize("count", [1, 4, 100])
def test_each_block_is_on_one_side_and_each_row_in_one_part(by, column, count):
    depends = Dependence(by, TABLE[column])
    training, validation, test = parts = depends.split(validation=0.1, test=0.2, seed=1)
    assert sorted(itertools.chain(*parts)) == list(range(ROWS))
    assert 0.1 < len(test) / ROWS < 0.3
    for one, other in itertools.combinations(parts, 2):
        assert not {*depends.blocks[one]} & {*depends.blocks[other]}
    folds = depends.deal(training, validation, count, 0)
    for learned, held in folds:
        assert len(held)
        assert sorted([*learned, *held, *test]) == list(range(ROWS))
        assert not {*depends.blocks[learned]} & {*depends.blocks[held]}
    if count > 1:
        assert sorted(itertools.chain(*(held for _, held in folds))) == sorted([*training, *validation])
    if count == 4:
        sizes = [len(held) for _, held in folds]
        assert len(folds) == 4
        assert max(sizes) < 1.5 * min(sizes)


def test_the_test_rows_are_the_last():
    result = train(TABLE, "y", Recipe(epochs=1, time="day", drop=["patient"]))
    assert TABLE["day"][result.test].min() > TABLE["day"][result.training].max()
    for _, held in result.folds:
        assert len({*range(ROWS)} - {*held}) == ROWS - len(held)
        low, high = TABLE["day"][held].min(), TABLE["day"][held].max()
        within = TABLE["day"].between(low, high).to_numpy() & ~np.isin(np.arange(ROWS), result.test)
        assert within.sum() == len(held)
    numbers = train(TABLE.assign(day=DAY.dayofyear), "y", Recipe(epochs=1, time="day", drop=["patient"], members=1))
    np.testing.assert_array_equal(numbers.test, result.test)


def test_a_group_is_no_input_and_the_result_is_that_of_new_groups():
    known = train(TABLE, "y", Recipe(epochs=30, drop=["day"]))
    new = train(TABLE, "y", Recipe(epochs=30, drop=["day"], group="patient"))
    assert known.metrics["r2"] > 0.8 > 0.3 > new.metrics["r2"]  # it knows patients, and nothing of new ones
    assert new.model.preprocessing.features[0] == "x"
    assert list(new.model.preprocessing.names) == ["x"]
    kept = train(TABLE, "y", Recipe(epochs=1, drop=["day"], group="patient", keep_columns=["patient"]))
    assert list(kept.model.preprocessing.names) == ["x", "patient"]


@pytest.mark.parametrize(("options", "message"), [
    ({"group": "patients"}, "there is no column 'patients'; did you mean 'patient'"),
    ({"group": "y"}, "'y' is the target; it cannot be the group too"),
    ({"group": "patient", "time": "day"}, "group and time are both given"),
    ({"group": "half"}, "'half' has 2 different groups"), ({"time": "gaps"}, "'gaps' is missing in 20 of 300 rows"),
    ({"time": "patient"}, "column 'patient' is one of numbers, but row 1 holds 'p")])
def test_what_cannot_be_split_is_refused(options, message):
    table = TABLE.assign(half=np.arange(ROWS) % 2, gaps=np.where(np.arange(ROWS) < 20, np.nan, np.arange(ROWS)))
    with pytest.raises(ValueError, match=message):
        train(table, "y", Recipe(epochs=1, **options))


def test_the_command_says_the_manner(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("t.csv", index=False)
    for option, said in ((["--group", "patient"], "whole groups of patient"), (["--time", "day"], "the last by day")):
        assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "1", "--no-baselines", *option]) == 0
        assert said in capsys.readouterr().out
