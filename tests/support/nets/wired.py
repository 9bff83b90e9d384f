"""Networks that branch, join and use layers twice, built by hand, and their results in NumPy."""

import math

import numpy as np

from fastnn import Activation, Add, BatchNorm, Dense, Dropout, Flatten, LayerNorm, Network, Reshape, vectorized
from fastnn.architecture.wiring import Step, Wiring
from fastnn.kernels.activations import activations
from fastnn.vectorized.records import activate, pullback

WIDTH, OUTPUTS = 5, 3


class Wired(Network):
    """A network whose layers are the sets of parameters, and whose steps are given: (index, reads), or a Step.

    The index None stands for a sum. The last step gives the outputs. Layers are as wide as the inputs, except the last.
    """

    def __init__(self, layers, steps, inputs=WIDTH, **options):
        super().__init__(layers, inputs, **options)
        self.given = steps
        names = [step.activation for step in self.wiring.steps]
        self.wiring = Wiring(1, tuple(
            Step(-1 - number, Add(), reads) if index is None else Step(index, layers[index], reads, names[index])
            for number, (index, reads) in enumerate(steps)
        ), (len(steps),))

    @property
    def outputs(self):
        return self.widths[-1]  # of the layers, of which there are fewer than steps, or more

    @property
    def step_outputs(self):
        return (False,)

    def astype(self, dtype):
        twin = type(self)(self.layers, self.given, self.shapes[0], loss=self.loss, dtype=dtype, seed=self.seed)
        twin.vectors.set_copies(*self.vectors.copies())
        return twin


def nets():
    """Return {name: (layers, steps)}; tensor 0 is the input, tensor k the result of step k."""
    dense, tanh = Dense(WIDTH, "tanh"), Activation("tanh")
    act, last = Activation("sigmoid"), Dense(OUTPUTS, "softmax")
    return {
        "a diamond": ([dense, Dense(WIDTH, "sigmoid"), dense, last],
                      [(0, (0,)), (1, (1,)), (2, (1,)), (None, (2, 3)), (3, (4,))]),
        "a diamond of the inputs": ([dense, Dense(WIDTH, "sigmoid"), last],
                                    [(0, (0,)), (1, (0,)), (None, (1, 2)), (2, (3,))]),
        "three readers": ([dense, dense, Dense(WIDTH), Dense(WIDTH, "silu"), last],
                          [(0, (0,)), (1, (1,)), (2, (1,)), (3, (1,)), (None, (2, 3)), (None, (5, 4)), (4, (6,))]),
        "a layer twice in a row": ([dense, dense, last], [(0, (0,)), (1, (1,)), (1, (2,)), (2, (3,))]),
        "a layer three times in a row, first": ([dense, last], [(0, (0,)), (0, (1,)), (0, (2,)), (1, (3,))]),
        "a layer in two branches": ([dense, dense, Dense(WIDTH, "silu"), last],
                                    [(0, (0,)), (1, (1,)), (2, (1,)), (1, (3,)), (None, (2, 4)), (3, (5,))]),
        "a layer twice on one tensor": ([dense, dense, last],
                                        [(0, (0,)), (1, (1,)), (1, (1,)), (None, (2, 3)), (2, (4,))]),
        "with penalties": ([Dense(WIDTH, "tanh", l2=0.3), Dense(WIDTH, "tanh", l1=0.01, l2=0.1), last],
                           [(0, (0,)), (1, (1,)), (1, (2,)), (None, (3, 1)), (2, (4,))]),
        "an activation in place, then another reader": ([Dense(WIDTH), BatchNorm(), act, last],
                                                        [(0, (0,)), (1, (1,)), (2, (2,)), (None, (3, 2)), (3, (4,))]),
        "a reader, then an activation in place": ([Dense(WIDTH), LayerNorm(), act, dense, last],
                                                  [(0, (0,)), (1, (1,)), (3, (2,)), (2, (2,)), (None, (4, 3)), (4, (5,))]),
        "two activations in place": ([Dense(WIDTH), LayerNorm(), act, tanh, last],
                                     [(0, (0,)), (1, (1,)), (2, (2,)), (3, (2,)), (None, (4, 3)), (4, (5,))]),
        "normalizations in place": ([Dense(WIDTH), BatchNorm(), LayerNorm(), last],
                                    [(0, (0,)), (1, (1,)), (2, (1,)), (None, (2, 3)), (None, (1, 4)), (3, (5,))]),
        "a normalization twice": ([dense, LayerNorm(), BatchNorm(), last],
                                  [(0, (0,)), (1, (1,)), (2, (2,)), (1, (3,)), (2, (4,)), (None, (5, 1)), (3, (6,))]),
        "views": ([dense, Reshape((WIDTH, 1)), Activation("tanh"), Flatten(), act, last],
                  [(0, (0,)), (1, (1,)), (2, (2,)), (3, (3,)), (4, (1,)), (3, (2,)), (None, (4, 5)), (None, (7, 6)),
                   (5, (8,))]),
        "views first": ([dense, Flatten(), act, dense, last],
                        [(0, (0,)), (1, (1,)), (2, (2,)), (3, (2,)), (None, (3, 4)), (None, (5, 1)), (4, (6,))]),
        "a tensor and itself": ([dense, last], [(0, (0,)), (None, (1, 1)), (1, (2,))]),
        "a tensor, itself and another reader": ([dense, act, last],
                                                [(0, (0,)), (None, (1, 1)), (1, (1,)), (None, (2, 3)), (2, (4,))]),
        "a residual of residuals": ([dense, dense, Dense(WIDTH, "relu"), last],
                                    [(0, (0,)), (1, (1,)), (2, (2,)), (None, (3, 1)), (1, (4,)), (None, (5, 4)), (3, (6,))]),
        "layers that do nothing": ([dense, Dropout(0.0), Activation("identity"), act, last],
                                   [(0, (0,)), (1, (1,)), (2, (2,)), (3, (2,)), (None, (1, 3)), (None, (5, 4)), (4, (6,))]),
        "one number between": ([dense, Dense(1, "tanh"), Dense(WIDTH, "silu"), last],
                               [(0, (0,)), (1, (1,)), (2, (2,)), (2, (2,)), (None, (3, 1)), (None, (5, 4)), (3, (6,))]),
        "no softmax": ([dense, dense, Dense(2)], [(0, (0,)), (1, (1,)), (None, (1, 2)), (2, (3,))]),
        "outputs that are a sum": ([dense, Dense(WIDTH)], [(0, (0,)), (1, (1,)), (None, (2, 1))]),
    }


