"""`fastnn check-gradients`: the compiled gradients of a network compared with finite differences of its loss."""

import numpy as np

from . import options

EXAMPLES = (
    ("fastnn check-gradients 4-16:tanh-3", "4 inputs, 16 tanh, 3 softmax"),
    ("fastnn check-gradients 3-8:gelu-8:elu-1:sigmoid --loss squared_error", "other activations and another loss"),
)


def main(argv):
    """Run the command; the exit status is 1 if a gradient is wrong."""
    from ..gradient_check import TOLERANCE, check_gradients
    from ..kernels.losses import losses
    from ..network.network import Network

    parser = options.command("check-gradients", "Check the gradients of a network, on random data, in float64.", EXAMPLES)
    parser.add_argument("net", type=options.whole_net, metavar="SIZES", help="inputs, hidden layers, outputs: 4-16:tanh-3")
    parser.add_argument("--loss", choices=losses, metavar="LOSS",
                        help=f"one of {', '.join(losses)} (default: that of the last layer)")
    parser.add_argument("--samples", type=options.positive, default=8, metavar="N", help="rows of data (default: 8)")
    parser.add_argument("--seed", type=options.whole, default=0, metavar="N", help="seed of data and weights (default: 0)")
    options.add_json(parser)
    parsed = parser.parse_args(argv)
    inputs, layers = parsed.net
    net = Network(layers, inputs, loss=parsed.loss, seed=parsed.seed)
    generator = np.random.default_rng(parsed.seed)
    X, y = generator.normal(size=(parsed.samples, inputs)), generator.random((parsed.samples, net.objective.head.taken))
    if net.objective.head.targets == "classes":  # probabilities, which sum to 1
        y /= y.sum(axis=1, keepdims=True)
    report = check_gradients(net, X, y)
    if parsed.json:
        options.print_json({"net": options.in_words(inputs, layers), "loss": net.loss, "tolerance": TOLERANCE,
                            "max_relative_error": report.max_relative_error, "passed": report.passed,
                            "parameters": {check.name: check.relative_error for check in report.parameters}})
    else:
        options.print_now(f"{options.in_words(inputs, layers)}; loss {net.loss}\n\n{report}")
    return 0 if report.passed else 1
