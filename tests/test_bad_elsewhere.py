"""Beside networks: populations, sweeps, tables, pictures and files of others refuse what they cannot use, likewise.

`test_bad_options.py` has the values that are given here, and networks.
"""

import inspect

import numpy as np
import pytest
from test_bad_options import LABELS, ZOO, X
from witness import REPAIR

import fastnn
from fastnn import Dense, Network, Population, from_torch_state_dict, onnx

MORE = {"half a character": "\ud800", "a zero in a name": "a\0b", "rows of many lengths": [[1], [1, 2]],
        "numbers": range(3), "no rows": np.zeros((0, 2)), "more axes": np.zeros((2, 2, 2)), "numbers below zero": [-1, -2],
        "huge numbers": [2**70],
        "fields": np.zeros(2, [("a", "f4")]), "a function": lambda *_, **__: None, "a class": Dense, "Nones": [None],
        "a long text": "x" * 10_000}
pytestmark = pytest.mark.filterwarnings("error")


def net(activation="softmax"):
    return Network([Dense(3, activation)], inputs=2)


def fitted():
    population = Population([net(), net()])
    population.fit(X, LABELS, progress=False)
    return population


def sweep(**given):
    return fastnn.sweep(**{"space": {"width": [2]}, "X": X, "y": LABELS, "epochs": 1, "progress": False, **given})


def state_dict():
    return {"0.weight": np.ones((2, 3)), "1.weight": np.ones((1, 2))}


def is_path(value):
    return isinstance(value, str) and value.strip() and value not in ("\ud800", "a\0b")


def is_real(value):
    return np.ndim(value) == 0 and 0 <= np.float64(value) <= 1


MEMBERS = fitted()
# A call, and for each of its options: which values it may take. All others are refused.
CALLS = {
    "warmup": (fastnn.warmup, {"dtypes": lambda value: len(list(value)) == 0}),
    "Population.scores": (MEMBERS.scores, {"metric": lambda value: value is None}),
    "Population.ranking": (MEMBERS.ranking, {"metric": lambda value: value is None}),
    "Population.best": (MEMBERS.best, {"metric": lambda value: value is None}),
    "Population.predict": (lambda **given: MEMBERS.predict(X, **given), {"how": None}),
    "Population.quantiles": (lambda **given: MEMBERS.quantiles(X, **given), {
        "q": lambda value: np.isscalar(value) or isinstance(value, (np.ndarray, list, bool))}),
    "sweep": (sweep, {"space": None, "y": None, "task": lambda value: value is None,
                      "metric": lambda value: value is None, "optimizer": None,
                      "halving": lambda value: value is None or value >= 1.5}),
    "from_torch_state_dict": (lambda **given: from_torch_state_dict(**{"source": state_dict(), **given}), {
        "activation": None, "layers": lambda value: value is None}),
    "onnx.load": (onnx.load, {"path": None}),
    "onnx.export": (lambda **given: onnx.export(**{"network": net(), "path": "net.onnx", **given}), {
        "network": None, "path": is_path}),
}
IN_TABLES = {
    "read_table": {"path": None, "text": None, "separator": None},
    "write_table": {"table": None, "path": is_path},
    "train": {"table": None, "target": None, "recipe": lambda value: value is None},
    "TableModel": {"network": None, "preprocessing": None, "target": None,
                   "report": lambda value: value is None or isinstance(value, dict)},
    "TableModel.load": {"path": None},
    "Preprocessing.fit": {"table": None, "rows": lambda value: value is None or value in (range(3), [1]) or value == [1],
                          "text": lambda value: not isinstance(value, str) and len(list(value)) == 0,
                          "drop": lambda value: not isinstance(value, str) and len(list(value)) == 0},
    "Preprocessing": {"columns": lambda value: not isinstance(value, str) and len(list(value)) == 0},
    "Preprocessing.from_json": {"text": None},
    "evaluate": {"table": None},
    "save": {"path": is_path},
}
IN_PICTURES = {
    "decision_boundary": {"net": None},
    "confusion_matrix": {"net": None, "labels": lambda value: value is None or len(value) == 3},
    "network_diagram": {"net": None}, "gradient_flow": {"net": None}, "weight_histograms": {"net": None},
    "activation_histograms": {"net": None}, "weight_image": {"net": None}, "activation_image": {"net": None},
    "learning_curves": {"history": None, "metric": None},
}


def taken(accepts, value):
    try:
        return accepts is not None and bool(accepts(value))
    except (TypeError, ValueError, ArithmeticError, AttributeError):  # what cannot even be compared
        return False


def check(name, call, option, accepts):
    for word, value in (ZOO | MORE).items():
        if inspect.isgenerator(value):
            continue  # it comes to its end with the first who looks
        if taken(accepts, value):
            continue
        try:
            call(**{option: value})
        except ImportError as error:
            pytest.skip(str(error))
        except (ValueError, MemoryError, OSError) as error:
            if not isinstance(error, OSError) and not REPAIR.search(str(error)):
                pytest.fail(f"{name}({option}={word}): {error}")
        except Exception as error:
            pytest.fail(f"{name}({option}={word}): {error!r}")
        else:
            pytest.fail(f"{name}({option}={word}) was taken")


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, (_, options) in CALLS.items() for option in options])
def test_calls(name, option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, options = CALLS[name]
    check(name, call, option, options[option])


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, options in IN_TABLES.items() for option in options])
def test_calls_of_tables(name, option, tmp_path, monkeypatch):
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    from fastnn import tables

    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"a": np.arange(40) * 1.5 % 7, "t": np.arange(40) * 0.3 % 5})
    recipe = tables.Recipe(epochs=1)
    model = tables.train(frame, "t", recipe).model
    call = {
        "read_table": lambda **given: tables.read_table(**{"path": "nothing.csv", **given}),
        "write_table": lambda **given: tables.write_table(**{"table": frame, "path": "t.csv", **given}),
        "train": lambda **given: tables.train(**{"table": frame, "target": "t", "recipe": recipe, **given}),
        "TableModel": lambda **given: tables.TableModel(**{
            "network": model.network, "preprocessing": model.preprocessing, "target": model.target, **given}),
        "TableModel.load": tables.TableModel.load,
        "Preprocessing.fit": lambda **given: tables.Preprocessing.fit(**{"table": frame, **given}),
        "Preprocessing": tables.Preprocessing, "Preprocessing.from_json": tables.Preprocessing.from_json,
        "evaluate": model.evaluate, "save": model.save,
    }[name]
    check(name, call, option, IN_TABLES[name][option])


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, options in IN_PICTURES.items() for option in options])
def test_calls_of_pictures(name, option):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot").use("Agg")
    from fastnn import plot

    function = getattr(plot, name)
    right = {"net": net(), "X": X, "y": LABELS, "history": {"loss": [1.0, 0.5]}}
    right = {given: right[given] for given in inspect.signature(function).parameters if given in right}
    check(name, lambda **given: function(**{**right, **given}), option, IN_PICTURES[name][option])
