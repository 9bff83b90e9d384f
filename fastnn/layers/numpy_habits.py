"""NumPy's functions and methods of nodes: those that operators stand for compute it, others name what to write instead."""

from ..kernels.activations import activations
from .operators import OWN_LAYER
from .registry import layers

# Ufuncs with an operator: the method of a node where it is the first argument, and where it is the second.
OPERATORS = {"add": ("__add__", "__radd__"), "subtract": ("__sub__", "__rsub__"), "multiply": ("__mul__", "__rmul__"),
             "divide": ("__truediv__", "__rtruediv__"), "power": ("__pow__", "__rpow__"),
             "matmul": ("__matmul__", "__rmatmul__"), "negative": ("__neg__",)}
POSITIONS = "Global{0}Pool()(x) over the positions of an image or the steps of a sequence"
INSTEAD = {
    "maximum": "Maximum()(x, y) for two nodes, Activation('relu')(x) for the larger of x and 0",
    "minimum": "-Maximum()(-x, -y) for two nodes",
    "square": "x ** 2",
    **dict.fromkeys(("concatenate", "hstack", "vstack", "stack", "append"), "Concatenate()(x, y)"),
    **dict.fromkeys(("dot", "inner", "vdot", "vecdot"), "Dot()(x, y) for two nodes, Dense(features)(x) for a matrix of "
                                                        "parameters"),
    **dict.fromkeys(("reshape", "expand_dims", "squeeze", "view", "unsqueeze"), "Reshape(shape)(x)"),
    **dict.fromkeys(("ravel", "flatten"), "Flatten()(x)"),
    **dict.fromkeys(("mean", "average"), f"Average()(x, y) for nodes, {POSITIONS.format('Average')}"),
    **dict.fromkeys(("max", "amax"), f"Maximum()(x, y) for nodes, {POSITIONS.format('Max')}"),
    "sum": f"Add()(x, y) for nodes; for the features of one, {OWN_LAYER}",
    "tile": "Concatenate()(x, x)", "repeat": "Concatenate()(x, x)",
    "split": "x[:2] and x[2:], a part of the features each",
}


def of_ufunc(node, ufunc, method, given, options):
    """Return what a ufunc of NumPy gives for arguments of which one is this node."""
    name = ufunc.__name__
    if method == "__call__" and not options and name in OPERATORS:
        place = next(place for place, each in enumerate(given) if isinstance(each, type(node)))
        return getattr(given[place], OPERATORS[name][place])(*given[:place], *given[place + 1:])
    raise ValueError(refusal(f"np.{name}{'' if method == '__call__' else f'.{method}'}", name, ufunc.nin == 1))


def refusal(called, name, of_one=False):
    """Return the message about a function that nodes do not have. of_one: whether it takes single numbers."""
    return f"{called} does not take nodes, which have no numbers yet; {instead_of(name, of_one) or OWN_LAYER}"


def instead_of(name, of_one=False):
    """Return what to write instead of a function, None if nothing is known."""
    if name in INSTEAD:
        return f"write {INSTEAD[name]}"
    if name in activations:
        return f"write Activation({name!r})(x)"
    if not of_one:
        return None
    return (f"register it with its derivative, fastnn.register_activation({name!r}, value, derivative), and write "
            f"Activation({name!r})(x), or {OWN_LAYER}")


def missing_attribute(name):
    """Return the message about an attribute that nodes do not have."""
    if name in layers:
        return f"a node has no attribute {name!r}; call the layer on it: {name}(…)(x)"
    instead = instead_of(name)
    return f"a node has no attribute {name!r}{'' if instead is None else f'; {instead}'}"
