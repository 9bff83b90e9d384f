"""The number format is determined for each column from all its rows, or refused: never a silent wrong number."""

import itertools
import random

import numpy as np
import pytest

from fastnn.tables import Recipe, TableModel, read_table, train
from fastnn.tables.reading.known_formats import reading_of
from fastnn.tables.reading.numerals import FORMATS, NumberFormat, formats_of, is_number, plain
from fastnn.tables.training.hints import hint

pd = pytest.importorskip("pandas", reason="tables need the extra cli")


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a text as a table."""

    def read(content, name="t.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode())
        return read_table(path, **options)

    return read


def notes(table):
    return reading_of(table)["notes"]


POINT, COMMA, US, EUROPE = NumberFormat(), NumberFormat(",", ""), NumberFormat(".", ","), NumberFormat(",", ".")


@pytest.mark.parametrize(("words", "formats"), [
    (["1,2"], [COMMA]), (["1,23"], [COMMA]), (["0,123"], [COMMA]), (["1,2345"], [COMMA]), (["1234,567"], [COMMA]),
    ([",5"], [COMMA]), (["1,234e3"], [COMMA]), (["1,234", "-0,5"], [COMMA]),
    (["1,234.5"], [US]), (["1,234,567"], [US]), (["1,234", "1.5"], [US]), (["-1,234,567.0"], [US]),
    (["1.234,5"], [EUROPE]), (["1.234.567"], [EUROPE]), (["1.234", "1,5"], [EUROPE]),
    (["1.5"], [POINT]), (["0.123"], [POINT]), (["1234.567"], [POINT]), ([".5", "1.", "1e-3"], [POINT]), (["12"], [POINT]),
    (["1,234"], [US, COMMA]), (["+1,234", "950"], [US, COMMA]), (["1.234"], [POINT, EUROPE]),
    (["1.234", "1,234"], [US, EUROPE]),
    (["1 234,5"], [NumberFormat(",", " ")]), (["1 234.5"], [NumberFormat(".", " ")]), (["1 234"], [NumberFormat(".", " ")]),
    (["1'234.50"], [NumberFormat(".", "'")]), (["1'234'567,5"], [NumberFormat(",", "'")]),
    (["1,5", "1.5"], []), (["1,2,3"], []), (["1.2.3"], []), (["1,23,456"], []), (["12.05.2024"], []), (["1,"], []),
    (["012,345", "1,2345.6"], []), (["1 23"], []), (["1,234 567"], []), (["2024-01-05"], []), (["1\n2"], []), (["one"], []),
])
def test_what_can_be_read_and_how(words, formats):
    assert list(formats_of(words)) == formats


@pytest.mark.parametrize(("word", "number_format", "written"), [
    ("1.234,50", EUROPE, "1234.50"), ("987,50", COMMA, "987.50"), ("1,234,567", US, "1234567"),
    ("−1 234,5", NumberFormat(",", " "), "-1234.5"), ("1’234.5", NumberFormat(".", "'"), "1234.5"),
])
def test_a_number_in_plain_is_the_same_to_the_digit(word, number_format, written):
    assert is_number(word, number_format)
    assert plain(word, number_format) == written


@pytest.mark.parametrize(("text", "columns"), [
    ('price\tw\n"1,200"\t3.75\n950\t4.10\n"2,350"\t4.10\n', {"price": [1200, 950, 2350], "w": [3.75, 4.1, 4.1]}),
    ("code;w\n1,2;3.75\n2,5;4.10\n3,1;0.5\n", {"code": [1.2, 2.5, 3.1], "w": [3.75, 4.1, 0.5]}),
    ("price;qty\n1.234,56;1.199\n987,50;350\n2.100,00;2\n", {"price": [1234.56, 987.5, 2100], "qty": [1199, 350, 2]}),
    ("price;qty\n987,50;1\n12,30;2\n1.234,56;3\n", {"price": [987.5, 12.3, 1234.56], "qty": [1, 2, 3]}),
    ('a,b\n"1,234,567",1\n12,2\n', {"a": [1234567, 12], "b": [1, 2]}),
    ('a,b\n"1,5",x\n,y\n"2,5",z\n', {"a": [1.5, np.nan, 2.5], "b": list("xyz")}),
    ('a,b\n"1,234",2.5\n,3\n', {"a": [1234, np.nan], "b": [2.5, 3]}),
    ("a;b\n1.000;0,5\n2.000;1,5\n", {"a": [1000, 2000], "b": [0.5, 1.5]}),
    ("a\tb\n1\u202f234,5\t1\n−987,5\t2\n", {"a": [1234.5, -987.5], "b": [1, 2]}),
    ("a\tb\n1'234.50\t1\n12\t2\n", {"a": [1234.5, 12], "b": [1, 2]}),
    ("a,b\n−5,1\n3,2\n", {"a": [-5, 3], "b": [1, 2]}),
    ("a;b\n1,5e3;1\n2;2\n", {"a": [1500, 2], "b": [1, 2]}),
    ("a,b\n12.500,0.5\n350,1\n", {"a": [12.5, 350], "b": [0.5, 1]}),
    ("a;b\n1.234;0.5\n5.678;1\n", {"a": [1.234, 5.678], "b": [0.5, 1]}),
    ('a,b\n"0,123",1\n"1,234",2\n', {"a": [0.123, 1.234], "b": [1, 2]}),
])
def test_numbers_are_read_by_column(read, text, columns):
    table = read(text)
    assert [name for name in columns if not pd.api.types.is_numeric_dtype(table[name])] == ["b"] * ("x" in text)
    pd.testing.assert_frame_equal(table, pd.DataFrame(columns), check_dtype=False, check_exact=True)


@pytest.mark.parametrize(("text", "first", "second"), [
    ('price,w\n"1,234",5\n"2,500",6\n', "1234 with commas between thousands", "1.234 with a decimal comma"),
    ("price;w\n1,234;5\n2,500;6\n", "1234 with commas between thousands", "1.234 with a decimal comma"),
    ("price;w\n1.234;5\n2.500;6\n", "1.234 with a decimal point", "1234 with points between thousands"),
    ("price\tw\n1.234\t5\n350\t6\n12.500\t7\n", "1.234 with a decimal point", "1234 with points between thousands"),
    ('price,a,b\n"1,234",1.5,"1,5"\n', "1234 with commas between thousands", "1.234 with a decimal comma"),
    ('price,w\n"1,234",5\n"1.234",6\n', "1234 with commas between thousands", "1.234 with a decimal comma"),
])
def test_what_stays_ambiguous_is_refused_with_both_readings_and_the_options(read, text, first, second):
    with pytest.raises(ValueError, match=f"column 'price' holds '1.234', which is {first} or {second}") as refused:
        read(text)
    for mark in ",.":
        if f"--decimal price={mark}" in str(refused.value):
            assert f"--thousands price={mark}" in str(refused.value)
            sure = [read(text, **{option: value})["price"].iloc[0]
                    for option, value in itertools.product(["decimal", "thousands"], [mark, {"price": mark}])]
            assert sure == [1.234, 1.234, 1234, 1234]
    assert read(text, text=["price"])["price"].iloc[0] in ("1,234", "1.234")


def test_the_custom_of_files_is_followed_with_a_note_where_nothing_else_speaks(read):
    table = read("x,y\n1.234,1\n5.678,2\n")
    assert table["x"].tolist() == [1.234, 5.678]
    (note,) = notes(table)
    assert note == "column 'x' holds '1.234', which is read as 1.234, as is usual; if it is 1234, say --decimal x=,"
    (note,) = notes(read("x,y,z,n\n1.234,2.345,3.456,2\n5.678,6.789,7.890,1\n"))
    assert note.startswith("column 'x' holds '1.234', which is read as 1.234, as is usual (likewise 'y', 'z'); if it is")
    assert read("x,y\n1.234,1\n5.678,2\n", thousands={"x": "."})["x"].tolist() == [1234, 5678]


def test_a_column_that_others_decide_is_noted(read):
    (note,) = notes(read("price;qty\n987,50;1.199\n12,30;350\n"))
    assert note == ("column 'qty' holds '1.199', which is read as 1199, since column 'price' has a decimal comma; if it is "
                    "1.199, say --decimal qty=.")
    assert read("price;qty\n987,50;1.199\n12,30;350\n", decimal={"qty": "."})["qty"].tolist() == [1.199, 350]


@pytest.mark.parametrize("later", [["839.328", "127.004"], ["350", "12"], ["12"] * 1500], ids=["all", "some", "one"])
@pytest.mark.parametrize("where", [0, -1])
def test_points_that_may_be_between_thousands_are_noted_beside_decimal_points(read, later, where):
    cells = [*later, "991.588"] if where else ["991.588", *later]
    table = read("rate,people\n" + "".join(f"{1.25 + k},{cell}\n" for k, cell in enumerate(cells)))
    assert table["people"].iloc[where] == 991.588
    (note,) = notes(table)
    assert "which is read as" in note
    assert "since column 'rate' has a decimal point; if it is" in note
    assert note.endswith("say --decimal people=,")


@pytest.mark.parametrize("cell", ["12.5", "0.123", "12.50", "1234.567", "1.2e3", "nan", ""])
def test_points_that_cannot_be_between_thousands_cause_no_note(read, cell):
    people = [cell, "839.328", "127.004"] if cell not in ("nan", "") else [cell, "839", "127"]
    assert not notes(read("rate,people\n" + "".join(f"{1.25 + k},{each}\n" for k, each in enumerate(people))))


def test_two_ways_in_one_file_are_noted(read):
    (note,) = notes(read("code;w;v\n1,2;3.75;0.5\n2,5;4.10;1\n"))
    assert note.startswith("columns are written in two ways: a decimal comma in 'code', a decimal point in 'w', 'v'")
    assert not notes(read("code;w;v\n1,2;3.75;0.5\n2,5;4.10;1\n", text=["code"]))


def test_a_number_that_contradicts_what_is_told_is_an_error(read):
    with pytest.raises(ValueError, match=r"column 'x' holds '1\.5' in row 2, which is no number with a decimal comma"):
        read("x,y\n1,1\n1.5,2\n", decimal={"x": ","})
    with pytest.raises(ValueError, match="decimal and thousands are both ','"):
        read("x,y\n1,1\n1.5,2\n", decimal=",", thousands=",")
    assert read("x,y\n,1\n,2\n", decimal={"x": ","})["x"].isna().all()
    with pytest.raises(ValueError, match=r"no column 'z'.*'x', 'y'"):
        read("x,y\n1,1\n1.5,2\n", decimal={"z": ","})
    table = read("x;y\n1.234;1.5\n2.345;2.5\n", decimal=",")
    assert table.to_dict("list") == {"x": [1234, 2345], "y": [1.5, 2.5]}
    assert notes(table) == ["'y' can be read with a decimal point alone, and so differs from what was said of all columns"]



@pytest.mark.parametrize("options", [{"decimal": ";"}, {"decimal": " "}, {"thousands": ""}, {"thousands": 3}, {"decimal": 3},
                                     {"decimal": {"x": None}}])
def test_what_is_no_separator(read, options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*it must be"):
        read("x,y\n1,2\n", **options)


def test_words_for_missing_numbers_are_no_strangers(read):
    text = "x;y\n" + "1,5;1\n2,5;2\n-;3\n" * 5
    assert read(text)["x"].tolist()[:3] == ["1,5", "2,5", "-"]
    table = read(text, missing_values=["-"])
    np.testing.assert_array_equal(table["x"][:3], [1.5, 2.5, np.nan])


def written(value, number_format, decimals, drop_zeros):
    """Return a number as written in a format."""
    text = f"{value:,.{decimals}f}"
    if drop_zeros and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", "\0").replace(".", number_format.decimal).replace("\0", number_format.thousands)


@pytest.mark.parametrize("seed", [*range(60), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(60, 300))])
def test_no_number_becomes_another_one_in_silence(seed, read):
    """Random numbers in four formats, with four separators: read correctly, or refused, or noted."""
    draw = random.Random(seed)
    number_format = draw.choice([each for each in FORMATS if each.thousands != "'"])
    separator = draw.choice([";", "\t", "|", *[","] * (number_format == POINT)])
    rows, columns = draw.choice([1, 2, 5, 40]), {}
    for name in "abcd"[:draw.randint(2, 4)]:
        decimals, size = draw.choice([0, 0, 1, 2, 3, 3]), draw.choice([1, 10, 1000, 1e6])
        drop_zeros, missing = draw.random() < 0.5, draw.random() < 0.3
        values = [draw.uniform(0.0, 1.0) * size * draw.choice([1, 1, 1, -1]) for _ in range(rows)]
        columns[name] = ["" if missing and draw.random() < 0.3 else written(value, number_format, decimals, drop_zeros)
                         for value in values]
    truth = {name: [float(plain(word, number_format)) if word else np.nan for word in words]
             for name, words in columns.items()}
    lines = [separator.join(row) for row in zip(*columns.values(), strict=True)]
    try:
        table = read("\n".join([separator.join(columns), *lines, ""]))
    except ValueError as error:
        if "nothing in the file tells which" in str(error):
            return
        raise
    for name, values in truth.items():
        if not any(repr(name) in note for note in notes(table)):
            np.testing.assert_array_equal(table[name].to_numpy(np.float64), values, err_msg=f"{name}: {columns[name]}")


# Models store formats

EUROPEAN = "price;qty;y\n" + "1.234,56;1.199;1\n987,50;350;2\n12,00;2;3\n3.000,25;12.500;4\n" * 20
AMERICAN = "price;qty;y\n" + "1234.56;1199;1\n987.50;350;2\n12.00;2;3\n3000.25;12500;4\n" * 20


@pytest.fixture(scope="module")
def european(tmp_path_factory):
    """Return a model trained on European numbers, loaded from its file."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "e.csv").write_text(EUROPEAN)
    train(read_table(folder / "e.csv"), "y", Recipe(epochs=2, task="regression")).model.save(folder / "m.safetensors")
    return TableModel.load(folder / "m.safetensors")


