"""Models read strided arrays, write in place, and keep alive what they point to."""

import gc
import pickle

import jit_callers as callers
import numpy as np
from jit_nets import every_dtype, mixed, samples

from fastnn import Dense, Network

rng = np.random.default_rng(0)


@every_dtype
def test_strides_do_not_matter(dtype):
    net = Network([Dense(9, "tanh"), Dense(4)], inputs=4, dtype=dtype)
    model, base = net.compiled(), rng.normal(size=(4, 14, 6)).astype(dtype)
    inputs = base[0, :, :4].T[:, :4], base[1, ::2, 1:5], base[2, ::-1, 4:0:-1], np.asfortranarray(base[3, :, :4])
    # callers are compiled for each pair of layouts: float64, whose strides are others and no more than that, has one
    for x in inputs[:3] if dtype == "float64" else inputs:
        expected = net.forward(np.ascontiguousarray(x))
        n = len(x)
        outs = np.zeros((n, 9), dtype)[:, ::-2][:, :4], np.zeros((n, 4), dtype), np.zeros((4, n), dtype).T
        for out in outs[:1] if dtype == "float64" else outs:
            for function in (callers.forward, callers.rows):
                out[...] = 0
                function(model, x, out)
                np.testing.assert_array_equal(out, expected)
        strided, dx, dense = np.empty((2 * len(x), 4), dtype)[::2], np.empty((len(x), 4), dtype), np.ascontiguousarray(x)
        out = outs[0]
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
