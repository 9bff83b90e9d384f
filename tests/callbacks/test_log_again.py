"""A resumed log whose file was changed by others: no row is truncated, merged or lost."""

import codecs
import csv
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import LBFGS, Callback, CSVLogger, LambdaCallback, ModelCheckpoint, Network

PATH = Path("log.csv")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Reports(Callback):
    reports = ("recall",)

    def on_epoch_end(self, epoch, logs):
        logs["recall"] = epoch + 0.125


def begin(*callbacks, epochs=3, **options):
    net = classifier()
    net.fit(X, LABELS, epochs=epochs, callbacks=[*callbacks, CSVLogger(PATH, **options), ModelCheckpoint("run", full=True)])
    return PATH.read_bytes().decode()


def go_on(*callbacks, epochs=5, separator=",", **options):
    """Return the rows of the log after the resumed fit, by column; every row is complete."""
    net = Network.load_checkpoint("run")
    net.fit(X, LABELS, epochs=epochs, resume=True, callbacks=[*callbacks, CSVLogger(PATH, separator=separator)], **options)
    return net, rows(separator)


def rows(separator=","):
    text = PATH.read_bytes().decode("utf-8-sig")
    ends = {"\r\n" if line.endswith("\r\n") else line[-1] for line in text.splitlines(keepends=True)}
    assert len(ends) == 1
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert {len(row) for row in table} == {len(table[0])}
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def check(net, table, rounded=0.0, known=range(100)):
    """The log is that of a fit without an interruption."""
    assert [row["epoch"] for row in table] == [str(epoch + 1) for epoch in net.history.epochs]
    for name, values in net.history.items():
        for epoch, value in enumerate(values):
            if epoch in known or table[epoch].get(name):
                assert float(table[epoch][name]) == pytest.approx(value, rel=rounded), (epoch, name)


def rounded(text, digits):
    return re.sub(r"\d\.\d+", lambda number: f"{float(number[0]):.{digits}g}", text)


SAVED_AGAIN = {
    "marked, with other line ends": lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
    "marked": lambda text: codecs.BOM_UTF8 + text.encode(),
    "other line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "the oldest line ends": lambda text: text.replace("\n", "\r").encode(),
    "in quotes": lambda text: re.sub(r"[^,\n]+", r'"\g<0>"', text).encode(),
    "ten digits": lambda text: rounded(text, 10).encode(),
    "seven digits": lambda text: rounded(text, 7).encode(),
    "without the last line end": lambda text: text[:-1].encode(),
    "blank lines": lambda text: text.replace("\n", "\n\n").encode(),
    "empty rows": lambda text: (text + ",,\n,,\n").encode(),
    "a column more": lambda text: "\n".join(line + (",note" if number == 0 else ",good" if number == 2 else ",")
                                            for number, line in enumerate(text.splitlines())).encode() + b"\n",
    "other order": lambda text: "\n".join(",".join(line.split(",")[::-1]) for line in text.splitlines()).encode(),
    "a column less": lambda text: "\n".join(",".join(line.split(",")[:2]) for line in text.splitlines()).encode() + b"\n",
    "a row less": lambda text: "".join(text.splitlines(keepends=True)[:-1]).encode(),
    "the header alone": lambda text: text.splitlines(keepends=True)[0].encode(),
    "the last row cut off": lambda text: text[:-12].encode(),
    "nothing": lambda text: b"",
    "a mark alone": lambda text: codecs.BOM_UTF8,
    "later epochs": lambda text: (text + "4,1.25,0.5\n5,1.125,0.75\n").encode(),
    "a later epoch cut off": lambda text: (text + "4,1.2").encode(),
}


@pytest.mark.parametrize("change", SAVED_AGAIN.values(), ids=SAVED_AGAIN)
def test_saved_again(change):
    text = begin()
    PATH.write_bytes(change(text))
    notes = "note" in PATH.read_text("utf-8-sig")
    net, table = go_on()
    check(net, table, rounded=1e-6, known=range(3, 5) if "accuracy" not in change(text).decode("utf-8-sig") else range(5))
    assert not notes or [row["note"] for row in table] == ["", "good", "", "", ""]
    marked = change(text).startswith(codecs.BOM_UTF8) and change(text) != codecs.BOM_UTF8
    assert PATH.read_bytes().startswith(codecs.BOM_UTF8) == marked


