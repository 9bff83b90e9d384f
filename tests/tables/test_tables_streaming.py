"""Parquet files that are read in parts: the same rows and bits however they are read, and the predictions of the table."""

import numpy as np
import pandas as pd
import pytest

from fastnn import Dense, cli
from fastnn.tables import ParquetStream, Recipe, TableModel, read_table, train, write_table
from fastnn.tables.streaming import memory
from fastnn.tables.streaming.sample import EACH, TEST, TRAINING, VALIDATION, Shares, draw, hashed
from fastnn.tables.streaming.windows import Buffers, ahead, count, windows

pytest.importorskip("pyarrow")
ROWS, GROUP = 3000, 130
RECIPE = Recipe(epochs=2, layers=(), bins=4)


def a_table(rows=ROWS, seed=0):
    generator = np.random.default_rng(seed)
    x, kind = generator.normal(size=rows), generator.choice(list("abc"), rows)
    whole = pd.Series(generator.integers(0, 9, rows), dtype=object)
    whole[generator.random(rows) < 0.02] = None
    return pd.DataFrame({"x": np.where(generator.random(rows) < 0.05, np.nan, x), "kind": kind, "number": np.arange(rows),
                         "whole": whole.astype("float64"), "sure": generator.random(rows) < 0.5,
                         "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 400, rows), "D"),
                         "y": np.round(2 * x + (kind == "a") + 0.1 * generator.normal(size=rows), 6),
                         "label": np.where(x + (kind == "b") > 0, "up", "down")})


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("streams") / "t.parquet"
    a_table().to_parquet(path, row_group_size=GROUP)
    return path


@pytest.fixture(scope="module")
def model(file):
    return train(ParquetStream(file), "y", RECIPE).model


@pytest.mark.parametrize(("rows", "at_once"), [(1, 7), (100, 1), (1000, 64), (10**6, 10**6)])
def test_pieces_are_the_table_whatever_is_read_at_a_time(file, rows, at_once):
    stream, order = ParquetStream(file, at_once), [5, 0, 22, 23]
    if rows == 1:
        order = [23]
    found = [*stream.pieces(rows, groups=order)]
    numbers = np.concatenate([numbers for numbers, _ in found])
    wanted = np.concatenate([np.arange(GROUP * k, min(GROUP * (k + 1), ROWS)) for k in order])
    np.testing.assert_array_equal(numbers, wanted)
    assert {len(table) for _, table in found[:-1]} <= {rows}
    whole = pd.concat([stream.frame(table) for _, table in found], ignore_index=True)
    pd.testing.assert_frame_equal(whole, pd.read_parquet(file).iloc[wanted].reset_index(drop=True))


