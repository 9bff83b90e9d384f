"""Search for likely sequences of tokens: a network is given the tokens chosen so far and answers with the next one's
probabilities.

A table has the rows that are computed once, which end with `begin`, and those of a step, which end with `choose`. Sentence b
has the hypotheses b · width … b · width + width − 1, each a sample of the batch. Of all continuations of a sentence's
hypotheses the `width` likeliest stay: those that end with the boundary are results, the others are the hypotheses of the
next step. With a width of 1 the likeliest token is taken, step by step.

The score of a result is its log-likelihood divided by its number of tokens, the end counted, to the power `power`. A search
ends when no hypothesis can become better than the `width` results that it has.
"""

import math

import numpy as np
from numba import types

from ..compiling.jit import ANY, Kernel, address_of, floats, integer, integers, jit, typed_pointer, view
from ..compiling.record import FLOAT, Record
from .axes import OFFSETS, ROWS, SAMPLES, integers_in
from .interpreter import walk_forward
from .table import CALL, ROW_BYTES, Kind

# The frame of `decode`: the table, the number of rows that are computed once and of those of a step, the address of the
# control, and the call, whose batch is the number of hypotheses.
DECODE = Record("decode", "table", "first_rows", "step_rows", "control", "team", call=CALL)
DONE, STEP = range(2)  # elements of the control

CHOOSE = Kind(
    "choose",
    "axis", "x", "scores",  # in the arena: the record of the steps, the tokens given, the probabilities of a step
    "classes", "width", "capacity",  # capacity: largest number of hypotheses
    "boundary", "most",  # the token before the first and behind the last; the largest number of tokens of a result
    "whole",  # whether every step computes all tokens so far again, instead of the last one
    "control", "totals", "alive", "tokens", "parents", "best", "chosen",  # addresses, see `Search` in fastnn.program
    "found_counts", "found_scores", "found_totals", "found_lengths", "found_tokens",
    "states", "state_count",  # what recurrent layers keep: integers, STATE for each
    power=FLOAT,
)
# what a recurrent layer keeps between steps: offsets of its state before the step, and of h and c behind it; the number of
# units; whether there is a c; where the first state comes from, and its offset
KEPT, AFTER, AFTER_CELLS, UNITS, CELLS, FROM, FIRST = range(7)
STATE = 7
ZEROS, TENSOR, PARAMETER = range(3)

tokens_at = typed_pointer(types.int32)


