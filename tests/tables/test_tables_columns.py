"""Columns of real tables: constant columns, row numbers, spellings of categories, words for missing values."""

import warnings

import numpy as np
import pytest

from fastnn.tables import MissingNumber, Preprocessing, Recipe, UnknownCategory, read_table, train
from fastnn.tables.training.split import split

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

ROWS = 400
generator = np.random.default_rng(0)
X = generator.normal(size=ROWS)
BASE = pd.DataFrame({"x": X, "y": 3 * X + 0.1 * generator.normal(size=ROWS)})
TRAINING = np.isin(range(ROWS), split(None, ROWS, validation=0.1, test=0.2, seed=0)[0])
QUICK = Recipe(epochs=2, members=1, bins=0)


def kinds(result):
    return {column.name: column.kind for column in result.model.preprocessing.columns}


def quiet(predict, table):
    """Return a prediction without the warnings for some of these tables."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return predict(table)


# columns that are constant in all training rows
CONSTANT = {
    "a number": np.full(ROWS, 14.62), "zero": np.zeros(ROWS), "whole": np.full(ROWS, 7), "true": np.full(ROWS, True),
    "text": np.full(ROWS, "a", object), "large": np.full(ROWS, 1e300), "tiny": np.full(ROWS, 1e-310),
    "differs by rounding": np.where(np.arange(ROWS) % 2, 0.1 + 0.2, 0.3),
    "sums in another order": np.where(np.arange(ROWS) % 2, sum([0.1] * 10), 1.0),
    "another number outside": np.where(TRAINING, 2020.0, 2021.0), "other numbers outside": np.where(TRAINING, 0, X),
    "a number outside alone": np.where(TRAINING, np.nan, 50.0), "missing outside": np.where(TRAINING, 5.0, np.nan),
    "another word outside": np.where(TRAINING, "a", "b").astype(object),
    "a word outside alone": np.where(TRAINING, None, "b"),
    "nothing": np.full(ROWS, np.nan), "text missing outside": np.where(TRAINING, "a", None),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_what_is_alike_in_training_changes_no_prediction(name):
    table = BASE.assign(k=CONSTANT[name])
    result = train(table, "y", QUICK)
    assert kinds(result)["k"] == "ignored"
    assert result.metrics == train(BASE, "y", QUICK).metrics
    assert any("column 'k' is ignored: " in note for note in result.notes)
    expected = result.model.predict(table)
    for other in (0, 1e6, np.nan, "b", None, True):
        np.testing.assert_array_equal(result.model.predict(table.assign(k=other)), expected)


@pytest.mark.parametrize("value", [14.62, 0.0, 1e300, -7])
def test_of_what_is_alike_but_for_holes_only_the_holes_count(value):
    holes = np.arange(ROWS) % 10 == 0
    table = BASE.assign(k=np.where(holes, np.nan, value), y=BASE["y"] + 10 * holes)
    result = train(table, "y", Recipe(epochs=20))
    assert kinds(result)["k"] == "missing"
    assert result.metrics["r2"] > 0.95
    assert any("only what is missing is learned from" in note for note in result.notes)
    whole = result.model.predict(table.assign(k=value))
    for other in (value + 0.01, value + 1, 1e6, -1e300):
        np.testing.assert_array_equal(result.model.predict(table.assign(k=other)), whole)
    assert (result.model.predict(table.assign(k=np.nan)) - whole).mean() > 5
    with pytest.raises(ValueError, match="'k' is one of numbers, but row 1 holds 'b'"):
        result.model.predict(table.assign(k="b"))


def test_what_varies_by_little_is_learned_from():
    for k in (1e9 + np.arange(ROWS) % 7, 1 + (np.arange(ROWS) % 7) * 1e-13, (np.arange(ROWS) % 7) * 1e-300):
        assert kinds(train(BASE.assign(k=k), "y", QUICK))["k"] == "number"


SORTED = BASE.sort_values("y", ignore_index=True)
COUNT = np.arange(1, ROWS + 1)
COUNTERS = {
    "complete": lambda t: t,
    "from 0": lambda t: t.assign(id=t["id"] - 1),
    "from afar": lambda t: t.assign(id=t["id"] + 10**6),
    "down": lambda t: t.assign(id=-t["id"]),
    "shuffled": lambda t: t.sample(frac=1, random_state=0),
    "backwards": lambda t: t[::-1],
    "every 11th row gone": lambda t: t[np.arange(ROWS) % 11 != 0],
    "a third gone": lambda t: t.sample(frac=2 / 3, random_state=0),
    "some targets missing": lambda t: t.assign(y=t["y"].mask(t.index % 17 == 0)),
    "most targets missing": lambda t: t.assign(y=t["y"].mask(t.index % 7 != 0)),
    "some of it missing": lambda t: t.assign(id=t["id"].mask(t.index % 9 == 0)),
    "float": lambda t: t.astype({"id": float}),
    "Int64": lambda t: t.astype({"id": "Int64"}),
    "marked": lambda t: t.assign(id=t["id"].mask(t.index % 9 == 0, -999)),
}


@pytest.mark.parametrize("name", COUNTERS)
def test_a_row_number_is_no_feature(name):
    table = COUNTERS[name](SORTED.assign(id=COUNT, x=generator.normal(size=ROWS))).reset_index(drop=True)
    recipe = Recipe(epochs=2, missing_values=(-999,))
    result = train(table, "y", recipe)
    assert kinds(result) == {"x": "number", "id": "ignored"}
    note, = (note for note in result.notes if "'id'" in note)
    assert "has a different whole number in each row" in note
    assert "--keep-columns id" in note
    kept = train(table, "y", Recipe(epochs=2, missing_values=(-999,), keep_columns=["id"]))
    assert kinds(kept)["id"] == "number"
    assert not any("counts the rows" in note for note in kept.notes)


@pytest.mark.parametrize(("values", "say"), [
    (COUNT[:120] + 1899, "is taken for a time"),
    (pd.date_range("2024-01-01", periods=31).strftime("%Y%m%d").astype(int), "is taken for a time"),
    (generator.permutation(10 * ROWS)[:ROWS], "if it tells rows apart"),
    (generator.permutation(10**6)[:ROWS], None), (generator.permutation(60)[:12], None), (10.0 ** (COUNT[:20]), None),
    (COUNT * 10, None), (COUNT / 2, None), (COUNT // 2, None), (COUNT % 50, None),
])
def test_other_whole_numbers_are_features(values, say):
    table = pd.DataFrame({"k": values, "z": X[:len(values)], "y": X[:len(values)]})
    result = train(table, "y", QUICK)
    assert kinds(result)["k"] == "number"
    notes = [note for note in result.notes if "'k'" in note]
    assert [say in note and "--drop k" in note for note in notes] == [True] * (say is not None)


def test_a_counter_alone_is_learned_from_with_a_note():
    table = pd.DataFrame({"x": COUNT, "y": np.sin(COUNT / 20), "z": X})
    for given, recipe in ((table.drop(columns="z"), QUICK), (table, Recipe(epochs=2, drop=["z"]))):
        result = train(given, "y", recipe)
        assert kinds(result)["x"] == "number"
        assert any("'x'" in note and "there is no other" in note for note in result.notes)
    with pytest.raises(ValueError, match=r"no column is left.*x ignored: counts the rows.*--keep-columns"):
        train(table.assign(z=1), "y", QUICK)


TEXT = pd.DataFrame({"k": generator.choice(["None", "NA", "a", "b"], ROWS), "x": X, "y": BASE["y"]})
FRAMES = {
    "words for missing": TEXT,
    "and empty ones": TEXT.assign(k=TEXT["k"].mask(TEXT.index % 9 == 0)),
    "blank text": TEXT.replace({"k": {"NA": "", "None": " "}}),
    "words among numbers": TEXT.replace({"k": {"a": "1.5", "b": "2"}}),
    "truth values": TEXT.assign(k=TEXT["k"] == "a"),
    "truth values, some missing": TEXT.assign(k=(TEXT["k"] == "a").mask(TEXT["k"] == "b")),
    "whole numbers": TEXT.assign(k=COUNT % 5),
    "whole numbers, some missing": TEXT.assign(k=pd.Series(COUNT % 5).mask(COUNT % 7 == 0)),
    "a counter": TEXT.assign(k=COUNT),
    "a counter of floats": TEXT.assign(k=COUNT / 1.0),
    "dates": TEXT.assign(k="2024-01-31"),
    "every type": pd.DataFrame({
        "k": pd.Series(COUNT % 5, dtype="Int64").mask(COUNT % 7 == 0), "f": X.astype("float32") * 0 + 2,
        "c": pd.Categorical(TEXT["k"]), "i": pd.cut(X, 4), "t": TEXT["k"].astype("string"), "y": BASE["y"]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_and_its_csv_are_one(name, tmp_path):
    frame = FRAMES[name]
    frame.to_csv(tmp_path / "t.csv", index=False)
    file = read_table(tmp_path / "t.csv")
    results = [train(table, "y", QUICK) for table in (frame, file)]
    assert results[0].model.preprocessing.config() == results[1].model.preprocessing.config()
    assert results[0].notes == results[1].notes
    for result in results:
        np.testing.assert_array_equal(result.model.predict(frame), results[0].model.predict(file))
        assert result.model.evaluate(frame) == results[0].model.evaluate(file)


def test_words_for_missing_are_said_and_can_be_kept(tmp_path):
    table = pd.DataFrame({"x": X, "country": generator.choice(["NA", "ZA", "BW"], ROWS),
                          "y": generator.choice(["None", "Mild", "Severe"], ROWS)})
    table.to_csv(tmp_path / "t.csv", index=False)
    for given in (table, read_table(tmp_path / "t.csv"), read_table(tmp_path / "t.csv", text=["country"])):
        result = train(given, "y", QUICK)
        assert result.model.target.labels == ("Mild", "Severe")
        assert result.model.preprocessing.features == ["x", "country = BW", "country = ZA", "country missing"]
        said = " / ".join(result.notes)
        assert f"'None' ({(table['y'] == 'None').sum()} rows)" in said
        assert all(words in said for words in ("--keep-words y", "'NA' in 'country'", "--keep-words country"))
        kept = train(given, "y", Recipe(epochs=2, members=1, bins=0, keep_words=["y", "country"]))
        assert kept.model.target.labels == ("Mild", "None", "Severe")
        assert kept.model.preprocessing.features == ["x", "country = BW", "country = NA", "country = ZA"]
        assert not kept.notes
        assert len(kept.table) == ROWS
        assert kept.model.evaluate(table) == kept.model.evaluate(read_table(tmp_path / "t.csv"))
        np.testing.assert_array_equal(kept.model.predict(given), kept.model.predict(table))


def test_words_among_numbers_are_missing_without_a_note(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{'NA' if k % 9 == 0 else k % 7},{k % 5 / 2}\n" for k in range(50)))
    result = train(read_table(tmp_path / "t.csv"), "y", QUICK)
    assert result.model.preprocessing.features == ["x", "x missing"]
    assert result.notes == []


# (categories of training, cells of another table, the categories that they mean; None for none)
SPELLINGS = [
    (["true", "false", "unknown"], [True, False], ["true", "false"]),
    (["TRUE", "FALSE", "unknown"], ["true", "False"], ["TRUE", "FALSE"]),
    (["True", "False", "x"], ["TRUE", "false"], ["True", "False"]),
    (["1", "2", "x"], [1, 2], ["1", "2"]), (["1", "2", "x"], [1.0, 2.0], ["1", "2"]),
    (["1", "2", "x"], ["1.0", "2."], ["1", "2"]),
    (["1.0", "2.0", "x"], [1, 2], ["1.0", "2.0"]), (["1.0", "2.0", "x"], ["1", "2"], ["1.0", "2.0"]),
    (["007", "042", "x"], [7, 42.0], ["007", "042"]), (["7", "42", "x"], ["007", "042"], ["7", "42"]),
    (["007", "7", "x"], ["007", "7"], ["007", "7"]), (["007", "0007", "x"], [7], [None]),
    (["1.5", "2.25", "x"], [1.5, 2.25], ["1.5", "2.25"]), (["1.50", "x", "y"], [1.5], ["1.50"]),
    (["1.1", "1.2", "x"], ["1.10", "1.2"], [None, "1.2"]), (["true", "1", "x"], [True, 1], ["true", "1"]),
    (["0", "1", "x"], [True, False], [None, None]), (["True", "true", "x"], ["TRUE"], [None]),
    ([" a", "b ", "x"], ["a", "b"], [" a", "b "]), (["caf\u00e9", "x"], ["cafe\u0301"], ["caf\u00e9"]),
    (["a", "b"], ["A", "c"], [None, None]), (["None", "x"], ["None"], ["None"]),
    (["2**70", str(2**70)], [2**70], [str(2**70)]),
    (["9007199254740993", "9007199254740992"], [2**53 + 1], ["9007199254740993"]),
    (["2024-01-31", "x"], [pd.Timestamp("2024-01-31")], ["2024-01-31"]),
    (["2024-01-31 00:00:00", "x"], [pd.Timestamp("2024-01-31")], ["2024-01-31 00:00:00"]),
]


@pytest.mark.parametrize(("categories", "cells", "meant"), SPELLINGS)
@pytest.mark.parametrize("as_objects", [True, False], ids=["objects", "typed"])
def test_a_category_is_found_however_it_is_written(categories, cells, meant, as_objects):
    training = pd.DataFrame({"k": pd.Series(categories * 30, dtype=object)})
    preprocessing = Preprocessing.fit(training, keep_words=["k"])
    table = pd.DataFrame({"k": pd.Series(cells, dtype=object if as_objects else None)})
    matrix = quiet(preprocessing.transform, table)
    found = [preprocessing.features[row.argmax()].removeprefix("k = ") if row.any() else None for row in matrix]
    assert found == meant
    if None in meant:
        with pytest.warns(UnknownCategory, match=f"in {meant.count(None)} of {len(cells)} rows"):
            preprocessing.transform(table)


@pytest.mark.parametrize(("marks", "cells"), [
    ((-999,), [-999, 1, 2]), ((-999,), [-999.0, 1, 2]), (("-999",), [-999, 1, 2]), (("-999",), [-999.0, 1.5, 2]),
    (("-999.0",), [-999, 1, 2]), ((-999,), ["-999", "1", "2"]), (("0.10",), [0.1, 1, 2]), (("?",), ["?", "1", "2"]),
    (("?",), [" ?", "1", "2"]), ((np.float64(-1),), [-1, 1, 2]),
])
def test_a_mark_is_found_however_it_is_written(marks, cells):
    table = pd.DataFrame({"k": pd.Series(cells * 10), "x": X[:30]})
    assert Preprocessing.fit(table, missing_values=marks).features == ["k", "k missing", "x"]


def test_marks_leave_codes_what_they_are():
    codes = pd.DataFrame({"k": ["007", "042", "?"] * 10, "x": X[:30]})
    fitted = Preprocessing.fit(codes, text=["k"], missing_values=["?"])
    assert fitted.features[:3] == ["k = 007", "k = 042", "k missing"]
    whole = codes.replace({"k": {"?": "007"}})
    assert fitted.transform(whole)[:, :3].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]] * 10


NO_NUMBERS = {
    "dates": pd.to_datetime(["2021-10-01", None]),
    "dates with a zone": pd.to_datetime(["2021-10-01", None]).tz_localize("UTC"),
    "durations": pd.to_timedelta([1, 2], "s"),
    "periods": pd.PeriodIndex(["2021", "2022"], freq="Y"),
    "intervals": pd.cut(pd.Series([1, 2]), 2),
    "complex": np.array([1 + 5j, 2]),
    "a complex among numbers": pd.Series([1j, 1.0], dtype=object),
    "a date among numbers": pd.Series([1, pd.Timestamp("2021")], dtype=object),
    "lists": pd.Series([[1], [2]]),
    "bytes": pd.Series([b"1", b"2"]),
    "objects": pd.Series([object(), 1]),
    "words": pd.Series(["1", "much"]),
    "underscores": pd.Series(["1_000", "1"]),
    "true in text": pd.Series(["true", "1"]),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_what_is_no_number_is_refused_where_there_were_numbers(name):
    result = train(BASE, "y", QUICK)
    wrong = pd.DataFrame({"x": NO_NUMBERS[name]})
    with pytest.raises(ValueError, match=r"column 'x' is one of numbers, but row \d holds .*; mend it, or leave it empty"):
        result.model.predict(wrong)
    with pytest.raises(ValueError, match=r"column 'y' is one of numbers|column 'y' holds"):
        result.model.evaluate(wrong.rename(columns={"x": "y"}).assign(x=[0.0, 1.0]))


@pytest.mark.parametrize("cells", [["1.5", "NA"], [1.5, ""], [True, None], ["1e3", None], [1.5, np.inf], [" 2 ", "nan"]])
def test_what_can_be_read_as_a_number_is_one(cells):
    result = train(BASE.assign(x=BASE["x"].mask(BASE.index % 9 == 0)), "y", QUICK)
    expected = [float(cells[0]), np.nan]
    np.testing.assert_array_equal(result.model.predict(pd.DataFrame({"x": pd.Series(cells, dtype=object)})),
                                  result.model.predict(pd.DataFrame({"x": expected})))


@pytest.mark.parametrize("holes", [False, True])
def test_true_and_false_are_found_however_they_are_written(holes):
    truth = pd.Series(X > 0).astype(object).mask(holes & (BASE.index % 9 == 0))
    model = train(BASE.assign(x=truth), "y", QUICK).model
    expected = model.predict(pd.DataFrame({"x": [True, False]}))
    for cells in (["True", "False"], ["true", "FALSE"], ["TRUE", " false"], [1, 0], [1.0, 0.0], ["1", "0"], [True, "false"]):
        np.testing.assert_array_equal(model.predict(pd.DataFrame({"x": pd.Series(cells, dtype=object)})), expected)
    with pytest.raises(ValueError, match="row 2 holds 'maybe'"):
        model.predict(pd.DataFrame({"x": ["true", "maybe"]}))


def test_a_missing_number_is_said_where_training_had_none():
    result = train(BASE.assign(k=X[::-1]), "y", QUICK)
    new = pd.DataFrame({"x": [np.nan, 1.0, np.nan], "k": 0.5})
    with pytest.warns(MissingNumber, match="column 'x' misses numbers, for which .* stands, in 2 of 3 rows") as warned:
        result.model.predict(new)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    with pytest.warns(MissingNumber, match=r"'x' .* in 2 of 3 rows; column 'k' .* in 1 of 3 rows") as warned:
        result.model.predict(new.assign(k=[1, np.inf, 2]))
    assert len(warned) == 1
    holes = train(BASE.assign(x=BASE["x"].mask(BASE.index % 9 == 0)), "y", QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        holes.model.predict(new)


def test_unknown_words_of_many_columns_are_one_warning():
    table = pd.DataFrame({name: generator.choice(["a", "b"], ROWS) for name in "pqrstu"} | {"y": X})
    model = train(table, "y", QUICK).model
    new = pd.DataFrame({"p": ["c", "d", "a"], "q": ["a", None, "b"], "r": ["a", "e", None], "s": "x", "t": "x", "u": "a"})
    with pytest.warns(UnknownCategory) as warned:
        model.predict(new)
    assert len(warned) == 1
    said = str(warned[0].message)
    for words in ("column 'p' holds 'c' and 1 more word in 2 of 3 rows", "column 'q' misses text in 1 of 3 rows",
                  "column 'r' holds 'e' and misses text in 2 of 3 rows", "likewise 2 more columns"):
        assert words in said
    assert "nothing" not in said


def test_more_categories_than_are_kept_are_said_once_and_not_blamed():
    words = pd.Series([f"c{k:03d}" for k in np.minimum(generator.geometric(0.02, 4000), 200)])
    table = pd.DataFrame({"k": words, "y": generator.normal(size=4000)})
    assert len(train(table, "y", QUICK).model.preprocessing.features) > 150
    result = train(table, "y", Recipe(epochs=1, max_categories=50))
    kept = {name.removeprefix("k = ") for name in result.model.preprocessing.features}
    counts = words.iloc[result.training].value_counts()
    assert len(kept) == 50
    assert min(counts[name] for name in kept) >= max(count for name, count in counts.items() if name not in kept)
    rest = (~words.isin(kept)).sum()
    assert any(f"has {words.nunique()} categories: the 50 most frequent count, and {rest:,} of 4,000" in note
               and f"--max-categories {words.nunique()}" in note for note in result.notes)
    assert not any("none of the categories" in note for note in result.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result.model.predict(table)


def test_the_cap_depends_on_the_rows_and_gives_way():
    words = pd.DataFrame({"k": [f"c{k % 2500}" for k in range(10_000)], "x": generator.normal(size=10_000)})
    assert len(Preprocessing.fit(words, drop=["x"]).features) == 1000
    assert len(Preprocessing.fit(words, drop=["x"], max_categories=3000).features) == 2500
    many = pd.DataFrame({"k": np.tile([f"c{k}" for k in range(500)], 400), "x": np.arange(200_000) % 7})
    assert len(Preprocessing.fit(many, drop=["x"]).features) == 2**26 // 200_000


def test_text_that_tells_rows_apart_can_be_kept():
    table = BASE.assign(k=[f"n{k}" for k in range(ROWS)])
    result = train(table, "y", QUICK)
    assert kinds(result)["k"] == "ignored"
    assert any("column 'k' is ignored: nearly every row has a text of its own" in note and "--keep-columns k" in note
               for note in result.notes)
    assert kinds(train(table, "y", Recipe(epochs=1, keep_columns=["k"])))["k"] == "text"


@pytest.mark.parametrize(("cells", "counts_as"), [
    (pd.date_range("2024-01-01", periods=ROWS).strftime("%d.%m.%Y"), "is ignored"),
    (["31/01/2024", "01/02/2024"] * (ROWS // 2), "counts as text"),
])
def test_dates_are_said_to_count_as_what_they_do(cells, counts_as):
    notes = train(BASE.assign(k=cells), "y", QUICK).notes
    assert [counts_as in note for note in notes if "holds dates" in note] == [True]


def test_numbers_as_text_are_said_to_be_text():
    codes = BASE.assign(k=np.char.mod("%d", np.arange(ROWS) % 7), z=np.char.mod("%03d", np.arange(ROWS) % 7))
    notes = [note for note in train(codes, "y", QUICK).notes if "numbers as text" in note]
    assert [("'k'" in note, "'0'" in note) for note in notes] == [(True, True)]
    assert not train(codes.astype({"k": "category"}), "y", QUICK).notes


OLD = ('{"columns": [{"kind": "number", "name": "x", "mean": 14.62, "scale": 1.8e-15, "median": 14.62, "missing": false, '
       '"limit": 5.0}, {"kind": "text", "name": "k", "categories": ["", "NA", "None", "True", "b"], "missing": true}, '
       '{"kind": "number", "name": 3, "mean": 0.0, "scale": 1.0, "median": 2.0, "missing": true, "limit": 1e30}, '
       '{"kind": "ignored", "name": "id", "reason": "ignored: counts the rows"}], "missing_values": ["?"]}')


def test_what_was_learned_before_still_gives_the_same_matrix():
    table = pd.DataFrame({"x": [14.62, 0.0, 20.0, 14.62, 14.62], "k": ["NA", "None", "", True, "?"],
                          3: [1, 2, None, 4, 1e6]})
    matrix = Preprocessing.from_json(OLD).transform(table)
    assert matrix[:, 0].tolist() == [0, -5, 5, 0, 0]
    assert matrix[:, 1:7].argmax(axis=1).tolist() == [1, 2, 0, 3, 5]
    assert matrix[:, 1:7].sum() == 5
    assert matrix[:, 7:].tolist() == [[1, 0], [2, 0], [2, 1], [4, 0], [1e6, 0]]
