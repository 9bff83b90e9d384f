"""Reading networks from ONNX files, those of fastnn and those of other libraries. A file is data and is never executed.

A file of fastnn also contains its architecture. It is used only if exporting the network of that architecture gives exactly
the graph of the file. Any other graph is walked node by node.
"""

import json
import os

from ..architecture.from_config import graph_from_config
from ..checks import path_name
from ..files.networks import ModelFormatError, open_file, seems
from ..formats.signatures import ONNX
from .building import network_of
from .chain import UnknownNode
from .library import library
from .walk import walk
from .writing import KEY, to_model

LARGEST = 2**31  # bytes: the largest protobuf message


def load(path: str | os.PathLike):
    """Read a network from an ONNX file: one of `export`, or layers from another program.

    Products (Gemm, MatMul), biases and activations that fastnn has become `Dense` layers, or `Conv1D` with a kernel of one
    step where they act on the steps of a series. A second activation after one becomes an `Activation`, a layer
    normalization, as one operator or several, a `LayerNorm`, and convolutions, pools and recurrent operators, of one
    direction or both, become layers of these names. Scales and shifts of features (standardization, batch normalization as
    in prediction) are folded into these, and dropout is left out. So are the labels at the end of scikit-learn's
    classifiers: `predict` returns the index of the class.

    Graphs may branch and have several inputs and outputs. Add, Sub, Mul, Max, Mean and Concat of values of one shape become
    joins, and Slice, Split and Gather of neighboring numbers a `Slice`. Attention is recognized by its operators, two
    products with a softmax between them, whatever the order in which a program splits heads, and becomes
    `MultiHeadAttention`; its mask may hide the steps behind each query.

    An input whose number of steps is open, (batch, steps, features), is that of a network for sequences of any length, and
    so is one of tokens, which pick the rows of an `Embedding`. The network computes of each sequence what the graph computes
    of it alone. If the graph has lengths of padded sequences as an input, only recurrent operators that get them, and layers
    that compute step by step, are taken. What depends on the number of steps, such as a product of all of them, is refused.

    For inputs with more axes, which the graph flattens at once, the network takes flat samples. Images, whose channels ONNX
    puts first, it takes with channels last, (height, width, channels), as all networks here do; weights after a `Flatten`
    are put in that order. If an exporter has fixed the number of samples, that axis is taken for the batch: the network
    accepts any number. Names of inputs and outputs keep their letters, digits and _.

    Parameters
    ----------
    path : path of an ONNX file that contains all weights; other files that it names are never read

    Returns
    -------
    Network
        float64 if the weights of the first layer are, else float32. For a file of fastnn, the network that was written; for
        others, with the default loss of its last activation.

    Raises
    ------
    ModelFormatError
        If the file is damaged, or holds something else; the error names the first unsupported node.
    """
    path, onnx = path_name("path", path), library()
    with open_file(path) as file:
        return read_open(onnx, file, os.fstat(file.fileno()).st_size, path)


def read_open(onnx, file, size, path):
    """Return the network in an open file of `size` bytes."""
    from ..network.network import Network

    if size > LARGEST:
        raise ModelFormatError(f"cannot load a network from {path}: it has {size:,} bytes; ONNX has at most {LARGEST:,}")
    try:
        model = onnx.load_model_from_string(file.read(size))
        refuse_external_data(onnx, model)
        for value in model.graph.output:  # the checker requires shapes there, which runtimes and the walk infer
            if value.type.HasField("tensor_type"):
                value.type.tensor_type.shape.SetInParent()
        onnx.checker.check_model(model)
        return own_network(Network, model) or network_of(Network, *walk(model))
    except UnknownNode as error:
        raise ModelFormatError(f"cannot load a network from {path}: {error}; to have it all the same, build the network of "
                               "layers here and copy the weights into its parameters") from error
    except Exception as error:  # onnx does not document which exceptions a damaged or foreign file can raise
        what = seems(file, ONNX) or str(error) or type(error).__name__
        raise ModelFormatError(f"cannot load a network from {path}: {what}") from error


def refuse_external_data(onnx, model):
    """Raise an error for tensors stored in other files."""
    tensors = [*model.graph.initializer,
               *(a.t for node in model.graph.node for a in node.attribute if a.HasField("t"))]
    for tensor in tensors:
        if onnx.external_data_helper.uses_external_data(tensor):
            raise ValueError(f"tensor {tensor.name!r} lies in another file, and those are not read; save the model in one "
                             "file, with onnx.save(onnx.load(path), path) or torch.onnx.export(..., external_data=False)")


def own_network(network_type, model):
    """Return the network of a file of `export`, or None if it is not one or has been changed."""
    [text] = [prop.value for prop in model.metadata_props if prop.key == KEY] or [None]
    if text is None:
        return None
    try:
        config = json.loads(text)
        graph = graph_from_config(config)
        shapes = graph.expected_arrays(graph.parameter_shapes() | graph.state_shapes())
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        if any(tuple(tensors[name].dims) != shape for name, shape in shapes.items()):
            return None  # checked before memory is allocated
        network = network_type.from_config(config)
        for name, view in {**network.parameters, **network.state}.items():
            view[...] = library().numpy_helper.to_array(tensors[name])
        held = model.graph.SerializeToString(deterministic=True)
        ours = (to_model(network, exact).graph.SerializeToString(deterministic=True) for exact in (True, False))
        return network if held in ours else None
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
