"""Counts, quantiles, ordered classes and several targets: laws over all kinds of targets, then each kind."""

import json

import numpy as np
import pandas as pd
import pytest

from fastnn import cli
from fastnn.tables import Recipe, TableModel, metrics, train
from fastnn.tables.classes import Classes
from fastnn.tables.plain import to_config
from fastnn.tables.target import Values
from fastnn.tables.targets import SINGLE, Counts, Quantiles, Several, from_config
from fastnn.tables.targets.ordered import in_order
from fastnn.tables.training import likelihoods, linear, mixing
from fastnn.tables.training.baselines import baselines
from fastnn.tables.training.cross_validation import cross_validate
from fastnn.tables.training.importance import importance

of_sklearn = pytest.importorskip("sklearn.metrics", reason="compared with scikit-learn")
generator = np.random.default_rng(0)
ROWS = 300
A, NOISE = generator.normal(size=ROWS), generator.normal(size=ROWS)
TABLE = pd.DataFrame({
    "a": A, "b": generator.choice(["u", "v"], ROWS), "value": A + NOISE * (A > 0), "count": generator.poisson(np.exp(A)),
    "grade": np.array(["low", "mid", "high"])[np.digitize(A + NOISE / 3, [-1, 1])],
    "class": np.where(A + NOISE / 2 > 0, "p", "q")})
ORDER = ["low", "mid", "high"]
CASES = {
    "regression": ("value", {}), "classification": ("class", {}), "counts": ("count", {"task": "counts"}),
    "quantiles": ("value", {"quantiles": [0.1, 0.5, 0.9]}), "ordered": ("grade", {"order": ORDER}),
    "several": (["value", "class", "count"], {"task": {"count": "counts"}}),
}
TARGETS = ("value", "count", "grade", "class")
TRAINED = {}


def trained(kind):
    """Return (table, Result), trained once."""
    if kind not in TRAINED:
        target, options = CASES[kind]
        names = target if isinstance(target, list) else [target]
        table = TABLE.drop(columns=[name for name in TARGETS if name not in names])
        TRAINED[kind] = table, train(table, target, Recipe(epochs=8, members=2, **options))
    return TRAINED[kind]


def figures(found):
    """Return a flat list of metrics."""
    return [each for value in found.values() for each in (figures(value) if isinstance(value, dict) else [value])]


def test_each_kind_of_target_has_a_case():
    assert {*CASES} == {*SINGLE, "several"}


@pytest.mark.parametrize("kind", CASES)
def test_files_metrics_and_what_is_compared(kind, tmp_path):
    table, result = trained(kind)
    assert result.model.target.kind == kind
    result.model.save(tmp_path / "m.safetensors")
    model = TableModel.load(tmp_path / "m.safetensors")
    assert model.target == result.model.target
    assert from_config(json.loads(json.dumps(to_config(model.target)))) == model.target
    np.testing.assert_array_equal(model.forward(table), result.model.forward(table))
    assert figures(model.evaluate(result.table.iloc[result.test])) == pytest.approx(figures(result.metrics))
    beside = baselines(result)
    for part in model.target.parts:
        several = kind == "several"
        own, others = (each[part.name] if several else each for each in (result.metrics, beside))
        assert list(others)[1] in ("linear", "logistic")
        guess, fitted = others.values()
        assert own.keys() == guess.keys() == fitted.keys()
        assert max(own[part.measure], fitted[part.measure]) < guess[part.measure]
    assert next(iter(importance(result))) == "a"
    assert all(part.measure in result._repr_html_() for part in model.target.parts)
    folds = cross_validate(result, result.recipe, 2)
    assert all(len(values) == 2 for values in figures(folds))
    assert folds.keys() == result.metrics.keys()


@pytest.mark.parametrize("kind", CASES)
def test_a_table_without_structure_is_predicted_by_its_rows(kind):
    """With no information in the columns the predictions are about those of a constant."""
    target, options = CASES[kind]
    table = TABLE.assign(a=generator.normal(size=ROWS))[["a", *(target if kind == "several" else [target])]]
    result = train(table, target, Recipe(epochs=4, members=4, **options))
    beside = baselines(result)
    for part in result.model.target.parts:
        own, others = (each[part.name] if kind == "several" else each for each in (result.metrics, beside))
        guess = next(iter(others.values()))
        assert own[part.measure] < 1.15 * guess[part.measure]