def test_a_window_mixes_row_groups_and_a_pass_has_every_row_once(file):
    stream = ParquetStream(file, 17)
    passes = [[numbers for numbers, _ in windows(stream, 400, ["x"], seed)] for seed in (0, 1)]
    for found in passes:
        np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(ROWS))
        assert len({number // GROUP for number in found[0]}) >= 8
    assert len(passes[0]) == count(stream, 400, 0)
    assert not np.array_equal(passes[0][0], passes[1][0])


def test_the_parts_of_rows_have_their_shares_and_do_not_depend_on_other_rows():
    u = hashed(np.arange(200_000), 3)
    assert np.abs(np.histogram(u, 20, (0, 1))[0] / 10_000 - 1).max() < 0.05
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.01
    assert not np.array_equal(u[:10], hashed(np.arange(10), 4))
    np.testing.assert_array_equal(hashed(np.arange(50, 60), 3), u[50:60])
    parts, sampled = Shares(0.2, 0.1, 0.3, 0).parts(np.arange(200_000))
    shares = np.bincount(parts) / 200_000
    np.testing.assert_allclose(shares[[TEST, VALIDATION]], [0.2, 0.1], atol=5e-3)
    assert sampled[parts != TRAINING].all()
    assert abs(sampled[parts == TRAINING].mean() - 0.3 / 0.7) < 0.01


def test_every_class_is_in_the_sample(tmp_path):
    rare = np.full(ROWS, "often", object)
    rare[[10, 11, 2000]] = "rare"
    pd.DataFrame({"x": np.arange(ROWS), "y": rare}).to_parquet(tmp_path / "t.parquet")
    stream = ParquetStream(tmp_path / "t.parquet")
    stream.rows *= 10_000  # so that hardly any row is drawn by chance
    sample = draw(stream, "y", Recipe(seed=1, test=0.2, validation=0.1))
    assert 0 < (sample.table["y"] == "rare").sum() <= 3
    assert EACH <= (sample.table["y"] == "often").sum() < 20


def test_training_has_the_same_bits_whatever_is_read_at_a_time_and_for_any_threads(file, model, monkeypatch):
    other = train(ParquetStream(file, 11), "y", Recipe(epochs=2, layers=(), bins=4, threads=1)).model
    for name, array in model.network.parameters.items():
        np.testing.assert_array_equal(array, other.network.parameters[name], strict=True)
    changed = train(ParquetStream(file), "y", Recipe(epochs=2, layers=(), bins=4, seed=1)).model
    assert not np.array_equal(changed.forward(a_table()), model.forward(a_table()))


def test_predictions_of_a_stream_are_those_of_the_table(file, model, monkeypatch):
    wanted = model.predict(read_table(file))
    monkeypatch.setattr("fastnn.tables.streaming.windows.ROWS", 700)
    np.testing.assert_array_equal(model.predict(ParquetStream(file, 13)), wanted, strict=True)
    assert model.evaluate(ParquetStream(file)) == model.evaluate(read_table(file))
    parts = [*model.predict_parts(ParquetStream(file), ["number"])]
    assert len(parts) == 5
    np.testing.assert_array_equal(pd.concat(parts)["y_predicted"], wanted)
    assert parts[1]["number"].iloc[0] == 700


def test_the_result_is_that_of_a_training(file):
    result = train(ParquetStream(file), "label", Recipe(epochs=6, layers=(), bins=0, learning_rate=0.05))
    assert result.metrics["accuracy"] > 0.95
    assert sum(result.rows.values()) == ROWS
    assert result.rows["test"] == len(result.test)
    assert any("'number' has a different whole number in each row" in note for note in result.notes)
    assert len(result.histories) == 2
    assert all(len(history.epochs) > max(result.best_epochs) for history in result.histories)
    assert type(result.model.predict(a_table())[0]) is str


def test_columns_of_many_categories_are_embedded(tmp_path):
    words = np.char.add("w", (np.arange(ROWS) % 600).astype(str))
    a_table().assign(word=words)[["word", "kind", "x", "y"]].to_parquet(tmp_path / "t.parquet", row_group_size=GROUP)
    model = train(ParquetStream(tmp_path / "t.parquet"), "y", Recipe(epochs=1, layers=[Dense(4)], bins=0)).model
    assert len(model.preprocessing.tokens) == 1  # 500 for each of two columns
    np.testing.assert_array_equal(model.predict(ParquetStream(tmp_path / "t.parquet")),
                                  model.predict(read_table(tmp_path / "t.parquet")))


def test_rows_without_a_target_have_no_effect(file, tmp_path, model):
    table = a_table()
    table.loc[::7, "y"] = np.nan
    table.to_parquet(tmp_path / "gaps.parquet", row_group_size=GROUP)
    found = [train(ParquetStream(tmp_path / "gaps.parquet", at_once), "y", RECIPE) for at_once in (50, 5000)]
    assert sum(found[0].rows.values()) == table["y"].notna().sum()
    assert any("429 of 3,000 rows have no 'y'" in note for note in found[0].notes)
    np.testing.assert_array_equal(*(each.model.forward(a_table()) for each in found))


@pytest.mark.parametrize(("options", "error"), [
    ({"group": "kind"}, "group is 'kind', which a file that is read in parts does not support"),
    ({"time": "day"}, "time is 'day'"), ({"seconds": 1.0}, "seconds is 1.0"),
    ({"validation": 0.5, "test": 0.6}, "less than 1"),
    ({"task": "regression", "log_target": "yes"}, "only what is positive has a logarithm"),
])
def test_what_streams_do_not_have_is_refused_by_name(file, options, error):
    with pytest.raises(ValueError, match=error):
        train(ParquetStream(file), "y", Recipe(**options))


def test_files_that_are_no_parquet_are_refused(tmp_path, file):
    (tmp_path / "t.parquet").write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match=r"cannot read .*t\.parquet as Parquet"):
        ParquetStream(tmp_path / "t.parquet")
    with pytest.raises(FileNotFoundError):
        ParquetStream(tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="'z'"):
        train(ParquetStream(file), "z")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zip", ".csv.zst", ".parquet",
                                    ".feather", ".json", ".jsonl"])
def test_parts_are_written_as_the_whole(suffix, tmp_path):
    if suffix == ".csv.zst":
        pytest.importorskip("zstandard")
    table = a_table(50).drop(columns="day").assign(kind=["a,b", None, 'ü"'] * 16 + ["x", "y"])
    write_table(iter([table.iloc[:20], table.iloc[20:20], table.iloc[20:]]), tmp_path / f"parts{suffix}")
    write_table(table, tmp_path / f"whole{suffix}")
    parts, whole = (read_table(tmp_path / f"{name}{suffix}") for name in ("parts", "whole"))
    pd.testing.assert_frame_equal(parts, whole)


