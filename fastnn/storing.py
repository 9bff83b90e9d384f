"""Networks in files: our own, checkpoints of a fit, and those of others."""

import os
from collections.abc import Mapping, Sequence
from typing import Self

from . import checkpoint, files, onnx, torch_weights
from .checks import path_name


class Storing:
    """The part of `Network` that writes and reads files."""

    def save(self, path: str | os.PathLike) -> None:
        """Write the network to a safetensors file, whole or not at all.

        While another thread trains it, some of its numbers may be from before a step and others from after it; a callback
        saves what stands between two steps.
        """
        files.save(self, path_name("path", path))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read a network that `save` wrote; ModelFormatError if the file is not one."""
        return files.load(cls, path_name("path", path))

    def to_onnx(self, path: str | os.PathLike) -> None:
        """Write the network to an ONNX file that other runtimes can run; see `fastnn.onnx.export`."""
        onnx.export(self, path_name("path", path))

    def load_torch(self, source: str | os.PathLike | Mapping, layers: Sequence[str] | None = None) -> None:
        """Take over the weights of a PyTorch `state_dict`; see `fastnn.torch_weights.load_torch`."""
        torch_weights.load_torch(self, source, layers)

    def save_checkpoint(self, path: str | os.PathLike) -> None:
        """Write the network and where its last fit stands, all that it takes to go on with it, whole or not at all.

        That is, beside the weights: the optimizer's hyperparameters, memory and number of steps, the epoch and the batch,
        the random state, the history, and the state of the callbacks. It can be called after a fit, also one that was
        interrupted, and from a callback, best one with `runs_last`; `ModelCheckpoint(path, full=True)` is one. The data are
        not in the file. (A pickle or a copy of a network holds its weights and random state alone.)

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from fastnn import Adam, Dense, LambdaCallback, Network
        >>> X, y = np.linspace(0, 1, 100)[:, None], np.linspace(0, 2, 100)
        >>> def stop(batch, logs):
        ...     net.stop_training = batch == 5
        >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
        >>> history = net.fit(X, y, epochs=9, batch_size=10, optimizer=Adam(0.01),
        ...                   callbacks=[LambdaCallback(on_train_batch_end=stop)])
        >>> path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
        >>> net.save_checkpoint(path)
        >>> resumed = Network.load_checkpoint(path)
        >>> history = resumed.fit(X, y, epochs=9, batch_size=10, resume=True)
        >>> never_stopped = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
        >>> history["loss"] == never_stopped.fit(X, y, epochs=9, batch_size=10, optimizer=Adam(0.01))["loss"]
        True
        """
        checkpoint.save(self, path_name("path", path))

    @classmethod
    def load_checkpoint(cls, path: str | os.PathLike) -> Self:
        """Read what `save_checkpoint` wrote, to go on with `fit(..., resume=True)`; ModelFormatError if it is none."""
        return checkpoint.load(cls, path_name("path", path))
