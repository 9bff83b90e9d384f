"""Files of networks, checkpoints and models of tables, damaged in ways that know what such a file is made of.

    python tests/fuzz_files.py CASES SEED        on all cores; says how many a second, how many were taken, and the slowest

The laws: a reader returns or raises ModelFormatError, nothing else; and what was damaged without its checksum being made
anew is never taken. Most cases have a right checksum, since that is where a reader can still go wrong.
"""

import io
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from functools import partial
from multiprocessing import get_context

import numpy as np
from hostile_files import parts, sealed

from fastnn import (
    SGD,
    Activation,
    Adam,
    BatchNorm,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    LayerNorm,
    ModelFormatError,
    Network,
    ReduceLROnPlateau,
    WarmUp,
    checkpoint,
    files,
)

NASTY = [
    None, True, False, 0, 1, -1, 2, 3, 7, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 2**65, 10**12, 10**400, -2**63,
    0.0, -0.0, 0.5, 1.5, 1e-320, 1e308, float("nan"), float("inf"), -float("inf"), "", "0", "3", "1e999", "relu", "softmax",
    "Dense", "Dropout", "BatchNorm", "float32", "float64", "F32", "F64", "BOOL", "BF16", "adam", "sgd", "number", "text",
    "\ud800", "é", "\U0001f600", "\0", "../../etc/passwd", "/dev/zero", "os.system", "__class__", "__init__", "self",
    "0.weight", "0.bias", "layer", "array", "schedule", "kind", [], {}, [[]], [0], [0, 0], [1, 2, 3], [2**63, 2],
    {"array": "0.weight"}, {"array": "history.metrics.loss"}, {"schedule": "WarmUp"},
    {"schedule": "StepDecay", "learning_rate": 1, "every": 1}, {"layer": "Dense", "out_features": 1},
    {"layer": "Dropout", "rate": 0.5}, {"layer": "Activation", "activation": "relu"}, "x" * 1000, "9" * 5000, [0] * 100,
]
TOKENS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e999", b"-1", b"NaN", b"Infinity", b"\xff",
    b"\\ud800", b"\0", b" ", b"9" * 30, b'"__metadata__":{},', b'"0.weight":0,', b"{}" * 10, b"[" * 2000, b'{"a":' * 2000,
]
WEIGHTS = 10, 5, 2, 1, 1, 3  # small files are fast to try
DOCUMENTS = ("network", "fit", "table")  # texts in the metadata that are JSON themselves


