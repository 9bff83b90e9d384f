"""Networks called from other compiled code: one row, its input gradient, gradient descent, and a step of a sequence."""

import numpy as np
from numba import njit

import fastnn
from fastnn import GRU, LSTM, Dense, Network, SimpleRNN

NETS = {"4-16-16-2": (4, 16, 16, 2), "2-64-64-3": (2, 64, 64, 3), "784-128-10": (784, 128, 10)}
CALLS, BATCH = 1000, 32
CELLS = {"simple": SimpleRNN, "gru": GRU, "lstm": LSTM}


@njit
def rows(model, x, out, count):
    for _ in range(count):
        fastnn.jit.forward_row(model, x, out)


@njit
def steps(model, state, x, out, count):
    for _ in range(count):
        fastnn.jit.step(model, state, x, out)


@njit
def gradients_in_the_input(model, x, dout, dx, count):
    for _ in range(count):
        fastnn.jit.input_gradients(model, x, dout, dx)


@njit
def gradients(model, x, y, grads, count):
    for _ in range(count):
        fastnn.jit.loss_and_gradients(model, x, y, grads)


class Embedded:
    """Return the seconds of CALLS calls in one compiled loop."""

    params = tuple(NETS)
    param_names = ("net",)
    timeout = 300

    def setup(self, net):
        inputs, *hidden, outputs = NETS[net]
        net = Network([*(Dense(width, "relu") for width in hidden), Dense(outputs, "softmax")], inputs=inputs)
        self.model, random = net.compiled(), np.random.default_rng(0)
        self.x, self.y = random.normal(size=(BATCH, inputs)).astype(np.float32), random.integers(outputs, size=BATCH)
        self.out, self.dx = np.ones(outputs, np.float32), np.empty(inputs, np.float32)
        self.grads = np.empty_like(self.model.parameters)
        self.time_rows(net, 1)
        self.time_input_gradients(net, 1)
        self.time_gradients(net, 1)

    def time_rows(self, net, calls=CALLS):
        rows(self.model, self.x[0], self.out, calls)

    def time_input_gradients(self, net, calls=CALLS):
        gradients_in_the_input(self.model, self.x[0], self.out, self.dx, calls)

    def time_gradients(self, net, calls=CALLS):
        gradients(self.model, self.x, self.y, self.grads, calls)


class EmbeddedSteps:
    """Return the seconds of CALLS steps of a cell with 12 inputs and 32 units, in one compiled loop."""

    params = tuple(CELLS)
    param_names = ("cell",)
    timeout = 300

    def setup(self, cell):
        net = Network([CELLS[cell](32)], inputs=(None, 12))
        self.model, self.state = net.compiled(), fastnn.jit.first_state(net)
        self.x, self.out = np.ones(12, np.float32), np.empty(32, np.float32)
        self.time_steps(cell, 1)

    def time_steps(self, cell, calls=CALLS):
        steps(self.model, self.state, self.x, self.out, calls)
