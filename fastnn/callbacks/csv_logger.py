"""A table of the metrics in a file, a row an epoch."""

import csv
import io
import os
from contextlib import suppress
from pathlib import Path

from ..checks import path_name, shown, true_or_false, whole_number
from ..whole_file import write
from .callback import Callback, reported


class CSVLogger(Callback):
    """Write the metrics of each epoch to a file as it ends: the columns "epoch", those of the history, and what callbacks
    before it in the list report.

    Every row is in the file as soon as its epoch is over, and one that cannot be written (a full disk) ends the fit with an
    error and leaves no part of itself. When a fit is resumed, rows from after the place where it goes on
    are dropped first, so that the file is that of a fit that was never interrupted.

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

    def __init__(self, path, separator=",", append=False):
        self.path, self.separator = Path(path_name("CSVLogger(path=...)", path)), separator
        self.append = true_or_false("CSVLogger(append=...)", append)
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger(separator=...) is {shown(separator)}; it must be one character")
        self.file, self.size = None, 0

    def on_train_begin(self, logs):
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no directory {self.path.parent} for the log; make it first")
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a directory; give the name of a file in it")
        header = ["epoch", *self.metrics]
        if self.append and self.resumed is None:
            self.check_header(header)
        self.file = open(self.path, "ab", buffering=0)  # closed when the fit ends
        there = self.file.tell()
        self.size = there if self.append else 0
        if self.resumed is not None:
            self.size = min(there, whole_number("the size of the log in the checkpoint", self.resumed["size"], least=0))
        self.file.truncate(self.size)
        if self.size == 0:
            self.write(header)

    def check_header(self, header):
        """Refuse to add rows to a file whose columns are others, or whose last line has no end."""
        if not self.path.exists() or not (text := self.path.read_text(encoding="utf-8", errors="replace")):
            return
        there = next(csv.reader(text.splitlines(), delimiter=self.separator), [])
        if there != header:
            raise ValueError(f"CSVLogger(append=True): {self.path} begins with the columns {shown(there)}; this fit reports "
                             f"{header}: log it to another file, or replace that one with append=False")
        if not text.endswith("\n"):
            raise ValueError(f"CSVLogger(append=True): the last line of {self.path} has no end; mend the file, or replace "
                             "it with append=False")

    def on_epoch_end(self, epoch, logs):
        self.write([epoch, *(reported(logs, name) for name in self.metrics)])

    def on_train_end(self, logs):
        if self.file is not None:
            self.file.close()

    def __getstate__(self):
        return vars(self) | {"file": None}  # which no copy may share, and no pickle hold

    def write(self, row):
        line = io.StringIO()
        csv.writer(line, delimiter=self.separator, lineterminator="\n").writerow(row)
        try:
            write(self.file.fileno(), line.getvalue().encode())
        except BaseException:
            with suppress(OSError):
                self.file.truncate(self.size)  # whole rows only
            raise
        self.size = os.fstat(self.file.fileno()).st_size

    def state(self):
        return {"size": self.size}