def written(write):
    """The bytes that `write(path)` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        write(path)
        with open(path, "rb") as file:
            return file.read()


def originals():
    """{name: (bytes, reader)}"""
    X, y = np.linspace(0, 1, 6).reshape(3, 2), np.array([0, 1, 0])
    nets = {
        "one number": Network([Dense(1)], inputs=1),
        "dense": Network([Dense(3, "tanh", initializer="he_normal", l1=0.1), Dense(2, "softmax")], inputs=2),
        "layers": Network([Dense(2), BatchNorm(), Activation("relu"), Dropout(0.5), LayerNorm(), Dense(1, "sigmoid")],
                          inputs=2, dtype="float64"),
    }
    found = {name: (written(net.save), partial(files.read, Network)) for name, net in nets.items()}
    for name, optimizer in {"adam": Adam(WarmUp(CosineDecay(0.1, steps=5), steps=2)), "sgd": SGD(0.1, momentum=0.5)}.items():
        net = Network([Dense(2, "tanh"), Dense(2, "softmax")], inputs=2)
        callbacks = [EarlyStopping("loss", restore_best=True), ReduceLROnPlateau("loss")]
        net.fit(X, y, epochs=2, optimizer=optimizer, callbacks=callbacks[:1 if name == "adam" else 2])
        found[name] = written(net.save_checkpoint), partial(checkpoint.read, Network)
    try:
        from fastnn.tables import Classes, Preprocessing, TableModel
        from fastnn.tables.columns import Ignored, Number, Text
        from fastnn.tables.model import read
    except ImportError:
        return found
    columns = [Number("carat", 0.5, 0.1, 0.4, True), Text("cut", ("Fair", "Good"), False), Ignored("id", "counts rows")]
    report = {"test": {"accuracy": 0.5}, "baselines": {"mean": {"accuracy": None}}}
    model = TableModel(Network([Dense(2, "softmax")], inputs=4), Preprocessing(columns, ["?"]), Classes("y", ("no", "yes")),
                       report)
    return found | {"table": (written(model.save), read)}


def places(node, found):
    """Every (container, key) in a JSON value."""
    for key in (node if isinstance(node, dict) else range(len(node))):
        found.append((node, key))
        if isinstance(node[key], (dict, list)):
            places(node[key], found)
    return found


def mutate(node, rng):
    """Change a JSON value in place, in one place."""
    container, key = rng.choice(places(node, []))
    kind = rng.randrange(6)
    if kind <= 1:
        container[key] = deepcopy(rng.choice(NASTY))
    elif kind == 2:
        del container[key]
    elif kind == 3 and isinstance(container[key], (int, float)):
        container[key] += rng.choice([1, -1, 0.5, 4, -4, 64, container[key]])
    elif kind == 4:
        other, its = rng.choice(places(node, []))
        container[key] = json.loads(json.dumps(other[its]))
    elif isinstance(container, dict):
        container[rng.choice([*container, *(each for each in NASTY if isinstance(each, str))])] = deepcopy(container[key])
    else:
        container.insert(key, json.loads(json.dumps(container[key])))


def structural(text, payload, rng):
    """A header changed as JSON, or a document in its metadata."""
    header = json.loads(text)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        metadata = header.get("__metadata__")
        name = rng.choice([*DOCUMENTS, "header"])
        try:
            if name == "header" or not isinstance(metadata, dict):
                mutate(header, rng)
            elif name in metadata:
                document = json.loads(metadata[name])
                mutate(document, rng)
                metadata[name] = json.dumps(document, ensure_ascii=rng.random() < 0.5)
        except (IndexError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
            pass  # there was nothing left to change
    return sealed(json.dumps(header).encode(), payload)


def textual(text, payload, rng):
    """A header with something put into its text, or a stretch of it written twice or left out."""
    begin, end = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
    kind = rng.randrange(3)
    between = rng.choice(TOKENS) if kind == 0 else text[begin:end] * 2 if kind == 1 else b""
    return sealed(text[:begin] + between + text[begin if kind == 0 else end:], payload)


def numbers(text, payload, rng):
    """Other numbers in the tensors."""
    begin = rng.randrange(len(payload))
    between = rng.choice([b"\xff\xff\xff\x7f", b"\0\0\x80\x7f", rng.randbytes(8), b"\xff" * 8])
    return sealed(text, (payload[:begin] + between + payload[begin + len(between):])[:len(payload) - rng.choice([0, 0, 1])])


def raw(whole, rng):
    """Damage as of a disk or of a transfer."""
    place, kind = rng.randrange(len(whole)), rng.randrange(5)
    if kind == 0:
        return whole[:place]
    if kind == 1:
        return whole[:place] + rng.choice(TOKENS) + whole[place:]
    if kind == 2:
        return whole[:place] + whole[place + rng.randrange(1, 64):]
    if kind == 3:
        return rng.randrange(2**rng.randrange(1, 64)).to_bytes(8, "little") + whole[8:]
    return whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1:]


def fuzz(cases, seed):
    """Counter of what happened; AssertionError with the case where a law is broken."""
    rng, found, slowest = random.Random(seed), Counter(), (0.0, "")
    corpus = [(name, whole, reader, *parts(whole)) for name, (whole, reader) in originals().items()]
    start = time.process_time()
    for case in range(cases):
        name, whole, reader, text, payload = rng.choices(corpus, WEIGHTS[:len(corpus)])[0]
        kind = rng.choices((structural, textual, numbers, raw), (3, 3, 1, 5))[0]
        damaged = raw(whole, rng) if kind is raw else kind(text, payload, rng)
        before = time.process_time()
        try:
            files.read_open(io.BytesIO(damaged), len(damaged), reader, "fuzzed")
            found["taken"] += 1
            assert kind is not raw or damaged == whole, f"damage was not noticed: {name}, case {case} of seed {seed}"
        except ModelFormatError:
            found["refused"] += 1
        except BaseException as error:
            path = f"fuzzed-{name.replace(' ', '-')}-{seed}-{case}"
            with open(path, "wb") as file:
                file.write(damaged)
            raise AssertionError(f"{error!r} of {name}, case {case} of seed {seed}, kept in {path}") from error
        slowest = max(slowest, (time.process_time() - before, f"{name}, case {case} of seed {seed}"))
    found["seconds"] = time.process_time() - start
    return found, slowest


def fuzz_on_all_cores(cases, seed):
    """`fuzz` in a process a core, each with a seed of its own."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(fuzz, [-(-cases // count)] * count, [f"{seed}.{k}" for k in range(count)]))
    total = sum((found for found, _ in results), Counter())
    parsed, worst = total["taken"] + total["refused"], max(slowest for _, slowest in results)
    return (f"{parsed:,} files parsed, {total['taken']:,} taken, no exception but ModelFormatError; "
            f"{parsed / total['seconds']:,.0f} a second of a core; slowest {worst[0] * 1000:.0f} ms ({worst[1]})")


if __name__ == "__main__":
    print(fuzz_on_all_cores(int(sys.argv[1]), sys.argv[2]))
