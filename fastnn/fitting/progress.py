"""The progress bar of a fit: shown in a terminal and in a notebook for fits longer than a second, not in a pipe."""

import sys
import time

from tqdm.std import tqdm

DELAY = 1  # seconds before a bar appears by default
METRICS_EVERY = 0.2  # seconds


def in_notebook():
    """Return whether this runs in a Jupyter kernel, whose output is not a terminal but is displayed."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def to_terminal():
    """Return whether stderr is a terminal."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # there is no stderr, or it is closed
        return False


def bar_type():
    """Return the tqdm class for this environment; in a notebook without ipywidgets, the text bar."""
    if in_notebook():
        from tqdm import notebook

        if notebook.IProgress is not None:
            return notebook.tqdm
    return tqdm


class Progress:
    """A context manager with a bar over all batches of a fit, with the epoch and the metrics.

    shown: True, False, or None for the default above.
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
        """Call write(…). If the bar cannot be written (a closed stream, a full disk), the fit continues without it."""
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
        """Advance by some batches; metrics: a function that returns the metrics of the epoch so far, called rarely."""
        if self.bar is None:
            return
        now = time.monotonic()
        if now - self.looked > METRICS_EVERY:
            self.looked = now
            self.show(metrics())
        self.draw(self.bar.update, batches)

    def show(self, metrics):
        """Show these metrics in the bar, in addition to others, such as those of the last validation."""
        if self.bar is not None:
            self.metrics |= metrics
            self.bar.set_postfix({name: f"{value:.4g}" for name, value in self.metrics.items()}, refresh=False)