def around(layer, shape, first):
    """Return (layers, steps): a layer for samples of a shape, beside another reader, and used twice.

    In a row if it keeps the shape, else on one tensor. first: whether its rows stand before those of the other reader, whose
    parameters are used before as well.
    """
    features = math.prod(shape)
    layers = [Dense(features, "tanh"), Reshape(shape), layer, Flatten(), Dense(features), Dense(OUTPUTS, "softmax")]
    steps = [(0, (0,)), (1, (1,))]

    def read(index, *tensors):
        steps.append((index, tensors))
        return len(steps)

    def by_layer():
        used = read(2, 2)
        used = read(2, used) if layer.output_shape(shape) == shape else read(None, used, read(2, 2))
        return read(4, read(3, used))

    def by_other():
        return read(0, read(3, 2))

    branches = [by_layer(), by_other()] if first else [by_other(), by_layer()]
    read(5, read(None, *branches))
    return layers, steps


def random_wiring(seed):
    """Return (layers, steps) of a random network: layers used again, tensors with any number of readers, all summed."""
    rng = np.random.default_rng(seed)
    kinds = [Dense(WIDTH, "tanh"), Dense(WIDTH), Dense(WIDTH, "silu", l2=0.1), Activation("sigmoid"), LayerNorm(),
             BatchNorm(), Flatten(), Reshape((WIDTH,)), Dropout(0.0)]
    layers = [Dense(WIDTH, "silu"), *(kinds[k] for k in rng.integers(len(kinds), size=5)), Dense(OUTPUTS, "softmax")]
    steps = [(0, (0,))]
    for _ in range(rng.integers(3, 9)):
        made = len(steps)
        if rng.random() < 0.3:
            steps.append((None, tuple(map(int, rng.integers(1, made + 1, size=2)))))
        else:
            steps.append((int(rng.integers(1, len(layers) - 1)), (int(rng.integers(max(1, made - 2), made + 1)),)))
    read = {tensor for _, reads in steps for tensor in reads}
    loose = [number for number in range(1, len(steps) + 1) if number not in read]
    while len(loose) > 1:
        steps.append((None, (loose.pop(0), loose.pop(0))))
        loose.append(len(steps))
    return layers, [*steps, (len(layers) - 1, (loose[0],))]


