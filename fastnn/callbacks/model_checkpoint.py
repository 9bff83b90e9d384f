"""Saving the network as it trains."""

import math
from pathlib import Path

from ..caller_warning import warn_caller
from ..checks import path_name, true_or_false, whole_number
from ..kernels.interpreter import SAMPLES
from .monitor import Monitor


class ModelCheckpoint(Monitor):
    """Save the network after every epoch, only after those that are its best, or every so many batches.

    A file is replaced whole or not at all, so at any moment there is one to go on from.

    Parameters
    ----------
    path : path
        Where to. In a str, "{epoch:03d}" (from 1), "{batch}" and names of metrics such as "{val_loss:.4f}" are filled in.
    monitor : str, default "val_loss"
        With save_best_only, the metric that decides.
    save_best_only : bool, default False
    mode : {"auto", "min", "max"}
        Whether smaller or larger values are better. "auto" is enough for the metrics of the fit, and for one that a callback
        declares in its `reports`; for others say it.
    save_freq : "epoch" or int
        After every epoch, or after so many batches, counted through all epochs. See `Callback` for what that costs.
    full : bool, default False
        Whether to save, beside the network, all that a fit needs to go on: see `Network.save_checkpoint`. Other callbacks of
        an epoch or batch are called before, so that their states are in the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from fastnn import Dense, ModelCheckpoint, Network
    >>> X = y = np.ones((5, 1))
    >>> path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
    >>> history = Network([Dense(1)], inputs=1).fit(X, y, epochs=2, callbacks=[ModelCheckpoint(path, full=True)])
    >>> net = Network.load_checkpoint(path)  # another day
    >>> len(net.fit(X, y, epochs=5, resume=True)["loss"])
    5
    """

    runs_last = True

    def __init__(self, path, monitor="val_loss", save_best_only=False, mode="auto", save_freq="epoch", full=False):
        super().__init__(monitor, mode)
        self.path = path_name(self.where("path"), path)
        self.save_best_only = true_or_false(self.where("save_best_only"), save_best_only)
        self.full = true_or_false(self.where("full"), full)
        if not isinstance(save_freq, str) or save_freq != "epoch":
            self.every_batches = whole_number(self.where("save_freq"), save_freq)
            if self.save_best_only:
                raise ValueError("ModelCheckpoint(save_best_only=True) compares epochs; leave save_freq at 'epoch'")
            self.on_train_batch_end = self.after_batches  # only then are there hooks of batches to call
        self.save_freq, self.epoch = save_freq, 0
        self.saved, self.diverged = None, False

    def on_train_begin(self, logs):
        if self.save_best_only:
            super().on_train_begin(logs)
        if self.full and self.network.fits.last is None:
            raise ValueError("ModelCheckpoint(full=True) saves a fit to go on with, and one with LBFGS cannot be resumed; "
                             "leave full at False")
        directory = Path(self.path).parent
        if "{" not in str(directory) and not directory.is_dir():
            raise FileNotFoundError(f"there is no directory {directory} to save into; make it first, or save elsewhere")
        self.saved, self.diverged = self.standing(), False

    def on_epoch_begin(self, epoch, logs):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs):
        if self.save_freq == "epoch" and (not self.save_best_only or self.improved(logs)):
            self.save({"epoch": epoch + 1, **logs})

    def after_batches(self, batch, logs):
        self.save({"epoch": self.epoch + 1, "batch": batch + 1, **logs})

    def on_divergence(self, error):
        self.diverged = True  # where that happens again is no place to go on from

    def on_train_end(self, logs):
        if not self.full or self.save_best_only or self.diverged or self.standing() == self.saved:
            return
        fit, (epochs, samples) = self.network.fits.last, self.standing()
        batches = math.ceil((samples or fit.samples) / fit.batch_size)
        try:
            self.save({"epoch": epochs + (samples > 0), "batch": batches, **logs})
        except ValueError as error:  # no epoch has come to its end, so there are no metrics for a name
            warn_caller(f"the fit is not saved where it ended: {error}", RuntimeWarning)

    def standing(self):
        """Where the fit is: how many epochs are done, and how many samples of the next."""
        fit = self.network.fits.last
        return None if fit is None else (fit.epoch.number, fit.epoch.totals[SAMPLES])

    def save(self, names):
        try:
            path = self.path.format(**names)
        except (LookupError, ValueError) as error:
            raise ValueError(f"{self.where('path')} is {self.path!r}, which cannot be filled in ({error}); there are "
                             f"{', '.join(names)}") from None
        if self.full:
            self.network.save_checkpoint(path)
            self.saved = self.standing()
        else:
            self.network.save(path)
