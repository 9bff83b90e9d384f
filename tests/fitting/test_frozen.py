"""Frozen parameters stay as they are, to the bit, and the others learn as if there were nothing else to learn."""

import numpy as np
import pytest
from resumed import StopAfter

from fastnn import (
    LBFGS,
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    Chain,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool,
    Input,
    Network,
    Normalize,
)

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 6)), rng.integers(3, size=40)


def net(dtype="float64", seed=1):
    x = Input(6)
    h = Chain(Dense(70, "tanh", l2=0.01), BatchNorm(), Dropout(0.2), Dense(65, "tanh"))(x, name="encoder")
    return Network(inputs=x, outputs=Dense(3, "softmax")(h, name="head"), dtype=dtype, seed=seed)


def copies(network):
    return {name: view.copy() for name, view in network.vectors.by_name.items()}


def changed(network, before):
    return [name for name, view in network.vectors.by_name.items() if not np.array_equal(view, before[name])]


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), AdamW(0.02, weight_decay=0.1), Adam(0.02, clip_norm=0.05)],
                         ids=repr)
@pytest.mark.parametrize(("patterns", "frozen"), [
    (["encoder.*"], {"encoder"}), (["encoder.0.*"], {"encoder.0"}),
    (["*.bias"], {"encoder.0.bias", "encoder.3.bias", "head.bias"}),
    (["encoder.0.weight", "head.weight"], {"encoder.0.weight", "head.weight"}), (["encoder.1.scale"], {"encoder.1.scale"}),
    (["encoder.1.running_*"], {"encoder.1.running_mean", "encoder.1.running_variance"}),
    (["encoder.0.*", "*running*", "*.shift"],
     {"encoder.0", "encoder.1.running_mean", "encoder.1.running_variance", "encoder.1.shift"}),
])
def test_only_what_is_frozen_stays(patterns, frozen, optimizer):
    network = net()
    before = copies(network)
    network.fit(X, Y, epochs=2, batch_size=9, optimizer=optimizer, frozen=patterns)
    stay = {name for name in before if any(name == one or name.startswith(f"{one}.") for one in frozen)}
    assert set(changed(network, before)) == set(before) - stay


def test_a_batch_norm_of_which_the_state_is_frozen_normalizes_by_it():
    """Its scale and shift learn, from gradients as in prediction."""
    network = Network([BatchNorm(), Dense(1)], inputs=6, dtype="float64")
    network.state["0.running_mean"][:], network.state["0.running_variance"][:] = 0.3, 2.0
    y, before = X.sum(axis=1), copies(network)
    _, gradients = network.loss_and_gradients(X, y)
    history = network.fit(X, y, batch_size=len(X), optimizer=SGD(0.1), frozen=["*.running_*"])
    for name, gradient in gradients.items():
        np.testing.assert_allclose(network.parameters[name], before[name] - 0.1 * gradient, rtol=1e-12, err_msg=name)
    network.vectors.set_arrays(before)
    assert history["loss"][0] == pytest.approx(network.evaluate(X, y)["loss"], rel=1e-12)


def test_the_state_of_a_layer_is_frozen_as_a_whole():
    network = net()
    with pytest.raises(ValueError, match=r"leaves out 'encoder.1.running_variance', which"):
        network.fit(X, Y, frozen=["*.running_mean"])
    Network([Normalize(), BatchNorm(), Dense(3, "softmax")], inputs=6).fit(X, Y, frozen=["*.scale"])  # of both layers


def test_bits_do_not_depend_on_threads_or_stops(many_parts, tmp_path):
    found = set()
    for threads in (1, 2, 3, 8):
        network = net("float32")
        network.fit(X, Y, epochs=2, batch_size=9, threads=threads, frozen=["encoder.0.weight", "*.scale"])
        found.add(network.vectors.parameters.flat.tobytes())
    stopped = net("float32")
    stopped.fit(X, Y, epochs=2, batch_size=9, frozen=["encoder.0.weight", "*.scale"], callbacks=[StopAfter(3)])
    stopped.save_checkpoint(tmp_path / "fit.safetensors")
    for network in (stopped, Network.load_checkpoint(tmp_path / "fit.safetensors")):
        with pytest.raises(ValueError, match="frozen chooses other parameters"):
            network.fit(X, Y, epochs=2, batch_size=9, resume=True, frozen=["head.*"])
        network.fit(X, Y, epochs=2, batch_size=9, resume=True)
        found.add(network.vectors.parameters.flat.tobytes())
    assert len(found) == 1


def test_one_pattern_needs_no_list():
    network, before = net(), net()
    network.fit(X, Y, frozen="encoder.*")
    assert np.array_equal(network.parameters["encoder.0.weight"], before.parameters["encoder.0.weight"])


