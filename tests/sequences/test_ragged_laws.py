"""Networks of sequences of any length: what they compute, and the laws that hold for all networks."""

import pickle

import numpy as np
import pytest

from fastnn import (
    SGD,
    Activation,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    GaussianNoise,
    GlobalAveragePool,
    GlobalMaxPool,
    LastStep,
    LayerNorm,
    ModelCheckpoint,
    Network,
    Normalize,
    Population,
    Rescale,
    Sequences,
    check_gradients,
)

rng = np.random.default_rng(0)
LENGTHS = rng.integers(1, 12, size=45)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
LABELS = rng.integers(2, size=45)
VALUES = rng.normal(size=(45, 2))
WHOLE = Sequences.of_lengths(np.concatenate(X), LENGTHS)
NETS = {
    "dense": lambda: [Dense(8, "tanh"), LastStep(), Dense(2, "softmax")],
    "first": lambda: [LastStep(), Dense(5, "relu"), Dense(2, "softmax")],
    "normalized": lambda: [Normalize(), Dense(6), BatchNorm(), Activation("gelu"), LayerNorm(), LastStep(), BatchNorm(),
                           Dense(2, "softmax")],
    "random": lambda: [GaussianNoise(0.1), Dense(9), Rescale(0.5), Dropout(0.2), Activation("relu"), LastStep(),
                       Dropout(0.2), Dense(2, "softmax")],
}
POOLS = {
    "mean": lambda: [Dense(8, "tanh"), GlobalAveragePool(), Dense(2, "softmax")],
    "largest": lambda: [Dense(8, "tanh"), GlobalMaxPool(), Dense(2, "softmax")],
}
ENDS_WITH_LAST_STEP = pytest.mark.parametrize("name", NETS)
NETS = NETS | POOLS
every_net = pytest.mark.parametrize("name", NETS)


def network(name, seed=1, **options):
    return Network(NETS[name](), inputs=(None, 3), seed=seed, **options)


def bits(net):
    return [array.tobytes() for array in net.vectors.arrays]


@ENDS_WITH_LAST_STEP
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_computed_as_samples_are(name, dtype):
    net = network(name, dtype=dtype)
    net.fit(X, LABELS, batch_size=8)
    layers = [layer for layer in net.layers if not isinstance(layer, LastStep)]
    rows = Network(layers, inputs=3, dtype=dtype)
    places = [index for index, layer in enumerate(net.layers) if not isinstance(layer, LastStep)]
    for own, others in ((rows.parameters, net.parameters), (rows.state, net.state)):
        for key, view in own.items():
            index, _, kind = key.partition(".")
            view[...] = others[f"{places[int(index)]}.{kind}"]
    assert np.array_equal(net.forward(X), rows.forward(np.array([one[-1] for one in X])))


@every_net
def test_a_sequence_alone_gives_what_it_gives_in_any_batch(name):
    net = network(name)
    together = net.forward(X)
    assert np.array_equal(np.concatenate([net.forward([one]) for one in X]), together)
    order = rng.permutation(45)
    assert np.array_equal(net.forward(WHOLE[order]), together[order])
    assert np.array_equal(net.forward(X * 40)[-45:], together)  # several chunks


@every_net
def test_threads_change_no_bit(name, many_parts):
    found = []
    for threads in (1, 2, 3, 8):
        net = network(name)
        history = net.fit(X, LABELS, epochs=2, batch_size=16, threads=threads)
        loss, gradients = net.loss_and_gradients(X, LABELS, training=True, threads=threads)
        found.append((bits(net), history["loss"], loss, [each.tobytes() for each in gradients.values()],
                      net.forward(X * 9, threads=threads).tobytes(), net.evaluate(X, LABELS, threads=threads)))
    assert all(each == found[0] for each in found)


@every_net
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_those_of_differences(name, training):
    net = network(name, dtype="float64")
    net.fit(X, LABELS)
    assert check_gradients(net, X, LABELS, training=training).max_relative_error < 1e-7


@every_net
def test_what_is_fitted_is_learned_in_any_form(name):
    found = []
    for given in (X, WHOLE, [one.astype(np.float32) for one in X]):
        net = network(name)
        net.fit(given, LABELS, epochs=2, batch_size=7, validation_data=(given, LABELS))
        found.append((bits(net), net.history.metrics))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", POOLS)
def test_sequences_of_one_length_give_what_series_of_a_fixed_one_do(name):
    same = rng.normal(size=(20, 5, 3))
    layers = NETS[name]()[1:]
    ragged, fixed = (Network(layers, inputs=inputs, seed=2) for inputs in ((None, 3), (5, 3)))
    assert np.array_equal(ragged.forward(same), fixed.forward(same))
    labels = rng.integers(2, size=20)
    for net in (ragged, fixed):
        net.fit(same, labels, epochs=3, batch_size=6)
    assert bits(ragged) == bits(fixed)


def test_populations_learn_from_sequences():
    nets = [network("dense", seed=seed) for seed in range(3)]
    population = Population(nets)
    population.fit(X, LABELS, epochs=2, batch_size=9, validation_rows=np.arange(9), rows=np.arange(9, 45))
    for seed, net in enumerate(nets):
        alone = network("dense", seed=seed)
        alone.fit(X[9:], LABELS[9:], epochs=2, batch_size=9)
        assert bits(net) == bits(alone)
    assert len(population.predict(X)) == 45 or population.predict(X).shape[-1] == 45


