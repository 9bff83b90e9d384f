"""Parameters with a learning rate and a weight decay of their own are updated as by an optimizer with these."""

import numpy as np
import pytest
from resumed import StopAfter

from fastnn import LBFGS, SGD, Adam, AdamW, Chain, CosineDecay, Dense, Input, Lion, Network

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 6)), rng.integers(3, size=40)


def net(dtype="float64"):
    x = Input(6)
    h = Chain(Dense(70, "tanh"), Dense(65, "tanh"))(x, name="encoder")
    return Network(inputs=x, outputs=Dense(3, "softmax")(h, name="head"), dtype=dtype, seed=1)


def after_a_step(optimizer, **options):
    network = net()
    network.fit(X, Y, batch_size=40, optimizer=optimizer, shuffle=False, **options)
    return {name: view.copy() for name, view in network.parameters.items()}


OPTIMIZERS = {
    "sgd": lambda factor, decay: SGD(0.1 * factor), "adam": lambda factor, decay: Adam(0.02 * factor),
    "adamw": lambda factor, decay: AdamW(0.02 * factor, weight_decay=decay),
    "lion": lambda factor, decay: Lion(0.02 * factor, weight_decay=decay),
    "a schedule": lambda factor, decay: AdamW(CosineDecay(0.02 * factor, 7), weight_decay=decay),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_that_of_an_optimizer_with_this_rate_and_decay(name):
    """Of one step, since the gradients of later ones depend on all parameters."""
    make = OPTIMIZERS[name]
    decays = {} if name in ("sgd", "adam") else {"weight_decays": {"*.bias": 0.0, "encoder.1.weight": 0.5}}
    found = after_a_step(make(1, 0.1), learning_rate_factors={"encoder.*": 0.1}, **decays)
    for parameter, value in found.items():
        factor = 0.1 if parameter.startswith("encoder") else 1
        decay = 0.0 if parameter.endswith("bias") else 0.5 if parameter == "encoder.1.weight" else 0.1
        np.testing.assert_allclose(value, after_a_step(make(factor, decay))[parameter], rtol=1e-12, atol=1e-15)


def bits(network):
    return [view.tobytes() for view in network.parameters.values()]


def test_threads_and_a_checkpoint_keep_them(tmp_path, many_parts):
    options = {"epochs": 4, "batch_size": 9, "learning_rate_factors": {"encoder.*": 0.1}, "weight_decays": {"*.bias": 0.0}}
    nets = [net("float32") for _ in range(3)]
    for network, threads in zip(nets[:2], (1, 3), strict=True):
        network.fit(X, Y, optimizer=AdamW(0.02, weight_decay=0.1), threads=threads, **options)
    nets[2].fit(X, Y, optimizer=AdamW(0.02, weight_decay=0.1), callbacks=[StopAfter(2)], **options)
    nets[2].save_checkpoint(tmp_path / "fit.safetensors")
    resumed = Network.load_checkpoint(tmp_path / "fit.safetensors")
    resumed.fit(X, Y, epochs=4, batch_size=9, resume=True)
    assert bits(nets[0]) == bits(nets[1]) == bits(resumed)
    with pytest.raises(ValueError, match="are others than in the fit to be resumed"):
        resumed.fit(X, Y, epochs=5, batch_size=9, resume=True, learning_rate_factors={"head.*": 0.1})


def test_without_effect_they_change_no_bit():
    plain, with_ones = net(), net()
    plain.fit(X, Y, epochs=2, optimizer=Adam())
    with_ones.fit(X, Y, epochs=2, optimizer=Adam(), learning_rate_factors={"encoder.*": 1.0})
    assert bits(plain) == bits(with_ones)


def test_a_later_fit_has_none():
    first, second, optimizers = net(), net(), (Adam(), Adam())
    first.fit(X, Y, optimizer=optimizers[0], learning_rate_factors={"head.*": 0.0})
    second.fit(X, Y, optimizer=optimizers[1], learning_rate_factors={"head.*": 0.0})
    first.fit(X, Y, epochs=2, optimizer=optimizers[0])
    second.fit(X, Y, epochs=2, optimizer=optimizers[1], learning_rate_factors={"*": 1.0})
    assert bits(first) == bits(second)


def test_with_frozen_parameters():
    network = net()
    before = network.parameters["encoder.0.weight"].copy()
    network.fit(X, Y, frozen=["encoder.0.*"], learning_rate_factors={"encoder.*": 0.5})
    assert np.array_equal(network.parameters["encoder.0.weight"], before)


@pytest.mark.parametrize(("options", "message"), [
    ({"learning_rate_factors": {"encoder.9.*": 0.1}}, "matches no parameter; the names are encoder.0.weight"),
    ({"learning_rate_factors": {"encoder.*": 0.1, "*.bias": 0.2}}, r"'encoder.0.bias' matches 'encoder\.\*' and '\*\.bias'"),
    ({"learning_rate_factors": {"encoder.*": -1}}, r"learning_rate_factors\['encoder\.\*'\] is -1"),
    ({"learning_rate_factors": ["encoder.*"]}, "it must be a dict of patterns"),
    ({"weight_decays": {"*.bias": 0.0}, "optimizer": "adam"}, "has no weight decay; use another, such as AdamW"),
    ({"weight_decays": {"*.bias": 0.0}, "optimizer": LBFGS()}, "LBFGS has no learning rate"),
])
def test_mistakes(options, message):
    x = Input(6)
    network = Network(inputs=x, outputs=Dense(3, "softmax")(Chain(Dense(4), Dense(4))(x, name="encoder")))
    with pytest.raises(ValueError, match=message):
        network.fit(X, Y, **options)
