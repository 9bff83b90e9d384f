"""A line for each epoch, which stays in the output of a script or a notebook."""

from ..checks import whole_number
from ..fitting.callback import Callback


class EpochLog(Callback):
    """Print the metrics of an epoch on a line; epochs are counted from 1.

    Parameters
    ----------
    every : int, default 1
        Print every so many epochs, and the last.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, EpochLog, Network
    >>> net = Network([Dense(1)], inputs=1)
    >>> net.parameters["0.weight"][:] = 1
    >>> history = net.fit(np.ones((5, 1)), np.full(5, 2.0), epochs=2, optimizer="sgd", callbacks=[EpochLog()])
    epoch 1: loss 0.5
    epoch 2: loss 0.4802
    """

    shows_epochs = True

    def __init__(self, every=1):
        self.every, self.last = whole_number("EpochLog(every=...)", every), None

    def on_epoch_end(self, epoch, logs):
        line = f"epoch {epoch + 1}: " + ", ".join(f"{name} {logs[name]:.4g}" for name in self.metrics if name in logs)
        self.last = None if (epoch + 1) % self.every == 0 else line
        if self.last is None:
            print(line, flush=True)

    def on_train_end(self, logs):
        if self.last is not None:
            print(self.last, flush=True)
            self.last = None
