"""The safetensors format: named tensors and texts in one file, written with a checksum of the whole file.

    8 bytes             the length of the header, little-endian
    the header          JSON: {"__metadata__": {name: text}, tensor: {"dtype", "shape", "data_offsets": [begin, end]}, …}
    the tensors         one after the other, without gaps, in C order, little-endian

(The format is specified at https://huggingface.co/docs/safetensors.) One of the texts is "sha256": the digest of the whole
file with zeros in place of these 64 digits. So every changed bit, in the header or a tensor, is detected. A checksum detects
damage, not attacks, because anyone who writes a file can write its checksum too. So everything in a header is checked before
memory is allocated for it.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from .untrusted_json import from_text, to_text

HEADER = 2 * 2**20  # largest header in bytes, some thousands of layers: it is read before anything is known about the file
AXES = 64  # largest number of axes of NumPy's arrays
LARGEST = 2**63 - 1  # largest size of an axis
BLANK = "0" * 64
PIECE = 2**16  # bytes read at a time
LOOKED_THROUGH = 2**28  # bytes read for the reason of a refusal: a fraction of a second
DAMAGED = "it is damaged: its checksum does not match what it holds"
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8",
          "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1"}
DTYPES = {name: np.dtype(code) for name, code in DTYPES.items()}
NAMES = {dtype.newbyteorder("="): name for name, dtype in DTYPES.items()}
DTYPE_NAMES = {dtype: dtype.name for dtype in DTYPES.values()}


def to_bytes(tensors, metadata):
    """Return a file of arrays by name and of texts by name, as a list of bytes: [header, tensor, tensor, …]."""
    header, payload, end = {"__metadata__": {"sha256": BLANK, **metadata}}, [], 0
    # the widest dtypes first, so that each tensor is aligned to its item size
    for name in sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)):
        array = tensors[name]
        if array.dtype.newbyteorder("=") not in NAMES:
            raise ValueError(f"{name!r} holds {array.dtype}; a file takes floats, whole numbers and booleans")
        kind = NAMES[array.dtype.newbyteorder("=")]
        # a copy, because another thread may be training and the checksum must agree with what is written
        payload.append(array.astype(DTYPES[kind], copy=False).tobytes())
        begin, end = end, end + len(payload[-1])
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [begin, end]}
    text = to_text(header).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER:
        raise ValueError(f"its description takes {len(text):,} bytes; a file takes {HEADER:,}")
    head = len(text).to_bytes(8, "little") + text
    sha = hashlib.sha256(head)
    for part in payload:
        sha.update(part)
    return [head.replace(BLANK.encode(), sha.hexdigest().encode(), 1), *payload]


@dataclass(slots=True)
class Tensor:
    """The position of a tensor after the header, its dtype and its shape."""

    name: str
    dtype: np.dtype
    shape: tuple
    begin: int
    end: int


class TensorFile:
    """A safetensors file that is open for reading; its header is checked, and its tensors are read on demand.

    file: a binary file at its beginning; size: its size in bytes.
    metadata: {name: text}; tensors: Tensors in file order.
    """

    def __init__(self, file, size):
        self.file = file
        prefix = self.take(8)
        length = int.from_bytes(prefix, "little")
        if length > min(size - 8, HEADER):
            raise ValueError(f"its header claims {length:,} bytes; {size - 8:,} are there, and at most {HEADER:,} are read "
                             f"(the file may be truncated)")
        text = self.take(length)
        header = from_text(text.decode())
        if not isinstance(header, dict):
            raise ValueError("its header is not one of named tensors")
        self.metadata = checked_metadata(header.pop("__metadata__", {}))
        self.tensors = checked_tensors(header, size - 8 - length)
        blank = text.replace(self.metadata.get("sha256", BLANK).encode(), BLANK.encode(), 1)
        self.sha = hashlib.sha256(prefix + blank)

    def take(self, count):
        """Read and return the next `count` bytes."""
        found = self.file.read(count)
        if len(found) != count:
            raise ValueError(f"it ends within what it should hold: {len(found):,} bytes where {count:,} should be "
                             "(the file may be truncated)")
        return found

    def kinds(self):
        """Return {name: (name of the dtype, shape)}."""
        return {tensor.name: (DTYPE_NAMES[tensor.dtype], tensor.shape) for tensor in self.tensors}

    def empty(self, wanted=lambda name: True):
        """Return empty arrays for the tensors with wanted names, by name."""
        return {tensor.name: np.empty(tensor.shape, tensor.dtype.newbyteorder("="))
                for tensor in self.tensors if wanted(tensor.name)}

    def fill(self, arrays):
        """Read every tensor into the array of its name, which is C-contiguous and of its dtype and shape."""
        for tensor in self.tensors:
            array = arrays[tensor.name]
            raw = array.reshape(-1).view(np.uint8)
            if self.file.readinto(raw) != len(raw):
                raise ValueError(f"it ends within tensor {tensor.name!r}")
            self.sha.update(raw)
            if array.dtype != tensor.dtype:  # on a big-endian machine
                array.byteswap(inplace=True)
            if array.dtype == bool and raw.max(initial=0) > 1:
                raise ValueError(f"tensor {tensor.name!r} holds what is neither true nor false")

    def fill_checked(self, arrays):
        """Call `fill`, and raise ValueError if the checksum is wrong."""
        self.fill(arrays)
        if self.metadata.get("sha256") != self.sha.hexdigest():
            raise ValueError(DAMAGED)

    def is_damaged(self):
        """Return whether the file has a checksum and it is wrong; this reads the rest of the file.

        For a large rest, return False: a sparse file may have terabytes, and reading it would take hours.
        """
        for _ in range(LOOKED_THROUGH // PIECE):
            rest = self.file.read(PIECE)
            if not rest:
                return self.sha.hexdigest() != self.metadata.get("sha256", self.sha.hexdigest())
            self.sha.update(rest)
        return False


def checked_metadata(metadata):
    """Return metadata after checking that they are texts by name."""
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("its metadata are not texts")
    return metadata


def checked_tensors(header, size):
    """Return the Tensors of a header in file order, after checking that they fill `size` bytes without gaps."""
    tensors = sorted((checked_tensor(name, entry, size) for name, entry in header.items()), key=lambda t: (t.begin, t.end))
    end = 0
    for tensor in tensors:
        if tensor.begin != end:
            raise ValueError(f"tensor {tensor.name!r} begins at byte {tensor.begin:,}, where the one before ends at {end:,}")
        end = tensor.end
    if end != size:
        raise ValueError(f"its tensors end at byte {end:,} of {size:,}")
    return tensors


def checked_tensor(name, entry, size):
    """Return one Tensor, after checking that its numbers are consistent with each other and with the file size."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"tensor {name!r} has the dtype {dtype!r}; read are {', '.join(DTYPES)}")
    most = LARGEST if isinstance(shape, list) and 0 in shape else size  # an empty tensor takes no space
    if not are_sizes(shape, most) or not are_sizes(offsets, size) or len(offsets) != 2:
        raise ValueError(f"tensor {name!r} has a shape or offsets that cannot be in a file of this size, which may be "
                         "truncated")
    begin, end = offsets
    if end - begin != math.prod(shape) * DTYPES[dtype].itemsize:
        raise ValueError(f"tensor {name!r} of shape {tuple(shape)} has {end - begin:,} bytes of {dtype}")
    return Tensor(name, DTYPES[dtype], tuple(shape), begin, end)


def are_sizes(numbers, most):
    """Return whether it is a list of integers from 0 to `most`, not too many; True and False are refused."""
    return isinstance(numbers, list) and len(numbers) <= AXES and all(type(n) is int and 0 <= n <= most for n in numbers)
