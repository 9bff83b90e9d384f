"""The share of the processor's peak rate that convolutions reach: `taskset -c 0 python asv_bench/convolution.py`.

    forward windows from images        to the input dx from dz        to the weight dweight and dbias from x and dz

The peak is the rate of a matrix product in the first-level cache, measured in the same rounds. Products with the padding are
not counted. Times are processor times of the thread, medians over the rounds, so that other programs have little effect;
run it on one core.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

from fastnn.compiled.arguments import place
from fastnn.compiled.convolutions import Convolution
from fastnn.kernels.compiling.jit import jit
from fastnn.kernels.compiling.objects import address
from fastnn.kernels.compiling.record import zeros
from fastnn.kernels.interpreter.interpreter import ONE_PHASE, one_phase_kernel
from fastnn.kernels.interpreter.table import PHASES
from fastnn.kernels.layers.convolution.rows import convolution_rows
from fastnn.kernels.products.product import chain_length, product
from fastnn.layers.windows import windows

# (height, width, channels), kernel, stride, padding, out_channels, groups
LAYERS = {
    "LeNet-5, first": ((28, 28, 1), (5, 5), 1, "valid", 6, 1),
    "LeNet-5, second": ((12, 12, 6), (5, 5), 1, "valid", 16, 1),
    "3x3, 16 to 16": ((32, 32, 16), (3, 3), 1, "same", 16, 1),
    "3x3, 32 to 32": ((16, 16, 32), (3, 3), 1, "same", 32, 1),
    "3x3, 64 to 64": ((8, 8, 64), (3, 3), 1, "same", 64, 1),
    "3x3 stride 2, 16 to 32": ((32, 32, 16), (3, 3), 2, "same", 32, 1),
    "3x3 stride 2, 1 to 16": ((28, 28, 1), (3, 3), 2, "valid", 16, 1),
    "1x1, 64 to 64": ((25, 5, 64), (1, 1), 1, "valid", 64, 1),
    "3x3, each of 64": ((25, 5, 64), (3, 3), 1, "same", 64, 64),
    "1x51, 15 to 15": ((1, 1000, 15), (1, 51), 1, "same", 15, 1),
}
DIRECTIONS = {"forward": ["forward"], "to the input": ["backward_first", "backward_second"], "to the weight": [
    "backward_third"]}
LINE = 16  # numbers on a cache line
PEAK = 84, 96, 64  # rows, k, columns: 80 kB


@jit
def products(times, c, a, b):
    for _ in range(times):
        product(c, a, b, 0, 0, chain_length(a.shape[1]))


def in_arena(*arrays):
    """Return float32 copies side by side, each from a cache line on, as the tensors of a network are."""
    begins = np.cumsum([0, *(-(-array.size // LINE) * LINE for array in arrays)])
    arena, copies = zeros(4 * int(begins[-1])).view("f4"), []
    for begin, array in zip(begins, arrays, strict=False):
        copies.append(arena[begin:begin + array.size].reshape(array.shape))
        copies[-1][...] = array
    return copies


class Layer:
    """A layer and a batch; each direction can be timed separately."""

    def __init__(self, shape, kernel, stride, padding, out_channels, groups, batch):
        axes = windows(shape[:2], kernel, (stride, stride), (1, 1), padding)
        rng = np.random.default_rng(0)
        x, weight = rng.normal(size=(batch, *shape)), rng.normal(size=(*kernel, shape[2] // groups, out_channels))
        self.layer = layer = Convolution("float32", axes, groups, x.astype("f4"), weight.astype("f4"), threads=1)
        layer.x, layer.parameters, self.z, self.dz, self.dx, *layer.memory = in_arena(
            layer.x, layer.parameters, np.zeros(layer.shape), rng.normal(size=layer.shape), np.zeros(x.shape), *layer.memory)
        self.gradients = np.zeros_like(layer.parameters)
        packed, partials, scratch = map(place, layer.memory)
        self.rows = convolution_rows(
            layer.plan, None, {}, x=place(layer.x), z=place(self.z), a=place(self.z), dz=place(self.dz), dx=place(self.dx),
            packed=packed, partials=partials, scratch=scratch, scratch_size=layer.scratch_size,
            weight=place(layer.parameters), bias=place(layer.parameters[-out_channels:]))
        taps = [sum(len(axis.taps(window)[0]) for window in range(axis.out)) for axis in axes]
        self.flops = 2 * batch * taps[0] * taps[1] * weight.shape[2] * out_channels
        self.batch, self.frames = batch, {}
        for direction, phases in DIRECTIONS.items():
            self.frames[direction] = [self.frame(row, phase) for row in reversed(self.rows) for phase in phases
                                      if row[phase]["kernel"]]

    def frame(self, row, phase):
        frame = ONE_PHASE.new(row=address(row), phase=PHASES.index(phase))
        frame["call"]["batch"] = self.batch
        frame["call"]["gradients"] = address(self.gradients) - address(self.layer.parameters)
        return frame

    def run_direction(self, direction):
        for frame in self.frames[direction]:
            one_phase_kernel("any", address(frame))


def seconds_of(function, least):
    """Return the processor time of a call, averaged over at least `least` seconds."""
    calls, start = 0, time.thread_time()
    while (taken := time.thread_time() - start) < least:
        function()
        calls += 1
    return taken / calls


def measure(names, batch, rounds, least):
    """Return {layer: {direction: (GFLOP/s, share of the peak)}}, medians over the rounds, and the peak in GFLOP/s."""
    a, b = np.ones(PEAK[:2], "f4"), np.ones(PEAK[1:], "f4")
    c, made = np.empty((PEAK[0], PEAK[2]), "f4"), {name: Layer(*LAYERS[name], batch) for name in names}
    products(1, c, a, b)
    rates = {(name, direction): [] for name in names for direction in DIRECTIONS}
    peaks = []
    for _ in range(rounds):
        peaks.append(100 * 2 * np.prod(PEAK) / seconds_of(lambda: products(100, c, a, b), least))
        for name, direction in rates:
            layer = made[name]
            rates[name, direction].append(layer.flops / seconds_of(lambda: layer.run_direction(direction), least))  # noqa: B023
    peak = statistics.median(peaks)
    found = {name: {direction: statistics.median(rates[name, direction]) for direction in DIRECTIONS} for name in names}
    return {name: {direction: (rate / 1e9, rate / peak) for direction, rate in each.items()} for name, each in found.items()
            }, peak / 1e9


def markdown(found, peak):
    lines = [f"| layer, GFLOP/s (share of {peak:.0f}) | {' | '.join(DIRECTIONS)} |", "| --- |" + " ---: |" * len(DIRECTIONS)]
    for name, each in found.items():
        lines.append(f"| {name} | " + " | ".join(f"{rate:.1f} ({share:.0%})" for rate, share in each.values()) + " |")
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="convolution.py", description="Share of the tile's peak that convolutions reach.")
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=list(LAYERS), metavar="LAYER")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5e-3, help="of processor time for each measurement")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    options = parser.parse_args(argv)
    found, peak = measure(options.layers, options.batch, options.rounds, options.seconds)
    print(markdown(found, peak))
    if options.json:
        options.json.write_text(json.dumps({"peak": peak, "layers": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
