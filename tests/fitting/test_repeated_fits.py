"""Short fits one after the other: each uses the program of the one before, without any effect on the results."""

import gc
import sys
import weakref

import numpy as np
import pytest

from fastnn import SGD, Adam, BatchNorm, Dense, DivergenceError, Dropout, Network
from fastnn.fitting import trainer as training

random = np.random.default_rng(5)
X, LABELS = random.normal(size=(90, 6)), random.integers(0, 3, 90)
ONE_HOT, WEIGHTS = np.eye(3)[LABELS], random.uniform(0.5, 2, 90)
LAYERS = {
    "dense": lambda: [Dense(8, "tanh"), Dense(3, "softmax")],
    "penalties": lambda: [Dense(8, "relu", l1=0.01, l2=0.02), Dense(3, "softmax", l2=0.1)],
    "remembering": lambda: [Dense(8), BatchNorm(), Dropout(0.3), Dense(3, "softmax")],
}
OPTIMIZERS = {"adam": lambda: Adam(learning_rate=0.01), "momentum": lambda: SGD(learning_rate=0.01, momentum=0.9)}


def some_fits(seed):
    """Return arguments of fits of many kinds; every second one differs from the one before only in its rows."""
    random = np.random.default_rng(seed)
    for number in range(40):
        rows = random.permutation(90)[:random.integers(30, 91)]
        if number % 2 == 0:
            dtype, y = random.choice(["float32", "float64"]), LABELS if random.random() < 0.5 else ONE_HOT
            weights = WEIGHTS if random.random() < 0.5 else None
            options = {"shuffle": bool(random.random() < 0.5), "batch_size": int(random.choice([8, 32])),
                       "epochs": int(random.integers(0, 3)), "threads": int(random.integers(1, 3))}
        yield {"X": X[rows].astype(dtype), "y": y[rows], "sample_weight": weights if weights is None else weights[rows],
               **options}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fits_are_alike_to_the_bit_whether_or_not_a_program_is_kept(layers, optimizer, dtype, monkeypatch):
    digests, kept = [], 0
    for spare_bytes in training.SPARE_BYTES, -1:
        monkeypatch.setattr(training, "SPARE_BYTES", spare_bytes)
        net, rule = Network(LAYERS[layers](), inputs=6, dtype=dtype, seed=1), OPTIMIZERS[optimizer]()
        digest = []
        for number, arguments in enumerate(some_fits(7)):
            rule.clip_norm = 0.5 if number % 8 > 5 else None
            rule.learning_rate = 0.01 if number % 3 else 0.02
            before = net.fits.optimizer_state(rule).spare[1]
            history = net.fit(**arguments, optimizer=rule)
            kept += before is not None and net.fits.optimizer_state(rule).spare[1] is before
            digest += [net.vectors.parameters.flat.tobytes(), net.vectors.state.flat.tobytes(), dict(history)]
        digests.append(digest)
    assert digests[0] == digests[1]
    assert kept > 4, "programs hardly ever served twice"


def test_a_fit_keeps_no_data():
    net, rule, data = Network(LAYERS["dense"](), inputs=6), Adam(), X.astype("float32")
    net.fit(data, LABELS, optimizer=rule)
    held = weakref.ref(data)
    del data
    assert held() is None


def test_a_network_goes_at_once_when_nobody_holds_it():
    net, rule = Network(LAYERS["dense"](), inputs=6), Adam()
    gc.collect()
    gc.disable()
    try:
        net.fit(X, LABELS, optimizer=rule)
        gone = weakref.ref(net)
        assert sys.getrefcount(net) == 2
        del net
        assert gone() is None
    finally:
        gc.enable()


def test_a_large_program_is_not_kept():
    net, rule = Network([Dense(600, "relu"), Dense(600, "relu"), Dense(3, "softmax")], inputs=6), Adam()
    net.fit(X, LABELS, optimizer=rule)
    assert net.fits.optimizer_state(rule).spare == (None, None)


def test_after_a_fit_that_diverged_the_next_is_like_any_other():
    nets = [Network(LAYERS["dense"](), inputs=6, seed=2) for _ in range(2)]
    rules = [Adam() for _ in nets]
    for net, rule in zip(nets, rules, strict=True):
        net.fit(X, LABELS, optimizer=rule)
    kept = nets[0].parameters["0.weight"].copy()
    nets[0].parameters["0.weight"][:] = np.nan
    with pytest.raises(DivergenceError):
        nets[0].fit(X, LABELS, optimizer=rules[0], shuffle=False)
    nets[0].parameters["0.weight"][:] = kept
    for net, rule in zip(nets, rules, strict=True):
        net.fit(X, LABELS, optimizer=rule, shuffle=False)
    assert nets[0].vectors.parameters.flat.tobytes() == nets[1].vectors.parameters.flat.tobytes()


def test_optimizers_in_turns_each_keep_a_program_of_their_own():
    net, first, second = Network(LAYERS["dense"](), inputs=6), Adam(), SGD()
    programs = set()
    for _ in range(3):
        for rule in first, second:
            net.fit(X, LABELS, optimizer=rule)
            programs.add(id(net.fits.optimizer_state(rule).spare[1]))
    assert len(programs) == 2
