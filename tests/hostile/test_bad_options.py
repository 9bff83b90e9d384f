"""Every option of every public class and function refuses invalid values, with an error that names it and the repair.

The options are taken from the signatures, so new ones are tested too.
"""

import inspect
import math
from functools import partial

import numpy as np
import pytest
from witness import REPAIR, assert_refused
from zoo import ZOO

import fastnn
from fastnn import Callback, Dense, Network, datasets
from fastnn.layers.windows import shorter

# Required arguments of a class, for trying its other options.
NEEDED = {"out_features": 3, "rate": 0.2, "activation": "relu", "learning_rate": 0.1, "every": 3, "steps": 3,
          "path": "log.csv", "name": "gini", "shape": (3,), "out_channels": 4, "kernel_size": 3, "groups": 2, "height": 4,
          "width": 4, "pixels": 1, "scale": 2.0, "deviation": 0.1, "size": 2, "padding": 1,
          "tokens": 5, "features": 3, "heads": 2, "hidden_features": 4, "positions": 9}
NO_OPTIONS = {"Network", "History", "Callback", "DivergenceError", "ModelFormatError", "Population", "Sweep",
              "Bidirectional", "Chain", "Parallel", "Residual", "Sequences", "Shared",
              "Stream"}  # layers, arrays and networks are no options

every_value = pytest.mark.parametrize("value", ZOO.values(), ids=ZOO)
pytestmark = pytest.mark.filterwarnings("error")


def options(function):
    return {name: each for name, each in inspect.signature(function).parameters.items()
            if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)}


def classes():
    found = {name: getattr(fastnn, name) for name in fastnn.__all__}
    found = {name: each for name, each in found.items() if inspect.isclass(each) and name not in NO_OPTIONS}
    try:
        from fastnn.tables import Recipe
    except ImportError:
        return found
    return found | {"Recipe": Recipe}


CLASS_OPTIONS = [(name, option) for name, each in classes().items() for option in options(each)]


def same(taken, given):
    """Return whether an accepted option equals the given value."""
    if given is None and taken == "identity":  # of an activation
        return True
    try:
        short = shorter(taken) if isinstance(taken, tuple) and taken else taken  # one number for each axis
        plain = given[0] if isinstance(given, list) and len(given) == 1 else given
        return (taken is given or (not isinstance(plain, np.ndarray) and short == plain)
                or (isinstance(given, int) and taken == (given,)) or type(taken)(given) == taken)
    except (TypeError, ValueError, ArithmeticError):
        return False


@pytest.mark.parametrize(("name", "option"), CLASS_OPTIONS)
def test_a_class_takes_an_option_as_it_is_or_refuses_it(name, option):
    make = classes()[name]
    needed = {each: NEEDED[each] for each, parameter in options(make).items() if parameter.default is parameter.empty}
    for value in ZOO.values():
        try:
            made = make(**{**needed, option: value})
        except ValueError as error:
            message = str(error)
            assert option in message or "unknown" in message, message  # a registry tells of its kind of records instead
            assert REPAIR.search(message), message
            assert len(message) < 300, message
            assert "\n" not in message, message
        else:
            if value is None and options(make)[option].default is None:
                continue
            if inspect.isgenerator(value):  # it is empty by now
                continue
            assert same(getattr(made, option, value), value), (value, getattr(made, option))


@pytest.mark.parametrize("name", fastnn.optimizers)
def test_an_optimizer_refuses_a_change_likewise(name):
    for option in options(fastnn.optimizers[name]):
        optimizer = fastnn.optimizers[name]()
        before = repr(optimizer)
        for value in ("no", math.nan, -1, 1j, np.timedelta64(1, "s"), 10**400):
            assert_refused(partial(setattr, optimizer, option, value), option, value)
        assert repr(optimizer) == before


# Functions: the valid values of an option among those of the zoo; all others are refused.


def whole(least=1, most=2**63 - 1):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def shape(value):
    return whole()(value) or (isinstance(value, (list, tuple)) and len(value) > 0 and all(map(whole(), value)))


def real(value):
    return isinstance(value, (int, float, np.floating)) and not isinstance(value, bool) and 0 < value < math.inf


def flag(value):
    return isinstance(value, (bool, np.bool_))


def path(value):
    return isinstance(value, str) and value != ""


def optional(accepts):
    return lambda value: value is None or accepts(value)


def nothing(value):
    return False


