"""An output at each step beside several inputs, whose sequences have lengths of their own: an encoder and a decoder."""

import numpy as np
import pytest

from fastnn import (
    GRU,
    LSTM,
    Adam,
    Dense,
    EarlyStopping,
    Embedding,
    Input,
    Network,
    Sequences,
    check_gradients,
)

rng = np.random.default_rng(0)
SAMPLES = 41
SOURCE = [rng.integers(7, size=n) for n in rng.integers(0, 9, size=SAMPLES)]
TARGET = [rng.integers(5, size=n) for n in rng.integers(1, 7, size=SAMPLES)]
X = {"source": SOURCE, "target": TARGET}
Y = [rng.integers(5, size=len(own)) for own in TARGET]


def translator(cell=GRU, dtype="float32", seed=0, last=None):
    source, target = Input((None,), name="source"), Input((None,), name="target")
    options = {} if cell is GRU else {"return_cells": True}
    state = cell(6, **options)(Embedding(7, 4)(source))
    steps = cell(6, return_sequences=True)(Embedding(5, 3)(target), initial_state=state)
    return Network(inputs=[source, target], outputs=(last or Dense(5, "softmax"))(steps), dtype=dtype, seed=seed)


def bits(net):
    return [array.tobytes() for array in net.vectors.arrays]


def part(rows):
    return {name: [values[i] for i in rows] for name, values in X.items()}


@pytest.mark.parametrize("cell", [GRU, LSTM])
def test_gradients_are_those_of_differences(cell):
    assert check_gradients(translator(cell, "float64"), X, Y).max_relative_error < 1e-7


def test_the_loss_is_the_mean_over_the_steps_that_count():
    net, y = translator(dtype="float64"), [own.copy() for own in Y]
    y[3][0] = y[7][-1] = -1
    p = net.forward(X)
    assert isinstance(p, Sequences)
    assert np.array_equal(p.lengths, [len(own) for own in TARGET])
    labels = np.concatenate(y)
    counted = labels >= 0
    p, labels = p.steps[counted], labels[counted]
    found = net.evaluate(X, y)
    assert found["loss"] == pytest.approx(-np.log(p[np.arange(len(p)), labels]).mean(), rel=1e-12)
    assert found["accuracy"] == pytest.approx((p.argmax(axis=1) == labels).mean(), rel=1e-12)
    assert net.loss_and_gradients(X, y)[0] == pytest.approx(found["loss"], rel=1e-12)
    assert net.evaluate(X, y, metrics=["f1"])["f1"] <= 1
    weights = [np.where(own < 0, 0.0, 1.0) for own in y]
    assert net.evaluate(X, Y, sample_weight=weights)["loss"] == pytest.approx(found["loss"], rel=1e-12)
    one_hot = [np.eye(5)[own] for own in Y]
    assert net.evaluate(X, one_hot)["loss"] == pytest.approx(net.evaluate(X, Y)["loss"], rel=1e-12)
    assert np.array_equal(net.predict(X).steps, net.forward(X).steps.argmax(axis=1))


@pytest.mark.parametrize("cell", [GRU, LSTM])
def test_threads_and_neighbors_change_no_bit(cell, many_parts):
    found = []
    for threads in (1, 2, 3):
        net = translator(cell)
        net.fit(X, Y, epochs=2, batch_size=8, threads=threads)
        found.append((bits(net), net.forward(X, threads=threads).steps.tobytes(), net.evaluate(X, Y, threads=threads)))
    assert found[1:] == found[:-1]
    together = net.forward(X)
    for i in (0, 9, 40):
        assert np.array_equal(net.forward(part([i]))[0], together[i])


def test_fit_twice_resume_and_files(tmp_path):
    net, halves = translator(), translator()
    net.fit(X, Y, epochs=4, batch_size=8, validation_data=(X, Y), metrics=["f1"])
    optimizer = Adam()
    halves.fit(X, Y, epochs=2, batch_size=8, optimizer=optimizer)
    halves.fit(X, Y, epochs=2, batch_size=8, optimizer=optimizer)
    assert bits(net) == bits(halves)
    assert net.history["val_loss"][-1] == pytest.approx(net.evaluate(X, Y)["loss"], rel=1e-6)
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert np.array_equal(loaded.forward(X).steps, net.forward(X).steps)
    net.fit(X, Y, epochs=30, batch_size=8, validation_data=(X, Y), callbacks=[EarlyStopping(patience=2)])


def test_other_meanings_of_steps():
    net = translator(last=Dense(2))
    values = [rng.normal(size=(len(own), 2)) for own in TARGET]
    net.fit(X, values, epochs=2)
    assert net.predict(X).steps.shape == (sum(map(len, TARGET)), 2)
    assert net.evaluate(X, values)["loss"] > 0
    assert len(net.forward({"source": [], "target": []})) == 0


def test_what_does_not_fit_is_refused():
    net = translator()
    with pytest.raises(ValueError, match=r"y\[3\] has \d steps; the outputs for X\[3\] have"):
        net.fit(X, [*Y[:3], np.append(Y[3], 0), *Y[4:]])
    with pytest.raises(ValueError, match="one target for each sequence"):
        net.fit(X, np.zeros(SAMPLES, int))
    with pytest.raises(ValueError, match="same number"):
        net.fit(part(range(3)) | {"source": SOURCE[:2]}, Y[:3])
    x = Input((None, 3), name="x")
    h = GRU(4, return_sequences=True)(x)
    assert Network(inputs=x, outputs={"a": Dense(2, "softmax")(h), "b": Dense(1)(h)}).step_outputs == (True, True)


def test_the_word_learned_is_the_one_given():
    """It learns to copy the source, which only the state of the encoder tells."""
    words = [rng.integers(1, 7, size=2) for _ in range(400)]
    given = {"source": words, "target": [np.array([0, word[0] % 5]) for word in words]}
    y = [word % 5 for word in words]
    net = translator(seed=1)
    net.fit(given, y, epochs=40, optimizer=Adam(learning_rate=0.02))
    assert net.evaluate(given, y)["accuracy"] > 0.95
