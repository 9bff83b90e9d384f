"""The safetensors format alone: it is restored to the bit, up to the limits of the format and no further."""

import io
import json

import numpy as np
import pytest
from hostile_files import parts, sealed

from fastnn.formats.safetensors import BLANK, DTYPES, HEADER, NAMES, TensorFile, to_bytes

every_dtype = pytest.mark.parametrize("dtype", NAMES, ids=str)


def whole(tensors, metadata=None):
    return b"".join(to_bytes(tensors, metadata or {}))


def read(data):
    """Return (metadata without the checksum, arrays by name)."""
    file = TensorFile(io.BytesIO(data), len(data))
    arrays = file.empty()
    file.fill_checked(arrays)
    assert len(file.metadata.pop("sha256")) == 64
    return file.metadata, arrays


@every_dtype
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (2, 3), (5, 1, 7)], ids=str)
def test_every_kind_of_array(dtype, shape):
    size = int(np.prod(shape))
    numbers = (np.arange(size) % 2 if dtype.kind == "b" else np.arange(size) * 37).astype(dtype).reshape(shape)
    _, arrays = read(whole({"a": numbers, "b": numbers[::-1] if shape else numbers, "c": np.ones(1)}))
    for name, expected in (("a", numbers), ("b", numbers[::-1] if shape else numbers)):
        assert arrays[name].dtype == dtype
        np.testing.assert_array_equal(arrays[name], expected)


@pytest.mark.parametrize("shape", [(0,), (3, 0, 2), (0, 2**40), (2**20, 0, 2**20)], ids=str)
def test_arrays_of_nothing_alone(shape):
    arrays = {"a": np.empty(shape, np.float32)}
    assert read(whole(arrays))[1]["a"].shape == shape


def test_sizes_beside_nothing_that_no_array_has():
    for shape in ([2**62, 0, 2**62], [2**63, 0], [2**70, 0]):
        entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
        with pytest.raises(ValueError, match=r"cannot be in a file|too big|too large|[Mm]aximum"):
            read(sealed(json.dumps({"__metadata__": {"sha256": BLANK}, "a": entry}).encode(), b""))


def test_what_the_dtypes_are_called():
    data = whole({dtype.name: np.ones(2, dtype) for dtype in NAMES})
    file = TensorFile(io.BytesIO(data), len(data))
    assert file.kinds() == {dtype.name: (dtype.name, (2,)) for dtype in NAMES}
    assert set(NAMES.values()) == set(DTYPES)


def test_other_byte_orders_are_brought_to_that_of_the_format():
    _, arrays = read(whole({"a": np.arange(5, dtype=">f8"), "b": np.arange(5, dtype=">i2")}))
    assert [array.dtype for array in arrays.values()] == [np.float64, np.int16]
    assert all(array.tolist() == [0, 1, 2, 3, 4] for array in arrays.values())


@pytest.mark.parametrize("dtype", [complex, object, "U3", "M8[s]"], ids=str)
def test_what_the_format_has_no_name_for(dtype):
    with pytest.raises(ValueError, match=r"'a' holds .*a file takes floats"):
        to_bytes({"a": np.zeros(2, dtype)}, {})


@pytest.mark.parametrize("byte", [2, 128, 255])
def test_what_is_neither_true_nor_false(byte):
    text, payload = parts(whole({"a": np.array([True, False, True])}))
    assert payload == b"\1\0\1"
    with pytest.raises(ValueError, match="neither true nor false"):
        read(sealed(text, bytes([1, 0, byte])))


def test_texts_that_look_like_the_place_of_the_checksum():
    metadata = {"zeros": BLANK, "more": BLANK * 3}
    assert read(whole({"a": np.ones(1), BLANK: np.ones(2)}, metadata))[0] == metadata


def test_a_header_as_long_as_may_be_and_longer():
    frame = len(parts(whole({}, {"text": ""}))[0].rstrip())
    text = "x" * (HEADER - frame)
    assert len(parts(whole({}, {"text": text}))[0]) == HEADER
    assert read(whole({}, {"text": text}))[0] == {"text": text}
    with pytest.raises(ValueError, match="its description takes 2,097,160 bytes; a file takes 2,097,152"):
        to_bytes({}, {"text": text + "x"})
    longer = json.dumps({"__metadata__": {"sha256": BLANK, "text": text}}).encode()
    with pytest.raises(ValueError, match="at most 2,097,152 are read"):
        read(sealed(longer + b" " * (HEADER + 8 - len(longer)), b""))


