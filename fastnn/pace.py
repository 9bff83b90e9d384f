"""The pace of training: how many batches to hand to the kernels at a time, and whether to several threads or to one.

The weights come out the same either way, so the faster way is taken, and the other is tried again from time to time: where
other programs use the cores too, threads that wait for one another can be many times slower than one alone.
"""

SLICE = 0.05  # seconds of compiled work between two looks at the outside world: Ctrl-C, progress
TRIAL = 0.004  # seconds of the way that was slower when last tried
WAKING = 2  # batches that several threads are given to wake up in, before they are timed
LONGEST_REST = 64  # slices from one trial to the next


class Pace:
    """Decides on slices of batches from how long the earlier ones took.

    parallel : bool
        Whether several threads could gain anything at all.
    """

    def __init__(self, parallel):
        self.seconds = dict.fromkeys((True, False) if parallel else (False,))  # of a batch, by whether it ran in parallel
        self.slices, self.next_trial, self.rest, self.most = 0, 4, 2, 1
        self.awake = False

    def start(self):
        """A fit begins; threads may have gone to sleep since the last one."""
        self.awake = False

    def next_slice(self, batches_left):
        """(how many batches, whether in parallel)."""
        parallel, budget = self.way()
        known = min((seconds for seconds in self.seconds.values() if seconds is not None), default=None)
        wanted = self.most if known is None else min(self.most, int(budget / known))
        if parallel and not self.awake:
            wanted = min(wanted, WAKING)
        return max(1, min(wanted, batches_left)), parallel

    def way(self):
        """(whether in parallel, for how many seconds)."""
        for parallel, seconds in self.seconds.items():
            if seconds is None:
                return parallel, TRIAL
        faster = min(self.seconds, key=self.seconds.get)
        if len(self.seconds) == 2 and self.slices >= self.next_trial:
            return not faster, TRIAL
        return faster, SLICE

    def record(self, batches, parallel, seconds):
        """Take note that so many batches took so long."""
        self.most = 2 * max(self.most, batches)
        took, known = max(seconds, 1e-7) / batches, self.seconds[parallel]
        alone = self.seconds[False]
        slept, self.awake = parallel and not self.awake, parallel
        if self.slices == 0 or (slept and not (alone and took > 3 * alone)):
            self.slices += self.slices == 0
            return  # kernels were loaded, or threads woken
        self.slices += 1
        # one disturbed slice is not to count for long
        self.seconds[parallel] = took if known is None else min(took, (took + known) / 2)
        if self.slices > self.next_trial:
            self.next_trial, self.rest = self.slices + self.rest, min(2 * self.rest, LONGEST_REST)
