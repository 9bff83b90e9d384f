"""Concurrent work: threads and forked processes get the same bits as a single one."""

import copy
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from patience import PATIENCE

from fastnn import LBFGS, Callback, Dense, Input, Network
from fastnn.kernels.compiling import jit

SUPPORT = Path(__file__).parents[1] / "support"  # scripts that run in processes of their own

X, Y = np.random.default_rng(0).normal(size=(200, 9)), np.random.default_rng(1).normal(size=(200, 2))
SEED = int(os.environ.get("FASTNN_TEST_SEED", "0"))
LAYERS = ["omp", "workqueue", "tbb"]


def side_by_side(layer, predictions):
    """layer: Numba's threading layer, for the user's own parallel loops."""
    run = subprocess.run([sys.executable, "side_by_side.py", str(predictions), str(SEED)], cwd=SUPPORT,
                         env={**os.environ, "NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "4"},
                         capture_output=True, text=True, timeout=3600)
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
    """Fits the network during its fit."""

    def on_epoch_end(self, epoch, logs):
        self.network.fit(X, Y)


@pytest.mark.parametrize("optimizer", ["adam", LBFGS()])
def test_one_network_is_in_one_fit_at_a_time(optimizer):
    net, undisturbed = Network([Dense(5, "tanh"), Dense(2)], inputs=9), Network([Dense(5, "tanh"), Dense(2)], inputs=9)
    inside, go_on, refused = threading.Event(), threading.Event(), []

    class Wait(Callback):
        def on_epoch_end(self, epoch, logs):
            inside.set()
            go_on.wait(PATIENCE)

    running = threading.Thread(target=net.fit, args=(X, Y), kwargs={"optimizer": optimizer, "callbacks": [Wait()]})
    running.start()
    assert inside.wait(PATIENCE)
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


def test_threads_that_ask_for_a_kernel_at_once_get_one():
    """If it were made twice, the first would be freed, although its address may be in the table of a network."""
    kernel = jit.Kernel("asked_for_at_once", lambda dtype: lambda out: None, lambda dtype: (jit.pointer(dtype),),
                        cached=False)
    start, found = threading.Barrier(8), []

    def ask():
        start.wait()
        found.append(kernel.address("float64"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {kernel.address("float64")}
    assert len(found) == 8


FIRST_USE = """
import sys, threading
import numpy as np
from fastnn import BatchNorm, Dense, Network, Population
sys.setswitchinterval(1e-6)
X, y = np.random.default_rng(0).normal(size=(300, 9)), np.arange(300) % 3
def network():
    return Network([Dense(33, "relu"), BatchNorm(), Dense(3, "softmax")], inputs=9)
def many():
    population = Population([network(), network()])
    population.fit(X, y, progress=False)
    return population[1]
def one():
    net = network()
    net.fit(X, y, progress=False)
    return net
start, found = threading.Barrier(8), []
def work(make):
    start.wait()
    found.append(make().forward(X).tobytes())
threads = [threading.Thread(target=work, args=([many, one][k % 2],)) for k in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == 8 and len(set(found)) == 1, (len(found), len(set(found)))
"""


@pytest.mark.parametrize("process", range(int(os.environ.get("FASTNN_TEST_PROCESSES", "2"))))
def test_the_first_use_of_kernels_by_many_threads(process):
    run = subprocess.run([sys.executable, "-X", "faulthandler", "-c", FIRST_USE], capture_output=True, text=True,
                         timeout=1800)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""


class Contested(list):
    """Idle programs, of which another thread takes the last one between a look at the list and `pop`."""

    def __bool__(self):
        return True


def chain():
    return Network([Dense(3, "softmax")], inputs=4, seed=1), np.ones((40, 4))


def graph():
    x, y = Input(4, name="x"), Input(4, name="y")
    return Network(inputs=[x, y], outputs=Dense(3)(x + y), seed=1), {name: np.ones((40, 4), np.float32) for name in "xy"}


@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize("made", [chain, graph])
def test_another_thread_may_take_the_last_idle_program(made, rows, monkeypatch):
    net, X = made()
    X = {name: own[:rows] for name, own in X.items()} if isinstance(X, dict) else X[:rows]
    expected = net.forward(X)
    monkeypatch.setattr(net, "idle_programs", defaultdict(Contested, {plan: Contested() for plan in net.idle_programs}))
    np.testing.assert_array_equal(net.forward(X), expected)
