"""Several inputs and outputs: data by name, a loss for each output, and the same laws as for one."""

import numpy as np
import pandas as pd
import pytest
from resumed import StopAfter
from several_nets import LOSS, N, X, Y, several

import fastnn
from fastnn import (
    Adam,
    Concatenate,
    Dense,
    EarlyStopping,
    Input,
    LastStep,
    Network,
    Normalize,
    Sequences,
)

rng = np.random.default_rng(0)


def bits(net):
    return net.vectors.parameters.flat.tobytes(), net.vectors.random.tobytes()


def test_the_loss_is_the_sum_of_the_losses_times_their_factors():
    net = several()
    penalty = 0.01 * (net.parameters["2.weight"] ** 2).sum()
    weights = rng.uniform(0.5, 2, size=N)
    for options in ({}, {"sample_weight": weights}):
        values = net.evaluate(X, Y, **options)
        expected = values["kind_loss"] + 0.3 * values["value_loss"] + values["yes_loss"] + penalty
        assert values["loss"] == pytest.approx(expected, rel=1e-12)
        assert net.loss_and_gradients(X, Y, **options)[0] == pytest.approx(expected, rel=1e-12)
        out, w = net.forward(X), options.get("sample_weight", np.ones(N))
        cross = -np.log(out["kind"][np.arange(N), Y["kind"]])
        assert values["kind_loss"] == pytest.approx((w * cross).sum() / w.sum(), rel=1e-10)
        squares = 0.5 * ((out["value"] - Y["value"]) ** 2).sum(axis=1)
        assert values["value_loss"] == pytest.approx((w * squares).sum() / w.sum(), rel=1e-10)
        assert values["kind_accuracy"] == pytest.approx((out["kind"].argmax(axis=1) == Y["kind"]).mean())
        history = several().fit(X, Y, batch_size=N, optimizer="sgd", **options)
        for name, value in values.items():
            assert history[name] == [pytest.approx(value, rel=1e-12)]


@pytest.mark.parametrize("weights", [None, "common", "own"])
def test_gradients_are_right(weights):
    given = {None: None, "common": rng.uniform(0.5, 2, size=N), "own": {"kind": rng.uniform(0.5, 2, size=N)}}[weights]
    report = fastnn.check_gradients(several(), X, Y, sample_weight=given, training=True)
    assert report.max_relative_error <= 1e-7, str(report)


def test_threads_stops_and_files_change_no_bit(many_parts, tmp_path):
    found = set()
    for threads in (1, 2, 3, 8):
        net = several("float32")
        history = net.fit(X, Y, epochs=2, batch_size=9, optimizer=Adam(0.01), threads=threads)
        found.add((bits(net), str(dict(history))))
    stopped = several("float32")
    stopped.fit(X, Y, epochs=2, batch_size=9, optimizer=Adam(0.01), callbacks=[StopAfter(3)])
    stopped.save_checkpoint(tmp_path / "fit.safetensors")
    for net in (stopped, Network.load_checkpoint(tmp_path / "fit.safetensors")):
        again = net.fit(X, Y, epochs=2, batch_size=9, resume=True)
        found.add((bits(net), str(dict(again))))
    assert len(found) == 1
    net.save(tmp_path / "net.safetensors")
    other, out = Network.load(tmp_path / "net.safetensors"), net.forward(X)
    assert other.config() == net.config()
    for name, values in other.forward(X).items():
        np.testing.assert_array_equal(values, out[name])


def test_a_row_alone_is_the_row_in_a_batch():
    net = several("float32")
    many = {name: np.concatenate([values] * 9) for name, values in X.items()}
    out = net.forward(many)
    assert list(out) == ["kind", "value", "yes"]
    for row in (0, 40, 386):
        alone = net.forward({name: values[row:row + 1] for name, values in many.items()}, threads=1)
        for name, values in out.items():
            np.testing.assert_array_equal(alone[name][0], values[row])
    assert {name: values.shape for name, values in net.predict(X).items()} == {"kind": (N,), "value": (N, 2), "yes": (N,)}
    assert {name: len(values) for name, values in net.forward({name: each[:0] for name, each in X.items()}).items()} == {
        "kind": 0, "value": 0, "yes": 0}


