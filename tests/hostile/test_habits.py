"""Habits from Keras, PyTorch, scikit-learn and pandas that are not ours: each works, or is answered with the repair.

More of them stand in `test_mistakes.py`, with the mistakes of a first hour.
"""

import math
import re
import warnings

import numpy as np
import pytest
from repairs import assert_warning_names

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Adam,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    CustomLayer,
    Dense,
    EarlyStopping,
    Embedding,
    Flatten,
    Input,
    MultiHeadAttention,
    Network,
    Parallel,
    Rescale,
    Shared,
)
from fastnn.checks.other_attributes import ATTRIBUTES, NAMES_OF_MODULES

GENERATOR = np.random.default_rng(0)
X, VALUES = GENERATOR.normal(size=(30, 4)), GENERATOR.normal(size=30)
LABELS, IMAGES = np.arange(30) % 3, GENERATOR.random((6, 4, 4, 3))
SEQUENCES = [GENERATOR.normal(size=(3 + i % 2, 2)) for i in range(6)]


def net(*layers, inputs=4, **options):
    return Network([*layers] or [Dense(1)], inputs=inputs, **options)


def fit(*layers, y=VALUES, x=X, inputs=4, loss=None, **options):
    return net(*layers, inputs=inputs, loss=loss).fit(x, y, **options)


def two_outputs(**options):
    x = Input(4)
    return Network(inputs=x, outputs={"a": Dense(1)(x), "b": Dense(1)(x)}, **options)


def softmax(**options):
    return fit(Dense(3, "softmax"), **options)


def pictures(*layers, y=LABELS[:6], x=IMAGES, inputs=(4, 4, 3), **options):
    return fit(*layers or (Flatten(), Dense(3, "softmax")), y=y, x=x, inputs=inputs, **options)


def voices(*layers, y=LABELS[:6], x=SEQUENCES, inputs=(None, 2), **options):
    return fit(*layers or (GRU(4), Dense(3, "softmax")), y=y, x=x, inputs=inputs, **options)


def words(x, y=(0, 1, 0)):
    return fit(Embedding(9, 4), GRU(4), Dense(2, "softmax"), x=x, y=y, inputs=(None,))


def frame():
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    return pd.DataFrame(X, columns=[*"abcd"])


def framed():
    made = net()
    made.fit(frame(), VALUES)
    return made


class Torch:
    def forward(self, x):
        return x


