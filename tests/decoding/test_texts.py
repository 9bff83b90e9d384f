"""Texts for texts: a network with the vocabularies of both sides, in one file."""

import pickle

import numpy as np
import pytest

from fastnn import GRU, Adam, Dense, Embedding, Input, ModelFormatError, Network
from fastnn.decoding import beam_search, teacher_forcing
from fastnn.text import Vocabulary

rng = np.random.default_rng(0)
TEXTS = ["".join(rng.choice(list("abc"), size=rng.integers(1, 4))) for _ in range(300)]
TRANSLATIONS = [text[::-1].upper() for text in TEXTS]
LETTERS, CAPITALS = (Vocabulary.fit(texts, "characters") for texts in (TEXTS, TRANSLATIONS))


def reverser(seed=0):
    source, target = Input((None,), name="source"), Input((None,), name="target")
    state = GRU(24)(Embedding(len(LETTERS), 8)(source))
    steps = GRU(24, return_sequences=True)(Embedding(len(CAPITALS) + 1, 8)(target), initial_state=state)
    return Network(inputs=[source, target], outputs=Dense(len(CAPITALS) + 1, "softmax")(steps), seed=seed)


@pytest.fixture(scope="module")
def net():
    net = reverser()
    net.vocabularies = {"source": LETTERS, "target": CAPITALS}
    given, wanted = teacher_forcing(CAPITALS.encode(TRANSLATIONS), len(CAPITALS))
    net.fit({"source": LETTERS.encode(TEXTS), "target": given}, wanted, epochs=40, optimizer=Adam(learning_rate=0.02))
    return net


def test_it_translates(net):
    assert net.translate("abc") == "CBA"
    assert net.translate(["ab", "c"]) == ["BA", "C"]
    assert net.translate(["ab", "c"], width=4, length_power=0.5) == ["BA", "C"]
    assert net.translate([]) == []
    found = net.translate(TEXTS)
    assert np.mean([one == other for one, other in zip(found, TRANSLATIONS, strict=True)]) > 0.98
    tokens = beam_search(net, LETTERS.encode(["abc"]), width=3)[0][0][0]
    assert CAPITALS.decode(tokens) == "CBA"


def test_one_file_holds_the_network_and_both_vocabularies(net, tmp_path):
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.vocabularies == net.vocabularies
    assert loaded.translate(TEXTS[:50]) == net.translate(TEXTS[:50])
    net.save_checkpoint(tmp_path / "run.safetensors")
    for other in (Network.load_checkpoint(tmp_path / "run.safetensors"), pickle.loads(pickle.dumps(net)),
                  net.astype("float64")):
        assert other.vocabularies == net.vocabularies
        assert other.translate(TEXTS[:5]) == net.translate(TEXTS[:5])


def test_words_and_small_letters_stay_what_they_are(tmp_path):
    net = reverser()
    odd = Vocabulary(["a", "b", "c", ",", "\n", " "], "characters")
    words = Vocabulary.fit(["Good tea"] * 2, lowercase=True)
    small = Network([Embedding(len(words), 3), GRU(3), Dense(2, "softmax")], inputs=(None,))
    small.vocabularies = {"input": words}
    small.save(tmp_path / "small.safetensors")
    assert Network.load(tmp_path / "small.safetensors").vocabularies == {"input": words}
    with pytest.raises(ValueError, match="7 tokens, and the input 'source' takes 4"):
        net.vocabularies = {"source": odd}


def test_a_damaged_vocabulary_is_refused(tmp_path):
    from fastnn.files import networks
    from fastnn.formats.untrusted_json import to_text

    net = reverser()
    text = to_text({"source": LETTERS.entries() | {"tokens": "abcdefgh"}})
    networks.save(net, tmp_path / "net.safetensors", {"vocabularies": text})
    with pytest.raises(ModelFormatError, match="9 tokens, and the input 'source' takes 4"):
        Network.load(tmp_path / "net.safetensors")


def test_what_has_no_vocabularies_is_refused():
    net = reverser()
    with pytest.raises(ValueError, match="no vocabulary of 'source' and 'target'"):
        net.translate(["ab"])
    net.vocabularies = {"source": LETTERS}
    with pytest.raises(ValueError, match="no vocabulary of 'target'"):
        net.translate(["ab"])
    with pytest.raises(ValueError, match="no output at each step"):
        Network([Dense(2)], inputs=3).translate(["ab"])
    with pytest.raises(ValueError, match="'other', which is no input"):
        net.vocabularies = {"other": LETTERS}
    with pytest.raises(ValueError, match="it must be a fastnn"):
        net.vocabularies = {"source": list("abc")}
    with pytest.raises(ValueError, match="it must be a dict"):
        net.vocabularies = LETTERS
    more = Vocabulary(list("ABCD"), "characters")
    with pytest.raises(ValueError, match="it needs one more for begin and end"):
        net.vocabularies = {"target": more}
    net.vocabularies = {"source": LETTERS, "target": CAPITALS}
    with pytest.raises(ValueError, match="texts"):
        net.translate([3])
    net.vocabularies = {}
    assert net.vocabularies == {}
