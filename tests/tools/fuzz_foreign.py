"""Damaged files of other programs: weights from PyTorch, ONNX graphs, tables, MNIST, and the cache of kernels.

Run by `fuzz_files.py`. The law is the same: a reader returns what it documents or raises what it documents, and nothing
else. Kinds that need an optional package are skipped without it.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import struct
import tempfile
import types
import warnings
import zipfile
from functools import partial

import numpy as np
from fuzz_files import NASTY, TOKENS, Original, mutate, raw

from fastnn import BatchNorm, Dense, LayerNorm, ModelFormatError, Network, datasets, from_torch_state_dict
from fastnn.files import networks as files
from fastnn.formats.safetensors import to_bytes
from fastnn.kernels.compiling import cache
from fastnn.pytorch import all_tensors

FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None


def originals():
    """Return the Originals of everything that can be read here."""
    scratch = tempfile.mkdtemp(prefix="fuzz-", dir=FOLDER)
    found = [*of_torch(), of_kernels(scratch), *of_arrays(scratch)]
    for source in (of_onnx, of_tables):
        try:
            found += source(scratch)
        except ImportError:
            pass
    return found


def by_path(scratch, ending, read):
    """Return a function of bytes that calls `read(path)` on a file of them."""
    path = os.path.join(scratch, f"file{ending}")

    def parse(damaged):
        with open(path, "wb") as file:
            file.write(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(path)

    return parse


def spliced(whole, rng):
    """Insert something into a text, or repeat or leave out a part of it."""
    begin, end = sorted((rng.randrange(len(whole) + 1), rng.randrange(len(whole) + 1)))
    word = str(rng.choice(NASTY)).encode("utf-8", "replace")[:200]
    between = rng.choice([rng.choice(TOKENS), word, whole[begin:end], b""])
    return whole[:begin] + between + whole[rng.choice([begin, end]):]


# Weights from PyTorch: a safetensors file without a checksum


def of_torch():
    state = {"net.0.weight": np.ones((3, 2), "f4"), "net.0.bias": np.zeros(3, "f4"), "net.2.weight": np.ones((1, 3), "f2"),
             "net.10.weight": np.ones((2, 1))}
    unsealed = b"".join(to_bytes(state, {}))
    length = int.from_bytes(unsealed[:8], "little")
    header, payload = json.loads(unsealed[8:8 + length]), unsealed[8 + length:]
    header["__metadata__"] = {"format": "pt"}

    def file_of(header, payload):
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + payload

    def structural(rng):
        changed = json.loads(json.dumps(header))
        for _ in range(rng.choice([1, 1, 2, 3])):
            try:
                mutate(changed, rng)
            except (IndexError, KeyError, TypeError, ValueError, OverflowError):
                pass  # there was nothing left to change
        return file_of(changed, payload)

    def renamed(rng):
        """Rename the tensors: valid as a file, but not a chain of layers."""
        names = [*header]
        rng.shuffle(names)
        others = [str(rng.choice(NASTY)) + rng.choice([".weight", ".bias", ""]) for _ in names]
        changed = {rng.choice(pair): header[pair[0]] for pair in zip(names, others, strict=True)}
        changed["__metadata__"] = {"format": "pt"}
        return file_of(changed, payload)

    def numbers(rng):
        place = rng.randrange(len(payload))
        return file_of(header, (payload[:place] + rng.randbytes(8) + payload[place + 8:])[:len(payload)])

    def parse(damaged):
        state = files.read_open(io.BytesIO(damaged), len(damaged), all_tensors, "fuzzed")
        try:
            return from_torch_state_dict(state)
        except ModelFormatError as error:
            raise AssertionError("the file was taken already") from error
        except ValueError:
            raise ModelFormatError from None  # as documented, of tensors that do not fit

    whole = file_of(header, payload)
    parse(whole)
    damages = {"structural": (structural, 3), "renamed": (renamed, 2), "numbers": (numbers, 1),
               "raw": (partial(raw, whole), 3)}
    return [Original("torch weights", whole, parse, 1.5, damages)]


# The cache of kernels: damage is detected before anything is unpickled


def of_kernels(scratch):
    store = cache.KernelCache("fuzzed")
    path = cache.Path(scratch, "kernels", store.path("signature").name)
    cache.write_entry(path, b"")
    payload = b"\x80\x04machine code" * 20
    whole = cache.digest(path, payload) + b"\n" + payload
    target = types.SimpleNamespace(refresh=lambda: None)

    class Watched(cache.KernelCache):
        path = staticmethod(lambda signature: path)

    def unpickled(found):
        raise AssertionError("a damaged entry was unpickled")

    def parse(damaged):
        with open(path, "wb") as file:
            file.write(damaged)
        if damaged == whole:
            return
        before, cache.pickle = cache.pickle, types.SimpleNamespace(loads=unpickled)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert Watched("fuzzed").load_overload("signature", target) is None
        finally:
            cache.pickle = before
        raise ValueError

    return Original("kernel", whole, parse, 0.3, {"raw": (partial(raw, whole), 1), "text": (partial(spliced, whole), 1)},
                    (ValueError,), sealed=True)


# MNIST as NumPy's archive


def of_arrays(scratch):
    arrays = {name: np.zeros(shape, np.uint8) for name, shape in [("x_train", (2, 28, 28)), ("y_train", (2,)),
                                                                  ("x_test", (1, 28, 28)), ("y_test", (1,))]}
    parse = by_path(scratch, ".npz", datasets.mnist)
    for name, write in (("MNIST", np.savez), ("MNIST packed", np.savez_compressed)):
        buffer = io.BytesIO()
        write(buffer, **arrays)
        whole = buffer.getvalue()
        parse(whole)
        damages = {"raw": (partial(raw, whole), 2), "text": (partial(spliced, whole), 1),
                   "member": (partial(other_member, whole), 2)}
        yield Original(name, whole, parse, 0.1, damages, (ValueError,))


def other_member(whole, rng):
    """Return a valid archive except for the contents of one member, with its new checksum."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(out, "w") as made:
        chosen = rng.choice(archive.namelist())
        for name in archive.namelist():
            held = archive.read(name)
            made.writestr(name, spliced_header(held, rng) if name == chosen else held)
    return out.getvalue()


