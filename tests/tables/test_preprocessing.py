"""From a table to a matrix: laws of the preprocessing, of the target, and of the split."""

import json

import numpy as np
import pytest

from fastnn.tables import Classes, Preprocessing, UnknownCategory, Values, read_table, write_table
from fastnn.tables import target as targets
from fastnn.tables.columns.cells import as_words
from fastnn.tables.plain import to_config
from fastnn.tables.targets import from_config
from fastnn.tables.training.split import split

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

STONES = pd.DataFrame({
    "carat": [0.2, 0.4, np.nan, 1.0, 0.4, 0.3],
    "cut": ["Good", "Ideal", "Good", None, "Fair", "Good"],
    "rows": [3, 4, 5, 6, 7, 8],
    "lab": ["A"] * 6,
    "sold": [True, False, True, True, False, False],
    "when": pd.date_range("2024-01-01", periods=6),
    "nothing": [None] * 6,
})


def column(matrix, preprocessing, name):
    return matrix[:, preprocessing.features.index(name)]


def test_each_kind_of_column_is_found():
    preprocessing = Preprocessing.fit(STONES)
    assert {c.name: c.kind for c in preprocessing.columns} == {
        "carat": "number", "cut": "text", "rows": "ignored", "lab": "ignored", "sold": "number", "when": "date",
        "nothing": "ignored",
    }
    reasons = {c.name: str(c) for c in preprocessing.columns}
    for name, reason in {"rows": "counts the rows", "lab": "alike", "when": "cycles of year, week",
                         "nothing": "all missing"}.items():
        assert reason in reasons[name]


def test_numbers_are_standardized_and_missing_ones_told():
    preprocessing = Preprocessing.fit(STONES)
    X = preprocessing.transform(STONES)
    assert X.dtype == np.float32
    assert X.shape == (6, len(preprocessing.features))
    carat = column(X, preprocessing, "carat")
    np.testing.assert_allclose([carat.mean(), carat.std()], [0, 1], atol=1e-6)
    assert carat[2] == carat[1]  # the median, 0.4
    assert column(X, preprocessing, "carat missing").tolist() == [0, 0, 1, 0, 0, 0]


def test_text_is_one_hot_and_missing_is_a_category():
    preprocessing = Preprocessing.fit(STONES)
    X = preprocessing.transform(STONES)
    names = [name for name in preprocessing.features if name.startswith("cut")]
    assert names == ["cut = Fair", "cut = Good", "cut = Ideal", "cut missing"]
    assert np.stack([column(X, preprocessing, name) for name in names], 1).argmax(1).tolist() == [1, 2, 1, 3, 0, 1]


def test_numbers_come_from_the_training_rows_alone():
    rows = np.array([0, 1, 4])
    fitted = Preprocessing.fit(STONES, rows=rows)
    alone = Preprocessing.fit(STONES.iloc[rows])
    assert fitted.columns[:2] == alone.columns[:2]


@pytest.mark.parametrize("options", [{}, {"text": ["rows"]}, {"drop": ["cut"]}, {"missing_values": ["Good"]},
                                     {"missing_values": [0.31, -999, np.int64(3), "?"]},
                                     {"limit": np.inf}, {"max_categories": 1, "drop": ["carat"]}])
def test_json_and_back_is_the_same(options):
    preprocessing = Preprocessing.fit(STONES, **options)
    again = Preprocessing.from_json(preprocessing.to_json())
    assert again.columns == preprocessing.columns
    np.testing.assert_array_equal(again.transform(STONES), preprocessing.transform(STONES))


def test_a_row_alone_is_the_row_in_the_table():
    preprocessing = Preprocessing.fit(STONES)
    X = preprocessing.transform(STONES)
    for k in range(len(STONES)):
        np.testing.assert_array_equal(preprocessing.transform(STONES.iloc[[k]]), X[[k]])
    assert preprocessing.transform(STONES.iloc[:0]).shape == (0, X.shape[1])


def test_the_order_of_columns_does_not_matter_nor_do_others():
    preprocessing = Preprocessing.fit(STONES)
    shuffled = STONES[STONES.columns[::-1]].assign(more=1)
    np.testing.assert_array_equal(preprocessing.transform(shuffled), preprocessing.transform(STONES))