REPAIRS = {
    "sizes of Linear": (lambda: Dense(4, 16), "works out the number of its inputs"),
    "sizes of Conv2d": (lambda: Conv2D(1, 6, 5), "works out the number of its inputs"),
    "exp": (lambda: Dense(1, "exp"), "'softplus'"),
    "log_softmax": (lambda: Dense(3, "log_softmax"), "'softmax'"),
    "LogSoftmax": (lambda: Dense(3, "LogSoftmax"), "'softmax'"),
    "slope in the name": (lambda: Dense(3, "leaky_relu(0.1)"), "'leaky_relu'"),
    "hard sigmoid": (lambda: Dense(3, "hard_sigmoid"), "register_activation"),
    "prelu": (lambda: Dense(3, "PReLU"), "CustomLayer"),
    "function of math": (lambda: Dense(3, math.tanh), "register_activation"),
    "rmse": (lambda: net(loss="rmse"), "'mse'"),
    "nll": (lambda: net(Dense(3, "softmax"), loss="NLLLoss"), "'cross_entropy'"),
    "with logits": (lambda: net(loss="BCEWithLogitsLoss"), "'binary_cross_entropy'"),
    "accuracy as the loss": (lambda: net(Dense(3, "softmax"), loss="accuracy"), "metrics=[...]"),
    "Input in the list": (lambda: Network([Input(4), Dense(1)]), "inputs=4"),
    "Input before the list": (lambda: Network(Input(4), Dense(1)(Input(4))), "outputs=h"),
    "channels first": (lambda: net(Conv2D(4, 5), inputs=(1, 28, 28)), "images are (height, width, channels) here"),
    "widths": (lambda: Network([4, 16, 1]), "Dense(16, 'relu')"),
    "widths with inputs": (lambda: Network([16, 1], inputs=4), "Dense(16, 'relu')"),
    "list in the list": (lambda: Network([[Dense(3)], Dense(1)], inputs=4), "[*block, Dense(1)]"),
    "name of a layer": (lambda: net("relu"), "Activation('relu')"),
    "module of PyTorch": (lambda: net(Torch(), Dense(1)), "fastnn.CustomLayer"),
    "shape of all samples": (lambda: net(Dense(3), inputs=X.shape), "give inputs=4"),
    "columns in another order": (lambda: framed().predict(frame()[["d", "c", "b", "a"]]), "give X[columns]"),
    "columns in another order to evaluate": (lambda: framed().evaluate(frame()[["b", "a", "c", "d"]], VALUES),
                                             "column 0 was 'a' and is 'b'"),
    "columns in another order to validate": (
        lambda: fit(x=frame(), validation_data=(frame()[["b", "a", "c", "d"]], VALUES)),
        "X of validation_data has the columns"),
    "X turned": (lambda: fit(x=X.T, y=VALUES[:4]), "give X.T"),
    "X as text": (lambda: fit(x=X.astype(str)), "encode text as numbers"),
    "label beyond": (lambda: softmax(y=LABELS * 100), "np.unique(y, return_inverse=True)[1]"),
    "label missing": (lambda: softmax(y=["a", "b", None] * 10), "X[keep], y[keep]"),
    "label NaN": (lambda: softmax(y=np.array([0, 1, np.nan] * 10, object)), "drop or fill such values"),
    "lists of labels": (lambda: fit(Dense(3, "sigmoid"), y=[[0, 1], [2]] * 15), "MultiLabelBinarizer"),
    "sets of labels": (lambda: fit(Dense(3, "sigmoid"), y=[{0, 1}, {2}] * 15), "MultiLabelBinarizer"),
    "softmax with bce": (lambda: softmax(y=LABELS, loss="bce"), "leave out the loss"),
    "class weights of values": (lambda: fit(class_weight={0: 1.0}), "learns 1 value (use sample_weight)"),
    "callback by name": (lambda: fit(callbacks=["early_stopping"]), "EarlyStopping(patience=5)"),
    "function as a callback": (lambda: fit(callbacks=[print]), "LambdaCallback(on_epoch_end=function)"),
    "monitor in short": (lambda: softmax(y=LABELS, validation_split=0.2, callbacks=[EarlyStopping("val_acc")]),
                         "did you mean 'val_accuracy'"),
    "monitor misspelt": (lambda: fit(callbacks=[EarlyStopping("los")]), "did you mean 'loss'"),
    "monitor without validation": (lambda: fit(callbacks=[EarlyStopping("val_loss")]), "give fit validation_data"),
    "paths": (lambda: pictures(x=["a.png"] * 6), "np.asarray(Image.open(path))"),
    "opened pictures": (lambda: pictures(x=[object()] * 6), "np.asarray(Image.open(path))"),
    "picture of other channels": (lambda: pictures(Conv2D(1, 3, "sigmoid", padding="same"), y=IMAGES),
                                  "Conv2D(3, 3, padding='same')"),
    "direction of a class": (lambda: Bidirectional(GRU), "GRU(...)"),
    "shared class": (lambda: Shared(Dense), "Dense(...)"),
    "branches first": (lambda: Parallel(Dense(3), Dense(4)), "Parallel(Concatenate(), "),
    "join by name": (lambda: Parallel("concatenate", Dense(3)), "Parallel(Concatenate(), "),
    "words": (lambda: words([["good", "film"]] * 3), "fastnn.text.Vocabulary.fit(texts)"),
    "a text": (lambda: words("good film"), "fastnn.text.Vocabulary.fit(texts)"),
    "hyperparameter in short": (lambda: fastnn.sweep({"lr": [0.1]}, X, VALUES), "did you mean 'learning_rate'"),
    "text labels in a sweep": (lambda: fastnn.sweep({"width": [4]}, X, ["a", "b", "c"] * 10),
                               "np.unique(y, return_inverse=True)"),
    "hyperparameter misspelt": (lambda: fastnn.sweep({"widht": [4]}, X, VALUES), "did you mean 'width'"),
}


@pytest.mark.parametrize("name", REPAIRS)
def test_an_error_names_the_repair(name):
    call, repair = REPAIRS[name]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert repair in str(caught.value)


