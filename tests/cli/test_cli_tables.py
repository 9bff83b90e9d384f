"""train and predict: from a table to one file, and from that file and another table to predictions."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import fastnn
from fastnn import Network, cli
from fastnn.tables import Recipe, TableModel, train
from fastnn.tables.training.baselines import baselines

pd = pytest.importorskip("pandas", reason="tables need the extra cli")


ROWS = 400


@pytest.fixture(scope="module")
def stones():
    """Numbers with missing values, text with a missing value, a target in tens of thousands and one of text."""
    generator = np.random.default_rng(0)
    carat, cut = generator.uniform(0.2, 2, ROWS), generator.choice(["Fair", "Good", "Ideal"], ROWS)
    price = 8000 * carat**2 * (1 + 0.3 * (cut == "Ideal")) + 300
    table = pd.DataFrame({"id": range(ROWS), "carat": carat.round(4), "cut": cut, "price": price.round(1),
                          "dear": np.where(price > 10_000, "yes", "no")})
    table.loc[::50, "carat"] = np.nan
    table.loc[7, "cut"] = None
    return table


@pytest.fixture
def here(tmp_path, monkeypatch, stones):
    monkeypatch.chdir(tmp_path)
    stones.to_csv("stones.csv", index=False)
    return tmp_path


def run(capsys, *arguments, status=0):
    """Return the output of a command on stdout and stderr."""
    assert cli.main(list(map(str, arguments))) == status
    return capsys.readouterr()


QUICK = ("--epochs", "30", "--no-baselines")


def test_train_tells_what_it_does(here, capsys):
    out, err = run(capsys, "train", "stones.csv", "--target", "price", "--drop", "dear")
    for words in ("regression of price", "carat   number         8  standardized and in 16 bins", "ignored: counts the rows",
                  "cut     text           1  one-hot, 3 categories and missing", "ignored: asked for",
                  "320 to train on: each network holds out a part", "average of 8: 22 inputs → 128 relu",
                  "saved      stones.safetensors"):
        assert words in out
    assert "skewed" not in err
    assert (here / "stones.safetensors").is_file()


def test_a_regressor_beats_its_baselines_in_the_units_of_the_target(here, capsys):
    pytest.importorskip("sklearn", reason="the baselines need the extra cli")
    out, _ = run(capsys, "train", "stones.csv", "--target", "price", "--drop", "dear", "--json")
    found = json.loads(out)
    assert found["test"]["rmse"] < found["baselines"]["linear"]["rmse"] < found["baselines"]["mean"]["rmse"]
    assert found["baselines"]["mean"]["mae"] > 1000
    assert found["rows"] == {"training": 320, "validation": 0, "test": 80}


def test_a_classifier_beats_a_guess_and_keeps_its_words(here, capsys):
    pytest.importorskip("sklearn", reason="the baselines need the extra cli")
    found = json.loads(run(capsys, "train", "stones.csv", "--target", "dear", "--drop", "price", "--json").out)
    assert found["test"]["accuracy"] > found["baselines"]["most frequent class"]["accuracy"]
    assert "logistic" in found["baselines"]
    out, _ = run(capsys, "predict", "stones.safetensors", "stones.csv", "--probabilities")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == ROWS
    assert {row["dear_predicted"] for row in rows} == {"yes", "no"}
    assert all(abs(float(r["probability of yes"]) + float(r["probability of no"]) - 1) < 1e-5 for r in rows)


def test_the_same_seed_gives_the_same_file_whatever_the_threads(here, capsys):
    files = []
    for threads in (1, 2):
        run(capsys, "train", "stones.csv", "--target", "price", *QUICK, "--threads", threads, "-o", "m.safetensors")
        files.append(load_file("m.safetensors"))
    assert all(np.array_equal(files[0][name], files[1][name]) for name in files[0])


def test_what_is_predicted_is_what_the_result_said(stones):
    result = train(stones, "price", Recipe(epochs=5))
    assert result.model.evaluate(result.table.iloc[result.test]) == pytest.approx(result.metrics, rel=1e-9)


def test_save_then_load_is_the_same_model(stones, tmp_path):
    model = train(stones, "price", Recipe(epochs=2)).model
    model.report = {"test": {"r2": 0.5}}
    model.save(tmp_path / "m.safetensors")
    again = TableModel.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(stones), model.predict(stones))
    assert again.report == model.report
    assert Network.load(tmp_path / "m.safetensors").config() == model.network.config()
    with safe_open(tmp_path / "m.safetensors", framework="numpy") as file:  # data, not code
        assert json.loads(file.metadata()["table"])["target"]["name"] == "price"


@pytest.mark.parametrize("part", ["table", "sha256", "network"])
def test_damage_is_noticed(part, stones, tmp_path):
    path = tmp_path / "m.safetensors"
    train(stones, "price", Recipe(epochs=1)).model.save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata | {part: metadata[part].replace("1", "2")})
    with pytest.raises(fastnn.ModelFormatError, match="damaged"):
        TableModel.load(path)


def test_a_network_alone_is_no_model_of_a_table(tmp_path):
    Network([fastnn.Dense(1)], inputs=1).save(tmp_path / "net.safetensors")
    with pytest.raises(fastnn.ModelFormatError, match=r"Network\.load"):
        TableModel.load(tmp_path / "net.safetensors")


def test_predict_writes_where_it_is_told(here, capsys):
    run(capsys, "train", "stones.csv", "--target", "price", *QUICK)
    out, _ = run(capsys, "predict", "stones.safetensors", "stones.csv", "-o", "out.csv", "--keep")
    assert out == ""
    kept = pd.read_csv("out.csv")
    assert list(kept.columns) == ["id", "carat", "cut", "price", "dear", "price_predicted"]
    records = json.loads(run(capsys, "predict", "stones.safetensors", "stones.csv", "--json").out)
    assert [r["price_predicted"] for r in records] == pytest.approx(kept["price_predicted"].tolist(), rel=1e-9)
    found = json.loads(run(capsys, "predict", "stones.safetensors", "stones.csv", "--evaluate", "--json").out)
    assert set(found) >= {"r2", "mae", "rmse"}
    assert "r2" in run(capsys, "predict", "stones.safetensors", "stones.csv", "--evaluate").out


def test_predict_says_what_it_does_not_know(here, capsys, stones):
    run(capsys, "train", "stones.csv", "--target", "price", *QUICK)
    stones.assign(cut="Superb").drop(columns="price").to_csv("new.csv", index=False)
    out, err = run(capsys, "predict", "stones.safetensors", "new.csv")
    assert len(out.splitlines()) == ROWS + 1
    assert err.count("\n") == 1
    assert "fastnn predict: column 'cut' holds 'Superb'" in err
    stones.drop(columns="carat").to_csv("new.csv", index=False)
    assert "no column 'carat'" in run(capsys, "predict", "stones.safetensors", "new.csv", status=1).err
    stones.drop(columns="price").to_csv("new.csv", index=False)
    assert "no column 'price'" in run(capsys, "predict", "stones.safetensors", "new.csv", "--evaluate", status=1).err
    assert "values" in run(capsys, "predict", "stones.safetensors", "new.csv", "--probabilities", status=1).err


def test_rows_without_a_target_are_left_out_with_a_word(here, capsys, stones):
    stones.assign(price=stones["price"].mask(stones.index < 10)).to_csv("stones.csv", index=False)
    out, err = run(capsys, "train", "stones.csv", "--target", "price", *QUICK, "--json")
    assert "10 of 400 rows have no 'price' and are left out" in err
    assert sum(json.loads(out)["rows"].values()) == 390


def test_a_target_that_says_nothing_is_refused(stones):
    infinite = stones.assign(price=stones["price"].mask(stones.index < 9, np.inf))
    assert len(train(infinite, "price", Recipe(epochs=1)).table) == ROWS - 9
    with pytest.raises(ValueError, match="'price' is 2 in every row"):
        train(stones.assign(price=2), "price")
    for task in ("auto", "regression", "classification"):
        with pytest.raises(ValueError, match="'price' is missing in every row"):
            train(stones.assign(price=np.nan), "price", Recipe(task=task))
    with pytest.raises(ValueError, match="there are 9 rows"):
        train(stones[:9], "price")


@pytest.mark.parametrize("way", ["no", "yes", "auto"])
def test_logarithms_are_chosen_on_the_validation_rows(way):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(500, 2))
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.exp(2 * x[:, 0] + x[:, 1])})  # linear in logarithms alone
    result = train(table, "y", Recipe(log_target=way, layers=(), learning_rate=0.03))
    assert result.model.target.logarithm is (way != "no")
    assert any("skewed" in note for note in result.notes) is (way == "no")
    assert any("on the validation rows the rmse" in note for note in result.notes) is (way == "auto")
    assert (result.metrics["r2"] > 0.95) is (way != "no")


def test_both_ways_are_open_to_the_linear_baseline():
    pytest.importorskip("sklearn", reason="the baselines need the extra cli")
    x = np.random.default_rng(1).normal(size=500)
    table = pd.DataFrame({"x": x, "y": np.exp(2 * x)})
    assert baselines(train(table, "y", Recipe(log_target="yes", epochs=1)))["linear"]["r2"] > 0.99
    assert baselines(train(table, "y", Recipe(epochs=1)))["linear"]["r2"] < 0.9


@pytest.mark.parametrize(("arguments", "message"), [
    (["none.csv", "--target", "price"], "none.csv"),
    (["stones.csv", "--target", "prize"], "no column 'prize'"),
    (["stones.csv", "--target", "price", "--drop", "karat"], "no column 'karat'"),
    (["stones.csv", "--target", "dear", "--task", "regression"], "'dear' is one of numbers"),
    (["stones.csv", "--target", "price", "-o", "none/m.safetensors"], "there is no directory none"),
    (["stones.csv", "--target", "price", "-o", "stones.csv"], "is the table itself"),
    (["stones.csv", "--target", "price", "--learning-rate", "1e30"], "no longer finite"),
    (["stones.csv", "--target", "price", "--validation", "0.7", "--test", "0.7"], "less than 1"),
])
def test_failures_are_one_line_and_change_nothing(here, capsys, arguments, message):
    before = (here / "stones.csv").read_bytes()
    err = run(capsys, "train", *arguments, status=1).err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert [path.name for path in here.iterdir()] == ["stones.csv"]
    assert (here / "stones.csv").read_bytes() == before


def test_a_number_as_target_can_be_classes(here, capsys, stones):
    stones.assign(dear=(stones["dear"] == "yes") * 3 + 4).to_csv("stones.csv", index=False)
    command = ("train", "stones.csv", "--target", "dear", *QUICK, "--json")
    assert json.loads(run(capsys, *command).out)["task"] == "classification"
    records = json.loads(run(capsys, "predict", "stones.safetensors", "stones.csv", "--json").out)
    assert {record["dear_predicted"] for record in records} <= {4, 7}
    assert json.loads(run(capsys, *command, "--task", "regression").out)["task"] == "regression"


def test_inspect_tells_columns_and_results(here, capsys):
    run(capsys, "train", "stones.csv", "--target", "price", *QUICK)
    out = run(capsys, "inspect", "stones.safetensors").out
    for words in ("Dense(128, 'relu')", "one-hot, 3 categories and missing", "values, standardized", "on the test rows"):
        assert words in out
    assert json.loads(run(capsys, "inspect", "stones.safetensors", "--json").out)["target"]["name"] == "price"


@pytest.mark.parametrize(("module", "command"), [("pandas", "train"), ("pyarrow", "parquet")])
def test_an_absent_package_is_named_with_its_repair(module, command, here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    file = "stones.csv"
    if command == "parquet":
        file = "stones.parquet"
        Path(file).touch()
    assert "pip install" in run(capsys, "train", file, "--target", "price", status=1).err


def test_without_scikit_learn_there_are_no_baselines(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.dummy", None)
    out, err = run(capsys, "train", "stones.csv", "--target", "price", "--epochs", "1", "--json")
    assert json.loads(out)["baselines"] == {}
    assert "fastnn-numba[cli]" in err


def test_a_pipe_in_and_out(here, capsys):
    run(capsys, "train", "stones.csv", "--target", "price", *QUICK, "--quiet")
    with open("stones.csv", "rb") as table:
        done = subprocess.run([sys.executable, "-m", "fastnn", "predict", "stones.safetensors", "-"], stdin=table,
                              capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": ROOT})
    assert done.stdout.splitlines()[0] == "price_predicted"
    assert len(done.stdout.splitlines()) == ROWS + 1


ROOT = str(Path(fastnn.__file__).parents[1])
DIAMONDS = os.environ.get("FASTNN_DIAMONDS", "")


@pytest.mark.skipif(not DIAMONDS, reason="FASTNN_DIAMONDS does not say where ggplot2's diamonds.csv is")
@pytest.mark.parametrize("seed", range(5))
def test_diamonds(seed, tmp_path, capsys):
    model = tmp_path / "m.safetensors"
    out, _ = run(capsys, "train", DIAMONDS, "--target", "price", "--seed", seed, "--json", "--no-baselines", "-o", model)
    assert json.loads(out)["test"]["r2"] >= 0.98
