"""Byte pairs: what they keep, give back and refuse."""

import numpy as np
import pytest

from fastnn import Dense, Embedding, GlobalAveragePool, ModelFormatError, Network, Sequences
from fastnn.text import BytePairs

pytest.importorskip("tokenizers", reason='byte pairs need the extra: pip install "fastnn-numba[text]"')
TEXTS = ["The tea is good; the cup isn't.", "", "  Naïve café\n", "हिन्दी में चाय", "日本茶 🍵🍵", "x_1 ’tis 3.5\t\r\n"]


@pytest.fixture(scope="module")
def pairs():
    return BytePairs.fit(TEXTS * 5, size=300)


def test_any_text_is_given_back(pairs):
    for text in [*TEXTS, "never seen: ß ∑ \N{ZERO WIDTH JOINER} 語"]:
        assert pairs.decode(pairs.encode([text])) == [text]
    encoded = pairs.encode(TEXTS)
    assert isinstance(encoded, Sequences)
    assert encoded.dtype == np.int32
    assert encoded.lengths[1] == 0
    assert pairs.decode(encoded[0].tolist()) == TEXTS[0]
    assert pairs.decode(encoded) == TEXTS


def test_frequent_pairs_are_tokens_and_rare_words_pieces(pairs):
    assert len(pairs) == 300
    plain = BytePairs.fit(TEXTS, size=256)
    assert len(plain) == 256
    assert plain.encode(TEXTS).lengths.tolist() == [len(text.encode()) for text in TEXTS]
    assert pairs.encode(TEXTS).lengths.sum() < 0.8 * plain.encode(TEXTS).lengths.sum()
    assert BytePairs.fit(TEXTS * 5, size=300) == pairs
    assert len(BytePairs.fit(["ab"], size=8000)) == 257  # there is one pair


def test_spellings_of_a_character_and_small_letters():
    pairs = BytePairs.fit(["café"], lowercase=True)
    assert pairs.decode(pairs.encode(["CAFE\N{COMBINING ACUTE ACCENT}"])) == ["café"]


def test_an_embedding_takes_them(pairs):
    net = Network([Embedding(len(pairs), 3), GlobalAveragePool(), Dense(1)], inputs=(None,))
    assert net.predict(pairs.encode(["unheard of", "the tea"])).shape == (2,)


def test_files(pairs, tmp_path):
    path = tmp_path / "pairs.json"
    pairs.save(path)
    again = BytePairs.load(path)
    assert again == pairs
    assert np.array_equal(again.encode(TEXTS).steps, pairs.encode(TEXTS).steps)
    text = path.read_text()
    for damaged in (text.replace("isn", "isx", 1).replace("Ġ", "g", 1), text[:-9], "[]", '{"format": "other"}', ""):
        path.write_text(damaged if damaged != text else text[::-1])
        with pytest.raises(ModelFormatError, match=r"BytePairs\.save wrote"):
            BytePairs.load(path)


@pytest.mark.parametrize(("call", "words"), [
    (lambda pairs: pairs.encode("a text"), "texts"), (lambda pairs: pairs.encode([b"x"]), "must be a str"),
    (lambda pairs: pairs.encode(["\udcff"]), "not valid Unicode"), (lambda pairs: pairs.decode([300]), "from 0 to 299"),
    (lambda pairs: pairs.decode([0.5]), "whole numbers"), (lambda pairs: BytePairs.fit(TEXTS, size=99), "size"),
    (lambda pairs: BytePairs("bpe"), r"tokenizers\.Tokenizer"),
])
def test_what_cannot_be_is_refused(call, words, pairs):
    with pytest.raises(ValueError, match=words):
        call(pairs)
