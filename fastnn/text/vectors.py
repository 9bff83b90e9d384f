"""Pretrained word vectors in text files, as GloVe, word2vec and fastText publish them."""

from __future__ import annotations

import gzip
import os
import unicodedata

import numpy as np
from numpy.typing import NDArray

from ..checks import path_name, shown
from .vocabulary import Vocabulary


def read_vectors(path: str | os.PathLike, vocabulary: Vocabulary) -> tuple[NDArray, NDArray]:
    """Return the vectors of a vocabulary's words from a text file, for the weight of an `Embedding`.

    A line has a word and its numbers, separated by spaces, in UTF-8. A first line with two whole numbers, how many words and
    how many numbers each, is that of word2vec and fastText. A file whose name ends with .gz is decompressed. Lines of words
    that are not in the vocabulary are skipped, so memory is needed for the vocabulary only; of a word that occurs twice, the
    first line counts.

    Parameters
    ----------
    path : path-like
    vocabulary : Vocabulary

    Returns
    -------
    vectors : array (tokens, features) float32
        Rows of words that are not in the file are zeros.
    found : array of bool (tokens,)
        Which words are in the file.

    Raises
    ------
    ValueError
        If a line does not have as many numbers as the first, or no word of the vocabulary is in the file.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastnn import Dense, Embedding, GlobalAveragePool, Network
    >>> from fastnn.text import Vocabulary, read_vectors
    >>> path = os.path.join(tempfile.mkdtemp(), "vectors.txt")
    >>> with open(path, "w") as file:
    ...     _ = file.write("tea 0.5 1.5\\ncup -1 2\\nsea 3 3\\n")
    >>> vocabulary = Vocabulary.fit(["good tea good cup"])
    >>> vectors, found = read_vectors(path, vocabulary)
    >>> net = Network([Embedding(*vectors.shape), GlobalAveragePool(), Dense(1)], inputs=(None,))
    >>> net.parameters["0.weight"][found] = vectors[found]  # the others keep their random first values
    >>> [vocabulary.tokens[token] for token in found.nonzero()[0]]
    ['cup', 'tea']
    """
    if not isinstance(vocabulary, Vocabulary):
        raise ValueError(f"vocabulary is {shown(vocabulary)}; it must be a fastnn.text.Vocabulary, whose words the file has")
    path = path_name("path", path)
    vectors, found = None, np.zeros(len(vocabulary), bool)
    with (gzip.open if os.fspath(path).endswith(".gz") else open)(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1 and is_header(line):
                vectors = np.zeros((len(vocabulary), int(line.split()[1])), np.float32)
                continue
            if not line.strip():
                continue
            if vectors is None:
                vectors = np.zeros((len(vocabulary), numbers_at_end(line)), np.float32)
            if vectors.shape[1] == 0:
                raise ValueError(f"{path} is no file of vectors: line {number} has no numbers behind a word")
            word, *numbers = line.rstrip().rsplit(b" ", vectors.shape[1])  # a word may hold spaces
            token = token_of(path, number, word, vocabulary)
            if token and not found[token]:
                vectors[token], found[token] = numbers_of(path, number, numbers, vectors.shape[1]), True
    if not found.any():
        raise ValueError(f"{path} has none of the {len(vocabulary) - 1} words of the vocabulary, such as "
                         f"{shown(vocabulary.tokens[-1])}; fit the vocabulary with lowercase=True where the words of the "
                         "file are in small letters")
    return vectors, found


def is_header(line):
    """Return whether a line holds two whole numbers."""
    parts = line.split()
    return len(parts) == 2 and all(part.isdigit() for part in parts)


def numbers_at_end(line):
    """Return how many numbers a line has behind its word."""
    count, parts = 0, line.split()
    for part in reversed(parts[1:]):
        try:
            float(part)
        except ValueError:
            break
        count += 1
    return count


def token_of(path, number, word, vocabulary):
    """Return the token of a word, as bytes; 0 if the vocabulary does not have it."""
    try:
        return vocabulary.numbers.get(unicodedata.normalize("NFC", word.decode()), 0)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 in line {number}: {error.reason}; convert it, or leave the line "
                         "out") from None


def numbers_of(path, number, parts, count):
    """Return the numbers of a line as an array, which must be so many and finite."""
    try:
        values = np.array([float(part) for part in parts], np.float64)
    except ValueError:
        values = np.empty(0)
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"line {number} of {path} does not end with {count} numbers, as many as the first line has")
    return values
