"""Several inputs of an estimator, read from the columns of a data frame.

`inputs` says which columns an input has: {"image": "picture", "table": ["age", "size"]}. A list of columns is a table of
numbers. A single name is a column whose cells are the samples: arrays of one shape, sequences of any length, or numbers.
"""

import numpy as np
from sklearn.utils.validation import check_X_y, validate_data

from ..layers import Chain, Concatenate, Dense, Embedding, Flatten, Input, is_ragged
from ..samples.features import features
from ..samples.named import named_error
from ..samples.series.ragged import refuse_short, sequences
from ..samples.several import Inputs
from .data import plain
from .network import EstimatorNetwork


def is_table(X):
    return hasattr(X, "columns") and not isinstance(X, np.ndarray)


def columns_of(given):
    """Return the columns of an input, a list."""
    return [given] if isinstance(given, str) else [*given]


def validated(estimator, X, y=None, *, reset=False, y_numeric=False):
    """Return X as checked Inputs, or (Inputs, y) with checked targets.

    reset, y_numeric: as in scikit-learn's `validate_data`; reset also determines the shapes of samples and the dtype, which
    is that of the estimator, or float32 if all numbers are, else float64.
    """
    if not is_table(X):
        raise ValueError(f"X is {type(X).__name__}; this estimator has inputs={estimator.inputs}, so X must be a data frame "
                         "with these columns")
    validate_data(estimator, X, skip_check_array=True, reset=reset)
    missing = [column for given in estimator.inputs.values() for column in columns_of(given) if column not in X.columns]
    if missing:
        raise ValueError(f"X has no column {missing[0]!r}, which inputs={estimator.inputs} names; it has the columns "
                         f"{', '.join(map(repr, X.columns))}")
    raw = {name: cells_of(name, X, given) for name, given in estimator.inputs.items()}
    if reset:
        estimator.input_shapes_ = {name: shape_of(estimator, name, array) for name, array in raw.items()}
        estimator.input_dtype_ = np.dtype(dtype_of(raw.values()) if estimator.dtype is None else estimator.dtype)
    dtype = estimator.input_dtype_.name
    checked = Inputs([of_shape(estimator, name, array, estimator.input_shapes_[name], dtype) for name, array in raw.items()])
    checked.dtype = estimator.input_dtype_
    if y is None:
        return checked
    like_X = np.broadcast_to(np.zeros((), np.float32), (len(checked), 1))
    return checked, check_X_y(like_X, y, multi_output=True, y_numeric=y_numeric)[1]


def dtype_of(arrays):
    """Return float32 if all numbers are of that dtype, else float64; bytes and tokens do not count."""
    numbers = [array.dtype for array in arrays if isinstance(array, np.ndarray) and array.dtype != np.uint8]
    return "float32" if numbers and all(each == np.float32 for each in numbers) else "float64"


def cells_of(name, X, given):
    """Return what the columns of an input hold: an array (samples, …), or a list of arrays of several lengths."""
    if not isinstance(given, str):
        return np.column_stack([numbers_of(column, X[column]) for column in given])
    cells = [*X[given]]
    if cells and isinstance(cells[0], (str, bytes)):
        raise ValueError(f"column {given!r} of input {name!r} holds texts; give their tokens: "
                         "fastnn.text.Vocabulary.fit(texts) numbers words or characters, and .encode(texts) returns a "
                         "sequence for each")
    if not cells or np.ndim(cells[0]) == 0:
        return numbers_of(given, X[given])[:, None]
    arrays = [np.asarray(cell) for cell in cells]
    return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else arrays


def numbers_of(column, values):
    values = np.asarray(plain(f"column {column!r}", values))
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"column {column!r} holds {values[0]!r}, which is no number; encode it first, as with "
                             "OneHotEncoder in a ColumnTransformer") from None
    return values


def layers_of(estimator, name):
    """Return the layers that an input goes through by itself."""
    return [*(estimator.layers or {}).get(name, ())]


def shape_of(estimator, name, array):
    """Return the shape of a sample of an input: the one given, else that of its cells."""
    given = (estimator.input_shape or {}).get(name)
    if given is not None:
        return tuple(given)
    first = next(iter(layers_of(estimator, name)), None)
    if isinstance(first, Embedding):
        return (None,)
    return array.shape[1:] if isinstance(array, np.ndarray) else (None, *(array[0].shape[1:] or (1,)))


