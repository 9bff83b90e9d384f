"""Training of many networks: each network is a task of one thread, and a free thread takes the next task.

A task is a number of epochs. An epoch shuffles the samples, trains the batches, evaluates the validation data and writes the
metrics to a log. It uses the same kernels as a network that trains alone, so the bits are the same. Memory for the order,
the activations and the gradients belongs to a thread, so its size does not grow with the number of networks. A call returns
when its time is up, and the next call continues each task where it stopped.

The last epoch of a task is trained and evaluated and its totals are kept; Python finishes it.
"""

import ctypes
import os
import time

import numpy as np
from numba import types

from ..compiling.jit import ANY, Kernel, call_at, floats, integer, integers, jit, typed_pointer, view
from ..compiling.record import FLOAT, SHARED, UNSIGNED, Record
from ..interpreter.batch import shuffle_kernel
from ..interpreter.interpreter import (
    COUNT_SUM,
    DIVERGED,
    HIT_SUM,
    LOSS_SUM,
    ONE_PHASE,
    SAMPLES,
    TOTALS,
    TRAIN,
    WEIGHT_SUM,
    forward_chunks_kernel,
    train_kernel,
)
from ..interpreter.table import COUNTS, HITS, LOSSES, RESULTS, RESULTS_OF_EACH
from ..processor.atomics import increase, load, store
from .penalty import weight_penalty_kernel

# The queue of members: their number, the address of an array of their addresses, the addresses of the threads' SCRATCH
# records, of kernels and of the system's clock, the id of the clock, and the duration of a call. `next` is the next member,
# `finished` the number of finished members, `stop` whether to return to Python.
QUEUE = Record("queue", "tasks", "members", "scratches", "train", "shuffle", "chunks", "clock", "clock_id", "slice",
               next=SHARED, finished=SHARED, stop=SHARED)
TIME = Record("time", "seconds", "nanoseconds")
COST = Record("cost", value=FLOAT)
# Working memory of a thread: addresses, the time and a penalty. Padded, so that two threads share no cache line.
SCRATCH = Record("scratch", "arena", "gradients", "results", "order", time=TIME, cost=COST, padded_to=256)
COPY = Record("copy", "source", "target", "bytes")
# A penalty on weights: four addresses, and the number of weights.
WEIGHT_PENALTY = Record("weight_penalty", "kernel", "sums", "strengths", "weight", "size")
# An epoch in the log.
LOG = Record("log", loss=FLOAT, accuracy=FLOAT, val_loss=FLOAT, val_accuracy=FLOAT, steps=FLOAT)
LOG_OF_EACH = 4  # of an output: loss, accuracy, val_loss, val_accuracy
MEMBER = Record(
    "member",
    "train",  # address of the frame of `train`
    "shuffle", "rows",  # whether to shuffle; address of the row numbers of its samples, 0 for all rows
    "random", "step", "log",  # addresses of its random state, the optimizer's step and the log
    "epochs", "epoch",  # number of epochs to train, and of finished epochs
    "look", "stopped",  # batches between two checks of the clock; number, from 1, of the batch where `train` stopped
    "done",  # whether the task is finished
    "evaluation",  # address of the frame of `one_phase`, 0 for none
    "validated", "evaluated",  # number of validation samples, and of those evaluated so far
    "penalties", "penalty",  # number of penalties, and their address
    "monitor", "patience", "wait", "best_epoch", "first_epoch",  # early stopping, see `early_stopping_allows`
    # of several outputs, their number; addresses: of LOG_OF_EACH numbers for each of them and each epoch, of the sums of
    # their losses and hits over the validation data, and of the total weight of these
    "outputs", "own_log", "own_sums", "own_weights",
    epoch_word=UNSIGNED,  # random state from which the order of the epoch is drawn
    val_loss=FLOAT, val_hits=FLOAT, val_count=FLOAT, val_weight=FLOAT,  # sums over the validation data
    sign=FLOAT, least=FLOAT, best=FLOAT,
    keep_parameters=COPY, keep_state=COPY,  # of the best epoch
)
LOG_BYTES, PENALTY_BYTES, SCRATCH_BYTES = LOG.bytes, WEIGHT_PENALTY.bytes, SCRATCH.bytes
log_at, member_at, penalty_at, scratch_at = LOG.at, MEMBER.at, WEIGHT_PENALTY.at, SCRATCH.at
one_phase_at, train_at = ONE_PHASE.at, TRAIN.at

