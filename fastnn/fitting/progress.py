"""The progress bar of a fit: by itself in a terminal and in a notebook, on what lasts over a second; silent in a pipe."""

import sys
import time

from tqdm.std import tqdm

DELAY = 1  # seconds that a fit goes on before a bar appears unasked
METRICS_EVERY = 0.2  # seconds


def in_notebook():
    """Whether this runs in a kernel of Jupyter, whose output is no terminal but is looked at."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def to_terminal():
    """Whether what is written to stderr is seen at once."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return False


def bar_type():
    """tqdm's bar for where this runs; in a notebook without ipywidgets the bar of text."""
    if in_notebook():
        from tqdm import notebook

        if notebook.IProgress is not None:
            return notebook.tqdm
    return tqdm


class Progress:
    """A bar over all batches of a fit, with the epoch and the metrics; a context.

    shown: True, False, or None for what is said above.
    """

    def __init__(self, shown, epochs, batches, done=0, unit="batch"):
        unasked = shown is None
        if unasked:
            shown = in_notebook() or to_terminal()
        self.epochs, self.looked, self.metrics = epochs, time.monotonic(), {}
        self.bar = None
        if shown and (in_notebook() or sys.stderr is not None):
            self.draw(self.open, initial=done, total=epochs * batches, unit=unit, leave=not unasked,
                      delay=DELAY if unasked else 0)

    def open(self, **options):
        self.bar = bar_type()(**options)

    def draw(self, write, *arguments, **options):
        """write(…). Where the bar cannot be written, its stream closed or the disk full, the fit goes on without one."""
        try:
            write(*arguments, **options)
        except (OSError, ValueError):
            if self.bar is not None:
                self.bar.disable, self.bar = True, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        if self.bar is not None:
            self.draw(self.bar.close)

    def epoch(self, number):
        if self.bar is not None:
            self.bar.set_description(f"epoch {number + 1}/{self.epochs}", refresh=False)

    def advance(self, batches, metrics):
        """So many batches further; metrics: a function that gives those of the epoch so far, asked now and then."""
        if self.bar is None:
            return
        now = time.monotonic()
        if now - self.looked > METRICS_EVERY:
            self.looked = now
            self.show(metrics())
        self.draw(self.bar.update, batches)

    def show(self, metrics):
        """Have the bar show these metrics beside others that it shows, such as those of the last validation."""
        if self.bar is not None:
            self.metrics |= metrics
            self.bar.set_postfix({name: f"{value:.4g}" for name, value in self.metrics.items()}, refresh=False)
