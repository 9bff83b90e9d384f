"""Tables on several machines: predictions over Dask data frames, and folds trained by an executor."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import Recipe, train
from fastnn.tables.training.cross_validation import cross_validate

RECIPE = Recipe(epochs=3, members=2, layers=(), bins=0, linear="no")
GENERATOR = np.random.default_rng(0)
TABLE = pd.DataFrame({"x": GENERATOR.normal(size=120), "kind": GENERATOR.choice(["a", "b"], 120)})
TABLE["y"] = 2 * TABLE["x"] + (TABLE["kind"] == "a")
TABLE["label"] = np.where(TABLE["y"] > 0, "up", "down")


def test_predictions_of_a_dask_frame_are_lazy_and_those_of_the_table():
    dd = pytest.importorskip("dask.dataframe", reason="Dask needs the extra many")
    values, classes = (train(TABLE[["x", "kind", name]], name, RECIPE).model for name in ("y", "label"))
    table = TABLE.set_index(pd.Index(np.arange(120) * 2, name="row"))
    lazy = dd.from_pandas(table, npartitions=5)
    for found, wanted in ((values.predict(lazy), pd.Series(values.predict(TABLE), table.index, name="y_predicted")),
                          (classes.predict(lazy), pd.Series(classes.predict(TABLE), table.index, name="label_predicted")),
                          (classes.predict_proba(lazy), pd.DataFrame(
                              classes.predict_proba(TABLE), table.index, ["probability of down", "probability of up"])),
                          (values.predict_interval(lazy, 0.5), pd.DataFrame(
                              values.predict_interval(TABLE, 0.5), table.index, ["y_low", "y_high"]))):
        assert found.npartitions == 5
        types = [found.dtype, wanted.dtype] if wanted.ndim == 1 else [list(found.dtypes), list(wanted.dtypes)]
        assert types[0] == types[1]
        computed = found.compute()
        (pd.testing.assert_series_equal if wanted.ndim == 1 else pd.testing.assert_frame_equal)(computed, wanted)
    assert abs(lazy.assign(p=values.predict(lazy))["p"].mean().compute() - values.predict(TABLE).mean()) < 1e-9
    with pytest.raises(ValueError, match="'kind'"):
        values.predict(lazy[["x"]])


def test_folds_by_an_executor_have_the_same_scores():
    result = train(TABLE[["x", "kind", "y"]], "y", RECIPE)
    with ThreadPoolExecutor(2) as executor:
        assert cross_validate(result, RECIPE, 3, executor=executor) == cross_validate(result, RECIPE, 3)
