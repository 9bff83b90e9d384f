"""The time of a training step, kernel by kernel: `python asv_bench/step.py`. `--least` takes the fastest step of each phase,
which is what a machine that is busy with other work can tell.

A training loop like fastnn's own reads the processor's clock before and after every phase, so times are measured in real
steps: the data come from memory, and the caches contain what the previous phase has left. They are compared with the time of
the arithmetic alone: products at the rate of the best 1024² product, of fastnn or of NumPy, in the same rounds.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic
from peers.libraries import fastnn_network, fastnn_product, numpy_product  # the folder beside this file
from peers.nets import IMAGE_NETS, NETS, SERIES_NETS, Net

from fastnn import optimizers
from fastnn.kernels.compiling.jit import ANY, KERNELS, Kernel, integers, jit, view
from fastnn.kernels.compiling.objects import WORD
from fastnn.kernels.interpreter.interpreter import TRAIN, run_phase
from fastnn.kernels.interpreter.table import BACKWARD_FIRST, FORWARD, PHASES, ROW_BYTES
from fastnn.kernels.processor.target import target
from fastnn.program import TrainingProgram, address
from fastnn.runtime.threads import launch
from fastnn.samples.data import check_data

PHASE_COUNT = len(PHASES)
ROUNDS, SLICE = 15, 0.05  # seconds of training in a round
GROUPS = {
    "dense_forward": "products", "dense_forward_chains": "products", "dense_backward_weight": "products",
    "dense_backward_input": "products", "dense_combine": "element-wise", "dense_backward_output": "element-wise",
    "loss_phase": "element-wise", "accuracy_phase": "element-wise", "update_phase": "update", "prepare_phase": "update",
    "gather": "memory", "watch": "watch",
    **dict.fromkeys(("convolution_forward", "convolution_backward_weight", "convolution_backward_input", "convolution_sum",
                     "pack_for_image"), "products"),
}
LAYERS = {  # by how the name begins, of all other kernels
    "batch_norm": "normalization", "layer_norm": "normalization", "group_norm": "normalization", "max_pool": "pools",
    "average_pool": "pools", "dropout": "dropout", "activation": "element-wise", "convolution": "element-wise",
    "weight_by_pixels": "products", "pooled": "products", "pack_patches": "products", "depthwise": "products",
    "attention": "attention", "additive_attention": "attention",
    "gru": "recurrence", "lstm": "recurrence", "simple_rnn": "recurrence", "add_": "joins", "copy_part": "joins",
    "gather": "memory",
}


@intrinsic
def clock(typingctx):
    """Return the processor's cycle counter at its nominal rate, read after all previous instructions are done.

    Otherwise a phase would include the rest of the previous one in the processor's queues, where divisions take long.
    """

    def codegen(context, builder, signature, args):
        module = builder.module
        if target()[0] == "x86_64":
            builder.call(get_or_insert_function(module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.lfence"), [])
        return builder.call(module.declare_intrinsic("llvm.readcyclecounter", (), ir.FunctionType(ir.IntType(64), [])), [])

    return types.int64(), codegen


@jit
def timed_phase(row, phase, call, team, cycles):
    start = clock()
    run_phase(row, phase, call, team)
    spent, found = clock() - start, view(integers(cycles), 2 * phase, 2)
    found[0] += spent
    found[1] = min(found[1], spent)


def build_timed_train(dtype):
    def timed_train(frame):
        """As `train`, with the same frame; but `totals` are the cycles (operations, phases, 2), all and least."""
        call, team, cycles, operations = frame.call, frame.team, frame.totals, frame.updates + frame.others
        for step in range(frame.first_batch, frame.last_batch):
            call.first = step * call.capacity
            call.batch = min(call.capacity, call.samples - call.first)
            for k in range(operations):
                timed_phase(frame.table + ROW_BYTES * k, FORWARD, call, team, cycles + 2 * WORD * PHASE_COUNT * k)
            for k in range(operations - 1, -1, -1):
                for phase in range(BACKWARD_FIRST, PHASE_COUNT):
                    timed_phase(frame.table + ROW_BYTES * k, phase, call, team, cycles + 2 * WORD * PHASE_COUNT * k)

    return timed_train


timed_train = Kernel("timed_train", build_timed_train, lambda dtype: (TRAIN.type(ANY),), moves_addresses=True, cached=False)


class Step:
    """Training of one network on so many threads, timed a round at a time."""

    def __init__(self, net, threads, rows, least=False):
        self.net, self.threads, self.least = net, threads, least
        X, y = net.data(rows)
        network = fastnn_network(net)
        self.optimizer = optimizers[net.optimizer]()
        order = np.random.default_rng(0).permutation(rows)
        self.program = TrainingProgram(network, check_data(network, X, y), net.batch, threads,
                                       network.fits.optimizer_state(self.optimizer), order=order)
        self.names = kernel_names()
        self.rounds = []

    def round(self):
        """Train for a pass over the data; record the seconds per step of each kernel, and of all."""
        program = self.program
        cycles = np.zeros((len(program.rows), len(PHASES), 2), np.int64)
        cycles[..., 1] = np.iinfo(np.int64).max
        steps, frame = program.batches, program.frame.copy()
        frame["totals"], frame["first_batch"], frame["last_batch"] = address(cycles), 0, steps
        start = time.perf_counter()
        launch(timed_train, frame, self.threads if program.parts_used > 1 else 1, np.inf)
        seconds = time.perf_counter() - start
        used = np.array([[row[phase]["kernel"] != 0 for phase in PHASES] for row in program.rows])
        a_cycle, cycles = seconds / cycles[used, 0].sum(), cycles[..., 1] if self.least else cycles[..., 0] / steps
        spent = Counter(total=a_cycle * cycles[used].sum())
        for row, own in zip(program.rows, cycles, strict=True):
            for phase, count in zip(PHASES, own, strict=True):
                if row[phase]["kernel"]:
                    spent[self.label(row, phase)] += count * a_cycle
        self.rounds.append(spent)

    def label(self, row, phase):
        name = self.names[int(row[phase]["kernel"])]
        if name.startswith(("convolution", "weight_by_pixels", "pooled", "depthwise")):
            kernel = f"{row['kernel_height']}x{row['kernel_width']}"
            return f"{name} {kernel}, " + (f"each of {row['channels']}" if row["elementwise"] else
                                           f"{row['channels']} to {row['features']}")
        return f"{name} {row['in_features']}x{row['out_features']}" if name.startswith("dense") else name

    def median(self, label):
        return statistics.median(spent[label] for spent in self.rounds)


def kernel_names():
    return {unit.address: kernel.name for kernel in KERNELS.values() for unit in kernel.compiled.values()}


def group_of(label):
    """Return the group of a kernel, of which the report has the sums."""
    name = label.split()[0]
    return GROUPS.get(name) or next((group for begins, group in LAYERS.items() if name.startswith(begins)), "else")


def net_of(text):
    """Return a net by its name, or from its sizes and batch."""
    return next((net for net in (*IMAGE_NETS, *SERIES_NETS) if net.name == text), None) or Net.parse(text)


def product_rate(threads):
    """Return the flops per second of the best 1024² product, of fastnn or of NumPy with the threads of its library."""
    a = np.random.default_rng(0).random((1024, 1024), np.float32)
    products, best = [product(a, a, threads) for product in (fastnn_product, numpy_product)], np.inf
    for _ in range(5):
        for product in products:
            start = time.perf_counter()
            product()
            best = min(best, time.perf_counter() - start)
    return 2 * 1024**3 / best


def report(steps, rate):
    """Return the lines of one network."""
    one, net = steps[0], steps[0].net
    floor = net.flops / rate
    yield f"### {net.shape}, batch {net.batch}, {net.optimizer}"
    yield ""
    yield "| kernel | " + " | ".join(f"µs, {step.threads} thread{'s' * (step.threads > 1)}" for step in steps) + " | share |"
    yield "| --- |" + " ---: |" * (len(steps) + 1)
    labels = sorted({label for step in steps for spent in step.rounds for label in spent}, key=one.median, reverse=True)
    for label in labels:
        times = " | ".join(f"{1e6 * step.median(label):.2f}" for step in steps)
        yield f"| {label} | {times} | {100 * one.median(label) / one.median('total'):.0f} % |"
    groups = Counter()
    for label in labels:
        groups[group_of(label)] += one.median(label) if label != "total" else 0
    shares = ", ".join(f"{name} {1e6 * seconds:.1f}" for name, seconds in groups.most_common() if seconds)
    yield ""
    yield (f"One thread, µs: {shares}. The products alone are {net.flops / 1e6:.3g} million operations, "
           f"{1e6 * floor:.1f} µs at {rate / 1e9:.0f} GFLOP/s: {100 * floor / one.median('total'):.0f} % of the step.")
    if any(label.startswith("pooled") for label in labels):
        yield "Behind a max pool most products of the gradients are by zero: they count as operations, but are not computed."
    yield ""


def main(argv=None):
    parser = argparse.ArgumentParser(prog="step.py", description=__doc__.splitlines()[0])
    names = ", ".join(net.name for net in (*IMAGE_NETS, *SERIES_NETS))
    parser.add_argument("--net", type=net_of, action="append", metavar="SIZES:BATCH",
                        help=f"or one of {names}; default: the five of peers.py")
    parser.add_argument("--optimizer", choices=optimizers, default="adam")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--least", action="store_true", help="the fastest step of a round, not the mean")
    options = parser.parse_args(argv)
    for net in options.net or NETS:
        net = replace(net, optimizer=options.optimizer)
        rows = net.batch * max(8, min(int(SLICE / (net.flops / 1e11)), 40_000 // net.batch))
        steps = [Step(net, threads, rows, options.least) for threads in options.threads]
        rates = []
        for _ in range(options.rounds):
            for step in steps:
                step.round()
            rates.append(product_rate(1))
        for step in steps:
            del step.rounds[0]  # kernels were loaded, threads woken
        print("\n".join(report(steps, max(rates))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
