"""Thresholds of two classes, and classes that a network had no rows of."""

import json

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, train
from fastnn.tables.metrics import classification
from fastnn.tables.thresholds import METRICS, best_threshold

generator = np.random.default_rng(0)
ROWS = 600
A = generator.normal(size=ROWS)
TABLE = pd.DataFrame({"a": A, "y": np.where(A + generator.normal(size=ROWS) > 2.2, "rare", "common")})
REPORTED = {"f1": "f1", "balanced": "balanced_accuracy"}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_no_other_threshold_has_a_larger_metric(metric, weighted):
    belongs = generator.uniform(size=80) < 0.2
    p = np.round(np.clip(0.3 * belongs + generator.uniform(0, 0.7, 80), 0.01, 0.99), 2)
    weights = generator.uniform(size=80) if weighted else None

    def value(threshold):
        chosen = (p > threshold).astype(int)
        return classification(belongs.astype(int), np.stack([1 - p, p], axis=1), chosen, weights)[REPORTED[metric]]

    found = value(best_threshold(metric, p, belongs, weights))
    assert found == pytest.approx(max(value(each) for each in np.append(np.unique(p), 0.0)))


def test_a_threshold_helps_the_metric_it_is_chosen_by(tmp_path):
    results = {each: train(TABLE, "y", Recipe(epochs=15, threshold=each)) for each in (None, "f1", "balanced", 0.25)}
    assert results["f1"].metrics["f1"] > results[None].metrics["f1"]
    assert results["balanced"].metrics["balanced_accuracy"] > results[None].metrics["balanced_accuracy"] + 0.02
    assert results["f1"].metrics["log_loss"] == results[None].metrics["log_loss"]
    assert results[None].model.target.threshold is None
    model = results[0.25].model
    assert model.target.threshold == pytest.approx(0.25)
    p = model.predict_proba(TABLE)[:, 1]
    np.testing.assert_array_equal(model.predict(TABLE) == "rare", p > 0.25)
    assert any("'rare' is predicted from a probability of 0.25 on" in note for note in results[0.25].notes)
    assert any("the threshold with the largest f1 on the rows held out" in note for note in results["f1"].notes)
    assert "above a probability of 0.25" in str(model.target)
    model.save(tmp_path / "m.safetensors")
    assert TableModel.load(tmp_path / "m.safetensors").target == model.target


def test_thresholds_are_for_two_classes():
    for table, options, message in [
            (TABLE.assign(y=np.arange(ROWS) % 3), {}, "the target has 3 classes; leave --threshold out, or say --balanced"),
            (TABLE.assign(y=A), {}, "the target has no classes"), (TABLE, {"balanced": True}, "give one of them")]:
        with pytest.raises(ValueError, match=message):
            train(table, "y", Recipe(epochs=1, threshold="f1", **options))
    for wrong in (0.0, 1.0, "f2", True):
        with pytest.raises(ValueError, match=r"Recipe\(threshold=...\) is"):
            Recipe(threshold=wrong)


def test_the_command_reports_the_threshold(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("t.csv", index=False)
    assert cli.main(["train", "t.csv", "--target", "y", "--threshold", "f1", "--epochs", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["thresholds"] == {"y": TableModel.load("t.safetensors").target.threshold}
    assert "the threshold with the largest f1" in err


@pytest.mark.parametrize("by", ["group", "time"])
def test_a_class_that_no_network_learns_is_told(by):
    place = np.arange(ROWS) // 60
    table = pd.DataFrame({"a": A, by: place, "y": np.where(place == 9, "new", np.where(A > 0, "p", "q"))})
    seeds = range(6) if by == "group" else [0]
    notes = [note for seed in seeds for note in train(table, "y", Recipe(epochs=1, members=2, seed=seed, **{by: by})).notes
             if "in none of the rows that a network learns from" in note]
    assert any("'new' (all)" in note for note in notes)
    assert len(notes) == len(seeds) or all("'new' (all)" in note or "'new' (1 of 2)" in note for note in notes)
    whole = train(table, "y", Recipe(epochs=1, members=2, drop=[by]))
    assert not any("in none of the rows" in note for note in whole.notes)
