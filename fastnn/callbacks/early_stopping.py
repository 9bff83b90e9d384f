"""Early stopping, when a metric no longer improves."""

from ..checks import true_or_false, whole_number
from ..checks.caller_warning import warn_caller
from ..fitting.state import set_best_arrays
from .monitor import Monitor


class EarlyStopping(Monitor):
    """Stop when a metric has not improved for `patience` epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        A metric of the fit, or of a callback before it in the list: see `Callback.reports`.
    patience : int, default 0
        The number of epochs without improvement after which to stop; 0 and 1 are the same.
    min_delta : float, default 0
        A change counts as an improvement if it is larger than this.
    mode : {"auto", "min", "max"}
        Whether smaller or larger values are better. "auto" works for metrics of the fit and for those that a callback
        declares in its `reports`; specify it for others.
    restore_best : bool, default False
        Whether the network gets the weights of its best epoch at the end of the fit, however the fit ends. A resumed fit
        continues with the last weights.

    Attributes
    ----------
    best, best_epoch : float and int, or None
        The best value, and its epoch: its position in the history, from 0.
    stopped_epoch : int or None
        The epoch after which the fit was stopped, likewise.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, EarlyStopping, Network
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> net = Network([Dense(1)], inputs=1)
    >>> stopping = EarlyStopping("loss", patience=2, min_delta=1e-3)
    >>> history = net.fit(X, 3 * X[:, 0], epochs=1000, optimizer="sgd", callbacks=[stopping])
    >>> len(history["loss"]) < 1000, stopping.stopped_epoch - stopping.best_epoch
    (True, 2)
    """

    def __init__(self, monitor="val_loss", patience=0, min_delta=0.0, mode="auto", restore_best=False):
        super().__init__(monitor, mode, min_delta)
        self.patience = whole_number(self.where("patience"), patience, least=0)
        self.restore_best = true_or_false(self.where("restore_best"), restore_best)
        self.wait, self.best_epoch, self.stopped_epoch, self.best_arrays = 0, None, None, None

    def on_train_begin(self, logs):
        super().on_train_begin(logs)
        before = self.comparable_state
        self.wait, self.best_epoch, self.stopped_epoch = before.get("wait", 0), before.get("best_epoch"), None
        self.best_arrays = before.get("best_arrays") if self.restore_best else None
        stopped = self.wait >= max(self.patience, 1)  # it had already stopped, and patience was not increased
        if stopped:
            self.stopped_epoch, self.network.stop_training = before.get("stopped_epoch"), True
        if self.restore_best and self.best is not None and self.best_arrays is None:
            warn_caller("the weights of the best epoch so far were not kept, because restore_best was off until now: "
                        + ("the last weights are kept" if stopped else "it starts anew from here"))
            if not stopped:
                self.best = self.best_epoch = None

    def on_epoch_end(self, epoch, logs):
        if epoch == self.seen:
            return
        value = self.better(logs)
        if value is not None:
            arrays = (self.restore_best and self.network.vectors.copies_by_name()) or None
            self.note(seen=epoch, wait=0, best=value, best_epoch=epoch, best_arrays=arrays)
        elif self.wait + 1 < self.patience:
            self.note(seen=epoch, wait=self.wait + 1)
        else:
            self.note(seen=epoch, wait=self.wait + 1, stopped_epoch=epoch)
            self.network.stop_training = True

    def on_train_end(self, logs):
        if self.best_arrays is not None:
            set_best_arrays(self.network, self.best_arrays)

    def state(self):
        return super().state() | {"wait": self.wait, "best_epoch": self.best_epoch, "stopped_epoch": self.stopped_epoch,
                                  "best_arrays": self.best_arrays}
