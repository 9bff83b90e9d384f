"""A team: threads that work on one call together, of which that of the caller leads and the others help.

The leader walks the table. Where work is cut into parts it opens a round; every free thread takes a part, the leader too,
until none is left. So nobody waits for a thread that has not begun: one that wakes late, or whose core another program uses,
finds that its part is done. The bits do not depend on who does what.
"""

from numba import types

from ..compiling.jit import ANY, Kernel, call_at, jit
from ..compiling.record import SHARED, Record
from ..processor.atomics import exchange, increase, load, store
from .workers import MOST_WORKERS, YIELD_CORE, wait

# The work of the round (a kernel, its row and call, and the number of parts), and the address of the system's function by
# which a thread yields its core. `open` counts the rounds in its upper half, and in its lower half has a bit for each part
# that nobody has taken.
TEAM = Record("team", "kernel", "row", "call", "parts", "yield_core", open=SHARED, finished=SHARED)
team_at = TEAM.at
ROUND = 1 << 32
PARTS = ROUND - 1
DISMISSED = -ROUND
LEADER = 0  # its number
MOST_PARTS = MOST_WORKERS + 1


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
    own, looks = 0, 0
    part = take(team, LEADER)
    while part >= 0:
        run_part(team, part)
        own += 1
        part = take(team, LEADER)
    while load(team.finished) + own < parts:
        looks = wait(team.yield_core, looks)


@jit
def help_out(team, member):
    """Take parts of whatever the leader opens, until the team is dismissed."""
    looks = 0
    while load(team.open) >= 0:
        part = take(team, member)
        if part < 0:
            looks = wait(team.yield_core, looks)
        else:
            run_part(team, part)
            increase(team.finished)
            looks = 0


def build_member(dtype):
    def member(team, leader, frame, number):
        """What every thread of a team runs; the leader, whose number is 0, calls `leader` with the frame."""
        if number == LEADER:
            call_at(leader, (frame,))
            store(team.open, DISMISSED)
        else:
            help_out(team, number)

    return member


member_kernel = Kernel("team_member", build_member, lambda dtype: (TEAM.type(ANY), *[types.intp] * 3), moves_addresses=True)


def new_team():
    """A team that nobody has joined yet."""
    return TEAM.new(yield_core=YIELD_CORE)
