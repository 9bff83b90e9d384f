"""A training step of an encoder and a decoder with attention, by fastnn, PyTorch and JAX.

    python asv_bench/translation.py [--libraries fastnn torch jax] [--rounds 5] [--units 64] [--batch 64]

Words of 4 to 14 letters become words of 4 to 14 phonemes: an embedding and a GRU read, the last state begins a GRU that
writes, with dot-product attention to the states of the first, a dense layer of tanh and one of softmax. All train by Adam in
float32. fastnn takes the words as they are; PyTorch packs them for its GRUs, and pads for the attention, with a mask; JAX
pads everything to 14, with masks, and has the whole epoch in one compiled scan. Each library has a process of one thread,
which runs an epoch when it is its turn; the medians of the rounds are compared.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

import numpy as np

LETTERS, PHONEMES, FEATURES, SHORTEST, LONGEST = 28, 41, 32, 4, 14
STEPS, RATE = 40, 1e-3


def data(batch):
    """Return words and phonemes, lists of arrays of tokens."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(SHORTEST, LONGEST + 1, size=(2, STEPS * batch))
    return tuple([rng.integers(1, tokens - 1, size=n) for n in own] for own, tokens in
                 zip(lengths, (LETTERS, PHONEMES), strict=True))


def padded(sequences):
    out = np.zeros((len(sequences), max(map(len, sequences))), np.int64)
    for row, each in zip(out, sequences, strict=True):
        row[:len(each)] = each
    return out


def fastnn_epoch(units, batch):
    from fastnn import GRU, Adam, Attention, Concatenate, Dense, Embedding, Input, LastStep, Network
    from fastnn.decoding import teacher_forcing

    words, phonemes = data(batch)
    source, target = Input((None,), name="source"), Input((None,), name="target")
    read = GRU(units, return_sequences=True)(Embedding(LETTERS, FEATURES)(source))
    steps = GRU(units, return_sequences=True)(Embedding(PHONEMES, FEATURES)(target), initial_state=LastStep()(read))
    seen = Attention()(steps, read)
    h = Dense(units, "tanh")(Concatenate()(steps, seen))
    net = Network(inputs=[source, target], outputs=Dense(PHONEMES, "softmax")(h))
    given, wanted = teacher_forcing(phonemes, PHONEMES - 1)
    optimizer, X = Adam(learning_rate=RATE), {"source": words, "target": given}
    return lambda: net.fit(X, wanted, epochs=1, batch_size=batch, optimizer=optimizer, threads=1, progress=False)


def torch_epoch(units, batch):
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    torch.set_num_threads(1)
    words, phonemes = data(batch)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.letters, self.phonemes = nn.Embedding(LETTERS, FEATURES), nn.Embedding(PHONEMES, FEATURES)
            self.reader, self.writer = (nn.GRU(FEATURES, units, batch_first=True) for _ in range(2))
            self.mixed, self.output = nn.Linear(2 * units, units), nn.Linear(units, PHONEMES)

        def forward(self, x, lengths, given, steps):
            packed = pack_padded_sequence(self.letters(x), lengths, batch_first=True, enforce_sorted=False)
            read, state = self.reader(packed)
            read, _ = pad_packed_sequence(read, batch_first=True)
            packed = pack_padded_sequence(self.phonemes(given), steps, batch_first=True, enforce_sorted=False)
            written, _ = pad_packed_sequence(self.writer(packed, state)[0], batch_first=True)
            scores = written @ read.transpose(1, 2) / units**0.5
            there = torch.arange(read.shape[1]) < lengths[:, None]
            seen = scores.masked_fill(~there[:, None], -torch.inf).softmax(-1) @ read
            return self.output(torch.tanh(self.mixed(torch.cat([written, seen], -1))))

    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    ends = [np.append(each, PHONEMES - 1) for each in phonemes]
    begun = [np.append(PHONEMES - 1, each) for each in phonemes]
    rng = np.random.default_rng(1)

    def epoch():
        order = rng.permutation(len(words))
        for first in range(0, len(order), batch):
            rows = order[first:first + batch]
            lengths, steps = (torch.tensor([len(each[row]) for row in rows]) for each in (words, begun))
            x, given, wanted = (torch.from_numpy(padded([each[row] for row in rows])) for each in (words, begun, ends))
            there = torch.arange(wanted.shape[1]) < steps[:, None]
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(net(x, lengths, given, steps)[there], wanted[there]).backward()
            optimizer.step()

    return epoch


