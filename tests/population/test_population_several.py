"""Populations of networks with several inputs or outputs get the bits that these get alone."""

import numpy as np
import pytest
from members import check_same, fit_alone
from several_nets import N, X, Y, several

import fastnn
from fastnn import (
    GRU,
    LBFGS,
    Adam,
    Concatenate,
    Dense,
    EarlyStopping,
    Input,
    LastStep,
    Network,
    Population,
)
from fastnn.population.data import part

rng = np.random.default_rng(5)
WEIGHTS = {"kind": rng.uniform(0.5, 2, size=N), "yes": rng.uniform(0.5, 2, size=N)}
OPTIONS = [
    {"sample_weight": WEIGHTS, "validation_data": (X, Y, WEIGHTS["kind"]), "class_weight": {"kind": "balanced"}},
    {"metrics": {"value": ["mae"]}, "validation_data": (X, Y), "callbacks": [EarlyStopping("val_kind_loss", patience=1)]},
    {"validation_data": (X, Y), "callbacks": [EarlyStopping("val_loss", patience=1, restore_best=True)]},
]


def by_seed(seed, dtype="float32"):
    net = several(dtype)
    return Network.from_config(net.config(), seed=seed)


def rows_of(given, rows):
    return {name: part(values, rows) for name, values in given.items()}


@pytest.mark.parametrize("options", OPTIONS, ids=["weights", "own metrics", "early stopping"])
def test_members_get_the_bits_that_they_get_alone(options, many_parts):
    together, alone = ([by_seed(0), by_seed(1, "float64"), by_seed(2)] for _ in range(2))
    common = {"epochs": 4, "batch_size": 9, **options}
    histories = fit_alone(alone, X, Y, optimizer=[Adam(0.02) for _ in alone], **common)
    found = Population(together).fit(X, Y, optimizer=[Adam(0.02) for _ in together], threads=2, **common)
    check_same(together, alone, found, histories)


def test_rows_are_fits_of_these_rows():
    folds = fastnn.k_folds(N, 3)
    together, alone = ([by_seed(seed) for seed in range(3)] for _ in range(2))
    rows, held_out = zip(*folds, strict=True)
    population = Population(together)
    found = population.fit(X, Y, epochs=2, batch_size=9, optimizer=[Adam(0.02) for _ in rows], rows=rows,
                           validation_rows=held_out, class_weight={"kind": "balanced"})
    for net, own, other in zip(alone, rows, held_out, strict=True):
        net.fit(rows_of(X, own), rows_of(Y, own), epochs=2, batch_size=9, optimizer=Adam(0.02),
                validation_data=(rows_of(X, other), rows_of(Y, other)), class_weight={"kind": "balanced"})
    check_same(together, alone, found, [net.history for net in alone])
    assert population.scores("val_kind_accuracy").shape == (3,)


def test_joint_predictions_are_by_name():
    nets = [by_seed(seed, "float64") for seed in range(3)]
    population = Population(nets)
    outputs = [net.forward(X) for net in nets]
    kinds = np.mean([each["kind"] for each in outputs], axis=0).argmax(axis=1)
    predicted = population.predict(X)
    np.testing.assert_array_equal(predicted["kind"], kinds)
    np.testing.assert_allclose(predicted["value"], np.mean([each["value"] for each in outputs], axis=0))
    assert population.forward(X)["value"].shape == (3, N, 2)
    assert population.spread(X)["value"].shape == (N, 2)
    assert population.quantiles(X, [0.1, 0.9])["yes"].shape == (2, N, 1)
    with pytest.raises(ValueError, match=r"for networks of several outputs, .* it must be 'mean'"):
        population.predict(X, "vote")
    with pytest.raises(ValueError, match="predict_proba is for networks with one output"):
        population.predict_proba(X)


def two_inputs(seed, width=5):
    words, table = Input((None, 2), name="words"), Input(3, name="table")
    h = Concatenate()(GRU(width)(words), table)
    return Network(inputs=[words, table], outputs=Dense(3, "softmax")(h), seed=seed)


def test_sequences_beside_a_table_and_lbfgs():
    lengths = rng.integers(1, 7, size=N)
    given = {"words": [rng.normal(size=(n, 2)) for n in lengths], "table": X["table"][:, :3]}
    together, alone = ([two_inputs(seed, width) for seed, width in enumerate((4, 5, 4))] for _ in range(2))
    optimizers = [[Adam(0.02), Adam(0.02), LBFGS(max_iterations=3)] for _ in range(2)]
    rows = np.arange(5, N)
    population = Population(together)
    found = population.fit(given, Y["kind"], epochs=2, batch_size=9, optimizer=optimizers[0], rows=rows)
    part_of = rows_of(given, rows), Y["kind"][rows]
    histories = [net.fit(*part_of, epochs=2 if isinstance(optimizer, Adam) else 1, batch_size=9, optimizer=optimizer)
                 for net, optimizer in zip(alone, optimizers[1], strict=True)]
    check_same(together, alone, found, histories)
    assert population.predict(given).shape == (N,)