def test_deleted():
    begin()
    PATH.unlink()
    check(*go_on())


def test_what_is_as_it_was_is_not_written_again():
    text = begin()
    before = PATH.stat()
    check(*go_on())
    assert os.path.samestat(before, PATH.stat())
    assert PATH.read_text().startswith(text)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator(separator):
    text = begin(separator=separator)
    PATH.write_bytes(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())
    check(*go_on(separator=separator))


def test_metrics_that_are_new_and_metrics_that_are_gone():
    begin(Reports())
    net, table = go_on(validation_data=(X, LABELS), epochs=4)
    check(net, table, known=range(3, 4))
    assert [row["recall"] for row in table] == ["0.125", "1.125", "2.125", ""]
    assert [bool(row["val_loss"]) for row in table] == [False, False, False, True]
    assert [*table[0]] == ["epoch", "loss", "accuracy", "recall", "val_loss", "val_accuracy"]


def test_rows_that_come_again_have_what_callbacks_report():
    text = begin(Reports())
    PATH.write_text("".join(text.splitlines(keepends=True)[:2]))  # what recall was is gone
    net, table = go_on(Reports())
    check(net, table)
    assert [row["recall"] for row in table] == ["0.125", "", "", "3.125", "4.125"]


NOT_OURS = {
    "another fit": lambda text: re.sub(r"1\.\d+", "1.5", text),
    "another table": lambda text: "name,age\nAnn,32\n",
    "text": lambda text: "Some notes\non the fit\n",
    "decimal commas": lambda text: text.replace(",", ";").replace(".", ","),
    "another fit behind it": lambda text: text + "1,1.5,0.25\n2,1.25,0.5\n",
    "a remark behind it": lambda text: text + "stopped here\n",
    "sorted": lambda text: "".join([text.splitlines(keepends=True)[0], *text.splitlines(keepends=True)[:0:-1]]),
    "a row glued": lambda text: text.replace("\n3,", "3,"),
    "a row cut in the middle": lambda text: re.sub(r"\n2,.*\n", "\n2,1.4\n", text),
    "a row gone in the middle": lambda text: re.sub(r"\n2,.*\n", "\n", text),
    "two decimals": lambda text: rounded(text, 2),
    "a column twice": lambda text: text.replace("accuracy", "loss"),
    "no text": lambda text: "\x00\x01\x02",
}


@pytest.mark.parametrize("change", NOT_OURS.values(), ids=NOT_OURS)
def test_what_is_not_its_log_is_left_as_it_is(change):
    text = begin()
    PATH.write_text(change(text))
    net = Network.load_checkpoint("run")
    for append in False, True:
        with pytest.raises(ValueError, match=r"log.csv is not the log of this fit: .*\. Move it away"):
            net.fit(X, LABELS, epochs=5, resume=True, callbacks=[CSVLogger(PATH, append=append)])
        assert PATH.read_text() == change(text)
        assert same(net, Network.load_checkpoint("run"))
    os.rename(PATH, "old.csv")
    check(*go_on())


def test_not_utf_8():
    PATH.write_bytes(begin().encode("utf-16"))
    with pytest.raises(ValueError, match=r"is not the log .*: it cannot be read as a table"):
        go_on()


