"""Training on a table: which weights are kept, and the rows that decide it."""

import numpy as np
import pytest
from layer_cases import LAYERS, in_turn, placed

from fastnn import Dense
from fastnn.tables import Recipe, train

pd = pytest.importorskip("pandas", reason="tables need the extra cli")


def noisy(rows=300):
    """Values with so much noise that the last epoch is not the best one."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 3)) * [1, 5, 0.2]
    return pd.DataFrame(x, columns=list("abc")).assign(y=np.sin(3 * x[:, 0]) + generator.normal(0, 2, rows))


@pytest.mark.parametrize(("name", "task"), in_turn([name for name, layer in LAYERS.items() if not layer.learns_from_data],
                                                   ["regression", "classification"]))
def test_what_is_kept_evaluates_to_what_was_recorded(name, task):
    table = noisy()
    if task == "classification":
        table["y"] = np.where(table["y"] > 0, "up", "down")
    layers = (Dense(64, "relu"), *placed(name, 64), Dense(8, "relu"))
    result = train(table, "y", Recipe(layers=layers, members=1, epochs=40, learning_rate=0.05, weight_decay=0.0))
    model, validation = result.model, result.table.iloc[result.validation]
    losses = result.history["val_loss"]
    assert result.best_epoch == int(np.argmin(losses)) < len(losses) - 1
    kept = model.network.evaluate(model.preprocessing.transform(validation), model.target.encode(validation["y"]))
    assert kept["loss"] == losses[result.best_epoch]


def other_notes(result):
    """Return the notes without those on classes that so short a training never predicts."""
    return [note for note in result.notes if not note.startswith("never predicted")]


def test_numbers_that_are_taken_for_classes_are_pointed_out():
    table = noisy().assign(y=np.arange(300) % 6)
    result = train(table, "y", Recipe(epochs=1))
    assert result.model.target.kind == "classification"
    assert any("'y' holds 6 different whole numbers, which are taken for classes" in note for note in result.notes)
    for task in ("classification", "regression"):
        assert not other_notes(train(table, "y", Recipe(epochs=1, task=task)))
    for y in (np.arange(300) % 2, np.arange(300) % 2 == 0, np.array(list("abc"))[np.arange(300) % 3],
              pd.Categorical(np.arange(300) % 6)):
        assert not other_notes(train(table.assign(y=y), "y", Recipe(epochs=1)))


@pytest.mark.parametrize(("test", "note"), [
    (0.0, "only 1 row is held out"), (0.02, "only 6 rows are held out"), (0.2, None)])
def test_a_result_on_few_rows_is_said_to_say_little(test, note):
    for y in (noisy()["y"], [f"k{row // 3}" for row in range(300)]):
        result = train(noisy().assign(y=y), "y", Recipe(epochs=1, test=test))
        assert [each.partition(" for the test")[0] for each in other_notes(result)] == [note] * bool(note)


@pytest.mark.parametrize("column", ["a", "y"])
def test_validation_rows_beyond_all_bounds_are_refused(column):
    table = noisy()
    row = train(table, "y", Recipe(epochs=1, members=1)).validation[0]
    table.loc[row, column] = 1e30
    with pytest.raises(ValueError, match="the loss on the validation rows is not finite in any epoch"):
        train(table, "y", Recipe(epochs=2, members=1, limit=np.inf))


@pytest.mark.parametrize("pair", [("Yes", "yes"), ("yes", "yes "), ("New York", "newyork"), ("ÄRGER", "ärger")])
def test_classes_that_differ_in_case_or_blanks_are_pointed_out(pair):
    result = train(noisy().assign(y=[*pair, "no"] * 100), "y", Recipe(epochs=1))
    first, second = sorted(pair)
    assert f"the classes {first!r} and {second!r} of 'y' differ in case or blanks alone" in "".join(result.notes)
    assert result.model.target.outputs == 3


def test_a_target_whose_numbers_are_names_has_classes():
    table = noisy().assign(y=np.arange(300) % 30)
    assert train(table, "y", Recipe(epochs=1)).model.target.kind == "regression"
    result = train(table, "y", Recipe(epochs=1, text=["y"]))
    assert result.model.target.labels == tuple(range(30))
    assert not other_notes(result)


@pytest.mark.parametrize("option", ["drop", "keep_columns"])
def test_a_target_is_no_column_to_be_named_elsewhere(option):
    with pytest.raises(ValueError, match=f"'y' is the target; leave it out of {option}"):
        train(noisy(), "y", Recipe(**{option: ["y"]}))


def test_numbers_in_text_beside_marks_are_judged_as_numbers_and_stay_text():
    cells = np.where(np.arange(300) % 9 == 0, "?", np.where(np.arange(300) % 2 == 0, "10", "9")).astype(object)
    table = noisy().assign(y=cells)
    result = train(table, "y", Recipe(epochs=1, missing_values=["?"]))
    assert result.model.target.labels == ("10", "9")
    assert set(result.model.predict(table)) <= {"10", "9"}
    many = noisy().assign(y=[str(row) if row % 9 else "?" for row in range(300)])
    result = train(many, "y", Recipe(epochs=1, missing_values=["?"]))
    assert result.model.target.kind == "regression"
    assert result.model.evaluate(many)["mae"] > 0


@pytest.mark.parametrize("word", ["None", "NA", "", None])
def test_a_target_alike_where_it_is_not_missing_says_why(word):
    table = noisy().assign(y=pd.Series(["x", word] * 150, dtype=object))
    with pytest.raises(ValueError, match=r"'y' is x in every row; .* \(150 of 300 rows have no 'y'") as told:
        train(table, "y")
    assert ("--keep-words y" in str(told.value)) is bool(word)
    if word:
        assert train(table, "y", Recipe(epochs=1, keep_words=["y"])).model.target.labels == tuple(sorted(["x", word]))


@pytest.mark.parametrize(("every", "word", "message"), [
    (3, "-", "such as '-', .*; 200 rows hold numbers, the others '-': if that means missing, say --missing='-'$"),
    (9, "?", "column 'y' holds '\\?' among its numbers, in 34 of 300 rows"),
    (1, "w{row}", "such as 'w0', 'w1', 'w2', 'w3', which are no classes$"),
])
def test_texts_that_are_no_classes_say_what_they_may_be(every, word, message):
    cells = [word.format(row=row) if row % every == 0 else f"{row / 7:.3f}" for row in range(300)]
    with pytest.raises(ValueError, match=message):
        train(noisy().assign(y=cells), "y")
