"""The computation graph: the notes' example and a small network, number by number, with all derivatives.

Each node of the graph is one number; its derivative is computed by the chain rule from the result backward. For the network,
the derivatives equal those of the compiled kernels.
"""

import numpy as np

from .. import Dense, Network, graph, plot
from . import options

X, Y = np.array([[0.5, -1.0]]), np.array([1.0])


def main(argv=None):
    parsed = options("computation_graph", __doc__).parse_args(argv)
    J = graph.notes_example()
    print("The notes' example, J = 3 (a + b c):\n")
    graph.print_graph(J)

    net = Network([Dense(2, "tanh"), Dense(1, "sigmoid")], inputs=2, dtype="float64", seed=1)
    parameters = [(net.parameters[f"{i}.weight"], net.parameters[f"{i}.bias"]) for i in range(len(net.layers))]
    loss, nodes = graph.network_loss(parameters, [layer.activation for layer in net.layers], X, Y[:, None], net.loss)
    print(f"\nA network, {net!r},\non one sample x = {X[0].tolist()}, y = {Y[0]:g}:\n")
    graph.print_graph(loss)

    compiled_loss, gradients = net.loss_and_gradients(X, Y)
    difference = abs(compiled_loss - loss.value)
    for i, (dweight, dbias) in enumerate(graph.derivatives(nodes)):
        for name, derivative in (("weight", dweight), ("bias", dbias)):
            difference = max(difference, np.abs(gradients[f"{i}.{name}"] - derivative).max())
    print(f"\nlargest difference from net.loss_and_gradients: {difference:.1e}")
    print(plot.save_picture(parsed.picture, lambda: graph.draw(J)))
    network_picture = parsed.picture.with_stem(f"{parsed.picture.stem}-network")
    print(plot.save_picture(network_picture, lambda: graph.draw(loss)))
    derivatives = {node.label: node.derivative for node in graph.topological_order(J)}
    return {"difference": difference, "derivatives": derivatives}


if __name__ == "__main__":
    main()