def test_an_unknown_category_is_none_and_said():
    preprocessing = Preprocessing.fit(STONES)
    with pytest.warns(UnknownCategory, match="'cut' holds 'Superb'.*1 of 6") as warned:
        X = preprocessing.transform(STONES.replace({"cut": {"Ideal": "Superb"}}))
    assert warned[0].filename == __file__
    assert not X[1, [k for k, name in enumerate(preprocessing.features) if name.startswith("cut")]].any()


def test_the_most_frequent_categories_are_kept():
    table = pd.DataFrame({"word": list("aaabbbcdcc") * 2, "x": range(20)})
    assert Preprocessing.fit(table, max_categories=2, drop=["x"]).features in (["word = a", "word = b"],
                                                                               ["word = a", "word = c"])


def test_a_text_for_each_row_is_ignored():
    table = pd.DataFrame({"name": [f"n{k}" for k in range(200)], "x": np.arange(200) % 7})
    assert Preprocessing.fit(table).features == ["x"]


def test_what_means_missing_can_be_said():
    table = pd.DataFrame({"power": ["100", "?", "120"], "cut": ["?", "Good", "Fair"]})
    assert Preprocessing.fit(table, missing_values=["?"]).features == [
        "power", "power missing", "cut = Fair", "cut = Good", "cut missing"]


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda t: t.drop(columns="cut"), "no column 'cut'.*trained on it.*'carat'"),
    (lambda t: t.assign(carat=["0.2", "much", "1", "2", "3", "4"]), "'carat' is one of numbers, but row 2 holds 'much'"),
])
def test_a_table_that_does_not_fit_is_refused(spoil, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.fit(STONES).transform(spoil(STONES))


@pytest.mark.parametrize(("table", "options", "message"), [
    (STONES[["lab", "rows"]], {}, "no column is left.*lab ignored: alike"),
    (STONES, {"drop": ["karat"]}, "no column 'karat'"),
    (STONES, {"max_categories": 0}, "max_categories is 0"),
    (STONES, {"limit": 0}, "limit is 0"),
    (STONES.set_axis(["a", "a", *"bcdef"], axis=1), {}, "two columns are named 'a'"),
])
def test_what_cannot_be_learned_from_is_refused(table, options, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.fit(table, **options)


@pytest.mark.parametrize("limit", [2.0, 5.0, np.inf])
def test_an_outlier_counts_up_to_the_limit(limit):
    preprocessing = Preprocessing.fit(pd.DataFrame({"x": np.sin(range(99))}), limit=limit)
    far = preprocessing.transform(pd.DataFrame({"x": [1e6, -1e6]}))[:, 0]
    assert far.tolist() == [limit, -limit] if np.isfinite(limit) else far[0] > 1e5
    assert abs(preprocessing.transform(pd.DataFrame({"x": np.sin(range(99))}))).max() < limit


def test_infinite_numbers_are_missing():
    table = pd.DataFrame({"x": [1.0, np.inf, 3.0, -np.inf]})
    assert np.isfinite(Preprocessing.fit(table).transform(table)).all()


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "str", "object"])
def test_a_whole_number_as_text_is_written_alike_in_every_dtype(dtype):
    assert as_words(pd.Series([1, 20]).astype(dtype)) == ["1", "20"]


@pytest.mark.parametrize("logarithm", [False, True])
def test_values_come_back(logarithm):
    y = pd.Series([1.0, 10.0, 250.0, 9000.0], name="price")
    target = Values.fit(y, logarithm)
    np.testing.assert_allclose(target.decode(target.encode(y)[:, None]), y)
    assert from_config(json.loads(json.dumps(to_config(target)))) == target


def test_logarithms_do_not_blow_up_and_need_positive_values():
    target = Values.fit(pd.Series([1.0, 100.0], name="price"), logarithm=True)
    np.testing.assert_allclose(target.decode(np.array([[-1e9], [1e9]])), [0.5, 200])
    with pytest.raises(ValueError, match="'price' holds 0; only what is positive"):
        Values.fit(pd.Series([0.0, 1.0], name="price"), logarithm=True)


