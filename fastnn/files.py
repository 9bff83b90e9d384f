"""Networks in safetensors files: the parameters as tensors, the architecture in the metadata. No pickle anywhere.

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
from .layers import layers_from_config, parameter_shapes

FORMAT = "fastnn-1"


class ModelFormatError(ValueError):
    """The file is not a network that fastnn wrote, or is damaged."""


def save(network, path, extra=None):
    """Write `network` to `path`, whole or not at all."""
    architecture, tensors = json.dumps(network.config()), dict(network.parameters)
    metadata = {"format": FORMAT, "network": architecture, "sha256": digest(architecture, tensors)}
    write_whole(path, serialize(tensors, metadata | (extra or {})))  # extra: further texts by name, a digest theirs to carry


def load(network_type, path):
    """Read the network in the file at `path`."""
    path = os.fspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory; give the file in it that holds the network")
    try:
        with safe_open(path, framework="numpy") as file:
            return read(network_type, file)
    except (SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:  # what a strange file can provoke
        raise ModelFormatError(f"cannot load a network from {path}: {error}") from error


def read(network_type, file):
    """The network in an open safetensors file."""
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise ValueError(f"its format is {metadata.get('format')!r}, not {FORMAT!r}, so fastnn did not write it")
    architecture, tensors = metadata["network"], {name: file.get_tensor(name) for name in file.keys()}
    if digest(architecture, tensors) != metadata["sha256"]:
        raise ValueError("it is damaged: its checksum does not match what it holds")

    config = json.loads(architecture)
    shapes = parameter_shapes(layers_from_config(config["layers"]), whole_number("inputs", config["inputs"]))
    wanted = {name: (config["dtype"], shape) for name, shape in shapes.items()}
    held = {name: (tensor.dtype.name, tensor.shape) for name, tensor in tensors.items()}
    if wanted != held:
        raise ValueError("its tensors are not those of its architecture")

    network = network_type.from_config(config)
    for name, view in network.parameters.items():
        view[...] = tensors[name]
    return network


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
