"""A training step of a GRU and of an LSTM, 12-64, batch 32, Adam, over 29 steps and over 7 to 29, by fastnn and PyTorch.

    python recurrence.py [threads]

PyTorch gets series of one length as one padded array, ragged ones as packed sequences, made beforehand. fastnn gets the same
sequences, and shuffles and gathers them. It needs torch.
"""

import statistics
import sys
import time

import numpy as np

from fastnn import GRU, LSTM, Adam, Dense, Network, Sequences

BATCH, BATCHES, STEPS, FEATURES, UNITS, CLASSES, ROUNDS = 32, 10, 29, 12, 64, 9, 9


def sequences(ragged):
    rng = np.random.default_rng(0)
    lengths = rng.integers(7, STEPS + 1, BATCH * BATCHES) if ragged else np.full(BATCH * BATCHES, STEPS)
    return [rng.normal(size=(n, FEATURES)).astype(np.float32) for n in lengths], rng.integers(CLASSES, size=len(lengths))


def fastnn_seconds(cell, ragged, threads):
    """Return a function that gives the seconds of a step."""
    X, y = sequences(ragged)
    data = Sequences.of_lengths(np.concatenate(X), list(map(len, X))) if ragged else np.stack(X)
    net = Network([{"gru": GRU, "lstm": LSTM}[cell](UNITS), Dense(CLASSES, "softmax")],
                  inputs=(None if ragged else STEPS, FEATURES))

    def seconds():
        start = time.perf_counter()
        net.fit(data, y, epochs=10, batch_size=BATCH, optimizer=Adam(1e-3), threads=threads, progress=False)
        return (time.perf_counter() - start) / (10 * BATCHES)

    return seconds


def torch_seconds(cell, ragged, threads):
    """Return the same of PyTorch."""
    import torch
    from torch.nn.utils.rnn import pack_sequence

    torch.set_num_threads(threads)
    X, y = sequences(ragged)
    layer, head = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](FEATURES, UNITS, batch_first=True), torch.nn.Linear(
        UNITS, CLASSES)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 1e-3, fused=True)
    batches = [(list(map(torch.from_numpy, X[k:k + BATCH])), torch.from_numpy(y[k:k + BATCH]))
               for k in range(0, len(X), BATCH)]
    batches = [(pack_sequence(x, enforce_sorted=False) if ragged else torch.stack(x), labels) for x, labels in batches]

    def step(x, labels):
        optimizer.zero_grad(set_to_none=True)
        states = layer(x)[1]
        h = states[0] if cell == "lstm" else states
        torch.nn.functional.cross_entropy(head(h[0]), labels).backward()
        optimizer.step()

    def seconds():
        start = time.perf_counter()
        for batch in batches:
            step(*batch)
        return (time.perf_counter() - start) / BATCHES

    return seconds


def main(threads=1):
    for cell in ("gru", "lstm"):
        for ragged in (False, True):
            both = [make(cell, ragged, int(threads)) for make in (fastnn_seconds, torch_seconds)]
            for seconds in both:
                seconds()
            rounds = [[seconds() for seconds in both] for _ in range(ROUNDS)]
            ours, theirs = map(statistics.median, zip(*rounds, strict=True))
            print(f"{cell}, {'7 to 29' if ragged else '29'} steps: fastnn {ours * 1e6:,.0f} µs, PyTorch "
                  f"{theirs * 1e6:,.0f} µs, {theirs / ours:.1f} times as long")


if __name__ == "__main__":
    main(*sys.argv[1:])
