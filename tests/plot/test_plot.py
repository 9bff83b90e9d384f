"""Pictures are drawn without a screen, for any network, with the right contents, and clear errors otherwise."""

import sys

import numpy as np
import pytest
from layer_cases import network as network_with
from layer_cases import one_place_each

from fastnn import (
    GRU,
    Activation,
    Attention,
    BatchNorm,
    Bidirectional,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    History,
    Input,
    LayerNorm,
    Network,
    plot,
)
from fastnn.network.learning_rate_finder import LearningRates

pytest.importorskip("matplotlib")

X = np.random.default_rng(0).normal(size=(40, 2))
LABELS = np.arange(40) % 2
NETWORKS = {
    "softmax": Network([Dense(8, "tanh"), Dense(3, "softmax")], inputs=2),
    "sigmoid": Network([Dense(1, "sigmoid")], inputs=2, dtype="float64"),
    "every layer": Network([BatchNorm(), Dense(30), LayerNorm(), Activation("relu"), Dropout(0.5), Dense(2), BatchNorm(),
                            Activation("softmax")], inputs=2),
    "zero weights": Network([Dense(4, "relu", "zeros"), Dense(4, "relu", "zeros"), Dense(2, "softmax")], inputs=2),
    "dead": Network([Dense(1, "softplus"), Dense(2, "sigmoid", "zeros")], inputs=2, loss="squared_error"),
}
OF_IMAGES = Network([Conv2D(4, 3, "relu"), Flatten(), Dense(2, "softmax")], inputs=(6, 5, 1))
IMAGE = np.random.default_rng(0).normal(size=(6, 5, 1))
OF_SERIES = Network([Bidirectional(GRU(5)), Dense(2, "softmax")], inputs=(None, 3))
OF_STEPS = Network([Attention(), Flatten(), Dense(2, "softmax")], inputs=(4, 3))
RATES = LearningRates(np.geomspace(1e-3, 1, 9), np.linspace(2, 1, 9), np.linspace(2, 1, 9), 0.1)
# the call of each picture, for a network of X and LABELS
CALLS = {
    "activation_histograms": lambda net, ax: plot.activation_histograms(net, X, ax=ax),
    "activation_image": lambda net, ax: plot.activation_image(net, X, ax=ax),
    "attention": lambda net, ax: plot.attention(OF_STEPS, np.eye(4, 3), ax=ax),
    "confusion_matrix": lambda net, ax: plot.confusion_matrix(net, X, LABELS, ax=ax),
    "decision_boundary": lambda net, ax: plot.decision_boundary(net, X, LABELS, ax=ax),
    "feature_maps": lambda net, ax: plot.feature_maps(OF_IMAGES, IMAGE, ax=ax),
    "filters": lambda net, ax: plot.filters(OF_IMAGES, ax=ax),
    "grad_cam": lambda net, ax: plot.grad_cam(OF_IMAGES, IMAGE, ax=ax),
    "gradient_flow": lambda net, ax: plot.gradient_flow(net, X, LABELS, ax=ax),
    "gradient_over_time": lambda net, ax: plot.gradient_over_time(OF_SERIES, np.eye(7, 3), ax=ax, name="GRU"),
    "heat_map": lambda net, ax: plot.heat_map(np.eye(2), [*"ab"], [*"cd"], ax=ax),
    "hidden_states": lambda net, ax: plot.hidden_states(OF_SERIES, np.eye(7, 3), ax=ax, steps=[*"letters"]),
    "learning_rates": lambda net, ax: plot.learning_rates(RATES, ax=ax),
    "learning_curves": lambda net, ax: plot.learning_curves({"loss": [2.0, 1.0], "val_loss": [3.0]}, ax=ax),
    "mistakes": lambda net, ax: plot.mistakes(net, X, LABELS, ax=ax, shape=(1, 2)),
    "network_diagram": lambda net, ax: plot.network_diagram(net, ax=ax),
    "saliency": lambda net, ax: plot.saliency(net, X[0], ax=ax, shape=(1, 2)),
    "score_by": lambda net, ax: plot.score_by([1, "a", None], [2.0, np.nan, 1.0], ax=ax),
    "weight_histograms": lambda net, ax: plot.weight_histograms(net, ax=ax),
    "weight_image": lambda net, ax: plot.weight_image(net, 1 if net.layers[0] == BatchNorm() else 0, ax=ax),
}


OF_NO_NETWORK = {"attention", "feature_maps", "filters", "grad_cam", "gradient_over_time", "heat_map", "hidden_states",
                 "learning_curves", "learning_rates", "score_by"}


def needs(name):
    if name == "confusion_matrix":
        pytest.importorskip("sklearn", reason="confusion matrices are drawn by scikit-learn")


