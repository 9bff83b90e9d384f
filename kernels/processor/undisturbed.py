"""Work that Ctrl-C does not strike: it goes on in a thread of its own, while the main thread waits for it.

Python runs the handlers of signals in the main thread, between any two steps of whatever goes on there. What a handler
raises, such as KeyboardInterrupt, ends that work halfway. Numba's compiler does not survive it: locks of its own and of LLVM
stay held, and nothing compiles in that process any more. Nor do NumPy and Numba while they are imported. In a thread such
work comes to its end whatever happens; the exception reaches the main thread at once. A process that ends waits for it.
"""

import contextvars
import logging  # noqa: F401  (it holds a lock of its own while a process forks: before_fork is to come before that)
import os
import sys
import threading
from importlib import import_module

# what cannot be imported again in a process where its first import was struck, as far as this package needs it
FOREIGN = ("numpy", "numpy.typing", "numba", "numba.core.ccallback", "numba.np.arrayobj", "numba.np.unsafe.ndarray", "tqdm")
ready = []  # whether they are
running = set()  # tasks that have not ended
LONGEST_WAIT = 60  # seconds that a fork waits, in case a task waits in turn for what is held while a process forks


class Task:
    """Work in a thread of its own. Any number of threads may wait for it, and each may be struck as it waits."""

    def __init__(self, work, arguments=()):
        self.work, self.arguments = work, arguments
        self.result, self.error, self.ended, self.bells = None, None, False, []
        # no daemon: LLVM must not be at work while the process takes itself apart
        self.thread = threading.Thread(target=contextvars.copy_context().run, args=(self.run,), name="fastnn")

    def run(self):
        running.add(self)
        try:
            self.result = self.work(*self.arguments)
        except BaseException as error:  # for the thread that waits
            self.error = error
        finally:
            running.discard(self)
            self.ended = True
            while self.bells:
                self.bells.pop().release()

    def wait(self, seconds=-1):
        """Wait for the end, or so long. A bell of one's own for each wait: a lock that several share could stay held."""
        bell = threading.Lock()
        bell.acquire()
        self.bells.append(bell)
        if not self.ended:
            bell.acquire(timeout=seconds)


def undisturbed(work, *arguments):
    """What work(*arguments) returns or raises.

    Other threads than the main one, which no handler strikes, do it themselves. So does a main thread that Numba's compiler
    runs in: another would wait for the lock that it holds.
    """
    if threading.current_thread() is not threading.main_thread() or holds_compiler_lock():
        return work(*arguments)
    task = Task(work, arguments)
    try:
        task.thread.start()
    except RuntimeError:  # no thread to be had, or the process is ending
        return work(*arguments)
    task.wait()
    if task.error is not None:
        try:
            raise task.error
        finally:
            del task  # it holds the error, whose traceback holds this frame
    return task.result


def holds_compiler_lock():
    """Whether Numba's compiler runs in this thread."""
    lock = getattr(sys.modules.get("numba.core.compiler_lock"), "global_compiler_lock", None)
    return lock is not None and lock.is_locked()


def foreign():
    for name in FOREIGN:
        import_module(name)
    import_module("numba.core.registry").cpu_target.target_context.codegen()  # begun by the first function that is jitted
    ready.append(True)


def import_foreign():
    """Import FOREIGN and have Numba begin, unless that has been done."""
    wait_for(foreign)
    if not ready and not any(map(being_imported, FOREIGN)):
        undisturbed(foreign)


def import_whole(name):
    """The module of that name, imported undisturbed unless this is within an import of the package."""
    wait_for(import_module)
    package = f"{name.partition('.')[0]}."
    if any(being_imported(each) for each in [*FOREIGN, *sys.modules] if each in FOREIGN or each.startswith(package)):
        return import_module(name)
    return undisturbed(import_module, name)


def wait_for(work):
    """Wait for tasks of such work, begun by a thread that was struck while it waited."""
    for task in list(running):
        if task.work is work and task.thread is not threading.current_thread():
            task.wait()


def being_imported(name):
    """Whether an import of the module goes on, in which this one may stand: another thread would wait for its end."""
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False)


def before_fork():
    """Let tasks come to their end: a child has none of their threads, and what these hold would stay held there."""
    if not holds_compiler_lock():  # else one may be waiting for this thread
        for task in [task for task in list(running) if task.thread is not threading.current_thread()]:
            task.wait(LONGEST_WAIT)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=before_fork, after_in_child=running.clear)
