"""The compiled network does what the readable rungs say, for every record, and its public face keeps its promises."""

import _thread
import copy
import gc
import math
import pickle
import signal
import threading
import weakref

import numpy as np
import pytest
from small_nets import LOSSES, OUTPUTS, SIZES, central_differences, inputs_and_targets, random_net

import fastnn
from fastnn import SGD, Adam, Callback, Dense, DivergenceError, Network, activations, losses, optimizers, vectorized

# one output leaves softmax and a loss over classes nothing to say
PAIRS = [(activation, loss, outputs) for activation, loss in OUTPUTS for outputs in (1, 3, 17)
         if outputs > 1 or (activation != "softmax" and LOSSES[loss].targets != "classes")]
SMOOTH = [name for name, record in activations.items() if record.smooth]

every_activation = pytest.mark.parametrize("activation", activations)
every_pair = pytest.mark.parametrize(("activation", "loss", "outputs"), PAIRS)
every_optimizer = pytest.mark.parametrize("optimizer", optimizers.values(), ids=lambda cls: cls.name)

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(23, 4)), rng.integers(3, size=23)


def network(sizes, names, loss, dtype="float64"):
    """A network whose biases are not zero either."""
    net = Network([Dense(n, name) for n, name in zip(sizes[1:], names, strict=True)], sizes[0], loss=loss, dtype=dtype)
    for view, array in zip(net.parameters.values(), [a for pair in random_net(sizes) for a in pair], strict=True):
        view[...] = array
    return net


def classifier(seed=0, **options):
    return Network([Dense(5, "tanh"), Dense(3, "softmax")], inputs=4, seed=seed, **options)


def pairs(net):
    """The parameters as the readable rungs take them: copies, a (weight, bias) a layer."""
    views = [view.copy() for view in net.parameters.values()]
    return list(zip(views[::2], views[1::2], strict=True))


def names_of(net):
    return [layer.activation for layer in net.layers]


def same(net, other):
    return all(np.array_equal(net.parameters[name], other.parameters[name]) for name in net.parameters)


def assert_close(gradients, expected, tolerance=1e-12):
    for got, array in zip(gradients.values(), [a for pair in expected for a in pair], strict=True):
        np.testing.assert_allclose(got, array, rtol=tolerance, atol=tolerance * max(1, np.abs(array).max()))


def assert_equals_vectorized(net, x, y, weights=None):
    loss, gradients = net.loss_and_gradients(x, y, sample_weight=weights)
    expected_loss, expected = vectorized.backward(pairs(net), names_of(net), x, y, net.loss, weights)
    assert loss == pytest.approx(expected_loss, rel=1e-12, abs=1e-12)
    assert_close(gradients, expected)


# The compiled network is the vectorised one


@every_activation
@pytest.mark.parametrize(
    ("last", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "squared_error"), ("identity", "huber")]
)
def test_hidden_activation(activation, last, loss):
    net = network([4, 17, 5, 3], [activation, activation, last], loss)
    x, y = inputs_and_targets(7, 4, 3, LOSSES[loss])
    assert_equals_vectorized(net, x, y)


@every_pair
def test_output_activation_and_loss(activation, loss, outputs):
    net = network([4, 5, outputs], ["tanh", activation], loss)
    x, y = inputs_and_targets(17, 4, outputs, LOSSES[loss])
    assert_equals_vectorized(net, x, y)
    assert_equals_vectorized(net, x, y, weights=np.random.default_rng(2).integers(0, 4, 17))


@pytest.mark.parametrize("batch", [*SIZES, 256, 300])
def test_batch(batch):
    net = network([4, 17, 3], ["tanh", "softmax"], "cross_entropy")
    x, y = inputs_and_targets(batch, 4, 3, LOSSES["cross_entropy"])
    assert_equals_vectorized(net, x, y)


@pytest.mark.parametrize("inputs", SIZES)
@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("outputs", SIZES)
def test_widths(inputs, hidden, outputs):
    net = network([inputs, hidden, outputs], ["tanh", "identity"], "squared_error")
    x, y = inputs_and_targets(5, inputs, outputs, LOSSES["squared_error"])
    assert_equals_vectorized(net, x, y)


