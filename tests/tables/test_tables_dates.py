"""Columns of dates: how they are recognized, their features, files, and cells that are none."""

import datetime

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import MissingNumber, Preprocessing, Recipe, TableModel, read_table, train
from fastnn.tables.columns.dates import cycles, days_of, holds_dates

DAYS = pd.date_range("2023-11-01", periods=120)


@pytest.mark.parametrize("cells", [
    DAYS, DAYS.astype(str), DAYS.tz_localize("Europe/Vienna"), [day.date() for day in DAYS], [*DAYS.astype(str)[:-1], None],
    DAYS.strftime("%Y-%m-%d %H:%M"), DAYS.strftime("%Y-%m-%dT%H:%M:%SZ"), [" 2024-02-29"],
])
def test_dates_are_recognized(cells):
    assert holds_dates(pd.Series(cells))


@pytest.mark.parametrize("cells", [
    [None, None], [1, 2], ["2024-01-31", "x"], ["2024-13-01"], ["2024-02-30"], ["31.01.2024"], ["01/02/2024"], [20240131],
    ["2024"], pd.to_timedelta([1, 2], "D"), [datetime.time(1, 2)],
])
def test_other_cells_are_no_dates(cells):
    assert not holds_dates(pd.Series(cells))


def test_days_are_the_same_however_they_are_written():
    wanted = (DAYS - pd.Timestamp(0)) / pd.Timedelta(1, "D")
    for cells in (DAYS, DAYS.astype(str), DAYS.tz_localize("UTC"), [day.date() for day in DAYS],
                  DAYS.astype("datetime64[s]")):
        np.testing.assert_array_equal(days_of(pd.Series(cells)), wanted)
    noon, = days_of(pd.Series(["1970-01-02T14:00+02:00"]))
    assert noon == 1.5


def test_cycles_return_to_where_they_began():
    at = cycles(np.array([0.25, 7.25, 365.2425 * 3 + 0.25]), True)
    np.testing.assert_allclose(at[0, 2:], at[1, 2:], atol=1e-9)  # week and day
    np.testing.assert_allclose(at[0, :2], at[2, :2], atol=1e-9)  # year
    np.testing.assert_allclose(at[:, ::2] ** 2 + at[:, 1::2] ** 2, 1.0)


def test_a_model_of_dates_is_saved_and_reads_other_tables(tmp_path):
    days = pd.Series(pd.date_range("2020-01-01", periods=400)).sample(frac=1, random_state=0, ignore_index=True)
    table = pd.DataFrame({"when": days, "y": np.where(days.dt.day_of_week < 5, 1.0, -1.0)})
    table.to_csv(tmp_path / "t.csv", index=False)
    result = train(read_table(tmp_path / "t.csv"), "y", Recipe(epochs=60, task="regression"))
    assert result.metrics["r2"] > 0.9
    column, = result.model.preprocessing.columns
    assert str(column) == "as days standardized and in 16 bins, and cycles of year, week"
    result.model.save(tmp_path / "m.safetensors")
    again = TableModel.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(table), result.model.predict(table))
    with pytest.raises(ValueError, match=r"column 'when' is one of dates, but row 2 holds 'soon'; write it as 2024-01-31"):
        again.predict(pd.DataFrame({"when": ["2020-01-01", "soon"]}))
    with pytest.warns(MissingNumber, match="column 'when'"):
        again.predict(pd.DataFrame({"when": ["2020-01-01", None]}))


def test_features_have_names_and_missing_dates_an_indicator():
    fitted = Preprocessing.fit(pd.DataFrame({"t": [*DAYS.astype(str)[:-1], None]}))
    assert fitted.features == ["t", "t missing", "t year sine", "t year cosine", "t week sine", "t week cosine"]
    clock = Preprocessing.fit(pd.DataFrame({"t": pd.date_range("2024-01-01", periods=50, freq="7h")}))
    assert clock.features[-2:] == ["t day sine", "t day cosine"]
    assert fitted.transform(pd.DataFrame({"t": [None]}))[0, 1] == 1.0


def test_dates_can_be_dropped_or_taken_as_text():
    table = pd.DataFrame({"t": ["2024-01-31", "2024-02-01"] * 20, "x": np.arange(40) % 7})
    kinds = [Preprocessing.fit(table, **options).columns[0].kind for options in ({}, {"text": ["t"]}, {"drop": ["t"]})]
    assert kinds == ["date", "text", "ignored"]
    assert Preprocessing.fit(table.assign(t="2024-01-31")).columns[0].kind == "ignored"
