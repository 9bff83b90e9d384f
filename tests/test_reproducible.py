"""The same seed gives the same bits: in every run and process, at every number of threads, alone or in a batch."""

import hashlib
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fastnn import Dense, Network, activations, optimizers
from fastnn.pace import Pace

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_activation = pytest.mark.parametrize("activation", activations)

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(70, 9)), rng.integers(3, size=70)


def network(dtype="float32", seed=5):
    return Network([Dense(65, "tanh"), Dense(17, "relu"), Dense(3, "softmax")], inputs=9, dtype=dtype, seed=seed)


def digest(network):
    sha = hashlib.sha256()
    for view in network.parameters.values():
        sha.update(view.tobytes())
    return sha.hexdigest()


def train(network, **options):
    network.fit(X, Y, **{"epochs": 2, "batch_size": 32, "threads": 1, **options})
    return digest(network)


def trained(dtype="float32", seed=5, **options):
    return train(network(dtype, seed), **options)


@every_dtype
def test_a_seed_fixes_every_bit(dtype):
    assert trained(dtype) == trained(dtype)
    assert trained(dtype) != trained(dtype, seed=6)
    assert digest(network(seed=None)) != digest(network(seed=None))


def test_the_order_of_the_samples_depends_on_the_seed_alone():
    first, second = network(), network(seed=6)
    for name, view in second.parameters.items():
        view[...] = first.parameters[name]
    assert train(first) != train(second)
    assert trained(shuffle=False) != trained(shuffle=True)


@every_dtype
@pytest.mark.parametrize("threads", [2, 3, 4, 8])
def test_threads_do_not_change_a_bit_of_training(dtype, threads, many_parts):
    one = trained(dtype)
    assert max(many_parts) == 1
    assert trained(dtype, threads=threads) == one
    assert max(many_parts) == threads


def test_a_change_between_serial_and_parallel_steps_changes_no_bit(many_parts, monkeypatch):
    one = trained()
    turns = iter([True, False, False, True, True, False])
    monkeypatch.setattr(Pace, "next_slice", lambda pace, batches_left: (1, next(turns)))
    assert trained(threads=2) == one
    assert next(turns, None) is None


@pytest.mark.parametrize("optimizer", optimizers)
def test_threads_do_not_change_a_bit_of_an_optimizer(optimizer, many_parts):
    assert trained(optimizer=optimizer) == trained(optimizer=optimizer, threads=3)
    assert max(many_parts) == 3


@every_activation
def test_threads_do_not_change_a_bit_of_an_activation(activation, many_parts):
    def gradients(threads):
        net = Network([Dense(33, activation), Dense(3, "softmax")], inputs=9)
        return net.loss_and_gradients(X, Y, threads=threads)

    loss, by_name = gradients(1)
    again, by_name_again = gradients(5)
    assert max(many_parts) == 5
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


@every_dtype
@every_activation
def test_a_row_alone_is_the_row_in_a_batch(activation, dtype):
    net = Network([Dense(65, activation), Dense(17, activation), Dense(3, activation)], inputs=9, dtype=dtype)
    many = np.random.default_rng(1).normal(size=(301, 9)).astype(dtype)
    whole = net.forward(many)
    for i in range(0, 301, 20):
        np.testing.assert_array_equal(net.forward(many[i:i + 1])[0], whole[i])
    for batch in (2, 3, 5, 7, 13, 16, 17, 65, 255, 256, 257):
        np.testing.assert_array_equal(net.forward(many[:batch]), whole[:batch])
        np.testing.assert_array_equal(net.forward(many[-batch:], threads=2), whole[-batch:])


@every_dtype
@pytest.mark.parametrize("in_features", [1, 3, 17, 65, 300])
@pytest.mark.parametrize("out_features", [1, 3, 17, 65, 130])
def test_a_row_alone_is_the_row_in_a_batch_at_any_width(in_features, out_features, dtype):
    net = Network([Dense(out_features)], inputs=in_features, dtype=dtype)
    many = np.random.default_rng(2).normal(size=(41, in_features)).astype(dtype)
    whole = net.forward(many)
    for batch in (1, 2, 3, 4, 5, 6, 7, 17, 40):
        np.testing.assert_array_equal(net.forward(many[-batch:]), whole[-batch:])


def test_another_process_comes_to_the_same_bits():
    script = "import test_reproducible; print(test_reproducible.trained('float32', threads=2))"
    here = os.path.dirname(__file__)
    run = subprocess.run([sys.executable, "-c", script], cwd=here, env={**os.environ, "PYTHONHASHSEED": "7"},
                         capture_output=True, text=True, check=True)
    assert run.stdout.strip() == trained("float32")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_comes_to_the_same_bits(many_parts):
    threaded = trained(threads=2)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(trained, kwds={"threads": 2}).get(timeout=60) == threaded


def test_python_threads_side_by_side_come_to_the_same_bits(many_parts):
    net = network()
    batches = [X[i:i + 1 + i % 7] for i in range(40)]
    alone = [net.forward(batch, threads=1) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for result, expected in zip(pool.map(lambda batch: net.forward(batch, threads=2), batches), alone, strict=True):
            np.testing.assert_array_equal(result, expected)
        assert {each.result() for each in [pool.submit(trained, threads=2) for _ in range(4)]} == {trained()}
