"""Compiled functions as a user would write them, and a program that runs one from Numba's cache in its own process."""

import sys

import numpy as np
from numba import njit, prange

import fastnn
from fastnn import Dense, Network


@njit
def forward(model, x, out):
    fastnn.jit.forward(model, x, out)


@njit
def rows(model, x, out):
    for i in range(len(x)):
        fastnn.jit.forward_row(model, x[i], out[i])


@njit
def loss_and_gradients(model, x, y, grads):
    return fastnn.jit.loss_and_gradients(model, x, y, grads)


@njit
def input_gradients(model, x, dout, dx):
    fastnn.jit.input_gradients(model, x, dout, dx)


@njit
def pullback(model, x, dout, dx, grads):
    fastnn.jit.pullback(model, x, dout, dx, grads)


@njit(nogil=True)
def all_of_it(model, x, y, dout, out, losses, grads, dx):
    """Call every function, sample by sample."""
    for i in range(len(x)):
        fastnn.jit.forward_row(model, x[i], out[i])
        losses[i] = fastnn.jit.loss_and_gradients(model, x[i:i + 1], y[i:i + 1], grads[i])
        fastnn.jit.pullback(model, x[i], dout[i], dx[i], grads[i])


@njit(parallel=True, fastmath=True)
def all_of_it_in_parallel(model, x, y, dout, out, losses, grads, dx):
    for i in prange(len(x)):
        fastnn.jit.forward_row(model, x[i], out[i])
        losses[i] = fastnn.jit.loss_and_gradients(model, x[i:i + 1], y[i:i + 1], grads[i])
        fastnn.jit.pullback(model, x[i], dout[i], dx[i], grads[i])


@njit(cache=True)
def kept_on_disk(model, x, out):
    fastnn.jit.forward(model, x, out)


if __name__ == "__main__":
    width = int(sys.argv[1])
    net = Network([Dense(width, "tanh"), Dense(3, "softmax")], inputs=width)
    x, out = np.random.default_rng(0).normal(size=(5, width)).astype(np.float32), np.empty((5, 3), np.float32)
    kept_on_disk(net.compiled(gradients=False), x, out)
    print(sum(kept_on_disk.stats.cache_hits.values()), np.array_equal(out, net.forward(x)))
