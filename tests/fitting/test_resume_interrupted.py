"""An interrupt at any line leaves a fit, and a file, that can be resumed."""

import os

import pytest
from nets import LABELS, X, classifier, same
from raised_at import raised_at
from resumed import BATCHES, StopAfter, run

import fastnn
from fastnn import SGD, Dense, DivergenceError, ModelCheckpoint, Network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


FILES = tuple(os.path.join(os.path.dirname(fastnn.__file__), *name.split("/"))
              for name in ("fitting/loop.py", "fitting/trainer.py", "fitting/state.py", "fitting/history.py",
                           "program/training.py"))


def in_the_loop(path):
    return path.endswith(FILES)


def test_an_interrupt_may_fall_on_any_line():
    """Wherever Ctrl-C interrupts the loop, the states of Python and of the kernels agree."""
    options = {"epochs": 2, "batch_size": 12, "validation_data": (X, LABELS)}
    whole = classifier()
    history = whole.fit(X, LABELS, **options)
    for line in range(1, 1000):
        net = classifier()
        came = raised_at(line, lambda: net.fit(X, LABELS, **options), in_the_loop)  # noqa: B023
        if not came:
            break
        assert net.fit(X, LABELS, resume=True, **options) == history, line
        assert same(net, whole), line
    assert 100 < line < 999


@pytest.mark.parametrize("batches", [1, BATCHES - 1, BATCHES, BATCHES + 1, 3 * BATCHES + 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, None])
def test_a_full_model_checkpoint_keeps_what_was_done_when_the_fit_ended(error, batches, path):
    whole, net = classifier(), classifier()
    history = run(whole)
    callbacks = [StopAfter(batches, error and error()), ModelCheckpoint(path, full=True)]
    if error is None:
        run(net, callbacks=callbacks)
    else:
        with pytest.raises(error):
            run(net, callbacks=callbacks)
    later = Network.load_checkpoint(path)
    assert same(later, net)
    assert run(later, resume=True) == history
    assert same(later, whole)


def test_an_interrupt_on_any_line_leaves_a_file_to_go_on_from(path):
    options = {"epochs": 2, "batch_size": 12, "validation_data": (X, LABELS)}
    whole = classifier()
    history, line, came = whole.fit(X, LABELS, **options), 1, True
    while came:
        path.unlink(missing_ok=True)
        save, net = ModelCheckpoint(path, full=True), classifier()
        came = raised_at(line, lambda: net.fit(X, LABELS, callbacks=[save], **options), in_the_loop)  # noqa: B023
        net = Network.load_checkpoint(path) if path.exists() else classifier()
        assert net.fit(X, LABELS, resume=True, **options) == history, line
        assert same(net, whole), line
        line += 13
    assert line > 100


def test_a_model_checkpoint_leaves_alone_what_is_not_to_be_replaced(path):
    def after_three_batches(**options):
        path.unlink(missing_ok=True)
        run(classifier(), callbacks=[StopAfter(3), ModelCheckpoint(path, **options)])
        return path.exists()

    assert after_three_batches(full=True)
    assert not after_three_batches()  # weights alone are no place to go on from
    assert not after_three_batches(full=True, save_best_only=True)
    with pytest.warns(RuntimeWarning, match="not saved where it ended: .*val_loss"):
        run(classifier(), callbacks=[StopAfter(3), ModelCheckpoint(f"{path}{{val_loss}}", full=True)])
    diverging = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.raises(DivergenceError):
        diverging.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3), callbacks=[ModelCheckpoint(path, full=True)])
    assert Network.load_checkpoint(path).fits.last.epoch.totals.sum() == 0  # that of the last epoch's end


def test_a_fit_that_is_done_is_saved_whatever_the_frequency(tmp_path):
    net = classifier()
    run(net, callbacks=[ModelCheckpoint(os.path.join(tmp_path, "{epoch}-{batch}.safetensors"), save_freq=16, full=True)])
    assert sorted(os.listdir(tmp_path)) == ["3-4.safetensors", "6-2.safetensors", "6-6.safetensors"]
    assert same(Network.load_checkpoint(tmp_path / "6-6.safetensors"), net)
