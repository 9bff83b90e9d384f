"""A fit that was interrupted goes on, from the same process or from a file, to the same bits as one that was not."""

import json
import os
import sys

import numpy as np
import pytest
from nets import LABELS, X, classifier, same
from safetensors import safe_open
from safetensors.numpy import load_file

from fastnn import (
    SGD,
    Adam,
    Callback,
    CosineDecay,
    CSVLogger,
    Dense,
    DivergenceError,
    EarlyStopping,
    ExponentialDecay,
    History,
    ModelCheckpoint,
    ModelFormatError,
    Network,
    OneCycle,
    ReduceLROnPlateau,
    StepDecay,
    WarmUp,
    files,
    optimizers,
)
from fastnn.tensor_file import to_bytes

EPOCHS, BATCH = 6, 4
BATCHES = -(-len(X) // BATCH)  # 6, the last of 3 samples
every_optimizer = pytest.mark.parametrize("optimizer", optimizers.values(), ids=lambda cls: cls.name)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
OPTIONS = {"batch_size": BATCH, "validation_data": (X[:9], LABELS[:9])}


class StopAfter(Callback):
    """Stops, by a flag or by an exception, when so many batches of the fit are done."""

    def __init__(self, batches, error=None):
        self.left, self.error = batches, error

    def on_train_batch_end(self, batch, logs):
        self.left -= 1
        if self.left == 0:
            self.network.stop_training = True
            if self.error is not None:
                raise self.error


def run(net, epochs=EPOCHS, **options):
    return net.fit(X, LABELS, epochs=epochs, **OPTIONS | options)


def again(net, path, by):
    """The network as it stands, in the same process or out of a file."""
    if by == "memory":
        return net
    net.save_checkpoint(path)
    return Network.load_checkpoint(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


@every_dtype
@every_optimizer
@pytest.mark.parametrize("by", ["memory", "file"])
def test_resumed_from_any_batch_is_never_interrupted(optimizer, dtype, by, path):
    """The law: whatever batches a fit was stopped after, and how, its bits and its history are those of one run."""
    whole = classifier(dtype=dtype)
    history = run(whole, optimizer=optimizer())
    rng = np.random.default_rng([len(optimizer.name), len(dtype)])
    for trial in range(8):
        stops = sorted(rng.choice(np.arange(1, EPOCHS * BATCHES), size=rng.integers(1, 4), replace=False))
        net, given = classifier(dtype=dtype), {"optimizer": optimizer()}
        for batches in np.diff(stops, prepend=0):
            if trial % 2:
                run(net, callbacks=[StopAfter(batches)], **given)
            else:
                with pytest.raises(KeyboardInterrupt):
                    run(net, callbacks=[StopAfter(batches, KeyboardInterrupt())], **given)
            net, given = again(net, path, by), {"resume": True}
        assert run(net, resume=True) == history
        assert same(net, whole)
        assert np.array_equal(net._random, whole._random)
        run(net, resume=True, epochs=EPOCHS + 2)
        longer = classifier(dtype=dtype)
        run(longer, optimizer=optimizer(), epochs=EPOCHS + 2)
        assert same(net, longer)


@pytest.mark.parametrize(
    "options",
    [{"shuffle": False}, {"sample_weight": 1.0 + np.arange(23)}, {"class_weight": "balanced"}, {"batch_size": 1},
     {"batch_size": 23}, {"batch_size": 100}, {"threads": 2}],
    ids=lambda options: "".join(options),
)
def test_with_other_options(options, path):
    whole, net = classifier(), classifier()
    history = run(whole, **options)
    run(net, callbacks=[StopAfter(3)], **options)
    net = again(net, path, "file")
    assert run(net, resume=True, **options) == history
    assert same(net, whole)


INTERRUPTED_FILES = tuple(os.path.join(os.path.dirname(files.__file__), name)
                          for name in ("training.py", "fit_state.py", "history.py", os.path.join("program", "training.py")))


def interrupted_at(line, work):
    """Call `work`, with a KeyboardInterrupt before the line that the training loop comes to as number `line`; if it came."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.endswith(INTERRUPTED_FILES):
            return None
        if event == "line":
            count += 1
            if count == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_an_interrupt_may_fall_on_any_line():
    """Wherever Ctrl-C strikes the loop, Python's state and that of the kernels agree."""
    options = {"epochs": 2, "batch_size": 12, "validation_data": (X, LABELS)}
    whole = classifier()
    history = whole.fit(X, LABELS, **options)
    for line in range(1, 1000):
        net = classifier()
        came = interrupted_at(line, lambda: net.fit(X, LABELS, **options))  # noqa: B023
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
        came = interrupted_at(line, lambda: net.fit(X, LABELS, callbacks=[save], **options))  # noqa: B023
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
    assert Network.load_checkpoint(path)._fit.epoch.totals.sum() == 0  # that of the last epoch's end


def test_a_fit_that_is_done_is_saved_whatever_the_frequency(tmp_path):
    net = classifier()
    run(net, callbacks=[ModelCheckpoint(os.path.join(tmp_path, "{epoch}-{batch}.safetensors"), save_freq=16, full=True)])
    assert sorted(os.listdir(tmp_path)) == ["3-4.safetensors", "6-2.safetensors", "6-6.safetensors"]
    assert same(Network.load_checkpoint(tmp_path / "6-6.safetensors"), net)


SCHEDULES = [CosineDecay(0.1, 30), StepDecay(0.1, 7), WarmUp(ExponentialDecay(0.1, 3), 5), OneCycle(0.1, 36)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_schedules_and_clipping_go_on(schedule, path):
    whole, net = classifier(), classifier()
    history = run(whole, optimizer=Adam(schedule, clip_norm=0.1))
    assert history["learning_rate"] == pytest.approx([schedule(step) for step in range(6, 37, 6)])
    run(net, optimizer=Adam(schedule, clip_norm=0.1), callbacks=[StopAfter(15)])
    net = again(net, path, "file")
    assert net.optimizer.learning_rate == schedule
    assert run(net, resume=True) == history
    assert same(net, whole)


def test_a_function_of_ones_own_is_not_kept(path):
    net = classifier()
    run(net, optimizer=Adam(lambda step: 0.1 / step))
    with pytest.raises(ValueError, match="cannot be kept in a file"):
        net.save_checkpoint(path)


def test_a_named_optimizer_goes_on_by_name(path):
    whole, net = classifier(), classifier()
    run(whole, optimizer="rmsprop", epochs=4)
    run(net, optimizer="rmsprop", epochs=2)
    net = again(net, path, "file")
    run(net, optimizer="rmsprop", epochs=2)  # as before: no resuming, the same name
    assert same(net, whole)
    run(net, optimizer="rmsprop", resume=True, epochs=3)


def test_hyperparameters_as_they_had_become(path):
    class Warm(Callback):
        def on_train_batch_end(self, batch, logs):
            self.network.optimizer.learning_rate *= 1.01
            self.network.optimizer.momentum = 0.5

    whole, net = classifier(), classifier()
    history = run(whole, optimizer=SGD(0.01), callbacks=[Warm()])
    assert len(set(history["learning_rate"])) == EPOCHS
    run(net, optimizer=SGD(0.01), callbacks=[Warm(), StopAfter(8)])
    net = again(net, path, "file")
    assert net.optimizer.momentum == 0.5
    assert run(net, resume=True, callbacks=[Warm()]) == history
    assert same(net, whole)


@pytest.mark.parametrize("by", ["memory", "file"])
@pytest.mark.parametrize("after", [1, 13, 20])
def test_callbacks_go_on_where_they_stood(after, by, path, tmp_path):
    """The best weights, the patience, the learning rate and the log are those of a fit that was never interrupted."""

    def callbacks(log):
        return [EarlyStopping("val_loss", patience=2, restore_best=True), CSVLogger(tmp_path / log),
                ReduceLROnPlateau("val_loss", factor=0.5, patience=1)]

    whole, net = classifier(), classifier()
    history = run(whole, epochs=30, optimizer=Adam(0.1), callbacks=callbacks("whole.csv"))
    assert 4 < len(history["loss"]) < 30
    run(net, epochs=30, optimizer=Adam(0.1), callbacks=[*callbacks("parts.csv"), StopAfter(after)])
    net = again(net, path, by)
    assert run(net, epochs=30, resume=True, callbacks=callbacks("parts.csv")) == history
    assert same(net, whole)
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert run(net, epochs=30, resume=True, callbacks=callbacks("parts.csv")) == history  # it had stopped, and stays so
    assert same(net, whole)


def test_more_patience_goes_on_from_the_last_weights(path):
    whole, net = classifier(), classifier()
    patient = EarlyStopping("val_loss", patience=9, restore_best=True)
    run(whole, epochs=30, optimizer=Adam(0.1), callbacks=[patient])
    run(net, epochs=30, optimizer=Adam(0.1), callbacks=[EarlyStopping("val_loss", patience=2, restore_best=True)])
    assert len(net.history["loss"]) < len(whole.history["loss"])
    net = again(net, path, "file")
    run(net, epochs=30, resume=True, callbacks=[EarlyStopping("val_loss", patience=9, restore_best=True)])
    assert net.history == whole.history
    assert same(net, whole)


@pytest.mark.parametrize("freq", ["epoch", 1, 4, 7])
def test_what_model_checkpoint_left_is_gone_on_with(freq, tmp_path):
    """As after a crash: nothing is left of the process but its files."""
    whole = classifier()
    stopping = EarlyStopping("loss", patience=50, restore_best=True)
    checkpoints = ModelCheckpoint(os.path.join(tmp_path, "{epoch}-{loss:.3f}.safetensors"), save_freq=freq, full=True)
    history = run(whole, optimizer=Adam(0.05), callbacks=[checkpoints, stopping, CSVLogger(tmp_path / "log.csv")])
    log = (tmp_path / "log.csv").read_bytes()
    left = sorted(tmp_path.glob("*.safetensors"))
    assert len(left) >= 3
    for each in left:
        net = Network.load_checkpoint(each)
        stopping = EarlyStopping("loss", patience=50, restore_best=True)
        assert run(net, resume=True, callbacks=[stopping, CSVLogger(tmp_path / "log.csv")]) == history
        assert same(net, whole)
        assert (tmp_path / "log.csv").read_bytes() == log


def test_after_divergence_with_a_smaller_rate(path):
    net = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.raises(DivergenceError):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3))
    net = again(net, path, "file")
    with pytest.raises(DivergenceError):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, resume=True)
    net.parameters["0.weight"][:] *= 1e-30
    net.parameters["1.weight"][:] *= 1e-30
    net.optimizer.learning_rate = 1e-30
    assert len(net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, resume=True)["loss"]) == 100