def empty_list(value):
    return type(value) is list and not value


def seed(value):
    return value is None or whole(0, math.inf)(value)


def zero_or_real(value):
    return (value == 0 and type(value) is int) or real(value)


X, LABELS = np.random.default_rng(0).normal(size=(6, 2)), np.array([0, 1, 2, 0, 1, 2])


def net():
    return Network([Dense(3, "softmax")], inputs=2)


def fit(**given):
    return net().fit(X, LABELS, **{"progress": False, **given})


FUNCTIONS = {
    "Network": (lambda **given: Network(**{"layers": [Dense(3)], "inputs": 2, **given}), {
        "layers": lambda value: isinstance(value, Dense), "inputs": shape, "loss": optional(nothing), "dtype": nothing,
        "seed": seed, "mean": nothing}),
    "fit": (fit, {
        "epochs": whole(0), "batch_size": whole(), "optimizer": optional(nothing), "validation_data": optional(nothing),
        "validation_split": optional(lambda value: zero_or_real(value) and value < 1),
        "learning_rate_factors": lambda value: value is None or (isinstance(value, dict) and not value),
        "weight_decays": lambda value: value is None or (isinstance(value, dict) and not value),
        "backprop_steps": lambda value: value is None, "accumulate": whole(),
        "frozen": optional(empty_list), "sample_weight": optional(nothing),
        "class_weight": lambda value: value is None or (isinstance(value, dict) and not value),
        "shuffle": flag, "metrics": empty_list, "callbacks": empty_list, "threads": optional(whole()),
        "progress": optional(flag), "resume": flag}),
    "forward": (lambda **given: net().forward(X, **given), {"threads": optional(whole())}),
    "predict": (lambda **given: net().predict(X, **given), {"threads": optional(whole())}),
    "predict_proba": (lambda **given: net().predict_proba(X, **given), {"threads": optional(whole())}),
    "evaluate": (lambda **given: net().evaluate(X, LABELS, **given),
                 {"sample_weight": optional(nothing), "metrics": empty_list, "threads": optional(whole())}),
    "loss_and_gradients": (lambda **given: net().loss_and_gradients(X, LABELS, **given), {
        "sample_weight": optional(nothing), "training": flag, "threads": optional(whole())}),
    "loss_function": (lambda **given: net().loss_function(X, LABELS, **given),
                      {"sample_weight": optional(nothing), "training": flag}),
    "astype": (lambda **given: net().astype(**given), {"dtype": nothing}),
    "save": (lambda **given: net().save(**given), {"path": path}),
    "load": (lambda **given: Network.load(**given), {"path": path}),
    "to_onnx": (lambda **given: net().to_onnx(**given), {"path": path}),
    "save_checkpoint": (lambda **given: net().save_checkpoint(**given), {"path": path}),
    "load_checkpoint": (lambda **given: Network.load_checkpoint(**given), {"path": path}),
    "load_torch": (lambda **given: net().load_torch(**{"source": {}, **given}),
                   {"source": lambda value: path(value) or isinstance(value, dict)}),
    "from_config": (lambda **given: Network.from_config(**{"config": net().config(), **given}), {"config": nothing,
    "seed": seed}),
    "check_gradients": (lambda **given: fastnn.check_gradients(**{"network": net(), "X": X, "y": LABELS, **given}), {
        "network": nothing, "X": nothing, "y": nothing, "sample_weight": optional(nothing), "training": flag,
        "tolerance": zero_or_real, "step": real, "max_checks": whole(), "seed": whole(0, math.inf)}),
    "register_activation": (lambda **given: fastnn.register_activation(
        **{"name": "of_a_test", "value": lambda z: z, "prime": lambda z, a: 1.0, **given}), {
        "name": lambda value: isinstance(value, str) and value != "", "value": lambda value: value is int,
        "prime": lambda value: value is int,
        "smooth": flag,
        "kinks": lambda value: isinstance(value, (list, dict, set, np.ndarray)) or inspect.isgenerator(value),
        "initializer": nothing, "onnx": lambda value: value is None or isinstance(value, str) or callable(value)}),
    "register_loss": (lambda **given: fastnn.register_loss(
        **{"name": "of_a_test", "value": lambda a, y: a, "prime": lambda a, y: 1.0, **given}), {
        "name": lambda value: isinstance(value, str) and value != "", "value": lambda value: value is int,
        "prime": lambda value: value is int,
        "smooth": flag, "targets": nothing}),
    "spiral": (datasets.spiral, {"samples": whole(3, 10), "classes": whole(), "noise": zero_or_real, "seed": seed}),
    "parity": (datasets.parity, {"bits": whole(1, 24)}),
    "mnist": (datasets.mnist, {"path": optional(path)}),
    "breast_cancer": (datasets.breast_cancer, {"return_names": flag}),
    "schedule": (fastnn.CosineDecay(0.1, steps=3), {
        "step": lambda value: isinstance(value, (list, np.ndarray)) or flag(value) or real(value) or value == math.inf}),
}


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, (_, taken) in FUNCTIONS.items() for option in taken])
def test_a_function_refuses_what_it_cannot_use(name, option):
    call, taken = FUNCTIONS[name]
    for value in ZOO.values():
        if not accepted(taken[option], value):
            try:
                call(**{option: value})
            except (ValueError, MemoryError) as error:
                message = str(error)
                assert option in message or "unknown" in message, (value, message)
                assert REPAIR.search(message), (value, message)
                assert "\n" not in message, (value, message)
            else:
                pytest.fail(f"{name}({option}=...) took {value!r}")


