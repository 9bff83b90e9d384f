"""Calls with other NumPy settings for floating-point errors, which never persist after the call."""

import contextvars

import numpy as np


def quiet(work, *arguments, **states):
    """Return work(*arguments); states: as for `numpy.errstate`, such as over="ignore".

    The states are set in a copy of the context, which is discarded after the call: with `errstate` alone, an exception at
    the wrong moment would keep them for the rest of the process.
    """
    context = contextvars.copy_context()
    return context.run(within, work, arguments, states) if states else context.run(work, *arguments)


def within(work, arguments, states):
    with np.errstate(**states):
        return work(*arguments)


def new_generator(seed):
    """Return `numpy.random.default_rng(seed)`, which changes floating-point states while it makes a generator."""
    return quiet(np.random.default_rng, seed)
