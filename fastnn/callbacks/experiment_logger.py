"""What the loggers of other libraries have in common: a run that begins with the fit, and the numbers of each epoch."""

import importlib
from abc import abstractmethod

from ..fitting.callback import Callback, reported


class ExperimentLogger(Callback):
    """Base class: `open` begins a run or continues that of a resumed fit, `log` takes the numbers of an epoch.

    `close` ends the run. Epochs count from 1. Metrics have their names in the history.
    """

    run = None  # the open run; it is neither copied nor pickled

    @abstractmethod
    def open(self, settings):
        """Begin a run. settings: {name: number or text} of the fit."""

    @abstractmethod
    def log(self, epoch, values): ...

    @abstractmethod
    def close(self): ...

    def on_train_begin(self, logs):
        self.open(settings_of(self.network))

    def on_epoch_end(self, epoch, logs):
        self.log(epoch + 1, {name: reported(logs, name) for name in self.metrics})

    def on_train_end(self, logs):
        if self.run is not None:
            try:
                self.close()
            finally:
                self.run = None

    def __getstate__(self):
        return vars(self) | {"run": None}


def settings_of(network):
    """Return what a run is set up with, for the table of runs."""
    optimizer = network.optimizer
    rate = optimizer.learning_rate
    return {"layers": ", ".join(map(repr, network.layers)), "loss": str(network.loss),
            "parameters": network.vectors.parameters.size, "dtype": network.dtype,
            "seed": "None" if network.seed is None else network.seed, "optimizer": type(optimizer).__name__,
            "learning_rate": repr(rate) if callable(rate) else float(rate)}


def imported(module, package, extra):
    """Return the module of another library, or raise an error with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this callback needs {package}: pip install \"fastnn-numba[{extra}]\"") from error
