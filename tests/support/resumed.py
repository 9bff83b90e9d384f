"""Fits that are stopped and resumed, for several test files."""

from nets import LABELS, X

from fastnn import Callback, Network

EPOCHS, BATCH = 6, 4
BATCHES = -(-len(X) // BATCH)  # 6, the last of 3 samples
OPTIONS = {"batch_size": BATCH, "validation_data": (X[:9], LABELS[:9])}


class StopAfter(Callback):
    """Stops, by a flag or by an exception, after so many batches of the fit."""

    def __init__(self, batches, error=None):
        self.left, self.error = batches, error

    def on_train_batch_end(self, batch, logs):
        self.left -= 1
        if self.left == 0:
            self.network.stop_training = True
            if self.error is not None:
                raise self.error


def run(net, epochs=EPOCHS, **options):
    return net.fit(X, LABELS, epochs=epochs, **OPTIONS | options)


def again(net, path, by):
    """Return the network in its current state, in the same process or from a file."""
    if by == "memory":
        return net
    net.save_checkpoint(path)
    return Network.load_checkpoint(path)
