"""Mistakes passed to the estimators and to tables are refused, and change neither the data nor the model."""

import warnings

import numpy as np
import pytest
from faults import NUMBERS
from test_bad_arrays import OTHER_ROWS
from witness import REPAIR, assert_refused, portrait
from zoo import ZOO

pytest.importorskip("sklearn", reason='estimators need the extra: pip install "fastnn-numba[sklearn]"')
pandas = pytest.importorskip("pandas", reason='tables need the extra: pip install "fastnn-numba[cli]"')
from fastnn.sklearn import NetworkClassifier, NetworkRegressor  # noqa: E402
from fastnn.sklearn.parameters import CHECKS  # noqa: E402
from fastnn.tables import Preprocessing, Recipe, read_table, train, write_table  # noqa: E402

rng = np.random.default_rng(0)
X, LABELS, VALUES = rng.normal(size=(12, 4)), rng.integers(3, size=12), rng.normal(size=12)
ESTIMATORS = [(NetworkClassifier, LABELS), (NetworkRegressor, VALUES)]
every_estimator = pytest.mark.parametrize(("kind", "y"), ESTIMATORS, ids=["classifier", "regressor"])
# Mistakes that scikit-learn accepts, so that estimators accept them too; checking 2⁴⁵ rows would take forever.
TAKEN = {"sparse rows", "sparse columns", "a sparse array", "text", "text in objects", "a list of text", "bytes in objects",
         "a frame with text", "a frame of categories", "bytes", "no strides, past memory",
         "columns too many", "None among numbers"}


def small(kind, **options):
    return kind(hidden_layer_sizes=(3,), max_iter=2, random_state=0, **options)


def learned(estimator):
    return {name: view.tobytes() for name, view in estimator.network_.parameters.items()}, sorted(vars(estimator))


@every_estimator
@pytest.mark.parametrize("fault", [name for name in NUMBERS if name not in (*OTHER_ROWS, *TAKEN)])
@pytest.mark.filterwarnings("ignore")
def test_data(kind, y, fault):
    estimator = small(kind).fit(X, y)
    held, wrong = learned(estimator), NUMBERS[fault](X)
    before = portrait([wrong, y])
    calls = [lambda: estimator.fit(wrong, y)]
    if fault != "one row of all":
        calls += [lambda: estimator.partial_fit(wrong, y), lambda: estimator.predict(wrong),
                  lambda: estimator.score(wrong, y)]
    for call in calls:
        with pytest.raises((ValueError, TypeError, ArithmeticError, MemoryError)):
            call()
        assert learned(estimator) == held
    assert portrait([wrong, y]) == before


@every_estimator
@pytest.mark.parametrize("fault", ["nan", "inf", "3 axes", "ragged", "a row too few", "a row too many", "no rows", "dates",
                                   "None among numbers", "a word", "a number", "a dict"])
@pytest.mark.filterwarnings("ignore")
def test_targets(kind, y, fault):
    estimator = small(kind).fit(X, y)
    held = learned(estimator)
    wrong = NUMBERS[fault](y.astype(float)[:, None] if fault == "3 axes" else y.astype(float))
    if fault == "dates" and kind is NetworkClassifier:
        pytest.skip("anything may be a class")
    with pytest.raises((ValueError, TypeError)):
        estimator.fit(X, wrong)
    assert learned(estimator) == held


def test_options():
    """The error names each parameter; `fit` checks all of them."""
    for name, check in CHECKS.items():
        for value in ZOO.values():
            try:
                check(name, value)
            except ValueError as error:
                message = str(error)
            else:
                continue
            assert name in message, message
            assert REPAIR.search(message), message


# Tables


TABLE = pandas.DataFrame({"x": np.linspace(0, 1, 40), "kind": ["a", "b"] * 20, "y": np.linspace(1, 2, 40) ** 2})


@pytest.mark.parametrize("value", [None, "stones.csv", 3, X, [1, 2], {"x": [1]}],
                         ids=lambda value: type(value).__name__)
def test_what_is_no_table(value):
    model = train(TABLE, "y", Recipe(epochs=1)).model
    for call in (lambda: train(value, "y"), lambda: Preprocessing.fit(value), lambda: model.predict(value)):
        assert_refused(call, "table", value, None, [value])


@pytest.mark.parametrize("target", [None, "z", 3, "", 1.5, ["z"], ["y", "z"], ["y", 3], (), [None], [["y"]]])
def test_what_is_no_column(target):
    with pytest.raises(ValueError, match=r"there is no column .*it must be one of those that the table has: 'x', 'kind'"):
        train(TABLE, target)


@pytest.mark.parametrize("target", [[], ["y", "y"]])
def test_what_are_no_different_columns(target):
    with pytest.raises(ValueError, match=r"target is .*; it must be a column, or several different ones"):
        train(TABLE, target)


def test_a_list_of_one_column_is_the_column():
    (alone,), (listed,) = ([train(TABLE, target, Recipe(epochs=1)).model.predict(TABLE)] for target in ("y", ["y"]))
    np.testing.assert_array_equal(listed, alone)


@pytest.mark.parametrize("recipe", [{}, "fast", 3, Recipe])
def test_what_is_no_recipe(recipe):
    assert_refused(lambda: train(TABLE, "y", recipe), "recipe", recipe)


@pytest.mark.parametrize("path", [None, 3, b"x.csv", "", [], np.nan])
def test_what_is_no_path(path):
    assert_refused(lambda: read_table(path), "path", path)
    assert_refused(lambda: write_table(TABLE, path), "path", path)


def test_a_table_is_not_changed():
    before = TABLE.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = train(TABLE, "y", Recipe(epochs=1)).model
        model.predict(TABLE), model.evaluate(TABLE)
        for wrong in (TABLE.drop(columns="x"), TABLE.assign(x="much")):
            with pytest.raises(ValueError, match="column"):
                model.predict(wrong)
    pandas.testing.assert_frame_equal(TABLE, before)
