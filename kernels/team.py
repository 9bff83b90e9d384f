"""A team: the threads of one parallel region, of which the first to arrive leads and the others lend a hand.

The leader walks the table. Work that is cut into parts it lays open; whoever is free takes a part, the leader too, until
none is left. So nobody waits for a thread that has not begun: one that wakes late, or whose core another program uses,
finds that its part is done. The bits do not depend on who does what.

The team is a stretch of whole numbers, those that change on cache lines of their own.
"""

import ctypes
import os

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from .jit import Kernel, call, integers, jit, view
from .objects import WORD, address
from .target import target

LINE = 16  # words: processors fetch cache lines in pairs
OPEN, FINISHED, ARRIVED, TASK = 0, LINE, 2 * LINE, 3 * LINE
TASK_WORDS = 11  # a kernel's address, its arguments up to `accumulate`, and parts
LEADER, GIVE_WAY = TASK + TASK_WORDS, TASK + TASK_WORDS + 1
WORDS = 5 * LINE
# The word OPEN counts the rounds in its upper half and has a bit in its lower half for each part that nobody has taken.
ROUND = 1 << 32
PARTS = ROUND - 1
DISMISSED = -ROUND
MOST_PARTS = 32
# How often to look for work before letting other programs have the core at every look: some 20 µs, many steps' worth.
PATIENCE = 1000



def at(builder, address, word):
    """The pointer to a word of the team at `address`."""
    pointer = builder.inttoptr(address, ir.IntType(64).as_pointer())
    return builder.gep(pointer, [word])


@intrinsic
def load(typingctx, team, word):
    """A word that other threads write; what they wrote before it is then seen too."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(at(builder, *args), "acquire", WORD)

    return types.int64(types.intp, types.intp), codegen


@intrinsic
def store(typingctx, team, word, value):
    """Set a word that other threads read; what was written before is seen with it."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[2], at(builder, *args[:2]), "release", WORD)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.int64), codegen


@intrinsic
def exchange(typingctx, team, word, expected, value):
    """Set a word to `value` if it is what was expected; returns whether it was."""

    def codegen(context, builder, signature, args):
        found = builder.cmpxchg(at(builder, *args[:2]), args[2], args[3], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.intp, types.intp, types.int64, types.int64), codegen


@intrinsic
def increase(typingctx, team, word):
    """Add one to a word; returns what it was."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", at(builder, *args), ir.Constant(ir.IntType(64), 1), "acq_rel")

    return types.int64(types.intp, types.intp), codegen


@intrinsic
def pause(typingctx):
    """Tell the processor that this thread is waiting, where there is an instruction for it."""

    def codegen(context, builder, signature, args):
        if target()[0] == "x86_64":
            instruction = ir.FunctionType(ir.VoidType(), [])
            builder.call(get_or_insert_function(builder.module, instruction, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@jit
def wait(team, looks):
    """Between two looks at the team; returns the number of looks."""
    if looks < PATIENCE:
        pause()
    else:
        call(view(integers(team), GIVE_WAY, 1)[0], ())
    return looks + 1


@jit
def take(team, member):
    """The number of a part that nobody had taken, the member's own if it can be (it has the data at hand), or −1."""
    while True:
        opened = load(team, OPEN)
        left = opened & PARTS
        if left == 0:
            return -1
        part = member
        if (left >> part) & 1 == 0:
            part = 0
            while (left >> part) & 1 == 0:
                part += 1
        if exchange(team, OPEN, opened, opened & ~(1 << part)):
            return part


@jit
def run_part(team, part):
    task = view(integers(team), TASK, TASK_WORDS)
    call(task[0], (task[1], task[2], task[3], task[4], task[5], task[6], task[7], task[8], task[9], part, task[10]))


@jit
def share_out(team, kernel, row, parameters, gradients, arena, results, capacity, first, batch, accumulate, parts):
    """The leader has the team run `kernel` in so many parts; returns when all are done."""
    task = view(integers(team), TASK, TASK_WORDS)
    task[0], task[1], task[2], task[3], task[4], task[5] = kernel, row, parameters, gradients, arena, results
    task[6], task[7], task[8], task[9], task[10] = capacity, first, batch, accumulate, parts
    store(team, FINISHED, 0)
    store(team, OPEN, (load(team, OPEN) & ~PARTS) + ROUND + ((1 << parts) - 1))
    leader, own, looks = view(integers(team), LEADER, 1)[0], 0, 0
    part = take(team, leader)
    while part >= 0:
        run_part(team, part)
        own += 1
        part = take(team, leader)
    while load(team, FINISHED) + own < parts:
        looks = wait(team, looks)


@jit
def help_out(team, member):
    """Take parts of whatever the leader lays open, until the team is dismissed."""
    looks = 0
    while load(team, OPEN) >= 0:
        part = take(team, member)
        if part < 0:
            looks = wait(team, looks)
        else:
            run_part(team, part)
            increase(team, FINISHED)
            looks = 0


def build_member(dtype):
    def member(team, leader, frame, number):
        """What every thread of the region runs: the first to arrive leads, so none is ever waited for."""
        if increase(team, ARRIVED) == 0:
            view(integers(team), LEADER, 1)[0] = number
            call(leader, (frame,))
            store(team, OPEN, DISMISSED)
        else:
            help_out(team, number)

    return member


def build_region(dtype):
    def region(member, team, leader, frame, members):
        for i in prange(members):
            call(member, (team, leader, frame, np.intp(i)))  # prange counts in unsigned numbers

    return region


member_kernel = Kernel("team_member", build_member, lambda dtype: (types.intp,) * 4, moves_addresses=True)
region_kernel = Kernel("team", build_region, lambda dtype: (types.intp,) * 5, parallel=True, moves_addresses=True)


def system_yield():
    """The system's function by which a thread lets others have its core."""
    return ctypes.windll.kernel32.SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield


GIVE_WAY_ADDRESS = ctypes.cast(system_yield(), ctypes.c_void_p).value


def new_team():
    """A team that nobody has joined yet."""
    team = np.zeros(WORDS + LINE, np.int64)
    team = team[-address(team) // WORD % LINE:][:WORDS]
    team[GIVE_WAY] = GIVE_WAY_ADDRESS
    return team