def test_it_learns():
    last = np.array([one[-1].sum() > 0 for one in X]).astype(int)
    net = network("dense")
    net.fit(X, last, epochs=60, batch_size=8, optimizer=Adam(0.03))
    assert net.evaluate(X, last)["accuracy"] == 1
    assert np.array_equal(net.predict(WHOLE), last)


@every_net
def test_accumulated_losses_are_those_of_one_batch(name):
    net = network(name, dtype="float64")
    loss, _ = net.loss_and_gradients(X * 3, np.tile(LABELS, 3))
    assert loss == pytest.approx(net.evaluate(X, LABELS)["loss"], rel=1e-12)
    weights = rng.uniform(size=45)
    probabilities = net.forward(X)[np.arange(45), LABELS]
    expected = (weights * -np.log(probabilities)).sum() / weights.sum()
    assert net.evaluate(X, LABELS, sample_weight=weights)["loss"] == pytest.approx(expected)
    assert net.loss_and_gradients(X, LABELS, sample_weight=weights)[0] == pytest.approx(expected)


@every_net
def test_files_and_copies_are_the_same_network(name, tmp_path):
    net = network(name)
    net.fit(X, LABELS)
    net.save(tmp_path / "net.safetensors")
    for twin in (Network.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net)), net.astype("float32")):
        assert twin.shapes == net.shapes
        assert np.array_equal(twin.forward(X), net.forward(X))
    assert Network.from_config(net.config()).shapes[0] == (None, 3)


@every_net
def test_a_fit_is_resumed_with_the_same_bits(name, tmp_path):
    whole = network(name)
    history = whole.fit(X, LABELS, epochs=4, batch_size=7, validation_data=(X, LABELS))
    path = tmp_path / "run.safetensors"
    net = network(name)
    net.fit(X, LABELS, epochs=2, batch_size=7, validation_data=(X, LABELS), callbacks=[ModelCheckpoint(path, full=True)])
    resumed = Network.load_checkpoint(path)
    again = resumed.fit(X, LABELS, epochs=4, batch_size=7, validation_data=(X, LABELS), resume=True)
    assert bits(resumed) == bits(whole)
    assert again.metrics == history.metrics


def test_other_data_of_another_length_follow():
    """The memory of a fit is kept for the next one, whose sequences may be longer."""
    net, twin = network("dense"), network("dense")
    sgd = SGD(0.1), SGD(0.1)
    longer = [np.concatenate([one] * 5) for one in X]
    net.fit(X, LABELS, batch_size=5, optimizer=sgd[0])
    net.fit(longer, LABELS, batch_size=5, optimizer=sgd[0])
    twin.fit(X, LABELS, batch_size=5, optimizer=sgd[1])
    twin.fit(Sequences.of_lengths(np.concatenate(longer), 5 * LENGTHS), LABELS, batch_size=5, optimizer=sgd[1])
    assert bits(net) == bits(twin)
    assert len(net.forward(longer)) == len(net.forward(X)) == 45


def test_callbacks_and_metrics_see_sequences():
    net = network("dense")
    history = net.fit(X, LABELS, epochs=3, validation_data=(X, LABELS), metrics=["auc"], callbacks=[EarlyStopping()])
    assert len(history["val_auc"]) == len(history["loss"])


def test_values_are_targets_too():
    net = Network([Dense(4, "tanh"), LastStep(), Dense(2)], inputs=(None, 3), dtype="float64")
    outputs = net.forward(X)
    expected = 0.5 * ((outputs - VALUES) ** 2).sum(axis=1).mean()
    assert net.evaluate(X, VALUES)["loss"] == pytest.approx(expected)
    assert check_gradients(net, X, VALUES).max_relative_error < 1e-7


def test_a_long_sequence_is_a_chunk_of_its_own():
    net = network("dense")
    long = [rng.normal(size=(n, 3)) for n in (3, 9000, 2, 5000, 1)]
    assert np.array_equal(net.forward(long), np.concatenate([net.forward([one]) for one in long]))
    assert len(net.forward([])) == 0


def test_images_may_stand_in_a_sequence():
    from fastnn import Conv2D, Flatten

    frames = [rng.integers(0, 255, size=(n, 4, 4, 1), dtype=np.uint8) for n in (3, 1, 2)]
    net = Network([Rescale(1 / 255), Conv2D(2, 3, "relu"), Flatten(), LastStep(), Dense(2, "softmax")],
                  inputs=(None, 4, 4, 1))
    assert net.shapes[:4] == [(None, 4, 4, 1), (None, 4, 4, 1), (None, 2, 2, 2), (None, 8)]
    net.fit(frames, [0, 1, 0])
    assert np.array_equal(net.forward(frames), net.forward([one.astype(np.float64) for one in frames]))


def test_the_summary_says_what_is_a_step():
    net = network("dense")
    assert "(batch, steps, 8)" in net.summary()
    assert "inputs=(None, 3)" in repr(net)