def accepted(accepts, value):
    try:
        return bool(accepts(value))
    except (TypeError, ValueError, ArithmeticError):  # what cannot even be compared
        return False


def test_the_table_of_functions_has_all_their_options():
    methods = {name: getattr(Network, name) for name in FUNCTIONS if hasattr(Network, name)}
    functions = {"check_gradients": fastnn.check_gradients, **methods}
    for name, function in functions.items():
        there = set(options(function)) - {"self", "X", "y", "layers", "optimizer"}
        there -= {"verbose", "batch_size"} if name.startswith("predict") else set()  # they change nothing there
        assert there <= set(FUNCTIONS[name][1]), name


@pytest.mark.parametrize("value", ["no", 1j, math.nan, None])
def test_a_schedule_of_the_callers_own_that_gives_nonsense(value):
    given = fastnn.Adam(learning_rate=lambda step: value)
    untrained = net()
    assert_refused(lambda: untrained.fit(X, LABELS, optimizer=given), "learning_rate", value, untrained)


def test_parameters_are_written_into_not_replaced():
    net_ = net()
    with pytest.raises(TypeError, match=r"write into it: network.parameters\['0.weight'\]\[:\] = values"):
        net_.parameters["0.weight"] = 0.0
    for name in ("3.weight", "weight", 0, None, [1]):
        with pytest.raises(KeyError, match=r"the name must be one of: 0.weight, 0.bias"):
            net_.parameters[name]
    assert net_.parameters.get("3.weight") is None
    assert list(net_.parameters) == ["0.weight", "0.bias"]


@pytest.mark.parametrize(("change", "says"), [
    ({"layers": [{"layer": "Conv"}]}, r"layers\[0\] is an unknown layer 'Conv' \(.*register_layer\); the known ones are"),
    ({"layers": [{"layer": ["Dense"]}]}, r"layers\[0\] is an unknown layer \['Dense'\] \(.*the known ones are"),
    ({"layers": [3]}, r"layers\[0\] is 3; it must be what config\(\) of a layer gives"),
    ({"layers": [{"layer": "Dense", "out": 3}]}, r"an unknown option 'out'; it must have"),
    ({"layers": [{"layer": "Dense"}]}, r"no option 'out_features'; it must have"),
    ({"layers": []}, "layers is empty; give at least one"), ({"inputs": "2"}, "inputs is '2'; it must be"),
])
def test_an_architecture_that_is_none(change, says):
    with pytest.raises(ValueError, match=says):
        Network.from_config({**net().config(), **change})


@pytest.mark.parametrize("widths", [(2**40, 2**40), (2**62,), (2**31, 2**31)])
def test_more_parameters_than_memory(widths):
    with pytest.raises((ValueError, MemoryError), match=r"parameters.*make (them|the layers) narrower"):
        Network([Dense(width) for width in widths], inputs=2**20)


def test_a_callback_that_fails_before_the_fit_leaves_the_network_as_it_was():
    class Refuses(Callback):
        def on_train_begin(self, logs):
            raise ValueError("not today; choose another day")

    net_ = net()
    net_.fit(X, LABELS, progress=False)
    assert_refused(lambda: net_.fit(X, LABELS, callbacks=[Refuses()], progress=False), "not today", "not today", net_)
