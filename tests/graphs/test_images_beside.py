"""Outputs that are images beside other outputs or inputs: a prediction for each pixel and one for each sample."""

import copy

import numpy as np
import pytest
from resumed import StopAfter

import fastnn
import fastnn.plot
from fastnn import Concatenate, Conv2D, Dense, GlobalAveragePool, Input, Network
from fastnn.kernels.interpreter.table import RESULTS_OF_EACH

rng = np.random.default_rng(5)
N, PIXELS = 23, (5, 4)
X = rng.normal(size=(N, *PIXELS, 2))
MASK = rng.integers(3, size=(N, *PIXELS))
PARTLY = np.where(rng.random(MASK.shape) < 0.3, -1, MASK)  # a third of the pixels does not count
Y = {"kind": rng.integers(4, size=N), "mask": PARTLY, "again": rng.normal(size=(N, *PIXELS, 2))}


LOSS = {"kind": None, "mask": (None, 0.5), "again": ("squared_error", 0.2)}


def both(dtype="float64"):
    """Return a network that tells the kind of an image, the class of each pixel, and paints another image."""
    x = Input((*PIXELS, 2), name="x")
    h = Conv2D(4, 3, "tanh", padding="same")(x, name="seen")
    outputs = {"kind": Dense(4, "softmax")(GlobalAveragePool()(h)), "mask": Conv2D(3, 1, "softmax")(h),
               "again": Conv2D(2, 1)(h)}
    return Network(inputs=x, outputs=outputs, loss=LOSS, dtype=dtype, seed=1)


def alone(net, name):
    """Return the network of one of the outputs, with the same parameters."""
    x = Input((*PIXELS, 2), name="x")
    h = Conv2D(4, 3, "tanh", padding="same")(x, name="seen")
    last = {"kind": lambda: Dense(4, "softmax")(GlobalAveragePool()(h), name="last"),
            "mask": lambda: Conv2D(3, 1, "softmax")(h, name="last"), "again": lambda: Conv2D(2, 1)(h, name="last")}[name]()
    one = Network(inputs=x, outputs=last, dtype=net.dtype)
    lasts = {part: [view for each, view in net.parameters.items() if each.endswith(part) and not each.startswith("seen")]
             for part in ("weight", "bias")}  # of the outputs in their order
    for part in ("weight", "bias"):
        one.parameters[f"seen.{part}"][...] = net.parameters[f"seen.{part}"]
        one.parameters[f"last.{part}"][...] = lasts[part][[*Y].index(name)]
    return one


def bits(net):
    return net.vectors.parameters.flat.tobytes(), net.vectors.random.tobytes()


@pytest.mark.parametrize("weights", [None, "of samples", "of pixels"])
def test_each_output_is_evaluated_as_if_it_were_alone(weights):
    net, of_samples = both(), rng.uniform(0.5, 2, size=N)
    given = {None: None, "of samples": of_samples,
             "of pixels": {"kind": of_samples, "mask": rng.uniform(0.5, 2, size=MASK.shape)}}[weights]
    metrics = {"mask": ["mean_iou"], "again": ["mae"]}
    values, outputs = net.evaluate(X, Y, sample_weight=given, metrics=metrics), net.forward(X)
    assert {name: each.shape for name, each in outputs.items()} == {"kind": (N, 4), "mask": (N, *PIXELS, 3),
                                                                     "again": (N, *PIXELS, 2)}
    for name, y in Y.items():
        own = alone(net, name)
        np.testing.assert_array_equal(own.forward(X), outputs[name])
        np.testing.assert_array_equal(own.predict(X), net.predict(X)[name])
        of_it = given.get(name) if isinstance(given, dict) else given
        for metric, value in own.evaluate(X, y, sample_weight=of_it, metrics=metrics.get(name, ())).items():
            assert values[f"{name}_{metric}"] == pytest.approx(value, rel=1e-12), (name, metric)
    total = values["kind_loss"] + 0.5 * values["mask_loss"] + 0.2 * values["again_loss"]
    assert values["loss"] == pytest.approx(total, rel=1e-12)
    assert net.loss_and_gradients(X, Y, sample_weight=given)[0] == pytest.approx(total, rel=1e-12)
    history = both().fit(X, Y, batch_size=N, optimizer="sgd", sample_weight=given, metrics=metrics)
    for name in ("loss", "kind_loss", "mask_loss", "again_loss", "kind_accuracy", "mask_accuracy"):
        assert history[name] == [pytest.approx(values[name], rel=1e-12)]


def test_gradients_are_right():
    weights = {"kind": rng.uniform(0.5, 2, size=N), "mask": rng.uniform(0.5, 2, size=MASK.shape)}
    report = fastnn.check_gradients(both(), X, Y, sample_weight=weights, training=True)
    assert report.max_relative_error <= 1e-7, str(report)


