"""Arrays with more elements than 32 bits count: handled like others, or refused before memory is allocated.

The large array is one of zeros that has never been written to, so almost none of its pages exist.
"""

import numpy as np
import pytest
from witness import assert_refused

from fastnn import Dense, Network

ROWS, FEATURES = 2**16, 2**15 + 1  # 2³¹ + 2¹⁶ numbers


@pytest.fixture(scope="module")
def large():
    try:
        X = np.zeros((ROWS, FEATURES), "float32")
    except MemoryError:
        pytest.skip("this machine does not give out addresses for 8.6 GB")
    X[-1] = 1
    X[-1, -1] = 2
    return X


def summing():
    net = Network([Dense(1, initializer="zeros")], inputs=FEATURES)
    net.parameters["0.weight"][-1] = 3
    return net


@pytest.mark.long
def test_predictions_of_so_many_numbers(large):
    outputs = summing().forward(large)
    assert outputs[-1, 0] == 6
    assert not outputs[:-1].any()


@pytest.mark.long
def test_loss_and_gradients_of_so_many_numbers(large):
    only_the_last = np.zeros(ROWS)
    only_the_last[-1] = 1
    loss, gradients = summing().loss_and_gradients(large, np.ones(ROWS), sample_weight=only_the_last)
    assert loss == 12.5  # ½ (6 − 1)²
    assert gradients["0.weight"][-1, 0] == 10
    assert (gradients["0.weight"][:-1] == 5).all()


@pytest.mark.long
def test_a_fit_to_so_many_numbers(large):
    net = summing()
    net.fit(large, np.zeros(ROWS), batch_size=4096, optimizer="sgd", shuffle=False, progress=False)
    assert net.parameters["0.weight"][-1, 0] < 3  # the last row is learned from
    assert (net.parameters["0.weight"][:-1] < 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
@pytest.mark.parametrize("rows", [2**45, 2**58])
def test_more_rows_than_memory(rows, dtype):
    """Arrays that would need a copy: with other strides or another dtype."""
    net, X = Network([Dense(1)], inputs=2), np.broadcast_to(np.ones((1, 2), dtype), (rows, 2))
    assert_refused(lambda: net.forward(X), "X", X, net, [X])
    y = np.broadcast_to(np.ones(1, dtype), (rows,))
    assert_refused(lambda: net.evaluate(X, y), "X", X, net, [X, y])
    assert_refused(lambda: net.evaluate(np.ones((3, 2)), y), "y", y, net, [y])
    assert_refused(lambda: net.evaluate(np.ones((3, 2)), np.ones(3), sample_weight=y), "sample_weight", y, net, [y])