GOOD = {"dtype": "U8", "shape": [2, 3], "data_offsets": [0, 6]}  # of a file whose tensors take 6 bytes
BAD = {  # what is said of the one tensor, or else the whole header: what is said against it
    "fewer numbers than bytes": (GOOD | {"shape": [2, 2]}, r"tensor 'a' of shape \(2, 2\) has 6 bytes of U8"),
    "more numbers than bytes": (GOOD | {"shape": [3, 3]}, r"tensor 'a' of shape \(3, 3\) has 6 bytes of U8"),
    "wider numbers": (GOOD | {"dtype": "F32"}, "has 6 bytes of F32"),
    "negative sizes": (GOOD | {"shape": [-2, -3]}, "a shape or offsets that cannot be"),
    "negative offsets": (GOOD | {"data_offsets": [-1, 5]}, "a shape or offsets that cannot be"),
    "sizes of True": (GOOD | {"shape": [2, 3, True]}, "a shape or offsets that cannot be"),
    "sizes that are no list": (GOOD | {"shape": 6}, "a shape or offsets that cannot be"),
    "too many axes": (GOOD | {"shape": [2, 3] + [1] * 63}, "a shape or offsets that cannot be"),
    "three offsets": (GOOD | {"data_offsets": [0, 3, 6]}, "a shape or offsets that cannot be"),
    "one offset": (GOOD | {"data_offsets": [6]}, "a shape or offsets that cannot be"),
    "offsets beyond the end": (GOOD | {"shape": [7], "data_offsets": [0, 7]}, "a shape or offsets that cannot be"),
    "a hole before it": (GOOD | {"shape": [5], "data_offsets": [1, 6]}, "begins at byte 1, where the one before ends at 0"),
    "a hole behind it": (GOOD | {"shape": [5], "data_offsets": [0, 5]}, "its tensors end at byte 5 of 6"),
    "an unknown dtype": (GOOD | {"dtype": "F8"}, "has the dtype 'F8'"),
    "a dtype that is no text": (GOOD | {"dtype": ["U8"]}, "has the dtype"),
    "one word too many": (GOOD | {"more": 1}, "is not described by dtype, shape and data_offsets"),
    "a tensor that is a list": ([GOOD], "is not described by dtype, shape and data_offsets"),
}


@pytest.mark.parametrize(("said", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_said_of_a_tensor(said, match):
    def file(entry):
        return sealed(json.dumps({"__metadata__": {"sha256": BLANK}, "a": entry}).encode(), bytes(range(6)))

    assert read(file(GOOD))[1]["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match=match):
        read(file(said))


def test_as_many_axes_as_arrays_may_have():
    shape = [2, 3] + [1] * 62
    data = sealed(json.dumps({"__metadata__": {"sha256": BLANK}, "a": GOOD | {"shape": shape}}).encode(), bytes(6))
    assert TensorFile(io.BytesIO(data), len(data)).kinds() == {"a": ("uint8", tuple(shape))}


@pytest.mark.parametrize("text", [b"[]", b"5", b"null", b'"sha256"'])
def test_headers_that_name_nothing(text):
    with pytest.raises(ValueError, match="its header is not one of named tensors"):
        read(sealed(text, b""))


@pytest.mark.parametrize("metadata", [[], 5, None, {"sha256": 5}, {"sha256": BLANK, "more": None}], ids=str)
def test_metadata_that_are_not_texts(metadata):
    with pytest.raises(ValueError, match="its metadata are not texts"):
        read(sealed(json.dumps({"__metadata__": metadata}).encode(), b""))


def test_a_header_that_claims_a_byte_more_than_there_is():
    with pytest.raises(ValueError, match="its header claims 3 bytes; 2 are there"):
        read(sealed(b"{}", b"", length=3))


def test_without_a_checksum_nothing_is_taken_for_sound():
    header = {"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + b"\1\2"
    file = TensorFile(io.BytesIO(data), len(data))
    assert not file.is_damaged()
    with pytest.raises(ValueError, match="damaged"):
        read(data)


def test_a_file_that_is_cut_while_it_is_read():
    data = whole({"a": np.arange(9.0)})
    for size in (len(data) - 1, len(data) - 72):
        file = TensorFile(io.BytesIO(data[:size]), len(data))
        with pytest.raises(ValueError, match="it ends within tensor 'a'"):
            file.fill(file.empty())


def test_tensors_that_are_wanted():
    data = whole({"a": np.ones(2), "b": np.zeros(3, np.int8)})
    file = TensorFile(io.BytesIO(data), len(data))
    assert {name: array.shape for name, array in file.empty(lambda name: name == "b").items()} == {"b": (3,)}
    assert list(file.empty()) == ["a", "b"]  # the widest first
