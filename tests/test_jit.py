"""A network within other compiled code is the network: the same bits, on any thread, and nothing else is written."""

import gc
import inspect
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jit_callers as callers
import layer_cases
import numba
import numpy as np
import pytest
from guarded import filled
from numba import guvectorize, njit, typed, typeof
from numba.core.errors import TypingError
from numba.experimental import jitclass
from small_nets import LOSSES, OUTPUTS, central_differences, inputs_and_targets

import fastnn
from fastnn import BatchNorm, Dense, Dropout, LayerNorm, Network, activations
from fastnn.kernels.embedded import STACK_BYTES

DTYPES = ["float32", "float64"]
WIDTHS = [1, 3, 17, 65]
ROWS = [1, 2, 5, 24, 70, 300]
ROWS_EACH = 20  # of each of several threads

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_case = pytest.mark.parametrize(("name", "place"), layer_cases.CASES)

rng = np.random.default_rng(0)


def mixed(dtype="float32", **options):
    """A network with something of everything, in any place."""
    net = Network([BatchNorm(), Dense(17, "gelu", l2=1e-2), Dropout(0.3), Dense(6, "relu", l1=1e-2), LayerNorm(),
                   Dense(3, "softmax")], inputs=5, dtype=dtype, **options)
    return layer_cases.unsettled(net)


def samples(net, count):
    return np.random.default_rng(count).normal(size=(count, net.inputs)).astype(net.dtype)


def assert_same_outputs(net, counts=ROWS):
    model = net.compiled(gradients=False)
    for count in counts:
        x, out = samples(net, count), filled((count, net.outputs), net.dtype)
        expected = net.forward(x)
        for function in (callers.forward, callers.rows):
            out.array[...] = np.nan
            function(model, x, out.array)
            np.testing.assert_array_equal(out.array, expected)
            assert out.intact()


def assert_same_gradients(net, y_of, counts=(1, 4, 5, 256, 300)):
    """y_of: a function of the number of samples that gives their targets."""
    model = net.compiled()
    grads = filled(model.parameters.shape, net.dtype)
    for count in counts:
        x, y = samples(net, count), y_of(count)
        loss = callers.loss_and_gradients(model, x, y, grads.array)
        expected_loss, expected = net.loss_and_gradients(x, y)
        assert loss == expected_loss
        for name, part in fastnn.jit.views(net, grads.array).items():
            np.testing.assert_array_equal(part, expected[name], err_msg=name)
        assert grads.intact()


# The same bits as `Network.forward`


@every_dtype
@pytest.mark.parametrize("activation", activations)
def test_outputs(activation, dtype):
    for width in WIDTHS:
        for outputs in (2, 3, 17):
            net = Network([Dense(width, activation), Dense(outputs, activation)], inputs=width, dtype=dtype)
            assert_same_outputs(net, [1, 5, 70])


@every_dtype
def test_outputs_at_any_width(dtype):
    for inputs in WIDTHS:
        for outputs in WIDTHS:
            assert_same_outputs(Network([Dense(outputs, "tanh")], inputs=inputs, dtype=dtype), [1, 3, 65])


@every_dtype
@every_case
def test_outputs_of_every_layer(name, place, dtype):
    assert_same_outputs(layer_cases.network(name, place, dtype=dtype))


@every_dtype
@pytest.mark.parametrize("sizes", [(257, 5), (256, 200, 1), (600, 1), (1100, 130, 2), (3, 300, 70), (40_000, 3),
                                   (2, 40_000)], ids=lambda sizes: "-".join(map(str, sizes)))
def test_outputs_of_large_networks(sizes, dtype):
    """Sums of several chains, and activations that the stack has no room for."""
    inputs, *widths = sizes
    assert_same_outputs(Network([Dense(width) for width in widths], inputs=inputs, dtype=dtype), [1, 2, 30])


def test_outputs_of_a_network_without_a_row():
    for layers in ([fastnn.Activation("identity")], [Dropout(0.5), fastnn.Activation("identity")]):
        assert_same_outputs(Network(layers, inputs=3))


def test_a_network_without_parameters():
    net = Network([fastnn.Activation("tanh")], inputs=3)
    assert_same_outputs(net)
    assert_same_gradients(net, lambda count: samples(net, count), [1, 5])


def test_no_samples():
    net = mixed()
    callers.forward(net.compiled(), np.empty((0, 5), np.float32), np.empty((0, 3), np.float32))


