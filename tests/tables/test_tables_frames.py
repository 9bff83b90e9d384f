"""Data frames: columns of all types are converted to a few plain ones, with the same training and predictions."""

import datetime
from decimal import Decimal

import numpy as np
import pytest

from fastnn.tables import Preprocessing, Recipe, TableModel, train
from fastnn.tables.columns.frames import as_pandas, categorical_names, normalized, normalized_column
from fastnn.tables.columns.names import text_name

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

ROWS = 60
generator = np.random.default_rng(0)
WHOLE = generator.integers(0, 9, ROWS)
WORDS = generator.choice(["a", "b", "c"], ROWS)
HOLES = np.arange(ROWS) % 7 == 3
QUICK = Recipe(epochs=1)


def objects(values):
    return pd.Series(list(values), dtype=object)


def arrow(values, kind=None):
    pyarrow = pytest.importorskip("pyarrow", reason="Arrow columns need pyarrow")
    return pd.Series(pd.arrays.ArrowExtensionArray(pyarrow.array(values, kind and kind(pyarrow))))


def with_holes(values):
    return [None if hole else value for value, hole in zip(values.tolist(), HOLES, strict=True)]


def with_na(values):
    return [pd.NA if value is None else value for value in values]


def dictionary(values):
    return pd.Series(pd.arrays.ArrowExtensionArray(arrow(values).array.__arrow_array__().dictionary_encode()))


def sparse(values):
    return pd.Series(pd.arrays.SparseArray(values))


TRUTHS, BINS = WHOLE > 4, [-1, 3, 6, 9]
# columns of equal values, of every type of pandas
EQUAL = {
    "whole numbers": {
        "int64": lambda: pd.Series(WHOLE),
        "int8": lambda: pd.Series(WHOLE.astype(np.int8)),
        "uint16": lambda: pd.Series(WHOLE.astype(np.uint16)),
        "big-endian": lambda: pd.Series(WHOLE.astype(">i4")),
        "float64": lambda: pd.Series(WHOLE.astype(float)),
        "float32": lambda: pd.Series(WHOLE.astype(np.float32)),
        "float16": lambda: pd.Series(WHOLE.astype(np.float16)),
        "longdouble": lambda: pd.Series(WHOLE.astype(np.longdouble)),
        "Int64": lambda: pd.Series(WHOLE).astype("Int64"),
        "Float64": lambda: pd.Series(WHOLE).astype("Float64"),
        "Arrow": lambda: arrow(WHOLE),
        "Arrow decimal": lambda: arrow([Decimal(int(v)) for v in WHOLE]),
        "objects": lambda: objects(WHOLE.tolist()),
        "decimals": lambda: objects(map(Decimal, WHOLE.tolist())),
        "NumPy's in objects": lambda: objects(WHOLE),
        "int and float": lambda: objects([float(v) if v % 2 else int(v) for v in WHOLE]),
        "Sparse": lambda: sparse(WHOLE),
    },
    "whole numbers, some missing": {
        "float64": lambda: pd.Series(np.where(HOLES, np.nan, WHOLE)),
        "Int64": lambda: objects(with_holes(WHOLE)).astype("Int64"),
        "Float64": lambda: objects(with_holes(WHOLE)).astype("Float64"),
        "objects": lambda: objects(with_holes(WHOLE)),
        "NA": lambda: objects(with_na(with_holes(WHOLE))),
        "Arrow": lambda: arrow(with_holes(WHOLE)),
        "Arrow decimal": lambda: arrow([None if v is None else Decimal(v) for v in with_holes(WHOLE)]),
        "Sparse": lambda: sparse(np.where(HOLES, np.nan, WHOLE)),
    },
    "truth values": {
        "bool": lambda: pd.Series(TRUTHS),
        "boolean": lambda: pd.Series(TRUTHS).astype("boolean"),
        "objects": lambda: objects(TRUTHS.tolist()),
        "NumPy's in objects": lambda: objects(TRUTHS),
        "Arrow": lambda: arrow(TRUTHS),
        "Sparse": lambda: sparse(TRUTHS),
    },
    "truth values, some missing": {
        "objects": lambda: objects(with_holes(TRUTHS)),
        "boolean": lambda: objects(with_holes(TRUTHS)).astype("boolean"),
        "Arrow": lambda: arrow(with_holes(TRUTHS)),
    },
    "text, some missing": {
        "objects": lambda: objects(with_holes(WORDS)),
        "str": lambda: pd.Series(with_holes(WORDS)),
        "NaN": lambda: objects([np.nan if v is None else v for v in with_holes(WORDS)]),
        "string": lambda: objects(with_holes(WORDS)).astype("string"),
        "category": lambda: pd.Series(pd.Categorical(with_holes(WORDS))),
        "category, others unused": lambda: pd.Series(pd.Categorical(with_holes(WORDS), categories=list("xcbay"))),
        "Arrow": lambda: arrow(with_holes(WORDS)),
        "Arrow large": lambda: arrow(with_holes(WORDS), lambda pa: pa.large_string()),
        "Arrow view": lambda: arrow(with_holes(WORDS), lambda pa: pa.string_view()),
        "Arrow dictionary": lambda: dictionary(with_holes(WORDS)),
    },
    "intervals": {
        "cut": lambda: pd.cut(pd.Series(WHOLE), BINS),
        "interval": lambda: pd.Series(pd.cut(WHOLE, BINS).astype("interval")),
        "text": lambda: pd.cut(pd.Series(WHOLE), BINS).astype(str),
    },
}
PAIRS = [(kind, name) for kind, columns in EQUAL.items() for name in columns]


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_an_equal_column_of_another_type_learns_and_predicts_the_same(kind, name):
    first, *_ = EQUAL[kind].values()
    base = pd.DataFrame({"x": np.sin(range(ROWS)), "y": np.cos(range(ROWS)) * 3})
    tables = [base.assign(k=make()) for make in (first, EQUAL[kind][name])]
    results = [train(table, "y", QUICK) for table in tables]
    assert results[0].model.preprocessing.config() == results[1].model.preprocessing.config()
    assert results[0].notes == results[1].notes
    for table in tables:
        np.testing.assert_array_equal(results[0].model.predict(table), results[1].model.predict(tables[0]))


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_a_column_becomes_a_plain_one_and_then_stays(kind, name):
    plain = normalized_column(EQUAL[kind][name]())
    assert isinstance(plain.dtype, np.dtype)
    assert normalized_column(plain) is plain
    assert all(value is None for value in plain[plain.isna()]) or plain.dtype.kind == "f"


