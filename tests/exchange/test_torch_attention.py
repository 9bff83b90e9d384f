"""Attention and Transformer blocks of PyTorch get their weights to the right places: equal outputs, or nothing changes."""

import numpy as np
import pytest

from fastnn import (
    Conv1D,
    Dense,
    Embedding,
    Flatten,
    Input,
    LastStep,
    LayerNorm,
    MultiHeadAttention,
    Network,
    TransformerDecoder,
    TransformerEncoder,
)

try:
    import torch
except ImportError:
    torch = None
rng = np.random.default_rng(0)
FLOAT = {"dtype": torch and torch.float64}
of_torch_itself = pytest.mark.skipif(torch is None, reason="outputs are compared with those of PyTorch")


def drawn(module):
    """Return a module in evaluation mode whose parameters are all random, and their state dict."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return module.eval()


def of_torch(module, *arrays, **options):
    with torch.no_grad():
        return module(*map(torch.tensor, arrays), **options).numpy()


def assert_equal(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * max(1, np.abs(expected).max()))


@of_torch_itself
@pytest.mark.parametrize("bias", [True, False])
def test_attention(bias):
    module = drawn(torch.nn.MultiheadAttention(8, 2, bias=bias, batch_first=True, **FLOAT))
    net = Network([MultiHeadAttention(2)], inputs=(None, 8), dtype="float64")
    net.load_torch(module.state_dict())
    x = rng.normal(size=(1, 7, 8))
    with torch.no_grad():
        expected = module(*[torch.tensor(x)] * 3, need_weights=False)[0].numpy()
    assert_equal(net.forward(x)[0], expected[0])


@of_torch_itself
def test_keys_and_values_of_other_sizes():
    module = drawn(torch.nn.MultiheadAttention(8, 4, kdim=5, vdim=5, batch_first=True, **FLOAT))
    x, s = Input((None, 8), name="x"), Input((None, 5), name="s")
    net = Network(inputs=[x, s], outputs=MultiHeadAttention(4)(x, s), dtype="float64")
    net.load_torch(module.state_dict())
    query, source = rng.normal(size=(1, 3, 8)), rng.normal(size=(1, 6, 5))
    with torch.no_grad():
        expected = module(torch.tensor(query), *[torch.tensor(source)] * 2, need_weights=False)[0].numpy()
    assert_equal(net.forward([query, source])[0], expected[0])


@of_torch_itself
@pytest.mark.parametrize("steps", [None, 6])
@pytest.mark.parametrize("norm_first", [False, True])
def test_a_stack_of_encoders_between_other_layers(norm_first, steps):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            layer = torch.nn.TransformerEncoderLayer(8, 2, 12, 0.0, "relu", batch_first=True, norm_first=norm_first, **FLOAT)
            self.stem, self.head = torch.nn.Linear(5, 8, **FLOAT), torch.nn.Linear(8, 3, **FLOAT)
            norm = torch.nn.LayerNorm(8, **FLOAT)
            self.blocks = torch.nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False)

        def forward(self, x):
            return self.head(self.blocks(self.stem(x)))[:, -1]

    module = drawn(Model())
    blocks = [TransformerEncoder(2, 12, "relu", norm_first=norm_first) for _ in range(2)]
    stem, head = (Dense(8), Dense(3)) if steps is None else (Conv1D(8, 1), Conv1D(3, 1))
    net = Network([stem, *blocks, LayerNorm(), head, LastStep()], inputs=(steps, 5), dtype="float64")
    net.load_torch(module.state_dict(), layers=["stem", "blocks.layers.0", "blocks.layers.1", "blocks.norm", "head"])
    x = rng.normal(size=(4, 6, 5))
    assert_equal(net.forward(x), of_torch(module, x))


@of_torch_itself
@pytest.mark.parametrize("norm_first", [False, True])
def test_a_decoder(norm_first):
    module = drawn(torch.nn.TransformerDecoderLayer(8, 2, 12, 0.0, "gelu", batch_first=True, norm_first=norm_first, **FLOAT))
    x, s = Input((None, 8), name="x"), Input((None, 8), name="s")
    net = Network(inputs=[x, s], outputs=TransformerDecoder(2, 12, norm_first=norm_first)(x, s), dtype="float64")
    net.load_torch(module.state_dict())
    target, source = rng.normal(size=(1, 5, 8)), rng.normal(size=(1, 9, 8))
    mask = torch.ones(5, 5).triu(1).bool()
    assert_equal(net.forward([target, source])[0], of_torch(module, target, source, tgt_mask=mask)[0])


@of_torch_itself
def test_steps_that_are_flattened_keep_their_order():
    module = drawn(torch.nn.Sequential(torch.nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True, **FLOAT),
                                       torch.nn.Flatten(), torch.nn.Linear(12, 2, **FLOAT)))
    net = Network([TransformerEncoder(2, 6, "relu", norm_first=False), Flatten(), Dense(2)], inputs=(3, 4), dtype="float64")
    net.load_torch(module.state_dict())
    x = rng.normal(size=(5, 3, 4))
    assert_equal(net.forward(x), of_torch(module, x))


def tensors(**shapes):
    return {name.replace("__", "."): rng.normal(size=shape) for name, shape in shapes.items()}


STATE = tensors(in_proj_weight=(24, 8), in_proj_bias=24, out_proj__weight=(8, 8), out_proj__bias=8)
BLOCK = {f"self_attn.{name}": array for name, array in STATE.items()} | tensors(
    linear1__weight=(12, 8), linear1__bias=12, linear2__weight=(8, 12), linear2__bias=8, norm1__weight=8, norm1__bias=8,
    norm2__weight=8, norm2__bias=8)
PLACES = {True: ("norm1", "self_attn", "norm2", "linear1", "linear2"),
          False: ("self_attn", "norm1", "linear1", "linear2", "norm2")}


@pytest.mark.parametrize("norm_first", [True, False])
def test_each_tensor_has_its_place(norm_first):
    net = Network([TransformerEncoder(2, 12, norm_first=norm_first)], inputs=(None, 8), dtype="float64")
    net.load_torch(BLOCK)
    found = net.vectors.parameters.numbered
    with_parameters = sorted({int(name.split(".")[0]) for name in found})
    place = dict(zip(PLACES[norm_first], with_parameters, strict=True))
    for name in ("norm1", "norm2"):
        np.testing.assert_array_equal(found[f"{place[name]}.scale"], BLOCK[f"{name}.weight"])
        np.testing.assert_array_equal(found[f"{place[name]}.shift"], BLOCK[f"{name}.bias"])
    for name in ("linear1", "linear2"):
        np.testing.assert_array_equal(found[f"{place[name]}.weight"], BLOCK[f"{name}.weight"].T)
    for k, name in enumerate(("query", "key", "value")):
        part = slice(8 * k, 8 * k + 8)
        np.testing.assert_array_equal(found[f"{place['self_attn']}.{name}_weight"], STATE["in_proj_weight"][part].T)
        np.testing.assert_array_equal(found[f"{place['self_attn']}.{name}_bias"], STATE["in_proj_bias"][part])
    np.testing.assert_array_equal(found[f"{place['self_attn']}.output_weight"], STATE["out_proj.weight"].T)


def heads(features):
    return lambda: Network([MultiHeadAttention(2)], inputs=(None, features))


@pytest.mark.parametrize(("net", "state", "message"), [
    (heads(6), STATE, r"query_weight has shape \(8, 8\).* must be \(6, 6\)"),
    (heads(8), STATE | {"bias_k": np.zeros((1, 1, 8))}, "holds bias_k"),
    (heads(8), {**STATE, "in_proj_bias": np.zeros(8)}, r"in_proj_bias \(3"),
    (heads(8), {name: array for name, array in STATE.items() if "out" not in name}, "out_proj.weight"),
    (heads(8), BLOCK, "has 5 layers .* has 1 with"),
    (lambda: Network([TransformerEncoder(2, 12)], inputs=(None, 8)), STATE, "has 1 layers .* has 5 with"),
    (lambda: Network([TransformerEncoder(2, 10)], inputs=(None, 8)), BLOCK, r"linear1.weight has shape \(12, 8\)"),
    (lambda: Network([Embedding(5, 8), MultiHeadAttention(2)], inputs=(None,)), STATE, "has 1 layers"),
])
def test_what_does_not_fit_changes_nothing(net, state, message):
    net = net()
    before = net.vectors.parameters.flat.copy()
    with pytest.raises(ValueError, match=message):
        net.load_torch(state)
    assert np.array_equal(before, net.vectors.parameters.flat)
