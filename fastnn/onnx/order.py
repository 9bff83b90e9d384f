"""The layers that a walk has found, each behind those that it reads."""

from .chain import Entry


def sources_of(layer):
    return layer.source if isinstance(layer.source, tuple) else (layer.source,)


def in_order(last):
    """Return all layers up to the given ones, each behind those that it reads."""
    order, seen, stack = [], set(), [(layer, False) for layer in reversed(last)]
    while stack:
        layer, ready = stack.pop()
        if isinstance(layer, Entry) or (layer in seen and not ready):
            continue
        if ready:
            order.append(layer)
            continue
        seen.add(layer)
        stack.append((layer, True))
        stack += [(source, False) for source in reversed(sources_of(layer))]
    return order