@pytest.mark.parametrize("values", [[2**53 + 1, None], [2**63 + 1, 1], [2**70, 1], [10**400, None], [-2**62 - 1, 2**62]])
def test_whole_numbers_stay_exact(values):
    assert normalized_column(objects(values)).tolist() == values


def test_a_long_arrow_integer_with_a_hole_stays_exact():
    assert normalized_column(arrow([2**60 + 1, None])).tolist() == [2**60 + 1, None]


@pytest.mark.parametrize("values", [[1.5, 10**400], [Decimal("Infinity"), Decimal("1E+100000")], [Decimal("1.5"), 2.0]])
def test_what_no_whole_number_is_becomes_float64(values):
    assert normalized_column(objects(values)).dtype == np.float64


NAMES = {
    "int": list(range(3)), "np.int64": list(np.arange(3)), "float": [0.0, 1.0, 2.5], "None": [None, "a", "b"],
    "date": [datetime.date(2024, 1, day) for day in (1, 2, 3)], "Timestamp": list(pd.date_range("2024-01-01", periods=3)),
    "MultiIndex": [("a", "b"), ("a", "c"), ("y", "")], "bool": [True, False, "y"], "blanks": [" a", "b ", "y"],
    "Period": list(pd.period_range("2024-01", periods=3, freq="M")), "mixed": ["0", 1, 2.0],
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_may_be_anything(kind, tmp_path):
    names = NAMES[kind]
    columns = pd.MultiIndex.from_tuples(names) if kind == "MultiIndex" else pd.Index(names, dtype=object)
    table = pd.DataFrame(generator.normal(size=(40, 3)), columns=columns)
    result = train(table, names[2], QUICK)
    result.model.save(tmp_path / "m.safetensors")
    model = TableModel.load(tmp_path / "m.safetensors")
    as_text = table.set_axis([text_name(name) for name in names], axis=1)
    np.testing.assert_array_equal(model.predict(table), model.predict(as_text))
    assert model.evaluate(table) == model.evaluate(as_text)
    assert train(as_text, text_name(names[2]), QUICK).metrics == result.metrics


def test_names_are_those_of_the_csv(tmp_path):
    for names in (NAMES["int"], NAMES["float"], NAMES["date"], pd.to_datetime(NAMES["Timestamp"]), NAMES["bool"]):
        pd.DataFrame([[1, 2, 3]], columns=names).to_csv(tmp_path / "t.csv", index=False)
        assert pd.read_csv(tmp_path / "t.csv").columns.tolist() == [text_name(name) for name in names]


def test_a_model_whose_names_are_numbers_still_predicts():
    """As models that were trained on unnamed columns before names became text."""
    from fastnn.tables.columns.kinds import Number

    old = Preprocessing([Number(0, 0.5, 2.0, 0.0, False), Number(1, 0.5, 2.0, 0.0, False)])
    table = pd.DataFrame(generator.normal(size=(4, 2)))
    np.testing.assert_allclose(old.transform(table), (table.to_numpy() - 0.5) / 2, rtol=1e-6)


@pytest.mark.parametrize("names", [["a", "y", "y"], ["a", "a", "y"], ["a", " a", "y"], [1, "1", "y"], [("a", ""), "a", "y"]])
def test_a_name_that_comes_twice_is_refused(names):
    def table(names):
        columns = pd.Index(names, dtype=object, tupleize_cols=False)
        return pd.DataFrame(generator.normal(size=(40, len(names))), columns=columns)

    twice = text_name(names[1])
    with pytest.raises(ValueError, match=f"two columns are named '{twice}'; rename one"):
        train(table(names), "y", QUICK)
    with pytest.raises(ValueError, match=f"two columns are named '{twice}'; rename one"):
        Preprocessing.fit(table(names))
    model = train(table(["a", "1", "y"]), "y", QUICK).model
    given = table(["a", "1", *names])
    with pytest.raises(ValueError, match=r"two columns are named '.+'; rename one"):
        model.evaluate(given)
    assert model.predict(table(["a", "1", "z", "z"])).shape == (40,)  # others are not looked at


def test_rows_may_be_numbered_in_any_way():
    table = pd.DataFrame({"x": np.sin(range(ROWS)), "w": pd.Series(WORDS).astype("category"), "y": np.cos(range(ROWS))})
    odd = table.set_axis([1, 2] * (ROWS // 2), axis=0)
    assert train(odd, "y", QUICK).metrics == train(table, "y", QUICK).metrics


def test_frames_of_other_libraries():
    polars, _ = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    table = pd.DataFrame({"x": np.sin(range(ROWS)), "k": with_holes(WHOLE), "w": with_holes(WORDS),
                          "b": WHOLE > 4, "y": np.cos(range(ROWS))})
    other = polars.DataFrame({name: table[name].astype(object).where(table[name].notna(), None).tolist() for name in table})
    enum = other.with_columns(w=other["w"].cast(polars.Enum(["c", "b", "a"])))
    expected = train(table, "y", QUICK)
    for each in (other, enum, other.to_arrow()):
        result = train(each, "y", QUICK)
        assert result.model.preprocessing.config() == expected.model.preprocessing.config()
        np.testing.assert_array_equal(result.model.predict(each), expected.model.predict(table))
        assert expected.model.evaluate(each) == expected.model.evaluate(table)
    assert categorical_names(as_pandas("table", enum)) == ["w"]
    for wrong in (other["x"], other.lazy(), polars.DataFrame):
        with pytest.raises(ValueError, match=r"table is .*; it must be a pandas DataFrame"):
            normalized("table", wrong)


def test_a_categorical_column_of_numbers_is_text():
    table = pd.DataFrame({"k": pd.Categorical(WHOLE), "y": np.cos(range(ROWS))})
    for each in (table, table.astype({"k": "Int64"}).assign(k=lambda t: t["k"].astype("category"))):
        column, = train(each, "y", QUICK).model.preprocessing.columns
        assert column.kind == "text"
        assert set(column.categories) == set(map(str, WHOLE))
