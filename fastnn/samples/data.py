"""The way of a caller's X, y and weights to checked `Data`, one for chains, graphs and sequences.

    check_data
        samples_of              X: the samples of the only input, or of several by name
            samples_of_input        `features` for samples of one shape, `sequences` for those of any length
        numbered_classes        y and class_weight with numbers in place of the names of classes
        targets_of              y and weights of an output: of samples, of steps, or label sequences
"""

from collections.abc import Mapping

import numpy as np

from .checked_data import Data
from .class_names import as_numbers, text_of_steps
from .features import features
from .named import by_name, named_error
from .positions import NOT_COUNTED, counted_weights
from .series.ragged import sequences
from .series.sequences import Sequences
from .series.steps import refuse_step_targets, step_targets, step_weights
from .series.transcripts import KIND as LABEL_SEQUENCES
from .series.transcripts import TranscribedData, label_targets
from .several import Inputs, SeveralData, SeveralTargets, entries, is_of_each, targets_by_name, weighted
from .weights import sample_weights


def check_data(network, X, y, weights=None, class_weight=None, *, class_names=None, learns_names=False):
    """Return the Data of a caller's arrays for this network, or raise an error with the required form.

    class_names: those of text labels; by default those that the network knows; of several outputs a dict.
    learns_names: whether y may tell them.
    """
    try:
        X = samples_of(network, X)
    except ValueError as error:
        if not network.has_several:
            refuse_exchanged(network, X, y, error)
        raise
    if network.several_outputs:
        return data_of_outputs(network, X, y, weights, class_weight, class_names or network.class_names, learns_names)
    head, dtype = network.objective.head, network.dtype
    if isinstance(y, Mapping):
        y, = by_name("y output", y, network.graph.outputs)
    if network.is_ragged and not network.gives_steps:
        refuse_step_targets(y, X.lengths)
    names = class_names or network.class_names
    if (names is not None or learns_names) and y is not None:
        number = numbered_steps if network.gives_steps else numbered_classes
        y, class_weight, names = number(head, y, class_weight, names)
    targets, weights = targets_of(network, 0, X, y, weights, class_weight)
    if network.has_several:
        return SeveralData(X, targets, [weights], dtype=dtype, class_names=names, counts=(head.count,))
    kind = TranscribedData if head.kind == LABEL_SEQUENCES else Data
    return kind(X, targets, weights, dtype=dtype, positions=head.count, class_names=names)


def samples_of(network, X, *, least=1, finite=True):
    """Return X as checked samples of the network: an array, Sequences, or the Inputs of several.

    least: the least number of samples. finite: as for `features`, for a network of one input and one output.
    """
    names = network.graph.inputs
    if not network.has_several:
        given, = by_name("X input", X, names) if isinstance(X, Mapping) else (X,)
        found = samples_of_input(network, 0, given, least, finite)
        if network.is_ragged:
            network.graph.check_lengths(found.lengths)
        return found
    if isinstance(X, Inputs):
        return X
    arrays = []
    for number, (name, given) in enumerate(zip(names, entries(X, names, network.shapes), strict=True)):
        if network.shapes[number] == (1,) and getattr(given, "ndim", 0) == 1:  # a column
            given = given[:, None]
        try:
            arrays.append(samples_of_input(network, number, given, least))
        except ValueError as error:
            raise named_error(f"X[{name!r}]", error) from None
        if len(arrays[-1]) != len(arrays[0]):
            raise ValueError(f"X[{name!r}] has {len(arrays[-1])} samples and X[{names[0]!r}] has {len(arrays[0])}; "
                             "all inputs must have the same number")
    found = Inputs(arrays)
    network.graph.check_lengths(found.lengths)
    return found


def samples_of_input(network, number, X, least, finite=True):
    """Return X as checked samples of one input: an array, or Sequences."""
    shape, graph = network.shapes[number], network.graph
    if shape[0] is not None:
        return features(X, shape, network.dtype, least=least, finite=finite)
    return sequences(X, shape, network.dtype, least=least, least_steps=graph.least_steps(number),
                     tokens=graph.tokens(number))


