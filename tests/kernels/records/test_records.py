"""Laws of the registries: every record is complete, has a unique name, and is found by it."""

import importlib
import inspect
import pkgutil
import re
from dataclasses import fields
from itertools import chain

import pytest

from fastnn.kernels.activations import Activation, activations
from fastnn.kernels.compiling.registry import Registry
from fastnn.kernels.losses import losses
from fastnn.kernels.optimizers import optimizers

REGISTRIES = [activations, losses, optimizers]
RECORDS = [(registry, name) for registry in REGISTRIES for name in registry]
ON_LOGITS = [record for loss in losses.values() for record in loss.on_logits.values()]

every_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
every_record = pytest.mark.parametrize(
    ("registry", "name"), RECORDS, ids=[f"{registry.kind}-{name}" for registry, name in RECORDS]
)


@every_record
def test_found_by_name(registry, name):
    record = registry[name]
    assert record.name == name
    assert registry.resolve(name) is record
    assert registry.resolve(record) is record


@pytest.mark.parametrize("package", ["activations", "losses", "optimizers"])
def test_each_stands_in_the_file_of_its_name(package):
    folder = importlib.import_module(f"fastnn.kernels.{package}")
    files = {module.name for module in pkgutil.iter_modules(folder.__path__)}
    files -= {"ctc"}  # a loss of sequences, which is no record of one output and one target
    records = [name for name, record in getattr(folder, package).items() if getattr(record, "builtin", True)]
    assert files == {re.sub(r"_[\d.]+$", "", name) for name in records}


@every_registry
@pytest.mark.parametrize("given", ["tahn", "", None, 3, ["relu"]])
def test_unknown_name_lists_the_known(registry, given):
    with pytest.raises(ValueError, match=f"unknown {registry.kind}") as caught:
        registry.resolve(given)
    assert repr(given) in str(caught.value)
    for name in registry:
        assert name in str(caught.value)


@every_record
def test_name_is_taken(registry, name):
    with pytest.raises(ValueError, match=f"already an? {registry.kind} named '{name}'; give yours another"):
        registry.register(registry[name])


def test_registry_is_empty_at_first():
    registry = Registry("activation", Activation)
    assert len(registry) == 0
    assert registry.register(activations["tanh"]) is activations["tanh"]
    assert list(registry) == ["tanh"]


@pytest.mark.parametrize("record", [*activations.values(), *losses.values(), *ON_LOGITS], ids=lambda record: record.name)
def test_record_is_complete(record):
    assert record.formula
    assert record.prime_formula
    for function in (record.value, record.prime, record.vectorized, record.vectorized_prime):
        assert callable(function)


@pytest.mark.parametrize("cls", list(optimizers.values()), ids=lambda cls: cls.name)
def test_optimizer_is_complete(cls):
    assert cls.formula
    assert all(isinstance(slot, str) for slot in cls.slots)
    assert list(inspect.signature(cls.update).parameters) == ["parameters", "gradients", *cls.slots, "c"]
    assert list(inspect.signature(cls.vectorized).parameters) == ["self", "parameters", "gradients", *cls.slots, "step"]
    hyperparameters = cls.hyperparameter_names()
    assert hyperparameters[0] == "learning_rate"
    assert tuple(inspect.signature(cls.coefficients).parameters)[1 : 1 + len(hyperparameters)] == hyperparameters
    for name in (field.name for field in fields(cls)):
        assert name in cls.__doc__, f"{name} is not described"


@pytest.mark.parametrize("loss", list(losses.values()), ids=lambda loss: loss.name)
def test_loss_on_logits_names_an_activation(loss):
    assert loss.targets in ("classes", "binary", "values")
    for name, record in loss.on_logits.items():
        assert name in activations
        assert record.rowwise or not activations[name].rowwise
        assert record.targets == loss.targets


def test_kernels_have_names_of_their_own():
    """They are linked, and cached, by name."""
    kernels = [
        *chain.from_iterable((record.forward, record.backward) for record in activations.values()),
        *(record.kernel for record in [*losses.values(), *ON_LOGITS]),
        *chain.from_iterable((cls.kernel, cls.coefficients_kernel) for cls in optimizers.values()),
    ]
    names = [kernel.name for kernel in kernels]
    assert len(names) == len(set(names))
