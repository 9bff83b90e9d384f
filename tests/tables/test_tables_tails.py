"""The limit of a long tail is at its end, that of outliers does not change, and other columns are unaffected."""

import numpy as np
import pytest

from fastnn.tables import Preprocessing, Recipe, train
from fastnn.tables.columns.tails import LIMIT, reach

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

ROWS = 1500


def limit_of(values, **options):
    column, = Preprocessing.fit(pd.DataFrame({"x": values}), **options).columns
    return column.limit


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("draw", ["normal", "uniform", "exponential"])
def test_what_lies_within_the_limit_keeps_it(seed, draw):
    values = getattr(np.random.default_rng(seed), draw)(size=40)
    assert abs(values - values.mean()).max() < LIMIT * values.std()
    assert limit_of(values) == LIMIT


@pytest.mark.parametrize("tail", [lambda g: np.exp(3 * g.normal(size=ROWS)), lambda g: g.standard_cauchy(ROWS),
                                  lambda g: -g.pareto(1.5, ROWS), lambda g: g.standard_t(2, ROWS),
                                  lambda g: np.exp(3 * g.normal(size=200)), lambda g: np.rint(g.pareto(1, ROWS) * 10)],
                         ids=["exp(3x)", "Cauchy", "Pareto", "t of 2", "exp(3x) of 200", "rounded Pareto"])
def test_a_long_tail_counts_as_a_whole_and_as_far_again(tail):
    """With high probability: by chance, one of a hundred has a gap."""
    whole = 0
    for seed in range(100):
        values = tail(np.random.default_rng(seed))
        farthest = abs(values - values.mean()).max() / values.std()
        whole += 1.2 * farthest < limit_of(values) <= 2 * farthest
    assert whole >= 97


@pytest.mark.parametrize("slips", [1, 2, 5])
@pytest.mark.parametrize("factor", [10, 100, 1e6])
def test_slips_of_the_pen_count_as_far_as_the_limit(slips, factor):
    found = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        values = 5 + 0.8 * generator.normal(size=ROWS)
        values[generator.choice(ROWS, slips, replace=False)] *= factor
        found += limit_of(values) == LIMIT
    assert found >= 97


def test_a_slip_behind_a_tail_does_not_count_as_the_tail():
    values = np.exp(1.2 * np.random.default_rng(0).normal(size=ROWS))
    clean = limit_of(values)
    assert clean > 2 * LIMIT
    values[7] = 1e9
    scaled = limit_of(values)
    assert scaled == LIMIT  # of a deviation that the slip has made
    assert limit_of(values, limit=3.0) == 3.0


@pytest.mark.parametrize("sizes", [[0.0] * 30, [0.0] * 29 + [5.1], [0.0] * 3000 + [5.1] * 9, [1e-300] * 40 + [5.5, 1e300],
                                   [6.0] * 50, [*np.linspace(0, 5, 100), 5.01]])
def test_any_sizes_give_a_limit(sizes):
    assert LIMIT <= reach(np.array(sizes)) < np.inf


@pytest.mark.parametrize("seed", range(3))
def test_a_feature_with_a_long_tail_is_learned(seed):
    generator = np.random.default_rng(seed)
    x = np.exp(3 * generator.normal(size=400))
    table = pd.DataFrame({"x": x, "y": 3 * x + generator.normal(size=400)})
    result = train(table, "y", Recipe(epochs=60, bins=0, seed=seed))
    assert result.metrics["r2"] > 0.99


def test_numbers_at_prediction_stay_within_the_limit():
    x = np.exp(3 * np.random.default_rng(0).normal(size=400))
    fitted = Preprocessing.fit(pd.DataFrame({"x": x}))
    limit = fitted.columns[0].limit
    far = fitted.transform(pd.DataFrame({"x": [1e300, -1e300, x.max()]}))[:, 0]
    assert far.tolist()[:2] == [np.float32(limit), np.float32(-limit)]
    assert far[2] == pytest.approx(limit / 2)  # of so long a tail, twice as far


def test_where_a_tail_is_short_little_lies_beyond_it():
    generator = np.random.default_rng(0)
    values = generator.normal(size=10**6)
    farthest = abs(values - values.mean()).max() / values.std()
    if farthest <= LIMIT:
        values[0], farthest = 5.05, 5.05
    assert farthest < limit_of(values) < 1.3 * farthest
