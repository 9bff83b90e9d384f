"""Many networks at once, each trained by one thread at a time: a member is a task, and whoever is free takes the next.

A member's task is so many epochs. An epoch is its order drawn, its batches trained, its validation data evaluated and its
metrics entered into a log, all with the same kernels and so the same bits as when the network trains alone. What only one
member at a time needs (the order, activations, gradients) belongs to the thread, so a thousand members need no more of it
than one. A call ends when the clock says so, between two looks at it, and a member goes on from there in the next.

The last epoch asked for is left as it stands, trained and evaluated, its totals kept: it is for Python to finish it.
"""

import ctypes
import os
import time

import numpy as np
from numba import types
from numba.np.unsafe.ndarray import to_fixed_tuple

from .batch import shuffle_kernel
from .interpreter import (
    DIVERGED,
    HIT_SUM,
    LOSS_SUM,
    SAMPLES,
    TRAIN_FRAME,
    WEIGHT_SUM,
    WORD,
    forward_chunks_kernel,
    integer,
    integers,
    reals,
    train_kernel,
)
from .jit import ANY, Kernel, call, jit, typed_pointer, view
from .objects import address
from .penalty import weight_penalty_kernel
from .table import HITS, LOSSES
from .team import LINE, increase, load, store

# The queue, in words. Workers change the first three, each on cache lines of its own.
NEXT, FINISHED, STOP, TASKS = 0, LINE, 2 * LINE, 3 * LINE
(MEMBERS, SCRATCHES, TRAIN, SHUFFLE, CHUNKS, CLOCK, CLOCK_ID, SLICE) = range(TASKS + 1, TASKS + 9)
QUEUE_WORDS = 4 * LINE

# What a thread has for itself, in words: addresses, and room for the time
ARENA, GRADIENTS, RESULTS, ORDER, TIME = range(5)
SCRATCH_WORDS = 2 * LINE

# A member, in words. Addresses: the frame of `train`, the cell of the table where it finds the order (0: there is nothing to
# shuffle), the rows of the data that are its own (0: all), its random word, the optimizer's step and the log.
FRAME, ORDER_CELL, ROWS, RANDOM, STEP, LOG = range(6)
# The word that the epoch's order is drawn from, how many epochs to train, how many are over, the batches between two looks
# at the clock, the number from 1 of a batch where `train` stopped, and whether the task is done.
EPOCH_WORD, EPOCHS, EPOCH, LOOK, STOPPED, DONE = range(6, 12)
# Validation: the row that sends samples forward (0: there is none), how many samples and how many of them are done; float64:
# the sums of their losses, hits and weights. How many penalties there are, and where their PENALTY_WORDS each.
ROW, VALIDATED, EVALUATED, VAL_LOSS, VAL_HITS, VAL_WEIGHT, PENALTIES, PENALTY = range(12, 20)
# Early stopping: the column of the log (−1: none), patience, epochs since the best, the number of the best (−1: none yet),
# that of the first of the task; float64: the sign that makes less better, the least difference, the best. Two stretches of
# bytes to keep of the best epoch: from where, to where, how many.
MONITOR, PATIENCE, WAIT, BEST_EPOCH, FIRST_EPOCH, SIGN, LEAST, BEST, KEPT = range(20, 29)
MEMBER_WORDS = KEPT + 6

# an epoch in the log
LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION_ACCURACY, STEPS = range(5)
LOG_COLUMNS = 5

BLOCK = 1024  # samples of the validation data between two looks at the clock
PENALTY_WORDS = 5  # the address of the kernel, of sums and of strengths, the first parameter's, and how many there are

# where in the frame of `train` its arguments stand
PARAMETERS, FRAME_GRADIENTS, FRAME_ARENA, FRAME_RESULTS, TOTALS = range(1, 6)
BATCH_SIZE, FRAME_SAMPLES, FIRST_BATCH, LAST_BATCH = range(9, 13)

octets = typed_pointer(types.uint8)


@jit
def now(queue, scratch):
    """What the system's clock says."""
    words, place = view(integers(queue), 0, QUEUE_WORDS), scratch + WORD * TIME
    time_ = view(integers(place), 0, 2)
    if words[CLOCK_ID] < 0:  # Windows: a count
        call(words[CLOCK], (place,))
        return time_[0]
    call(words[CLOCK], (words[CLOCK_ID], place))  # elsewhere: seconds and nanoseconds
    return time_[0] * 1_000_000_000 + time_[1]


@jit
def is_over(queue, scratch, deadline):
    """Whether to go back to Python: the time is over, or somebody waits there and a thread has nothing to do."""
    return load(queue, STOP) != 0 or now(queue, scratch) > deadline


