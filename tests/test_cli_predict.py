"""What `fastnn predict` writes: labels as they stood, every digit of a number, and nothing of the table lost."""

import json

import numpy as np
import pytest

from fastnn import cli

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

X = np.random.default_rng(0).normal(size=80).round(3)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments, status=0):
    """What a command prints on stdout and stderr."""
    assert cli.main(list(map(str, arguments))) == status
    return capsys.readouterr()


def trained(capsys, table, *options):
    """The model of a table whose column to predict is y."""
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
    assert not err
    table.assign(y=table["y"].mask(table.index < 7)).to_csv("holes.csv", index=False)
    for options in ([], ["--json"]):
        out, err = run(capsys, "predict", model, "holes.csv", "--evaluate", *options)
        assert "7 of 80 rows have no 'y' and are left out" in err
    assert set(json.loads(out)) == {"r2", "mae", "rmse"}
