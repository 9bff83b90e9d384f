"""Make the files of this folder and the predictions of their networks: `python make.py FOLDER` at commit 4c35ca9."""

import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from fastnn import (
    LBFGS,
    Activation,
    Adam,
    AdamW,
    BatchNorm,
    Callback,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    LayerNorm,
    Network,
    Population,
    ReduceLROnPlateau,
)
from fastnn.sklearn import NetworkClassifier, NetworkRegressor
from fastnn.tables import Recipe, train


class StopInTheMiddle(Callback):
    def on_train_batch_end(self, batch, logs):
        if batch == 1 and len(self.network.history.epochs) == 2:
            self.network.stop_training = True


def arrays(name, net):
    return {f"{name}/{each}": view for each, view in {**net.parameters, **net.state}.items()}


def main(folder):
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    y = (X[:, 0] > 0).astype(int)
    expected = {"X": X, "y": y}

    layers = [Dense(6, "relu"), BatchNorm(), Dropout(0.1), LayerNorm(), Activation("tanh"), Dense(2, "softmax", l2=0.01)]
    net = Network(layers, inputs=4, seed=3)
    options = {"epochs": 3, "batch_size": 16, "validation_data": (X[:9], y[:9])}
    history = net.fit(X, y, optimizer=Adam(CosineDecay(0.05, 100), clip_norm=1.0),
                      callbacks=[EarlyStopping("loss", patience=9), StopInTheMiddle()], **options)
    net.save(folder / "network.safetensors")
    net.save_checkpoint(folder / "checkpoint.safetensors")
    net64 = net.astype("float64")
    net64.save(folder / "network64.safetensors")
    expected |= {"network": net.forward(X), "network64": net64.forward(X), "history": history["loss"]}
    expected |= arrays("in network", net) | arrays("in network64", net64)

    frame = pd.DataFrame(X, columns=list("abcd")).assign(word=np.where(X[:, 1] > 0, "left", "right"))
    recipe = Recipe(epochs=3, layers=(Dense(5, "relu"),))
    table = train(frame.assign(y=np.where(y, "yes", "no")), "y", recipe).model
    values = train(frame.assign(y=X[:, 0] * 3), "y", recipe).model
    table.save(folder / "table.safetensors")
    values.save(folder / "table_values.safetensors")
    expected |= {"table": table.predict(frame).astype(str), "table_values": values.predict(frame)}

    classifier = NetworkClassifier((4,), max_iter=5, random_state=0).fit(X, y)
    regressor = NetworkRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=5, random_state=0).fit(X, X[:, 0])
    population = Population([Network([Dense(2, "softmax")], inputs=4, seed=seed) for seed in range(2)])
    population.fit(X, y, epochs=2)
    objects = {
        "network": net, "history": history, "classifier": classifier, "regressor": regressor, "population": population,
        "table": table, "schedule": CosineDecay(0.1, 10), "lbfgs": LBFGS(), "optimizer": AdamW(0.1),
        "layers": [Dense(3), BatchNorm(), LayerNorm(), Dropout(0.5), Activation("relu")],
        "callback": ReduceLROnPlateau("loss"),
    }
    (folder / "objects.pickle").write_bytes(pickle.dumps(objects, protocol=4))
    expected |= {"classifier": classifier.predict_proba(X), "regressor": regressor.predict(X),
                 "population": population.forward(X), "rates": CosineDecay(0.1, 10).rates(np.arange(1, 12))}
    expected |= arrays("in classifier", classifier.network_) | arrays("in regressor", regressor.network_)

    resumed = Network.load_checkpoint(folder / "checkpoint.safetensors")
    history = resumed.fit(X, y, resume=True, callbacks=[EarlyStopping("loss", patience=9)], **options)
    expected |= {"resumed history": history["val_loss"]} | arrays("in resumed", resumed)
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
