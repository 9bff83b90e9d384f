"""All laws of networks hold for random graphs: gradients, bits, files, copies, resumed fits, populations, compiled code."""

import copy
import pickle

import jit_callers as callers
import numpy as np
import pytest
from layer_cases import all_bits
from members import check_same
from random_graphs import data, random_graph
from resumed import StopAfter

import fastnn
from fastnn import Adam, Network, Population
from fastnn.network.layer_outputs import layer_outputs

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 150))]
every_seed = pytest.mark.parametrize("seed", SEEDS)
NO_DROPOUT = [0, 1, 2, 3, 4, 5, 7, 8]


@every_seed
def test_gradients_are_right(seed):
    net = random_graph(seed)
    report = fastnn.check_gradients(net, *data(7), training=True, step=1e-5)
    assert report.max_relative_error <= 1e-7, str(report)


@every_seed
def test_threads_and_stops_change_no_bit(seed, many_parts):
    X, y = data(23)
    found = set()
    for threads in (1, 2, 3, 8):
        net = random_graph(seed, "float32")
        history = net.fit(X, y, epochs=2, batch_size=9, optimizer=Adam(0.01), threads=threads)
        found.add((str(all_bits(net)), str(dict(history))))
    stopped = random_graph(seed, "float32")
    stopped.fit(X, y, epochs=2, batch_size=9, optimizer=Adam(0.01), callbacks=[StopAfter(4)])
    again = stopped.fit(X, y, epochs=2, batch_size=9, resume=True)
    assert found == {(str(all_bits(stopped)), str(dict(again)))}


@every_seed
def test_a_row_alone_is_the_row_in_a_batch_everywhere(seed, tmp_path):
    net = random_graph(seed, "float32")
    X = data(300)[0].astype("float32")
    out = net.forward(X)
    for row in (0, 7, 299):
        np.testing.assert_array_equal(net.forward(X[row:row + 1])[0], out[row])
    np.testing.assert_array_equal(net.forward(X, threads=3), out)
    inside = np.empty_like(out)
    callers.forward(net.compiled(), X, inside)
    np.testing.assert_array_equal(inside, out)
    np.testing.assert_array_equal(layer_outputs(net, X)[-1], out)
    net.fit(*data(9))
    out = net.forward(X)
    net.save(tmp_path / "net.safetensors")
    net.save_checkpoint(tmp_path / "checkpoint.safetensors")
    for other in (Network.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net)), copy.deepcopy(net),
                  net.astype("float32"), Network.load_checkpoint(tmp_path / "checkpoint.safetensors")):
        assert other.config() == net.config()
        for name, view in net.vectors.by_name.items():
            np.testing.assert_array_equal(other.vectors.by_name[name], view, err_msg=name)
        np.testing.assert_array_equal(other.forward(X), out)


@every_seed
def test_compiled_code_gets_the_same_gradients(seed):
    net = random_graph(seed, kinds=[0, 1, 2, 3, 5, 7, 8])
    X, y = data(40)
    grads = np.empty(net.vectors.parameters.size)
    loss, gradients = net.loss_and_gradients(X, y)
    assert callers.loss_and_gradients(net.compiled(), X, y, grads) == loss
    np.testing.assert_array_equal(grads, np.concatenate([each.ravel() for each in gradients.values()]))


def test_members_of_a_population_get_the_bits_that_they_get_alone():
    together, alone = ([random_graph(seed, "float32") for seed in range(5)] for _ in range(2))
    X, y = data(40)
    histories = [net.fit(X, y, epochs=3, batch_size=7, optimizer=Adam(0.01)) for net in alone]
    found = Population(together).fit(X, y, epochs=3, batch_size=7, optimizer=[Adam(0.01) for _ in together], threads=2)
    check_same(together, alone, found, histories)
