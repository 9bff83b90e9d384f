"""A file that is damaged or hostile is refused with ModelFormatError, and takes nothing: no memory, no time, no liberties.

FASTNN_FUZZ_CASES and FASTNN_SEED set how much the fuzzer tries and what. `tests/fuzz_files.py` says what it does.
"""

import io
import json
import math
import os
import subprocess
import sys
import tracemalloc
from functools import partial

import numpy as np
import pytest
from fuzz_files import fuzz, fuzz_on_all_cores, originals, written
from fuzz_foreign import originals as foreign_originals
from hostile_files import parts, sealed

from fastnn import (
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    ModelFormatError,
    Network,
    checkpoint,
    files,
    from_torch_state_dict,
    onnx,
    register_activation,
)
from fastnn.kernels.activations import activations
from fastnn.plain_json import from_text, to_text
from fastnn.tensor_file import HEADER

SEED = os.environ.get("FASTNN_SEED", "0")
X = np.linspace(-1, 1, 12).reshape(6, 2)
MEMORY = 64 * 2**20


def of_4_kb():
    """Files of some 4 KB, of each kind: {name: (bytes, reader)}."""
    net = Network([Dense(16, "tanh"), BatchNorm(), Dense(16, "relu"), Dropout(0.5), Dense(3, "softmax")], inputs=24)
    small = Network([Dense(4, "tanh"), Dense(2, "softmax")], inputs=2)
    small.fit(X, np.arange(6) % 2, optimizer=Adam(), epochs=2)
    found = {"network": (written(net.save), partial(files.read, Network)),
             "checkpoint": (written(small.save_checkpoint), partial(checkpoint.read, Network))}
    return found | {name: (whole, reader) for name, (whole, reader, _) in originals().items() if name == "table"}


FILES = of_4_kb()
every_file = pytest.mark.parametrize("kind", FILES)


def read(payload, reader):
    return files.read_open(io.BytesIO(payload), len(payload), reader, "cannot load it")


def refused(payload, reader):
    with pytest.raises(ModelFormatError, match="cannot load it") as caught:
        read(payload, reader)
    str(caught.value).encode()  # it can be printed
    return str(caught.value)


