"""Predicted labels have their original type, and are recognized in other tables, through a file, and on the command line."""

import decimal
import fractions
import json

import numpy as np
import pytest

from fastnn.tables import Classes, Recipe, TableModel, read_table, train
from fastnn.tables.columns.cells import written
from fastnn.tables.plain import to_config
from fastnn.tables.targets import from_config

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

TWO = {  # two labels of a kind, the lesser first, in a column
    "bool": lambda y: np.where(y, True, False),
    "objects True and False": lambda y: np.where(y, True, False).astype(object),
    "boolean": lambda y: pd.array(np.where(y, True, False), "boolean"),
    **{dtype: lambda y, dtype=dtype: pd.array(np.where(y, 100, 3).astype(dtype.lower()), dtype)
       for dtype in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4", "Int8", "UInt64")},
    "int64 beyond 2**53": lambda y: np.where(y, 2**60 + 1, 2**60),
    "uint64 beyond 2**63": lambda y: np.where(y, np.uint64(2**64 - 1), np.uint64(2**64 - 2)),
    "Int64 beyond 2**53": lambda y: pd.array([2**60 + each for each in map(int, y)], "Int64"),
    "objects beyond 2**64": lambda y: np.array([2**70 + each for each in map(int, y)], object),
    **{f"{dtype}": lambda y, dtype=dtype: pd.array(np.where(y, 2.6, 0.1), dtype)
       for dtype in ("float16", "float32", "float64", "Float32", "Float64", "object")},
    "whole float64": lambda y: np.where(y, 10.0, 2.0),
    "objects int and float": lambda y: np.where(y, 1.5, 1).astype(object),
    "text": lambda y: np.where(y, "yes", "no"),
    "objects of text": lambda y: np.where(y, "yes", "no").astype(object),
    "string": lambda y: pd.array(np.where(y, "yes", "no"), "string"),
    "numbers as text": lambda y: np.where(y, "1.50", "007").astype(object),
    "categories of text": lambda y: pd.Categorical(np.where(y, "yes", "no"), ["yes", "no", "never"], ordered=True),
    "categories of int": lambda y: pd.Categorical(np.where(y, 10, 2)),
    "categories of bool": lambda y: pd.Categorical(np.where(y, True, False)),
    "categories of float": lambda y: pd.Categorical(np.where(y, 2.5, 0.1)),
    "int and text": lambda y: np.array(["a" if each else 1 for each in y], object),
    "decimals": lambda y: np.where(y, decimal.Decimal("2.5"), decimal.Decimal("1")),
    "fractions": lambda y: np.where(y, fractions.Fraction(5, 2), fractions.Fraction(1)),
    "longdouble": lambda y: np.where(y, np.longdouble(2.5), np.longdouble(1)),
    "sparse": lambda y: pd.arrays.SparseArray(np.where(y, 1, 0)),
}
X = np.random.default_rng(0).normal(size=60).round(3)


def arrow(kind, less, more):
    def column(y):
        pyarrow = pytest.importorskip("pyarrow", reason="Arrow columns need pyarrow")
        dtype = pyarrow.dictionary(pyarrow.int8(), pyarrow.string()) if kind == "dictionary" else getattr(pyarrow, kind)
        return pd.array([more if each else less for each in y], pd.ArrowDtype(dtype() if callable(dtype) else dtype))
    return column


TWO |= {f"Arrow {kind}": arrow(kind, *labels) for kind, labels in {
    "bool_": (False, True), "int8": (3, 100), "uint64": (1, 2**64 - 1), "float32": (0.1, 0.2), "string": ("no", "yes"),
    "large_string": ("no", "yes"), "dictionary": ("no", "yes")}.items()}


def table_of(kind):
    return pd.DataFrame({"x": X, "y": TWO[kind](X > 0)})


@pytest.mark.parametrize("kind", TWO)
def test_predictions_are_the_labels_of_the_table(kind, tmp_path):
    table = table_of(kind)
    model = train(table, "y", Recipe(epochs=60, task="classification", learning_rate=0.02)).model
    predicted = model.predict(table)
    assert isinstance(predicted, np.ndarray)
    assert np.mean(predicted == table["y"].to_numpy()) > 0.9
    assert np.mean(predicted == table["y"]) > 0.9
    assert model.evaluate(table)["accuracy"] == np.mean(predicted == table["y"])
    model.save(tmp_path / "m.safetensors")
    again = TableModel.load(tmp_path / "m.safetensors")
    assert again.target == model.target
    assert again.predict(table).dtype == predicted.dtype
    assert again.predict(table).tolist() == predicted.tolist()


@pytest.mark.parametrize("kind", TWO)
def test_labels_have_the_type_of_the_column(kind):
    column = table_of(kind)["y"]
    predicted = train(table_of(kind), "y", Recipe(epochs=1, task="classification")).model.predict(table_of(kind))
    kinds = {type(label) for label in column.tolist()}
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf" and column.dtype.itemsize <= 8:
        assert predicted.dtype == column.dtype.newbyteorder("=")
    if kinds in ({bool}, {int}, {float}, {str}):
        assert {type(label) for label in predicted.tolist()} <= kinds


SAME_IN_A_FILE = [kind for kind in TWO if kind not in (
    "numbers as text", "objects beyond 2**64", "fractions",  # other things in a file
    "Arrow float32")]  # written with digits that float32 does not have


@pytest.mark.parametrize("kind", SAME_IN_A_FILE)
def test_a_frame_and_its_file_make_the_same_model(kind, tmp_path):
    table = table_of(kind)
    table.to_csv(tmp_path / "t.csv", index=False)
    read = read_table(tmp_path / "t.csv")
    models = [train(each, "y", Recipe(epochs=2, task="classification")).model for each in (table, read)]
    assert models[0].forward(table).tobytes() == models[1].forward(table).tobytes()
    assert list(map(written, models[0].target.labels)) == list(map(written, models[1].target.labels))
    assert models[0].evaluate(read) == models[1].evaluate(table) == models[0].evaluate(table)


@pytest.mark.parametrize(("values", "labels"), [
    ([1.0, 2.0, np.nan], [1, 2]), ([True, False, None], [True, False]), (["a", "b", None], ["a", "b"]),
    ([0.5, 1.5, np.nan], [0.5, 1.5]), ([2**60, 2**60 + 1, None], [2**60, 2**60 + 1]), ([0.5, 1.5, np.inf], [0.5, 1.5]),
], ids=str)
def test_labels_beside_missing_ones(values, labels):
    column = pd.Series(values * 20, dtype=object if None in values else None)
    result = train(pd.DataFrame({"x": range(60), "y": column}).sample(frac=1, random_state=0), "y",
                   Recipe(epochs=1, task="classification"))
    assert len(result.table) == 40
    assert list(result.model.target.labels) == sorted(labels)
    assert [type(label) for label in result.model.predict(result.table).tolist()] == [type(labels[0])] * 40
    assert set(result.model.target.encode(column[column.isin(labels)])) == {0, 1}


@pytest.mark.parametrize(("labels", "column"), [
    ([1, 2], [1.0, 2.0]), ([1, 2], ["1", "2"]), ([1.0, 2.0], [1, 2]), (["1", "2"], [1, 2]), (["1", "a"], [1, "a"]),
    ([False, True], ["false", "TRUE"]), ([False, True], ["False", "True"]), (["False", "True"], [False, True]),
    ([7, 8], ["007", "8.0"]), (["1.1", "1.10"], ["1.1", "1.10"]), ([0.1, 2.5], np.array([0.1, 2.5], np.float32)),
    (["a", "b"], pd.Categorical(["a", "b"])),
    ([2**60, 2**60 + 1], pd.array([2**60, 2**60 + 1], "Int64")),
], ids=str)
def test_a_class_is_found_however_a_table_holds_it(labels, column):
    assert Classes.fit(pd.Series(labels, name="y")).encode(pd.Series(column)).tolist() == [0, 1]


@pytest.mark.parametrize(("labels", "column", "message"), [
    (["a", "b"], ["a", "c"], "column 'y' holds the class 'c', which the model does not know; it knows 'a', 'b'"),
    ([False, True], [0, 1], "holds the class 0, which the model does not know; it knows False, True"),
    (["1.10", "1.1"], ["1.100", "1.1"], "holds the class '1.100'"), ([0.5, 1.5], [0.5, 1.0], "holds the class 1.0"),
    ([0, 1], [False, True], "holds the class False, which the model does not know; it knows 0, 1"),
    (list(range(40)), [41], "it knows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 30 more"),
    (["a", "b"], ["a", None], "column 'y' has no value in 1 of 2 rows"),
    ([2**60, 2**60 + 1], [2.0**60], r"float64 holds whole numbers up to 2\*\*53"),
], ids=str)
def test_a_class_that_is_not_known_is_refused(labels, column, message):
    with pytest.raises(ValueError, match=message):
        Classes.fit(pd.Series(labels, name="y")).encode(pd.Series(column, name="y"))


@pytest.mark.parametrize(("values", "message"), [
    ([1, "1"], "holds 1 both as a number and as text"), ([1.0, "1"], "holds 1.0 both as"),
    ([True, "True"], "holds True both as a truth value and as text"), ([True, 2], "holds True among its numbers"),
    ([False, 0, 1], "holds False among its numbers"),
    ([decimal.Decimal("0.1"), decimal.Decimal("0.2")], r"Decimal\('0.1'\), a Decimal; .*astype\(str\)"),
    ([fractions.Fraction(1, 3), fractions.Fraction(1, 2)], r"Fraction\(1, 3\), a Fraction; .*astype\(str\)"),
], ids=str)
def test_labels_that_would_be_confused_are_refused(values, message):
    table = pd.DataFrame({"x": range(60), "y": pd.Series((values * 60)[:60], dtype=object)}).sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match=message):
        train(table, "y", Recipe(task="classification"))