def test_a_model_keeps_how_its_columns_were_written(european):
    assert european.number_formats == {"price": EUROPE, "qty": EUROPE}


def test_a_later_file_is_read_as_the_training_was(european, read):
    later = read("price;qty\n1.234;1.199\n3.000;12\n", like=european)
    assert later.to_dict("list") == {"price": [1234, 3000], "qty": [1199, 12]}


def test_a_file_of_another_country_gives_the_same_predictions(european, read):
    there, here = read(AMERICAN, like=european), read(EUROPEAN, like=european)
    np.testing.assert_array_equal(european.predict(there), european.predict(here))


@pytest.mark.parametrize("cells", ["12.5\n1.234", "1.234,5\n12.5", "1,234.5\n1.234"])
def test_a_later_cell_that_contradicts_the_training_is_never_another_number(european, read, cells):
    text = "price;qty\n" + "".join(f"{cell};2\n" for cell in cells.split("\n"))
    with pytest.raises(ValueError, match=r"column 'price' holds '\S+' in row \d; the model was trained on one with a "
                                         "decimal comma and points between thousands"):
        read(text, like=european)


def test_columns_that_the_model_does_not_take_cause_no_doubt(european, read):
    table = read('price,qty,other\n"1.234,5",2,"1,234"\n', like=european)
    assert table["other"].tolist() == ["1,234"]


