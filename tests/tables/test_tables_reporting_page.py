"""The report of a training: one file without outside resources, well-formed, for every kind of target."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import ParquetStream, Recipe, train, write_report
from fastnn.tables.reporting.drawing import Frame, brief, heat_map, horizontal_bars, log_ticks, ticks

ROWS = 240
GENERATOR = np.random.default_rng(0)
TABLE = pd.DataFrame({"x": GENERATOR.normal(size=ROWS), "<kind>": GENERATOR.choice(["a & b", "<i>c"], ROWS),
                      "day": pd.date_range("2024-01-01", periods=ROWS), "gap": np.where(np.arange(ROWS) % 3, 1.5, np.nan)})
TARGETS = {
    "values": TABLE["x"] * 3 + 10, "classes": np.where(TABLE["x"] > 0, "<up>", "down"),
    "many": (np.argsort(np.argsort(TABLE["x"])) // 8).astype(str), "counts": GENERATOR.poisson(np.exp(TABLE["x"])),
}
OPTIONS = {"counts": {"task": "counts"}, "ordered": {"task": "ordered"}, "quantiles": {"quantiles": (0.1, 0.5, 0.9)}}
PICTURES = {"values": "Residuals", "classes": "Confusion", "many": "largest confusions among 30 classes",
            "counts": "Residuals", "ordered": "Confusion", "quantiles": "Calibration: quantiles", "several": "Confusion"}


class Reader(HTMLParser):
    """Notes the open elements, and whatever refers to another file."""

    def __init__(self):
        super().__init__()
        self.open, self.outside, self.kinds = [], [], []

    def handle_starttag(self, tag, attributes):
        self.kinds.append(tag)
        self.outside += [value for name, value in attributes if name in ("src", "href", "action") or "://" in (value or "")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.kinds.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert reader.outside == []
    assert "script" not in reader.kinds
    assert "link" not in reader.kinds
    assert not re.search(r"url\(|@import|\bnan\b|\binf\b", text)
    assert "prefers-color-scheme: dark" in text
    return text


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_target_has_a_report(kind, tmp_path):
    own = {"ordered": {"y": np.digitize(TABLE["x"], [-1, 0, 1])}, "quantiles": {"y": TARGETS["values"]},
           "several": {"y": TARGETS["values"], "z": TARGETS["classes"]}}.get(kind) or {"y": TARGETS[kind]}
    recipe = Recipe(epochs=2, members=2, layers=(), bins=4, linear="no", **OPTIONS.get(kind, {}))
    result = train(TABLE.assign(**own), [*own] if len(own) > 1 else "y", recipe)
    write_report(result, tmp_path / "r.html", baselines=None if kind in ("values", "classes") else {})
    text = checked((tmp_path / "r.html").read_text())
    assert PICTURES[kind] in text
    assert "&lt;i&gt;c" in text
    assert "<i>c" not in text
    assert text.count("<svg") > 4
    for note in result.notes:
        assert note.split("'")[0] in text
    if kind == "values":
        assert "linear" in text
        assert "intervals for" in text


def test_a_stream_has_one_too(tmp_path):
    TABLE.assign(y=TARGETS["values"]).to_parquet(tmp_path / "t.parquet", row_group_size=50)
    result = train(ParquetStream(tmp_path / "t.parquet"), "y", Recipe(epochs=1, layers=(), bins=0))
    write_report(result, tmp_path / "r.html", baselines={}, importance={})
    assert "Loss by stage" in checked((tmp_path / "r.html").read_text())


def test_the_command_writes_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TABLE.assign(y=TARGETS["classes"]).to_csv("t.csv", index=False)
    assert cli.main(["train", "t.csv", "--target", "y", "--epochs", "1", "--members", "2", "--folds", "2",
                     "--layers", "none", "--report", "r.html", "--quiet"]) == 0
    text = checked((tmp_path / "r.html").read_text())
    for title in ("Results on the test rows", "Notes", "Cross-validation", "Importance", "Training", "Data and what was"):
        assert f"<h2>{title}" in text


def test_axes_have_round_numbers_and_points_stand_where_they_belong():
    np.testing.assert_allclose(ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(ticks(-130, 410), [-100, 0, 100, 200, 300, 400])
    np.testing.assert_allclose(10 ** np.array(log_ticks(-1.1, 0.5)), [0.1, 0.2, 0.5, 1, 2])
    np.testing.assert_allclose(log_ticks(-3.5, 2.5), [-3, -2, -1, 0, 1, 2])
    frame = Frame("t", (0, 10), (1, 100), ("x", "y"), log=True)
    (left, low), (middle, between), (right, high) = (frame.place(*point) for point in ((0, 1), (5, 10), (10, 100)))
    assert left < middle < right
    assert high < between < low
    assert abs(2 * between - low - high) < 1e-9
    assert [brief(value) for value in (0, 12345.678, 0.5, 1e-9, None, float("nan"), 2e7)] == [
        "0", "12,346", "0.5", "1e-09", "–", "–", "2e+07"]


def test_bars_and_maps_hold_their_numbers():
    text = horizontal_bars("b", {"one": 3.0, "<two>": -1.0})
    widths = [float(width) for width in re.findall(r'<rect class="bar a" [^>]*width="([0-9.]+)"', text)]
    assert abs(widths[0] / widths[1] - 3) < 0.01
    assert "&lt;two&gt;" in text
    drawn = heat_map("m", [[3, 1], [0, 20_000]], ["a", "b"], ("true", "predicted"))
    assert "a predicted as b: 1" in drawn
    assert "20k" in drawn
