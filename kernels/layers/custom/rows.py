"""Rows of a layer whose functions a user wrote: plain Python functions of the arrays of one sample, given by name.

    forward(a, x, weight, …)                     writes a, and memory that backward reads
    backward(dx, dweight, da, a, x, weight, …)   writes dx, adds to dweight
    update(running, x, a, …)                     changes state, sample after sample, in the order of the batch

Each function gets what its arguments name. Phases loop over the samples of a batch; a function that computes each element by
itself (`by_element.py`) gets several samples at once as one array. Gradients of parameters add up over
blocks of samples, whose size depends on the largest batch only, each in memory of its own; then the blocks are added in
order. So the bits do not depend on the number of threads.

A function that raises an exception leaves NaN in what it writes, and a record of the failure. The step is not taken.
"""

import hashlib
import os
from dataclasses import dataclass

import numpy as np

from ...compiling.jit import Kernel, given, view
from ...compiling.record import FLOAT, INTEGER, NUMBERS
from ...compiling.share import share
from ...compiling.trace import at_full_width
from ...compiling.user_functions import user_digest
from ...compiling.weak_numbers import weak_compiler
from ...elementwise.precision import compiled_scalar
from ...interpreter.table import NOT_FINITE, ROW, ROW_BYTES, WORD, Kind
from .attempt import FAILURE_WORDS, attempt, note_failure, one_by_one, unwritable
from .by_element import is_by_element

FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"
NUMBERS_OF_PHASES = {FORWARD: 1, BACKWARD: 2, UPDATE: 3}
FAILURE_OF_LAYER = -1  # value of NOT_FINITE
TOGETHER = 1024  # elements of the samples that a function computes together; they stay in the nearest cache
FOUR_VECTORS, MANY = 64, 256  # elements; with many, it does not matter what four vectors at a time leave
MOST_OPERANDS = (ROW_BYTES - ROW.bytes) // WORD


def is_short(size):
    """Return whether a loop over that many elements is faster vector by vector than four vectors at a time."""
    return size < MANY and size % FOUR_VECTORS != 0


@dataclass(frozen=True)
class Form:
    """What the functions of a layer take, as far as their machine code depends on it.

    Attributes
    ----------
    reads, parameters, state, memory : tuple of (str, int)
        The names of arrays and their numbers of axes.
    axes : int
        The number of axes of the output.
    options : tuple of (str, str)
        The names of numbers, and whether they are "real", "integer" or "flag".
    short : bool
        Whether `is_short` holds for the last axis of every array.
    """

    reads: tuple
    parameters: tuple
    state: tuple
    memory: tuple
    axes: int
    options: tuple
    short: bool
    even: bool

    def operands(self):
        """Return the operands of a row, {name: kind}."""
        arrays = (*self.reads, *self.parameters, *self.state, *self.memory, ("a", self.axes))
        sizes = [f"s_{name}_{axis}" for name, axes in arrays for axis in range(axes)]
        places = [f"o_{name}" for name, _ in (*self.reads, *self.parameters, *self.memory)]
        gradients = [f"o_d{name}" for name, _ in self.reads]
        own = ["u_failure", "u_block", "u_sums", "u_start", "u_size", "u_next"]
        names = ["o_a", "o_da", *places, *gradients, *sizes, *own]
        return (dict.fromkeys(names, INTEGER) | {f"o_{name}": NUMBERS for name, _ in self.state}
                | {f"v_{name}": FLOAT if kind == "real" else INTEGER for name, kind in self.options})


class CustomKernels:
    """The kernels of a user's functions for one form.

    name: that of the layer. functions: {"forward": function, "backward": function, "update": function or none}.
    """

    def __init__(self, name, functions, form):
        self.name, self.functions, self.form = name, functions, form
        operands = form.operands()
        if len(operands) > MOST_OPERANDS:
            raise ValueError(f"{name} has {len(operands)} arrays, sizes of axes and numbers together, and a layer may have "
                             f"{MOST_OPERANDS}; put several parameters into one array")
        self.digest = user_digest(*functions.values())
        # Numba takes two records of one name for the same, and a class has other operands after an edit, or for other axes
        layout = hashlib.sha256(repr(operands).encode()).hexdigest()[:12]
        self.kind = Kind(f"custom_{layout}", **operands)
        self.kernels = {phase: self.kernel(phase) for phase in functions}
        self.failure = np.zeros(FAILURE_WORDS, np.int64)

    def kernel(self, phase):
        taken = arguments_of(self.functions[phase])
        together = self.computes_together(phase, taken)
        source = together_source(self.form, taken, phase) if together else SOURCES[phase](self.form, taken)
        mark = hashlib.sha256(f"{self.digest}{self.form}{source}".encode()).hexdigest()[:16]
        known, short = self.digest is not None, self.form.short and not together
        name = f"custom_{''.join(c for c in self.name if c.isascii())}_{phase}_{mark if known else os.urandom(8).hex()}"

        def build(dtype):
            names = {**NAMES, "real": np.dtype(dtype).type, "given_": given,
                     "function": compiled_scalar(self.functions[phase], dtype, f"{name}_function",
                                                 [weak_compiler(dtype, own, short) for own in (True, False)])}
            exec(compile(source, f"<{phase} of {self.name}>", "exec"), names)
            return names["phase"]

        return Kernel(name, build, self.kind.arguments, cached=False, given=mark if known else None)

    def computes_together(self, phase, taken):
        """Return whether a phase computes several samples as one long array."""
        arrays = [name for name in taken if name not in dict(self.form.options)]
        shared = {name for name, _ in (*self.form.parameters, *self.form.state)}
        return (self.form.even and phase != UPDATE and not shared & {*arrays, *(each[1:] for each in arrays)}
                and is_by_element(self.functions[phase], arrays))


