"""Modes of Python: without assertions and docstrings, with every warning an error, without Numba's compiler."""

import os
import subprocess
import sys

import pytest
from patience import PATIENCE

PROGRAM = """
import sys
import numpy as np
import fastnn
from fastnn import Dense, EarlyStopping, ModelCheckpoint, Network

X = np.random.default_rng(0).normal(size=(60, 4))
y = (X[:, 0] > 0).astype(int)
net = Network([Dense(8, "relu"), Dense(2, "softmax")], inputs=4)
net.fit(X, y, epochs=2, validation_data=(X, y), callbacks=[EarlyStopping(), ModelCheckpoint("fit.safetensors", full=True)])
net.save("net.safetensors")
assert np.array_equal(Network.load("net.safetensors").forward(X), net.forward(X))
Network.load_checkpoint("fit.safetensors").fit(X, y, epochs=3, resume=True)
fastnn.Population([net, net.astype("float32")]).predict(X)
out = np.empty((60, 2), np.float32)
fastnn.jit.forward(net.compiled(), X.astype(np.float32), out)
if not np.allclose(out, net.forward(X), atol=1e-6):  # gradients would compile everything in float64 too
    sys.exit("wrong numbers")
print(net.predict(X).tolist())
"""
MODES = {"as usual": ([], {}), "without assertions and docstrings": (["-OO"], {}),
         "every warning an error": (["-X", "dev", "-bb", "-W", "error"], {}),
         "without a compiler": ([], {"NUMBA_DISABLE_JIT": "1"})}


def printed(mode, folder):
    options, environment = MODES[mode]
    done = subprocess.run([sys.executable, *options, "-c", PROGRAM], cwd=folder, env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return printed("as usual", tmp_path_factory.mktemp("usual"))


@pytest.mark.parametrize("mode", [*MODES][1:])
def test_it_does_the_same(mode, expected, tmp_path):
    assert printed(mode, tmp_path) == expected
