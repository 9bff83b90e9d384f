"""Samples with a shape: the same bits as for flat samples, and errors that name the repair."""

import copy
import json
import pickle
import re

import numpy as np
import pytest
from layer_cases import all_bits

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GroupNorm,
    LayerNorm,
    ModelFormatError,
    Network,
    Population,
    Reshape,
    plot,
)
from fastnn.files import networks as files
from fastnn.formats.safetensors import to_bytes
from fastnn.network.layer_outputs import layer_outputs

SHAPE = (4, 3, 2)
X = np.random.default_rng(0).normal(size=(70, *SHAPE))
FLAT = X.reshape(len(X), -1)
LABELS = np.arange(len(X)) % 3
REST = {
    "dense": [Dense(17, "relu"), Dense(3, "softmax")],
    "normalized": [BatchNorm(), Dense(9), LayerNorm(), Activation("tanh"), Dense(3, "softmax")],
    "dropped": [Dropout(0.4), Dense(9, "gelu"), Dense(3), Activation("softmax")],
}
every_rest = pytest.mark.parametrize("rest", REST.values(), ids=REST)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def pair(rest, **options):
    """Return the network of samples with a shape, and that of flat ones, with the same parameters."""
    # the random words depend on the number of the layer: an identity Activation keeps the numbers
    return (Network([Flatten(), *rest], inputs=SHAPE, **options),
            Network([Activation("identity"), *rest], inputs=24, **options))


@every_dtype
@pytest.mark.parametrize("batch_size", [1, 16, 70])
@every_rest
def test_training_and_prediction_are_those_of_the_flat_network(rest, batch_size, dtype):
    shaped, flat = pair(rest, dtype=dtype)
    for threads in (1, 2):
        one = shaped.fit(X, LABELS, epochs=2, batch_size=batch_size, threads=threads, validation_data=(X[:9], LABELS[:9]))
        other = flat.fit(FLAT, LABELS, epochs=2, batch_size=batch_size, threads=threads,
                         validation_data=(FLAT[:9], LABELS[:9]))
        assert dict(one) == dict(other)
        assert all_bits(shaped) == all_bits(flat)
    for samples in (0, 1, 3, 70):
        np.testing.assert_array_equal(shaped.forward(X[:samples]), flat.forward(FLAT[:samples]))
    np.testing.assert_array_equal(shaped.predict(X), flat.predict(FLAT))
    np.testing.assert_array_equal(shaped.predict_proba(X[::3]), flat.predict_proba(FLAT[::3]))
    assert shaped.evaluate(X, LABELS, metrics=["f1"]) == flat.evaluate(FLAT, LABELS, metrics=["f1"])
    assert shaped.loss_function(X, LABELS)() == flat.loss_function(FLAT, LABELS)()
    one, other = shaped.loss_and_gradients(X, LABELS, training=True), flat.loss_and_gradients(FLAT, LABELS, training=True)
    assert one[0] == other[0]
    assert all(np.array_equal(one[1][name], other[1][name]) for name in one[1])


@pytest.mark.parametrize("layers", [
    [Reshape((6, -1)), Activation("gelu"), Dropout(0.2), Flatten(), Dense(3)],
    [Flatten(), Dense(12), Reshape((2, 3, 2)), Activation("tanh"), Reshape(-1), Dense(3), Reshape(3)],
    [Activation("silu"), Flatten(), Dense(4), Activation("relu"), Reshape((2, 2)), Flatten(), Dense(3), Flatten()],
], ids=repr)
def test_gradients_through_shapes(layers):
    net = Network(layers, inputs=SHAPE, dtype="float64", loss="squared_error", seed=3)
    y = np.random.default_rng(1).normal(size=(20, 3))
    for training in (False, True):
        assert fastnn.check_gradients(net, X[:20], y, training=training).max_relative_error < 1e-7


def test_views_leave_the_last_activation_the_last_one():
    net = Network([Flatten(), Dense(3, "softmax"), Reshape((3,))], inputs=SHAPE)
    plain = Network([Flatten(), Dense(3, "softmax")], inputs=SHAPE)
    assert (net.loss, net.is_classifier) == (plain.loss, plain.is_classifier) == ("cross_entropy", True)
    assert dict(net.fit(X, LABELS, epochs=2)) == dict(plain.fit(X, LABELS, epochs=2))


def test_shapes_widths_and_words():
    net = Network([Dense(12), Reshape((2, -1, 3)), Activation("relu"), Flatten(), Dense(1)], inputs=4)
    assert net.shapes == [(4,), (12,), (2, 2, 3), (2, 2, 3), (12,), (1,)]
    assert net.widths == [4, 12, 12, 12, 12, 1]
    shaped = pair(REST["dense"])[0]
    assert (shaped.inputs, shaped.outputs) == (24, 3)
    assert "(4, 3, 2)" in repr(shaped)
    assert eval(repr(shaped)).config() == shaped.config()
    assert Network([Dense(1)], inputs=(5,)).config() == Network([Dense(1)], inputs=5).config()
    for text in (net.summary(), net._repr_html_()):
        assert "(batch, 2, 2, 3)" in text
    texts = [text.get_text() for text in plot.network_diagram(net).texts]
    assert any("2 × 2 × 3" in text for text in texts)


