"""Laws of layers that a user wrote."""

import copy
import pickle

import child
import custom_layers
import numpy as np
import pytest
from jit_nets import assert_same_outputs

import fastnn
from fastnn import Adam, Dense, Flatten, Input, Network, Population, Reshape, Shared
from fastnn.layers import layers

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(70, 5)), rng.integers(3, size=70)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(layers, "records", dict(layers.records))


def network(name, **options):
    """Return a network of five inputs with the layer in it."""
    make, arguments, shape = custom_layers.CLASSES[name]
    layer, x = make()(**arguments), Input(5)
    shapes = shape if isinstance(shape, list) else [shape]
    nodes = []
    for each in shapes:
        h = Dense(int(np.prod(each)), "tanh")(x)
        nodes.append(h if isinstance(each, int) else Reshape(each)(h))
    a = layer(*nodes, name="own")
    return Network(inputs=x, outputs=Dense(3, "softmax")(a if len(a.shape) == 1 else Flatten()(a)), seed=3, **options)


every_layer = pytest.mark.parametrize("name", custom_layers.CLASSES)


def bits(net):
    return [view.tobytes() for view in (*net.parameters.values(), *net.state.values(), net.vectors.random)]


@every_layer
def test_it_passes_every_check(name):
    make, arguments, shape = custom_layers.CLASSES[name]
    report = fastnn.check_layer(make()(**arguments), shape)
    assert report.passed, report
    assert [check.name for check in report.checks] == ["functions", "rungs", "gradients", "rows", "threads", "files"]
    assert str(report).count("passed") == 6
    assert "<table>" in report._repr_html_()


@every_layer
def test_a_fit_has_the_same_bits_with_any_number_of_threads(name, many_parts):
    nets = [network(name) for _ in range(3)]
    for net, threads in zip(nets, (1, 2, 3), strict=True):
        net.fit(X, LABELS, epochs=2, batch_size=33, threads=threads)
    assert max(many_parts) > 1
    assert bits(nets[0]) == bits(nets[1]) == bits(nets[2])


@every_layer
def test_resume_files_copies_and_compiled_code(name, tmp_path):
    net, twice = network(name), network(name)
    optimizer = Adam()
    net.fit(X, LABELS, epochs=4, optimizer=Adam())
    twice.fit(X, LABELS, epochs=2, optimizer=optimizer)
    twice.save_checkpoint(tmp_path / "fit.safetensors")
    Network.load_checkpoint(tmp_path / "fit.safetensors").fit(X, LABELS, epochs=4, resume=True)
    twice.fit(X, LABELS, epochs=2, optimizer=optimizer)
    assert bits(net)[:-1] == bits(twice)[:-1]
    net.save(tmp_path / "net.safetensors")
    for other in (Network.load(tmp_path / "net.safetensors"), copy.deepcopy(net)):
        assert other.config() == net.config()
        assert np.array_equal(other.forward(X), net.forward(X))
    assert_same_outputs(net, [1, 5, 40])


@every_layer
def test_a_member_of_a_population_is_as_alone(name):
    alone, member = network(name), network(name)
    alone.fit(X, LABELS, epochs=2, batch_size=20)
    Population([member, network(name)]).fit(X, LABELS, epochs=2, batch_size=20)
    assert bits(alone) == bits(member)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_computes_what_a_layer_of_the_package_computes(dtype):
    own = network("affine", dtype=dtype)
    x = Input(5)
    ours = Network(inputs=x, outputs=Dense(3, "softmax")(Dense(5)(Dense(7, "tanh")(x))), dtype=dtype, seed=3)
    for view, other in zip(ours.parameters.values(), own.parameters.values(), strict=True):
        view[...] = other
    np.testing.assert_allclose(own.forward(X), ours.forward(X), rtol=1e-5)
    loss, gradients = own.loss_and_gradients(X, LABELS)
    expected_loss, expected = ours.loss_and_gradients(X, LABELS)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for gradient, other in zip(gradients.values(), expected.values(), strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-3, atol=1e-7)


def test_it_is_shared_and_reads_what_others_read():
    affine = custom_layers.affine()
    x = Input(4)
    tower = Shared(affine(4))
    h = tower(tower(x, name="own")) + x
    net = Network(inputs=x, outputs=Dense(2)(h * h), dtype="float64")
    assert fastnn.check_gradients(net, X[:, :4], X[:, :2]).passed


def test_it_works_step_by_step_on_sequences():
    affine = custom_layers.affine()
    nets = [Network([layer, fastnn.GRU(3), Dense(2, "softmax")], inputs=(None, 4), seed=1) for layer in
            (affine(4), Dense(4))]
    for view, other in zip(*(net.parameters.values() for net in nets), strict=True):
        view[...] = other
    data = [rng.normal(size=(steps, 4)).astype("float32") for steps in (3, 1, 7, 2)]
    np.testing.assert_allclose(nets[0].forward(data), nets[1].forward(data), rtol=1e-5)
    histories = [net.fit(data, [0, 1, 0, 1], epochs=3)["loss"] for net in nets]
    np.testing.assert_allclose(*histories, rtol=1e-5)