def test_one_layer_and_many():
    x, y = inputs_and_targets(5, 4, 3, LOSSES["squared_error"])
    for depth in (1, 2, 9):
        assert_equals_vectorized(network([4] + [3] * depth, ["silu"] * depth, "squared_error"), x, y)


@every_optimizer
def test_an_epoch_is_the_steps_of_its_batches(optimizer):
    net = classifier(dtype="float64")
    parameters, state, y = pairs(net), None, np.eye(3)[LABELS]
    state = vectorized.optimizer_state(parameters, optimizer(learning_rate=0.05))
    history = net.fit(X, LABELS, epochs=2, batch_size=5, shuffle=False, optimizer=optimizer(learning_rate=0.05))
    step, means = 0, []
    for _ in range(2):
        total = 0.0
        for first in range(0, 23, 5):  # the last batch has 3
            step, batch = step + 1, slice(first, first + 5)
            total += len(X[batch]) * vectorized.train_step(parameters, names_of(net), X[batch], y[batch], "cross_entropy",
                                                           optimizer(learning_rate=0.05), state, step)
        means.append(total / 23)
    assert_close(net.parameters, parameters, 1e-10)
    assert history["loss"] == pytest.approx(means, rel=1e-10)


def test_forward_is_the_last_activation():
    net = classifier(dtype="float64")
    np.testing.assert_allclose(net.forward(X), vectorized.forward(pairs(net), names_of(net), X)[-1][1], rtol=1e-12)


# The gradients are those of the loss


@every_activation
def test_gradients_are_central_differences(activation):
    net = network([4, 3, 3], [activation, "softmax"], "cross_entropy")
    x, y = inputs_and_targets(3, 4, 3, LOSSES["cross_entropy"])
    _, gradients = net.loss_and_gradients(x, y)
    for name, view in net.parameters.items():
        numeric = central_differences(lambda: net.loss_and_gradients(x, y)[0], view)
        np.testing.assert_allclose(gradients[name], numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("hidden", SMOOTH)
def test_gradients_of_smooth_networks_are_right_to_seven_digits(hidden):
    for activation, loss in OUTPUTS:
        if activations[activation].smooth and LOSSES[loss].smooth:
            net = network([3, 4, 2], [hidden, activation], loss)
            x, y = inputs_and_targets(5, 3, 2, LOSSES[loss])
            assert fastnn.check_gradients(net, x, y).max_relative_error <= 1e-7, (activation, loss)


def assert_float32_gradients(net, x, y):
    """Within 5e-5 of the gradients in float64, by norm, on the same numbers."""
    single = net.astype("float32")
    net, x, y = single.astype("float64"), x.astype("float32"), y.astype("float32")
    loss, gradients = single.loss_and_gradients(x, y)
    exact_loss, exact = net.loss_and_gradients(x, y)
    difference = math.sqrt(sum(((gradients[name] - exact[name])**2).sum() for name in exact))
    assert difference <= 5e-5 * math.sqrt(sum((array**2).sum() for array in exact.values()))
    assert loss == pytest.approx(exact_loss, rel=5e-5)
    assert {array.dtype.name for array in gradients.values()} == {"float32"}


@every_activation
def test_float32_gradients_of_a_hidden_activation(activation):
    assert_float32_gradients(network([4, 17, 3], [activation, "softmax"], "cross_entropy"),
                             *inputs_and_targets(65, 4, 3, LOSSES["cross_entropy"]))


@pytest.mark.parametrize(("activation", "loss"), OUTPUTS)
def test_float32_gradients_of_an_output_and_loss(activation, loss):
    assert_float32_gradients(network([4, 5, 3], ["tanh", activation], loss), *inputs_and_targets(65, 4, 3, LOSSES[loss]))


def test_the_notes_sigmoid_with_squared_error():
    net = network([1, 1], ["sigmoid"], "squared_error")
    a = 1 / (1 + math.exp(-(net.parameters["0.weight"][0, 0] * 2 + net.parameters["0.bias"][0])))
    loss, gradients = net.loss_and_gradients([[2.0]], [1.0])
    assert loss == pytest.approx((a - 1)**2 / 2)
    assert gradients["0.bias"][0] == pytest.approx((a - 1) * a * (1 - a))


# Weights


def test_weight_two_is_a_sample_twice_and_weight_zero_none():
    net, weights = classifier(dtype="float64"), np.array([0, 1, 2] + [1] * 20)
    times = np.repeat(np.arange(23), weights)
    loss, gradients = net.loss_and_gradients(X, LABELS, sample_weight=weights)
    expected_loss, expected = net.loss_and_gradients(X[times], LABELS[times])
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12, atol=1e-15)
    assert net.evaluate(X, LABELS, sample_weight=weights)["loss"] == pytest.approx(expected_loss, rel=1e-13)

    other = classifier(dtype="float64")
    history = net.fit(X, LABELS, sample_weight=weights, batch_size=23, shuffle=False, optimizer=SGD(0.1))
    other.fit(X[times], LABELS[times], batch_size=len(times), shuffle=False, optimizer=SGD(0.1))
    assert history["loss"] == pytest.approx([expected_loss], rel=1e-13)
    for name, view in net.parameters.items():
        np.testing.assert_allclose(view, other.parameters[name], rtol=1e-12, atol=1e-15)


