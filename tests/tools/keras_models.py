"""Make the files of tests/data/keras: models that Keras wrote, with random weights, and what Keras predicts with them.

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/tools/keras_models.py [folder]

It needs keras and jax (the stored files are from Keras 3.15.1). Of Keras' backends, torch counts the padding of average
pools with padding="same", and TensorFlow and JAX do not. `predictions.npz` has the arrays
"NAME.x" and "NAME.y" for the files NAME.keras and, of some, NAME.h5.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers as k

FOLDER = Path(__file__).parents[1] / "data" / "keras"
LEGACY = "images", "series", "table", "recurrent"  # also written as .h5


def chain(inputs, layers, dtype="float32"):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    return keras.Sequential([keras.Input(inputs), *(layer() for layer in layers)])


def functional():
    inputs = keras.Input((6,), name="numbers")
    hidden = k.Dense(5, activation="gelu")(inputs)
    hidden = k.LayerNormalization(epsilon=0.01, center=False)(hidden)
    return keras.Model(inputs, k.Dense(2, activation="sigmoid", use_bias=False)(hidden))


def nested():
    block = keras.Sequential([k.Conv2D(3, 3, use_bias=False), k.BatchNormalization(scale=False), k.Activation("swish")])
    return keras.Sequential([keras.Input((7, 7, 2)), k.Conv2D(2, 1), block, k.Conv2D(4, 2), k.Flatten(),
                             keras.Sequential([k.Dense(3), k.Dense(2)])])


MODELS = {
    "images": lambda: chain((9, 8, 3), [
        lambda: k.Rescaling(1 / 255, offset=-0.5),
        lambda: k.Conv2D(4, 3, strides=2, padding="same", activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)),
        lambda: k.BatchNormalization(), lambda: k.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False),
        lambda: k.Activation("silu"), lambda: k.SpatialDropout2D(0.3), lambda: k.MaxPooling2D(2, padding="same"),
        lambda: k.Conv2D(6, (2, 3), padding="same", groups=2, dilation_rate=(1, 2)),
        lambda: k.GroupNormalization(3, epsilon=0.1), lambda: k.LeakyReLU(negative_slope=0.01), lambda: k.Flatten(),
        lambda: k.Dense(5, activation="softmax")]),
    "decoder": lambda: chain((5,), [
        lambda: k.Dense(12, activation="elu"), lambda: k.Reshape((2, 3, 2)),
        lambda: k.Conv2DTranspose(3, (3, 2), strides=2, padding="same", activation="tanh"),
        lambda: k.Conv2DTranspose(2, 3, strides=2, use_bias=False), lambda: k.UpSampling2D((1, 2)),
        lambda: k.ZeroPadding2D(((1, 0), (2, 1))), lambda: k.SeparableConv2D(2, 3, depth_multiplier=2, activation="selu"),
        lambda: k.AveragePooling2D((3, 2), strides=(1, 2), padding="same"), lambda: k.Dense(3, activation="relu"),
        lambda: k.GlobalMaxPooling2D(keepdims=True), lambda: k.ReLU()]),
    "series": lambda: chain((20, 3), [
        lambda: k.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="softplus"), lambda: k.ZeroPadding1D((2, 1)),
        lambda: k.AveragePooling1D(2, padding="same"), lambda: k.SeparableConv1D(5, 3, padding="same"),
        lambda: k.DepthwiseConv1D(2, strides=2), lambda: k.MaxPooling1D(2, strides=1), lambda: k.Dense(4),
        lambda: k.LayerNormalization(), lambda: k.GlobalAveragePooling1D(), lambda: k.Dense(1, activation="sigmoid")]),
    "table": lambda: chain((4,), [
        lambda: k.Normalization(), lambda: k.Dense(8, activation="relu"), lambda: k.Dropout(0.5),
        lambda: k.BatchNormalization(momentum=0.8, epsilon=1e-4), lambda: k.Dense(3), lambda: k.Softmax()]),
    "float64": lambda: chain((4, 4, 1), [
        lambda: k.Normalization(axis=None, mean=0.5, variance=2.0), lambda: k.Conv2D(3, 2, activation="gelu"),
        lambda: k.RandomFlip("horizontal"), lambda: k.GaussianNoise(0.1), lambda: k.GlobalAveragePooling2D(),
        lambda: k.Dense(2)], "float64"),
    "functional": functional,
    "nested": nested,
    "recurrent": lambda: chain((None, 3), [
        lambda: k.Bidirectional(k.LSTM(4, return_sequences=True, dropout=0.1)),
        lambda: k.GRU(5, return_sequences=True, recurrent_dropout=0.2), lambda: k.Dense(6, activation="tanh"),
        lambda: k.Bidirectional(k.GRU(3, reset_after=False, return_sequences=True), merge_mode="mul"),
        lambda: k.SimpleRNN(4, activation="relu", use_bias=False, go_backwards=True),
        lambda: k.Dense(2, activation="softmax")]),
    "steps": lambda: chain((7, 3), [
        lambda: k.LSTM(4, return_sequences=True, unit_forget_bias=False), lambda: k.LayerNormalization(),
        lambda: k.Bidirectional(k.SimpleRNN(3, return_sequences=True), merge_mode="ave"),
        lambda: k.GRU(5, return_sequences=True)]),
    "tokens": lambda: chain((9,), [lambda: k.Embedding(11, 4), lambda: k.GRU(5, go_backwards=True), lambda: k.Dense(1)]),
}


def randomize(model, seed):
    """Give each variable random numbers; variances are positive."""
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed" in variable.path or "count" in variable.path:
            continue
        values = generator.normal(size=variable.shape) * (0.5 if len(variable.shape) > 1 else 0.3)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    for layer in model.layers:
        if isinstance(layer, k.Normalization) and layer.input_mean is None:
            layer.finalize_state()


def main(folder=FOLDER):
    folder, arrays = Path(folder), {}
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, make) in enumerate(MODELS.items()):
        model = make()
        randomize(model, seed)
        shape = [7 if size is None else size for size in model.input_shape[1:]]
        x = np.random.default_rng(seed).uniform(0, {"images": 255, "tokens": 11}.get(name, 2), (3, *shape))
        x = np.floor(x) if name == "tokens" else x
        arrays[f"{name}.x"] = x.astype("float64" if name == "float64" else "float32")
        arrays[f"{name}.y"] = np.asarray(model.predict(arrays[f"{name}.x"], verbose=0))
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        model.save(folder / f"{name}.keras")
        if name in LEGACY:
            model.save(folder / f"{name}.h5")
    np.savez_compressed(folder / "predictions.npz", **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