@jit
def draw_order(queue, member, scratch):
    """The order of the epoch's samples, in the memory of this thread."""
    words, m = view(integers(queue), 0, QUEUE_WORDS), view(integers(member), 0, MEMBER_WORDS)
    if m[ORDER_CELL] == 0:
        return
    samples, order = integer(m[FRAME], FRAME_SAMPLES), integer(scratch, ORDER)
    view(integers(m[ORDER_CELL]), 0, 1)[0] = order
    view(integers(m[RANDOM]), 0, 1)[0] = m[EPOCH_WORD]
    call(words[SHUFFLE], (order, samples, m[RANDOM]))
    if m[ROWS] != 0:
        numbers, rows = view(integers(order), 0, samples), view(integers(m[ROWS]), 0, samples)
        for i in range(samples):
            numbers[i] = rows[numbers[i]]


@jit
def train_epoch(queue, member, scratch, deadline):
    """Train what is left of the epoch's batches; whether that is now nothing, or it stopped at one."""
    words, m = view(integers(queue), 0, QUEUE_WORDS), view(integers(member), 0, MEMBER_WORDS)
    frame = view(integers(m[FRAME]), 0, TRAIN_FRAME)
    totals, batch_size = view(reals(frame[TOTALS]), 0, 5), frame[BATCH_SIZE]
    batches = (frame[FRAME_SAMPLES] + batch_size - 1) // batch_size
    done = (np.intp(totals[SAMPLES]) + batch_size - 1) // batch_size
    if done < batches:
        frame[FRAME_ARENA], frame[FRAME_GRADIENTS] = integer(scratch, ARENA), integer(scratch, GRADIENTS)
        frame[FRAME_RESULTS] = integer(scratch, RESULTS)
        draw_order(queue, member, scratch)
    while done < batches:
        frame[FIRST_BATCH], frame[LAST_BATCH] = done, min(done + m[LOOK], batches)
        call(words[TRAIN], (m[FRAME],))
        if totals[DIVERGED] != 0.0:
            m[STOPPED], totals[DIVERGED] = np.intp(totals[DIVERGED]), 0.0
            return True
        done = frame[LAST_BATCH]
        if done < batches and is_over(queue, scratch, deadline):
            return False
    return True


@jit
def evaluate(queue, member, scratch, deadline):
    """Evaluate what is left of the validation data; whether that is now nothing."""
    words, m = view(integers(queue), 0, QUEUE_WORDS), view(integers(member), 0, MEMBER_WORDS)
    sums, results = view(reals(member), 0, MEMBER_WORDS), integer(scratch, RESULTS)
    samples, parameters = m[VALIDATED], integer(m[FRAME], PARAMETERS)
    if m[EVALUATED] == 0:
        sums[VAL_LOSS], sums[VAL_HITS] = 0.0, 0.0
    while m[EVALUATED] < samples:
        first = m[EVALUATED]
        count = min(BLOCK, samples - first)
        call(words[CHUNKS], (m[ROW], parameters, 0, integer(scratch, ARENA), results, BLOCK, first, count, 0, 0, 1))
        sums[VAL_LOSS], sums[VAL_HITS] = add_results(results, BLOCK, count, sums[VAL_LOSS], sums[VAL_HITS])
        m[EVALUATED] += count
        if m[EVALUATED] < samples and is_over(queue, scratch, deadline):
            return False
    return True


@jit
def add_results(results, capacity, count, losses, hits):
    """The sums of losses and hits with those of so many samples, one after the other: in blocks as at once.

    Where the loss is NaN no answer was right, whatever its scores have been taken for.
    """
    reported = view(reals(results), 0, (3, capacity))
    for i in range(count):
        losses += reported[LOSSES, i]
        hits += reported[HITS, i] if reported[LOSSES, i] == reported[LOSSES, i] else 0.0
    return losses, hits


@jit
def penalties(member, scratch):
    """What the weights cost, as `Penalties.value` adds it up."""
    m, total = view(integers(member), 0, MEMBER_WORDS), 0.0
    place = scratch + WORD * TIME
    for k in range(m[PENALTIES]):
        words = view(integers(m[PENALTY]), PENALTY_WORDS * k, PENALTY_WORDS)
        kernel, sums, strengths, weight, size = to_fixed_tuple(words, PENALTY_WORDS)
        call(kernel, (place, sums, weight, strengths, size))
        total += view(reals(place), 0, 1)[0]
    return total


@jit
def enter(member, scratch):
    """Enter the metrics of the epoch into the log."""
    m, sums = view(integers(member), 0, MEMBER_WORDS), view(reals(member), 0, MEMBER_WORDS)
    totals = view(reals(integer(m[FRAME], TOTALS)), 0, 5)
    log = view(reals(m[LOG]), m[EPOCH] * LOG_COLUMNS, LOG_COLUMNS)
    log[LOSS] = totals[LOSS_SUM] / totals[WEIGHT_SUM] if totals[WEIGHT_SUM] != 0.0 else 0.0
    log[ACCURACY] = totals[HIT_SUM] / max(totals[SAMPLES], 1.0)
    log[STEPS] = integer(m[STEP], 0)
    if m[ROW] != 0:
        log[VALIDATION_LOSS] = sums[VAL_LOSS] / sums[VAL_WEIGHT] + penalties(member, scratch)
        log[VALIDATION_ACCURACY] = sums[VAL_HITS] / m[VALIDATED]


