"""Time slices: how many batches the kernels run in one call, so that Ctrl-C and progress are handled soon."""

import time

SLICE = 0.05  # seconds of compiled work in one call


class Pace:
    """Chooses the number of batches of a slice from the durations of earlier slices."""

    def __init__(self):
        self.seconds, self.most = None, 1

    def next_slice(self, batches_left):
        """Return the number of batches of the next slice."""
        wanted = self.most if self.seconds is None else min(self.most, int(SLICE / self.seconds))
        return max(1, min(wanted, batches_left))

    def timed(self, work, first_batch, last_batch):
        """Return work(first_batch, last_batch), and record its duration."""
        start = time.perf_counter()
        outcome = work(first_batch, last_batch)
        self.record(last_batch - first_batch, time.perf_counter() - start)
        return outcome

    def record(self, batches, seconds):
        """Record that `batches` batches took `seconds`."""
        self.most = 2 * max(self.most, batches)
        took = max(seconds, 1e-7) / batches
        # the first slice may load kernels, and a slice disturbed by other programs must not have a lasting effect
        self.seconds = took if self.seconds is None else min(took, (took + self.seconds) / 2)
