"""Vocabularies: what they keep, what they give back, and what they refuse."""

import os
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from witness import REPAIR

from fastnn import Dense, Embedding, GlobalAveragePool, ModelFormatError, Network, Sequences
from fastnn.text import Vocabulary
from fastnn.text.splitting import UNKNOWN

TEXTS = ["The tea is good; the cup isn't.", "", "  Naïve café\n", "हिन्दी में चाय", "日本茶 🍵🍵", "x_1 ’tis 3.5"]
SPLITS = "words", "characters"


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("split", SPLITS)
def test_decoded_and_encoded_again(split, lowercase):
    vocabulary = Vocabulary.fit(TEXTS, split, lowercase=lowercase)
    encoded = vocabulary.encode(TEXTS)
    assert encoded.dtype == np.int32
    assert encoded.lengths[1] == 0
    assert encoded.steps.min() == 1  # nothing is unknown
    assert set(encoded.steps.tolist()) == set(range(1, len(vocabulary)))
    again = vocabulary.encode(vocabulary.decode(encoded))
    np.testing.assert_array_equal(again.steps, encoded.steps)
    np.testing.assert_array_equal(again.offsets, encoded.offsets)
    if (split, lowercase) == ("characters", False):
        assert vocabulary.decode(encoded) == TEXTS


@pytest.mark.parametrize("split", SPLITS)
def test_the_number_of_tokens_is_that_of_the_embedding(split):
    vocabulary = Vocabulary.fit(TEXTS, split, size=5)
    assert len(vocabulary) == 5
    net = Network([Embedding(len(vocabulary), 3), GlobalAveragePool(), Dense(1)], inputs=(None,))
    assert net.predict(vocabulary.encode(["unheard of", "the tea"])).shape == (2,)


def test_words():
    found = Vocabulary.fit(TEXTS).tokens
    assert {"isn't", ";", "Naïve", "café", "हिन्दी", "में", "日本茶", "🍵", "x_1", "The", "the"} <= set(found)
    assert not {"i", " ", "\n", "हि"} & set(found)


def test_the_most_frequent_come_first_and_ties_by_code_point():
    vocabulary = Vocabulary.fit(["b a c", "c é Z"])
    assert vocabulary.tokens == (UNKNOWN, "c", "Z", "a", "b", "é")
    assert Vocabulary.fit(["b a c", "c é Z"], size=4).tokens == (UNKNOWN, "c", "Z", "a")
    assert Vocabulary.fit(["c é Z", "b a c"]) == vocabulary
    assert Vocabulary.fit(["b a c", "c é Z"], min_count=2).tokens == (UNKNOWN, "c")
    assert Vocabulary.fit(iter(["b a c", "c é Z"])) == vocabulary


@pytest.mark.parametrize("split", SPLITS)
def test_spellings_of_the_same_character_are_one(split):
    texts = [unicodedata.normalize(form, "Ångström é İ ﬁ") for form in ("NFC", "NFD")]
    for lowercase in (False, True):
        vocabulary = Vocabulary.fit(texts[:1], split, lowercase=lowercase)
        assert vocabulary == Vocabulary.fit(texts[1:], split, lowercase=lowercase)
        one, other = vocabulary.encode(texts)
        np.testing.assert_array_equal(one, other)
        assert one.min() > 0


def test_upper_and_lower_case():
    assert len(Vocabulary.fit(["Tea tea TEA"])) == 4
    small = Vocabulary.fit(["Tea tea TEA"], lowercase=True)
    assert small.tokens[1:] == ("tea",)
    assert small.encode(["tEa"]).steps.tolist() == [1]
    assert Vocabulary.fit(["Tea"]).encode(["tEa"]).steps.tolist() == [0]


@pytest.mark.parametrize("split", SPLITS)
def test_the_unknown(split):
    vocabulary = Vocabulary.fit(["ab ab"], split)
    encoded = vocabulary.encode(["q", UNKNOWN, "\udc80"])
    assert encoded.steps.tolist() == [0, 0, 0]
    assert vocabulary.decode(encoded) == [UNKNOWN] * 3
    assert Vocabulary.fit([f"ab {UNKNOWN}"]).tokens == (UNKNOWN, "ab")  # it counts for no word


def test_what_decode_takes():
    vocabulary = Vocabulary(["a", "b"], "characters")
    for tokens in ([1, 2], (1, 2), np.array([1, 2], np.uint8)):
        assert vocabulary.decode(tokens) == "ab"
    for several in ([[1], [2, 1]], [np.array([1]), np.array([2, 1])], [(1,), (2, 1)]):
        assert vocabulary.decode(several) == ["a", "ba"]
    assert vocabulary.decode(Sequences(np.zeros(0, np.int32), [0])) == []
    assert vocabulary.decode(np.zeros(0, np.int32)) == ""


