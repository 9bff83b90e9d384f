"""Successive halving continues the best members, with the same bits as alone."""

import copy
import warnings

import numpy as np
import pytest
from layer_cases import X
from members import LABELS, WEIGHTS, check_same, classifiers, fit_alone, linear

from fastnn import SGD, Adam, EarlyStopping, Population


@pytest.mark.parametrize("factor", [2, 3])
def test_halving_trains_the_best_on_and_to_the_same_bits(factor):
    together, alone = Population(classifiers(9)), classifiers(9)
    rungs = together.halve(X, LABELS, epochs=8, factor=factor, validation_rows=np.arange(30), batch_size=[8] * 9)
    epochs = [len(history.epochs) for history in together.histories]
    assert max(epochs) == 8
    assert epochs[int(rungs.argmax())] == 8
    assert len(set(rungs)) > 1
    histories = fit_alone(alone, X, LABELS, epochs=epochs, batch_size=8, validation_data=(X[:30], LABELS[:30]))
    check_same(together, alone, together.histories, histories)
    first = [history["val_loss"][min(epochs) - 1] for history in histories]
    assert set(np.flatnonzero(rungs > 1)) == set(np.argsort(first)[:len(np.flatnonzero(rungs > 1))])


@pytest.mark.parametrize("stopping", [EarlyStopping(patience=2, min_delta=0.2, restore_best=True),
                                      EarlyStopping("loss", min_delta=0.05)], ids=["best", "last"])
def test_halving_with_options_that_are_lists_for_all(stopping):
    """Options that are lists but not with one value for each member; and members that stop by themselves in any rung."""
    together, alone = Population(classifiers(9)), classifiers(9)
    options = {"sample_weight": WEIGHTS.tolist(), "validation_data": [X[:30], LABELS[:30]], "batch_size": 16}
    rungs = together.halve(X.tolist(), LABELS.tolist(), epochs=27, optimizer=Adam(0.05), callbacks=[stopping], **options)
    assert set(rungs) == {1, 2, 3}
    assert any(len(history.epochs) < 3 ** rung for rung, history in zip(rungs, together.histories, strict=True))
    for number, net in enumerate(alone):
        own = copy.copy(stopping)
        history = net.fit(X, LABELS, epochs=3 ** int(rungs[number]), optimizer=Adam(0.05), callbacks=[own], **options)
        check_same([together[number]], [net], [together.histories[number]], [history])
        assert own.best_epoch == together.callbacks[number][0].best_epoch


def test_halving_leaves_out_those_that_diverge():
    population = Population([linear(seed) for seed in range(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rungs = population.halve(X, X[:, 0], epochs=300, factor=3, batch_size=1, optimizer=[SGD(1e9), SGD(1e-4), SGD(1e8)])
    assert rungs.tolist() == [1, 2, 1]
    assert [*population.errors] == [0, 2]
    with pytest.raises(ValueError, match="leave resume out"):
        population.halve(X, X[:, 0], epochs=3, resume=True)
