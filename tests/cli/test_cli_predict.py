"""The output of `fastnn predict`: labels as written in training, every digit of a number, and all columns of the table."""

import io
import json

import numpy as np
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, train

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

X = np.random.default_rng(0).normal(size=80).round(3)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments, status=0):
    """Return the output of a command on stdout and stderr."""
    assert cli.main(list(map(str, arguments))) == status
    return capsys.readouterr()


def trained(capsys, table, *options):
    """Return the model of a table with target y."""
    table.to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "y", "--epochs", 40, "--no-baselines", "--quiet", *options)
    return "t.safetensors"


@pytest.mark.parametrize("options", [[], ["--probabilities"], ["--json"], ["-o", "out.csv"], ["-o", "out.csv.gz"]])
@pytest.mark.parametrize("column", ["y_predicted", "probability of yes"])
def test_columns_of_the_table_are_not_overwritten(column, options, here, capsys):
    model = trained(capsys, pd.DataFrame({"x": X, "y": np.where(X > 0, "yes", "no")}))
    pd.DataFrame({column: [7, 8], "x": [0.1, 0.2], "note": ["a", "b"]}).to_csv("new.csv", index=False)
    taken = column == "y_predicted" or "--probabilities" in options
    out, err = run(capsys, "predict", model, "new.csv", "--keep", *options, status=int(taken))
    if taken:
        assert f"column '{column}' of its own" in err
        assert not out or "--json" in options
        assert not list(here.glob("out*"))
    run(capsys, "predict", model, "new.csv", *options)  # without the table's columns nothing is in the way


def test_kept_columns_stay_what_they_are(here, capsys):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    table = pd.DataFrame({"x": X, "y": 3 * X, "when": pd.date_range("2024-01-01", periods=len(X)), "word": ["ü"] * len(X)})
    model = trained(capsys, table)
    table.to_parquet("t.parquet")
    run(capsys, "predict", model, "t.parquet", "--keep", "-o", "out.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet("out.parquet").drop(columns="y_predicted"), table)
    records = json.loads(run(capsys, "predict", model, "t.parquet", "--keep", "--json").out)
    assert records[0] | {"y_predicted": 0} == {"x": X[0], "y": table["y"][0], "when": "2024-01-01 00:00:00", "word": "ü",
                                               "y_predicted": 0}


@pytest.mark.parametrize("unit", [1e-20, 1e-9, 1.0, 1e15])
def test_json_has_every_digit(unit, here, capsys):
    model = trained(capsys, pd.DataFrame({"x": X, "y": (3 + X) * unit}))
    run(capsys, "predict", model, "t.csv", "-o", "out.csv")
    records = json.loads(run(capsys, "predict", model, "t.csv", "--json").out)
    assert [record["y_predicted"] for record in records] == pd.read_csv("out.csv")["y_predicted"].tolist()
    assert len({record["y_predicted"] for record in records}) > len(X) / 2


def test_json_of_a_table_with_holes(here, capsys):
    model = trained(capsys, pd.DataFrame({"x": X, "y": X > 0}))
    (here / "new.csv").write_text("x,a,b\n0.1,,1\n0.2,u,\n")
    records = json.loads(run(capsys, "predict", model, "new.csv", "--keep", "--probabilities", "--json").out)
    assert [(record["a"], record["b"]) for record in records] == [(None, 1), ("u", None)]
    assert {type(record["y_predicted"]) for record in records} == {bool}
    assert records[0]["probability of True"] + records[0]["probability of False"] == pytest.approx(1)


def test_evaluation_tells_on_how_many_rows(here, capsys):
    table = pd.DataFrame({"x": X, "y": 3 * X})
    model = trained(capsys, table)
    out, err = run(capsys, "predict", model, "t.csv", "--evaluate")
    assert out.split()[:2] == ["rows", "r2"]
    assert out.splitlines()[1].split()[0] == "80"
    assert "if it is the same, these figures flatter it" in err
    table[:70].to_csv("new.csv", index=False)
    assert not run(capsys, "predict", model, "new.csv", "--evaluate").err
    table.assign(y=table["y"].mask(table.index < 7)).to_csv("holes.csv", index=False)
    for options in ([], ["--json"]):
        out, err = run(capsys, "predict", model, "holes.csv", "--evaluate", *options)
        assert "7 of 80 rows have no 'y' and are left out" in err
    assert set(json.loads(out)) >= {"r2", "mae", "rmse"}


SPELLINGS = {
    "true false": ["false", "true"], "TRUE FALSE": ["FALSE", "TRUE"], "True False": ["False", "True"], "0 1": ["0", "1"],
    "01 02": ["01", "02"], "0.0 1.0": ["0.0", "1.0"], "1.50 2.25": ["1.50", "2.25"], "+1 -1": ["-1", "+1"],
    "yes no": ["no", "yes"], "text and numbers": ["7", "a"], "large": [str(2**60), str(2**60 + 1)],
    "quoted": ["a, b", 'say "no"'], "blanks": ["b b", "c"], "letters": ["ß", "ä"],
}


@pytest.mark.parametrize("missing", ["no", "some"])
@pytest.mark.parametrize("source", ["file", "standard input"])
@pytest.mark.parametrize("kind", SPELLINGS)
def test_classes_are_written_as_in_the_file_that_was_trained_on(kind, source, missing, here, capsys, monkeypatch):
    less, more = SPELLINGS[kind]
    cells = [""] + [more if x > 0 else less for x in X[1:]] if missing == "some" else [more if x > 0 else less for x in X]
    table = pd.DataFrame({"x": X, "y": cells})
    table.to_csv("t.csv", index=False)
    if source == "standard input":
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((here / "t.csv").read_bytes())))
    run(capsys, "train", "-" if source == "standard input" else "t.csv", "--target", "y", "--task", "classification",
        "--epochs", 40, "--no-baselines", "--quiet", "--learning-rate", 0.02, "-o", "m.safetensors")
    out, _ = run(capsys, "predict", "m.safetensors", "t.csv", "--probabilities")
    found = pd.read_csv(io.StringIO(out), dtype=str, keep_default_na=False)
    assert list(found) == ["y_predicted", f"probability of {less}", f"probability of {more}"]
    assert (found["y_predicted"] == table["y"]).mean() > 0.9
    run(capsys, "predict", "m.safetensors", "t.csv", "--keep", "-o", "out.csv")
    assert pd.read_csv("out.csv", dtype=str)["y_predicted"].tolist() == found["y_predicted"].tolist()
    evaluated = json.loads(run(capsys, "predict", "m.safetensors", "t.csv", "--evaluate", "--json").out)
    rows = table["y"] != ""
    assert evaluated["accuracy"] == pytest.approx((found["y_predicted"] == table["y"])[rows].mean())
    model = TableModel.load("m.safetensors")
    assert model.predict(table).tolist() == [record["y_predicted"] for record in json.loads(
        run(capsys, "predict", "m.safetensors", "t.csv", "--json").out)]