BLOCK = 1024  # validation samples between two checks of the clock

byte_pointer = typed_pointer(types.uint8)


@jit
def now(queue, scratch):
    """Return the time of the system's clock."""
    if queue.clock_id < 0:  # Windows: a counter
        call_at(queue.clock, (scratch.time,))
        return scratch.time.seconds
    call_at(queue.clock, (queue.clock_id, scratch.time))
    return scratch.time.seconds * 1_000_000_000 + scratch.time.nanoseconds


@jit
def is_over(queue, scratch, deadline):
    """Return whether to go back to Python: the time is up, or a member waits for Python and a thread is idle."""
    return load(queue.stop) != 0 or now(queue, scratch) > deadline


@jit
def draw_order(queue, member, scratch):
    """Draw the order of the epoch's samples, in the memory of this thread."""
    if member.shuffle == 0:
        return
    call = train_at(member.train).call
    call.order = scratch.order
    view(integers(member.random), 0, 1)[0] = np.int64(member.epoch_word)
    call_at(queue.shuffle, (scratch.order, call.samples, member.random))
    if member.rows != 0:
        numbers, rows = view(integers(scratch.order), 0, call.samples), view(integers(member.rows), 0, call.samples)
        for i in range(call.samples):
            numbers[i] = rows[numbers[i]]


@jit
def train_epoch(queue, member, scratch, deadline):
    """Train the remaining batches of the epoch; return whether all are done or training stopped at one."""
    train = train_at(member.train)
    call, totals, batch_size = train.call, view(floats(train.totals), 0, TOTALS), train.call.capacity
    batches = (call.samples + batch_size - 1) // batch_size
    done = (np.intp(totals[SAMPLES]) + batch_size - 1) // batch_size
    if done < batches:
        call.arena, call.gradients, call.results = scratch.arena, scratch.gradients, scratch.results
        draw_order(queue, member, scratch)
    while done < batches:
        train.first_batch, train.last_batch = done, min(done + member.look, batches)
        call_at(queue.train, (train,))
        if totals[DIVERGED] != 0.0:
            member.stopped, totals[DIVERGED] = np.intp(totals[DIVERGED]), 0.0
            return True
        done = train.last_batch
        if done < batches and is_over(queue, scratch, deadline):
            return False
    return True


@jit
def evaluate(queue, member, scratch, deadline):
    """Evaluate the remaining validation data; return whether all are done."""
    frame, samples = one_phase_at(member.evaluation), member.validated
    call = frame.call
    call.arena, call.results, call.capacity = scratch.arena, scratch.results, BLOCK
    own = view(floats(member.own_sums), 0, (member.outputs, RESULTS_OF_EACH))
    if member.evaluated == 0:
        member.val_loss, member.val_hits, member.val_count = 0.0, 0.0, 0.0
        own[:] = 0.0
    while member.evaluated < samples:
        call.first, call.batch = member.evaluated, min(BLOCK, samples - member.evaluated)
        call_at(queue.chunks, (frame.row, call, 0, 1))
        member.val_loss, member.val_hits, member.val_count = add_results(
            call.results, BLOCK, call.batch, member.val_loss, member.val_hits, member.val_count)
        add_results_of_each(own, call.results, BLOCK, call.batch)
        member.evaluated += call.batch
        if member.evaluated < samples and is_over(queue, scratch, deadline):
            return False
    return True


@jit
def add_results(results, capacity, samples, losses, hits, count):
    """Add the losses, hits and counts of samples to the sums, in order, so that the bits do not depend on the blocks.

    A sample with a NaN loss counts as wrong, whatever its scores are.
    """
    reported = view(floats(results), 0, (RESULTS, capacity))
    for i in range(samples):
        losses += reported[LOSSES, i]
        hits += reported[HITS, i] if reported[LOSSES, i] == reported[LOSSES, i] else 0.0
        count += reported[COUNTS, i]
    return losses, hits, count


