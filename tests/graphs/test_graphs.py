"""Graphs as they are written: names, order, sharing, blocks, slices, and what is refused."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    Activation,
    Add,
    BatchNorm,
    Chain,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    Input,
    Multiply,
    Network,
    Normalize,
    Parallel,
    RandomFlip,
    RandomShift,
    Rescale,
    Residual,
    Shared,
    plot,
    vectorized,
)
from fastnn.kernels.layers.randomness.dropout import GAMMA
from fastnn.program import TrainingProgram
from fastnn.samples.data import check_data

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(50, 6)), rng.integers(3, size=50)


def layers():
    return [Normalize(), Dense(8, "tanh"), BatchNorm(), Dropout(0.2), Dense(8), Activation("relu"), Dense(3),
            Activation("softmax")]


def called(x, layers):
    for layer in layers:
        x = layer(x)
    return x


def bits(net):
    return [array.tobytes() for array in net.vectors.copies()]


def fitted(net, X=X, y=Y):
    return dict(net.fit(X, y, epochs=3, batch_size=7)), bits(net), net.forward(X).tobytes()


# A chain written as a graph


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [None, "table"])
def test_a_chain_written_as_a_graph_is_the_chain(name, dtype, tmp_path):
    x = Input(6, name=name)
    chain = Network(layers(), inputs=6, seed=3, dtype=dtype)
    graph = Network(inputs=x, outputs=called(x, layers()), seed=3, dtype=dtype)
    assert list(graph.parameters) == list(chain.parameters)
    assert bits(graph) == bits(chain)
    assert graph.loss == chain.loss == "cross_entropy"
    chain_program, graph_program = (TrainingProgram(net, check_data(net, X, Y), 7, 1) for net in (chain, graph))
    assert [row.dtype for row in graph_program.rows] == [row.dtype for row in chain_program.rows]
    assert graph_program.arena.size == chain_program.arena.size
    assert fitted(graph) == fitted(chain)
    if name is None:
        for number, net in enumerate((chain, graph)):
            net.save(tmp_path / str(number))
        assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


def test_names_do_not_change_a_number():
    x, y = Input(6), Input(6, name="other")
    plain = Network(inputs=x, outputs=called(x, layers()), seed=1)
    h = Dense(8, "tanh")(Normalize()(y, name="scaled"), name="a.first")
    named = Network(inputs=y, outputs={"kind": called(h, layers()[2:])}, seed=1)
    assert fitted(plain) == fitted(named)
    assert "a.first.weight" in named.parameters
    assert "4.weight" in named.parameters
    assert list(named.state)[:2] == ["scaled.mean", "scaled.scale"]
    assert (named.input_shapes, named.output_shapes) == ({"other": (6,)}, {"kind": (3,)})


# Order and names


def branches(x, first):
    """Return a graph's output; the branches are made in either order."""
    if first:
        a = Dense(4, "tanh")(x)
        b = Dense(5, "relu")(x)
    else:
        b = Dense(5, "relu")(x)
        a = Dense(4, "tanh")(x)
    return Dense(3, "softmax")(Concatenate()(a, b))


def test_order_is_that_of_the_graph_not_of_its_making():
    for _ in range(7):
        Dense(3)(Input(2))  # other nodes of this process
    x, y = Input(6), Input(6)
    one, other = Network(inputs=x, outputs=branches(x, True)), Network(inputs=y, outputs=branches(y, False))
    assert bits(one) == bits(other)
    assert [(name, view.shape) for name, view in one.parameters.items()] == [
        ("0.weight", (6, 4)), ("0.bias", (4,)), ("1.weight", (6, 5)), ("1.bias", (5,)), ("3.weight", (9, 3)),
        ("3.bias", (3,))]
    assert [type(layer).__name__ for layer in one.layers] == ["Dense", "Dense", "Concatenate", "Dense"]


