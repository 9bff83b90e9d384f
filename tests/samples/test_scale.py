"""A network remembers whether it was fitted on bytes or on floats, and warns of the other kind on another scale."""

import copy
import warnings

import numpy as np
import pytest

from fastnn import Concatenate, Conv2D, Dense, Flatten, Input, Network, Population
from fastnn.samples.scale import Scale

rng = np.random.default_rng(0)
BYTES, Y = rng.integers(0, 256, (30, 5, 4, 1)).astype(np.uint8), rng.integers(2, size=30)
BYTES[0, 0, 0, 0], BYTES[0, 0, 1, 0] = 0, 255
FLOATS = (BYTES / 255).astype(np.float32)
OF_BYTES = r"X holds floats from 0 to 1; this network was fitted on bytes \(uint8\) up to 255: give the bytes"
OF_FLOATS = r"X holds bytes \(uint8\) up to 255; this network was fitted on floats up to 1: convert .* X / 255"


def network():
    return Network([Conv2D(2, 2, "relu"), Flatten(), Dense(2, "softmax")], inputs=(5, 4, 1))


def fitted(X):
    net = network()
    net.fit(X, Y)
    return net


@pytest.mark.parametrize(("seen", "other", "message"), [(BYTES, FLOATS, OF_BYTES), (FLOATS, BYTES, OF_FLOATS)],
                         ids=["bytes", "floats"])
def test_the_other_kind_draws_a_warning_however_it_is_given(seen, other, message, tmp_path):
    net = fitted(seen)
    net.save(tmp_path / "net.safetensors")
    net.save_checkpoint(tmp_path / "run.safetensors")
    population = Population([network(), network()])
    population.fit(seen, Y, epochs=1)
    for each in (net, copy.copy(net), net.astype("float64"), Network.load(tmp_path / "net.safetensors"),
                 Network.load_checkpoint(tmp_path / "run.safetensors"), population.networks[1]):
        assert each.fitted_on == (Scale("float", 1.0) if seen is FLOATS else Scale("uint8", 255.0))
        for call, arguments in ((each.predict, (other,)), (each.predict, (other[:1],)), (each.forward, (other,)),
                                (each.predict_proba, (other[:2],)), (each.evaluate, (other, Y))):
            with pytest.warns(UserWarning, match=message) as caught:
                call(*arguments)
            assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for same in (seen, seen[:1], seen[:0]):
                each.predict(same)
            each.evaluate(seen, Y)
    with pytest.warns(UserWarning, match="X of validation_data holds"):
        network().fit(seen, Y, validation_data=(other, Y))


@pytest.mark.parametrize(("seen", "other", "message"), [(BYTES, FLOATS, OF_BYTES), (FLOATS, BYTES, OF_FLOATS)],
                         ids=["bytes", "floats"])
def test_each_of_several_inputs_is_remembered(seen, other, message, tmp_path):
    table, left, right = Input(2, name="table"), Input((5, 4, 1), name="right"), Input((5, 4, 1), name="left")
    h = Concatenate()(table, Flatten()(Conv2D(2, 2, "relu")(left)), Flatten()(right))
    net = Network(inputs=[table, left, right], outputs=Dense(2, "softmax")(h))
    same = {"table": np.zeros((30, 2)), "right": seen, "left": np.zeros((30, 5, 4, 1), np.uint8)}
    net.fit(same, Y)
    net.save(tmp_path / "net.safetensors")
    net.save_checkpoint(tmp_path / "run.safetensors")
    message = message.replace("X", r"X\['right'\]")
    for each in (net, copy.copy(net), net.astype("float64"), Network.load(tmp_path / "net.safetensors"),
                 Network.load_checkpoint(tmp_path / "run.safetensors")):
        assert each.fitted_on == net.fitted_on
        for call, arguments in (each.predict, ()), (each.forward, ()), (each.evaluate, (Y,)):
            with pytest.warns(UserWarning, match=message) as caught:
                call(same | {"right": other}, *arguments)
            assert [warning.filename for warning in caught] == [__file__]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            each.predict(same)
            each.predict({name: array[:0] for name, array in same.items()})
            each.evaluate(same, Y)
    with pytest.warns(UserWarning, match=r"X\['right'\] of validation_data holds"):
        net.fit(same, Y, validation_data=(same | {"right": other}, Y))


def test_the_same_numbers_of_another_dtype_draw_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "X holds bytes")  # at fit, which is right
        fitted(BYTES).predict(BYTES.astype(float))
        fitted(BYTES.astype(float)).predict(BYTES)
        fitted(FLOATS).predict((FLOATS > 0.5).astype(np.uint8))  # masks, 0 or 1
        fitted(BYTES).predict(np.zeros((2, 5, 4, 1)))
        network().predict(BYTES)  # not fitted
        net = fitted(BYTES)
        net.fit(FLOATS, Y)  # it is remembered of the last fit
        net.predict(FLOATS)
        net.fitted_on = None
        net.predict(BYTES)


def test_standardized_floats_are_no_bytes():
    with pytest.warns(UserWarning, match=r"X holds floats from -\d.* this network was fitted on bytes"):
        fitted(BYTES).predict((FLOATS - 0.5) * 4)


def test_features_without_shape_are_not_looked_at():
    net = Network([Dense(2, "softmax")], inputs=20)
    net.fit(FLOATS.reshape(30, -1), Y)
    assert net.fitted_on is None


def test_a_damaged_record_is_refused():
    for kind, largest in (("text", 1.0), ("uint8", -1.0), ("float", float("nan"))):
        with pytest.raises(ValueError, match="no scale of images"):
            Scale(kind, largest)
