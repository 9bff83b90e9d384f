"""A team: the threads of one parallel region, of which the first to arrive leads and the others help.

The leader walks the table. Where work is cut into parts it opens a round; every free thread takes a part, the leader too,
until none is left. So nobody waits for a thread that has not begun: one that wakes late, or whose core another program uses,
finds that its part is done. The bits do not depend on who does what.
"""

import ctypes
import os

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from ..compiling.jit import ANY, Kernel, call_at, jit
from ..compiling.objects import WORD
from ..compiling.record import SHARED, Record
from ..processor.target import target

# The work of the round (a kernel, its row and call, and the number of parts), the number of the thread that leads, and the
# address of the system's function by which a thread yields its core. `open` counts the rounds in its upper half, and in its
# lower half has a bit for each part that nobody has taken.
TEAM = Record("team", "kernel", "row", "call", "parts", "leader", "yield_core",
              open=SHARED, finished=SHARED, arrived=SHARED)
team_at = TEAM.at
ROUND = 1 << 32
PARTS = ROUND - 1
DISMISSED = -ROUND
MOST_PARTS = 32
# How often to look for work before letting other programs have the core at every look: some 20 µs, many steps' worth.
PATIENCE = 1000


def integer_at(builder, address):
    return builder.inttoptr(address, ir.IntType(64).as_pointer())


@intrinsic
def load(typingctx, shared):
    """The integer at an address where other threads write; what they wrote before it is then seen too."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(integer_at(builder, args[0]), "acquire", WORD)

    return types.int64(types.intp), codegen


@intrinsic
def store(typingctx, shared, value):
    """Set the integer at an address where other threads read; what was written before is seen with it."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[1], integer_at(builder, args[0]), "release", WORD)
        return context.get_dummy_value()

    return types.void(types.intp, types.int64), codegen


@intrinsic
def exchange(typingctx, shared, expected, value):
    """Set the integer at an address to `value` if it is what was expected; returns whether it was."""

    def codegen(context, builder, signature, args):
        found = builder.cmpxchg(integer_at(builder, args[0]), args[1], args[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.intp, types.int64, types.int64), codegen


@intrinsic
def increase(typingctx, shared):
    """Add one to the integer at an address; returns what it was."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", integer_at(builder, args[0]), ir.Constant(ir.IntType(64), 1), "acq_rel")

    return types.int64(types.intp), codegen


@intrinsic
def pause(typingctx):
    """Tell the processor that this thread waits, where there is an instruction for that."""

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
        call_at(team.yield_core, ())
    return looks + 1


@jit
def take(team, member):
    """The number of a part that nobody had taken, the member's own if it can be (it has the data at hand), or −1."""
    while True:
        opened = load(team.open)
        left = opened & PARTS
        if left == 0:
            return -1
        part = member
        if (left >> part) & 1 == 0:
            part = 0
            while (left >> part) & 1 == 0:
                part += 1
        if exchange(team.open, opened, opened & ~(1 << part)):
            return part


@jit
def run_part(team, part):
    call_at(team.kernel, (team.row, team.call, part, team.parts))


@jit
def share_out(address, kernel, row, call, parts):
    """The leader has the team at that address run `kernel` in so many parts; returns when all are done."""
    team = team_at(address)
    team.kernel, team.row, team.call, team.parts = kernel, row, call, parts
    store(team.finished, 0)
    store(team.open, (load(team.open) & ~PARTS) + ROUND + ((1 << parts) - 1))
    leader, own, looks = team.leader, 0, 0
    part = take(team, leader)
    while part >= 0:
        run_part(team, part)
        own += 1
        part = take(team, leader)
    while load(team.finished) + own < parts:
        looks = wait(team, looks)


@jit
def help_out(team, member):
    """Take parts of whatever the leader opens, until the team is dismissed."""
    looks = 0
    while load(team.open) >= 0:
        part = take(team, member)
        if part < 0:
            looks = wait(team, looks)
        else:
            run_part(team, part)
            increase(team.finished)
            looks = 0


def build_member(dtype):
    def member(team, leader, frame, number):
        """What every thread of the region runs: the first to arrive leads, so none is ever waited for."""
        if increase(team.arrived) == 0:
            team.leader = number
            call_at(leader, (frame,))
            store(team.open, DISMISSED)
        else:
            help_out(team, number)

    return member


def build_region(dtype):
    def region(member, team, leader, frame, members):
        for i in prange(members):
            call_at(member, (team, leader, frame, np.intp(i)))  # prange counts in unsigned numbers

    return region


member_kernel = Kernel("team_member", build_member, lambda dtype: (TEAM.type(ANY), *[types.intp] * 3), moves_addresses=True)
region_kernel = Kernel("team", build_region, lambda dtype: (types.intp,) * 5, parallel=True, moves_addresses=True)


def system_yield():
    """The system's function by which a thread lets others have its core."""
    return ctypes.windll.kernel32.SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield


YIELD_CORE = ctypes.cast(system_yield(), ctypes.c_void_p).value


def new_team():
    """A team that nobody has joined yet."""
    return TEAM.new(yield_core=YIELD_CORE)