@pytest.mark.parametrize("kind", CASES)
def test_a_column_may_be_embedded(kind, tmp_path):
    target, options = CASES[kind]
    table = TABLE.assign(shop=generator.integers(0, 12, ROWS)).astype({"shop": str})
    table = table[["a", "shop", *(target if kind == "several" else [target])]]
    result = train(table, target, Recipe(epochs=2, members=2, embed=["shop"], **options))
    assert any(getattr(column, "embedded", 0) for column in result.model.preprocessing.columns)
    result.model.save(tmp_path / "m.safetensors")
    model = TableModel.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.forward(table), result.model.forward(table))
    assert figures(model.evaluate(result.table.iloc[result.test])) == pytest.approx(figures(result.metrics))


def test_counts_are_not_negative_and_have_intervals_of_at_least_0():
    table, result = trained("counts")
    low, high = result.model.predict_interval(table, 0.9).T
    assert (result.model.predict(table.assign(a=-100.0)) > 0).all()
    assert (low >= 0).all()
    assert 0.85 < ((low <= table["count"]) & (table["count"] <= high)).mean() <= 1
    assert result.model.predict(table.assign(a=1e9)).max() < 2.01 * table["count"].max()


def test_predictions_of_counts_add_up_on_rows_held_out():
    series, outputs, weights = TABLE["count"], NOISE[:, None] / 3, generator.uniform(size=ROWS)
    target = Counts.fit(series)
    for own in (None, weights):
        shares = np.ones(ROWS) if own is None else own
        predicted = target.balanced(series, outputs, own).estimates(outputs)
        assert shares @ predicted == pytest.approx(shares @ series)


def test_deviance_and_pinball_are_those_of_scikit_learn():
    y, predicted = generator.poisson(2, 50).astype(float), generator.uniform(0.1, 3, 50)
    assert metrics.counts(y, predicted)["deviance"] == pytest.approx(of_sklearn.mean_poisson_deviance(y, predicted))
    weights = generator.uniform(size=50)
    found = metrics.quantiles(y, np.stack([predicted, predicted + 1], axis=1), (0.2, 0.7), weights)
    wanted = [of_sklearn.mean_pinball_loss(y, predicted + k, alpha=q, sample_weight=weights)
              for k, q in enumerate((0.2, 0.7))]
    assert found["pinball"] == pytest.approx(np.mean(wanted))
    assert found["below 0.2"] == pytest.approx(weights @ (y <= predicted) / weights.sum())
    ranks, chosen = generator.integers(0, 4, 60), generator.integers(0, 4, 60)
    p = np.eye(4)[chosen] * 0.6 + 0.1
    found = metrics.ordered(ranks, p, chosen, np.ones(60))
    assert found["kappa"] == pytest.approx(of_sklearn.cohen_kappa_score(ranks, chosen, weights="quadratic"))
    assert found["mae"] == pytest.approx(np.abs(ranks - chosen).mean())


def test_counts_refuse_what_is_negative():
    for target, options, message in [
            ("value", {"task": "counts"}, "counts are numbers of at least 0"),
            ("count", {"task": "counts", "log_target": "yes"}, "leave --log-target out"),
            ("class", {"quantiles": [0.5], "task": "classification"}, "leave --quantiles out"),
            ("grade", {"task": "ordered"}, "the order of the classes .* is not known"),
            ("grade", {"order": ORDER, "balanced": True}, "--balanced does not change"),
            ("grade", {"order": ["low", "high"]}, "'mid' is a class of 'grade' too"),
            ("grade", {"order": [*ORDER, "top"]}, "'top' is no class of 'grade'"),
            (["value", "value"], {}, "several different ones"),
            ("value", {"task": {"other": "counts"}}, "task names 'other', which is no target"),
            (["value", "count"], {"log_target": "auto"}, "of several say yes or no")]:
        with pytest.raises(ValueError, match=message):
            train(TABLE, target, Recipe(epochs=1, **options))


@pytest.mark.parametrize("quantiles", [[0.5, 1.0], [0.0], [0.5, 0.5], ["0.5"]])
def test_quantiles_are_different_probabilities(quantiles):
    with pytest.raises(ValueError, match="quantiles"):
        Recipe(quantiles=quantiles)


def test_counts_are_suggested_where_numbers_look_counted():
    many = TABLE["count"] + np.arange(ROWS) % 12
    notes = train(TABLE[["a"]].assign(y=many), "y", Recipe(epochs=1, members=1)).notes
    assert any("--task counts" in note for note in notes)
    notes = train(TABLE[["a"]].assign(y=many - 1), "y", Recipe(epochs=1, members=1)).notes
    assert not any("--task counts" in note for note in notes)