def test_every_picture_is_tried():
    assert set(CALLS) == {picture.__name__ for picture in plot.PICTURES}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in CALLS for kind in NETWORKS
                                            if kind == "softmax" or name not in OF_NO_NETWORK])
def test_every_picture_draws_on_new_and_on_given_axes(name, kind, tmp_path):
    needs(name)
    net, draw = NETWORKS[kind], CALLS[name]
    before = net.vectors.parameters.flat.copy(), net.vectors.state.flat.copy()
    own = draw(net, None)
    assert plot.save_picture(tmp_path / "own.png", lambda: own) == f"picture: {tmp_path / 'own.png'}"
    given, untouched = plot.axes(1, 2, width=10)
    assert draw(net, given) is given
    given.figure.savefig(tmp_path / "given.png")
    assert (tmp_path / "own.png").stat().st_size > 1000
    assert untouched.has_data() is False
    for ax in (own, given):
        assert ax.has_data() or ax.patches or ax.texts
    for array, then in zip((net.vectors.parameters.flat, net.vectors.state.flat), before, strict=True):
        assert np.array_equal(array, then)


@pytest.mark.parametrize("name", CALLS)
def test_every_picture_refuses_what_is_no_axes(name):
    needs(name)
    for wrong in (plot.axes().figure, plot.axes(1, 2), "ax"):
        with pytest.raises(ValueError, match=r"ax is [\s\S]* it must be one Axes"):
            CALLS[name](NETWORKS["softmax"], wrong)


