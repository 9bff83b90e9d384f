"""After an exception at any place, as of Ctrl-C, a process gives the results of a new process.

FASTNN_TEST_SEED sets the places; FASTNN_TEST_CASES is their number for each operation, divided by 20.
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
from process_state import X, Y, first_weights, network, process_settings, results_digest

from fastnn import LBFGS, Adam, CSVLogger, Dense, EarlyStopping, ModelCheckpoint, Network, Population, check_gradients
from fastnn.program import forward
from fastnn.runtime import threads
from fastnn.sklearn import NetworkClassifier

SEED, CASES = int(os.environ.get("FASTNN_TEST_SEED", "0")), int(os.environ.get("FASTNN_TEST_CASES", "2"))
MANY = np.tile(X, (100, 1))


@pytest.fixture(autouse=True)
def always_threaded(monkeypatch):
    """Make threads share even small work."""
    monkeypatch.setattr(threads, "WAKING", 0)
    monkeypatch.setattr(forward, "FLOPS_PER_PART", 1)


@pytest.fixture(scope="module")
def fresh():
    """Return the digest of a new process, and the settings of this process before any exception."""
    run = subprocess.run([sys.executable, "process_state.py"], cwd=Path(__file__).parents[1] / "support",
                         capture_output=True, text=True, timeout=1800)
    assert run.returncode == 0, run.stderr
    assert results_digest() == run.stdout.strip()
    return run.stdout.strip(), process_settings()


def trained():
    net = network(1)
    net.fit(X, Y, epochs=2, progress=False)
    return net


class Operations:
    """The operations to interrupt. `net` is trained and saved in a folder; `fitted` holds the networks that are fitted."""

    def __init__(self, folder):
        self.net, self.folder, self.fitted = trained(), folder, []
        self.file, self.checkpoint = folder / "net.safetensors", folder / "run.safetensors"
        self.net.save(self.file)
        self.net.save_checkpoint(self.checkpoint)

    def fit(self, one=None, **options):
        one = network(4) if one is None else one
        self.fitted += one if isinstance(one, Population) else [one]
        one.fit(X, Y, **{"epochs": 2, "progress": False, **options})

    def fit_with_callbacks(self):
        kept = ModelCheckpoint(self.folder / "a.safetensors", full=True)
        self.fit(validation_data=(X, Y), callbacks=[EarlyStopping(patience=1, restore_best=True), kept,
                                                    CSVLogger(self.folder / "a.csv")])

    def fit_lbfgs(self):
        net = Network([Dense(4, "tanh"), Dense(3, "softmax")], inputs=5)
        self.fit(net, epochs=1, optimizer=LBFGS(max_iterations=3))


OPERATIONS = {
    "initialization": lambda ops: network(4),
    "load": lambda ops: Network.load(ops.file),
    "load_checkpoint": lambda ops: Network.load_checkpoint(ops.checkpoint),
    "save": lambda ops: ops.net.save(ops.folder / "other.safetensors"),
    "save_checkpoint": lambda ops: ops.net.save_checkpoint(ops.folder / "other.safetensors"),
    "deepcopy": lambda ops: copy.deepcopy(ops.net),
    "pickle": lambda ops: pickle.loads(pickle.dumps(ops.net)),
    "astype": lambda ops: ops.net.astype("float64"),
    "fit": lambda ops: ops.fit(),
    "fit, unbounded optimizer": lambda ops: ops.fit(optimizer=Adam(epsilon=1e-12)),
    "fit, callbacks": Operations.fit_with_callbacks,
    "fit, resumed": lambda ops: ops.fit(Network.load_checkpoint(ops.checkpoint), epochs=4, resume=True),
    "fit, L-BFGS": Operations.fit_lbfgs,
    "population": lambda ops: ops.fit(Population([network(2), network(3)])),
    "threads": lambda ops: ops.net.forward(MANY, threads=2),
    "predictions": lambda ops: (ops.net.predict(X), ops.net.forward(X[:1]), ops.net.evaluate(X, Y)),
    "converted input": lambda ops: ops.net.forward(np.full((3, 5), 1e300)[:, ::-1].astype(object) * 0),
    "compiled": lambda ops: ops.net.compiled(),
    "check_gradients": lambda ops: check_gradients(ops.net, X[:2], Y[:2], max_checks=2),
    "estimator": lambda ops: NetworkClassifier((4,), max_iter=2, early_stopping=True).fit(X, Y).predict(X),
}


def interrupt(name, fresh, folder, places, every=1):
    """Interrupt an operation at the places of places(number of places); return the number of exceptions raised.

    Full results are compared after every `every`-th place, first weights after each. The exception's traceback stays alive
    meanwhile, as in an interactive session.
    """
    (digest, settings), ops, wrong, raised, weights = fresh, Operations(folder), {}, 0, first_weights()

    def work():
        ops.fitted.clear()
        OPERATIONS[name](ops)

    work()  # loads the kernels
    for number, place in enumerate(places(Places().run(work).passed)):
        places_run = Places(place).run(work)
        changed = [what for what, value in process_settings().items() if value != settings[what]]
        for net in ops.fitted:
            net.fit(X, Y, progress=False)
        if first_weights() != weights or (number % every == 0 and results_digest() != digest):
            changed.append("new results")
        if not all(np.isfinite(net.forward(X)).all() for net in [ops.net, *ops.fitted]):
            changed.append("predictions")
        raised += places_run.error is not None
        if changed:
            wrong[places_run.where()] = changed
    assert wrong == {}
    return raised


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Training interrupted by user")
@pytest.mark.parametrize("name", OPERATIONS)
def test_results_after_an_exception(name, fresh, tmp_path):
    moments = random.Random(SEED)
    interrupt(name, fresh, tmp_path, lambda count: [moments.randint(1, count) for _ in range(20 * CASES)], every=20)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Training interrupted by user")
@pytest.mark.parametrize("name", OPERATIONS)
def test_results_after_an_exception_at_every_place(name, fresh, tmp_path, capsys):
    """All places in turn, or about FASTNN_TEST_PLACES evenly spaced ones."""
    most = int(os.environ.get("FASTNN_TEST_PLACES", "2000"))
    raised = interrupt(name, fresh, tmp_path, lambda count: range(1, count + 1, -(-count // most)))
    with capsys.disabled():
        print(f"\n{name}: {raised} exceptions")
