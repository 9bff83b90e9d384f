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


def test_numbers_that_are_taken_for_classes_are_pointed_out():
    table = noisy().assign(y=np.arange(300) % 6)
    result = train(table, "y", Recipe(epochs=1))
    assert result.model.target.kind == "classification"
    assert any("'y' holds 6 different whole numbers, which are taken for classes" in note for note in result.notes)
    for task in ("classification", "regression"):
        assert not train(table, "y", Recipe(epochs=1, task=task)).notes
    for y in (np.arange(300) % 2, np.arange(300) % 2 == 0, np.array(list("abc"))[np.arange(300) % 3],
              pd.Categorical(np.arange(300) % 6)):
        assert not train(table.assign(y=y), "y", Recipe(epochs=1)).notes


@pytest.mark.parametrize(("test", "note"), [
    (0.0, "only 1 row is held out"), (0.02, "only 6 rows are held out"), (0.2, None)])
def test_a_result_on_few_rows_is_said_to_say_little(test, note):
    for y in (noisy()["y"], [f"k{row // 3}" for row in range(300)]):
        result = train(noisy().assign(y=y), "y", Recipe(epochs=1, test=test))
        assert [each.partition(" for the test")[0] for each in result.notes] == [note] * bool(note)


@pytest.mark.parametrize("column", ["a", "y"])
def test_validation_rows_beyond_all_bounds_are_refused(column):
    table = noisy()
    row = train(table, "y", Recipe(epochs=1)).validation[0]
    table.loc[row, column] = 1e30
    with pytest.raises(ValueError, match="the loss on the validation rows is not finite in any epoch"):
        train(table, "y", Recipe(epochs=2, limit=np.inf))
