"""Weights from PyTorch: the `state_dict` of Linear, convolutions, recurrent layers and normalizations, from memory or a
safetensors file. Nothing is unpickled. A layer that cannot be identified by its tensors is refused.

PyTorch's Linear computes x @ weightᵀ + bias with weight (out_features, in_features); the weight of Dense is its transpose.
The weight of a convolution is (out, in / groups, height, width) in PyTorch, that of a transposed convolution
(in, out / groups, height, width). A state dict does not contain activations, and the names in a file are in alphabetical
order: the caller specifies the activations and the order.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .checks import float_dtype, path_name, several, shown
from .files.networks import ModelFormatError, open_and_read
from .kernels.activations import activations
from .layers import (
    GRU,
    LSTM,
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    GroupNorm,
    LayerNorm,
    MultiHeadAttention,
    PositionEmbedding,
    SimpleRNN,
)
from .layers.attention.torch import (
    attention_arrays,
    block_of,
    is_attention,
    is_row_of_blocks,
    parts_of,
    with_attention,
)
from .layers.recurrence.torch import (
    RECURRENT_LAYERS,
    check_directions,
    is_chain_of_directions,
    is_recurrent,
    recurrent_layers,
)
from .samples.arrays import check_finite, real_array

__all__ = ["from_torch_state_dict", "load_torch"]

# the names of layers by their tensors; LayerNorm, GroupNorm and BatchNorm1d(track_running_stats=False) have the same tensors
TORCH_NAMES = {Dense: "Linear", BatchNorm: "BatchNorm1d", LayerNorm: "a normalization without running statistics",
               Conv1D: "Conv1d", Conv2D: "Conv2d or ConvTranspose2d", SimpleRNN: "RNN", GRU: "GRU", LSTM: "LSTM",
               MultiHeadAttention: "MultiheadAttention"}
# layers whose tensors look like those of another layer; the caller must know which one it is
LIKE = {Embedding: Dense, PositionEmbedding: Dense, GroupNorm: LayerNorm, DepthwiseConv2D: Conv2D, ConvTranspose2D: Conv2D}
# layers with a 1-D weight that are not LayerNorm, distinguished only by their names
FOREIGN = re.compile(r"group_?norm|instance_?norm|rms_?norm|prelu|(?:^|[._])(?:gn|rms)\d*(?:$|[._])", re.IGNORECASE)
GROUPED = re.compile(r"group_?norm|(?:^|[._])gn\d*(?:$|[._])", re.IGNORECASE)


def __dir__():
    return __all__


def load_torch(network, source: str | os.PathLike | Mapping, layers: Sequence[str] | None = None) -> None:
    """Load the weights of a PyTorch model into a network with the same layers.

    Linear corresponds to Dense, Embedding to Embedding and PositionEmbedding, Conv1d to Conv1D, Conv2d to Conv2D or
    DepthwiseConv2D, ConvTranspose2d to ConvTranspose2D, BatchNorm1d and BatchNorm2d to BatchNorm (with its running
    statistics), LayerNorm to LayerNorm and GroupNorm to GroupNorm. RNN, GRU and LSTM correspond to SimpleRNN, GRU and
    LSTM; one of several layers to as many of ours, all but the last with return_sequences=True, and one of both
    directions to Bidirectional. MultiheadAttention corresponds to MultiHeadAttention, TransformerEncoderLayer to
    TransformerEncoder and TransformerDecoderLayer to TransformerDecoder; a Linear of each step may be a Conv1D with a
    kernel of one step. PyTorch flattens images with channels first, so weights after a Flatten are put in the order of
    this network. The tensors of a GroupNorm have the same form as those of a LayerNorm, those of a Conv2d the same as
    those of a ConvTranspose2d, and strides and paddings are not in a state dict, nor are the nonlinearity of an RNN, the
    number of heads, the activation of a Transformer block and its norm_first: make sure that the layers are the same.

    Parameters
    ----------
    network : Network
    source : path or mapping of str to array
        A safetensors file, such as `safetensors.torch.save_file(model.state_dict(), path)` writes, or a state dict itself,
        of tensors or arrays: "0.weight" (out_features, in_features), "0.bias" (out_features,), "2.weight", … A missing bias
        is zero.
    layers : list of str, optional
        The names before ".weight", from the first layer to the last: ["fc1", "fc2", "head"]. Required if the names differ in
        more than numbers. The layers of a Transformer block have one name together, "layers.0".

    Raises
    ------
    ModelFormatError
        If the file is not a safetensors file.
    ValueError
        If the tensors do not fit the network. Nothing has changed then.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network
    >>> net = Network([Dense(2, "tanh"), Dense(1)], inputs=3)
    >>> net.load_torch({"net.0.weight": np.ones((2, 3)), "net.0.bias": np.zeros(2), "net.2.weight": np.full((1, 2), 0.5)})
    >>> net.parameters["1.weight"]
    array([[0.5],
           [0.5]], dtype=float32)
    """
    blocks = is_row_of_blocks(network.wiring) and any(isinstance(layer, MultiHeadAttention) for layer in network.layers)
    if not network.graph.is_chain and not is_chain_of_directions(network.wiring) and not blocks:
        raise ValueError("this network is a graph, and its layers may be in another order than those of a PyTorch module; "
                         "copy them by name: net.parameters['encoder.weight'][:] = state_dict['encoder.weight'].T")
    grouped = any(isinstance(layer, GroupNorm) for layer in network.layers)
    views = {**network.vectors.parameters.numbered, **network.vectors.state.numbered}
    takers = sorted({int(name.split(".")[0]) for name in network.vectors.parameters.numbered})
    kinds = [LIKE.get(type(network.layers[index]), type(network.layers[index])) for index in takers]
    given = torch_layers(source, layers, network.dtype, grouped, kinds)
    of_steps(network, takers, given)
    there = ", ".join(f"{layer.name or 'the only one'}: {TORCH_NAMES[layer.kind]}" for layer in given)
    if [layer.kind for layer in given] != kinds:
        here = ", ".join(f"{index}: {type(network.layers[index]).__name__}" for index in takers)
        without = " (a BatchNorm takes running_mean and running_var)" * any(
            (layer.kind, type(network.layers[index])) == (LayerNorm, BatchNorm)
            for index, layer in zip(takers, given, strict=False))
        raise ValueError(f"the state dict has {len(given)} layers ({there}); this network has {len(takers)} with "
                         f"parameters ({here}), and they must be the same{without}")
    check_directions(network, takers, given)
    for index, layer in zip(takers, given, strict=True):
        if isinstance(network.layers[index], (Embedding, PositionEmbedding)):
            layer.arrays["weight"] = layer.arrays["weight"].T  # like a Linear, but its rows are the tokens, as here
            if layer.arrays.pop("bias").any():
                raise ValueError(f"{layer.name}.bias is given, and layer {index} here, {network.layers[index]!r}, has none")
        for name, array in layer.arrays.items():
            if f"{index}.{name}" not in views:
                raise ValueError(f"{layer.name} has a {name}, and layer {index} here, {network.layers[index]!r}, has none"
                                 + "; a GRU of PyTorch has reset_after=True" * (name == "recurrent_bias"))
            wanted = views[f"{index}.{name}"].shape
            if array.shape != wanted:
                raise ValueError(f"{layer.name}.{name} has shape {in_torch(array.shape)}; for layer {index} here, "
                                 f"{network.layers[index]!r}, it must be "
                                 f"{'(out_features, in_features) = ' * (layer.kind is Dense)}{in_torch(wanted)}")
    for index, layer in zip(takers, given, strict=True):
        # steps have their features last in both libraries, and images never come with attention
        before, after = (slice(None),) * 2 if blocks else (image_order(network, index), image_order(network, index + 1))
        for absent in {"bias", "peepholes"} - layer.arrays.keys():
            if f"{index}.{absent}" in views:
                views[f"{index}.{absent}"][...] = 0
        for name, array in layer.arrays.items():
            if name == "weight":
                array = array[before][:, after]
            views[f"{index}.{name}"][...] = array if name == "weight" or layer.kind in RECURRENT_LAYERS else array[after]


def of_steps(network, takers, given):
    """Make the Linear layers that act on the steps of series convolutions, where the network has such."""
    for index, layer in zip(takers, given, strict=False):
        here = network.layers[index]
        if isinstance(here, Conv1D) and layer.kind is Dense and here.kernel_size in (1, (1,)) and here.groups == 1:
            layer.kind, layer.arrays["weight"] = Conv1D, layer.arrays["weight"][None]


def in_torch(shape):
    """Return PyTorch's shape of a weight."""
    return (shape[-1], *shape[-2:-1], *shape[:-2])