def build_begin(dtype):
    def begin(row, call, part, parts):
        batch, width = call.batch, row.width
        totals, alive = view(floats(row.totals), 0, batch), view(integers(row.alive), 0, batch)
        control = view(integers(row.control), 0, 2)
        control[DONE] = control[STEP] = 0
        view(integers(row.found_counts), 0, batch // width)[:] = 0
        x = view(tokens_at(address_of(view(call.arena, row.x, 1))), 0, batch)
        for i in range(batch):
            totals[i], alive[i], x[i] = 0.0, i % width == 0, row.boundary
        write_axis(call, row.axis, batch, 1)
        for k in range(row.state_count):
            state = view(integers(row.states), STATE * k, STATE)
            size = state[UNITS] * (1 + state[CELLS])
            kept = view(call.arena, state[KEPT], (batch, size))
            for i in range(batch):
                for j in range(size):
                    kept[i, j] = 0
                if state[FROM] == TENSOR:
                    given = view(call.arena, state[FIRST] + i * size, size)
                    for j in range(size):
                        kept[i, j] = given[j]
                elif state[FROM] == PARAMETER:
                    learned = view(call.parameters, state[FIRST], size)
                    for j in range(size):
                        kept[i, j] = learned[j]

    return begin


@jit
def write_axis(call, axis, samples, steps):
    """Record that each sample has so many steps."""
    record = integers_in(call, axis)
    head, offsets = view(record, 0, OFFSETS), view(record, OFFSETS, samples + 1)
    head[ROWS], head[SAMPLES] = samples * steps, samples
    for i in range(samples + 1):
        offsets[i] = i * steps


def build_choose(dtype):
    @jit
    def keep_result(row, sentence, hypothesis, now, length, last, total):
        """Enter a result, whose tokens are those of a hypothesis and `last`, unless it is the boundary, by its score."""
        width, most = row.width, row.most
        counts = view(integers(row.found_counts), 0, sentence + 1)
        scores = view(floats(row.found_scores), sentence * width, width)
        totals = view(floats(row.found_totals), sentence * width, width)
        lengths = view(integers(row.found_lengths), sentence * width, width)
        tokens = view(integers(row.found_tokens), sentence * width * most, (width, most))
        # the end counts as a token; a sequence that was cut has none
        score, count = total / math.pow(np.float64(length + 1), row.power), counts[sentence]
        place = count
        while place > 0 and score > scores[place - 1]:
            place -= 1
        if place == width:
            return
        for k in range(min(count, width - 1), place, -1):
            scores[k], totals[k], lengths[k] = scores[k - 1], totals[k - 1], lengths[k - 1]
            for t in range(lengths[k]):
                tokens[k, t] = tokens[k - 1, t]
        counts[sentence] = min(count + 1, width)
        given = view(integers(row.tokens), (now * row.capacity + hypothesis) * most, most)
        scores[place], totals[place], lengths[place] = score, total, length
        for t in range(length):
            tokens[place, t] = given[t]
        if last != row.boundary:
            lengths[place] = length + 1
            tokens[place, length] = last

    @jit
    def choose_for(row, call, sentence, t, steps):
        """Choose the continuations of the hypotheses of a sentence; return whether any goes on."""
        width, classes, most, first = row.width, row.classes, row.most, sentence * row.width
        alive, totals = view(integers(row.alive), first, width), view(floats(row.totals), first, width)
        best, chosen = view(floats(row.best), 0, width), view(integers(row.chosen), 0, (2, width))
        parents, count = view(integers(row.parents), first, width), 0
        for k in range(width):
            if alive[k] == 0:
                continue
            p = view(call.arena, row.scores + ((first + k) * steps + steps - 1) * classes, classes)
            for v in range(classes):
                if not p[v] > 0:  # NaN too
                    continue
                # of one hypothesis the probabilities themselves are compared, since logarithms may round to the same
                total = np.float64(p[v]) if width == 1 else totals[k] + math.log(np.float64(p[v]))
                if count == width and not total > best[count - 1]:
                    continue
                place = min(count, width - 1)
                while place > 0 and total > best[place - 1]:
                    best[place], chosen[:, place] = best[place - 1], chosen[:, place - 1]
                    place -= 1
                best[place], chosen[0, place], chosen[1, place] = total, k, v
                count = min(count + 1, width)
        now, slot = t % 2, 0
        for c in range(count):
            k, v = chosen[0, c], chosen[1, c]
            if width == 1:
                best[c] = totals[k] + math.log(best[c])
            if v == row.boundary or t + 1 == most:
                keep_result(row, sentence, first + k, now, t, v, best[c])
                continue
            given = view(integers(row.tokens), (now * row.capacity + first + k) * most, most)
            to = view(integers(row.tokens), ((1 - now) * row.capacity + first + slot) * most, most)
            for s in range(t):
                to[s] = given[s]
            to[t] = v
            best[slot], parents[slot] = best[c], first + k  # slot ≤ c
            slot += 1
        results = view(integers(row.found_counts), sentence, 1)[0]
        if slot > 0 and results == width:
            worst = view(floats(row.found_scores), sentence * width, width)[width - 1]
            if best[0] / math.pow(np.float64(most), row.power) <= worst:  # at best it is the longest, and surely goes on
                slot = 0
        for k in range(width):
            alive[k] = k < slot
            if k < slot:
                totals[k] = best[k]
            else:
                parents[k] = first
        return slot > 0

    def choose(row, call, part, parts):
        # scores (hypotheses · steps, classes)
        control, width, batch = view(integers(row.control), 0, 2), row.width, call.batch
        t, goes_on = control[STEP], False
        steps = t + 1 if row.whole != 0 else 1
        for sentence in range(batch // width):
            goes_on |= choose_for(row, call, sentence, t, steps)
        parents, alive = view(integers(row.parents), 0, batch), view(integers(row.alive), 0, batch)
        for k in range(row.state_count):
            state = view(integers(row.states), STATE * k, STATE)
            units, cells = state[UNITS], state[CELLS]
            for i in range(batch):
                kept = view(call.arena, state[KEPT] + i * units * (1 + cells), units * (1 + cells))
                h = view(call.arena, state[AFTER] + parents[i] * units, units)
                for j in range(units):
                    kept[j] = h[j]
                if cells != 0:
                    c = view(call.arena, state[AFTER_CELLS] + parents[i] * units, units)
                    for j in range(units):
                        kept[units + j] = c[j]
        x = view(tokens_at(address_of(view(call.arena, row.x, 1))), 0, batch * (t + 2 if row.whole != 0 else 1))
        if row.whole != 0:
            write_axis(call, row.axis, batch, t + 2)
        for i in range(batch):
            tokens = view(integers(row.tokens), ((1 - t % 2) * row.capacity + i) * row.most, row.most)
            if row.whole == 0:
                x[i] = tokens[t] if alive[i] != 0 else row.boundary
                continue
            x[i * (t + 2)] = row.boundary
            for s in range(t + 1):
                x[i * (t + 2) + s + 1] = tokens[s] if alive[i] != 0 else row.boundary
        control[STEP], control[DONE] = t + 1, not goes_on

    return choose


def build_decode(dtype):
    def decode(frame):
        """Run the rows that are computed once, then those of a step until all sentences are done."""
        call, batch = frame.call, frame.call.batch
        walk_forward(frame.table, frame.first_rows, call, 0)
        step = frame.table + ROW_BYTES * frame.first_rows
        while integer(frame.control, DONE) == 0:
            call.batch = batch
            walk_forward(step, frame.step_rows, call, 0)

    return decode


begin_kernel = Kernel("decoding_begin", build_begin, CHOOSE.arguments)
choose_kernel = Kernel("decoding_choose", build_choose, CHOOSE.arguments)
decode_kernel = Kernel("decode", build_decode, lambda dtype: (DECODE.type(ANY),), moves_addresses=True)


def decoding_rows(dtype, **operands):
    """Return the rows (begin, choose) of a search."""
    return tuple(CHOOSE.row({"forward": (kernel.address(dtype), 1)}, **operands) for kernel in (begin_kernel, choose_kernel))