def test_the_size_of_the_weights_does_not_matter():
    net = classifier(dtype="float64")
    loss, gradients = net.loss_and_gradients(X, LABELS)
    for scale in (1e-30, 7.0, 1e30):
        again, scaled = net.loss_and_gradients(X, LABELS, sample_weight=np.full(23, scale))
        assert again == pytest.approx(loss, rel=1e-13)
        np.testing.assert_allclose(scaled["0.weight"], gradients["0.weight"], rtol=1e-12)


def test_class_weights_are_sample_weights_by_label():
    by_class, by_sample = classifier(), classifier()
    by_class.fit(X, LABELS, epochs=3, class_weight={0: 2.0, 2: 0.5}, sample_weight=np.full(23, 3.0))
    by_sample.fit(X, LABELS, epochs=3, sample_weight=3.0 * np.array([2.0, 1.0, 0.5])[LABELS])
    assert same(by_class, by_sample)
    for y in (np.eye(3)[LABELS], LABELS.tolist()):
        again = classifier()
        again.fit(X, y, epochs=3, class_weight={0: 2.0, 2: 0.5}, sample_weight=np.full(23, 3.0))
        assert same(by_class, again)


def test_balanced_classes_weigh_the_same():
    y = np.array([0] * 20 + [1] * 3)
    balanced, given = (Network([Dense(1, "sigmoid")], inputs=4) for _ in range(2))
    balanced.fit(X, y, class_weight="balanced")
    given.fit(X, y, class_weight={0: 23 / 40, 1: 23 / 6})
    assert same(balanced, given)


# Targets in all their forms


