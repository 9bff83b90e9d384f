"""A table of the metrics in a file, a row an epoch."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..checks import path_name, shown, true_or_false, whole_number
from ..fitting.callback import Callback, reported
from ..formats.atomic_file import write, write_whole
from .log_file import Log, NotOurs


class CSVLogger(Callback):
    """Write the metrics of each epoch to a file as it ends: the columns "epoch", those of the history, and what callbacks
    before it in the list report.

    Every row is in the file as soon as its epoch is over, and one that cannot be written (a full disk) ends the fit with an
    error and leaves no part of itself.

    When a fit is resumed, rows from after the place where it goes on are dropped first, and rows that are gone are written
    again, so that the file is that of a fit that was never interrupted. Rows are told by what they hold: a spreadsheet may
    have saved the file again, with other line ends, a byte order mark or rounded numbers. Columns that were added stay, and
    metrics that are new get columns behind the others. A file that is not the log of this fit is refused and left as it is.

    Parameters
    ----------
    path : path
    separator : str, default ","
    append : bool, default False
        Whether to add to a file that is there already instead of replacing it. It must be a log of the same metrics.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from fastnn import CSVLogger, Dense, Network
    >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
    >>> history = Network([Dense(1)], inputs=1).fit(np.ones((5, 1)), np.ones(5), epochs=2, callbacks=[CSVLogger(path)])
    >>> with open(path) as file:
    ...     [line.split(",")[0] for line in file]
    ['epoch', '0', '1']
    """

    may_be_repeated = True

    def __init__(self, path, separator=",", append=False):
        self.path, self.separator = Path(path_name("CSVLogger(path=...)", path)), separator
        self.append = true_or_false("CSVLogger(append=...)", append)
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger(separator=...) is {shown(separator)}; it must be one character")
        self.file, self.log, self.size = None, None, 0
        self.before, self.first = 0, None  # rows of earlier fits in the file, and the first epoch of this one there
        self.last, self.own = (None, 0), {}  # the last epoch and where its row begins; what the history does not have

    def on_train_begin(self, logs):
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no directory {self.path.parent} for the log; make it first")
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a directory; give the name of a file in it")
        self.before, self.first, self.last, self.own = 0, None, (None, 0), {}
        there = self.path.read_bytes() if self.path.exists() else b""
        if self.resumed is not None:
            self.go_on(there)
        elif self.append and (log := self.log_to_add_to(there)) is not None:
            self.log, self.before = replace(log, rows=[]), len(log.rows)
            self.open()
        else:
            self.log = Log(["epoch", *self.metrics], separator=self.separator)
            self.open()
            self.file.truncate(0)
            self.size = 0
            self.write(None, self.log.to_bytes())

    def log_to_add_to(self, there):
        """The Log in a file that rows are to be added to, None in an empty one."""
        try:
            log = Log.read(there, self.separator)
            columns = [] if log is None else log.header
        except NotOurs:
            log, columns = None, there[:200].decode(errors="replace").splitlines()[:1]
        header = ["epoch", *self.metrics]
        if columns and columns != header:
            raise ValueError(f"CSVLogger(append=True): {self.path} begins with the columns {shown(columns)}; this fit "
                             f"reports {header}: log it to another file, or replace that one with append=False")
        if log is not None and not log.ended:
            raise ValueError(f"CSVLogger(append=True): the last line of {self.path} has no end; mend the file, or replace "
                             "it with append=False")
        return log

    def go_on(self, there):
        """Go on with the log of the fit that is resumed, in a file that holds these bytes."""
        epochs = self.network.fits.last.epoch.number
        self.before, self.first = self.resumed.get("before"), self.resumed.get("first")
        if self.before is None:  # the state of an earlier version says how many bytes there were
            size = whole_number("the size of the log in the checkpoint", self.resumed.get("size", 0), least=0)
            self.before, self.first = begin_of_rows(there[:size], self.separator, epochs)
        self.attach(there, epochs, come_again=True)

    def known(self, epochs):
        """{epoch: {name: value}} of so many epochs, from the history and from what this callback has seen."""
        history = self.network.history or {}
        return {epoch: {name: values[epoch] for name, values in history.items() if epoch < len(values)}
                | self.own.get(epoch, {}) for epoch in range(epochs)}

    def attach(self, there, epochs, *, come_again):
        """Bring a file that holds these bytes to where so many epochs are done; come_again: as for `Log.cut_back`."""
        first = epochs if self.first is None else self.first
        try:
            log = Log.read(there, self.separator) or Log(["epoch", *self.metrics], separator=self.separator)
            log.cut_back(self.before, first, epochs, self.known(epochs), come_again=come_again)
        except NotOurs as error:
            raise ValueError(f"{self.path} is not the log that this fit has written so far: {error}. Move it away, and the "
                             "log is written again as far as the history has it; or give another path") from None
        log.add_columns(["epoch", *self.metrics])
        whole, rows = log.to_bytes(), len(log.rows)
        if there.startswith(whole):
            self.open()
            self.file.truncate(len(whole))
            self.size = len(whole)
        else:
            self.open(whole)
        self.last = (epochs - 1, len(whole) - len(log.line(log.rows[-1]))) if epochs > first else (None, 0)
        self.log, self.before = replace(log, rows=[]), rows - max(epochs - first, 0)

    def open(self, whole=None):
        """Open the file, with these bytes in it if they are given."""
        if self.file is not None:
            self.file.close()
        if whole is not None:
            write_whole(self.path, [whole], durable=False)
        self.file = open(self.path, "ab", buffering=0)  # closed when the fit ends
        self.size = os.fstat(self.file.fileno()).st_size

    def on_epoch_end(self, epoch, logs):
        values = {name: reported(logs, name) for name in self.metrics}
        if self.has_changed():
            self.attach(self.path.read_bytes() if self.path.exists() else b"", epoch, come_again=False)
        if self.last[0] == epoch:  # interrupted when it had been written
            self.file.truncate(self.last[1])
            self.size = self.last[1]
        self.first = epoch if self.first is None else self.first
        self.own[epoch] = {name: value for name, value in values.items() if name not in (self.network.history or {})}
        self.write(epoch, self.log.line(self.log.named({"epoch": epoch, **values})))

    def has_changed(self):
        """Whether somebody else has replaced the file or written to it."""
        ours = os.fstat(self.file.fileno())
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return True
        return not os.path.samestat(ours, there) or there.st_size != self.size

    def on_train_end(self, logs):
        if self.file is not None:
            self.file.close()

    def __getstate__(self):
        return vars(self) | {"file": None, "own": {}}  # a file no copy may share, and no pickle hold

    def write(self, epoch, line):
        """Add the line of an epoch whole or not at all."""
        try:
            write(self.file.fileno(), line)
            vars(self).update(size=os.fstat(self.file.fileno()).st_size, last=(epoch, self.size))
        except BaseException:
            with suppress(OSError):
                self.file.truncate(self.size)
            raise

    def told_apart_by(self):
        return {"path": str(self.path).encode(errors="backslashreplace").decode(), "separator": self.separator}

    def written_file(self):
        return self.path, False

    def state(self):
        return {"size": self.size, "before": self.before, "first": self.first}


def begin_of_rows(there, separator, epochs):
    """(how many rows of earlier fits come first, or None; the epoch of the first of this one) in a log of so many epochs."""
    try:
        log = Log.read(there, separator)
    except NotOurs:
        log = None
    rows, epoch = [] if log is None else log.rows, epochs
    while rows and epoch > 0 and rows[-1][0] == str(epoch - 1):
        rows, epoch = rows[:-1], epoch - 1
    return (None, 0) if epoch == epochs else (len(rows), epoch)
