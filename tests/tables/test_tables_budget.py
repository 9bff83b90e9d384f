"""A budget in seconds decides the number of members and epochs."""

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import Recipe, train
from fastnn.tables.training import budget

X = np.random.default_rng(0).normal(size=(100, 2))
TABLE = pd.DataFrame(X, columns=["a", "b"]).assign(y=X[:, 0])


@pytest.mark.parametrize(("epoch", "options", "wanted"), [
    (1.0, {}, (2, 8)), (0.05, {}, (8, 20)), (0.01, {}, (8, 100)), (0.2, {}, (5, 8)), (1e-6, {}, (8, 200)),
    (1e-6, {"epochs": 3}, (8, 3)), (1.0, {"members": 5}, (5, 8)), (1e-6, {"members": 1}, (1, 200))])
def test_less_time_takes_epochs_then_members_and_more_time_is_not_spent(monkeypatch, epoch, options, wanted):
    monkeypatch.setattr(budget, "seconds_of_epoch", lambda *given: epoch)
    recipe = Recipe(threads=1, **options)
    class target:
        kind, outputs = "regression", 1
    assert budget.within(10.0, np.zeros((100, 3), np.float32), None, target, np.arange(80), recipe) == wanted


def test_the_numbers_that_are_named_repeat_the_training():
    found = train(TABLE, "y", Recipe(seconds=0.02))
    note = next(note for note in found.notes if "seconds are enough" in note)
    members, epochs = len(found.folds), found.recipe.epochs
    assert f"--members {members} --epochs {epochs} repeats this" in note
    again = train(TABLE, "y", Recipe(members=members, epochs=epochs))
    assert again.metrics == found.metrics


def test_an_epoch_is_measured():
    first = train(TABLE, "y", Recipe(epochs=1)).model
    matrix = first.preprocessing.transform(TABLE)
    taken = budget.seconds_of_epoch(matrix, first.target.encode(TABLE["y"]), first.target, np.arange(80), Recipe(), 32)
    assert 0 < taken < 60