def test_a_deep_graph():
    x = Input(2)
    h = Dense(2)(x)
    for _ in range(1500):
        h = h + x
    net = Network(inputs=x, outputs=h)
    net.parameters["0.weight"][...] = 0
    np.testing.assert_array_equal(net.forward(np.ones((1, 2))), [[1500, 1500]])


def test_a_summary_says_which_layers_are_outputs():
    x = Input(4)
    named = Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x, name="kind"), "price": Dense(1)(x, name="price")})
    assert named.summary().endswith("; outputs kind, price")
    assert Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x), "price": Dense(1)(x)}).summary().endswith(
        "; kind is 0, price is 1")


# Sharing


def test_shared_layers_have_one_set_of_parameters():
    x = Input(6)
    tower = Shared([Dense(4, "tanh"), BatchNorm()])
    net = Network(inputs=x, outputs=Dense(3, "softmax")(Concatenate()(tower(x[:3], name="tower"), tower(x[3:]))))
    assert list(net.parameters) == ["tower.0.weight", "tower.0.bias", "tower.1.scale", "tower.1.shift", "5.weight", "5.bias"]
    assert net.summary().count("as above") == 2
    two = np.concatenate([X[:, 3:], X[:, :3]], axis=1)
    net.parameters["5.weight"][4:] = net.parameters["5.weight"][:4]
    np.testing.assert_allclose(net.forward(X), net.forward(two), rtol=1e-5)


def test_shared_layers_in_lists_and_blocks():
    square = Shared(Dense(6, "tanh"))
    twice = Network([square, Residual(square), Dense(3, "softmax")], inputs=6)
    assert list(twice.parameters) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    fitted(twice)


def test_an_object_in_a_list_has_parameters_at_each_place():
    layer = Dense(6, "tanh")
    net = Network([layer, Residual(layer, layer), layer, Dense(3, "softmax")], inputs=6)
    assert len(net.parameters) == 10


# Blocks


def test_blocks_are_their_layers():
    x = Input(6)
    h = Dense(6)(x)
    by_hand = Network(inputs=x, outputs=Dense(3, "softmax")(Dense(6)(Dense(4, "relu")(h)) + h))
    block = Network([Dense(6), Residual(Dense(4, "relu"), Dense(6)), Dense(3, "softmax")], inputs=6)
    assert block.config() == by_hand.config()
    assert bits(block) == bits(by_hand)


def test_a_shortcut_and_branches():
    net = Network([Residual([Dense(4, "tanh"), Dense(5)], shortcut=Dense(5)),
                   Parallel(Multiply(), [], [Dense(5), Activation("sigmoid")]), Dense(3, "softmax")], inputs=6)
    assert net.shapes == [(6,), (4,), (5,), (5,), (5,), (5,), (5,), (5,), (3,)]
    assert fastnn.check_gradients(net, X[:9], Y[:9]).passed


def test_names_of_blocks():
    x = Input(6)
    net = Network(inputs=x, outputs=Dense(2)(Chain(Dense(4), Residual(Dense(4)), Dense(2))(x, name="encoder"), name="last"))
    assert list(net.graph.names) == ["encoder.0", "encoder.1", "encoder.2", "encoder.3", "last"]


def test_parts_of_a_graph_are_graphs():
    x = Input(6)
    h = Dense(4, "tanh")(x, name="encoder")
    out = Dense(3, "softmax")(h, name="head")
    whole, first, second = (Network(inputs=a, outputs=b) for a, b in ((x, out), (x, h), (h, out)))
    for part in (first, second):
        for name, view in part.parameters.items():
            view[...] = whole.parameters[name]
    np.testing.assert_array_equal(second.forward(first.forward(X)), whole.forward(X))


# Operators and slices


