"""Common parts of `fastnn.naive` and `fastnn.vectorized`: the names of their functions and checks of shapes.

For each registered activation and loss, both modules have a pair of functions, under the name of its record:

    tanh(z), tanh_prime(z, a)                                           an activation
    softmax(z), softmax_prime(da, z, a)                                 a row-wise one: its derivative is a pullback da -> dz
    cross_entropy(a, y), cross_entropy_gradient(a, y)                   a loss
    softmax_cross_entropy(z, y), softmax_cross_entropy_gradient(z, y)   a loss on logits
"""

from functools import cache, partial
from inspect import signature
from itertools import pairwise

from ..kernels.activations import activations
from ..kernels.losses import losses
from ..layers.windows import padding_of, per_axis, pool_windows, transposed_windows, windows


def all_losses():
    """Return every loss by its name, including those on logits."""
    records = dict(losses)
    for loss in losses.values():
        records |= {on_logits.name: on_logits for on_logits in loss.on_logits.values()}
    return records


def registered_functions():
    """Return the functions from the registries: by name, (record, name of the function that takes it, formula)."""
    table = {}
    for name, activation in activations.items():
        table[name] = activation, "activate", f"a = {activation.formula}"
        prime = "pullback" if activation.rowwise else "derivative"
        table[f"{name}_prime"] = activation, prime, f"{activation.prime_formula}, with a = {name}(z)"
    for name, loss in all_losses().items():
        table[name] = loss, "mean_loss", f"{loss.formula}, summed over the outputs and averaged over the samples"
        gradient = f"{loss.prime_formula}, times the sample's share of the average"
        table[f"{name}_gradient"] = loss, "mean_loss_gradient", gradient
    return table


def registry_attributes(module, records):
    """Return `__getattr__` and `__dir__` of a module, which make the registered functions from those of its `records`."""

    @cache
    def bound(record, name, function, formula):
        def call(*arguments, **options):
            return function(record, *arguments, **options)

        call.__name__ = call.__qualname__ = name
        call.__module__, call.__doc__ = module["__name__"], f"{formula}."
        call.__signature__ = signature(partial(function, record))
        return call

    def __getattr__(name):
        table = registered_functions()
        if name not in table:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        record, function, formula = table[name]
        return bound(record, name, getattr(records, function), formula)

    def __dir__():
        names = filter(str.isidentifier, registered_functions())
        return sorted({*module.get("__all__", module), *names})

    return __getattr__, __dir__


def fused_loss(loss, activation):
    """Return `loss` as a function of the last layer's z, or None if it has to be computed by the chain rule."""
    return losses.resolve(loss).on_logits.get(activations.resolve(activation).name)


def check_linear(x, weight, bias):
    """Raise an error for shapes for which x @ weight + bias is not defined."""
    if len(x) != 2 or len(weight) != 2 or x[1] != weight[0]:
        raise ValueError(f"x has shape {x} and weight {weight}; "
                         "they must be (batch, in_features) and (in_features, out_features)")
    if bias != weight[1:]:
        raise ValueError(f"bias has shape {bias}; this weight takes {weight[1:]}, one for each of its columns")


def check_features(x, **vectors):
    """Raise an error unless the shapes are those of rows of features and vectors of one number for each feature."""
    if len(x) != 2 or 0 in x:
        raise ValueError(f"x has shape {x}; it must be (batch, features), with at least one of each")
    for name, shape in vectors.items():
        if shape != x[1:]:
            raise ValueError(f"{name} has shape {shape}; with x of shape {x} it takes {x[1:]}, one number a feature")


def check_batch(x):
    """Raise an error for a shape without batch statistics."""
    if len(x) != 2 or x[0] < 2:
        raise ValueError(f"x has shape {x}; statistics of a batch take (batch, features) with at least two samples "
                         "(for one sample use batch_norm_predict)")


def check_joined(*shapes):
    """Raise an error unless at least two tensors (batch, …) have the same shape."""
    if len(shapes) < 2 or 0 in shapes[0] or len(shapes[0]) < 2:
        raise ValueError(f"tensors have shapes {list(shapes)}; they must be two or more, (batch, …), none of them empty")
    if len({*shapes}) > 1:
        raise ValueError(f"tensors have shapes {' and '.join(map(str, shapes))}; they must be the same")