def test_a_stranger_among_later_numbers_is_the_one_that_is_named(european, read):
    table = read("price;qty\n1.234,5;1\nmuch;2\n", like=european)
    with pytest.raises(ValueError, match=r"column 'price' .* row 2 holds 'much'"):
        european.predict(table)


def test_a_table_that_was_read_without_its_model_is_held_against_it(european, read):
    apart = read("price,qty\n1.234,1.199\n3.500,12.250\n")
    with pytest.raises(ValueError, match=r"column 'price' were read with a decimal point; .*read_table\(path, like=model\)"):
        european.predict(apart)
    assert len(european.predict(read(AMERICAN))) == 80


@pytest.mark.parametrize(("other", "found"), [("1,5", {"x": [",", "'"], "z": [",", ""]}), ("1", {})])
def test_a_decimal_separator_that_was_not_seen_is_not_learned(read, other, found):
    assert reading_of(read(f"x;z\n1'234;{other}\n2'345;{other}\n"))["formats"] == found


@pytest.fixture(scope="module")
def american(tmp_path_factory):
    """A model of two columns with decimal points."""
    path = tmp_path_factory.mktemp("models") / "a.csv"
    path.write_text("a,b,y\n" + "1.5,2.5,1\n2.25,7,2\n0.125,12.75,3\n" * 20)
    return train(read_table(path), "y", Recipe(epochs=1, task="regression")).model