@pytest.mark.parametrize("change", ["as it was", "saved again", "rows of another fit behind it", "the fit before is gone"])
def test_behind_the_rows_of_another_fit(change):
    classifier().fit(X, LABELS, epochs=4, callbacks=[CSVLogger(PATH)])
    text = begin(append=True)
    assert [row["epoch"] for row in rows()] == [*"1234123"]
    if change == "saved again":
        PATH.write_bytes(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())
    elif change == "rows of another fit behind it":
        with open(PATH, "a") as file:
            file.write("1,1.5,0.25\n")
    elif change == "the fit before is gone":
        lines = text.splitlines(keepends=True)
        PATH.write_text("".join([lines[0], *lines[5:]]))
    if change == "rows of another fit behind it":
        with pytest.raises(ValueError, match="its row 8 is not that of epoch 4 of this fit"):
            go_on()
        return
    _, table = go_on()
    assert [row["epoch"] for row in table] == [*("12345" if "gone" in change else "123412345")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_rows_are_added_as_the_others_are_written(newline, mark):
    text = begin()
    PATH.write_bytes(mark + text.replace("\n", newline).encode())
    before = PATH.read_bytes()
    classifier().fit(X, LABELS, epochs=2, callbacks=[CSVLogger(PATH, append=True)])
    assert PATH.read_bytes().startswith(before)
    assert [row["epoch"] for row in rows()] == [*"12312"]


@pytest.mark.parametrize("change", ["saved again", "replaced", "deleted"])
def test_touched_while_the_fit_runs(change):
    def touch(epoch, logs):
        if epoch != 1:
            return
        text = PATH.read_text()
        if change == "saved again":
            PATH.write_bytes(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())
        elif change == "replaced":
            Path("other").write_text(text)
            os.replace("other", PATH)
        else:
            PATH.unlink()

    for options in {}, {"optimizer": LBFGS(max_iterations=4)}:
        net = classifier()
        history = net.fit(X, LABELS, epochs=1 if options else 4, **options, callbacks=[
            Reports(), CSVLogger(PATH), LambdaCallback(on_epoch_end=touch)])
        table = rows()
        assert [row["epoch"] for row in table] == [*"1234"]
        assert [float(row["loss"]) for row in table] == history["loss"]
        assert [float(row["recall"]) for row in table] == [0.125, 1.125, 2.125, 3.125]


@pytest.mark.parametrize(("change", "reason"), [
    (lambda text: "name,age\nAnn,32\n", "its columns are name, age"),
    (lambda text: text + "2,9.0,0.5\n", "its row 2 is not from this fit"),
])
def test_replaced_by_something_else_while_the_fit_runs(change, reason):
    def touch(epoch, logs):
        there.append(change(PATH.read_text()))
        PATH.write_text(there[0])

    net, there = classifier(), []
    with pytest.raises(ValueError, match=f"is not the log of this fit: {reason}"):
        net.fit(X, LABELS, epochs=4, callbacks=[CSVLogger(PATH), LambdaCallback(on_epoch_end=touch)])
    assert PATH.read_text() == there[0]
    PATH.unlink()
    net.fit(X, LABELS, epochs=4, resume=True, callbacks=[CSVLogger(PATH)])
    check(net, rows())


def test_two_logs_that_come_back_in_another_order():
    def logs():
        return [CSVLogger("one.csv"), CSVLogger("two.csv", separator=";")]

    net, whole = classifier(), classifier()
    whole.fit(X, LABELS, epochs=5, callbacks=logs())
    expected = [Path(name).read_bytes() for name in ("one.csv", "two.csv")]
    net.fit(X, LABELS, epochs=2, callbacks=logs())
    net.fit(X, LABELS, epochs=5, resume=True, callbacks=logs()[::-1])
    assert [Path(name).read_bytes() for name in ("one.csv", "two.csv")] == expected


def test_a_log_that_joins_a_fit_later_has_the_rows_since_then():
    net = classifier()
    net.fit(X, LABELS, epochs=2)
    for epochs in 4, 6:
        net.fit(X, LABELS, epochs=epochs, resume=True, callbacks=[CSVLogger(PATH)])
    assert [row["epoch"] for row in rows()] == [*"3456"]


def test_a_log_of_an_earlier_version_goes_on_counting_from_0():
    """Its state lacks the number of the first epoch."""
    net = classifier()
    net.fit(X, LABELS, epochs=3, callbacks=[CSVLogger(PATH)])
    PATH.write_text(re.sub(r"(?m)^\d", lambda number: str(int(number[0]) - 1), PATH.read_text()))
    del dict(net.fits.last.states)["CSVLogger"]["one"]
    net.fit(X, LABELS, epochs=5, resume=True, callbacks=[CSVLogger(PATH)])
    assert [row["epoch"] for row in rows()] == [*"01234"]
    net.fit(X, LABELS, epochs=6, resume=True, callbacks=[CSVLogger(PATH)])
    assert [row["epoch"] for row in rows()] == [*"012345"]


def test_numbers_that_are_not_finite():
    class Strange(Reports):
        def on_epoch_end(self, epoch, logs):
            logs["recall"] = [np.nan, np.inf, -np.inf, 1e308, 5e-324][epoch]

    begin(Strange())
    _, table = go_on(Strange())
    assert [row["recall"] for row in table] == ["nan", "inf", "-inf", "1e+308", "5e-324"]
