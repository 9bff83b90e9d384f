"""`fit(..., accumulate=k)`: the step of a batch k times as large, in k passes."""

import numpy as np
import pytest

from fastnn import (
    GRU,
    LBFGS,
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    DivergenceError,
    Dropout,
    Embedding,
    ExponentialDecay,
    Flatten,
    Input,
    LambdaCallback,
    MaxPool2D,
    Network,
)

GENERATOR = np.random.default_rng(0)
X, LABELS = GENERATOR.normal(size=(37, 4)), GENERATOR.integers(0, 3, 37)
WEIGHTS = GENERATOR.uniform(0.0, 2.0, 37)
IMAGES = GENERATOR.random((37, 6, 6, 1))
SEQUENCES = [GENERATOR.normal(size=(1 + i % 4, 2)) for i in range(37)]
TOKENS = [list(GENERATOR.integers(0, 9, 1 + i % 4)) for i in range(37)]


def dense():
    return Network([Dense(8, "tanh", l2=1e-2), Dense(3, "softmax")], inputs=4, dtype="float64")


def ragged(*layers, inputs=(None, 2), **options):
    return Network([*layers], inputs=inputs, dtype="float64", **options)


CASES = {
    "labels": (dense, X, LABELS, {}),
    "weights": (dense, X, LABELS, {"sample_weight": WEIGHTS}),
    "weights of zero": (dense, X, LABELS, {"sample_weight": WEIGHTS * (np.arange(37) > 20), "shuffle": False}),
    "weights of classes": (dense, X, LABELS, {"class_weight": "balanced"}),
    "clipped": (dense, X, LABELS, {"optimizer": lambda: SGD(0.5, momentum=0.9, clip_norm=0.1)}),
    "schedule": (dense, X, LABELS, {"optimizer": lambda: Adam(ExponentialDecay(0.05, every=2))}),
    "frozen": (dense, X, LABELS, {"frozen": ["0.weight"]}),
    "held out": (dense, X, LABELS, {"validation_split": 0.2}),
    "values": (lambda: Network([Dense(1)], inputs=4, dtype="float64"), X, X[:, 0], {}),
    "images": (lambda: Network([Conv2D(3, 3, "relu"), MaxPool2D(2), Flatten(), Dense(3, "softmax")], inputs=(6, 6, 1),
                               dtype="float64"), IMAGES, LABELS, {}),
    "positions": (lambda: Network([Conv2D(2, 3, "softmax", padding="same")], inputs=(6, 6, 1), dtype="float64"),
                  IMAGES, (IMAGES[..., 0] > 0.5).astype(int) - (IMAGES[..., 0] > 0.9), {}),
    "sequences": (lambda: ragged(GRU(3), Dense(3, "softmax")), SEQUENCES, LABELS, {}),
    "tokens": (lambda: ragged(Embedding(9, 3), GRU(3), Dense(3, "softmax"), inputs=(None,)), TOKENS, LABELS, {}),
    "steps": (lambda: ragged(GRU(3, return_sequences=True), Dense(2, "softmax")), SEQUENCES,
              [np.arange(len(each)) % 2 for each in SEQUENCES], {}),
    "means of sequences": (lambda: ragged(GRU(3, return_sequences=True), Dense(1), mean="sequences"), SEQUENCES,
                           [each[:, 0] for each in SEQUENCES], {}),
}


def fitted(name, **given):
    make, samples, y, options = CASES[name]
    net, options = make(), {"epochs": 3, "threads": 1} | options
    options["optimizer"] = options.get("optimizer", lambda: Adam(0.05))()
    return net, net.fit(samples, y, **options, **given)


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_step_of_the_larger_batch(name):
    """Five samples a pass, three passes a step: whole batches, and a last one of one pass and a part of another."""
    one, history = fitted(name, batch_size=15)
    other, other_history = fitted(name, batch_size=5, accumulate=3)
    for array, same in zip(one.vectors.copies(), other.vectors.copies(), strict=True):
        np.testing.assert_allclose(same, array, rtol=1e-9, atol=1e-11)
    assert history.keys() == other_history.keys()
    for metric, values in history.items():
        np.testing.assert_allclose(other_history[metric], values, rtol=1e-9, err_msg=metric)


