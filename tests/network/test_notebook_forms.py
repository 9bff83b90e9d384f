"""Objects as notebooks show them: tables in HTML, and a summary that shows as it is printed."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from fastnn import Dense, Network, Population, check_gradients, sweep

X = np.linspace(-1, 1, 40).reshape(20, 2)
Y = X.sum(axis=1)


def cells(html):
    """Return the text of the cells of each row, after checking that it is well formed."""
    root = ElementTree.fromstring(f"<div>{html}</div>")
    return [[cell.text or "" for cell in row] for row in root.iter("tr")], "".join(root.itertext())


def test_a_summary_shows_as_it_is_printed():
    text = Network([Dense(3, "relu"), Dense(1)], inputs=2).summary()
    assert repr(text) == str(text)
    assert isinstance(text, str)
    assert text.count("\n") == 5


def test_a_population():
    population = Population(Network([Dense(1)], inputs=2), seeds=range(25))
    assert "not fitted yet" in population._repr_html_()
    population.fit(X, Y, epochs=3)
    rows, text = cells(population._repr_html_())
    assert rows[0] == ["member", "epochs", "loss"]
    assert len(rows) == 21
    assert rows[3] == ["2", "3", f"{population.histories[2]['loss'][-1]:.4g}"]
    assert "the first 20 are shown" in text


def test_a_sweep():
    result = sweep({"width": [2, 3], "learning_rate": [0.1, 0.01]}, X, Y, epochs=2)
    rows, text = cells(result._repr_html_())
    assert len(rows) == 5
    assert rows[1][rows[0].index("configuration")] == str(result.ranking[0])
    assert "the best first" in text


def test_a_gradient_report():
    report = check_gradients(Network([Dense(1)], inputs=2, dtype="float64"), X, Y)
    rows, text = cells(report._repr_html_())
    assert [row[0] for row in rows] == ["parameter", "0.weight", "0.bias"]
    assert "passed" in text
    assert report.verdict in str(report)


def test_a_model_of_a_table():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    from fastnn.tables import Recipe, train

    table = pandas.DataFrame({"a < b": X[:, 0], "b": X[:, 1], "y": Y})
    result = train(table, "y", Recipe(epochs=2))
    rows, text = cells(result._repr_html_())
    assert rows[0] == ["metric", "on the test rows"]
    assert [row[0] for row in rows[1:1 + len(result.metrics)]] == list(result.metrics)
    rows, text = cells(result.model._repr_html_())
    assert rows[1][:2] == ["y", "regression"]
    assert "a < b" in text