@jit
def add_results_of_each(own, results, capacity, samples):
    """Add the losses, hits and counts of samples to the sums of each of several outputs, own (outputs, RESULTS_OF_EACH)."""
    outputs = len(own)
    reported = view(floats(results), RESULTS * capacity, (outputs, RESULTS_OF_EACH, capacity))
    for k in range(outputs):
        losses, hits, counts = own[k, 0], own[k, 1], own[k, 2]
        for i in range(samples):
            losses += reported[k, 0, i]
            hits += reported[k, 1, i] if reported[k, 0, i] == reported[k, 0, i] else 0.0
            counts += reported[k, 2, i]
        own[k, 0], own[k, 1], own[k, 2] = losses, hits, counts


@jit
def penalties(member, scratch):
    """Return the sum of the penalties, added in the order of `Penalties.value`."""
    total = 0.0
    for k in range(member.penalties):
        penalty = penalty_at(member.penalty + PENALTY_BYTES * k)
        call_at(penalty.kernel, (scratch.cost, penalty.sums, penalty.weight, penalty.strengths, penalty.size))
        total += scratch.cost.value
    return total


@jit
def log_epoch(member, scratch):
    """Write the metrics of the epoch to the log."""
    totals = view(floats(train_at(member.train).totals), 0, TOTALS)
    log = log_at(member.log + LOG_BYTES * member.epoch)
    log.loss = totals[LOSS_SUM] / totals[WEIGHT_SUM] if totals[WEIGHT_SUM] != 0.0 else 0.0
    log.accuracy = totals[HIT_SUM] / max(totals[COUNT_SUM], 1.0)
    log.steps = np.float64(integer(member.step, 0))
    if member.evaluation != 0:
        log.val_loss = member.val_loss / member.val_weight + penalties(member, scratch)
        log.val_accuracy = member.val_hits / max(member.val_count, 1.0)
    if member.outputs > 0:
        log_outputs(member, log, scratch)


@jit
def log_outputs(member, log, scratch):
    """Write the metrics of each of several outputs; the validation loss is the sum of theirs and of the penalties."""
    totals = view(floats(train_at(member.train).totals), 0, TOTALS + RESULTS_OF_EACH * member.outputs)
    weight = totals[WEIGHT_SUM]
    own = view(floats(member.own_log), LOG_OF_EACH * member.outputs * member.epoch, (member.outputs, LOG_OF_EACH))
    sums = view(floats(member.own_sums), 0, (member.outputs, RESULTS_OF_EACH))
    weights, loss = view(floats(member.own_weights), 0, member.outputs), 0.0
    for k in range(member.outputs):
        total = TOTALS + RESULTS_OF_EACH * k
        own[k, 0] = totals[total] / weight if weight != 0.0 else 0.0
        own[k, 1] = totals[total + 1] / max(totals[total + 2], 1.0)
        if member.evaluation != 0:
            own[k, 2], own[k, 3] = sums[k, 0] / weights[k], sums[k, 1] / max(sums[k, 2], 1.0)
            loss += own[k, 2]
    if member.evaluation != 0:
        log.val_loss = loss + penalties(member, scratch)


@jit
def copy_bytes(copy):
    target, source = view(byte_pointer(copy.target), 0, copy.bytes), view(byte_pointer(copy.source), 0, copy.bytes)
    for i in range(len(target)):
        target[i] = source[i]


@jit
def early_stopping_allows(member):
    """Return whether early stopping lets training continue; if so, record the epoch.

    monitor: byte offset of the metric in a LOG record (−1 for none). wait: number of epochs since the best one. best_epoch
    and first_epoch: numbers of epochs (−1: no best epoch yet). sign: makes smaller values better. least: the smallest
    difference that counts as better. best: the best value.
    """
    if member.monitor < 0:
        return True
    value = view(floats(member.log + LOG_BYTES * member.epoch + member.monitor), 0, 1)[0]
    better = member.sign * value < member.sign * member.best - member.least
    if value != value or (member.best_epoch >= 0 and not better):
        if member.wait + 1 >= member.patience:
            return False
        member.wait += 1
        return True
    member.best, member.wait, member.best_epoch = value, 0, member.first_epoch + member.epoch
    copy_bytes(member.keep_parameters)
    copy_bytes(member.keep_state)
    return True


