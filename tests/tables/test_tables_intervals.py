"""Prediction intervals: they hold the share of new targets that they promise."""

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, train
from fastnn.tables.intervals import MOST, checked_errors, errors_of, half_width


def example(rows, seed, skewed=False):
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, rows)
    y = 3 * x + generator.standard_t(4, rows)
    return pd.DataFrame({"x": x, "y": np.exp(y) if skewed else y})


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("options", [{}, {"members": 1, "validation": 0.3}, {"log_target": "yes"}])
def test_intervals_hold_the_promised_share_of_new_targets(options, coverage):
    skewed = "log_target" in options
    model = train(example(600, 0, skewed), "y", Recipe(epochs=10, **options)).model
    new = example(4000, 1, skewed)
    low, high = model.predict_interval(new, coverage).T
    share = ((low <= new["y"]) & (new["y"] <= high)).mean()
    assert coverage - 0.06 < share < coverage + 0.06
    predicted = model.predict(new)
    assert (low <= predicted).all()
    assert (predicted <= high).all()


def test_the_half_width_is_an_order_statistic():
    errors = tuple(map(float, range(1, 20)))  # n = 19
    assert [half_width(errors, coverage) for coverage in (0.05, 0.5, 0.9, 0.95)] == [1.0, 10.0, 18.0, 19.0]
    with pytest.raises(ValueError, match=r"errors on 19 rows, too few for a coverage of 0.99; give at most 0.95"):
        half_width(errors, 0.99)


@pytest.mark.parametrize("coverage", [0, 1, 90, "0.9", True, float("nan"), None])
def test_a_coverage_is_a_share(coverage):
    with pytest.raises(ValueError, match="it must be a number between 0 and 1"):
        half_width((1.0,) * 50, coverage)


def test_many_errors_are_kept_as_quantiles():
    errors = errors_of(np.arange(5000.0))
    assert len(errors) == MOST
    assert half_width(errors, 0.9) == pytest.approx(4500, rel=0.01)


@pytest.mark.parametrize("errors", [[2.0, 1.0], [-1.0], ["a"], 3, [float("inf")], [0.0] * (MOST + 1)])
def test_wrong_errors_in_a_file_are_refused(errors):
    with pytest.raises(ValueError, match="errors"):
        checked_errors("errors", errors)


def test_files_keep_the_intervals_and_classes_have_none(tmp_path):
    table = example(100, 0)
    model = train(table, "y", Recipe(epochs=1)).model
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(TableModel.load(tmp_path / "m.safetensors").predict_interval(table, 0.8),
                                  model.predict_interval(table, 0.8))
    without = TableModel(model.network, model.preprocessing, model.target)
    with pytest.raises(ValueError, match="an earlier version trained it; train it again"):
        without.predict_interval(table)
    classes = train(table.assign(y=table["y"] > 0), "y", Recipe(epochs=1)).model
    with pytest.raises(ValueError, match="use predict_proba"):
        classes.predict_interval(table)


def test_the_command_writes_intervals(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example(100, 0).to_csv("t.csv", index=False)
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "1", "--quiet"]) == 0
    assert cli.main(["predict", "t.safetensors", "t.csv", "--interval", "0.9"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "y_predicted,y_low,y_high"
    for wrong in ("0", "1", "90", "x"):
        with pytest.raises(SystemExit):
            cli.main(["predict", "t.safetensors", "t.csv", "--interval", wrong])
