"""Networks in safetensors files: parameters and state as tensors, the architecture in the metadata. No pickle anywhere.

    format     what this is, and the version of this list
    network    the architecture: `Network.config()` as JSON
    sha256     a digest of the architecture and of all tensors, so that no damage goes unnoticed

Any program that reads safetensors can read the tensors. A file is not trusted: before memory is taken for a network, the
shapes that its architecture asks for are held against the tensors that are there.
"""

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from .checks import whole_number
from .layers import layers_from_config, parameter_shapes, state_shapes

FORMAT, CHECKPOINT_FORMAT = "fastnn-1", "fastnn-checkpoint-1"
# what a strange file can provoke
PROVOKED = SafetensorError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError


class ModelFormatError(ValueError):
    """The file holds no network that fastnn can read, or is damaged."""


def save(network, path, extra=None):
    """Write `network` to `path`, whole or not at all."""
    # copies: another thread may be training it, and the digest is to be that of the numbers in the file
    architecture, tensors = json.dumps(network.config()), {name: a.copy() for name, a in named_arrays(network).items()}
    metadata = {"format": FORMAT, "network": architecture, "sha256": digest(architecture, tensors)}
    write_whole(path, serialize(tensors, metadata | (extra or {})))  # extra: further texts by name, a digest theirs to carry


def load(network_type, path):
    """Read the network in the file at `path`."""
    return open_and_read(path, lambda file: read(network_type, file))


def named_arrays(network):
    """All arrays, by name, that make the network what it is beside its architecture; live."""
    return {**network.parameters, **network.state}


def expected_arrays(config):
    """{name: (dtype, shape)} of the named arrays of the network that an architecture describes; takes no memory for them."""
    layers, inputs = layers_from_config(config["layers"]), whole_number("inputs", config["inputs"])
    state = {name: (config["dtype"], shape) for name, shape in state_shapes(layers, inputs).items()}
    return expected_parameters(config) | state


def expected_parameters(config):
    """Those among them that training moves."""
    shapes = parameter_shapes(layers_from_config(config["layers"]), whole_number("inputs", config["inputs"]))
    return {name: (config["dtype"], shape) for name, shape in shapes.items()}


def open_and_read(path, read):
    """What `read` makes of the safetensors file at `path`; ModelFormatError for whatever a strange one can provoke."""
    path = os.fspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory; give the file in it that holds the network")
    try:
        with safe_open(path, framework="numpy") as file:
            return read(file)
    except PROVOKED as error:
        raise ModelFormatError(f"cannot load a network from {path}: {error}") from error


def read(network_type, file):
    """The network in an open safetensors file."""
    metadata = metadata_of(file, FORMAT)
    architecture, tensors = metadata["network"], {name: file.get_tensor(name) for name in file.keys()}
    if digest(architecture, tensors) != metadata["sha256"]:
        raise ValueError("it is damaged: its checksum does not match what it holds")

    config = json.loads(architecture)
    if expected_arrays(config) != {name: (tensor.dtype.name, tensor.shape) for name, tensor in tensors.items()}:
        raise ValueError("its tensors are not those of its architecture")

    network = network_type.from_config(config)
    for name, view in named_arrays(network).items():
        view[...] = tensors[name]
    return network


def metadata_of(file, wanted):
    """The metadata of a file of the wanted format."""
    metadata, other = file.metadata() or {}, {FORMAT: "load", CHECKPOINT_FORMAT: "load_checkpoint"}
    found = metadata.get("format")
    if found == wanted:
        return metadata
    if found in other:
        raise ValueError(f"its format is {found!r}, not {wanted!r}: read it with Network.{other[found]}")
    raise ValueError(f"its format is {found!r}, not {wanted!r}, so fastnn did not write it")


def digest(architecture, tensors):
    """SHA-256 of the architecture and the bytes of every tensor, in the order of their names; as hexadecimal digits."""
    sha = hashlib.sha256(architecture.encode())
    for name in sorted(tensors):
        sha.update(tensors[name].data.cast("B"))
    return sha.hexdigest()


def write_whole(path, payload):
    """Put a file in place such that at any moment the old one or the new one is there, whole."""
    path = Path(os.path.realpath(path))  # what a symbolic link points to is written, the link stays
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no directory {path.parent} to save into; make it first, or save elsewhere")
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
