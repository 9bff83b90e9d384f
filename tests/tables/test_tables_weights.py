"""Weights of rows: a row of weight 2 counts as two rows, in linear members, mixtures, intervals and metrics."""

import json

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, metrics, train
from fastnn.tables.intervals import errors_of, half_width
from fastnn.tables.row_weights import weights_in
from fastnn.tables.training import linear, mixing
from fastnn.tables.training.baselines import baselines
from fastnn.tables.training.cross_validation import cross_validate

generator = np.random.default_rng(0)
ROWS = 240
X = generator.normal(size=(ROWS, 3)).astype(np.float32)
WEIGHTS = generator.integers(0, 4, ROWS)
NOISE = generator.normal(size=ROWS)
TARGETS = {"regression": X @ [1.0, -2.0, 0.0] + NOISE, "classification": (X[:, 0] > NOISE) + (X[:, 1] > 1).astype(int)}
REPEATED = np.repeat(np.arange(ROWS), WEIGHTS)


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-9), name


@pytest.mark.parametrize("kind", TARGETS)
def test_metrics_with_weights_are_those_of_repeated_rows(kind):
    y, w = TARGETS[kind], WEIGHTS.astype(float)
    if kind == "regression":
        predicted = np.round(y + NOISE)
        for shift in (0.0, 20.0):  # all positive: mape
            found = metrics.regression(y + shift, predicted + shift, w)
            close(found, metrics.regression(y[REPEATED] + shift, predicted[REPEATED] + shift))
    else:
        for classes in (3, 2):
            p = generator.dirichlet(np.ones(classes), ROWS).round(1) + 0.01
            labels = np.minimum(y, classes - 1)
            close(metrics.classification(labels, p, weights=w), metrics.classification(labels[REPEATED], p[REPEATED]))


@pytest.mark.parametrize("kind", TARGETS)
def test_linear_members_and_mixtures_with_weights_are_those_of_repeated_rows(kind):
    y, outputs = TARGETS[kind], 3 if kind == "classification" else 1
    folds = [(np.arange(80, ROWS), np.arange(80)), (np.arange(80), np.arange(80, ROWS))]
    again = [tuple(np.flatnonzero(np.isin(REPEATED, rows)) for rows in fold) for fold in folds]
    member = linear.linear_member(X, y, kind, folds, np.arange(3), outputs, 0, WEIGHTS.astype(float))
    twin = linear.linear_member(X[REPEATED], y[REPEATED], kind, again, np.arange(3), outputs, 0)
    assert member.penalty == twin.penalty
    np.testing.assert_allclose(member.weight, twin.weight, atol=2e-3 if kind == "classification" else 1e-5)
    out = np.stack([np.concatenate(member.unseen).astype(float), generator.normal(size=(ROWS, outputs))])
    y = y if kind == "classification" else y[:, None]
    np.testing.assert_allclose(mixing.mixing_weights(out, y, kind, 0, WEIGHTS.astype(float)),
                               mixing.mixing_weights(out[:, REPEATED], y[REPEATED], kind, 0), rtol=1e-6)


def test_intervals_with_weights_are_those_of_repeated_rows():
    errors = np.abs(NOISE)
    np.testing.assert_array_equal(errors_of(errors, np.full(ROWS, 3.0)), errors_of(errors))
    weighted, repeated = errors_of(errors, WEIGHTS.astype(float)), errors_of(errors[REPEATED])
    assert len(weighted) == int(WEIGHTS.sum() ** 2 / (WEIGHTS**2).sum())
    for coverage in (0.5, 0.8, 0.9):
        assert half_width(weighted, coverage) == pytest.approx(half_width(repeated, coverage), rel=0.1)