def test_quantiles_do_not_cross_and_hold_their_share():
    rows = 3000
    a = generator.uniform(-1, 1, rows)
    table = pd.DataFrame({"a": a, "y": a + np.exp(a) * generator.normal(size=rows)})
    shares = (0.05, 0.5, 0.95)
    result = train(table[:1500], "y", Recipe(epochs=10, members=4, quantiles=shares[::-1]))
    found = result.model.predict(table[1500:])
    assert (np.diff(found, axis=1) >= 0).all()
    below = (table["y"].to_numpy()[1500:, None] <= found).mean(axis=0)
    np.testing.assert_allclose(below, shares, atol=0.04)
    widths = found[:, 2] - found[:, 0]
    wide = a[1500:] > 0
    assert widths[wide].mean() > 1.3 * widths[~wide].mean()
    with pytest.raises(ValueError, match="intervals already"):
        result.model.predict_interval(table)


def test_quantiles_of_logarithms_are_logarithms_of_quantiles():
    values = Values.fit(pd.Series(np.exp(A), name="y"), logarithm=True)
    outputs = generator.normal(size=(20, 2))
    target = Quantiles.of(values, (0.3, 0.6))
    expected = np.exp(np.clip(np.sort(outputs, axis=1) * values.scale + values.mean, values.low - np.log(2),
                              values.high + np.log(2)))
    np.testing.assert_allclose(target.decode(outputs), expected)


def test_shifts_are_weighted_quantiles_of_the_errors():
    target = Quantiles.of(Values.fit(pd.Series(A, name="y")), (0.25, 0.75))
    outputs = np.zeros((99, 2))
    encoded = np.arange(1.0, 100.0)
    assert target.shifted(outputs, encoded).shifts == pytest.approx((25, 75))
    weights = np.where(encoded > 50, 3.0, 1.0)
    repeated = np.repeat(encoded, weights.astype(int))
    again = target.shifted(np.zeros((len(repeated), 2)), repeated)
    assert target.shifted(outputs, encoded, weights).shifts == pytest.approx(again.shifts, abs=1.5)


def test_probabilities_of_ordered_classes_are_differences():
    target = in_order(Classes.fit(pd.Series(["c", "a", "b"], name="y")), ["b", "c", "a"])
    p = target.estimates(np.array([[0.0, -np.log(3)], [-5.0, 5.0], [50.0, 50.0]]))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p >= 0).all()
    np.testing.assert_allclose(p[0], [0.5, 0.25, 0.25])
    assert target.decode(np.array([[-1.0, -3.0], [2.0, -1.0], [4.0, 2.0]])).tolist() == ["b", "c", "a"]
    assert target.encode(pd.Series(["b", "c", "a"], name="y")).tolist() == [0, 1, 2]


def test_the_order_of_numbers_and_of_categories_is_known():
    numbers = TABLE[["a"]].assign(y=np.digitize(A, [-1, 1]) * 5)
    assert train(numbers, "y", Recipe(epochs=1, members=1, task="ordered")).model.target.labels == (0, 5, 10)
    grades = pd.Categorical(TABLE["grade"], ["low", "none", "mid", "high"], ordered=True)
    assert train(TABLE[["a"]].assign(y=grades), "y", Recipe(epochs=1, members=1, task="ordered")).model.target.labels == (
        "low", "mid", "high")


@pytest.mark.parametrize("kind", likelihoods.LIKELIHOODS)
def test_likelihoods_have_these_derivatives(kind):
    likelihood = likelihoods.LIKELIHOODS[kind]
    Z, U = generator.normal(size=(6, 3)), generator.normal(size=(2, 6, 3))
    y, w = generator.integers(0, 3, 6), generator.uniform(size=6)
    if kind == "counts":
        Z, U = Z[:, :1], U[:, :, :1]

    def loss(weights):
        return w @ likelihood.losses(Z + np.tensordot(weights, U, 1), y)

    step, zero, unit = 1e-4, np.zeros(2), np.eye(2)
    gradient = [(loss(step * each) - loss(-step * each)) / (2 * step) for each in unit]
    np.testing.assert_allclose((U * likelihood.slope(Z, y)).sum(axis=2) @ w, gradient, rtol=1e-6)
    hessian = [[(loss(step * (one + two)) - loss(step * (one - two)) - loss(step * (two - one)) + loss(-step * (one + two)))
                / (4 * step**2) for one in unit] for two in unit]
    np.testing.assert_allclose(likelihood.curvature(Z, U, w), hessian, rtol=1e-4, atol=1e-6)
    assert loss(zero) == pytest.approx(w @ likelihood.losses(Z, y))


