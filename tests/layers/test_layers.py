"""Laws for every layer, at every position: gradients, bits, files, copies, resumed training."""

import copy
import math
import pickle
from functools import partial

import numpy as np
import pytest
from layer_cases import (
    CASES,
    LAYERS,
    TOKENS,
    X,
    all_bits,
    in_turn,
    network,
    one_place_each,
    placed,
    targets,
    unsettled,
)

import fastnn
from fastnn import SGD, Activation, Adam, BatchNorm, Dense, DivergenceError, Dropout, LayerNorm, Network, activations
from fastnn.layers import Layer, layers

every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def every_case(first):
    """Each layer at one position, another one for each law; with `-m long` at all."""
    return pytest.mark.parametrize(("name", "place"), one_place_each(first))


def every_case_with(name, values, first=0):
    """Each layer at every position, with the values in turn; with `-m long` with all."""
    return pytest.mark.parametrize(("name", "place", name), in_turn(CASES, values, first))


every_dtype = partial(every_case_with, "dtype", ["float32", "float64"])
both_ways = partial(every_case_with, "training", [False, True])
FORMS = [(dtype, batch_size) for batch_size in (1, 5, 32, 70) for dtype in ("float32", "float64")]


def layers_and_activations():
    """All combinations, of which every third pair of layer and activation, in one of the two ways, is no long test."""
    return [pytest.param(a, b, c, marks=() if (i + j) % 3 == 0 and (i + j) % 2 == k else pytest.mark.long)
            for i, a in enumerate(LAYERS) for j, b in enumerate(activations) for k, c in enumerate([False, True])]


def test_every_registered_layer_is_tested():
    ours = {kind for kind in layers.values() if not issubclass(kind, fastnn.CustomLayer)}
    assert {type(layer) for layer in (LAYERS | TOKENS).values()} == ours
    assert {kind.__name__ for kind in ours} <= set(fastnn.__all__)


# Gradients


@both_ways(0)
def test_gradients_are_right(name, place, training):
    net = network(name, place, dtype="float64")
    report = fastnn.check_gradients(net, X[:20], targets(net)[:20], training=training)
    assert report.max_relative_error <= 1e-7, str(report)


@pytest.mark.parametrize(("name", "activation", "training"), layers_and_activations())
def test_gradients_of_every_layer_with_every_activation(name, activation, training):
    """Before it, after it, and applied by a separate layer."""
    last = placed(name, 3 if len(placed(name, 3)) == 1 else 12)
    net = unsettled(Network([Dense(5, activation), *placed(name, 5), Dense(4, activation), *placed(name, 4),
                             Activation(activation), Dense(3 if len(last) == 1 else 12), *last, Activation("softmax")],
                            inputs=9, dtype="float64", seed=3))
    smooth = activations[activation].smooth and "Max" not in name
    samples, step = (30, 1e-4) if smooth else (6, 1e-5)  # so that no kink is stepped over
    weights = np.random.default_rng(4).uniform(0.5, 2, size=samples)
    report = fastnn.check_gradients(net, X[:samples], np.arange(samples) % 3, sample_weight=weights, training=training,
                                    step=step)
    assert report.max_relative_error <= 1e-6, str(report)


@both_ways(1)
def test_float32_gradients(name, place, training):
    single = network(name, place, dtype="float32")
    double, x, y = single.astype("float64"), X.astype("float32"), targets(single).astype("float32")
    loss, gradients = single.loss_and_gradients(x, y, training=training)
    exact_loss, exact = double.loss_and_gradients(x, y, training=training)
    assert loss == pytest.approx(exact_loss, rel=2e-5)
    whole = np.sqrt(sum((array**2).sum() for array in exact.values()))
    for key, array in exact.items():
        assert np.linalg.norm(gradients[key] - array) <= 1e-4 * whole, key


@every_case(0)
def test_gradients_change_nothing(name, place):
    net = network(name, place)
    before = all_bits(net)
    once = net.loss_and_gradients(X, targets(net), training=True)
    again = net.loss_and_gradients(X, targets(net), training=True)
    assert once[0] == again[0]
    assert net.loss_function(X, targets(net), training=True)() == once[0]
    assert all_bits(net) == before


@every_case(1)
def test_a_step_takes_the_gradients_as_in_training(name, place):
    net = network(name, place, dtype="float64")
    y = targets(net)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    expected = {key: view - 0.1 * gradients[key] for key, view in net.parameters.items()}
    history = net.fit(X, y, batch_size=len(X), shuffle=False, optimizer=SGD(0.1))
    assert history["loss"] == [pytest.approx(loss, rel=1e-12)]
    for key, view in net.parameters.items():
        np.testing.assert_allclose(view, expected[key], rtol=1e-12, atol=1e-14)


