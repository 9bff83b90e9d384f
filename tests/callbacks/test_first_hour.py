"""A line for each epoch, averages of the weights, and the live picture."""

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import SGD, Dense, EpochLog, LambdaCallback, LivePlot, Network, WeightAverage


def test_a_line_for_each_epoch_counts_from_1(capsys):
    history = classifier().fit(X, LABELS, epochs=3, validation_data=(X, LABELS), callbacks=[EpochLog()])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2", "epoch 3"]
    assert lines[0] == "epoch 1: " + ", ".join(f"{name} {values[0]:.4g}" for name, values in history.items())
    classifier().fit(X, LABELS, epochs=5, callbacks=[EpochLog(every=2)])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["epoch 2", "epoch 4", "epoch 5"]


def collected(net, kept, every="epoch"):
    def keep(*_):
        kept.append(net.vectors.copies_by_name())

    return LambdaCallback(**{f"on_{every}_end": keep})


@pytest.mark.parametrize("start", [0, 2])
def test_the_mean_of_the_epochs(start):
    net, kept = classifier(), []
    net.fit(X, LABELS, epochs=5, optimizer=SGD(0.1), callbacks=[collected(net, kept), WeightAverage(start=start)])
    for name, array in net.vectors.by_name.items():
        np.testing.assert_allclose(array, np.mean([each[name] for each in kept[start:]], axis=0), rtol=1e-5, atol=1e-7)


def test_the_exponential_moving_average_of_the_batches():
    net, kept, average = classifier(), [], None
    net.fit(X, LABELS, epochs=3, batch_size=4, optimizer=SGD(0.1),
            callbacks=[collected(net, kept, "train_batch"), WeightAverage(0.8)])
    for arrays in kept:
        average = arrays if average is None else {name: 0.8 * average[name] + 0.2 * arrays[name] for name in arrays}
    for name, array in net.vectors.by_name.items():
        np.testing.assert_allclose(array, average[name], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("make", [WeightAverage, lambda: WeightAverage(0.9, every_batches=2)], ids=["mean", "moving"])
def test_a_resumed_fit_has_the_same_average(make, tmp_path):
    net, other = classifier(), classifier()
    net.fit(X, LABELS, epochs=6, callbacks=[make()])
    other.fit(X, LABELS, epochs=3, callbacks=[make()])
    other.save_checkpoint(tmp_path / "run.safetensors")
    loaded = Network.load_checkpoint(tmp_path / "run.safetensors")
    for each in (other, loaded):
        each.fit(X, LABELS, epochs=6, callbacks=[make()], resume=True)
        assert same(each, net)


def test_a_live_plot_has_the_curves_after_the_fit():
    pytest.importorskip("matplotlib")
    live = LivePlot("accuracy")
    classifier().fit(X, LABELS, epochs=4, validation_data=(X, LABELS), callbacks=[live])
    assert [len(line.get_xdata()) for line in live.ax.lines] == [4, 4]
    assert live.ax.lines[0].get_xdata()[0] == 1
    with pytest.raises(ValueError, match="this fit reports loss"):
        Network([Dense(1)], inputs=4).fit(X, LABELS, callbacks=[LivePlot("accuracy")])


@pytest.mark.parametrize("call", [lambda: EpochLog(0), lambda: WeightAverage(1.0), lambda: WeightAverage(start=-1),
                                  lambda: WeightAverage(0.5, every_batches=0), lambda: LivePlot(3),
                                  lambda: LivePlot(seconds=-1)])
def test_options_are_checked(call):
    with pytest.raises(ValueError, match="must be"):
        call()