def test_linear_members_of_counts_are_poisson_regressions(monkeypatch):
    from sklearn.linear_model import PoissonRegressor

    monkeypatch.setattr(linear, "LEAST_SLOPE", 1e-9)
    X, y = np.stack([A, NOISE], axis=1).astype(np.float32), TABLE["count"] / TABLE["count"].mean()
    folds = [(np.arange(100, ROWS), np.arange(100)), (np.arange(100), np.arange(100, ROWS))]
    member = linear.linear_member(X, y.to_numpy(), "counts", folds, np.arange(2), 1, 0)
    for (learned, held), out in zip(folds, member.unseen, strict=True):
        own = PoissonRegressor(alpha=member.penalty / len(learned), tol=1e-8).fit(X[learned], y[learned])
        np.testing.assert_allclose(np.exp(out[:, 0]), own.predict(X[held]), rtol=2e-3)
    out = np.stack([np.concatenate(member.unseen), generator.normal(size=(ROWS, 1))])
    weights = mixing.mixing_weights(out, y.to_numpy(), "counts", 0)
    assert weights[0] > 0.8 > 0.1 > weights[1]


def test_several_targets_are_predicted_by_name():
    table, result = trained("several")
    found = result.model.predict(table)
    assert list(found) == ["value", "class", "count"]
    assert {*found["class"]} == {"p", "q"}
    assert [*result.model.predict_proba(table)] == ["class"]
    intervals = result.model.predict_interval(table, 0.8)
    assert list(intervals) == ["value", "count"]
    low, high = intervals["value"].T
    assert 0.7 < ((low <= table["value"]) & (table["value"] <= high)).mean() < 0.95
    missing = table.assign(value=table["value"].where(A < 1))
    assert len(train(missing, ["value", "class"], Recipe(epochs=1, members=1)).table) == (A < 1).sum()
    mixed = train(TABLE, ["value", "grade"], Recipe(epochs=1, members=1, order=ORDER)).model.target
    assert [part.kind for part in mixed.parts] == ["regression", "ordered"]
    with pytest.raises(ValueError, match="two or more different columns"):
        Several((Counts.fit(table["count"]),))


@pytest.mark.parametrize(("kind", "arguments", "columns"), [
    ("counts", ["--target", "count", "--task", "counts"], ["count_predicted"]),
    ("quantiles", ["--target", "value", "--quantiles", "0.1,0.9"], ["value_q0.1", "value_q0.9"]),
    ("ordered", ["--target", "grade", "--order", "low,mid,high", "--folds", "2"], ["grade_predicted"]),
    ("several", ["--target", "value,class", "--task", "class=classification"], ["value_predicted", "class_predicted"])])
def test_the_commands(kind, arguments, columns, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("t.csv", index=False)
    drop = ",".join(name for name in TARGETS if name not in arguments[1].split(","))
    assert cli.main(["train", "t.csv", "--epochs", "1", "--members", "2", "--drop", drop, *arguments]) == 0
    assert "on the test rows" in capsys.readouterr().out
    model = TableModel.load("t.safetensors")
    assert model.report["task"] == model.target.kind == kind
    for command in (["inspect", "t.safetensors"], ["predict", "t.safetensors", "t.csv", "--evaluate"]):
        assert cli.main(command) == 0
        shown = capsys.readouterr().out
        assert all(part.measure in shown for part in model.target.parts)
    assert cli.main(["predict", "t.safetensors", "t.csv", "-o", "out.csv"]) == 0
    found = pd.read_csv("out.csv")
    assert list(found) == columns
    assert len(found) == ROWS
    predicted = model.predict(TABLE)
    expected = predicted if kind == "several" else {columns[0]: predicted if predicted.ndim == 1 else predicted[:, 0]}
    for name, values in zip(columns, expected.values(), strict=False):
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, rtol=1e-5)
        else:
            assert (found[name] == values).all()
    with pytest.raises(SystemExit):
        cli.main(["train", "t.csv", "--target", "count", "--task", "sums"])
    assert "'sums' is no task" in capsys.readouterr().err
