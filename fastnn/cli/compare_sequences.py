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
    given = {"x": setting.random(offsets[-1], features), "da": setting.random(batch, features)}
    arguments = *(given[argument] for argument in FUNCTIONS[name]), offsets
    runs = [partial(getattr(rung, name), *arguments) for rung in (naive, vectorized)]
    return f"{batch} of {LONGEST}×{features}", *runs, partial(getattr(compiled, name), *arguments, threads=setting.threads)


GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}


def recurrent_runs(name, setting):
    """(size, loops, NumPy, compiled) of a recurrent layer over sequences of different lengths."""
    samples, most, in_features, out_features = setting.sequences
    cell, _, phase = name.rpartition("_")
    offsets = np.concatenate([[0], np.cumsum(most - np.arange(samples) % (most // 2))])
    columns = GATES[cell] * out_features
    given = [setting.random(offsets[-1], in_features), offsets, *(0.2 * setting.random(*shape) for shape in (
        (in_features, columns), (out_features, columns), (columns,), (columns,)))]
    if cell != "gru":  # the only one with a bias of the recurrent product
        given.pop()
    if phase == "backward":
        given.insert(0, setting.random(samples, out_features))
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return "×".join(map(str, setting.sequences)), *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


def embedding_runs(name, setting):
    """The same of an embedding of as many tokens as there are rows."""
    count, features = setting.shape
    x = np.arange(count)[::-1] * 7 % count
    arguments = (x, setting.random(count, features)) if name.endswith("forward") else (
        setting.random(count, features), x, count)
    runs = [partial(getattr(rung, name), *arguments) for rung in (naive, vectorized)]
    return f"{count} of {count}×{features}", *runs, partial(getattr(compiled, name), *arguments, threads=setting.threads)


def ctc_runs(name, setting):
    """The same of sequences of labels, of a third as many labels as steps."""
    batch, classes = setting.shape[0], min(setting.shape[1], 32)
    lengths = 3 + np.arange(batch) % LONGEST
    labels = [1 + np.arange(length // 3) * 7 % (classes - 1) for length in lengths]
    offsets, label_offsets = (np.concatenate([[0], np.cumsum(each)]) for each in (lengths, [*map(len, labels)]))
    arguments = setting.random(offsets[-1], classes), offsets, np.concatenate(labels), label_offsets
    runs = [partial(getattr(rung, name), *arguments) for rung in (naive, vectorized)]
    return f"{batch} of {LONGEST}×{classes}", *runs, partial(getattr(compiled, name), *arguments, threads=setting.threads)


def attention_runs(name, setting):
    """The same of sequences of 1, 2, … steps that attend to themselves."""
    batch, features = setting.shape
    offsets = [0, *np.cumsum(1 + np.arange(batch) % LONGEST).tolist()]
    given = [setting.random(offsets[-1], features) for _ in range(3 + name.endswith("backward"))]
    runs = [partial(getattr(rung, name), *given, offsets) for rung in (naive, vectorized)]
    return (f"{batch} of {LONGEST}×{features}", *runs,
            partial(getattr(compiled, name), *given, offsets, threads=setting.threads))


def attention_pool_runs(name, setting):
    """The same of a learned mean of sequences of 1, 2, … steps."""
    batch, features = setting.shape
    offsets = [0, *np.cumsum(1 + np.arange(batch) % LONGEST).tolist()]
    given = setting.random(offsets[-1], features), offsets, setting.random(features)
    given = (setting.random(batch, features), *given) if name.endswith("backward") else given
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return f"{batch} of {LONGEST}×{features}", *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


def position_runs(name, setting):
    """The same of learned positions of sequences of 1, 2, … steps."""
    batch, features = setting.shape
    offsets = [0, *np.cumsum(1 + np.arange(batch) % LONGEST).tolist()]
    second = LONGEST if name.endswith("backward") else setting.random(LONGEST, features)
    given = setting.random(offsets[-1], features), second, offsets
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return f"{batch} of {LONGEST}×{features}", *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


# for each function the arguments before the offsets
FUNCTIONS = {"last_step_forward": ("x",), "last_step_backward": ("da",), "average_over_time_forward": ("x",),
             "average_over_time_backward": ("da",), "max_over_time_forward": ("x",), "max_over_time_backward": ("da", "x"),
             "positional_encoding_forward": ("x",)}
SEQUENCE_RUNS = {name: partial(over_time_runs, name) for name in FUNCTIONS}
SEQUENCE_RUNS |= {name: partial(embedding_runs, name) for name in ("embedding_forward", "embedding_backward")}
SEQUENCE_RUNS |= {name: partial(position_runs, name)
                  for name in ("position_embedding_forward", "position_embedding_backward")}
SEQUENCE_RUNS |= {name: partial(ctc_runs, name) for name in ("ctc_loss", "ctc_loss_gradient")}
SEQUENCE_RUNS |= {f"{cell}_{phase}": partial(recurrent_runs, f"{cell}_{phase}")
                  for cell in GATES for phase in ("forward", "backward")}
SEQUENCE_RUNS |= {name: partial(attention_runs, name) for name in ("attention_forward", "attention_backward")}
SEQUENCE_RUNS |= {name: partial(attention_pool_runs, name)
                  for name in ("attention_pool_forward", "attention_pool_backward")}