def test_excel_is_not_written_in_parts_and_a_failure_leaves_the_old_file(tmp_path):
    with pytest.raises(ValueError, match="are not written in parts"):
        write_table(iter([a_table(3)]), tmp_path / "t.xlsx")
    write_table(a_table(3), tmp_path / "t.csv")
    before = (tmp_path / "t.csv").read_bytes()

    def broken():
        yield a_table(5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_table(broken(), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == before
    assert [*tmp_path.iterdir()] == [tmp_path / "t.csv"]


def test_the_commands_stream(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", str(file), "--target", "y", "--epochs", "1", "--layers", "none", "--stream"]) == 0
    printed = capsys.readouterr()
    assert "read in 24 row groups" in printed.out
    assert "because --stream asks for it" in printed.err
    for asked, out in (("yes", "parts.csv"), ("no", "whole.csv")):
        assert cli.main(["predict", "t.safetensors", str(file), "--stream", asked, "-o", out, "--keep",
                         "--interval", "0.9"]) == 0
    parts, whole = ((tmp_path / name).read_text() for name in ("parts.csv", "whole.csv"))
    assert parts == whole
    capsys.readouterr()
    results = []
    for asked in ("yes", "no"):
        assert cli.main(["predict", "t.safetensors", str(file), "--stream", asked, "--evaluate", "--json"]) == 0
        results.append(capsys.readouterr().out)
    assert results[0] == results[1]
    assert TableModel.load("t.safetensors").report["rows"]["training"] < ROWS
    assert cli.main(["train", str(file), "--target", "y", "--stream", "--folds", "3"]) != 0
    assert cli.main(["predict", "t.safetensors", "t.csv", "--stream"]) != 0
    assert "no Parquet file" in capsys.readouterr().err


def test_a_file_streams_if_it_is_large_for_the_free_memory(file, monkeypatch):
    stream = ParquetStream(file)
    assert not memory.is_too_large(stream)
    monkeypatch.setattr(memory, "free_memory", lambda: stream.estimated_bytes() * 1.9)
    assert memory.is_too_large(stream)
    assert memory.note_on(stream, False).startswith("the file is read in parts: as a whole it would take about")
    monkeypatch.undo()
    assert 2**20 < memory.free_memory() < 2**50


def test_work_ahead_keeps_the_order_and_passes_errors_on():
    assert [*ahead(lambda x: x * x, iter_of(5))] == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        [*ahead(lambda x: 1 / (3 - x), iter_of(5))]
    buffers = Buffers(2)
    first, second, third = (buffers.take(4) for _ in range(3))
    assert first is not second
    assert third is first


def iter_of(count):
    yield from range(count)


def test_unseen_values_are_reported_once(tmp_path, model):
    table = a_table(400).assign(kind="new")
    table.to_parquet(tmp_path / "new.parquet", row_group_size=50)
    with pytest.warns(UserWarning, match=r"'new' in 400 of 400 rows") as caught:
        model.predict(ParquetStream(tmp_path / "new.parquet"))
    assert len(caught) == 1


def test_an_empty_file_has_no_predictions(tmp_path, model):
    a_table(0).to_parquet(tmp_path / "none.parquet")
    assert model.predict(ParquetStream(tmp_path / "none.parquet")).shape == (0,)


@pytest.mark.parametrize(("target", "options", "columns"), [
    ("whole", {"task": "counts"}, ["whole_predicted"]), ("label", {"order": ["down", "up"]}, ["label_predicted"]),
    ("y", {"quantiles": [0.1, 0.9]}, ["y_q0.1", "y_q0.9"])])
def test_other_kinds_of_targets_are_learned_in_parts(file, target, options, columns):
    from fastnn.tables.training.baselines import baselines

    drop = [name for name in ("y", "label", "whole") if name != target]
    result = train(ParquetStream(file), target, Recipe(epochs=10, layers=(), bins=4, drop=drop, **options))
    guess = next(iter(baselines(result).values()))
    assert result.metrics[result.model.target.measure] < 1.1 * guess[result.model.target.measure]
    parts = [*result.model.predict_parts(ParquetStream(file))]
    assert list(parts[0]) == columns
    assert sum(map(len, parts)) == ROWS
    found = result.model.evaluate(ParquetStream(file))
    assert found == pytest.approx(result.model.evaluate(read_table(file)))


def test_several_targets_are_refused_in_parts(file):
    with pytest.raises(ValueError, match="has one target"):
        train(ParquetStream(file), ["y", "label"], RECIPE)
