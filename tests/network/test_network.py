"""The network as an object: its defaults, its live parameters, how it is printed, and its copies."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import Adam, Dense, Network, activations, losses


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
    last = {"gaussian": "identity"}.get(loss, "sigmoid" if losses[loss].targets == "binary" else "softmax")
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
    optimizer, last = Adam(), Adam()
    net.fit(X, X[:, :2], optimizer=optimizer)
    net.fit(X, X[:, :2], optimizer=last)
    gone = weakref.ref(optimizer)
    del optimizer
    gc.collect()
    assert gone() is None
    assert [*net.fits.optimizer_states] == [last] == [net.optimizer]  # kept, so that the last fit can go on


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