def test_outputs_of_layers_have_their_shapes():
    net = Network([Reshape((6, 4)), Activation("relu"), Flatten(), Dense(3, "softmax")], inputs=SHAPE)
    outputs = layer_outputs(net, X)
    assert [a.shape[1:] for a in outputs] == net.shapes[1:]
    np.testing.assert_array_equal(outputs[-1], net.forward(X))
    np.testing.assert_array_equal(outputs[1].ravel(), np.maximum(X, 0).astype(np.float32).ravel())


@every_rest
def test_files_copies_and_dtypes(rest, tmp_path):
    net = pair(rest)[0]
    net.fit(X, LABELS)
    path = tmp_path / "net.safetensors"
    net.save(path)
    checkpoint = tmp_path / "checkpoint.safetensors"
    net.save_checkpoint(checkpoint)
    net.to_onnx(tmp_path / "net.onnx")
    for other in (Network.load(path), Network.load_checkpoint(checkpoint), pickle.loads(pickle.dumps(net)),
                  copy.deepcopy(net), net.astype("float32"), fastnn.onnx.load(tmp_path / "net.onnx")):
        assert other.config() == net.config() == json.loads(json.dumps(net.config()))
        assert other.shapes == net.shapes
        np.testing.assert_array_equal(other.forward(X), net.forward(X))


def test_what_an_older_reader_meets(tmp_path):
    """Files of networks with one axis have version 1, others version 2, graphs 3; a later one is refused with its name."""
    shaped, flat = pair(REST["dense"])
    kinds = {}
    for name, net, x in (("shaped", shaped, X), ("flat", flat, FLAT)):
        net.fit(x, LABELS)
        for save in (net.save, net.save_checkpoint):
            save(tmp_path / "file")
            with open(tmp_path / "file", "rb") as file:
                size = int.from_bytes(file.read(8), "little")
                kinds[name, save.__name__] = json.loads(file.read(size))["__metadata__"]["format"]
    assert kinds == {("shaped", "save"): "fastnn-2", ("shaped", "save_checkpoint"): "fastnn-checkpoint-2",
                     ("flat", "save"): "fastnn-1", ("flat", "save_checkpoint"): "fastnn-checkpoint-1"}
    shaped.save_checkpoint(tmp_path / "file")
    with pytest.raises(ModelFormatError, match="load_checkpoint"):
        Network.load(tmp_path / "file")
    metadata = {"network": json.dumps(shaped.config())}
    for found, says in ((f"fastnn-{files.NEWEST + 1}", "newer"), ("fastnn-0", "newer"), ("fastnn", "did not write"),
                        ("o-1", "did not write")):
        (tmp_path / "file").write_bytes(b"".join(to_bytes(shaped.vectors.by_name, metadata | {"format": found})))
        with pytest.raises(ModelFormatError, match=says):
            Network.load(tmp_path / "file")


@pytest.mark.parametrize("inputs", [[], [0, 3], [2.5], ["a"], [True, 3], [2**40, 2**40], {}, None, [[2]]], ids=repr)
def test_files_whose_shape_is_none_are_refused(inputs, tmp_path):
    net = pair(REST["dense"])[0]
    metadata = {"format": files.FORMAT, "network": json.dumps(net.config() | {"inputs": inputs})}
    (tmp_path / "file").write_bytes(b"".join(to_bytes(net.vectors.by_name, metadata)))
    with pytest.raises(ModelFormatError, match="inputs"):
        Network.load(tmp_path / "file")


