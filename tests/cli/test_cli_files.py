"""Text files of tables: other separators, encodings, decimal commas, rows of wrong length, truncated files."""

import gzip
import io
import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from fastnn import cli
from fastnn.tables import read_table

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

QUICK = ("--epochs", "2", "--no-baselines")


@pytest.fixture
def stones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    carat, cut = generator.uniform(0.2, 2, 60).round(3), generator.choice(["Fair", "Größe", "Ideal"], 60)
    return pd.DataFrame({"carat": carat, "cut": cut, "price": (carat * 1000 + 0.5).round(2)})


def run(capsys, *arguments, status=0):
    """Return the output of a command on stdout and stderr."""
    assert outcome(list(map(str, arguments))) == status
    return capsys.readouterr()


def outcome(arguments):
    """Return the exit status of a command."""
    try:
        return cli.main(arguments)
    except SystemExit as stopped:
        return stopped.code


@pytest.mark.parametrize(("separator", "decimal"),
                         [(",", "."), (";", "."), ("\t", "."), ("|", "."), (";", ","), ("\t", ",")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_the_same_in_every_dress(stones, separator, decimal, encoding):
    stones.to_csv("t.csv", sep=separator, decimal=decimal, encoding=encoding, index=False)
    pd.testing.assert_frame_equal(read_table("t.csv"), stones, check_dtype=False)


def test_the_command_tells_how_a_table_was_read(stones, capsys):
    stones.to_csv("t.csv", sep=";", decimal=",", index=False)
    out, _ = run(capsys, "train", "t.csv", "--target", "price", *QUICK)
    assert "regression of price" in out
    assert "cells apart by ';', decimal commas" in out
    plain, _ = run(capsys, "predict", "t.safetensors", "t.csv")
    stones.to_csv("u.csv", index=False)
    assert plain == run(capsys, "predict", "t.safetensors", "u.csv")[0]


@pytest.mark.parametrize("told", ["tab", "\\t", "\t"])
def test_a_tab_can_be_told(stones, capsys, told):
    stones.to_csv("t.csv", sep="\t", index=False)
    run(capsys, "train", "t.csv", "--target", "price", "--separator", told, "--quiet", *QUICK)


def test_a_separator_is_one_character(stones, capsys):
    stones.to_csv("t.csv", index=False)
    assert "one character" in run(capsys, "train", "t.csv", "--target", "price", "--separator", "::", status=2).err
    with pytest.raises(ValueError, match="one character"):
        read_table("t.csv", separator="::")


def test_an_encoding_that_is_not_told_is_asked_for(stones, capsys):
    stones.to_csv("t.csv", encoding="cp1252", index=False)
    error = run(capsys, "train", "t.csv", "--target", "price", status=1).err
    assert "not written in UTF-8" in error
    assert "--encoding cp1252" in error
    run(capsys, "train", "t.csv", "--target", "price", "--encoding", "cp1252", "--quiet", *QUICK)
    run(capsys, "predict", "t.safetensors", "t.csv", "--encoding", "cp1252")
    assert "encoding" in run(capsys, "train", "t.csv", "--target", "price", "--encoding", "klingon", status=1).err


def test_blanks_around_names_and_cells_do_not_count():
    table = read_from("carat, cut , price\n1, a, 2\n3, b, 4\n")
    assert list(table.columns) == ["carat", "cut", "price"]
    assert table["cut"].tolist() == ["a", "b"]


def read_from(text, tmp="cells.csv"):
    import tempfile
    from pathlib import Path

    path = Path(tempfile.mkdtemp(), tmp)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


@pytest.mark.parametrize(("text", "words"), [
    ("x,y\n1,2\n3,4,5\n", "line 3 has 3 cells, and the first line 2"),
    ("x,y\n1,2,3\n3,4,5\n", "more cells than the first line has names"),
    ("x,x,y\n1,2,3\n", "two columns are named 'x'"),
    ('x,y\n1,"2\n', "quotation mark"),
    ("", "is empty"),
    ("\n\n", "is empty"),
])
def test_a_table_that_does_not_fit_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        read_from(text)


def test_separators_at_the_ends_of_lines_are_let_be():
    assert read_from("x,y\n1,2,\n3,4,\n").to_dict("list") == {"x": [1, 3], "y": [2, 4]}


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip"])
def test_what_is_compressed_and_damaged_is_refused(stones, ending):
    stones.to_csv(f"t.csv.{ending}", index=False)
    whole = open(f"t.csv.{ending}", "rb").read()
    pd.testing.assert_frame_equal(read_table(f"t.csv.{ending}"), stones, check_dtype=False)
    for part in (whole[:len(whole) // 2], b"not compressed", b""):
        with open(f"t.csv.{ending}", "wb") as file:
            file.write(part)
        with pytest.raises(ValueError, match="cannot read"):
            read_table(f"t.csv.{ending}")


def test_standard_input_is_read_like_a_file(stones, capsys, monkeypatch):
    text = stones.to_csv(sep=";", decimal=",", index=False)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-16")), encoding="utf-8"))
    out, _ = run(capsys, "train", "-", "--target", "price", *QUICK)
    assert "standard input: 60 rows" in out
    assert "model.safetensors" in out


def test_the_table_and_the_model_are_not_overwritten(stones, capsys):
    stones.to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "price", "--quiet", *QUICK)
    for name in ("t.csv", "t.safetensors"):
        before = open(name, "rb").read()
        assert "another -o" in run(capsys, "predict", "t.safetensors", "t.csv", "-o", name, status=1).err
        assert open(name, "rb").read() == before
    assert "no directory" in run(capsys, "predict", "t.safetensors", "t.csv", "-o", "nowhere/out.csv", status=1).err


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_predictions_are_written_whole(stones, capsys, name):
    pytest.importorskip("pyarrow")
    stones.to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "price", "--quiet", *QUICK)
    run(capsys, "predict", "t.safetensors", "t.csv", "-o", name)
    assert read_table(name).shape == (60, 1)


def test_a_full_disk_leaves_what_was_there(stones, capsys, monkeypatch):
    stones.to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "price", "--quiet", *QUICK)
    with open("out.csv", "w") as file:
        file.write("before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fastnn.formats.atomic_file.write", full)
    error = run(capsys, "predict", "t.safetensors", "t.csv", "-o", "out.csv", status=1).err
    assert error == "fastnn predict: No space left on device\n"
    assert open("out.csv").read() == "before"


@pytest.mark.parametrize("arguments", [
    ("train", "none.csv", "--target", "x"), ("train", "t.csv", "--target", "nothing"), ("train", "t.csv"),
    ("predict", "none", "t.csv"), ("predict", "t.csv", "t.csv"), ("inspect", "none"), ("bench", "abc"),
    ("check-gradients", "4-3:nothing"), ("warmup", "--dtype", "int8"), ("compare", "--nothing"),
])
def test_with_json_an_error_is_json(stones, capsys, arguments):
    stones.to_csv("t.csv", index=False)
    assert outcome([*arguments, "--json"]) in (1, 2)
    out, err = capsys.readouterr()
    message, *hint = err.rpartition("error: ")[2].removeprefix(f"fastnn {arguments[0]}: ").splitlines()
    assert all(line.startswith("  for example fastnn ") for line in hint)  # for people, not part of the error
    assert len(hint) <= 1
    assert json.loads(out) == {"error": message}


def test_errors_of_files_name_the_file_and_no_number(stones, capsys):
    error = run(capsys, "train", "none.csv", "--target", "x", status=1).err
    assert error == "fastnn train: none.csv: No such file or directory\n"


def test_gzip_to_standard_input_is_no_text(stones, monkeypatch, capsys):
    packed = gzip.compress(stones.to_csv(index=False).encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(packed), encoding="utf-8"))
    assert "cannot read" in run(capsys, "train", "-", "--target", "price", status=1).err


