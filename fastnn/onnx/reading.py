"""Networks read from ONNX files, ours and dense ones that others wrote. A file is data to be checked, never code.

A file of ours holds its architecture too. That is believed only if writing the network that it describes gives the very
graph of the file again. Any other graph is walked node by node.
"""

import json
import os

from ..checks import path_name
from ..files.networks import ModelFormatError, open_file, seems
from ..formats.signatures import ONNX
from ..layers import input_shape, layers_from_config, parameter_shapes, state_shapes
from .chain import UnknownNode
from .library import library
from .walk import walk
from .writing import KEY, to_model

LARGEST = 2**31  # bytes: what a message of protobuf can hold


def load(path: str | os.PathLike):
    """Read a network from an ONNX file: one that `export` wrote, or a chain of dense layers that another program wrote.

    Products (Gemm, MatMul), biases and all that computes one of our activations become `Dense` layers, a further activation
    behind it an `Activation`, a layer normalization, in one operator or in parts, a `LayerNorm`; scales and shifts of
    features (standardization, batch normalization as it is in use) are folded into them, and dropout is left out. So are the
    labels that scikit-learn's classifiers end with: `predict` gives the index of the class. Inputs of more axes that the
    graph flattens are given flat. A number of samples to which an exporter has fixed the graph is taken for the batch: the
    network takes any number.

    Parameters
    ----------
    path : path of an ONNX file with all weights in it; other files that it names are never read

    Returns
    -------
    Network
        float64 if the weights of the first layer are, else float32. From our own files the same network as was written;
        from others with the default loss of its last activation.

    Raises
    ------
    ModelFormatError
        If the file is damaged, or holds what is no such chain; the error names the first node that cannot be taken.
    """
    path, onnx = path_name("path", path), library()
    with open_file(path) as file:
        return read_open(onnx, file, os.fstat(file.fileno()).st_size, path)


def read_open(onnx, file, size, path):
    """The network in a file of so many bytes that is open."""
    from ..network.network import Network

    if size > LARGEST:
        raise ModelFormatError(f"cannot load a network from {path}: it has {size:,} bytes; ONNX has at most {LARGEST:,}")
    try:
        model = onnx.load_model_from_string(file.read(size))
        refuse_external_data(onnx, model)
        for value in model.graph.output:  # the checker wants shapes there, which runtimes find out, and so does the walk
            if value.type.HasField("tensor_type"):
                value.type.tensor_type.shape.SetInParent()
        onnx.checker.check_model(model)
        return our_own(Network, model) or chain(Network, model)
    except UnknownNode as error:
        raise ModelFormatError(f"cannot load a network from {path}: {error}; to have it all the same, build the network of "
                               "layers here and copy the weights into its parameters") from error
    except Exception as error:  # what a damaged or foreign file can provoke in onnx is not listed anywhere
        what = seems(file, ONNX) or str(error) or type(error).__name__
        raise ModelFormatError(f"cannot load a network from {path}: {what}") from error


def refuse_external_data(onnx, model):
    """Refuse tensors that lie in other files."""
    tensors = [*model.graph.initializer,
               *(a.t for node in model.graph.node for a in node.attribute if a.HasField("t"))]
    for tensor in tensors:
        if onnx.external_data_helper.uses_external_data(tensor):
            raise ValueError(f"tensor {tensor.name!r} lies in another file, and those are not read; save the model in one "
                             "file, with onnx.save(onnx.load(path), path) or torch.onnx.export(..., external_data=False)")


def our_own(network_type, model):
    """The network of a file that `export` wrote, None if it is not one or has been changed."""
    [text] = [prop.value for prop in model.metadata_props if prop.key == KEY] or [None]
    if text is None:
        return None
    try:
        config = json.loads(text)
        layers, inputs = layers_from_config(config["layers"]), input_shape(config["inputs"])
        shapes = parameter_shapes(layers, inputs) | state_shapes(layers, inputs)
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        if any(tuple(tensors[name].dims) != shape for name, shape in shapes.items()):
            return None  # before memory is taken for it
        network = network_type.from_config(config)
        for name, view in {**network.parameters, **network.state}.items():
            view[...] = library().numpy_helper.to_array(tensors[name])
        held = model.graph.SerializeToString(deterministic=True)
        ours = (to_model(network, exact).graph.SerializeToString(deterministic=True) for exact in (True, False))
        return network if held in ours else None
    except (LookupError, TypeError, ValueError, RecursionError):
        return None


def chain(network_type, model):
    """The network of a graph that is a chain of layers."""
    layers, inputs, dtype = walk(model)
    network = network_type([layer for layer, _ in layers], inputs, dtype=dtype)
    for index, (_, parameters) in enumerate(layers):
        for name, array in parameters.items():
            network.parameters[f"{index}.{name}"][...] = array
    return network
