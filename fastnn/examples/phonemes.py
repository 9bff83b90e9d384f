"""Letters to phonemes: how an English word is spoken, learned from the pronouncing dictionary of Carnegie Mellon University.

The dictionary is a file that you download, `cmudict.dict` (github.com/cmusphinx/cmudict; packed by xz or gzip is fine): a
word and its phonemes a line. Stress marks are left out. A random tenth of the words is for the test, another hundredth for
the choice of the epoch; a word with several pronunciations is in one part with all of them, and counts as right if any
matches. Word errors are the share of words that are not right; phoneme errors the insertions, deletions and substitutions
against the nearest pronunciation, a phoneme of it.

The encoder reads the letters in both directions, the decoder writes phonemes and attends to the letters; the words are
written by beam search. Training goes on for `--minutes`, and the curve says what they bring.
"""

import argparse
import gzip
import lzma
import re
import time
from pathlib import Path

import numpy as np

from .. import (
    GRU,
    Adam,
    Attention,
    Bidirectional,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePool,
    Input,
    Network,
    plot,
)
from ..decoding import teacher_forcing
from ..text import Vocabulary
from . import options

UNITS, FEATURES, BATCH_SIZE, WIDTH = 192, 48, 64, 5
RATE = 2e-3
LINE = re.compile(r"(\S+?)(?:\(\d+\))? (.+)")
WORD = re.compile(r"[a-z']+")


