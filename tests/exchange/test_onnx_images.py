"""Foreign graphs of images with channels first are read as networks with channels last."""

import numpy as np
import pytest

import fastnn

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
rng = np.random.default_rng(0)


def graph_of(nodes, shape, outputs, dtype="float32", **tensors):
    """Return a model from "x" (batch, *shape) to "y" (batch, outputs)."""
    helper = onnx.helper
    nodes = [helper.make_node(kind, inputs, [output], **attributes) for kind, inputs, output, attributes in nodes]
    number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    arrays = {name: np.asarray(array) for name, array in tensors.items()}
    graph = helper.make_graph(
        nodes, "images", [helper.make_tensor_value_info("x", number, ["batch", *shape])],
        [helper.make_tensor_value_info("y", number, ["batch", outputs])],
        [onnx.numpy_helper.from_array(array.astype(dtype) if array.dtype.kind == "f" else array, name)
         for name, array in arrays.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


def weight(*shape):
    return rng.normal(size=shape).astype("float32")


POOL = ("MaxPool", ["x"], "p", {"kernel_shape": [2, 2], "strides": [2, 2]})
FLATTEN = ("Flatten", ["p"], "f", {"axis": 1})
GEMM = ("Gemm", ["f", "w", "b"], "y", {})
# An attribute is a float32 and is read as the decimal number that was meant; this one is exact. With "stash_type" 11
# (double), ONNX's reference computes float64 models in float64.
EPSILON = 2**-10
NORMALIZATION = ("BatchNormalization", ["x", "g", "h", "m", "v"], "p", {"epsilon": EPSILON})
MODELS = {
    "flattened": ([POOL, FLATTEN, GEMM], (3, 4, 6), {"w": weight(18, 5)}),
    "reshaped": ([POOL, ("Reshape", ["p", "s"], "f", {}), GEMM], (3, 4, 6), {"w": weight(18, 5), "s": [0, -1]}),
    "activated after": ([POOL, ("Relu", ["p"], "r", {}), ("Flatten", ["r"], "f", {}), GEMM], (3, 4, 6),
                        {"w": weight(18, 5)}),
    "activated flat": ([POOL, ("Flatten", ["p"], "r", {}), ("Sigmoid", ["r"], "f", {}), GEMM], (3, 4, 6),
                       {"w": weight(18, 5)}),
    "shifted flat": ([POOL, ("Flatten", ["p"], "r", {}), ("Add", ["r", "c"], "f", {}), GEMM], (3, 4, 6),
                     {"w": weight(18, 5), "c": weight(18)}),
    "channels last": ([("Transpose", ["x"], "t", {"perm": [0, 3, 1, 2]}), (*POOL[:1], ["t"], *POOL[2:]), FLATTEN, GEMM],
                      (4, 6, 3), {"w": weight(18, 5)}),
    "flattened with channels last": ([POOL, ("Transpose", ["p"], "t", {"perm": [0, 2, 3, 1]}),
                                      ("Flatten", ["t"], "f", {}), GEMM], (3, 4, 6), {"w": weight(18, 5)}),
    "global": ([("GlobalAveragePool", ["x"], "p", {}), FLATTEN, GEMM], (3, 4, 6), {"w": weight(3, 5)}),
    "mean of pixels": ([("ReduceMean", ["x", "a"], "f", {"keepdims": 0}), GEMM], (3, 4, 6),
                       {"w": weight(3, 5), "a": [2, 3]}),
    "mean of pixels, channels last": ([("ReduceMean", ["x", "a"], "f", {"keepdims": 0}), GEMM], (4, 6, 3),
                                      {"w": weight(3, 5), "a": [1, 2]}),
    "a dense layer first": ([("Gemm", ["x", "v"], "d", {}), ("Tanh", ["d"], "e", {}), ("Reshape", ["e", "s"], "i", {}),
                             (*POOL[:1], ["i"], *POOL[2:]), FLATTEN, GEMM], (7,),
                            {"v": weight(7, 72), "s": [0, 3, 4, 6], "w": weight(18, 5)}),
    "of series": ([("AveragePool", ["x"], "p", {"kernel_shape": [3], "pads": [1, 1]}), FLATTEN, GEMM], (2, 6),
                  {"w": weight(12, 5)}),
    "zeros around": ([("Pad", ["x", "z"], "p", {}), FLATTEN, GEMM], (2, 3, 4),
                     {"w": weight(2 * 4 * 6, 5), "z": [0, 0, 1, 0, 0, 0, 0, 2]}),
    **{f"{mode} around": ([("Pad", ["x", "z"], "p", {"mode": mode}), FLATTEN, GEMM], (2, 3, 4),
                          {"w": weight(2 * 4 * 6, 5), "z": [0, 0, 1, 0, 0, 0, 0, 2]})
       for mode in ("edge", "reflect", "wrap")},
    "a number around": ([("Pad", ["x", "z", "n"], "p", {}), FLATTEN, GEMM], (2, 3, 4),
                        {"w": weight(2 * 4 * 6, 5), "z": [0, 0, 1, 0, 0, 0, 0, 2], "n": np.float32(-1.5)}),
    "edges of series": ([("Pad", ["x", "z"], "p", {"mode": "edge"}), FLATTEN, GEMM], (2, 6),
                        {"w": weight(18, 5), "z": [0, 0, 1, 0, 0, 2]}),
    "zeros around series": ([("Pad", ["x", "z", "", "a"], "p", {}), FLATTEN, GEMM], (2, 6),
                            {"w": weight(18, 5), "z": [1, 2], "a": [-1]}),
    "edges, channels last": ([("Pad", ["x", "z"], "p", {"mode": "edge"}), FLATTEN, GEMM], (3, 4, 2),
                             {"w": weight(2 * 4 * 6, 5), "z": [0, 1, 0, 0, 0, 0, 2, 0]}),
    "scaled first": ([("Mul", ["x", "k"], "s", {}), (*POOL[:1], ["s"], *POOL[2:]), FLATTEN, GEMM], (3, 4, 6),
                     {"w": weight(18, 5), "k": np.float32(1 / 255)}),
    "shifted between": ([POOL, ("Add", ["p", "k"], "s", {}), ("Flatten", ["s"], "f", {}), GEMM], (3, 4, 6),
                        {"w": weight(18, 5), "k": np.float32(0.3)}),
    "group normalization": ([("GroupNormalization", ["x", "g", "h"], "p",
                              {"num_groups": 2, "epsilon": EPSILON, "stash_type": 11}), FLATTEN, GEMM], (4, 2, 3),
                            {"w": weight(24, 5), "g": weight(4), "h": weight(4)}),
    "instance normalization": ([("InstanceNormalization", ["x", "g", "h"], "p", {"epsilon": EPSILON}), FLATTEN, GEMM],
                               (4, 2, 3), {"w": weight(24, 5), "g": weight(4), "h": weight(4)}),
    **{f"group normalization as PyTorch writes it, {where}": (
        [*before, ("Reshape", [x, "s"], "r", {}), ("InstanceNormalization", ["r", "o", "z"], "i", {"epsilon": EPSILON}),
         ("Reshape", ["i", "t"], "j", {}), ("Mul", ["j", "g"], "k", {}), ("Add", ["k", "h"], "p", {}), FLATTEN, GEMM],
        shape, {"w": weight(numbers, 5), "g": weight(4, *ones), "h": weight(4, *ones), "s": [0, 2, -1], "t": [0, 4, *sizes],
                "o": np.ones(2), "z": np.zeros(2), "q": weight(4, 3, 2, 2)})
       for where, before, x, shape, numbers, ones, sizes in [
           ("first", [], "x", (4, 2, 3), 24, (1, 1), (2, 3)), ("of series", [], "x", (4, 5), 20, (1,), (5,)),
           ("behind a convolution", [("Conv", ["x", "q"], "c", {})], "c", (3, 3, 4), 24, (1, 1), (2, 3))]},
    **{f"channels scaled {where}": (
        [*before, ("Sub", [x, "e"], "s", {}), ("Div", ["s", "g"], "d", {}), ("Add", ["h", "d"], "a", {}),
         ("Mul", ["g", "a"], "v", {}), ("Sub", ["h", "v"], "p", {}), FLATTEN, GEMM],
        shape, {"w": weight(24, 5), "g": weight(4, 1, 1), "h": weight(1, 4, 1, 1), "e": weight(4, 1, 1), **tensors})
       for where, before, x, shape, tensors in [
           ("first", [], "x", (4, 2, 3), {}), ("behind an activation", [("Relu", ["x"], "r", {})], "r", (4, 2, 3), {}),
           ("behind a convolution", [("Conv", ["x", "q"], "c", {})], "c", (3, 3, 4), {"q": weight(4, 3, 2, 2)}),
           ("behind a transposed convolution", [("ConvTranspose", ["x", "q"], "c", {})], "c", (3, 1, 2),
            {"q": weight(3, 4, 2, 2)})]},
    "channels of series scaled": ([("Mul", ["x", "g"], "m", {}), ("Conv", ["m", "q"], "p", {}), FLATTEN, GEMM], (3, 6),
                                  {"w": weight(20, 5), "g": weight(3, 1), "q": weight(4, 3, 2)}),
    "last channels scaled": ([("Mul", ["x", "g"], "m", {}), ("Add", ["m", "h"], "a", {}),
                              ("Transpose", ["a"], "t", {"perm": [0, 3, 1, 2]}), ("Conv", ["t", "q"], "p", {}), FLATTEN,
                              GEMM], (3, 4, 2), {"w": weight(24, 5), "g": weight(2), "h": weight(1, 1, 2),
                                                 "q": weight(4, 2, 2, 2)}),
    "a convolution read twice, scaled once": (
        [("Conv", ["x", "q"], "c", {}), ("Mul", ["c", "g"], "m", {}), ("Tanh", ["m"], "t", {}), ("Add", ["c", "t"], "p", {}),
         FLATTEN, GEMM], (3, 3, 4), {"w": weight(24, 5), "g": weight(4, 1, 1), "q": weight(4, 3, 2, 2)}),
    **{f"resized {places} {rounded}": (
        [("Resize", ["x", "", "k"], "p", {"coordinate_transformation_mode": places, "nearest_mode": rounded}), FLATTEN,
         GEMM], (2, 2, 3), {"w": weight(72, 5), "k": np.float32([1, 1, 2, 3])})
       for places, rounded in [("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"),
                               ("pytorch_half_pixel", "round_prefer_ceil")]},
    "resized series": ([("Resize", ["x", "", "k"], "p", {}), FLATTEN, GEMM], (2, 3),
                       {"w": weight(12, 5), "k": np.float32([1, 1, 2])}),
    "batch normalization": ([NORMALIZATION, FLATTEN, GEMM], (4, 2, 3),
                            {"w": weight(24, 5), "g": weight(4), "h": weight(4), "m": weight(4), "v": weight(4) ** 2}),
    "convolution": ([("Conv", ["x", "k", "d"], "c", {"pads": [1, 0, 1, 1], "strides": [1, 2]}), ("Relu", ["c"], "p", {}),
                     FLATTEN, GEMM], (3, 4, 6), {"k": weight(2, 3, 3, 2), "d": weight(2), "w": weight(24, 5)}),
    "lenet": ([("Conv", ["x", "k"], "c", {"group": 2}), ("Tanh", ["c"], "r", {}), (*POOL[:1], ["r"], *POOL[2:]),
               ("Conv", ["p", "l"], "e", {"auto_pad": "SAME_UPPER"}), ("Flatten", ["e"], "f", {}), GEMM], (4, 7, 7),
              {"k": weight(6, 2, 2, 2), "l": weight(3, 6, 3, 3), "w": weight(27, 5)}),
    "transposed convolution": ([("ConvTranspose", ["x", "k"], "p", {"strides": [2, 1], "output_padding": [1, 0]}), FLATTEN,
                                GEMM], (3, 2, 3), {"k": weight(3, 2, 2, 2), "w": weight(40, 5)}),
    "convolution of series, each channel for itself": ([("Conv", ["x", "k", "d"], "p", {"group": 3, "dilations": [2]}),
                                                        FLATTEN, GEMM], (3, 7),
                                                       {"k": weight(3, 1, 3), "d": weight(3), "w": weight(9, 5)}),
    "convolution, then a normalization": ([("Conv", ["x", "k"], "c", {}),
                                           (NORMALIZATION[0], ["c", *NORMALIZATION[1][1:]], *NORMALIZATION[2:]), FLATTEN,
                                           GEMM], (3, 3, 4), {"k": weight(4, 3, 2, 2), "w": weight(24, 5), "g": weight(4),
                                                      "h": weight(4), "m": weight(4), "v": weight(4) ** 2}),
    "two pools": ([POOL, ("AveragePool", ["p"], "q", {"kernel_shape": [2, 3], "auto_pad": "SAME_LOWER"}),
                   ("Flatten", ["q"], "f", {}), GEMM], (3, 4, 6), {"w": weight(18, 5)}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_graphs_compute_the_same(name, dtype, tmp_path):
    nodes, shape, tensors = MODELS[name]
    model = graph_of(nodes, shape, 5, dtype, b=weight(5), **tensors)
    onnx.save(model, tmp_path / "model.onnx")
    net = fastnn.onnx.load(tmp_path / "model.onnx")
    x = rng.normal(size=(3, *shape)).astype(dtype)
    expected = onnx.reference.ReferenceEvaluator(model).run(None, {"x": x})[0]
    first = not ("channels last" in name or "last channels" in name) or "flattened" in name
    x = np.moveaxis(x, 1, -1) if first and len(shape) > 1 else x
    assert net.shapes[0] == x.shape[1:]
    # An output is a sum of terms of either sign, and its rounding is in proportion to these, not to the sum: an output near
    # 0 is as inexact as the largest. Over many draws of the weights the difference reached 3.3 eps of the largest.
    np.testing.assert_allclose(net.forward(x), expected, rtol=0, atol=10 * np.finfo(dtype).eps * np.abs(expected).max())
    net.to_onnx(tmp_path / "again.onnx")
    np.testing.assert_array_equal(fastnn.onnx.load(tmp_path / "again.onnx").forward(x), net.forward(x))


def test_channels_of_groups_are_scaled(tmp_path):
    runtime = pytest.importorskip("onnxruntime")  # the reference computes no transposed convolution of groups
    nodes = [("ConvTranspose", ["x", "q"], "c", {"group": 2}), ("Mul", ["c", "g"], "p", {}), FLATTEN, GEMM]
    model = graph_of(nodes, (6, 1, 2), 5, q=weight(6, 2, 2, 2), g=weight(4, 1, 1), w=weight(24, 5), b=weight(5))
    model.ir_version = 10
    onnx.save(model, tmp_path / "model.onnx")
    x = rng.normal(size=(3, 6, 1, 2)).astype("float32")
    expected = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    net = fastnn.onnx.load(tmp_path / "model.onnx")
    assert [type(layer).__name__ for layer in net.layers] == ["ConvTranspose2D", "Flatten", "Dense"]
    np.testing.assert_allclose(net.forward(np.moveaxis(x, 1, -1)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("nodes", "shape", "says"), [
    ([(*POOL[:3], {**POOL[3], "kernel_shape": [9, 9]}), FLATTEN, GEMM], (3, 4, 6), "a 9×9 kernel spans 9 pixels"),
    ([(*POOL[:3], {**POOL[3], "pads": [0, 0, -1, 0]}), FLATTEN, GEMM], (3, 4, 6), "take away nothing|pads"),
    ([("Transpose", ["x"], "p", {"perm": [1, 0, 2, 3]}), FLATTEN, GEMM], (3, 4, 6), "node 2, Gemm, .* in an order that"),
    ([("MaxPool", ["x"], "p", {"kernel_shape": [2, 2, 2]}), FLATTEN, GEMM], (3, 4, 6, 2), "neither|images"),
    ([POOL, ("Flatten", ["p"], "y", {"axis": 1})], (3, 4, 6), "before their pixels"),
    ([("Resize", ["x", "", "k"], "p", {"nearest_mode": "floor"}), FLATTEN, GEMM], (3, 2, 3), "does not repeat each pixel"),
    ([("Resize", ["x", "", "k"], "p", {"mode": "linear"}), FLATTEN, GEMM], (3, 2, 3), "layers here repeat the pixels"),
    ([("Div", ["g", "x"], "p", {}), FLATTEN, GEMM], (3, 4, 6), "constant has shape"),
    ([("ReduceMax", ["x", "a"], "f", {"keepdims": 0}), GEMM], (3, 4, 6), "another maximum"),
])
def test_what_no_layer_computes_is_refused(nodes, shape, says, tmp_path):
    model = graph_of(nodes, shape, 5, w=weight(18, 5), b=weight(5), a=np.array([1]), g=weight(3, 1, 1),
                     k=np.float32([1, 1, 1, 2]))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(fastnn.ModelFormatError, match=says):
        fastnn.onnx.load(tmp_path / "model.onnx")
