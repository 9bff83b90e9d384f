"""Training on a table: what is kept, and which rows it is kept by."""

import numpy as np
import pytest
from layer_cases import LAYERS

from fastnn import Dense
from fastnn.tables import Recipe, train

pd = pytest.importorskip("pandas", reason="tables need the extra cli")


def noisy(rows=300):
    """Values with so much noise that the last epoch is not the best one."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 3)) * [1, 5, 0.2]
    return pd.DataFrame(x, columns=list("abc")).assign(y=np.sin(3 * x[:, 0]) + generator.normal(0, 2, rows))


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_what_is_kept_evaluates_to_what_was_recorded(layer, task):
    table = noisy()
    if task == "classification":
        table["y"] = np.where(table["y"] > 0, "up", "down")
    layers = (Dense(64, "relu"), layer, Dense(8, "relu"))
    result = train(table, "y", Recipe(layers=layers, epochs=40, learning_rate=0.05, weight_decay=0.0))
    model, validation = result.model, result.table.iloc[result.validation]
    losses = result.history["val_loss"]
    assert result.best_epoch == int(np.argmin(losses)) < len(losses) - 1
    kept = model.network.evaluate(model.preprocessing.transform(validation), model.target.encode(validation["y"]))
    assert kept["loss"] == losses[result.best_epoch]