def test_in_float32_and_on_any_number_of_threads():
    nets = [Network([Dense(64, "relu"), Dense(3, "softmax")], inputs=4) for _ in range(3)]
    for net, options in zip(nets, ({"batch_size": 32}, {"batch_size": 8, "accumulate": 4, "threads": 1},
                                   {"batch_size": 8, "accumulate": 4, "threads": 2}), strict=True):
        net.fit(X, LABELS, epochs=5, **options)
    assert all(map(np.array_equal, nets[1].vectors.copies(), nets[2].vectors.copies()))
    np.testing.assert_allclose(nets[1].forward(X), nets[0].forward(X), rtol=1e-4)


def test_other_names():
    one, other = dense(), dense()
    assert one.fit(X, LABELS, accumulate=2) == other.fit(X, LABELS, accumulate_grad_batches=2)


def test_batch_norm_sees_a_pass():
    net = Network([BatchNorm(momentum=0.0), Dense(3, "softmax")], inputs=4, dtype="float64")
    net.fit(X[:10], LABELS[:10], batch_size=5, accumulate=2, shuffle=False)
    np.testing.assert_allclose(net.state["0.running_mean"], X[5:10].mean(axis=0), rtol=1e-6)


def test_it_resumes_to_the_same_bits(tmp_path):
    whole, stopped, options = dense(), dense(), {"batch_size": 5, "accumulate": 3}
    whole.fit(X, LABELS, epochs=4, **options)

    def stop(batch, logs):
        if batch == 4:
            stopped.stop_training = True

    stopped.fit(X, LABELS, epochs=4, **options, callbacks=[LambdaCallback(on_train_batch_end=stop)])
    stopped.save_checkpoint(tmp_path / "run.safetensors")
    for net in (Network.load_checkpoint(tmp_path / "run.safetensors"), stopped):
        with pytest.raises(ValueError, match="accumulate is 1"):
            net.fit(X, LABELS, epochs=4, batch_size=5, resume=True)
        net.fit(X, LABELS, epochs=4, resume=True, **options)
        assert all(map(np.array_equal, net.vectors.copies(), whole.vectors.copies()))
        assert net.history == whole.history


def test_a_step_that_diverges_changes_nothing():
    """A pass behind the first one overflows; running statistics and the random numbers of the first are undone."""
    y = np.where(np.arange(37) == 22, 1e30, X[:, 0])  # in the second pass of the second step
    options, nets = {"batch_size": 5, "accumulate": 3, "shuffle": False}, []
    for _ in range(2):
        nets.append(Network([BatchNorm(), Dropout(0.2), Dense(1)], inputs=4))
        nets[-1].fit(X[:15], y[:15], **options)
    with pytest.warns(UserWarning, match="far from unit size"), pytest.raises(DivergenceError, match="batch 2") as caught:
        nets[0].fit(X, y, **options)
    nets[1].fit(X[:15], y[:15], **options)
    assert (caught.value.batch, caught.value.layer) == (1, 2)
    assert all(map(np.array_equal, nets[0].vectors.copies(), nets[1].vectors.copies()))


def test_what_has_no_passes_is_refused():
    x = Input(4)
    two = Network(inputs=x, outputs={"a": Dense(1)(x), "b": Dense(1)(x)})
    with pytest.raises(ValueError, match="batch_size=64 instead"):
        two.fit(X, {"a": X[:, 0], "b": X[:, 1]}, accumulate=2)
    with pytest.raises(ValueError, match="leave it out"):
        dense().fit(X, LABELS, optimizer=LBFGS(), accumulate=2)
    with pytest.raises(ValueError, match="accumulate is 0"):
        dense().fit(X, LABELS, accumulate=0)
