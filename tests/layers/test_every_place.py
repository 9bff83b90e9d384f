"""Every registered layer is in each place that CONTRIBUTING names for a new layer."""

import inspect
from pathlib import Path

import layer_cases
import pytest

import fastnn
from fastnn import compiled, naive, vectorized
from fastnn.cli import compare
from fastnn.layers import Layer, layers

ROOT = Path(__file__).parents[2]
CASES = layer_cases.LAYERS | layer_cases.TOKENS
NOT_IN_TORCH = {fastnn.AttentionPool}  # with weights, and without a module that has them
every_layer = pytest.mark.parametrize("layer", layers.values(), ids=layers)


@every_layer
def test_it_is_a_public_name_with_an_example(layer):
    assert getattr(fastnn, layer.__name__) is layer
    assert ">>>" in inspect.getdoc(layer), "give its docstring an example"


@every_layer
def test_it_has_a_file_of_its_own_for_its_specification_and_one_for_its_kernels(layer):
    path = Path(inspect.getfile(layer)).relative_to(Path(inspect.getfile(Layer)).parent)
    # a series is an image of height 1, depthwise is a convolution of as many groups as channels, and a slice is copied as
    # a part of a concatenation is
    others = {"activation.py": "activate.py", "conv1d.py": "conv2d.py", "depthwise_conv2d.py": "conv2d.py",
              "concatenate.py": "copy_part.py", "slice.py": "copy_part.py",
              # one row with one head, several, or a learned query
              "multi_head_attention.py": "attention.py", "attention_pool.py": "attention.py"}
    kernels = path.with_name(others.get(path.name, path.name))
    assert layer.is_view or (ROOT / "kernels" / "layers" / kernels).is_file()
    beside = [each for each in layers.values() if inspect.getfile(each) == inspect.getfile(layer)]
    assert beside == [layer] or {each.functions for each in beside} == {layer.functions} != {()}, \
        "layers of one file are one computation: the same functions compute them"


@every_layer
def test_it_stands_on_three_rungs(layer):
    assert layer.functions or layer.is_view or layer is fastnn.Activation, \
        "name the functions that compute it in `functions`"
    for rung in (naive, vectorized, compiled):
        for name in layer.functions:
            assert callable(getattr(rung, name)), (rung.__name__, name)
            assert name in rung.__all__, (rung.__name__, name)


@every_layer
def test_it_is_compared_and_has_a_benchmark(layer):
    assert set(layer.functions) <= set(compare.kernel_cases())


@every_layer
def test_it_is_written_to_onnx(layer):
    assert layer.onnx is not Layer.onnx, "give it a method `onnx`, or one that says why it has no ONNX form"


@every_layer
def test_its_weights_come_from_pytorch_or_it_has_none(layer):
    name, case = next((name, case) for name, case in CASES.items() if type(case) is layer)
    if layer in NOT_IN_TORCH:
        return
    shape = layer_cases.sample_shape(name, 12)
    assert (layer.torch is None) == (not case.parameter_shapes(shape)), "name its PyTorch module in `torch`, and read it"


@every_layer
def test_it_is_among_the_cases_of_every_law(layer):
    assert layer in {type(case) for case in CASES.values()}, "add a line to tests/support/nets/layer_cases.py"


@every_layer
def test_the_guide_tells_of_it(layer):
    assert f"`{layer.__name__}" in (ROOT / "docs" / "guide" / "layers.md").read_text(encoding="utf-8") or \
        f"fastnn.{layer.__name__}`" in (ROOT / "docs" / "guide" / "layers.md").read_text(encoding="utf-8")


@every_layer
def test_it_is_written_to_onnx_for_sequences_if_it_works_on_whole_ones(layer):
    name, case = next((name, case) for name, case in CASES.items() if type(case) is layer)
    shape = (None,) if name in layer_cases.TOKENS else (None, 12)
    try:
        case.output_shape(shape)
    except (ValueError, TypeError):
        return  # it takes no sequences of any length, or several tensors
    assert not case.works_over_time(shape) or layer.onnx_over_time is not Layer.onnx_over_time, \
        "give it a method `onnx_over_time`"
