"""A recurrent network that writes: it learns to predict the next character of Python's manual, then goes on by itself.

The corpus is the text of `help()`, which comes with Python in `pydoc_data.topics`: about 80 pages on the language, by the
Python Software Foundation, each paragraph once. It differs between versions of Python. Every tenth page is held out.
What the network knows is measured in bits a character there: the mean of −log₂ p of each character that came next. For
comparison, the bits that lzma takes to pack the held-out pages behind the others: it takes fewer, since it finds again what
was written before, word for word, which so small a network cannot keep.
"""

import lzma
import time

import numpy as np

from .. import GRU, Adam, CosineDecay, Dense, Embedding, LambdaCallback, Network, Sequences, plot
from ..text import Vocabulary
from . import options

EPOCHS, BATCH_SIZE, STEPS = 10, 16, 100
BEGIN, WRITTEN = 'The "for" statement', 300
TEMPERATURES = 0.3, 0.7, 1.0


def main(argv=None):
    parsed = options("writer", __doc__, quick="a fifth of the pages, and two epochs only").parse_args(argv)
    pages = corpus()
    epochs, pages = (2, pages[::5]) if parsed.quick else (EPOCHS, pages)
    held_out, pages = pages[6::10], [page for number, page in enumerate(pages) if number % 10 != 6]
    vocabulary = Vocabulary.fit(pages, "characters")
    X, y = windows(vocabulary.encode(pages))
    X_test, y_test = next_ones(vocabulary.encode(held_out))
    net = Network([Embedding(len(vocabulary), 32), GRU(128, return_sequences=True), Dense(len(vocabulary), "softmax")],
                  inputs=(None,))
    print(f"{net.summary()}\n")
    print(f"{len(X.steps):,} characters to train on, {len(X_test.steps):,} held out; {epochs} epochs")

    curve = []
    begin = time.perf_counter()

    def report(epoch, logs):
        bits = logs["loss"] / np.log(2), net.evaluate(X_test, y_test)["loss"] / np.log(2)
        curve.append(bits)
        print(f"{len(curve):5}{bits[0]:19.3f}{bits[1]:11.3f}{time.perf_counter() - begin:10.1f}", flush=True)

    print("epoch   bits a character   held out   seconds")
    rate = CosineDecay(4e-3, steps=epochs * -(-len(X) // BATCH_SIZE))
    net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate, clip_norm=1.0),
            callbacks=[LambdaCallback(on_epoch_end=report)])
    packed = packed_bits(pages, held_out)
    print(f"lzma takes {packed:.3f} bits a character of the held-out pages")

    texts = {temperature: generate(net, vocabulary, BEGIN, WRITTEN, temperature) for temperature in TEMPERATURES}
    for temperature, text in texts.items():
        print(f"\n--- temperature {temperature}\n{text}")
    print()
    print(plot.save_picture(parsed.picture, lambda: draw(net, vocabulary, curve, packed, held_out[0])))
    return {"bits": curve[-1][1], "lzma": packed, "texts": texts}


def corpus():
    """Return the pages of Python's manual, in the order of their names, without paragraphs of earlier ones.

    Some pages repeat others; what is held out must not be learned by heart from there.
    """
    from pydoc_data.topics import topics

    pages, seen = [], set()
    for name in sorted(topics):
        paragraphs = [each for each in topics[name].split("\n\n") if each not in seen]
        seen.update(paragraphs)
        pages.append("\n\n".join(paragraphs))
    return [page for page in pages if page]


def next_ones(tokens):
    """Return the characters of each page but the last, and the one that follows each."""
    pages = [page for page in tokens if len(page) > 1]
    lengths = [len(page) - 1 for page in pages]
    return (Sequences.of_lengths(np.concatenate([page[:-1] for page in pages]), lengths),
            Sequences.of_lengths(np.concatenate([page[1:] for page in pages]), lengths))


def windows(tokens):
    """Return the same in pieces of `STEPS` characters and less, which training takes in any order."""
    X, y = next_ones(tokens)
    lengths = [min(STEPS, length - first) for length in X.lengths for first in range(0, length, STEPS)]
    return Sequences.of_lengths(X.steps, lengths), Sequences.of_lengths(y.steps, lengths)


def generate(net, vocabulary, text, count, temperature, seed=0):
    """Return `text` with `count` more characters, each drawn from the network's probabilities to the power 1/temperature.

    A temperature of 1 draws as the network predicts, one below 1 favors what is likely. The network sees the last `STEPS`
    characters, as in training.
    """
    generator = np.random.default_rng(seed)
    tokens = list(vocabulary.encode([text])[0])
    for _ in range(count):
        p = net.predict_proba([np.array(tokens[-STEPS:])])[0][-1].astype(np.float64)
        p[0] = 0  # the unknown cannot be written
        p = (p / p.max()) ** (1 / temperature)
        tokens.append(generator.choice(len(p), p=p / p.sum()))
    return vocabulary.decode(tokens)


def packed_bits(pages, held_out):
    """Return the bits a character that lzma adds for the held-out pages behind the others."""
    before, behind = "".join(pages).encode(), "".join(held_out)
    sizes = [len(lzma.compress(text, preset=9)) for text in (before, before + behind.encode())]
    return 8 * (sizes[1] - sizes[0]) / len(behind)


def draw(net, vocabulary, curve, packed, page, shown=70):
    """Draw the bits after each epoch, and the bits of each character of a held-out sentence."""
    left, right = plot.axes(2, 1, width=9, height=6.5)
    epochs = np.arange(1, len(curve) + 1)
    for column, name in enumerate(("trained on", "held out")):
        left.plot(epochs, [bits[column] for bits in curve], color=plot.COLORS[column], marker=plot.MARKERS[column],
                  label=name)
    left.axhline(packed, color="gray", linestyle="--", label="held out, by lzma")
    left.set_xticks(epochs)
    left.set(xlabel="epoch", ylabel="bits a character", title="Bits a character")
    left.legend(frameon=False)
    tokens = vocabulary.encode([page])[0][:shown + 1]
    p = net.predict_proba([tokens[:-1]])[0][np.arange(len(tokens) - 1), tokens[1:]]
    letters = [{" ": "␣", "\n": "↵"}.get(letter, letter) for letter in vocabulary.decode(tokens[1:])]
    right.bar(np.arange(len(p)), -np.log2(p), color=plot.COLORS[0])
    right.set_xticks(np.arange(len(p)), letters, fontsize=8)
    right.set(ylabel="bits", title="A held-out page: how much each character surprises, given those before it")
    return left


if __name__ == "__main__":
    main()