def refuse_exchanged(network, X, y, error):
    """Raise the error about X with the repair, if y has the shape that X should have."""
    shape = network.shapes[0]
    if isinstance(y, np.ndarray) and y.shape[1:] == shape and np.shape(X)[:1] == y.shape[:1] and len(shape) > 0:
        raise ValueError(f"{error}; X and y seem to be exchanged: the samples come first, then the targets") from None


def numbered_classes(head, y, class_weight, names):
    """Return (y, class_weight, names) with the numbers of classes where their names were given; names: see `as_numbers`."""
    y, names = as_numbers(head, y, names)
    if isinstance(class_weight, Mapping) and names is not None:
        class_weight = {names.index(label) if label in names else label: weight for label, weight in class_weight.items()}
    return y, class_weight, names


def numbered_steps(head, y, class_weight, names):
    """As `numbered_classes`, where y has labels at each step of sequences; a step whose label is None does not count."""
    found = None if head.kind == LABEL_SEQUENCES or not head.takes_labels else text_of_steps(y)
    if found is None:
        return (y, *numbered_classes(head, np.zeros(0), class_weight, names)[1:])
    labels, lengths, counted = found
    numbers = np.full(len(labels), NOT_COUNTED)
    numbers[counted], class_weight, names = numbered_classes(head, labels[counted], class_weight, names)
    return Sequences.of_lengths(numbers, lengths), class_weight, names


def targets_of(network, number, X, y, weights, class_weight=None):
    """Return (Targets, weights) of an output, by its number, for checked samples X."""
    head, samples, dtype = network.objectives[number].head, len(X), network.dtype
    if head.kind == LABEL_SEQUENCES:
        targets = label_targets(head, y, network.steps_of_outputs(X.lengths))
        weights = sample_weights(weights, samples, dtype)
    elif network.gives_steps or (network.several_outputs and network.step_outputs[number]):
        targets = step_targets(head, y, network.steps_of_outputs(X.lengths, number), dtype)
        weights = step_weights(weights, targets, dtype, network.mean)
    else:
        targets = head.check_targets(y, samples, dtype)
        weights = counted_weights(sample_weights(weights, samples, dtype, positions=head.positions), targets.counted, dtype)
    if class_weight is not None:
        weights = head.apply_class_weight(class_weight, targets, weights, dtype)
    return targets, weights


def numbered_outputs(network, ys, class_weight, known, learns_names):
    """As `numbered_classes`, for the targets of each output. known: the names of classes by output."""
    outputs, names = network.graph.outputs, dict(known)
    factors = [None] * len(outputs) if class_weight is None else by_name("class_weight output", class_weight, outputs, None)
    for place, (output, head, has_steps) in enumerate(zip(outputs, network.heads, network.step_outputs, strict=True)):
        if ys[place] is None or not (learns_names or output in names):
            continue
        number = numbered_steps if has_steps else numbered_classes
        try:
            ys[place], factors[place], found = number(head, ys[place], factors[place], names.get(output))
        except ValueError as error:
            raise named_error(f"y[{output!r}]", error) from None
        if found is not None:
            names[output] = found
    return ys, None if class_weight is None else dict(zip(outputs, factors, strict=True)), names or None


def data_of_outputs(network, X, y, weights, class_weight, class_names, learns_names):
    """Return the Data of several outputs, whose targets and weights are given by name."""
    names, heads = network.graph.outputs, network.heads
    ys, of_each = targets_by_name(y, names, heads), [weights] * len(names)
    if class_names or learns_names:
        ys, class_weight, class_names = numbered_outputs(network, ys, class_weight, class_names or {}, learns_names)
    if is_of_each(weights, names):
        of_each = by_name("sample_weight output", weights, names, None)
    targets, checked, common = [], [], {}  # common: {id of weights given for several outputs: what they become}
    for number, (name, own_y, own) in enumerate(zip(names, ys, of_each, strict=True)):
        try:
            of_it, found = targets_of(network, number, X, own_y, own)
        except ValueError as error:
            raise named_error(f"y[{name!r}]", error) from None
        targets.append(of_it)
        are_as_given = of_it.counted is None and of_it.offsets is None
        checked.append(common.setdefault(id(own), found) if are_as_given else found)
    data = SeveralData(X, SeveralTargets((*targets,)), checked, dtype=network.dtype,
                       class_names=class_names, counts=tuple(head.count for head in heads))
    return weighted(network, data, class_weight)
