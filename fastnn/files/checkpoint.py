"""Checkpoints: a network and the state of its fit, in one safetensors file.

    format     the kind of file, and the version of this format
    network    the architecture: `Network.config()` as JSON
    fit        as JSON: the result of `document`
    sha256     a digest of the whole file

    tensors    the network's arrays by their names; "optimizer.SLOT.PARAMETER", the optimizer's state of a parameter;
               "last.NAME", the array before a callback replaced it in the network;
               "carried", the states of recurrent layers that a fit by windows carries over;
               "history.PATH" and "callbacks.I.PATH", the history, and arrays in the states of callbacks, for which the JSON
               contains {"array": name}

JSON is exact for floats, because Python writes as many digits as are needed to read the same float. Like the file of a
network, a checkpoint is not trusted: everything is checked before memory is allocated and before a number reaches a kernel.
"""

import re
from dataclasses import fields

import numpy as np

from ..checks import number_in_range, shown, true_or_false, whole_number
from ..fitting.history import History
from ..fitting.schedules import Schedule
from ..fitting.state import Epoch, FitState
from ..formats.atomic_file import write_whole
from ..formats.safetensors import to_bytes
from ..formats.untrusted_json import from_text, to_text
from ..kernels.interpreter.interpreter import COUNT_SUM, DIVERGED, SAMPLES, TOTALS
from ..kernels.interpreter.table import RESULTS_OF_EACH
from ..kernels.optimizers import optimizers
from ..program import new_totals
from ..program.groups import LARGEST_FACTOR, Group
from ..program.truncated import carried_numbers
from .networks import (
    CHECKPOINT_FORMAT,
    attach,
    attached_texts,
    expected_parameters_and_state,
    metadata_of,
    open_and_read,
    versioned,
)

SCHEDULES = {kind.__name__: kind for kind in Schedule.__subclasses__() if kind.__module__ == Schedule.__module__}
LARGEST = 2**64 - 1  # largest word of the random state
NESTED = 8  # largest depth of schedules in schedules


def save(network, path, extra=None):
    """Write the network and its last fit to `path`, atomically; extra: additional texts by name for the metadata."""
    if network.fits.last is None:
        raise ValueError("this network has not been in a fit, so there is none to go on with; write it alone with save")
    state = network.fits.last
    if optimizers.get(state.optimizer.name) is not type(state.optimizer):
        raise ValueError(f"the optimizer {state.optimizer!r} is not registered, so it could not be found again when loading")
    tensors = network.vectors.by_name
    for slot, vector in slots(network, state.optimizer).items():
        tensors |= {f"optimizer.{slot}.{name}": array for name, array in vector.items()}
    tensors |= {f"last.{name}": array for name, array in (state.arrays or {}).items()}
    tensors |= {} if state.carried is None else {"carried": state.carried}
    fit = to_text(document(network, state, tensors), special=True)
    metadata = {"format": versioned(CHECKPOINT_FORMAT, network), "network": to_text(network.config()), "fit": fit,
                **attached_texts(network)}
    write_whole(path, to_bytes(tensors, metadata | (extra or {})))


def load(network_type, path):
    """Return the network in the checkpoint at `path`, with its fit ready to resume."""
    return open_and_read(path, lambda file: read(network_type, file))


def slots(network, optimizer):
    """Return the optimizer's state: {slot: {parameter: live array}}."""
    memory = network.fits.optimizer_state(optimizer).slots
    return {slot: network.vectors.parameters.split(vector) for slot, vector in zip(optimizer.slots, memory, strict=True)}


def document(network, state, tensors):
    """Return the fit as JSON data; add the history and arrays in the states of callbacks to the tensors."""
    optimizer, epoch, history = state.optimizer, state.epoch, state.history.first(state.epoch.number)
    metrics = {name: np.array(values, np.float64) for name, values in history.metrics.items()}
    return {
        "seed": network.seed,
        "random": network.vectors.random.tolist(),
        "optimizer": {
            "name": optimizer.name,
            "by_name": network.fits.by_name.get(optimizer.name) is optimizer,  # as in fit(optimizer="adam")
            "hyperparameters": {field.name: plain(getattr(optimizer, field.name)) for field in fields(optimizer)},
            "step": int(network.fits.optimizer_state(optimizer).step[0]),
        },
        "batch_size": state.batch_size,
        "samples": state.samples,
        "shuffle": state.shuffle,
        "epoch": {"number": epoch.number, "random": epoch.random, "totals": epoch.totals.tolist()},
        "history": {"metrics": extract_arrays(metrics, "history.metrics", tensors),
                    "learning_rates": extract_arrays(np.array(history.learning_rates), "history.learning_rates", tensors)},
        "callbacks": [[kind, extract_arrays(checked_state(kind, kept), f"callbacks.{index}", tensors)]
                      for index, (kind, kept) in enumerate(state.callback_states())],
        "last": state.arrays is not None,
        **({"frozen": list(state.frozen)} if state.frozen else {}),
        **({"backprop_steps": state.backprop_steps} if state.backprop_steps is not None else {}),
        **({"accumulate": state.accumulate} if state.accumulate > 1 else {}),
        **({"groups": [[group.factor, group.decay, list(group.names)] for group in state.groups]} if state.groups else {}),
    }