def test_onnx_runs_to_the_same_numbers(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    net = Network([Reshape((2, -1, 3)), Activation("tanh"), Flatten(), Dense(3, "softmax")], inputs=SHAPE)
    net.to_onnx(tmp_path / "net.onnx")
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    for samples in (1, 70):
        x = X[:samples].astype(np.float32)
        np.testing.assert_allclose(session.run(None, {"input": x})[0], net.forward(x), atol=2e-6)


def test_populations_and_sweeps():
    members = [Network([Flatten(), *REST["dense"]], inputs=SHAPE, seed=seed) for seed in range(3)]
    alone = [copy.deepcopy(net) for net in members]
    population = Population(members)
    rows = [np.arange(50), np.arange(20, 70), np.arange(70)]
    population.fit(X, LABELS, epochs=2, rows=rows, validation_rows=[np.arange(50, 70), np.arange(20), np.arange(9)])
    for net, own, member in zip(population.networks, rows, alone, strict=True):
        member.fit(X[own], LABELS[own], epochs=2)
        np.testing.assert_array_equal(net.forward(X), member.forward(X))
    np.testing.assert_array_equal(population.forward(X)[1], population.networks[1].forward(X))
    assert population.predict(X).shape == (70,)
    with pytest.raises(ValueError, match=r"takes 24 inputs and member 0 takes \(4, 3, 2\)"):
        Population([*alone, pair(REST["dense"])[1]])
    best = fastnn.sweep({"width": [4, 8]}, X, LABELS, epochs=1, samples=2).best
    assert best.shapes[0] == SHAPE


def test_compiled_code_takes_the_numbers_of_a_sample_in_their_order():
    from numba import njit

    @njit
    def outputs(model, x):
        out = np.empty((len(x), 3), x.dtype)
        fastnn.jit.forward(model, x.reshape(len(x), -1), out)
        return out

    net, x = pair(REST["dense"])[0], X.astype(np.float32)
    np.testing.assert_array_equal(outputs(net.compiled(gradients=False), x), net.forward(x))


@pytest.mark.parametrize(("given", "says"), [
    (FLAT, "X.reshape(len(X), 4, 3, 2)"),
    (FLAT[:2], "X.reshape(len(X), 4, 3, 2)"),
    (X.reshape(70, 12, 2), "X.reshape(len(X), 4, 3, 2)"),
    (np.moveaxis(X, -1, 1), "X.transpose(0, 2, 3, 1)"),
    (np.moveaxis(X, 1, 2), "X.transpose(0, 2, 1, 3)"),
    (X[0], "X[None], shape (1, 4, 3, 2)"),
    (X[:, :2], "this network takes (samples, 4, 3, 2)"),
    (X[0, 0, 0, 0], "this network takes (samples, 4, 3, 2)"),
    (FLAT.astype(np.float32)[:1], "X.reshape(len(X), 4, 3, 2)"),
], ids=lambda value: str(getattr(value, "shape", "")))
def test_samples_of_another_shape_are_refused(given, says):
    net = pair(REST["dense"])[0]
    for call in (net.forward, net.predict, net.predict_proba, lambda x: net.fit(x, LABELS)):
        with pytest.raises(ValueError, match=re.escape(says)):
            call(given)


def test_what_is_not_finite_is_found_at_its_place():
    net, bad = pair(REST["dense"])[0], X.copy()
    bad[3, 1, 2, 0] = np.nan
    for call in (net.forward, lambda x: net.evaluate(x, LABELS)):
        with pytest.raises(ValueError, match=r"holds nan at \(3, 1, 2, 0\)"):
            call(bad)


def test_samples_of_several_axes_for_a_network_of_features():
    net = pair(REST["dense"])[1]
    with pytest.raises(ValueError, match=re.escape("X.reshape(len(X), -1)")):
        net.predict(X)


@pytest.mark.parametrize(("layers", "says"), [
    ([Dense(3)], r"layers\[0\]: Dense\(3, 'identity'\) takes one axis .* Flatten"),
    ([Reshape((2, -1)), Dense(3)], r"layers\[1\].*\(2, 12\); put a Flatten\(\)"),
    ([GroupNorm(4), Flatten()], r"GroupNorm\(groups=4.* 4 groups divide.*with 2 channels"),
    ([Activation("softmax"), Flatten()], "softmax over its last axis, of 2, and the outputs have the shape"),
    ([Flatten(), Dropout(0.5), Reshape((24,))], "Dropout.*no prediction"),
    ([Reshape((5, -1)), Flatten()], r"Reshape\(\(5, -1\)\) does not fit .* 24 numbers"),
    ([Reshape((5, 5)), Flatten()], "24 numbers"),
], ids=repr)
def test_layers_refuse_shapes_that_they_do_not_take(layers, says):
    with pytest.raises(ValueError, match=says):
        Network(layers, inputs=SHAPE)


@pytest.mark.parametrize("shape", [(), (-1, -1), (0,), (-2,), (True, 2), (2.0,), "ab", None, ((2, 3),)], ids=repr)
def test_shapes_that_are_none_are_refused(shape):
    with pytest.raises(ValueError, match=r"Reshape\(shape"):
        Reshape(shape)
    if shape != () and shape is not None:
        with pytest.raises(ValueError, match="inputs"):
            Network([Flatten(), Dense(1)], inputs=shape)


def test_a_few_images_are_predicted_in_one_call():
    """As bits and errors go, it does not show: of another shape, order or dtype they go the general way."""
    net = pair(REST["dense"], dtype="float64")[0]
    few = net._forward_few
    whole = net.forward(X, threads=1)
    for samples in (1, 3):
        np.testing.assert_array_equal(few(X[:samples]), whole[:samples])
    for other in (X[:3].reshape(3, -1), X[:3].transpose(0, 2, 1, 3), X[:3].astype("float32"), X[:0], X[:3].tolist(),
                  X[:3, ..., None], np.asfortranarray(X[:3])):
        assert few(other) is None
    np.testing.assert_array_equal(net.forward(np.asfortranarray(X[:3])), whole[:3])
    with pytest.raises(ValueError, match="shape"):
        net.forward(X[:3].transpose(0, 2, 1, 3))
    with pytest.raises(ValueError, match="nan"):
        net.forward(np.full((1, *SHAPE), np.nan))
