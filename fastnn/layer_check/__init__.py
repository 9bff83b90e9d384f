"""Checks of one layer: what the tests of this package check of its layers, for a layer of a user's own."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..checks import number_in_range, shown, whole_number
from ..gradient_check import check_gradients
from ..kernels.optimizers.sgd import SGD
from ..layers import CustomLayer, Dense, Flatten, Input, Layer, Reshape, input_shape
from ..layers.custom.declaration import declare
from ..layers.custom.trial import trial
from ..network.network import Network
from .plain import plain_forward, plain_gradients
from .report import LayerCheck, LayerReport

__all__ = ["LayerCheck", "LayerReport", "check_layer"]


def __dir__():
    return __all__


SAMPLES = 21  # of most checks: more than a block of samples whose gradients add up
# as much work as threads share: numbers in a batch, and batches
SHARED_NUMBERS, BATCHES, MOST_SAMPLES = 2_100_000, 5, 150_000
ROUNDING = {"float64": 1e-10, "float32": 2e-4}  # of outputs and gradients, relative to the largest


def check_layer(layer: Layer, shape: int | Sequence, *, tolerance: float = 1e-6, seed: int = 0) -> LayerReport:
    """Check a layer: its arrays, its gradients, its bits, its files.

    Parameters
    ----------
    layer : Layer
        One of your own, see `fastnn.CustomLayer`, or of this package.
    shape : int, tuple of int or list of them
        The number of features of a sample, or its shape; of a layer that joins, a list with one for each input.
    tolerance : float
        The largest relative error of the gradients.
    seed : int
        Of the random samples.

    Returns
    -------
    LayerReport
        Print it for a table. `passed` is whether all checks passed:

        functions
            The plain functions write every element of their results, add to the gradients of the parameters, and change
            nothing else (only of a custom layer).
        rungs
            The compiled functions equal the plain ones, in both dtypes (only of a custom layer).
        gradients
            They equal finite differences, of the parameters and of the inputs.
        rows
            A sample alone has the bits that it has among others.
        threads
            A fit has the same bits with one thread and with all.
        files
            A network with the layer is saved and loaded.

    Examples
    --------
    >>> import fastnn
    >>> report = fastnn.check_layer(fastnn.Dense(3, "tanh"), 4)
    >>> [(check.name, check.result) for check in report.checks]
    [('gradients', 'passed'), ('rows', 'passed'), ('threads', 'passed'), ('files', 'passed')]
    """
    if not isinstance(layer, Layer):
        raise ValueError(f"layer is {shown(layer)}; it must be a layer, such as Dense(64, 'relu')")
    tolerance, seed = number_in_range("tolerance", tolerance, 0.0), whole_number("seed", seed, least=0)
    shapes = [input_shape(each, "shape") for each in shape] if layer.joins else [input_shape(shape, "shape")]
    checks = []
    for name, check in CHECKS.items():
        if name in OF_CUSTOM_LAYERS and not isinstance(layer, CustomLayer):
            continue
        try:
            passed, detail = check(layer, shapes, seed=seed, tolerance=tolerance)
        except (ValueError, ArithmeticError, RuntimeError) as error:
            passed, detail = False, f"{type(error).__name__}: {error}"
        checks.append(LayerCheck(name, bool(passed), detail))
        if not passed and name == "functions":
            break  # compiled, its mistakes would do harm
    return LayerReport(layer, tuple(checks))


def direct(layer, shapes, dtype, seed=0):
    """Return a network of the layer alone."""
    nodes = [Input(shape, name=f"input{number}") for number, shape in enumerate(shapes)]
    return Network(inputs=nodes, outputs=flat(layer(*nodes, name="layer")), dtype=dtype, loss="squared_error", seed=seed)


def behind_dense(layer, shapes, dtype, seed=0):
    """Return a network in which what the layer reads is computed, so that its gradient is that of parameters."""
    x = Input(3)
    nodes = [Reshape(shape)(Dense(int(np.prod(shape)))(x, name=f"input{number}")) for number, shape in enumerate(shapes)]
    return Network(inputs=x, outputs=flat(layer(*nodes, name="layer")), dtype=dtype, loss="squared_error", seed=seed)


def flat(node):
    return node if len(node.shape) == 1 else Flatten()(node)


def samples_for(shapes, count, seed):
    generator = np.random.default_rng(seed)
    return {f"input{number}": generator.normal(size=(count, *shape)) for number, shape in enumerate(shapes)}


def given(net, X):
    """Return X in the form for the network."""
    return X if len(X) > 1 else X["input0"]


def unsettled(net, seed):
    """Return the network with parameters that are neither 0 nor 1."""
    generator = np.random.default_rng(seed + 1)
    for view in net.parameters.values():
        view[...] += generator.uniform(-0.2, 0.2, size=view.shape)
    return net


def check_functions(layer, shapes, **options):
    trial(declare(layer, tuple(shapes) if layer.joins else shapes[0]))
    return True, "forward and backward write their results, and nothing else"


def check_rungs(layer, shapes, seed, **options):
    worst = {}
    for dtype in ROUNDING:
        net, X = unsettled(direct(layer, shapes, dtype, seed), seed), samples_for(shapes, SAMPLES, seed)
        X = {name: array.astype(dtype) for name, array in X.items()}
        plain = plain_forward(net, X)
        errors = [relative(net.forward(given(net, X)), plain)]
        # not 0: the derivative of a sum of squares is 0 where a layer keeps it constant, as one of sines and cosines does
        y = np.random.default_rng(seed + 2).normal(size=plain.shape).astype(dtype)
        gradients = net.loss_and_gradients(given(net, X), y)[1]
        errors += [relative(gradients[name], gradient) for name, gradient in plain_gradients(net, X, y).items()]
        worst[dtype] = max(errors)
    return (all(worst[dtype] <= ROUNDING[dtype] for dtype in worst),
            f"compiled and plain functions differ by {worst['float64']:.1e} in float64, {worst['float32']:.1e} in float32")


def relative(found, expected):
    scale = np.abs(expected).max() or 1.0
    return float(np.abs(found - expected).max() / scale)


def check_layer_gradients(layer, shapes, seed, tolerance):
    net = unsettled(behind_dense(layer, shapes, "float64", seed), seed)
    X = np.random.default_rng(seed).normal(size=(SAMPLES, 3))
    y = np.random.default_rng(seed + 2).normal(size=(SAMPLES, net.outputs))
    report = check_gradients(net, X, y, tolerance=tolerance)
    wrong = [check for check in report.parameters if check.relative_error > tolerance]
    detail = f"largest relative error {report.max_relative_error:.1e}, tolerance {tolerance:.0e}"
    for check in wrong[:1]:
        kind, _, name = check.name.rpartition(".")
        what = f"of {name!r}" if kind == "layer" else f"of input {kind.removeprefix('input')}"
        detail += f"; the gradient {what} is wrong"
    return not wrong, detail


def check_rows(layer, shapes, seed, **options):
    if layer.mixes_samples:
        return True, "not checked: the layer mixes samples"
    net, X = unsettled(direct(layer, shapes, "float32", seed), seed), samples_for(shapes, SAMPLES, seed)
    together = net.forward(given(net, X))
    same = all(np.array_equal(net.forward(given(net, {name: array[i:i + 1] for name, array in X.items()}))[0], together[i],
                              equal_nan=True) for i in range(SAMPLES))
    return same, f"{SAMPLES} samples alone have {'' if same else 'not '}the bits that they have together"


def check_threads(layer, shapes, seed, **options):
    states = []
    for threads in (1, None):
        net = unsettled(behind_dense(layer, shapes, "float32", seed), seed)
        batch = min(MOST_SAMPLES, -(-SHARED_NUMBERS // net.multiply_adds))
        X = np.random.default_rng(seed).normal(size=(batch * BATCHES, 3)).astype("float32")
        net.fit(X, np.zeros((len(X), net.outputs), "float32"), batch_size=batch, optimizer=SGD(1e-6), threads=threads,
                progress=False)
        states.append([view.tobytes() for view in (*net.parameters.values(), *net.state.values())])
    same = states[0] == states[1]
    return same, f"{'the same' if same else 'other'} bits after {BATCHES} steps with 1 and with all threads"


def check_files(layer, shapes, seed, **options):
    net, X = unsettled(direct(layer, shapes, "float32", seed), seed), samples_for(shapes, SAMPLES, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.safetensors"
        net.save(path)
        loaded = Network.load(path)
    if loaded.layers != net.layers:
        return False, f"{net.layers[0]!r} is loaded as {loaded.layers[0]!r}; its attributes must be numbers or text"
    same = np.array_equal(loaded.forward(given(net, X)), net.forward(given(net, X)), equal_nan=True)
    return same, f"saved and loaded, the outputs have {'the same' if same else 'other'} bits"


CHECKS = {"functions": check_functions, "rungs": check_rungs, "gradients": check_layer_gradients, "rows": check_rows,
          "threads": check_threads, "files": check_files}
OF_CUSTOM_LAYERS = "functions", "rungs"
