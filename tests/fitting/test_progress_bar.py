"""The progress bar: when it is shown, and that it never ends a fit."""

import io
import sys
from functools import partial

import pytest
from nets import LABELS, X, classifier
from patience import PATIENCE

from fastnn import EpochLog, LambdaCallback
from fastnn.fitting import progress


def test_progress_bar(capsys):
    classifier().fit(X, LABELS, epochs=2, progress=True)
    assert "batch" in capsys.readouterr().err
    classifier().fit(X, LABELS, epochs=2)
    assert capsys.readouterr().err == ""


def test_the_bar_shows_epoch_and_metrics(capsys, monkeypatch):
    monkeypatch.setattr(progress, "METRICS_EVERY", 0)
    classifier().fit(X, LABELS, epochs=2, batch_size=4, validation_data=(X, LABELS), progress=True,
                     callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: None)])
    shown = capsys.readouterr().err
    for word in ("epoch 2/2", "12/12", "accuracy=", "val_loss="):
        assert word in shown


@pytest.mark.parametrize("terminal", [True, False])
def test_unasked_it_is_for_terminals(terminal, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with progress.Progress(None, 2, 5, 0) as bar:
        assert (bar.bar is not None) == terminal
        assert bar.bar is None or bar.bar.delay == progress.DELAY


def test_a_log_of_epochs_takes_its_place(capsys, monkeypatch):
    """A bar would stand between the lines, and stay half full in a saved notebook."""
    monkeypatch.setattr(progress, "to_terminal", lambda: True)
    monkeypatch.setattr(progress, "DELAY", 0)
    for callbacks, progress_given, shown in (([], None, True), ([EpochLog()], None, False), ([EpochLog()], True, True)):
        classifier().fit(X, LABELS, epochs=2, callbacks=callbacks, progress=progress_given)
        assert ("batch" in capsys.readouterr().err) == shown


class Broken(io.StringIO):
    """A terminal that accepts a limited number of writes, as if its window were closed."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces

    def isatty(self):
        return True

    def write(self, text):
        self.pieces -= 1
        if self.pieces < 0:
            raise BrokenPipeError("the reader has gone")
        return len(text)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("shown", [None, True])
@pytest.mark.parametrize("stream", [lambda: None, closed, *[partial(Broken, n) for n in (0, 1, 2, 5)]])
def test_a_bar_that_cannot_be_shown_ends_no_fit(stream, shown, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    monkeypatch.setattr(sys, "stderr", stream())
    history = classifier().fit(X, LABELS, epochs=3, batch_size=4, progress=shown,
                               callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: None)])
    assert len(history["loss"]) == 3


def test_in_a_notebook_it_is_the_notebooks():
    """In a Jupyter kernel, if Jupyter is installed."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("ipywidgets")
    start = ("import numpy as np\n"
             "from fastnn import Dense, Network\nfrom fastnn.fitting import progress\n"
             "progress.DELAY = 0")
    fit = "Network([Dense(1)], inputs=1).fit(np.ones((9, 1)), np.ones(9), epochs=3{});"
    shown = {"": True, ", progress=True": True, ", progress=False": False}
    cells = [nbformat.v4.new_code_cell(code) for code in (start, *map(fit.format, shown))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=PATIENCE, startup_timeout=PATIENCE).execute()
    for cell, expected in zip(notebook.cells[1:], shown.values(), strict=True):
        views = [view for output in cell.outputs for view in output.get("data", {}) if "widget" in view]
        assert bool(views) == expected, cell
