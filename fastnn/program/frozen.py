"""Parameters and state that a fit leaves as they are, chosen by patterns of names."""

from fnmatch import fnmatchcase

from ..checks import list_of, shown


def frozen_names(network, patterns):
    """Return the names of the parameters and state that match patterns such as "encoder.*", in memory order.

    They are names with the number of the layer, as programs use them. A pattern that matches nothing is refused.
    patterns: a list of str, or one.
    """
    patterns = [patterns] if isinstance(patterns, str) else patterns
    graph, names = network.graph, [*network.vectors.parameters.numbered, *network.vectors.state.numbered]
    public = {name: graph.named(name) for name in names}
    for index, pattern in enumerate(list_of("frozen", patterns, str)):
        if not any(fnmatchcase(name, pattern) for name in public.values()):
            raise ValueError(f"frozen[{index}] is {shown(pattern)}, which matches no parameter; the names are "
                             f"{', '.join(public.values())}: give patterns such as 'encoder.*'")
    chosen = tuple(name for name in names if any(fnmatchcase(public[name], pattern) for pattern in patterns))
    if network.parameters and set(network.vectors.parameters.numbered) <= set(chosen):
        raise ValueError(f"frozen is {shown(list(patterns))}, which matches all parameters, so nothing would be learned; "
                         "leave some out")
    check_state(network, chosen)
    return chosen


def check_state(network, chosen):
    """Refuse to freeze a part of the state of a layer that trains: its statistics are of the same batches."""
    state = [*network.vectors.state.numbered]
    resting = {layer_number(name) for name in state if name in chosen}
    left = [name for name in state if name not in chosen and layer_number(name) in resting
            and not network.layers[layer_number(name)].learns_from_data]
    if left:
        named = [network.graph.named(name) for name in state if layer_number(name) == layer_number(left[0])]
        raise ValueError(f"frozen leaves out {network.graph.named(left[0])!r}, which is computed with the rest of the state "
                         f"of its layer: give all of {', '.join(map(repr, named))}, or none")


def layers_at_rest(network, frozen):
    """Return the numbers of the layers that compute as in prediction: those whose state is frozen, or everything."""
    parameters, state = network.vectors.parameters.numbered, network.vectors.state.numbered
    followed = {layer_number(name) for name in state}
    numbers = followed | {layer_number(name) for name in parameters}
    names = [*state, *(name for name in parameters if layer_number(name) not in followed)]
    return numbers - {layer_number(name) for name in names if name not in frozen}


def layer_number(name):
    return int(name.partition(".")[0])


def without_frozen(matrices, ranges):
    """Return the matrices (start, rows, columns, parts) of the parameters that are updated, without frozen ranges.

    ranges: (start, size) of the frozen parameters, in memory order.
    """
    left = []
    for matrix in matrices:
        start, columns = matrix["start"], matrix["columns"]
        end, pieces = start + matrix["rows"] * columns, []
        for first, size in ranges:
            if start < first + size and first < end:
                pieces.append((start, min(max(first, start), end)))
                start = max(start, min(first + size, end))
        pieces.append((start, end))
        pieces = [(first, last) for first, last in pieces if last > first]
        if pieces == [(matrix["start"], end)]:
            left.append(matrix)
            continue
        for first, last in pieces:
            rows = (last - first) // columns if (last - first) % columns == 0 else 1
            left.append({**matrix, "start": first, "rows": rows, "columns": (last - first) // rows,
                         "parts": min(matrix["parts"], rows)})
    return left