# The same bits


@every_case_with("form", FORMS)
def test_threads_do_not_change_a_bit_of_training(name, place, form, many_parts):
    dtype, batch_size = form

    def trained(threads):
        net = network(name, place, width=65, dtype=dtype)
        net.fit(X, targets(net), epochs=2, batch_size=batch_size, threads=threads)
        return all_bits(net)

    one = trained(1)
    assert max(many_parts) == 1
    for threads in (2, 5):
        assert trained(threads) == one
        assert max(many_parts) == threads


@both_ways(0)
def test_threads_do_not_change_a_bit_of_a_gradient(name, place, training, many_parts):
    net = network(name, place, width=65)
    loss, gradients = net.loss_and_gradients(X, targets(net), training=training, threads=1)
    for threads in (2, 3, 8):
        again, gradients_again = net.loss_and_gradients(X, targets(net), training=training, threads=threads)
        assert again == loss
        assert all(np.array_equal(gradients_again[key], gradients[key]) for key in gradients)


@every_dtype(0)
def test_a_row_alone_is_the_row_in_a_batch(name, place, dtype):
    net = network(name, place, width=65, dtype=dtype)
    many = np.random.default_rng(3).normal(size=(1003, 9)).astype(dtype)
    whole = net.forward(many, threads=1)
    for batch in (*range(1, 20), 63, 252, 253, 1003):
        for threads in (None, 3):
            np.testing.assert_array_equal(net.forward(many[:batch], threads=threads), whole[:batch])
            np.testing.assert_array_equal(net.forward(many[-batch:], threads=threads), whole[-batch:])


@every_case(2)
def test_evaluation_is_of_the_outputs(name, place):
    net = network(name, place, dtype="float64")
    y = targets(net)
    net.fit(X, y)
    expected = ((net.forward(X) - y) ** 2).sum() / 2 / len(X)
    assert net.evaluate(X, y)["loss"] == pytest.approx(expected, rel=1e-12)
    assert net.loss_and_gradients(X, y)[0] == pytest.approx(expected, rel=1e-12)
    assert net.loss_function(X, y)() == pytest.approx(expected, rel=1e-12)


# Resumed training


@every_case(0)
def test_five_epochs_and_five_more_are_ten(name, place):
    twice, once, kept = network(name, place), network(name, place), Adam()
    y = targets(once)
    first = twice.fit(X, y, epochs=5, batch_size=16, optimizer=kept)
    second = twice.fit(X, y, epochs=5, batch_size=16, optimizer=kept)
    whole = once.fit(X, y, epochs=10, batch_size=16, optimizer=Adam())
    assert first["loss"] + second["loss"] == whole["loss"]
    assert all_bits(twice) == all_bits(once)


@every_case(1)
def test_training_goes_down(name, place):
    net = network(name, place)
    weights = network("Dense", "between").forward(X)  # something that can be learned
    y = np.tanh(weights @ np.random.default_rng(6).normal(size=(3, net.outputs)))
    before = net.evaluate(X, y)["loss"]
    net.fit(X, y, epochs=150, optimizer=Adam(0.01))
    assert net.evaluate(X, y)["loss"] < before


@every_case(2)
def test_a_step_that_diverges_leaves_everything_as_it_was(name, place):
    net = network(name, place)
    # the last numbers, which every layer passes on, but not those of positions behind the last step
    net.parameters[list(net.parameters)[-1]][0 if name == "PositionEmbedding" else -1] = np.nan
    before = all_bits(net)
    with pytest.raises(DivergenceError):
        net.fit(X, targets(net), shuffle=False)
    assert all_bits(net) == before


# Files and copies


@every_dtype(1)
def test_saved_and_loaded(name, place, dtype, tmp_path):
    net = network(name, place, dtype=dtype)
    net.fit(X, targets(net))
    net.save(tmp_path / "model.safetensors")
    loaded = Network.load(tmp_path / "model.safetensors")
    assert loaded.config() == net.config()
    assert list(loaded.state) == list(net.state)
    for key, view in {**net.parameters, **net.state}.items():
        np.testing.assert_array_equal({**loaded.parameters, **loaded.state}[key], view)
    np.testing.assert_array_equal(loaded.forward(X), net.forward(X))


@every_case_with("copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net)),
                            lambda net: net.astype(net.dtype)])