def test_dicts_and_lists_are_the_same_in_any_order():
    one, other = several(), several()
    one.fit(X, Y, epochs=2)
    other.fit([X["image"], X["table"]], {name: Y[name] for name in sorted(Y, reverse=True)}, epochs=2)
    assert bits(one) == bits(other)
    third = several()
    third.fit(dict(reversed(X.items())), [Y["kind"], Y["value"], Y["yes"]], epochs=2)
    assert bits(third) == bits(one)


def test_names_are_never_sorted():
    a, z = Input(2, name="z"), Input(3, name="a")
    net = Network(inputs=[a, z], outputs={"y": Dense(1)(Concatenate()(a, z)), "b": Dense(2)(z)})
    assert (list(net.input_shapes), list(net.output_shapes)) == (["z", "a"], ["y", "b"])
    assert net.forward([np.ones((1, 2)), np.ones((1, 3))])["b"].shape == (1, 2)
    assert Network.from_config(net.config()).config() == net.config()


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    a, b = Input(1, name="age"), Input(1, name="size")
    net = Network(inputs=[a, b], outputs={"price": Dense(1)(a + b), "rate": Dense(1, "sigmoid")(a * b)})
    frame = pandas.DataFrame({"size": rng.normal(size=9), "age": rng.normal(size=9), "price": 1.0, "rate": [0, 1, 1] * 3})
    net.fit(frame, frame[["rate", "price"]])
    expected = net.forward({"age": frame["age"].to_numpy()[:, None], "size": frame["size"].to_numpy()[:, None]})
    np.testing.assert_array_equal(net.forward(frame)["price"], expected["price"])
    with pytest.raises(ValueError, match="X has no column 'age'"):
        net.predict(frame[["size"]])


def test_class_weights_metrics_and_monitors_by_name():
    net = several()
    history = net.fit(X, Y, epochs=6, class_weight={"kind": "balanced", "yes": {0: 2.0}}, validation_data=(X, Y),
                      metrics={"kind": ["f1"], "value": ["mae"]}, callbacks=[EarlyStopping("val_kind_f1", patience=2)])
    assert {"kind_f1", "value_mae", "val_kind_f1", "val_yes_accuracy"} <= set(history)
    from sklearn.metrics import f1_score

    assert net.evaluate(X, Y, metrics={"kind": ["f1"]})["kind_f1"] == pytest.approx(
        f1_score(Y["kind"], net.predict(X)["kind"], average="macro"))


