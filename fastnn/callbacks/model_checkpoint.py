"""Saving the network as it trains."""

import math
import os

from ..checks import path_name, true_or_false, whole_number
from ..checks.caller_warning import warn_caller
from ..files import checkpoint
from ..files import networks as files
from ..formats.atomic_file import mode_of
from ..kernels.interpreter.interpreter import SAMPLES
from ..samples.metrics import KNOWN
from . import best_file, file_names
from .monitor import Monitor


class ModelCheckpoint(Monitor):
    """Save the network after every epoch, only after those that are its best, or every so many batches.

    A file is replaced whole or not at all, so at any moment there is one to go on from.

    With save_best_only the network in the file is the one that `best` is the value of. The best is that of all fits with
    this object, of one network or of several, as long as they are judged by the same data (training goes on, warm starts,
    widths that are tried out) and the file is still there; else it judges anew, and says so. Another object begins anew.

    Parameters
    ----------
    path : path
        Where to. In a str, "{epoch:03d}" (from 1), with a number for save_freq "{batch}", and names of metrics such as
        "{val_loss:.4f}" are filled in. A name that cannot be filled in, or a folder that is not there, is refused before the
        fit begins. A pathlib.Path is taken as it is.
    monitor : str, default "val_loss"
        With save_best_only, the metric that decides.
    save_best_only : bool, default False
    mode : {"auto", "min", "max"}
        Whether smaller or larger values are better. "auto" is enough for the metrics of the fit, and for one that a callback
        declares in its `reports`; for others say it.
    save_freq : "epoch" or int
        After every epoch, or after so many batches, counted through all epochs. See `Callback` for what that costs.
    full : bool, default False
        Whether to save, beside the network, all that a fit needs to go on: see `Network.save_checkpoint`. All other
        callbacks of an epoch or batch are called before, wherever they stand in the list, so that their states are in the
        file.

    Attributes
    ----------
    best : float or None
        With save_best_only, the best value so far: that of the network in the file.

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
        self.path, self.fills_in = path_name(self.where("path"), path), isinstance(path, str)
        self.save_best_only = true_or_false(self.where("save_best_only"), save_best_only)
        self.full = true_or_false(self.where("full"), full)
        if not isinstance(save_freq, str) or save_freq != "epoch":
            self.every_batches = whole_number(self.where("save_freq"), save_freq)
            if self.save_best_only:
                raise ValueError("ModelCheckpoint(save_best_only=True) compares epochs; leave save_freq at 'epoch'")
            self.on_train_batch_end = self.after_batches  # only then are there hooks of batches to call
        self.save_freq, self.epoch = save_freq, 0
        self.saved, self.diverged = None, False
        self.template, self.measured = None, ""
        self.best_path = None  # where the best is
        self.waiting = None  # {"path", and "value" of a best}: what is to be written once all callbacks have been called
        self.missed = None  # the same of a best that could not be written; written when the fit goes on

    def measured_on(self, data, validation):
        if self.save_best_only:
            own, of_loss = self.monitor in KNOWN, self.monitor in ("loss", "val_loss")
            seen = (validation,) if self.monitor.startswith("val_") else (data,) if own else (data, validation)
            self.measured = best_file.digest(*seen) + (f" {self.network.loss}" if of_loss else "")

    def on_train_begin(self, logs):
        if self.full and self.network.fits.last is None:
            raise ValueError("ModelCheckpoint(full=True) saves a fit to go on with, and one with LBFGS cannot be resumed; "
                             "leave full at False")
        self.template = self.checked_template()
        self.saved, self.diverged, self.waiting, self.missed = self.standing(), False, None, None
        if self.save_best_only:
            best = self.best, self.best_path
            super().on_train_begin(logs)
            kept = self.goes_on_from
            best = best if self.resumed is None else (kept.get("best"), kept.get("best_path"))
            self.take_over(*best, kept.get("waiting"))

    def checked_template(self):
        """What is filled in to make the name of a file, which can be written as far as that can be known."""
        begun = 0 if self.network.fits.last is None else self.network.fits.last.epoch.number
        names = {"epoch": [begun + 1]}
        if self.save_freq == "epoch":
            names |= {name: [0.5] if name in KNOWN else [0.5, 1] for name in self.metrics}
        else:  # within an epoch nothing is validated, and other callbacks report nothing
            names |= {"batch": [1]} | {name: [0.5] for name in self.metrics if name in KNOWN and not name.startswith("val_")}
        try:
            made = file_names.template(self.path, names)
        except ValueError as error:
            made, reason = None, error
        if not self.fills_in:
            if made is not None and file_names.fields(made):
                warn_caller(f"{self.where('path')} is a Path, which is taken as it is: the file is called {self.path}. Give "
                            "a str if its name is to be filled in")
            made = file_names.literal(self.path)
        if made is None:
            raise ValueError(f"{self.where('path')} is {self.path!r}, which cannot be filled in: {reason}; there are "
                             f"{', '.join(names)}, and others that a callback has among its `reports` (write {{{{ and }}}} "
                             "for braces of the name, or give a pathlib.Path, which is taken as it is)")
        first = os.path.realpath(file_names.filled(made, names))
        mode_of(first)
        if not os.access(os.path.dirname(first), os.W_OK):
            raise PermissionError(f"no file can be made in {os.path.dirname(first)}; save elsewhere")
        return made

    def take_over(self, best, path, waiting):
        """Begin with the best of the fit that goes on, or of the last fit with this object, and with what waits there."""
        self.note(best=best, best_path=path)
        if best is not None and path is not None:  # files of earlier versions do not say where
            self.check_best()
        if waiting is not None:  # the program came to its end while the network, as it now is again, was to be saved
            self.waiting = waiting | {"path": self.moved(waiting["path"])}
            self.write()

    def check_best(self):
        """Forget the best where its file does not hold it, or it was judged otherwise."""
        path = self.moved(self.best_path)
        found = best_file.recorded(path)
        if found is None:
            warn_caller(f"the best {self.monitor} so far, {self.best}, was saved to {path}, which does not hold it any "
                        "more: the best is judged anew from here")
        elif found != self.record(found["value"]):
            warn_caller(f"the best {self.monitor} so far, {self.best}, was of other data or judged otherwise: the best is "
                        f"judged anew from here, and {path} will be replaced")
            found = None
        self.note(best=found and found["value"], best_path=found and path)

    def moved(self, path):
        """A file that was saved, in the folder where they are saved now."""
        folder = os.path.dirname(self.template)
        return path if file_names.fields(folder) else os.path.join(folder.format(), os.path.basename(path))

    def record(self, value):
        return {"monitor": self.monitor, "sign": self.sign, "value": value, "measured": self.measured}

    def on_epoch_begin(self, epoch, logs):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs):
        if self.save_freq != "epoch":
            return
        value = self.better(logs) if self.save_best_only else None
        if value is not None or not self.save_best_only:
            self.save({"epoch": epoch + 1, **logs}, value)

    def after_batches(self, batch, logs):
        self.save({"epoch": self.epoch + 1, "batch": batch + 1, **logs})

    def on_callbacks_end(self):
        if self.waiting is not None:
            self.write()

    def on_divergence(self, error):
        self.diverged = True  # where that happens again is no place to go on from

    def on_train_end(self, logs):
        if self.save_best_only:  # the network may be another from here on, such as the best of an EarlyStopping
            self.note(missed=self.waiting, waiting=None)
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

    def save(self, names, value=None):
        """Save the network as it is, a full file once all callbacks have been called; value: what it is the best with."""
        try:
            path = self.template.format(**names)
        except (LookupError, ValueError, TypeError) as error:
            raise ValueError(f"{self.where('path')} is {self.path!r}, which cannot be filled in ({error}); there are "
                             f"{', '.join(names)}") from None
        self.waiting = {"path": path} | ({} if value is None else {"value": value})
        if not self.full:
            self.write()

    def write(self):
        """Write what waits; until it is in its place it is not the best."""
        path, value = self.waiting["path"], self.waiting.get("value")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)  # that of the first epoch was there
        if value is None:
            (checkpoint if self.full else files).save(self.network, path)
            self.note(waiting=None, saved=self.standing())
            return
        before = {name: getattr(self, name) for name in ("best", "best_path", "waiting")}
        after = {"best": value, "best_path": path, "waiting": None}
        try:
            self.note(**after)  # a full file has the state of this callback too
            (checkpoint if self.full else files).save(self.network, path, best_file.text(self.record(value)))
        except BaseException:
            self.note(**(after if best_file.recorded(path) == self.record(value) else before))
            raise

    def told_apart_by(self):
        marks = {"path": self.path, "name": os.path.basename(self.path), "save_best_only": self.save_best_only,
                 "full": self.full, "save_freq": self.save_freq}
        return super().told_apart_by() | {name: as_text(value) for name, value in marks.items()}

    def written_file(self):
        return self.path, not self.save_best_only

    def state(self):
        if not self.save_best_only:
            return {}
        waiting = self.waiting or self.missed
        waiting = waiting and waiting | {"path": as_text(waiting["path"])}
        return super().state() | {"best_path": self.best_path and as_text(self.best_path), "waiting": waiting}


def as_text(value):
    """A path with bytes that are no text as one that a file can hold; anything else as it is."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