def object_array(values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


LABEL_FORMS = {
    "int64": LABELS, "uint8": LABELS.astype(np.uint8), "int8": LABELS.astype(np.int8), "uint64": LABELS.astype(np.uint64),
    "big-endian": LABELS.astype(">i4"), "float": LABELS.astype(float), "float16": LABELS.astype(np.float16),
    "list": LABELS.tolist(), "tuple": tuple(LABELS.tolist()), "objects": object_array(LABELS.tolist()),
    "column": LABELS[:, None], "strided": np.repeat(LABELS, 2)[::2], "backwards": LABELS[::-1].copy()[::-1],
    "one-hot": np.eye(3)[LABELS], "one-hot ints": np.eye(3, dtype=int)[LABELS],
    "one-hot bools": np.eye(3, dtype=bool)[LABELS],
    "one-hot big-endian": np.eye(3, dtype=">f8")[LABELS], "one-hot Fortran": np.asfortranarray(np.eye(3)[LABELS]),
    "one-hot list": np.eye(3)[LABELS].tolist(),
}


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_forms_of_labels(form):
    net = classifier()
    loss, gradients = net.loss_and_gradients(X, LABELS)
    again, others = net.loss_and_gradients(X, LABEL_FORMS[form])
    assert loss == again
    np.testing.assert_array_equal(gradients["0.weight"], others["0.weight"])
    assert net.evaluate(X, LABEL_FORMS[form]) == net.evaluate(X, LABELS)


BITS = (LABELS == 1).astype(int)
NUMBERS = {
    "ints": BITS, "bools": BITS == 1, "floats": BITS.astype(np.float32), "uint8": BITS.astype(np.uint8),
    "big-endian": BITS.astype(">f8"), "objects": object_array(BITS.tolist()), "column": BITS[:, None], "list": BITS.tolist(),
}


@pytest.mark.parametrize("form", NUMBERS)
@pytest.mark.parametrize(
    ("last", "loss"), [("sigmoid", None), ("sigmoid", "squared_error"), ("identity", None), ("tanh", "huber")]
)
def test_forms_of_one_number(form, last, loss):
    net = Network([Dense(1, last)], inputs=4, loss=loss)
    assert net.evaluate(X, NUMBERS[form]) == net.evaluate(X, BITS)
    assert net.loss_and_gradients(X, NUMBERS[form])[0] == net.loss_and_gradients(X, BITS)[0]


def test_two_classes_may_be_bools():
    net = Network([Dense(2, "softmax")], inputs=4)
    assert net.evaluate(X, BITS == 1) == net.evaluate(X, BITS)


def test_probabilities_are_targets_too():
    net = classifier(dtype="float64")
    loss, _ = net.loss_and_gradients(X, np.tile([0.2, 0.3, 0.5], (23, 1)))
    by_class = [net.loss_and_gradients(X, np.full(23, label))[0] for label in range(3)]
    assert loss == pytest.approx(0.2 * by_class[0] + 0.3 * by_class[1] + 0.5 * by_class[2], rel=1e-12)


# What comes out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "loss", "y", "shape", "kind"),
    [
        (Dense(3, "softmax"), None, LABELS, (23,), "int64"),
        (Dense(3, "sigmoid"), "squared_error", LABELS, (23,), "int64"),
        (Dense(1, "sigmoid"), None, BITS, (23,), "int64"),
        (Dense(3, "sigmoid"), None, np.eye(3)[LABELS], (23, 3), "int64"),
        (Dense(1), None, X[:, 0], (23,), None),
        (Dense(2), None, X[:, :2], (23, 2), None),
    ],
    ids=["softmax", "sigmoid for classes", "one sigmoid", "several sigmoids", "regressor", "several values"],
)
def test_shapes_and_dtypes(dtype, layer, loss, y, shape, kind):
    net = Network([Dense(4, "relu"), layer], inputs=4, loss=loss, dtype=dtype)
    history = net.fit(X, y, epochs=2)
    outputs = net.forward(X)
    assert outputs.shape == (23, layer.out_features)
    assert outputs.dtype == dtype
    predicted = net.predict(X)
    assert predicted.shape == shape
    assert predicted.dtype == (kind or dtype)
    for few in (X[:0], X[:1]):
        assert net.predict(few).shape == (len(few), *shape[1:])
        assert net.forward(few).shape == (len(few), layer.out_features)
    metrics = net.evaluate(X, y)
    assert all(type(value) is float for value in metrics.values())
    assert list(metrics) == (["loss", "accuracy"] if kind else ["loss"]) == list(history)
    if kind:
        np.testing.assert_array_equal(net.predict_proba(X), outputs)
        assert metrics["accuracy"] == pytest.approx(np.mean(predicted == y))
    else:
        with pytest.raises(ValueError, match="predict"):
            net.predict_proba(X)


@pytest.mark.parametrize(
    ("layer", "loss"),
    [(Dense(3, "softmax"), None), (Dense(3, "sigmoid"), "squared_error"), (Dense(1, "sigmoid"), None),
     (Dense(1, "sigmoid"), "squared_error"), (Dense(3, "sigmoid"), None)],
    ids=["softmax", "sigmoid for classes", "one sigmoid", "one sigmoid of the notes", "several sigmoids"],
)
def test_accuracy_is_the_share_of_right_predictions(layer, loss):
    random = np.random.default_rng(1)
    many, labels = random.normal(size=(301, 4)), random.integers(2, size=301)
    net = Network([layer], inputs=4, loss=loss)
    y = random.integers(2, size=(301, 3)) if net.loss == "binary_cross_entropy" and net.outputs > 1 else labels
    accuracy = np.mean(net.predict(many) == y)
    assert net.evaluate(many, y)["accuracy"] == pytest.approx(accuracy)
    standing_still = SGD(1e-30)
    assert net.fit(many, y, optimizer=standing_still)["accuracy"] == pytest.approx([accuracy])