def image_order(network, position):
    """Of the features that layer number `position` gets their places in PyTorch, which has the channels of images first.

    It matters behind a Flatten of images and before a Reshape to images. Elsewhere the order is that of both.
    """
    for step in (-1, 1):
        place = position
        while len(network.shapes[place]) == 1 and 0 <= place - (step < 0) < len(network.layers):
            layer = network.layers[place - (step < 0)]
            if not (layer.is_view or isinstance(layer, IN_PLACE)):
                break
            place += step
        *sizes, channels = network.shapes[place]
        if sizes and len(network.shapes[position]) == 1:
            return np.moveaxis(np.arange(network.shapes[position][0]).reshape(channels, *sizes), 0, -1).ravel()
    return slice(None)


IN_PLACE = Activation, BatchNorm, LayerNorm, GroupNorm, Dropout  # the order of features passes through them


def from_torch_state_dict(source: str | os.PathLike | Mapping, activation: str | Sequence[str] = "relu",
                          output_activation: str = "identity", *, loss: str | None = None, dtype: str = "float32",
                          layers: Sequence[str] | None = None):
    """Make a network with the sizes and weights of a PyTorch model of Linear layers.

    Parameters
    ----------
    source, layers
        As for `Network.load_torch`.
    activation : str or list of str
        The activation after the hidden layers: one for all, or one each. A state dict does not contain them.
    output_activation : str
        The activation after the last layer.
    loss, dtype
        As for `Network`.

    Returns
    -------
    Network

    Raises
    ------
    ModelFormatError, ValueError
        If the file is not a safetensors file; if the tensors are not those of a chain of Linear layers.

    Examples
    --------
    >>> import fastnn, numpy as np
    >>> state = {"0.weight": np.ones((8, 4)), "0.bias": np.zeros(8), "2.weight": np.ones((3, 8)), "2.bias": np.zeros(3)}
    >>> fastnn.from_torch_state_dict(state, "tanh", "softmax")
    Network([Dense(8, 'tanh'), Dense(3, 'softmax')], inputs=4, loss='cross_entropy', dtype='float32')
    """
    from .network.network import Network  # imported here because that module imports this one

    dtype = float_dtype("dtype", dtype)
    linears = torch_layers(source, layers, dtype)
    if kernels := [layer.name for layer in linears if layer.kind in (Conv1D, Conv2D)]:
        raise ValueError(f"the state dict has convolutions ({', '.join(kernels)}), and does not contain their strides and "
                         "paddings; make the network and load the weights: "
                         "Network([Conv2D(8, 3), Flatten(), Dense(3)], inputs=(28, 28, 1)).load_torch(...)")
    if norms := [layer.name for layer in linears if layer.kind is not Dense]:
        raise ValueError(f"the state dict has layers that normalize ({', '.join(norms)}), and does not say whether "
                         "activations stand before or behind them; make the network yourself and give it the weights: "
                         "Network([Dense(8), BatchNorm(), Activation('relu'), Dense(3)], inputs=4).load_torch(...)")
    for before, linear in pairwise(linears):
        if before.weight.shape[1] != linear.weight.shape[0]:
            raise ValueError(f"{before.name} gives {before.weight.shape[1]} features and {linear.name} takes "
                             f"{linear.weight.shape[0]}; if they do not follow each other, give the order: layers=[...]")
    hidden = [activation] * (len(linears) - 1) if isinstance(activation, str) else several("activation", activation)
    for name in hidden:
        activations.resolve(name)
    if len(hidden) != len(linears) - 1:
        raise ValueError(f"activation names {len(hidden)} activations; the state dict has {len(linears) - 1} "
                         "hidden layers: give one each")
    dense = [Dense(linear.weight.shape[1], name) for linear, name in zip(linears, [*hidden, output_activation], strict=True)]
    network = Network(dense, len(linears[0].weight), loss=loss, dtype=dtype)
    for index, linear in enumerate(linears):
        network.parameters[f"{index}.weight"][...] = linear.weight
        network.parameters[f"{index}.bias"][...] = linear.bias
    return network


