"""`fastnn inspect`: the contents of a saved model or network."""

from . import options

EXAMPLES = (
    ("fastnn inspect diamonds.safetensors", "its layers, the columns of its tables, and its test results"),
    ("fastnn inspect net.safetensors --json", "a network that Network.save wrote, as JSON"),
)


def main(argv):
    """Run the command."""
    parser = options.command("inspect", "Show a saved model or network.", EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a file of fastnn train or Network.save")
    options.add_json(parser)
    parsed = parser.parse_args(argv)
    from ..tables.model import load_any

    network, model = load_any(parsed.model)
    if parsed.json:
        options.print_json(as_data(network, model))
    else:
        options.print_now(f"{parsed.model}\n\n{network.summary()}" + (f"\n\n{in_words(model)}" if model else ""))


def as_data(network, model):
    """Return the description as plain data."""
    from ..tables.plain import to_config

    data = {"network": network.config(), "parameters": sum(p.size for p in network.parameters.values())}
    if model:
        data |= {"preprocessing": model.preprocessing.config(), "target": to_config(model.target), "report": model.report}
    return data


def in_words(model):
    """Return the columns that a table must have, and the test results, as text."""
    columns = [("column", "kind", "what the network sees")]
    columns += [(c.name, c.kind, c) for c in model.preprocessing.columns]
    columns += [(part.name, "target", part) for part in model.target.parts]
    test, beside = model.report.get("test", {}), model.report.get("baselines", {})
    figures, names = {None: (test, beside)}, [part.name for part in model.target.parts]
    if len(names) > 1:
        figures = {name: (test.get(name, {}), beside.get(name, {})) for name in names}
    tables = [options.aligned(columns, indent="")]
    for name, (own, others) in figures.items():
        title = "on the test rows" if name is None else f"{name} on the test rows"
        rows = [(title, *own), ("this network", *map(options.brief, own.values()))]
        rows += [(other, *map(options.brief, values.values())) for other, values in others.items()]
        tables += [options.aligned(rows, indent="")] * bool(own)
    return "\n\n".join(tables)
