"""ONNX's own tests of single operators (`onnx.backend.test`): each float case passes or is refused."""

import warnings

import numpy as np
import pytest

import fastnn

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
loader = pytest.importorskip("onnx.backend.test.loader")

OPERATORS = {"MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "Flatten", "BatchNormalization",
             "Pad", "Conv", "ConvTranspose"}
# What the error of each refusal says: no layer of fastnn computes it.
REFUSED = {
    "convtranspose_3d": "layers here take images", "maxpool_3d": "layers here take images",
    "averagepool_3d": "layers here take images", "batchnorm_example_training_mode": "it is in training mode",
    "batchnorm_epsilon_training_mode": "it is in training mode",
    "flatten_axis0": "runs samples together", "flatten_axis2": "runs samples together",
    "flatten_axis3": "runs samples together", "flatten_negative_axis1": "runs samples together",
    "flatten_negative_axis2": "runs samples together", "flatten_negative_axis4": "runs samples together",
}


def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cases of other operators divide by zero while they are made
        tests = loader.load_model_tests(kind="node")
    for case in tests:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in OPERATORS and case.data_sets:
            yield case


CASES = {case.name.removeprefix("test_"): case for case in cases()}


def why_refused(name):
    return next((why for part, why in REFUSED.items() if part in name), None)


def flat_model(case, arrays):
    """Return the model of a case with its constants, and with its output as one axis, channels last."""
    model, output = onnx.ModelProto(), case.model.graph.output[0]
    model.CopyFrom(case.model)
    graph = model.graph
    for value, array in zip(list(graph.input)[1:], arrays[1:], strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), value.name))
        graph.input.remove(value)
    rank = len(output.type.tensor_type.shape.dim)
    last = output.name
    if rank > 2:
        graph.node.append(onnx.helper.make_node("Transpose", [last], ["last"], perm=[0, *range(2, rank), 1]))
        last = "last"
    graph.node.append(onnx.helper.make_node("Flatten", [last], ["flat"], axis=1))
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info("flat", output.type.tensor_type.elem_type, None))
    return model


def data_of(case):
    inputs, outputs = case.data_sets[0]
    to_array = lambda each: each if isinstance(each, (np.ndarray, np.generic)) else onnx.numpy_helper.to_array(each)
    return [to_array(each) for each in inputs], [to_array(each) for each in outputs]


@pytest.mark.parametrize("name", CASES)
def test_an_operator(name, tmp_path):
    case = CASES[name]
    inputs, (expected, *_) = data_of(case)
    model = flat_model(case, inputs)
    onnx.save(model, tmp_path / "model.onnx")
    if why_refused(name):
        with pytest.raises(fastnn.ModelFormatError, match=why_refused(name)):
            fastnn.onnx.load(tmp_path / "model.onnx")
        return
    net = fastnn.onnx.load(tmp_path / "model.onnx")
    x = inputs[0]
    x = np.moveaxis(x, 1, -1) if len(net.shapes[0]) > 1 and "flatten" not in name else x
    expected = np.moveaxis(expected, 1, -1) if expected.ndim > 2 else expected
    np.testing.assert_allclose(net.forward(x), expected.reshape(len(x), -1), rtol=1e-3, atol=1e-7)  # as onnx asks


def test_there_are_as_many_as_onnx_has():
    assert len(CASES) >= 50
    assert {case.model.graph.node[0].op_type for case in CASES.values()} == OPERATORS


def test_at_most_ten_of_one_and_two_axes_are_refused():
    assert sum(why_refused(name) is not None and "_3d" not in name for name in CASES) <= 10