def test_its_state_follows_the_samples_in_order():
    net = Network([custom_layers.centered()(0.8), Dense(1)], inputs=5, dtype="float64")
    net.fit(X, X[:, 0], batch_size=20, shuffle=False)
    expected = np.zeros(5)
    for x in X:
        expected = 0.8 * expected + 0.2 * x
    np.testing.assert_allclose(net.state["0.mean"], expected, rtol=1e-12)
    kept = net.state["0.mean"].copy()
    net.fit(X, X[:, 0], frozen=["0.*"])
    assert np.array_equal(net.state["0.mean"], kept)


def test_a_file_whose_layer_is_not_registered_is_refused_by_name(tmp_path):
    net = network("pendulum")
    net.save(tmp_path / "net.safetensors")
    layers.records.pop("OwnPendulum")
    with pytest.raises(fastnn.ModelFormatError, match=r"unknown layer 'OwnPendulum'.*register_layer"):
        Network.load(tmp_path / "net.safetensors")


def test_a_pickle_has_the_class_by_name():
    layer = fastnn.register_layer(Doubled)()
    net = Network([layer], inputs=3)
    assert pickle.loads(pickle.dumps(net)).layers == (layer,)


class Doubled(fastnn.CustomLayer):
    def forward(a, x):
        a[:] = 2.0 * x

    def backward(dx, da):
        dx[:] = 2.0 * da


IN_A_PROCESS = """
import sys, time
import numpy as np, fastnn
FACTOR = {factor}

def helper(z):
    return FACTOR * z

@fastnn.register_layer
class Cached(fastnn.CustomLayer):
    def forward(a, x):
        for i in range(len(x)):
            a[i] = helper(x[i])

    def backward(dx, da):
        for i in range(len(da)):
            dx[i] = FACTOR * da[i]

out = fastnn.Network([Cached()], inputs=2).forward(np.ones((1, 2)))
print(float(out[0, 0]), len(list(fastnn.kernels.compiling.cache.cache_directory().glob("custom_Cached_forward*"))))
"""


def test_it_is_compiled_once_for_all_processes_and_again_after_an_edit(tmp_path):
    found = [child.python("-c", IN_A_PROCESS.replace("{factor}", factor), FASTNN_CACHE_DIR=tmp_path).stdout.split()
             for factor in ("2.0", "2.0", "3.0")]
    assert found == [["2.0", "1"], ["2.0", "1"], ["3.0", "2"]]


def test_training_is_told():
    """A layer that doubles in training only: in fit, in gradients as in training, not in prediction and evaluation."""

    @fastnn.register_layer
    class OwnDouble(fastnn.CustomLayer):
        def forward(a, x, training):
            for i in range(len(x)):
                a[i] = 2.0 * x[i] if training else x[i]

        def backward(dx, da, x, training):
            for i in range(len(x)):
                dx[i] = 2.0 * da[i] if training else da[i]

    net = Network([Dense(4), OwnDouble()], inputs=5, loss="squared_error", dtype="float64", seed=1)
    plain = Network([Dense(4)], inputs=5, loss="squared_error", dtype="float64", seed=1)
    y = rng.normal(size=(70, 4))
    np.testing.assert_array_equal(net.forward(X), plain.forward(X))
    assert net.evaluate(X, y) == plain.evaluate(X, y)
    _, at_rest = net.loss_and_gradients(X, y)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    np.testing.assert_array_equal(at_rest["0.bias"], plain.loss_and_gradients(X, y)[1]["0.bias"])
    doubled = Network([Dense(4)], inputs=5, loss="squared_error", dtype="float64", seed=1)
    for view in doubled.parameters.values():
        view *= 2
    expected, of_doubled = doubled.loss_and_gradients(X, y)
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradients["0.bias"], 2 * of_doubled["0.bias"], rtol=1e-12)
    assert fastnn.check_layer(OwnDouble(), 3).passed
    history = net.fit(X, y, optimizer=fastnn.SGD(1e-12), batch_size=70)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-12)


def test_a_field_called_training_is_a_number_of_the_layer():
    @fastnn.register_layer
    class OwnScale(fastnn.CustomLayer):
        training: float = 3.0

        def forward(a, x, training):
            for i in range(len(x)):
                a[i] = training * x[i]

        def backward(dx, da, training):
            for i in range(len(da)):
                dx[i] = training * da[i]

    net = Network([OwnScale(), Dense(1)], inputs=5, loss="squared_error")
    net.parameters["1.weight"][:] = 1
    np.testing.assert_allclose(net.forward(X)[:, 0], 3 * X.sum(axis=1), rtol=1e-4, atol=1e-4)
