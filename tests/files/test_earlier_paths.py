"""Every module path in pickles of earlier versions can still be imported."""

import importlib
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
    "fastnn.layers.activation": ["Activation"],
    "fastnn.layers.average_pool": ["AveragePool1D", "AveragePool2D", "GlobalAveragePool"],
    "fastnn.layers.batch_norm": ["BatchNorm"],
    "fastnn.layers.conv1d": ["Conv1D"],
    "fastnn.layers.conv2d": ["Conv2D"],
    "fastnn.layers.conv_transpose2d": ["ConvTranspose2D"],
    "fastnn.layers.dense": ["Dense"],
    "fastnn.layers.depthwise_conv2d": ["DepthwiseConv2D"],
    "fastnn.layers.dropout": ["Dropout"],
    "fastnn.layers.flatten": ["Flatten"],
    "fastnn.layers.gaussian_noise": ["GaussianNoise"],
    "fastnn.layers.group_norm": ["GroupNorm"],
    "fastnn.layers.layer_norm": ["LayerNorm"],
    "fastnn.layers.max_pool": ["GlobalMaxPool", "MaxPool1D", "MaxPool2D"],
    "fastnn.layers.normalize": ["Normalize"],
    "fastnn.layers.random_views": ["RandomCrop", "RandomFlip", "RandomShift"],
    "fastnn.layers.rescale": ["Rescale"],
    "fastnn.layers.reshape": ["Reshape"],
    "fastnn.layers.up_sample2d": ["UpSample2D"],
    "fastnn.layers.zero_pad2d": ["ZeroPad2D"],
    "fastnn.sklearn.classifier": ["NetworkClassifier"],
    "fastnn.sklearn.network": ["EstimatorNetwork"],
    "fastnn.sklearn.regressor": ["NetworkRegressor"],
    "fastnn.tables.classes": ["Classes"],
    "fastnn.tables.columns": ["Ignored", "Missing", "Number", "Text"],
    "fastnn.tables.model": ["TableModel"],
    "fastnn.tables.numerals": ["NumberFormat"],
    "fastnn.tables.preprocessing": ["Preprocessing"],
    "fastnn.tables.recipe": ["Recipe"],
    "fastnn.tables.target": ["Classes", "Values"],
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


@pytest.mark.parametrize("name", ["baselines", "split"])
def test_a_function_that_programs_import_by_its_earlier_path(name):
    pytest.importorskip("pandas", reason="tables need the extra cli")
    earlier, now = (importlib.import_module(f"fastnn.tables.{path}{name}") for path in ("", "training."))
    assert getattr(earlier, name) is getattr(now, name)
