"""The same bits for any number of threads, and for a row in any batch."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import trained_nets

from fastnn import Adam, Dense, Network, activations, optimizers

SUPPORT = Path(__file__).parents[1] / "support"  # scripts that run in processes of their own

THREADS = [2, 3, 4, 8]

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_activation = pytest.mark.parametrize("activation", activations)
every_number_of_threads = pytest.mark.parametrize("threads", THREADS)

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(70, 9)), rng.integers(3, size=70)


def network(dtype="float32"):
    return Network([Dense(65, "tanh"), Dense(17, "relu"), Dense(3, "softmax")], inputs=9, dtype=dtype, seed=5)


def trained(dtype="float32", threads=1, optimizer="adam", batch_size=32):
    net = network(dtype)
    net.fit(X, Y, epochs=2, batch_size=batch_size, optimizer=optimizer, threads=threads)
    return trained_nets.digest(net)


# Training: with fastnn's own threads


@pytest.fixture(scope="module")
def one_thread():
    return trained_nets.digests(threads=1)


def in_a_process(program, *threads):
    """Return the output of a program that uses eight threads, even if there are fewer cores."""
    run = subprocess.run([sys.executable, program, *map(str, threads)], cwd=SUPPORT,
                         env={**os.environ, "NUMBA_NUM_THREADS": "8"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_threads_do_not_change_a_bit_of_any_net(one_thread):
    found = in_a_process("nets/trained_nets.py", 1, *THREADS)
    assert found["most parts"] == THREADS[-1]
    assert found["layer"] is None, "Numba's threading layer is left to the user's own code"
    for threads, digests in found["digests"].items():
        assert [name for name in one_thread if digests[name] != one_thread[name]] == [], threads


@pytest.mark.long
def test_one_digest_of_all():
    """For the same networks: one thread and many, in several processes."""
    found = set()
    for _ in range(int(os.environ.get("FASTNN_TEST_CASES", "20"))):
        digests = in_a_process("one_digest.py", 1, *THREADS)
        assert len(digests) == 1 + len(THREADS)
        found |= set(digests.values())
        assert len(found) == 1, digests


# Training: as many parts as threads, however small the work


@every_dtype
@every_number_of_threads
@pytest.mark.parametrize("batch_size", [1, 5, 32, 70])
def test_threads_do_not_change_a_bit_of_training(batch_size, threads, dtype, many_parts):
    one = trained(dtype, batch_size=batch_size)
    assert max(many_parts) == 1
    assert trained(dtype, threads, batch_size=batch_size) == one
    assert max(many_parts) == threads


def test_threads_may_change_from_epoch_to_epoch(many_parts):
    once, changing, kept = network(), network(), Adam()
    once.fit(X, Y, epochs=4, optimizer=Adam(), threads=1)
    for threads in (1, 3, 8, 2):
        changing.fit(X, Y, optimizer=kept, threads=threads)
    assert trained_nets.digest(changing) == trained_nets.digest(once)


@pytest.mark.parametrize("optimizer", optimizers)
def test_threads_do_not_change_a_bit_of_an_optimizer(optimizer, many_parts):
    assert trained(optimizer=optimizer) == trained(optimizer=optimizer, threads=3)
    assert max(many_parts) == 3


@every_dtype
@every_activation
@pytest.mark.parametrize("width", [1, 33, 257])  # the widest is cut by columns where its activation lets it
def test_threads_do_not_change_a_bit_of_a_gradient(activation, dtype, width, many_parts):
    def gradients(threads):
        net = Network([Dense(width, activation), Dense(3, "softmax")], inputs=9, dtype=dtype)
        return net.loss_and_gradients(X[:53], Y[:53], threads=threads)

    loss, by_name = gradients(1)
    for threads in (2, 5):
        again, by_name_again = gradients(threads)
        assert max(many_parts) == threads
        assert loss == again
        for name, gradient in by_name.items():
            np.testing.assert_array_equal(gradient, by_name_again[name])


def test_threads_do_not_change_a_bit_of_outputs_and_metrics(many_parts):
    net, many = network(), np.tile(X, (20, 1))
    one = net.forward(many, threads=1)
    metrics = net.evaluate(many, np.tile(Y, 20), threads=1)
    for threads in (2, 3, 8):
        np.testing.assert_array_equal(net.forward(many, threads=threads), one)
        assert net.evaluate(many, np.tile(Y, 20), threads=threads) == metrics
    assert max(many_parts) > 1


def test_python_threads_side_by_side_come_to_the_same_bits(many_parts):
    net = network()
    batches = [X[i:i + 1 + i % 7] for i in range(40)]
    alone = [net.forward(batch, threads=1) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for result, expected in zip(pool.map(lambda batch: net.forward(batch, threads=2), batches), alone, strict=True):
            np.testing.assert_array_equal(result, expected)
        assert {each.result() for each in [pool.submit(trained, threads=2) for _ in range(4)]} == {trained()}


# Rows

ROWS = 10_007
BATCHES = [*range(1, 41), 63, 64, 65, 251, 252, 253, 254, 255, 256, 257, 1000, ROWS]


def assert_rows_are_alike(net, many):
    """Every row of a batch, wherever the batch begins and for any number of threads, equals the row alone."""
    whole = net.forward(many, threads=1)
    for i in [*range(41), *range(250, 258), *range(41, len(many), 997), len(many) - 1]:
        np.testing.assert_array_equal(net.forward(many[i:i + 1])[0], whole[i])
    for batch in BATCHES:
        for first in {0, (len(many) - batch) // 3, len(many) - batch}:
            rows = slice(first, first + batch)
            for threads in (1, 2, 3) if batch > 40 else (None,):
                np.testing.assert_array_equal(net.forward(many[rows], threads=threads), whole[rows])


@every_dtype
@every_activation
def test_a_row_alone_is_the_row_in_a_batch(activation, dtype):
    net = Network([Dense(65, activation), Dense(17, activation), Dense(3, activation)], inputs=9, dtype=dtype)
    assert_rows_are_alike(net, np.random.default_rng(1).normal(size=(ROWS, 9)).astype(dtype))


@every_dtype
@pytest.mark.parametrize("in_features", [1, 3, 17, 65, 300])
@pytest.mark.parametrize("out_features", [1, 3, 17, 65, 130])
def test_a_row_alone_is_the_row_in_a_batch_at_any_width(in_features, out_features, dtype, many_parts):
    net = Network([Dense(out_features)], inputs=in_features, dtype=dtype)
    many = np.random.default_rng(2).normal(size=(301, in_features)).astype(dtype)
    whole = net.forward(many)
    for batch in (*range(1, 41), 253, 300):
        np.testing.assert_array_equal(net.forward(many[-batch:], threads=1), whole[-batch:])
        np.testing.assert_array_equal(net.forward(many[:batch], threads=3), whole[:batch])


@every_dtype
def test_a_row_alone_is_the_row_in_a_batch_of_a_large_net(dtype):
    """A network whose layers, unlike those above, do not fit into the cache together."""
    net = Network([Dense(513, "relu"), Dense(511, "tanh"), Dense(10, "softmax")], inputs=785, dtype=dtype)
    many = np.random.default_rng(3).normal(size=(300, 785)).astype(dtype)
    whole = net.forward(many, threads=1)
    for batch in (*range(1, 41), 253, 299):
        np.testing.assert_array_equal(net.forward(many[-batch:], threads=1 + batch % 3), whole[-batch:])
