"""Tensors with several readers and parameters used twice: gradients are added, everything else happens once."""

import jit_callers as callers
import numpy as np
import pytest
import wired
from layer_cases import LAYERS, all_bits, sample_shape
from members import check_same
from resumed import StopAfter
from small_nets import central_differences

from fastnn import SGD, Activation, Adam, AdamW, BatchNorm, Dense, Flatten, Network, Population
from fastnn.architecture.wiring import Step, Wiring
from fastnn.compiled.arguments import run_once
from fastnn.kernels.compiling.objects import address
from fastnn.kernels.interpreter.table import PHASES
from fastnn.kernels.layers.joins.add import ADD
from fastnn.program import Program, TrainingProgram
from fastnn.samples.data import check_data

NETS = wired.nets()
every_net = pytest.mark.parametrize("name", NETS)


def close(found, exact, what, tolerance=1e-7):
    """Compare relative to the largest element of each tensor."""
    for key, expected in exact.items():
        scale = max(np.abs(expected).max(), 1e-3)
        assert np.abs(found[key] - expected).max() <= tolerance * scale, (what, key)


def check_gradients(net, samples=7):
    X, y = wired.data(samples, net)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    exact, by_hand, _ = wired.vectorized_gradients(net, X, y)
    assert loss == pytest.approx(exact, rel=1e-12)
    close(gradients, by_hand, "vectorized", 1e-12)
    function = net.loss_function(X, y, training=True)
    numeric = {name: central_differences(function, view, 1e-5) for name, view in net.parameters.items()}
    close(gradients, numeric, "differences")


@every_net
def test_gradients(name):
    check_gradients(wired.made(*NETS[name]))


@pytest.mark.parametrize("samples", [2, 3, 4, 5, 33])
@every_net
def test_gradients_of_any_batch(name, samples):
    """Few rows use another kernel for dx."""
    net = wired.made(*NETS[name])
    X, y = wired.data(samples, net)
    _, gradients = net.loss_and_gradients(X, y, training=True)
    close(gradients, wired.vectorized_gradients(net, X, y)[1], samples, 1e-11)


@pytest.mark.parametrize("seed", range(24))
def test_gradients_of_a_random_net(seed):
    check_gradients(wired.made(*wired.random_wiring(seed)))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(24, 400))
def test_gradients_of_many_random_nets(seed):
    check_gradients(wired.made(*wired.random_wiring(seed)))


# Every layer, beside another reader of its input and, if it keeps the shape, twice in a row


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if not (layer.learns_from_data or layer.joins)])
def test_every_layer(name, first, many_parts):
    shape = sample_shape(name, 12)
    wiring = wired.around(LAYERS[name], shape, first)
    net = wired.made(*wiring, inputs=12)
    X, y = wired.data(6, net)
    _, gradients = net.loss_and_gradients(X, y, training=True)
    function = net.loss_function(X, y, training=True)
    numeric = {name: central_differences(function, view, 1e-5) for name, view in net.parameters.items()}
    close(gradients, numeric, "differences")
    found = set()
    for threads in (1, 2, 3, 8):
        net = wired.made(*wiring, "float32", inputs=12)
        net.fit(X, y, epochs=3, batch_size=4, threads=threads)
        found.add(str(all_bits(net)))
    assert len(found) == 1


# Training: bits do not depend on threads, and everything in a step except gradients happens once


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_net
def test_threads_do_not_change_a_bit(name, dtype, many_parts):
    found = set()
    for threads in (1, 2, 3, 8):
        net = wired.made(*NETS[name], dtype)
        X, y = wired.data(23, net)
        history = net.fit(X, y, epochs=2, batch_size=9, optimizer=Adam(0.01), threads=threads)
        assert max(many_parts) == threads
        found.add((str(all_bits(net)), str(dict(history))))
    assert len(found) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 4, 40])
