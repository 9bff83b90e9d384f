"""Programs that are used again, by one Python thread at a time: lists of those that no thread uses."""


def take(idle, make, *arguments):
    """Return a program from the list, or make(*arguments), as where another thread has just taken the last one."""
    try:
        return idle.pop()
    except IndexError:
        return make(*arguments)


def put_back(idle, program):
    """Keep the program in the list for a later call, unless one is there."""
    if not idle:
        idle.append(program)