def made(layers, steps, dtype="float64", inputs=WIDTH, **options):
    """Return a network with these steps and nonzero parameters."""
    net = Wired(layers, steps, inputs=inputs, dtype=dtype, **options)
    rng = np.random.default_rng(7)
    for view in net.parameters.values():
        view += rng.normal(scale=0.3, size=view.shape).astype(dtype)
    return net


def data(samples, net, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(samples, net.inputs))
    if net.is_classifier:
        return X, rng.integers(net.outputs, size=samples)
    return X, rng.normal(size=(samples, net.outputs))


def forward(step, parameters, given):
    """Return what a step computes, in training: (z, a)."""
    layer, (x, *others) = step.layer, given
    named = {name: parameters[f"{step.index}.{name}"] for name in layer.parameter_shapes(x.shape[1:])}
    if isinstance(layer, Add):
        z = x + others[0]
    elif isinstance(layer, Dense):
        z = vectorized.linear_forward(x, named["weight"], named["bias"])
    elif isinstance(layer, BatchNorm):
        z = vectorized.batch_norm_forward(x, **named)
    elif isinstance(layer, LayerNorm):
        z = vectorized.layer_norm_forward(x, **named)
    elif layer.is_view:
        z = x.reshape(len(x), *layer.output_shape(x.shape[1:]))
    else:
        z = x
    return z, activate(activations[step.activation], z)


def backward(step, parameters, da, z, a, given):
    """Return the gradients of the tensors that a step reads, a list, and of its parameters by name."""
    layer, (x, *_), dz = step.layer, given, pullback(activations[step.activation], da, z, a)
    if isinstance(layer, Add):
        return [dz, dz], {}
    if isinstance(layer, Dense):
        dx, *of = vectorized.linear_backward(dz, x, parameters[f"{step.index}.weight"])
        return [dx], dict(zip(("weight", "bias"), of, strict=True))
    if isinstance(layer, (BatchNorm, LayerNorm)):
        push = vectorized.batch_norm_backward if isinstance(layer, BatchNorm) else vectorized.layer_norm_backward
        dx, *of = push(dz, x, parameters[f"{step.index}.scale"])
        return [dx], dict(zip(("scale", "shift"), of, strict=True))
    return [dz.reshape(x.shape)], {}


def vectorized_gradients(net, X, y):
    """Return the loss and its gradients in NumPy, in training."""
    tensors, inside = [X], []
    for step in net.wiring.steps:
        given = [tensors[number] for number in step.reads]
        z, a = forward(step, net.parameters, given)
        tensors.append(a)
        inside.append((z, a, given))
    Y = np.eye(net.outputs)[y] if y.ndim == 1 else y
    loss = getattr(vectorized, net.loss)(tensors[-1], Y)
    gradients = {name: np.zeros_like(view) for name, view in net.parameters.items()}
    pushed = {len(tensors) - 1: getattr(vectorized, f"{net.loss}_gradient")(tensors[-1], Y)}
    for number in range(len(net.wiring.steps), 0, -1):
        step = net.wiring.steps[number - 1]
        of_inputs, of_parameters = backward(step, net.parameters, pushed.pop(number), *inside[number - 1])
        for tensor, gradient in zip(step.reads, of_inputs, strict=True):
            pushed[tensor] = pushed.get(tensor, 0) + gradient
        for name, gradient in of_parameters.items():
            gradients[f"{step.index}.{name}"] += gradient
    for index, layer in enumerate(net.layers):
        l1, l2 = getattr(layer, "l1", 0.0), getattr(layer, "l2", 0.0)
        if (l1 or l2) and any(step.index == index for step in net.wiring.steps):
            weight = net.parameters[f"{index}.weight"]
            loss += vectorized.weight_penalty(weight, l1, l2)
            gradients[f"{index}.weight"] += vectorized.weight_penalty_gradient(weight, l1, l2)
    return loss, gradients, pushed.get(0)