NAMES = {"__name__": __name__, "share": share, "view": view, "attempt": attempt, "one_by_one": one_by_one,
         "note_failure": note_failure, "unwritable": unwritable, "at_full_width": at_full_width, "NOT_FINITE": NOT_FINITE,
         "FAILURE_OF_LAYER": FAILURE_OF_LAYER, "nan": np.nan}


def arguments_of(function):
    """Return the names of a function's arguments."""
    code = function.__code__
    return code.co_varnames[:code.co_argcount]


def size_of(form, name):
    """Return the code of the number of elements of an array."""
    return " * ".join(f"row.s_{name}_{axis}" for axis in range(axes_of(form, name)))


def axes_of(form, name):
    return dict((*form.reads, *form.parameters, *form.state, *form.memory, ("a", form.axes)))[name]


def array_code(form, name, of, base, place, samples=""):
    """Return the code of an array with the shape of the array `of`, times a number of samples."""
    axes = [f"{samples}row.s_{of}_{axis}" for axis in range(axes_of(form, of))]
    return f"{name} = view({base}, {place}, {axes[0] if len(axes) == 1 else '(' + ', '.join(axes) + ')'})"


def lines_of(form, taken, writable, state_place=None, samples=""):
    """Return the lines that make what a function takes, for sample i, or for several that begin with it."""
    by_sample = dict((*form.reads, *form.memory)).keys() | {"a"}
    gradients = {f"d{name}": name for name in by_sample}
    parameters = dict(form.parameters)
    sums, options = {f"d{name}": name for name in parameters}, dict(form.options)
    lines = []
    for name in taken:
        if name in options:
            lines.append(f"{name} = {OPTION_CODE[options[name]].format(name)}")
            continue
        of = gradients.get(name, sums.get(name, name))
        if name in by_sample or name in gradients:
            code = array_code(form, name, of, "call.arena", f"row.o_{name} + i * ({size_of(form, of)})", samples)
        elif name in parameters:
            code = array_code(form, name, of, "call.parameters", f"row.o_{name}")
        elif name in sums:
            code = array_code(form, name, of, "call.arena", f"sums + row.o_{of} - row.u_start")
        elif state_place:
            code = array_code(form, name, of, *state_place[name])
        else:
            code = array_code(form, name, of, f"row.o_{name}", "0")
        lines.append(code if name in writable else code.replace(" = ", " = unwritable(", 1) + ")")
    return [f"own_{line}" for line in lines]  # a prefix: a user's names may be those of the code around them


OPTION_CODE = {"real": "real(row.v_{})", "integer": "row.v_{}", "flag": "row.v_{} != 0"}


def call_lines(taken, phase, spoiled):
    """Return the lines that call the function and note its failure. spoiled: the arrays that it leaves as NaN."""
    return ["one_by_one()",
            f"if attempt(function, ({''.join(f'own_{name}, ' for name in taken)}), row.u_failure) != 0:",
            f"    note_failure(row.u_failure, i, {NUMBERS_OF_PHASES[phase]})",
            *(f"    own_{name}[...] = nan" for name in spoiled),
            "    if given_(call.found):",
            "        view(call.found, 0, 2)[NOT_FINITE] = FAILURE_OF_LAYER"]


def indented(lines, depth):
    return "".join(f"{'    ' * depth}{line}\n" for line in lines)


def forward_source(form, taken):
    writable = {"a", *dict(form.memory)}
    return ("def phase(row, call, part, parts):\n"
            "    at_full_width()\n"
            "    begin, end = share(call.batch, part, parts, 1)\n"
            "    for i in range(begin, end):\n"
            + indented([*lines_of(form, taken, writable), *call_lines(taken, FORWARD, ["a"])], 2))