def test_outputs_are_copies():
    net = classifier()
    for rows in (2, 23):
        first = net.forward(X[:rows])
        kept = first.copy()
        net.forward(X[:rows] + 1)
        np.testing.assert_array_equal(first, kept)


def test_evaluate_is_the_loss_of_the_gradients():
    net = classifier(dtype="float64")
    assert net.evaluate(X, LABELS)["loss"] == pytest.approx(net.loss_and_gradients(X, LABELS)[0], rel=1e-13)
    assert net.loss_function(X, LABELS)() == net.evaluate(X, LABELS)["loss"]


def test_extreme_inputs_leave_the_loss_finite():
    for last, y in (("softmax", LABELS), ("sigmoid", np.eye(3)[LABELS])):
        net = Network([Dense(3, last)], inputs=4)
        loss, gradients = net.loss_and_gradients(1e30 * X, y)
        assert math.isfinite(loss)
        assert all(np.isfinite(gradient).all() for gradient in gradients.values())


# Fit


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_five_epochs_and_five_more_are_ten(optimizer, dtype):
    twice, once = classifier(dtype=dtype), classifier(dtype=dtype)
    kept = optimizer(learning_rate=0.03)
    first = twice.fit(X, LABELS, epochs=5, batch_size=10, optimizer=kept)
    second = twice.fit(X, LABELS, epochs=5, batch_size=10, optimizer=kept)
    whole = once.fit(X, LABELS, epochs=10, batch_size=10, optimizer=optimizer(learning_rate=0.03))
    assert same(twice, once)
    assert first["loss"] + second["loss"] == whole["loss"]


@every_optimizer
def test_an_optimizer_by_name_goes_on_as_well(optimizer):
    twice, once = classifier(), classifier()
    for _ in range(2):
        twice.fit(X, LABELS, epochs=2, optimizer=optimizer.name)
    once.fit(X, LABELS, epochs=4, optimizer=optimizer())
    assert same(twice, once)


def test_an_optimizer_remembers_each_network_apart():
    shared = Adam(0.01)
    one, other, alone = classifier(), classifier(seed=1), classifier()
    for _ in range(3):
        one.fit(X, LABELS, optimizer=shared)
        other.fit(X, LABELS, optimizer=shared)
    alone.fit(X, LABELS, epochs=3, optimizer=Adam(0.01))
    assert same(one, alone)


def test_a_hyperparameter_may_change_between_epochs():
    class Halve(Callback):
        def on_epoch_end(self, epoch, logs):
            optimizer.learning_rate /= 2

    within, between, optimizer = classifier(), classifier(), SGD(0.4)
    within.fit(X, LABELS, epochs=3, optimizer=optimizer, callbacks=[Halve()])
    other = SGD(0.4)
    for _ in range(3):
        between.fit(X, LABELS, optimizer=other)
        other.learning_rate /= 2
    assert same(within, between)


def test_batches_larger_than_the_data_are_one_batch():
    large, whole = classifier(), classifier()
    large.fit(X, LABELS, batch_size=10**6)
    whole.fit(X, LABELS, batch_size=23)
    assert same(large, whole)


def test_every_sample_comes_once_an_epoch():
    # one linear unit, one step an epoch at rate 1 from zero: the bias becomes the mean of y over the samples that came
    net = Network([Dense(1, initializer="zeros")], inputs=1, dtype="float64")
    y = np.random.default_rng(0).normal(size=301)
    history = net.fit(np.zeros((301, 1)), y, batch_size=301, optimizer=SGD(1.0))
    assert net.parameters["0.bias"][0] == pytest.approx(y.mean(), abs=1e-14)
    assert history["loss"] == pytest.approx([(y**2).mean() / 2])