def test_an_activation_of_ones_own(monkeypatch):
    monkeypatch.setattr(activations, "records", dict(activations.records))
    fastnn.register_activation("jit_square", lambda z: z * z, lambda z, a: 2.0 * z)
    net = Network([Dense(5, "jit_square"), Dense(2)], inputs=3)
    assert_same_outputs(net)
    assert_same_gradients(net, lambda count: np.ones((count, 2), np.float32))


# The same bits as `Network.loss_and_gradients`


@every_dtype
@pytest.mark.parametrize(("activation", "loss"), OUTPUTS)
def test_gradients(activation, loss, dtype):
    net = Network([Dense(17, "tanh"), Dense(3, activation)], inputs=5, loss=loss, dtype=dtype)
    assert_same_gradients(net, lambda count: inputs_and_targets(count, 5, 3, LOSSES[loss])[1].astype(dtype), (1, 5, 300))


@every_dtype
@pytest.mark.parametrize("hidden", activations)
def test_gradients_behind_every_activation(hidden, dtype):
    for width in WIDTHS:
        net = Network([Dense(width, hidden), Dense(width, hidden), Dense(1)], inputs=3, dtype=dtype)
        assert_same_gradients(net, lambda count: rng.normal(size=(count, 1)).astype(dtype), (1, 4, 5, 257))


@every_dtype
@every_case
def test_gradients_of_every_layer(name, place, dtype):
    net = layer_cases.network(name, place, dtype=dtype)
    assert_same_gradients(net, lambda count: np.random.default_rng(3).normal(size=(count, net.outputs)).astype(dtype))


@every_dtype
def test_gradients_with_penalties(dtype):
    net = mixed(dtype)
    assert_same_gradients(net, lambda count: rng.integers(3, size=count))
    large = Network([Dense(90, "relu", l1=1e-3, l2=1e-2), Dense(90, l2=1e-3), Dense(2)], inputs=70, dtype=dtype)
    assert_same_gradients(large, lambda count: np.ones((count, 2), dtype), (1, 300))


@every_dtype
@pytest.mark.parametrize("sizes", [(600, 1), (1100, 130, 2), (3, 300, 70)], ids=lambda sizes: "-".join(map(str, sizes)))
def test_gradients_of_large_networks(sizes, dtype):
    inputs, *widths = sizes
    net = Network([Dense(width) for width in widths], inputs=inputs, dtype=dtype)
    assert_same_gradients(net, lambda count: np.ones((count, net.outputs), dtype))


def test_targets_in_every_form():
    classifier, binary, value = mixed(), Network([Dense(1, "sigmoid")], inputs=5), Network([Dense(1)], inputs=5)
    assert_same_gradients(classifier, lambda count: rng.integers(3, size=count))
    assert_same_gradients(classifier, lambda count: np.eye(3, dtype=np.float32)[rng.integers(3, size=count)])
    assert_same_gradients(binary, lambda count: rng.integers(2, size=count))
    for net in (binary, value):
        assert_same_gradients(net, lambda count: rng.uniform(size=count).astype(np.float32))
        assert_same_gradients(net, lambda count: rng.uniform(size=(count, 1)).astype(np.float32))


# Pullbacks


@pytest.mark.parametrize("activation", [name for name, record in activations.items() if record.smooth])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_input_gradients_are_differences(activation, count):
    net = Network([Dense(7, activation), Dense(4, activation), Dense(3)], inputs=5, dtype="float64")
    assert_input_gradients(net, count)


@every_case
@pytest.mark.parametrize("count", [1, 5])
def test_input_gradients_of_every_layer_are_differences(name, place, count):
    assert_input_gradients(layer_cases.network(name, place, dtype="float64"), count)


def assert_input_gradients(net, count):
    model, x = net.compiled(), samples(net, count)
    dout, dx = np.random.default_rng(1).normal(size=(count, net.outputs)), filled(x.shape, "float64")
    callers.input_gradients(model, x, dout, dx.array)
    numeric = central_differences(lambda: np.vdot(dout, net.forward(x)), x)
    np.testing.assert_allclose(dx.array, numeric, rtol=1e-6, atol=1e-8)
    assert dx.intact()


