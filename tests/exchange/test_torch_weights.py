"""Weights from PyTorch: each tensor gets to the right layer in the right orientation, or nothing changes."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    GlobalMaxPool,
    GroupNorm,
    LayerNorm,
    MaxPool2D,
    ModelFormatError,
    Network,
    Reshape,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(9, 4))


def state_dict(sizes, name="{}", dtype="float32"):
    """Return the weights of Linear layers in PyTorch's names and layout, with an activation between each two."""
    state = {}
    for k in range(len(sizes) - 1):
        state[f"{name.format(2 * k)}.weight"] = rng.normal(size=(sizes[k + 1], sizes[k])).astype(dtype)
        state[f"{name.format(2 * k)}.bias"] = rng.normal(size=sizes[k + 1]).astype(dtype)
    return state


def torch_forward(state, x):
    """Compute tanh after every layer but the last, in the order of the state dict."""
    arrays = list(state.values())
    for k in range(0, len(arrays), 2):
        x = (x if k == 0 else np.tanh(x)) @ arrays[k].T.astype(float) + arrays[k + 1]
    return x


def in_memory(state, path):
    return state


def in_a_file(state, path):
    save_file(state, path)
    return path


every_source = pytest.mark.parametrize("source", [in_memory, in_a_file])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


@pytest.fixture
def net():
    return Network([Dense(3, "tanh"), Dense(2)], inputs=4)


@every_source
@pytest.mark.parametrize("name", ["{}", "net.{}", "module.net.{}", "layer{}.linear", "block{}.0"])
@pytest.mark.parametrize("sizes", [[4, 3, 2], [4, 1], [4, *[5] * 11, 2]], ids=["two", "one", "twelve"])  # "10" before "2"
def test_loaded(source, name, sizes, path):
    state = state_dict(sizes, name)
    net = Network([*(Dense(n, "tanh") for n in sizes[1:-1]), Dense(sizes[-1])], inputs=4, dtype="float64")
    net.load_torch(source(state, path))
    np.testing.assert_allclose(net.forward(X), torch_forward(state, X), rtol=1e-12)
    made = fastnn.from_torch_state_dict(source(state, path), "tanh", dtype="float64")
    assert made.config() == net.config()
    np.testing.assert_array_equal(made.forward(X), net.forward(X))


@every_source
def test_the_order_is_said_where_names_do_not_say_it(source, net, path):
    names = ["hidden.weight", "hidden.bias", "exit.weight", "exit.bias"]
    state = dict(zip(names, state_dict([4, 3, 2]).values(), strict=True))
    with pytest.raises(ValueError, match=r"do not say their order; give it, first to last: layers=\["):
        net.load_torch(source(state, path))
    net.load_torch(source(state, path), layers=["hidden", "exit"])
    np.testing.assert_allclose(net.forward(X), torch_forward(state, X), rtol=1e-5)
    for wrong in (["exit"], ["exit", "hidden", "x"], "hidden", ["exit", "exit"]):
        with pytest.raises(ValueError, match="must name each of these once: '"):
            net.load_torch(source(state, path), layers=wrong)


def test_one_layer_without_a_name():
    made = fastnn.from_torch_state_dict({"weight": np.ones((2, 3)), "bias": np.zeros(2)})
    assert made.layers == (Dense(2),)
    assert made.inputs == 3


def test_a_bias_that_is_not_there_is_zero(net):
    state = state_dict([4, 3, 2])
    del state["0.bias"]
    net.parameters["0.bias"][:] = 5
    net.load_torch(state)
    assert not net.parameters["0.bias"].any()


def test_activations_are_the_callers():
    state = state_dict([4, 3, 3, 2])
    made = fastnn.from_torch_state_dict(state, ["relu", "gelu"], "softmax")
    assert [layer.activation for layer in made.layers] == ["relu", "gelu", "softmax"]
    assert made.loss == "cross_entropy"
    with pytest.raises(ValueError, match="names 1 activations; the state dict has 2 hidden layers"):
        fastnn.from_torch_state_dict(state, ["relu"])


