"""Every optimizer × loss × dtype, until numbers are no longer finite: the last good state is kept, to the bit.

Rates up to the largest numbers, inputs and targets far too large, clipping, penalties and schedules, at random;
FASTNN_TEST_SEED sets the seed.
"""

import os
import warnings

import numpy as np
import pytest
from layer_cases import all_bits
from small_nets import OUTPUTS

from fastnn import BatchNorm, Callback, CosineDecay, Dense, DivergenceError, Dropout, Network, WarmUp, losses, optimizers

SEED = int(os.environ.get("FASTNN_TEST_SEED", "0"))


class LastGood(Callback):
    """Return the state before the step in question."""

    every_batches = 1

    def everything(self):
        memory = self.network.fits.optimizer_state(self.network.optimizer)
        return {**all_bits(self.network), "slots": memory.slots.tobytes(), "step": memory.step.tobytes()}

    def on_train_batch_begin(self, batch, logs):
        self.kept = self.everything()


def last_of(loss):
    """Return a last activation for the loss: the one it cancels with, if there is one."""
    fitting = [last for last, name in OUTPUTS if name == loss]
    return next((last for last in ("softmax", "sigmoid", "identity") if last in fitting), fitting[0])


def targets(loss, outputs, rng, size):
    if losses[loss].targets == "classes":
        return rng.integers(outputs, size=64)
    if losses[loss].targets == "binary":
        return rng.integers(2, size=(64, outputs)).astype(float)
    return np.abs(rng.normal(size=(64, outputs))).clip(0, 5) * size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", optimizers)
def test_the_last_good_state_remains(name, dtype):
    largest, diverged = float(np.finfo(dtype).max), 0
    for number, loss in enumerate(sorted({name for _, name in OUTPUTS}) * 2):
        rng = np.random.default_rng([SEED, number, len(dtype)])
        size = largest ** rng.choice([0.3, 0.5, 0.9]) / 10
        last, outputs = last_of(loss), int(rng.integers(2, 4))
        hidden = str(rng.choice(["tanh", "elu", "softplus", "identity"]))
        layers = [Dense(8, "relu"), BatchNorm(), Dropout(0.2), Dense(8, hidden),
                  Dense(outputs, last, l2=rng.choice([0.0, 0.01]))]
        net = Network(layers[number % 2 * 3:], inputs=4, loss=loss, dtype=dtype, seed=number)
        X, y = rng.normal(size=(64, 4)), targets(loss, outputs, rng, size if number % 3 == 2 else 1.0)
        if number % 3 == 1:
            X[rng.integers(64)] = size * rng.choice([-1, 1], 4)
        rate = float(rng.choice([0.01, 1e10, largest**0.8, largest**0.99]))
        optimizer = optimizers[name](WarmUp(CosineDecay(rate, steps=40), steps=10) if number % 4 == 3 else rate,
                                     **[{}, {"clip_norm": 1.0}, {"clip_value": 1e30}][number // 7 % 3])
        watch = LastGood()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NumPy, on rates beyond float32
            try:
                net.fit(X, y, epochs=4, batch_size=7, optimizer=optimizer, callbacks=[watch], progress=False,
                        threads=int(rng.integers(1, 3)))
            except DivergenceError:
                diverged += 1
                assert watch.everything() == watch.kept, (loss, number)
        assert all(np.isfinite(view).all() for view in {**net.parameters, **net.state}.values()), (loss, number)
    assert diverged > 3