def flips(kind, step, start=0):
    """How many of every `step`-th bit, flipped, and of all truncations were refused."""
    whole, reader = FILES[kind]
    read(whole, reader)
    count = 0
    for size in range(0, len(whole), 1 if kind == "network" else step):
        refused(whole[:size], reader)
        count += 1
    changed = bytearray(whole)
    for bit in range(start % step, 8 * len(whole), step):
        changed[bit // 8] ^= 1 << bit % 8
        refused(bytes(changed), reader)
        changed[bit // 8] ^= 1 << bit % 8
        count += 1
    return count


@every_file
def test_flipped_bits_and_truncations(kind):
    flips(kind, 23, start=sum(SEED.encode()))


@pytest.mark.long
@every_file
def test_every_flipped_bit_and_every_truncation(kind):
    whole = FILES[kind][0]
    assert flips(kind, 1) == 9 * len(whole)
    print(f"all {8 * len(whole):,} bits and all {len(whole):,} truncations of a {kind} were noticed")


def test_fuzzed():
    cases = int(os.environ.get("FASTNN_FUZZ_CASES", 10_000))
    found, _, _ = fuzz(cases, SEED)
    taken = sum(count for (*_, what), count in found.items() if what == "taken")
    assert found.total() == cases
    assert taken > cases // 20  # it gets to the end of the readers


def test_fuzzed_files_of_other_programs():
    cases = int(os.environ.get("FASTNN_FUZZ_CASES", 10_000)) // 5
    originals = foreign_originals()
    found, _, _ = fuzz(cases, SEED, originals)
    assert found.total() == cases
    if cases >= 1000:
        assert {name for name, _, what in found if what == "taken"} >= {"torch weights", "MNIST"}
        assert {name for name, _, what in found if what == "refused"} == {original.name for original in originals}


@pytest.mark.long
def test_fuzzed_at_length():
    print(fuzz_on_all_cores(int(os.environ.get("FASTNN_FUZZ_CASES", 10_000_000)), SEED))


# Headers


NET = Network([Dense(1)], inputs=1)
WHOLE, READER = written(NET.save), partial(files.read, Network)
TEXT, PAYLOAD = parts(WHOLE)


def changed(change):
    """The header of NET after `change(header)`."""
    header = json.loads(TEXT)
    change(header)
    return json.dumps(header).encode()


def offsets(weight, bias):
    def change(header):
        header["0.weight"]["data_offsets"], header["0.bias"]["data_offsets"] = weight, bias
    return change


def entry(**options):
    return lambda header: header["0.bias"].update(options)


def tensor(name, value):
    return lambda header: header.update({name: value})


def metadata(**texts):
    return lambda header: header["__metadata__"].update(texts)


EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [8, 8]}
CHANGES = {
    "overlap": offsets([0, 4], [0, 4]),
    "hole": offsets([0, 4], [5, 9]),
    "hole before": offsets([1, 5], [5, 9]),
    "negative offset": offsets([-4, 0], [0, 4]),
    "offsets turned round": offsets([4, 0], [4, 8]),
    "offset beyond the file": offsets([0, 4], [2**63, 2**63 + 4]),
    "offsets of True": offsets([False, 4], [4, 8]),
    "offsets of floats": offsets([0.0, 4.0], [4, 8]),
    "offsets of text": offsets(["0", "4"], [4, 8]),
    "three offsets": offsets([0, 4, 4], [4, 8]),
    "offsets of nothing": offsets(None, None),
    "shape of True": entry(shape=[True]),
    "shape of floats": entry(shape=[1.0]),
    "shape of text": entry(shape="1"),
    "shape beyond 64 bits": entry(shape=[2**64]),
    "shape that wraps round": entry(shape=[2**32, 2**32, 1]),
    "shape of 1,000 axes": entry(shape=[1] * 1000),
    "shape of many long numbers": entry(shape=[10**4000] * 400),
    "negative shape": entry(shape=[-1]),
    "unknown dtype": entry(dtype="F8"),
    "dtype of a number": entry(dtype=4),
    "dtype that is a list": entry(dtype=[]),
    "an entry more": entry(device="cuda"),
    "an entry less": lambda header: header["0.bias"].pop("shape"),
    "an entry that is a list": tensor("0.bias", ["F32", [1], [4, 8]]),
    "a tensor more": tensor("1.weight", EMPTY),
    "a tensor of half a character": tensor("\ud800", EMPTY),
    "metadata that are a list": tensor("__metadata__", []),
    "metadata that are numbers": metadata(network=3),
    "metadata of a number that nobody asks for": metadata(more=3),
    "no metadata": lambda header: header.pop("__metadata__"),
    "half a character": metadata(more="\udfff"),
    "an architecture with half a character": metadata(network='{"\\udc80": 1}'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_headers(change):
    read(sealed(TEXT, PAYLOAD), READER)
    refused(sealed(changed(change), PAYLOAD), READER)


LAYER = b'{\\"layer\\": \\"Dense\\", '
TEXTS = {
    "a tensor twice": lambda text: text.replace(b'"0.bias":', b'"0.weight":'),
    "metadata twice": lambda text: b'{"__metadata__": {}, ' + text[1:],
    "a key of an entry twice": lambda text: text.replace(b'"dtype"', b'"dtype": "F32", "dtype"', 1),
    "a key of a layer twice": lambda text: text.replace(LAYER, LAYER + b'\\"out_features\\": 2, '),
    "not UTF-8": lambda text: text.replace(b"fastnn", b"fastn\xff"),
    "an overlong code": lambda text: text.replace(b"fastnn", b"fastn\xc0\x80"),
    "two documents": lambda text: text + b"{}",
    "a comma at the end": lambda text: text[:-1] + b",}",
    "a comment": lambda text: text + b"// safe",
    "nothing": lambda text: b"",
    "a list": lambda text: b"[" + text + b"]",
    "NaN": lambda text: text.replace(b'"shape": [1]', b'"shape": [NaN]'),
    "1e999": lambda text: text.replace(b'\\"inputs\\": 1', b'\\"inputs\\": 1e999'),
    "-1e999": lambda text: text.replace(b'\\"initializer\\": null', b'\\"initializer\\": null, \\"l1\\": -1e999'),
    "a long number": lambda text: text.replace(b'\\"inputs\\": 1', b'\\"inputs\\": ' + b"1" * 5000),
    "a number of 4,000 digits": lambda text: text.replace(b'\\"inputs\\": 1', b'\\"inputs\\": ' + b"1" * 4000),
    "True for one": lambda text: text.replace(b'\\"inputs\\": 1', b'\\"inputs\\": true'),
    "1.0 for one": lambda text: text.replace(b'\\"inputs\\": 1', b'\\"inputs\\": 1.0'),
    "text for one": lambda text: text.replace(b'\\"inputs\\": 1', b'\\"inputs\\": \\"1\\"'),
    "deep lists": lambda text: text[:-1] + b', "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep dicts": lambda text: text[:-1] + b', "x": ' + b'{"a":' * 20_000 + b"0" + b"}" * 20_000 + b"}",
}


@pytest.mark.parametrize("change", TEXTS.values(), ids=TEXTS)
def test_texts(change):
    assert change(TEXT) != TEXT
    refused(sealed(change(TEXT), PAYLOAD), READER)


@pytest.mark.parametrize("length", [0, 1, len(TEXT) - 1, len(TEXT) + 1, len(TEXT) + len(PAYLOAD) + 1, HEADER, 2**31, 2**63,
                                    2**64 - 1])
def test_lengths_of_headers(length):
    refused(sealed(TEXT, PAYLOAD, length), READER)


# Memory


def described(layers, inputs=1, **more):
    network = json.dumps({"layers": layers, "inputs": inputs, "loss": "squared_error", "dtype": "float32"})
    return changed(metadata(network=network, **more))


def in_header(text):
    return TEXT[:-1] + b', "x": ' + text + b"}"


def in_document(text):
    return changed(metadata(network=text))


FULL = HEADER - 2000
LAYERS = 10**12
GREEDY = {
    "a trillion units": described([{"layer": "Dense", "out_features": LAYERS}]),
    "a number of units of 400 digits": described([{"layer": "Dense", "out_features": 10**400}]),
    "a trillion inputs": described([{"layer": "Dense", "out_features": 1}], LAYERS),
    "many layers": described([{"layer": "Dense", "out_features": 1}] * 20_000),
    "a million layers": described([{"layer": "Dense", "out_features": 1}] * 10**6),
    "many layers without parameters": described([{"layer": "Dropout", "rate": 0.5}] * 18_000),
    "many lists": in_header(b"[" + b"[]," * (FULL // 3 - 2) + b"0]"),
    "lists as many as are read": in_header(b"[" + b"[]," * 55_000 + b"0]"),
    "dicts as many as are read": in_header(b"[" + b'{"":0},' * 40_000 + b"0]"),
    "floats as many as are read": in_header(b"[" + b"1.5," * 160_000 + b"0]"),
    "texts as many as are read": in_header(b"[" + b'"\xf0\x9f\x98\x80a",' * 160_000 + b"0]"),
    "keys as many as are read": in_header(b"{" + b",".join(b'"%d":0.5' % k for k in range(80_000)) + b"}"),
    "a long text": in_header(b'"' + b"a" * (FULL - len(TEXT) - 4) + '😀'.encode() + b'"'),
    "lists in the document": in_document("[" + "[]," * 27_000 + "0]"),
    "a long text in the document": in_document('"' + "a" * (FULL - len(TEXT) - 20) + '😀"'),
}


@pytest.mark.parametrize("text", GREEDY.values(), ids=GREEDY)
def test_memory_is_bounded(text):
    """At most the size of the file and 64 MiB, whatever it claims."""
    payload = sealed(text, PAYLOAD)
    tracemalloc.start()
    try:
        refused(payload, READER)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= len(payload) + MEMORY


@pytest.mark.parametrize("optimizer", [None, Adam()], ids=["network", "checkpoint"])
def test_memory_of_a_file_that_is_taken(optimizer, tmp_path):
    """No weights are drawn, and no tensor is held twice."""
    net = Network([Dense(2000), Dense(1)], inputs=2000)
    if optimizer:
        net.fit(np.ones((1, 2000)), np.ones(1), optimizer=optimizer)
        net.save_checkpoint(tmp_path / "file")
    else:
        net.save(tmp_path / "file")
    tracemalloc.start()
    try:
        loaded = Network.load_checkpoint(tmp_path / "file") if optimizer else Network.load(tmp_path / "file")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(loaded.parameters["0.weight"], net.parameters["0.weight"])
    assert peak <= (tmp_path / "file").stat().st_size + 2**20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files with holes differ from system to system")
@pytest.mark.parametrize("load", [Network.load, Network.load_checkpoint, from_torch_state_dict, onnx.load])
def test_a_file_of_nothing_but_a_hole(load, tmp_path):
    """It takes no room on a disk, and more memory than there is."""
    if load is onnx.load:
        pytest.importorskip("onnx", reason="ONNX needs the extra onnx")
    numbers = 2**41
    network = NET.config() | {"inputs": numbers - 1}
    header = {"__metadata__": {"format": "fastnn-1", "network": json.dumps(network)},
              "0.weight": {"dtype": "F32", "shape": [numbers - 1, 1], "data_offsets": [0, 4 * numbers - 4]},
              "0.bias": {"dtype": "F32", "shape": [1], "data_offsets": [4 * numbers - 4, 4 * numbers]}}
    text = json.dumps(header).encode()
    with open(tmp_path / "file", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        try:
            file.truncate(8 + len(text) + 4 * numbers)
        except OSError as error:
            pytest.skip(f"there are no such files here: {error}")
    with pytest.raises(ModelFormatError, match=r"memory|ONNX has at most|format"):
        load(tmp_path / "file")


NUMBER = {"kind": "number", "name": "carat", "mean": 0.5, "scale": 0.1, "median": 0.4, "missing": True, "limit": 5.0}
TABLES = {
    **{f"{field} of {value!r:.20}": {"column": NUMBER | {field: value}} for field, value in [
        ("mean", "0.5"), ("mean", True), ("mean", None), ("mean", float("nan")), ("mean", [0.5]), ("scale", 0),
        ("scale", -1.0), ("scale", float("inf")), ("limit", 0.0), ("median", 10**400), ("missing", 1), ("missing", "no"),
        ("name", None), ("name", ["carat"]), ("name", True), ("name", "cut"), ("kind", "eval"), ("kind", []), ("more", 1)]},
    "a field less": {"column": {name: value for name, value in NUMBER.items() if name != "median"}},
    "a column of text": {"column": "carat"},
    "a category twice": {"column": {"kind": "text", "name": "carat", "categories": ["a", "a"], "missing": False}},
    "a category of None": {"column": {"kind": "text", "name": "carat", "categories": ["a", None], "missing": False}},
    "categories of text": {"column": {"kind": "text", "name": "carat", "categories": "ab", "missing": False}},
    "columns of None": {"preprocessing": {"columns": None, "missing_values": []}},
    "missing values of None": {"missing_values": [None]},
    "one label twice": {"target": {"kind": "classification", "name": "y", "labels": ["no", "no"]}},
    "labels of floats": {"target": {"kind": "classification", "name": "y", "labels": [0.5, 1.5]}},
    "three labels": {"target": {"kind": "classification", "name": "y", "labels": ["a", "b", "c"]}},
    "no target": {"target": None},
    "report of a list": {"report": []},
    "report of figures of text": {"report": {"test": {"r2": "1"}}},
    "report of a test of a list": {"report": {"test": [1.0]}},
    "report of baselines of numbers": {"report": {"baselines": {"mean": 1.0}}},
}


@pytest.mark.skipif("table" not in FILES, reason="tables need the extra cli")
@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES)
def test_tables(change):
    whole, reader = FILES["table"]
    text, payload = parts(whole)
    header = json.loads(text)
    table = json.loads(header["__metadata__"]["table"])
    assert table["preprocessing"]["columns"][0] == NUMBER
    for name, value in change.items():
        if name == "column":
            table["preprocessing"]["columns"][0] = value
        elif name == "missing_values":
            table["preprocessing"][name] = value
        else:
            table[name] = value
    header["__metadata__"]["table"] = json.dumps(table)
    refused(sealed(json.dumps(header).encode(), payload), reader)


def test_names_of_features_do_not_multiply():
    """A long name of a column stands in the names of all its features."""
    pytest.importorskip("pandas", reason="tables need the extra cli")
    whole, reader = FILES["table"]
    text, payload = parts(whole)
    header = json.loads(text)
    table = json.loads(header["__metadata__"]["table"])
    table["preprocessing"]["columns"][1] |= {"name": "n" * 400_000, "categories": [str(k) for k in range(20_000)]}
    header["__metadata__"]["table"] = json.dumps(table)
    tracemalloc.start()
    try:
        assert "characters" in refused(sealed(json.dumps(header).encode(), payload), reader)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_what_is_no_number_is_written_and_read_where_it_may_stand_alone(number):
    text = to_text({"of": [number]}, special=True)
    assert repr(from_text(text, special=True)) == repr({"of": [number]})
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_text({"of": [number]})
    with pytest.raises(ValueError, match="which is no number"):
        from_text(text)


def test_what_would_be_refused_is_not_written(tmp_path):
    Network([Dense(1)] * 4000, inputs=1).save(tmp_path / "file")
    assert len(Network.load(tmp_path / "file").layers) == 4000
    os.unlink(tmp_path / "file")
    net = Network([Dense(1)] * 6000, inputs=1)
    with pytest.raises(ValueError, match="more than are read"):
        net.save(tmp_path / "file")
    assert os.listdir(tmp_path) == []


# What is no file, and what a file may not do


def printed(program, *arguments):
    """What a program prints in a process of its own."""
    run = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout


LOADERS = {"network": Network.load, "checkpoint": Network.load_checkpoint, "onnx": onnx.load}
NO_FILES = """
import sys
from fastnn import ModelFormatError, Network, onnx
for path in sys.argv[2:]:
    try:
        {"network": Network.load, "checkpoint": Network.load_checkpoint, "onnx": onnx.load}[sys.argv[1]](path)
        print("taken", path)
    except ModelFormatError as error:
        assert path in str(error), error
"""


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices with names are POSIX's")
@pytest.mark.parametrize("kind", LOADERS)
def test_directories_pipes_and_devices(kind, tmp_path):
    """None is read, and none is waited for."""
    if kind == "onnx":
        pytest.importorskip("onnx", reason="ONNX needs the extra onnx")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    paths = [tmp_path, tmp_path / "pipe", tmp_path / "link", "/dev/zero", "/dev/null", "/dev/urandom"]
    assert printed(NO_FILES, kind, *paths) == ""


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights elsewhere")
def test_links_to_files_are_followed_and_links_to_nothing_are_not_there(tmp_path):
    NET.save(tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "round").symlink_to("round")
    assert Network.load(tmp_path / "link").config() == NET.config()
    with pytest.raises(OSError, match="round"):
        Network.load(tmp_path / "round")


WATCHED = """
import os, sys
from fastnn import Network
if sys.argv[2] == "table":
    from fastnn.tables import TableModel
load = {"network": Network.load, "checkpoint": Network.load_checkpoint}.get(sys.argv[2]) or TableModel.load
path, seen = sys.argv[1], []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if watching else None)
watching = True
load(path)
watching = False
harmless = {"object.__getattr__", "object.__setattr__"}
for event, arguments in seen:
    if event != "open" or os.fspath(arguments[0]) != path:
        if event not in harmless:
            print(event, arguments)
assert any(event == "open" for event, _ in seen)
"""


@every_file
def test_loading_does_nothing_else(kind, tmp_path):
    """It opens the file and nothing more: no import, no evaluation, no pickle, no process, no other path."""
    (tmp_path / "file").write_bytes(FILES[kind][0])
    assert printed(WATCHED, tmp_path / "file", kind) == ""


@pytest.mark.parametrize("name", ["os.system", "fastnn.files", "builtins.eval", "../own.py", "/etc/passwd"])
@pytest.mark.parametrize("field", ["layer", "activation", "initializer", "loss"])
def test_names_are_looked_up_in_the_registries_alone(name, field):
    layer = {"layer": "Dense", "out_features": 1, "activation": "identity", "initializer": None} | {field: name}
    network = {"layers": [layer], "inputs": 1, "loss": "squared_error", "dtype": "float32"}
    if field == "loss":
        del layer["loss"]
        network["loss"] = name
    refused(sealed(changed(metadata(network=json.dumps(network))), PAYLOAD), READER)


def test_an_activation_of_ones_own_is_found_once_it_is_registered():
    name = "own_of_hostile_files"
    text = changed(metadata(network=json.dumps(NET.config() | {"loss": "squared_error", "layers": [
        {"layer": "Dense", "out_features": 1, "activation": name, "initializer": None}]})))
    assert name in refused(sealed(text, PAYLOAD), READER)
    try:
        register_activation(name, lambda z: z * 2.0, lambda z, a: 2.0)
        assert read(sealed(text, PAYLOAD), READER).layers[0].activation == name
    finally:
        activations.records.pop(name, None)


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    """What was promised when it was opened is not there any more."""
    for size in (5, 100, len(WHOLE) - 1):
        with pytest.raises(ModelFormatError):
            files.read_open(io.BytesIO(WHOLE[:size]), len(WHOLE), READER, "cannot load it")
