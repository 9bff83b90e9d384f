"""What `fastnn compare` runs of layers over time: for each function the arguments that the three rungs take."""

from functools import partial

import numpy as np

from .. import compiled, naive, vectorized

LONGEST = 12  # steps


def over_time_runs(name, setting):
    """(size, loops, NumPy, compiled) of a function of sequences of 1, 2, … steps."""
    batch, features = setting.shape
    lengths = 1 + np.arange(batch) % LONGEST
    offsets = [0, *np.cumsum(lengths).tolist()]
    given = setting.random(batch if name.endswith("backward") else offsets[-1], features), offsets
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return f"{batch} of {LONGEST}×{features}", *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


SEQUENCE_RUNS = {name: partial(over_time_runs, name) for name in ("last_step_forward", "last_step_backward")}