WEIGHTS = state_dict([4, 3, 2])
WRONG = {
    "shape": ({"0.weight": np.ones((5, 4)), "0.bias": np.ones(5)}, r"0\.weight has shape \(5, 4\); .* = \(3, 4\)"),
    "the wrong way round": ({"0.weight": np.ones((4, 3)), "0.bias": np.ones(4)}, r"\(4, 3\); .* = \(3, 4\)"),
    "bias": ({"0.bias": np.ones(4)}, r"0\.bias has shape \(4,\); .* must be \(3,\)"),
    "one layer more": ({"4.weight": np.ones((2, 2))}, r"has 3 layers \(0: Linear, .*; this network has 2 with"),
    "normalization": ({"1.weight": np.ones(3), "1.bias": np.ones(3)},
                      r"layers \(0: Linear, 1: a normalization without running statistics, 2: Linear\)"),
    "running means": ({"0.running_mean": np.ones(3)}, "'0' holds bias, running_mean, weight; a BatchNorm1d must have"),
    "statistics": ({"0.running_mean": np.ones(3), "0.running_var": np.ones(3)}, "what '0' holds has shapes .* be alike"),
    "another layer": ({"0.weight_hh": np.ones(3)}, "'0' holds bias, weight, weight_hh; only Linear layers"),
    "bias alone": ({"1.bias": np.ones(3)}, "'1' holds bias"),
    "convolution": ({"0.weight": np.ones((3, 4, 1, 1))}, "0: Conv2d or ConvTranspose2d, 2: Linear.; this network"),
    "convolution of five axes": ({"0.weight": np.ones((3, 4, 1, 1, 1))}, r"0\.weight has shape \(3, 4, 1, 1, 1\)"),
    "not a number": ({"2.bias": np.array([0, np.nan])}, r"2\.bias holds nan at \(1,\)"),
    "too large": ({"2.bias": np.array([0, 1e300])}, r"2\.bias holds inf at \(1,\)"),
    "complex": ({"2.bias": np.ones(2) * 1j}, r"2\.bias has dtype complex128"),
    "text": ({"2.bias": np.array(["a", "b"])}, r"2\.bias has dtype"),
    "empty": ({"0.weight": np.ones((0, 4)), "0.bias": np.ones(0)}, r"0\.weight has shape \(0, 4\)"),
    "names that are numbers": ({3: np.ones(3)}, "names that are not text"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused_and_nothing_changes(net, change, message):
    before = net.vectors.parameters.flat.copy()
    with pytest.raises(ValueError, match=message):
        net.load_torch(WEIGHTS | change)
    np.testing.assert_array_equal(net.vectors.parameters.flat, before)


def test_nothing_in_it(net):
    with pytest.raises(ValueError, match="empty"):
        net.load_torch({})


def test_layers_that_do_not_follow_each_other():
    with pytest.raises(ValueError, match=r"0 gives 3 features and 2 takes 5; .*layers="):
        fastnn.from_torch_state_dict(state_dict([4, 3, 2]) | {"2.weight": np.ones((2, 5))})


@pytest.mark.parametrize("payload", [b"", b"PK\x03\x04 as torch.save writes", b"\x80\x02\x8a\nl\xfc", b"x" * 1000])
def test_files_that_are_none(net, path, payload):
    path.write_bytes(payload)
    says = r"are pickled and never read; write a safetensors file with: safetensors\.torch\.save_file"
    with pytest.raises(ModelFormatError, match=says):
        net.load_torch(path)


def test_paths_to_nothing(net, path):
    with pytest.raises(FileNotFoundError, match=r"weights\.safetensors"):
        net.load_torch(path)


@pytest.mark.parametrize("kind", ["float32", "float64", "bfloat16", "float16"])
def test_pytorch_itself(kind, path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import save_file as save_tensors

    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).to(getattr(torch, kind))
    expected = model.double()(torch.tensor(X)).detach().numpy()
    model = model.to(getattr(torch, kind))
    sources = [model.state_dict()]
    if kind != "bfloat16":
        save_tensors(model.state_dict(), path)
        sources.append(path)
    for source in sources:
        made = fastnn.from_torch_state_dict(source, "tanh", dtype="float64")
        np.testing.assert_allclose(made.forward(X), expected, rtol=1e-12, atol=1e-12)


# Normalization layers


def normalized(prefix="{}"):
    """Return a state dict of Linear, BatchNorm1d, ReLU, Linear, LayerNorm, Linear, and what it computes, in NumPy."""
    rng, names = np.random.default_rng(0), [prefix.format(k) for k in (0, 1, 3, 4, 5)]
    first, norm, second, row, last = names
    state = {f"{first}.weight": (5, 4), f"{first}.bias": (5,), f"{norm}.weight": (5,), f"{norm}.bias": (5,),
             f"{norm}.running_mean": (5,), f"{norm}.running_var": (5,), f"{second}.weight": (3, 5), f"{second}.bias": (3,),
             f"{row}.weight": (3,), f"{row}.bias": (3,), f"{last}.weight": (2, 3), f"{last}.bias": (2,)}
    state = {name: rng.uniform(0.1, 1, size=shape) for name, shape in state.items()}

    def forward(x):
        z = x @ state[f"{first}.weight"].T + state[f"{first}.bias"]
        z = (z - state[f"{norm}.running_mean"]) / np.sqrt(state[f"{norm}.running_var"] + 1e-5)
        z = np.maximum(z * state[f"{norm}.weight"] + state[f"{norm}.bias"], 0) @ state[f"{second}.weight"].T
        z = z + state[f"{second}.bias"]
        z = (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
        z = z * state[f"{row}.weight"] + state[f"{row}.bias"]
        return z @ state[f"{last}.weight"].T + state[f"{last}.bias"]

    return state | {f"{norm}.num_batches_tracked": np.array(7)}, names, forward


@pytest.mark.parametrize("prefix", ["{}", "module.net.{}", "a{}.b"])
@pytest.mark.parametrize("from_file", [False, True])
def test_layers_that_normalize_are_taken(prefix, from_file, path):
    state, _, forward = normalized(prefix)
    net = Network([Dense(5), BatchNorm(), Activation("relu"), Dense(3), LayerNorm(), Dense(2)], inputs=4, dtype="float64")
    net.load_torch(in_a_file(state, path) if from_file else state)
    X = np.random.default_rng(1).normal(size=(9, 4))
    np.testing.assert_allclose(net.forward(X), forward(X), rtol=1e-12, atol=1e-12)


def test_where_activations_stand_beside_them_is_not_guessed():
    state, _, _ = normalized()
    with pytest.raises(ValueError, match=r"normalize \(1, 4\).*load_torch"):
        fastnn.from_torch_state_dict(state)


def test_a_variance_below_0_is_none():
    state, _, _ = normalized()
    net = Network([Dense(5), BatchNorm(), Activation("relu"), Dense(3), LayerNorm(), Dense(2)], inputs=4)
    with pytest.raises(ValueError, match="no variance"):
        net.load_torch(state | {"1.running_var": -np.ones(5)})


# Tensors that resemble those of a normalization layer


NORM = {"1.weight": np.full(3, 2), "1.bias": np.zeros(3)}
FOREIGN = {
    "PReLU": ({"1.weight": np.full(1, 0.25)}, r"'1' holds a weight of shape \(1,\) and no bias, as PReLU and RMSNorm do"),
    "PReLU of each": ({"1.weight": np.full(3, 0.25)}, r"shape \(3,\) and no bias, as PReLU and RMSNorm do.*'1\.bias'"),
    "RMSNorm": ({"1.weight": np.ones(3)}, "no bias"),
    "no statistics": ({"1.weight": np.ones(3), "1.bias": np.ones(3), "1.num_batches_tracked": np.array(3)},
                      "'1' holds bias, num_batches_tracked, weight; a BatchNorm1d must have"),
    "no running variance": ({"1.weight": np.ones(3), "1.bias": np.ones(3), "1.running_mean": np.ones(3)},
                            "'1' holds bias, running_mean, weight; a BatchNorm1d"),
    "no running mean": ({"1.weight": np.ones(3), "1.bias": np.ones(3), "1.running_var": np.ones(3)}, "a BatchNorm1d"),
}
NORMALIZED = [Dense(3), LayerNorm(), Dense(2)], [Dense(3), BatchNorm(), Dense(2)], [Dense(3, "leaky_relu"), Dense(2)]


@pytest.mark.parametrize("layers", NORMALIZED, ids=["LayerNorm", "BatchNorm", "neither"])
@pytest.mark.parametrize(("layer", "message"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_weight_is_no_normalization(layers, layer, message):
    net = Network(layers, inputs=4)
    before = {name: array.copy() for name, array in {**net.parameters, **net.state}.items()}
    for load in (net.load_torch, fastnn.from_torch_state_dict):
        with pytest.raises(ValueError, match=message) as caught:
            load(WEIGHTS | layer)
        assert ": LayerNorm" not in str(caught.value)
    for name, array in {**net.parameters, **net.state}.items():
        np.testing.assert_array_equal(array, before[name])


def named(name):
    """Return a state dict of Linear, a layer of that name with the tensors of a LayerNorm, Linear."""
    ends = {"fc1.weight": np.ones((3, 4)), "fc2.weight": np.ones((2, 3))}
    return ends | {f"{name}.weight": np.full(3, 2), f"{name}.bias": np.ones(3)}


@pytest.mark.parametrize("name", ["gn1", "norm.gn", "group_norm", "GroupNorm_0", "block.rmsnorm", "rms", "prelu",
                                  "act.PReLU", "InstanceNorm1d"])
def test_a_layer_that_is_named_as_another_is_refused(name):
    state = named(name)
    net = Network([Dense(3), LayerNorm(), Dense(2)], inputs=4)
    with pytest.raises(ValueError, match=f"'{name}' is named as a layer that has no counterpart"):
        net.load_torch(state, layers=["fc1", name, "fc2"])


@pytest.mark.parametrize("name", ["ln", "layernorm", "norm1", "groups.0", "design", "forms", "LayerNorm_1"])
def test_a_layer_that_may_be_a_layer_norm_is_taken(name):
    net = Network([Dense(3), LayerNorm(), Dense(2)], inputs=4)
    net.load_torch(named(name), layers=["fc1", name, "fc2"])
    assert (net.parameters["1.scale"] == 2).all()


def test_a_layer_norm_without_a_bias_is_one_with_zeros():
    net = Network([Dense(3), LayerNorm(), Dense(2)], inputs=4)
    net.load_torch(WEIGHTS | NORM)
    assert (net.parameters["1.scale"] == 2).all()
    assert not net.parameters["1.shift"].any()


def test_a_wrong_batch_normalization_is_not_called_layer_norm():
    net = Network([Dense(3), BatchNorm(), Dense(2)], inputs=4)
    with pytest.raises(ValueError, match=r"1: a normalization without running.* 1: BatchNorm, .*takes running") as caught:
        net.load_torch(WEIGHTS | NORM)
    assert "LayerNorm" not in str(caught.value)
    net = Network([Dense(3), LayerNorm(), Dense(2)], inputs=4)
    with pytest.raises(ValueError, match=r"1: BatchNorm1d, .* 1: LayerNorm"):
        net.load_torch(WEIGHTS | NORM | {"1.running_mean": np.zeros(3), "1.running_var": np.ones(3)})


# Images, whose channels PyTorch has first


def torch_flatten(images):
    """What nn.Flatten makes of images (batch, height, width, channels): their channels first."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def test_weights_behind_a_flatten_are_put_in_order():
    """Pool, Flatten, BatchNorm1d, Linear, as PyTorch computes them."""
    rng = np.random.default_rng(0)
    norm = {"weight": rng.uniform(0.5, 1, 18), "bias": rng.normal(size=18), "running_mean": rng.normal(size=18),
            "running_var": rng.uniform(0.5, 1, 18)}
    state = {f"2.{name}": array for name, array in norm.items()} | {"3.weight": rng.normal(size=(5, 18)),
                                                                    "3.bias": rng.normal(size=5)}
    net = Network([MaxPool2D(2), Flatten(), BatchNorm(), Dense(5)], inputs=(4, 6, 3), dtype="float64")
    net.load_torch(state)
    x = rng.normal(size=(2, 4, 6, 3))
    flat = torch_flatten(fastnn.vectorized.max_pool2d_forward(x, 2))
    flat = norm["weight"] * (flat - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5) + norm["bias"]
    np.testing.assert_allclose(net.forward(x), flat @ state["3.weight"].T + state["3.bias"], rtol=1e-12)


def test_weights_before_a_reshape_to_images_are_put_in_order():
    rng = np.random.default_rng(1)
    state = {"0.weight": rng.normal(size=(24, 3)), "0.bias": rng.normal(size=24)}
    net = Network([Dense(24, "tanh"), Reshape((4, 3, 2)), GlobalMaxPool()], inputs=3, dtype="float64")
    net.load_torch(state)
    x = rng.normal(size=(2, 3))
    images = np.tanh(x @ state["0.weight"].T + state["0.bias"]).reshape(2, 2, 4, 3)  # (batch, channels, height, width)
    np.testing.assert_allclose(net.forward(x), images.max(axis=(2, 3)), rtol=1e-12)


@pytest.mark.parametrize("name", ["1", "gn1", "group_norm"])
def test_a_group_norm(name):
    rng = np.random.default_rng(2)
    state = {f"{name}.weight": rng.normal(size=4), f"{name}.bias": rng.normal(size=4), "head.weight": np.ones((2, 4)),
             "head.bias": np.zeros(2)}
    net = Network([GroupNorm(2), GlobalMaxPool(), Dense(2)], inputs=(3, 3, 4), dtype="float64")
    net.load_torch(state, layers=[name, "head"])
    np.testing.assert_array_equal(net.parameters["0.scale"], state[f"{name}.weight"])


STORED = np.load(Path(__file__).parents[1] / "data" / "torch" / "convolutions.npz")  # what PyTorch computed
STORED_CASES = json.loads(str(STORED["cases"]))


@pytest.mark.parametrize("number", range(len(STORED_CASES)))
def test_convolutions(number):
    case, layer = STORED_CASES[number], {"conv2d": Conv2D, "conv_transpose2d": ConvTranspose2D}
    x, weight, bias, z = (STORED[f"{number}.{name}"] for name in ("x", "weight", "bias", "z"))
    options = {name: case[name] for name in ("stride", "padding", "dilation", "groups", "output_padding") if name in case}
    net = Network([layer[case["kind"]](len(bias), weight.shape[:2], **options), Flatten()], inputs=x.shape[1:],
                  dtype="float64")
    net.load_torch({"conv.weight": weight.transpose(3, 2, 0, 1), "conv.bias": bias})
    np.testing.assert_allclose(net.forward(x), z.reshape(len(x), -1), rtol=1e-11, atol=1e-11)
    net.load_torch({"conv.weight": weight.transpose(3, 2, 0, 1)})
    np.testing.assert_allclose(net.forward(x), (z - bias).reshape(len(x), -1), rtol=1e-11, atol=1e-11)
    with pytest.raises(ValueError, match=r"conv.weight has shape .* it must be \("):
        net.load_torch({"conv.weight": np.ones((9, 9, 9, 9)), "conv.bias": bias})


def test_series_and_images_that_are_flattened():
    """Conv1d, Flatten, Linear, as PyTorch computes them: its flattened features go channel by channel."""
    state = {"0.weight": rng.normal(size=(3, 2, 4)), "0.bias": rng.normal(size=3), "2.weight": rng.normal(size=(5, 9)),
             "2.bias": rng.normal(size=5)}
    net = Network([Conv1D(3, 4), Flatten(), Dense(5)], inputs=(6, 2), dtype="float64")
    net.load_torch(state)
    x = rng.normal(size=(4, 6, 2))
    seen = np.lib.stride_tricks.sliding_window_view(x, 4, axis=1)  # (batch, windows, features, taps)
    hidden = np.einsum("nwfk,ofk->now", seen, state["0.weight"]) + state["0.bias"][:, None]
    np.testing.assert_allclose(net.forward(x), hidden.reshape(4, -1) @ state["2.weight"].T + state["2.bias"], rtol=1e-11)
    with pytest.raises(ValueError, match="has convolutions"):
        fastnn.from_torch_state_dict(state)
