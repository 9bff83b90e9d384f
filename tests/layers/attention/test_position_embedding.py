"""Learned positions: the rungs, gradients, what sequences get, and what is refused."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    Attention,
    Conv1D,
    Dense,
    Embedding,
    GlobalAveragePool,
    Input,
    LastStep,
    Network,
    PositionEmbedding,
    compiled,
    naive,
    vectorized,
)

rng = np.random.default_rng(0)
OFFSETS = [0, 3, 3, 10, 11]
X = [rng.normal(size=(n, 4)) for n in (3, 7, 1, 5)]


@pytest.mark.parametrize("threads", [1, 4])
def test_three_rungs_are_equal(threads):
    x, weight = rng.normal(size=(11, 4)), rng.normal(size=(9, 4))
    expected = naive.position_embedding_forward(x, weight, OFFSETS)
    gradient = naive.position_embedding_backward(x, 9, OFFSETS)
    assert np.asarray(gradient)[7:].tolist() == [[0.0] * 4] * 2
    for rung, options in ((vectorized, {}), (compiled, {"threads": threads})):
        np.testing.assert_array_equal(rung.position_embedding_forward(x, weight, OFFSETS, **options), expected)
        np.testing.assert_allclose(rung.position_embedding_backward(x, 9, OFFSETS, **options), gradient, rtol=0, atol=1e-15)


@pytest.mark.parametrize("rung", [naive, vectorized, compiled])
def test_functions_refuse_longer_sequences(rung):
    with pytest.raises(ValueError, match="a sequence has 7 steps, and there are 6 positions"):
        rung.position_embedding_forward(np.ones((11, 4)), np.ones((6, 4)), OFFSETS)
    with pytest.raises(ValueError, match="a sequence has 7 steps"):
        rung.position_embedding_backward(np.ones((11, 4)), 6, OFFSETS)
    with pytest.raises(ValueError, match="as many features"):
        rung.position_embedding_forward(np.ones((11, 4)), np.ones((9, 3)), OFFSETS)


def test_each_step_gets_the_vector_of_its_position():
    net = Network([PositionEmbedding(7)], inputs=(None, 4), loss="squared_error", dtype="float64")
    weight = net.parameters["0.weight"]
    weight[:] = rng.normal(size=(7, 4))
    for given, out in zip(X, net.forward(X), strict=True):
        np.testing.assert_array_equal(out, given + weight[:len(given)])


NETWORKS = {
    "first": lambda: Network([PositionEmbedding(9), Dense(3, "tanh"), GlobalAveragePool(), Dense(2)], inputs=(None, 4),
                             loss="squared_error", dtype="float64"),
    "between": lambda: Network([Dense(4, "tanh"), PositionEmbedding(7), Attention(), LastStep(), Dense(2)],
                               inputs=(None, 4), loss="squared_error", dtype="float64"),
    "two readers": lambda: two_readers(),
}


def two_readers():
    x = Input((None, 4))
    h = Dense(4, "tanh")(x)
    return Network(inputs=x, outputs=Dense(2)(LastStep()(Attention()(PositionEmbedding(8)(h)) + h)), loss="squared_error",
                   dtype="float64")


@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_are_right(kind):
    net, y = NETWORKS[kind](), rng.normal(size=(4, 2))
    assert fastnn.check_gradients(net, X, y).max_relative_error < 1e-7
    gradient = next(view for name, view in net.loss_and_gradients(X, y)[1].items() if view.shape[-1:] == (4,)
                    and view.ndim == 2 and len(view) in (7, 8, 9))
    assert (gradient[7:] == 0).all()
    assert (gradient[0] != 0).any()


def test_series_of_one_length_are_as_sequences():
    def build(steps, step):
        return Network([PositionEmbedding(6), step(3), GlobalAveragePool(), Dense(2)], inputs=(steps, 4), seed=2,
                       loss="squared_error")

    series, ragged = build(5, lambda n: Conv1D(n, 1)), build(None, Dense)
    ragged.copy_weights({name: view.reshape(ragged.parameters[name].shape) for name, view in series.parameters.items()})
    data = rng.normal(size=(3, 5, 4))
    np.testing.assert_array_equal(series.forward(data), ragged.forward(list(data)))


def test_longer_sequences_are_refused_wherever_they_enter():
    net = Network([Embedding(5, 4), PositionEmbedding(3), LastStep(), Dense(2)], inputs=(None,), loss="squared_error")
    long = [[1, 2], [1, 2, 3, 4]]
    message = r"X\[1\] has 4 steps at layer 1, PositionEmbedding\(3\), which takes at most 3"
    for call in (net.predict, lambda X: net.fit(X, np.ones((2, 2))), lambda X: net.evaluate(X, np.ones((2, 2)))):
        with pytest.raises(ValueError, match=message):
            call(long)
    net.fit([[1, 2], [1, 2, 3]], np.ones((2, 2)))
    one, other = Input((None, 4), name="one"), Input((None, 4), name="other")
    two = Network(inputs=[one, other], outputs=Dense(1)(LastStep()(Attention()(one, PositionEmbedding(2)(other)))))
    assert two.forward([[np.ones((5, 4))], [np.ones((2, 4))]]).shape == (1, 1)
    with pytest.raises(ValueError, match=r"X\[0\] has 3 steps"):
        two.forward([[np.ones((5, 4))], [np.ones((3, 4))]])


def test_windows_before_it_count():
    net = Network([Conv1D(4, 3, stride=2), PositionEmbedding(2), LastStep(), Dense(1)], inputs=(None, 4))
    assert net.forward([np.ones((6, 4))]).shape == (1, 1)  # two steps of six
    with pytest.raises(ValueError, match="has 3 steps at layer 1"):
        net.forward([np.ones((7, 4))])


@pytest.mark.parametrize(("build", "message"), [
    (lambda: PositionEmbedding(0), "a whole number of at least 1"),
    (lambda: Network([PositionEmbedding(3)], inputs=(None,)), "put an Embedding before it"),
    (lambda: Network([PositionEmbedding(3)], inputs=4), "takes sequences"),
    (lambda: Network([PositionEmbedding(3)], inputs=(4, 2)), r"has 3 positions, and here a sample has 4 steps"),
    (lambda: Network([PositionEmbedding(3), LastStep()], inputs=(None, 2)).stream(), "counts the steps"),
])
def test_what_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
