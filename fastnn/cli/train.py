"""`fastnn train`: from a table to a model in one file, judged beside a guess and a linear model on rows held out."""

from pathlib import Path

from . import options

MANY = 30  # columns that are shown
EXAMPLES = (
    ("fastnn train diamonds.csv --target price", "numbers and text are told apart; the model goes to diamonds.safetensors"),
    ("fastnn train churn.csv --target left --drop customer_id --missing '?'",
     "leave a column out; read ? as missing. Text to predict makes a classifier"),
    ("fastnn train wine.csv --target quality --task regression --layers 128:tanh-64 --epochs 50",
     "a number, though few different ones; two hidden layers of your own"),
    ("fastnn train houses.parquet --target price --log-target auto --seed 1 -o houses.safetensors --json",
     "learn prices or their logarithms, whichever does better on the validation rows; results as JSON"),
)


def main(argv):
    """Run the command."""
    parsed = parser().parse_args(argv)
    from ..tables import Recipe, read_table, train
    from ..tables.training.baselines import baselines, remark

    stem = "model" if parsed.file == "-" else Path(parsed.file).name.split(".")[0] or "model"
    output = parsed.output or Path(f"{stem}.safetensors")
    options.check_output(output, ("table", parsed.file))
    table = read_table(parsed.file, text=(*parsed.text, *parsed.drop), missing_values=parsed.missing,
                       spelling=[parsed.target], **options.how_to_read(parsed))
    recipe = Recipe(
        layers=parsed.layers, epochs=parsed.epochs, batch_size=parsed.batch_size, learning_rate=parsed.learning_rate,
        weight_decay=parsed.weight_decay, validation=parsed.validation, test=parsed.test, seed=parsed.seed,
        task=parsed.task, log_target=parsed.log_target, text=parsed.text, drop=parsed.drop,
        missing_values=parsed.missing, keep_columns=parsed.keep_columns, keep_words=parsed.keep_words,
        max_categories=parsed.max_categories, limit=parsed.limit, threads=parsed.threads,
    )
    quiet = parsed.json or parsed.quiet

    def announce(preprocessing, target, parts, sizes):
        if not quiet:
            options.say(plan(parsed, table, preprocessing, target, parts, sizes))

    result = train(table, parsed.target, recipe, progress=False if quiet else None, announce=announce)
    beside = {} if parsed.no_baselines else baselines(result)
    if worse := remark(result.metrics, beside):
        result.notes.append(worse)
    found = report(parsed, result, beside, recipe, output)
    result.model.report = {name: found[name] for name in ("task", "rows", "epochs", "batch_size", "learning_rate",
                                                          "weight_decay", "seed", "best_epoch", "test", "baselines")}
    result.model.save(output)
    for note in result.notes:
        options.remark("train", note)
    if not beside and not parsed.no_baselines:
        options.remark("train", 'nothing to compare with: the baselines need scikit-learn (pip install "fastnn-numba[cli]")')
    if parsed.json:
        options.print_json(found)
    elif not quiet:
        options.say(outcome(result, beside, output))


def parser():
    parser = options.command("train", "Train a network to predict a column of a table from the others.", EXAMPLES)
    parser.add_argument("file", metavar="FILE",
                        help="CSV (also .gz, .zst, .tsv …) or Parquet, names of columns first; - is the standard input")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    parser.add_argument("-o", "--output", type=Path, metavar="MODEL", help="the model's place (default: FILE's name here, "
                                                                           "with .safetensors)")
    table = parser.add_argument_group("the table")
    table.add_argument("--task", choices=("auto", "regression", "classification"), default="auto",
                       help="predict values or classes; by itself: classes for text, for true and false, and for at most 10 "
                            "different whole numbers")
    table.add_argument("--text", type=options.words, default=(), metavar="A,B", help="columns whose numbers are names, such "
                                                                                     "as postal codes")
    table.add_argument("--drop", type=options.words, default=(), metavar="A,B", help="columns to leave out")
    table.add_argument("--missing", type=options.words, default=(), metavar="A,B", help="what means missing beside an empty "
                                                                                       "cell, such as --missing='?,-'")
    table.add_argument("--keep-columns", type=options.words, default=(), metavar="A,B",
                       help="columns to learn from although they count the rows, or hold a text of its own in most rows")
    table.add_argument("--keep-words", type=options.words, default=(), metavar="A,B",
                       help="columns in which NA, None, null and the like are categories; elsewhere they are missing")
    table.add_argument("--max-categories", type=options.positive_or_auto, default="auto", metavar="N",
                       help="of a text column the N most frequent words count (default: 1000, fewer for very many rows)")
    table.add_argument("--limit", type=options.limit, default="auto", metavar="L",
                       help="a number counts as at most L standard deviations from its mean, so that an outlier does not "
                            "carry all before it; inf for no limit (default: 5, or as far as the column's tail reaches)")
    options.add_reading(table)
    table.add_argument("--validation", type=options.share, default=0.1, metavar="SHARE",
                       help="of the rows, to choose the best epoch by (default: 0.1)")
    table.add_argument("--test", type=options.share, default=0.2, metavar="SHARE",
                       help="of the rows, held out for the result (default: 0.2)")
    net = parser.add_argument_group("the network and its training")
    net.add_argument("--layers", type=options.hidden_layers, default="64-64", metavar="SIZES",
                     help='hidden layers, such as 128:tanh-64 (default: 64-64, relu); "none" for a linear model')
    net.add_argument("--epochs", type=options.positive, metavar="N",
                     help="times through the rows (default: 20 to 200, fewer for more rows)")
    net.add_argument("--batch-size", type=options.positive, metavar="N",
                     help="rows a step (default: 32; from 5,000 rows on 128)")
    net.add_argument("--learning-rate", type=options.rate, metavar="R",
                     help="of AdamW, at the start; it falls to 0 along a cosine (default: 0.0025 for batches of 32, 0.005 "
                          "for 128)")
    net.add_argument("--weight-decay", type=options.at_least_0, default=0.1, metavar="D",
                     help="of AdamW: keeps weights small, and what is learned smooth; 0 for what changes quickly from place "
                          "to place (default: 0.1)")
    net.add_argument("--log-target", nargs="?", choices=("no", "yes", "auto"), default="no", const="yes",
                     help="learn the logarithm of a positive value: for equal ratios rather than differences; auto trains "
                          "both ways and keeps the one with the smaller rmse on the validation rows (default: no)")
    net.add_argument("--seed", type=options.whole, default=0, metavar="N", help="of the split, the first weights and the "
                                                                                "shuffling (default: 0)")
    options.add_threads(net)
    parser.add_argument("--no-baselines", action="store_true", help="do not train a linear model to compare with")
    parser.add_argument("--quiet", action="store_true", help="print nothing but remarks")
    options.add_json(parser)
    return parser