def test_a_frozen_part_is_a_fixed_function_of_the_inputs():
    """The head learns what a network of the head alone learns from the outputs of the encoder."""
    whole = net()
    whole.fit(X, Y, epochs=1)
    x = Input(6)
    h = Chain(Dense(70, "tanh"), BatchNorm(), Dense(65, "tanh"))(x, name="encoder")
    out = Dense(3, "softmax")(h, name="head")
    both, encoder = Network(inputs=x, outputs=out, dtype="float64"), Network(inputs=x, outputs=h, dtype="float64")
    head = Network([Dense(3, "softmax")], inputs=65, dtype="float64")
    for name, view in head.parameters.items():
        view[...] = both.parameters[name.replace("0.", "head.")]
    for part in (both, encoder):
        part.state["encoder.1.running_mean"][:] = 0.1
    encoder.copy_weights(both, ["encoder.*"])
    both.fit(X, Y, epochs=3, batch_size=8, shuffle=False, frozen=["encoder.*"])
    head.fit(encoder.forward(X), Y, epochs=3, batch_size=8, shuffle=False)
    np.testing.assert_allclose(both.parameters["head.weight"], head.parameters["0.weight"], rtol=1e-9, atol=1e-12)


def test_later_fits_are_whole_again_and_clipping_leaves_frozen_gradients_out():
    network = net()
    network.fit(X, Y, frozen=["encoder.*"])
    before = copies(network)
    network.fit(X, Y)
    assert "encoder.0.weight" in changed(network, before)
    alone, among = (Network([Dense(2), Dense(3, "softmax")], inputs=6, dtype="float64") for _ in range(2))
    for each in (alone, among):
        each.parameters["1.weight"][...] = 0.5
    gradients = among.loss_and_gradients(X, Y)[1]
    norm = np.sqrt(sum((gradients[name] ** 2).sum() for name in ("1.weight", "1.bias")))
    expected = among.parameters["1.bias"] - gradients["1.bias"] * 0.01 / norm
    among.fit(X, Y, batch_size=40, optimizer=SGD(1.0, clip_norm=0.01), frozen=["0.*"])
    np.testing.assert_allclose(among.parameters["1.bias"], expected, rtol=1e-9)


def test_images_and_tokens():
    images = rng.normal(size=(12, 5, 5, 2))
    network = Network([Conv2D(3, 3, "tanh"), Conv2D(4, 2), Flatten(), Dense(3, "softmax")], inputs=(5, 5, 2))
    before = copies(network)
    network.fit(images, Y[:12], frozen=["0.*", "1.bias"])
    assert changed(network, before) == ["1.weight", "3.weight", "3.bias"]
    network = Network([Embedding(7, 4), GlobalAveragePool(), Dense(3, "softmax")], inputs=(None,))
    before = copies(network)
    network.fit([[1, 2], [3], [4, 5, 6]], [0, 1, 2], frozen=["0.*"])
    assert changed(network, before) == ["2.weight", "2.bias"]


@pytest.mark.parametrize(("options", "message"), [
    ({"frozen": ["decoder.*"]}, r"frozen\[0\] is 'decoder.\*', which matches no parameter; the names are encoder.0.weight"),
    ({"frozen": [3]}, r"frozen\[0\] is 3; it must be a str"),
    ({"frozen": ["*"]}, "matches all parameters"), ({"frozen": ["head.*"], "optimizer": LBFGS()}, "trains all parameters"),
])
def test_refused(options, message):
    network = net() if "optimizer" not in options else Network([Dense(3, "softmax")], inputs=6)
    before = copies(network)
    with pytest.raises(ValueError, match=message):
        network.fit(X, Y, **options)
    assert changed(network, before) == []


def test_weights_move_by_name():
    one, other = net(seed=1), net("float32", seed=2)
    before = copies(other)
    assert other.copy_weights(one, ["encoder.0.*", "head.bias"]) == ["encoder.0.weight", "encoder.0.bias", "head.bias"]
    np.testing.assert_array_equal(other.parameters["encoder.0.weight"], one.parameters["encoder.0.weight"].astype("float32"))
    assert changed(other, before) == ["encoder.0.weight"]
    assert len(other.copy_weights(dict(one.parameters))) == 8
    for source, names, message in ((one, ["decoder.*"], "matches nothing that both have"), (3, ["*"], "source is 3"),
                                   ({"head.bias": np.ones(4)}, ["*"], r"has shape \(4,\) there and \(3,\) here"),
                                   ({"head.bias": np.full(3, np.nan)}, ["*"], "not finite")):
        before = copies(other)
        with pytest.raises(ValueError, match=message):
            other.copy_weights(source, names)
        assert changed(other, before) == []
