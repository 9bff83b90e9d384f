"""`Vocabulary`: the words or characters of texts, numbered from the most frequent one."""

from collections import Counter
from itertools import chain

import numpy as np

from ..checks import one_of, path_name, several, shown, true_or_false, whole_number
from ..samples.arrays import any_array
from ..samples.series.sequences import Sequences
from . import file
from .splitting import JOINTS, SPLITS, UNKNOWN, normalized


class Vocabulary:
    """The words or characters of texts, each with a number, its token.

    Token 0 stands for everything unknown. Then come the words or characters of the texts, the most frequent first; of
    equally frequent ones, the first in the order of Unicode's code points. So the tokens depend on the texts alone, not on
    their order. There is no token for padding, because `Sequences` are not padded.

    Texts are brought to Unicode's form NFC first: "é" is one character, however the file spells it. A word is a run of
    letters with their accents, digits and underscores, which may contain apostrophes, as "don't" does; each punctuation mark
    is a word of its own; space between words is dropped. Where a language is written without spaces, take characters.
    Characters include spaces and line ends.

    Parameters
    ----------
    tokens : list of str
        What tokens 1, 2, 3, … stand for. `Vocabulary.fit` finds them in texts.
    split : {"words", "characters"}
    lowercase : bool, default False
        Whether texts are converted to small letters first.

    Attributes
    ----------
    tokens : tuple of str
        What each token stands for; token 0 is "\N{REPLACEMENT CHARACTER}", Unicode's replacement character.

    Examples
    --------
    Fit a vocabulary on the training texts only; `len` is the number of tokens that an `Embedding` needs:

    >>> from fastnn import Dense, Embedding, GlobalAveragePool, Network
    >>> from fastnn.text import Vocabulary
    >>> vocabulary = Vocabulary.fit(["Good tea, good cup.", "Bad tea."], lowercase=True)
    >>> vocabulary.tokens[1:]
    ('.', 'good', 'tea', ',', 'bad', 'cup')
    >>> vocabulary.encode(["Tea!", ""])
    Sequences(2 of 0 to 2 steps, each an int32)
    >>> vocabulary.encode(["Tea!", ""])[0]
    array([3, 0], dtype=int32)
    >>> net = Network([Embedding(len(vocabulary), 8), GlobalAveragePool(), Dense(1, "sigmoid")], inputs=(None,))
    >>> net.predict_proba(vocabulary.encode(["good cup", "bad tea"])).shape
    (2, 1)
    """

    def __init__(self, tokens, split="words", *, lowercase=False):
        self.split = one_of("split", split, tuple(SPLITS))
        self.lowercase = true_or_false("lowercase", lowercase)
        tokens = texts_of("tokens", tokens)
        for number, token in enumerate(tokens):
            if not is_unicode(token):
                raise ValueError(f"tokens[{number}] is {shown(token)}, which is not valid Unicode, so no file can hold it; "
                                 "give tokens of texts that were decoded with errors='replace'")
            if token == UNKNOWN or self.pieces(token) != [token]:
                hint = f"; from texts it is made by Vocabulary.fit(texts, {split!r})"
                raise ValueError(f"tokens[{number}] is {shown(token)}; it must be one of the {split} that texts are split "
                                 f"into{', in small letters' * self.lowercase}{hint}")
        self.tokens = UNKNOWN, *tokens
        self.numbers = {token: number for number, token in enumerate(self.tokens)}
        if len(self.numbers) < len(self.tokens):
            twice = Counter(self.tokens).most_common(1)[0][0]
            raise ValueError(f"tokens holds {shown(twice)} twice; give each once")

    @classmethod
    def fit(cls, texts, split="words", *, size=None, min_count=1, lowercase=False):
        """Return the vocabulary of some texts, which are those of the training only.

        Parameters
        ----------
        texts : list of str
            A pandas column or an array of texts is taken as well.
        split : {"words", "characters"}
        size : int, optional
            The largest number of tokens, with that of the unknown. The most frequent are kept.
        min_count : int, default 1
            How often a word or character must occur to be kept. The unknown token learns from those that are dropped; if
            none is, its row of an `Embedding` keeps its random first values.
        lowercase : bool, default False

        Examples
        --------
        >>> from fastnn.text import Vocabulary
        >>> Vocabulary.fit(["to be or not to be"], size=3)
        Vocabulary(3 tokens, 'words')
        >>> Vocabulary.fit(["abba"], "characters").tokens[1:]
        ('a', 'b')
        """
        size = None if size is None else whole_number("size", size, least=2)
        min_count = whole_number("min_count", min_count)
        empty, counts = cls([], split, lowercase=lowercase), Counter()
        for number, text in enumerate(texts_of("texts", texts)):
            if not is_unicode(text):
                raise ValueError(f"texts[{number}] is {shown(text)}, which is not valid Unicode; give the encoding of its "
                                 "file where it is read, or errors='replace'")
            counts.update(empty.pieces(text))
        del counts[UNKNOWN]
        if not counts:
            raise ValueError(f"texts hold no {split}; give at least one text that does")
        found = sorted((token for token, count in counts.items() if count >= min_count),
                       key=lambda token: (-counts[token], token))
        if not found:
            raise ValueError(f"min_count is {min_count}, and no {split} occur as often; it must be at most "
                             f"{max(counts.values())} for these texts")
        return cls(found[:size and size - 1], split, lowercase=lowercase)

    def pieces(self, text):
        """Return the words or characters of a text, as a list of str."""
        return SPLITS[self.split](normalized(text, self.lowercase))

    def encode(self, texts):
        """Return the tokens of texts, as `Sequences` of int32; those of an empty text are an empty sequence.

        Examples
        --------
        >>> from fastnn.text import Vocabulary
        >>> Vocabulary(["a", "b"], "characters").encode(["ab", "b?"]).steps
        array([1, 2, 2, 0], dtype=int32)
        """
        pieces = [self.pieces(text) for text in texts_of("texts", texts)]
        lengths, get = [len(piece) for piece in pieces], self.numbers.get
        tokens = np.fromiter((get(piece, 0) for piece in chain.from_iterable(pieces)), np.int32, sum(lengths))
        return Sequences.of_lengths(tokens, lengths)

    def decode(self, tokens):
        """Return the texts of sequences of tokens, or the text of one sequence.

        Characters give the text back, in the form NFC, if none was unknown. Between words there is one space.

        Parameters
        ----------
        tokens : Sequences, or list of sequences, or array of int (steps,)

        Returns
        -------
        texts : list of str, or str for one sequence

        Examples
        --------
        >>> from fastnn.text import Vocabulary
        >>> vocabulary = Vocabulary.fit(["one two"])
        >>> vocabulary.decode(vocabulary.encode(["two one", ""])), vocabulary.decode([2, 0])
        (['two one', ''], 'two \N{REPLACEMENT CHARACTER}')
        """
        return decoded(tokens, self.text_of)

    def text_of(self, where, tokens):
        """Return the text of a sequence of tokens."""
        tokens = whole_tokens(where, tokens, len(self))
        return JOINTS[self.split].join(self.tokens[token] for token in tokens.tolist())

    def save(self, path):
        """Write the vocabulary to a JSON file, atomically."""
        file.save(path_name("path", path), self.tokens[1:], self.split, self.lowercase)

    @classmethod
    def load(cls, path):
        """Read a vocabulary that `save` wrote; raise ModelFormatError for any other file, or if it is damaged.

        Examples
        --------
        >>> import os
        >>> from tempfile import TemporaryDirectory
        >>> from fastnn.text import Vocabulary
        >>> vocabulary = Vocabulary.fit(["one two"])
        >>> with TemporaryDirectory() as folder:
        ...     vocabulary.save(os.path.join(folder, "words.json"))
        ...     Vocabulary.load(os.path.join(folder, "words.json")) == vocabulary
        True
        """
        return file.load(path_name("path", path), cls)

    def entries(self):
        """Return the vocabulary as plain data, as files of networks hold it."""
        return file.described(self.tokens[1:], self.split, self.lowercase)

    @classmethod
    def from_entries(cls, entries):
        """Make the vocabulary of `entries()`, which may come from a file."""
        tokens, split, lowercase = file.arguments_of(entries)
        return cls(tokens, split, lowercase=lowercase)

    def __len__(self):
        return len(self.tokens)

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.key() == other.key()

    def __hash__(self):
        return hash(self.key())

    def key(self):
        return self.tokens, self.split, self.lowercase

    def __repr__(self):
        return f"Vocabulary({len(self):,} tokens, {self.split!r}{', lowercase=True' * self.lowercase})"


