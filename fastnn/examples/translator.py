"""A translator: dates in some thirty spellings and four languages become ISO's, letter by letter.

The example makes its data: days from 1950 to 2049 in random spellings, such as "the 4th of March, 2021", "4 mars 2021" or
"3/4/21". No day of the test occurs in training, in any spelling. Days of fewer digits are told apart by convention: the
month comes first between strokes, the day between dots.

The encoder reads a text in both directions. The decoder is given what has been written so far, and at each step attends to
the letters of the text: the picture shows to which. A translation counts if it is right to the last digit.
"""

import datetime
import time

import numpy as np

from .. import (
    GRU,
    Adam,
    Attention,
    Bidirectional,
    Concatenate,
    CosineDecay,
    Dense,
    Embedding,
    GlobalAveragePool,
    Input,
    LambdaCallback,
    Network,
    plot,
)
from ..decoding import teacher_forcing
from ..text import Vocabulary
from . import options

FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
TRAINED_ON, TESTED, EPOCHS, BATCH_SIZE = 40_000, 4_000, 4, 64
UNITS, FEATURES = 64, 24
SHOWN = "the 21st of January, 1987", "7 février 2031", "11/9/68"

ENGLISH = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")
GERMAN = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
          "Dezember")
FRENCH = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
          "décembre")
SPANISH = ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
           "diciembre")
ROMAN = "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"
WEEKDAYS = "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"


def ordinal(day):
    """Return "1st", "2nd", "3rd", "4th", …"""
    ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


# of a day its number, month and year, and what is said of it: month and weekday by their English names
SPELLINGS = (
    lambda d, m, y, month, weekday: f"{d} {month} {y}",
    lambda d, m, y, month, weekday: f"{month} {d}, {y}",
    lambda d, m, y, month, weekday: f"{d} {month[:3]} {y}",
    lambda d, m, y, month, weekday: f"{month[:3]} {d}, {y}",
    lambda d, m, y, month, weekday: f"{month[:3]}. {d}, {y}",
    lambda d, m, y, month, weekday: f"{ordinal(d)} of {month} {y}",
    lambda d, m, y, month, weekday: f"the {ordinal(d)} of {month}, {y}",
    lambda d, m, y, month, weekday: f"{month} {ordinal(d)}, {y}",
    lambda d, m, y, month, weekday: f"{weekday}, {d} {month} {y}",
    lambda d, m, y, month, weekday: f"{weekday}, {month} {d}, {y}",
    lambda d, m, y, month, weekday: f"{weekday[:3]} {d} {month[:3]} {y}",
    lambda d, m, y, month, weekday: f"{d:02}-{month[:3]}-{y}",
    lambda d, m, y, month, weekday: f"{d} {month.upper()} {y}",
    lambda d, m, y, month, weekday: f"{d}{month[:3].upper()}{y}",
    lambda d, m, y, month, weekday: f"{y} {month} {d}",
    lambda d, m, y, month, weekday: f"{y}, {month[:3]} {d}",
    lambda d, m, y, month, weekday: f"{month} {d} '{y % 100:02}",
    lambda d, m, y, month, weekday: f"{d} {month[:3]} {y % 100:02}",
    lambda d, m, y, month, weekday: f"{d:02}.{m:02}.{y}",
    lambda d, m, y, month, weekday: f"{d}.{m}.{y}",
    lambda d, m, y, month, weekday: f"{d}.{m}.{y % 100:02}",
    lambda d, m, y, month, weekday: f"{m:02}/{d:02}/{y}",
    lambda d, m, y, month, weekday: f"{m}/{d}/{y}",
    lambda d, m, y, month, weekday: f"{m}/{d}/{y % 100:02}",
    lambda d, m, y, month, weekday: f"{y}/{m:02}/{d:02}",
    lambda d, m, y, month, weekday: f"{y}{m:02}{d:02}",
    lambda d, m, y, month, weekday: f"{d} {ROMAN[m - 1]} {y}",
    lambda d, m, y, month, weekday: f"{d}. {GERMAN[m - 1]} {y}",
    lambda d, m, y, month, weekday: f"{'1er' if d == 1 else d} {FRENCH[m - 1]} {y}",
    lambda d, m, y, month, weekday: f"{d} de {SPANISH[m - 1]} de {y}",
)