def test_copies_are_the_same_net_and_independent(name, place, copied):
    net = network(name, place)
    net.fit(X, targets(net))
    twin = copied(net)
    assert all_bits(twin) == all_bits(net)
    for each in (net, twin):
        each.fit(X, targets(net), epochs=2, optimizer=Adam())
    assert all_bits(twin) == all_bits(net)
    before = all_bits(net)
    for view in (*twin.parameters.values(), *twin.state.values()):
        view[...] = 0
    assert all_bits(net) == before


@every_layer
def test_repr_and_config_make_the_layer_again(layer):
    names = {kind.__name__: kind for kind in layers.values()}
    assert eval(repr(layer), names) == layer
    options = layer.config()
    assert names[options.pop("layer")](**options) == layer


# The network as an object


def test_summary():
    lines = Network([Dense(40), BatchNorm(), Activation("relu"), Dropout(0.25), LayerNorm(), Dense(3, "softmax")],
                    inputs=4).summary().splitlines()
    cells = [line.split("   ") for line in lines[2:8]]
    assert [line[0].split()[1].split("(")[0] for line in cells] == [
        "Dense", "BatchNorm", "Activation", "Dropout", "LayerNorm", "Dense"]
    assert [line[-1].strip() for line in cells] == ["200", "80", "0", "0", "80", "123"]
    assert all("(batch, 40)" in line for line in lines[2:7])
    assert lines[-1] == "483 parameters, 1,932 bytes of float32; loss cross_entropy; 80 numbers of state"


def test_state_is_live_views():
    net = Network([BatchNorm(), Dense(2)], inputs=3)
    assert {name: view.shape for name, view in net.state.items()} == {"0.running_mean": (3,), "0.running_variance": (3,)}
    assert Network([Dense(2), Dropout(0.5), LayerNorm()], inputs=3).state == {}
    for rows in (1, 70):  # a prediction that is planned once and one that is planned each time
        before = net.forward(X[:rows, :3])
        net.state["0.running_mean"][:] += 1
        assert not np.array_equal(net.forward(X[:rows, :3]), before)
    with pytest.raises(TypeError):
        net.state["0.running_mean"] = np.zeros(3)


def test_widths():
    assert Network([Dropout(0.1), Dense(5), BatchNorm(), Dense(2)], inputs=4).widths == [4, 4, 5, 5, 2]


def test_networks_without_parameters():
    net = Network([Activation("softmax")], inputs=3)
    np.testing.assert_allclose(net.forward(np.zeros((2, 3))), np.full((2, 3), 1 / 3), rtol=1e-6)
    net.fit(X[:, :3], np.arange(70) % 3)
    assert net.loss_and_gradients(X[:, :3], np.arange(70) % 3)[1] == {}
    assert fastnn.check_gradients(net, X[:, :3], np.arange(70) % 3).passed


BAD = {
    "Dropout of everything": (lambda: Dropout(1.0), "Dropout(rate=...) is 1.0", "at least 0 and below 1"),
    "Dropout below nothing": (lambda: Dropout(-0.1), "Dropout(rate=...) is -0.1", "at least 0"),
    "Dropout of text": (lambda: Dropout("half"), "Dropout(rate=...) is 'half'", "must be a number"),
    "Dropout of nan": (lambda: Dropout(float("nan")), "Dropout(rate=...) is nan", "must be a number"),
    "Dropout of True": (lambda: Dropout(True), "Dropout(rate=...) is True", "must be a number"),
    "momentum of 1": (lambda: BatchNorm(momentum=1), "BatchNorm(momentum=...) is 1", "below 1"),
    "no epsilon": (lambda: BatchNorm(epsilon=0.0), "BatchNorm(epsilon=...) is 0.0", "at least 1e-30"),
    "infinite epsilon": (lambda: LayerNorm(epsilon=math.inf), "LayerNorm(epsilon=...) is inf", "finite"),
    "unknown activation": (lambda: Activation("rleu"), "unknown activation 'rleu'", "relu"),
    "Dropout at the end": (lambda: Network([Dense(3), Dropout(0.5)], 4), "layer is Dropout(0.5)", "end with another"),
    "softmax over one": (lambda: Network([Dense(1), Activation("softmax")], 4), "always 1", "Dense(1, 'sigmoid')"),
    "training in words": (lambda: network("Dropout", "first").loss_and_gradients(X, X[:, :3], training="yes"),
                          "training is 'yes'", "True or False"),
}


@pytest.mark.parametrize(("given", "names", "repair"), BAD.values(), ids=BAD)
def test_errors_name_the_repair(given, names, repair):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        given()
    assert names in str(caught.value)
    assert repair in str(caught.value)


def test_a_layer_that_cannot_be_computed_says_so():
    with pytest.raises(NotImplementedError, match="give it a method `lower`"):
        Layer().lower(None, 0, None, None)