def told(capsys, table, *arguments, status=0):
    """Return the output of train on stdout and stderr for a table."""
    table.to_csv("t.csv", index=False)
    return run(capsys, "train", "t.csv", "--target", "price", *arguments, *QUICK, status=status)


@pytest.mark.parametrize(("change", "words"), [
    (lambda t: t["carat"].astype(object).where(t.index % 20 != 3, "?"), "--missing='?'"),
    (lambda t: t["carat"].map(lambda v: f"$ {v * 1e6:,.1f}"), "looks like numbers"),
    (lambda t: t["carat"].map(lambda v: f"{v:.1f} %"), "looks like numbers"),
    (lambda t: pd.Series(pd.date_range("2020-01-31", periods=len(t))).dt.strftime("%d.%m.%Y"), "holds dates"),
])
def test_text_that_is_nearly_something_else_is_pointed_out(stones, capsys, change, words):
    assert words in told(capsys, stones.assign(carat=change(stones))).err


@pytest.mark.parametrize(("change", "words"), [
    (lambda t: t["price"].astype(object).where(t.index % 20 != 3, "?"), "holds '?' among its numbers, in 3 of 60 rows"),
    (lambda t: t["price"].map(lambda v: f"€ {v}"), "looks like numbers"),
    (lambda t: [f"name {k}" for k in range(60)], "60 different texts in 60 rows"),
    (lambda t: t["price"] * 1e300, "too large"),
])
def test_a_target_that_cannot_be_learned_is_refused(stones, capsys, change, words):
    out, err = told(capsys, stones.assign(price=change(stones)), status=1)
    assert words in err
    assert not out