@every_dtype
@every_case
def test_pullback_adds_the_gradients_of_the_parameters(name, place, dtype):
    """Of the squared error dout is (out − y) / samples."""
    net = layer_cases.network(name, place, dtype=dtype)
    model, tolerance = net.compiled(), 1e-12 if dtype == "float64" else 2e-5
    for count in (1, 5, 300):
        x = samples(net, count)
        y = np.random.default_rng(3).normal(size=(count, net.outputs)).astype(dtype)
        dx, alone, grads = np.empty_like(x), np.empty_like(x), filled(model.parameters.shape, dtype)
        grads.array[...] = 1
        callers.pullback(model, x, (net.forward(x) - y) / count, dx, grads.array)
        callers.input_gradients(model, x, (net.forward(x) - y) / count, alone)
        np.testing.assert_array_equal(dx, alone)
        expected = net.loss_and_gradients(x, y)[1]
        for key, part in fastnn.jit.views(net, grads.array).items():
            np.testing.assert_allclose(part, 1 + expected[key], rtol=tolerance, atol=tolerance * max(1, abs(part).max()))
        assert grads.intact()


def test_vectors_are_pulled_back_like_matrices():
    net = mixed("float64")
    model, x, dout = net.compiled(), samples(net, 1), rng.normal(size=(1, 3))
    dx, grads = np.empty((2, 5)), np.zeros((2, model.parameters.size))
    callers.pullback(model, x, dout, dx[:1], grads[0])
    callers.pullback(model, x[0], dout[0], dx[1], grads[1])
    np.testing.assert_array_equal(dx[0], dx[1])
    np.testing.assert_array_equal(grads[0], grads[1])


# Memory: strided, in place, and only where it should be written


@every_dtype
def test_strides_do_not_matter(dtype):
    net = Network([Dense(9, "tanh"), Dense(4)], inputs=4, dtype=dtype)
    model, base = net.compiled(), rng.normal(size=(4, 14, 6)).astype(dtype)
    for x in (base[0, :, :4].T[:, :4], base[1, ::2, 1:5], base[2, ::-1, 4:0:-1], np.asfortranarray(base[3, :, :4])):
        expected = net.forward(np.ascontiguousarray(x))
        n = len(x)
        for out in (np.zeros((n, 4), dtype), np.zeros((4, n), dtype).T, np.zeros((n, 9), dtype)[:, ::-2][:, :4]):
            for function in (callers.forward, callers.rows):
                out[...] = 0
                function(model, x, out)
                np.testing.assert_array_equal(out, expected)
        strided, dx, dense = np.empty((2 * len(x), 4), dtype)[::2], np.empty((len(x), 4), dtype), np.ascontiguousarray(x)
        callers.input_gradients(model, x, out, strided)
        callers.input_gradients(model, dense, np.ascontiguousarray(out), dx)
        np.testing.assert_array_equal(strided, dx)
        grads = np.empty((2, model.parameters.size), dtype)
        assert (callers.loss_and_gradients(model, x, out, grads[0])
                == callers.loss_and_gradients(model, dense, np.ascontiguousarray(out), grads[1]))
        np.testing.assert_array_equal(*grads)


def test_in_place():
    net = Network([Dense(9, "tanh"), Dense(4)], inputs=4)
    model, x = net.compiled(), rng.normal(size=(300, 4)).astype(np.float32)
    expected = net.forward(x)
    for function in (callers.forward, callers.rows):
        own = x.copy()
        function(model, own, own)
        np.testing.assert_array_equal(own, expected)


def test_a_model_keeps_alive_what_it_points_to():
    net = mixed()
    x, out = samples(net, 5), np.empty((5, 3), np.float32)
    expected, grads = net.forward(x), np.empty(net.compiled().parameters.size, np.float32)
    for copy in (False, True):
        model = (net if copy else pickle.loads(pickle.dumps(net))).compiled(copy=copy)
        if copy:
            del net
        gc.collect()
        junk = [np.full(n, np.nan, np.float32) for n in range(1, 3000)]
        callers.forward(model, x, out)
        np.testing.assert_array_equal(out, expected)
        assert np.isfinite(callers.loss_and_gradients(model, x, np.zeros(5, np.int64), grads))
        assert np.isfinite(grads).all()
        del junk


def test_live_and_frozen():
    net = mixed()
    live, frozen, before, x = net.compiled(), net.compiled(copy=True), pickle.loads(pickle.dumps(net)), samples(net, 40)
    net.fit(x, rng.integers(3, size=40), epochs=3)
    out = np.empty((40, 3), np.float32)
    callers.forward(live, x, out)
    np.testing.assert_array_equal(out, net.forward(x))
    callers.forward(frozen, x, out)
    np.testing.assert_array_equal(out, before.forward(x))
    assert not np.array_equal(before.forward(x), net.forward(x))
    live.parameters[:] = 0
    assert not any(view.any() for view in net.parameters.values())


