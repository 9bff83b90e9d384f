"""The registered activations and losses as pure Python loops over nested lists."""

from .rungs import check_targets, check_weights

Vector = list[float]
Matrix = list[Vector]


def to_lists(array):
    """Convert arrays to nested lists of plain numbers."""
    if hasattr(array, "tolist"):
        return array.tolist()
    if isinstance(array, (list, tuple)):
        return [to_lists(item) for item in array]
    return array


def shape(nested):
    """Return the shape of nested lists, from their first items."""
    if not isinstance(nested, list):
        return ()
    return (len(nested), *shape(nested[0])) if nested else (0,)


def each_number(function, *nested):
    """Apply `function` to every number, or to the numbers at the same position of several nested lists."""
    if isinstance(nested[0], list):
        return [each_number(function, *inner) for inner in zip(*nested, strict=True)]
    return function(*nested)


def each_row(function, *nested):
    """Apply `function` to every row, or to the rows at the same position of several nested lists."""
    if isinstance(nested[0][0], list):
        return [each_row(function, *inner) for inner in zip(*nested, strict=True)]
    return function(*nested)


def plain(function):
    """Return the Python function of a function compiled by Numba; other functions unchanged."""
    return getattr(function, "py_func", function)


def activate(activation, z):
    """a = g(z)."""
    over = each_row if activation.rowwise else each_number
    return over(plain(activation.value), to_lists(z))


def derivative(activation, z, a):
    """da/dz = g'(z), given a = g(z) as well."""
    return each_number(plain(activation.prime), to_lists(z), to_lists(a))


def pullback(activation, da, z, a):
    """Return dz, given da: da · g'(z) element by element, or the record's pullback of each row."""
    da, z, a, prime = to_lists(da), to_lists(z), to_lists(a), plain(activation.prime)
    if activation.rowwise:
        return each_row(prime, da, z, a)
    return each_number(lambda da, z, a: da * prime(z, a), da, z, a)


def mean_loss(loss, a, y, weights=None):
    """J = Σᵢ wᵢ Lᵢ / Σᵢ wᵢ, with Lᵢ the sum over the outputs of sample i."""
    a, y, weights = prepared(loss, a, y, weights)
    value, total = plain(loss.value), 0.0
    for i in range(len(a)):
        if loss.rowwise:
            sample_loss = value(a[i], y[i])
        else:
            sample_loss = 0.0
            for j in range(len(a[i])):
                sample_loss += value(a[i][j], y[i][j])
        total += weights[i] * sample_loss
    return total / sum(weights)


def mean_loss_gradient(loss, a, y, weights=None):
    """daᵢ = wᵢ ∂Lᵢ/∂aᵢ / Σᵢ wᵢ: already divided, so nothing after it divides again."""
    a, y, weights = prepared(loss, a, y, weights)
    prime, total_weight, da = plain(loss.prime), sum(weights), []
    for i in range(len(a)):
        if loss.rowwise:
            row = prime(a[i], y[i])
        else:
            row = [prime(a[i][j], y[i][j]) for j in range(len(a[i]))]
        da.append([weights[i] / total_weight * number for number in row])
    return da


def prepared(loss, a, y, weights):
    """Return outputs, targets and a weight for each sample, as lists of the right shapes."""
    a, y = to_lists(a), to_lists(y)
    check_targets(shape(a), shape(y), loss)
    weights = [1.0] * len(a) if weights is None else to_lists(weights)
    check_weights(weights, shape(weights), len(a))
    return a, y, weights