@pytest.mark.parametrize(("function", "expected"), [
    (lambda x: x + x, lambda x: x + x), (lambda x: x * x, lambda x: x * x), (lambda x: x - x, lambda x: x - x),
    (lambda x: 2 * x, lambda x: 2 * x), (lambda x: x * np.float32(0.5), lambda x: x / 2), (lambda x: x + 1, lambda x: x + 1),
    (lambda x: 1 + x, lambda x: x + 1), (lambda x: x - 1, lambda x: x - 1), (lambda x: 1 - x, lambda x: 1 - x),
    (lambda x: -x, lambda x: -x), (lambda x: x / 4, lambda x: x / 4), (lambda x: np.float64(3.0) * x, lambda x: 3 * x),
    (lambda x: x[2:4], lambda x: x[:, 2:4]), (lambda x: x[-2:], lambda x: x[:, -2:]),
    (lambda x: x[..., :1], lambda x: x[:, :1]), (lambda x: x[:] + 0, lambda x: x),
])
def test_operators(function, expected):
    x = Input(6)
    net = Network(inputs=x, outputs=function(x), dtype="float64")
    np.testing.assert_array_equal(net.forward(X), expected(X))


def test_slices_of_images():
    x, images = Input((4, 5, 3)), rng.normal(size=(7, 4, 5, 3))
    net = Network(inputs=x, outputs=Flatten()(x[1:3, :, -2:]), dtype="float64")
    np.testing.assert_array_equal(net.forward(images), images[:, 1:3, :, -2:].reshape(7, -1))
    pairs = Network(inputs=x, outputs=Flatten()(Concatenate(axis=0)(x, x)), dtype="float64")
    np.testing.assert_array_equal(pairs.forward(images), np.concatenate([images, images], axis=1).reshape(7, -1))


# A net for images with shortcuts


def small_resnet():
    x = Input((12, 12, 1), name="image")

    def block(channels, stride, shortcut):
        return Chain(Residual(Conv2D(channels, 3, stride=stride, padding="same"), BatchNorm(), Activation("relu"),
                              Conv2D(channels, 3, padding="same"), BatchNorm(), shortcut=shortcut), Activation("relu"))

    h = Chain(Conv2D(6, 3, padding="same"), BatchNorm(), Activation("relu"))(x, name="stem")
    for k, (channels, stride) in enumerate([(6, 1), (8, 2), (12, 2)]):
        h = block(channels, stride, [] if stride == 1 else Conv2D(channels, 1, stride=stride))(h, name=f"block_{k}")
    return Network(inputs=x, outputs=Dense(3, "softmax")(GlobalAveragePool()(h), name="head"), seed=2)


def test_a_residual_net_for_images_learns():
    """Bars that are level, upright or oblique, in noise."""
    images, kinds = rng.normal(scale=0.3, size=(240, 12, 12, 1)), rng.integers(3, size=240)
    for image, kind in zip(images, kinds, strict=True):
        k = rng.integers(2, 10)
        if kind < 2:
            image[(k, slice(None)) if kind else (slice(None), k)] += 1
        else:
            image[np.arange(12), (np.arange(12) + k) % 12] += 1
    net = small_resnet()
    history = net.fit(images, kinds, epochs=6, batch_size=16, optimizer=fastnn.Adam(0.01))
    assert history["loss"][-1] < 0.1 < 0.4 < history["loss"][0]
    assert net.evaluate(images, kinds)["accuracy"] > 0.95


