"""Work that Ctrl-C does not interrupt: it runs in a separate thread, and the main thread waits for it.

Python runs signal handlers in the main thread, between any two bytecode instructions. An exception that a handler raises,
such as KeyboardInterrupt, ends what runs there halfway. Numba's compiler does not survive that: its lock and LLVM's stay
held, and nothing compiles in the process anymore. The imports of NumPy and Numba do not survive it either. In a separate
thread such work is always completed, and the exception reaches the main thread at once. A process that ends waits for it.
"""

import contextvars
import logging  # noqa: F401  (it locks while the process forks; imported first, its hook runs after `before_fork`)
import os
import sys
import threading
from importlib import import_module

# modules of other packages that cannot be imported again after their first import was interrupted
FOREIGN = ("numpy", "numpy.typing", "numba", "numba.core.ccallback", "numba.np.arrayobj", "numba.np.unsafe.ndarray", "tqdm")
ready = set()  # the tuples of names, such as FOREIGN, whose modules are imported
running = set()  # tasks that have not ended
LONGEST_WAIT = 60  # seconds that a fork waits; a task may be waiting for a lock that is held during the fork


class Task:
    """Work in a separate thread. Any number of threads may wait for it, and an exception may interrupt each wait."""

    def __init__(self, work, arguments=()):
        self.work, self.arguments = work, arguments
        self.result, self.error, self.ended, self.bells = None, None, False, []
        # not a daemon: LLVM must not run while the process is finalized
        self.thread = threading.Thread(target=contextvars.copy_context().run, args=(self.do,), name="fastnn")

    def do(self):
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
        """Wait for the end, at most so many seconds. Each wait has its own lock: a shared one could stay held."""
        bell = threading.Lock()
        bell.acquire()
        self.bells.append(bell)
        if not self.ended:
            bell.acquire(timeout=seconds)


def undisturbed(work, *arguments):
    """Return work(*arguments), called in a separate thread if this is the main thread.

    If the main thread holds Numba's lock, or imports a module that calls this, it calls `work` itself: another thread would
    wait for the lock, or Numba there for the module, whose functions it looks up.
    """
    return work(*arguments) if importing() else outside_main(work, *arguments)


def outside_main(work, *arguments):
    """Return work(*arguments), called in a separate thread if this is the main thread and does not hold Numba's lock."""
    if threading.current_thread() is not threading.main_thread() or holds_compiler_lock():
        return work(*arguments)
    task = Task(work, arguments)
    try:
        task.thread.start()
    except RuntimeError:  # no thread can be started, as at the end of the process
        return work(*arguments)
    task.wait()
    if task.error is not None:
        try:
            raise task.error
        finally:
            del task  # it holds the error, whose traceback holds this frame
    return task.result


def holds_compiler_lock():
    """Return whether Numba's compiler runs in this thread."""
    lock = getattr(sys.modules.get("numba.core.compiler_lock"), "global_compiler_lock", None)
    return lock is not None and lock.is_locked()


def importing():
    """Return whether this thread is in the midst of an import, and so holds the lock of a module."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load" and frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def foreign(names):
    for name in names:
        import_module(name)
    if names is FOREIGN:
        import_module("numba.core.registry").cpu_target.target_context.codegen()  # used by every jitted function
    ready.add(names)


def import_foreign(names=FOREIGN):
    """Import modules of other packages, once; and with FOREIGN, initialize Numba."""
    wait_for(foreign)
    if names not in ready and not any(map(being_imported, names)):
        outside_main(foreign, names)


def import_whole(name):
    """Import the module of that name, in a separate thread unless an import of its package is in progress."""
    wait_for(import_module)
    package = f"{name.partition('.')[0]}."
    if any(being_imported(each) for each in [*FOREIGN, *sys.modules] if each in FOREIGN or each.startswith(package)):
        return import_module(name)
    return outside_main(import_module, name)


def wait_for(work):
    """Wait for tasks that do this work; the thread that started them was interrupted."""
    for task in list(running):
        if task.work is work and task.thread is not threading.current_thread():
            task.wait()


def being_imported(name):
    """Return whether an import of the module is in progress; if this thread does it, another would wait forever."""
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False)


def before_fork():
    """Wait for all tasks: a child process does not have their threads, and the locks they hold would stay held in it."""
    if holds_compiler_lock():  # a task may be waiting for this thread
        return
    interrupted = None
    for task in list(running):
        waited = task.thread is threading.current_thread()
        while not waited:
            try:
                task.wait(LONGEST_WAIT)
                waited = True
            except BaseException as error:  # the fork goes on whatever is raised here, so the wait goes on too
                interrupted = error
    if interrupted is not None:
        raise interrupted


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=before_fork, after_in_child=running.clear)