# Threads, processes, compilation


def results(net, count):
    size = net._parameters.flat.size
    return (np.empty((count, net.outputs), net.dtype), np.empty(count), np.empty((count, size), net.dtype),
            np.empty((count, net.inputs), net.dtype))


@every_dtype
def test_threads_do_not_meet(dtype):
    """Within `prange`, and on several Python threads that share a model and do not hold Python's lock."""
    nets = [mixed(dtype), Network([Dense(300, "tanh"), Dense(2)], inputs=40, dtype=dtype)]
    nets.append(Network([Dense(9000, "relu"), Dense(2)], inputs=3, dtype=dtype))  # from the heap
    jobs, expected = [], []
    for net in nets:
        x = samples(net, ROWS_EACH)
        y, dout = np.abs(rng.normal(size=(2, ROWS_EACH, net.outputs))).astype(dtype)
        y /= y.sum(axis=1, keepdims=True)
        jobs.append((net, x, y, dout))
        expected.append(results(net, ROWS_EACH))
        callers.all_of_it(net.compiled(), x, y, dout, *expected[-1])

    def run(number, function):
        net, *data = jobs[number]
        found = results(net, ROWS_EACH)
        function(net.compiled() if number % 2 else models[number], *data, *found)
        return all(np.array_equal(*pair) for pair in zip(found, expected[number], strict=True))

    models = [net.compiled() for net in nets]
    assert all(run(number, callers.all_of_it_in_parallel) for number in range(len(nets)))
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, [0, 1, 2] * 10, [callers.all_of_it] * 30))


def test_other_weights_for_the_same_table():
    net, other = mixed(), mixed(seed=1)
    x, out = samples(net, 7), np.empty((7, 3), np.float32)
    other._state.flat[:] = net._state.flat
    model = net.compiled(gradients=False)
    model = fastnn.jit.Model(model.table, other.compiled(gradients=False).parameters, np.zeros(0, np.float32))
    expected = other.forward(x)
    del net, other
    gc.collect()
    callers.forward(model, x, out)
    np.testing.assert_array_equal(out, expected)
    with pytest.raises(ValueError, match="parameters must be all of them"):
        callers.forward(model._replace(parameters=model.parameters[:-1].copy()), x, out)


def test_a_model_goes_where_arrays_go():
    """Into tuples, typed lists, the field of a class, a result, a generator, and in parts through a generalised ufunc."""
    nets = [Network([Dense(8, "tanh"), Dense(3)], inputs=2, seed=seed) for seed in range(3)]
    models, x = [net.compiled(gradients=False) for net in nets], np.float32([[1, 2], [3, 4]])
    expected, out = np.stack([net.forward(x) for net in nets]), np.empty((3, 2, 3), np.float32)

    @njit
    def each(models, x, out):
        for k in range(len(models)):
            fastnn.jit.forward(models[k], x, out[k])

    for many in (tuple(models), typed.List(models)):
        out[...] = 0
        each(many, x, out)
        np.testing.assert_array_equal(out, expected)

    @jitclass([("model", typeof(models[0]))])
    class Agent:
        def __init__(self, model):
            self.model = model

        def act(self, x, out):
            fastnn.jit.forward_row(self.model, x, out)

    @njit
    def with_other_weights(model):
        return fastnn.jit.Model(model.table, model.parameters.copy(), model.state)

    @njit
    def rows(model, x):
        out = np.empty(3, np.float32)
        for i in range(len(x)):
            fastnn.jit.forward_row(model, x[i], out)
            yield out.copy()

    @guvectorize("i8[:], f4[:], f4[:], f4[:], f4[:]", "(t), (p), (s), (i), (o)", nopython=True)
    def universal(table, parameters, state, x, out):
        fastnn.jit.forward_row(fastnn.jit.Model(table, parameters, state), x, out)

    agent, copied, drawn = Agent(nets[0].compiled()), with_other_weights(nets[1].compiled()), rows(nets[2].compiled(), x)
    universal(*models[0], x, out[2])
    np.testing.assert_array_equal(out[2], expected[0])
    assert type(copied) is fastnn.jit.Model
    del nets, models  # whatever holds a model keeps it alive
    gc.collect()
    agent.act(x[0], out[0, 0])
    callers.forward(copied, x, out[1])
    np.testing.assert_array_equal(out[0, 0], expected[0, 0])
    np.testing.assert_array_equal(out[1], expected[1])
    np.testing.assert_array_equal([*drawn], expected[2])


