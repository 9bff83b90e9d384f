"""Networks in safetensors files: the parameters as tensors, the architecture as JSON in the metadata. No pickle anywhere."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse
from safetensors.numpy import save as serialize

FORMAT = "fastnn-1"


class ModelFormatError(ValueError):
    """The file is not a network that fastnn wrote, or is damaged."""


def save(network, path):
    """Write `network` to `path`, whole or not at all."""
    metadata = {"format": FORMAT, "network": json.dumps(network.config())}
    payload = serialize({name: np.ascontiguousarray(a) for name, a in network.parameters.items()}, metadata)
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load(network_type, path):
    """Read the network in the file at `path`."""
    payload = Path(path).read_bytes()
    try:
        header_size = int.from_bytes(payload[:8], "little")
        metadata = json.loads(payload[8:8 + header_size])["__metadata__"]
        if metadata["format"] != FORMAT:
            raise ValueError(f"its format is {metadata['format']!r}, not {FORMAT!r}")
        network = network_type.from_config(json.loads(metadata["network"]))
        tensors = parse(payload)
        if set(tensors) != set(network.parameters):
            raise ValueError("its tensors are not those of its architecture")
        for name, view in network.parameters.items():
            if tensors[name].shape != view.shape or tensors[name].dtype != view.dtype:
                raise ValueError(f"tensor {name} is {tensors[name].dtype} {tensors[name].shape}, not {view.dtype} {view.shape}")
            view[...] = tensors[name]
    except (ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise ModelFormatError(f"{path} is not a fastnn model: {error}") from error
    return network