@pytest.mark.parametrize("text", ["a;b\n1.234;2,5\n2.345;7\n", "a;b\n1.234;7\n2.345;2,5\n",
                                  "a;b\n1.234;1.234,5\n350;2\n"])
def test_numbers_that_fit_the_model_beside_others_that_do_not_are_refused(american, read, text):
    with pytest.raises(ValueError, match=r"column 'a' holds '1.234', which is 1.234 with a decimal point, as in training, "
                                         r"or 1234 with points between thousands, since column 'b' has a decimal comma "
                                         r"here; say --thousands a=\. or --decimal a=\."):
        read(text, like=american)
    assert read(text, like=american, thousands={"a": "."})["a"].iloc[0] == 1234
    assert read(text, like=american, decimal={"a": "."})["a"].iloc[0] == 1.234


def test_american_thousands_beside_decimal_points_are_refused_by_a_model_of_commas(european, read):
    with pytest.raises(ValueError, match=r"column 'qty' holds '1,199', which is 1.199 with a decimal comma, as in training, "
                                         "or 1199 with commas between thousands, since column 'price' has a decimal point"):
        read('price,qty\n"1,234.5","1,199"\n12.5,"2,350"\n', like=european)


def test_columns_that_are_written_as_in_training_are_no_doubt_of_others(read):
    text = "a;b;y\n" + "1.234;1,5;1\n2.500;2,5;2\n" * 20  # in two ways from the start
    model = train(read(text, decimal={"a": "."}), "y", Recipe(epochs=1, task="regression")).model
    assert read(text, like=model)["a"].iloc[0] == 1.234
    assert not [note for note in notes(read(text, like=model)) if "'1.234'" in note]