def test_history():
    history = classifier().fit(X, LABELS, epochs=4, validation_data=(X[:9], LABELS[:9]))
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(len(values) == 4 and all(type(value) is float for value in values) for values in history.values())
    assert history.epochs == range(4)
    assert "4 epochs" in repr(history)
    with pytest.raises(KeyError, match="val_loss"):
        history["vall_loss"]
    assert list(Network([Dense(1)], 4).fit(X, X[:, 0], validation_data=(X, X[:, 0]))) == ["loss", "val_loss"]


def test_no_epochs_change_nothing():
    net = classifier()
    assert dict(net.fit(X, LABELS, epochs=0)) == {}
    assert same(net, classifier())


@pytest.mark.parametrize("given", [(X[:9], LABELS[:9]), [X[:9], LABELS[:9], np.arange(9.0)]], ids=["plain", "weighted"])
def test_validation_is_evaluation_at_the_end_of_the_epoch(given):
    net, unwatched, seen = classifier(), classifier(), []

    class Evaluate(Callback):
        def on_epoch_end(self, epoch, logs):
            metrics = self.network.evaluate(*given[:2], sample_weight=given[2] if len(given) == 3 else None)
            seen.append((metrics["loss"], metrics["accuracy"]))

    history = net.fit(X, LABELS, epochs=3, validation_data=given, callbacks=[Evaluate()])
    assert list(zip(history["val_loss"], history["val_accuracy"], strict=True)) == seen
    unwatched.fit(X, LABELS, epochs=3)
    assert same(net, unwatched)


class Recorder(Callback):
    def __init__(self, name, events):
        self.name, self.events = name, events

    def on_train_begin(self, logs):
        self.events.append((self.name, "train begin", logs))

    def on_train_end(self, logs):
        self.events.append((self.name, "train end", sorted(logs)))

    def on_epoch_begin(self, epoch, logs):
        self.events.append((self.name, f"epoch {epoch} begin", logs))

    def on_epoch_end(self, epoch, logs):
        self.events.append((self.name, f"epoch {epoch} end", sorted(logs)))


def test_callbacks_are_called_in_order():
    events, net = [], classifier()
    callbacks = [Recorder("a", events), Recorder("b", events)]
    net.fit(X, LABELS, epochs=2, callbacks=callbacks)
    metrics = ["accuracy", "loss"]
    moments = [("train begin", {}), ("epoch 0 begin", {}), ("epoch 0 end", metrics), ("epoch 1 begin", {}),
               ("epoch 1 end", metrics), ("train end", metrics)]
    assert events == [(name, *moment) for moment in moments for name in "ab"]
    assert callbacks[0].network is net


def test_stop_training():
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs):
            self.network.stop_training = epoch == 1

    net, events = classifier(), []
    history = net.fit(X, LABELS, epochs=9, callbacks=[Stop(), Recorder("after", events)])
    assert len(history["loss"]) == 2
    assert events[-1][1] == "train end"
    assert len(net.fit(X, LABELS, epochs=3)["loss"]) == 3


def test_divergence_leaves_finite_weights():
    net = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    before = {name: view.copy() for name, view in net.parameters.items()}
    with pytest.raises(DivergenceError, match="learning rate"):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3))
    assert all(np.isfinite(view).all() for view in net.parameters.values())
    net.parameters["1.bias"][:] = np.inf
    with pytest.raises(DivergenceError, match="epoch 0, batch 0"):
        net.fit(X, X[:, 0])
    for name, view in net.parameters.items():  # as good as new
        view[...] = before[name]
    assert np.isfinite(net.fit(X, X[:, 0], epochs=2)["loss"]).all()


def test_a_callback_that_fails_leaves_a_network_that_works():
    class Fail(Callback):
        def on_epoch_end(self, epoch, logs):
            raise RuntimeError("enough")

    stopped, once, kept = classifier(), classifier(), Adam()
    with pytest.raises(RuntimeError, match="enough"):
        stopped.fit(X, LABELS, epochs=5, optimizer=kept, callbacks=[Fail()])
    stopped.fit(X, LABELS, optimizer=kept)
    once.fit(X, LABELS, epochs=2, optimizer=Adam())
    assert same(stopped, once)