def test_sequences_beside_a_table():
    words, table = Input((None, 3), name="words"), Input(4, name="table")
    read = LastStep()(Dense(5, "tanh")(words))
    net = Network(inputs=[words, table], outputs=Dense(3, "softmax")(Concatenate()(read, Normalize()(table))),
                  dtype="float64")
    lengths = rng.integers(1, 9, size=N)
    given = {"words": [rng.normal(size=(n, 3)) for n in lengths], "table": X["table"]}
    net.fit(given, Y["kind"], epochs=2, batch_size=7)
    np.testing.assert_allclose(net.state["2.mean"], X["table"].mean(axis=0))
    assert fastnn.check_gradients(net, given, Y["kind"]).passed
    out = net.forward(given)
    assert out.shape == (N, 3)
    for row in (0, 20, 42):
        alone = {"words": [given["words"][row]], "table": given["table"][row:row + 1]}
        np.testing.assert_array_equal(net.forward(alone)[0], out[row])
    packed = {"words": Sequences(np.concatenate(given["words"]), np.concatenate([[0], np.cumsum(lengths)])),
              "table": X["table"]}
    np.testing.assert_array_equal(net.forward(packed), out)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx_has_the_inputs_and_outputs_by_name(dtype, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    net, path = several(dtype), tmp_path / "net.onnx"
    net.fit(X, Y)
    net.to_onnx(path)
    session = onnxruntime.InferenceSession(path)
    given = {name: values.astype(dtype) for name, values in X.items()}
    assert [each.name for each in session.get_inputs()] == ["image", "table"]
    assert [each.name for each in session.get_outputs()] == ["kind", "value", "yes"]
    for found, expected in zip(session.run(None, given), net.forward(X).values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    other = fastnn.onnx.load(path)
    assert other.config() == net.config()
    np.testing.assert_array_equal(other.forward(X)["kind"], net.forward(X)["kind"])


def test_an_output_that_another_layer_reads():
    """The loss does not replace an activation whose result is used."""
    x = Input(4)
    kind = Dense(3, "softmax")(x)
    net = Network(inputs=x, outputs={"kind": kind, "value": Dense(1)(kind)}, dtype="float64")
    given, y = rng.normal(size=(9, 4)), [rng.integers(3, size=9), rng.normal(size=9)]
    assert fastnn.check_gradients(net, [given], y).max_relative_error < 1e-7


def test_one_output_takes_text_labels_and_a_dict(tmp_path):
    """X and y go one way into networks of one and of several inputs."""
    a, b = Input(3, name="a"), Input(2, name="b")
    nets = [Network(inputs=[a, b], outputs=Dense(2, "softmax")(Concatenate()(a, b))) for _ in range(3)]
    both = {"a": rng.normal(size=(N, 3)), "b": rng.normal(size=(N, 2))}
    labels = (both["a"][:, 0] > 0).astype(int)
    texts = np.array(["no", "yes"])[labels]
    nets[0].fit(both, labels, class_weight={1: 2.0})
    nets[1].fit(both, texts, class_weight={"yes": 2.0})
    nets[2].fit(both, {"output": texts}, class_weight={"yes": 2.0})
    assert len({bits(net) for net in nets}) == 1
    assert nets[0].class_names is None
    assert nets[1].class_names == nets[2].class_names == ("no", "yes")
    nets[1].save(tmp_path / "net.safetensors")
    predicted = Network.load(tmp_path / "net.safetensors").predict(both)
    assert predicted.tolist() == np.array(["no", "yes"])[nets[0].predict(both)].tolist()


def test_one_input_with_a_name_takes_a_dict():
    x = Input(4, name="table")
    net = Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x)})
    net.fit({"table": X["table"]}, {"kind": Y["kind"]})
    np.testing.assert_array_equal(net.predict({"table": X["table"]}), net.predict(X["table"]))


@pytest.mark.parametrize("form", [np.asarray, lambda x: [x], list, pd.DataFrame, lambda x: {"table": x}],
                         ids=["array", "list of one input", "list of samples", "data frame", "dict"])
def test_the_samples_of_an_only_input_need_no_name(form):
    x = Input(4, name="table")
    net = Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x), "value": Dense(2)(x)})
    y, expected = without(Y, "yes"), net.forward({"table": X["table"]})
    np.testing.assert_array_equal(net.forward(form(X["table"]))["value"], expected["value"])
    assert net.evaluate(form(X["table"]), y) == net.evaluate({"table": X["table"]}, y)
    for one in (X["table"][:1], [X["table"][0]], [[*X["table"][0]]]):
        assert net.predict(one)["kind"] == net.predict(X["table"])["kind"][:1]
    with pytest.raises(ValueError, match=r"X\['table'\] has 3 features; this network takes 4"):
        net.predict(X["table"][:, :3])


def test_weights_for_each_output_in_a_list():
    net, weights = several(), [rng.uniform(0.5, 2, size=N), None, rng.uniform(0.5, 2, size=N)]
    by_name = dict(zip(Y, weights, strict=True))
    assert net.evaluate(X, Y, sample_weight=weights) == net.evaluate(X, Y, sample_weight=by_name)
    assert net.evaluate(X, Y, sample_weight=list(weights[0])) == net.evaluate(X, Y, sample_weight=weights[0])
    with pytest.raises(ValueError, match=r"y\['yes'\]: sample_weight has shape \(9,\)"):
        net.evaluate(X, Y, sample_weight=[None, None, weights[0][:9]])