@jit
def copy_bytes(source, target, count):
    to, values = view(octets(target), 0, count), view(octets(source), 0, count)
    for i in range(count):
        to[i] = values[i]


@jit
def keep_on(member):
    """Early stopping's judgement of the epoch, which is entered if training goes on: whether it does."""
    m, numbers = view(integers(member), 0, MEMBER_WORDS), view(reals(member), 0, MEMBER_WORDS)
    if m[MONITOR] < 0:
        return True
    value = view(reals(m[LOG]), m[EPOCH] * LOG_COLUMNS, LOG_COLUMNS)[m[MONITOR]]
    sign, best = numbers[SIGN], numbers[BEST]
    if value != value or (m[BEST_EPOCH] >= 0 and not sign * value < sign * best - numbers[LEAST]):
        if m[WAIT] + 1 >= m[PATIENCE]:
            return False
        m[WAIT] += 1
        return True
    numbers[BEST], m[WAIT], m[BEST_EPOCH] = value, 0, m[FIRST_EPOCH] + m[EPOCH]
    for k in range(2):
        copy_bytes(m[KEPT + 3 * k], m[KEPT + 3 * k + 1], m[KEPT + 3 * k + 2])
    return True


@jit
def go_on(member):
    """Begin the member's next epoch."""
    m = view(integers(member), 0, MEMBER_WORDS)
    view(reals(integer(m[FRAME], TOTALS)), 0, 5)[:] = 0.0
    m[EPOCH_WORD] = view(integers(m[RANDOM]), 0, 1)[0]
    m[EVALUATED] = 0
    m[EPOCH] += 1


@jit
def run_member(queue, member, scratch, deadline):
    """Epochs of a member, until the time is over or Python is wanted: whether it is."""
    m = view(integers(member), 0, MEMBER_WORDS)
    while True:
        if not train_epoch(queue, member, scratch, deadline):
            return False
        if m[STOPPED] != 0:
            return True
        if m[ROW] != 0 and not evaluate(queue, member, scratch, deadline):
            return False
        enter(member, scratch)
        if m[EPOCH] + 1 == m[EPOCHS] or not keep_on(member):
            return True
        go_on(member)
        if is_over(queue, scratch, deadline):
            return False


def build_worker(dtype):
    def worker(queue, unused, unused_too, number):
        """What every thread of the region runs: members, one after the other, while there are any and there is time."""
        words = view(integers(queue), 0, QUEUE_WORDS)
        scratch = words[SCRATCHES] + WORD * SCRATCH_WORDS * number
        deadline = now(queue, scratch) + words[SLICE]
        while load(queue, STOP) == 0:
            task = increase(queue, NEXT)
            if task >= words[TASKS]:
                if load(queue, FINISHED) > 0:  # those wait for Python, and this thread for them
                    store(queue, STOP, 1)
                return
            member = integer(words[MEMBERS], task)
            if run_member(queue, member, scratch, deadline):
                view(integers(member), 0, MEMBER_WORDS)[DONE] = 1
                increase(queue, FINISHED)
            if is_over(queue, scratch, deadline):
                return

    return worker


def build_sum_results(dtype):
    def sum_results(sums, results, capacity):
        """The sums over all samples of what they report: sums (2) = Σ losses, Σ hits."""
        total = view(reals(sums), 0, 2)
        total[0], total[1] = add_results(results, capacity, capacity, 0.0, 0.0)

    return sum_results


worker_kernel = Kernel("population_worker", build_worker, lambda dtype: (types.intp,) * 4, moves_addresses=True)
sum_results_kernel = Kernel("sum_results", build_sum_results, lambda dtype: (types.intp,) * 3, moves_addresses=True)


def system_clock():
    """(address, number, ticks a second) of a clock of the system that never goes back; number −1: it is that of Windows."""
    if os.name == "nt":
        library, ticks = ctypes.windll.kernel32, ctypes.c_int64()
        library.QueryPerformanceFrequency(ctypes.byref(ticks))
        return ctypes.cast(library.QueryPerformanceCounter, ctypes.c_void_p).value, -1, ticks.value
    return ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value, time.CLOCK_MONOTONIC, 10**9


def new_queue(seconds):
    """A queue without members, whose calls last so many seconds."""
    queue = np.zeros(QUEUE_WORDS + LINE, np.int64)
    queue = queue[-address(queue) // WORD % LINE:][:QUEUE_WORDS]
    queue[CLOCK], queue[CLOCK_ID], ticks = system_clock()
    queue[SLICE] = int(seconds * ticks)
    queue[TRAIN], queue[SHUFFLE] = train_kernel.address(ANY), shuffle_kernel.address(ANY)
    queue[CHUNKS] = forward_chunks_kernel.address(ANY)
    return queue


def penalty_words(dtype, *, weight, size, sums, strengths):
    """A penalty as `penalties` reads it; all but the size are addresses."""
    return [weight_penalty_kernel.address(dtype), sums, strengths, weight, size]
