"""Networks in your own compiled code: functions that `@njit` code calls with the result of `Network.compiled`.

They run without Python and without allocations visible to Numba: in serial code, with `nogil`, in `prange`, and in several
Python threads at once. A function that calls them is compiled once for all networks of a dtype, and may be cached.

Examples
--------
>>> import numpy as np
>>> from numba import njit
>>> import fastnn
>>> from fastnn import Dense, Network
>>> @njit(nogil=True, cache=False)
... def rollout(model, state, steps):
...     change = np.empty_like(state)
...     for _ in range(steps):
...         fastnn.jit.forward_row(model, state, change)
...         state += np.float32(0.01) * change
...     return state
>>> net = Network([Dense(16, "tanh"), Dense(2)], inputs=2)
>>> rollout(net.compiled(), np.ones(2, np.float32), 100).shape
(2,)
"""

import numpy as np

from .checks import an_instance, shown
from .kernels.embedded.calls import forward, forward_row, input_gradients, loss_and_gradients, pullback
from .kernels.embedded.model import Model
from .kernels.embedded.step_calls import forward_sequence, reset, step
from .network.network import Network
from .program.step import StepProgram

__all__ = ["Model", "first_state", "forward", "forward_row", "forward_sequence", "input_gradients", "loss_and_gradients",
           "pullback", "reset", "step", "views"]


def __dir__():
    return __all__


def first_state(network):
    """Return the state of a sequence before its first step, an array for `fastnn.jit.step`.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import LSTM, Network
    >>> fastnn.jit.first_state(Network([LSTM(4)], inputs=(None, 3))).shape
    (8,)
    """
    return StepProgram(an_instance("network", network, Network), streams=1).first_state()


def views(network, vector):
    """Return the parts of a vector with the layout of a network's parameters, such as gradients: {"0.weight": view, …}.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import Dense, Network
    >>> net = Network([Dense(2)], inputs=3)
    >>> {name: part.shape for name, part in fastnn.jit.views(net, np.zeros(8)).items()}
    {'0.weight': (3, 2), '0.bias': (2,)}
    """
    size = an_instance("network", network, Network).vectors.parameters.size
    if not isinstance(vector, np.ndarray):
        raise ValueError(f"vector is {shown(vector)}; it must be an array of shape ({size},), such as np.zeros({size})")
    if vector.shape != (size,):
        raise ValueError(f"vector has shape {vector.shape}; this network has {size} parameters, so it must be ({size},)")
    return network.vectors.parameters.split(vector)
