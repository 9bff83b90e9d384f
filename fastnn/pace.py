"""The pace of training: how many batches to hand to the kernels at a time, and whether to several threads or to one.

The weights come out the same either way, so the faster way is taken, and the other is tried again from time to time: where
other programs use the cores too, threads that wait for one another can be many times slower than one alone.
"""

SLICE = 0.05  # seconds of compiled work between two looks at the outside world: Ctrl-C, progress
TRIAL = 0.004  # seconds of the way that was slower when last tried
LONGEST_REST = 64  # slices from one trial to the next


class Pace:
    """Decides on slices of batches from how long the earlier ones took.

    parallel : bool
        Whether several threads could gain anything at all.
    """

    def __init__(self, parallel):
        self.seconds = dict.fromkeys((True, False) if parallel else (False,))  # of a batch, by whether it ran in parallel
        self.slices, self.next_trial, self.rest, self.most = 0, 4, 2, 1

    def next_slice(self, batches_left):
        """(how many batches, whether in parallel)."""
        parallel, budget = self.way()
        known = self.seconds[parallel]
        wanted = self.most if known is None else min(self.most, int(budget / known))
        return max(1, min(wanted, batches_left)), parallel

    def way(self):
        """(whether in parallel, for how many seconds)."""
        untried = [parallel for parallel, seconds in self.seconds.items() if seconds is None]
        if untried:
            return untried[0], TRIAL
        faster = min(self.seconds, key=self.seconds.get)
        if len(self.seconds) == 2 and self.slices >= self.next_trial:
            return not faster, TRIAL
        return faster, SLICE

    def record(self, batches, parallel, seconds):
        """Take note that so many batches took so long."""
        self.slices, self.most = self.slices + 1, 2 * max(self.most, batches)
        if self.slices == 1:
            return  # it loaded kernels and woke threads
        took, known = max(seconds, 1e-7) / batches, self.seconds[parallel]
        # one disturbed slice is not to count for long
        self.seconds[parallel] = took if known is None else min(took, (took + known) / 2)
        if self.slices > self.next_trial:
            self.next_trial, self.rest = self.slices + self.rest, min(2 * self.rest, LONGEST_REST)