def check_parts(shapes, axis):
    """Return an axis of samples as one of arrays (batch, …), after a check that shapes differ in that axis only."""
    first = shapes[0] if shapes else ()
    if not 1 - len(first) <= axis < len(first) - 1:
        raise ValueError(f"axis is {axis}; of tensors of shape {first} it must be from 0 to {len(first) - 2}, for the axes "
                         "after the batch, or count from the last one, -1")
    place = axis % (len(first) - 1) + 1
    if len({(len(shape), *shape[:place], *shape[place + 1:]) for shape in shapes}) > 1:
        raise ValueError(f"tensors have shapes {' and '.join(map(str, shapes))}; they may differ in axis {axis} only")
    return place


def check_slice(size, start, stop):
    """Raise an error unless start … stop is a part of an axis."""
    if not 0 <= start < stop <= size:
        raise ValueError(f"start is {start} and stop {stop}; on an axis of {size} elements they must be from 0 to {size}, "
                         "with the stop after the start")


def check_targets(a, y, loss=None):
    """Raise an error unless there is one target for each output, and as many outputs as the loss takes for each target."""
    if len(a) != 2 or a[0] == 0:
        raise ValueError(f"outputs have shape {a}; a loss takes (batch, outputs) with at least one sample")
    if y != a:
        raise ValueError(f"y has shape {y}; it must be that of the outputs, {a} (labels as one-hot rows)")
    if loss is not None and a[1] % loss.outputs_of_target:
        raise ValueError(f"outputs have shape {a}; {loss.name} takes {loss.outputs_of_target} outputs for each target, so "
                         f"give a multiple of {loss.outputs_of_target}")


def check_weights(weights, shape, batch):
    """Raise an error unless there is one weight for each sample, with a positive sum."""
    if shape != (batch,):
        raise ValueError(f"weights have shape {shape}; there must be one for each sample, {(batch,)}")
    if min(weights) < 0 or sum(weights) == 0:
        raise ValueError("weights must be zero or more, and they must not sum to 0")


def check_limit(where, limit):
    """Raise an error for a limit on gradients that is not above zero."""
    if not limit > 0:
        raise ValueError(f"{where} is {limit!r}; it must be above zero")


def check_strengths(l1, l2):
    """Raise an error for negative penalties."""
    if not (l1 >= 0 and l2 >= 0):
        raise ValueError(f"l1 is {l1!r} and l2 {l2!r}; both must be zero or more")


def check_layers(parameters, activations):
    """Raise an error if the numbers of layers and activations differ."""
    if not parameters or len(parameters) != len(activations):
        raise ValueError(f"there are {len(parameters)} layers of parameters and {len(activations)} activations; "
                         "give one activation a layer, and at least one layer")


def check_examples(X, y):
    """Raise an error unless there are rows of features and one label for each row."""
    if len(X) != 2 or 0 in X:
        raise ValueError(f"X has shape {X}; it must be (m, n), an example a row and a feature a column")
    if y != X[:1]:
        raise ValueError(f"y has shape {y}; it must be {X[:1]}, a 0 or a 1 for each row of X")


def check_kernel(x, weight, layout, groups, channels, out_channels, bias):
    """Refuse images, kernels and groups that do not fit each other; `layout` is how the weight has to be."""
    if len(x) != 4 or len(weight) != 4 or 0 in x or 0 in weight:
        raise ValueError(f"x has shape {x} and weight {weight}; they must be (batch, height, width, in_channels) and "
                         f"{layout}")
    if x[3] != channels or out_channels % groups or x[3] % groups:
        raise ValueError(f"x has {x[3]} channels, weight has shape {weight} and groups is {groups}; weight must be "
                         f"{layout}, and groups must divide both numbers of channels")
    if bias != (out_channels,):
        raise ValueError(f"bias has shape {bias}; this weight takes {(out_channels,)}, one for each output channel")


def check_dz(dz, x, rows, columns, out_channels):
    """Refuse a gradient that does not have the shape of the outputs."""
    expected = (x[0], rows.out, columns.out, out_channels)
    if dz != expected:
        raise ValueError(f"dz has shape {dz}; with x of shape {x} it must be {expected}")


