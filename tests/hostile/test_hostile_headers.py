"""Impossible headers, byte for byte, of tensors, texts and tables."""

import json

import pytest
from hostile_files import parts, sealed
from small_files import FILES, PAYLOAD, READER, TEXT, changed, metadata, read, refused

from fastnn.formats.safetensors import HEADER


def offsets(weight, bias):
    def change(header):
        header["0.weight"]["data_offsets"], header["0.bias"]["data_offsets"] = weight, bias
    return change


def entry(**options):
    return lambda header: header["0.bias"].update(options)


def tensor(name, value):
    return lambda header: header.update({name: value})


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
    "labels of NaN": {"target": {"kind": "classification", "name": "y", "labels": [0.5, float("nan")]}},
    "labels of lists": {"target": {"kind": "classification", "name": "y", "labels": [[0], [1]]}},
    "labels that are no int64": {"target": {"kind": "classification", "name": "y", "labels": ["a", "b"],
                                             "dtype": "int64"}},
    "labels of a dtype of text": {"target": {"kind": "classification", "name": "y", "labels": ["a", "b"], "dtype": "<U9"}},
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
