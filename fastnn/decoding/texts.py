"""Texts for texts: the vocabularies of a network, and `Network.translate`."""

from collections.abc import Mapping

from ..checks import shown
from ..program.decoding import fed_input
from ..text import BytePairs, Vocabulary
from .search import beam_search, check_network, greedy_search


def check_vocabularies(network, given):
    """Return vocabularies by the names of inputs as a dict, or raise an error if they do not fit the network."""
    if not isinstance(given, Mapping):
        raise ValueError(f"vocabularies is {shown(given)}; it must be a dict of Vocabulary by the names of inputs")
    graph, fed = network.graph, fed_input(network) if network.gives_steps else None
    for name, vocabulary in given.items():
        if name not in graph.inputs:
            raise ValueError(f"vocabularies has {shown(name)}, which is no input; this network has "
                             f"{', '.join(map(repr, graph.inputs))}")
        if not isinstance(vocabulary, (Vocabulary, BytePairs)):
            raise ValueError(f"vocabularies[{name!r}] is {shown(vocabulary)}; it must be a fastnn.text.Vocabulary, or "
                             "BytePairs")
        number = graph.inputs.index(name)
        if (tokens := graph.tokens(number)) is None:
            raise ValueError(f"the input {name!r} has the shape {network.shapes[number]}; only inputs of tokens, (None,), "
                             "have a vocabulary")
        written = number == fed and len(graph.inputs) > 1
        if tokens < len(vocabulary) + written:
            raise ValueError(f"vocabularies[{name!r}] has {len(vocabulary)} tokens, and the input {name!r} takes {tokens}; "
                             + ("it needs one more for begin and end: " * written)
                             + f"Embedding({len(vocabulary) + written}, …)")
        if written and network.heads[0].kind == "one class" and len(vocabulary) + 1 != network.outputs:
            raise ValueError(f"vocabularies[{name!r}] has {len(vocabulary)} tokens, and the output {network.outputs}; it "
                             f"needs those and one for the end: Dense({len(vocabulary) + 1}, 'softmax')")
    return dict(given)


def translate(network, texts, *, width, most, length_power):
    """Return texts for texts, see `Network.translate`."""
    check_network(network)
    names, fed = network.graph.inputs, network.graph.inputs[fed_input(network)]
    if len(names) != 2:
        raise ValueError(f"this network has the inputs {', '.join(map(repr, names))}; translate takes one of texts beside "
                         f"{fed!r}: for others use fastnn.decoding.beam_search")
    source = next(name for name in names if name != fed)
    held = network.vocabularies
    if missing := [name for name in names if name not in held]:
        raise ValueError(f"this network has no vocabulary of {' and '.join(map(repr, missing))}, so texts are no tokens; "
                         "set net.vocabularies = {" + ", ".join(f"{name!r}: Vocabulary" for name in names) + "}, those "
                         "of the training")
    one = isinstance(texts, str)
    tokens = held[source].encode([texts] if one else texts)
    options = {"boundary": len(held[fed]), "most": most}
    if width == 1:
        found = greedy_search(network, tokens, **options)
    else:
        found = [results[0][0] for results in beam_search(network, tokens, width, length_power=length_power, **options)]
    written = [held[fed].decode(each) for each in found]
    return written[0] if one else written
