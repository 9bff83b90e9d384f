"""Work in which NumPy handles floating-point errors in another way, of which nothing is left behind."""

import contextvars

import numpy as np


def quiet(work, *arguments, **states):
    """What work(*arguments) returns; states: as of `numpy.errstate`, such as over="ignore".

    They are set in a copy of the context, which is gone when the call is over: within `errstate` alone an exception at a bad
    moment leaves them behind for the rest of the process.
    """
    return contextvars.copy_context().run(within, work, arguments, states)


def within(work, arguments, states):
    with np.errstate(**states):
        return work(*arguments)


def new_generator(seed):
    """`numpy.random.default_rng`, which sets states of its own while it makes a generator."""
    return quiet(np.random.default_rng, seed)
