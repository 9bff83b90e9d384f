"""Networks from files of Keras: the outputs are those of Keras, and what has no counterpart is refused by name.

The files in tests/data/keras were written by Keras (`tests/tools/keras_models.py`).
"""

import io
import json
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Activation,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    ModelFormatError,
    Network,
    RandomFlip,
    SimpleRNN,
)
from fastnn.keras.configuration import read_names
from fastnn.keras.weights import snake_case

h5py = pytest.importorskip("h5py", reason='files of Keras need the extra: pip install "fastnn-numba[keras]"')

DATA = Path(__file__).parents[1] / "data" / "keras"
FILES = sorted([*DATA.glob("*.keras"), *DATA.glob("*.h5")])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_outputs_are_those_of_keras(path):
    arrays = np.load(DATA / "predictions.npz")
    x, y = arrays[f"{path.stem}.x"], arrays[f"{path.stem}.y"]
    net = fastnn.load_keras(path)
    x = x.astype(int) if net.tokens else x
    assert net.dtype == str(y.dtype)
    np.testing.assert_allclose(net.forward(x), y.reshape(len(y), -1), rtol=1e-6, atol=1e-6 * np.abs(y).max())


def test_all_files_are_tried():
    assert len(FILES) == 14


def test_options_are_those_of_the_model():
    net = fastnn.load_keras(DATA / "images.keras")
    assert net.layers[1] == Conv2D(4, 3, "relu", stride=2, padding="same", l2=0.01)
    assert net.layers[2] == BatchNorm(0.99, 1e-3)
    assert net.loss == "cross_entropy"
    assert fastnn.load_keras(DATA / "float64.keras").layers[2] == RandomFlip()


def test_recurrent_layers_and_tokens():
    net = fastnn.load_keras(DATA / "recurrent.keras")
    assert net.layers[:4] == (LSTM(4, return_sequences=True, dropout=0.1),
                              LSTM(4, return_sequences=True, dropout=0.1, reverse=True), Concatenate(),
                              GRU(5, return_sequences=True, recurrent_dropout=0.2))
    assert net.layers[-2] == SimpleRNN(4, nonlinearity="relu", reverse=True)
    assert net.input_shapes == {"input": (None, 3)}
    steps = fastnn.load_keras(DATA / "steps.keras", inputs=(None, 3))  # of any length, with outputs at each step
    x = np.load(DATA / "predictions.npz")["steps.x"]
    fixed = fastnn.load_keras(DATA / "steps.keras").forward(x)
    assert np.array_equal(np.stack([*steps.forward(x)]).reshape(len(x), -1), fixed)
    assert fastnn.load_keras(DATA / "tokens.keras").tokens == 11


def edited(tmp_path, change, name="images", members=None):
    """Write a .keras file with its configuration changed, and other members; return its path."""
    with zipfile.ZipFile(DATA / f"{name}.keras") as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    config = json.loads(held["config.json"])
    change(config)
    held["config.json"] = json.dumps(config).encode()
    path = tmp_path / "edited.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in (held | (members or {})).items():
            archive.writestr(each, data)
    return path


def layer(config, kind):
    return next(each for each in config["config"]["layers"] if each["class_name"] == kind)


def option(kind, **options):
    return lambda config: layer(config, kind)["config"].update(options)


def replaced(kind, by):
    return lambda config: layer(config, kind).update(class_name=by)