@pytest.mark.parametrize("name", CALLS)
def test_every_picture_names_the_extra_without_matplotlib(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn-numba\[plot\]"'):
        CALLS[name](NETWORKS["softmax"], None)


def test_without_matplotlib_a_command_goes_on(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "fastnn-numba[plot]" in plot.save_picture(tmp_path / "a.png", plot.axes)
    assert not list(tmp_path.iterdir())


def test_confusion_matrix_names_the_extra_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn-numba\[plot,sklearn\]"'):
        plot.confusion_matrix(NETWORKS["softmax"], X, LABELS)


@pytest.mark.parametrize(("outputs", "activation", "classes"), [(3, "softmax", 3), (1, "sigmoid", 2)])
def test_decision_boundary(outputs, activation, classes, tmp_path):
    net = Network([Dense(outputs, activation)], inputs=2)
    ax = plot.decision_boundary(net, X, np.arange(40) % classes)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"class {c}" for c in range(classes)]
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert left < X[:, 0].min() < X[:, 0].max() < right
    assert bottom < X[:, 1].min() < X[:, 1].max() < top
    [ground] = ax.get_images()
    # the color at a corner of the picture is that of the class predicted there
    [probabilities] = plot.class_probabilities(net, [[left, bottom]])
    expected = 1 - plot.TINT * probabilities @ (1 - plot.class_colors(classes))
    np.testing.assert_allclose(ground.get_array()[0, 0], expected)


def test_decision_boundary_of_samples_on_a_line():
    ax = plot.decision_boundary(NETWORKS["softmax"], X * [1, 0], LABELS)
    assert ax.get_ylim() == (-0.5, 0.5)


@pytest.mark.filterwarnings("error")
def test_learning_curves():
    history = History()
    history.append({"loss": 1.0, "val_loss": 2.0, "accuracy": 0.5})
    assert plot.learning_curves(history).get_lines()[0].get_marker() == "o"  # one epoch is seen too
    history.append({"loss": 0.5, "val_loss": 1.5, "accuracy": 0.75})
    ax = plot.learning_curves(history)
    assert [line.get_ydata().tolist() for line in ax.get_lines()] == [[1.0, 0.5], [2.0, 1.5]]
    assert ax.get_yscale() == "log"
    [line] = plot.learning_curves(history, metric="accuracy").get_lines()
    assert line.get_ydata().tolist() == [0.5, 0.75]


def test_heat_map():
    ax = plot.heat_map([[0.0, 0.25], [0.5, 1.0]], ["a", "b"], ["c", "d"], label="share", form="{:.2f}")
    assert [text.get_text() for text in ax.texts] == ["0.00", "0.25", "0.50", "1.00"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["c", "d"]


@pytest.mark.parametrize(("kind", "classes"), [("softmax", 3), ("sigmoid", 2)])
def test_confusion_matrix_counts(kind, classes):
    needs("confusion_matrix")
    net = NETWORKS[kind]
    predicted = net.predict(X)
    counts = [[int(((LABELS == true) & (predicted == c)).sum()) for c in range(classes)] for true in range(classes)]
    ax = plot.confusion_matrix(net, X, LABELS, labels=["a", "b", "c"][:classes])
    assert [int(text.get_text()) for text in ax.texts] == [count for row in counts for count in row]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"][:classes]
    shares = [float(text.get_text()) for text in plot.confusion_matrix(net, X, LABELS, normalize=True).texts]
    sums = np.reshape(shares, (classes, classes)).sum(axis=1)
    np.testing.assert_allclose(sums, [1, 1, 0][:classes], atol=0.02)  # no sample is of class 2
    if classes == 3:
        one_hot = plot.confusion_matrix(net, X, np.eye(3)[LABELS])
        assert [text.get_text() for text in one_hot.texts] == [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(("name", "place"), one_place_each(1))
def test_the_last_trace_is_what_the_network_gives(name, place):
    """Applying the layers one by one, in networks of one layer each, gives the same as the network."""
    from fastnn.network.layer_outputs import layer_outputs

    net = network_with(name, place, dtype="float64")
    data = np.random.default_rng(3).normal(size=(11, 9))
    outputs = layer_outputs(net, data)
    assert [a[0].size for a in outputs] == net.widths[1:]
    np.testing.assert_allclose(outputs[-1], net.forward(data), rtol=1e-12, atol=1e-12)


def test_network_diagram_draws_each_feature_and_weight():
    net = Network([Dense(5, "tanh"), LayerNorm(), Dense(2)], inputs=3)
    ax = plot.network_diagram(net)
    assert len(ax.patches) == sum(net.widths)
    lines = sum(len(collection.get_segments()) for collection in ax.collections)
    assert lines == 3 * 5 + 5 + 5 * 2
    assert [text.get_text().split("\n")[:2] for text in ax.texts] == [["inputs", "3"], ["Dense", "5"], ["LayerNorm", "5"],
                                                                     ["Dense", "2"]]
    few = plot.network_diagram(Network([Dense(100)], inputs=3), most=6)
    assert len(few.patches) == 3 + 6
    assert "⋮" in [text.get_text() for text in few.texts]


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (1, 6)])
def test_weight_image_shows_the_weights(shape):
    net = Network([Dense(5)], inputs=6)
    weight = net.parameters["0.weight"]
    [image] = plot.weight_image(net).get_images()
    np.testing.assert_array_equal(image.get_array(), weight)
    [image] = plot.weight_image(net, shape=shape).get_images()
    mosaic = np.ma.filled(image.get_array(), np.nan)
    np.testing.assert_array_equal(mosaic[:shape[0], :shape[1]], weight[:, 0].reshape(shape))
    np.testing.assert_array_equal(np.sort(mosaic[np.isfinite(mosaic)]), np.sort(weight.ravel()))


def test_activation_image_and_histograms_show_the_outputs():
    net = NETWORKS["softmax"]
    [image] = plot.activation_image(net, X).get_images()
    np.testing.assert_array_equal(image.get_array(), net.forward(X))
    names = [tick.get_text() for tick in plot.activation_histograms(net, X).get_yticklabels()]
    assert names == ["0  Dense tanh", "1  Dense softmax"]
    names = [tick.get_text() for tick in plot.weight_histograms(net).get_yticklabels()]
    assert names == list(net.parameters)


def test_gradient_flow_shows_the_norms():
    net = NETWORKS["every layer"]
    _, gradients = net.loss_and_gradients(X, LABELS)
    ax = plot.gradient_flow(net, X, LABELS)
    expected = [np.sqrt(sum((g.astype("float64")**2).sum() for name, g in gradients.items() if name.startswith(f"{layer}.")))
                for layer in (0, 1, 2, 5, 6)]
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), expected, rtol=1e-6)
    # layers without a gradient are distinguished from those with a small one
    ax = plot.gradient_flow(NETWORKS["zero weights"], X, 0 * LABELS)
    assert [text.get_text() for text in ax.texts] == ["0", "0"]


SEVERAL = Network([Dense(2, "sigmoid")], inputs=2, loss="binary_cross_entropy")
VALUES = Network([Dense(2)], inputs=2)
NOTHING_TO_LEARN = Network([Activation("tanh")], inputs=2)
NOT_FINITE = Network([Dense(2)], inputs=2)
NOT_FINITE.parameters["0.weight"][0, 0] = np.nan


