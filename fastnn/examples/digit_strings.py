"""Strings of spoken digits: a convolution and a bidirectional GRU write down what is said, trained with the loss "ctc".

You provide the recordings of the Free Spoken Digit Dataset (github.com/Jakobovski/free-spoken-digit-dataset): `--path` or
the environment variable FASTNN_SPOKEN_DIGITS is its folder `recordings`, with files such as 7_jackson_32.wav, or an .npz
file with frames of recordings (values, offsets, y, and the numbers of recordings in train and test). Of a folder, recordings
0 to 4 of each digit and speaker are the test part, as the authors of the set have it.

Recordings are joined without a pause, in random order, so speakers change within a string. Training strings are made of
recordings of the training part, test strings of the test part, in which each recording occurs equally often. Nobody marks
where a digit begins. The label error rate is the number of digits left out, added or wrong, over the number of digits said.
It is that of such strings: their speakers are known from training, and each digit was said alone, so it says little about
numbers said in one breath. The settings were chosen on a tenth of the training recordings; the test part is read once, after
training.
"""

import os
import time
import wave
from pathlib import Path

import numpy as np

from .. import (
    GRU,
    Adam,
    Bidirectional,
    Conv1D,
    CosineDecay,
    Dense,
    Dropout,
    GaussianNoise,
    Network,
    Sequences,
    plot,
)
from ..audio import log_mel
from ..decoding import ctc_beam, label_error_rate
from . import options

SHORTEST, LONGEST = 2, 6  # digits of a string
PASSES, TEST_PASSES = 4, 4  # how often each recording occurs
EPOCHS, BATCH_SIZE, RATE = 12, 32, 4e-3
TEST_RECORDINGS = 5  # of each digit and speaker, in a folder


def main(argv=None):
    parser = options("digit_strings", __doc__, quick="a quarter of the strings, six epochs")
    parsed, frames, digits, train, test = asked_for(parser, argv)
    epochs, passes = (6, 1) if parsed.quick else (EPOCHS, PASSES)
    X, y = strings(frames, digits, train, passes, seed=1)
    print(f"{len(train):,} recordings to train on, in {len(X):,} strings; {len(test):,} to test")
    print(f"{new_net(X.values.shape[1]).summary()}\n")

    net, start = new_net(X.values.shape[1]), time.perf_counter()
    rate = CosineDecay(RATE, steps=epochs * -(-len(X) // BATCH_SIZE))
    history = net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate, clip_norm=1.0))
    seconds = time.perf_counter() - start

    X_test, y_test = strings(frames, digits, test, TEST_PASSES, seed=2)  # here the test part is read
    found = net.evaluate(X_test, y_test, metrics=["sequence_accuracy"])
    best = [hypotheses[0][0] for hypotheses in ctc_beam(net.forward(X_test), width=8)]
    by_beam = label_error_rate(y_test, best)
    print(f"trained in {seconds:.0f} s; {len(X_test)} test strings, {len(y_test.steps):,} digits")
    print(f"label errors {found['label_error_rate']:.2%}, by beam search {by_beam:.2%}; "
          f"strings without an error {found['sequence_accuracy']:.1%}")
    for said, written in zip(y_test[:5], net.predict(X_test[:5]), strict=True):
        print(f"said {as_text(said):>{LONGEST}}   written {as_text(written)}")
    print(plot.save_picture(parsed.picture, lambda: draw(history, net.forward(X_test[:5]), y_test[:5])))
    return {"label_error_rate": found["label_error_rate"], "by_beam": by_beam, "seconds": seconds,
            "sequence_accuracy": found["sequence_accuracy"]}