DATES = pd.to_datetime(["2021-10-01", "2022-10-01"] * 30)
NO_TARGETS = {
    "dates": DATES, "dates, of a time zone": DATES.tz_localize("Europe/Oslo"), "dates, objects": list(DATES.date),
    "dates, categories": pd.Categorical(DATES), "durations": pd.to_timedelta([1, 2] * 30, "s"),
    "periods": DATES.to_period("M"), "complex numbers": np.array([1 + 5j, 2] * 30), "intervals": pd.cut([1, 2] * 30, 2),
    "bytes": [b"a", b"b"] * 30, "other things": [[1], [2]] * 30,
}


@pytest.mark.parametrize("task", ["auto", "regression", "classification"])
@pytest.mark.parametrize("kind", NO_TARGETS)
def test_what_is_no_target_is_refused_by_name(kind, task):
    table = pd.DataFrame({"x": np.sin(range(60)), "y": NO_TARGETS[kind]})
    message = f"column 'y' holds {kind.partition(',')[0]}; the target must be numbers or text"
    with pytest.raises(ValueError, match=message):
        train(table, "y", Recipe(task=task))
    for target in (np.cos(range(60)), ["a", "b"] * 30):
        model = train(table.assign(y=target), "y", Recipe(epochs=1)).model
        with pytest.raises(ValueError, match=message):
            model.evaluate(table)


