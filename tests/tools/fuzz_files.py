"""A fuzzer for files of networks, checkpoints and models of tables, with damage that depends on the format.

    python tests/tools/fuzz_files.py CASES SEED [PROCESSES]   on all cores; prints the accepted and refused, and the slowest

The laws: a reader returns or raises ModelFormatError, nothing else; and damage without a new checksum is never accepted.
Most cases have a valid checksum, because a reader can only go wrong with those. `fuzz_foreign.py` has files of other
programs.
"""

import io
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "support" / "hostile"))
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
)
from fastnn.files import checkpoint
from fastnn.files import networks as files

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
PART = 50_000  # cases in one go of a process
DOCUMENTS = ("network", "fit", "table")  # texts in the metadata that are JSON themselves


def written(write):
    """Return the bytes that `write(path)` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        write(path)
        with open(path, "rb") as file:
            return file.read()


@dataclass
class Original:
    """A file to damage: its bytes, its reader, and the kinds of damage, each with a weight.

    parse: a function of bytes; refusals: the exceptions it may raise. weight: how often it is drawn.
    sealed: whether it has a checksum, so that random damage must be detected.
    """

    name: str
    whole: bytes
    parse: Callable
    weight: float
    damages: dict
    refusals: tuple = (ModelFormatError,)
    sealed: bool = False


def of_ours(name, whole, reader, weight):
    """A file that `Network.save` or a similar method wrote."""

    def parse(damaged):
        return files.read_open(io.BytesIO(damaged), len(damaged), reader, "fuzzed")

    text, payload = parts(whole)
    damages = {kind.__name__: (partial(kind, text, payload), share)
               for kind, share in ((structural, 3), (textual, 3), (numbers, 1))}
    return Original(name, whole, parse, weight, damages | {"raw": (partial(raw, whole), 5)}, sealed=True)


def originals():
    """Return {name: (bytes, reader, weight)}: small files are fast, so the smallest is used most."""
    X, y = np.linspace(0, 1, 6).reshape(3, 2), np.array([0, 1, 0])
    nets = {
        "one number": (Network([Dense(1)], inputs=1), 10),
        "dense": (Network([Dense(3, "tanh", initializer="he_normal", l1=0.1), Dense(2, "softmax")], inputs=2), 5),
        "layers": (Network([Dense(2), BatchNorm(), Activation("relu"), Dropout(0.5), LayerNorm(), Dense(1, "sigmoid")],
                           inputs=2, dtype="float64"), 2),
    }
    found = {name: (written(net.save), partial(files.read, Network), weight) for name, (net, weight) in nets.items()}
    for name, optimizer in {"adam": Adam(WarmUp(CosineDecay(0.1, steps=5), steps=2)), "sgd": SGD(0.1, momentum=0.5)}.items():
        net = Network([Dense(2, "tanh"), Dense(2, "softmax")], inputs=2)
        callbacks = [EarlyStopping("loss", restore_best=True), ReduceLROnPlateau("loss")]
        net.fit(X, y, epochs=2, optimizer=optimizer, callbacks=callbacks[:1 if name == "adam" else 2])
        found[name] = written(net.save_checkpoint), partial(checkpoint.read, Network), 1
    try:
        from fastnn.tables import Classes, Preprocessing, TableModel
        from fastnn.tables.columns.kinds import Ignored, Number, Text
        from fastnn.tables.model import read
    except ImportError:
        return found
    columns = [Number("carat", 0.5, 0.1, 0.4, True), Text("cut", ("Fair", "Good"), False), Ignored("id", "counts rows")]
    report = {"test": {"accuracy": 0.5}, "baselines": {"mean": {"accuracy": None}}}
    model = TableModel(Network([Dense(2, "softmax")], inputs=4), Preprocessing(columns, ["?"]), Classes("y", ("no", "yes")),
                       report)
    return found | {"table": (written(model.save), read, 3)}


def places(node, found):
    """Yield every (container, key) in a JSON value."""
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
    """Return a header changed as JSON, or a document in its metadata."""
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
    """Return a header with something inserted into its text, or a part of it repeated or left out."""
    begin, end = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
    kind = rng.randrange(3)
    between = rng.choice(TOKENS) if kind == 0 else text[begin:end] * 2 if kind == 1 else b""
    return sealed(text[:begin] + between + text[begin if kind == 0 else end:], payload)


def numbers(text, payload, rng):
    """Return other numbers in the tensors."""
    begin = rng.randrange(len(payload))
    between = rng.choice([b"\xff\xff\xff\x7f", b"\0\0\x80\x7f", rng.randbytes(8), b"\xff" * 8])
    return sealed(text, (payload[:begin] + between + payload[begin + len(between):])[:len(payload) - rng.choice([0, 0, 1])])


def raw(whole, rng):
    """Return damage as by a disk or a transfer."""
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


def fuzz(cases, seed, corpus=None):
    """Return (Counter of {(file, damage, "taken" or "refused"): times}, seconds, the slowest), or raise AssertionError.

    The error is raised if a law is violated, and names the case; the damaged file is kept.
    """
    rng, found, slowest = random.Random(seed), Counter(), (0.0, "")
    corpus = corpus or [of_ours(name, *each) for name, each in originals().items()]
    weights, start = [original.weight for original in corpus], time.process_time()
    for case in range(cases):
        original = rng.choices(corpus, weights)[0]
        kind = rng.choices([*original.damages], [share for _, share in original.damages.values()])[0]
        damaged = original.damages[kind][0](rng)
        before, where = time.process_time(), f"{original.name}, {kind}, case {case} of seed {seed}"
        try:
            original.parse(damaged)
            found[original.name, kind, "taken"] += 1
            assert not original.sealed or kind != "raw" or damaged == original.whole, f"damage was not noticed: {where}"
        except original.refusals:
            found[original.name, kind, "refused"] += 1
        except BaseException as error:
            path = f"fuzzed-{original.name.replace(' ', '-')}-{seed}-{case}"
            with open(path, "wb") as file:
                file.write(damaged)
            raise AssertionError(f"{error!r} of {where}, kept in {path}") from error
        slowest = max(slowest, (time.process_time() - before, where))
    return found, time.process_time() - start, slowest


@cache
def everything():
    """Return all kinds of files that are read: those of fastnn and of other programs."""
    import fuzz_foreign

    return [of_ours(name, *each) for name, each in originals().items()] + fuzz_foreign.originals()


def fuzz_everything(cases, seed):
    return *fuzz(cases, seed, everything()), peak_memory()


def report(results):
    """Return the results of several runs of `fuzz_everything`, in words."""
    total, seconds = sum((found for found, *_ in results), Counter()), sum(seconds for _, seconds, *_ in results)
    worst, memory = max(slowest for _, _, slowest, _ in results), max(memory for *_, memory in results)
    lines = [f"{'file':<18}{'damage':<12}{'taken':>12}{'refused':>12}"]
    lines += [f"{name:<18}{kind:<12}{total[name, kind, 'taken']:>12,}{total[name, kind, 'refused']:>12,}"
              for name, kind in dict.fromkeys((name, kind) for name, kind, _ in sorted(total))]
    return "\n".join([*lines, f"{total.total():,} files parsed, no exception but those documented; "
                              f"{total.total() / seconds:,.0f} a second of a core; at most {memory:,.0f} MiB a process; "
                              f"slowest {worst[0] * 1000:.0f} ms ({worst[1]})"])


def peak_memory():
    """Return the peak memory of this process in MiB."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def fuzz_on_all_cores(cases, seed, count=None):
    """Run `fuzz_everything` in a process for each core, with a seed each; report the finished parts, also after Ctrl-C."""
    count = count or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parts, results = -(-cases // PART), []
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        try:
            for result in pool.map(fuzz_everything, [-(-cases // parts)] * parts, [f"{seed}.{k}" for k in range(parts)]):
                results.append(result)
                print(f"part {len(results)} of {parts}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            if not results:
                raise
    return report(results)


if __name__ == "__main__":
    print(fuzz_on_all_cores(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))
