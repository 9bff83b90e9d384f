"""A table of the metrics in a file, one row for each epoch."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..checks import path_name, shown, true_or_false, whole_number
from ..fitting.callback import Callback, reported
from ..formats.atomic_file import write, write_whole
from .log_file import Log, NotThisLog


class CSVLogger(Callback):
    """Write the metrics of each epoch to a file: a column "epoch", counted from 1, those of the history, and those that
    callbacks before it report.

    Each row is written at the end of its epoch. If it cannot be written (a full disk), the fit ends with an error and the
    file contains no part of the row.

    When a fit is resumed, rows after its position are dropped and missing rows are written again, so that the file is that
    of a fit without an interruption. Rows are recognized by their values: a spreadsheet may have saved the file with other
    line ends, a byte order mark or rounded numbers. Additional columns are kept, and new metrics get columns after the
    others. A file that is not the log of this fit is refused and not changed.

    Parameters
    ----------
    path : path
    separator : str, default ","
    append : bool, default False
        Whether to append to an existing file instead of replacing it. It must be a log of the same metrics.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from fastnn import CSVLogger, Dense, Network
    >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
    >>> history = Network([Dense(1)], inputs=1).fit(np.ones((5, 1)), np.ones(5), epochs=2, callbacks=[CSVLogger(path)])
    >>> with open(path) as file:
    ...     [line.split(",")[0] for line in file]
    ['epoch', '1', '2']
    """

    may_be_repeated = True

    def __init__(self, path, separator=",", append=False):
        self.path, self.separator = Path(path_name("CSVLogger(path=...)", path)), separator
        self.append = true_or_false("CSVLogger(append=...)", append)
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger(separator=...) is {shown(separator)}; it must be one character")
        self.file, self.log, self.size = None, None, 0
        self.one = 1  # the number of the first epoch; 0 in a log that an earlier version began
        self.before, self.first = 0, None  # number of rows of earlier fits in the file, and the first epoch of this fit
        self.last, self.own = (None, 0), {}  # the last epoch and the offset of its row; metrics that the history lacks

    def on_train_begin(self, logs):
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no directory {self.path.parent} for the log; create it first")
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a directory; give the name of a file in it")
        self.before, self.first, self.last, self.own, self.one = 0, None, (None, 0), {}, 1
        there = self.path.read_bytes() if self.path.exists() else b""
        if self.resumed is not None:
            self.continue_log(there)
        elif self.append and (log := self.read_log(there)) is not None:
            self.log, self.before = replace(log, rows=[]), len(log.rows)
            self.open()
        else:
            self.log = Log(["epoch", *self.metrics], separator=self.separator)
            self.open()
            self.file.truncate(0)
            self.size = 0
            self.write(None, self.log.to_bytes())

    def read_log(self, there):
        """Return the Log in a file to append to, or None if it is empty."""
        try:
            log = Log.read(there, self.separator)
            columns = [] if log is None else log.header
        except NotThisLog:
            log, columns = None, there[:200].decode(errors="replace").splitlines()[:1]
        header = ["epoch", *self.metrics]
        if columns and columns != header:
            raise ValueError(f"CSVLogger(append=True): {self.path} begins with the columns {shown(columns)}; this fit "
                             f"reports {header}: log it to another file, or replace that one with append=False")
        if log is not None and not log.ended:
            raise ValueError(f"CSVLogger(append=True): the last line of {self.path} is incomplete; repair it, or replace "
                             "it with append=False")
        return log

    def continue_log(self, there):
        """Continue the log of the resumed fit, in a file that holds these bytes."""
        epochs = self.network.fits.last.epoch.number
        self.before, self.first = self.resumed.get("before"), self.resumed.get("first")
        self.one = self.resumed.get("one", 0)
        if self.before is None:  # the state of an earlier version holds the number of bytes
            size = whole_number("the size of the log in the checkpoint", self.resumed.get("size", 0), least=0)
            self.before, self.first = find_rows(there[:size], self.separator, epochs)
        self.attach(there, epochs, repeated=True)

    def known(self, epochs):
        """Return {epoch: {name: value}} of the first `epochs` epochs, from the history and the metrics of callbacks."""
        history = self.network.history or {}
        return {epoch: {name: values[epoch] for name, values in history.items() if epoch < len(values)}
                | self.own.get(epoch, {}) for epoch in range(epochs)}

    def attach(self, there, epochs, *, repeated):
        """Make the file that holds these bytes the log of `epochs` epochs; repeated: as for `Log.update_rows`."""
        first = epochs if self.first is None else self.first
        try:
            log = Log.read(there, self.separator, self.one) or Log(["epoch", *self.metrics], separator=self.separator,
                                                                   one=self.one)
            log.update_rows(self.before, first, epochs, self.known(epochs), repeated=repeated)
        except NotThisLog as error:
            raise ValueError(f"{self.path} is not the log of this fit: {error}. Move it away, and the log is written again "
                             "from the history; or give another path") from None
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
        """Open the file, first replacing its content by these bytes if they are given."""
        if self.file is not None:
            self.file.close()
        if whole is not None:
            write_whole(self.path, [whole], durable=False)
        self.file = open(self.path, "ab", buffering=0)  # closed when the fit ends
        self.size = os.fstat(self.file.fileno()).st_size

    def on_epoch_end(self, epoch, logs):
        values = {name: reported(logs, name) for name in self.metrics}
        if self.has_changed():
            self.attach(self.path.read_bytes() if self.path.exists() else b"", epoch, repeated=False)
        if self.last[0] == epoch:  # the fit was interrupted after the row was written
            self.file.truncate(self.last[1])
            self.size = self.last[1]
        self.first = epoch if self.first is None else self.first
        self.own[epoch] = {name: value for name, value in values.items() if name not in (self.network.history or {})}
        self.write(epoch, self.log.line(self.log.row(epoch, values)))

    def has_changed(self):
        """Return whether the file was replaced or changed by somebody else."""
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
        return vars(self) | {"file": None, "own": {}}  # an open file can be neither copied nor pickled

    def write(self, epoch, line):
        """Append the line of an epoch, completely or not at all."""
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
        return {"size": self.size, "before": self.before, "first": self.first, "one": self.one}


def find_rows(there, separator, epochs):
    """Return (number of rows of earlier fits or None, first epoch of this fit) in a log of `epochs` epochs."""
    try:
        log = Log.read(there, separator)
    except NotThisLog:
        log = None
    rows, epoch = [] if log is None else log.rows, epochs
    while rows and epoch > 0 and rows[-1][0] == str(epoch - 1):
        rows, epoch = rows[:-1], epoch - 1
    return (None, 0) if epoch == epochs else (len(rows), epoch)