def plain(value):
    """Return a hyperparameter as JSON data: a schedule as {"schedule": its name, …}."""
    if type(value) in SCHEDULES.values():
        options = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return {"schedule": type(value).__name__} | options
    if callable(value):
        raise ValueError(f"the learning rate is {value!r}, which cannot be kept in a file; a checkpoint takes a number or "
                         f"one of {', '.join(SCHEDULES)}")
    return value


def from_plain(value, depth=0):
    """Invert `plain`."""
    if not isinstance(value, dict):
        return value
    if depth == NESTED:
        raise ValueError(f"its learning rate is of more than {NESTED} schedules, one in the other")
    options = {name: from_plain(each, depth + 1) for name, each in value.items() if name != "schedule"}
    return SCHEDULES[value["schedule"]](**options)


def checked_state(kind, kept):
    """Return the state of a callback, after checking that it is a dict that a file can hold."""
    if not isinstance(kept, dict):
        raise ValueError(f"state() of the callback {kind} returned {shown(kept)}; it must return a dict")
    refuse_unsupported(f"what state() of the callback {kind} returned", kept)
    return kept


def checked_kept(kept):
    """Return the state of a callback from a file, after checking the parts that the fit has added to it."""
    untold = kept.get("untold", {})
    if not isinstance(untold, dict) or not all(isinstance(value, float) for value in untold.values()):
        raise ValueError("the logs of its last epoch are not floats by name")
    return kept