@pytest.mark.parametrize("word", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_random_words_of_all_sizes_come_back(word, path):
    net = classifier()
    net.fit(X, LABELS, batch_size=8)
    net._random[:] = net._fit.epoch.random = word
    net.save_checkpoint(path)
    again = Network.load_checkpoint(path)
    assert again._random.tolist() == [word] * len(net._random)
    assert again._fit.epoch.random == word


def test_a_net_in_no_fit_begins_one():
    net, plain = classifier(), classifier()
    assert run(net, optimizer=Adam(), resume=True) == run(plain, optimizer=Adam())
    assert same(net, plain)


def test_the_history_handed_out_is_left_alone():
    net = classifier()
    first = run(net, epochs=2)
    assert len(run(net, epochs=4, resume=True)["loss"]) == 4
    assert len(first["loss"]) == 2


@pytest.mark.parametrize("options", [{"batch_size": 5}, {"shuffle": False}, {"optimizer": Adam()}, {"optimizer": "sgd"}],
                         ids=str)
def test_another_fit_is_not_resumed(options):
    net, whole = classifier(), classifier()
    run(net, callbacks=[StopAfter(8)])
    with pytest.raises(ValueError, match=r"resume"):
        run(net, **{"resume": True, **options})
    with pytest.raises(ValueError, match="X has 9 samples; the fit to be resumed has 23"):
        net.fit(X[:9], LABELS[:9], epochs=EPOCHS, batch_size=BATCH, resume=True)
    run(net, resume=True)
    run(whole)
    assert same(net, whole)


def test_a_fit_that_was_refused_leaves_the_last_one_to_be_resumed():
    net, whole = classifier(), classifier()
    run(net, callbacks=[StopAfter(8)])
    with pytest.raises(ValueError, match="this fit reports"):
        run(net, callbacks=[EarlyStopping("val_los")])
    run(net, resume=True)
    run(whole)
    assert same(net, whole)


# The file


def test_only_a_fit_has_a_checkpoint(path):
    with pytest.raises(ValueError, match="has not been in a fit"):
        classifier().save_checkpoint(path)
    assert not path.exists()


def test_others_can_read_the_tensors(path):
    net = classifier()
    run(net, optimizer=Adam())
    net.save_checkpoint(path)
    tensors = load_file(path)
    assert set(tensors) == {name for each in net.parameters for name in (each, f"optimizer.mean.{each}",
                                                                        f"optimizer.square.{each}")} | {
        f"history.metrics.{name}" for name in net.history} | {"history.learning_rates"}
    np.testing.assert_array_equal(tensors["history.metrics.loss"], net.history["loss"])
    np.testing.assert_array_equal(tensors["1.weight"], net.parameters["1.weight"])


def test_the_two_kinds_of_file_name_each_other(path):
    net = classifier()
    run(net)
    net.save_checkpoint(path)
    with pytest.raises(ModelFormatError, match="load_checkpoint"):
        Network.load(path)
    net.save(path)
    with pytest.raises(ModelFormatError, match=r"read it with Network\.load$"):
        Network.load_checkpoint(path)


def test_damage_is_noticed(path):
    net = Network([Dense(1)], inputs=1)
    net.fit(np.ones((2, 1)), np.ones(2), optimizer="sgd", callbacks=[EarlyStopping("loss", restore_best=True)])
    net.save_checkpoint(path)
    payload = bytearray(path.read_bytes())
    for place in range(len(payload)):
        payload[place] ^= 1 << place % 8
        path.write_bytes(payload)
        with pytest.raises(ModelFormatError):
            Network.load_checkpoint(path)
        payload[place] ^= 1 << place % 8
    for size in range(0, len(payload), 7):
        path.write_bytes(payload[:size])
        with pytest.raises(ModelFormatError):
            Network.load_checkpoint(path)
    path.write_bytes(payload)
    Network.load_checkpoint(path)


HOSTILE = {
    "no epoch": {"epoch": None},
    "negative epoch": {"epoch": {"number": -1, "random": 0, "totals": [0.0] * 5}},
    "before the data": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, -4.0, 0.0]}},
    "a sample before the data": {"batch_size": 1, "epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, -1.0, 0.0]}},
    "within a batch": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, 3.0, 0.0]}},
    "after the data": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, 24.0, 0.0]}},
    "nowhere": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, float("nan"), 0.0]}},
    "short totals": {"epoch": {"number": 2, "random": 0, "totals": [0.0]}},
    "random beyond 64 bits": {"random": [2**64]},
    "order beyond 64 bits": {"epoch": {"number": 2, "random": 2**64, "totals": [0.0] * 5}},
    "negative order": {"epoch": {"number": 2, "random": -1, "totals": [0.0] * 5}},
    "random of two": {"random": [1, 2]},
    "random of none": {"random": 5},
    "no samples": {"samples": 0},
    "batch of text": {"batch_size": "4"},
    "shuffle of text": {"shuffle": "no"},
    "unknown optimizer": {"optimizer": {"name": "mine", "hyperparameters": {}, "step": 0, "by_name": False}},
    "unknown hyperparameter": {"optimizer": {"name": "adam", "hyperparameters": {"x": 1}, "step": 0, "by_name": False}},
    "negative step": {"optimizer": {"name": "adam", "hyperparameters": {}, "step": -1, "by_name": False}},
    "huge step": {"optimizer": {"name": "adam", "hyperparameters": {}, "step": 2**63, "by_name": False}},
    "slots of another": {"optimizer": {"name": "sgd", "hyperparameters": {}, "step": 0, "by_name": False}},
    "history of a list": {"history": {"metrics": [1.0, 2.0], "learning_rates": []}},
    "ragged history": {"history": {"metrics": {"loss": [0.5]}, "learning_rates": []}},
    "history of text": {"history": {"metrics": {"loss": ["a", "b"]}, "learning_rates": []}},
    "history of another length": {"history": {"metrics": {"loss": {"array": "history.learning_rates"}},
                                              "learning_rates": {"array": "0.bias"}}},
    "history twice of one array": {"history": {"metrics": {"loss": {"array": "history.metrics.loss"},
                                                           "accuracy": {"array": "history.metrics.loss"}},
                                               "learning_rates": {"array": "history.learning_rates"}}},
    "history that is not referred to": {"history": {"metrics": {}, "learning_rates": {"array": "history.learning_rates"}}},
    "totals of text": {"epoch": {"number": 2, "random": 0, "totals": ["0"] * 5}},
    "totals of whole numbers": {"epoch": {"number": 2, "random": 0, "totals": [0] * 5}},
    "seed of text": {"seed": "0"},
    "negative seed": {"seed": -1},
    "schedules in schedules": {"optimizer": {"name": "adam", "step": 0, "by_name": False, "hyperparameters": {
        "learning_rate": json.loads('{"schedule": "WarmUp", "steps": 1, "learning_rate": ' * 20 + "0.1" + "}" * 20)}}},
    "unknown schedule": {"optimizer": {"name": "adam", "step": 0, "by_name": False, "hyperparameters": {
        "learning_rate": {"schedule": "os.system"}}}},
    "an array that is not there": {"callbacks": [["EarlyStopping", {"best_arrays": {"array": "nothing"}}]]},
    "an array of the network": {"callbacks": [["EarlyStopping", {"best_arrays": {"array": "0.weight"}}]]},
    "callbacks of numbers": {"callbacks": [1, 2]},
    "last weights that are not there": {"last": True},
}


