"""Members that cannot learn together, and invalid arguments, are refused; then nothing has changed."""

import numpy as np
import pytest
from layer_cases import VALUES, X
from members import LABELS, classifiers, state

from fastnn import LBFGS, Callback, CSVLogger, Dense, EarlyStopping, Network, Population


@pytest.mark.parametrize(("options", "message"), [
    ({"X": X[:, :3]}, "takes 9"),
    ({"y": LABELS + 1}, "labels must run from 0 to 2"),
    ({"epochs": [1, 2]}, "epochs has 2 entries; this population has 4 members"),
    ({"epochs": -1}, "epochs is -1"),
    ({"batch_size": [1, 2, 3, 0]}, "batch_size is 0"),
    ({"optimizer": ["adam"] * 3}, "optimizer has 3 entries"),
    ({"optimizer": ["adam", "sgd", "adan", "lion"]}, "member 2: unknown optimizer 'adan'"),
    ({"rows": np.arange(len(X) + 1)}, "rows has row 70; give some of the rows of X, 0 to 69"),
    ({"rows": [[-1]] * 4}, "row -1"),
    ({"rows": [np.zeros(0, int)] * 4}, "give the numbers of some rows"),
    ({"rows": [[0, 1]] * 3}, "rows has 3 entries"),
    ({"validation_rows": np.linspace(0, 1, 70)}, "give the numbers of some rows"),
    ({"validation_rows": [0], "validation_data": (X, LABELS)}, "both given"),
    ({"validation_data": X}, "must be a tuple"),
    ({"validation_data": (X, VALUES)}, "validation_data: y"),
    ({"callbacks": [CSVLogger("log.csv")]}, "give a function of the member's number"),
    ({"callbacks": [EarlyStopping("val_loss")]}, "member 0: EarlyStopping.*give fit validation_data"),
    ({"callbacks": lambda number: number}, "must be a list of Callback"),
    ({"resume": True, "batch_size": 5}, "member 0: batch_size is 5; the fit to be resumed has 32"),
    ({"resume": True, "optimizer": LBFGS()}, "cannot be resumed"),
    ({"threads": 0}, "threads is 0"),
    ({"sample_weight": 1.0 * (np.arange(len(X)) > 5), "rows": [0, 1]}, "zero for all of a member's rows"),
    ({"class_weight": "fair"}, "class_weight is 'fair'"),
])
def test_what_does_not_fit_is_refused_and_nothing_has_changed(options, message):
    population = Population(classifiers())
    population.fit(X, LABELS, epochs=2)
    before, histories = state(population), population.histories
    given = {"X": X, "y": LABELS, "optimizer": None, **options}
    with pytest.raises(ValueError, match=message):
        population.fit(given.pop("X"), given.pop("y"), **given)
    assert state(population) == before
    assert population.histories is histories
    population.fit(X, LABELS, epochs=3, resume=True)


def test_a_callback_that_refuses_on_the_last_member_leaves_all_as_they_were():
    class Refuses(Callback):
        def on_train_begin(self, logs):
            raise ValueError("not this one")

    population = Population(classifiers())
    population.fit(X, LABELS, epochs=2)
    before = state(population)
    with pytest.raises(ValueError, match="member 3: not this one"):
        population.fit(X, LABELS, callbacks=lambda number: [Refuses()] if number == 3 else [])
    assert state(population) == before


@pytest.mark.parametrize(("members", "message"), [
    (lambda: [], "networks is empty"),
    (lambda: [Network([Dense(1)], 2), "net"], r"networks\[1\] is 'net'"),
    (lambda: [Network([Dense(1)], 2)] * 2, "a member twice"),
    (lambda: [Network([Dense(1)], 2), Network([Dense(1)], 3)], "member 1 takes 3 inputs and member 0 takes 2"),
    (lambda: [Network([Dense(1)], 2), Network([Dense(2)], 2)], "member 1 learns 2 values and member 0 1 value;"),
    (lambda: [Network([Dense(2)], 2), Network([Dense(2, "softmax")], 2)], "member 1 learns 2 probabilities"),
    (lambda: [Network([Dense(2, "sigmoid")], 2), Network([Dense(2, "softmax")], 2)], "each for itself"),
    (lambda: Network([Dense(1)], 2), "seeds=range"),
    (lambda: 5, "networks is 5; it must be a list"),
    (lambda: "net", "networks is 'net'; it must be a list"),
])
def test_members_that_cannot_learn_together(members, message):
    with pytest.raises(ValueError, match=message):
        Population(members())
