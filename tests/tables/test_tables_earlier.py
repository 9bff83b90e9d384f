"""Models of tables from an earlier version give the same predictions."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from fastnn.tables import TableModel, read_table

pd = pytest.importorskip("pandas", reason="tables need the extra cli")

DATA = Path(__file__).parents[1] / "data" / "tables"
PREDICTED = json.loads((DATA / "predicted.json").read_text())


def table_for(name):
    table = read_table(DATA / "new.csv")
    return table.rename(columns={"carat": 0, "cut": 1}) if name == "numbered" else table


@pytest.mark.parametrize("name", PREDICTED)
def test_models_predict_what_they_did(name, tmp_path):
    model, then = TableModel.load(DATA / f"{name}.safetensors"), PREDICTED[name]
    model.save(tmp_path / "again.safetensors")
    for each in model, TableModel.load(tmp_path / "again.safetensors"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            predicted = each.predict(table_for(name))
        assert predicted.dtype == then["dtype"]
        if predicted.dtype == float:
            np.testing.assert_allclose(predicted, then["predicted"], rtol=1e-5)
        else:
            assert predicted.tolist() == then["predicted"]
        np.testing.assert_allclose(each.forward(table_for(name)), then["outputs"], rtol=1e-5)


@pytest.mark.parametrize("name", ["booleans", "words", "whole_numbers"])
def test_they_know_the_classes_of_a_table(name):
    model, table = TableModel.load(DATA / f"{name}.safetensors"), table_for(name)
    labels = model.predict(table)
    assert model.evaluate(table.assign(y=labels))["accuracy"] == 1
    if name == "booleans":
        assert model.evaluate(table.assign(y=labels == "True"))["accuracy"] == 1
    with pytest.raises(ValueError, match="holds the class 'other', which the model does not know"):
        model.evaluate(table.assign(y="other"))