def backward_source(form, taken):
    gradients = [f"d{name}" for name, _ in (*form.reads, *form.parameters)]
    writable = {*gradients, *dict(form.memory)}
    return ("def phase(row, call, part, parts):\n"
            "    at_full_width()\n"
            "    begin, end = share((call.batch + row.u_block - 1) // row.u_block, part, parts, 1)\n"
            "    for block in range(begin, end):\n"
            "        sums = row.u_sums + block * row.u_size\n"
            + ("        view(call.arena, sums, row.u_size)[:] = 0\n" if form.parameters else "") +
            "        for i in range(block * row.u_block, min(call.batch, (block + 1) * row.u_block)):\n"
            + indented([*lines_of(form, taken, writable),
                        *call_lines(taken, BACKWARD, [name for name in gradients if name in taken])], 3))


def together_source(form, taken, phase):
    """Return the source of a phase that gives its function several samples at once, as one array."""
    written = ["a"] if phase == FORWARD else [f"d{name}" for name, _ in form.reads]
    return ("def phase(row, call, part, parts):\n"
            "    at_full_width()\n"
            "    begin, end = share(call.batch, part, parts, 1)\n"
            f"    most = max(1, {TOGETHER} // row.s_a_0)\n"
            "    for i in range(begin, end, most):\n"
            "        samples = min(most, end - i)\n"
            + indented([*lines_of(form, taken, {*written, *dict(form.memory)}, samples="samples * "),
                        *call_lines(taken, phase, written)], 2))


def update_source(form, taken):
    """Return the source of the phase that works out the next state, in memory; another row takes it over."""
    places, before = {}, "row.u_next"
    for name, _ in form.state:
        places[name] = "call.arena", before
        before += f" + ({size_of(form, name)})"
    first = form.state[0][0]
    return ("def phase(row, call, part, parts):\n"
            f"    size = {before.removeprefix('row.u_next + ')}\n"
            f"    view(call.arena, row.u_next, size)[:] = view(row.o_{first}, 0, size)\n"
            "    for i in range(call.batch):\n"
            + indented([*lines_of(form, taken, {*dict(form.state)}, places),
                        *call_lines(taken, UPDATE, [name for name, _ in form.state if name in taken])], 2))


SOURCES = {FORWARD: forward_source, BACKWARD: backward_source, UPDATE: update_source}

SUMS = Kind("custom_sums", "sums", "start", "size", "block")
NEXT = Kind("custom_next", "next", "size", state=NUMBERS)


def build_add_blocks(dtype):
    def add_blocks(row, call, part, parts):
        """dparameters = Σ over the blocks, in order; each part has its own elements."""
        begin, end = share(row.size, part, parts, 16)
        gradients = view(call.gradients, row.start + begin, end - begin)
        if call.accumulate == 0:
            gradients[:] = 0
        for block in range((call.batch + row.block - 1) // row.block):
            sums = view(call.arena, row.sums + block * row.size + begin, end - begin)
            for k in range(end - begin):
                gradients[k] += sums[k]

    return add_blocks


def build_adopt_state(dtype):
    def adopt_state(row, call, part, parts):
        """Make the next state the state, once nothing can stop the step any more."""
        view(row.state, 0, row.size)[:] = view(call.arena, row.next, row.size)

    return adopt_state


add_blocks = Kernel("custom_add_blocks", build_add_blocks, SUMS.arguments)
adopt_state = Kernel("custom_adopt_state", build_adopt_state, NEXT.arguments)


def custom_rows(kernels, dtype, parts, training, operands):
    """Return the rows of the layer, in the order of the table: those of forward and backward, and of their sums."""
    phases = {"forward": (kernels.kernels[FORWARD].address(dtype), parts)}
    rows = []
    if training:
        phases["backward_first"] = kernels.kernels[BACKWARD].address(dtype), parts
        if kernels.form.parameters:  # before it in the table, so after it in the backward pass
            rows.append(SUMS.row({"backward_third": (add_blocks.address(dtype), parts)}, sums=operands["u_sums"],
                                 start=operands["u_start"], size=operands["u_size"], block=operands["u_block"]))
    return [*rows, kernels.kind.row(phases, **operands)]


def update_row(kernels, dtype, operands):
    """Return the row that works out the next state. It stands after the row of the layer, so it runs before its backward."""
    return kernels.kind.row({"backward_first": (kernels.kernels[UPDATE].address(dtype), 1)}, **operands)


def adopt_state_row(dtype, *, next, size, state):
    """Return the row that makes the next state the state. state: an address."""
    return NEXT.row({"backward_first": (adopt_state.address(dtype), 1)}, next=next, size=size, state=state)
