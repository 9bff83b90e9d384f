"""The data sets of the package have the documented contents."""

from pathlib import Path

import numpy as np
import pytest

from fastnn import datasets
from fastnn.datasets import breast_cancer, mnist, mnist1d, parity, spiral, sunspots


@pytest.mark.parametrize(("samples", "classes"), [(3000, 3), (7, 3), (2, 2), (1, 1)])
def test_spiral_shares_samples_out(samples, classes):
    X, y = spiral(samples, classes)
    assert X.shape == (samples, 2)
    assert (X.dtype, y.dtype) == (np.float32, np.int64)
    counts = np.bincount(y, minlength=classes)
    assert len(counts) == classes
    assert np.ptp(counts) <= 1


def test_spiral_lies_on_its_arms():
    X, y = spiral(noise=0)
    t = np.tile(np.linspace(0, 1, 1000), 3)
    np.testing.assert_allclose(np.hypot(*X.T), t, atol=1e-6)
    np.testing.assert_allclose(X[:, 0], t * np.sin(4 * t + 4 * y), atol=1e-6)


def test_spiral_follows_its_seed():
    np.testing.assert_array_equal(spiral(seed=4)[0], spiral(seed=4)[0])
    assert not np.array_equal(spiral(seed=4)[0], spiral(seed=5)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"samples": 2}, "at least 3"), ({"classes": 0}, "classes"), ({"noise": -1}, "noise"), ({"noise": np.nan}, "noise")],
)
def test_spiral_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        spiral(**options)


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_parity_has_every_row_and_its_xor(bits):
    X, y = parity(bits)
    assert X.shape == (2**bits, bits)
    assert len(np.unique(X, axis=0)) == 2**bits
    assert set(np.unique(X)) == {0, 1}
    np.testing.assert_array_equal(y, np.bitwise_xor.reduce(X.astype(int), axis=1))


@pytest.mark.parametrize("bits", [0, 25, 2.5])
def test_parity_refuses(bits):
    with pytest.raises(ValueError, match="bits"):
        parity(bits)


def test_breast_cancer_is_the_published_table():
    X, y, names = breast_cancer(return_names=True)
    assert X.shape == (569, 30)
    assert y.tolist().count(1) == 212
    assert len(set(names)) == 30
    # from the table's own summary: the smallest and largest of some measures
    for name, low, high in [("mean_radius", 6.981, 28.11), ("area_error", 6.802, 542.2), ("worst_concavity", 0, 1.252)]:
        column = X[:, names.index(name)]
        assert (column.min(), column.max()) == (low, high)
    assert X[y == 1, 0].mean() > X[y == 0, 0].mean()  # malignant nuclei are larger


def test_sunspots_are_the_published_series():
    years, numbers = sunspots()
    assert years.tolist() == list(range(1700, 2009))
    assert (numbers.dtype, numbers.min()) == (np.float64, 0)
    # as published with the series: the mean and the standard deviation, and the highest years
    assert numbers.mean() == pytest.approx(49.752104, abs=1e-6)
    assert numbers.std(ddof=1) == pytest.approx(40.452595, abs=1e-6)
    assert years[numbers > 154].tolist() == [1778, 1957, 1958, 1959, 1979, 1980, 1989]


def test_mnist1d_is_the_published_one():
    """The numbers are those of the authors' file, which their generator makes with its default seed."""
    X, y, X_test, y_test = mnist1d()
    assert (X.shape, X_test.shape, X.dtype, y.dtype) == ((4000, 40, 1), (1000, 40, 1), np.float32, np.int64)
    np.testing.assert_allclose(X[0, :5, 0], [-0.332005680, -0.471910357, -0.778697073, -1.00974083, -0.882352591], rtol=1e-5)
    np.testing.assert_allclose(X_test[-1, -3:, 0], [0.659875631, 0.877734363, 1.19315183], rtol=1e-5)
    assert np.bincount(y_test).tolist() == [102, 104, 89, 106, 106, 98, 99, 96, 98, 102]
    published = Path(__file__).parents[3] / "shared" / "data" / "mnist1d.npz"
    if published.is_file():
        with np.load(published) as arrays:
            np.testing.assert_allclose(X[:, :, 0], arrays["x_train"], atol=1e-6)
            np.testing.assert_array_equal(y, arrays["y_train"])


@pytest.fixture
def mnist_file(tmp_path):
    pixels = np.arange(5 * 784, dtype=np.uint8).reshape(5, 28, 28)
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=pixels[:3], y_train=np.uint8([1, 2, 3]), x_test=pixels[3:], y_test=np.uint8([4, 5]))
    return path


def check_mnist(arrays):
    X_train, y_train, X_test, y_test = arrays
    assert (X_train.shape, X_test.shape) == ((3, 784), (2, 784))
    assert X_train.dtype == np.float32
    assert (X_train.min(), X_train.max()) == (0, 1)
    assert (y_train.tolist(), y_test.tolist(), y_test.dtype) == ([1, 2, 3], [4, 5], np.int64)


def test_mnist_is_looked_for_in_three_places(mnist_file, monkeypatch, tmp_path):
    monkeypatch.delenv("FASTNN_MNIST", raising=False)
    monkeypatch.chdir(mnist_file.parent)
    check_mnist(mnist())
    monkeypatch.chdir("/")
    check_mnist(mnist(mnist_file))
    monkeypatch.setenv("FASTNN_MNIST", str(mnist_file))
    check_mnist(mnist())


def test_mnist_says_what_it_wants(monkeypatch, tmp_path):
    monkeypatch.delenv("FASTNN_MNIST", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"mnist\.npz.*x_train.*FASTNN_MNIST"):
        mnist()
    np.savez("other.npz", x_train=np.zeros(3))
    with pytest.raises(ValueError, match="y_train"):
        mnist("other.npz")


@pytest.mark.parametrize("damage", [lambda whole: whole[:-9], lambda whole: b"", lambda whole: b"{}",
                                    lambda whole: whole[:200] + b"\xff" + whole[201:],
                                    lambda whole: whole.replace(b"|u1", b"|O8")])
def test_mnist_damaged(mnist_file, damage):
    mnist_file.write_bytes(damage(mnist_file.read_bytes()))
    with pytest.raises(ValueError, match=r"mnist\.npz does not hold the digits"):
        mnist(mnist_file)


def test_mnist_of_other_shapes(mnist_file):
    held = dict(np.load(mnist_file))
    wrong = {"x_test": held["x_test"][:, :27], "y_test": held["y_train"], "x_train": held["x_train"] / 255}
    for name, other in wrong.items():
        np.savez(mnist_file, **held | {name: other})
        with pytest.raises(ValueError, match=f"{name} .*they must be whole numbers"):
            mnist(mnist_file)


def test_examples_run():
    import doctest

    assert doctest.testmod(datasets).failed == 0