ARGUMENTS = {
    "from_logits": (lambda: net(Dense(3), from_logits=True), "Dense(3, 'softmax')"),
    "loss_weights": (lambda: net(loss_weights=[1, 2]), "('mse', 0.1)"),
    "size of a norm": (lambda: BatchNorm(num_features=16), "leave it out"),
    "axis of a norm": (lambda: BatchNorm(axis=-1), "leave it out"),
    "axes of Flatten": (lambda: Flatten(start_dim=1), "leave it out"),
    "length of an Embedding": (lambda: Embedding(9, 4, input_length=10), "leave it out"),
    "relu in a GRU": (lambda: GRU(4, activation="relu"), "Activation('relu')"),
    "average of Adam": (lambda: Adam(use_ema=True), "WeightAverage(0.99)"),
    "trials": (lambda: fastnn.sweep({"width": (4, 8)}, X, VALUES, n_trials=3), "give samples"),
    "folds": (lambda: fastnn.sweep({"width": (4, 8)}, X, VALUES, cv=3), "give folds"),
    "nothing to learn": (lambda: net().fit(X), "'y'"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_of_others_is_answered(name):
    call, repair = ARGUMENTS[name]
    with pytest.raises(TypeError) as caught:
        call()
    assert repair in str(caught.value)


def test_arguments_that_mean_the_same_are_taken():
    assert Dense(3, None) == Dense(3)
    assert Embedding(input_dim=9, output_dim=4) == Embedding(9, 4)
    assert MultiHeadAttention(num_heads=2, key_dim=4) == MultiHeadAttention(2, key_dim=4)
    assert LSTM(4, activation="tanh", recurrent_activation="sigmoid") == LSTM(4)
    assert BatchNorm(affine=True) == BatchNorm()


def test_attributes_that_would_change_nothing_are_refused():
    for name, value, repair in (("loss", "mse", "Network(..., loss='mse')"), ("optimizer", "sgd", "fit(X, y, optimizer"),
                                ("trainable", False, "frozen="), ("learning_rate", 0.1, "optimizer"),
                                ("metrics", ["auc"], "fit(X, y, metrics")):
        with pytest.raises(AttributeError, match=re.escape(repair)):
            setattr(net(), name, value)


def test_layers_stay_as_they_are():
    with pytest.raises(AttributeError, match=re.escape("frozen=['0.*']")):
        net().layers[0].trainable = False
    with pytest.raises(AttributeError, match="make another one"):
        net().layers[0].activation = "relu"


def test_columns_by_another_name_or_without_names_are_taken():
    made, table = framed(), frame()
    for other in (table, table.rename(columns={"a": "first"}), X):
        assert np.array_equal(made.predict(other), made.predict(X))


def test_a_lazy_frame_is_told_to_collect():
    pl = pytest.importorskip("polars", reason="a peer of pandas")
    with pytest.raises(ValueError, match=re.escape("give X.collect()")):
        fit(x=pl.DataFrame(X).lazy())


def test_attributes_of_others_are_answered():
    history, sweep = fit(epochs=2), fastnn.sweep({"width": [2, 3]}, X, VALUES, epochs=1)
    for thing, kind in ((history, "History"), (sweep, "Sweep"), (Dense(3), "Layer")):
        for name, advice in ATTRIBUTES[kind].items():
            with pytest.raises(AttributeError) as caught:
                getattr(thing, name)
            assert advice in str(caught.value)
            assert not hasattr(thing, name)
        with pytest.raises(AttributeError, match=f"'{type(thing).__name__}' object has no attribute 'nothing'"):
            _ = thing.nothing


@pytest.mark.parametrize("module", NAMES_OF_MODULES)
def test_names_of_modules_are_answered(module):
    module = pytest.importorskip(module, reason="needs an extra")
    for name, advice in NAMES_OF_MODULES[module.__name__].items():
        with pytest.raises(AttributeError) as caught:
            getattr(module, name)
        assert advice in str(caught.value)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module.nothing


def test_a_history_is_a_dict():
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    history = softmax(y=LABELS, epochs=3)
    assert isinstance(history, dict)
    table = pd.DataFrame(history)
    assert list(table.columns) == ["loss", "accuracy"]
    assert table["loss"].tolist() == history["loss"]


def shuffled():
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    return pd.DataFrame(X), pd.Series(VALUES).sample(frac=1.0, random_state=0)


DOUBTS = {
    "rows in another order": (lambda: fit(x=shuffled()[0], y=shuffled()[1]), "y.loc[X.index]"),
    "values beyond tanh": (lambda: fit(Dense(1, "tanh"), y=10 * VALUES), "between -1 and 1"),
    "values below relu": (lambda: fit(Dense(1, "relu")), "end the network with Dense(1)"),
    "bytes as floats": (lambda: pictures(x=(255 * IMAGES).round()), "Rescale(1 / 255)"),
    "bytes as integers": (lambda: pictures(x=(255 * IMAGES).astype(int)), "Rescale(1 / 255)"),
    "batches of one": (lambda: fit(BatchNorm(), Dense(1), batch_size=1), "LayerNorm()"),
    "no derivative": (lambda: fastnn.register_activation("wrong_slope", lambda z: z * z, lambda z, a: 3.0),
                      "check_gradients"),
    "no derivative of a loss": (
        lambda: fastnn.register_loss("wrong_loss", lambda a, y: (a - y) * (a - y), lambda a, y: y - a), "check_gradients"),
    "targets that are not read": (lambda: fit(loss="output"), "y=None"),
    "targets of an output that are not read": (
        lambda: two_outputs(loss={"a": "squared_error", "b": "output"}).fit(X, {"a": VALUES, "b": VALUES}), "y=None"),
    "channels first": (lambda: pictures(Conv2D(2, 3, padding="same"), Flatten(), Dense(3, "softmax"), inputs=(3, 16, 20),
                                        x=GENERATOR.random((6, 3, 16, 20))), "X.transpose(0, 2, 3, 1)"),
    "features first": (lambda: pictures(Conv1D(2, 3, padding="same"), Flatten(), Dense(3, "softmax"), inputs=(2, 20),
                                        x=GENERATOR.random((6, 2, 20))), "X.transpose(0, 2, 1)"),
    "padded sequences": (lambda: voices(x=np.concatenate([GENERATOR.normal(size=(6, 4, 2)), np.zeros((6, 3, 2))], axis=1)),
                         "Sequences.from_padded"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_a_warning_names_the_repair(name):
    call, repair = DOUBTS[name]
    assert_warning_names(repair, call, __file__)


def test_no_warning_without_a_doubt():
    X_frame, y = shuffled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(x=X_frame, y=y.loc[X_frame.index])
        fit(x=X_frame, y=y.reset_index(drop=True))
        fit(x=X_frame, y=y.to_numpy())
        fit(Dense(1, "tanh"), y=np.tanh(VALUES))
        fit(Dense(1, "softplus"), y=np.abs(VALUES))
        fit(BatchNorm(), Dense(1), batch_size=2)
        fit(y=None, loss="output")
        fit(y=np.zeros(30), loss="output")
        pictures(Rescale(1 / 255), Flatten(), Dense(3, "softmax"), x=(255 * IMAGES).round())
        pictures(x=(IMAGES > 0.5).astype(float))
        pictures(Conv2D(2, 1), Flatten(), Dense(3, "softmax"), inputs=(1, 40, 16), x=GENERATOR.random((6, 1, 40, 16)))
        fastnn.register_activation("clipped", lambda z: max(0.0, min(1.0, z)), lambda z, a: 1.0 if 0.0 < z < 1.0 else 0.0)


def test_a_frame_of_steps_is_shown_how_to_group_them():
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    frame = pd.DataFrame({"series": [0, 0, 1], "a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match=r"groupby\(X\[key\]\)"):
        voices(x=frame, y=[0, 1])
    key = "series"
    voices(x=[steps.to_numpy() for _, steps in frame.drop(columns=key).groupby(frame[key])], y=[0, 1])


def test_tables():
    tables = pytest.importorskip("fastnn.tables", reason="tables need the extra cli")
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    frame = pd.DataFrame({"a": VALUES, "b": X[:, 0]})
    for options, repair in (({"epochs": 3}, "Recipe(epochs=20)"), ({"test_size": 0.3}, "Recipe(epochs=20)"),
                            ({"drop": ["b"]}, "table.drop(columns"), ({"problem_type": "regression"}, "Recipe(task=")):
        with pytest.raises(TypeError) as caught:
            tables.train(frame, "a", **options)
        assert repair in str(caught.value)
    with pytest.raises(ValueError, match="the first line of a file must have the names"):
        tables.train(frame.rename(columns={"a": "0.125", "b": "-1.75"}), "a")
    result = tables.train(frame, "a", tables.Recipe(members=1, epochs=1, layers=[Dense(2)]))
    for thing, kind in ((result, "Result"), (result.model, "TableModel")):
        for name, advice in ATTRIBUTES[kind].items():
            with pytest.raises(AttributeError) as caught:
                getattr(thing, name)
            assert advice in str(caught.value)


@pytest.mark.parametrize(("line", "repair"), [
    (["evaluate", "m.safetensors", "t.csv"], "fastnn predict MODEL FILE --evaluate"), (["fit", "t.csv"], "'train'"),
    (["train", "t.csv", "--target", "a", "--lr", "0.1"], "--learning-rate"),
    (["train", "t.csv", "--target", "a", "--hidden", "64"], "--layers 64-64"),
    (["train", "t.csv", "--target", "a", "--layers", "64", "64"], "--layers 64-64"),
    (["train", "t.csv", "--target", "a", "-o", "m.onnx"], "m.safetensors"),
    (["train", "m.safetensors", "--target", "a"], "fastnn predict m.safetensors NEW.csv"),
], ids=["evaluate", "fit", "rate", "hidden", "layers", "file of ONNX", "model as the table"])
def test_commands(line, repair, capsys, monkeypatch, tmp_path):
    from fastnn import cli

    monkeypatch.chdir(tmp_path)
    try:
        status = cli.main(line)
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr().err
    assert status in (1, 2)
    assert repair in said
    assert len(said.splitlines()) <= 2


def test_help_is_a_command(capsys):
    from fastnn import cli

    with pytest.raises(SystemExit) as stop:
        cli.main(["help"])
    assert stop.value.code == 0
    assert "demo" in capsys.readouterr().out


def test_a_layer_of_keras_is_told_how_one_is_made():
    class Scaled(CustomLayer):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="register_layer"):
        net(Scaled(), Dense(1))