@dataclass
class TorchLayer:
    """A layer of a state dict: the corresponding layer type, and its parameters and state by name."""

    name: str
    kind: type
    arrays: dict

    weight = property(lambda self: self.arrays["weight"])  # (in_features, out_features), as in Dense
    bias = property(lambda self: self.arrays["bias"])


def torch_layers(source, layers, dtype, grouped=False, kinds=()):
    """Return the layers of a state dict, first to last.

    grouped: whether those like a LayerNorm may be a GroupNorm. kinds: those of the network's layers, which tell whether the
    parts of a Transformer block begin with a normalization.
    """
    tensors = read_tensors(source)
    found = {}
    for name in tensors:
        layer, _, leaf = name.rpartition(".")
        found.setdefault(layer, set()).add(leaf)
    made, found = [], with_attention(found)
    blocks = {name: block_of(name, found) for name in found}
    names = dict.fromkeys(name if blocks[name] is None else blocks[name] for name in found)
    order = []
    for name in in_order(list(names), layers):
        norm_first = len(order) < len(kinds) and kinds[len(order)] is LayerNorm
        order += [name] if name not in blocks.values() else parts_of(name, found, norm_first)
    for layer in order:
        start = f"{layer}." if layer else ""
        if is_attention(found[layer]):
            held = {leaf: real(f"{start}{leaf}", tensors[f"{start}{leaf}"], dtype) for leaf in found[layer]}
            made.append(TorchLayer(layer, MultiHeadAttention, attention_arrays(layer, held)))
            continue
        if is_recurrent(found[layer]):
            held = {leaf: real(f"{start}{leaf}", tensors[f"{start}{leaf}"], dtype) for leaf in found[layer]}
            made += [TorchLayer(*each) for each in recurrent_layers(layer, held)]
            continue
        held = {leaf: real(f"{start}{leaf}", tensors[f"{start}{leaf}"], dtype) for leaf in found[layer] & LEAVES}
        holds = f"{layer!r} holds {', '.join(sorted(found[layer]))}"
        if not found[layer] <= LEAVES | {"num_batches_tracked"} or not held.keys() & {"weight", "running_mean"}:
            raise ValueError(f"{holds}; only Linear layers and convolutions with weight and bias, "
                             "BatchNorm1d and LayerNorm can be loaded")
        if found[layer] & STATISTICS and not found[layer] >= {"running_mean", "running_var"}:
            raise ValueError(f"{holds}; a BatchNorm1d must have running_mean and running_var: without them it "
                             "normalizes by the batch also in prediction, which no layer does")
        if not found[layer] & STATISTICS and held["weight"].ndim == 1:
            refuse_foreign(layer, held, grouped)
        made.append(TorchLayer(layer, *as_ours(start, held)))
    return made


