"""Pictures of convolutional networks: the numbers that they draw, for gray and color images and for series."""

import itertools

import numpy as np
import pytest

from fastnn import (
    GRU,
    Activation,
    BatchNorm,
    Concatenate,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool,
    Input,
    MaxPool2D,
    Network,
    Normalize,
    RandomCrop,
    Rescale,
    Reshape,
    Shared,
    plot,
)
from fastnn.network.layer_outputs import layer_outputs
from fastnn.plot.layers import attribution

pytest.importorskip("matplotlib")


def fitted(net, labels=2):
    """Return the network after a short fit, so that statistics and weights are not the initial ones."""
    generator = np.random.default_rng(1)
    X = generator.normal(size=(24, *net.shapes[0]))
    y = generator.normal(size=(24, net.outputs)) if labels is None else generator.integers(0, labels, 24)
    net.fit(X, y, epochs=2, batch_size=8)
    return net


def gray(**options):
    return Network([Conv2D(4, 3, "tanh"), Conv2D(3, 3, padding="same"), BatchNorm(), Activation("tanh"), Dropout(0.5),
                    Flatten(), Dense(5, "tanh"), Dense(3, "softmax")], inputs=(7, 6, 1), dtype="float64", **options)


def branching():
    """Return a network that branches, whose output is that of a layer with a name."""
    x = Input((6, 5, 2))
    a = Conv2D(3, 3, "tanh", padding="same")(Rescale(0.5)(x), name="eye")
    h = Dropout(0.5)(a * BatchNorm()(Conv2D(3, 1, "sigmoid")(x)) + a)
    scores = Dense(3)(Flatten()(Concatenate()(h, x[..., :1])))
    return Network(inputs=x, outputs=Activation("softmax")(scores, name="head"), dtype="float64")


def twice():
    """Return a network that uses a convolution twice."""
    x, same = Input((4, 4, 2)), Shared(Conv2D(2, 3, "tanh", padding="same"))
    return Network(inputs=x, outputs=Reshape(2)(Dense(2, "sigmoid")(Flatten()(same(same(x))))), dtype="float64",
                   loss="binary_cross_entropy")


def called():
    """Return a network without branches, whose layers have names."""
    x = Input((5, 5, 1))
    h = BatchNorm()(Conv2D(3, 3, "tanh")(x, name="eye"), name="norm")
    return Network(inputs=x, outputs=Dense(3, "softmax")(Flatten()(h), name="head"), dtype="float64")


NETWORKS = {
    "gray": fitted(gray(), 3),
    "color": fitted(Network([Normalize(), RandomCrop(5, 6), Conv2D(4, 3, "tanh", stride=2), GlobalAveragePool(),
                             Dense(3), Activation("softmax")], inputs=(8, 8, 3), dtype="float64"), 3),
    "series": fitted(Network([Rescale(0.5, 1), Conv1D(4, 3, "tanh", padding="causal"), Flatten(), Dense(1, "sigmoid")],
                             inputs=(9, 2), dtype="float64")),
    "several answers": Network([DepthwiseConv2D(3, "tanh"), Flatten(), Dense(2, "sigmoid")], inputs=(5, 5, 2),
                               loss="binary_cross_entropy", dtype="float64"),
    "values": fitted(Network([ConvTranspose2D(2, 3, "tanh", stride=2), Flatten(), Dense(2, "tanh")], inputs=(3, 3, 2),
                             dtype="float64"), None),
    "flat": fitted(Network([Dense(6, "tanh"), Dense(3, "softmax")], inputs=12, dtype="float64"), 3),
}


GRAPHS = {"branches": fitted(branching(), 3), "shared": twice(), "names": fitted(called(), 3)}


def sample_of(net, seed=5):
    return np.random.default_rng(seed).normal(size=net.shapes[0])


def score(net, x, label):
    """Return the score of a class, from the outputs alone: differences of logarithms, which lack a constant for softmax."""
    outputs = net.forward(x[None])[0]
    if not net.is_classifier:
        return outputs[label]
    if net.outputs == 1 or net.objective.head.kind == "several yes or no":
        p = outputs[label if net.outputs > 1 else 0]
        return (np.log(p) - np.log1p(-p)) * (-1 if net.outputs == 1 and label == 0 else 1)
    return np.log(outputs[label]) - np.log(outputs).mean()  # the score of the class less the mean of all scores


