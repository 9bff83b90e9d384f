"""Tables in files whose cells have types: what is written is read again, and other files are refused."""

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import read_table, write_table
from fastnn.tables.reading.typed_files import KINDS, kind_of

TABLE = pd.DataFrame({"x": [0.1, 1 / 3, None], "n": [2**53 + 1, 7, -1], "word": ["ü", None, "007"]})


@pytest.mark.parametrize("suffix", [suffix for kind in KINDS for suffix in kind.suffixes if suffix != ".xlsm"])
def test_what_is_written_is_read_again(suffix, tmp_path):
    kind = kind_of(f"a{suffix}")
    if kind.needs:
        pytest.importorskip(kind.needs)
    table = TABLE.assign(n=[5, 7, -1]) if suffix == ".xlsx" else TABLE  # Excel has 15 digits
    write_table(table, tmp_path / f"t{suffix}")
    again = read_table(tmp_path / f"t{suffix}")
    assert list(again.columns) == list(table.columns)
    assert again["n"].tolist() == table["n"].tolist()
    assert again["word"].fillna("missing").tolist() == ["ü", "missing", "007"]
    np.testing.assert_array_equal(again["x"].to_numpy(float), table["x"].to_numpy(float))


@pytest.mark.parametrize(("suffix", "content"), [
    (".json", "{"), (".json", '{"a": 1}'), (".json", "[]"), (".json", "[1, 2]"), (".jsonl", "{}\n{"), (".xlsx", "x"),
    (".feather", "x"), (".parquet", "x"),
])
def test_broken_files_are_refused(suffix, content, tmp_path):
    (tmp_path / f"t{suffix}").write_text(content)
    with pytest.raises(ValueError, match=r"cannot read .*t\."):
        read_table(tmp_path / f"t{suffix}")


@pytest.mark.parametrize("suffix", [".xls", ".sav", ".pkl", ".H5"])
def test_other_kinds_are_refused_by_name(suffix, tmp_path):
    for act in (lambda: read_table(tmp_path / f"t{suffix}"), lambda: write_table(TABLE, tmp_path / f"t{suffix}")):
        with pytest.raises(ValueError, match=f"is a {suffix.lower()} file, which is not read or written here; give CSV"):
            act()


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    for suffix in (".json", ".xlsx", ".feather"):
        with pytest.raises(FileNotFoundError):
            read_table(tmp_path / f"none{suffix}")


def test_the_commands_go_from_excel_to_json(tmp_path, monkeypatch):
    pytest.importorskip("openpyxl")
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=60)
    pd.DataFrame({"x": x, "day": pd.date_range("2024-01-01", periods=60), "y": 2 * x}).to_excel("t.xlsx", index=False)
    assert cli.main(["train", "t.xlsx", "--target", "y", "--epochs", "1", "--quiet"]) == 0
    assert cli.main(["predict", "t.safetensors", "t.xlsx", "-o", "p.jsonl", "--keep"]) == 0
    assert list(read_table("p.jsonl").columns) == ["x", "day", "y", "y_predicted"]


@pytest.mark.parametrize(("suffix", "text"), [(".json", '[{"n": 9007199254740993, "y": 1}, {"n": null, "y": 2}]'),
                                              (".jsonl", '{"n": 9007199254740993, "y": 1}\n{"y": 2}\n')])
def test_large_whole_numbers_are_exact_beside_missing_ones(suffix, text, tmp_path):
    (tmp_path / f"t{suffix}").write_text(text)
    assert read_table(tmp_path / f"t{suffix}")["n"][0] == 2**53 + 1


def test_a_name_that_occurs_twice_is_refused(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    (tmp_path / "t.json").write_text('[{"a": 1, "a": 2}]')
    book = openpyxl.Workbook()
    for row in (["a", "b", "a"], [1, 2, 3]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    for name in ("t.json", "t.xlsx"):
        with pytest.raises(ValueError, match=r"cannot read .*'a' twice"):
            read_table(tmp_path / name)


def test_other_sheets_of_an_excel_file_are_said(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "stones"
    for row in (["a", "b"], [1, 2]):
        book.active.append(row)
    book.create_sheet("other")
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").attrs["format_note"] == "sheet 'stones', the first of 2"
