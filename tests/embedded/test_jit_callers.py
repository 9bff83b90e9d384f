"""Functions that call a network: on many threads, in other processes, compiled once for all networks."""

import gc
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jit_callers as callers
import numpy as np
import pytest
from jit_nets import every_dtype, mixed, samples
from numba import guvectorize, njit, typed, typeof
from numba.experimental import jitclass

import fastnn
from fastnn import BatchNorm, Dense, LayerNorm, Network

SUPPORT = Path(__file__).parents[1] / "support"  # scripts that run in processes of their own

rng = np.random.default_rng(0)
ROWS_EACH = 20  # of each of several threads


def results(net, count):
    size = net.vectors.parameters.size
    return (np.empty((count, net.outputs), net.dtype), np.empty(count), np.empty((count, size), net.dtype),
            np.empty((count, net.inputs), net.dtype))


@every_dtype
def test_threads_do_not_meet(dtype):
    """In `prange`, and on several Python threads that share a model and release the GIL."""
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
    other.vectors.state.flat[:] = net.vectors.state.flat
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
    """In tuples, typed lists, the field of a class, a result, a generator, and in parts in a generalized ufunc."""
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
    """The cached function contains no address of the process that compiled it, and works for other networks."""
    shutil.copy(SUPPORT / "jit_callers.py", tmp_path)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(fastnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    for width, hits in ((5, 0), (5, 1), (300, 1)):
        run = subprocess.run([sys.executable, "jit_callers.py", str(width)], cwd=tmp_path, env=environment,
                             capture_output=True, text=True)
        assert run.stdout.split() == [str(hits), "True"], run.stderr


def test_callers_may_be_debugged_as_python():
    """With NUMBA_DISABLE_JIT the user's functions are Python; the network is still compiled."""
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
    support = Path(__file__).parents[1] / "support"  # of jit_callers
    paths = [str(Path(fastnn.__file__).parents[1]), str(support), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert run.stdout.startswith("the shapes do not fit"), run.stderr
