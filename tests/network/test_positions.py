"""Outputs at positions: an image of outputs trains, with a loss, a target, a weight and a prediction for each pixel."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn
from fastnn import (
    Activation,
    Concatenate,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    Input,
    MaxPool2D,
    Network,
    Population,
    Reshape,
)
from fastnn.samples.data import check_data

rng = np.random.default_rng(0)
SHAPE, SAMPLES = (4, 5, 2), 11
ROWS = SAMPLES, *SHAPE[:2]
X = rng.normal(size=(SAMPLES, *SHAPE))
LABELS, MASKS = rng.integers(3, size=ROWS), rng.integers(2, size=ROWS)
# last activation, loss, channels, targets, the shape of a prediction
ENDS = {
    "classes": ("softmax", None, 3, LABELS, ROWS),
    "probabilities of classes": ("softmax", None, 3, rng.dirichlet(np.ones(3), size=ROWS), ROWS),
    "classes, squared error": ("softmax", "squared_error", 3, LABELS, ROWS),
    "masks": ("sigmoid", None, 1, MASKS, ROWS),
    "several masks": ("sigmoid", None, 2, rng.integers(2, size=(*ROWS, 2)), (*ROWS, 2)),
    "a picture": ("identity", None, 2, rng.normal(size=(*ROWS, 2)), (*ROWS, 2)),
    "a gray picture": ("tanh", "absolute_error", 1, rng.normal(size=(*ROWS, 1)), (*ROWS, 1)),
}
every_end = pytest.mark.parametrize("end", ENDS)
SAMPLE_WEIGHT, PIXEL_WEIGHT = rng.uniform(0.5, 2, size=SAMPLES), rng.uniform(0, 2, size=ROWS) * rng.integers(2, size=ROWS)


def network(end="classes", dtype="float64", shape=SHAPE):
    activation, loss, channels, *_ = ENDS[end]
    convolution = Conv2D if len(shape) == 3 else Conv1D
    layers = [convolution(3, 3, "tanh", padding="same"), convolution(channels, 1, activation)]
    return Network(layers, inputs=shape, loss=loss, dtype=dtype)


def in_numpy(net, y, weights=1.0, counted=True):
    """Return (loss, accuracy) of the outputs for X, computed in NumPy from the records."""
    out = net.forward(X)
    targets = y if y.shape == out.shape else y[..., None] if out.shape[-1] == 1 else np.eye(3)[y]
    record = net.objective.loss
    values = record.vectorized(out, targets)
    losses = values if record.rowwise else values.sum(axis=-1)
    weights = np.broadcast_to(np.reshape(weights, np.shape(weights) + (1,) * (3 - np.ndim(weights))), ROWS) * counted
    right = (out.argmax(-1) == targets.argmax(-1)) if net.objective.head.one_label and out.shape[-1] > 1 else \
        ((out >= 0.5) == (targets >= 0.5)).mean(axis=-1)
    return (losses * weights).sum() / weights.sum(), right[weights > 0].mean()


@every_end
@pytest.mark.parametrize("weights", [None, SAMPLE_WEIGHT, PIXEL_WEIGHT], ids=["", "of samples", "of pixels"])
def test_loss_and_accuracy_are_the_mean_over_the_pixels_that_count(end, weights):
    net, y = network(end), ENDS[end][3]
    loss, accuracy = in_numpy(net, y, 1.0 if weights is None else weights)
    found = net.evaluate(X, y, sample_weight=weights)
    assert found["loss"] == pytest.approx(loss, rel=1e-13)
    assert ("accuracy" in found) == net.is_classifier
    assert found.get("accuracy", accuracy) == pytest.approx(accuracy)
    assert net.loss_and_gradients(X, y, sample_weight=weights)[0] == pytest.approx(loss, rel=1e-13)
    still = fastnn.SGD(1e-30)
    history = net.fit(X, y, sample_weight=weights, batch_size=4, optimizer=still, validation_data=(X, y, weights)[:2 + (
        weights is not None)])
    assert history["val_loss"] == pytest.approx([loss], rel=1e-13)
    assert history["loss"] == pytest.approx([loss], rel=1e-13)
    for name in ("accuracy", "val_accuracy") if net.is_classifier else ():
        assert history[name] == pytest.approx([accuracy])


@every_end
def test_gradients_are_right_to_seven_digits(end):
    y = ENDS[end][3]
    assert fastnn.check_gradients(network(end), X, y, sample_weight=PIXEL_WEIGHT).max_relative_error <= 1e-7
    assert fastnn.check_gradients(network(end), X, y).max_relative_error <= 1e-7


@every_end
def test_predictions_have_a_place_for_each_pixel(end):
    net, (activation, _, channels, _, shape) = network(end, "float32"), ENDS[end]
    outputs, predicted = net.forward(X), net.predict(X)
    assert outputs.shape == (*ROWS, channels)
    assert predicted.shape == shape
    if activation == "softmax":
        np.testing.assert_array_equal(predicted, outputs.argmax(axis=-1))
    elif activation == "sigmoid":
        np.testing.assert_array_equal(predicted, (outputs.reshape(shape) >= 0.5).astype(int))
    else:
        np.testing.assert_array_equal(predicted, outputs)
    for count in (0, 1, 2, SAMPLES):  # few samples go another way than many
        few = X[:count].astype("float32")
        np.testing.assert_array_equal(net.predict(few), predicted[:count])
        np.testing.assert_array_equal(net.forward(few), outputs[:count])
    np.testing.assert_array_equal(Population([net]).predict(X), predicted)
    if net.is_classifier:
        np.testing.assert_array_equal(net.predict_proba(X), outputs)


@every_end
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_and_batches_do_not_change_a_bit(end, dtype, many_parts):
    def run(threads):
        net, y = network(end, dtype), ENDS[end][3]
        history = net.fit(X, y, epochs=2, batch_size=4, threads=threads, sample_weight=PIXEL_WEIGHT, validation_data=(X, y))
        gradients = net.loss_and_gradients(X, y, threads=threads)[1]
        return [net.vectors.parameters.flat.copy(), *gradients.values(), net.forward(X, threads=threads),
                *map(np.array, history.metrics.values())]

    one = run(1)
    assert max(many_parts) == 1
    for threads in (2, 3, 8):
        for first, again in zip(one, run(threads), strict=True):
            np.testing.assert_array_equal(first, again)
    assert max(many_parts) == 8


def test_pixels_labeled_minus_one_do_not_count():
    net, y = network(), LABELS.copy()
    y[2], y[:, 1:3, 2] = -1, -1
    counted = y >= 0
    loss, accuracy = in_numpy(net, np.where(counted, y, 0), counted=counted)
    assert net.evaluate(X, y) == {"loss": pytest.approx(loss, rel=1e-13), "accuracy": pytest.approx(accuracy)}
    assert net.evaluate(X, y) == net.evaluate(X, LABELS, sample_weight=counted.astype(float))
    assert fastnn.check_gradients(net, X, y).max_relative_error <= 1e-7
    weighted = in_numpy(net, np.where(counted, y, 0), SAMPLE_WEIGHT, counted)[0]
    assert net.evaluate(X, y, sample_weight=SAMPLE_WEIGHT)["loss"] == pytest.approx(weighted, rel=1e-13)
    other = np.where(counted, y, 1)  # another label under those that do not count
    x, same = network(), network()
    x.fit(X, y, epochs=2)
    same.fit(X, other, epochs=2, sample_weight=counted.astype(float))
    np.testing.assert_array_equal(x.vectors.parameters.flat, same.vectors.parameters.flat)
    only = x.evaluate(X[2:3], LABELS[2:3], metrics=["f1"])
    both = x.evaluate(X[2:4], np.stack([LABELS[2], np.full(ROWS[1:], -1)]), metrics=["f1"])
    assert both == {name: pytest.approx(value) for name, value in only.items()}


def test_they_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    net, y = network(), LABELS.copy()
    y[:4, 2] = -1
    logits = Network([Conv2D(3, 3, "tanh", padding="same"), Conv2D(3, 1)], inputs=SHAPE, dtype="float64")
    logits.vectors.parameters.flat[:] = net.vectors.parameters.flat
    z = torch.tensor(logits.forward(X).transpose(0, 3, 1, 2).copy(), requires_grad=True)
    loss = torch.nn.CrossEntropyLoss(ignore_index=-1)(z, torch.tensor(y))
    loss.backward()
    found, gradients = net.loss_and_gradients(X, y)
    assert found == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(gradients["1.bias"], z.grad.sum(dim=(0, 2, 3)).numpy(), rtol=1e-10, atol=1e-14)


def test_class_weights_count_pixels():
    net, y = network(), np.where(rng.random(ROWS) < 0.2, -1, LABELS)
    counted = y >= 0
    counts = np.bincount(y[counted], minlength=3)
    expected = np.where(counted, (counts.sum() / (3 * counts))[np.where(counted, y, 0)], 0)
    ours, theirs = network(), network()
    ours.fit(X, y, class_weight="balanced")
    theirs.fit(X, np.where(counted, y, 0), sample_weight=expected)
    np.testing.assert_allclose(ours.vectors.parameters.flat, theirs.vectors.parameters.flat, rtol=1e-12)
    net.fit(X, y, class_weight={1: 3.0}, sample_weight=SAMPLE_WEIGHT)


def test_metrics_take_the_pixels_that_count():
    net, y = network(), LABELS.copy()
    y[:, 0] = -1
    seen = SimpleNamespace(shapes=[])

    def share_right(targets, predicted):
        seen.shapes += [targets.shape, predicted.shape]
        return np.mean(targets == predicted)

    found = net.evaluate(X, y, metrics=["mean_iou", "iou", share_right, "top_2", "auc"])
    assert found["share_right"] == pytest.approx(found["accuracy"])
    predicted, counted = net.predict(X), y >= 0
    assert set(seen.shapes) == {(counted.sum(),)}
    unions = [((y == k) | (predicted == k))[counted].sum() for k in range(3)]
    ious = [((y == k) & (predicted == k))[counted].sum() / union for k, union in enumerate(unions) if union]
    assert found["mean_iou"] == found["iou"] == pytest.approx(np.mean(ious))
    masks = network("masks")
    found, predicted = masks.evaluate(X, MASKS, metrics=["iou", "mean_iou"]), masks.predict(X)
    of = [((MASKS == k) & (predicted == k)).sum() / ((MASKS == k) | (predicted == k)).sum() for k in (0, 1)]
    assert (found["iou"], found["mean_iou"]) == (pytest.approx(of[1]), pytest.approx(np.mean(of)))
    picture = network("a picture")
    found = picture.evaluate(X, ENDS["a picture"][3], metrics=["mse", "r2"], sample_weight=PIXEL_WEIGHT)
    difference = (picture.predict(X) - ENDS["a picture"][3])[PIXEL_WEIGHT > 0]
    assert found["mse"] == pytest.approx(np.mean(difference**2))


@every_end
def test_files_copies_and_compiled_code_have_the_same_outputs(end, tmp_path):
    net, y = network(end, "float32"), ENDS[end][3]
    net.fit(X, y)
    net.save(tmp_path / "net.safetensors")
    net.save_checkpoint(tmp_path / "run.safetensors")
    for again in (Network.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net)),
                  Network.load_checkpoint(tmp_path / "run.safetensors")):
        np.testing.assert_array_equal(again.predict(X), net.predict(X))
        assert again.evaluate(X, y) == net.evaluate(X, y)
    model, out = net.compiled(), np.empty((SAMPLES, net.outputs), np.float32)
    fastnn.jit.forward(model, X.astype("float32"), out)
    np.testing.assert_array_equal(out, net.forward(X).reshape(SAMPLES, -1))
    dense = y if y.ndim == 4 else y[..., None] if net.shapes[-1][-1] == 1 else np.eye(3)[y]
    gradients = np.empty_like(model.parameters)
    loss = fastnn.jit.loss_and_gradients(model, X.astype("float32"), dense.reshape(SAMPLES, -1).astype("float32"), gradients)
    expected, by_name = net.loss_and_gradients(X, dense)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradients, np.concatenate([each.ravel() for each in by_name.values()]), rtol=1e-4, atol=1e-7)


def test_a_population_trains_to_the_same_bits():
    data = {"epochs": 3, "batch_size": 4, "validation_data": (X[:5], LABELS[:5])}
    y = np.where(rng.random(ROWS) < 0.3, -1, LABELS)
    alone = [network(dtype="float32") for _ in range(2)]
    together = Population([network(dtype="float32") for _ in range(2)])
    for net in alone:
        net.fit(X, y, **data)
    for history, net in zip(together.fit(X, y, **data), alone, strict=True):
        assert dict(history) == dict(net.history)
    np.testing.assert_array_equal(together.networks[0].vectors.parameters.flat, alone[0].vectors.parameters.flat)
    other = Network([Conv2D(3, 3, "softmax")], inputs=SHAPE)
    with pytest.raises(ValueError, match=r"member 1 learns 3 probabilities at each of 2 × 3 positions"):
        Population([network(dtype="float32"), other])


def test_series_and_shapes_of_any_number_of_axes():
    series = network(shape=(20, 2))
    assert series.predict(X.reshape(SAMPLES, 20, 2)).shape == (SAMPLES, 20)
    assert series.evaluate(X.reshape(SAMPLES, 20, 2), LABELS.reshape(SAMPLES, 20))["loss"] > 0
    net = Network([Flatten(), Dense(24), Reshape((2, 2, 2, 3)), Activation("softmax")], inputs=SHAPE, dtype="float64")
    y = rng.integers(3, size=(SAMPLES, 2, 2, 2))
    assert net.predict(X).shape == y.shape
    np.testing.assert_allclose(net.forward(X).sum(axis=-1), 1)
    assert fastnn.check_gradients(net, X, y).max_relative_error <= 1e-7


def test_a_graph_that_joins_what_it_has_pooled():
    x = Input((4, 6, 2))
    large = Conv2D(3, 3, "tanh", padding="same")(x)
    small = Conv2D(4, 3, "tanh", padding="same")(MaxPool2D(2)(large))
    joined = Concatenate()(ConvTranspose2D(3, 2, "tanh", stride=2)(small), large)
    net = Network(inputs=x, outputs=Conv2D(3, 1, "softmax")(joined), dtype="float64")
    images, y = rng.normal(size=(5, 4, 6, 2)), rng.integers(-1, 3, size=(5, 4, 6))
    assert fastnn.check_gradients(net, images, y).max_relative_error <= 1e-7
    assert net.predict(images).shape == y.shape


def test_pictures_of_one_class_a_sample_refuse_them():
    pytest.importorskip("matplotlib")
    net, plot = network(), fastnn.plot
    for draw in (lambda: plot.confusion_matrix(net, X, LABELS), lambda: plot.mistakes(net, X, LABELS),
                 lambda: plot.saliency(net, X[0])):
        with pytest.raises(ValueError, match=r"of this network have the shape \(4, 5, 3\), a prediction for each position"):
            draw()


def test_a_softmax_inside_is_over_the_channels():
    net = Network([Conv2D(3, 2), Activation("softmax"), Activation("softmax"), Conv2D(3, 1, "softmax")], inputs=SHAPE,
                  dtype="float64")
    assert fastnn.check_gradients(net, X, LABELS[:, :3, :4]).max_relative_error <= 1e-7


@pytest.mark.parametrize(("layers", "message"), [
    ([Conv2D(3, 1, "softmax"), Flatten()], r"over its last axis, of 3, and the outputs have the shape \(60,\)"),
    ([Flatten(), Dense(12, "softmax"), Reshape((2, 2, 3))], r"of 12, .* put Activation\('softmax'\) behind"),
    ([Conv2D(1, 1, "softmax")], "softmax over one output is always 1"),
])
def test_a_softmax_over_other_axes_is_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        Network(layers, inputs=SHAPE)


@pytest.mark.parametrize(("end", "y", "message"), [
    ("classes", LABELS[:, 0, 0], r"takes \(11, 4, 5\) integer labels from 0 to 2 or \(11, 4, 5, 3\); .* GlobalAveragePool"),
    ("classes", np.eye(3)[LABELS].transpose(0, 3, 1, 2), r"channels come first: give np.moveaxis\(np.asarray\(y\), 1, -1\)"),
    ("classes", LABELS.reshape(SAMPLES, -1), r"give y.reshape\(\(11, 4, 5\)\)"),
    ("classes", np.zeros((SAMPLES, 8, 10), int), "sizes differ: crop or resize y"),
    ("classes", np.zeros((SAMPLES, 4, 5, 4)), "give the number of the class"),
    ("classes", np.where(LABELS == 2, 255, LABELS).astype(np.uint8),
     r"holds label 255; .* or be -1 where a position does not count: np.where\(y == 255, -1, y.astype\(int\)\)"),
    ("classes", LABELS - 2, "holds label -2"),
    ("classes", np.full(ROWS, -1), "y is -1 everywhere"),
    ("classes", LABELS + 0.5, "not whole numbers, such as"),
    ("classes", np.full((*ROWS, 3), 0.5), r"sums to 1.5 in row \(0, 0, 0\)"),
    ("classes", LABELS[1:], "11 samples, so y must have 11 rows"),
    ("classes", LABELS.transpose(0, 2, 1), r"exchanged: give np.swapaxes\(y, 1, 2\)"),
    ("classes", np.eye(3)[LABELS].transpose(0, 2, 1, 3), r"exchanged: give np.swapaxes\(y, 1, 2\)"),
    ("masks", MASKS.transpose(0, 2, 1), r"exchanged: give np.swapaxes\(y, 1, 2\)"),
    ("masks", MASKS * 255, r"ranges from 0.0 to 255.0; .*give y / 255 .* sample_weight 0 to positions that do not count"),
    ("masks", MASKS - 1, "sample_weight 0 to positions that do not count"),
    ("a picture", np.zeros(ROWS), "one number at each position: give 2, or end the network with one output$"),
    ("masks", MASKS.reshape(SAMPLES, 20), r"give y.reshape\(\(11, 4, 5\)\)"),
    ("a picture", np.zeros((SAMPLES, 2, 4, 5)), "channels come first"),
    ("a picture", np.where(MASKS[..., None] == 1, np.nan, np.zeros((*ROWS, 2))), "y holds nan at"),
])
def test_targets_of_other_shapes_are_refused_with_a_repair(end, y, message):
    net = network(end)
    before = net.vectors.parameters.flat.copy()
    with pytest.raises(ValueError, match=message):
        net.fit(X, y)
    np.testing.assert_array_equal(net.vectors.parameters.flat, before)


@pytest.mark.parametrize(("weights", "message"), [
    (np.ones(ROWS[:2]), r"it must be \(11,\), or \(11, 4, 5\) for a weight of each position"),
    (-np.ones(ROWS), "must not be negative"),
    (np.zeros(ROWS), "add up to zero"),
    ((LABELS == 5).astype(float) + (np.arange(5) == 0), "so no position counts"),
])
def test_weights_are_checked(weights, message):
    y = np.where(np.arange(5) == 0, -1, LABELS)
    with pytest.raises(ValueError, match=message):
        network().fit(X, y, sample_weight=weights)


def test_labels_in_compiled_code_are_refused():
    model = network().compiled()
    with pytest.raises(ValueError, match="y holds whole numbers"):
        fastnn.jit.loss_and_gradients(model, X, LABELS[:, 0, 0], np.empty_like(model.parameters))


def test_an_estimator_says_that_it_has_one_target_a_sample():
    sklearn = pytest.importorskip("fastnn.sklearn")
    model = sklearn.NetworkClassifier(layers=[Conv2D(3, 1)], input_shape=SHAPE, max_iter=1)
    with pytest.raises(ValueError, match=r"y has shape \(11, 4, 5\); .* fastnn.Network"):
        model.fit(X, LABELS)


def test_onnx_has_the_same_outputs(tmp_path):
    onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
    for end in ("classes", "masks", "a picture"):
        net = network(end, "float32")
        net.to_onnx(tmp_path / "net.onnx")
        model = onnx.load(tmp_path / "net.onnx")
        found, = onnx.reference.ReferenceEvaluator(model).run(None, {"input": X.astype("float32")})
        np.testing.assert_allclose(found, net.forward(X), rtol=1e-5, atol=1e-6)
        sizes = [each.dim_param or each.dim_value for each in model.graph.output[0].type.tensor_type.shape.dim]
        assert sizes == ["batch", *net.shapes[-1]]
        np.testing.assert_array_equal(fastnn.onnx.load(tmp_path / "net.onnx").forward(X), net.forward(X))


@pytest.mark.parametrize("given", ["uint8", "int16", "int64", "float64"])
def test_labels_of_pixels_take_a_byte_each(given, many_parts):
    """However they are given; -1 among them too. Those of more classes than a byte holds stay right."""
    digests = set()
    for threads in (1, 2):
        net = network(dtype="float32")
        y = LABELS.astype(given)
        history = net.fit(X, y, epochs=2, batch_size=4, threads=threads, validation_data=(X, y), metrics=["mean_iou"])
        digests.add((net.vectors.parameters.flat.tobytes(), str(dict(history)), str(net.evaluate(X, y))))
    reference = network(dtype="float32")
    history = reference.fit(X, LABELS, epochs=2, batch_size=4, validation_data=(X, LABELS), metrics=["mean_iou"])
    digests.add((reference.vectors.parameters.flat.tobytes(), str(dict(history)), str(reference.evaluate(X, LABELS))))
    assert len(digests) == 1
    assert check_data(reference, X, LABELS.astype(given)).targets.labels.nbytes == LABELS.size


def test_labels_that_do_not_count_take_a_byte_too():
    y = np.where(rng.random(ROWS) < 0.3, -1, LABELS)
    found = check_data(network(), X, y).targets
    assert found.labels.dtype == np.uint8
    np.testing.assert_array_equal(np.where(found.counted, found.labels.astype(int), -1), y)


def test_labels_of_more_classes_than_a_byte_holds():
    net = Network([Conv2D(300, 1, "softmax")], inputs=SHAPE, dtype="float64")
    y = np.where(LABELS == 0, 299, LABELS + 254)
    loss, accuracy = net.loss_and_gradients(X, y)[0], net.evaluate(X, y)["accuracy"]
    out = net.forward(X)
    assert loss == pytest.approx(-np.log(np.take_along_axis(out, y[..., None], -1)).mean(), rel=1e-12)
    assert accuracy == (out.argmax(-1) == y).mean()
    with pytest.raises(ValueError, match="y holds label 255; with 3 outputs"):
        network().fit(X, np.full(ROWS, 255, np.uint8))


def test_labels_that_a_callback_changes_do_not_reach_kernels():
    y = LABELS.astype(np.uint8)

    class Changes(fastnn.Callback):
        def on_train_batch_begin(self, batch, logs):
            y[...] = 200

    first, second = network(dtype="float32"), network(dtype="float32")
    first.fit(X, y, batch_size=4, callbacks=[Changes()])
    second.fit(X, LABELS, batch_size=4)
    assert first.vectors.parameters.flat.tobytes() == second.vectors.parameters.flat.tobytes()