def convolution_windows(x, weight, bias, stride, padding, dilation, groups, dz=None):
    """The windows (rows, columns) of a convolution of images, checked, from the shapes of its arrays."""
    check_kernel(x, weight, "(kernel height, kernel width, in_channels / groups, out_channels)", groups,
                 groups * weight[2] if len(weight) == 4 else 0, weight[-1], bias)
    rows, columns = windows(x[1:3], weight[:2], per_axis("stride", stride, 2), per_axis("dilation", dilation, 2),
                            padding_of("padding", padding, 2, ("valid", "same")))
    if dz is not None:
        check_dz(dz, x, rows, columns, weight[3])
    return rows, columns


def transposed_convolution_windows(x, weight, bias, stride, padding, dilation, groups, output_padding, dz=None):
    """The same of a transposed convolution."""
    check_kernel(x, weight, "(kernel height, kernel width, out_channels / groups, in_channels)", groups, weight[-1],
                 groups * weight[2] if len(weight) == 4 else 0, bias)
    rows, columns = transposed_windows(
        x[1:3], weight[:2], per_axis("stride", stride, 2), per_axis("dilation", dilation, 2),
        padding_of("padding", padding, 2, ("valid", "same")), per_axis("output_padding", output_padding, 2, least=0))
    if dz is not None:
        check_dz(dz, x, rows, columns, bias[0])
    return rows, columns


