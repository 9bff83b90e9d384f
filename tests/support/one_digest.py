"""Print one SHA-256 of the weights of many networks for each number of threads: `python one_digest.py 1 2 8`; as JSON."""

import hashlib
import json
import sys

import numpy as np

from fastnn import Activation, BatchNorm, Dense, Dropout, LayerNorm, Network, optimizers
from fastnn.runtime import threads


def nets():
    """Return (layers, inputs, batch) of networks with every layer, small and large."""
    yield [Dense(16, "relu"), Dense(16, "tanh"), Dense(2, "softmax")], 4, 8
    yield [Dense(128, "relu"), Dense(10, "softmax")], 784, 64
    normalized = BatchNorm(), Dropout(0.2), Dense(33), LayerNorm(), Activation("silu")
    yield [Dense(65, "gelu"), *normalized, Dense(3, "softmax")], 17, 129
    yield [BatchNorm(), Dense(257, "selu", l1=1e-4, l2=1e-3), Dense(1)], 1031, 37


def digest(count):
    """Return the digest of the weights, the state and the losses of all of them, trained on so many threads."""
    sha = hashlib.sha256()
    for dtype in ("float32", "float64"):
        for number, (layers, inputs, batch) in enumerate(nets()):
            for name in optimizers if number == 2 else ["adam", "sgd"]:
                net, rng = Network(layers, inputs, dtype=dtype, seed=number), np.random.default_rng(number)
                X = rng.normal(size=(3 * batch + 5, inputs))
                y = rng.integers(net.outputs, size=len(X)) if net.is_classifier else rng.normal(size=len(X))
                optimizer = optimizers[name](clip_norm=1.0)
                history = net.fit(X, y, epochs=3, batch_size=batch, optimizer=optimizer, validation_data=(X, y),
                                  threads=count)
                for view in (*net.parameters.values(), *net.state.values(), np.array(history["loss"] + history["val_loss"])):
                    sha.update(view.tobytes())
    return sha.hexdigest()


if __name__ == "__main__":
    threads.WAKING = 0  # however little there is to do
    found = {count: digest(int(count)) for count in sys.argv[1:]}
    print(json.dumps(found))