def spliced_header(held, rng):
    """Return a .npy file with a changed header, a dict in Python's notation."""
    head = held[10:128]
    kind = rng.choice([b"|O8", b"<f8", b"<U9", b"<M8[s]", b"<c16"])
    size = rng.choice([b"-1", b"0", b"2**40", b"9" * 11, b"1.5"])
    said = rng.choice([spliced(head.rstrip(), rng), head.replace(b"|u1", kind), head.replace(b"28", size),
                       head.replace(b"False", b"True")])
    return held[:8] + struct.pack("<H", min(len(said), 65535)) + said[:65535] + held[128:]


# ONNX graphs: fastnn's, and those of other programs


def of_onnx(scratch):
    import onnx

    from fastnn.onnx import load

    path = os.path.join(scratch, "written.onnx")
    Network([Dense(2, "gelu"), BatchNorm(), LayerNorm(), Dense(2, "softmax")], inputs=3).to_onnx(path)
    graphs = {"ONNX, ours": bytes_of(path)}
    import onnx_graphs

    onnx_graphs.write(path, [*onnx_graphs.HEAD, onnx_graphs.node("Relu", "z", to="a"),
                             onnx_graphs.node("Gemm", "a", "v", to="y"), onnx_graphs.node("Sigmoid", "y", to="out")])
    graphs["ONNX, foreign"] = bytes_of(path)
    parse = by_path(scratch, ".onnx", load)
    for name, whole in graphs.items():
        parse(whole)
        damages = {"raw": (partial(raw, whole), 1), "structural": (partial(other_message, onnx.ModelProto, whole), 2)}
        yield Original(name, whole, parse, 0.12, damages)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def fields_of(message, found):
    """Yield every (message, field that is set) in a protobuf message."""
    for field, value in message.ListFields():
        found.append((message, field))
        if field.type == field.TYPE_MESSAGE:
            for each in (value if hasattr(value, "append") or hasattr(value, "add") else [value]):
                fields_of(each, found)
    return found


