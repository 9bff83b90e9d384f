"""Mistakes in a user's layer get an error that names the layer, the function and the repair."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import CustomLayer, Dense, Input, Network, register_layer
from fastnn.layers import layers

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(layers, "records", dict(layers.records))


def double(a, x):
    for i in range(len(x)):
        a[i] = 2.0 * x[i]


def double_backward(dx, da):
    for i in range(len(da)):
        dx[i] = 2.0 * da[i]


def made(forward=double, backward=double_backward, **members):
    """Return a class of layers with these functions."""
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward), **members}
    return type("Mine", (CustomLayer,), members)


def built(**members):
    return Network([register_layer(made(**members))(), Dense(1)], inputs=3)


def weight(self, shape):
    return {"weight": shape}


def with_weight(a, x, weight):
    for i in range(len(x)):
        a[i] = weight[i] * x[i]


def first_only(a, x):
    a[0] = x[0]


def added(a, x):
    for i in range(len(x)):
        a[i] += x[i]


def changes_x(a, x):
    x[0] = 0.0
    a[:] = x


def changes_weight(a, x, weight):
    weight[0] += 1.0
    a[:] = x


def beyond(a, x):
    for i in range(len(x) + 1):
        a[i] = x[i]


def of_an_unknown(a, x, wieght):
    a[:] = x


def returns(a, x):
    return x


def overwrites(dx, dweight, da, x, weight):
    for i in range(len(x)):
        dx[i], dweight[i] = weight[i] * da[i], x[i] * da[i]


def forgets(dx, da, weight):
    dx[:] = da * weight


def rated(a, x, rate):
    a[:] = rate * x


MISTAKES = {
    "an element is left": ({"forward": first_only}, r"Mine.forward does not set a\[1\]"),
    "an output is added to": ({"forward": added}, r"Mine.forward does not set a\[0\].*begin with a\[:\] = 0"),
    "the input is changed": ({"forward": changes_x}, r"Mine.forward changes an array that it only reads.*write to a"),
    "a parameter is changed": ({"forward": changes_weight, "backward": forgets, "parameter_shapes": weight},
                               "Mine.backward forgets the gradient of 'weight': let it take 'dweight' and add to it"),
    "beyond the end": ({"forward": beyond}, r"Mine.forward raises IndexError in line .*a \(3,\), x \(3,\)"),
    "an unknown name": ({"forward": of_an_unknown}, "Mine.forward takes 'wieght', which is none of its arrays and numbers"),
    "a value is returned": ({"forward": returns}, "Mine.forward returns a value; it must write into the arrays"),
    "a gradient is overwritten": ({"forward": with_weight, "backward": overwrites, "parameter_shapes": weight},
                                  r"Mine.backward must add to dweight, with dweight\[…\] \+= …"),
    "a gradient is forgotten": ({"forward": with_weight, "backward": forgets, "parameter_shapes": weight},
                                "Mine.backward forgets the gradient of 'weight'"),
    "dx is forgotten": ({"backward": lambda da: None}, "forgets the gradient of 'x': let it take 'dx'"),
    "no output": ({"forward": lambda x: None}, "Mine.forward does not write its output: let it take 'a'"),
    "a shape of text": ({"output_shape": lambda self, shape: "3"}, "output_shape gives for .* must be a tuple of whole"),
    "a shape of nothing": ({"parameter_shapes": lambda self, shape: {"weight": ()}}, "the shape of 'weight' is .*must be a"),
    "no dict": ({"parameter_shapes": lambda self, shape: [3]}, "parameter_shapes gives .*must give a dict of names"),
    "a number without annotation": ({"forward": rated, "rate": 2.0},
                                    "Mine.rate is no number of the layer, as it has no annotation; write rate: float = …"),
    "two names": ({"parameter_shapes": lambda self, shape: {"dx": (2,)}}, "two arrays called 'dx'"),
    "an initial value too long": ({"forward": with_weight, "backward": overwrites, "parameter_shapes": weight,
                                   "initial_values": lambda self, shape, generator: {"weight": np.ones(7)}},
                                  r"initial_values gives weight the shape \(7,\); it must be \(3,\)"),
    "state without an update": ({"state_shapes": lambda self, shape: {"mean": shape}}, "state mean and no function update"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_when_the_network_is_built(name):
    members, message = MISTAKES[name]
    with pytest.raises(ValueError, match=message):
        built(**members)


def test_a_parameter_that_forward_changes_is_refused():
    with pytest.raises(ValueError, match=r"Mine.forward changes an array that it only reads"):
        built(forward=changes_weight, backward=lambda dx, dweight, da: None, parameter_shapes=weight)


def random(a, x):
    for i in range(len(x)):
        a[i] = x[i] if np.random.rand() < 0.5 else 0.0  # noqa: NPY002


REGISTRATION = {
    "random numbers": (lambda: register_layer(made(forward=random)),
                       r"Mine.forward draws random numbers, which no seed sets; .*fastnn.GaussianNoise\(1.0\)\(0.0 \* x\)"),
    "whole sequences": (lambda: register_layer(made(works_over_time=lambda self, shape: True)),
                        r"works on the steps of sequences, one at a time.*inputs=\(steps, features\)"),
    "self": (lambda: register_layer(made(forward=lambda self, a, x: None)), "Mine.forward takes self"),
    "stars": (lambda: register_layer(made(forward=lambda *arrays: None)), r"Mine.forward must take plain arguments"),
    "no backward": (lambda: register_layer(type("Mine", (CustomLayer,), {"forward": staticmethod(double)})),
                    "Mine has no function backward"),
    "a name of the package": (lambda: register_layer(type("Dense", (CustomLayer,), dict(made().__dict__))),
                              "fastnn has a layer called Dense"),
    "no layer": (lambda: register_layer(int), "takes a subclass of fastnn.CustomLayer"),
    "reads nothing": (lambda: register_layer(made(reads=())), "Mine.reads is"),
}


@pytest.mark.parametrize("name", REGISTRATION)
def test_a_mistake_is_refused_when_the_class_is_registered(name):
    call, message = REGISTRATION[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_a_class_that_is_not_registered_is_refused():
    layer = made()()
    with pytest.raises(ValueError, match=r"Mine is not registered.*@fastnn.register_layer above the class"):
        Network([layer], inputs=3)
    with pytest.raises(ValueError, match=r"Mine is not registered"):
        layer(Input(3))


def test_a_wrong_number_of_inputs_is_refused():
    layer = register_layer(made(reads=("x", "y"), forward=lambda a, x, y: None, backward=lambda dx, dy, da: None))
    with pytest.raises(ValueError, match=r"joins 2 tensors, x, y, and here there are 3"):
        layer()(Input(3), Input(3), Input(3))


def test_what_is_no_number_is_no_argument():
    @register_layer
    class Texted(CustomLayer):
        mode: str = "fast"

        def forward(a, x, mode):
            a[:] = x

        def backward(dx, da):
            dx[:] = da

    with pytest.raises(ValueError, match=r"Texted.mode is 'fast'; functions can take numbers only"):
        Network([Texted()], inputs=3)


def test_arguments_are_annotated_attributes():
    @register_layer
    class Mine(CustomLayer):
        width: int = 1

        def forward(a, x, width):
            for i in range(len(x)):
                a[i] = x[i * width]

        def backward(dx, da):
            dx[:] = da

    for call in (lambda: Mine(2, 3), lambda: Mine(size=2)):
        with pytest.raises(TypeError, match=r"the arguments of Mine are its annotated attributes, .* and here width"):
            call()
    with pytest.raises(ValueError, match=r"Mine.width is 2.0, and the class says int; give a whole number"):
        Network([Mine(2.0)], inputs=3)
    with pytest.raises(ValueError, match=r"its numbers are width = 2"):
        Network([Mine(2)], inputs=3)
    assert Network([Mine()], inputs=3).layers == (Mine(1),)


def test_a_class_may_have_other_arrays_after_an_edit_and_for_other_shapes():
    """As when a notebook cell is edited and runs again, while networks of the earlier class are in use."""
    def of_all(a, x):
        a[...] = 2.0 * x

    def of_all_backward(dx, da):
        dx[...] = 2.0 * da

    first = register_layer(made(forward=of_all, backward=of_all_backward))
    nets = [Network([first(), fastnn.Flatten()], inputs=shape) for shape in (3, (3, 2))]

    def second_backward(dx, dweight, da, x, weight):
        dx[:] = weight * da
        dweight += x * da

    second = register_layer(made(forward=with_weight, backward=second_backward, parameter_shapes=weight,
                                 initial_values=lambda self, shape, generator: {"weight": 3.0}))
    nets.append(Network([second()], inputs=3))
    given = [X, np.stack([X, X], axis=-1), X]
    for net, samples, factor in zip(nets, given, (2, 2, 3), strict=True):
        expected = factor * samples.reshape(len(X), -1)
        np.testing.assert_allclose(net.forward(samples), expected, rtol=1e-6)
        net.fit(samples, expected)


def test_python_that_cannot_be_compiled_is_refused():
    def with_objects(a, x):
        a[:] = eval("x")

    net = built(forward=with_objects)
    with pytest.raises(ValueError, match=r"a function of Mine cannot be compiled: .*Functions take arrays and numbers"):
        net.forward(X)


def test_an_exception_in_compiled_code_is_raised_and_changes_nothing():
    def strict(a, x):
        for i in range(len(x)):
            if x[i] > 100.0:
                raise ValueError("x is beyond 100")
            a[i] = x[i]

    net = built(forward=strict)
    net.fit(X, X[:, 0], epochs=1)
    bad = X.copy()
    bad[17, 1] = 1e4
    before = {name: view.copy() for name, view in net.parameters.items()}
    message = r"forward of layer 0 \(Mine\(\)\) raised ValueError: x is beyond 100"
    for call in (net.forward, net.predict, lambda bad: net.fit(bad, X[:, 0], batch_size=64),
                 lambda bad: net.evaluate(bad, X[:, 0]), lambda bad: net.loss_and_gradients(bad, X[:, 0])):
        with pytest.raises(RuntimeError, match=message):
            call(bad)
    with pytest.raises(RuntimeError, match=message):
        net.forward(bad[17:18])
    for name, view in net.parameters.items():
        assert np.array_equal(view, before[name])
    assert np.isfinite(net.forward(X)).all()
    assert net.fit(X, X[:, 0])["loss"]


def test_an_exception_in_backward_changes_nothing():
    def strict(dx, da):
        for i in range(len(da)):
            if abs(da[i]) > 1e3:
                raise ValueError("too steep")
            dx[i] = 2.0 * da[i]

    # behind a layer with parameters: what nobody asks for is not computed
    net = Network([Dense(3), *built(backward=strict).layers[:1], Dense(1)], inputs=3, loss="squared_error")
    before = {name: view.copy() for name, view in net.parameters.items()}
    with pytest.raises(RuntimeError, match=r"backward of layer 1 .* raised ValueError: too steep"):
        net.fit(X, 1e8 * X[:, 0], batch_size=20)
    for name, view in net.parameters.items():
        assert np.array_equal(view, before[name])


def test_arithmetic_that_is_not_defined_for_random_numbers_is_no_mistake():
    def logarithm(a, x):
        for i in range(len(x)):
            a[i] = math.log(x[i])

    def prime(dx, da, x):
        for i in range(len(x)):
            dx[i] = da[i] / x[i]

    net = Network([register_layer(made(forward=logarithm, backward=prime))()], inputs=3)
    np.testing.assert_allclose(net.forward(np.abs(X)), np.log(np.abs(X)), rtol=1e-4, atol=1e-5)


def test_the_check_finds_a_wrong_derivative():
    @register_layer
    class Wrong(CustomLayer):
        def parameter_shapes(self, shape):
            return {"weight": shape}

        forward = with_weight

        def backward(dx, dweight, da, x, weight):
            for i in range(len(x)):
                dx[i] = 2.0 * weight[i] * da[i]
                dweight[i] += x[i] * da[i]

    report = fastnn.check_layer(Wrong(), 4)
    assert not report.passed
    assert [check.name for check in report.checks if not check.passed] == ["gradients"]
    assert "the gradient of input 0 is wrong" in str(report)


def test_the_check_tells_mistakes_of_the_functions():
    report = fastnn.check_layer(register_layer(made(forward=first_only))(), 4)
    assert [(check.name, check.passed) for check in report.checks] == [("functions", False)]
    assert "does not set a[1]" in str(report)


def test_the_check_takes_layers_of_the_package():
    assert fastnn.check_layer(fastnn.Dense(3, "tanh"), 4).passed
    assert fastnn.check_layer(fastnn.Add(), [4, 4]).passed
