"""A network of two inputs and three outputs, and data for it."""

import numpy as np

from fastnn import Chain, Concatenate, Conv2D, Dense, Flatten, Input, Network

rng = np.random.default_rng(0)
N = 43
X = {"image": rng.normal(size=(N, 5, 5, 1)), "table": rng.normal(size=(N, 4))}
Y = {"kind": rng.integers(3, size=N), "value": rng.normal(size=(N, 2)), "yes": rng.integers(2, size=N)}
LOSS = {"yes": None, "kind": "cross_entropy", "value": ("squared_error", 0.3)}  # in any order


def several(dtype="float64", loss=LOSS, **options):
    image, table = Input((5, 5, 1), name="image"), Input(4, name="table")
    eye = Chain(Conv2D(2, 3, "tanh"), Flatten())(image, name="eye")
    h = Dense(8, "tanh")(Concatenate()(eye, Dense(5, "tanh", l2=0.01)(table)), name="both")
    outputs = {"kind": Dense(3, "softmax")(h), "value": Dense(2)(h), "yes": Dense(1, "sigmoid")(Dense(2, "tanh")(h))}
    return Network(inputs=[image, table], outputs=outputs, loss=loss, dtype=dtype, seed=1, **options)