def test_an_interrupt_is_heeded_at_once():
    net, many = classifier(), np.zeros((20_000, 4), "float32")
    net.fit(X, LABELS)  # compiles
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
    try:
        threading.Timer(0.2, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            net.fit(many, np.zeros(20_000, int), epochs=1000, batch_size=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert np.isfinite(net.fit(X, LABELS)["loss"]).all()


def test_progress_bar(capsys):
    classifier().fit(X, LABELS, epochs=2, progress=True)
    assert "batch" in capsys.readouterr().err
    classifier().fit(X, LABELS, epochs=2)
    assert capsys.readouterr().err == ""


# The object


def test_default_losses():
    expected = dict.fromkeys(activations, "squared_error") | {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}
    for name, loss in expected.items():
        assert Network([Dense(2, name)], inputs=3).loss == loss


def test_parameters_are_live_views():
    net = Network([Dense(3, "relu"), Dense(2)], inputs=4)
    assert {name: view.shape for name, view in net.parameters.items()} == {
        "0.weight": (4, 3), "0.bias": (3,), "1.weight": (3, 2), "1.bias": (2,)
    }
    for rows in (1, 23):
        for view in net.parameters.values():
            view[...] = 0
        net.parameters["1.bias"][:] = [5, 7]
        np.testing.assert_array_equal(net.forward(X[:rows]), np.tile([5, 7], (rows, 1)))
        net.parameters["1.bias"][1] = 8
        np.testing.assert_array_equal(net.forward(X[:rows])[:, 1], np.full(rows, 8))
    view = net.parameters["0.weight"]
    net.fit(X, X[:, :2])
    assert net.parameters["0.weight"] is view
    with pytest.raises(TypeError):
        net.parameters["0.weight"] = view


def test_summary():
    lines = Network([Dense(1000, "relu"), Dense(3, "softmax")], inputs=4).summary().splitlines()
    assert lines[0].split() == ["layer", "output", "shape", "parameters"]
    assert "Dense(1000, 'relu')" in lines[2]
    assert "(batch, 1000)" in lines[2]
    assert lines[2].endswith("5,000")
    assert lines[3].endswith("3,003")
    assert lines[-1] == "8,003 parameters, 32,012 bytes of float32; loss cross_entropy"


@pytest.mark.parametrize("loss", losses)
def test_repr_makes_the_network_again(loss):
    last = "sigmoid" if losses[loss].targets == "binary" else "softmax"
    net = Network([Dense(3, "relu", initializer="he_normal"), Dense(2, last)], inputs=4, loss=loss, dtype="float64")
    again = eval(repr(net), {"Network": Network, "Dense": Dense})
    assert again.config() == net.config()
    assert Network.from_config(net.config()).config() == net.config()


def test_a_layer_alone_is_a_network():
    assert Network(Dense(2), inputs=4).layers == (Dense(2),)


def test_astype():
    net = classifier()
    net.fit(X, LABELS, epochs=3)
    double = net.astype("float64")
    assert double.dtype == "float64"
    np.testing.assert_allclose(double.forward(X), net.forward(X), rtol=1e-5)
    assert same(net, double.astype("float32"))


def test_an_optimizers_memory_goes_with_it():
    net = Network([Dense(2)], inputs=4)
    optimizer = Adam()
    net.fit(X, X[:, :2], optimizer=optimizer)
    gone = weakref.ref(optimizer)
    del optimizer
    gc.collect()
    assert gone() is None
    assert not net._optimizer_states


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_the_same_net_and_independent(copied):
    net = Network([Dense(5, "relu"), Dense(3, "softmax")], inputs=4)
    net.fit(X, LABELS)
    twin = copied(net)
    np.testing.assert_array_equal(twin.forward(X), net.forward(X))
    for each in (net, twin):  # shuffling goes on alike
        each.fit(X, LABELS, epochs=2, optimizer=Adam())
    np.testing.assert_array_equal(twin.forward(X), net.forward(X))
    twin.parameters["0.weight"][:] = 0
    assert net.parameters["0.weight"].any()
