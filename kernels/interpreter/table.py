"""A network as data: a table of rows, one for each operation, which one compiled interpreter walks.

A row begins with its phases: for each, the address of a kernel (or 0) and the number of parts of its work. The operands
follow: offsets into the arena and the flat parameter vector (in elements, not bytes), sizes, addresses. Their names are
defined in one `Kind` for each kind of operation, beside its kernels; Python and the kernels read them by name. All phases
have the same arguments, so a new kind of operation is a new kernel and a new network compiles nothing. Inputs and outputs
are offsets, not "the layer before", so branches and joins are tables too.

The forward pass walks the rows from first to last, the backward pass from last to first:

    optimizer     backward: the update
    clip          backward: limits on the gradient
    state         backward: state that layers keep from step to step
    watch         backward: whether the complete gradient is sound; only the rows above change parameters and state
    penalty       forward: the penalty on the weights   backward: its gradient, added to that of the layers
    batch         forward: gather the rows of the batch, their targets and weights
    dense ...     forward: a = g(x @ weight + bias)     backward: dz from da, dx from dz, dweight and dbias
    metric, loss  forward: the loss of each sample and its gradient, where the backward pass starts; then the penalties
                  (outputs at several positions: the loss of each position, then the sums of each sample)

A phase is a barrier: all its parts end before the next phase begins. So a phase may read anything that earlier phases wrote,
but a part must not read what another part of the same phase writes. A backward pass for gradients of the inputs only leaves
out the third phase of every row, so dx must not depend on it.
"""

from operator import itemgetter
from struct import Struct

import numpy as np
from numba import types

from ..compiling.objects import WORD
from ..compiling.record import FLOATS, INTEGER, INTEGERS, NUMBERS, Record, in_numpy, zeros

PHASE = Record("phase", "kernel", "parts")
PHASES = "forward", "backward_first", "backward_second", "backward_third"
FORWARD, BACKWARD_FIRST, BACKWARD_SECOND, BACKWARD_THIRD = range(len(PHASES))  # indices, for compiled code
# What each row begins with. accumulate: whether to add to the gradients of the parameters, which another row has written.
ROW = Record("row", **dict.fromkeys(PHASES, PHASE), accumulate=INTEGER)
ROW_BYTES = 448  # phases and up to 47 operands; whole cache lines, but not a power of two, to avoid cache conflicts

# The data of a call: memory, the samples of the batch (`batch` samples from number `first`), whether to add to the
# gradients, and arrays of the caller. An address is 0 if there is no such array.
CALL = Record(
    "call",
    parameters=NUMBERS, gradients=NUMBERS, arena=NUMBERS,
    results=FLOATS,  # (RESULTS, capacity): the results of each sample, see LOSSES
    capacity=INTEGER, first=INTEGER, batch=INTEGER, accumulate=INTEGER,
    octets=INTEGER,  # the address of X where it holds bytes (uint8), which the gather converts; X is 0 then
    sources=INTEGER,  # the address of records `SOURCE`: sequences, see `axes`; X is 0 then
    X=NUMBERS, targets=NUMBERS,  # the data: (rows, inputs), (rows, outputs)
    labels=INTEGERS,  # (rows, positions): one for each position of the outputs, such as the pixels of an image
    labels_are_bytes=INTEGER,  # whether they are uint8
    weights=NUMBERS,  # (rows,), or (rows, positions) with `weight_at_positions`
    weight_at_positions=INTEGER,
    order=INTEGERS,  # (samples,): the row numbers of the samples; 0 for all rows in order
    samples=INTEGER,
    outputs=INTEGER,  # address of predictions: numbers (samples, outputs), or integers
    found=INTEGERS,  # (2,): results of checks, see LARGE
)
# Rows of `results`, sums over the positions of each sample: losses, correct predictions, weights, positions that count.
LOSSES, HITS, SAMPLE_WEIGHTS, COUNTS = range(4)
RESULTS = 4
# Rows after those, for each output of a network with several: its losses, correct predictions, positions that count.
RESULTS_OF_EACH = 3
LARGE, NOT_FINITE = range(2)  # elements of `found`: whether a gradient is large; what is not finite, 0 for nothing

# How a row is packed: a word for each number of its head, of which those of a phase are kernel and parts; then the operands.
HEAD = Struct(f"={ROW.bytes // WORD}q")
WORDS = {phase: k * len(PHASE.kinds) for k, phase in enumerate(PHASES)}
PACKED = {np.int64: "q", np.uint64: "Q", np.float64: "d"}


class Kind(Record):
    """A kind of operation: the record type of its rows. Operands are declared as the fields of a `Record`."""

    def __init__(self, name, /, *operands, **kinds):
        kinds = dict.fromkeys(operands, INTEGER) | kinds
        super().__init__(name, padded_to=ROW_BYTES, **ROW.kinds, **kinds)
        self.names = {*kinds}
        self.values = itemgetter(*kinds) if len(kinds) > 1 else lambda operands: [operands[name] for name in kinds]
        # packing all fields in one call takes a sixth of the time of NumPy's assignments to each
        self.layout = Struct(HEAD.format + "".join(map(PACKED.__getitem__, map(in_numpy, kinds.values()))))

    def row(self, phases, **operands):
        """Return a row from {phase: (address of a kernel, parts)} and the values of all operands."""
        try:
            values = self.values(operands)
        except KeyError:
            values = None
        if values is None or len(operands) != len(self.names):
            wrong = self.names ^ {*operands}
            raise TypeError(f"unknown or missing operands: {', '.join(sorted(wrong))}; {self.name} has these: "
                            f"{', '.join(sorted(self.names))}")
        memory = bytearray(ROW_BYTES)
        self.layout.pack_into(memory, 0, *phase_words(phases), *values)
        return np.ndarray((), self.dtype, memory)

    def arguments(self, dtype):
        """Return the Numba types of the arguments of its kernels: row, call, part, parts."""
        return self.type(dtype), CALL.type(dtype), types.intp, types.intp


def phase_words(phases):
    """Return the words that a row with these phases begins with."""
    words = [0] * (ROW.bytes // WORD)
    for phase, (kernel, parts) in phases.items():
        if phase not in WORDS:
            raise ValueError(f"no field of name {phase}; the phases are {', '.join(PHASES)}")
        first = WORDS[phase]
        words[first], words[first + 1] = kernel, parts
    return words


def with_phases(row, phases):
    """Return a row with the operands of `row` and only the given phases."""
    memory = bytearray(row.tobytes())
    HEAD.pack_into(memory, 0, *phase_words(phases))
    return np.ndarray((), row.dtype, memory)


def bytes_of(rows):
    """Return the bytes of rows, one after the other."""
    return b"".join([row.tobytes() for row in rows])


def make_table(rows):
    """Return a table of contiguous rows, as the interpreter reads it."""
    memory = zeros(len(rows) * ROW_BYTES)
    memory[:] = np.frombuffer(bytes_of(rows), np.uint8)
    return memory.reshape(len(rows), ROW_BYTES)


def row_in(memory, number, row):
    """Return a row as it stands in a table at `number`, for later changes. row: the row that it was made from."""
    return np.ndarray((), row.dtype, memory[number])


def most_parts(memory):
    """Return the largest number of parts of any phase in a table."""
    kernels_and_parts = memory.view(np.int64)[:, :len(WORDS) * len(PHASE.kinds)]
    return int(kernels_and_parts[:, 1::len(PHASE.kinds)].max())


GRADIENT, STATISTICS = 1, 2  # values of NOT_FINITE: the gradient; STATISTICS + k, the batch statistics of layer k