def other_message(kind, whole, rng):
    """Return a message with one to three changed fields."""
    message = kind.FromString(whole)
    for _ in range(rng.choice([1, 1, 2, 3])):
        owner, field = rng.choice(fields_of(message, []))
        held = getattr(owner, field.name)
        try:
            if rng.random() < 0.2:
                owner.ClearField(field.name)
            elif isinstance(held, (int, float, str, bytes)):
                setattr(owner, field.name, nasty_like(held, rng))
            elif field.type != field.TYPE_MESSAGE:
                held[rng.randrange(len(held))] = nasty_like(held[0], rng)
            elif hasattr(held, "add"):
                held.add().CopyFrom(rng.choice(list(held)))  # once more, at the end
            else:
                owner.ClearField(field.name)
        except (ValueError, TypeError, OverflowError, IndexError):
            pass  # no value for this field
    return message.SerializeToString()


OPERATORS = ["Relu", "Gemm", "MatMul", "Add", "Mul", "Div", "Softmax", "Reshape", "Expand", "ConstantOfShape", "Tile",
             "Loop", "If", "Range", "Pow", "Identity", "Cast", "Constant", "Transpose", "Squeeze", "Flatten", "Where"]


def nasty_like(value, rng):
    kinds = {bool: (int,), int: (int,), float: (float, int), str: (str,), bytes: (bytes,)}[type(value)]
    if isinstance(value, str):
        return rng.choice([*(each for each in NASTY if isinstance(each, str)), *OPERATORS, "x", "w", "z", "out", "input"])
    if isinstance(value, bytes):
        size = len(value)
        return rng.choice([b"", value[:-1], value + b"\0", value[::-1], rng.randbytes(size), b"relu", b"\xff" * size])
    return rng.choice([each for each in NASTY if isinstance(each, kinds)] + [value + 1, value - 1])


# Tables

CSV = b'carat,cut,id,y\n0.5,Good,1,yes\n"0.7",Fair,2,no\n,Good,3,yes\n1e3,"Very, good",4,no\n'


def of_tables(scratch):
    import pandas as pd

    from fastnn.tables import Classes, Preprocessing, TableModel, read_table
    from fastnn.tables.columns.kinds import Ignored, Number, Text

    columns = [Number("carat", 0.5, 0.1, 0.4, True), Text("cut", ("Fair", "Good"), False), Ignored("id", "counts rows")]
    model = TableModel(Network([Dense(2, "softmax")], inputs=4), Preprocessing(columns, ["?"]), Classes("y", ("no", "yes")))

    def read(path):
        table = read_table(path)
        if len(table) < 100:
            model.predict(table)

    def original(name, ending, whole, damages, weight):
        parse = by_path(scratch, ending, read)
        parse(whole)
        return Original(name, whole, parse, weight, damages, (ValueError,))

    def packed(pack):
        return lambda rng: pack(spliced(CSV, rng))

    yield original("CSV", ".csv", CSV, {"raw": (partial(raw, CSV), 1), "text": (partial(spliced, CSV), 3)}, 0.15)
    for ending, pack in {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zip": zipped}.items():
        whole = pack(CSV)
        damages = {"raw": (partial(raw, whole), 3), "text": (packed(pack), 1)}
        yield original(f"CSV{ending}", f".csv{ending}", whole, damages, 0.03)
    try:
        buffer = io.BytesIO()
        pd.read_csv(io.BytesIO(CSV)).to_parquet(buffer)
    except ImportError:
        return
    whole = buffer.getvalue()
    damages = {"raw": (partial(raw, whole), 2), "text": (partial(spliced, whole), 1)}
    yield original("Parquet", ".parquet", whole, damages, 0.05)


def zipped(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file.csv", text)
    return buffer.getvalue()