def test_one_compilation_for_all_networks():
    @njit
    def function(model, x, out):
        fastnn.jit.forward_row(model, x, out)

    for layers, inputs in (([Dense(3)], 2), ([Dense(3, "tanh"), LayerNorm(), Dense(5, "softmax")], 4), ([BatchNorm()], 1)):
        net = Network(layers, inputs=inputs)
        for copy in (False, True):
            out = np.empty(net.outputs, np.float32)
            function(net.compiled(gradients=copy, copy=copy), np.zeros(inputs, np.float32), out)
    assert len(function.signatures) == 1


def test_a_cached_caller_in_other_processes(tmp_path):
    """It holds no address of the process that compiled it, and serves other networks."""
    shutil.copy(Path(__file__).parent / "jit_callers.py", tmp_path)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(fastnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    for width, hits in ((5, 0), (5, 1), (300, 1)):
        run = subprocess.run([sys.executable, "jit_callers.py", str(width)], cwd=tmp_path, env=environment,
                             capture_output=True, text=True)
        assert run.stdout.split() == [str(hits), "True"], run.stderr


# What does not fit is refused


def guarded_pair(model, x_shape, out_shape, dtype="float32"):
    return model, np.zeros(x_shape, dtype), filled(out_shape, dtype)


@pytest.mark.parametrize(("x_shape", "out_shape"), [((7, 4), (7, 3)), ((7, 5), (7, 2)), ((7, 5), (7, 4)), ((7, 5), (6, 3)),
                                                    ((7, 5), (8, 3)), ((7, 6), (7, 3)), ((7, 0), (7, 3))])
def test_outputs_that_do_not_fit(x_shape, out_shape):
    model, x, out = guarded_pair(mixed().compiled(gradients=False), x_shape, out_shape)
    for function in (callers.forward, callers.rows):
        out.array[...] = 0
        if function is callers.rows and x_shape[0] != out_shape[0]:
            continue
        with pytest.raises(ValueError, match="shapes do not fit"):
            function(model, x, out.array)
        assert np.isnan(out.array if function is callers.forward else out.array[0]).all()
        assert out.intact()


def test_gradients_that_do_not_fit():
    net = mixed()
    model, size = net.compiled(), net.compiled().parameters.size
    x, labels = samples(net, 7), np.zeros(7, np.int64)
    y, z = np.full((7, 3), 1 / 3, np.float32), np.zeros((7, 3), np.float32)
    for given, message in (((x[:6], labels), "shapes"), ((x, labels[:6]), "shapes"), ((x[:, :4], labels), "shapes"),
                           ((x, y[:, :2]), "shapes"), ((x[:0], labels[:0]), "shapes"), ((x, y[:, 0]), "shapes"),
                           ((x, labels - 1), "labels run"), ((x, labels + 3), "labels run")):
        grads = filled((size,), "float32")
        grads.array[...] = 0
        with pytest.raises(ValueError, match=message):
            callers.loss_and_gradients(model, *given, grads.array)
        assert np.isnan(grads.array).all()
        assert grads.intact()
    for wrong in (size - 1, size + 1):
        with pytest.raises(ValueError, match="shapes"):
            callers.loss_and_gradients(model, x, labels, np.zeros(wrong, np.float32))
        with pytest.raises(ValueError, match="shapes"):
            callers.pullback(model, x, z, np.empty_like(x), np.zeros(wrong, np.float32))
    for given in ((x[:6], z, x.copy()), (x, z[:6], x.copy()), (x, z, x[:6].copy()), (x[:, :4], z, x.copy()),
                  (x, z[:, :2], x.copy()), (x, z, x[:, :4].copy()), (x[0], z[0, :2], x[0].copy())):
        with pytest.raises(ValueError, match="shapes"):
            callers.input_gradients(model, *given)
        assert np.isnan(given[-1]).all()
    values = Network([Dense(3)], inputs=5).compiled()
    with pytest.raises(ValueError, match="takes values"):
        callers.loss_and_gradients(values, x, labels, np.empty(18, np.float32))


def test_gradients_of_a_model_made_without():
    model, x, grads = mixed().compiled(gradients=False), np.zeros((2, 5), np.float32), np.zeros(200, np.float32)
    for call in (lambda: callers.loss_and_gradients(model, x, np.zeros(2, np.int64), grads[:model.parameters.size]),
                 lambda: callers.input_gradients(model, x, np.zeros((2, 3), np.float32), x.copy()),
                 lambda: callers.pullback(model, x, np.zeros((2, 3), np.float32), x.copy(), grads)):
        with pytest.raises(ValueError, match="gradients=False"):
            call()


def test_types_that_do_not_fit():
    """Found when the caller compiles."""
    model, x, out = mixed().compiled(), np.zeros((7, 5), np.float32), np.zeros((7, 3), np.float32)
    grads, frozen = np.zeros_like(model.parameters), out.copy()
    frozen.flags.writeable = False
    for call, message in (
        (lambda: callers.forward(model, x.astype("float64"), out), r"x holds float64; .*x.astype\(np.float32\)"),
        (lambda: callers.forward(model, x, out.astype("float64")), "out holds float64"),
        (lambda: callers.forward(model, x[0], out[0]), "x is .*must be an array, 2-D"),
        (lambda: callers.forward(model, x, frozen), "out is read-only"),
        (lambda: callers.forward((x, out), x, out), "must be what the compiled"),
        (lambda: callers.rows(model, x.astype(int), out), "x holds int64"),
        (lambda: callers.loss_and_gradients(model, x, np.zeros(7, np.int32), grads), r"y.astype\(np.int64\)"),
        (lambda: callers.loss_and_gradients(model, x, out.astype("float64"), grads), "y holds float64"),
        (lambda: callers.loss_and_gradients(model, x, out, grads[::-1]), "grads must be contiguous"),
        (lambda: callers.input_gradients(model, x, out, x.astype("float64")), "dx holds float64"),
    ):
        with pytest.raises(TypingError, match=message):
            call()


def test_a_model_stays_in_its_process():
    model = mixed().compiled(gradients=False)
    with pytest.raises(TypeError, match="pickle the network instead"):
        pickle.dumps(model)

    @njit
    def with_a_constant(x, out):
        fastnn.jit.forward(model, x, out)

    with pytest.raises(TypingError, match="pass it to the function as an argument"):
        with_a_constant(np.zeros((1, 5), np.float32), np.zeros((1, 3), np.float32))
    with pytest.raises(ValueError, match="pass it to the function as an argument"):
        njit(lambda x, out, model=model: fastnn.jit.forward(model, x, out))(np.zeros((1, 5), np.float32),
                                                                           np.zeros((1, 3), np.float32))


def test_a_caller_that_another_version_compiled():
    model = mixed().compiled(gradients=False)
    other = model._replace(table=model.table.copy())
    other.table[0] += 1
    with pytest.raises(ValueError, match="another version of fastnn"):
        callers.forward(other, np.zeros((1, 5), np.float32), np.zeros((1, 3), np.float32))


def test_parameters_of_ones_own_lie_in_one_piece():
    """Where a type tells how they lie, and where it leaves that open."""
    net = mixed()
    model, x, out = net.compiled(gradients=False), samples(net, 7), filled((7, 3), "float32")
    size, expected = model.parameters.size, net.forward(x)
    genomes = np.full((4, size + 5), np.nan, np.float32)
    genomes[:, 2:-3] = model.parameters
    for whole in (genomes[1, 2:-3], genomes[::2][1, 2:-3], genomes[::-1, 2:-3][0], genomes.T[2:-3].T[3]):
        callers.forward(model._replace(parameters=whole), x, out.array)
        np.testing.assert_array_equal(out.array, expected)
    columns, twice = np.ascontiguousarray(genomes.T)[2:-3], np.repeat(model.parameters, 2)
    grads, dx = np.zeros(size, np.float32), np.zeros_like(x)
    for strided in (columns[:, 0], twice[::2], model.parameters[::-1]):
        other = net.compiled()._replace(parameters=strided)
        for function in (callers.forward, callers.rows):
            out.array[...] = 0
            with pytest.raises(ValueError, match="contiguous"):
                function(other, x, out.array)
            assert np.isnan(out.array[0]).all()
            assert out.intact()
        for refused in (lambda other=other: callers.loss_and_gradients(other, x, np.zeros(7, np.int64), grads),
                        lambda other=other: callers.pullback(other, x, expected, dx, grads)):
            with pytest.raises(ValueError, match="contiguous"):
                refused()
    with pytest.raises(ValueError, match="contiguous"):
        callers.forward(model._replace(table=np.repeat(model.table, 2)[::2]), x, out.array)


@pytest.mark.parametrize(("dtype", "other"), [DTYPES, DTYPES[::-1]])
def test_parameters_of_another_dtype_than_the_table(dtype, other):
    """As many numbers of another size: neither read nor written beyond the end."""
    net = mixed(dtype)
    model, x = net.compiled(), samples(net, 7).astype(other)
    model = model._replace(parameters=model.parameters.astype(other))
    out, dx, grads = (filled(shape, other) for shape in ((7, 3), x.shape, model.parameters.shape))
    y = np.full((7, 3), 1 / 3, other)
    for function, given in ((callers.forward, (x, out)), (callers.rows, (x, out)),
                            (callers.loss_and_gradients, (x, y, grads)), (callers.input_gradients, (x, y, dx)),
                            (callers.pullback, (x, y, dx, grads))):
        with pytest.raises(ValueError, match="not of the dtype of the network"):
            function(model, *(getattr(each, "array", each) for each in given))
        assert all(each.intact() for each in (out, dx, grads))
    whole = model._replace(parameters=np.zeros(model.parameters.size, np.int64))
    with pytest.raises(TypingError, match=r"model\.parameters is .*it must be a vector"):
        callers.forward(whole, np.zeros((7, 5), int), np.zeros((7, 3), int))
    with pytest.raises(TypingError, match=r"model\.parameters is .*it must be a vector"):
        callers.forward(model._replace(parameters=model.parameters[None]), x, out.array)
    with pytest.raises(TypingError, match=r"model\.table is .*it must be a vector"):
        callers.forward(model._replace(table=None), x, out.array)


def test_a_network_in_place_of_its_model():
    net, x, out = mixed(), np.zeros((1, 5), np.float32), np.zeros((1, 3), np.float32)

    @njit
    def with_a_global_network(x, out):
        fastnn.jit.forward(net, x, out)

    for call in (lambda: callers.forward(net, x, out), lambda: fastnn.jit.forward(net, x, out),
                 lambda: with_a_global_network(x, out)):
        with pytest.raises(TypingError, match=r"give the function network.compiled\(\)"):
            call()
    assert numba.jit(lambda net: net.inputs, forceobj=True)(net) == 5  # in object mode it is an object like any other
    assert dict(inspect.getmembers(net))["inputs"] == 5  # and no attribute of it raises


def test_callers_may_be_debugged_as_python():
    """With NUMBA_DISABLE_JIT what a user compiles is Python; the network is compiled all the same."""
    program = """if True:
        import jit_callers, numba, numpy as np
        from fastnn import Dense, Network, register_activation
        register_activation("bent", lambda z: z * z, lambda z, a: 2.0 * z)
        net, x = Network([Dense(7, "bent"), Dense(3, "softmax")], inputs=5), np.ones((4, 5), np.float32)
        out, grads, dx = np.empty((4, 3), np.float32), np.empty(66, np.float32), np.empty_like(x)
        jit_callers.rows(net.compiled(), x, out)
        assert not hasattr(jit_callers.rows, "py_func") and np.array_equal(out, net.forward(x))
        loss = jit_callers.loss_and_gradients(net.compiled(), x, np.zeros(4, np.int64), grads)
        assert loss == net.loss_and_gradients(x, np.zeros(4, int))[0]
        jit_callers.pullback(net.compiled(), x, out, dx, grads)
        net.fit(x, np.zeros(4, int))
        try:
            jit_callers.forward(net.compiled(), x, out[:3])
        except ValueError as error:
            print(error)
    """
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    paths = [str(Path(fastnn.__file__).parents[1]), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert run.stdout.startswith("the shapes do not fit"), run.stderr


def test_options_are_checked():
    for options in ({"copy": 1}, {"gradients": "no"}):
        with pytest.raises(ValueError, match="must be True or False"):
            mixed().compiled(**options)
    with pytest.raises(ValueError, match="parameters"):
        fastnn.jit.views(mixed(), np.zeros(3))


def test_the_cases_need_the_heap_and_the_stack():
    """So that what is claimed of both is tested."""
    sizes = [4 * 40_000, 4 * 17]
    assert sizes[0] > STACK_BYTES > sizes[1]