LEAVES = {"weight", "bias", "running_mean", "running_var"}
STATISTICS = {"running_mean", "running_var", "num_batches_tracked"}


def refuse_foreign(layer, held, grouped):
    """Refuse a layer with a 1-D weight that is not a LayerNorm, judged by its tensors or its name."""
    shape = held["weight"].shape
    if "bias" not in held:
        raise ValueError(f"{layer!r} holds a weight of shape {shape} and no bias, as PReLU and RMSNorm do, which have no "
                         "counterpart here; if it is a LayerNorm without a bias, give it one: "
                         f"state | {{'{layer}.bias': numpy.zeros({len(held['weight'])})}}")
    if FOREIGN.search(layer) and not (grouped and GROUPED.search(layer)):
        raise ValueError(f"{layer!r} is named as a layer that has no counterpart here; if it is a LayerNorm all the same, "
                         "give its tensors another name")


def as_ours(start, held):
    """Return (layer type, arrays by fastnn's names) for the tensors of a PyTorch layer."""
    if "running_mean" in held or held["weight"].ndim == 1:
        like = held.get("running_mean", held.get("weight"))
        arrays = {"scale": held.get("weight", np.ones_like(like)), "shift": held.get("bias", np.zeros_like(like))}
        if "running_mean" in held:
            arrays |= {"running_mean": like, "running_variance": held["running_var"]}
        if any(array.shape != like.shape or array.ndim != 1 for array in arrays.values()):
            shapes = ", ".join(str(array.shape) for array in arrays.values())
            raise ValueError(f"what {start[:-1]!r} holds has shapes {shapes}; they must be alike, a number a feature")
        if (arrays.get("running_variance", like * 0) < 0).any():
            raise ValueError(f"{start}running_var holds numbers below 0, which no variance is")
        return BatchNorm if "running_mean" in held else LayerNorm, arrays
    weight = held["weight"]
    if weight.ndim in (3, 4) and weight.size > 0:  # the network determines which axis is the output
        kernel = np.transpose(weight, (*range(2, weight.ndim), 1, 0))
        biases = {name: held[name] for name in held.keys() & {"bias"}}
        return (Conv1D, Conv2D)[weight.ndim - 3], {"weight": kernel} | biases
    if weight.ndim != 2 or weight.size == 0:
        raise ValueError(f"{start}weight has shape {weight.shape}; it must be (out_features, in_features) for a Linear "
                         "layer and (out, in / groups, *kernel) for a convolution")
    bias = held.get("bias", np.zeros(len(weight), weight.dtype))
    if bias.shape != (len(weight),):
        raise ValueError(f"{start}bias has shape {bias.shape}; with {len(weight)} outputs it must be ({len(weight)},)")
    return Dense, {"weight": weight.T, "bias": bias}


