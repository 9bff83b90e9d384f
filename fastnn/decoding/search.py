"""Likely sequences of a network that is given the tokens written so far, and the likelihood of given ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import number_in_range, shown, whole_number
from ..fitting.divergence import DivergenceError, advice
from ..network.network import Network
from ..program.decoding import DecodingProgram, fed_input, looking_ahead, plan_of
from ..runtime.idle import put_back, take
from ..runtime.quiet import quiet
from ..samples.data import check_data, samples_of
from ..samples.series.ragged import read
from ..samples.series.sequences import Sequences

MOST_TOKENS, MOST_WIDTH = 1 << 20, 1 << 12


def teacher_forcing(targets: Sequences | Sequence, boundary: int) -> tuple[Sequences, Sequences]:
    """Return (inputs, labels) of sequences of tokens that a network learns to write.

    At each step the network is given the token before, the true one, and answers with the probabilities of the next. So
    the inputs have the boundary before the first token, and the labels the boundary behind the last.

    Parameters
    ----------
    targets : Sequences, or list of sequences of tokens
    boundary : int
        The token that stands for begin and end, such as `len(vocabulary)`; it must not occur in `targets`.

    Examples
    --------
    >>> from fastnn.decoding import teacher_forcing
    >>> given, wanted = teacher_forcing([[1, 2], [3]], boundary=4)
    >>> given[0], wanted[0]
    (array([4, 1, 2]), array([1, 2, 4]))
    """
    boundary, found = whole_number("boundary", boundary, least=0, most=2**31 - 1), read(targets, (), name="targets")
    steps = np.asarray(found.steps)
    if steps.size and steps.dtype.kind not in "iu":
        raise ValueError(f"targets is {shown(targets)}; it must hold sequences of whole numbers, tokens")
    if (steps == boundary).any():
        number = int(np.searchsorted(found.offsets, np.flatnonzero(steps == boundary)[0], side="right")) - 1
        raise ValueError(f"targets[{number}] has the token {boundary}, which is the boundary; take one that does not occur, "
                         "such as len(vocabulary)")
    ends = found.offsets[1:] - found.offsets[0]
    begins = found.offsets[:-1] - found.offsets[0]
    steps = steps.astype(np.int64)
    return (Sequences.of_lengths(np.insert(steps, begins, boundary), found.lengths + 1),
            Sequences.of_lengths(np.insert(steps, ends, boundary), found.lengths + 1))


def greedy_search(network: Network, X: Mapping | Sequence, *, boundary: int | None = None, most: int = 100) -> Sequences:
    """Write a sequence for each sample: the likeliest token at each step, until that is the boundary.

    The tokens are those of `argmax` over `network.forward`, given all tokens before.

    Parameters
    ----------
    network : Network
        With an output of probabilities (softmax) at each step of an input of tokens, which is given those written so far,
        and one or more further inputs.
    X : dict by name, or the samples of the only further input
    boundary : int, optional
        The token that stands for begin and end; by default the last class.
    most : int, default 100
        The largest number of tokens of a sequence; longer ones are cut there.

    Returns
    -------
    Sequences
        Of int64, without the boundary.

    Examples
    --------
    >>> from fastnn import GRU, Dense, Embedding, Input, Network
    >>> from fastnn.decoding import greedy_search
    >>> source, target = Input((None,), name="source"), Input((None,), name="target")
    >>> state = GRU(8)(Embedding(5, 4)(source))
    >>> steps = GRU(8, return_sequences=True)(Embedding(4, 4)(target), initial_state=state)
    >>> net = Network(inputs=[source, target], outputs=Dense(4, "softmax")(steps))
    >>> found = greedy_search(net, [[1, 2, 3], [4]], most=6)
    >>> len(found), bool(found.lengths.max() <= 6)
    (2, True)
    """
    found = [results[0][0] for results in search(network, X, 1, boundary, most, 0.0)]
    return Sequences.of_lengths(np.concatenate([np.empty(0, np.int64), *found]), [len(tokens) for tokens in found])


def beam_search(network: Network, X: Mapping | Sequence, width: int = 5, *, boundary: int | None = None, most: int = 100,
                length_power: float = 0.0) -> list[list[tuple[NDArray, float]]]:
    """Search for likely sequences: after each step the `width` likeliest continuations of a sample stay.

    Those that end with the boundary are results. With a `width` that holds all sequences the search is exhaustive.

    Parameters
    ----------
    network, X, boundary, most
        As for `greedy_search`.
    width : int, default 5
        How many hypotheses stay after each step; 1 is `greedy_search`.
    length_power : float, default 0
        Results are compared by their log-likelihood divided by length ** length_power, the end counted. 0 compares
        likelihoods, which favors short sequences; 1 compares means over tokens.

    Returns
    -------
    list of list of tuple (tokens, log_likelihood)
        For each sample at most `width` results, the best first. The likelihood, which is not divided by the length,
        includes that of the end, unless a sequence was cut at `most` tokens.
    """
    return search(network, X, whole_number("width", width, most=MOST_WIDTH), boundary, most, length_power)


def search(network, X, width, boundary, most, length_power):
    check_network(network)
    classes = network.outputs
    boundary = whole_number("boundary", classes - 1 if boundary is None else boundary, least=0, most=classes - 1)
    most = whole_number("most", most, most=MOST_TOKENS)
    power = number_in_range("length_power", length_power, 0)
    fed = network.graph.inputs[fed_input(network)]
    X = samples_of(network, with_fed(network, X, fed, boundary), least=0)
    if len(X) == 0:
        return []
    plan = plan_of(network, X, width, most, boundary, power)
    idle = network.idle_programs.setdefault(("decoding", plan), [])
    program = take(idle, DecodingProgram, network, *plan)
    try:
        found = program.find_best(X)
    finally:
        put_back(idle, program)
    for number, results in enumerate(found):
        if not results:
            raise DivergenceError(f"the outputs for sample {number} are NaN, so there is no token; {advice(network)}")
    return found


def check_network(network):
    """Refuse a network that does not write sequences."""
    if not isinstance(network, Network):
        raise ValueError(f"network is {shown(network)}; it must be a Network")
    form = ("decoding takes a network with an output of probabilities (softmax) at each step of an input of tokens, which "
            "is given those written so far, and another input")
    if len(network.graph.inputs) < 2 or not network.gives_steps:
        raise ValueError(f"this network has the inputs {', '.join(map(repr, network.graph.inputs))} and "
                         f"{'outputs at each step' if network.gives_steps else 'no output at each step'}; {form}")
    fed = fed_input(network)
    if network.heads[0].kind != "one class" or network.shapes[fed] != (None,):
        raise ValueError(f"this network's output is {network.heads[0].in_words} at each step of the input "
                         f"{network.graph.inputs[fed]!r}, of shape {network.shapes[fed]}; {form}")
    if (layer := looking_ahead(network)) is not None:
        raise ValueError(f"{layer!r} looks ahead at the steps of {network.graph.inputs[fed]!r}, which are not there yet "
                         "when a token is written; behind that input take layers that look back only, such as GRU(…, "
                         "return_sequences=True) without reverse")
    if network.graph.tokens(fed) < network.outputs:
        raise ValueError(f"this network has {network.outputs} outputs, and its input {network.graph.inputs[fed]!r}, which "
                         f"is given them, {network.graph.tokens(fed)} tokens; give the Embedding as many")


def with_fed(network, X, fed, boundary):
    """Return X by name, with sequences of the boundary alone for the input that is given the tokens written so far."""
    further = [name for name in network.graph.inputs if name != fed]
    if not isinstance(X, Mapping):
        if len(further) > 1:
            raise ValueError(f"X is {shown(X)}; this network has further inputs {', '.join(map(repr, further))}: give a "
                             "dict by these names")
        X = {further[0]: X}
    if fed in X:
        raise ValueError(f"X has something for {fed!r}, which is given the tokens written so far; leave it out")
    samples = next((len(X[name]) for name in further if name in X), 0)
    return {**X, fed: Sequences.of_lengths(np.full(samples, boundary), [1] * samples)}


def log_likelihoods(network: Network, X: Mapping, y: Sequences | Sequence | ArrayLike) -> NDArray:
    """Return the logarithms of the probabilities of given sequences, float64 (samples,).

    Parameters
    ----------
    network : Network
        With an output of probabilities at each step.
    X, y
        As for `Network.evaluate`: of `teacher_forcing`, the inputs and the labels. Steps whose label is -1 do not count.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network
    >>> from fastnn.decoding import log_likelihoods
    >>> net = Network([Dense(2, "softmax")], inputs=(None, 1))
    >>> net.parameters["0.weight"][:] = 0
    >>> log_likelihoods(net, [np.ones((3, 1)), np.ones((1, 1))], [[0, 1, 1], [0]]).round(3)
    array([-2.079, -0.693])
    """
    if not isinstance(network, Network):
        raise ValueError(f"network is {shown(network)}; it must be a Network")
    if not network.gives_steps or network.heads[0].kind != "one class":
        raise ValueError("log_likelihoods takes a network with an output of probabilities (softmax) at each step")
    data = check_data(network, X, y)
    if data.targets.labels is None:
        raise ValueError("y holds probabilities; give sequences of labels")
    p = network.forward(data.X).steps.astype(np.float64)
    each = quiet(np.log, p[np.arange(len(p)), data.targets.labels], divide="ignore")
    if data.targets.counted is not None:
        each = np.where(data.targets.counted, each, 0.0)
    offsets = data.targets.offsets
    return np.array([each[begin:end].sum() for begin, end in pairwise(offsets)])