@pytest.mark.parametrize(("draw", "says"), [
    (lambda net: plot.decision_boundary(Network([Dense(2, "softmax")], inputs=3), X, LABELS), "2 inputs, not 3"),
    (lambda net: plot.decision_boundary(net, X[:, 0], LABELS), r"not \(40,\)"),
    (lambda net: plot.decision_boundary(net, X, LABELS[:3]), "y has 3 rows"),
    (lambda net: plot.decision_boundary(net, X, LABELS + 5), "y holds label 6"),
    (lambda net: plot.decision_boundary(VALUES, X, LABELS), "values for outputs"),
    (lambda net: plot.confusion_matrix(SEVERAL, X, LABELS), "several sigmoid outputs"),
    (lambda net: plot.confusion_matrix(net, X, LABELS, labels=["a"]), "labels has 1 entries; this network has 3"),
    (lambda net: plot.confusion_matrix(net, X, LABELS, normalize="yes"), "normalize is 'yes'"),
    (lambda net: plot.learning_curves({}), "'loss' was not recorded; recorded were no epochs"),
    (lambda net: plot.learning_curves({"loss": [1.0]}, metric="accuracy"), "recorded were loss"),
    (lambda net: plot.heat_map([1.0, 2.0], ["a"], ["b", "c"]), r"values has shape \(2,\)"),
    (lambda net: plot.heat_map(np.eye(2), ["a"], ["b", "c"]), r"it must be \(1, 2\)"),
    (lambda net: plot.network_diagram(net, most=1), "most is 1"),
    (lambda net: plot.weight_histograms(NOTHING_TO_LEARN), "no parameters"),
    (lambda net: plot.gradient_flow(NOTHING_TO_LEARN, X, X), "no parameters"),
    (lambda net: plot.weight_histograms(NOT_FINITE), "0.weight holds numbers that are not finite"),
    (lambda net: plot.activation_histograms(net, X[:, :1]), "X has 1 features"),
    (lambda net: plot.activation_image(net, X, 2), "layer is 2; this network has the layers 0 to 1"),
    (lambda net: plot.weight_image(net, "first"), "layer is 'first'"),
    (lambda net: plot.weight_image(NETWORKS["every layer"]), r"layer 0, BatchNorm.* has no weight; layers that have: 1, 5"),
    (lambda net: plot.weight_image(net, shape=(3, 3)), "shape 3 × 3 has 9 pixels; this layer has 2 inputs"),
    (lambda net: plot.weight_image(net, shape=6), r"shape is 6; it must be \(height, width\)"),
    (lambda net: plot.weight_image(OF_IMAGES), r"layer 0, .* shape \(3, 3, 1, 4\); draw its filters with plot.filters"),
])
def test_bad_input_is_refused(draw, says):
    with pytest.raises(ValueError, match=says):
        draw(NETWORKS["softmax"])


# Few and many


def test_accuracies_of_a_sweep_are_on_a_linear_scale():
    scores = [0.05, 0.5, 1.0]
    assert plot.score_by([1, 2, 3], scores, metric="val_accuracy").get_yscale() == "linear"
    assert plot.score_by([1, 2, 3], scores, metric="val_loss").get_yscale() == "log"


def test_one_epoch_has_one_tick():
    ax = plot.learning_curves({"loss": [1.0]})
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


def test_one_weight_has_one_tick():
    ax = plot.weight_image(Network([Dense(1)], inputs=1))
    ax.figure.canvas.draw()
    assert [tick for tick in ax.get_xticks() if -0.5 <= tick <= 0.5] == [0]


def test_many_classes_can_be_told_apart():
    net = Network([Dense(20, "softmax")], inputs=2)
    ax = plot.decision_boundary(net, np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 20)
    looks = {(str(points.get_facecolor()), str(points.get_paths()[0].vertices)) for points in ax.collections
             if points.get_label().startswith("class")}
    assert len(looks) == 20
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1  # it hides nothing


def test_names_of_columns_do_not_run_into_one_another():
    ax = plot.heat_map(np.eye(3), ["a", "b", "c"], ["a name that is long", "another that is long", "c"])
    ax.figure.canvas.draw()
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {40}


def test_fractions_of_a_sweep_are_a_scale_or_short():
    rates = list(np.geomspace(1e-4, 0.1, 12))
    ax = plot.score_by(rates, np.arange(12.0))
    assert ax.get_xscale() == "log"
    ax = plot.score_by(rates[:4], np.arange(4.0))
    assert max(len(label.get_text()) for label in ax.get_xticklabels()) < 10


@pytest.mark.parametrize("size", [(4, 2.5), (4, 1.2), (10, 6)])
def test_names_in_a_diagram_of_a_graph_do_not_overlap(size):
    x, table = Input((8, 8, 1), name="picture"), Input(6, name="table")
    h = Conv2D(4, 3, "relu", padding="same")(x)
    joined = Concatenate()(Flatten()(h + h), Dense(8, "relu")(table, name="told"))
    net = Network(inputs=[x, table], outputs={"kind": Dense(3, "softmax")(joined), "value": Dense(1)(joined)})
    ax = plot.network_diagram(net, plot.axes(width=size[0], height=size[1]))
    ax.figure.draw_without_rendering()
    found = [(text.get_text(), text.get_window_extent()) for text in ax.texts if text.get_text()]
    assert {"kind", "value"} <= {name for name, _ in found}
    overlapping = [(one, other) for k, (one, extent) in enumerate(found) for other, beside in found[k + 1:]
                   if extent.overlaps(beside)]
    assert overlapping == []
