"""Outputs that are means and variances: the loss 'gaussian'."""

import numpy as np
import pytest

import fastnn
from fastnn import GRU, SGD, Conv2D, Dense, Input, Network

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(40, 3)), RANDOM.normal(size=(40, 2))


def network(values=1, **options):
    return Network([Dense(5, "tanh"), Dense(2 * values)], inputs=3, loss="gaussian", **options)


def test_mean_and_variance_of_constant_inputs():
    """Their likeliest values are those of the sample."""
    y = RANDOM.normal(3, 2, 500)
    net = Network([Dense(2)], inputs=1, loss="gaussian", dtype="float64")
    net.fit(np.zeros((500, 1)), y, epochs=400, batch_size=500, optimizer=SGD(0.3))
    mean, log_variance = net.forward([[0.0]])[0]
    assert mean == pytest.approx(y.mean(), abs=1e-4)
    assert np.exp(log_variance) == pytest.approx(y.var(), rel=1e-4)
    likelihood = np.mean((log_variance + (y - mean) ** 2 / np.exp(log_variance)) / 2)
    assert net.evaluate(np.zeros((500, 1)), y)["loss"] == pytest.approx(likelihood)


@pytest.mark.parametrize("values", [1, 2])
def test_gradients_and_predictions(values):
    y, net = Y[:, :values], network(values, dtype="float64")
    assert fastnn.check_gradients(net, X, y).max_relative_error < 1e-7
    out = net.forward(X)
    for rows in (slice(0, 1), slice(0, 3), slice(None)):  # few samples have a way of their own
        predicted = net.predict(X[rows])
        np.testing.assert_array_equal(predicted, out[rows, 0] if values == 1 else out[rows, :2])
    if values == 1:
        assert net.evaluate(X, y)["loss"] == net.evaluate(X, y[:, 0])["loss"]
    metrics = net.evaluate(X, y, metrics=["mse", "r2"])
    assert metrics["mse"] == pytest.approx(np.mean((out[:, :values] - y) ** 2))


def test_bits_files_and_batches(tmp_path):
    net, other, batches = network(), network(), network()
    net.fit(X, Y[:, 0], epochs=3, batch_size=8, shuffle=False, threads=1)
    other.fit(X, Y[:, 0], epochs=3, batch_size=8, shuffle=False, threads=2)
    for _ in range(3):
        for begin in range(0, 40, 8):
            batches.train_on_batch(X[begin:begin + 8].astype(np.float32), Y[begin:begin + 8, 0].astype(np.float32))
    for each in (other, batches):
        for name, array in net.parameters.items():
            np.testing.assert_array_equal(each.parameters[name], array)
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.loss == "gaussian"
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    pytest.importorskip("onnx")
    net.to_onnx(tmp_path / "net.onnx")
    np.testing.assert_allclose(fastnn.onnx.load(tmp_path / "net.onnx").forward(X), net.forward(X), rtol=1e-6)


def test_positions_steps_and_several_outputs():
    image = RANDOM.normal(size=(4, 3, 3, 1))
    pixels = Network([Conv2D(2, 3, padding="same")], inputs=(3, 3, 1), loss="gaussian", dtype="float64")
    assert fastnn.check_gradients(pixels, image, image).max_relative_error < 1e-7
    assert pixels.predict(image).shape == image.shape
    sequences = [RANDOM.normal(size=(steps, 3)) for steps in (2, 1, 4)]
    steps = Network([GRU(4, return_sequences=True), Dense(2)], inputs=(None, 3), loss="gaussian", dtype="float64")
    y = [each[:, 0] for each in sequences]
    assert fastnn.check_gradients(steps, sequences, [each[:, None] for each in y]).max_relative_error < 1e-6
    assert len(steps.predict(sequences)) == 3
    x = Input(3, name="x")
    several = Network(inputs=x, outputs={"one": Dense(2)(x), "two": Dense(1)(x)}, loss={
        "one": "gaussian", "two": "squared_error"}, dtype="float64")
    targets = {"one": Y[:, 0], "two": Y[:, 1]}
    assert fastnn.check_gradients(several, X, targets).max_relative_error < 1e-7
    assert several.predict(X)["one"].shape == (40,)


def test_a_population_and_compiled_code():
    members = fastnn.Population([network(seed=seed) for seed in range(2)])
    members.fit(X, Y[:, 0], epochs=2)
    alone = network(seed=1)
    alone.fit(X, Y[:, 0], epochs=2)
    np.testing.assert_array_equal(members.networks[1].predict(X), alone.predict(X))
    with pytest.raises(ValueError, match="gradients=False"):
        alone.compiled()
    assert alone.compiled(gradients=False) is not None


@pytest.mark.parametrize(("layer", "repair"), [(Dense(1), "end it with"), (Dense(3), "end it with"),
                                               (Dense(2, "sigmoid"), "end it with")])
def test_outputs_that_are_no_means_and_variances(layer, repair):
    with pytest.raises(ValueError, match=repair):
        Network([layer], inputs=3, loss="gaussian")


def test_targets_of_another_shape():
    with pytest.raises(ValueError, match="the first 1 are means"):
        network().fit(X, Y)
    with pytest.raises(ValueError, match="two outputs for each target"):
        fastnn.sklearn.NetworkRegressor("gaussian").fit(X, Y[:, 0])
