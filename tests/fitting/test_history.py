"""The history of a fit."""

import pytest
from nets import LABELS, X, classifier

from fastnn import SGD, History, LambdaCallback, Network


@pytest.mark.parametrize("rates", [[], [0.1], [0.1] * 5, [0.1, 0.1, 0.2, 0.2, 0.1], [0.3, 0.2, 0.1]])
@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_the_learning_rate_is_in_the_history_once_it_differs(rates, at_once):
    history = History()
    for begin in range(0, len(rates), at_once):
        some = rates[begin:begin + at_once]
        history.extend({"loss": [1.0] * len(some)}, some)
    assert history.learning_rates == rates
    assert history.get("learning_rate", rates) == rates
    assert ("learning_rate" in history) == (len(set(rates)) > 1)


def test_the_learning_rate_is_in_the_history_if_it_changes():
    net = classifier()
    assert "learning_rate" not in net.fit(X, LABELS, epochs=3, optimizer=SGD(0.5))
    net.fit(X, LABELS, epochs=4, optimizer=SGD(0.5), callbacks=[
        LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(net.optimizer, "learning_rate", 0.25 if epoch == 1 else 0.5))
    ])
    assert net.history["learning_rate"] == [0.5, 0.5, 0.25, 0.5]


def test_histories_are_equal_when_their_values_are():
    assert History({"loss": [1.0]}) == History({"loss": [1.0]}) != History({"loss": [2.0]})


def test_metrics_that_come_and_go_keep_to_their_epochs(tmp_path):
    """A resumed fit may have validation data, or no longer; its file can be read again."""
    net, nan, held_out = classifier(), pytest.approx(float("nan"), nan_ok=True), (X, LABELS)
    for epochs, options in ((2, {}), (3, {"validation_data": held_out}), (5, {})):
        history = net.fit(X, LABELS, epochs=epochs, resume=True, **options)
        assert {len(values) for values in history.values()} == {epochs}
        net.save_checkpoint(tmp_path / "run")
        assert repr(Network.load_checkpoint(tmp_path / "run").history) == repr(history)
    assert [value == nan for value in history["val_loss"]] == [True, True, False, True, True]
    assert history["val_loss"][2] == classifier_after(3).evaluate(*held_out)["loss"]
    assert dict(history) | {"val_loss": 0, "val_accuracy": 0} == dict(classifier_after(5).history) | {
        "val_loss": 0, "val_accuracy": 0}
    history._repr_html_()


def classifier_after(epochs):
    net = classifier()
    net.fit(X, LABELS, epochs=epochs)
    return net