def test_columns_of_a_table():
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(["b a", "a"], index=[7, 5])
    assert Vocabulary.fit(column) == Vocabulary.fit(["b a", "a"]) == Vocabulary.fit(np.array(["b a", "a"]))
    with pytest.raises(ValueError, match=r"texts is a DataFrame; it must be a list of texts, or one column"):
        Vocabulary.fit(column.to_frame())
    with pytest.raises(ValueError, match=r"texts\[1\] is nan; it must be a str; fill missing texts"):
        Vocabulary.fit(pandas.Series(["b", np.nan], dtype=object))


WRONG = {
    "a text": lambda v: v.encode("abc"), "a text to fit": lambda v: Vocabulary.fit("abc"),
    "bytes": lambda v: v.encode([b"abc"]), "none": lambda v: v.encode(["a", None]), "a set": lambda v: v.encode({"a", "b"}),
    "a dict": lambda v: v.encode({"a": 1}), "a number": lambda v: v.encode(3), "no texts": lambda v: Vocabulary.fit([]),
    "empty texts": lambda v: Vocabulary.fit(["", " "]), "rare": lambda v: Vocabulary.fit(["a b"], min_count=2),
    "size": lambda v: Vocabulary.fit(["a"], size=1), "count": lambda v: Vocabulary.fit(["a"], min_count=0),
    "split": lambda v: Vocabulary.fit(["a"], "bytes"), "lowercase": lambda v: Vocabulary.fit(["a"], lowercase=1),
    "surrogate": lambda v: Vocabulary.fit(["a \udc80"]), "a surrogate": lambda v: Vocabulary(["\udc80"]),
    "twice": lambda v: Vocabulary(["a", "a"]),
    "two words": lambda v: Vocabulary(["a b"]), "empty word": lambda v: Vocabulary([""]),
    "capital": lambda v: Vocabulary(["A"], lowercase=True), "unknown": lambda v: Vocabulary([UNKNOWN]),
    "too large": lambda v: v.decode([3]), "negative": lambda v: v.decode([[1], [-1]]), "floats": lambda v: v.decode([1.0]),
    "one token": lambda v: v.decode(1), "letters": lambda v: v.decode(["a"]), "table": lambda v: v.decode([[[1]]]),
    "path": lambda v: v.save(3), "folder": lambda v: v.save("/nowhere/at/all.json"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_with_the_repair(what):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        WRONG[what](Vocabulary(["a", "b"]))
    message = str(caught.value)
    assert REPAIR.search(message), message
    assert "\n" not in message
    message.encode()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("texts", [TEXTS, ["\" \\ \x00 \x1f  \x85 a\r\n"], ["a"]])
def test_saved_and_loaded(split, texts, tmp_path):
    for lowercase in (False, True):
        vocabulary = Vocabulary.fit(texts, split, lowercase=lowercase)
        vocabulary.save(tmp_path / "vocabulary.json")
        found = Vocabulary.load(tmp_path / "vocabulary.json")
        assert found == vocabulary
        assert hash(found) == hash(vocabulary)
        assert found.lowercase is lowercase
        assert [each.name for each in tmp_path.iterdir()] == ["vocabulary.json"]
    Vocabulary([], split).save(tmp_path / "vocabulary.json")
    assert len(Vocabulary.load(tmp_path / "vocabulary.json")) == 1


def test_many_words_fit_a_file(tmp_path):
    vocabulary = Vocabulary([f"w{number}" for number in range(200_000)])
    vocabulary.save(tmp_path / "vocabulary.json")
    assert Vocabulary.load(tmp_path / "vocabulary.json") == vocabulary


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "vocabulary.json"
    Vocabulary.fit(["a b é"]).save(path)
    whole = path.read_bytes()
    damaged = [whole[:size] for size in range(0, len(whole), 7)]
    for bit in range(0, 8 * len(whole), 5):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(changed))
    damaged += [b"[]", b"{}", b"null", b"[" * 10**5, b"\x93NUMPY", whole.replace(b'"words"', b'"bytes"'),
                whole.replace(b"vocabulary-1", b"vocabulary-2")]
    for payload in damaged:
        path.write_bytes(payload)
        with pytest.raises(ModelFormatError, match=r"cannot load a vocabulary from .*; give a file that"):
            Vocabulary.load(path)
    with pytest.raises(ModelFormatError, match="is a directory"):
        Vocabulary.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        Vocabulary.load(tmp_path / "missing.json")


def test_the_same_for_any_hash_seed(tmp_path):
    code = (f"from fastnn.text import Vocabulary; v = Vocabulary.fit({TEXTS!r}, size=9); "
            f"print(ascii(v.tokens), v.encode({TEXTS!r}).steps.tolist())")
    found = {subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, check=True,
                            capture_output=True).stdout for seed in ("0", "1", "4711")}
    assert len(found) == 1