def asked_for(parser, argv):
    """Return (arguments, frames, digits, numbers of the training recordings, numbers of those to test).

    The frames have mean 0 and deviation 1 over the training recordings.
    """
    parser.add_argument("--path", type=Path, help="the folder of recordings, or an .npz file of frames")
    parsed = parser.parse_args(argv)
    given = parsed.path or os.environ.get("FASTNN_SPOKEN_DIGITS")
    if not given or not Path(given).exists():
        parser.error(f"there are no recordings at {given or 'any path'}; give the folder `recordings` of the Free Spoken "
                     "Digit Dataset as --path, or set the environment variable FASTNN_SPOKEN_DIGITS to it")
    try:
        frames, digits, train, test = recordings(Path(given))
    except (ValueError, KeyError, wave.Error, EOFError) as error:
        parser.error(f"{given} does not hold the recordings: {error}")
    mean, scale = frames[train].steps.mean(axis=0), frames[train].steps.std(axis=0)
    return parsed, frames.with_steps((frames.steps - mean) / scale), digits, train, test


def new_net(features, seed=0):
    return Network([
        GaussianNoise(0.3), Conv1D(96, 5, "relu", stride=2, padding="same"), Dropout(0.2),
        Bidirectional(GRU(96, return_sequences=True)), Dropout(0.4), Dense(11, "softmax"),
    ], inputs=(None, features), loss="ctc", seed=seed)


def strings(frames, digits, numbers, passes, seed):
    """Return (X, y) of strings of recordings; in each pass each of those `numbers` occurs once. Digit d is label d + 1."""
    random = np.random.default_rng(seed)
    steps, lengths, labels, counts = [], [], [], []
    for _ in range(passes):
        order, first = random.permutation(numbers), 0
        while len(order) - first >= SHORTEST:
            count = min(int(random.integers(SHORTEST, LONGEST + 1)), len(order) - first)
            together = frames[order[first:first + count]].steps
            steps.append(together)
            lengths.append(len(together))
            labels.append(digits[order[first:first + count]] + 1)
            counts.append(count)
            first += count
    return Sequences.of_lengths(np.concatenate(steps), lengths), Sequences.of_lengths(np.concatenate(labels), counts)


def recordings(path):
    """Return (frames, digits, numbers of the training recordings, numbers of those to test)."""
    if path.is_file():
        with np.load(path, allow_pickle=False) as arrays:
            return (Sequences(arrays["values"], arrays["offsets"]), *(arrays[name].astype(np.int64) for name in
                                                                      ("y", "train", "test")))
    files = sorted(path.glob("[0-9]_*_*.wav"))
    if not files:
        raise ValueError("it has no files such as 7_jackson_32.wav")
    frames = [log_mel(*sound(file), bands=20) for file in files]
    digits, numbers = (np.array([int(file.stem.split("_")[part]) for file in files]) for part in (0, -1))
    together = Sequences.of_lengths(np.concatenate(frames), [*map(len, frames)])
    return together, digits, np.flatnonzero(numbers >= TEST_RECORDINGS), np.flatnonzero(numbers < TEST_RECORDINGS)


def sound(file):
    """Return (samples, rate) of a WAV file of 16 bits."""
    with wave.open(str(file)) as opened:
        if opened.getsampwidth() != 2:
            raise ValueError(f"{file.name} has {8 * opened.getsampwidth()} bits a sample, not 16")
        samples = np.frombuffer(opened.readframes(opened.getnframes()), "<i2").reshape(-1, opened.getnchannels())
        return samples.mean(axis=1) / 2**15, opened.getframerate()


def as_text(labels):
    return "".join(str(label - 1) for label in labels)


def draw(history, outputs, labels):
    """Draw the label errors of training, and the probabilities of the digits at each step of the longest string."""
    longest = int(np.argmax(labels.lengths))
    outputs, labels = outputs[longest], labels[longest]
    string, errors = plot.axes(2, 1, width=9, height=7)
    image = string.imshow(outputs.T, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    string.set_yticks(range(11), ["blank", *map(str, range(10))])
    string.set(title=f"Probabilities while {as_text(labels)} is said", xlabel="step")
    string.figure.colorbar(image, ax=string)
    errors.plot(np.arange(1, len(history["loss"]) + 1), history["label_error_rate"], color=plot.COLORS[0], marker=".")
    errors.set(title="Label errors of the training strings", xlabel="epoch", ylim=(0, None))
    return string


if __name__ == "__main__":
    main()
