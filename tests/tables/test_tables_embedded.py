"""Columns of many categories: vectors, with a place for unseen and one for missing."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from fastnn import Dense, Network, cli
from fastnn.tables import Preprocessing, Recipe, TableModel, UnknownCategory, train
from fastnn.tables import preprocessing as module
from fastnn.tables.columns import Text
from fastnn.tables.training.embedded import first_layers, without_unlearned

generator = np.random.default_rng(0)
ROWS, CITIES = 900, 60
CITY, CODE = generator.integers(0, CITIES, ROWS), generator.integers(0, CITIES, ROWS)
EFFECT = generator.normal(size=CITIES)


def example(classes=False):
    y = EFFECT[CITY] + 0.5 * EFFECT[CODE] + 0.1 * generator.normal(size=ROWS)
    table = pd.DataFrame({"city": [f"c{k}" for k in CITY], "x": generator.normal(size=ROWS), "code": 10 * CODE,
                          "y": np.where(y > 0, "high", "low") if classes else y})
    table.loc[::40, "city"] = None
    return table


def test_the_feature_is_the_number_of_the_category():
    table = pd.DataFrame({"city": ["b", "a", None, "b"], "x": [1.0, 2.0, 3.0, 5.0]})
    made = Preprocessing.fit(table, embed=["city"])
    assert made.features == ["city number", "x"]
    assert made.tokens == {0: (4, 24)}
    assert made.linear_features["linear"].tolist() == [1]
    with pytest.warns(UnknownCategory, match="'city' holds 'z' in 1 of 3 rows: .* a single vector stands for all such"):
        X = made.transform(pd.DataFrame({"city": ["z", None, "a"], "x": [1.0, 1.0, 1.0]}))
    assert X[:, 0].tolist() == [0, 3, 1]
    assert Preprocessing.from_json(made.to_json()).columns == made.columns
    assert Preprocessing.fit(table).features == ["city = a", "city = b", "city missing", "x"]  # only if it is asked for


def test_columns_of_more_categories_than_one_hot_features_are_embedded(monkeypatch):
    table = example().drop(columns=["y", "code"])
    for most, above, options, embedded, kept in (
            ("auto", 50, {}, True, CITIES), ("auto", 60, {}, False, CITIES), (55, 50, {}, True, 55), (50, 50, {}, False, 50),
            ("auto", 50, {"one_hot": ["city"]}, False, CITIES), ("auto", None, {"embed": ["city"]}, True, CITIES),
            (7, None, {"embed": ["city"]}, True, 7), ("auto", None, {}, False, CITIES)):
        column = Preprocessing.fit(table, max_categories=most, embed_above=above, **options).columns[0]
        assert (bool(column.embedded), len(column.categories)) == (embedded, kept)
    for recipe in (Recipe(), Recipe(layers=[])):
        assert recipe.embeds == bool(recipe.layers)
    with pytest.raises(ValueError, match="'city' is in both embed and one_hot"):
        Preprocessing.fit(table, embed=["city"], one_hot=["city"])
    with pytest.raises(ValueError, match="no column 'town'"):
        Preprocessing.fit(table, embed=["town"])


@pytest.mark.parametrize(("classes", "metric", "least"), [(False, "r2", 0.8), (True, "accuracy", 0.8)])
def test_vectors_are_learned_and_kept_in_the_file(classes, metric, least, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CATEGORIES", 40)
    monkeypatch.setattr(module, "LEAST_CATEGORIES", 40)
    result = train(example(classes), "y", Recipe(epochs=40))
    assert [(column.kind, getattr(column, "embedded", 0)) for column in result.model.preprocessing.columns] == [
        ("text", 24), ("number", 0), ("code", 24)]
    assert result.metrics[metric] > least
    new = pd.DataFrame({"city": ["c1", None, "nowhere"], "x": [0.0] * 3, "code": [10, 20, 15]})
    result.model.save(tmp_path / "m.safetensors")
    loaded = TableModel.load(tmp_path / "m.safetensors")
    with pytest.warns(UnknownCategory, match="nowhere"):
        found = loaded.forward(new)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownCategory)
        np.testing.assert_array_equal(found, result.model.forward(new))
    assert np.isfinite(found).all()


def test_the_baseline_has_features_for_the_most_frequent_ones():
    pytest.importorskip("sklearn", reason="the baselines need scikit-learn")
    from fastnn.tables.training.baselines import baselines

    found = [baselines(train(example(), "y", Recipe(epochs=1, members=2, numbers=["code"], **options)))["linear"]["rmse"]
             for options in ({"embed": ["city"]}, {})]
    assert found[0] == pytest.approx(found[1], rel=0.02)


def test_vectors_that_a_member_did_not_learn_are_those_of_unseen_or_the_mean():
    tokens, rows = {1: (5, 3)}, np.arange(4)
    matrix = np.array([[0.5, 1, 7], [0.1, 1, 7], [0.2, 3, 7], [0.3, 2, 7], [0.4, 4, 7]], np.float32)
    for numbers in ([1, 1, 3, 2], [1, 0, 3, 2]):
        network = Network([*first_layers(3, tokens), Dense(4, "tanh"), Dense(1)], inputs=3, seed=0)
        matrix[:4, 1] = numbers
        table, weight, *_ = network.parameters.values()
        before, outputs = table.copy(), network.forward(matrix[:4])
        without_unlearned(network, matrix, rows, tokens)
        np.testing.assert_allclose(network.forward(matrix[:4]), outputs, rtol=1e-5, atol=1e-6)  # 7 is constant
        assert weight.shape == (5, 4)
        assert not weight[4].any()
        np.testing.assert_array_equal(table[1:4], before[1:4])
        mean = before[numbers].mean(axis=0)
        np.testing.assert_allclose(table[[0, 4]], np.stack([before[0]] * 2 if 0 in numbers else [mean, mean]), rtol=1e-5)


def test_first_layers_of_embedded_features_alone():
    net = Network([*first_layers(1, {0: (3, 2)}), Dense(2)], inputs=1)
    assert net.forward(np.array([[0], [2]], np.float32)).shape == (2, 2)
    net = Network([*first_layers(2, {0: (3, 2), 1: (5, 4)}), Dense(2)], inputs=2)
    assert [array.shape for array in net.parameters.values()] == [(3, 2), (5, 4), (6, 2), (2,)]
    assert first_layers(4, {}) == []


def test_what_was_chosen_is_printed_saved_and_in_json(tmp_path, capsys):
    example().drop(columns="code").to_csv(tmp_path / "t.csv", index=False)
    command = ["train", str(tmp_path / "t.csv"), "--target", "y", "--epochs", "1", "--embed", "city", "-o",
               str(tmp_path / "m.safetensors")]
    cli.main(command)
    printed = "vectors of 24, 60 categories and missing"
    assert printed in capsys.readouterr().out
    cli.main(["inspect", str(tmp_path / "m.safetensors")])
    assert printed in capsys.readouterr().out
    cli.main([*command, "--json"])
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert [(c["name"], c["kind"], c["features"]) for c in columns] == [("city", "text", 1), ("x", "number", 17)]
    assert columns[0]["encoding"] == printed
    assert columns[1]["encoding"] == "standardized and in 16 bins"


def test_a_file_of_another_size_of_vectors_is_refused():
    config = Preprocessing([Text("city", ("a", "b"), False, embedded=24)]).config()
    assert config["columns"][0]["embedded"] == 24
    config["columns"][0]["embedded"] = -1
    with pytest.raises(ValueError, match="embedded is -1"):
        Preprocessing.from_config(config)
