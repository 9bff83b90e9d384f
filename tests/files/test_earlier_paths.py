"""Every module path in pickles of earlier versions can still be imported."""

import pickle

import pytest

NAMES = {
    "fastnn.gradient_report": ["GradientReport", "ParameterCheck"],
    "fastnn.history": ["History"],
    "fastnn.lbfgs": ["LBFGS"],
    "fastnn.schedules": ["CosineDecay", "ExponentialDecay", "OneCycle", "StepDecay", "WarmUp"],
    "fastnn.fitting.history": ["History"],
    "fastnn.network.network": ["Network"],
    "fastnn.kernels.optimizers.adam": ["Adam", "AdamHat"],
    "fastnn.layers.dense": ["Dense"],
    "fastnn.sklearn.classifier": ["NetworkClassifier"],
    "fastnn.sklearn.network": ["EstimatorNetwork"],
    "fastnn.sklearn.regressor": ["NetworkRegressor"],
    "fastnn.tables.classes": ["Classes"],
    "fastnn.tables.columns": ["Ignored", "Missing", "Number", "Text"],
    "fastnn.tables.model": ["TableModel"],
    "fastnn.tables.numerals": ["NumberFormat"],
    "fastnn.tables.preprocessing": ["Preprocessing"],
    "fastnn.tables.recipe": ["Recipe"],
    "fastnn.tables.target": ["Values"],
    "fastnn.tables.training": ["Result"],
    "fastnn.tables.unseen": ["MissingNumber", "UnknownCategory"],
}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in NAMES.items() for name in names])
def test_a_name_in_an_earlier_pickle(module, name):
    if module.startswith("fastnn.sklearn"):
        pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")
    found = pickle.loads(f"c{module}\n{name}\n.".encode())
    assert isinstance(found, type)
    assert found.__name__ == name
    assert pickle.loads(pickle.dumps(found)) is found


def test_a_function_that_programs_import_by_its_earlier_path():
    pytest.importorskip("pandas", reason="tables need the extra cli")
    from fastnn.tables.baselines import baselines
    from fastnn.tables.training.baselines import baselines as now

    assert baselines is now
