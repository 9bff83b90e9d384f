"""Many fits at once, run by `Population.fit`: between their steps in Python, one compiled call runs all tasks."""

from .worker_pool import WorkerPool


def begin_all(members, claims):
    """Begin the fits, {number: MemberFit}; if one raises, none has begun. claims: {number: the Claim of its fit}."""
    before = {number: member.fit.network.fits.last for number, member in members.items()}
    try:
        for number, member in members.items():
            try:
                member.attempt(member.begin, claims[number])
            except ValueError as error:
                raise ValueError(f"member {number}: {error}") from error
    except BaseException:
        for number, member in members.items():
            member.close()
            member.fit.network.fits.last = before[number]
        raise


def train_together(members, threads, bar):
    """Run MemberFits that have begun to their ends; the caller closes them. bar: shows the number of finished epochs."""
    by_task = {member.task: member for member in members if not (member.is_over or member.by_python)}
    by_python = [member for member in members if member.by_python and not member.is_over]
    pool = WorkerPool([*by_task], threads) if by_task else None
    queue, epochs = sorted(by_task, key=lambda task: -task.seconds), epochs_of(members)  # the longest first
    while queue or by_python:
        for member in by_python:
            member.attempt(member.train_epoch)
        by_python = [member for member in by_python if not member.is_over]
        if queue:
            queue, left = run_tasks(pool, queue, by_task)
            by_python += left
        if bar.bar is not None:
            bar.advance(-(epochs - (epochs := epochs_of(members))), dict)


def run_tasks(pool, queue, members):
    """Run one call of compiled code, and the steps in Python that follow it.

    Returns the tasks in their next order, and the members whose epochs Python runs from now on.
    """
    begun = pool.run_tasks(queue)
    waiting = queue[len(begun):]
    unfinished, renewed, by_python = [], [], []
    for task in begun:
        member = members[task]
        if not task.done:
            task.record_epochs()
            unfinished.append(task)
            continue
        member.attempt(member.end_task)
        if member.by_python and not member.is_over:
            by_python.append(member)
        elif not member.is_over:
            renewed.append(task)
    continuing = []
    for task in unfinished + waiting:
        member = members[task]
        if member.fit.network.stop_training:  # set by the callback of another member, or another thread
            member.attempt(member.finish)
        else:
            continuing.append(task)
    return renewed + continuing, by_python  # a task that returns after every epoch continues before others begin


def epochs_of(members):
    return sum(member.fit.state.epoch.number for member in members)
