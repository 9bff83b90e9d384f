"""Why activations must be nonlinear: a linear network of any depth is a linear map, and cannot learn XOR or the spiral.

With the identity as activation, the layers together are one layer:

    ((x W₁ + b₁) W₂ + b₂) W₃ + b₃  =  x (W₁ W₂ W₃) + (b₁ W₂ W₃ + b₂ W₃ + b₃)
"""

import numpy as np

from .. import Adam, Dense, Network, plot
from ..datasets import parity, spiral
from . import options

HIDDEN, EPOCHS = (32, 32, 32, 32), 60


def main(argv=None):
    parsed = options("linear_depth", __doc__).parse_args(argv)
    X, y = spiral()
    bits, xor = parity(2)
    activations = {"one layer": [], "linear, 5 layers": ["identity"] * len(HIDDEN), "relu, 5 layers": ["relu"] * len(HIDDEN)}
    nets, accuracies, xor_accuracies = {}, {}, {}
    print("network             parameters   spiral    XOR")
    for name, hidden in activations.items():
        nets[name] = trained(X, y, hidden, outputs=3, epochs=EPOCHS, batch_size=32)
        accuracies[name] = nets[name].evaluate(X, y)["accuracy"]
        xor_net = trained(bits, xor, hidden, outputs=2, epochs=300, batch_size=4)
        xor_accuracies[name] = xor_net.evaluate(bits, xor)["accuracy"]
        count = sum(p.size for p in nets[name].parameters.values())
        print(f"{name:<20}{count:10,}{accuracies[name]:9.1%}{xor_accuracies[name]:7.0%}")

    deep = nets["linear, 5 layers"]
    weight, bias = collapse(deep)
    logits = X @ weight + bias
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    difference = np.abs(exponentials / exponentials.sum(axis=1, keepdims=True) - deep.forward(X)).max()
    print(f"\nThe {len(deep.layers)} layers of the linear network multiplied out to one:")
    print(f"weight = {np.array2string(weight, precision=3, prefix='weight = ')}")
    print(f"bias   = {np.array2string(bias, precision=3)}")
    print(f"largest difference between its outputs and theirs: {difference:.1e}")
    print(plot.save_picture(parsed.picture, lambda: draw(nets, accuracies, X[::5], y[::5])))
    return {"difference": difference, "accuracy": accuracies, "xor_accuracy": xor_accuracies}


def trained(X, y, hidden, outputs, epochs, batch_size):
    layers = [Dense(width, activation) for width, activation in zip(HIDDEN, hidden, strict=False)]
    net = Network([*layers, Dense(outputs, "softmax")], inputs=X.shape[1], dtype="float64")
    net.fit(X, y, epochs=epochs, batch_size=batch_size, optimizer=Adam(learning_rate=2e-3))
    return net


def collapse(net):
    """Return the weight and bias of the single layer that equals all layers of a linear network."""
    weight, bias = np.eye(net.inputs), np.zeros(net.inputs)
    for index in range(len(net.layers)):
        weight = weight @ net.parameters[f"{index}.weight"]
        bias = bias @ net.parameters[f"{index}.weight"] + net.parameters[f"{index}.bias"]
    return weight, bias


def draw(nets, accuracies, X, y):
    panels = plot.axes(1, len(nets), width=13, height=4.4)
    for ax, (name, net) in zip(panels, nets.items(), strict=True):
        plot.decision_boundary(net, X, y, ax=ax).set_title(f"{name}: {accuracies[name]:.1%} right")
        ax.legend_.set_visible(ax is panels[0])
    return panels[0]


if __name__ == "__main__":
    main()
