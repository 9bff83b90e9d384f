"""Kinds of files by their suffix: predictions are written in each, packed files, polars' frames, and suffixes of no kind."""

import gzip

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, read_table, train, write_table

GENERATOR = np.random.default_rng(0)
TABLE = pd.DataFrame({"x": GENERATOR.normal(size=60).round(3), "code": ["007", "a,b"] * 30})
TABLE["label"] = np.where(TABLE["x"] > 0, "high", "lów")
SUFFIXES = {".csv": "", ".tsv": "", ".txt": "", ".csv.gz": "", ".csv.bz2": "", ".csv.xz": "", ".csv.zip": "",
            ".csv.zst": "zstandard", ".parquet": "pyarrow", ".feather": "pyarrow", ".json": "", ".jsonl": "",
            ".xlsx": "openpyxl"}  # what a kind needs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a model and the table that it was trained on."""
    path = tmp_path_factory.mktemp("files")
    train(TABLE, "label", Recipe(epochs=1, members=1, layers=(), bins=0)).model.save(path / "m.safetensors")
    write_table(TABLE, path / "t.csv")
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_predictions_go_from_each_kind_to_each(suffix, folder):
    if SUFFIXES[suffix]:
        pytest.importorskip(SUFFIXES[suffix])
    write_table(TABLE, folder / f"in{suffix}")
    for source, out in ((f"in{suffix}", "p.csv"), ("t.csv", f"p{suffix}")):
        assert cli.main(["predict", str(folder / "m.safetensors"), str(folder / source), "-o", str(folder / out), "--keep",
                         "--probabilities"]) == 0
    found, wanted = (read_table(folder / name, text=["code"]) for name in (f"p{suffix}", "p.csv"))
    assert list(found.columns) == ["x", "code", "label", "label_predicted", "probability of high", "probability of lów"]
    assert found["code"].tolist() == TABLE["code"].tolist()
    assert found["label_predicted"].tolist() == wanted["label_predicted"].tolist()
    np.testing.assert_allclose(found["probability of high"].astype(float), wanted["probability of high"].astype(float), 1e-6)


@pytest.mark.parametrize(("name", "error"), [("p.foo", r"ends in \.foo, which names no kind of table; give \.csv"),
                                             ("p.xls", r"is a \.xls file"), ("p.jsonl.gz", r"is a packed \.jsonl file"),
                                             ("p.parquet.zip", r"is a packed \.parquet file")])
def test_suffixes_of_no_kind_are_refused_before_the_work(name, error, folder, capsys):
    with pytest.raises(ValueError, match=error):
        write_table(TABLE, folder / name)
    assert cli.main(["predict", str(folder / "m.safetensors"), str(folder / "none.csv"), "-o", str(folder / name)]) != 0
    assert name in capsys.readouterr().err
    assert not (folder / name).exists()


def test_a_packed_file_of_another_kind_is_not_read_as_csv(tmp_path):
    with gzip.open(tmp_path / "t.jsonl.gz", "wt") as file:
        file.write('{"a": 1}\n')
    with pytest.raises(ValueError, match=r"packed \.jsonl file"):
        read_table(tmp_path / "t.jsonl.gz")


def test_frames_of_polars_come_in_and_go_out(tmp_path):
    polars, _ = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frame = polars.DataFrame({name: TABLE[name].tolist() for name in TABLE})
    for suffix in (".csv", ".parquet"):
        write_table(frame, tmp_path / f"t{suffix}")
        again = read_table(tmp_path / f"t{suffix}", text=["code"])
        assert {name: again[name].tolist() for name in again} == {name: TABLE[name].tolist() for name in TABLE}
    recipe = Recipe(epochs=1, members=1, layers=(), bins=0)
    model, other = (train(table, "label", recipe).model for table in (frame, TABLE))
    np.testing.assert_array_equal(model.predict(frame), other.predict(TABLE))
    assert frame.with_columns(polars.Series("p", model.predict(frame))).height == 60