@jit
def begin_next_epoch(member):
    """Begin the member's next epoch."""
    view(floats(train_at(member.train).totals), 0, TOTALS + RESULTS_OF_EACH * member.outputs)[:] = 0.0
    member.epoch_word = np.uint64(integer(member.random, 0))
    member.evaluated = 0
    member.epoch += 1


@jit
def run_member(queue, member, scratch, deadline):
    """Run epochs of a member until the time is up or Python has to continue; return whether it has to."""
    while True:
        if not train_epoch(queue, member, scratch, deadline):
            return False
        if member.stopped != 0:
            return True
        if member.evaluation != 0 and not evaluate(queue, member, scratch, deadline):
            return False
        log_epoch(member, scratch)
        if member.epoch + 1 == member.epochs or not early_stopping_allows(member):
            return True
        begin_next_epoch(member)
        if is_over(queue, scratch, deadline):
            return False


def build_worker(dtype):
    def worker(queue, unused, unused_too, number):
        """Run by every thread: train one member after the other until none is left or the time is up."""
        scratch = scratch_at(queue.scratches + SCRATCH_BYTES * number)
        deadline = now(queue, scratch) + queue.slice
        while load(queue.stop) == 0:
            task = increase(queue.next)
            if task >= queue.tasks:
                if load(queue.finished) > 0:  # finished members wait for Python, which waits for this thread
                    store(queue.stop, 1)
                return
            member = member_at(integer(queue.members, task))
            if run_member(queue, member, scratch, deadline):
                member.done = 1
                increase(queue.finished)
            if is_over(queue, scratch, deadline):
                return

    return worker


def build_sum_results(dtype):
    def sum_results(sums, results, capacity):
        """sums (3,) = (Σ losses, Σ hits, Σ counts) over all samples."""
        total = view(floats(sums), 0, 3)
        total[0], total[1], total[2] = add_results(results, capacity, capacity, 0.0, 0.0, 0.0)

    return sum_results


def build_sum_results_of_each(dtype):
    def sum_results_of_each(sums, results, capacity, outputs):
        """sums (outputs, 3) = (Σ losses, Σ hits, Σ counts) of each of several outputs over all samples."""
        own = view(floats(sums), 0, (outputs, RESULTS_OF_EACH))
        own[:] = 0.0
        add_results_of_each(own, results, capacity, capacity)

    return sum_results_of_each


worker_kernel = Kernel("population_worker", build_worker, lambda dtype: (QUEUE.type(ANY), *[types.intp] * 3),
                       moves_addresses=True)
sum_results_kernel = Kernel("sum_results", build_sum_results, lambda dtype: (types.intp,) * 3, moves_addresses=True)
sum_results_of_each_kernel = Kernel("sum_results_of_each", build_sum_results_of_each, lambda dtype: (types.intp,) * 4,
                                    moves_addresses=True)


def system_clock():
    """Return (address, id, ticks per second) of a monotonic clock of the system; id −1 stands for that of Windows."""
    if os.name == "nt":
        library, ticks = ctypes.windll.kernel32, ctypes.c_int64()
        library.QueryPerformanceFrequency(ctypes.byref(ticks))
        return ctypes.cast(library.QueryPerformanceCounter, ctypes.c_void_p).value, -1, ticks.value
    return ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value, time.CLOCK_MONOTONIC, 10**9


def new_queue(seconds):
    """Return an empty queue with calls of that many seconds."""
    clock, number, ticks = system_clock()
    return QUEUE.new(clock=clock, clock_id=number, slice=int(seconds * ticks), train=train_kernel.address(ANY),
                     shuffle=shuffle_kernel.address(ANY), chunks=forward_chunks_kernel.address(ANY))


def new_penalty(dtype, *, weight, size, sums, strengths):
    """Return a WEIGHT_PENALTY record; all arguments except the size are addresses."""
    return WEIGHT_PENALTY.new(kernel=weight_penalty_kernel.address(dtype), sums=sums, strengths=strengths, weight=weight,
                              size=size)
