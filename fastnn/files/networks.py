"""Networks in safetensors files: parameters and state as tensors, the architecture in the metadata, without pickle.

    format     the kind of file, and the version of this format: 1 if samples have one axis of features, 2 if they have a
               shape, 3 if the network is a graph, 4 if its loss is a mean over sequences; readers of earlier versions
               refuse later ones
    network    the architecture: `Network.config()` as JSON
    fitted_on  for a network fitted on images: whether they were bytes or floats, and the largest number
    classes    for a network fitted on text labels: their names, the first of class 0
    vocabularies  for a network with vocabularies: of each input the split, whether it is in small letters, and the tokens
    sha256     a digest of the whole file, which detects damage (`fastnn.formats.safetensors`)

Any program that reads safetensors can read the tensors. A file is not trusted: the shapes that its architecture requires are
compared with its tensors before memory is allocated for a network. Names of layers, activations, losses and initializers are
looked up in the registries only.
"""

import os
import stat
from dataclasses import asdict

from ..architecture.from_config import graph_from_config
from ..checks.caller_warning import warn_caller
from ..formats.atomic_file import write_whole
from ..formats.safetensors import DAMAGED, TensorFile, to_bytes
from ..formats.signatures import ARCHIVE, HDF5, LOOKED_AT, ONNX, SAFETENSORS, kind_of
from ..formats.untrusted_json import from_text, to_text
from ..layers import is_features
from ..samples.scale import Scale, Scales

FORMAT, CHECKPOINT_FORMAT = "fastnn-1", "fastnn-checkpoint-1"
NEWEST = 4  # newest version of either format
# exceptions that a damaged or foreign file can cause
PROVOKED = ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError
READERS = {ONNX: " (fastnn.onnx.load reads ONNX)", SAFETENSORS: " (Network.load reads safetensors)",
           ARCHIVE: " (fastnn.load_keras reads .keras)", HDF5: " (fastnn.load_keras reads .h5 of Keras)"}
OTHERS = {".h5": "that of Keras", ".hdf5": "that of Keras", ".keras": "that of Keras", ".onnx": "that of ONNX",
          ".pt": "that of PyTorch", ".pth": "that of PyTorch", ".pkl": "that of a pickle", ".pickle": "that of a pickle",
          ".joblib": "that of joblib", ".npz": "that of NumPy", ".npy": "that of NumPy", ".json": "that of JSON"}
LONGEST = 500  # characters of a message about a file, which may quote from it


class ModelFormatError(ValueError):
    """The file does not contain a network that fastnn can read, or is damaged."""


def save(network, path, extra=None):
    """Write `network` to `path`, atomically; extra: additional texts by name for the metadata."""
    metadata = {"format": versioned(FORMAT, network), "network": to_text(network.config()),
                **attached_texts(network)}
    write_whole(path, to_bytes(network.vectors.by_name, metadata | (extra or {})))


