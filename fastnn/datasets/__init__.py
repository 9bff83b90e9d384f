"""Data sets: three that are generated, a real table and a series that are part of the package, and MNIST from a file.

Each function returns arrays with one sample in each row, X of features and y of integer labels. That of the series returns
years and numbers.
"""

import math
import os
from importlib import resources
from pathlib import Path

import numpy as np

from ..checks import not_negative, path_name, true_or_false, whole_number
from ..runtime.quiet import new_generator
from .mnist1d import mnist1d

__all__ = ["breast_cancer", "mnist", "mnist1d", "parity", "spiral", "sunspots"]


def __dir__():
    return __all__


def spiral(samples=3000, classes=3, noise=0.2, seed=0):
    """Draw points on spiral arms around the origin, one arm for each class.

    On arm c, with t from 0 at the center to 1 at the end: the radius is t, and the angle 4 (t + c) + noise · N(0, 1).
    The recipe is that of Karpathy's course notes, https://cs231n.github.io/neural-networks-case-study.

    Parameters
    ----------
    samples : int
        The total number, the same for each class; samples are sorted by class, so shuffle before a split.
    classes : int
        The number of arms.
    noise : float
        The standard deviation of the angle, in radians.
    seed : int
        The same seed gives the same points.

    Returns
    -------
    X : (samples, 2) float32
    y : (samples,) int64

    Examples
    --------
    >>> from fastnn.datasets import spiral
    >>> X, y = spiral(samples=300)
    >>> X.shape, [int((y == label).sum()) for label in range(3)]
    ((300, 2), [100, 100, 100])
    """
    classes = whole_number("classes", classes)
    samples = whole_number("samples", samples, least=classes)
    noise = not_negative("noise", noise)
    generator = new_generator(None if seed is None else whole_number("seed", seed, least=0, most=math.inf))
    X, y = np.empty((samples, 2), np.float32), np.empty(samples, np.int64)
    for label, rows in enumerate(np.array_split(np.arange(samples), classes)):
        t = np.linspace(0, 1, len(rows))
        angle = 4 * t + 4 * label + generator.normal(0, noise, len(rows))
        X[rows], y[rows] = np.c_[t * np.sin(angle), t * np.cos(angle)], label
    return X, y


def parity(bits):
    """Return all 2^bits rows of bits, in counting order, with their XOR: 1 if the number of ones is odd.

    Parameters
    ----------
    bits : int

    Returns
    -------
    X : (2^bits, bits) float32
        Zeros and ones.
    y : (2^bits,) int64

    Examples
    --------
    >>> from fastnn.datasets import parity
    >>> X, y = parity(2)
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    bits = whole_number("bits", bits)
    if bits > 24:
        raise ValueError(f"bits is {bits}; the table has 2^bits rows, so it must be at most 24")
    X = np.arange(2**bits)[:, None] >> np.arange(bits - 1, -1, -1) & 1
    return X.astype(np.float32), X.sum(axis=1) % 2


def breast_cancer(*, return_names=False):
    """Load the Breast Cancer Wisconsin (Diagnostic) table: 30 measures of the cell nuclei in 569 biopsies.

    The mean, standard error and worst value of ten measures (radius, texture, …), on scales from thousandths to thousands:
    standardize them before training. The table comes with this package; it is by Wolberg, Mangasarian, Street and Street
    (1993), UCI Machine Learning Repository, https://doi.org/10.24432/C5DW2B, under CC BY 4.0.

    Parameters
    ----------
    return_names : bool
        Whether to return the names of the features as well.

    Returns
    -------
    X : (569, 30) float64
    y : (569,) int64
        1 for malignant (212 of them), 0 for benign.
    names : list of str
        With `return_names`.

    Examples
    --------
    >>> from fastnn.datasets import breast_cancer
    >>> X, y = breast_cancer()
    >>> X.shape, int(y.sum())
    ((569, 30), 212)
    """
    return_names = true_or_false("return_names", return_names)
    header, table = table_of("breast_cancer.csv")
    X, y = np.ascontiguousarray(table[:, :-1]), table[:, -1].astype(np.int64)
    return (X, y, header[:-1]) if return_names else (X, y)


def sunspots():
    """Load the mean number of sunspots of each year from 1700 to 2008, a series with a cycle of about eleven years.

    The table comes with this package; it is from the National Geophysical Data Center (NOAA), and in the public domain.
    These are the numbers as they were counted until 2015, when all were revised.

    Returns
    -------
    years : (309,) int64
    numbers : (309,) float64

    Examples
    --------
    >>> from fastnn.datasets import sunspots
    >>> years, numbers = sunspots()
    >>> int(years[numbers.argmax()]), float(numbers.max())
    (1957, 190.2)
    """
    _, table = table_of("sunspots.csv")
    return table[:, 0].astype(np.int64), np.ascontiguousarray(table[:, 1])


def table_of(name):
    """Return the names of the columns, and the numbers, of a table of this package."""
    lines = resources.files("fastnn.datasets").joinpath(name).read_text(encoding="utf-8").splitlines()
    header, *rows = (line.split(",") for line in lines if not line.startswith("#"))
    return header, np.array(rows, np.float64)


def mnist(path=None):
    """Load MNIST, 70,000 handwritten digits of 28 × 28 pixels (LeCun, Cortes and Burges), from a file of yours.

    Nothing is downloaded. The file is the `mnist.npz` distributed with Keras, with the arrays x_train (60000, 28, 28),
    y_train, x_test (10000, 28, 28) and y_test, pixels from 0 to 255.

    Parameters
    ----------
    path : path-like, optional
        The path of the file. Default: the environment variable FASTNN_MNIST, else mnist.npz in the current directory.

    Returns
    -------
    X_train : (60000, 784) float32
        Pixels from 0 to 1, row by row.
    y_train : (60000,) int64
    X_test : (10000, 784) float32
    y_test : (10000,) int64

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not contain the four arrays.
    """
    path = Path((os.environ.get("FASTNN_MNIST") or "mnist.npz") if path is None else path_name("path", path))
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no MNIST file at {path}; give the path of mnist.npz (arrays x_train, y_train, x_test, y_test), "
            "or set the environment variable FASTNN_MNIST to it"
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return *digits(arrays, "train"), *digits(arrays, "test")
    except PermissionError:
        raise
    except Exception as error:  # several packages read the file, with different exceptions
        raise ValueError(f"{path} does not hold the digits that mnist.npz holds (arrays x_train, y_train, x_test, y_test): "
                         f"{error or type(error).__name__}") from None


def digits(arrays, part):
    """Return X (samples, 784) from 0 to 1 and y (samples,) of one part of MNIST."""
    X, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if X.shape[1:] not in ((28, 28), (784,)) or y.shape != X.shape[:1] or {X.dtype.kind, y.dtype.kind} - {*"ui"}:
        raise ValueError(f"x_{part} is {X.dtype} of shape {X.shape} and y_{part} {y.dtype} of shape {y.shape}; they must be "
                         "whole numbers, (samples, 28, 28) and (samples,)")
    return X.reshape(-1, 784).astype(np.float32) / 255, y.astype(np.int64)
