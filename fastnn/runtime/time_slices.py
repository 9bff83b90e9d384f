"""The pace of training: how many batches to hand to the kernels at a time, so that Ctrl-C and progress are soon seen to."""

import time

SLICE = 0.05  # seconds of compiled work between two looks at the outside world


class Pace:
    """Decides on slices of batches from how long the earlier ones took."""

    def __init__(self):
        self.seconds, self.most = None, 1

    def next_slice(self, batches_left):
        """How many batches."""
        wanted = self.most if self.seconds is None else min(self.most, int(SLICE / self.seconds))
        return max(1, min(wanted, batches_left))

    def timed(self, work, first_batch, last_batch):
        """What work(first_batch, last_batch) returns; takes note of how long it took."""
        start = time.perf_counter()
        outcome = work(first_batch, last_batch)
        self.record(last_batch - first_batch, time.perf_counter() - start)
        return outcome

    def record(self, batches, seconds):
        """Take note that so many batches took so long."""
        self.most = 2 * max(self.most, batches)
        took = max(seconds, 1e-7) / batches
        # the first slice may load kernels, and one that others disturbed is not to count for long
        self.seconds = took if self.seconds is None else min(took, (took + self.seconds) / 2)