def jax_epoch(units, batch):
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    import jax.numpy as jnp

    words, phonemes = data(batch)
    x = padded(words)
    given, wanted = (padded(each) for each in ([np.append(PHONEMES - 1, each) for each in phonemes],
                                               [np.append(each, PHONEMES - 1) for each in phonemes]))
    lengths, steps = (np.array([len(each) for each in own]) for own in (words, phonemes))
    arrays = [jnp.asarray(each) for each in (x, lengths, given, steps + 1, wanted)]
    keys = iter(jax.random.split(jax.random.key(0), 16))

    def weight(rows, columns):
        return jax.random.normal(next(keys), (rows, columns)) * rows**-0.5

    def cell():
        return weight(FEATURES, 3 * units), weight(units, 3 * units), jnp.zeros(3 * units), jnp.zeros(3 * units)

    weights = {"letters": weight(LETTERS, FEATURES), "phonemes": weight(PHONEMES, FEATURES), "reader": cell(),
               "writer": cell(), "mixed": (weight(2 * units, units), jnp.zeros(units)),
               "output": (weight(units, PHONEMES), jnp.zeros(PHONEMES))}

    def gru(weights, x, lengths, h):
        weight, recurrent, bias, second = weights
        gates = jnp.swapaxes(x, 0, 1) @ weight + bias

        def step(h, given):
            z, t = given
            r, u, n = jnp.split(z, 3, axis=1)
            own_r, own_u, own_n = jnp.split(h @ recurrent + second, 3, axis=1)
            r, u = jax.nn.sigmoid(r + own_r), jax.nn.sigmoid(u + own_u)
            n = jnp.tanh(n + r * own_n)
            h = jnp.where((t < lengths)[:, None], n + u * (h - n), h)
            return h, h

        last, states = jax.lax.scan(step, h, (gates, jnp.arange(len(gates))))
        return last, jnp.swapaxes(states, 0, 1)

    def loss(weights, x, lengths, given, steps, wanted):
        last, read = gru(weights["reader"], weights["letters"][x], lengths, jnp.zeros((len(x), units)))
        _, written = gru(weights["writer"], weights["phonemes"][given], steps, last)
        scores = written @ jnp.swapaxes(read, 1, 2) / units**0.5
        there = jnp.arange(read.shape[1]) < lengths[:, None]
        seen = jax.nn.softmax(jnp.where(there[:, None], scores, -jnp.inf)) @ read
        h = jnp.tanh(jnp.concatenate([written, seen], -1) @ weights["mixed"][0] + weights["mixed"][1])
        p = jax.nn.log_softmax(h @ weights["output"][0] + weights["output"][1])
        each = -jnp.take_along_axis(p, wanted[..., None], axis=-1)[..., 0]
        counted = jnp.arange(wanted.shape[1]) < steps[:, None]
        return jnp.sum(jnp.where(counted, each, 0)) / jnp.sum(counted)

    tree_map = jax.tree_util.tree_map

    def step(state, rows):
        weights, m, v, t = state
        gradients, t = jax.grad(loss)(weights, *(each[rows] for each in arrays)), t + 1
        m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
        v = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
        rate, root = RATE / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        return (tree_map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + 1e-8), weights, m, v), m, v, t), None

    @jax.jit
    def train(state, key):
        return jax.lax.scan(step, state, jax.random.permutation(key, len(x)).reshape(-1, batch))[0]

    zeros = tree_map(jnp.zeros_like, weights)
    state, key = (weights, zeros, zeros, jnp.float32(0)), jax.random.key(1)

    def epoch():
        nonlocal state, key
        key, draw = jax.random.split(key)
        state = jax.block_until_ready(train(state, draw))

    return epoch


EPOCHS = {"fastnn": fastnn_epoch, "torch": torch_epoch, "jax": jax_epoch}


def serve(name, units, batch):
    """Answer each line of input with the seconds of processor and of wall that an epoch took."""
    epoch = EPOCHS[name](units, batch)
    epoch()
    print("ready", flush=True)
    for _ in sys.stdin:
        processor, wall = time.process_time(), time.perf_counter()
        epoch()
        print(time.process_time() - processor, time.perf_counter() - wall, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", nargs="+", choices=EPOCHS, default=list(EPOCHS))
    for name, default in (("rounds", 5), ("units", 64), ("batch", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--serve", choices=EPOCHS, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.serve:
        serve(parsed.serve, parsed.units, parsed.batch)
        return
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC"), "1")
    environment = os.environ | one | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    command = [sys.executable, __file__, "--units", str(parsed.units), "--batch", str(parsed.batch), "--serve"]
    processes = {name: subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment) for name in parsed.libraries}
    for name, process in processes.items():
        if process.stdout.readline() != "ready\n":
            parser.error(f"{name} did not start; install it, or leave it out of --libraries")
    found = {name: [] for name in processes}
    for _ in range(parsed.rounds):
        for name, process in processes.items():
            print(file=process.stdin, flush=True)
            found[name].append([float(number) / STEPS for number in process.stdout.readline().split()])
    for process in processes.values():
        process.stdin.close()
        process.wait()
    medians = {name: [statistics.median(each) for each in zip(*rounds, strict=True)] for name, rounds in found.items()}
    print(f"a step of {parsed.batch} words, {parsed.units} units, one thread; medians of {parsed.rounds} rounds")
    for name, (processor, wall) in medians.items():
        ratio = processor / medians[parsed.libraries[0]][0]
        print(f"{name:8}{1e6 * processor:10.0f} µs of processor, {1e6 * wall:.0f} in all; {ratio:.2f} times "
              f"{parsed.libraries[0]}")


if __name__ == "__main__":
    main()
