"""Checkpoints: a network and where its fit stands, in one safetensors file.

    format     what this is, and the version of this list
    network    the architecture: `Network.config()` as JSON
    fit        as JSON: what `document` returns
    sha256     a digest of the architecture, the fit, the names, dtypes and shapes of the tensors, and the tensors

    tensors    the network's arrays by their names; "optimizer.SLOT.PARAMETER", what the optimizer remembers of a parameter;
               "last.NAME", where a callback has put other arrays into the network, what was there before;
               "callbacks.I.PATH", arrays in the states of callbacks, for which there stands {"array": name} in the JSON

JSON keeps numbers exactly: Python writes as many digits of a float as it takes to read it back. Like the file of a network
this is not trusted: before memory is taken, and before a number gets to a kernel, it is held against what it must be.
"""

import json
import math
from dataclasses import fields

import numpy as np
from safetensors.numpy import save as serialize

from .checks import true_or_false, whole_number
from .files import (
    CHECKPOINT_FORMAT,
    digest,
    expected_arrays,
    expected_parameters,
    metadata_of,
    named_arrays,
    open_and_read,
    write_whole,
)
from .fit_state import Epoch, FitState
from .history import History
from .kernels.interpreter import DIVERGED, SAMPLES
from .kernels.optimizers import optimizers
from .program import TOTALS
from .schedules import Schedule

SCHEDULES = {kind.__name__: kind for kind in Schedule.__subclasses__() if kind.__module__ == Schedule.__module__}
LARGEST = 2**64  # of a word of the random state


def save(network, path):
    """Write the network and its last fit to `path`, whole or not at all."""
    if network._fit is None:
        raise ValueError("this network has not been in a fit, so there is none to go on with; write it alone with save")
    state = network._fit
    if optimizers.get(state.optimizer.name) is not type(state.optimizer):
        raise ValueError(f"the optimizer {state.optimizer!r} is not registered, so it could not be found again when loading")
    tensors = named_arrays(network)
    for slot, vector in slots(network, state.optimizer).items():
        tensors |= {f"optimizer.{slot}.{name}": array for name, array in vector.items()}
    tensors |= {f"last.{name}": array for name, array in (state.arrays or {}).items()}
    architecture, fit = json.dumps(network.config()), json.dumps(document(network, state, tensors))
    sha256 = digest(architecture + fit + layout(tensors), tensors)
    metadata = {"format": CHECKPOINT_FORMAT, "network": architecture, "fit": fit, "sha256": sha256}
    write_whole(path, serialize(tensors, metadata))


def load(network_type, path):
    """The network in the checkpoint at `path`, its fit ready to go on."""
    return open_and_read(path, lambda file: read(network_type, file))


def slots(network, optimizer):
    """What the optimizer remembers: {slot: {parameter: live array}}."""
    memory = network._optimizer_state(optimizer).slots
    return {slot: network._parameters.split(vector) for slot, vector in zip(optimizer.slots, memory, strict=True)}


def layout(tensors):
    return json.dumps({name: (tensors[name].dtype.name, tensors[name].shape) for name in sorted(tensors)})


def document(network, state, tensors):
    """The fit as what JSON holds; arrays in the states of callbacks are added to the tensors."""
    optimizer, epoch, history = state.optimizer, state.epoch, state.history.first(state.epoch.number)
    return {
        "seed": network.seed,
        "random": network._random.tolist(),
        "optimizer": {
            "name": optimizer.name,
            "by_name": network._named_optimizers.get(optimizer.name) is optimizer,  # as in fit(optimizer="adam")
            "hyperparameters": {field.name: plain(getattr(optimizer, field.name)) for field in fields(optimizer)},
            "step": int(network._optimizer_state(optimizer).step[0]),
        },
        "batch_size": state.batch_size,
        "samples": state.samples,
        "shuffle": state.shuffle,
        "epoch": {"number": epoch.number, "random": epoch.random, "totals": epoch.totals.tolist()},
        "history": {"metrics": history.metrics, "learning_rates": history.learning_rates},
        "callbacks": [[kind, take_out(kept, f"callbacks.{index}", tensors)]
                      for index, (kind, kept) in enumerate(state.callback_states())],
        "last": state.arrays is not None,
    }


def plain(value):
    """A hyperparameter as what JSON holds: a schedule as {"schedule": its name, …}."""
    if type(value) in SCHEDULES.values():
        options = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return {"schedule": type(value).__name__} | options
    if callable(value):
        raise ValueError(f"the learning rate is {value!r}, which cannot be kept in a file; a checkpoint takes a number or "
                         f"one of {', '.join(SCHEDULES)}")
    return value


