"""A resumed fit, in the same process or from a file, gives the same bits as one without an interruption."""

import numpy as np
import pytest
from nets import LABELS, X, classifier, same
from resumed import BATCH, BATCHES, EPOCHS, StopAfter, again, run

from fastnn import (
    SGD,
    Adam,
    Callback,
    CosineDecay,
    EarlyStopping,
    ExponentialDecay,
    Network,
    OneCycle,
    StepDecay,
    WarmUp,
    optimizers,
)

every_optimizer = pytest.mark.parametrize("optimizer", optimizers.values(), ids=lambda cls: cls.name)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


@every_dtype
@every_optimizer
@pytest.mark.parametrize("by", ["memory", "file"])
def test_resumed_from_any_batch_is_never_interrupted(optimizer, dtype, by, path):
    """After whatever batches a fit was stopped, and in whatever way, its bits and history are those of a single run."""
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
        assert np.array_equal(net.vectors.random, whole.vectors.random)
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


@pytest.mark.parametrize("word", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_random_words_of_all_sizes_come_back(word, path):
    net = classifier()
    net.fit(X, LABELS, batch_size=8)
    net.vectors.random[:] = net.fits.last.epoch.random = word
    net.save_checkpoint(path)
    again = Network.load_checkpoint(path)
    assert again.vectors.random.tolist() == [word] * len(net.vectors.random)
    assert again.fits.last.epoch.random == word


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