def policy(name):
    def change(config):
        for each in config["config"]["layers"]:
            each["config"]["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}}
    return change


@pytest.mark.parametrize(("change", "says"), [
    (replaced("SpatialDropout2D", "Lambda"), "'spatial_dropout2d', 'Lambda', cannot be taken: no layer here computes that"),
    (replaced("Flatten", "PReLU"), "'PReLU', cannot be taken: no layer here computes that"),
    (replaced("BatchNormalization", "ConvLSTM2D"), "'ConvLSTM2D', cannot be taken"),
    (replaced("BatchNormalization", "LSTM"), "takes sequences"),
    (option("Conv2D", data_format="channels_first"), "option data_format is 'channels_first'"),
    (option("Flatten", data_format="channels_first"), "option data_format is 'channels_first'"),
    (option("MaxPooling2D", data_format="channels_first"), "option data_format is 'channels_first'"),
    (option("BatchNormalization", axis=1), "option axis is 1; only the last axis"),
    (option("Conv2D", activation="relu6"), "activation 'relu6' is not one that networks here have"),
    (option("Conv2D", activation="leaky_relu"), "'leaky_relu' has the slope 0.2 in Keras"),
    (option("Conv2D", activation="hard_sigmoid"), "'hard_sigmoid' is not one"),
    (option("Conv2D", activation="identity"), None),
    (option("Conv2D", activation={"class_name": "function", "config": "mine", "module": "builtins"}), "of your own code"),
    (option("LeakyReLU", negative_slope=0.3), "slope is 0.3; leaky_relu has the slope 0.01"),
    (option("LeakyReLU", negative_slope=None, alpha=0.3), "slope is 0.3"),
    (option("Rescaling", scale=[1.0, 2.0, 3.0]), "cannot be taken"),
    (option("Conv2D", padding="causal"), "cannot be taken"),
    (option("Conv2D", kernel_size=[5, 3]), r"kernel of 'conv2d.*' has shape \(3, 3, 3, 4\); .* must be \(5, 3, 3, 4\)"),
    (option("Conv2D", filters=2**40), "it must be"),
    (option("Conv2D", use_bias=False), r"has 2 arrays; a Conv2D with its options has 1: kernel"),
    (option("GroupNormalization", scale=False), "has 2 arrays; a GroupNormalization with its options has 1: beta"),
    (option("DepthwiseConv2D", rate_of_something=2), "option rate_of_something is 2, which has no counterpart"),
    (option("SpatialDropout2D", rate=1.5), "cannot be taken"),
    (policy("mixed_float16"), "it computes in 'mixed_float16'"),
    (policy("float16"), "it computes in 'float16'"),
    (lambda config: layer(config, "Dense")["config"].update(dtype="float64"), "in float32 and in float64"),
    (lambda config: layer(config, "Dense").update(registered_name="Custom>Dense"), "of your own code"),
    (lambda config: layer(config, "Dense").update(module="os"), "of your own code"),
    (lambda config: config.update(class_name="Mine"), "it holds a 'Mine'; only Sequential"),
    (lambda config: config.update(config=[1]), "does not describe a model"),
    (lambda config: config["config"].update(layers=[]), "cannot load"),
    (lambda config: layer(config, "InputLayer")["config"].update(batch_shape=[None, None, None, 3]),
     r"samples of any size, \(None, None, 3\); give the size, such as load_keras\(path, inputs=\(28, 28, 3\)\)"),
    (lambda config: layer(config, "InputLayer")["config"].update(batch_shape=[None, "a", 1, 3]), "whole number"),
    (lambda config: layer(config, "Conv2D")["config"].update(name="another"), "by its place those of 'another'"),
])
def test_what_has_no_counterpart_is_refused_by_name(change, says, tmp_path):
    path = edited(tmp_path, change)
    if says is None:
        fastnn.load_keras(path)
        return
    with pytest.raises(ModelFormatError, match=says):
        fastnn.load_keras(path)


@pytest.mark.parametrize(("name", "change", "says"), [
    ("decoder", option("Conv2DTranspose", output_padding=[1, 1]), "option output_padding is"),
    ("decoder", option("UpSampling2D", interpolation="bilinear"), "option interpolation is 'bilinear'"),
    ("decoder", option("ReLU", max_value=6.0), "option max_value is 6.0"),
    ("decoder", option("ReLU", threshold=0.5), "option threshold is 0.5"),
    ("decoder", option("GlobalMaxPooling2D", keepdims=False), None),
    ("series", option("LayerNormalization", rms_scaling=True), "option rms_scaling is True"),
    ("series", option("LayerNormalization", axis=[1, 2]), "option axis is"),
    ("series", option("LayerNormalization", axis=[2]), None),
    ("table", option("Softmax", axis=0), "option axis is 0"),
    ("table", option("Normalization", invert=True), "option invert is True"),
    ("table", option("Normalization", axis=[0]), "option axis is"),
])
def test_other_options_are_refused_by_name(name, change, says, tmp_path):
    path = edited(tmp_path, change, name)
    if says is None:
        fastnn.load_keras(path)
        return
    with pytest.raises(ModelFormatError, match=says):
        fastnn.load_keras(path)


def test_the_shape_of_a_sample_may_be_given(tmp_path):
    path = edited(tmp_path, lambda config: layer(config, "InputLayer")["config"].update(batch_shape=[None, None, None, 3]))
    assert fastnn.load_keras(path, inputs=(9, 8, 3)).shapes == fastnn.load_keras(DATA / "images.keras").shapes


@pytest.mark.parametrize(("change", "says"), [
    (option("Conv2D", trainable=False), "'conv2d.*' is frozen in Keras and trains here"),
    (option("Dense", bias_regularizer={"class_name": "L2", "config": {"l2": 0.1}}), "bias_regularizer of 'dense.*'"),
    (option("Dense", kernel_regularizer={"class_name": "Mine", "config": {}}), "kernel_regularizer of 'dense.*'"),
    (option("Conv2D", kernel_constraint={"class_name": "MaxNorm", "config": {}}), "kernel_constraint of 'conv2d.*'"),
])
def test_what_affects_training_only_is_said(change, says, tmp_path):
    with pytest.warns(UserWarning, match=f"{says}.*only further training"):
        net = fastnn.load_keras(edited(tmp_path, change))
    arrays = np.load(DATA / "predictions.npz")
    np.testing.assert_allclose(net.forward(arrays["images.x"]), arrays["images.y"], rtol=1e-6)


def test_a_registered_activation_is_found_by_its_name(tmp_path):
    path = edited(tmp_path, option("Conv2D", activation="quartered_of_keras"))
    with pytest.raises(ModelFormatError, match="quartered_of_keras"):
        fastnn.load_keras(path)
    fastnn.register_activation("quartered_of_keras", lambda z: 0.25 * z, lambda z, a: 0.25)
    assert fastnn.load_keras(path).layers[1].activation == "quartered_of_keras"


# Models of Keras 2


def legacy(path, config, arrays):
    """Write an .h5 file as Keras 2 does; arrays: {layer: {"kernel:0": array, …}}."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"2.10.0"
        for name, own in arrays.items():
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"{name}/{each}".encode() for each in own]
            for each, array in own.items():
                group.create_dataset(f"{name}/{each}", data=array)


def keras2(kind, name, **options):
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **options}}


FLAT = [keras2("Dense", "d", batch_input_shape=[None, 3], units=2, activation="relu", use_bias=True,
               kernel_initializer={"class_name": "GlorotUniform", "config": {"seed": None}}, kernel_regularizer=None),
        keras2("Dense", "e", units=1, activation="linear", use_bias=False)]
KERNELS = {"d": {"kernel:0": np.arange(6.0, dtype="f4").reshape(3, 2) - 2, "bias:0": np.array([0.5, -0.5], "f4")},
           "e": {"kernel:0": np.array([[1.0], [2.0]], "f4")}}


def graph_of(layers, nodes):
    """Return the configuration of a functional model of Keras 2; nodes: the names that each layer reads."""
    first = keras2("InputLayer", "i", batch_input_shape=[None, 3])
    listed = [{**each, "name": each["config"]["name"],
               "inbound_nodes": [[[name, 0, 0, {}] for name in names]] if names else []}
              for each, names in zip([first, *layers], [(), *nodes], strict=True)]
    last = listed[-1]["name"]
    return {"class_name": "Functional", "config": {"name": "m", "layers": listed, "input_layers": [["i", 0, 0]],
                                                   "output_layers": [[last, 0, 0]]}}


@pytest.mark.parametrize("config", [
    {"class_name": "Sequential", "config": {"name": "s", "layers": FLAT}}, {"class_name": "Sequential", "config": FLAT},
    graph_of(FLAT, [("i",), ("d",)])], ids=["Sequential", "a list", "Functional"])
def test_files_of_keras_2(config, tmp_path):
    legacy(tmp_path / "a.h5", config, KERNELS)
    net = fastnn.load_keras(tmp_path / "a.h5")
    assert net.layers == (Dense(2, "relu"), Dense(1))
    x = np.random.default_rng(0).normal(size=(5, 3))
    expected = np.maximum(x @ KERNELS["d"]["kernel:0"] + [0.5, -0.5], 0) @ [[1], [2]]
    np.testing.assert_allclose(net.forward(x), expected, rtol=1e-5, atol=1e-6)


def test_a_depthwise_kernel_of_keras_2_and_the_order_of_its_multiples(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(2, 2, 3, 2)).astype("f4")
    layers = [keras2("DepthwiseConv2D", "w", batch_input_shape=[None, 2, 2, 3], kernel_size=[2, 2], strides=[1, 1],
                     padding="valid", data_format="channels_last", dilation_rate=[1, 1], groups=1, activation="linear",
                     use_bias=False, depth_multiplier=2), keras2("Flatten", "f", data_format="channels_last")]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    legacy(tmp_path / "a.h5", config, {"w": {"depthwise_kernel:0": kernel}})
    x = np.random.default_rng(1).normal(size=(1, 2, 2, 3)).astype("f4")
    expected = np.einsum("nhwc,hwcm->ncm", x, kernel).reshape(1, 6)  # output c · multiplier + m
    np.testing.assert_allclose(fastnn.load_keras(tmp_path / "a.h5").forward(x), expected, rtol=1e-5)


@pytest.mark.parametrize("nodes", [[("i",), ("i",)], [("i",), ("d", "i")], [("e",), ("d",)]], ids=str)
def test_a_graph_with_branches_is_refused(nodes, tmp_path):
    legacy(tmp_path / "a.h5", graph_of(FLAT, nodes), KERNELS)
    with pytest.raises(ModelFormatError, match="does not take the layer before it alone; only chains"):
        fastnn.load_keras(tmp_path / "a.h5")


def test_a_graph_with_several_outputs_is_refused(tmp_path):
    config = graph_of(FLAT, [("i",), ("d",)])
    config["config"]["output_layers"] = [["d", 0, 0], ["e", 0, 0]]
    legacy(tmp_path / "a.h5", config, KERNELS)
    with pytest.raises(ModelFormatError, match="its output_layers are"):
        fastnn.load_keras(tmp_path / "a.h5")


def test_what_a_node_of_keras_3_reads():
    def node(*names, **options):
        return {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}} for name in names],
                "kwargs": options}

    assert read_names(node("a", training=False, mask=None)) == ["a"]
    assert read_names(node("a", "b")) == ["a", "b"]
    assert read_names(node("a", training=True)) == []
    assert read_names({"args": [["a", "b"]]}) == []
    assert read_names({"args": [{"config": {"keras_history": ["a", 0, 1]}}]}) == []


def test_names_of_groups_are_those_of_keras():
    assert [snake_case(name) for name in ("Conv2D", "Conv2DTranspose", "GlobalAveragePooling1D", "ReLU", "InputLayer")] == [
        "conv2d", "conv2d_transpose", "global_average_pooling1d", "re_lu", "input_layer"]


# Hostile files


def with_weights(tmp_path, change, name="table"):
    """Write a .keras file whose HDF5 file of weights has been changed by `change(file)`."""
    with zipfile.ZipFile(DATA / f"{name}.keras") as archive:
        data = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(data, "r+") as file:
        change(file)
    return edited(tmp_path, lambda config: None, name, {"model.weights.h5": data.getvalue()})


def moved(make):
    """Return a change of the first Dense layer's kernel: `make(group, array)` makes another "0" in its place."""
    def change(file):
        group = file["layers/dense/vars"]
        array = group["0"][()]
        del group["0"]
        make(group, array)
    return change


def virtual(group, array):
    layout = h5py.VirtualLayout(shape=array.shape, dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=array.shape)
    group.create_virtual_dataset("0", layout)


@pytest.mark.parametrize(("make", "says"), [
    (lambda group, array: group.__setitem__("0", h5py.ExternalLink("other.h5", "/x")), "link to another place"),
    (lambda group, array: group.__setitem__("0", h5py.SoftLink("/layers/dense/vars/1")), "link to another place"),
    (virtual, "does not lie in the file as plain numbers"),
    (lambda group, array: group.create_dataset("0", array.shape, "f4", external=[("other.bin", 0, array.nbytes)]),
     "does not lie in the file as plain numbers"),
    (lambda group, array: group.create_dataset("0", data=array, compression="gzip"), "does not lie in the file as plain"),
    (lambda group, array: group.create_dataset("0", array.shape, "f4", chunks=(1, 1)), "does not lie in the file as plain"),
    (lambda group, array: group.create_dataset("0", (2**30, 2**20), "f4", chunks=(1, 1)), "has shape"),
    (lambda group, array: group.create_dataset("0", data=array.astype("S4")), "must hold real numbers"),
    (lambda group, array: group.create_dataset("0", data=array * np.nan), "holds nan"),
    (lambda group, array: group.create_group("0"), "kernel of 'dense.*' is not in the file"),
    (lambda group, array: None, "has 1 arrays; a Dense with its options has 2"),
    (lambda group, array: group.create_dataset("0", data=array.T), "has shape"),
])
def test_arrays_that_are_not_plain_are_refused(make, says, tmp_path):
    with pytest.raises(ModelFormatError, match=says):
        fastnn.load_keras(with_weights(tmp_path, moved(make)))


@pytest.mark.parametrize("layer", [
    keras2("LayerNormalization", "n", axis=[1], scale=False, center=False),
    keras2("GroupNormalization", "n", axis=-1, groups=1, scale=False, center=False),
    keras2("Normalization", "n", axis=None, mean=0.5, variance=2.0),
    keras2("Normalization", "n", axis=-1, mean=[0.5], variance=[2.0]),
], ids=lambda layer: layer["class_name"])
def test_a_small_file_makes_no_large_network(layer, tmp_path):
    layer = {**layer, "config": {**layer["config"], "batch_input_shape": [None, 2**36]}}
    legacy(tmp_path / "a.h5", {"class_name": "Sequential", "config": {"layers": [layer]}}, {"n": {}})
    with pytest.raises(ModelFormatError, match="channels and no array in the file"):
        fastnn.load_keras(tmp_path / "a.h5")


def test_a_variance_below_zero_is_refused(tmp_path):
    def change(file):
        file["layers/batch_normalization/vars/3"][...] = -1

    with pytest.raises(ModelFormatError, match="moving_variance holds numbers below 0"):
        fastnn.load_keras(with_weights(tmp_path, change))


def test_a_group_that_is_a_link_is_refused(tmp_path):
    def change(file):
        del file["layers/dense"]
        file["layers/dense"] = h5py.ExternalLink("/etc/hostname", "/layers/dense")

    with pytest.raises(ModelFormatError, match="link to another place"):
        fastnn.load_keras(with_weights(tmp_path, change))


@pytest.mark.parametrize("path", [DATA / "table.keras", DATA / "table.h5"], ids=lambda path: path.suffix)
def test_any_damage_is_refused_or_seen(path, tmp_path):
    """Truncated files are refused; a file with a flipped byte is refused, or gives a network of the same layers."""
    data, expected = path.read_bytes(), fastnn.load_keras(path)
    generator, broken = np.random.default_rng(0), tmp_path / path.name
    for size in [0, 3, 9, *generator.integers(10, len(data), 12)]:
        broken.write_bytes(data[:size])
        with pytest.raises(ModelFormatError):
            fastnn.load_keras(broken)
    for place in generator.integers(0, len(data), 60):
        changed = bytearray(data)
        changed[place] ^= 1 << int(generator.integers(8))
        broken.write_bytes(changed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                net = fastnn.load_keras(broken)
        except ModelFormatError:
            continue
        assert [type(each) for each in net.layers] == [type(each) for each in expected.layers]


@pytest.mark.parametrize(("members", "says"), [
    ({"config.json": b"{"}, "cannot load"), ({"config.json": b"[" * 10**6}, "more than are read"),
    ({"config.json": b"null"}, "does not describe a model"), ({"config.json": b"\xff"}, "cannot load"),
    ({"model.weights.h5": b""}, "cannot load"), ({"model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(99)}, "cannot load"),
])
def test_members_that_hold_something_else(members, says, tmp_path):
    with pytest.raises(ModelFormatError, match=says):
        fastnn.load_keras(edited(tmp_path, lambda config: None, members=members))


def test_archives_of_other_kinds(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ModelFormatError, match=r"zip archive of other files; a .keras file holds config.json"):
        fastnn.load_keras(path)
    with zipfile.ZipFile(DATA / "table.keras") as archive, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    with pytest.raises(ModelFormatError, match=r"model.weights.h5 is compressed"):
        fastnn.load_keras(path)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_group("layers/dense/vars")
    with pytest.raises(ModelFormatError, match=r"no architecture, as files of save_weights; it must be"):
        fastnn.load_keras(tmp_path / "w.h5")
    Network([Dense(1)], inputs=2).save(tmp_path / "a.safetensors")
    for other, kind in ((tmp_path / "a.safetensors", "a safetensors file"), (tmp_path, "directory")):
        with pytest.raises(ModelFormatError, match=kind):
            fastnn.load_keras(other)
    with pytest.raises(FileNotFoundError):
        fastnn.load_keras(tmp_path / "missing.keras")


def test_a_model_within_a_model_is_read_from_keras_files_only(tmp_path):
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": FLAT[1:]}}
    legacy(tmp_path / "a.h5", {"class_name": "Sequential", "config": {"layers": [FLAT[0], inner]}}, KERNELS)
    with pytest.raises(ModelFormatError, match=r"a model within a model, which is read from .keras files only"):
        fastnn.load_keras(tmp_path / "a.h5")
    net = fastnn.load_keras(DATA / "nested.keras")
    assert [type(each) for each in net.layers] == [Conv2D, Conv2D, BatchNorm, Activation, Conv2D, Flatten, Dense, Dense]


def test_without_h5py_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn-numba\[keras\]"'):
        fastnn.load_keras(DATA / "images.keras")
