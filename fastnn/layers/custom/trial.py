"""A trial of a custom layer: its functions run once as plain Python, on one sample, with arrays that tell of mistakes.

Compiled code does not check indices, so the mistakes that this finds would be wrong numbers, or worse, there.
"""

import math
from dataclasses import replace

import numpy as np

from ...kernels.layers.custom.rows import BACKWARD, FORWARD, UPDATE, arguments_of
from ...runtime.quiet import quiet
from .declaration import OUTPUT, OUTPUT_GRADIENT, TRAINING, functions_of

LARGEST = 20_000  # numbers of a layer that is tried when it is built, in loops of Python
UNSET = -7.25e77  # absorbs what is added to it
tried = set()


def try_once(declaration):
    """Try a layer for its shapes, unless that was done or takes long."""
    key = type(declaration.layer), tuple(declaration.shapes.items()), tuple(declaration.options.items())
    if key in tried or sum(map(math.prod, declaration.shapes.values())) > LARGEST:
        return
    trial(declaration)
    if declaration.has_training:
        trial(replace(declaration, options=declaration.options | {TRAINING: True}))
    tried.add(key)


def sample_arrays(declaration, generator):
    """Return random arrays for one sample by name: inputs, parameters, state, the gradient of the output."""
    layer, reads = declaration.layer, tuple(declaration.reads.values())
    first = layer.initial_parameters(reads if layer.joins else reads[0], generator, None)
    arrays = {name: generator.normal(size=shape) for name, shape in declaration.reads.items()}
    for name, shape in declaration.parameters.items():
        arrays[name] = np.broadcast_to(first.get(name, 0.0), shape) + generator.normal(scale=0.1, size=shape)
    first = layer.initial_state()
    for name, shape in declaration.state.items():
        arrays[name] = np.broadcast_to(np.asarray(first.get(name, 0.0), float), shape).copy()
    arrays[OUTPUT_GRADIENT] = generator.normal(size=declaration.output)
    return arrays


def plain_call(declaration, phase, arrays):
    """Call a function of the layer in Python with what it takes of the arrays."""
    function, known = functions_of(type(declaration.layer))[phase], arrays | declaration.options
    result = quiet(function, *[known[name] for name in arguments_of(function)], all="ignore")
    if result is not None:
        raise ValueError(f"{type(declaration.layer).__name__}.{phase} returns a value; it must write into the arrays that "
                         "it is given, such as a[:] = …, and return nothing")


def trial(declaration):
    """Raise ValueError for a mistake in the functions of a layer."""
    arrays = sample_arrays(declaration, np.random.default_rng(0))
    kept = {name: np.full(shape, UNSET) for name, shape in (declaration.memory | {OUTPUT: declaration.output}).items()}
    for array in arrays.values():
        array.flags.writeable = False
    if not tried_call(declaration, FORWARD, arrays | kept):
        return
    check_set(declaration, FORWARD, OUTPUT, kept[OUTPUT])
    kept[OUTPUT].flags.writeable = False
    results = []
    for begin in (0.0, 1.0):
        gradients = {name: np.full(shape, UNSET if name[1:] in declaration.reads else begin)
                     for name, shape in declaration.gradients.items()}
        copies = {name: array if name == OUTPUT else array.copy() for name, array in kept.items()}
        if not tried_call(declaration, BACKWARD, arrays | copies | gradients):
            return
        results.append(gradients)
    for name in declaration.reads:
        check_set(declaration, BACKWARD, f"d{name}", results[0][f"d{name}"])
    for name in declaration.parameters:
        check_added(declaration, name, *(gradients[f"d{name}"] for gradients in results))
    if UPDATE in functions_of(type(declaration.layer)):
        tried_call(declaration, UPDATE, arrays | kept | {name: arrays[name].copy() for name in declaration.state})


def tried_call(declaration, phase, arrays):
    """Call a function; return False where its arithmetic is not defined for random numbers, which says nothing."""
    try:
        plain_call(declaration, phase, arrays)
    except ArithmeticError:
        return False
    except Exception as error:
        if "math domain" in str(error):
            return False
        name, where = type(declaration.layer).__name__, line_of(error)
        if "read-only" in str(error):
            raise ValueError(f"{name}.{phase} changes an array that it only reads{where}; write to "
                             f"{' and '.join(written_by(declaration, phase))} only, and copy others first") from error
        if isinstance(error, ValueError) and "returns a value" in str(error):
            raise
        taken = arguments_of(functions_of(type(declaration.layer))[phase])
        listed = ", ".join(f"{key} {arrays[key].shape}" for key in taken if key in arrays)
        numbers = ", ".join(f"{key} = {declaration.options[key]!r}" for key in taken if key in declaration.options)
        raise ValueError(f"{name}.{phase} raises {type(error).__name__}{where}: {error}. Its arrays have the shapes "
                         f"{listed}{numbers and f', its numbers are {numbers}'}; of sequences it gets one step") from error
    return True


def written_by(declaration, phase):
    written = {FORWARD: [OUTPUT], BACKWARD: [*declaration.gradients], UPDATE: [*declaration.state]}[phase]
    return [*written, *(declaration.memory if phase != UPDATE else ())]


def line_of(error):
    """Return where in a user's function an error arose."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" in line {trace.tb_lineno} of {trace.tb_frame.f_code.co_filename}"


def check_set(declaration, phase, name, array):
    """Refuse elements that a function left as they were."""
    if (array == UNSET).any():
        index = tuple(map(int, np.argwhere(array == UNSET)[0]))
        raise ValueError(f"{type(declaration.layer).__name__}.{phase} does not set {name}[{', '.join(map(str, index))}] "
                         f"(its shape is {array.shape}): write every element, as in {name}[:] = …, and to add up, begin "
                         f"with {name}[:] = 0")


def check_added(declaration, name, from_zero, from_one):
    """Refuse a gradient of a parameter that is not added to what the samples before gave."""
    wrong = ~(np.abs(from_one - from_zero - 1) <= 1e-6 * (1 + np.abs(from_zero))) & np.isfinite(from_zero)
    if wrong.any():
        raise ValueError(f"{type(declaration.layer).__name__}.{BACKWARD} must add to d{name}, with d{name}[…] += …, as it "
                         "is called for one sample after another; it overwrites it")
