"""Checkpoints: saving the network during training."""

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
    """Save the network after every epoch, only when it is the best so far, or every so many batches.

    Files are replaced atomically, so there is always a complete one.

    With save_best_only, `best` is the value of the network in the file. It is the best of all fits with this object, of one
    network or of several, as long as they use the same data and the file still exists; otherwise it starts anew and issues a
    warning. Another object starts anew.

    Parameters
    ----------
    path : path
        The file name. In a str, "{epoch:03d}" (from 1), with a number for save_freq "{batch}", and names of metrics such as
        "{val_loss:.4f}" are replaced by their values. An invalid template or a missing folder is refused before the fit
        begins. A pathlib.Path is not a template.
    monitor : str, default "val_loss"
        With save_best_only, the metric that decides.
    save_best_only : bool, default False
    mode : {"auto", "min", "max"}
        Whether smaller or larger values are better. "auto" works for metrics of the fit and for those that a callback
        declares in its `reports`; specify it for others.
    save_freq : "epoch" or int
        Save after every epoch, or after so many batches, counted over all epochs. See `Callback` for the cost.
    full : bool, default False
        Whether to save everything needed to resume the fit: see `Network.save_checkpoint`. All other callbacks of an epoch
        or batch are called before it, whatever their order in the list, so that their states are in the file.

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
            self.on_train_batch_end = self.after_batches  # defined only here, because hooks of batches slow down training
        self.save_freq, self.epoch = save_freq, 0
        self.saved, self.diverged = None, False
        self.template, self.measured = None, ""
        self.best_path = None  # file of the best
        self.waiting = None  # {"path", and "value" of a best}: to be written when all callbacks have been called
        self.missed = None  # the same for a best that could not be written; it is written when the fit continues

    def measured_on(self, data, validation):
        if self.save_best_only:
            own, of_loss = self.monitor in KNOWN, self.monitor in ("loss", "val_loss")
            seen = (validation,) if self.monitor.startswith("val_") else (data,) if own else (data, validation)
            self.measured = best_file.digest(*seen) + (f" {self.network.loss}" if of_loss else "")

    def on_train_begin(self, logs):
        if self.full and self.network.fits.last is None:
            raise ValueError("ModelCheckpoint(full=True) saves a fit to be resumed, and a fit with LBFGS cannot be; "
                             "leave full at False")
        self.template = self.checked_template()
        self.saved, self.diverged, self.waiting, self.missed = self.position(), False, None, None
        if self.save_best_only:
            best = self.best, self.best_path
            super().on_train_begin(logs)
            kept = self.comparable_state
            best = best if self.resumed is None else (kept.get("best"), kept.get("best_path"))
            self.restore_best(*best, kept.get("waiting"))

    def checked_template(self):
        """Return the template of the file name, after checking that it is valid and writable as far as possible."""
        begun = 0 if self.network.fits.last is None else self.network.fits.last.epoch.number
        names = {"epoch": [begun + 1]}
        if self.save_freq == "epoch":
            names |= {name: [0.5] if name in KNOWN else [0.5, 1] for name in self.metrics}
        else:  # during an epoch there is no validation, and other callbacks report nothing
            names |= {"batch": [1]} | {name: [0.5] for name in self.metrics if name in KNOWN and not name.startswith("val_")}
        try:
            made = file_names.template(self.path, names)
        except ValueError as error:
            made, reason = None, error
        if not self.fills_in:
            if made is not None and file_names.fields(made):
                warn_caller(f"{self.where('path')} is a Path, which is not a template: the file name is {self.path}. Give "
                            "a str to use a template")
            made = file_names.literal(self.path)
        if made is None:
            raise ValueError(f"{self.where('path')} is {self.path!r}, which is not a valid template: {reason}; the fields "
                             f"are {', '.join(names)}, and others that a callback has among its `reports` (write {{{{ and "
                             "}} for braces of the name, or give a pathlib.Path, which is not a template)")
        first = os.path.realpath(file_names.formatted(made, names))
        mode_of(first)
        if not os.access(os.path.dirname(first), os.W_OK):
            raise PermissionError(f"no file can be made in {os.path.dirname(first)}; save elsewhere")
        return made

    def restore_best(self, best, path, waiting):
        """Start with the best of the resumed fit, or of the last fit with this object, and with the file left to write."""
        self.note(best=best, best_path=path)
        if best is not None and path is not None:  # states of earlier versions have no path
            self.check_best()
        if waiting is not None:  # the program ended before the network, now in the same state, was saved
            self.waiting = waiting | {"path": self.relocated(waiting["path"])}
            self.write()

    def check_best(self):
        """Forget the best if its file does not hold it, or if it is for other data or another metric."""
        path = self.relocated(self.best_path)
        found = best_file.recorded(path)
        if found is None:
            warn_caller(f"the best {self.monitor} so far, {self.best}, was saved to {path}, which no longer "
                        "holds it: the best starts anew from here")
        elif found != self.record(found["value"]):
            warn_caller(f"the best {self.monitor} so far, {self.best}, was of other data or judged otherwise: the best "
                        f"starts anew from here, and {path} will be replaced")
            found = None
        self.note(best=found and found["value"], best_path=found and path)

    def relocated(self, path):
        """Return the path of a saved file in the current folder."""
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
        self.diverged = True  # a state that diverges again is not saved for resuming

    def on_train_end(self, logs):
        if self.save_best_only:  # the network may change from here on, for example to the best of an EarlyStopping
            self.note(missed=self.waiting, waiting=None)
        if not self.full or self.save_best_only or self.diverged or self.position() == self.saved:
            return
        fit, (epochs, samples) = self.network.fits.last, self.position()
        batches = math.ceil((samples or fit.samples) / fit.batch_size)
        try:
            self.save({"epoch": epochs + (samples > 0), "batch": batches, **logs})
        except ValueError as error:  # no epoch is complete, so there are no metrics for the name
            warn_caller(f"the fit is not saved where it ended: {error}", RuntimeWarning)

    def position(self):
        """Return the position of the fit: (epochs done, samples done of the next epoch)."""
        fit = self.network.fits.last
        return None if fit is None else (fit.epoch.number, fit.epoch.totals[SAMPLES])

    def save(self, names, value=None):
        """Save the current network, a full file when all callbacks have been called; value: its value if it is the best."""
        try:
            path = self.template.format(**names)
        except (LookupError, ValueError, TypeError) as error:
            raise ValueError(f"{self.where('path')} is {self.path!r}, which is not a valid template ({error}); the fields "
                             f"are {', '.join(names)}") from None
        self.waiting = {"path": path} | ({} if value is None else {"value": value})
        if not self.full:
            self.write()

    def write(self):
        """Write the waiting file; only then does it become the best."""
        path, value = self.waiting["path"], self.waiting.get("value")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)  # the folder of the first epoch was checked
        if value is None:
            (checkpoint if self.full else files).save(self.network, path)
            self.note(waiting=None, saved=self.position())
            return
        before = {name: getattr(self, name) for name in ("best", "best_path", "waiting")}
        after = {"best": value, "best_path": path, "waiting": None}
        try:
            self.note(**after)  # a full file contains the state of this callback too
            (checkpoint if self.full else files).save(self.network, path, best_file.text(self.record(value)))
        except BaseException:
            self.note(**(after if best_file.recorded(path) == self.record(value) else before))
            raise

    def told_apart_by(self):
        marks = {"path": self.path, "name": os.path.basename(self.path), "save_best_only": self.save_best_only,
                 "full": self.full, "save_freq": self.save_freq}
        return super().told_apart_by() | {name: path_text(value) for name, value in marks.items()}

    def written_file(self):
        return self.path, not self.save_best_only

    def state(self):
        if not self.save_best_only:
            return {}
        waiting = self.waiting or self.missed
        waiting = waiting and waiting | {"path": path_text(waiting["path"])}
        return super().state() | {"best_path": self.best_path and path_text(self.best_path), "waiting": waiting}


def path_text(value):
    """Return a path with bytes that are not text as text that a file can hold; other values unchanged."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