def warn_of_suffix(path):
    """Warn if the name of a file says that it is of another kind than safetensors."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in OTHERS:
        own = "; to_onnx(path) writes ONNX" if suffix == ".onnx" else ""
        warn_caller(f"{path} is a safetensors file, whatever its name: {suffix} is {OTHERS[suffix]}. Call it "
                    f".safetensors{own}")


def load(network_type, path):
    """Read the network in the file at `path`."""
    return open_and_read(path, lambda file: read(network_type, file))


def expected_arrays(config):
    """Return {name: (dtype, shape)} of the arrays of a network of this architecture, without allocating them."""
    parameters, state = expected_parameters_and_state(config)
    return parameters | state


def expected_parameters_and_state(config):
    """Return those of the parameters, which optimizers change, and those of the state."""
    graph, dtype = graph_from_config(config), config["dtype"]
    return ({name: (dtype, shape) for name, shape in graph.expected_arrays(shapes).items()}
            for shapes in (graph.parameter_shapes(), graph.state_shapes()))


def open_and_read(path, read, what="a network"):
    """Return `read` of the safetensors file at `path`; raise ModelFormatError for a damaged or foreign file."""
    path = os.fspath(path)
    with open_file(path) as file:
        return read_open(file, os.fstat(file.fileno()).st_size, read, f"cannot load {what} from {path}")


def open_file(path):
    """Open the file at `path`; raise ModelFormatError for a directory or a pipe, which could block."""
    path = os.fspath(path)
    # checked before it is opened, because opening some devices has effects; then again, because it may have been replaced
    kind = os.stat(path).st_mode
    if stat.S_ISREG(kind):
        file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(kind):
            return file
        file.close()
    name = "directory; give the file in it that holds the network" if stat.S_ISDIR(kind) else "device or a pipe; give a file"
    raise ModelFormatError(f"{path} is a {name}")


def read_open(file, size, read, complaint):
    """Return `read` of an open safetensors file of `size` bytes; errors become ModelFormatError with the complaint."""
    opened = None
    try:
        opened = TensorFile(file, size)
        return read(opened)
    except PROVOKED as error:
        # for a damaged file, report the damage, whatever the error
        what = DAMAGED if opened and opened.is_damaged() else str(error)[:LONGEST]
        if opened is None:
            what = seems(file, SAFETENSORS) or what
        raise ModelFormatError(f"{complaint}: {what}") from error
    except MemoryError as error:  # a sparse file may have any size without using disk space
        raise ModelFormatError(f"{complaint}: its {size:,} bytes are more than there is memory for") from error


def seems(file, wanted):
    """Return what an open file seems to be instead of the wanted one, as the reason of a refusal; "" if unknown."""
    file.seek(0)
    kind = kind_of(file.read(LOOKED_AT))
    if kind in (None, wanted):
        return ""
    return f"it seems to be {kind}; it must be {wanted}{READERS.get(kind, '')}"


def read(network_type, file):
    """Return the network in an open safetensors file."""
    config = from_text(metadata_of(file, FORMAT)["network"])
    if expected_arrays(config) != file.kinds():
        raise ValueError("its tensors are not those of its architecture")
    network = network_type.with_zeros(config)
    file.fill_checked(network.vectors.by_name)
    attach(network, file.metadata)
    return network


def attached_texts(network):
    """Return the metadata about what a network was fitted on, and its vocabularies."""
    texts, found = scale_text(network) | names_text(network), network.vocabularies
    if found:
        texts["vocabularies"] = to_text({name: each.entries() for name, each in found.items()})
    return texts


def attach(network, metadata):
    """Give a network what `attached_texts` wrote of it."""
    network.fitted_on, network.class_names = scale_in(metadata, network), names_in(metadata)
    if "vocabularies" in metadata:
        from ..text import from_entries

        network.vocabularies = {name: from_entries(entries)
                                for name, entries in from_text(metadata["vocabularies"]).items()}


def scale_text(network):
    """Return the metadata about the images that a network was fitted on."""
    return {} if network.fitted_on is None else {"fitted_on": to_text(asdict(network.fitted_on))}


def names_text(network):
    """Return the metadata about the names of classes."""
    names = network.class_names
    return {} if names is None else {"classes": to_text(names if isinstance(names, dict) else list(names))}


def names_in(metadata):
    """Return what `names_text` wrote, or None; `Network.class_names` checks it."""
    return from_text(metadata["classes"]) if "classes" in metadata else None


def scale_in(metadata, network):
    """Return what `scale_text` wrote, or None."""
    if "fitted_on" not in metadata:
        return None
    given = from_text(metadata["fitted_on"])
    if not network.has_several:
        return scale_from(given)
    if {*given["each"]} != {*network.graph.inputs}:
        raise ValueError("it was fitted on other inputs than those of its architecture")
    return Scales({name: given["each"][name] and scale_from(given["each"][name]) for name in network.graph.inputs})


def scale_from(given):
    return Scale(str(given["kind"]), float(given["largest"]))


def versioned(first, network):
    """Return the format of a network's file: `first` or a later version of it."""
    if network.mean == "sequences":
        version = 4
    else:
        version = 3 if not network.graph.is_chain else 1 if is_features(network.shapes[0]) else 2
    return f"{kind_of_format(first)}-{version}"


def kind_of_format(name):
    """Return a format without its version."""
    return name.rpartition("-")[0]


def metadata_of(file, wanted):
    """Return the metadata of a file of the wanted format, in any version."""
    metadata, other = file.metadata, {kind_of_format(FORMAT): "load", kind_of_format(CHECKPOINT_FORMAT): "load_checkpoint"}
    found = metadata.get("format")
    kind, _, version = str(found).rpartition("-")
    if kind in other and version.isdecimal() and version.isascii():
        if kind != kind_of_format(wanted):
            raise ValueError(f"its format is {found!r}, not {wanted!r}: read it with Network.{other[kind]}")
        if not 1 <= int(version[:9]) <= NEWEST:
            raise ValueError(f"its format is {found!r}; this fastnn reads versions 1 to {NEWEST}: read it with a newer one")
        return metadata
    raise ValueError(f"its format is {found!r}, not {wanted!r}, so fastnn did not write it")