def test_whole_numbers_as_floats_beyond_all_of_them_are_pointed_out():
    table = pd.DataFrame({"x": np.sin(range(60)), "y": [2.0**60, 2.0**61] * 30})
    assert any("beyond 2**53 as float64" in note for note in train(table, "y", Recipe(epochs=1)).notes)
    assert not train(table.assign(y=[2**60, 2**61] * 30), "y", Recipe(epochs=1)).notes
    with pytest.raises(ValueError, match=r"in every row, as far as float64 can tell"):
        train(table.assign(y=2.0**53), "y")


def test_many_categories_of_few_rows_are_no_classes():
    table = pd.DataFrame({"x": np.sin(range(60)), "y": pd.Categorical(np.arange(60) // 1.5)})
    with pytest.raises(ValueError, match=r"40 different categories in 60 rows, .* which are no classes"):
        train(table, "y")


@pytest.mark.parametrize(("labels", "dtype"), [
    ([0.5, float("nan")], None), ([0.5, 1.5], "int64"), ([1, "1"], "object"), ([True, 1], None), ([0, 300], "uint8"),
    (["a", "b"], "bool"), (["a", "b"], "datetime64[ns]"), ([0, 1], "O"), ([0, 1], 1), ([0, [1]], None), ([], None),
    ([0, 1e300], "float32"), (["a", "a"], None), ([0, None], "object"), ([2**64, 1], "uint64"), ([1, 1.0], "float64"),
], ids=str)
def test_labels_of_a_file_that_cannot_be_are_refused(labels, dtype):
    with pytest.raises(ValueError, match=r"labels|dtype|column"):
        from_config({"kind": "classification", "name": "y", "labels": labels, "dtype": dtype})


@pytest.mark.parametrize("kind", TWO)
def test_a_target_is_plain_data(kind):
    target = Classes.fit(table_of(kind)["y"].astype(object))
    assert from_config(json.loads(json.dumps(to_config(target)))) == target
