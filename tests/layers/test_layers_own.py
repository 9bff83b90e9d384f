"""Properties of single layers: activations applied by the layer before, random numbers of dropout, batch statistics."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from fastnn import SGD, Activation, BatchNorm, Dense, Dropout, ModelFormatError, Network, activations, vectorized
from fastnn.files import networks as files
from fastnn.formats.safetensors import to_bytes

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(50, 4)), rng.integers(3, size=50)


# Activation


@pytest.mark.parametrize("activation", activations)
def test_an_activation_behind_a_dense_layer_is_that_layers(activation):
    apart = Network([Dense(7), Activation(activation), Dense(3), Activation(activation)], inputs=4)
    melted = Network([Dense(7, activation), Dense(3, activation)], inputs=4)
    assert apart.loss == melted.loss
    for name, other in {"0.weight": "0.weight", "2.weight": "1.weight"}.items():
        np.testing.assert_array_equal(apart.parameters[name], melted.parameters[other])
    y = np.abs(rng.normal(size=(50, 3)))
    y /= y.sum(axis=1, keepdims=True)
    histories = [net.fit(X, y, epochs=3, threads=1) for net in (apart, melted)]
    assert dict(histories[0]) == dict(histories[1])
    np.testing.assert_array_equal(apart.forward(X), melted.forward(X))


@pytest.mark.parametrize("before", [[Dense(3)], [Dense(3, "tanh")], [Dense(3), BatchNorm()], [Dense(3), Activation("tanh")]],
                         ids=repr)
@pytest.mark.parametrize(("last", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")])
def test_the_loss_of_a_last_activation_is_on_the_logits(before, last, loss):
    net = Network([*before, Dense(3), Activation(last)], inputs=4)
    direct = Network([*before, Activation(last)], inputs=4)
    assert net.loss == direct.loss == loss
    net.parameters[f"{len(before)}.bias"][:] = [1e4, -1e4, 0]  # probabilities that have long rounded to 0 and 1
    y = np.eye(3)[LABELS]
    assert np.isfinite(net.evaluate(X, y)["loss"])
    assert net.evaluate(X, y)["loss"] > 100
    outputs = direct.forward(X).astype(float)
    expected = getattr(vectorized, loss)(outputs, y)
    assert direct.evaluate(X, y)["loss"] == pytest.approx(expected, rel=1e-5)


# Dropout


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_expectations(rate):
    a = vectorized.dropout_forward(np.ones((1000, 1000)), rate, word=rng.integers(2**62))
    share = (a == 0).mean()
    assert abs(share - rate) <= 5 * np.sqrt(rate * (1 - rate) / a.size)
    assert set(np.unique(a)) <= {0.0, 1 / (1 - rate)}
    assert abs(a.mean() - 1) <= 5 * np.sqrt(rate / (1 - rate) / a.size)


def test_dropout_draws_evenly():
    """Rows, columns, neighbors, and the words of consecutive steps are uncorrelated."""
    size, words = 300, (np.uint64(7) + np.arange(40, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    masks = np.array([vectorized.dropout_forward(np.ones((size, size)), 0.5, word) - 1 for word in words])
    assert np.abs(masks.mean(axis=1)).max() <= 5.5 / np.sqrt(size)
    assert np.abs(masks.mean(axis=2)).max() <= 5.5 / np.sqrt(size)
    for one, other in ((masks[:, 1:], masks[:, :-1]), (masks[:, :, 1:], masks[:, :, :-1]), (masks[1:], masks[:-1])):
        assert abs((one * other).mean()) <= 5 / np.sqrt(one.size)


def outputs_in_training(net):
    """Return the loss of each step of an epoch with a learning rate that changes nothing."""
    return net.fit(X, LABELS, epochs=6, batch_size=50, shuffle=False, optimizer=SGD(1e-30))["loss"]


def with_dropout(seed=0, rate=0.5):
    return Network([Dense(30, "tanh"), Dropout(rate), Dense(30, "tanh"), Dropout(rate), Dense(3, "softmax")], 4, seed=seed)


def test_each_step_drops_others():
    losses = outputs_in_training(with_dropout())
    assert len(set(losses)) == len(losses)
    assert outputs_in_training(with_dropout()) == losses
    net = with_dropout(seed=1)
    for name, view in with_dropout().parameters.items():
        net.parameters[name][...] = view
    assert not set(outputs_in_training(net)) & set(losses)


def test_layers_drop_apart():
    assert len(set(with_dropout().vectors.random.tolist())) == 6


def test_nothing_is_dropped_unless_training():
    net, without = with_dropout(), Network([Dense(30, "tanh"), Dense(30, "tanh"), Dense(3, "softmax")], 4)
    for view, other in zip(without.parameters.values(), net.parameters.values(), strict=True):
        view[...] = other
    np.testing.assert_array_equal(net.forward(X), without.forward(X))
    assert net.evaluate(X, LABELS) == without.evaluate(X, LABELS)
    loss, gradients = net.loss_and_gradients(X, LABELS)
    expected_loss, expected = without.loss_and_gradients(X, LABELS)
    assert loss == expected_loss
    for got, wanted in zip(gradients.values(), expected.values(), strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert net.loss_and_gradients(X, LABELS, training=True)[0] != loss


def test_dropout_of_nothing_is_nothing():
    nets = with_dropout(rate=0.0), Network([Dense(30, "tanh"), Dense(30, "tanh"), Dense(3, "softmax")], 4)
    for view, other in zip(*(net.parameters.values() for net in nets), strict=True):
        other[...] = view
    losses = [net.fit(X, LABELS, epochs=3, shuffle=False)["loss"] for net in nets]
    assert losses[0] == losses[1]


def test_samples_of_a_large_gradient_draw_apart():
    """`loss_and_gradients` processes the samples in chunks; a sample's index among all counts, not that in its chunk."""
    net = Network([Dropout(0.5), Dense(1)], inputs=4, dtype="float64")
    net.parameters["1.weight"][:], samples = 0, 700
    _, gradients = net.loss_and_gradients(np.ones((samples, 4)), -np.ones(samples), training=True)
    mask = vectorized.dropout_forward(np.ones((samples, 4)), 0.5, int(net.vectors.random[1]))
    np.testing.assert_allclose(gradients["1.weight"][:, 0], mask.mean(axis=0), rtol=1e-12)


