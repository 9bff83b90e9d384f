"""Pictures in notebooks: each is shown once, whatever Matplotlib's backend, and wherever in its cell it was drawn.

A new Figure is shown when its cell has run, with all that was drawn on it by then. One that is shown before, as the result
of the cell or by `display(ax)`, brings those made before it along, so that all come in their order. In later cells, `ax` and
`ax.figure` show the picture as it then is. Outside of notebooks nothing is shown.
"""

import io
import sys

import matplotlib.axes
import matplotlib.figure

IMAGES = "image/png", "image/svg+xml", "image/jpeg", "application/pdf"
waiting = []  # the Figures of this cell that have not been shown, in the order in which they were made


class Figure(matplotlib.figure.Figure):
    """A Figure that notebooks show as a picture."""

    def _repr_mimebundle_(self, include=None, exclude=None):
        shell = notebook()
        if shell is None:
            return {}
        show_those_before(self)
        if is_drawn_by_others(shell, self):  # by those of `%matplotlib inline`, in the format and resolution asked for
            return {}
        file = io.BytesIO()
        self.savefig(file, format="png")
        return {"image/png": file.getvalue()}


class Axes(matplotlib.axes.Axes):
    """Axes that notebooks show as the picture that they are a part of."""

    def _repr_mimebundle_(self, include=None, exclude=None):
        shell = notebook()
        if shell is None:
            return {}
        data, metadata = shell.display_formatter.format(self.figure)
        return {kind: value for kind, value in data.items() if kind != "text/plain"}, metadata


def notebook():
    """IPython's shell if it runs in the kernel of a notebook, else None."""
    IPython = sys.modules.get("IPython")
    shell = None if IPython is None else IPython.get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


def show_after_cell(figure):
    """Have a new Figure shown when the cell of a notebook has run, if this is one."""
    shell = notebook()
    if shell is not None:
        waiting.append(figure)
        shell.events.register("post_execute", show_waiting)


def show_waiting():
    """Show what has not been shown yet; what has been cleared has nothing to show."""
    from IPython.display import display

    while waiting:
        figure = waiting.pop(0)
        if figure.axes:
            display(figure)


def show_those_before(figure):
    """Show the Figures that were made before this one, which is about to be shown itself."""
    from IPython.display import display

    while figure in waiting:
        first = waiting.pop(0)
        if first is not figure and first.axes:
            display(first)


def is_drawn_by_others(shell, figure):
    """Whether IPython has been told how to draw Figures."""
    for kind in IMAGES:
        formatter = shell.display_formatter.formatters.get(kind)
        if formatter is not None and formatter.enabled:
            try:
                formatter.lookup(figure)
                return True
            except KeyError:
                continue
    return False