@pytest.mark.parametrize("kind", TARGETS)
def test_rows_of_weight_0_teach_nothing_and_equal_weights_change_nothing(kind, tmp_path):
    y, w = TARGETS[kind].copy(), np.ones(ROWS)
    table = pd.DataFrame(X, columns=list("abc")).assign(y=y, w=1.0)
    recipe = {"epochs": 4, "members": 2, "task": kind}
    plain = train(table, "y", Recipe(drop=["w"], **recipe))
    equal = train(table.assign(w=7.0), "y", Recipe(weight="w", **recipe))
    assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(
        plain.model.network.parameters.values(), equal.model.network.parameters.values(), strict=True))
    close(plain.metrics, pytest.approx(equal.metrics, rel=1e-4).expected)
    assert [column.features for column in equal.model.preprocessing.columns if column.name == "w"] == [()]
    w[::3] = 0
    noise = table.assign(w=w, y=np.where(w > 0, y, y.max() - y if kind == "classification" else 50 * NOISE))
    result = train(noise, "y", Recipe(weight="w", **{**recipe, "epochs": 30}))
    ignored = train(noise, "y", Recipe(drop=["w"], **{**recipe, "epochs": 30}))
    measure = result.model.target.measure
    clean = table.drop(columns="w")
    assert result.model.evaluate(clean.assign(w=1))[measure] < 0.8 * ignored.model.evaluate(clean)[measure]
    assert result.metrics == pytest.approx(result.model.evaluate(result.table.iloc[result.test]))
    with pytest.warns(UserWarning, match="no column 'w', the weights of rows in training"):
        result.model.evaluate(clean)
    result.model.save(tmp_path / "m.safetensors")
    assert TableModel.load(tmp_path / "m.safetensors").weight == "w"
    for figures in (*baselines(result).values(), cross_validate(result, result.recipe, 2)):
        assert figures.keys() == result.metrics.keys()


@pytest.mark.parametrize(("weights", "message"), [
    ([-1.0, 1.0], "column 'w' holds -1; weights of rows are numbers of at least 0"),
    ([np.nan, 1.0], "no finite number in 1 of 2 rows"), ([np.inf, 1.0], "no finite number in 1 of 2 rows"),
    (["one", "two"], "column 'w' holds text"), ([0.0, 0.0], "zero in every row")])
def test_weights_are_numbers_of_at_least_0(weights, message):
    with pytest.raises(ValueError, match=message):
        weights_in(pd.Series(weights, name="w"))


def test_rows_of_weight_0_are_left_out_and_the_target_is_no_weight():
    table = pd.DataFrame({"a": X[:, 0], "y": TARGETS["regression"], "w": WEIGHTS})
    table["unknown"] = np.where(X[:, 0] > 0, 1.0, np.nan)
    recipe = Recipe(weight="w", epochs=1, members=2, drop=["unknown"])
    result = train(table, "y", recipe)
    assert f"{(WEIGHTS == 0).sum()} rows have the weight 0 and are left out" in result.notes
    some = train(table[WEIGHTS > 0].reset_index(drop=True), "y", recipe)
    np.testing.assert_array_equal(result.model.predict(table), some.model.predict(table))
    train(table.dropna(subset="unknown"), "y", Recipe(weight="unknown", epochs=1, members=1))
    with pytest.raises(ValueError, match="no finite number"):
        train(table, "y", Recipe(weight="unknown", epochs=1))
    with pytest.raises(ValueError, match="'y' is the target; it cannot be the weight too"):
        train(table, "y", Recipe(weight="y", epochs=1))
    with pytest.raises(ValueError, match="there is no column 'v'"):
        train(table, "y", Recipe(weight="v", epochs=1))


def test_the_command_takes_and_reports_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"a": X[:, 0], "y": TARGETS["regression"], "w": WEIGHTS + 1})
    table.to_csv("t.csv", index=False)
    command = ["train", "t.csv", "--target", "y", "--weight", "w", "--epochs", "2"]
    assert cli.main(command) == 0
    assert "on the test rows, weighted" in capsys.readouterr().out
    assert cli.main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["weight"] == "w"
    assert cli.main(["predict", "t.safetensors", "t.csv", "--evaluate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(TableModel.load("t.safetensors").evaluate(table), rel=1e-5)