def test_threads_stops_and_files_change_no_bit(many_parts, tmp_path):
    found, fit = set(), {"epochs": 2, "batch_size": 9}
    for threads in (1, 3, 8):
        net = both("float32")
        history = net.fit(X, Y, optimizer="adam", threads=threads, **fit)
        found.add((bits(net), str(dict(history)), str(net.evaluate(X, Y, threads=threads))))
    stopped = both("float32")
    stopped.fit(X, Y, callbacks=[StopAfter(2)], **fit)
    stopped.save_checkpoint(tmp_path / "fit.safetensors")
    again = Network.load_checkpoint(tmp_path / "fit.safetensors")
    history = again.fit(X, Y, resume=True, **fit)
    found.add((bits(again), str(dict(history)), str(again.evaluate(X, Y))))
    assert len(found) == 1
    again.save(tmp_path / "net.safetensors")
    for other in (Network.load(tmp_path / "net.safetensors"), copy.deepcopy(again), again.astype("float32")):
        for name, values in other.forward(X[:3]).items():
            np.testing.assert_array_equal(values, again.forward(X)[name][:3])
    assert {name: values.shape for name, values in again.predict(X[:0]).items()} == {
        "kind": (0,), "mask": (0, *PIXELS), "again": (0, *PIXELS, 2)}


def test_labels_may_be_more_than_a_byte_holds():
    x = Input((2, 2, 1))
    net = Network(inputs=x, outputs={"many": Conv2D(300, 1, "softmax")(x), "one": Dense(1)(GlobalAveragePool()(x))})
    images, y = rng.normal(size=(6, 2, 2, 1)), {"many": rng.integers(300, size=(6, 2, 2)), "one": rng.normal(size=6)}
    expected = -np.log(np.take_along_axis(net.forward(images)["many"], y["many"][..., None], axis=-1)).mean()
    assert net.evaluate(images, y)["many_loss"] == pytest.approx(expected, rel=1e-5)
    assert net.fit(images, y)["many_loss"] == [pytest.approx(expected, rel=1e-2)]


def test_an_image_from_an_image_and_a_table():
    image, table = Input((*PIXELS, 2), name="image"), Input(3, name="table")
    spread = fastnn.Reshape((*PIXELS, 1))(Dense(20, "tanh")(table))
    net = Network(inputs=[image, table], outputs=Conv2D(3, 3, "softmax", padding="same")(Concatenate()(image, spread)),
                  dtype="float64")
    given = {"image": X, "table": rng.normal(size=(N, 3))}
    weights = rng.uniform(0.5, 2, size=MASK.shape)
    values = net.evaluate(given, PARTLY, sample_weight=weights, metrics=["mean_iou"])
    out, counts = net.forward(given), weights * (PARTLY >= 0)
    cross = -np.log(np.take_along_axis(out, np.maximum(PARTLY, 0)[..., None], axis=-1))[..., 0]
    assert values["loss"] == pytest.approx((cross * counts).sum() / counts.sum(), rel=1e-12)
    assert values["accuracy"] == pytest.approx((net.predict(given) == PARTLY)[PARTLY >= 0].mean())
    assert 0 < values["mean_iou"] < 1
    report = fastnn.check_gradients(net, given, PARTLY, sample_weight=weights)
    assert report.max_relative_error <= 1e-7, str(report)
    assert net.fit(given, PARTLY, epochs=20, optimizer=fastnn.Adam(0.02))["loss"][-1] < values["loss"]


def test_onnx_gives_each_output(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    net = both("float32")
    fastnn.onnx.export(net, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    found = dict(zip([each.name for each in session.get_outputs()],
                     session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)}), strict=True))
    for name, values in net.forward(X).items():
        np.testing.assert_allclose(found[name], values, atol=1e-5)


def test_wrong_targets_name_the_output():
    net = both()
    with pytest.raises(ValueError, match=r"y\['mask'\] has shape \(23, 4, 5\).*exchanged: give np.swapaxes"):
        net.fit(X, Y | {"mask": MASK.transpose(0, 2, 1)})
    with pytest.raises(ValueError, match=r"y\['mask'\] holds label 255.*np.where\(y == 255, -1"):
        net.fit(X, Y | {"mask": np.where(PARTLY < 0, 255, PARTLY)})
    with pytest.raises(ValueError, match=r"y\['kind'\].*sample_weight has shape \(23, 5, 4\)"):
        net.fit(X, Y, sample_weight=np.ones(MASK.shape))


def test_pictures_of_one_output_say_how_to_take_a_part():
    pytest.importorskip("matplotlib")
    for picture in (fastnn.plot.mistakes, fastnn.plot.saliency):
        with pytest.raises(ValueError, match=r"several outputs, 'kind', 'mask', 'again', .* make a network of a part"):
            picture(both(), *((X, Y) if picture is fastnn.plot.mistakes else (X[0], 1)))


def test_totals_of_earlier_checkpoints_are_read(tmp_path):
    """Before outputs had positions, each had two totals, and its predictions were counted as samples."""
    from fastnn.files.checkpoint import fit_state

    totals = [3.0, 20, 9, 20, 0, 9]
    fit = {"optimizer": {"name": "adam", "hyperparameters": {}}, "samples": 40, "batch_size": 10, "shuffle": True,
           "epoch": {"number": 1, "random": 7, "totals": [*totals, 1.0, 5.0, 2.0, 0.0]}}
    state = fit_state(fit, len(totals) + 2 * RESULTS_OF_EACH)
    assert state.epoch.totals.tolist() == [*totals, 1.0, 5.0, 20.0, 2.0, 0.0, 20.0]
