"""A picture of the training while it runs, in a notebook."""

import time

from ..checks import not_negative, shown
from ..fitting.callback import Callback
from ..fitting.progress import in_notebook
from .canvas import axes
from .notebook_display import display_of
from .training.curves import learning_curves


class LivePlot(Callback):
    """Draw the learning curves in a notebook while the network trains; the last picture stays in the notebook.

    Outside notebooks nothing is shown. `ax` has the picture after the fit. Needs Matplotlib: pip install
    "fastnn-numba[plot]".

    Parameters
    ----------
    metric : str, default "loss"
        The metric to draw, with that of the validation data if there are any.
    seconds : float, default 1
        The shortest time between two pictures; drawing one takes about a tenth of a second.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, LivePlot, Network
    >>> live = LivePlot()
    >>> history = Network([Dense(1)], inputs=1).fit(np.ones((9, 1)), np.ones(9), epochs=5, callbacks=[live])
    >>> live.ax.get_xlabel()
    'epoch'
    """

    def __init__(self, metric="loss", seconds=1.0):
        if not isinstance(metric, str):
            raise ValueError(f"LivePlot(metric=...) is {shown(metric)}; it must be the name of a metric, such as 'loss'")
        self.metric, self.seconds = metric, not_negative("LivePlot(seconds=...)", seconds)
        self.ax = self.display = None
        self.drawn = 0.0

    @property
    def shows_epochs(self):
        return in_notebook()

    def on_train_begin(self, logs):
        if self.metric not in self.metrics:
            raise ValueError(f"LivePlot(metric=...) is {self.metric!r}; this fit reports {', '.join(self.metrics)}: give "
                             "one of these")
        self.display, self.drawn = display_of(), 0.0

    def on_epoch_end(self, epoch, logs):
        if self.display is not None and time.monotonic() - self.drawn >= self.seconds:
            self.draw()
            self.drawn = time.monotonic()  # after it, so that drawing never takes most of the time

    def on_train_end(self, logs):
        self.draw()

    def draw(self):
        """Draw the epochs so far, and show the picture in place of the one before."""
        history = self.network.history
        if history is None or not len(history.epochs):
            return
        self.ax = learning_curves(history, axes(shows=False), self.metric)
        if self.display is not None:
            self.display(self.ax.figure)
