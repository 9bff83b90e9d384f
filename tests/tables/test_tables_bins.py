"""The piecewise-linear encoding of numbers."""

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import Preprocessing, Recipe, train
from fastnn.tables.columns.bins import edges_of, encode, fitting
from fastnn.tables.columns.kinds import Number

generator = np.random.default_rng(0)


def test_a_feature_is_the_part_of_a_bin_below_the_number():
    out = np.empty((4, 2))
    encode(np.array([-1.0, 1.0, 3.0, 9.0]), (0.0, 2.0, 6.0), False, out)
    assert out.tolist() == [[0.0, 0.0], [0.5, 0.0], [1.0, 0.25], [1.0, 1.0]]
    encode(np.array([-1.0, 1.0, 3.0, 8.0]), (0.0, 2.0, 6.0), True, out)
    assert out.tolist() == [[-0.5, 0.0], [0.5, 0.0], [1.0, 0.25], [1.0, 1.5]]


@pytest.mark.parametrize(("values", "count", "edges"), [
    (np.arange(101.0), 4, (0, 25, 50, 75, 100)),
    (np.tile([1.0, 2.0, 5.0, 9.0], 5), 16, (1, 2, 5, 9)),  # few different numbers are edges themselves
    (np.tile([1.0, 2.0, 5.0], 5), 16, ()), (np.arange(9.0), 0, ()), (np.array([-1.7e308, 0.0, 1.0, 1.7e308]), 3, ()),
    (np.array([0.0] * 97 + [1.0, 2.0, 3.0]), 2, ()),
])
def test_edges_are_quantiles(values, count, edges):
    assert edges_of(values, count) == edges


def test_there_are_fewer_bins_in_very_large_tables():
    assert [fitting(16, rows, 50) for rows in (1000, 10**6, 10**7)] == [16, 5, 0]


def test_a_model_keeps_its_bins(tmp_path):
    table = pd.DataFrame({"x": [*generator.normal(size=99), np.nan]})
    fitted = Preprocessing.fit(table, bins=4)
    assert [len(fitted.features), fitted.features[:2], str(fitted.columns[0])[:26]] == [
        6, ["x", "x missing"], "standardized and in 4 bins"]
    again = Preprocessing.from_json(fitted.to_json())
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
    assert "edges" not in Preprocessing.fit(table).config()["columns"][0]  # as earlier versions write it


@pytest.mark.parametrize("edges", [[1.0], [1.0, 2.0], [1.0, 1.0, 2.0], [3.0, 2.0, 1.0], ["a", "b", "c"], "abc",
                                   [-1.7e308, 0.0, 1.7e308], [0.0, float("nan"), 1.0], list(range(2000))])
def test_wrong_edges_in_a_file_are_refused(edges):
    config = Preprocessing.fit(pd.DataFrame({"x": np.arange(9.0)}), bins=4).config()
    config["columns"][0]["edges"] = edges
    with pytest.raises(ValueError, match="edges"):
        Preprocessing.from_config(config)


def test_a_function_that_varies_quickly_is_learned():
    x = generator.uniform(size=600)
    table = pd.DataFrame({"x": x, "y": np.sin(25 * x)})
    plain, binned = (train(table, "y", Recipe(epochs=60, members=2, bins=bins)).metrics["rmse"] for bins in (0, 16))
    assert binned < 0.5 * plain


def test_numbers_have_bins_only_where_asked():
    assert Number.fit(pd.Series(np.arange(20.0), name="x")).edges == ()
