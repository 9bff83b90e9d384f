"""`fastnn inspect`: what a saved model or network is."""

from . import options

EXAMPLES = (
    ("fastnn inspect diamonds.safetensors", "its layers, the columns it takes, how well it did when it was trained"),
    ("fastnn inspect net.safetensors --json", "a network that Network.save wrote; as JSON"),
)


def main(argv):
    """Run the command."""
    parser = options.command("inspect", "Show what a saved model or network is.", EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a file that fastnn train or Network.save wrote")
    options.add_json(parser)
    parsed = parser.parse_args(argv)
    from ..tables.model import load_any

    network, model = load_any(parsed.model)
    if parsed.json:
        options.print_json(as_data(network, model))
    else:
        options.say(f"{parsed.model}\n\n{network.summary()}" + (f"\n\n{in_words(model)}" if model else ""))


def as_data(network, model):
    """What is told, as plain data."""
    from ..tables.plain import to_config

    data = {"network": network.config(), "parameters": sum(p.size for p in network.parameters.values())}
    if model:
        data |= {"preprocessing": model.preprocessing.config(), "target": to_config(model.target), "report": model.report}
    return data


def in_words(model):
    """What a table has to have, and how the training went."""
    columns = [("column", "kind", "what the network sees")]
    columns += [(c.name, c.kind, c) for c in model.preprocessing.columns] + [(model.target.name, "target", model.target)]
    test = model.report.get("test", {})
    rows = [("on the test rows", *test), ("this network", *map(options.brief, test.values()))]
    rows += [(name, *map(options.brief, values.values())) for name, values in model.report.get("baselines", {}).items()]
    return options.aligned(columns, indent="") + (f"\n\n{options.aligned(rows, indent='')}" if test else "")
