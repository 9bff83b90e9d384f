"""Whole numbers that may be names: both readings, decided on the rows held out."""

import json

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Code, Preprocessing, Recipe, TableModel, train

generator = np.random.default_rng(0)
ROWS, CODES = 1500, 60
CODE = generator.integers(0, CODES, ROWS)
EFFECT = generator.normal(size=CODES)
AGE = generator.integers(18, 90, ROWS)


def example(kind="regression"):
    y = EFFECT[CODE] + 0.03 * AGE + 0.2 * generator.normal(size=ROWS)
    return pd.DataFrame({"code": CODE * 7 + 1000, "age": AGE,
                         "y": y if kind == "regression" else np.where(y > y.mean(), "high", "low")})


def kinds(result):
    return {column.name: column.kind for column in result.model.preprocessing.columns}


@pytest.mark.parametrize(("kind", "metric", "least"), [("regression", "r2", 0.9), ("classification", "accuracy", 0.85)])
def test_codes_are_found_and_learned_and_amounts_are_left(kind, metric, least, tmp_path):
    table = example(kind)
    result = train(table, "y", Recipe(epochs=25))
    assert kinds(result) == {"code": "code", "age": "number"}
    assert result.metrics[metric] > least > train(table, "y", Recipe(epochs=25, numbers=["code"])).metrics[metric] + 0.04
    assert any("read as codes too" in note and "--numbers code" in note for note in result.notes)
    result.model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(TableModel.load(tmp_path / "m.safetensors").forward(table), result.model.forward(table))


def test_numbers_of_chance_are_no_codes():
    table = example().assign(y=generator.normal(size=ROWS) + 0.05 * AGE)
    for options in ({}, {"members": 1}):
        assert kinds(train(table, "y", Recipe(epochs=1, **options))) == {"code": "number", "age": "number"}


@pytest.mark.parametrize(("options", "wanted"), [
    ({"numbers": ["code"]}, ["number", "number"]), ({"codes": ["age"]}, ["code", "code"]),
    ({"text": ["code"]}, ["text", "number"]), ({"members": 1}, ["code", "number"]), ({"bins": 100}, ["number", "number"])])
def test_the_readings_can_be_overruled(options, wanted):
    assert list(kinds(train(example(), "y", Recipe(epochs=1, **options))).values()) == wanted


def test_a_name_that_is_no_column_is_refused():
    for name in ("codes", "numbers"):
        with pytest.raises(ValueError, match="there is no column 'ages'; did you mean 'age'"):
            train(example(), "y", Recipe(epochs=1, **{name: ["ages"]}))


def test_the_features_are_those_of_both_readings():
    table = pd.DataFrame({"k": [3.0, 5.0, 3.0, 8.0, np.nan]})
    made = Preprocessing.fit(table, codes=["k"])
    assert isinstance(made.columns[0], Code)
    assert made.features == ["k", "k missing", "k = 3", "k = 5", "k = 8"]
    assert made.transform(pd.DataFrame({"k": [5, 4]}))[:, 1:].tolist() == [[0, 0, 1, 0], [0, 0, 0, 0]]
    number = Preprocessing.fit(table)
    np.testing.assert_array_equal(made.transform(table)[:, :2], number.transform(table))
    assert Preprocessing.from_config(made.config()).features == made.features
    assert not made.binned.any()


def test_the_command_says_which(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example().to_csv("t.csv", index=False)
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "1", "--no-baselines", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [column["kind"] for column in json.loads(out)["columns"]] == ["code", "number"]
    assert "say --numbers code if they are amounts" in err
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "1", "--no-baselines", "--numbers", "code"]) == 0
    assert "one-hot" not in capsys.readouterr().out


def test_words_that_mean_missing_are_no_numbers():
    table = example().astype({"code": object})
    table.loc[::30, "code"] = "unknown"
    assert kinds(train(table, "y", Recipe(epochs=1, missing_values=["unknown"]))) == {"code": "code", "age": "number"}
