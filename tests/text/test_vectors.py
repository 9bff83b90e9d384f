"""Pretrained vectors from text files."""

import gzip

import numpy as np
import pytest

from fastnn import Dense, Embedding, GlobalAveragePool, Network
from fastnn.text import Vocabulary, read_vectors

VOCABULARY = Vocabulary.fit(["tea good tea cup café . , 5"])
LINES = "the 1 1 1\ntea 0.5 -1e-3 2\n. 7 8 9\ncafé 1 2 3\ntea 9 9 9\n5 4 5 6\n"


def write(tmp_path, text, name="vectors.txt"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("text", [LINES, "6 3\n" + LINES, LINES.replace("\n", " \r\n"), LINES.rstrip("\n"),
                                  LINES.replace("é", "e\N{COMBINING ACUTE ACCENT}"), "\n" + LINES])
@pytest.mark.parametrize("name", ["vectors.txt", "vectors.vec.gz"])
def test_vectors_of_the_words(text, name, tmp_path):
    vectors, found = read_vectors(write(tmp_path, text, name), VOCABULARY)
    expected = {"tea": [0.5, -1e-3, 2], ".": [7, 8, 9], "café": [1, 2, 3], "5": [4, 5, 6]}
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(VOCABULARY), 3)
    for token, word in enumerate(VOCABULARY.tokens):
        assert found[token] == (word in expected)
        assert np.array_equal(vectors[token], np.float32(expected.get(word, [0, 0, 0])))


def test_words_of_other_files_may_hold_spaces(tmp_path):
    vectors, found = read_vectors(write(tmp_path, "tea 1 2\n. . . 3 4\n at 5 6\ncup 7 8\n"), VOCABULARY)
    assert [VOCABULARY.tokens[token] for token in np.flatnonzero(found)] == ["tea", "cup"]
    assert vectors[VOCABULARY.numbers["cup"]].tolist() == [7, 8]


def test_they_are_saved_with_the_network(tmp_path):
    vectors, found = read_vectors(write(tmp_path, LINES), VOCABULARY)
    net = Network([Embedding(*vectors.shape), GlobalAveragePool(), Dense(1, "sigmoid")], inputs=(None,))
    net.parameters["0.weight"][found] = vectors[found]
    net.fit([[1, 2], [3]], [0, 1], epochs=2, frozen=["0.weight"])
    net.save(tmp_path / "net.safetensors")
    assert np.array_equal(Network.load(tmp_path / "net.safetensors").parameters["0.weight"][found], vectors[found])


@pytest.mark.parametrize(("text", "words"), [
    ("tea 1 2\ncup 1\n", "line 2 .*does not end with 2 numbers"), ("tea 1 2\ncup 1 x\n", "line 2 .*2 numbers"),
    ("tea 1 nan\n", "line 1 .*2 numbers"), ("other 1 2\n", "none of the .* words.*lowercase=True"), ("", "none of the"),
    ("tea\n", "line 1 has no numbers"), ("2 3\ntea 1 2\n", "line 2 .*3 numbers"),
])
def test_what_is_no_file_of_vectors_is_refused(text, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        read_vectors(write(tmp_path, text), VOCABULARY)


def test_other_arguments_are_refused(tmp_path):
    path = write(tmp_path, LINES)
    with pytest.raises(ValueError, match=r"fastnn\.text\.Vocabulary"):
        read_vectors(path, ["tea"])
    path.write_bytes("tea 1 2\ncaf\xe9 1 2\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8 in line 2"):
        read_vectors(path, VOCABULARY)
    with pytest.raises(FileNotFoundError):
        read_vectors(tmp_path / "none.txt", VOCABULARY)
