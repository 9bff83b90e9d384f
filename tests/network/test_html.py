"""Networks and histories as HTML in notebooks: well-formed, complete, escaped, and without scripts."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from layer_cases import network, one_place_each

from fastnn import Dense, History, Network


def parse(html):
    """Return the elements of the HTML, which is XML too."""
    assert "<script" not in html
    return ElementTree.fromstring(f"<div>{html}</div>")


def cells(root):
    return [[cell.text for cell in row] for row in root.iter("tr")]


def history(**metrics):
    made = History()
    made.metrics.update(metrics)
    return made


@pytest.mark.parametrize(("name", "place"), one_place_each(0))
def test_a_network_shows_what_its_summary_says(name, place):
    net = network(name, place)
    root, lines = parse(net._repr_html_()), net.summary().split("\n")
    head, *rows = cells(root)
    assert head == ["layer", *([] if net.graph.is_chain else ["reads"]), "output shape", "parameters"]
    assert len(rows) == len(net.wiring.steps) + (not net.graph.is_chain)
    for row, line in zip(rows, lines[2:], strict=False):
        assert " ".join(row).split() == line.split()
    assert next(root.iter("caption")).text == lines[-1]


def test_a_history_shows_each_metric_and_a_curve():
    root = parse(history(loss=[1.0, 0.25, 0.5], val_loss=[2.0, 1.5, 1.0], accuracy=[0.1, 0.9, 0.8])._repr_html_())
    assert cells(root) == [["metric", "last", "best", "in epoch"], ["loss", "0.5", "0.25", "2"], ["val_loss", "1", "1", "3"],
                           ["accuracy", "0.8", "0.9", "2"]]
    training, validation = root.iter("{http://www.w3.org/2000/svg}polyline")
    heights = [float(point.split(",")[1]) for point in training.get("points").split()]
    assert heights[1] > heights[2] > heights[0]  # y runs downwards
    assert validation.get("stroke-dasharray")


@pytest.mark.parametrize("metrics", [
    {}, {"loss": [0.0]}, {"loss": [1.0, 1.0]}, {"loss": [1.0, math.nan, 2.0, math.inf, 3.0, 4.0]}, {"loss": [math.nan]},
    {"reward": [-1.0, 2.0]}, {"<b>&'": [1.0, 2.0]}, {"loss": list(np.linspace(3, 1e-9, 5000))},
    {"loss": [1.0, 0.5], "val_loss": [0.5]}, {"loss": [0.0, 1e300], "val_loss": [-1e300, 0.0]},
], ids=str)
def test_any_history_is_well_formed_and_its_curve_within_the_picture(metrics):
    root = parse(history(**metrics)._repr_html_())
    for svg in root.iter("{http://www.w3.org/2000/svg}svg"):
        for line in svg.iter("{http://www.w3.org/2000/svg}polyline"):
            for point in line.get("points").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= float(svg.get("width"))
                assert 0 <= y <= float(svg.get("height"))


def test_a_fit_shows_itself():
    net = Network([Dense(2, "softmax")], inputs=2)
    fitted = net.fit(np.eye(2), [0, 1], epochs=2, validation_data=(np.eye(2), [0, 1]))
    assert [row[0] for row in cells(parse(fitted._repr_html_()))] == ["metric", *fitted]


def test_html_needs_no_matplotlib():
    code = ("import sys, fastnn; h = fastnn.History(); h.append({'loss': 1.0}); h._repr_html_(); "
            "fastnn.Network([fastnn.Dense(1)], inputs=1)._repr_html_(); assert 'matplotlib' not in sys.modules")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