def differences(function, x, step=1e-5):
    """Return the gradient of a function of an array by central differences."""
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            ends.append(function(moved))
        gradient[place] = (ends[0] - ends[1]) / (2 * step)
    return gradient


@pytest.mark.parametrize("kind", [*NETWORKS, *GRAPHS])
def test_the_gradient_of_a_score_is_its_finite_difference(kind):
    net = (NETWORKS | GRAPHS)[kind]
    x, classes = sample_of(net), 2 if net.outputs == 1 else net.outputs
    gradients = np.array([plot.class_gradient(net, x, label)[0] for label in range(classes)])
    expected = np.array([differences(lambda moved, label=label: score(net, moved, label), x) for label in range(classes)])
    if net.objective.head.kind == "one class":  # the outputs of softmax determine scores up to a constant
        gradients -= gradients.mean(axis=0)
    np.testing.assert_allclose(gradients, expected, atol=1e-8 + 1e-6 * np.abs(expected).max())
    assert plot.class_gradient(net, x[None])[1] == (int(net.predict(x[None])[0]) if net.objective.head.one_label
                                                    else np.argmax(net.forward(x[None])))


def test_the_score_of_softmax_is_its_logit():
    net = Network([Conv2D(1, 1), Flatten(), Dense(2, "softmax")], inputs=(2, 2, 1), dtype="float64")
    kernel, weight = net.parameters["0.weight"][0, 0, 0, 0], net.parameters["2.weight"]
    gradient, label = plot.class_gradient(net, np.ones((2, 2, 1)), 1)
    assert label == 1
    np.testing.assert_allclose(gradient.ravel(), kernel * weight[:, 1], rtol=1e-14)


@pytest.mark.parametrize(("kind", "layer", "expected_layer"), [
    ("gray", None, 4), ("gray", 0, 0), ("gray", 1, 1), ("color", None, 2), ("series", None, 1),
    ("several answers", None, 0)])
def test_grad_cam_is_that_of_numpy(kind, layer, expected_layer):
    net = NETWORKS[kind]
    x = sample_of(net)
    outputs = layer_outputs(net, x[None])[expected_layer][0]
    tail = Network(net.layers[expected_layer + 1:], outputs.shape, loss=net.loss, dtype="float64")
    for views, own in ((net.parameters, tail.parameters), (net.state, tail.state)):
        for name, view in own.items():
            index, rest = name.split(".")
            view[...] = views[f"{int(index) + expected_layer + 1}.{rest}"]
    for label in range(2):
        values, chosen, used = plot.class_activation_map(net, x, label, layer)
        assert (chosen, used) == (label, expected_layer)
        # the gradient of the logit: for softmax, that of the score less the mean of all scores, and of all, by Dense
        gradient = differences(lambda moved, label=label: score(tail, moved, label), outputs)
        if net.objective.head.kind == "one class":
            gradient += mean_of_scores(net, tail, outputs)
        weights = gradient.reshape(-1, outputs.shape[-1]).mean(axis=0)
        expected = np.maximum((outputs * weights).sum(axis=-1), 0)
        np.testing.assert_allclose(values, expected, atol=1e-8)
    assert (values >= 0).all()


def test_the_class_activation_map_of_a_network_with_names_is_that_of_the_list():
    net, x = GRAPHS["names"], sample_of(GRAPHS["names"])
    chain = Network(net.layers, inputs=(5, 5, 1), dtype="float64")
    chain.vectors.set_copies(*net.vectors.copies())
    values, label, layer = plot.class_activation_map(net, x, 2)
    expected, *rest = plot.class_activation_map(chain, x, 2)
    np.testing.assert_array_equal(values, expected)
    assert [label, layer] == rest == [2, 1]


