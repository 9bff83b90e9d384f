"""Where a table begins in its file, and the separator of its cells; rows that are short, long or empty."""

import json

import numpy as np
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, read_table, train
from fastnn.tables.reading.known_formats import reading_of

pd = pytest.importorskip("pandas", reason="tables need the extra cli")


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Return a function that reads a text as a table."""
    monkeypatch.chdir(tmp_path)

    def read(content, name="t.csv", **options):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(name, **options)

    return read


def notes(table):
    return reading_of(table)["notes"]


@pytest.mark.parametrize(("content", "names", "first"), [
    ("Length, mm;Width, mm;Class\n5.7;2.4;B\n0.4;0.1;A\n", ["Length, mm", "Width, mm", "Class"], [5.7, 2.4, "B"]),
    ("Length, mm;Width, mm;Class\n5,7;2,4;B\n0,4;0,1;A\n", ["Length, mm", "Width, mm", "Class"], [5.7, 2.4, "B"]),
    ("Length, mm|Width, mm|Class\n5.7|2.4|B\n0.4|0.1|A\n", ["Length, mm", "Width, mm", "Class"], [5.7, 2.4, "B"]),
    ("a\tb, c, d\ty\n1\t2\tB\n3\t4\tA\n", ["a", "b, c, d", "y"], [1, 2, "B"]),
    ('"Length\n(mm)";Width;Class\n5.7;2.4;B\n0.4;0.1;A\n', ["Length\n(mm)", "Width", "Class"], [5.7, 2.4, "B"]),
    ('"Length\r\n(mm)";"Width";"Class"\r\n5.7;2.4;B\r\n', ["Length\r\n(mm)", "Width", "Class"], [5.7, 2.4, "B"]),
    ('"a;b","c;d",y\n1,2,B\n3,4,A\n', ["a;b", "c;d", "y"], [1, 2, "B"]),
    ('a,b,y\n"x;1;z","p;q;r",B\n"x;2;z","p;q;r",A\n', ["a", "b", "y"], ["x;1;z", "p;q;r", "B"]),
    ('note,y\n"one\ntwo; three",1\n"four",2\n', ["note", "y"], ["one\ntwo; three", 1]),
    ("Preis, EUR;Menge\n1,5;2\n2,5;3\n", ["Preis, EUR", "Menge"], [1.5, 2]),
    ("full name;age\nMeier, Karl;3\nMay, Ann;4\n", ["full name", "age"], ["Meier, Karl", 3]),
    ("Length, mm\n5.7\n2.4\n", ["Length, mm"], [5.7]),
    ("a b c\n1 2 3\n4 5 6\n", ["a", "b", "c"], [1, 2, 3]),
    ("  a   b\n 1.5  2\n10.25 33\n", ["a", "b"], [1.5, 2]),
    ("a b\nNA 2\n3 4\n", ["a", "b"], [np.nan, 2]),
    ("full name\nAnn Lee\nBob Ray\n", ["full name"], ["Ann Lee"]),
    ("prix total\n1 234\n5 678\n", ["prix total"], [1234]),
    ("a,b,c\n1,,\n,2,\n,,3\n", ["a", "b", "c"], [1, np.nan, np.nan]),
    ("\u202f;\t;x\n1.5;2;3\n2.5;2;4\n", ["Unnamed: 0", "Unnamed: 1", "x"], [1.5, 2, 3]),
    (",x,y\n0,1.5,B\n1,2.5,A\n", ["Unnamed: 0", "x", "y"], [0, 1.5, "B"]),
    ("country,2019,2020\nA,1.5,2.5\nB,3.5,4.5\n", ["country", "2019", "2020"], ["A", 1.5, 2.5]),
])
def test_the_separator_is_found_from_rows(read, content, names, first):
    table = read(content)
    assert list(table.columns) == names
    pd.testing.assert_series_equal(table.iloc[0], pd.Series(first, names), check_names=False, check_dtype=False)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_of_whatever_is_quoted(read, separator):
    generator = np.random.default_rng(0)
    words = ["a,b", "c;d", "e\tf", "g|h", "i\nj", 'k "l" m', "n, o; p"]
    columns = {f"x{words[k]}y": generator.choice(words, 30) for k in range(4)}
    expected = pd.DataFrame({**columns, "z": generator.normal(size=30)})
    table = read(expected.to_csv(sep=separator, index=False))
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "\nsep=;", "sep=;\r"])
@pytest.mark.parametrize("options", [{}, {"separator": ";"}])
def test_a_line_that_says_the_separator_is_followed(read, first, options):
    assert read(first + "\na;b;y\n1;2;3\n4;5;6\n", **options).to_dict("list") == {"a": [1, 4], "b": [2, 5], "y": [3, 6]}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_what_stands_above_is_found_in_every_encoding(read, encoding):
    content = "sep=;\n# é\na;b\n1,5;2\n2,5;3\n".encode(encoding)
    assert read(content, encoding=encoding).to_dict("list") == {"a": [1.5, 2.5], "b": [2, 3]}
    if encoding != "utf-16-le":
        assert read(content).to_dict("list") == {"a": [1.5, 2.5], "b": [2, 3]}


def test_any_separator_can_be_said(read):
    assert read("sep=~\na~b\n1,5~2\n").to_dict("list") == {"a": [1.5], "b": [2]}
    assert read("sep=\t\na\tb\n1,5\t2\n").to_dict("list") == {"a": [1.5], "b": [2]}


@pytest.mark.parametrize(("above", "skipped", "first"), [
    ("# made by hand\n", "line 1 is", "# made by hand"),
    ("# one, two\n#\n// three\n", "lines 1 to 3 are", "# one, two"),
    ("Sales of 2024\n\n", "line 1 is", "Sales of 2024"),
    ("Sales;;;\nby region\n", "lines 1 to 2 are", "Sales;;;"),
    ("Sales, by region\n# made by hand\n\n", "lines 1 to 2 are", "Sales, by region"),
    ('Pipes of 5" width\n', "line 1 is", 'Pipes of 5" width'),
    ("\n\nReport\n", "line 3 is", "Report"),
    ("Id:  X1\nType, unit:  rate; %\n\n", "lines 1 to 2 are", "Id:  X1"),
])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_comments_and_titles_are_skipped_with_a_note(read, above, skipped, first, ending):
    table = read((above + "name;price;qty;kind\nA;1,5;2;x\nB;2,5;3;y\nC;3,5;4;y\n").replace("\n", ending))
    assert table.to_dict("list") == {"name": list("ABC"), "price": [1.5, 2.5, 3.5], "qty": [2, 3, 4], "kind": list("xyy")}
    (note,) = notes(table)
    assert note.startswith(f"{skipped} skipped, above the names of the columns: {first!r}")


def test_names_below_titles_may_be_missing_at_the_ends(read):
    above = 'Series Id:,X1\nTitle:,"A, B\n\nand C"\n\n'
    table = read(above + ",year,value,\nX,1959,5.8\nY,1960,5.1\nZ,1961,5.2\n")
    assert table.to_numpy()[:, 1:3].tolist() == [[1959, 5.8], [1960, 5.1], [1961, 5.2]]


@pytest.mark.parametrize("content", [
    "#id,x\n1,2\n3,4\n", "#name,city\nBob,Paris\nAnn,Rome\n", "# x, y\n1.5,2\n", "#x\n1\n2\n", "# only\n",
    "name,\nBob,3\nAnn,4\n", ",name\na,Bob\nb,Ann\n", "a,b\nBob,Paris\nAnn,Rome\n", "name\nBob\nAnn Lee\n",
])
def test_names_are_not_taken_for_comments_or_titles(read, content):
    table = read(content)
    assert len(table) == content.count("\n") - 1
    assert not notes(table)


@pytest.mark.parametrize("content", ["x , y\n007,1\n", "x;y\n007;1\n", '# say "hi\n"x ",y\n007,1\n', "x ,y,,\n007,1,,\n"])
def test_a_column_of_text_is_found_under_a_name_with_blanks(read, content):
    assert read(content, text=["x"])["x"].tolist() == ["007"]


def test_cells_of_any_length_are_read(read):
    assert read("x,y\n" + "a" * 200_000 + ",1\n")["x"].str.len().tolist() == [200_000]
    assert list(read("x" * 200_000 + ",y\n1,2\n").columns)[1] == "y"


def test_control_characters_are_refused(read):
    with pytest.raises(ValueError, match="it holds control characters"):
        read("x,y\n1,2\x1e3\n")


def test_how_many_lines_to_skip_can_be_said(read):
    text = "one,two\nthree,four\n1,2\n"
    assert list(read(text, skip=1).columns) == ["three", "four"]
    assert list(read("#one\n#two\n1\n", skip=0).columns) == ["#one"]
    assert list(read("Report\nx,y\n1,2\n", skip=0, separator=";").columns) == ["Report"]


def test_names_that_look_like_data_are_noted(read):
    assert "look like data: '5.1', '3.5', 'A'" in notes(read("5.1,3.5,A\n4.9,3.0,B\n6.2,3.7,B\n"))[0]
    with pytest.raises(ValueError, match="3 columns of numbers without names; give CSV with names"):
        read("0  0.5 1\n1  0.7 2\n2  0.1 2\n")
    assert not notes(read("0,1,2\n4.9,3.0,2.1\n-1,-1,2\n"))
    assert not notes(read("1100.5,1102.5,y\n0.9,1.1,5\n0.8,1.3,6\n"))
    with pytest.raises(ValueError, match=r"two columns are named '1\.5'.*no names"):
        read("1.5,1.5\n1,1\n2,3\n")


@pytest.mark.parametrize(("content", "rows"), [
    ("a,b,y\n1,2,3,\n4,5,6\n", [[1, 2, 3], [4, 5, 6]]), ("a,b,y\n1,2,3\n4,5,6,\n", [[1, 2, 3], [4, 5, 6]]),
    ("a;b;y\n1,5;2;3\n4,5;5;6;\n", [[1.5, 2, 3], [4.5, 5, 6]]), ("a,b,y\n1,2,3,,\n4,5,6,,\n", [[1, 2, 3], [4, 5, 6]]),
    ("a,b\n1,2\n3,4,\n5,6,,,\n7,8,,,,,,,,\n", [[1, 2], [3, 4], [5, 6], [7, 8]]), ("a,b\n1,2, , \n", [[1, 2]]),
    ('a,b\n"x\ny",2\n"z",4,\n', [["x\ny", 2], ["z", 4]]), ("T, of 2024\n\na;b;c;d\n1;2;3;4\n5;6;7;8;;\n",
                                                           [[1, 2, 3, 4], [5, 6, 7, 8]]),
])
def test_empty_cells_at_the_ends_of_rows_are_let_be(read, content, rows):
    assert read(content).to_numpy().tolist() == rows
    assert read(content + content.splitlines()[-1]).to_numpy().tolist() == [*rows, rows[-1]]


@pytest.mark.parametrize(("content", "words"), [
    ("a,b,y\n1,2,3\n4,5,6,x\n", "line 3 has 4 cells, and the first line 3"),
    ("a,b,y\n1,2,3,\n4,5,6,,x\n", "line 3 has 5 cells, and the first line 3"),
    ("a,b,y\n1,2,3,\n\n4,5,6,,\n7,8,9,0\n", "line 5 has 4 cells, and the first line 3"),
    ("a,b,y\n1,2,3,x\n4,5,6\n", "more cells than the first line has names"),
    ("a,b\n" + "1,2,3,4,5,6,7\n" * 9, "more cells than the first line has names"),
    ("a,b\n1,2\n" + "1,2,,,,,,,,,\n" * 9 + "1,2,,,,,,,,,,,,,,,,,,,,,,,,,,,,,x\n", "line 12 has 31 cells"),
    ("x\n1,5\n2,5\n", "more cells than the first line has names"),
])
def test_a_cell_without_a_name_is_refused(read, content, words):
    with pytest.raises(ValueError, match=words):
        read(content)


@pytest.mark.parametrize(("content", "column"), [
    ("x\n1.0\n\n2.0\n \n3.0\n", [1, np.nan, 2, np.nan, 3]), ("x\n\n1\n", [np.nan, 1]), ("x\na\n\nb\n", ["a", np.nan, "b"]),
    ('x\n1\n""\n2\n', [1, np.nan, 2]), ("\n\nx\n1\n\n2\n", [1, np.nan, 2]), ("x\r\n1\r\n\r\n2\r\n", [1, np.nan, 2]),
    ('"Length, mm"\n1.5\n\n2.5\n', [1.5, np.nan, 2.5]), ("# c\nx\n1\n\n2\n", [1, np.nan, 2]),
    ("x\n1,\n\n2\n", [1, np.nan, 2]),
])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_empty_line_of_one_column_is_a_row(read, content, column, encoding):
    table = read(content.encode(encoding))
    assert table.shape == (len(column), 1)
    pd.testing.assert_series_equal(table.iloc[:, 0], pd.Series(column), check_names=False, check_dtype=False)


def test_predictions_of_one_column_stand_line_by_line(read, capsys):
    model = train(read("x,y\n" + "1.5,1\n2.5,2\n,3\n" * 20), "y", Recipe(epochs=1, task="regression")).model
    model.save("m.safetensors")
    read("x\n1.5\n\n2.5\n")
    assert cli.main(["predict", "m.safetensors", "t.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_commands_take_what_says_how_to_read(read, capsys):
    read("Report\n\nprice;qty;y\n" + "1.234;1,5;1\n2.500;2,5;2\n" * 20)
    train_it = ["train", "t.csv", "--target", "y", "--task", "regression", "--epochs", "1", "--no-baselines", "--json"]
    assert cli.main([*train_it, "--decimal", "price=.", "-o", "m.safetensors"]) == 0
    out, err = capsys.readouterr()
    assert "line 1 is skipped" in err
    assert json.loads(out)["rows"]["training"] == 32
    assert TableModel.load("m.safetensors").preprocessing.columns[0].mean < 3
    assert cli.main([*train_it, "--thousands", "price=.", "--skip", "2"]) == 0
    assert cli.main(["predict", "m.safetensors", "t.csv"]) == 0
    assert "line 1 is skipped" in capsys.readouterr().err
    for wrong in (["--decimal", "x"], ["--decimal", "price=x"], ["--decimal", "nothing=,"], ["--thousands", "price=;"]):
        assert cli.main([*train_it, *wrong]) == 1
    with pytest.raises(SystemExit):
        cli.main([*train_it, "--decimal", "price="])


def test_a_dropped_column_causes_no_doubt(tmp_path, monkeypatch, capsys):
    (tmp_path / "t.csv").write_text("price,x,y\n" + '"1,234",1,1\n"2,345",3,2\n' * 20)
    monkeypatch.chdir(tmp_path)
    command = ["train", "t.csv", "--target", "y", "--task", "regression", "--epochs", "1", "--no-baselines", "--quiet"]
    assert cli.main(command) == 1
    assert "say --thousands price=, or --decimal price=," in capsys.readouterr().err
    for settled in (["--drop", "price"], ["--text", "price"], ["--thousands", ","], ["--decimal", "price=,"]):
        assert cli.main([*command, *settled]) == 0


# Whole numbers beyond 2**53

@pytest.mark.parametrize("numbers", [
    [2**53, 2**53 + 1], [2**60 + 1, 2**60 + 2], [-2**60 - 1, -2**60 - 2], [2**63 - 1, -2**63], [2**63, 2**64 - 1],
    [2**64, 2**64 + 1], [-2**63, 2**63], [-2**64 - 1, -2**64 - 2], [10**30, 10**30 + 1],
])
@pytest.mark.parametrize("between", [",", ";"])
def test_whole_numbers_stay_what_they_are_beside_empty_cells(read, numbers, between):
    text = f"x{between}y\n" + "".join(f"{k % 5}{between}{number}\n" for k, number in enumerate([*numbers * 50, ""]))
    column = read(text)["y"]
    assert [int(value) for value in column.dropna()] == numbers * 50
    assert column.isna().sum() == 1
    target = train(read(text), "y", Recipe(epochs=1, task="classification")).model.target
    assert sorted(int(label) for label in target.labels) == sorted(numbers)
    assert sorted(int(label) for label in train(read(text), "y", Recipe(epochs=1)).model.target.labels) == sorted(numbers)


@pytest.mark.parametrize("cells", ["1.152.921.504.606.846.977;1.152.921.504.606.846.978",
                                   "1152921504606846977.0;1152921504606846978.0"])
def test_whole_numbers_stay_what_they_are_however_they_are_written(read, cells):
    a, b = read(f"x;y\n1;{cells.split(';')[0]}\n2;{cells.split(';')[1]}\n3;\n")["y"].tolist()[:2]
    assert [int(a), int(b)] == [2**60 + 1, 2**60 + 2]


def test_numbers_with_decimals_or_exponents_are_floats(read):
    assert read("x,y\n1,1e18\n2,\n3,2.5\n")["y"].dtype == np.float64
    assert read("x,y\n1,1e18\n2,\n3,1e20\n")["y"].dtype == np.float64