def main(argv=None):
    parsed = options("translator", __doc__, quick="a quarter of the texts, and two epochs only").parse_args(argv)
    count, epochs = (TRAINED_ON // 4, 2) if parsed.quick else (TRAINED_ON, EPOCHS)
    random = np.random.default_rng(0)
    days = random.permutation((LAST - FIRST).days + 1)
    tested, learned = days[:len(days) // 10], days[len(days) // 10:]
    texts, dates = spelled(random.choice(learned, size=count), random)
    test_texts, test_dates = spelled(random.choice(tested, size=TESTED), random)
    net = translator(Vocabulary.fit(texts, "characters"), Vocabulary.fit(dates, "characters"))
    print(f"{net.summary()}\n")
    print(f"{count:,} texts to train on, such as {texts[0]!r} and {texts[1]!r}, in {len(SPELLINGS)} spellings; "
          f"{epochs} epochs")
    begin, curve = time.perf_counter(), []

    def report(epoch, logs):
        exact = np.mean([one == other for one, other in zip(net.translate(test_texts[:500]), test_dates, strict=False)])
        curve.append((logs["loss"], exact))
        print(f"{len(curve):5}{logs['loss']:10.4f}{exact:16.1%}{time.perf_counter() - begin:10.1f}", flush=True)

    print("epoch      loss   exact of 500   seconds")
    rate = CosineDecay(5e-3, steps=epochs * -(-count // BATCH_SIZE))
    X, y = lesson(net, texts, dates)
    net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate, clip_norm=1.0),
            callbacks=[LambdaCallback(on_epoch_end=report)])
    begin = time.perf_counter()
    found = net.translate(test_texts)
    each = (time.perf_counter() - begin) / len(found)
    wrong = [(text, one, true) for text, one, true in zip(test_texts, found, test_dates, strict=True) if one != true]
    exact = 1 - len(wrong) / len(found)
    print(f"{exact:.2%} of {len(found):,} texts of other days exact; {1e3 * each:.2f} ms a text")
    for text, one, true in wrong[:5]:
        print(f"  {text!r} became {one}, not {true}")
    for text in SHOWN:
        print(f"  {text!r} became {net.translate(text)}")
    print(plot.save_picture(parsed.picture, lambda: draw(net)))
    return {"exact": exact, "curve": curve, "milliseconds": 1e3 * each}


def spelled(days, random):
    """Return (texts, ISO dates) of days, counted from `FIRST`, in random spellings."""
    texts, dates = [], []
    for number in days.tolist():
        day = FIRST + datetime.timedelta(days=number)
        spelling = SPELLINGS[random.integers(len(SPELLINGS))]
        texts.append(spelling(day.day, day.month, day.year, ENGLISH[day.month - 1], WEEKDAYS[day.weekday()]))
        dates.append(day.isoformat())
    return texts, dates


def translator(letters, digits):
    """Return the network for these vocabularies."""
    text, written = Input((None,), name="text"), Input((None,), name="written")
    read = Bidirectional(GRU(UNITS // 2, return_sequences=True))(Embedding(len(letters), FEATURES)(text, name="letters"),
                                                                name="encoder")
    state = Dense(UNITS, "tanh")(GlobalAveragePool()(read), name="first")
    tokens = len(digits) + 1
    steps = GRU(UNITS, return_sequences=True)(Embedding(tokens, FEATURES)(written, name="digits"), initial_state=state,
                                              name="decoder")
    seen = Attention()(Dense(UNITS)(steps, name="query"), read, name="attention")
    h = Dense(UNITS, "tanh")(Concatenate()(steps, seen), name="mixed")
    net = Network(inputs=[text, written], outputs=Dense(tokens, "softmax")(h, name="output"))
    net.vocabularies = {"text": letters, "written": digits}
    return net


def lesson(net, texts, dates):
    """Return X and y for training: at each step the network is given the true letters before."""
    letters, digits = net.vocabularies["text"], net.vocabularies["written"]
    given, wanted = teacher_forcing(digits.encode(dates), len(digits))
    return {"text": letters.encode(texts), "written": given}, wanted


def draw(net):
    """Draw to which letters of some texts the decoder attends as it writes."""
    axes = plot.axes(len(SHOWN), 1, width=8, height=3.4 * len(SHOWN))
    for ax, text in zip(axes, SHOWN, strict=True):
        date = net.translate(text)
        x, _ = lesson(net, [text], [date])
        plot.attention(net, x, "attention", ax, queries=[*date, "end"], steps=[*text.replace(" ", "␣")])
        ax.set(title=f"{text!r} becomes {date}: where each digit comes from", xlabel="", ylabel="written")
    axes[-1].set(xlabel="letters of the text")
    return axes[0]


if __name__ == "__main__":
    main()
