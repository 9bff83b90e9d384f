"""Pictures come out without a screen, say what they should, and do without Matplotlib where it is missing."""

import sys

import numpy as np
import pytest

from fastnn import Dense, History, Network, plot

pytest.importorskip("matplotlib")

X = np.random.default_rng(0).normal(size=(40, 2))


@pytest.mark.parametrize(("outputs", "activation", "classes"), [(3, "softmax", 3), (1, "sigmoid", 2)])
def test_decision_boundary(outputs, activation, classes, tmp_path):
    net = Network([Dense(outputs, activation)], inputs=2)
    ax = plot.decision_boundary(net, X, np.arange(40) % classes)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"class {c}" for c in range(classes)]
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert left < X[:, 0].min() < X[:, 0].max() < right
    assert bottom < X[:, 1].min() < X[:, 1].max() < top
    [ground] = ax.get_images()
    # the colour at a corner of the picture is that of the class which the network sees there
    [probabilities] = plot.class_probabilities(net, [[left, bottom]])
    expected = 1 - plot.TINT * probabilities @ (1 - plot.class_colors(classes))
    np.testing.assert_allclose(ground.get_array()[0, 0], expected)
    assert plot.save_picture(tmp_path / "new" / "a.png", lambda: ax) == f"picture: {tmp_path / 'new' / 'a.png'}"
    assert (tmp_path / "new" / "a.png").stat().st_size > 1000


def test_decision_boundary_refuses_other_than_a_plane():
    with pytest.raises(ValueError, match="2 inputs, not 3"):
        plot.decision_boundary(Network([Dense(2, "softmax")], inputs=3), X, np.zeros(40))


def test_learning_curves():
    history = History()
    history.append({"loss": 1.0, "val_loss": 2.0, "accuracy": 0.5})
    history.append({"loss": 0.5, "val_loss": 1.5, "accuracy": 0.75})
    ax = plot.learning_curves(history)
    assert [line.get_ydata().tolist() for line in ax.get_lines()] == [[1.0, 0.5], [2.0, 1.5]]
    assert ax.get_yscale() == "log"
    [line] = plot.learning_curves(history, metric="accuracy").get_lines()
    assert line.get_ydata().tolist() == [0.5, 0.75]


def test_heat_map():
    ax = plot.heat_map([[0.0, 0.25], [0.5, 1.0]], ["a", "b"], ["c", "d"], label="share", form="{:.2f}")
    assert [text.get_text() for text in ax.texts] == ["0.00", "0.25", "0.50", "1.00"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["c", "d"]


def test_axes_given_are_drawn_on():
    ax = plot.axes()
    net = Network([Dense(2, "softmax")], inputs=2)
    assert plot.decision_boundary(net, X, np.zeros(40), ax=ax) is ax
    assert plot.learning_curves({"loss": [1.0]}, ax=ax) is ax


def test_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn-numba\[plot\]"'):
        plot.axes()
    assert "fastnn-numba[plot]" in plot.save_picture(tmp_path / "a.png", plot.axes)
    assert not list(tmp_path.iterdir())