def test_threads_do_not_change_a_bit_of_wide_layers(dtype, batch, many_parts):
    """Sums of several chains, added to what another layer has written."""
    layers = [Dense(300, "tanh"), Dense(600), Dense(300), Dense(300, "silu"), Dense(3, "softmax")]
    steps = [(0, (0,)), (1, (1,)), (2, (2,)), (3, (1,)), (3, (3,)), (None, (4, 5)), (None, (6, 1)), (4, (7,))]
    found = set()
    for threads in (1, 2, 3, 8):
        net = wired.Wired(layers, steps, dtype=dtype, seed=1)
        X, y = wired.data(batch, net)
        net.fit(X, y, epochs=2, batch_size=batch, threads=threads)
        found.add(str(all_bits(net)))
    assert len(found) == 1
    net = wired.Wired(layers, steps, dtype="float64", seed=1)
    _, gradients = net.loss_and_gradients(X, y)
    close(gradients, wired.vectorized_gradients(net, X, y)[1], "wide", 1e-11)


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(0.02), AdamW(0.02, weight_decay=0.1),
                                       Adam(0.02, clip_norm=0.05)], ids=repr)
@pytest.mark.parametrize("name", ["with penalties", "a layer twice in a row", "a layer in two branches", "views"])
def test_a_step_updates_each_parameter_once(name, optimizer):
    net, twin = wired.made(*NETS[name]), wired.made(*NETS[name])
    X, y = wired.data(6, net)
    net.fit(X, y, epochs=4, batch_size=6, shuffle=False, optimizer=optimizer)
    flat = twin.vectors.parameters.flat
    state = [np.zeros_like(flat) for _ in optimizer.slots]
    for step in range(1, 5):
        _, gradients, _ = wired.vectorized_gradients(twin, X, y)
        gradient = np.concatenate([gradients[each].ravel() for each in twin.parameters])
        if optimizer.clip_norm:
            gradient *= min(1, optimizer.clip_norm / np.linalg.norm(gradient))
        flat[:], *state = optimizer.at(step).vectorized(flat, gradient, *state, step)
    close(net.parameters, twin.parameters, "parameters", 1e-9)


def test_a_penalty_counts_once():
    net = wired.made(*NETS["with penalties"])
    X, y = wired.data(40, net)
    loss = wired.vectorized_gradients(net, X, y)[0]
    assert net.evaluate(X, y)["loss"] == pytest.approx(loss, rel=1e-12)
    assert net.loss_and_gradients(X, y)[0] == pytest.approx(loss, rel=1e-12)
    history = net.fit(X, y, batch_size=40, optimizer=SGD(0.1))
    assert history["loss"] == [pytest.approx(loss, rel=1e-12)]


def test_gradients_of_several_batches_add_up():
    """More samples than a chunk of gradients: the flag of the call and those of rows are combined."""
    for name in ("with penalties", "a layer in two branches", "a normalization twice"):
        layers, steps = NETS[name]
        net = wired.made([Activation("tanh") if isinstance(layer, BatchNorm) else layer for layer in layers], steps)
        X, y = wired.data(600, net)
        close(net.loss_and_gradients(X, y)[1], wired.vectorized_gradients(net, X, y)[1], name, 1e-11)


def test_running_statistics_follow_each_use_in_order():
    """As in PyTorch and Keras: a layer that normalizes twice in a step has seen two batches."""
    net = wired.made([Dense(wired.WIDTH, "tanh"), BatchNorm(momentum=0.5), Dense(3, "softmax")],
                     [(0, (0,)), (1, (1,)), (1, (2,)), (2, (3,))])
    X, y = wired.data(9, net)
    h = wired.forward(net.wiring.steps[0], net.parameters, [X])[1]
    second = wired.forward(net.wiring.steps[1], net.parameters, [h])[1]
    mean, variance = np.zeros(wired.WIDTH), np.ones(wired.WIDTH)
    for x in (h, second):
        mean, variance = 0.5 * mean + 0.5 * x.mean(axis=0), 0.5 * variance + 0.5 * x.var(axis=0, ddof=1)
    net.fit(X, y, batch_size=9)
    np.testing.assert_allclose(net.state["1.running_mean"], mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.state["1.running_variance"], variance, rtol=1e-9)