def without(given, name):
    return {key: value for key, value in given.items() if key != name}


@pytest.mark.parametrize(("x", "y", "message"), [
    (without(X, "table"), Y, "X has nothing for 'table'"),
    (X | {"sound": 1}, Y, "X is a dict with 'sound', which is no input"),
    (X, without(Y, "yes"), "y has nothing for 'yes'"),
    (X, Y | {"size": 1}, "y is a dict with 'size', which is no output"),
    (X["image"], Y, "this network has the inputs 'image', 'table'"),
    (X, Y["kind"], "this network has the outputs 'kind', 'value', 'yes'"),
    (X | {"table": X["table"][:9]}, Y, r"X\['table'\] has 9 samples and X\['image'\] has 43"),
    (X | {"table": X["table"][:, :3]}, Y, r"X\['table'\] has 3 features; this network takes 4"),
    (X, Y | {"kind": Y["kind"] + 1}, r"y\['kind'\] holds label 3"),
    (X, Y | {"value": Y["value"][:, :1]}, r"y\['value'\] has shape \(43, 1\)"),
])
def test_data_that_do_not_fit(x, y, message):
    net = several()
    before = bits(net)
    with pytest.raises(ValueError, match=message):
        net.fit(x, y)
    assert bits(net) == before


@pytest.mark.parametrize(("loss", "message"), [
    ({"kind": "cross_entropy", "value": None}, "output 'yes' has no loss; give one"),
    (LOSS | {"size": "squared_error"}, "loss has 'size', which is no output"),
    ("squared_error", "give a dict with a loss for each"),
    (LOSS | {"value": ("squared_error", -1)}, r"the factor of loss\['value'\] is -1"),
    (LOSS | {"value": "cross_entropy"}, "output 'value': loss 'cross_entropy' takes outputs from"),
    (LOSS | {"value": "unknown"}, "output 'value': unknown loss"),
])
def test_losses_that_do_not_fit(loss, message):
    with pytest.raises(ValueError, match=message):
        several(loss=loss)


def test_losses_in_a_list():
    x = Input(4)
    nodes = [Dense(2, "softmax")(x), Dense(1)(x)]
    given = ["cross_entropy", ("absolute_error", 0.5)]
    net = Network(inputs=x, outputs=nodes, loss=given)
    assert net.loss == {"output_0": given[0], "output_1": given[1]}


def test_metrics_of_several_outputs_go_by_name():
    with pytest.raises(ValueError, match=r"metrics is \['f1'\]; this network has the outputs"):
        several().fit(X, Y, metrics=["f1"])


def test_lbfgs():
    pytest.importorskip("scipy")
    net, split = several(), several()
    before = net.evaluate(X, Y)
    history = net.fit(X, Y, optimizer=fastnn.LBFGS(max_iterations=15), validation_data=(X, Y), metrics={"value": ["mae"]})
    found = net.evaluate(X, Y, metrics={"value": ["mae"]})
    assert found["loss"] < 0.7 * before["loss"]
    for name, value in found.items():
        assert history[name][-1] == pytest.approx(value, rel=1e-9)
        assert history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-9)
    assert "val_kind_accuracy" in split.fit(X, Y, optimizer=fastnn.LBFGS(max_iterations=2), validation_split=0.2)


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_loss_that_is_the_output_needs_no_targets(outputs):
    """Triplets: the loss is max(0, near − far + margin), with and without another output."""
    a, same, other = (Input(4, name=name) for name in ("a", "same", "other"))
    tower = fastnn.Shared([Dense(6, "tanh"), Dense(3)])
    one, two, three = (tower(node) for node in (a, same, other))
    near, far = fastnn.Dot()(one - two, one - two), fastnn.Dot()(one - three, one - three)
    given = {"triplet": fastnn.Activation("relu")(near - far + 0.5), "kind": Dense(3, "softmax")(one)}
    loss = {"triplet": "output", "kind": "cross_entropy"}
    names = [*given][:outputs]
    net = Network(inputs=[a, same, other], outputs={name: given[name] for name in names}, dtype="float64",
                  loss={name: loss[name] for name in names})
    x = {name: rng.normal(size=(N, 4)) for name in ("a", "same", "other")}
    y = {"kind": Y["kind"]} if outputs == 2 else None
    values = net.evaluate(x, y)
    found = net.forward(x)["triplet"] if outputs == 2 else net.forward(x)
    name = "triplet_loss" if outputs == 2 else "loss"
    assert values[name] == pytest.approx(found.mean(), rel=1e-12)
    assert fastnn.check_gradients(net, x, y).max_relative_error < 1e-7
    history = net.fit(x, y, epochs=5, batch_size=9, optimizer=Adam(0.01), validation_data=(x, y))
    assert history["loss"][-1] < history["loss"][0]
    if outputs == 2:
        assert net.evaluate(x, [Y["kind"]]) == net.evaluate(x, y)
        with pytest.raises(ValueError, match="y has nothing for 'kind'"):
            net.evaluate(x, {})