def test_a_file_in_two_ways_is_noted(read):
    columns = "a,b,c,y\n" + "1.5,2.5,3.5,1\n2.25,7,3.25,2\n0.125,12.75,1.5,3\n" * 20
    model = train(read(columns), "y", Recipe(epochs=1, task="regression")).model
    table = read("a;b;c\n1.234;2,5;1.5\n2.345;7;2.5\n", like=model)
    assert table["a"].tolist() == [1.234, 2.345]
    assert any("'1.234', which is read as 1.234, as in training, although column 'b' has" in note for note in notes(table))


def test_grouped_thousands_that_fit_the_model_are_noted(american, read):
    (note,) = notes(read("a,b\n12.500,1.5\n350,2.5\n", like=american))
    assert note == "column 'a' holds '12.500', which is read as 12.500, as in training; if it is 12500, say --decimal a=,"
    assert not notes(read("a,b\n12.501,1.5\n35.25,2.5\n", like=american))
    (note,) = notes(read("a;b;c\n1.234;1;0,5\n2.345;2;1,5\n", like=american))
    assert note.startswith("column 'a' holds '1.234', which is read as 1.234, as in training, although column 'c' has a ")


def test_a_model_of_points_reads_points(read):
    model = train(read("x,y\n" + "1.5,1\n2.25,2\n0.125,3\n" * 20), "y", Recipe(epochs=1, task="regression")).model
    assert model.number_formats == {"x": POINT}
    assert read("x;y;z\n1.234;1;0,5\n2.345;2;1,5\n", like=model)["x"].tolist() == [1.234, 2.345]
    with pytest.raises(ValueError, match="column 'x' holds '1,234' in row 1; the model was trained on one with a decimal p"):
        read('x,y\n"1,234",1\n', like=model)


# Hints

@pytest.mark.parametrize(("words", "found"), [
    (["1.234,56 €", "987,50 €"], "'1234.56'"), (["987,50 €", "12,30 €"], "'987.50'"), (["$1,200.50", "$3"], "'1200.50'"),
    (["12 %", "13 %"], "'12'"), (["(1,234.5)", "3"], "'-1234.5'"), (["1,200", "950"], "'1200' or '1.200'"),
    (["€ 1.000", "€ 2.000"], "'1.000' or '1000'"), (["1,23,456.5", "950"], "'123456.5'"),
    (["1,5", "1.5"], "several ways, such as '1,5' and '1.5'"),
])
def test_advice_is_right_to_the_digit(words, found):
    assert found in hint("x", pd.Series(words))


@pytest.mark.parametrize("word", [lambda v: f"{1000 + 37 * v:,}", lambda v: f"{1000 + 37 * v} €",
                                  lambda v: f"2024-01-{v + 1:02d}"])
def test_a_target_that_looks_like_numbers_gets_the_hint_of_a_feature(word):
    k = np.random.default_rng(0).integers(0, 30, 500)
    table = pd.DataFrame({"x": k, "y": [word(v) for v in k]})
    said = "column 'y' (?:looks like numbers|holds dates).* taken for classes"
    assert pd.Series(train(table, "y", Recipe(epochs=1)).notes).str.contains(said).any()
    assert not pd.Series(["", *train(table, "y", Recipe(epochs=1, task="classification")).notes]).str.contains("'y'").any()