# Everything else that consists of rows


@every_net
def test_outputs_are_those_of_numpy(name):
    layers, steps = NETS[name]
    net = wired.made([Activation("tanh") if isinstance(layer, BatchNorm) else layer for layer in layers], steps)
    X, _ = wired.data(300, net)
    tensors = [X]
    for step in net.wiring.steps:
        tensors.append(wired.forward(step, net.parameters, [tensors[number] for number in step.reads])[1])
    outputs = net.forward(X)
    np.testing.assert_allclose(outputs, tensors[-1], rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(net.forward(X[:1])[0], outputs[0])


@every_net
def test_inside_compiled_code(name):
    net = wired.made(*NETS[name])
    model, size = net.compiled(), net.vectors.parameters.size
    for samples in (1, 3, 300):
        X, y = wired.data(samples, net)
        out, grads = np.empty((samples, net.outputs)), np.empty(size)
        callers.forward(model, X, out)
        np.testing.assert_array_equal(out, net.forward(X))
        assert callers.loss_and_gradients(model, X, y, grads) == net.loss_and_gradients(X, y)[0]
        expected = np.concatenate([each.ravel() for each in net.loss_and_gradients(X, y)[1].values()])
        np.testing.assert_array_equal(grads, expected)


@every_net
def test_gradients_of_inputs(name):
    """Through any number of readers of the inputs, with and without gradients of the parameters."""
    layers, steps = NETS[name]
    net = wired.made([Activation("tanh") if isinstance(layer, BatchNorm) else layer for layer in layers], steps)
    model, size = net.compiled(), net.vectors.parameters.size
    for samples in (1, 3, 300):
        X, _ = wired.data(samples, net)
        dout = np.random.default_rng(1).normal(size=(samples, net.outputs))
        dx, other, grads = np.empty_like(X), np.empty_like(X), np.zeros(size)
        callers.input_gradients(model, X, dout, dx)
        callers.pullback(model, X, dout, other, grads)
        np.testing.assert_array_equal(dx, other)
        numeric = np.empty_like(X[:3])
        for place in np.ndindex(numeric.shape):
            above, below = X[:3].copy(), X[:3].copy()
            above[place] += 1e-5
            below[place] -= 1e-5
            numeric[place] = (dout[:3] * (net.forward(above) - net.forward(below))).sum() / 2e-5
        assert np.abs(dx[:3] - numeric).max() <= 1e-7 * max(np.abs(numeric).max(), 1)
        twice = grads.copy()
        callers.pullback(model, X, dout, other, twice)
        np.testing.assert_allclose(twice, 2 * grads, rtol=1e-9, atol=1e-12)


def test_members_come_to_the_bits_they_come_to_alone():
    names = [name for name in NETS if name != "no softmax"]
    together, alone = ([wired.made(*NETS[name], "float32") for name in names if wired.made(*NETS[name]).outputs == 3]
                       for _ in range(2))
    X, y = wired.data(40, alone[0])
    histories = [net.fit(X, y, epochs=3, batch_size=7, optimizer=Adam(0.01)) for net in alone]
    found = Population(together).fit(X, y, epochs=3, batch_size=7, optimizer=[Adam(0.01) for _ in together], threads=2)
    check_same(together, alone, found, histories)


@every_net
def test_a_fit_that_was_stopped_goes_on(name):
    whole, stopped = wired.made(*NETS[name], "float32"), wired.made(*NETS[name], "float32")
    X, y = wired.data(20, whole)
    history = whole.fit(X, y, epochs=3, batch_size=6)
    stopped.fit(X, y, epochs=3, batch_size=6, callbacks=[StopAfter(6)])
    assert dict(stopped.fit(X, y, epochs=3, batch_size=6, resume=True)) == dict(history)
    assert all_bits(stopped) == all_bits(whole)


# Lowering


def test_chains_have_no_rows_for_any_of_it():
    net = Network([Dense(4), BatchNorm(), Activation("relu"), Dense(4), Dense(3, "softmax")], inputs=5)
    program = TrainingProgram(net, check_data(net, *wired.data(6, net)), 6, 1)
    assert program.unread == {}
    assert not any(row.dtype is ADD.dtype or row["accumulate"] for row in program.rows)


class Bare(Program):
    """The steps alone, with several outputs, and a backward pass that begins at given gradients."""

    training = True

    def pull_back(self, wiring, X, douts):
        self.x = self.tensor((wired.WIDTH,))
        outputs = self.lower_steps(wiring, [self.x])
        self.make_table()
        arena, gradients = self.arena.allocate().reshape(-1), np.zeros(self.network.vectors.parameters.size)
        places = {"arena": address(arena), "gradients": address(gradients), "batch": len(X),
                  "parameters": address(self.network.vectors.parameters.flat)}
        arena[self.x.offset:][:X.size] = X.ravel()
        for row in self.rows:
            run_once(row, "forward", **places)
        for output, dout in zip(outputs, douts, strict=True):
            arena[output.gradient:][:dout.size] = dout.ravel()
        for row in reversed(self.rows):
            for phase in PHASES[1:]:
                run_once(row, phase, accumulate=int(row["accumulate"]), **places)
        return arena[self.x.gradient:][:X.size].reshape(X.shape), gradients


@pytest.mark.parametrize("outputs", [(2, 3), (3, 2), (2, 2, 3), (1, 3, 3), (0, 3, 1, 2, 0)], ids=str)
def test_several_outputs(outputs):
    """Each output has its own gradient; those of one tensor, and those of its other readers, are added."""
    net = wired.made([Dense(wired.WIDTH, "tanh"), Flatten(), Activation("sigmoid"), Dense(wired.WIDTH, "tanh")],
                     [(0, (0,)), (1, (1,)), (2, (2,)), (3, (3,))])
    steps = (net.wiring.steps[0], *(Step(index, net.layers[index], (1,), net.layers[index].activation) for index in (2, 3)))
    X, rng = wired.data(6, net)[0], np.random.default_rng(2)
    douts = [rng.normal(size=(6, wired.WIDTH)) for _ in outputs]
    wiring = Wiring(1, steps, outputs if 2 in outputs else (*outputs, 2))
    douts += [np.zeros((6, wired.WIDTH))] * (len(wiring.outputs) - len(outputs))
    dx, gradients = Bare(net, 6, 1).pull_back(wiring, X, douts)

    def total():
        tensors = [X]
        for step in steps:
            tensors.append(wired.forward(step, net.parameters, [tensors[number] for number in step.reads])[1])
        return sum((tensors[number] * dout).sum() for number, dout in zip(wiring.outputs, douts, strict=True))

    np.testing.assert_allclose(dx, central_differences(total, X, 1e-5), rtol=1e-7, atol=1e-8)
    flat = net.vectors.parameters.flat
    np.testing.assert_allclose(gradients, central_differences(total, flat, 1e-5), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("steps", "outputs", "message"), [
    ([(0, (1,))], (1,), "reads tensors .1,.; it can read those from 0 to 0"),
    ([(0, (0,)), (0, (3,))], (2,), "step 1, .*; it can read those from 0 to 1"),
    ([(0, (0,)), (0, (0,))], (2,), "nothing reads the output of Dense.*, tensor 1"),
    ([(0, (0,))], (2,), "the last one is number 1"),
    ([(0, (0,))], (0,), "nothing reads the output of Dense"),
])
def test_wirings_that_cannot_be(steps, outputs, message):
    with pytest.raises(ValueError, match=message):
        Wiring(1, tuple(Step(index, Dense(5), reads) for index, reads in steps), outputs)


def test_the_last_activation_is_left_to_the_loss():
    steps = Step(0, Dense(3), (0,), "tanh"), Step(1, Dense(3), (1,), "softmax"), Step(2, Flatten(), (2,))
    assert [step.activation for step in Wiring(1, steps, (3,)).to_logits.steps] == ["tanh", "identity", "identity"]
