"""Metrics for TensorBoard, written by tensorboardX."""

from pathlib import Path

from ..checks import path_name, true_or_false
from .experiment_logger import ExperimentLogger, imported


class TensorBoardLogger(ExperimentLogger):
    """Write the metrics of each epoch to a folder that `tensorboard --logdir FOLDER` shows.

    It needs tensorboardX, not TensorFlow: ``pip install "fastnn-numba[tensorboard]"``. Charts of training and validation
    stand side by side: the tags are "loss/train" and "loss/validation". Epochs count from 1. A resumed fit continues the
    curves.

    Parameters
    ----------
    folder : path, default "runs"
        The folder of this run; runs to compare are folders beside each other.
    histograms : bool, default False
        Whether to write histograms of all parameters too.

    Examples
    --------
    >>> from fastnn import TensorBoardLogger
    >>> logger = TensorBoardLogger("runs/first")
    >>> # net.fit(X, y, epochs=10, callbacks=[logger])
    """

    def __init__(self, folder="runs", histograms=False):
        self.folder = Path(path_name("TensorBoardLogger(folder=...)", folder))
        self.histograms = true_or_false("TensorBoardLogger(histograms=...)", histograms)

    def open(self, settings):
        writer = imported("tensorboardX", "tensorboardX", "tensorboard").SummaryWriter
        done = self.network.fits.last.epoch.number if self.resumed is not None else None
        # files are named by the second; the suffix keeps those of a fit that is resumed at once apart
        self.run = writer(str(self.folder), purge_step=None if done is None else done + 1,
                          filename_suffix="" if done is None else f".{done}")
        if self.resumed is None:
            self.run.add_text("fit", "\n".join(f"    {name}: {value}" for name, value in settings.items()))

    def log(self, epoch, values):
        for name, value in values.items():
            self.run.add_scalar(tag(name), value, epoch)
        if self.histograms:
            for name, array in self.network.parameters.items():
                self.run.add_histogram(f"parameters/{name}", array, epoch)
        self.run.flush()

    def close(self):
        self.run.close()

    def told_apart_by(self):
        return {"folder": str(self.folder)}


def tag(name):
    """Return the name in TensorBoard of a metric."""
    if name == "learning_rate":
        return name
    return f"{name[4:]}/validation" if name.startswith("val_") else f"{name}/train"