@pytest.mark.parametrize("kind", ["gray", "color", "series"])
def test_channels_weigh_the_same_by_an_added_bias(kind):
    """The way for networks that branch, where the layers follow one another."""
    net, x = NETWORKS[kind], sample_of(NETWORKS[kind])
    _, label, layer = plot.class_activation_map(net, x, 1)
    outputs = layer_outputs(net, x[None])[layer]
    expected = attribution.gradient_from(net, outputs, layer + 1, label)[0]
    found = attribution.gradient_of_channels(net, x[None], layer, label)
    np.testing.assert_allclose(found, expected.reshape(-1, expected.shape[-1]).sum(axis=0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("series", [False, True], ids=["images", "series"])
@pytest.mark.parametrize("layer", ["first", "second", None])
def test_grad_cam_of_a_network_that_branches(layer, series):
    """A bias of a convolution is added to all pixels of its output: its gradient is that of the channel."""
    convolution, shape = (Conv1D, (9, 2)) if series else (Conv2D, (6, 5, 2))
    x = Input(shape)
    first = convolution(3, 3, padding="same")(x, name="first")
    second = convolution(3, 1, padding="same")(Activation("tanh")(first), name="second")
    net = Network(inputs=[x], outputs=Dense(3, "softmax")(Flatten()(Activation("sigmoid")(second + first))), dtype="float64")
    sample, number = np.random.default_rng(1).normal(size=shape), net.graph.names.index(layer or "second")
    step = attribution.last_use(net, number)
    values, label, used = plot.class_activation_map(net, sample, 2, None if layer is None else number)
    assert (label, used) == (2, number)
    bias, weights = net.parameters[f"{layer or 'second'}.bias"], np.empty(3)
    for channel in range(3):
        ends = []
        for sign in (1, -1):
            bias[channel] += sign * 1e-5
            ends.append(logit(net, sample, 2))
            bias[channel] -= sign * 1e-5
        weights[channel] = (ends[0] - ends[1]) / 2e-5 / np.prod(shape[:-1])
    outputs = layer_outputs(net, sample[None])[step][0]
    np.testing.assert_allclose(values, np.maximum(outputs @ weights, 0), atol=1e-8)


def logit(net, x, label):
    """Return the score of a class before softmax, from the last layer's input."""
    last = layer_outputs(net, x[None])[-2].reshape(-1)
    name = net.graph.names[-1]
    return last @ net.parameters[f"{name}.weight"][:, label] + net.parameters[f"{name}.bias"][label]


def mean_of_scores(net, tail, outputs):
    """Return the gradient of the mean of all logits by differences, from the network that ends with their mean."""
    last = max(index for index, layer in enumerate(tail.layers) if isinstance(layer, Dense))
    open_end = [*tail.layers[:last], Dense(tail.outputs)]
    logits = Network(open_end, outputs.shape, loss="squared_error", dtype="float64")
    for name, view in logits.parameters.items():
        view[...] = tail.parameters[name]
    for name, view in logits.state.items():
        view[...] = tail.state[name]
    return differences(lambda moved: logits.forward(moved[None])[0].mean(), outputs)


def test_images_of_uint8_are_the_same_numbers():
    net = Network([Rescale(1 / 255), Conv2D(4, 3, "relu"), Flatten(), Dense(2, "softmax")], inputs=(6, 6, 3))
    x = np.random.default_rng(0).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    for function in (plot.class_gradient, plot.class_activation_map):
        np.testing.assert_array_equal(function(net, x, 1)[0], function(net, x.astype(np.float32), 1)[0])
    picture, _ = plot.saliency(net, x, 1).get_images()
    np.testing.assert_allclose(picture.get_array(), x / 255)
    maps = [plot.feature_maps(net, each).get_images()[0].get_array() for each in (x, x.astype(np.float32))]
    np.testing.assert_array_equal(*maps)


def mosaic_of(ax):
    return np.ma.filled(ax.get_images()[0].get_array(), np.nan)


def test_feature_maps_are_the_outputs_of_the_layer():
    net, x = NETWORKS["gray"], sample_of(NETWORKS["gray"])
    output = layer_outputs(net, x[None])[0][0]  # (5, 4, 4)
    mosaic = mosaic_of(plot.feature_maps(net, x))
    np.testing.assert_array_equal(mosaic[:5, :4], output[..., 0])
    np.testing.assert_array_equal(mosaic[:5, 5:9], output[..., 1])
    assert np.isnan(mosaic[:5, 4]).all()
    series = NETWORKS["series"]
    np.testing.assert_array_equal(mosaic_of(plot.feature_maps(series, sample_of(series))),
                                  layer_outputs(series, sample_of(series)[None])[1][0].T)


@pytest.mark.parametrize("layer", [Conv2D(6, (2, 3), groups=2), ConvTranspose2D(3, (2, 3)), Conv2D(3, (2, 3)),
                                   Conv2D(4, (2, 3), groups=4),
                                   DepthwiseConv2D((2, 3), multiplier=2)])
def test_filters_are_the_weights(layer):
    net = Network([layer, Flatten(), Dense(1)], inputs=(5, 5, 4))
    weight = net.parameters["0.weight"]
    mosaic = mosaic_of(plot.filters(net))
    if weight.shape[2] == 1:
        np.testing.assert_array_equal(mosaic[:2, 4:7], weight[..., 0, 1])
    else:
        for i, j in itertools.product(range(weight.shape[2]), range(weight.shape[3])):
            np.testing.assert_array_equal(mosaic[3 * i:3 * i + 2, 4 * j:4 * j + 3], weight[:, :, i, j])
    np.testing.assert_array_equal(np.sort(mosaic[np.isfinite(mosaic)]), np.sort(weight.ravel()))


def test_filters_of_color_are_in_color_and_those_of_series_in_rows_of_features():
    net = Network([Rescale(2.0), Conv2D(5, 3), Flatten(), Dense(1)], inputs=(5, 5, 3))
    weight = net.parameters["1.weight"]
    mosaic = mosaic_of(plot.filters(net))
    np.testing.assert_allclose(mosaic[:3, :3], 0.5 + weight[..., 0] / (2 * np.abs(weight).max()), rtol=1e-6)
    assert (mosaic[3] == 1).all()
    net = Network([Conv1D(5, 3), Flatten(), Dense(1)], inputs=(8, 4))
    np.testing.assert_array_equal(mosaic_of(plot.filters(net))[:4, :3], net.parameters["0.weight"][:, :, 0].T)
    # an output of three channels within a network is no color
    inner = Network([Conv2D(3, 1), Conv2D(2, 3), Flatten(), Dense(1)], inputs=(5, 5, 3))
    assert mosaic_of(plot.filters(inner, 1)).ndim == 2


def test_of_many_filters_the_first_are_drawn_and_the_label_says_so():
    net = Network([Conv2D(40, 3), Conv2D(50, 3), Flatten(), Dense(1)], inputs=(6, 6, 1))
    assert plot.filters(net, most=8).get_xlabel() == "filters 0 … 7 of 40, row by row"
    ax = plot.filters(net, 1)
    assert ax.get_xlabel() == "output channel (the first 32 of 50)"
    assert ax.get_ylabel() == "input channel (the first 32 of 40)"


def classifier():
    """Return a network of 2×2 images whose class is 1 where the first pixel is positive, and the more surely the larger."""
    net = Network([Flatten(), Dense(2, "softmax")], inputs=(2, 2, 1))
    net.parameters["1.weight"][...] = 0
    net.parameters["1.weight"][0] = -1, 1
    net.parameters["1.bias"][...] = 0
    return net


def test_mistakes_are_drawn_most_confident_first():
    net = classifier()
    X = np.zeros((6, 2, 2, 1), np.float32)
    X[:, 0, 0, 0] = 0.2, -3.0, 1.0, 0.5, -0.1, 4.0
    y = [0, 1, 0, 1, 0, 1]  # wrong: 0, 1, 2, by 0.2, 3.0, 1.0
    ax = plot.mistakes(net, X, y, labels=["no", "yes"])
    p = net.predict_proba(X)
    order = [(1, "yes → no"), (2, "no → yes"), (0, "no → yes")]
    assert [text.get_text().split("\n")[0] for text in ax.texts] == [words for _, words in order]
    assert [text.get_text().split("\n")[1] for text in ax.texts][1:] == [f"{100 * p[k].max():.0f} %" for k in (2, 0)]
    for image, (k, _) in zip(ax.get_images(), order, strict=True):
        np.testing.assert_allclose(image.get_array(), (X[k, :, :, 0] + 3) / 4, atol=1e-6)  # of -3 … 1 in the sheet
    assert ax.get_xlabel().startswith("3 of 6 samples are wrong")
    assert len(plot.mistakes(net, X, y, count=2).get_images()) == 2
    assert plot.mistakes(net, X, net.predict(X)).texts[0].get_text() == "no mistakes"


def test_mistakes_of_one_sigmoid_and_of_series_and_flat_samples():
    net = NETWORKS["series"]
    X = np.random.default_rng(2).normal(size=(30, 9, 2))
    wrong = 1 - net.predict(X)
    ax = plot.mistakes(net, X, wrong, count=4)
    p = net.predict_proba(X)[:, 0]
    best = np.argmax(np.maximum(p, 1 - p))
    assert ax.texts[0].get_text().startswith(f"{wrong[best]} → {1 - wrong[best]}\n")
    assert len(ax.get_lines()) == 4 * 2
    flat = NETWORKS["flat"]
    X = np.random.default_rng(2).normal(size=(30, 12))
    ax = plot.mistakes(flat, X, (flat.predict(X) + 1) % 3, shape=(3, 4))
    assert len(ax.get_images()) == 20
    assert ax.get_images()[0].get_array().shape == (3, 4)


def no_two_overlap(ax):
    """Return whether the texts of a picture, drawn, are apart from one another."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in ax.texts]
    return not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("labels", [None, ["a", "a class with a long name", "c"]])
def test_no_caption_runs_into_another(labels):
    net = NETWORKS["gray"]
    X = np.random.default_rng(2).normal(size=(40, 7, 6, 1))
    ax = plot.mistakes(net, X, (net.predict(X) + 1) % 3, labels=labels)
    assert no_two_overlap(ax)


@pytest.mark.parametrize("kind", NETWORKS)
def test_no_label_of_a_diagram_runs_into_another(kind):
    given = plot.axes(1, 2, width=8, height=2.5)[0]
    for ax in (plot.network_diagram(NETWORKS[kind]), plot.network_diagram(NETWORKS[kind], given)):
        assert no_two_overlap(ax)


@pytest.mark.parametrize("size", [(4, 2.5), (8, 3), (3, 4)])
def test_a_small_diagram_keeps_the_names_of_its_layers(size):
    lenet = Network([Conv2D(6, 5, "relu"), MaxPool2D(2), Conv2D(16, 5, "relu"), MaxPool2D(2), Flatten(), Dense(120, "relu"),
                     Dense(84, "relu"), Dense(10, "softmax")], inputs=(28, 28, 1))
    for net in (lenet, Network([Dense(16, "relu"), Dense(3, "softmax")], inputs=4)):
        ax = plot.network_diagram(net, plot.axes(width=size[0], height=size[1]))
        assert no_two_overlap(ax)
        names = [text.get_text().split("\n")[0] for text in ax.texts if text.get_text() != "⋮"]
        assert names == ["inputs", *(type(layer).__name__ for layer in net.layers)]
        frame = ax.figure.bbox
        assert all(frame.y0 <= text.get_window_extent().y0 for text in ax.texts)


def test_the_diagram_draws_a_plane_for_each_channel():
    from matplotlib.patches import Circle, Rectangle

    net = Network([Conv2D(6, 5, "relu"), MaxPool2D(2), Conv2D(16, 3), Flatten(), Dense(3, "softmax")], inputs=(20, 20, 1))
    ax = plot.network_diagram(net)
    planes = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_facecolor()[3] > 0]
    windows = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_facecolor()[3] == 0]
    assert (len(planes), len(windows)) == (1 + 6 + 6 + 12, 3)  # at most 12 planes
    assert sum(isinstance(patch, Circle) for patch in ax.patches) == 12 + 3
    assert [text.get_text().split("\n")[1] for text in ax.texts if text.get_text() != "⋮"] == [
        "20 × 20 × 1", "16 × 16 × 6", "8 × 8 × 6", "6 × 6 × 16", "576", "3"]
    # larger images have larger planes, and everything is within the axes
    assert planes[0].get_width() > planes[1].get_width() > planes[7].get_width()
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left <= plane.get_x() and plane.get_x() + plane.get_width() <= right for plane in planes)
    assert all(bottom <= plane.get_y() and plane.get_y() + plane.get_height() <= top for plane in planes)
    series = plot.network_diagram(Network([Conv1D(8, 5), Reshape((12, 2, 4)), Flatten(), Dense(2)], inputs=(16, 3)))
    assert sum(patch.get_facecolor()[3] > 0 for patch in series.patches if isinstance(patch, Rectangle)) == 3 + 8 + 4


RAGGED = Network([GRU(4), Dense(2, "softmax")], inputs=(None, 3))
TWO = Input(2, name="a"), Input(2, name="b")
ALONE, SAME = Input(2), Shared(Dense(2, "softmax"))
ONE_LAYER = Network(inputs=ALONE, outputs=SAME(SAME(ALONE)))
SEVERAL = Network(inputs=TWO, outputs=Dense(2, "softmax")(TWO[0] + TWO[1]))


def test_the_diagram_of_sequences_of_any_length():
    ax = plot.network_diagram(RAGGED)
    assert [text.get_text().split("\n")[1] for text in ax.texts] == ["steps × 3", "4", "2"]
    tokens = plot.network_diagram(Network([Embedding(9, 4), GRU(3), Dense(2)], inputs=(None,)))
    assert [text.get_text().split("\n")[1] for text in tokens.texts] == ["steps", "steps × 4", "3", "2"]


@pytest.mark.parametrize(("draw", "says"), [
    *[(lambda draw=draw: draw(RAGGED, np.zeros((5, 3))), "sequences of any length, .*: make the network again with a number")
      for draw in (plot.feature_maps, plot.saliency, plot.grad_cam)],
    (lambda: plot.mistakes(RAGGED, [np.zeros((5, 3))], [0]), "sequences of any length"),
    (lambda: plot.feature_maps(SEVERAL, np.zeros(2)), "several inputs"),
    (lambda: plot.saliency(ONE_LAYER, np.zeros(2)), "last layer, Dense.*, is used elsewhere .*; end with a layer of its"),
    (lambda: plot.filters(NETWORKS["flat"]), "this network has no filters; only convolutions have"),
    (lambda: plot.filters(NETWORKS["gray"], 5), "layer 5, Flatten.*, has no filters; give one of the layers .*: 0, 1"),
    (lambda: plot.filters(NETWORKS["gray"], 8), "layer is 8; this network has the layers 0 to 7"),
    (lambda: plot.filters(NETWORKS["gray"], most=0), "most is 0"),
    (lambda: plot.feature_maps(NETWORKS["gray"], np.zeros((7, 6))), r"x has shape \(7, 6\).* x.reshape\(7, 6, 1\)"),
    (lambda: plot.feature_maps(NETWORKS["gray"], np.zeros((3, 7, 6, 1))), r"give one sample, x\[0\]"),
    (lambda: plot.feature_maps(NETWORKS["color"], np.zeros((3, 8, 8))), r"channels come first: give x.transpose\(1, 2, 0\)"),
    (lambda: plot.feature_maps(NETWORKS["gray"], np.zeros((7, 6, 1)), -1), "without pixels or steps; for these use"),
    (lambda: plot.feature_maps(NETWORKS["gray"], np.full((7, 6, 1), np.nan)), "holds nan"),
    (lambda: plot.saliency(NETWORKS["gray"], np.zeros((7, 6, 1)), 3), "label is 3; this network has the classes 0 to 2"),
    (lambda: plot.saliency(NETWORKS["values"], np.zeros((3, 3, 2)), 2), "label is 2; this network has the outputs 0 to 1"),
    (lambda: plot.saliency(NETWORKS["series"], np.zeros((9, 2)), 2), "label is 2; this network has the classes 0 to 1"),
    (lambda: plot.saliency(NETWORKS["gray"], np.zeros((7, 6, 1)), -1), "label is -1"),
    (lambda: plot.saliency(NETWORKS["flat"], np.zeros(12)), r"12 features in one axis; give the shape of their image"),
    (lambda: plot.saliency(NETWORKS["flat"], np.zeros(12), shape=(3, 3)), "shape 3 × 3 has 9 pixels"),
    (lambda: plot.saliency(NETWORKS["gray"], np.zeros((7, 6, 1)), shape=(7, 6)), "for networks that take flat samples"),
    (lambda: plot.grad_cam(NETWORKS["flat"], np.zeros(12)), "no convolution, whose channels Grad-CAM weights"),
    (lambda: plot.grad_cam(NETWORKS["gray"], np.zeros((7, 6, 1)), layer=5), "layer 5, Flatten.* has pixels or steps"),
    (lambda: plot.mistakes(NETWORKS["values"], np.zeros((2, 3, 3, 2)), np.zeros((2, 2))), "mistakes is of a classifier"),
    (lambda: plot.mistakes(NETWORKS["flat"], np.zeros((2, 12)), [0, 1]), "give the shape of their image"),
    (lambda: plot.mistakes(NETWORKS["gray"], np.zeros((2, 7, 6, 1)), [0, 1], labels=["a"]), "labels has 1 entries"),
    (lambda: plot.mistakes(NETWORKS["gray"], np.zeros((2, 7, 6, 1)), [0, 1], count=0), "count is 0"),
])
def test_bad_input_is_refused(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()
