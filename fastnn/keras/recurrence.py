"""Recurrent layers and embeddings of Keras.

The parameters of a cell are those here: kernel (in, gates · units), recurrent_kernel (units, gates · units) and bias, with
the gates in the same order. A GRU with a reset after the product has a bias (2, gates · units): of the inputs, and of the
product.
"""

import numpy as np

from ..checks import shown
from ..layers import GRU, LSTM, Bidirectional, Embedding, SimpleRNN
from .configuration import parts_of
from .converter import activation_of, converter

GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


@converter("SimpleRNN", "GRU", "LSTM")
def recurrent(layer, shape):
    return [with_parameters(layer, specification(layer, shape), shape)]


def specification(layer, shape):
    """Return the layer here, without its direction."""
    if layer.kind not in GATES:
        raise ValueError(f"it runs a {shown(layer.kind)} in both directions; only {', '.join(GATES)} have a counterpart")
    if len(shape) != 2:
        raise ValueError(f"it takes sequences (steps, features), and here samples have the shape {shape}")
    for name in ("return_state", "stateful", "time_major"):
        layer.neutral(name, False)
    for name in ("unroll", "zero_output_for_mask", "unit_forget_bias", "input_length"):  # without an effect here
        layer.option(name)
    options = {"return_sequences": layer.option("return_sequences", False) is True,
               "dropout": layer.option("dropout", 0.0), "recurrent_dropout": layer.option("recurrent_dropout", 0.0)}
    units = layer.option("units")
    if layer.kind == "SimpleRNN":
        layer.config.setdefault("activation", "tanh")
        return SimpleRNN(units, nonlinearity=activation_of(layer), **options)
    layer.neutral("activation", "tanh")
    layer.neutral("recurrent_activation", "sigmoid")
    if layer.kind == "LSTM":
        return LSTM(units, **options)
    return GRU(units, reset_after=layer.option("reset_after", True) is True, **options)


def with_parameters(layer, spec, shape, reverse=None):
    """Return (the layer here, its parameters). reverse: its direction within a Bidirectional."""
    backwards = layer.option("go_backwards", False) is True
    if reverse is None and backwards and spec.return_sequences:
        raise ValueError("it gives the steps in the reversed order (go_backwards with return_sequences), which has no "
                         "counterpart: reverse=True keeps the order of the steps here")
    if reverse is not None and backwards != reverse:
        raise ValueError("its two layers do not run in the two directions, the first one forwards")
    columns, has_bias = GATES[layer.kind] * spec.out_features, layer.option("use_bias", True) is True
    names, cell = ["kernel", "recurrent_kernel"] + ["bias"] * has_bias, layer.inner("cell")
    arrays = {"weight": cell.read(names, "kernel", (shape[-1], columns)),
              "recurrent_weight": cell.read(names, "recurrent_kernel", (spec.out_features, columns))}
    both = layer.kind == "GRU" and spec.reset_after
    bias = cell.read(names, "bias", (2, columns) if both else (columns,)) if has_bias else np.zeros((1 + both, columns))
    if both:
        arrays |= {"bias": bias[0], "recurrent_bias": bias[1]}
    else:
        arrays["bias"] = bias.reshape(columns)
    return type(spec)(**options_of(spec), reverse=backwards), arrays


def options_of(spec):
    return {name: value for name, value in spec.config().items() if name not in ("layer", "reverse")}


@converter("Bidirectional")
def bidirectional(layer, shape):
    merge = layer.option("merge_mode", "concat")
    forwards = direction(layer, layer.option("layer"), "forward_layer")
    given = layer.option("backward_layer")
    if given is None:
        options = {**forwards.config, "go_backwards": True, "name": forwards.name.replace("forward_", "backward_", 1)}
        given = {"class_name": forwards.kind, "config": options}
    backwards, parts = direction(layer, given, "backward_layer"), []
    if specification(forwards, shape) != specification(backwards, shape) or forwards.kind != backwards.kind:
        raise ValueError("its two layers have other options each; Bidirectional runs one layer in both directions here")
    for number, each in enumerate((forwards, backwards)):
        spec, arrays = with_parameters(each, specification(each, shape), shape, reverse=number == 1)
        parts.append((spec, {f"{number}.{name}": array for name, array in arrays.items()}))
        each.refuse_others()
        layer.remarks.extend(each.remarks)
    return [(Bidirectional(parts[0][0], merge), parts[0][1] | parts[1][1])]


def direction(layer, given, place):
    """Return one of the two layers of a Bidirectional, which stands in the configuration of the other."""
    kind, options = parts_of(given)
    found = layer.inner(place, kind=kind, config=dict(options))
    found.within = found.name
    return found


@converter("Embedding")
def embedding(layer, shape):
    if shape != (None,):
        raise ValueError(f"it takes tokens, and here samples have the shape {shape}; only a first layer with inputs=(None,) "
                         "has a counterpart")
    layer.neutral("mask_zero", False)
    layer.option("input_length")
    tokens, features = layer.option("input_dim"), layer.option("output_dim")
    return [(Embedding(tokens, features), {"weight": layer.read(["embeddings"], "embeddings", (tokens, features))})]
