"""`Network.fit`: checks its arguments, then trains in steps (`fastnn/fitting/loop.py`) or with L-BFGS."""

from ..checks import shown, true_or_false, whole_number
from ..fitting import lbfgs
from ..fitting.callback_calls import callbacks_of
from ..fitting.lbfgs import LBFGS
from ..fitting.loop import Fit
from ..fitting.state import begin_or_resume
from ..program.frozen import frozen_names
from ..program.groups import groups_of
from ..program.truncated import window_steps
from ..runtime.threads import resolve_threads
from ..samples.columns import check_columns, columns_of
from ..samples.data import check_data
from ..samples.doubts import warn_of_doubts, warn_of_lone_samples, warn_of_order
from ..samples.held_out import rows_alone, split_data
from ..samples.metrics import choose
from ..samples.scale import scale_of


def fit(network, X, y, *, epochs, batch_size, optimizer, validation_data, validation_split, sample_weight,
        class_weight, shuffle, metrics, callbacks, threads, progress, resume, frozen=None,
        learning_rate_factors=None, weight_decays=None, backprop_steps=None, accumulate=1):
    """Train the network, see `Network.fit`; if an argument is refused, nothing has changed."""
    epochs, resume = whole_number("epochs", epochs, least=0), true_or_false("resume", resume)
    batch_size, threads = whole_number("batch_size", batch_size), resolve_threads(threads)
    by_steps = not isinstance(optimizer, LBFGS)
    learner = network if by_steps else network.astype("float64")
    check_columns(network.columns, X)
    data = check_data(learner, X, y, sample_weight, class_weight, learns_names=True)
    validation = check_validation(network, validation_data, data.class_names)
    if validation is not None and not network.has_several:  # whose columns go by name
        check_columns(columns_of(X), validation_data[0], "X of validation_data")
    memory = network.vectors.parameters.flat, network.vectors.state.flat
    if validation is not None and (scale := scale_of(network, data.X)) is not None:
        scale.warn_of(validation.X, "X of validation_data")
    data, validation = data.without_shared_memory(*memory), validation and validation.without_shared_memory(*memory)
    if validation_split is not None and not (type(validation_split) in (int, float) and validation_split == 0):
        if validation is not None:
            raise ValueError("validation_data and validation_split are both given; leave one of them out")
        data, validation = split_data(network, data, validation_split)
        if not by_steps:
            data, validation = rows_alone(data), rows_alone(validation)
    shuffle = true_or_false("shuffle", shuffle)
    backprop_steps = window_steps(network, backprop_steps)
    if backprop_steps is not None and not by_steps:
        raise ValueError("LBFGS takes the gradient of all samples at once; leave backprop_steps out, or use another "
                         "optimizer: Adam()")
    accumulate = whole_number("accumulate", accumulate)
    if accumulate > 1:
        check_accumulation(network, accumulate, batch_size, by_steps, backprop_steps)
    options = {
        "callbacks": callbacks_of(callbacks), "metrics": choose(metrics, network.objective.head),
        "threads": threads, "progress": None if progress is None else true_or_false("progress", progress),
    }
    if by_steps:
        frozen = None if frozen is None else frozen_names(network, frozen)
        of_groups = learning_rate_factors, weight_decays
        groups = None if all(each is None for each in of_groups) else groups_of(network, *of_groups)
        state = begin_or_resume(network, optimizer, resume, samples=data.samples, batch_size=batch_size, shuffle=shuffle,
                                frozen=frozen, groups=groups, backprop_steps=backprop_steps, accumulate=accumulate)
        warn_of_doubts(network, data)
        warn_of_order(X, y)
        warn_of_lone_samples(network, batch_size)
        network.columns = None if network.has_several else columns_of(X)
        return Fit(network, data, validation, state, epochs=epochs, **options).train()
    if epochs != 1:
        raise ValueError(f"epochs is {epochs}; LBFGS counts iterations; give it max_iterations={epochs} instead")
    if frozen:
        raise ValueError("a fit with LBFGS trains all parameters; leave frozen out, or use another optimizer: Adam()")
    if learning_rate_factors is not None or weight_decays is not None:
        raise ValueError("LBFGS has no learning rate and no weight decay; leave learning_rate_factors and weight_decays "
                         "out, or use another optimizer: AdamW()")
    if resume:
        raise ValueError("a fit with LBFGS cannot be resumed; leave resume out: a new fit continues from the weights")
    lbfgs.check_layers(network.layers)
    warn_of_doubts(network, data)
    return lbfgs.fit(network, learner, data, validation, optimizer=optimizer, **options)


def check_validation(network, given, class_names=None):
    """Return the Data of a tuple (X, y) or (X, y, sample_weight); None stays None."""
    if given is None:
        return None
    if isinstance(given, float) and 0 < given < 1:
        raise ValueError(f"validation_data is {given}; to hold out a share of the samples give validation_split={given}")
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError(f"validation_data is {shown(given)}; it must be a tuple (X, y) or (X, y, sample_weight)")
    try:
        return check_data(network, *given, class_names=class_names)
    except ValueError as error:
        raise ValueError(f"validation_data: {error}") from None


def check_accumulation(network, accumulate, batch_size, by_steps, backprop_steps):
    """Refuse to add up gradients where a step has none to add."""
    if not by_steps:
        raise ValueError(f"accumulate is {accumulate}; LBFGS adds up the gradients of all samples: leave it out")
    if network.several_outputs or backprop_steps is not None:
        what = "for networks of one output" if network.several_outputs else "not there with backprop_steps"
        raise ValueError(f"accumulate is {accumulate}, and it is {what}: give batch_size={accumulate * batch_size} instead")
