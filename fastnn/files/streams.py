"""The state of streams in safetensors files.

    format     "fastnn-stream-1"
    network    the architecture of the network that was fed, as JSON: the state fits no other
    streams    how many sequences, or "one"
    sha256     a digest of the whole file

    tensors    the state by its names, such as "0.h"
"""

from ..formats.atomic_file import write_whole
from ..formats.safetensors import to_bytes
from ..formats.untrusted_json import from_text, to_text
from ..program.step import state_by_step
from .networks import open_and_read

FORMAT, MOST = "fastnn-stream-1", 1 << 24


def save(stream, path):
    """Write the state of `stream` to `path`, atomically."""
    streams = "one" if stream.streams is None else str(stream.streams)
    metadata = {"format": FORMAT, "network": to_text(stream.network.config()), "streams": streams}
    write_whole(path, to_bytes({**stream.state}, metadata))


def load(stream_type, path, network):
    """Return a stream of `network` in the state of the file at `path`."""
    return open_and_read(path, lambda file: read(stream_type, file, network), "a stream")


def read(stream_type, file, network):
    """Return the stream in an open safetensors file."""
    found = file.metadata.get("format")
    if found != FORMAT:
        raise ValueError(f"its format is {found!r}, not {FORMAT!r}: Stream.save writes such files")
    if from_text(file.metadata["network"]) != from_text(to_text(network.config())):
        raise ValueError("it holds the state of a network of another architecture; load that network, and give it here")
    streams = file.metadata["streams"]
    count = () if streams == "one" else (int(streams),)
    if not all(0 < each <= MOST for each in count):
        raise ValueError(f"it has {streams} streams, and at most {MOST:,} are read")
    if file.kinds() != {name: (network.dtype, (*count, size)) for own in state_by_step(network)
                        for name, (size, _) in own.items()}:
        raise ValueError("its tensors are not the state of this network")
    stream = stream_type(network, *count)
    file.fill_checked(stream.state)
    return stream
