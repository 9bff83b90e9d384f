"""Registration of a user's activation or loss: plain Python functions of numbers, compiled into the training loop."""

import inspect
import math
import re
from collections.abc import Callable, Sequence

from ..checks import number_in_range, one_of, several, shown, true_or_false
from ..checks.caller_warning import warn_caller
from ..kernels.activations import Activation, activations
from ..kernels.losses import Loss, losses
from ..kernels.losses.ctc import ctc
from ..layers import Block, Layer
from ..layers.initializers import initializers


def checked_function(where, function, arguments):
    """Return a function, or raise an error unless it takes these arguments, one number each."""
    is_layer = isinstance(function, (Layer, Block))  # which can be called too, on nodes
    if not callable(function) or is_layer or not takes(function, arguments):
        raise ValueError(f"{where} is {shown(function)}; it must be a function of {' and '.join(arguments)}")
    return function


def takes(function, arguments):
    """Return whether a function accepts that many arguments. For some functions written in C this is unknown: then True."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def checked_kinks(kinks):
    """Return the points where a derivative jumps, as a tuple of floats."""
    return tuple(number_in_range(f"kinks[{index}]", kink, -math.inf) for index, kink in enumerate(several("kinks", kinks)))


def checked_name(kind, name):
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"the name of the {kind} is {shown(name)}; it must be a word of letters, digits and underscores")
    return name


POINTS, STEP, MOST = (-1.7, -0.6, 0.3, 0.8, 1.9), 1e-6, 1e-3


def warn_of_derivative(name, value, prime, points):
    """Warn if prime is not the derivative of value at most of some points where both can be computed.

    points: (x, other arguments); value is differentiated by x.
    """
    wrong, tried = [], 0
    for x, others in points:
        try:
            slope = (value(x + STEP, *others) - value(x - STEP, *others)) / (2 * STEP)
            given = float(prime(x, *others))
        except Exception:  # of a user's function, where it has no value
            continue
        tried += 1
        if abs(slope - given) > MOST * max(abs(slope), abs(given), 1.0):
            wrong.append((x, given, slope))
    if 2 * len(wrong) > tried:
        x, given, slope = wrong[0]
        warn_caller(f"prime of {name!r} is {given:.4g} at {x}, and the derivative of value there is {slope:.4g}: training "
                    "follows prime, so it would go elsewhere; fastnn.check_gradients compares them in a network")


def register_activation(name: str, value: Callable, prime: Callable, *, formula: str = "", prime_formula: str = "",
                        initializer: str = "glorot_uniform", smooth: bool = True, kinks: Sequence[float] = (),
                        vectorized: Callable | None = None, vectorized_prime: Callable | None = None,
                        onnx: str | Callable | None = None) -> Activation:
    """Register an activation of your own, for use by name in any layer.

    Parameters
    ----------
    name : str
    value : callable
        value(z) -> a for one number, in plain Python with `math`. Write numbers as floats (1.0, not 1): float literals take
        the network's dtype, integers are computed in float64.
    prime : callable
        prime(z, a) -> the derivative da/dz, given both z and a = value(z).
    formula, prime_formula : str, optional
        For documentation and reports.
    initializer : str, optional
        The default initializer of layers with this activation.
    smooth : bool, optional
        Whether the derivative is continuous; if not, `kinks` lists the z at which it jumps.
    vectorized, vectorized_prime : callable, optional
        The same functions for NumPy arrays; by default the scalar functions are applied to each element.
    onnx : str or callable, optional
        The ONNX form for `Network.to_onnx`: the name of an ONNX operator, such as "Sin", or a function onnx(graph, z) that
        combines several operators, such as `lambda graph, z: graph("Mul", z, graph("Sigmoid", z))`.

    Returns
    -------
    Activation
        The record. Check its derivative with `fastnn.check_gradients` on a network that uses it.

    Examples
    --------
    >>> import math
    >>> import fastnn
    >>> _ = fastnn.register_activation("sine", lambda z: math.sin(z), lambda z, a: math.cos(z), onnx="Sin")
    >>> net = fastnn.Network([fastnn.Dense(4, "sine"), fastnn.Dense(1)], inputs=2)
    """
    if not (onnx is None or isinstance(onnx, str) or callable(onnx)):
        raise ValueError(f"onnx is {shown(onnx)}; it must be the name of an ONNX operator, or a function of graph and z")
    record = activations.register(Activation(
        checked_name("activation", name), formula, prime_formula, checked_function("value", value, ["z"]),
        checked_function("prime", prime, ["z", "a"]), vectorized, vectorized_prime,
        initializer=initializers.resolve(initializer).name, smooth=true_or_false("smooth", smooth),
        kinks=checked_kinks(kinks), onnx=onnx, builtin=False,
    ))
    warn_of_derivative(name, value, lambda z: prime(z, value(z)), [(z, ()) for z in POINTS])
    return record


def register_loss(name: str, value: Callable, prime: Callable, *, formula: str = "", prime_formula: str = "",
                  smooth: bool = True, kinks: Sequence[float] = (), targets: str = "values",
                  vectorized: Callable | None = None, vectorized_prime: Callable | None = None) -> Loss:
    """Register a loss of your own, for use by name in any network.

    Parameters
    ----------
    name : str
    value : callable
        value(a, y) -> the loss of one output a with target y, in plain Python with `math` and float literals. The loss of a
        batch sums over the outputs and averages over the samples.
    prime : callable
        prime(a, y) -> its derivative with respect to a.
    smooth : bool, optional
        Whether the derivative is continuous; if not, `kinks` lists the values of a − y at which it jumps.
    targets : {"values", "classes", "binary"}, optional
        What y may be: any values, class labels or probabilities, or numbers from 0 to 1.
    formula, prime_formula : str, optional
        For documentation and reports.
    vectorized, vectorized_prime : callable, optional
        The same functions for NumPy arrays; by default the scalar functions are applied to each element.

    Returns
    -------
    Loss
        The record. Check its derivative with `fastnn.check_gradients` on a network that uses it.

    Examples
    --------
    >>> import math
    >>> import fastnn
    >>> _ = fastnn.register_loss("log_cosh", lambda a, y: math.log(math.cosh(a - y)), lambda a, y: math.tanh(a - y))
    >>> net = fastnn.Network([fastnn.Dense(4, "tanh"), fastnn.Dense(1)], inputs=2, loss="log_cosh")
    """
    name = checked_name("loss", name)
    if name == ctc.name:
        raise ValueError(f"there is already a loss named {name!r}; give yours another name")
    record = losses.register(Loss(
        name, formula, prime_formula, checked_function("value", value, ["a", "y"]),
        checked_function("prime", prime, ["a", "y"]), vectorized, vectorized_prime,
        smooth=true_or_false("smooth", smooth), kinks=checked_kinks(kinks),
        targets=one_of("targets", targets, ("values", "classes", "binary")), builtin=False,
    ))
    warn_of_derivative(name, value, prime, [(0.3, (1.0,)), (0.6, (0.0,)), (0.8, (1.0,)), (0.2, (0.0,))])
    return record