@pytest.mark.parametrize("value", [[1, 2], b"bytes", pd.Timestamp(2020, 1, 31), pd.Timedelta(1, "s")])
def test_a_target_is_numbers_or_text(stones, value):
    from fastnn.tables import train

    table = stones.assign(price=[value, None] * 30)
    with pytest.raises(ValueError, match="the target must be numbers or text"):
        train(table, "price")


def test_what_tells_rows_apart_is_ignored_in_small_tables_too(stones, capsys):
    assert "60 different texts in 60 rows" in told(capsys, stones.assign(name=[f"n{k}" for k in range(60)])).out


def test_numbers_near_the_largest_are_learned(stones, capsys):
    huge = np.linspace(-1.0, 1.0, 60) * 1.7e308
    out, err = told(capsys, stones.assign(huge=huge, tiny=huge * 1e-308 * 1e-308))
    assert "huge    number" in out
    assert not err


def test_a_name_that_is_nearly_right_is_pointed_out(stones, capsys):
    stones.to_csv("t.csv", index=False)
    assert "did you mean 'price'?" in run(capsys, "train", "t.csv", "--target", "Price", status=1).err
    pd.DataFrame(np.zeros((20, 1000))).add_prefix("f").to_csv("t.csv", index=False)
    assert len(run(capsys, "train", "t.csv", "--target", "price", status=1).err) < 400


def test_a_wide_table_is_told_in_few_lines(stones, capsys):
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 300))).add_prefix("f").assign(price=stones["price"])
    out, _ = told(capsys, wide, "--linear", "no")  # the linear members take most of the time
    assert len(out.splitlines()) < 60
    assert "and 270 more" in out


def test_long_names_and_breaks_of_lines_do_not_break_the_table(stones, capsys):
    stones = stones.assign(price=np.where(stones["carat"] > 1, "a\nb", "c" * 300)).rename(columns={"cut": "cut " * 50})
    out, _ = told(capsys, stones)
    assert max(map(len, out.splitlines())) < 150


def test_a_reader_that_goes_away_is_met_in_silence(stones, capsys):
    stones.to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "price", "--quiet", *QUICK)
    pd.concat([stones] * 500).to_csv("long.csv", index=False)
    for extra in ([], ["--json"]):
        process = subprocess.Popen([sys.executable, "-m", "fastnn", "predict", "t.safetensors", "long.csv", *extra],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 141


def test_the_advice_on_missing_values_works_as_it_is_given(stones, capsys):
    carat = stones["carat"].astype(object).where(stones.index % 20 != 3, "-").where(stones.index != 5, "?")
    advice = re.search(r"--missing='[^']*'", told(capsys, stones.assign(carat=carat)).err).group()
    out, err = told(capsys, stones.assign(carat=carat), *shlex.split(advice))
    assert not err
    assert "carat   number" in out