# BatchNorm


def normalizing(**options):
    return Network([BatchNorm(**options), Dense(3, "softmax")], inputs=4, dtype="float64")


def test_running_statistics_come_to_those_of_the_data():
    net, data = normalizing(), 3 + 2 * X
    net.fit(data, LABELS, epochs=300, batch_size=10)
    np.testing.assert_allclose(net.state["0.running_mean"], data.mean(axis=0), atol=0.5)
    np.testing.assert_allclose(net.state["0.running_variance"], data.var(axis=0, ddof=1), rtol=0.4)
    np.testing.assert_array_equal(normalizing().state["0.running_variance"], 1)


def test_without_momentum_they_are_those_of_the_last_batch():
    net = normalizing(momentum=0.0)
    net.fit(X, LABELS, batch_size=20, shuffle=False)  # the last batch has ten samples
    np.testing.assert_allclose(net.state["0.running_mean"], X[40:].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(net.state["0.running_variance"], X[40:].var(axis=0, ddof=1), rtol=1e-12)


def test_a_batch_of_one_sample_is_normalized_by_the_running_statistics():
    net = normalizing()
    net.state["0.running_mean"][:], net.state["0.running_variance"][:] = 0.5, 4
    before = {name: view.copy() for name, view in net.state.items()}
    expected = net.loss_and_gradients(X[:1], LABELS[:1])
    loss, gradients = net.loss_and_gradients(X[:1], LABELS[:1], training=True)
    assert loss == expected[0]
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, expected[1][name])
    net.fit(X, LABELS, batch_size=1)
    for name, view in net.state.items():
        np.testing.assert_array_equal(view, before[name])


