"""Images as data: uint8 stays uint8 and computes what its numbers compute; errors that name the repair; mapped arrays."""

import pickle
import re
import tracemalloc

import numpy as np
import pytest
from layer_cases import all_bits

import fastnn
from fastnn import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, Network, Population, Rescale
from fastnn.samples.data import check_data

rng = np.random.default_rng(0)
X, Y = rng.integers(0, 256, size=(150, 6, 5, 3), dtype=np.uint8), np.arange(150) % 3
NETS = {
    "convolution": [Rescale(1 / 255), Conv2D(4, 3, "relu"), MaxPool2D(2), Flatten(), Dense(3, "softmax")],
    "convolution first": [Conv2D(4, 3, "tanh"), Flatten(), Dense(3, "softmax")],
    "dense": [Flatten(), Dense(9, "tanh"), Dense(3, "softmax")],
    "normalized": [BatchNorm(), Flatten(), Dense(70, "relu"), Dense(3, "softmax")],
}
every_net = pytest.mark.parametrize("name", NETS)


def net(name, **options):
    return Network(NETS[name], inputs=(6, 5, 3), seed=2, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_net
def test_bytes_are_the_numbers_that_they_hold(name, dtype, many_parts):
    one, other = net(name, dtype=dtype), net(name, dtype=dtype)
    numbers = X.astype(dtype)
    for threads in (1, 3):
        fits = [each.fit(x, Y, epochs=2, batch_size=32, threads=threads, validation_data=(x[:40], Y[:40]), metrics=["f1"])
                for each, x in ((one, X), (other, numbers))]
        assert dict(fits[0]) == dict(fits[1])
        assert all_bits(one) == all_bits(other)
    for samples in (0, 1, 3, 150):
        np.testing.assert_array_equal(one.forward(X[:samples]), other.forward(numbers[:samples]))
    np.testing.assert_array_equal(one.predict(X), other.predict(numbers))
    np.testing.assert_array_equal(one.forward(numbers), other.forward(X))  # either after the other
    assert one.evaluate(X, Y) == other.evaluate(numbers, Y)
    assert one.loss_and_gradients(X, Y)[0] == other.loss_and_gradients(numbers, Y)[0]
    assert one.evaluate(X, Y, sample_weight=np.arange(150.0)) == other.evaluate(numbers, Y, sample_weight=np.arange(150.0))


def test_bytes_are_not_copied():
    data = check_data(net("convolution"), X, Y)
    assert data.X is X or np.shares_memory(data.X, X)
    large = np.zeros((2000, 6, 5, 3), np.uint8)
    one = net("dense")
    one.fit(large, np.arange(2000) % 3)
    tracemalloc.start()
    one.fit(large, np.arange(2000) % 3)
    one.forward(large)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * large.size / 2  # half of what the numbers take in float32


@pytest.mark.parametrize("change", [
    lambda x: x[::-1], lambda x: np.asfortranarray(x), lambda x: x.tolist(), lambda x: x.astype(np.int64),
    lambda x: x.astype(">u2"), lambda x: list(x),
], ids=["reversed", "Fortran order", "lists", "int64", "big-endian", "list of arrays"])
def test_other_arrays_of_the_same_numbers(change):
    one = net("convolution")
    given = change(X)
    expected = one.forward(np.ascontiguousarray(np.asarray(given)).astype("float32"))
    np.testing.assert_array_equal(one.forward(given), expected)


def test_a_mapped_file(tmp_path):
    np.save(tmp_path / "images.npy", X)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    one, other = net("convolution"), net("convolution")
    assert dict(one.fit(mapped, Y)) == dict(other.fit(X, Y))
    np.testing.assert_array_equal(one.predict(mapped), other.predict(X))


def test_populations_checkpoints_and_copies(tmp_path):
    members = [Network(NETS["convolution"], inputs=(6, 5, 3), seed=seed) for seed in range(2)]
    alone = [pickle.loads(pickle.dumps(member)) for member in members]
    rows = [np.arange(90), np.arange(60, 150)]
    population = Population(members)
    population.fit(X, Y, epochs=2, rows=rows, validation_rows=[np.arange(90, 150), np.arange(60)])
    for member, own, other in zip(members, rows, alone, strict=True):
        other.fit(X[own], Y[own], epochs=2)
        assert all_bits(member) == all_bits(other)
    np.testing.assert_array_equal(population.forward(X)[0], members[0].forward(X))
    members[0].save_checkpoint(tmp_path / "c")
    np.testing.assert_array_equal(Network.load_checkpoint(tmp_path / "c").forward(X), members[0].forward(X))


def test_flat_samples_of_bytes_are_as_before():
    flat = Network([Dense(3, "softmax")], inputs=90)
    np.testing.assert_array_equal(flat.forward(X.reshape(150, -1)), flat.forward(X.reshape(150, -1).astype("float32")))


def test_gradients_are_checked_on_bytes():
    one = net("convolution", dtype="float64")
    assert fastnn.check_gradients(one, X[:5].astype(float), Y[:5]).max_relative_error < 1e-6


@pytest.mark.parametrize(("given", "says"), [
    (X.transpose(0, 3, 1, 2), "its channels come first: give X.transpose(0, 2, 3, 1)"),
    (X.astype(float).transpose(0, 3, 1, 2), "give X.transpose(0, 2, 3, 1)"),
    ([*X.transpose(0, 3, 1, 2)], "give np.transpose(X, (0, 2, 3, 1))"),
    (X.transpose(0, 2, 1, 3), "give X.transpose(0, 2, 1, 3)"),
    ([X[0], X[1][:4]], "samples of several shapes, such as (6, 5, 3) and (4, 5, 3); bring all to the shape that this "
                       "network takes, (6, 5, 3)"),
    (np.array([X[0], X[1][:4], None], object), "several shapes"),
    ([X[0].tolist(), X[1][:4].tolist()], "several shapes, such as (6, 5, 3) and (4, 5, 3); bring all to the shape"),
    ((X[0], X[1][..., 0]), "several shapes, such as (6, 5, 3) and (6, 5); bring all to the shape"),
    (np.zeros((2, 9, 9, 3)), "bring the images to a height of 6 and a width of 5"),
    ([X[0][:4], X[1][:4]], "bring the images to a height of 6 and a width of 5"),
    (np.zeros((2, 6, 5, 4), np.uint8), "the fourth channel may be transparency: give X[..., :3]"),
    (np.zeros((2, 6, 5, 1)), "give np.repeat(X, 3, axis=-1)"),
    (np.zeros((2, 6, 5, 2)), "the images must have 3 channels"),
    (X[..., 0], "this network takes (samples, 6, 5, 3)"),
    (X[0], "X[None], shape (1, 6, 5, 3)"),
], ids=["channels first", "floats with channels first", "a list with channels first", "width first", "several sizes",
        "an array of arrays", "several sizes in lists", "gray and color", "another size", "all of another size",
        "transparency", "gray", "two channels", "no channels", "one image"])
def test_what_is_no_such_images_is_refused(given, says):
    one = net("convolution")
    for call in (one.forward, one.predict, lambda x: one.fit(x, Y[:len(x)])):
        with pytest.raises(ValueError, match=re.escape(says)):
            call(given)


def test_the_repair_is_one_that_the_object_has():
    """A tensor of PyTorch has no transpose of several axes, but permute."""

    class Tensor:
        shape = 4, 3, 6, 5

        def __array__(self, dtype=None, copy=None):
            return np.zeros(self.shape, dtype)

        def permute(self, *axes):
            """Put the axes in this order."""

    one = net("convolution")
    for call in (one.forward, lambda x: one.fit(x, Y[:4])):
        with pytest.raises(ValueError, match=r"come first: give X\.permute\(0, 2, 3, 1\)"):
            call(Tensor())


def test_gray_images_without_an_axis_of_channels_get_one():
    one = Network([Conv2D(2, 3), Flatten(), Dense(2, "softmax")], inputs=(6, 5, 1))
    with pytest.raises(ValueError, match=r"X has shape \(3, 6, 5\); .* give X\[\.\.\., None\]"):
        one.predict(X[:3, :, :, 0])
    assert one.predict(X[:3, :, :, 0][..., None]).shape == (3,)


def test_pictures_of_pillow():
    image = pytest.importorskip("PIL.Image", reason="Pillow comes with the extra plot")
    one, pictures = net("convolution"), [image.fromarray(each) for each in X[:4]]
    np.testing.assert_array_equal(one.forward(pictures), one.forward(X[:4]))
    with pytest.raises(ValueError, match=r"several shapes, such as \(6, 5, 3\) and \(4, 7, 3\); bring all to the shape"):
        one.forward([pictures[0], pictures[1].resize((7, 4))])


def test_a_population_names_the_size_too():
    population = Population([net("convolution")])
    with pytest.raises(ValueError, match=r"several shapes, such as .*; bring all to the shape that this network takes"):
        population.fit([X[0], X[1][:4]], Y[:2])


@pytest.mark.parametrize(("given", "says"), [
    (X.transpose(0, 3, 1, 2), "give X.transpose(0, 2, 3, 1)"), ([X[0], X[1][:4]], "bring all to the shape"),
    (np.zeros((2, 9, 9, 3)), "bring the images to a height of 6 and a width of 5")],
    ids=["channels first", "several sizes", "another size"])
def test_estimators_name_the_repair_too(given, says):
    pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")
    from fastnn.sklearn import NetworkClassifier

    estimator = NetworkClassifier(layers=[Flatten(), Dense(3, "softmax")], input_shape=(6, 5, 3))
    with pytest.raises(ValueError, match=re.escape(says)):
        estimator.fit(given, Y[:len(given)])
