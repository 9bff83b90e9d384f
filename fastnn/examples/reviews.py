"""A text and a table at once: is a review of food a great one?

Reviews of food on Amazon (from tidymodels' modeldata) have a text, a product and a score, "great" or "other". You give the
two files, as CSV with the columns product, review and score; packed by gzip is fine. One input is the text, a sequence of
words of any length; the other is a table: which of the products with several reviews it is, how long the text is, and how
loudly it is written (capital letters, exclamation marks). There are three kinds of networks, of the text, of the table and
of both, and the probabilities of each are means over three seeds. They are compared on the reviews of the second file; words
and products are those of the first alone.

In modeldata's files each product has one review, and the loudness is in the words: the text alone is as good as both.
"""

import csv
import gzip
from collections import Counter
from pathlib import Path

import numpy as np

from .. import Adam, Concatenate, Dense, Dropout, Embedding, GlobalAveragePool, GlobalMaxPool, Input, Network, plot
from ..text import Vocabulary
from . import options

FEATURES, EPOCHS, BATCH_SIZE, SEEDS = 24, 5, 32, 3
PRODUCTS = 60  # of the table: those with the most reviews
SHOUTING = "capitals", "exclamation marks", "words"
READ = {"text": ["text"], "table": ["table"], "both": ["text", "table"]}


def main(argv=None):
    parser = options("reviews", __doc__, quick="a quarter of the reviews, one network each")
    parser.add_argument("train", type=Path, help="the file of reviews to learn from")
    parser.add_argument("test", type=Path, help="the file of other reviews")
    parsed = parser.parse_args(argv)
    try:
        train, test = rows_of(parsed.train), rows_of(parsed.test)
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        parser.error(f"{parsed.train} and {parsed.test} must be CSV files with the columns product, review and score: "
                     f"{error}")
    train, seeds = (train[::4], 1) if parsed.quick else (train, SEEDS)
    words = Vocabulary.fit([row["review"] for row in train], min_count=2, lowercase=True)
    products = [name for name, count in Counter(row["product"] for row in train).most_common(PRODUCTS) if count > 1]
    X, scale = inputs_of(train, words, products)
    test_X, _ = inputs_of(test, words, products, scale)
    y, test_y = labels(train), labels(test)
    print(f"{len(train):,} reviews to learn from, {y.mean():.1%} great; {len(test):,} others; {len(words):,} words, "
          f"{len(products)} products\n")
    found, probabilities = {}, {}
    for name, inputs in READ.items():
        members = []
        for seed in range(seeds):
            net = network(inputs, len(words), len(products) + len(SHOUTING), seed)
            net.fit({each: X[each] for each in inputs}, y, epochs=EPOCHS, batch_size=BATCH_SIZE, optimizer=Adam(0.002))
            members.append(np.ravel(net.forward({each: test_X[each] for each in inputs})))
        probabilities[name] = np.mean(members, axis=0)
        found[name] = float(np.mean((probabilities[name] > 0.5) == test_y))
        print(f"reads {' and '.join(inputs):16}{found[name]:8.1%} right")
    found["always great"] = float(test_y.mean())
    print(f"always great {found['always great']:17.1%}\n\n{net.summary()}")
    print(plot.save_picture(parsed.picture, lambda: draw(probabilities, test_y)))
    return found


def rows_of(path):
    """Return the rows of a CSV file, dicts."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["product"], row["review"], row["score"]
    return rows


def labels(rows):
    return np.array([row["score"] == "great" for row in rows], float)


def inputs_of(rows, words, products, scale=None):
    """Return ({input: samples}, the mean and deviation of the columns of how a text is written)."""
    texts = [row["review"] or "." for row in rows]
    shouting = np.array([[np.mean([letter.isupper() for letter in text]), np.log1p(text.count("!")),
                          np.log1p(len(text.split()))] for text in texts])
    scale = (shouting.mean(axis=0), shouting.std(axis=0)) if scale is None else scale
    known = np.array([[row["product"] == product for product in products] for row in rows], float)
    tokens = [each if len(each) else [0] for each in words.encode(texts)]
    return {"text": tokens, "table": np.hstack([known.reshape(len(rows), -1), (shouting - scale[0]) / scale[1]])}, scale


def network(inputs, words, columns, seed):
    """Return a network that reads these inputs."""
    nodes, parts = {"text": Input((None,), name="text"), "table": Input(columns, name="table")}, []
    if "text" in inputs:
        read = Embedding(words, FEATURES)(nodes["text"], name="words")
        parts.append(Concatenate()(GlobalAveragePool()(read), GlobalMaxPool()(read), name="read"))
    if "table" in inputs:
        parts.append(Dense(8, "relu")(nodes["table"], name="told"))
    h = Dropout(0.4)(parts[0] if len(parts) == 1 else Concatenate()(parts, name="both"))
    h = Dense(16, "relu")(h, name="mixed")
    return Network(inputs=[nodes[name] for name in inputs], outputs=Dense(1, "sigmoid")(h, name="great"), seed=seed)


def draw(probabilities, true):
    """Draw how the probabilities of each network are distributed over the great reviews and the others."""
    axes = plot.axes(1, len(probabilities), width=11, height=3.4)
    for ax, (name, found) in zip(axes, probabilities.items(), strict=True):
        for label, word, color in ((1, "great", plot.COLORS[2]), (0, "other", plot.COLORS[1])):
            ax.hist(found[true == label], bins=np.linspace(0, 1, 26), alpha=0.6, label=word, color=color)
        right = np.mean((found > 0.5) == true)
        ax.set(title=f"reads {'text and table' if name == 'both' else f'the {name}'}: {right:.1%} right",
               xlabel="probability of great")
        plot.plain(ax)
    axes[0].set(ylabel="reviews of the test")
    axes[0].legend(frameon=False)
    return axes[0]


if __name__ == "__main__":
    main()
