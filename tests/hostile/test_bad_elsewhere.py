"""Populations, sweeps, tables, pictures and foreign files refuse invalid values too.

The values are in `zoo.py`, the tests of networks in `test_bad_options.py`.
"""

import copy
import inspect
import io
import math
import warnings

import numpy as np
import pytest
from test_bad_options import LABELS, X
from witness import REPAIR
from zoo import ZOO

import fastnn
from fastnn import (
    GRU,
    Attention,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    History,
    Network,
    Population,
    from_torch_state_dict,
    jit,
    onnx,
    plot,
)
from fastnn.network.learning_rate_finder import LearningRates

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


def are_rows(value):
    return value is None or value == [1] or value == range(3) or value == [[1], [1, 2]]


def is_path(value):
    return isinstance(value, str) and value.strip() and value not in ("\ud800", "a\0b")


def are_numbers(values):
    """Return whether each is a number, or can be converted to one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return not isinstance(values, (str, bytes)) and all(isinstance(float(value), float) for value in values)


def is_real(value):
    return np.ndim(value) == 0 and 0 <= np.float64(value) <= 1


MEMBERS = fitted()
# A call, and the valid values of each of its options. All others are refused.
CALLS = {
    "Population": (lambda **given: Population(**{"networks": [net(), net()], **given}), {
        "networks": None, "seeds": lambda value: value is None}),
    "Population.fit": (lambda **given: Population([net(), net()]).fit(**{
        "X": X, "y": LABELS, "rows": [0, 1, 2], "progress": False, **given}), {
        "X": None, "y": None, "rows": are_rows, "validation_rows": are_rows,
        "metrics": lambda value: value == []}),
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
    "History": (History, {"metrics": lambda value: value in ((), {}), "learning_rates": are_numbers}),
    "History.append": (lambda **given: History().append(**{"values": {}, **given}), {
        "values": lambda value: value == {}, "learning_rate": lambda value: value is None or are_numbers([value])}),
    "History.extend": (lambda **given: History().extend(**{"values": {}, **given}), {
        "values": lambda value: value == {}, "learning_rates": are_numbers}),
    "History of a metric": (lambda **given: History({"loss": given["metrics"]}), {"metrics": are_numbers}),
    "History.first": (History().first, {"epochs": lambda value: isinstance(value, int) and 0 <= value < 2**63
                                        and not isinstance(value, bool)}),
    "views": (lambda **given: jit.views(**{"network": net(), "vector": np.zeros(9), **given}), {
        "network": None, "vector": None}),
    "from_torch_state_dict": (lambda **given: from_torch_state_dict(**{"source": state_dict(), **given}), {
        "activation": None, "layers": lambda value: value is None}),
    "onnx.load": (onnx.load, {"path": None}),
    "load_keras": (fastnn.load_keras, {"path": None}),
    "onnx.export": (lambda **given: onnx.export(**{"network": net(), "path": "net.onnx", **given}), {
        "network": None, "path": is_path}),
}
IN_TABLES = {
    "read_table": {"path": None, "text": None, "separator": None, "decimal": lambda value: value == {} or value is None,
                   "thousands": lambda value: value == {} or value is None, "skip": lambda value: value in (None, 1),
                   "missing_values": None, "like": lambda value: value is None},
    "write_table": {"table": None, "path": is_path},
    "train": {"table": None, "target": None, "recipe": lambda value: value is None},
    "TableModel": {"network": None, "preprocessing": None, "target": None,
                   "report": lambda value: value is None or isinstance(value, dict),
                   "number_formats": lambda value: value is None or value == {}},
    "TableModel.load": {"path": None},
    "Preprocessing.fit": {
        "table": None, "rows": lambda value: value is None or value in (range(3), [1]) or value == [1],
        "text": lambda value: not isinstance(value, str) and len(list(value)) == 0,
        "drop": lambda value: not isinstance(value, str) and len(list(value)) == 0,
        "keep_columns": lambda value: not isinstance(value, str) and len(list(value)) == 0,
        "keep_words": lambda value: not isinstance(value, str) and len(list(value)) == 0,
        "counters": lambda value: value is None or (not isinstance(value, str) and len(list(value)) == 0),
        "missing_values": lambda value: not isinstance(value, str) and all(
            isinstance(each, (str, int, float)) for each in np.ravel(list(value)).tolist()),
        "max_categories": lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**63,
        "limit": lambda value: np.ndim(value) == 0 and not isinstance(value, (bool, np.bool_)) and value > 0},
    "Preprocessing": {"columns": lambda value: not isinstance(value, str) and len(list(value)) == 0},
    "Preprocessing.from_json": {"text": None}, "Preprocessing.from_config": {"config": None},
    "evaluate": {"table": None},
    "save": {"path": is_path},
}
# The arguments of a picture, and the valid values of each of its options, by name.
OF_PICTURES = {"net": net(), "X": X, "y": LABELS, "history": {"loss": [1.0, 0.5]}, "layer": 0}
IMAGES = Network([Conv2D(2, 3), Flatten(), Dense(3, "softmax")], inputs=(5, 4, 1))
STEPS = Network([Conv1D(3, 1), Attention(), Flatten(), Dense(3, "softmax")], inputs=(4, 3))
SERIES = Network([GRU(4), Dense(3, "softmax")], inputs=(None, 3))
OF_IMAGE = {"net": IMAGES, "x": np.ones((5, 4, 1))}
OF_PICTURE = {"score_by": {"values": [1, 2, 3], "scores": [0.5, 0.2, 0.1]},
              "learning_rates": {"found": LearningRates(*np.ones((3, 4)), 0.1)},
              "filters": {"net": IMAGES}, "feature_maps": OF_IMAGE, "saliency": OF_IMAGE, "grad_cam": OF_IMAGE,
              "attention": {"net": STEPS, "x": np.ones((4, 3))},
              "gradient_over_time": {"net": SERIES, "x": np.ones((4, 3))},
              "hidden_states": {"net": SERIES, "x": np.ones((4, 3))},
              "mistakes": {"net": IMAGES, "X": np.ones((len(LABELS), 5, 4, 1))},
              "heat_map": {"values": [[1.0, 2.0], [3.0, 4.0]], "rows": ["a", "b"], "columns": ["c", "d"]}}
IN_PICTURES = {
    "net": None, "X": None, "y": None, "history": None, "found": None, "ax": lambda value: value is None,
    "sample_weight": lambda value: value is None, "shape": lambda value: value is None,
    "labels": lambda value: value is None or len(value) == 3,
    "head": lambda value: value is None or (value in (0, -1) and not isinstance(value, bool)),
    "queries": lambda value: value is None or (not isinstance(value, str) and len(value) == 4),
    "steps": lambda value: value is None or (not isinstance(value, str) and len(value) == 4),
    "layer": lambda value: value in (0, -1) and not isinstance(value, bool),
    "normalize": lambda value: isinstance(value, (bool, np.bool_)),
    "training": lambda value: isinstance(value, (bool, np.bool_)),
    "values": lambda value: value == range(3), "scores": lambda value: value == range(3),
    "rows": lambda value: not isinstance(value, str) and len(value) == 2,
    "columns": lambda value: not isinstance(value, str) and len(value) == 2,
    "label": lambda value: isinstance(value, str), "name": lambda value: isinstance(value, str),
    "form": lambda value: isinstance(value, str),
    "mode": lambda value: isinstance(value, str) and value in ("auto", "min", "max"),
    "most": lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**63,
    "count": lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**63, "x": None,
}
IN_PICTURES_OF_IMAGES = {
    "layer": lambda value: value is None or (value == 0 and not isinstance(value, bool)),
    "label": lambda value: value is None or (value in (0, 1, 2) and not isinstance(value, bool)),
}


def taken(accepts, value):
    try:
        return accepts is not None and bool(accepts(value))
    except (TypeError, ValueError, ArithmeticError, AttributeError, Warning):  # what cannot even be compared
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
        "Preprocessing.from_config": tables.Preprocessing.from_config,
        "evaluate": model.evaluate, "save": model.save,
    }[name]
    check(name, call, option, IN_TABLES[name][option])


@pytest.mark.parametrize("name", [picture.__name__ for picture in plot.PICTURES])
def test_calls_of_pictures(name):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot").use("Agg")
    function = getattr(plot, name)
    options = inspect.signature(function).parameters
    right = {option: value for option, value in (OF_PICTURES | OF_PICTURE.get(name, {})).items() if option in options}
    takes = IN_PICTURES | {"metric": (lambda value: value is None) if name == "score_by" else None}
    if name == "gradient_over_time":
        takes |= {"name": lambda value: value is None or isinstance(value, str)}
    if name == "attention":
        takes |= {"layer": lambda value: value is None or (value == 1 and not isinstance(value, bool))}
    elif "net" in OF_PICTURE.get(name, {}):
        takes |= IN_PICTURES_OF_IMAGES
    for option in options:
        check(name, lambda **given: function(**{**right, **given}), option, takes[option])


@pytest.mark.parametrize("form", ["{", "{:d}", "{0} {1}", "{name}", "{.x}"])
def test_a_form_that_writes_no_number(form):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    with pytest.raises(ValueError, match=r"form is .*; it must be text that writes a number, such as '\{:.3f\}'"):
        plot.heat_map([[1.0]], ["a"], ["b"], form=form)


@pytest.mark.parametrize("values", [
    [0.1, math.inf, 0.3, 0.4, 0.5, 0.6, 0.7], [0.1, 10**400, 0.3, 0.4, 0.5, 0.6, 0.7],
    [-math.inf, math.inf, 0.5, 1.5, 2.5, 3.5, math.nan], [True, False, 1, 2, 3, 4, 5], [1, 1.0, 2, 2.0],
    [None, 1, "a", b"", (), 2.5], [1e-100, 1e100, 0.3, 0.4, 0.5, 0.6, 0.7], [2**70 + each for each in range(13)],
], ids=["inf", "too large for a float", "infinities", "bools and numbers", "1 and 1.0", "anything", "far apart", "large"])
def test_scores_by_values_that_no_scale_holds(values):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    ax = plot.score_by(values, range(len(values)))
    ax.figure.savefig(io.BytesIO(), dpi=30)
    assert len(ax.lines[0].get_xdata()) == len(values)
    assert np.isfinite(ax.lines[0].get_xdata()).all()


def test_a_table_with_cells_that_hold_no_number():
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    for values in ([[1.0, math.nan, math.inf]], [[math.nan, math.nan, math.nan]]):
        ax = plot.heat_map(values, ["a"], ["b", "c", "d"])
        ax.figure.savefig(io.BytesIO(), dpi=30)
        assert [text.get_text() for text in ax.texts] == [f"{value:.3f}" for value in values[0]]


@pytest.mark.parametrize(("call", "argument"), [
    (lambda plot: plot.axes(0), "rows"), (lambda plot: plot.axes(1, 1.5), "columns"),
    (lambda plot: plot.axes(width=math.inf), "width"), (lambda plot: plot.axes(height=0), "height"),
    (lambda plot: plot.class_colors(-1), "classes"), (lambda plot: plot.plain(None), "ax"),
    (lambda plot: plot.save_picture(3, None), "path"), (lambda plot: plot.class_probabilities(3, X), "net"),
    (lambda plot: plot.sweep_panels([], [], "loss"), "configurations"),
    (lambda plot: plot.sweep_panels([{"width": 1}, {"depth": 1}], [1, 2], "loss"), "configurations"),
    (lambda plot: plot.sweep_panels([{"width": 1}, {"width": 2}], [1], "loss"), "scores"),
    (lambda plot: plot.sweep_panels([{"width": 1}, {"width": 2}], [1, 2], "loss", columns=0), "columns"),
])
def test_what_pictures_are_made_with(call, argument):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    with pytest.raises(ValueError, match=rf"^{argument}\b.*(must|give)"):
        call(plot)


@pytest.mark.parametrize("number", [math.nan, math.inf, 1e38], ids=str)
@pytest.mark.parametrize("where", [..., (0, 0)], ids=["all", "one"])
@pytest.mark.parametrize("name", ["activation_histograms", "activation_image", "attention", "confusion_matrix",
                                  "decision_boundary", "feature_maps", "filters", "grad_cam", "gradient_flow", "mistakes",
                                  "network_diagram", "saliency", "weight_histograms", "weight_image"])
def test_pictures_of_a_network_gone_wrong(name, where, number):
    """They draw what can be drawn, or raise an error with fastnn's own message."""
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    others = OF_PICTURE.get(name, {})
    wrong, function = copy.deepcopy(others.get("net", net())), getattr(plot, name)
    wrong.parameters["0.weight"][where] = number
    given = {**OF_PICTURES, **others, "net": wrong}
    try:
        ax = function(**{option: given[option] for option in inspect.signature(function).parameters if option in given})
    except fastnn.DivergenceError:
        pass
    except ImportError as error:
        pytest.skip(str(error))
    except ValueError as error:
        if not REPAIR.search(str(error)):
            pytest.fail(str(error))
    else:
        ax.figure.savefig(io.BytesIO(), dpi=20)


@pytest.mark.parametrize("values", [3, "abc", ["a"], [None], [[1, 2]], np.ones((2, 2))], ids=str)
@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_a_history_of_no_numbers(name, values):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    with pytest.raises(ValueError, match=rf"history\['{name}'\] is .*; it must be a list of numbers, one for each epoch"):
        plot.learning_curves({"loss": [1.0], name: values})
