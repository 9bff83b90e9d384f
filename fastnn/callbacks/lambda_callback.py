"""A callback made from functions."""

from ..checks import shown
from ..fitting.callback import Callback


class LambdaCallback(Callback):
    """Call functions as hooks, each with the arguments of the hook of its name.

    Parameters
    ----------
    on_train_begin, on_train_end : function of (logs), optional
    on_epoch_begin, on_epoch_end : function of (epoch, logs), optional
    on_train_batch_begin, on_train_batch_end : function of (batch, logs), optional
        With one of these, training returns to Python at every batch: see `Callback`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, LambdaCallback, Network
    >>> say = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, sorted(logs)))
    >>> history = Network([Dense(1)], inputs=1).fit(np.ones((5, 1)), np.ones(5), epochs=2, callbacks=[say])
    0 ['loss']
    1 ['loss']
    """

    def __init__(self, on_train_begin=None, on_train_end=None, on_epoch_begin=None, on_epoch_end=None,
                 on_train_batch_begin=None, on_train_batch_end=None):
        hooks = {"on_train_begin": on_train_begin, "on_train_end": on_train_end, "on_epoch_begin": on_epoch_begin,
                 "on_epoch_end": on_epoch_end, "on_train_batch_begin": on_train_batch_begin,
                 "on_train_batch_end": on_train_batch_end}
        for name, function in hooks.items():
            if function is None:
                continue
            if not callable(function):
                raise ValueError(f"LambdaCallback({name}=...) is {shown(function)}; it must be a function")
            setattr(self, name, function)
