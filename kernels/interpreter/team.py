"""A team: the threads that work on one call, the caller's thread as the leader and the others as helpers.

The leader walks the table. For work in several parts it opens a round; every free thread, the leader included, takes parts
until none is left. So no thread waits for another that has not begun: if a thread wakes late, or its core is used by another
program, its part is taken by others. The bits do not depend on which thread takes which part.
"""

from numba import types

from ..compiling.jit import ANY, Kernel, call_at, jit
from ..compiling.record import SHARED, Record
from ..processor.atomics import exchange, increase, load, store
from .workers import MOST_WORKERS, YIELD_CORE, wait

# The work of the round (a kernel, its row and call, the number of parts), and the address of the system's function that
# yields the core. `open` holds the number of the round in its upper half and one bit for each part not yet taken in its
# lower half.
TEAM = Record("team", "kernel", "row", "call", "parts", "yield_core", open=SHARED, finished=SHARED)
team_at = TEAM.at
ROUND = 1 << 32
PARTS = ROUND - 1
DISMISSED = -ROUND
LEADER = 0  # number of the leader
MOST_PARTS = MOST_WORKERS + 1


@jit
def take_part(team, member):
    """Take a part and return its number, or −1 if none is left. The member's own part is preferred: its data are cached."""
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
def run_parts(address, kernel, row, call, parts):
    """Run `kernel` in `parts` parts with the team at the given address; return when all are done. Called by the leader."""
    team = team_at(address)
    team.kernel, team.row, team.call, team.parts = kernel, row, call, parts
    store(team.finished, 0)
    store(team.open, (load(team.open) & ~PARTS) + ROUND + ((1 << parts) - 1))
    own, looks = 0, 0
    part = take_part(team, LEADER)
    while part >= 0:
        run_part(team, part)
        own += 1
        part = take_part(team, LEADER)
    while load(team.finished) + own < parts:
        looks = wait(team.yield_core, looks)


@jit
def run_open_rounds(team, member):
    """Take parts of every round that the leader opens, until the team is dismissed."""
    looks = 0
    while load(team.open) >= 0:
        part = take_part(team, member)
        if part < 0:
            looks = wait(team.yield_core, looks)
        else:
            run_part(team, part)
            increase(team.finished)
            looks = 0


def build_member(dtype):
    def member(team, leader, frame, number):
        """Run by every thread of a team; the leader, whose number is 0, calls the function `leader` with the frame."""
        if number == LEADER:
            call_at(leader, (frame,))
            store(team.open, DISMISSED)
        else:
            run_open_rounds(team, number)

    return member


member_kernel = Kernel("team_member", build_member, lambda dtype: (TEAM.type(ANY), *[types.intp] * 3), moves_addresses=True)


def new_team():
    """Return a team without members."""
    return TEAM.new(yield_core=YIELD_CORE)