def test_a_last_batch_of_one_sample_leaves_the_running_statistics():
    whole, ragged = normalizing(), normalizing()
    whole.fit(X[:49], LABELS[:49], batch_size=49, shuffle=False)
    ragged.fit(X, LABELS, batch_size=49, shuffle=False)
    np.testing.assert_array_equal(ragged.state["0.running_mean"], whole.state["0.running_mean"])
    np.testing.assert_array_equal(ragged.state["0.running_variance"], whole.state["0.running_variance"])


def test_a_constant_feature_is_the_shift():
    net = Network([BatchNorm(), Dense(1)], inputs=2)
    data = np.column_stack([np.full(8, 3.0), np.arange(8.0)])
    assert np.isfinite(net.fit(data, data[:, 1], epochs=20, batch_size=8)["loss"]).all()
    assert np.isfinite(net.forward(data)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_variance_of_numbers_far_from_zero_has_its_digits(dtype):
    data = np.float64(1 / np.finfo(dtype).eps / 8) + rng.integers(4, size=(17, 5))  # beside which a mean has few
    net = Network([BatchNorm(momentum=0.0), Dense(1)], inputs=5, dtype=dtype)
    net.fit(data, np.zeros(17), batch_size=17)
    np.testing.assert_allclose(net.state["0.running_variance"], (data - data[0]).var(axis=0, ddof=1), rtol=1e-6)


def test_validation_sees_the_running_statistics_of_its_epoch():
    net = normalizing()
    history = net.fit(X, LABELS, epochs=3, validation_data=(X, LABELS))
    assert history["val_loss"][-1] == net.evaluate(X, LABELS)["loss"]
    assert len(set(history["val_loss"])) == 3


# Files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def rewrite(path, config, tensors):
    path.write_bytes(b"".join(to_bytes(tensors, {"format": files.FORMAT, "network": json.dumps(config)})))


def layer(**options):
    return {"layer": "BatchNorm", "momentum": 0.9, "epsilon": 1e-5} | options


HOSTILE = {
    "momentum of text": layer(momentum="0.9"),
    "momentum of 2": layer(momentum=2.0),
    "epsilon of nothing": layer(epsilon=0.0),
    "epsilon of nan": layer(epsilon=float("nan")),
    "one option more": layer(axis=1),
    "another layer": {"layer": "LayerNorm", "epsilon": 1e-5},
    "dropout of a list": {"layer": "Dropout", "rate": [0.5]},
    "activation of a list": {"layer": "Activation", "activation": ["relu"]},
    "the base of layers": {"layer": "Layer"},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_hostile_architectures(path, change):
    net = normalizing()
    net.save(path)
    config = net.config()
    rewrite(path, config, load_file(path))
    Network.load(path)
    rewrite(path, config | {"layers": [change, *config["layers"][1:]]}, load_file(path))
    with pytest.raises(ModelFormatError):
        Network.load(path)


@pytest.mark.parametrize("change", [None, np.zeros(3), np.zeros(4, "float32")], ids=["missing", "shape", "dtype"])
def test_state_that_does_not_fit(path, change):
    net = normalizing()
    net.save(path)
    tensors = load_file(path)
    tensors["0.running_mean"] = change
    rewrite(path, net.config(), {name: tensor for name, tensor in tensors.items() if tensor is not None})
    with pytest.raises(ModelFormatError, match="its tensors are not those of its architecture"):
        Network.load(path)


def test_damaged_state_is_noticed(path):
    net = normalizing()
    net.state["0.running_mean"][:] = 1.0
    net.save(path)
    payload = bytearray(path.read_bytes())
    place = payload.rindex(net.state["0.running_mean"].tobytes())
    payload[place] ^= 1
    path.write_bytes(payload)
    with pytest.raises(ModelFormatError):
        Network.load(path)