SAID = {"words": [rng.normal(size=(n, 2)) for n in rng.integers(1, 7, size=N)], "table": X["table"]}
TOLD = {"tag": [rng.integers(-1, 3, size=len(own)) for own in SAID["words"]], "kind": Y["kind"]}


def tagged(seed):
    words, table = Input((None, 2), name="words"), Input(4, name="table")
    h = GRU(5, return_sequences=True)(words)
    whole = Concatenate()(LastStep()(h), table)
    return Network(inputs=[words, table], outputs={"tag": Dense(3, "softmax")(h), "kind": Dense(3, "softmax")(whole)},
                   seed=seed)


def tagger(seed, **options):
    return Network([GRU(4, return_sequences=True), Dense(3, "softmax")], inputs=(None, 2), seed=seed, **options)


@pytest.mark.parametrize("weights", [None, rng.uniform(0.5, 2, size=N)], ids=["", "weights"])
@pytest.mark.parametrize(("build", "x", "y", "balanced"), [
    (tagged, SAID, TOLD, {"tag": "balanced", "kind": {0: 2.0}}), (tagger, SAID["words"], TOLD["tag"], "balanced"),
    (lambda seed: tagger(seed, mean="sequences"), SAID["words"], TOLD["tag"], None)], ids=["beside", "alone", "mean"])
def test_outputs_at_each_step(build, x, y, balanced, weights):
    rows, held_out = np.arange(7, N), np.arange(7)
    together, alone = ([build(seed) for seed in range(2)] for _ in range(2))
    population = Population(together)
    options = {"epochs": 2, "batch_size": 9, "class_weight": balanced}
    found = population.fit(x, y, optimizer=[Adam(0.02) for _ in together], rows=rows, validation_rows=held_out,
                           sample_weight=weights, **options)

    def only(chosen):
        parts = [rows_of(each, chosen) if isinstance(each, dict) else part(each, chosen) for each in (x, y)]
        return (*parts, *([] if weights is None else [weights[chosen]]))

    learned, targets, *own = only(rows)
    histories = [net.fit(learned, targets, sample_weight=own[0] if own else None, optimizer=Adam(0.02),
                         validation_data=only(held_out), **options) for net in alone]
    check_same(together, alone, found, histories)
    one, other = (net.forward(x) for net in together)
    joint, spread = population.predict(x), population.spread(x)
    if build is tagged:
        one, other, joint, spread = one["tag"], other["tag"], joint["tag"], spread["tag"]
    np.testing.assert_array_equal(joint.steps, (one.steps.astype(float) + other.steps).argmax(axis=1))
    np.testing.assert_allclose(spread.steps, abs(one.steps - other.steps) / 2, atol=1e-6)


def test_quantiles_at_each_step():
    population, x = Population([tagger(seed) for seed in range(3)]), SAID["words"]
    outputs, found = population.forward(x), population.quantiles(x, [0.5, 1.0])
    assert outputs.steps.shape == (sum(map(len, x)), 3, 3)
    np.testing.assert_allclose(found.steps[:, 1], outputs.steps.max(axis=1))
    np.testing.assert_allclose(population.quantiles(x, 0.5).steps, found.steps[:, 0])
    with pytest.raises(ValueError, match="outputs at each step, it must be 'mean'"):
        population.predict(x, "vote")


def test_sweeps_and_halving():
    def build(width):
        a, b = Input((5, 5, 1), name="image"), Input(4, name="table")
        h = Concatenate()(fastnn.Flatten()(a), Dense(width, "tanh")(b))
        return Network(inputs=[a, b], outputs={"kind": Dense(3, "softmax")(h), "value": Dense(2)(h)})

    y = {name: Y[name] for name in ("kind", "value")}
    found = fastnn.sweep({"width": [2, 9], "learning_rate": [1e-3, 3e-2]}, X, y, build=build, epochs=2, folds=2,
                         metric="val_kind_accuracy")
    assert len(found.table) == 4
    assert found.population.halve(X, y, epochs=3).max() > 1


def test_other_inputs_or_outputs_are_refused():
    x = Input(4)
    other = Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x), "value": Dense(2)(x)})
    for nets, message in (([several(), other], "member 1 has the inputs"),
                          ([other, Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x), "size": Dense(2)(x)})],
                           "member 1 has the outputs kind, size"),
                          ([other, Network(inputs=x, outputs={"kind": Dense(4, "softmax")(x), "value": Dense(2)(x)})],
                           "output 'kind' of member 1 learns 4 probabilities")):
        with pytest.raises(ValueError, match=message):
            Population(nets)
