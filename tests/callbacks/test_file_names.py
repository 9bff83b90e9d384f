"""File name templates of `ModelCheckpoint` are checked before the fit begins; a Path is not a template."""

import os
import re
from pathlib import Path

import pytest
from nets import LABELS, X, classifier, same

from fastnn import Callback, LambdaCallback, ModelCheckpoint, Network
from fastnn.callbacks import file_names


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Reports(Callback):
    reports = ("recall", "found")

    def on_epoch_end(self, epoch, logs):
        logs |= {"recall": 0.5, "found": epoch}


def fit(path, **options):
    """Return the files after the fit."""
    net, epochs = classifier(), []
    count = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    try:
        net.fit(X, LABELS, epochs=2, batch_size=8, validation_data=(X, LABELS),
                callbacks=[count, Reports(), ModelCheckpoint(path, **options)])
    except (ValueError, OSError):
        assert epochs == []  # nothing had been trained
        assert same(net, classifier())
        raise
    return sorted(str(found) for found in Path().rglob("*") if found.is_file())


BAD = {
    "missing metric": ("best-{val_los:.3f}", "nothing is called 'val_los'"),
    "format of a whole number": ("a-{loss:d}", "Unknown format code 'd'"),
    "format of text": ("a-{epoch:s}", "Unknown format code 's'"),
    "of batches": ("a-{batch}", "nothing is called 'batch'"),
    "empty": ("a-{}", "a field needs a name, as {epoch} has"),
    "positional": ("a-{0}", "a field needs a name"),
    "index": ("a-{epoch[0]}", "{epoch[0]} asks for a part of a number"),
    "attribute": ("a-{loss.real}", "{loss.real} asks for a part of a number"),
    "open": ("a-{epoch", "expected '}' before end of string"),
    "closed": ("a-epoch}", "Single '}' encountered"),
    "conversion": ("a-{epoch!x}", "conversion"),
    "nested": ("a-{loss:{precision}}", "nothing is called 'precision'"),
    "folder of a metric": ("{loss:.0f}/a", "whether there is a folder for each 'loss' is not known before"),
    "folder of braces": ("d{x}/a", "nothing is called 'x'"),
    "blank": ("a-{ epoch}", "nothing is called ' epoch'"),
}


@pytest.mark.parametrize(("path", "reason"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("options", [{}, {"full": True}, {"monitor": "loss", "save_best_only": True}], ids=str)
def test_what_cannot_be_filled_in(path, reason, options):
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        fit(path, **options)
    assert "the fields are epoch, loss, accuracy, val_loss, val_accuracy, recall, found" in str(caught.value)
    assert "among its `reports`" in str(caught.value)
    assert os.listdir() == []


@pytest.mark.parametrize("name", ["val_loss", "recall"])
def test_within_an_epoch_there_are_fewer_names(name):
    with pytest.raises(ValueError, match=f"nothing is called '{name}'; the fields are epoch, batch, loss, accuracy, and"):
        fit(f"{{{name}}}", save_freq=2)
    assert len(fit("{epoch}-{batch:02d}-{loss:.9f}-{accuracy:%}", save_freq=2)) == 3


@pytest.mark.parametrize(("path", "files"), [
    ("{epoch:03d}-{val_loss:8.0f}-{recall:.1f}-{found:02d}", ["001-       1-0.5-00", "002-       1-0.5-01"]),
    ("{{epoch}}-{epoch}", ["{epoch}-1", "{epoch}-2"]), ("{epoch!r:>3}", ["  1", "  2"]), ("{epoch:{epoch}d}", ["1", " 2"]),
    ("run-{epoch}/a", ["run-1/a", "run-2/a"]), ("run{0}/{epoch}", ["run{0}/1", "run{0}/2"]),
    ("run{0}/run-{epoch}/a", ["run{0}/run-1/a", "run{0}/run-2/a"]), ("un{closed/{epoch}", ["un{closed/1", "un{closed/2"]),
    ("run-{epoch}/{{}}", ["run-1/{}", "run-2/{}"]),
])
def test_what_can(path, files):
    """Braces in existing folders are kept; folders of later epochs are created."""
    for folder in "run-1", "run{0}/run-1", "un{closed":
        os.makedirs(folder)
    assert fit(path) == sorted(files)
    assert all(Network.load(each).inputs == 4 for each in files)


@pytest.mark.parametrize("path", ["run{1}", "a-{}", "{", "d{x}/a", "{{a}}"])
@pytest.mark.filterwarnings("error")
def test_a_path_is_taken_as_it_is(path):
    os.makedirs("d{x}")
    assert fit(Path(path)) == [path]


def test_a_path_that_looks_as_if_it_were_to_be_filled_in():
    with pytest.warns(UserWarning, match=r"a Path, which is not a template: the file name is run-\{epoch\}. Give"):
        assert fit(Path("run-{epoch}")) == ["run-{epoch}"]


@pytest.mark.parametrize(("path", "error"), [
    ("nowhere/a", FileNotFoundError), ("run-{epoch}/a", FileNotFoundError), (Path("run-{epoch}/a"), FileNotFoundError),
    ("there", IsADirectoryError), ("{epoch}", IsADirectoryError), ("a" * 300, OSError), ("{epoch:0300d}", OSError),
    ("file/a", OSError), ("/dev/null", FileExistsError),
])
@pytest.mark.filterwarnings("ignore:.*is a Path")
def test_where_no_file_can_be_written(path, error):
    os.makedirs("there")
    os.makedirs("1")
    Path("file").touch()
    with pytest.raises(error):
        fit(path)


def test_a_folder_that_must_not_be_written_to(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="no file can be made in"):
        fit("a")


def test_a_fit_that_goes_on_looks_for_the_folder_of_its_next_epoch():
    os.makedirs("run-1")
    net = classifier()
    net.fit(X, LABELS, epochs=2)
    for epochs in 3, 4:
        with pytest.raises(FileNotFoundError, match=r"there is no directory .*run-3"):
            net.fit(X, LABELS, epochs=epochs, resume=True, callbacks=[ModelCheckpoint("run-{epoch}/a")])
    os.makedirs("run-3")
    net.fit(X, LABELS, epochs=4, resume=True, callbacks=[ModelCheckpoint("run-{epoch}/a")])
    assert sorted(os.listdir()) == ["run-1", "run-3", "run-4"]


def test_templates_fill_in_what_they_were_checked_with():
    names = {"epoch": [1], "loss": [0.5]}
    for text in "a", "{epoch}", "{{", "x{epoch}{loss:.2f}y", "{loss:{epoch}.{epoch}f}", "{{{epoch}}}":
        assert file_names.template(text, names).format(epoch=1, loss=0.5) == text.format(epoch=1, loss=0.5)
        assert file_names.literal(text).format() == text