def refuse_unsupported(where, value):
    """Raise an error for values that a file would not restore exactly."""
    if isinstance(value, dict):
        for key, each in value.items():
            if not is_text(key):
                raise ValueError(f"{where} has the key {shown(key)}; keys of dicts must be text")
            refuse_unsupported(where, each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            refuse_unsupported(where, each)
    else:
        number = value.item() if isinstance(value, np.generic) else value
        if not (value is None or isinstance(number, (bool, int, float, np.ndarray)) or is_text(value)):
            raise ValueError(f"{where} holds {shown(value)}; a file takes numbers, text, lists, dicts, None and arrays: "
                             "make it of these")


def is_text(value):
    """Return whether it is text without lone surrogates, which a file cannot hold."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def extract_arrays(value, name, tensors):
    """Return `value` as JSON data, with its arrays moved to the tensors under names that begin with `name`."""
    if isinstance(value, np.ndarray):
        if name in tensors:  # keys contain dots: {"a": {"b": …}, "a.b": …}
            name = f"{name}.{len(tensors)}"
        tensors[name] = value
        return {"array": name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        if [*value] == ["array"]:
            raise ValueError(f"{name} is {value!r}; in a file the only key of a dict cannot be 'array': rename it")
        return {key: extract_arrays(each, f"{name}.{key}", tensors) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [extract_arrays(each, f"{name}.{index}", tensors) for index, each in enumerate(value)]
    return value


def insert_arrays(value, arrays):
    """Invert `extract_arrays`; each array is removed from `arrays`, so that it cannot be used twice."""
    if isinstance(value, dict):
        if [*value] == ["array"]:
            return arrays.pop(value["array"])
        return {key: insert_arrays(each, arrays) for key, each in value.items()}
    return [insert_arrays(each, arrays) for each in value] if isinstance(value, list) else value


def read(network_type, file):
    """Return the network in an open safetensors file."""
    metadata = metadata_of(file, CHECKPOINT_FORMAT)
    config, fit = from_text(metadata["network"]), from_text(metadata["fit"], special=True)
    outputs = len(config.get("outputs", ()))
    state, last = fit_state(fit, len(new_totals(outputs if outputs > 1 else 0))), true_or_false("last", fit["last"])
    parameters, others = expected_parameters_and_state(config)
    shapes, kinds = parameters | others, file.kinds()
    expected = dict(shapes)
    for slot in state.optimizer.slots:
        expected |= {f"optimizer.{slot}.{name}": kind for name, kind in parameters.items()}
    if last:
        expected |= {f"last.{name}": kind for name, kind in shapes.items()}
    if state.backprop_steps is not None and kinds.get("carried", ("", ()))[0] == config["dtype"]:
        expected["carried"] = kinds["carried"]  # of any size, which the file has: it is checked below
    referred = {name for name in kinds if name.startswith(("history.", "callbacks."))}
    if expected != {name: kind for name, kind in kinds.items() if name not in referred}:
        raise ValueError("its tensors are not those of its architecture")

    network = network_type.with_zeros(config, fit["seed"])
    optimizer_memory = {f"optimizer.{slot}.{name}": view for slot, vector in slots(network, state.optimizer).items()
                        for name, view in vector.items()}
    arrays = file.empty(lambda name: name in referred or name.startswith("last.") or name == "carried")
    file.fill_checked(network.vectors.by_name | optimizer_memory | arrays)

    state.carried = arrays.pop("carried", None)
    if state.backprop_steps is not None:
        check_carried(network, state)
    if last:
        state.arrays = {name: arrays.pop(f"last.{name}") for name in shapes}
    state.history = history(insert_arrays(fit["history"], arrays), state.epoch.number)
    state.states = [(str(kind), checked_kept(dict(insert_arrays(kept, arrays)))) for kind, kept in fit["callbacks"]]
    if arrays:
        raise ValueError(f"nothing stands for its tensor {next(iter(arrays))!r}")
    network.fits.optimizer_state(state.optimizer).step[:] = whole_number("step", fit["optimizer"]["step"], least=0)
    if true_or_false("by_name", fit["optimizer"]["by_name"]):
        network.fits.by_name[state.optimizer.name] = state.optimizer
    if len(fit["random"]) != len(network.vectors.random):
        raise ValueError("its random state is not that of its architecture")
    network.vectors.random[:] = [word(number) for number in fit["random"]]
    attach(network, metadata)
    network.fits.last = state
    return network


def check_carried(network, state):
    """Refuse states of recurrent layers that are not those of a fit of this network by windows."""
    expected = (min(state.batch_size, state.samples) * carried_numbers(network),)
    if state.carried is not None and (state.carried.shape != expected or not np.isfinite(state.carried).all()):
        raise ValueError("what its fit carries from window to window is not that of its architecture")
    if state.carried is None and state.epoch.totals[SAMPLES]:
        raise ValueError("it lacks what its fit carries from window to window")


def history(kept, epochs):
    """Return the History from its part of `document`."""
    metrics, rates = dict(kept["metrics"]), kept["learning_rates"]
    for values in [*metrics.values(), *([rates] if len(rates) else [])]:
        if values.shape != (epochs,) or values.dtype != np.float64:
            raise ValueError("its history is not one of floats, one an epoch")
    return History({name: values.tolist() for name, values in metrics.items()}, rates.tolist())


def word(number):
    """Return a word of the random state."""
    return whole_number("random", number, least=0, most=LARGEST)


def with_counts(totals, size):
    """Return the totals of several outputs; from before outputs had steps, a prediction for each sample."""
    outputs = (size - TOTALS) // RESULTS_OF_EACH
    if outputs == 0 or totals.shape != (TOTALS + 2 * outputs,):
        return totals
    losses, hits = totals[TOTALS:].reshape(-1, 2).T
    return np.concatenate([totals[:TOTALS], np.stack([losses, hits, np.full(outputs, totals[SAMPLES])], axis=1).reshape(-1)])


def fit_state(fit, size):
    """Return the FitState of a document, with a new optimizer, without history and states of callbacks.

    size: how many totals an epoch has.
    """
    given = fit["optimizer"]
    hyperparameters = {name: from_plain(value) for name, value in given["hyperparameters"].items()}
    optimizer = optimizers[optimizers.resolve(given["name"]).name](**hyperparameters)
    samples, batch_size = whole_number("samples", fit["samples"]), whole_number("batch_size", fit["batch_size"])
    totals = np.array(fit["epoch"]["totals"])
    if totals.dtype != np.float64:
        raise ValueError("the totals of its epoch are not floats")
    if totals.shape == (COUNT_SUM,):  # from before outputs had positions: a prediction for each sample
        totals = np.append(totals, totals[SAMPLES])
    totals = with_counts(totals, size)
    if totals.shape != (size,) or not np.isfinite(totals).all() or totals[DIVERGED]:
        raise ValueError("the totals of its epoch are not finite")
    steps = fit.get("backprop_steps")
    steps = None if steps is None else whole_number("backprop_steps", steps)
    passes = whole_number("accumulate", fit.get("accumulate", 1))
    if steps is not None:  # the samples are windows, of which all batches have the same number
        whole = 0 <= totals[SAMPLES] and totals[SAMPLES] % min(batch_size, samples) == 0
    else:
        step = batch_size * passes
        whole = totals[SAMPLES] == samples or (0 <= totals[SAMPLES] < samples and totals[SAMPLES] % step == 0)
    if not whole:
        raise ValueError("the totals of its epoch are not those of whole batches")
    number = whole_number("epoch", fit["epoch"]["number"], least=0)
    return FitState(optimizer, batch_size, samples, true_or_false("shuffle", fit["shuffle"]),
                    Epoch(number, word(fit["epoch"]["random"]), totals), frozen_in(fit), groups_in(fit), steps, passes)


def frozen_in(fit):
    """Return the names of what a fit leaves as it is."""
    names = fit.get("frozen", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("what its fit leaves as it is, is no list of names")
    return tuple(names)


def groups_in(fit):
    """Return the groups of parameters with a learning rate or a weight decay of their own."""
    groups = []
    for factor, decay, names in fit.get("groups", []):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("a group of parameters of its fit is no list of names")
        groups.append(Group(number_in_range("a factor of the learning rate", factor, 0.0, LARGEST_FACTOR),
                            None if decay is None else number_in_range("a weight decay", decay, 0.0), tuple(names)))
    return tuple(groups)
