"""Steps of batches that are computed in several passes: the gradients of the passes add up, and one update follows.

A pass has as many samples as fit into memory. The loss of a batch is the mean over its samples, so that of a pass is a sum
with the weights of its samples divided by the weight of the whole batch. These shares are the weights that kernels read,
computed anew for each order of the samples.
"""

from dataclasses import replace

import numpy as np

from ..kernels.interpreter.interpreter import DIVERGED, LOSS_SUM, SAMPLES, WEIGHT_SUM, train_kernel
from ..kernels.interpreter.table import NOT_FINITE, ROW_BYTES
from ..layers.custom.failure import FAILURE_OF_LAYER, failure_of, has_failed
from ..runtime.threads import launch
from .base import address
from .results import new_totals
from .training import TrainingProgram


class AccumulatedProgram(TrainingProgram):
    """Forward, loss, backward over passes of a batch, then its update.

    passes: the number of passes of a batch; `batch` is then the number of samples of a pass.
    """

    changes_when_stopped = True  # layers advance their state in each pass

    def __init__(self, network, data, batch, threads, optimizer_state, order, passes):
        self.weights = sample_weights(data)  # float64, of samples or, with targets at steps, of steps
        data = replace(data, weights=np.empty(self.weights.shape, data.dtype))
        order = np.arange(data.samples) if order is None else order
        super().__init__(network, data, batch, threads, optimizer_state, order, normalize=False)
        self.passes, self.of_pass = passes, new_totals(0)
        self.all_rows = int(self.frame["updates"])

    def list_of_used(self, index, size):
        """As in general, but the list does not begin with a pass: `forget_used` begins it."""
        return super().list_of_used(index, size)[0], False

    def forget_used(self):
        """Clear the gradients of the last step, where a layer only lists which of them it has used."""
        if self.used:
            self.gradients[:] = 0
        for used in self.used.values():
            used[0], used[1 + len(used) // 2:] = 0, 0  # none is listed, and none is marked as listed

    @property
    def size(self):
        """The number of samples of a batch."""
        return self.batch * self.passes

    @property
    def batches(self):
        return -(-self.data.samples // self.size)

    @property
    def done(self):
        return -(-int(self.totals[SAMPLES]) // self.size)

    def share_weights(self):
        """Compute the weights of the samples in the current order, as shares of those of their batch."""
        data, shares = self.data, self.data.weights
        begins = np.arange(0, data.samples, self.size)
        if data.targets.offsets is None:
            own = self.weights.reshape(len(self.weights), -1).sum(axis=1)[self.order]
            self.of_batch = np.add.reduceat(own, begins)
            if self.weights.ndim == 1:
                self.of_batch = self.of_batch * data.positions
            scale = np.repeat(reciprocals(self.of_batch), self.size)[:data.samples]
            shares[self.order] = self.weights[self.order] * scale.reshape(-1, *(1,) * (self.weights.ndim - 1))
            return
        offsets = data.targets.offsets
        sums = np.concatenate([[0.0], np.cumsum(self.weights)])
        own = (sums[offsets[1:]] - sums[offsets[:-1]])[self.order]
        self.of_batch, scale = np.add.reduceat(own, begins), np.empty(len(offsets) - 1)
        scale[self.order] = np.repeat(reciprocals(self.of_batch), self.size)[:data.samples]
        shares[:] = self.weights * np.repeat(scale, np.diff(offsets))

    def run_batches(self, first_batch, last_batch, accumulate=False):
        """Train these batches; return None, or the number of one where it stopped: state may have changed then."""
        for batch in range(first_batch, last_batch):
            if not self.run_passes(batch):
                return batch
        return None

    def run_passes(self, batch):
        """Train one batch; return whether it was taken."""
        first, of_pass = batch * self.size, self.of_pass
        samples = min(self.size, self.data.samples - first)
        passes = -(-samples // self.batch)
        self.call["order"], self.call["samples"] = address(self.order[first:]), samples
        of_pass[:] = 0
        self.forget_used()
        if passes > 1:
            self.train_passes(0, passes - 1, 0)
        if of_pass[DIVERGED] == 0:
            self.train_passes(passes - 1, passes, self.all_rows)
        if self.found[NOT_FINITE] == FAILURE_OF_LAYER or (self.found[NOT_FINITE] and has_failed(self.network)):
            raise failure_of(self.network)
        if of_pass[DIVERGED] != 0:
            return False
        weight = float(self.of_batch[batch])  # the loss is that of the whole batch; totals have it times its weight
        of_pass[LOSS_SUM], of_pass[WEIGHT_SUM] = of_pass[LOSS_SUM] * weight, weight
        self.totals += of_pass
        return True

    def train_passes(self, first, last, updates):
        """Run some passes of a batch with so many rows of the update."""
        frame = self.frame
        frame["table"], frame["updates"] = address(self.table) + ROW_BYTES * (self.all_rows - updates), updates
        frame["first_batch"], frame["last_batch"], frame["accumulate"] = first, last, True
        frame["totals"] = address(self.of_pass)
        flops = 6 * (last - first) * self.batch * self.data.mean_steps * self.network.multiply_adds
        launch(train_kernel, frame, self.parts_used, flops)

    def samples_in(self, batch):
        return int(self.call["batch"])


def sample_weights(data):
    """Return the weights of samples, or of steps that have targets, in float64."""
    if data.weights is not None:
        return data.weights.astype(np.float64)
    offsets = data.targets.offsets
    return np.ones(len(data.X) if offsets is None else offsets[-1])


def reciprocals(weights):
    """Return 1 / w, and 0 for a batch whose samples do not count."""
    return np.divide(1.0, weights, out=np.zeros(len(weights)), where=weights > 0)
