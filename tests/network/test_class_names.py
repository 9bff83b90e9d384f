"""Text labels: learned in the first fit, kept in copies and files, and returned by predict."""

import copy
import pickle

import numpy as np
import pytest

from fastnn import LBFGS, Dense, Input, Network

X = np.array([[-1.0], [0.0], [1.0], [-1.2], [0.1], [1.3]])
WORDS = np.array(["cold", "mild", "warm"] * 2)
NUMBERS = np.array([0, 1, 2] * 2)


def classifier(outputs=3, **options):
    return Network([Dense(8, "tanh"), Dense(outputs, "softmax" if outputs > 1 else "sigmoid")], inputs=1, **options)


def forms():
    yield WORDS
    yield WORDS.tolist()
    yield WORDS.astype(object)
    yield WORDS[:, None]
    pandas = pytest.importorskip("pandas")
    yield pandas.Series(WORDS)
    yield pandas.Series(WORDS, dtype="category")


def test_text_in_text_out_with_the_bits_of_numbers():
    net = classifier()
    history = net.fit(X, NUMBERS, epochs=200, optimizer="rmsprop", validation_data=(X, NUMBERS), metrics=["f1"])
    for y in forms():
        other = classifier()
        found = other.fit(X, y, epochs=200, optimizer="rmsprop", validation_data=(X, y), metrics=["f1"])
        assert dict(found) == dict(history)
        assert other.class_names == ("cold", "mild", "warm")
        assert other.predict(X).tolist() == WORDS.tolist()
        assert other.evaluate(X, y) == net.evaluate(X, NUMBERS) == other.evaluate(X, NUMBERS)
    assert net.class_names is None
    assert net.predict(X).dtype == np.int64


@pytest.mark.parametrize("optimizer", ["adam", LBFGS()])
def test_two_classes_after_sigmoid(optimizer):
    net = classifier(1)
    options = {} if isinstance(optimizer, LBFGS) else {"epochs": 500}
    net.fit(X[[0, 2]], ["no", "yes"], optimizer=optimizer, class_weight={"no": 2.0}, **options)
    assert net.predict(X[[0, 2]]).tolist() == ["no", "yes"]
    assert net.predict(X[:0]).tolist() == []


def several(**options):
    x = Input(1)
    h = Dense(8, "tanh")(x)
    return Network(inputs=x, outputs={"kind": Dense(3, "softmax")(h), "fine": Dense(1, "sigmoid")(h), "value": Dense(1)(h)},
                   **options)


def test_several_outputs_have_names_of_each(tmp_path):
    fine, values = np.where(X[:, 0] > 0.05, "yes", "no"), X[:, 0]
    numbers = {"kind": NUMBERS, "fine": (fine == "yes").astype(int), "value": values}
    words = {"kind": WORDS, "fine": fine, "value": values}
    net, other = several(), several()
    options = {"epochs": 300, "optimizer": "rmsprop", "metrics": {"kind": ["f1"]}}
    history = net.fit(X, numbers, validation_data=(X, numbers), class_weight={"kind": {1: 2.0}}, **options)
    found = other.fit(X, words, validation_data=(X, words), class_weight={"kind": {"mild": 2.0}}, **options)
    assert dict(found) == dict(history)
    assert net.class_names is None
    assert other.class_names == {"kind": ("cold", "mild", "warm"), "fine": ("no", "yes")}
    assert other.evaluate(X, words) == net.evaluate(X, numbers)
    assert other.evaluate(X, {**words, "fine": numbers["fine"]}) == net.evaluate(X, numbers)
    other.save(tmp_path / "net.safetensors")
    for twin in (other, copy.deepcopy(other), other.astype("float64"), Network.load(tmp_path / "net.safetensors")):
        assert twin.class_names == other.class_names
        predicted = twin.predict(X)
        assert (predicted["kind"].tolist(), predicted["fine"].tolist()) == (WORDS.tolist(), fine.tolist())
        assert predicted["value"].dtype.kind == "f"


@pytest.mark.parametrize(("names", "message"), [
    (["a", "b", "c"], "several outputs: give a dict of lists by output, such as {'kind': "),
    ({"knid": ["a", "b", "c"]}, "class_names has 'knid', which is no output of this network; they are 'kind', 'fine'"),
    ({"kind": ["a", "b"]}, r"class_names\['kind'\] is .*it must have 3 different names"),
    ({"value": ["a", "b"]}, r"class_names\['value'\] are for samples of one class each; this output learns"),
])
def test_names_of_several_outputs_are_checked(names, message):
    with pytest.raises(ValueError, match=message):
        several().class_names = names


def test_text_that_an_output_does_not_know_is_refused_by_its_name():
    net, y = several(), {"kind": WORDS, "fine": NUMBERS % 2, "value": X}
    net.fit(X, y)
    with pytest.raises(ValueError, match=r"y\['kind'\] holds the label 'hot'; this network knows 'cold', 'mild', 'warm'"):
        net.fit(X, {**y, "kind": ["hot"] * 6})
    with pytest.raises(ValueError, match=r"y\['value'\] holds text labels, 3 different ones, and this network learns"):
        net.fit(X, {**y, "value": WORDS})


def test_names_are_kept_in_copies_and_files(tmp_path):
    net = classifier()
    net.fit(X, WORDS)
    net.save(tmp_path / "net.safetensors")
    net.save_checkpoint(tmp_path / "run.safetensors")
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype("float64"),
                 Network.load(tmp_path / "net.safetensors"), Network.load_checkpoint(tmp_path / "run.safetensors")):
        assert twin.class_names == net.class_names
        assert set(twin.predict(X)) <= {*WORDS}


def test_names_may_be_given_before_the_fit():
    net = classifier()
    net.class_names = ["warm", "mild", "cold"]
    net.fit(X[:2], WORDS[:2])
    other = classifier()
    other.fit(X[:2], [2, 1])
    assert np.array_equal(net.parameters["0.weight"], other.parameters["0.weight"])
    assert net.class_names == ("warm", "mild", "cold")


def refused(call, names):
    with pytest.raises(ValueError, match=names):
        call()


def test_what_does_not_fit():
    net = classifier()
    refused(lambda: net.evaluate(X, WORDS), "not whole numbers")  # no fit has told the names
    refused(lambda: net.fit(X, ["a", "b"] * 3), "name all of them first, with net.class_names")
    refused(lambda: net.fit(X, list("abcdab")), r"4 different labels, 'a', 'b', 'c', 'd'; .* Dense\(4, 'softmax'\)")
    refused(lambda: net.fit(X, WORDS, validation_data=(X, ["hot"] * 6)),
            "validation_data: y holds the label 'hot'; .* 'cold'")
    assert net.class_names is None
    refused(lambda: net.fit(X, ["cold", None, "warm"] * 2), "no label at 1")
    for names in ("abc", ["a", "b"], ["a", "a", "b"], [1, 2, 3]):
        refused(lambda names=names: setattr(net, "class_names", names), "class_names is")
    refused(lambda: setattr(Network([Dense(2)], inputs=1), "class_names", ["a", "b"]), "learns 2 values")
    refused(lambda: Network([Dense(1)], inputs=1).fit(X, WORDS), "which takes labels")
    x = Input(1)
    two = Network(inputs=x, outputs={"a": Dense(2, "softmax")(x), "b": Dense(1)(x)})
    assert two.class_names is None
