"""Mistakes of a first hour: each gets an error, or a warning, that names the repair."""

import warnings

import numpy as np
import pytest
from repairs import assert_warning_names

import fastnn
from fastnn import (
    GRU,
    Adam,
    Conv2D,
    Dense,
    Dropout,
    EarlyStopping,
    Embedding,
    Flatten,
    Input,
    ModelFormatError,
    Network,
    Rescale,
    Residual,
)
from fastnn.checks.other_attributes import METHODS, PUBLIC_NAMES

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(30, 4))
LABELS, VALUES = np.arange(30) % 3, X.sum(axis=1)


def net(*layers, inputs=4, **options):
    return Network([*layers] or [Dense(1)], inputs=inputs, **options)


def fit(*layers, y=VALUES, x=X, inputs=4, loss=None, **options):
    return net(*layers, inputs=inputs, loss=loss).fit(x, y, **options)


MISTAKES = {
    "labels on values": (lambda: fit(Dense(3), y=LABELS), "Dense(3, 'softmax')"),
    "labels on several sigmoids": (lambda: fit(Dense(3, "sigmoid"), y=LABELS), "Dense(3, 'softmax')"),
    "float labels on values": (lambda: fit(Dense(3), y=LABELS.astype(float)), "Dense(3, 'softmax')"),
    "one value for several": (lambda: fit(Dense(3)), "Dense(1)"),
    "one-hot on sigmoid": (lambda: fit(Dense(1, "sigmoid"), y=np.eye(2)[LABELS % 2]), "y[:, 1]"),
    "several values on one": (lambda: fit(y=X[:, :3]), "Dense(3)"),
    "labels from 1": (lambda: fit(Dense(3, "softmax"), y=LABELS + 1), "give y - 1"),
    "signs with sigmoid": (lambda: fit(Dense(1, "sigmoid"), y=LABELS % 2 * 2 - 1), "give y > 0"),
    "signs with softmax": (lambda: fit(Dense(2, "softmax"), y=LABELS % 2 * 2 - 1), "(y > 0).astype(int)"),
    "activation first": (lambda: Dense("relu", 64), "Dense(64, 'relu')"),
    "activation first, in other case": (lambda: Dense("ReLU", 64), "Dense(64, 'ReLU')"),
    "activation first in a convolution": (lambda: Conv2D("relu", 3), "Conv2D(64, 3, 'relu')"),
    "images on a dense network": (lambda: fit(x=np.ones((30, 2, 2))), "X.reshape(len(X), -1)"),
    "images without Flatten": (lambda: net(Dense(3), inputs=(8, 8, 1)), "Flatten()"),
    "optimizer class": (lambda: fit(optimizer=Adam), "Adam()"),
    "callback class": (lambda: fit(callbacks=[EarlyStopping]), "EarlyStopping(...)"),
    "layer class": (lambda: net(Dense(3), Dropout), "Dropout(...)"),
    "first layer class": (lambda: net(Flatten, Dense(3)), "Flatten(...)"),
    "block class": (lambda: net(Residual, Dense(3)), "Residual(...)"),
    "callback alone": (lambda: fit(callbacks=EarlyStopping()), "callbacks=[EarlyStopping(...)]"),
    "no inputs": (lambda: Network([Dense(1)]), "inputs=X.shape[1]"),
    "accuracy of values": (lambda: fit(metrics=["accuracy"]), "r2, mae, mse, rmse"),
    "accuracy in short": (lambda: fit(metrics=["acc"]), "r2, mae, mse, rmse"),
    "X and y exchanged": (lambda: fit(x=VALUES, y=X), "X and y seem to be exchanged"),
    "share for data": (lambda: fit(validation_data=0.2), "validation_split=0.2"),
    "a function for the loss": (lambda: net(loss=lambda a, y: a), "register_loss"),
    "misspelt loss": (lambda: net(loss="squard_error"), "did you mean 'squared_error'"),
    "misspelt activation": (lambda: Dense(3, "sigmod"), "did you mean 'sigmoid'"),
    "misspelt optimizer": (lambda: fit(optimizer="adm"), "did you mean 'adam'"),
    "logits": (lambda: net(Dense(3), loss="CrossEntropyLoss"), "'softmax'"),
    "softmax of one": (lambda: net(Dense(1, "softmax")), "Dense(1, 'sigmoid')"),
    "network as a layer": (lambda: net()(Input(4)), "copy_weights"),
    "text labels on values": (lambda: fit(y=np.array(["a", "b", "c"])[LABELS]), "Dense(3, 'softmax')"),
    "list of text labels on values": (lambda: fit(y=["yes", "no"] * 15), "Dense(2, 'softmax')"),
    "layers without a list": (lambda: Network(Dense(3), Dense(1)), "Network([Dense(64, 'relu'), Dense(1)], inputs=4)"),
    "X for its shape": (lambda: net(inputs=X), "inputs=X.shape[1]"),
    "activation for the kernel": (lambda: Conv2D(4, "relu"), "Conv2D(64, 3, 'relu')"),
    "list of class weights": (lambda: fit(Dense(3, "softmax"), y=LABELS, class_weight=[1, 2, 3]),
                              "{0: 1.0, 1: 1.0, 2: 1.0}"),
    "a generator": (lambda: fit(x=(row for row in X)), "train_on_batch"),
    "sequences on a dense network": (lambda: fit(x=[X[:2], X[:3]], y=VALUES[:2]), "inputs=(None, features)"),
    "number of seeds": (lambda: fastnn.Population(net(), seeds=4), "range(4)"),
    "three choices as a tuple": (lambda: fastnn.sweep({"width": (4, 8, 16)}, X, LABELS, samples=2), "a list, such as"),
    "metrics without a list": (lambda: fit(metrics="mae"), "metrics=['mae']"),
    "logits by relu": (lambda: fit(Dense(3, "relu"), y=LABELS), "Dense(3, 'softmax')"),
    "one image": (lambda: net(Flatten(), Dense(1), inputs=(2, 2, 1)).predict(np.ones((2, 2, 1))), "give X[None]"),
    "one row": (lambda: net().predict(X[0]), "X[None, :]"),
    "images without channels": (lambda: net(Flatten(), Dense(1), inputs=(8, 8, 1)).predict(np.ones((3, 8, 8))),
                                "X[..., None]"),
    "channels first": (lambda: net(Flatten(), Dense(1), inputs=(8, 8, 3)).predict(np.ones((5, 3, 8, 8))),
                       "X.transpose(0, 2, 3, 1)"),
    "two recurrent layers": (lambda: net(GRU(4), GRU(4), inputs=(None, 3)), "return_sequences=True"),
    "features for sequences": (lambda: net(GRU(4), inputs=3), "inputs=(None, features)"),
    "text for tokens": (lambda: net(Embedding(9, 4), GRU(4), Dense(1), inputs=(None,)).fit(["a b"] * 3, [0, 1, 0]),
                        "Vocabulary"),
    "one sequence": (lambda: net(GRU(4), Dense(1), inputs=(None, 3)).predict(np.ones((5, 3))), "give [X]"),
    "a label for outputs at each step": (
        lambda: net(GRU(4, return_sequences=True), Dense(2, "softmax"), inputs=(None, 3)).fit([X[:3, :3]] * 2, [0, 1]),
        "LastStep()"),
    "labels at each step for one output": (
        lambda: net(GRU(4), Dense(2, "softmax"), inputs=(None, 3)).fit([X[:3, :3], X[:2, :3]], [[0, 1, 0], [0, 1]]),
        "return_sequences=True"),
    "token beyond the vocabulary": (lambda: net(Embedding(3, 4), GRU(4), Dense(1), inputs=(None,)).fit([[1, 5]] * 2, [0, 1]),
                                    "from 0 to 2"),
    "nodes of two shapes": (lambda: Dense(3)(Input(4)) + Dense(4)(Input(4)), "one shape"),
    "a stream of a dense network": (lambda: net().stream(), "inputs=(None, ...)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_an_error_names_the_repair(name):
    call, repair = MISTAKES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            call()
    assert repair in str(caught.value)


DOUBTS = {
    "two classes as values": (lambda: fit(y=LABELS % 2), "Dense(1, 'sigmoid')"),
    "unscaled X": (lambda: fit(x=1e4 * X, optimizer=Adam(1e-6)), "Normalize()"),
    "bytes": (lambda: fit(Conv2D(2, 1), Flatten(), Dense(1), x=np.full((30, 2, 2, 1), 200, np.uint8), inputs=(2, 2, 1)),
              "Rescale(1 / 255)"),
    "unscaled y": (lambda: fit(y=1e4 * VALUES), "(y - y.mean()) / y.std()"),
    "y out of reach": (lambda: fit(Dense(1, "sigmoid"), y=200 * np.abs(VALUES), loss="mse"), "y / 255"),
    "accuracy of fractions": (lambda: fit(Dense(1, "sigmoid"), y=1 / (1 + np.exp(-VALUES)), loss="mse"),
                              "for a regression"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_a_warning_names_the_repair(name):
    call, repair = DOUBTS[name]
    assert_warning_names(repair, call, __file__)


@pytest.mark.parametrize("call", [
    lambda: fit(fastnn.Normalize(), Dense(1), x=1e4 * X), lambda: fit(Dense(1, "sigmoid"), y=LABELS % 2),
    lambda: fit(Dense(1, "sigmoid"), y=np.full(30, 0.3)), lambda: fit(y=np.ones(30)), lambda: fit(y=np.zeros(30)),
    lambda: fit(y=100 * VALUES), lambda: fit(Dense(2), y=np.eye(2)[LABELS % 2]),
    lambda: fit(Rescale(1 / 255), Conv2D(2, 1), Flatten(), Dense(1), x=np.full((30, 2, 2, 1), 200, np.uint8),
                inputs=(2, 2, 1)),
    lambda: fit(Flatten(), Dense(1), x=np.full((30, 2, 2), 2000.0), inputs=(2, 2), y=np.ones(30)),
], ids=["scaled", "sigmoid", "soft labels", "ones", "zeros", "hundreds", "several", "bytes", "images"])
def test_no_warning_without_a_doubt(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call()


ARGUMENTS = {
    "loss in fit": (lambda: fit(criterion="mse"), "argument of the network"),
    "rate in fit": (lambda: fit(lr=0.1), "Adam(learning_rate=0.01)"),
    "optimizer in Network": (lambda: net(optimizer="adam"), "net.fit(X, y, optimizer='adam')"),
    "shape in a layer": (lambda: Dense(3, input_shape=(4,)), "inputs=4"),
    "regularizer": (lambda: Dense(3, kernel_regularizer="l2"), "l2=1e-4"),
    "no bias": (lambda: Dense(3, use_bias=False), "every layer has its bias"),
    "norm of each variable": (lambda: Adam(clipnorm=1.0), "clip_norm"),
    "unknown": (lambda: Dense(3, colour=1), "its arguments are out_features, activation"),
    "twice": (lambda: Adam(learning_rate=0.1, lr=0.1), "mean the same"),
    "patience in fit": (lambda: fit(patience=3), "EarlyStopping(patience=5)"),
    "verbose callback": (lambda: EarlyStopping(verbose=1), "leave it out"),
    "verbose 2": (lambda: fit(verbose=2), "verbose"),
    "epochs by position": (lambda: net().fit(X, VALUES, 10), "give others by name: epochs, batch_size"),
    "accumulated gradients in the optimizer": (lambda: Adam(gradient_accumulation_steps=4), "accumulate=4"),
    "validation now and then": (lambda: fit(validation_freq=2), "after each epoch"),
    "a dict from evaluate": (lambda: net().evaluate(X, VALUES, return_dict=True), "a dict always"),
    "parameters as a method": (lambda: net().parameters(), "leave out the parentheses"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_of_others_is_answered(name):
    call, repair = ARGUMENTS[name]
    with pytest.raises(TypeError) as caught:
        call()
    assert repair in str(caught.value)


def test_arguments_that_mean_the_same_are_taken():
    assert Adam(lr=0.1, beta_1=0.8, eps=1e-7) == Adam(0.1, 0.8, 0.999, 1e-7) or repr(Adam(lr=0.1)) == repr(Adam(0.1))
    assert Dense(units=8, act="ReLU") == Dense(8, "relu")
    assert Conv2D(filters=3, kernel_size=3, strides=2, use_bias=True) == Conv2D(3, 3, stride=2)
    assert EarlyStopping(restore_best_weights=True, verbose=0).restore_best is True
    one, other = net(), Network([Dense(1)], input_shape=(4,), random_state=0, criterion="MSE")
    assert dict(one.fit(X, VALUES, epochs=2, optimizer="adam")) == \
        dict(other.fit(x=X, y=VALUES, n_epochs=2, optimizer="Adam", verbose=0))
    assert one.evaluate(X, VALUES) == other.evaluate(X, VALUES, verbose=0, batch_size=8)
    assert np.array_equal(one.predict(X), other.predict(X, verbose=0, batch_size=8))
    assert np.array_equal(one(X), one.forward(X))


def test_other_names_of_records():
    assert Dense(2, "swish") == Dense(2, "silu")
    assert Dense(2, "linear") == Dense(2)
    for name in ("mse", "MSE", "MeanSquaredError", "mean_squared_error"):
        assert net(loss=name).loss == "squared_error"
    for name in ("sparse_categorical_crossentropy", "categorical_crossentropy", "CrossEntropyLoss", "Cross-Entropy"):
        assert net(Dense(3, "softmax"), loss=name).loss == "cross_entropy"
    found = fit(metrics=["mean_squared_error", "R2"])
    assert {"mse", "r2"} < {*found}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_others_is_answered(name):
    with pytest.raises(AttributeError) as caught:
        getattr(net(), name)
    assert METHODS[name] in str(caught.value)
    assert not hasattr(net(), name)


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_a_name_of_others_is_answered(name):
    with pytest.raises(AttributeError, match=f"fastnn has no {name}; "):
        getattr(fastnn, name)
    with pytest.raises(ImportError, match=f"fastnn has no {name}; "):
        exec(f"from fastnn import {name}")
    assert not hasattr(fastnn, name)


def test_what_nobody_has_is_an_ordinary_error():
    with pytest.raises(AttributeError, match="'Network' object has no attribute 'nothing'"):
        _ = net().nothing
    several = Network(inputs=[a := Input(2), b := Input(2)], outputs=Dense(1)(a + b))
    with pytest.raises(AttributeError, match="several inputs"):
        _ = several.inputs


def test_a_truncated_file_is_called_so(tmp_path):
    path = tmp_path / "net.safetensors"
    net().save(path)
    whole = path.read_bytes()
    for length in range(9, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFormatError, match="truncated"):
            Network.load(path)


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".onnx", ".pt", ".pkl"])
def test_a_file_that_is_not_what_its_name_says(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    with pytest.warns(UserWarning, match=r"safetensors"):
        net().save(path)
    assert Network.load(path).layers == net().layers  # nothing is lost


@pytest.mark.parametrize(("call", "repair"), [
    (lambda history: history.history, "history['loss']"), (lambda history: history.loss, "history['loss']"),
    (lambda history: history["val_loss"], "validation_data"), (lambda history: history["acc"], "did you mean 'accuracy'"),
], ids=["history of Keras", "attribute", "no validation", "accuracy in short"])
def test_a_history_says_how_it_is_read(call, repair):
    with pytest.raises((AttributeError, KeyError)) as caught:
        call(fit(Dense(3, "softmax"), y=LABELS))
    assert repair in str(caught.value)


@pytest.mark.parametrize("name", ["weight", "weights", "get_weights", "set_weights"])
def test_a_layer_says_where_its_numbers_are(name):
    with pytest.raises(AttributeError, match=r"net\.parameters"):
        getattr(Dense(3), name)
    assert not hasattr(Dense(3), name)


def test_mistakes_with_tables():
    tables = pytest.importorskip("fastnn.tables", reason="tables need the extra cli")
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    frame = pd.DataFrame({"a": VALUES, "b": X[:, 0]})
    for call, repair in (
        (lambda: tables.train("t.csv", "a"), "read_table('t.csv')"),
        (lambda: tables.train(frame, "z"), "'a', 'b'"),
        (lambda: tables.Recipe(hidden_layer_sizes=(8,)), "layers=[Dense(64, 'relu')"),
        (lambda: tables.TableRegressor(patience=3), "keeps its best epoch"),
        (lambda: tables.TableRegressor().fit(frame, ["yes", "no"] * 15), "TableClassifier"),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert repair in str(caught.value)
    assert tables.Recipe(lr=0.1, max_iter=3, random_state=1) == tables.Recipe(learning_rate=0.1, epochs=3, seed=1)
    assert tables.TableRegressor(n_jobs=1, max_epochs=3).get_params()["n_threads"] == 1
