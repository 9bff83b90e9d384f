"""Wherever an exception strikes, as Ctrl-C may, what comes after it is what a fresh process gives.

FASTNN_TEST_SEED and FASTNN_TEST_CASES set the places and how many score there are for each kind of work.
"""

import copy
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from places import Places
from struck import X, Y, everything, first_weights, network
from struck import settings as settings_of_process

from fastnn import LBFGS, Adam, CSVLogger, Dense, EarlyStopping, ModelCheckpoint, Network, Population, check_gradients
from fastnn.program import forward
from fastnn.runtime import threads
from fastnn.sklearn import NetworkClassifier

SEED, CASES = int(os.environ.get("FASTNN_TEST_SEED", "0")), int(os.environ.get("FASTNN_TEST_CASES", "2"))


MANY = np.tile(X, (100, 1))


@pytest.fixture(autouse=True)
def awake(monkeypatch):
    """Threads share what there is to do, however little."""
    monkeypatch.setattr(threads, "WAKING", 0)
    monkeypatch.setattr(forward, "FLOPS_PER_PART", 1)


@pytest.fixture(scope="module")
def fresh():
    """What a fresh process comes to, and what the settings of this one are before anything has struck."""
    run = subprocess.run([sys.executable, "struck.py"], cwd=Path(__file__).parents[1] / "support", capture_output=True,
                         text=True, timeout=1800)
    assert run.returncode == 0, run.stderr
    assert everything() == run.stdout.strip()
    return run.stdout.strip(), settings_of_process()


def trained():
    net = network(1)
    net.fit(X, Y, epochs=2, progress=False)
    return net


class Works:
    """What is struck. `net` is a trained network, which lies in files in a folder; `touched` are those that a work fits."""

    def __init__(self, folder):
        self.net, self.folder, self.touched = trained(), folder, []
        self.file, self.checkpoint = folder / "net.safetensors", folder / "run.safetensors"
        self.net.save(self.file)
        self.net.save_checkpoint(self.checkpoint)

    def fit(self, one=None, **options):
        one = network(4) if one is None else one
        self.touched += one if isinstance(one, Population) else [one]
        one.fit(X, Y, **{"epochs": 2, "progress": False, **options})

    def fit_with_callbacks(self):
        kept = ModelCheckpoint(self.folder / "a.safetensors", full=True)
        self.fit(validation_data=(X, Y), callbacks=[EarlyStopping(patience=1, restore_best=True), kept,
                                                    CSVLogger(self.folder / "a.csv")])

    def fit_smooth(self):
        net = Network([Dense(4, "tanh"), Dense(3, "softmax")], inputs=5)
        self.fit(net, epochs=1, optimizer=LBFGS(max_iterations=3))


WORKS = {
    "making": lambda works: network(4),
    "load": lambda works: Network.load(works.file),
    "load_checkpoint": lambda works: Network.load_checkpoint(works.checkpoint),
    "save": lambda works: works.net.save(works.folder / "other.safetensors"),
    "save_checkpoint": lambda works: works.net.save_checkpoint(works.folder / "other.safetensors"),
    "deepcopy": lambda works: copy.deepcopy(works.net),
    "pickle": lambda works: pickle.loads(pickle.dumps(works.net)),
    "astype": lambda works: works.net.astype("float64"),
    "fit": lambda works: works.fit(),
    "fit, not bounded": lambda works: works.fit(optimizer=Adam(epsilon=1e-12)),
    "fit, callbacks": Works.fit_with_callbacks,
    "fit, resumed": lambda works: works.fit(Network.load_checkpoint(works.checkpoint), epochs=4, resume=True),
    "fit, L-BFGS": Works.fit_smooth,
    "population": lambda works: works.fit(Population([network(2), network(3)])),
    "threads": lambda works: works.net.forward(MANY, threads=2),
    "predictions": lambda works: (works.net.predict(X), works.net.forward(X[:1]), works.net.evaluate(X, Y)),
    "other numbers": lambda works: works.net.forward(np.full((3, 5), 1e300)[:, ::-1].astype(object) * 0),
    "compiled": lambda works: works.net.compiled(),
    "check_gradients": lambda works: check_gradients(works.net, X[:2], Y[:2], max_checks=2),
    "estimator": lambda works: NetworkClassifier((4,), max_iter=2, early_stopping=True).fit(X, Y).predict(X),
}


def strike(name, fresh, folder, places, every=1):
    """Strike the work of that name at these places, given how many there are; returns how many struck.

    After one of `every` so many, all that a process makes is looked at. What the exception's traceback keeps alive stays so
    meanwhile, as in a session where somebody looks at it.
    """
    (digest, settings), works, wrong, strikes, weights = fresh, Works(folder), {}, 0, first_weights()

    def work():
        works.touched.clear()
        WORKS[name](works)

    work()  # with kernels that are loaded
    for number, place in enumerate(places(Places().run(work).passed)):
        struck = Places(place).run(work)
        changed = [what for what, value in settings_of_process().items() if value != settings[what]]
        for net in works.touched:
            net.fit(X, Y, progress=False)
        if first_weights() != weights or (number % every == 0 and everything() != digest):
            changed.append("what is made anew")
        if not all(np.isfinite(net.forward(X)).all() for net in [works.net, *works.touched]):
            changed.append("predictions")
        strikes += struck.error is not None
        if changed:
            wrong[struck.where()] = changed
    assert wrong == {}
    return strikes


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Training interrupted by user")
@pytest.mark.parametrize("name", WORKS)
def test_what_comes_afterwards(name, fresh, tmp_path):
    moments = random.Random(SEED)
    strike(name, fresh, tmp_path, lambda count: [moments.randint(1, count) for _ in range(20 * CASES)], every=20)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Training interrupted by user")
@pytest.mark.parametrize("name", WORKS)
def test_what_comes_after_every_place(name, fresh, tmp_path, capsys):
    """Each place in turn; where there are more than FASTNN_TEST_PLACES, every so many-th."""
    most = int(os.environ.get("FASTNN_TEST_PLACES", "2000"))
    strikes = strike(name, fresh, tmp_path, lambda count: range(1, count + 1, -(-count // most)))
    with capsys.disabled():
        print(f"\n{name}: {strikes} exceptions")