def test_the_most_frequent_spelling_counts(here, capsys):
    cells = np.where(X > 0, "1", "2").astype(object)
    cells[:3] = [{"1": "01", "2": "2.0"}[cell] for cell in cells[:3]]
    pd.DataFrame({"x": X, "y": cells}).to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "y", "--task", "classification", "--epochs", 40, "--no-baselines", "--quiet")
    assert set(run(capsys, "predict", "t.safetensors", "t.csv").out.split()[1:]) == {"1", "2"}


def test_values_need_no_spelling(here, capsys):
    pd.DataFrame({"x": X, "y": [f"{3 * x:.4f}" for x in X]}).to_csv("t.csv", index=False)
    run(capsys, "train", "t.csv", "--target", "y", "--epochs", 1, "--no-baselines", "--quiet")
    assert "spelling" not in json.loads(run(capsys, "inspect", "t.safetensors", "--json").out)["target"]


@pytest.mark.parametrize("labels", [[1, "a"], [2**70, 2**70 + 1]])
def test_labels_of_several_types_are_text_in_parquet(labels, here, capsys):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    table = pd.DataFrame({"x": X, "y": pd.Series([labels[int(x > 0)] for x in X], dtype=object)})
    model = train(table, "y", Recipe(epochs=40, task="classification")).model
    model.save("m.safetensors")
    table[["x"]].to_parquet("t.parquet")
    run(capsys, "predict", "m.safetensors", "t.parquet", "-o", "out.parquet")
    assert pd.read_parquet("out.parquet")["y_predicted"].tolist() == [str(label) for label in model.predict(table)]


KEPT = "\n".join([
    "id,x,flag,price,word,empty,long,date,note", '007,0.10,TRUE,1.50,NA,,9007199254740993,2024-01-31,"a, b"',
    '008,-0.2,FALSE,2.00,None,,12,2024-02-01,"say ""no"""', '010,3,,1e3,null,,,2024-03-01,"two\nlines"', ""])


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_kept_cells_are_written_as_they_stand(source, here, capsys, monkeypatch):
    model = trained(capsys, pd.DataFrame({"x": X, "y": X > 0}))
    (here / "new.csv").write_text(KEPT)
    if source == "standard input":
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(KEPT.encode())))
    out, _ = run(capsys, "predict", model, "-" if source == "standard input" else "new.csv", "--keep")
    found, given = (pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False) for text in (out, KEPT))
    pd.testing.assert_frame_equal(found.drop(columns="y_predicted"), given)
    assert out.replace(",True", "").replace(",False", "").replace(",y_predicted", "") == KEPT


def test_kept_names_of_digits_stay_text_where_there_are_types(here, capsys):
    model = trained(capsys, pd.DataFrame({"x": X, "y": X > 0}))
    (here / "new.csv").write_text(KEPT)
    first, _, last = json.loads(run(capsys, "predict", model, "new.csv", "--keep", "--json").out)
    assert [first[name] for name in ("id", "x", "flag", "price", "long")] == ["007", 0.1, True, 1.5, 2**53 + 1]
    assert [last[name] for name in ("id", "flag", "price", "empty", "long")] == ["010", None, 1000, None, None]


def test_kept_numbers_with_other_separators_have_points_as_predictions_have(here, capsys):
    model = trained(capsys, pd.DataFrame({"x": X, "y": 3 * X}))
    (here / "new.csv").write_text("id;x;price\n01;0,5;1.234,5\n02;0,25;2.000,25\n")
    out, _ = run(capsys, "predict", model, "new.csv", "--keep")
    assert [line.split(",")[:3] for line in out.splitlines()] == [
        ["id", "x", "price"], ["01", "0.5", "1234.5"], ["02", "0.25", "2000.25"]]