def texts_of(where, texts):
    """Return texts as a tuple of str."""
    if isinstance(texts, (set, frozenset, dict)) or getattr(texts, "ndim", 1) != 1:  # without order, or names of columns
        raise ValueError(f"{where} is a {type(texts).__name__}; it must be a list of texts, or one column of them")
    found = several(where, texts)
    for number, text in enumerate(found):
        if not isinstance(text, str):
            hint = "; decode it, as .decode('utf-8') does" if isinstance(text, bytes) else "; fill missing texts, as with ''"
            raise ValueError(f"{where}[{number}] is {shown(text)}; it must be a str{hint}")
    return found


def is_unicode(text):
    """Return whether a file can hold the text: not if it has surrogates, which stand for bytes that were not understood."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def decoded(tokens, text_of):
    """Return the texts of sequences of tokens, or the text of one. text_of: (name in errors, tokens of one) → text."""
    if isinstance(tokens, Sequences):
        return [text_of("tokens", each) for each in tokens]
    if isinstance(tokens, (list, tuple)) and any(np.ndim(each) for each in tokens):
        return [text_of(f"tokens[{number}]", each) for number, each in enumerate(tokens)]
    return text_of("tokens", tokens)


def whole_tokens(where, tokens, count):
    """Return the tokens of one sequence as an array, checked: whole numbers from 0 to count − 1."""
    tokens = any_array(where, tokens)
    if tokens.ndim != 1 or (tokens.size and tokens.dtype.kind not in "iu"):
        raise ValueError(f"{where} is {shown(tokens)}; it must be whole numbers (steps,), from 0 to {count - 1}")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < count:
        raise ValueError(f"{where} ranges from {tokens.min()} to {tokens.max()}; tokens of this vocabulary must be from "
                         f"0 to {count - 1}")
    return tokens