def test_the_diagram_has_a_box_for_each_layer_and_no_two_overlap():
    pytest.importorskip("matplotlib")
    net = small_resnet()
    ax = plot.network_diagram(net)
    from matplotlib.patches import FancyBboxPatch

    boxes = [patch.get_bbox().extents for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == len(net.shapes)
    for k, (left, bottom, right, top) in enumerate(boxes):
        for other in boxes[:k]:
            assert left >= other[2] or right <= other[0] or bottom >= other[3] or top <= other[1]


# What is refused


def build(function):
    x = Input(6)
    return Network(inputs=x, outputs=function(x))


def mutated(x):
    h = Dense(6)(x)
    a = h + x
    h.reads = (a,)
    return Dense(3)(a)


def mutated_in_a_row(x):
    h = Dense(6)(x)
    a = Dense(6)(h)
    h.reads = (a,)
    return Dense(3)(a)


same = Dense(6)
REFUSED = {
    "the same object twice": (lambda x: same(x) + same(x), r"Dense\(6.*called twice .* a Shared\(layer\) .* new object"),
    "the same object twice in a row": (lambda x: Dense(3)(same(same(x))), "is called twice"),
    "the same object in two blocks": (lambda x: Residual(same)(x) + Residual(same)(x), "is called twice"),
    "a block twice": (lambda x: (lambda block: block(x) + block(x))(Residual(Dense(6))), "is called twice"),
    "another input": (lambda x: Dense(3)(x + Input(6, name="lost")), "depend on <Input 'lost', .* add it to `inputs`"),
    "an input that is not read": (lambda x: Dense(3)(Input(4)), "not among the inputs"),
    "the input itself": (lambda x: x, "is an output and an input"),
    "a cycle": (mutated, "depends on its own output; a graph has no cycles"),
    "a cycle in a row": (mutated_in_a_row, "depends on its own output; a graph has no cycles"),
    "shapes that do not join": (lambda x: Dense(3, "tanh")(x) + Dense(4, "relu")(x),
                                r"joins tensors of one shape.* \(3,\) and \(4,\).*Dense\(3, 'tanh'\).*Dense\(4, 'relu'\)"),
    "shapes that do not concatenate": (lambda x: Concatenate(axis=0)(x, Dense(2)(x), Input((3, 3))), "in axis 0 only"),
    "one tensor": (lambda x: Add()(x), "joins 2 or more tensors, and here there is 1"),
    "three for a difference": (lambda x: fastnn.Subtract()(x, x, x), "joins 2 tensors, and here there are 3"),
    "names twice": (lambda x: Dense(3)(Dense(3)(x, name="a"), name="a"), "two layers or inputs are called 'a'"),
    "two names of a shared layer": (lambda x: (lambda s: s(s(x, name="a"), name="b"))(Shared(Dense(6))), "one set of"),
    "shared on two shapes": (lambda x: (lambda s: s(s(x)))(Shared(Dense(3))), r"\(6,\) and \(3,\)"),
    "a name that is a number": (lambda x: Dense(3)(x, name="3"), "it must begin with a letter"),
    "two nodes for one layer": (lambda x: Dense(3)(x, x), "is called on 2 nodes; it takes one"),
    "numbers": (lambda x: Dense(3)(X), "it takes nodes"),
    "a layer that is not called": (lambda x: Dense(3)(Dense(2)), "call that on a node first, as in Dense"),
    "a number for all features": (lambda x: Multiply()(x, x[:1]), r"is repeated to fit; repeat .* by Concatenate\(\)"),
    "a node and an array": (lambda x: x + np.ones(6), "cannot be combined with a node"),
    "a number of no use": (lambda x: x * np.nan, "cannot be combined with a node"),
    "a node divided by a node": (lambda x: x / x, "cannot be divided by a node"),
    "a node divided by 0": (lambda x: x / 0, "cannot be divided by 0"),
    "an element": (lambda x: x[3], "write 3:4 for one element"),
    "a step": (lambda x: x[::2], "a step of 2"),
    "too many axes": (lambda x: x[1:, 1:], "more axes than a sample"),
    "nothing": (lambda x: x[4:2], "takes nothing"),
    "outside": (lambda x: x[2:9], "takes no part"),
    "an axis of an image that is not said": (lambda x: Input((3, 3, 1))[1:], r"write \[..., 1:\] for the last one"),
    "an empty block": (lambda x: Residual()(x), "is empty"),
    "an empty chain": (lambda x: Chain()(x), "is empty"),
    "a block that changes the shape": (lambda x: Residual(Dense(3))(x), "give a shortcut that makes"),
    "parallel without a join": (lambda x: Parallel(Dense(3), Dense(4))(x), "must be a layer that joins"),
    "parallel without branches": (lambda x: Parallel(Add())(x), "has no branches"),
    "shared twice over": (lambda x: Shared(Shared(Dense(3)))(x), "is shared already"),
    "a statistic of the data behind a layer": (lambda x: Normalize()(Dense(3)(x)), "learns from X"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_repair(name):
    function, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        build(function).fit(X, np.zeros((50, 3)))


@pytest.mark.parametrize(("arguments", "message"), [
    ({}, "layers is missing"), ({"inputs": 4}, "layers is missing"), ({"layers": [Dense(1)]}, "inputs is None"),
    ({"layers": [Add()], "inputs": 4}, "joins several tensors; in a list use Residual"),
    ({"layers": [Dense(1)], "inputs": 4, "outputs": Dense(1)(Input(4))}, "leave one of them out"),
    ({"layers": Dense(1)(Input(4)), "inputs": 4}, r"layers is <Dense.*, a node; a graph is Network\(inputs=x, outputs=h\)"),
    ({"inputs": 4, "outputs": Dense(1)(Input(4))}, "inputs of a graph is 4; it must be a node"),
    ({"inputs": Input(4), "outputs": Dense(1)}, "outputs of a graph is Dense"),
    ({"inputs": [], "outputs": Dense(1)(Input(4))}, "inputs is empty"),
], ids=str)
def test_arguments_that_make_no_network(arguments, message):
    with pytest.raises(ValueError, match=message):
        Network(**arguments)


def test_nodes_are_not_iterated_or_changed_by_numpy():
    with pytest.raises(TypeError):
        iter(Input(3))
    assert isinstance(np.float64(2) * Input(3), type(Input(3)))
    assert isinstance((Input(3) * 2).layer, Rescale)


# Layers that draw random numbers, used again


IMAGES = rng.normal(size=(9, 4, 4, 3))


@pytest.mark.parametrize("layer", [Dropout(0.5), Dropout(0.5, channels=True), GaussianNoise(0.7), RandomShift(2),
                                   RandomFlip(vertical=True)], ids=repr)
def test_each_use_of_a_shared_layer_draws_by_itself(layer):
    x, shared, out = Input((4, 4, 3)), Shared(layer), Dense(2)
    uses = shared(x), shared(x), shared(x)
    net = Network(inputs=x, outputs=out(Flatten()(Concatenate()(*uses))), seed=5, dtype="float64")
    index = next(step.index for step in net.wiring.steps if step.layer == layer)
    targets, word = rng.normal(size=(9, 2)), int(net.vectors.random[1 + index])
    _, gradients = net.loss_and_gradients(IMAGES, targets, training=True)
    # in NumPy: use u draws from the word u steps ahead, and a step advances it by the number of uses
    seen = [in_training(layer, (word + use * GAMMA) % 2**64) for use in range(3)]
    plain = Network([Flatten(), out], inputs=(4, 4, 9), dtype="float64")
    name = next(iter(net.parameters))
    plain.parameters["1.weight"][:] = net.parameters[name]
    _, expected = plain.loss_and_gradients(np.concatenate(seen, axis=-1), targets)
    np.testing.assert_allclose(gradients[name], expected["1.weight"], rtol=1e-9, atol=1e-12)
    assert not np.array_equal(seen[0], seen[1])
    net.fit(IMAGES, targets, epochs=2, batch_size=9)
    assert int(net.vectors.random[1 + index]) == (word + 2 * 3 * GAMMA) % 2**64


def in_training(layer, word):
    """Return what a layer makes of the images in training, in NumPy."""
    if isinstance(layer, Dropout):
        return vectorized.dropout_forward(IMAGES, layer.rate, word, channels=layer.channels)
    if isinstance(layer, GaussianNoise):
        return vectorized.gaussian_noise_forward(IMAGES, layer.deviation, word)
    return vectorized.random_view_forward(IMAGES, (4, 4), *layer.ranges((4, 4, 3)), layer.mirrors, word)