def main(argv=None):
    parser = options("phonemes", __doc__, quick="a twentieth of the words, one epoch")
    parser.add_argument("dictionary", type=Path, help="the file cmudict.dict")
    parser.add_argument("--minutes", type=positive, default=20.0, help="of training (default: 20)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="where to keep the network, with its vocabularies")
    parsed = parser.parse_args(argv)
    try:
        spoken = pronunciations(parsed.dictionary)
    except OSError as error:
        parser.error(f"{parsed.dictionary} cannot be read: {error.strerror or error}")
    if len(spoken) < 1000:
        parser.error(f"{parsed.dictionary} has {len(spoken)} words; it must be the file cmudict.dict")
    train, chosen, test = split(spoken, quick=parsed.quick)
    letters = Vocabulary.fit(train, "characters")
    phonemes = Vocabulary.fit([way for word in train for way in spoken[word]])
    net = speaker(letters, phonemes)
    print(f"{net.summary()}\n")
    print(f"{len(train):,} words to train on, {len(test):,} for the test; {len(phonemes) - 1} phonemes")
    net, curve = learn(net, spoken, train, chosen, 0.01 if parsed.quick else parsed.minutes)
    found = {}
    for width in (1, WIDTH):
        begin = time.perf_counter()
        written = net.translate(test, width=width)
        each = (time.perf_counter() - begin) / len(test)
        words, sounds = errors(written, [spoken[word] for word in test])
        found[width] = words, sounds
        print(f"{len(test):,} other words, {'greedy' if width == 1 else f'beam of {width}'}: {words:.1%} of words wrong, "
              f"{sounds:.1%} of phonemes; {1e3 * each:.2f} ms a word")
    for word in test[:8]:
        print(f"  {word}: {net.translate(word, width=WIDTH)}   ({' or '.join(spoken[word])})")
    if parsed.save:
        net.save(parsed.save)
        print(f"{parsed.save}: {parsed.save.stat().st_size / 1e6:.1f} MB")
    print(plot.save_picture(parsed.picture, lambda: draw(curve)))
    return {"word errors": found[WIDTH][0], "phoneme errors": found[WIDTH][1], "curve": curve}


def positive(text):
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return number


def pronunciations(path):
    """Return {word: [phonemes, …]} of the dictionary; words with other signs than letters and ' are left out."""
    opened = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    found = {}
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            match = LINE.fullmatch(line.partition("#")[0].strip())
            if match and WORD.fullmatch(match[1]):
                way = re.sub(r"\d", "", match[2])
                ways = found.setdefault(match[1], [])
                if way not in ways:
                    ways.append(way)
    return found


def split(spoken, quick):
    """Return the words of training, choice and test: the same for every run on the same dictionary."""
    words = sorted(spoken)
    words = [words[number] for number in np.random.default_rng(0).permutation(len(words))]
    if quick:
        words = words[:len(words) // 20]
    test, chosen = len(words) // 10, len(words) // 100
    return words[test + chosen:], words[test:test + chosen], words[:test]


def speaker(letters, phonemes):
    """Return the network for these vocabularies."""
    word, written, tokens = Input((None,), name="word"), Input((None,), name="written"), len(phonemes) + 1
    read = Bidirectional(GRU(UNITS // 2, return_sequences=True))(Embedding(len(letters), FEATURES)(word))
    read = Dropout(0.2)(Bidirectional(GRU(UNITS // 2, return_sequences=True))(Dropout(0.2)(read)))
    state = Dense(UNITS, "tanh")(GlobalAveragePool()(read))
    steps = GRU(UNITS, return_sequences=True)(Embedding(tokens, FEATURES)(written), initial_state=state)
    seen = Attention()(Dense(UNITS)(steps), read)
    h = Dropout(0.2)(Dense(UNITS, "tanh")(Concatenate()(steps, seen)))
    net = Network(inputs=[word, written], outputs=Dense(tokens, "softmax")(h))
    net.vocabularies = {"word": letters, "written": phonemes}
    return net


def learn(net, spoken, words, chosen, minutes):
    """Train for some minutes; return the network, and (seconds, loss, word errors, phoneme errors) of each epoch."""
    pairs = [(word, way) for word in words for way in spoken[word]]
    letters, phonemes = net.vocabularies["word"], net.vocabularies["written"]
    given, wanted = teacher_forcing(phonemes.encode([way for _, way in pairs]), len(phonemes))
    X = {"word": letters.encode([word for word, _ in pairs]), "written": given}
    curve, optimizer, begin, spent = [], Adam(learning_rate=RATE, clip_norm=1.0), time.perf_counter(), 0.0
    print("epoch   seconds      loss   words wrong   phonemes wrong")
    while not curve or curve[-1][0] * (1 + 1 / len(curve)) < 60 * minutes:
        # the rate falls in a straight line over the time that is given
        optimizer.learning_rate = RATE * max(0.02, 1 - (curve[-1][0] if curve else 0.0) / (60 * minutes))
        history = net.fit(X, wanted, epochs=1, batch_size=BATCH_SIZE, optimizer=optimizer)
        seconds = time.perf_counter() - begin - spent
        measured = time.perf_counter()
        wrong = errors(net.translate(chosen), [spoken[word] for word in chosen])
        spent += time.perf_counter() - measured
        curve.append((seconds, history["loss"][-1], *wrong))
        print(f"{len(curve):5}{seconds:10.1f}{curve[-1][1]:10.4f}{wrong[0]:14.1%}{wrong[1]:17.1%}", flush=True)
    return net, curve


def errors(written, ways):
    """Return (share of words that are wrong, phonemes wrong a phoneme), each against the nearest pronunciation."""
    wrong, edits, count = 0, 0, 0
    for found, valid in zip(written, ways, strict=True):
        distance, length = min((distance_of(found.split(), way.split()), len(way.split())) for way in valid)
        wrong, edits, count = wrong + (distance > 0), edits + distance, count + length
    return wrong / len(ways), edits / count


def distance_of(one, other):
    """Return the least number of insertions, deletions and substitutions between two lists (Levenshtein)."""
    if one == other:
        return 0
    row = list(range(len(other) + 1))
    for i, first in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, second in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (first != second))
    return row[-1]


def draw(curve):
    """Draw the errors over the time of training."""
    ax = plot.axes(width=7, height=4)
    minutes = [point[0] / 60 for point in curve]
    for column, name in ((2, "words"), (3, "phonemes")):
        ax.plot(minutes, [100 * point[column] for point in curve], color=plot.COLORS[column - 2],
                marker=plot.MARKERS[column - 2], label=name)
    ax.set(xlabel="minutes of training", ylabel="% wrong, greedy", ylim=(0, None),
           title="Letters to phonemes: words that training has not seen")
    ax.legend(frameon=False)
    return ax


if __name__ == "__main__":
    main()
