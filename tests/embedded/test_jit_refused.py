"""Arrays that do not fit a model are refused, and nothing is written outside them."""

import inspect
import pickle

import jit_callers as callers
import numba
import numpy as np
import pytest
from guarded import filled
from jit_nets import DTYPES, mixed, samples
from numba import njit
from numba.core.errors import TypingError

import fastnn
from fastnn import Dense, Network


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
    """Errors when the caller compiles."""
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
    """For types that determine the layout, and for types that leave it open."""
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
    """As many elements of another size: none is read or written beyond the end."""
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
    with pytest.raises(TypingError, match=r"model\.table is .*it must be a table"):
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


def test_options_are_checked():
    for options in ({"copy": 1}, {"gradients": "no"}):
        with pytest.raises(ValueError, match="must be True or False"):
            mixed().compiled(**options)
    with pytest.raises(ValueError, match="parameters"):
        fastnn.jit.views(mixed(), np.zeros(3))
