"""What `fastnn compare` runs of joins: for each function the arguments that the three rungs take."""

from functools import partial

from .. import compiled, naive, vectorized


def arguments(name, setting):
    """Return the arguments of a function for tensors (batch, features)."""
    batch, features = setting.shape
    x, y, da = setting.random(3, batch, features)
    half = features // 2
    return {
        "weighted_sum_forward": ([x, y], [0.5, 0.5]),
        "weighted_sum_backward": (da, [0.5, 0.5]),
        "multiply_forward": ([x, y],),
        "multiply_backward": (da, [x, y]),
        "maximum_forward": ([x, y],),
        "maximum_backward": (da, [x, y]),
        "concatenate_forward": ([x, y],),
        "concatenate_backward": (da, [half, features - half]),
        "slice_forward": (x, 1, features),
        "slice_backward": (da, 2 * features, 1),
        "dot_forward": (x, y, True),
        "dot_backward": (da[:, :1], x, y, True),
    }[name]


def join_runs(name, setting):
    """Return (size, loops, NumPy, compiled) of a function."""
    given = arguments(name, setting)
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return "×".join(map(str, setting.shape)), *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


JOINS = "weighted_sum", "multiply", "maximum", "concatenate", "slice", "dot"
JOIN_RUNS = {name: partial(join_runs, name) for join in JOINS for name in (f"{join}_forward", f"{join}_backward")}
