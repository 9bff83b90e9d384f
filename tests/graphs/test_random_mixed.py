"""All laws hold for random graphs of several inputs and outputs, ragged ones too."""

import copy
import pickle

import jit_callers as callers
import numpy as np
import pytest
from layer_cases import all_bits
from members import check_same
from numba import njit
from random_mixed import data, random_mixed, rows
from resumed import StopAfter

import fastnn
from fastnn import Adam, Network, Population, Sequences

SEEDS = [0, 1, 2, 3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 200))]
every_seed = pytest.mark.parametrize("seed", SEEDS)


@njit
def sequence(model, x, out):
    fastnn.jit.forward_sequence(model, x, out)


def same(found, expected):
    """Compare outputs by name, to the bit."""
    for name, own in expected.items():
        one, other = (each.steps if isinstance(each, Sequences) else each for each in (found[name], own))
        np.testing.assert_array_equal(one, other, err_msg=name)


@every_seed
def test_gradients_are_right(seed):
    net = random_mixed(seed)
    report = fastnn.check_gradients(net, *data(net, 5), training=True, step=1e-5)
    assert report.max_relative_error <= 1e-7, str(report)


@every_seed
def test_threads_stops_and_files_change_no_bit(seed, many_parts, tmp_path):
    found, options = set(), {"epochs": 2, "batch_size": 6, "validation_data": data(random_mixed(seed), 9, seed=4)}
    X, y = data(random_mixed(seed), 17)
    for threads in (1, 2, 8):
        net = random_mixed(seed, "float32")
        history = net.fit(X, y, optimizer=Adam(0.01), threads=threads, **options)
        found.add((str(all_bits(net)), str(dict(history))))
    stopped = random_mixed(seed, "float32")
    stopped.fit(X, y, optimizer=Adam(0.01), callbacks=[StopAfter(4)], **options)
    stopped.save_checkpoint(tmp_path / "fit.safetensors")
    again = Network.load_checkpoint(tmp_path / "fit.safetensors")
    history = again.fit(X, y, resume=True, **options)
    found.add((str(all_bits(again)), str(dict(history))))
    assert len(found) == 1


@every_seed
def test_a_sample_alone_is_the_sample_in_a_batch_everywhere(seed, tmp_path):
    net = random_mixed(seed, "float32")
    X, y = data(net, 60)
    net.fit(X, y)
    out = net.forward(X)
    same(net.forward(X, threads=3), out)
    for row in (0, 7, 59):
        alone = net.forward(rows(X, [row]))
        for name, own in out.items():
            np.testing.assert_array_equal(alone[name][0], own[row], err_msg=name)
    net.save(tmp_path / "net.safetensors")
    for other in (Network.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other.config() == net.config()
        same(other.forward(X), out)


@every_seed
def test_compiled_code_gets_the_same_bits(seed):
    net = random_mixed(seed, "float32")
    X, y = data(net, 9)
    out = net.forward(X)
    if "series" not in X:
        model, x = net.compiled(), tuple(values.astype("float32") for values in X.values())
        found = tuple(np.empty_like(own) for own in out.values())
        callers.forward(model, x, found)
        same(dict(zip(out, found, strict=True)), out)
        grads, (loss, gradients) = np.empty_like(model.parameters), net.loss_and_gradients(X, y)
        targets = tuple(y[name].astype("float32") if name == "value" else y.get(name, np.zeros((9, 1), np.float32))
                        for name in net.output_shapes)
        assert callers.loss_and_gradients(model, x, targets, grads) == loss
        np.testing.assert_array_equal(grads, np.concatenate([each.ravel() for each in gradients.values()]))
        return
    model = net.compiled(steps=6)
    for row in range(3):
        found = tuple(np.empty_like(own[row]) for own in out.values())
        sequence(model, tuple(values[row].astype("float32") for values in X.values()), found)
        for name, own in zip(out, found, strict=True):
            np.testing.assert_array_equal(own, out[name][row], err_msg=name)


def test_members_of_a_population_get_the_bits_that_they_get_alone():
    net = random_mixed(1)
    together, alone = ([Network.from_config({**net.config(), "dtype": "float32"}, seed=seed) for seed in range(3)]
                       for _ in range(2))
    X, y = data(net, 23)
    histories = [own.fit(X, y, epochs=2, batch_size=7, optimizer=Adam(0.01)) for own in alone]
    found = Population(together).fit(X, y, epochs=2, batch_size=7, optimizer=[Adam(0.01) for _ in together], threads=2)
    check_same(together, alone, found, histories)
