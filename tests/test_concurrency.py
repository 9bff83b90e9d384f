"""Many things at once: what threads and forked processes find is, to the bit, what one finds alone."""

import copy
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fastnn import LBFGS, Callback, Dense, Network

X, Y = np.random.default_rng(0).normal(size=(200, 9)), np.random.default_rng(1).normal(size=(200, 2))
SEED = int(os.environ.get("FASTNN_TEST_SEED", "0"))
LAYERS = ["omp", "workqueue", "tbb"]


def side_by_side(layer, predictions):
    run = subprocess.run([sys.executable, "side_by_side.py", str(predictions), str(SEED)], cwd=Path(__file__).parent,
                         env={**os.environ, "NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "4"},
                         capture_output=True, text=True, timeout=480)
    if "No threading layer could be loaded" in run.stderr:
        pytest.skip(f"Numba finds no {layer} here")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found.pop("layer") == layer
    assert [name for name, right in found.items() if not right] == [], run.stderr


@pytest.mark.parametrize("layer", LAYERS)
def test_side_by_side(layer):
    side_by_side(layer, predictions=60)


@pytest.mark.long
@pytest.mark.parametrize("layer", LAYERS)
def test_side_by_side_in_full(layer):
    side_by_side(layer, predictions=1000)


class FitAgain(Callback):
    """Fits the network within its fit."""

    def on_epoch_end(self, epoch, logs):
        self.network.fit(X, Y)


@pytest.mark.parametrize("optimizer", ["adam", LBFGS()])
def test_one_network_is_in_one_fit_at_a_time(optimizer):
    net, undisturbed = Network([Dense(5, "tanh"), Dense(2)], inputs=9), Network([Dense(5, "tanh"), Dense(2)], inputs=9)
    inside, go_on, refused = threading.Event(), threading.Event(), []

    class Wait(Callback):
        def on_epoch_end(self, epoch, logs):
            inside.set()
            go_on.wait(60)

    running = threading.Thread(target=net.fit, args=(X, Y), kwargs={"optimizer": optimizer, "callbacks": [Wait()]})
    running.start()
    assert inside.wait(60)
    for other in ("adam", LBFGS()):
        with pytest.raises(RuntimeError, match=r"in a fit already.*copy\.deepcopy"):
            net.fit(X, Y, optimizer=other)
        refused.append(other)
    copy.deepcopy(net).fit(X, Y)
    go_on.set()
    running.join()
    undisturbed.fit(X, Y, optimizer=optimizer)
    for name, view in net.parameters.items():
        np.testing.assert_array_equal(view, undisturbed.parameters[name])
    with pytest.raises(RuntimeError, match="in the fit that has called a callback"):
        net.fit(X, Y, callbacks=[FitAgain()])
    net.fit(X, Y)  # whatever has gone wrong before
