"""Pictures in notebooks: each is shown once, with any backend of Matplotlib, wherever in its cell it was drawn.

A new Figure is shown after its cell has run, with everything drawn on it by then. If one is shown earlier, as the result of
the cell or by `display(ax)`, those made before it are shown first, so that the order is kept. In later cells, `ax` and
`ax.figure` show the current picture. Outside notebooks nothing is shown.
"""

import io
import sys

import matplotlib.axes
import matplotlib.figure

IMAGES = "image/png", "image/svg+xml", "image/jpeg", "application/pdf"
waiting = []  # Figures of this cell that have not been shown, in order of creation


class Figure(matplotlib.figure.Figure):
    """A Figure that notebooks show as a picture."""

    def _repr_mimebundle_(self, include=None, exclude=None):
        shell = notebook()
        if shell is None:
            return {}
        show_earlier(self)
        if has_formatter(shell, self):  # by the formatters of `%matplotlib inline`, with its format and resolution
            return {}
        file = io.BytesIO()
        self.savefig(file, format="png")
        return {"image/png": file.getvalue()}


class Axes(matplotlib.axes.Axes):
    """Axes that notebooks show as the picture that contains them."""

    def _repr_mimebundle_(self, include=None, exclude=None):
        shell = notebook()
        if shell is None:
            return {}
        data, metadata = shell.display_formatter.format(self.figure)
        return {kind: value for kind, value in data.items() if kind != "text/plain"}, metadata


def notebook():
    """Return IPython's shell if it runs in the kernel of a notebook, else None."""
    IPython = sys.modules.get("IPython")
    shell = None if IPython is None else IPython.get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


def show_after_cell(figure):
    """Register a new Figure to be shown after the current cell of a notebook."""
    shell = notebook()
    if shell is not None:
        waiting.append(figure)
        shell.events.register("post_execute", show_waiting)


def show_waiting():
    """Show the Figures that have not been shown yet, except empty ones."""
    from IPython.display import display

    while waiting:
        figure = waiting.pop(0)
        if figure.axes:
            display(figure)


def show_earlier(figure):
    """Show the Figures that were made before this one, which is about to be shown."""
    from IPython.display import display

    while figure in waiting:
        first = waiting.pop(0)
        if first is not figure and first.axes:
            display(first)


def has_formatter(shell, figure):
    """Return whether IPython has a formatter for Figures."""
    for kind in IMAGES:
        formatter = shell.display_formatter.formatters.get(kind)
        if formatter is not None and formatter.enabled:
            try:
                formatter.lookup(figure)
                return True
            except KeyError:
                continue
    return False
