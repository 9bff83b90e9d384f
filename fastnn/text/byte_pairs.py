"""`BytePairs`: pieces of words as tokens, which the package tokenizers finds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from ..checks import path_name, shown, true_or_false, whole_number
from ..files.networks import LONGEST, ModelFormatError, open_file
from ..formats.atomic_file import write_whole
from ..formats.untrusted_json import from_text, to_text
from ..samples.series.sequences import Sequences
from .file import LARGEST
from .vocabulary import decoded, is_unicode, texts_of, whole_tokens

FORMAT = "fastnn-byte-pairs-1"
BYTES = 256


def library():
    """Return the package `tokenizers`, or raise an error that says how to install it."""
    try:
        import tokenizers
    except ImportError as error:
        raise ImportError('byte pairs need the package tokenizers; install it with: pip install "fastnn-numba[text]"'
                          ) from error
    return tokenizers


class BytePairs:
    """Tokens that are bytes, and pairs of tokens that are frequent in texts (byte pair encoding, Sennrich et al. 2016).

    Frequent words become one token, rare ones several, and nothing is unknown: any text is given back as it was, in
    Unicode's form NFC. `BytePairs.fit` finds the pairs. Needs the package tokenizers, the extra `text`.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        One of the package tokenizers, from `fit` or trained elsewhere.

    Attributes
    ----------
    tokenizer : tokenizers.Tokenizer

    Examples
    --------
    >>> from fastnn.text import BytePairs
    >>> pairs = BytePairs.fit(["low lower lowest"] * 9, size=262)
    >>> tokens = pairs.encode(["lowest slow"])
    >>> [pairs.decode([token]) for token in tokens[0]]
    ['low', 'e', 'st', ' ', 's', 'low']
    >>> pairs.decode(tokens)
    ['lowest slow']
    """

    def __init__(self, tokenizer):
        if not isinstance(tokenizer, library().Tokenizer):
            raise ValueError(f"tokenizer is {shown(tokenizer)}; it must be a tokenizers.Tokenizer: BytePairs.fit(texts) "
                             "trains one")
        self.tokenizer = tokenizer

    @classmethod
    def fit(cls, texts: Iterable[str], *, size: int = 8000, lowercase: bool = False) -> BytePairs:
        """Return the byte pairs of some texts, which are those of the training only.

        Parameters
        ----------
        texts : list of str
        size : int, default 8000
            The largest number of tokens, with those of the 256 bytes; an `Embedding` needs `len` of the result, which is
            less if the texts have too few pairs.
        lowercase : bool, default False
            Whether texts are converted to small letters first.
        """
        size, lowercase = whole_number("size", size, least=BYTES), true_or_false("lowercase", lowercase)
        texts, tokenizers = valid("texts", texts), library()
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        changes = [tokenizers.normalizers.NFC()] + [tokenizers.normalizers.Lowercase()] * lowercase
        tokenizer.normalizer = tokenizers.normalizers.Sequence(changes)
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=size, initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    def encode(self, texts: Iterable[str]) -> Sequences:
        """Return the tokens of texts, as `Sequences` of int32; those of an empty text are an empty sequence."""
        found = [each.ids for each in self.tokenizer.encode_batch(valid("texts", texts), add_special_tokens=False)]
        lengths = [*map(len, found)]
        tokens = np.fromiter((token for each in found for token in each), np.int32, sum(lengths))
        return Sequences.of_lengths(tokens, lengths)

    def decode(self, tokens: Sequences | ArrayLike) -> list[str] | str:
        """Return the texts of sequences of tokens, or the text of one sequence.

        Bytes that form no character become "\N{REPLACEMENT CHARACTER}".
        """
        return decoded(tokens, self.text_of)

    def text_of(self, where, tokens):
        """Return the text of a sequence of tokens."""
        return self.tokenizer.decode(whole_tokens(where, tokens, len(self)).tolist(), skip_special_tokens=False)

    def save(self, path: str | os.PathLike) -> None:
        """Write the byte pairs to a JSON file, atomically."""
        entries = {"format": FORMAT, "tokenizer": self.tokenizer.to_str()}
        write_whole(path_name("path", path), [to_text(entries | {"sha256": digest(entries)}).encode()])

    @classmethod
    def load(cls, path: str | os.PathLike) -> BytePairs:
        """Read byte pairs that `save` wrote; raise ModelFormatError for any other file, or if it is damaged."""
        path = path_name("path", path)
        with open_file(path) as file:
            try:
                if os.fstat(file.fileno()).st_size > LARGEST:
                    raise ValueError("it has more bytes than byte pairs may")
                return cls(library().Tokenizer.from_str(tokenizer_of(file.read())))
            except ImportError:
                raise
            except Exception as error:  # tokenizers raises Exception itself
                raise ModelFormatError(f"cannot load byte pairs from {path}: {str(error)[:LONGEST]}; give a file that "
                                       "BytePairs.save wrote") from error

    def entries(self):
        """Return the byte pairs as plain data, as files of networks hold them."""
        return {"format": FORMAT, "tokenizer": self.tokenizer.to_str()}

    @classmethod
    def from_entries(cls, entries):
        """Make the byte pairs of `entries()`, which may come from a file; raise ValueError for anything else."""
        if entries.keys() != {"format", "tokenizer"} or not isinstance(entries["tokenizer"], str):
            raise ValueError("its byte pairs must have the keys format, tokenizer")
        tokenizers = library()
        try:
            return cls(tokenizers.Tokenizer.from_str(entries["tokenizer"]))
        except Exception as error:  # tokenizers raises Exception itself
            raise ValueError(f"its byte pairs are no tokenizer: {str(error)[:LONGEST]}") from error

    def __len__(self):
        return self.tokenizer.get_vocab_size()

    def __eq__(self, other):
        return isinstance(other, BytePairs) and self.tokenizer.to_str() == other.tokenizer.to_str()

    def __hash__(self):
        return hash(self.tokenizer.to_str())

    def __repr__(self):
        return f"BytePairs({len(self):,} tokens)"


def valid(where, texts):
    """Return texts as a list of str that UTF-8 can hold."""
    found = texts_of(where, texts)
    for number, text in enumerate(found):
        if not is_unicode(text):
            raise ValueError(f"{where}[{number}] is {shown(text)}, which is not valid Unicode; give the encoding of its "
                             "file where it is read, or errors='replace'")
    return list(found)


def tokenizer_of(payload):
    """Return the JSON of the tokenizer in the bytes of a file."""
    found = from_text(payload.decode("utf-8"))
    if not isinstance(found, dict) or found.keys() != {"format", "tokenizer", "sha256"}:
        raise ValueError("it must be an object with the keys format, sha256, tokenizer")
    if found["format"] != FORMAT:
        raise ValueError(f"its format is {str(found['format'])[:40]!r}; this version of fastnn takes {FORMAT!r}")
    if found.pop("sha256") != digest(found):
        raise ValueError("it is damaged: its digest does not fit")
    return found["tokenizer"]


def digest(entries):
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