def from_plain(value):
    """The reverse of `plain`."""
    if not isinstance(value, dict):
        return value
    return SCHEDULES[value["schedule"]](**{name: from_plain(each) for name, each in value.items() if name != "schedule"})


def take_out(value, name, tensors):
    """`value` as what JSON holds, its arrays moved to the tensors under names that begin with `name`."""
    if isinstance(value, np.ndarray):
        tensors[name] = np.ascontiguousarray(value)
        return {"array": name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: take_out(each, f"{name}.{key}", tensors) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [take_out(each, f"{name}.{index}", tensors) for index, each in enumerate(value)]
    return value


def put_in(value, tensors):
    """The reverse of `take_out`; takes the arrays out of the tensors."""
    if isinstance(value, dict):
        if [*value] == ["array"]:
            return tensors.pop(value["array"])
        return {key: put_in(each, tensors) for key, each in value.items()}
    return [put_in(each, tensors) for each in value] if isinstance(value, list) else value


def read(network_type, file):
    """The network in an open safetensors file."""
    metadata = metadata_of(file, CHECKPOINT_FORMAT)
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    if digest(metadata["network"] + metadata["fit"] + layout(tensors), tensors) != metadata["sha256"]:
        raise ValueError("it is damaged: its checksum does not match what it holds")
    config, fit = json.loads(metadata["network"]), json.loads(metadata["fit"])

    state = fit_state(fit)
    state.states = [(str(kind), dict(put_in(kept, tensors))) for kind, kept in fit["callbacks"]]
    arrays = expected_arrays(config)
    expected = dict(arrays)
    for slot in state.optimizer.slots:
        expected |= {f"optimizer.{slot}.{name}": kind for name, kind in expected_parameters(config).items()}
    if fit["last"]:
        expected |= {f"last.{name}": kind for name, kind in arrays.items()}
    if expected != {name: (tensor.dtype.name, tensor.shape) for name, tensor in tensors.items()}:
        raise ValueError("its tensors are not those of its architecture")

    network = network_type.from_config(config, fit["seed"])
    for name, view in named_arrays(network).items():
        view[...] = tensors[name]
    for slot, vector in slots(network, state.optimizer).items():
        for name, view in vector.items():
            view[...] = tensors[f"optimizer.{slot}.{name}"]
    network._optimizer_state(state.optimizer).step[:] = whole_number("step", fit["optimizer"]["step"], least=0)
    if true_or_false("by_name", fit["optimizer"]["by_name"]):
        network._named_optimizers[state.optimizer.name] = state.optimizer
    if len(fit["random"]) != len(network._random):
        raise ValueError("its random state is not that of its architecture")
    network._random[:] = [word(number) for number in fit["random"]]
    if fit["last"]:
        state.arrays = {name: tensors[f"last.{name}"] for name in arrays}
    network._fit = state
    return network


def word(number):
    """A word of the random state."""
    if whole_number("random", number, least=0, most=math.inf) >= LARGEST:
        raise ValueError(f"random is {number}, which takes more than 64 bits")
    return number


def fit_state(fit):
    """The FitState in a document, with an optimizer that has no memory yet, and without the states of callbacks."""
    given = fit["optimizer"]
    hyperparameters = {name: from_plain(value) for name, value in given["hyperparameters"].items()}
    optimizer = optimizers[optimizers.resolve(given["name"]).name](**hyperparameters)
    samples, batch_size = whole_number("samples", fit["samples"]), whole_number("batch_size", fit["batch_size"])
    totals = np.array([float(number) for number in fit["epoch"]["totals"]])
    if totals.shape != (TOTALS,) or not np.isfinite(totals).all() or totals[DIVERGED]:
        raise ValueError("the totals of its epoch are not finite")
    if totals[SAMPLES] != samples and not (0 <= totals[SAMPLES] < samples and totals[SAMPLES] % batch_size == 0):
        raise ValueError("the totals of its epoch are not those of whole batches")
    number = whole_number("epoch", fit["epoch"]["number"], least=0)
    metrics, rates = fit["history"]["metrics"], fit["history"]["learning_rates"]
    for values in [*metrics.values(), *([rates] if rates else [])]:
        if len(values) != number or not all(isinstance(value, float) for value in values):
            raise ValueError("its history is not one of floats, one an epoch")
    return FitState(optimizer, batch_size, samples, true_or_false("shuffle", fit["shuffle"]),
                    Epoch(number, word(fit["epoch"]["random"]), totals), History(metrics, rates))