def plan(parsed, table, preprocessing, target, parts, sizes):
    """What is about to be done, in words."""
    from ..tables.columns.cells import without

    columns = [("column", "kind", "missing", "what the network sees")]
    for column in preprocessing.columns[:MANY if len(preprocessing.columns) > MANY + 5 else None]:
        missing = without(table[column.name], preprocessing.missing_values, getattr(column, "categories", ())).isna()
        columns.append((column.name, column.kind, f"{int(missing.sum()):,}", column))
    if len(columns) <= len(preprocessing.columns):
        columns.append((f"and {len(preprocessing.columns) - MANY:,} more", "", "", "fastnn inspect shows them all"))
    columns.append((target.name, "target", "", target))
    training, validation, test = (f"{len(part):,}" for part in parts)
    last = f"{target.outputs} {'softmax' if target.kind == 'classification' else 'identity'}"
    net = f"{options.in_words(len(preprocessing.features), parsed.layers)} → {last}"
    decay = f"weight decay {parsed.weight_decay:g}"
    file = "standard input" if parsed.file == "-" else parsed.file
    format_note = f" ({table.attrs['format_note']})" if table.attrs.get("format_note") else ""
    return f"""\
{file}: {len(table):,} rows, {len(table.columns)} columns{format_note}; {target.kind} of {target.name}

{options.aligned(columns)}

  rows       {training} to train on, {validation} to choose the best epoch by, {test} to test on (seed {parsed.seed})
  network    {net}
  training   {sizes[0]} epochs in batches of {sizes[1]}, AdamW from {sizes[2]:.2g} down to 0 along a cosine, {decay}
"""


def report(parsed, result, beside, recipe, output):
    """What came of it, as plain data."""
    model = result.model
    epochs, batch_size, learning_rate = recipe.sized(len(result.training))
    parts = {"training": len(result.training), "validation": len(result.validation), "test": len(result.test)}
    return {
        "file": str(parsed.file), "model": str(output), "task": model.target.kind, "target": model.target.name,
        "columns": [{"name": c.name, "kind": c.kind, "features": len(c.features)} for c in model.preprocessing.columns],
        "rows": parts, "logarithm": getattr(model.target, "logarithm", False),
        "parameters": sum(p.size for p in model.network.parameters.values()), "epochs": epochs, "batch_size": batch_size,
        "learning_rate": learning_rate, "weight_decay": recipe.weight_decay, "seed": parsed.seed,
        "best_epoch": result.best_epoch + 1, "seconds": result.seconds, "test": result.metrics, "baselines": beside,
        "notes": result.notes,
    }


def outcome(result, beside, output):
    """What came of it, in words."""
    names = list(result.metrics)
    rows = [("on the test rows", *names), ("this network", *(options.brief(result.metrics[name]) for name in names))]
    rows += [(other, *(options.brief(values[name]) for name in names)) for other, values in beside.items()]
    return f"""\
  trained in {result.seconds:.2f} s; kept epoch {result.best_epoch + 1}, the best of {len(result.history.epochs)}

{options.aligned(rows)}

  saved      {output}
  next       fastnn predict {output} NEW.csv"""
