"""Layers: frozen specifications, one a file, in folders by kind.

A layer defines its parameters and state, and emits rows of the table.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path

from ..checks import shown
from .activation import Activation
from .attention.attention import Attention
from .attention.attention_pool import AttentionPool
from .attention.multi_head_attention import MultiHeadAttention
from .attention.position_embedding import PositionEmbedding
from .attention.positional_encoding import PositionalEncoding
from .attention.transformer import TransformerDecoder, TransformerEncoder
from .base import Layer, register
from .blocks import Block, Chain, Parallel, Residual, Shared
from .convolution.conv1d import Conv1D
from .convolution.conv2d import Conv2D
from .convolution.conv_transpose2d import ConvTranspose2D
from .convolution.depthwise_conv2d import DepthwiseConv2D
from .custom.custom_layer import CustomLayer, register_layer
from .dense import Dense
from .joins import Add, Average, Concatenate, Dot, Maximum, Multiply, Slice, Subtract
from .node import Input, Node
from .normalization.batch_norm import BatchNorm
from .normalization.group_norm import GroupNorm
from .normalization.layer_norm import LayerNorm
from .normalization.normalize import Normalize
from .normalization.rescale import Rescale
from .pooling.average_pool import AveragePool1D, AveragePool2D, GlobalAveragePool
from .pooling.max_pool import GlobalMaxPool, MaxPool1D, MaxPool2D
from .ragged import input_shape, is_features, is_ragged, numbers_of, output_shape, row_shape, seen_by, shown_shape
from .randomness.dropout import Dropout
from .randomness.gaussian_noise import GaussianNoise
from .randomness.random_views import RandomCrop, RandomFlip, RandomShift
from .recurrence.bidirectional import Bidirectional
from .recurrence.gru import GRU
from .recurrence.lstm import LSTM
from .recurrence.simple_rnn import SimpleRNN
from .registry import layers
from .sequences.embedding import Embedding
from .sequences.last_step import LastStep
from .shapes.flatten import Flatten
from .shapes.pad2d import Pad2D
from .shapes.reshape import Reshape
from .shapes.up_sample2d import UpSample2D
from .shapes.zero_pad2d import ZeroPad2D

__all__ = ["GRU", "LSTM", "Activation", "Add", "Attention", "AttentionPool", "Average", "AveragePool1D", "AveragePool2D",
           "BatchNorm", "Bidirectional", "Block", "Chain", "Concatenate", "Conv1D", "Conv2D", "ConvTranspose2D",
           "CustomLayer", "Dense", "DepthwiseConv2D", "Dot", "Dropout", "Embedding", "Flatten", "GaussianNoise",
           "GlobalAveragePool", "GlobalMaxPool", "GroupNorm", "Input", "LastStep", "Layer", "LayerNorm", "MaxPool1D",
           "MaxPool2D", "Maximum", "MultiHeadAttention", "Multiply", "Node", "Normalize", "Pad2D", "Parallel",
           "PositionEmbedding", "PositionalEncoding", "RandomCrop", "RandomFlip", "RandomShift", "Rescale", "Reshape",
           "Residual", "Shared", "SimpleRNN", "Slice", "Subtract", "TransformerDecoder", "TransformerEncoder", "UpSample2D",
           "ZeroPad2D", "applied_activations", "computing_layer", "input_shape", "is_features", "is_ragged",
           "layer_from_config", "layers", "layers_from_config", "numbers_of", "output_shape", "register",
           "register_layer", "row_shape", "seen_by", "shapes", "shown_shape"]

# paths of modules that pickles of earlier versions name
__path__.append(str(Path(__file__).parents[1] / "files" / "earlier" / "layers"))


def layers_from_config(configs):
    """Return the layers from a list of their `config()`."""
    return [layer_from_config(f"layers[{index}]", options) for index, options in enumerate(configs)]


def layer_from_config(where, config):
    """Return the layer from its `config()`."""
    if not isinstance(config, Mapping) or "layer" not in config:
        raise ValueError(f"{where} is {shown(config)}; it must be what config() of a layer gives")
    if config["layer"] not in list(layers):
        raise ValueError(f"{where} is an unknown layer {shown(config['layer'])} (a layer of your own must be registered "
                         f"first, with fastnn.register_layer); the known ones are {', '.join(sorted(layers))}")
    options = {name: value for name, value in config.items() if name != "layer"}
    known = {field.name: field.default is MISSING for field in fields(layers[config["layer"]])}
    wrong = [name for name in options if name not in known] or [name for name in known if known[name] > (name in options)]
    if wrong:
        raise ValueError(f"{where}, a {config['layer']}, has {'an unknown' if wrong[0] in options else 'no'} option "
                         f"{shown(wrong[0])}; it must have those of its config(): {', '.join(known)}")
    return layers[config["layer"]](**options)


def shapes(layers, shape):
    """Return the shape of a sample before the first layer and after each layer."""
    found = [shape]
    for index, layer in enumerate(layers):
        if layer.joins:
            raise ValueError(f"layers[{index}] is {layer!r}, which joins several tensors; in a list use Residual(block) or "
                             "Parallel(join, *branches), or make a graph of Input(shape) and calls of layers")
        try:
            found.append(output_shape(layer, found[-1]))
        except ValueError as error:
            raise ValueError(f"layers[{index}]: {error}") from None
    return found


def computing_layer(layers):
    """Return the last layer that computes something: its result, in any shape, is the output of the network."""
    return next((layer for layer in reversed(layers) if not layer.is_view), layers[-1])


def applied_activations(layers):
    """Return the name of the activation that the rows of each layer apply.

    An `Activation` directly after a layer without an activation is applied by the rows of that layer, if these can apply
    one: `Dense(10)` and `Activation("softmax")` have the rows of `Dense(10, "softmax")`, and the `Activation` has none.
    """
    applied = [layer.activation for layer in layers]
    for index in range(1, len(layers)):
        before = layers[index - 1]
        if isinstance(layers[index], Activation) and before.takes_activation and applied[index - 1] == "identity":
            applied[index - 1], applied[index] = applied[index], "identity"
    return applied