def real(name, values, dtype):
    """Return a tensor or array as a finite array of `dtype`."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.double() if values.is_floating_point() else values).numpy()  # NumPy has no bfloat16
    values = real_array(name, values, dtype)
    check_finite(name, values)
    return values


def in_order(found, given):
    """Return the names of the layers, first to last."""
    if not found:
        raise ValueError("the state dict is empty")
    if given is not None:
        names = () if isinstance(given, str) else several("layers", given)
        if not all(isinstance(name, str) for name in names) or sorted(names) != sorted(found):
            raise ValueError(f"layers is {shown(given)}; it must name each of these once: {', '.join(map(repr, found))}")
        return list(names)
    parts = {name: re.split(r"(\d+)", name) for name in found}  # text, number, text, …
    if len({tuple(split[::2]) for split in parts.values()}) > 1:
        raise ValueError(f"the names of the layers do not say their order; give it, first to last: layers={found!r} "
                         "or however they follow each other")
    return sorted(found, key=lambda name: [int(digits) for digits in parts[name][1::2]])


def all_tensors(file):
    """Return the arrays by name of an open safetensors file from any program."""
    arrays = file.empty()
    file.fill(arrays)
    return arrays


def read_tensors(source):
    """Return the arrays by name of a mapping, or of the safetensors file at a path."""
    if isinstance(source, Mapping):
        if not all(isinstance(name, str) for name in source):
            raise ValueError("the state dict has names that are not text")
        return dict(source)
    source = path_name("source", source)
    try:
        return open_and_read(source, all_tensors, "weights")
    except ModelFormatError as error:
        raise ModelFormatError(
            f"{error}. PyTorch's own files (.pt, .pth, .bin) are pickled and never read; write a safetensors file with: "
            "safetensors.torch.save_file(model.float().state_dict(), path)") from error
