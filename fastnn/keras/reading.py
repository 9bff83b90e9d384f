"""Reading a network from a file that Keras' `model.save` wrote.

    .keras    a zip archive of config.json, metadata.json and model.weights.h5
    .h5       an HDF5 file with the configuration in an attribute, and a group of arrays for each layer

A file is not trusted. The configuration is data: names of layers are looked up in a table, and any other is refused. The
size of each array is compared with the configuration and with the bytes in the file before it is read.
"""

import io
import os
import warnings
import zipfile
import zlib

from ..checks import path_name
from ..files.networks import LONGEST, PROVOKED, ModelFormatError, open_file
from ..formats.signatures import ARCHIVE, HDF5, LOOKED_AT, kind_of
from ..formats.untrusted_json import from_text
from ..layers import Bidirectional, Flatten
from ..network.network import Network
from .configuration import flattened, input_of
from .conversion import converted
from .weights import ArchiveWeights, LegacyWeights, library, text_of

CONFIG, WEIGHTS = "config.json", "model.weights.h5"  # members of a .keras file
LARGEST_CONFIG = 16 * 2**20  # bytes
DAMAGED = *PROVOKED, OSError, RuntimeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error


def load_keras(path: str | os.PathLike, inputs=None):
    """Make a network from a file of Keras, .keras or .h5, with its layers and weights.

    The model must be a Sequential, or a functional model that is a chain, of layers that fastnn has: Dense, Conv1D, Conv2D,
    DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D, Conv2DTranspose, pooling, BatchNormalization,
    LayerNormalization, GroupNormalization, Normalization, Rescaling, Flatten, Reshape, ZeroPadding, UpSampling2D, SimpleRNN,
    GRU, LSTM, Bidirectional, Embedding, Activation, ReLU, ELU, LeakyReLU, Softmax, Dropout, SpatialDropout, GaussianNoise
    and RandomFlip. Anything else is refused by name, such as an option that has no counterpart or channels first. `forward`
    returns what `model.predict` returns, with one axis of outputs, or for sequences of any length a row for each step.

    Parameters
    ----------
    path : path of a file that `model.save` wrote
    inputs : int or tuple of int, optional
        The shape of a sample, required if the model leaves it open, as `Input((None, None, 3))` does. With recurrent layers
        `(None, 3)` takes sequences of any length.

    Returns
    -------
    Network
        With the loss that belongs to its last activation. A model whose last layer gives logits has none; append an
        activation to predict classes.

    Raises
    ------
    ModelFormatError
        If the file is damaged or none of Keras, or the model has a layer or an option without a counterpart.

    Warns
    -----
    UserWarning
        If parts that affect further training only have no counterpart: frozen layers, constraints, other penalties than L1
        and L2 of a kernel.
    """
    path = path_name("path", path)
    h5py = library()
    with open_file(path) as file:
        complaint = f"cannot load a network from {path}"
        try:
            network, unread = read(h5py, file, inputs)
        except DAMAGED as error:
            raise ModelFormatError(f"{complaint}: {str(error)[:LONGEST] or type(error).__name__}") from error
        except MemoryError as error:
            raise ModelFormatError(f"{complaint}: it takes more memory than there is") from error
    if unread:
        warnings.warn(f"{path}: {'; '.join(dict.fromkeys(unread))}. This does not change predictions, only further training",
                      stacklevel=2)
    return network


def read(h5py, file, inputs):
    """Return the network in an open file, and the parts without a counterpart that affect training only."""
    kind = kind_of(file.read(LOOKED_AT))
    file.seek(0)
    if kind == ARCHIVE:
        config, hdf5 = read_archive(file)
    elif kind == HDF5:
        config, hdf5 = None, file
    else:
        raise ValueError(f"it seems to be {kind or 'no file of Keras'}; it must be a .keras or .h5 file of "
                         "Keras' model.save")
    with h5py.File(hdf5, "r") as opened:
        if config is not None:
            weights = ArchiveWeights(h5py, opened)
        elif "model_config" in opened.attrs:
            config, weights = opened.attrs["model_config"], LegacyWeights(h5py, opened)
        else:
            raise ValueError("it holds no architecture, as files of save_weights; it must be a file of Keras' model.save")
        config = from_text(text_of(config))
        layers = flattened(config, weights)
        return made(converted(layers, input_of(config, layers) if inputs is None else inputs))


def made(model):
    """Return the network of converted layers, and the remarks about them."""
    parts = [*model.parts]
    if len(model.shape) > 1 and model.shape[0] is not None:
        parts.append((Flatten(), {}))
    network = Network([layer for layer, _ in parts], model.inputs, dtype=model.dtype)
    index = 0
    for layer, arrays in parts:
        for name, array in arrays.items():
            number, _, own = name.rpartition(".")  # "1.weight", of the second layer of a Bidirectional
            network.vectors.by_name[f"{index + int(number or 0)}.{own}"][...] = array
        index += 3 if isinstance(layer, Bidirectional) else 1  # the layers of both directions and what joins them
    return network, model.remarks


def read_archive(file):
    """Return the text of the configuration and the HDF5 file of the weights in an open .keras file."""
    archive = zipfile.ZipFile(file)
    members = {info.filename: info for info in archive.infolist()}
    if len(members) < len(archive.infolist()) or not members.keys() >= {CONFIG, WEIGHTS}:
        raise ValueError(f"it is a zip archive of other files; a .keras file holds {CONFIG} and {WEIGHTS}, once each")
    config, weights = members[CONFIG], members[WEIGHTS]
    if config.file_size > LARGEST_CONFIG:
        raise ValueError(f"its {CONFIG} has {config.file_size:,} bytes, more than are read")
    if weights.compress_type != zipfile.ZIP_STORED:  # a small file could hold any number of bytes
        raise ValueError(f"its {WEIGHTS} is compressed, which Keras never does; it must be stored as it is")
    with archive.open(config) as opened:
        text = opened.read(LARGEST_CONFIG + 1)
    return text.decode(), io.BytesIO(archive.read(weights))
