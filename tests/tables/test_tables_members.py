"""The members of a model: the rows that each is trained on, constant features, and their average in one network."""

import warnings

import numpy as np
import pandas as pd
import pytest

from fastnn import BatchNorm, Dense
from fastnn.tables import Recipe, TableModel, UnknownCategory, train
from fastnn.tables.training.embedded import without_unlearned
from fastnn.tables.training.members import deal
from fastnn.tables.training.split import split

generator = np.random.default_rng(0)


def example(rows=120, classes=0):
    table = pd.DataFrame({"a": generator.normal(size=rows), "b": generator.choice(["u", "v", "w"], rows)})
    y = table["a"] * np.where(table["b"] == "u", 2.0, -1.0)
    return table.assign(y=[f"k{k}" for k in np.arange(rows) % classes] if classes else y)


@pytest.mark.parametrize(("rows", "count"), [(100, 8), (13, 8), (10, 2), (101, 5)])
def test_every_row_but_those_of_the_test_is_held_out_once(rows, count):
    training, validation, test = split(None, rows, validation=0.1, test=0.2, seed=3)
    folds = deal(None, training, validation, count, 3)
    assert len(folds) == min(count, rows - len(test))
    held = np.concatenate([held for _, held in folds])
    assert sorted([*held, *test]) == list(range(rows))
    for learned, own in folds:
        assert sorted([*learned, *own, *test]) == list(range(rows))


def test_one_member_has_the_rows_of_the_split():
    training, validation, _ = split(None, 50, validation=0.2, test=0.2, seed=0)
    (learned, held), = deal(None, training, validation, 1, 0)
    assert learned is training
    assert held is validation


def test_the_rows_of_each_class_are_dealt_evenly():
    labels = np.repeat([0, 1, 2], [80, 40, 8])
    training, validation, _ = split(labels, 128, validation=0.1, test=0.2, seed=0)
    for _, held in deal(labels, training, validation, 4, 0):
        assert set(labels[held]) == {0, 1, 2}


@pytest.mark.parametrize("classes", [0, 3])
def test_the_network_is_the_average_of_the_members(classes, monkeypatch):
    from fastnn.tables.training import members

    seen, combined = [], members.combined
    monkeypatch.setattr(members, "combined", lambda networks, *rest: seen.extend(networks) or combined(networks, *rest))
    model = train(example(classes=classes), "y", Recipe(members=3, epochs=2, linear="no")).model
    X = model.preprocessing.transform(example(20))
    outputs = [network.forward(X).astype(np.float64) for network in seen]
    if classes:
        powers = np.exp(np.mean(np.log(outputs), axis=0))
        np.testing.assert_allclose(model.network.forward(X), powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)
    else:
        np.testing.assert_allclose(model.network.forward(X), np.mean(outputs, axis=0), rtol=1e-5, atol=1e-6)


def test_models_of_several_members_have_the_same_bits_on_any_threads_and_from_files(tmp_path):
    table = example()
    one, two = (train(table, "y", Recipe(epochs=2, threads=threads)) for threads in (1, 2))
    assert len(one.histories) == len(one.best_epochs) == 8
    assert one.metrics == two.metrics
    one.model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(TableModel.load(tmp_path / "m.safetensors").predict(table), two.model.predict(table))


def test_a_single_row_of_a_class_or_category_does_no_harm():
    table = example(80, classes=2)
    table.loc[[5, 9], "y"] = ["rare", "k1"]
    table.loc[9, "b"] = "lone"
    result = train(table, "y", Recipe(epochs=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownCategory)  # the row of "lone" may be one of the test
        assert np.isfinite(result.model.predict_proba(table)).all()


def test_a_feature_that_a_member_saw_constant_has_no_weight_in_it():
    from fastnn import Network

    network, learned = Network([Dense(5, "tanh"), Dense(1)], inputs=3, seed=0), np.arange(6)
    matrix = np.array([[0.5, 2.0, k] for k in range(6)] + [[9.0, -1.0, 3.0]], np.float32)
    before = network.forward(matrix[learned])
    without_unlearned(network, matrix, learned, {})
    np.testing.assert_allclose(network.forward(matrix[learned]), before, rtol=1e-5)
    np.testing.assert_allclose(network.forward(matrix[6:]), before[3:4], rtol=1e-5)


def test_members_need_a_first_layer_that_can_lose_features():
    recipe = Recipe(layers=[BatchNorm(), Dense(4, "relu")])
    assert recipe.count(100) == 1
    assert Recipe(layers=[]).count(100) == Recipe().count(100) == 8
    assert Recipe().count(10**5) == 4
    with pytest.raises(ValueError, match="begin with a Dense layer, or give members=1"):
        train(example(), "y", Recipe(layers=[BatchNorm(), Dense(4, "relu")], members=2))


def test_a_share_for_validation_that_has_no_effect_is_said():
    for options, said in (({}, False), ({"validation": 0.3}, True), ({"validation": 0.3, "members": 1}, False)):
        notes = train(example(), "y", Recipe(epochs=1, **options)).notes
        assert any("--validation 0.3 has no effect" in note for note in notes) == said