def of_shape(estimator, name, array, shape, dtype):
    """Return the samples of an input as a network takes them."""
    try:
        if is_ragged(shape):
            first = next(iter(layers_of(estimator, name)), None)
            tokens = first.tokens if isinstance(first, Embedding) else None
            if len(shape) == 1 and tokens is None:
                raise ValueError(f"X has tokens, of shape {shape}; begin layers[{name!r}] with an Embedding, or give "
                                 "(None, 1) for sequences of single numbers")
            return sequences([*array], shape, dtype, tokens=tokens)
        if isinstance(array, np.ndarray) and shape[-1:] == (1,) and array.shape[1:] == shape[:-1]:
            array = array.reshape(len(array), *shape)
        return features(array, shape, dtype)
    except ValueError as error:
        raise named_error(f"X[{name!r}]", error) from None


def build(estimator, hidden, outputs, *, loss, dtype, generator):
    """Return (network, index of the step of the first of the `hidden` layers).

    Each input goes through its own layers; their results, flat and side by side, go through `hidden`. outputs: None if
    those are among them, or a list of the number of outputs of each of several targets.
    """
    inputs = {name: Input(shape, name=name) for name, shape in estimator.input_shapes_.items()}
    nodes = [flat(name, node_of(layers_of(estimator, name), node)) for name, node in inputs.items()]
    joined = Concatenate()(nodes) if len(nodes) > 1 else nodes[0]
    return network_of(inputs, node_of(hidden, joined), outputs, len(hidden), loss, dtype, generator)


def build_targets(shape, hidden, outputs, *, loss, dtype, generator):
    """Return the same for samples of one input, of this shape, and several targets."""
    x = Input(shape, name="X")
    h = node_of(hidden, x)
    if is_ragged(h.shape):
        raise ValueError(f"the last of `layers`, {hidden[-1]!r}, gives outputs at each step, and an estimator learns "
                         "targets of each sample: end `layers` with a recurrent layer that gives its last state, with "
                         "LastStep() or with GlobalAveragePool()")
    return network_of({"X": x}, h, outputs, len(hidden), loss, dtype, generator)


def network_of(inputs, last, outputs, hidden, loss, dtype, generator):
    """Return (network, index of the step of the first hidden layer) with the ends of the node `last`."""
    ends = {"y": last}
    if isinstance(outputs, list):
        ends = {f"target_{k}": Dense(count, "softmax")(last) for k, count in enumerate(outputs)}
        loss = dict.fromkeys(ends, loss)
    seed = int(generator.randint(2**31))
    network = EstimatorNetwork(inputs=inputs, outputs=ends, loss=loss, dtype=dtype, seed=seed)
    return network, len(network.wiring.steps) - hidden - (len(ends) if isinstance(outputs, list) else 0)


def node_of(layers, node):
    return Chain(*layers)(node) if layers else node


def flat(name, node):
    """Return the features of a branch; refuse sequences, which cannot stand beside those of others."""
    if is_ragged(node.shape):
        raise ValueError(f"layers[{name!r}] gives sequences, of shape {node.shape}; end it with a recurrent layer that "
                         "gives its last state, with LastStep() or with GlobalAveragePool()")
    return node if len(node.shape) == 1 else Flatten()(node)


def check_steps(network, X):
    """Refuse sequences that are too short for the layers of a new network."""
    for number, (name, array) in enumerate(zip(network.graph.inputs, X.arrays, strict=True)):
        least = network.graph.least_steps(number) if is_ragged(network.shapes[number]) else 0
        short = np.flatnonzero(array.lengths < least) if least else ()
        if len(short):
            try:
                refuse_short(int(short[0]), int(array.lengths[short[0]]), least)
            except ValueError as error:
                raise named_error(f"X[{name!r}]", error) from None


def description(estimator, hidden):
    """Return the layers of all inputs, by name, and the hidden ones: what a fit that continues must find the same."""
    return [*((name, tuple(layers_of(estimator, name))) for name in estimator.inputs), *hidden]
