"""Parameters and state that a fit leaves as they are, chosen by patterns of names."""

from fnmatch import fnmatchcase

from ..checks import list_of, shown


def frozen_names(network, patterns):
    """Return the names of the parameters and state that match patterns such as "encoder.*", in memory order.

    They are names with the number of the layer, as programs use them. A pattern that matches nothing is refused.
    """
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
    return chosen


def layers_at_rest(network, frozen):
    """Return the numbers of the layers whose parameters and state are all frozen; they compute as in prediction."""
    names = [*network.vectors.parameters.numbered, *network.vectors.state.numbered]
    learning = {name.partition(".")[0] for name in names if name not in frozen}
    return {int(name.partition(".")[0]) for name in names if name.partition(".")[0] not in learning}


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