@pytest.mark.parametrize("values", [["b", "a", "b"], [3, 1, 3], [True, False, True], [2.0, 7.0, 2.0]])
def test_classes_come_back(values):
    series = pd.Series(values, name="class")
    target = Classes.fit(series)
    decoded = target.decode(np.eye(target.outputs)[target.encode(series)])
    assert decoded.tolist() == values
    assert from_config(json.loads(json.dumps(to_config(target)))) == target
    with pytest.raises(ValueError, match="which the model does not know"):
        target.encode(pd.Series(["other"], name="class"))


@pytest.mark.parametrize(("values", "task"), [
    (["yes", "no"] * 10, "classification"), ([True, False] * 10, "classification"), ([0, 1] * 10, "classification"),
    ([0.5, 1.0] * 10, "regression"), (range(20), "regression"), ([1, 2, 3], "regression"),
])
def test_the_task_is_judged_by_the_target(values, task):
    assert targets.judge_task(pd.Series(values)) == task


def test_skewness_by_its_textbook_value():
    draws = np.random.default_rng(0).exponential(size=200_000)
    assert abs(targets.skewness(draws) - 2) < 0.1
    assert targets.is_skewed(pd.Series(np.exp(draws)))
    assert not targets.is_skewed(pd.Series(draws - 1))
    assert not targets.is_skewed(pd.Series(np.linspace(1, 2, 50)))


@pytest.mark.parametrize("rows", [10, 11, 57, 1000])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_the_split_deals_every_row_once_and_each_class_by_its_share(rows, classes):
    labels = np.arange(rows) % classes if classes else None
    parts = split(labels, rows, validation=0.1, test=0.2, seed=3)
    assert sorted(np.concatenate(parts)) == list(range(rows))
    assert all(len(part) for part in parts)
    groups = [np.arange(rows)] if labels is None else [np.flatnonzero(labels == k) for k in range(classes)]
    for group in groups:
        assert abs(np.isin(group, parts[2]).sum() - 0.2 * len(group)) <= 1
    again = split(labels, rows, validation=0.1, test=0.2, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="at least 10"):
        split(None, 9, validation=0.1, test=0.2, seed=0)
    with pytest.raises(ValueError, match="add up to less than 1"):
        split(None, 20, validation=0.7, test=0.7, seed=0)


def test_files_come_back(tmp_path):
    table = pd.DataFrame({"code": ["007", "042"], "x": [1.5, 2.5]})
    for name in ("t.csv", "t.csv.gz"):
        write_table(table, tmp_path / name)
        assert read_table(tmp_path / name, text=["code"]).to_dict("list") == table.to_dict("list")
    (tmp_path / "t.tsv").write_text("a\tb\n1\t2\n")
    assert read_table(tmp_path / "t.tsv").to_dict("list") == {"a": [1], "b": [2]}


def test_parquet_comes_back(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    table = pd.DataFrame({"cut": ["Good", None], "x": [1.5, 2.5]})
    write_table(table, tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert found["x"].tolist() == [1.5, 2.5]
    assert found["cut"].isna().tolist() == [False, True]
    (tmp_path / "bad.parquet").write_text("a,b")
    with pytest.raises(ValueError, match=r"cannot read .* as Parquet"):
        read_table(tmp_path / "bad.parquet")


@pytest.mark.parametrize("content", ["", 'a,b\n1,2,3\n1,2,3,4,5\n"'])
def test_a_file_that_is_no_table_is_refused(content, tmp_path):
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(ValueError, match=r"cannot read .* as a table"):
        read_table(tmp_path / "bad.csv")


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip"])
def test_a_packed_file_that_is_damaged_is_refused(ending, tmp_path):
    path = tmp_path / f"t.csv.{ending}"
    write_table(pd.DataFrame({"x": range(1000)}), path)
    whole = path.read_bytes()
    for damaged in (b"a,b\n1,2\n", whole[:len(whole) // 2], whole[:60] + bytes([whole[60] ^ 255]) + whole[61:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"cannot read .* as a table"):
            read_table(path)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_a_file_that_is_not_there_is_what_the_system_says(name, tmp_path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / name)


def test_text_in_parquet_that_is_not_utf_8_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")
    text = pyarrow.array([b"G\xc3\xb6od", b"\xffood"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"x": [1.0, 2.0], "cut": text}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"cannot read .* as Parquet"):
        read_table(tmp_path / "t.parquet")
