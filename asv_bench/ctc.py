"""CTC: the loss and its gradient in the logits, by fastnn, PyTorch and optax (JAX), on one thread.

    python ctc.py [classes]

32 sequences of 100 steps, 30 classes, 10 to 20 labels each, float32. fastnn and PyTorch get sequences of any length as they
take them, here of one length, so that no padding is in the figures; optax is compiled. Times are of the processor; the
libraries have their turns in each round. It needs torch, jax and optax.
"""

import os
import statistics
import sys
import time

import numpy as np
from peers.process import environment  # the folder beside this file

from fastnn.compiled.ctc_calls import loss_and_gradient

BATCH, STEPS, ROUNDS, CALLS = 32, 100, 15, 20


def data(classes):
    """Return logits (batch, steps, classes) and a list of labels."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(BATCH, STEPS, classes)).astype(np.float32)
    return z, [rng.integers(1, classes, size=n) for n in rng.integers(10, 21, size=BATCH)]


def fastnn_call(z, labels):
    steps, offsets = np.ascontiguousarray(z.reshape(-1, z.shape[2])), np.arange(BATCH + 1) * STEPS
    joined, label_offsets = np.concatenate(labels), np.cumsum([0, *map(len, labels)])
    return lambda: loss_and_gradient(steps, offsets, joined, label_offsets, None, 1)


def torch_call(z, labels):
    import torch

    torch.set_num_threads(1)
    logits = torch.from_numpy(z.swapaxes(0, 1).copy()).requires_grad_()
    joined, lengths = torch.from_numpy(np.concatenate(labels)), tuple(map(len, labels))

    def call():
        logits.grad = None
        log_p = logits.log_softmax(2)
        loss = torch.nn.functional.ctc_loss(log_p, joined, (STEPS,) * BATCH, lengths, reduction="sum") / BATCH
        loss.backward()
        return loss.item(), logits.grad.numpy().swapaxes(0, 1).reshape(-1, z.shape[2])

    return call


def optax_call(z, labels):
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    import jax.numpy as jnp
    import optax

    most = max(map(len, labels))
    padded = jnp.asarray([[*each, *[0] * (most - len(each))] for each in labels])
    label_paddings = jnp.asarray([[0.0] * len(each) + [1.0] * (most - len(each)) for each in labels])
    paddings, logits = jnp.zeros(z.shape[:2]), jnp.asarray(z)
    both = jax.jit(jax.value_and_grad(lambda z: optax.ctc_loss(z, paddings, padded, label_paddings).mean()))

    def call():
        loss, gradient = jax.block_until_ready(both(logits))
        return float(loss), np.asarray(gradient).reshape(-1, z.shape[2])

    return call


def main(classes=30):
    os.environ |= environment(1)
    z, labels = data(int(classes))
    makers = {"fastnn": fastnn_call, "PyTorch": torch_call, "optax": optax_call}
    calls = {name: make(z, labels) for name, make in makers.items()}
    loss, gradient = calls["fastnn"]()
    for call in calls.values():
        theirs, their_gradient = call()
        np.testing.assert_allclose(theirs, loss, rtol=1e-4)
        np.testing.assert_allclose(their_gradient, gradient, atol=1e-5)
    seconds = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.process_time()
            for _ in range(CALLS):
                call()
            seconds[name].append((time.process_time() - start) / CALLS)
    own = statistics.median(seconds["fastnn"])
    for name, each in seconds.items():
        time_taken = statistics.median(each)
        print(f"{name}: {time_taken * 1e6:,.0f} µs, {time_taken / own:.2f} times as long as fastnn")


if __name__ == "__main__":
    main(*sys.argv[1:])