def test_one_input_with_the_loss_output():
    net = Network([Dense(4, "tanh"), Dense(1)], inputs=4, loss="output", dtype="float64")
    assert net.evaluate(X["table"], None)["loss"] == pytest.approx(net.forward(X["table"]).mean(), rel=1e-12)
    history = net.fit(X["table"], None, epochs=3, validation_split=0.2)
    assert history["val_loss"][-1] < history["val_loss"][0]


def tagged(dtype="float64", **options):
    """Return a network with an output at each step of one input, and two outputs for each sample."""
    words, table = Input((None, 3), name="words"), Input(4, name="table")
    h = fastnn.GRU(5, return_sequences=True)(words)
    whole = Concatenate()(LastStep()(h), table)
    outputs = {"tag": Dense(3, "softmax")(h), "kind": Dense(2, "softmax")(Dense(4, "tanh")(whole)),
               "pitch": Dense(2)(Dense(3, "tanh")(h))}
    return Network(inputs=[words, table], outputs=outputs, dtype=dtype, seed=2,
                   loss={"tag": ("cross_entropy", 0.5), "kind": None, "pitch": None}, **options)


LENGTHS = rng.integers(1, 8, size=N)
SAID = {"words": [rng.normal(size=(n, 3)) for n in LENGTHS], "table": X["table"]}
TOLD = {"tag": [rng.integers(-1, 3, size=n) for n in LENGTHS], "kind": rng.integers(2, size=N),
        "pitch": [rng.normal(size=(n, 2)) for n in LENGTHS]}


@pytest.mark.parametrize("weights", [None, "common"])
def test_outputs_at_each_step_beside_outputs_of_samples(weights):
    given = None if weights is None else rng.uniform(0.5, 2, size=N)
    net = tagged()
    values, out = net.evaluate(SAID, TOLD, sample_weight=given, metrics={"pitch": ["mae"]}), net.forward(SAID)
    w = np.repeat(np.ones(N) if given is None else given, LENGTHS)
    tags, pitch = np.concatenate(TOLD["tag"]), np.concatenate(TOLD["pitch"])
    counts = tags >= 0
    cross = -np.log(out["tag"].steps[np.arange(len(tags)), tags])
    assert values["tag_loss"] == pytest.approx((w * cross)[counts].sum() / w[counts].sum(), rel=1e-10)
    assert values["tag_accuracy"] == pytest.approx((out["tag"].steps.argmax(axis=1) == tags)[counts].mean())
    squares = 0.5 * ((out["pitch"].steps - pitch) ** 2).sum(axis=1)
    assert values["pitch_loss"] == pytest.approx((w * squares).sum() / w.sum(), rel=1e-10)
    assert values["pitch_mae"] == pytest.approx(np.abs(out["pitch"].steps - pitch).mean(), rel=1e-10)
    assert values["loss"] == pytest.approx(0.5 * values["tag_loss"] + values["kind_loss"] + values["pitch_loss"], rel=1e-12)
    assert net.loss_and_gradients(SAID, TOLD, sample_weight=given)[0] == pytest.approx(values["loss"], rel=1e-12)
    assert fastnn.check_gradients(net, SAID, TOLD, sample_weight=given).max_relative_error < 1e-7
    history = tagged().fit(SAID, TOLD, batch_size=N, optimizer="sgd", sample_weight=given, metrics={"pitch": ["mae"]})
    assert history["tag_loss"] == [pytest.approx(values["tag_loss"], rel=1e-12)]
    assert history["tag_accuracy"] == [pytest.approx(values["tag_accuracy"], rel=1e-12)]