def rewrite(path, **changes):
    """A checkpoint with a right checksum around a fit that need not be right."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    metadata["fit"] = json.dumps(json.loads(metadata["fit"]) | changes)
    del metadata["sha256"]
    path.write_bytes(b"".join(to_bytes(load_file(path), metadata)))


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_hostile_fits(changes, path):
    net = classifier()
    run(net, optimizer=Adam(), epochs=2)
    net.save_checkpoint(path)
    rewrite(path)
    assert Network.load_checkpoint(path).history == net.history
    rewrite(path, **changes)
    with pytest.raises(ModelFormatError, match=path.name):
        Network.load_checkpoint(path)


def test_a_failed_save_leaves_what_was_there(path, monkeypatch):
    net = classifier()
    run(net)
    net.save_checkpoint(path)
    before = path.read_bytes()
    run(net)

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        run(net, callbacks=[ModelCheckpoint(path, full=True)])
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_arrays_in_the_state_of_a_callback(path):
    class Keeps(Callback):
        def state(self):
            return {"list": [np.arange(3), {"of": np.ones((2, 2), bool)}], "number": np.float32(0.5), "none": None,
                    "a": {"b": np.array(1.5)}, "a.b": np.array(2.5), "turned": np.arange(6).reshape(2, 3).T}

    net = classifier()
    run(net, callbacks=[Keeps()])
    net, keeps = again(net, path, "file"), Keeps()
    run(net, resume=True, callbacks=[keeps])
    np.testing.assert_equal(keeps.resumed, keeps.state())


@pytest.mark.parametrize("state", [{"of": {"array": "0.weight"}}, {"of": np.array([None])}, {"of": np.array(["text"])},
                                   {"of": "half a \ud800"}, None, [1], {1: 2}, {"of": {1: 2}},
                                   {"of": [object()]}, {"of": 1j}, {"of": {1}}, {"of": np.complex64(1)}, {"\ud800": 1}],
                         ids=["array", "objects", "texts", "half a character", "None", "list", "a number for a key",
                              "a number for a key within", "object", "complex", "set", "complex of NumPy", "half a key"])
def test_a_state_that_could_not_be_read_again_is_not_written(state, path):
    class Keeps(Callback):
        def state(self):
            return state

    net = classifier()
    run(net, callbacks=[Keeps()])
    with pytest.raises(ValueError, match=r"array|(takes|must)"):
        net.save_checkpoint(path)
    assert not path.exists()


def test_histories_are_equal_when_their_values_are():
    assert History({"loss": [1.0]}) == History({"loss": [1.0]}) != History({"loss": [2.0]})
