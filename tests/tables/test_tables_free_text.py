"""Free text: its words are features, learned from the training rows."""

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import Preprocessing, Recipe, TableModel, train
from fastnn.tables.columns import FreeText, Ignored
from fastnn.tables.columns.free_text import LOUDNESS, terms_of

generator = np.random.default_rng(0)
ROWS = 300
FILL = [f"word{k}" for k in range(40)]
GOOD = generator.uniform(size=ROWS) < 0.5
REVIEWS = [" ".join([*generator.choice(FILL, 6), "not good" if not good else "Very good!", *generator.choice(FILL, 3)])
           for good in GOOD]
TABLE = pd.DataFrame({"review": REVIEWS, "stars": np.where(GOOD, "many", "few")})


def test_words_and_pairs_are_the_features_of_scikit_learn():
    of_sklearn = pytest.importorskip("sklearn.feature_extraction.text")
    vectorizer = of_sklearn.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+")
    wanted = vectorizer.fit_transform(REVIEWS).toarray()
    column = FreeText.fit(pd.Series(REVIEWS, name="review"), 100_000)
    assert list(column.terms) == list(vectorizer.get_feature_names_out())
    out = np.empty((ROWS, len(column.terms)), np.float32)
    column.transform(pd.Series(REVIEWS), out)
    np.testing.assert_allclose(out, LOUDNESS * wanted, rtol=1e-5)
    assert terms_of("Not good, NOT!") == ["not", "good", "not", "not good", "good not"]


def test_a_network_reads_them(tmp_path):
    result = train(TABLE, "stars", Recipe(epochs=10))
    assert result.metrics["accuracy"] > 0.95
    result.model.save(tmp_path / "m.safetensors")
    loaded = TableModel.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.forward(TABLE), result.model.forward(TABLE))
    new = pd.DataFrame({"review": ["never seen before", None, "it is VERY GOOD"]})
    assert loaded.predict(new)[2] == "many"
    assert not loaded.preprocessing.transform(new)[:2].any()


def test_which_text_is_free():
    kinds = ["of no great use", "as good as new"] * (ROWS // 2)
    made = Preprocessing.fit(TABLE[["review"]].assign(name=[f"name{k}" for k in range(ROWS)], kind=kinds))
    assert [column.kind for column in made.columns] == ["free text", "ignored", "text"]
    made = Preprocessing.fit(TABLE, words=["stars"], max_categories=7)
    assert [column.kind for column in made.columns] == ["free text", "free text"]
    assert [len(column.terms) for column in made.columns] == [7, 2]
    assert Preprocessing.fit(TABLE, text=["review"]).columns[0].kind == "ignored"
    lone = pd.DataFrame({"x": range(30), "t": [f"{k}aa {k}bb {k}cc" for k in range(30)]})
    assert Preprocessing.fit(lone, keep_columns=["x"]).columns[1] == Ignored("t", "ignored: no word occurs in two rows")


@pytest.mark.parametrize("config", [{"idf": [1.0]}, {"idf": [1.0, 0.0]}, {"terms": ["a", "a"]}, {"idf": "x"}])
def test_wrong_texts_in_a_file_are_refused(config):
    whole = {"kind": "free text", "name": "t", "terms": ["a", "b"], "idf": [1.0, 2.0]} | config
    with pytest.raises(ValueError, match=r"idf|twice"):
        Preprocessing.from_config({"columns": [whole], "missing_values": []})