def test_outputs_at_each_step_in_any_batch_and_with_any_number_of_threads(many_parts, tmp_path):
    found = set()
    for threads in (1, 3):
        net = tagged("float32")
        history = net.fit(SAID, TOLD, epochs=2, batch_size=9, optimizer=Adam(0.01), threads=threads,
                          class_weight={"kind": "balanced"}, validation_data=(SAID, TOLD))
        found.add((bits(net), str(dict(history))))
    stopped = tagged("float32")
    stopped.fit(SAID, TOLD, epochs=2, batch_size=9, optimizer=Adam(0.01), callbacks=[StopAfter(3)],
                class_weight={"kind": "balanced"}, validation_data=(SAID, TOLD))
    stopped.save_checkpoint(tmp_path / "fit.safetensors")
    net = Network.load_checkpoint(tmp_path / "fit.safetensors")
    again = net.fit(SAID, TOLD, epochs=2, batch_size=9, resume=True, class_weight={"kind": "balanced"},
                    validation_data=(SAID, TOLD))
    found.add((bits(net), str(dict(again))))
    assert len(found) == 1
    out, predicted = net.forward(SAID), net.predict(SAID)
    assert [*map(len, predicted["tag"])] == [*LENGTHS]
    assert predicted["kind"].shape == (N,)
    for row in (0, 20, 42):
        alone = net.forward({"words": [SAID["words"][row]], "table": SAID["table"][row:row + 1]})
        np.testing.assert_array_equal(alone["tag"][0], out["tag"][row])
        np.testing.assert_array_equal(alone["kind"][0], out["kind"][row])
    empty = net.forward({"words": [], "table": SAID["table"][:0]})
    assert (len(empty["tag"]), len(empty["kind"])) == (0, 0)
    inside = np.empty((5, 3), np.float32), np.empty(2, np.float32), np.empty((5, 2), np.float32)
    given = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    fastnn.jit.forward_sequence(net.compiled(steps=7), given, inside)
    for own, expected in zip(inside, net.forward({"words": [given[0]], "table": given[1][None]}).values(), strict=True):
        np.testing.assert_array_equal(own, expected[0])


def test_targets_at_steps_that_do_not_fit():
    with pytest.raises(ValueError, match=r"y\['tag'\]: y\[0\] has 9 steps; the outputs"):
        tagged().fit(SAID, TOLD | {"tag": [np.zeros(9, int), *TOLD["tag"][1:]]})


def test_a_few_samples_of_the_dtype_have_the_bits_of_many():
    net = several("float32")
    many = {name: values.astype("float32") for name, values in X.items()}
    net.fit(many, Y)
    out = net.forward(many)
    for chosen in (slice(0, 1), slice(5, 21)):
        few = {name: values[chosen] for name, values in many.items()}
        for given in (few, [*few.values()], {name: np.asfortranarray(values) for name, values in few.items()}):
            found = net.forward(given)
            assert list(found) == list(out)
            for name, values in out.items():
                np.testing.assert_array_equal(found[name], values[chosen])
    few["table"][3, 1] = np.nan
    with pytest.raises(ValueError, match=r"X\['table'\].*nan"):
        net.forward(few)
    with pytest.raises(ValueError, match=r"X\['table'\] has 1 samples"):
        net.forward(few | {"table": many["table"][:1]})
    with pytest.raises(ValueError, match="threads"):
        net.forward({name: values[:1] for name, values in many.items()}, threads=0)