def pooling_windows(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The windows (rows, columns) of a pool over images, checked."""
    if len(x) != 4 or 0 in x:
        raise ValueError(f"x has shape {x}; it must be (batch, height, width, channels), with at least one of each")
    kernel = per_axis("kernel_size", kernel_size, 2)
    return pool_windows(x[1:3], kernel, kernel if stride is None else per_axis("stride", stride, 2),
                        per_axis("dilation", dilation, 2), padding_of("padding", padding, 2, ("valid", "same")), ceil_mode)


def check_da(da, x, rows, columns):
    """Refuse a gradient that does not have the shape of the outputs of a pool."""
    expected = (x[0], rows.out, columns.out, x[3])
    if da != expected:
        raise ValueError(f"da has shape {da}; with x of shape {x} it must be {expected}")


def check_groups(x, groups, **arrays):
    """Refuse shapes that a group normalization has no meaning for; returns the number of channels in a group."""
    if len(x) != 3 or 0 in x:
        raise ValueError(f"x has shape {x}; it must be (batch, pixels, channels), with at least one of each")
    if not 1 <= groups <= x[2] or x[2] % groups:
        raise ValueError(f"groups is {groups}; it must divide the number of channels, {x[2]}")
    for name, shape in arrays.items():
        expected = x if name == "da" else x[2:]
        if shape != expected:
            raise ValueError(f"{name} has shape {shape}; with x of shape {x} it must be {expected}")
    return x[2] // groups


def check_images(name, shape, down=1, across=1, multiples=False):
    """Return the shape of images, which must be at least (down, across) pixels or, with `multiples`, a multiple of that."""
    if len(shape) != 4 or 0 in shape:
        raise ValueError(f"{name} has shape {shape}; it must be (batch, height, width, channels), with at least one of each")
    if shape[1] < down or shape[2] < across or (multiples and (shape[1] % down or shape[2] % across)):
        limit = "multiples of" if multiples else "at least"
        raise ValueError(f"{name} has shape {shape}; its height and width must be {limit} {down} and {across}")
    return shape


def check_offsets(offsets, steps=None, *, least=0, sequences=None):
    """Return the offsets of sequences as a list of int, or raise an error unless they are those of so many steps.

    least: the least number of steps of a sequence. sequences: their number, if it is known.
    """
    given = [int(offset) for offset in offsets]
    if len(given) < 2 or given[0] != 0 or (steps is not None and given[-1] != steps):
        end = "the number of steps" if steps is None else f"{steps}, the number of steps"
        raise ValueError(f"offsets is {given}; it must begin with 0, end with {end}, and have one more element than there "
                         "are sequences")
    if sequences is not None and len(given) != sequences + 1:
        raise ValueError(f"offsets has {len(given)} elements; with {sequences} sequences it must have {sequences + 1}")
    for number, (begin, end) in enumerate(pairwise(given)):
        if end - begin < least:
            raise ValueError(f"sequence {number} has {end - begin} steps (offsets {begin} to {end}); it must have at least "
                             f"{least}")
    return given


def check_transcripts(z, offsets, labels, label_offsets, weights):
    """Return the lists of offsets, labels, label_offsets and weights of sequences of labels, or raise an error.

    z: the shape of the logits.
    """
    if len(z) != 2 or z[1] < 2:
        raise ValueError(f"z has shape {z}; it must be (steps, classes), with the blank and a label at least")
    offsets, labels = check_offsets(offsets, z[0]), [int(label) for label in labels]
    label_offsets = check_offsets(label_offsets, len(labels), sequences=len(offsets) - 1)
    for place, label in enumerate(labels):
        if not 0 < label < z[1]:
            raise ValueError(f"labels[{place}] is {label}; with {z[1]} classes labels run from 1 to {z[1] - 1}, since 0 is "
                             "the blank")
    for i, (begin, end) in enumerate(pairwise(label_offsets)):
        needed = end - begin + sum(labels[j] == labels[j - 1] for j in range(begin + 1, end))
        if needed > offsets[i + 1] - offsets[i]:
            raise ValueError(f"sequence {i} has {offsets[i + 1] - offsets[i]} steps, and its labels take {needed} at least: "
                             "one for each, and one between equal labels in a row")
    weights = [1.0] * (len(offsets) - 1) if weights is None else [float(weight) for weight in weights]
    check_weights(weights, (len(weights),), len(offsets) - 1)
    return offsets, labels, label_offsets, weights


def check_recurrence(x, offsets, gates, weight, recurrent_weight, initial=None, bias=None, **vectors):
    """Refuse steps, sequences and parameters of a recurrent layer that do not fit each other.

    x, weight, recurrent_weight: shapes; offsets: a list of integers; initial, bias, vectors: arrays or lists, or None.
    """
    if len(x) != 2:
        raise ValueError(f"x has shape {x}; it must be (steps, in_features), the steps of all sequences")
    check_offsets(offsets, x[0])
    out = recurrent_weight[0] if len(recurrent_weight) == 2 else 0
    if out == 0 or recurrent_weight != (out, gates * out):
        raise ValueError(f"recurrent_weight has shape {recurrent_weight}; it must be (out_features, {gates} · out_features)")
    if weight != (x[1], gates * out):
        raise ValueError(f"weight has shape {weight}; with x of shape {x} and {out} units it must be {(x[1], gates * out)}")
    by_sequence = {"initial": (2 if gates == 4 else 1) * out, "input_mask": x[1], "state_mask": out}
    count = {"peepholes": 3 * out}
    for name, array in {"bias": bias, "initial": initial, **vectors}.items():
        expected = (len(offsets) - 1, by_sequence[name]) if name in by_sequence else (count.get(name, gates * out),)
        if array is not None and measured(array) != expected:
            raise ValueError(f"{name} has shape {measured(array)}; it must be {expected}")


def measured(array):
    """Return the shape of an array, or of nested lists from their first items."""
    if hasattr(array, "shape"):
        return array.shape
    return (len(array), *(measured(array[0]) if array else ())) if isinstance(array, list) else ()


def check_recurrent_gradient(da, x, samples, out, return_sequences):
    """Refuse a gradient that does not have the shape of the outputs of a recurrent layer."""
    expected = (x[0] if return_sequences else samples, out)
    if da != expected:
        raise ValueError(f"da has shape {da}; it must be that of the outputs, {expected}")


def check_tokens(x, tokens, positions=None):
    """Return tokens as a list of int, or raise an error unless they are from 0 to tokens − 1, one for each position."""
    given = [int(token) for token in x]
    if positions is not None and len(given) != positions:
        raise ValueError(f"x has {len(given)} tokens, and da {positions} rows; they must be as many")
    for number, token in enumerate(given):
        if not 0 <= token < tokens:
            raise ValueError(f"x[{number}] is {token}; with {tokens} tokens it must be from 0 to {tokens - 1}")
    return given
