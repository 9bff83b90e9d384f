"""`fastnn train`: train a model on a table, and compare it with a constant and a linear model on held-out rows."""

from dataclasses import fields
from pathlib import Path

from . import options

IMPORTANT, SHORT = 3, 24  # columns in a line of the output, and characters of their names
MANY = 30  # largest number of columns in the output
REPORTED = ("task", "rows", "epochs", "batch_size", "learning_rate", "weight_decay", "members", "weights", "seed", "group",
            "time", "weight", "best_epoch", "best_epochs", "test", "baselines", "thresholds",
            "importance", "folds")  # what the model's file has of the results
EXAMPLES = (
    ("fastnn train diamonds.csv --target price", "columns of numbers and text are detected; writes diamonds.safetensors"),
    ("fastnn train churn.csv --target left --drop customer_id --missing '?'",
     "ignore a column; read ? as missing. A text target gives a classifier"),
    ("fastnn train wine.csv --target quality --task regression --layers 128:tanh-64 --epochs 50",
     "regression on a few different numbers; two hidden layers of your own"),
    ("fastnn train orders.csv --target price,items --task items=counts --weight share",
     "two targets, one of them a count; rows weighted by a column"),
    ("fastnn train houses.csv --target price --quantiles 0.1,0.5,0.9", "three quantiles in the place of the mean"),
    ("fastnn train houses.parquet --target price --log-target auto --seed 1 -o houses.safetensors --json",
     "learn prices or their logarithms, whichever is better on the validation rows; results as JSON"),
)


def main(argv):
    """Run the command."""
    parsed = parser().parse_args(argv)
    from ..tables import Recipe, read_table, train
    from ..tables.training.baselines import baselines, remarks
    from ..tables.training.cross_validation import cross_validate
    from ..tables.training.importance import importance

    stem = "model" if parsed.file == "-" else Path(parsed.file).name.split(".")[0] or "model"
    output = parsed.output or Path(f"{stem}.safetensors")
    if str(parsed.file).endswith(".safetensors"):
        raise ValueError(f"{parsed.file} is a saved network, and train takes a table; fastnn predict {parsed.file} NEW.csv "
                         "predicts with it")
    options.check_output(output, ("table", parsed.file))
    options.check_suffix(output)
    if parsed.report:
        options.check_output(parsed.report, ("table", parsed.file), ("model", output))
    stream = options.streamed("train", parsed.file, parsed.stream)
    if stream is not None and parsed.folds:
        raise ValueError("--folds is not there for a file that is read in parts; leave it out, or say --stream no")
    table = stream if stream is not None else read_table(
        parsed.file, text=(*parsed.text, *parsed.words, *parsed.drop), missing_values=parsed.missing,
        spelling=[parsed.target, *options.words(parsed.target)], **options.reading_options(parsed))
    names = options.words(parsed.target)
    target = [*names] if len(names) > 1 and parsed.target not in table.columns else parsed.target
    parsed.missing_values = parsed.missing
    recipe = Recipe(**{field.name: getattr(parsed, field.name) for field in fields(Recipe)})  # options have these names
    quiet = parsed.json or parsed.quiet

    def announce(preprocessing, target, folds, test, sizes, stream=None):
        if not quiet:
            options.print_now(plan(parsed, table, preprocessing, target, folds, test, sizes, stream))

    result = train(table, target, recipe, progress=False if quiet else None, announce=announce)
    beside = {} if parsed.no_baselines else baselines(result)
    result.notes += remarks(result.model.target, result.metrics, beside)
    found = report(parsed, result, beside, result.recipe, output)
    found["folds"] = cross_validate(result, result.recipe, parsed.folds) if parsed.folds else {}
    found["importance"] = {} if parsed.no_importance else importance(result)
    result.model.report = {name: found[name] for name in REPORTED}
    result.model.save(output)
    if parsed.report:
        from ..tables.reporting import write_report

        write_report(result, parsed.report, baselines=beside, importance=found["importance"], folds=found["folds"])
    for note in result.notes:
        options.note("train", note)
    if not beside and not parsed.no_baselines:
        options.note("train", 'nothing to compare with: the baselines need scikit-learn (pip install "fastnn-numba[cli]")')
    if parsed.json:
        options.print_json(found)
    elif not quiet:
        options.print_now(outcome(result, beside, found, output))


OTHERS = {
    **dict.fromkeys(("--lr", "--learning_rate"), "--learning-rate"), "--batch_size": "--batch-size",
    **dict.fromkeys(("--hidden", "--units", "--hidden-layers", "--hidden-size"), "--layers 64-64"),
    **dict.fromkeys(("--y", "--label", "--column"), "--target"), **dict.fromkeys(("--out", "--save"), "--output"),
    **dict.fromkeys(("--test-size", "--test-split"), "--test"), "--validation-split": "--validation", "--cv": "--folds",
    "--ignore": "--drop", "--sep": "--separator", "--delimiter": "--separator", "--random-state": "--seed",
    "--time-limit": "--seconds", "--classification": "--task classification", "--regression": "--task regression",
    **dict.fromkeys(("--patience", "--early-stopping"), "nothing: each network keeps its best epoch"),
}


def parser():
    parser = options.command("train", "Train a network to predict a column of a table from the others.", EXAMPLES)
    parser.others = OTHERS
    parser.add_argument("file", metavar="FILE",
                        help="CSV (also .gz, .zst, .tsv …), Parquet, Feather, JSON or Excel; - for standard input, as CSV")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict; several as A,B")
    parser.add_argument("-o", "--output", type=Path, metavar="MODEL", help="file name of the model (default: FILE's name in "
                                                                           "this folder, with .safetensors)")
    table = parser.add_argument_group("the table")
    table.add_argument("--task", type=options.task, default="auto", metavar="TASK",
                       help="auto, regression (values), classification, counts (numbers of at least 0, by the Poisson "
                            "deviance) or ordered (classes with an order, such as grades); auto: classes for text, for true "
                            "and false, and for at most 10 different whole numbers. Of several targets: A=counts,B=ordered")
    table.add_argument("--order", type=options.words, default=(), metavar="A,B",
                       help="the ordered classes from the lowest to the highest, such as low,mid,high; numbers need none")
    table.add_argument("--quantiles", type=options.probabilities, default=(), metavar="Q,Q",
                       help="predict these quantiles of the target in the place of its mean, such as 0.1,0.5,0.9")
    table.add_argument("--text", type=options.words, default=(), metavar="A,B", help="columns whose numbers are names, such "
                                                                                     "as postal codes")
    table.add_argument("--codes", type=options.words, default=(), metavar="A,B",
                       help="columns whose numbers are read both as numbers and as names (default: whole numbers for which "
                            "this explains part of the errors on rows held out)")
    table.add_argument("--numbers", type=options.words, default=(), metavar="A,B", help="columns whose whole numbers are no "
                                                                                        "names")
    table.add_argument("--words", type=options.words, default=(), metavar="A,B",
                       help="columns of free text, whose words and pairs of words count (default: text that differs in most "
                            "rows and has three words or more on average)")
    table.add_argument("--embed", type=options.words, default=(), metavar="A,B",
                       help="columns of text for whose categories the networks learn vectors (default: those with more than "
                            "1000 categories, fewer for very many rows)")
    table.add_argument("--one-hot", type=options.words, default=(), metavar="A,B",
                       help="columns of text whose categories are features of 0 and 1, however many")
    table.add_argument("--drop", type=options.words, default=(), metavar="A,B", help="columns to ignore")
    table.add_argument("--missing", type=options.words, default=(), metavar="A,B", help="missing values besides empty cells,"
                                                                                       " such as --missing='?,-'")
    table.add_argument("--keep-columns", type=options.words, default=(), metavar="A,B",
                       help="columns to use although they number the rows, or hold a different text in most rows")
    table.add_argument("--keep-words", type=options.words, default=(), metavar="A,B",
                       help="columns in which NA, None, null and similar words are categories, not missing values")
    table.add_argument("--max-categories", type=options.positive_or_auto, default="auto", metavar="N",
                       help="number of categories of a text column, the most frequent ones (default: all if they have "
                            "vectors; else 1000, fewer for very many rows)")
    table.add_argument("--limit", type=options.limit, default="auto", metavar="L",
                       help="limit numbers to L standard deviations from their mean, so that a single outlier does not "
                            "dominate; inf for no limit (default: 5, or more for a column with a long tail)")
    options.add_reading(table)
    options.add_stream(table)
    table.add_argument("--validation", type=options.share, default=0.1, metavar="SHARE",
                       help="fraction of the rows for choosing the best epoch with --members 1 (default: 0.1)")
    table.add_argument("--group", metavar="COLUMN",
                       help="keep rows with the same value, such as those of one patient, in one part of the split; not an "
                            "input of the network")
    table.add_argument("--time", metavar="COLUMN", help="test on the last rows by this column of dates or numbers, and hold "
                                                        "out blocks of time")
    table.add_argument("--weight", metavar="COLUMN", help="weights of the rows, numbers of at least 0, in training and in "
                                                          "metrics; not an input of the network")
    table.add_argument("--test", type=options.share, default=0.2, metavar="SHARE",
                       help="fraction of the rows for the test (default: 0.2)")
    net = parser.add_argument_group("the network and its training")
    net.add_argument("--layers", type=options.hidden_layers, default="128-128", metavar="SIZES",
                     help='hidden layers, such as 128:tanh-64 (default: 128-128, relu); "none" for a linear model')
    net.add_argument("--members", type=options.positive, metavar="N",
                     help="number of networks that are averaged, each trained without its part of the rows, which "
                          "determines its best epoch (default: 8, or 4 above 50,000 rows and 2 above 200,000)")
    net.add_argument("--bins", type=options.whole, default=16, metavar="N",
                     help="number of bins in which the networks also see each column of numbers; 0 for none (default: 16)")
    net.add_argument("--seconds", type=options.rate, metavar="S",
                     help="time that training may take, about: if the defaults take longer, fewer epochs and networks")
    net.add_argument("--balanced", action="store_true",
                     help="predict rare classes as readily as frequent ones: the class with the largest ratio of its "
                          "probability to its share of the rows; probabilities do not change")
    net.add_argument("--threshold", type=options.threshold, metavar="T",
                     help="of two classes, predict the second from this probability on; f1 or balanced: choose it by the "
                          "mean F1 or the balanced accuracy on the rows held out")
    net.add_argument("--linear", choices=("auto", "yes", "no"), default="auto",
                     help="add linear models to the average, with weights from the rows held out (default: auto, if there "
                          "are several networks)")
    net.add_argument("--epochs", type=options.positive, metavar="N",
                     help="number of epochs (default: 20 to 200, fewer for more rows)")
    net.add_argument("--batch-size", type=options.positive, metavar="N",
                     help="rows in a step (default: 32; 128 for 5,000 rows or more)")
    net.add_argument("--learning-rate", type=options.rate, metavar="R",
                     help="initial learning rate of AdamW; it decreases to 0 along a cosine (default: 0.0025 for batches of "
                          "32, 0.005 for 128)")
    net.add_argument("--weight-decay", type=options.at_least_0, default=0.1, metavar="D",
                     help="weight decay of AdamW, which makes the learned function smoother; use 0 for a target that varies "
                          "quickly with a feature (default: 0.1)")
    net.add_argument("--log-target", nargs="?", choices=("no", "yes", "auto"), default="no", const="yes",
                     help="learn the logarithm of a positive target, so that equal ratios count equally; auto trains both "
                          "ways and keeps the one with the smaller rmse on the validation rows (default: no)")
    net.add_argument("--seed", type=options.whole, default=0, metavar="N", help="seed of the split, the initial weights and "
                                                                                "the shuffling (default: 0)")
    options.add_threads(net)
    parser.add_argument("--no-baselines", action="store_true", help="do not train a linear model for comparison")
    parser.add_argument("--folds", type=options.at_least_2, metavar="K",
                        help="cross-validation: also train K models, each without its part of the rows, and print the mean "
                             "and the deviation of their metrics")
    parser.add_argument("--no-importance", action="store_true", help="do not determine how important each column is")
    parser.add_argument("--report", type=Path, metavar="FILE.html",
                        help="also write a report as one HTML file: data, choices, curves, results on the test rows, notes")
    parser.add_argument("--quiet", action="store_true", help="print only notes")
    options.add_json(parser)
    return parser


def plan(parsed, table, preprocessing, target, folds, test, sizes, stream=None):
    """Return the description printed before training."""
    from ..tables.columns.cells import without

    file, count = table, len(folds)
    if stream is not None:
        table, count = stream.sample.table, stream.members

    columns = [("column", "kind", "missing in the sample" if stream else "missing", "what the network sees")]
    for column in preprocessing.columns[:MANY if len(preprocessing.columns) > MANY + 5 else None]:
        missing = without(table[column.name], preprocessing.missing_values, getattr(column, "categories", ())).isna()
        columns.append((column.name, column.kind, f"{int(missing.sum()):,}", column))
    if len(columns) <= len(preprocessing.columns):
        columns.append((f"and {len(preprocessing.columns) - MANY:,} more", "", "", "fastnn inspect shows them all"))
    columns += [(part.name, "target", "", part) for part in target.parts]
    training, validation = folds[0]
    rows = stream.in_words() if stream is not None else (
        f"{len(training):,} to train on, {len(validation):,} to choose the best epoch by" if count == 1 else
        f"{len(training) + len(validation):,} to train on: each network holds out a part to choose its best epoch by")
    manner = (f"whole groups of {parsed.group}, seed {parsed.seed}" if parsed.group else
              f"the last by {parsed.time}" if parsed.time else f"seed {parsed.seed}")
    last = f"{target.outputs} {target.activation}"
    net = f"{options.in_words(len(preprocessing.features), parsed.layers)} → {last}"
    unit = "epochs" if stream is None else "pass" if sizes[0] == 1 else "passes"
    decay = f"weight decay {parsed.weight_decay:g}"
    name = "standard input" if parsed.file == "-" else parsed.file
    format_note = f" ({table.attrs['format_note']})" if table.attrs.get("format_note") else ""
    kinds = ", ".join(f"{part.kind} of {part.name}" for part in target.parts)
    return f"""\
{name}: {len(file):,} rows, {len(file.columns)} columns{format_note}; {kinds}

{options.aligned(columns)}

  rows       {rows}; {len(test):,} to test on ({manner})
  network    {f"the average of {count}: " if count > 1 else ""}{net}
  training   {sizes[0]} {unit} in batches of {sizes[1]}, AdamW from {sizes[2]:.2g} down to 0 along a cosine, {decay}
"""


def report(parsed, result, beside, recipe, output):
    """Return the result as plain data."""
    model = result.model
    epochs, batch_size, learning_rate = result.sizes
    return {
        "file": str(parsed.file), "model": str(output), "task": model.target.kind, "target": model.target.name,
        "targets": {part.name: part.kind for part in model.target.parts},
        "thresholds": {part.name: part.threshold for part in model.target.parts if part.kind == "classification"},
        "columns": [{"name": c.name, "kind": c.kind, "features": len(c.features), "encoding": str(c)}
                    for c in model.preprocessing.columns],
        "rows": result.rows, "logarithm": getattr(model.target, "logarithm", False),
        "parameters": sum(p.size for p in model.network.parameters.values()), "epochs": epochs, "batch_size": batch_size,
        "learning_rate": learning_rate, "weight_decay": recipe.weight_decay, "seed": parsed.seed, "group": parsed.group,
        "time": parsed.time, "weight": parsed.weight,
        "members": len(result.histories), "weights": result.weights,
        "best_epochs": [epoch + 1 for epoch in result.best_epochs],
        "best_epoch": result.best_epoch + 1, "seconds": result.seconds, "test": result.metrics, "baselines": beside,
        "notes": result.notes,
    }


def outcome(result, beside, found, output):
    """Return the result as text. found: as plain data."""
    from ..tables.training.cross_validation import summary

    folds = summary(found["folds"])
    weighted, parts = ", weighted" * (result.row_weights is not None), result.model.target.parts
    tables = "\n\n".join(options.aligned(metric_rows(
        f"on the test rows{weighted}", *(each.get(part.name, {}) if len(parts) > 1 else each
                                         for each in (result.metrics, beside, folds)),
        name=part.name if len(parts) > 1 else None)) for part in parts)
    unit = "stage" if result.stream else "epoch"
    low, high = min(result.best_epochs) + 1, max(result.best_epochs) + 1
    kept = f"{unit} {low}, the best" if low == high else f"{unit}s {low} to {high}, the best of each network"
    most = [*found["importance"].items()][:IMPORTANT]
    first = ", ".join(f"{options.brief_text(name, SHORT)} {100 * ratio:.0f} %" for name, ratio in most)
    matter = f"  columns    {first}: how much larger the loss on the test rows is without each\n" if first else ""
    weights = result.weights if len(parts) > 1 else {None: result.weights}
    mixed = "; ".join(f"{name}: " * (name is not None) + ", ".join(f"{model} {weight:.2f}" for model, weight in own.items())
                      for name, own in weights.items() if own)
    return f"""\
  trained in {result.seconds:.2f} s; kept {kept} of {len(result.history.epochs)}{f"; weights: {mixed}" if mixed else ""}

{tables}

{matter}  saved      {output}
  next       fastnn predict {output} NEW.csv"""


def metric_rows(title, metrics, beside, folds, name=None):
    """Return the rows of a table of metrics for one target: of the network, of the baselines, and of the folds."""
    names = list(metrics)
    rows = [(f"{name} {title}" if name else title, *names),
            ("this network", *(options.brief(metrics[each]) for each in names))]
    rows += [(other, *(options.brief(values[each]) for each in names)) for other, values in beside.items()]
    if folds:
        rows += [(what, *(options.brief(folds[each][k] if folds.get(each) else None) for each in names))
                 for k, what in enumerate(("mean of the folds", "their deviation"))]
    return rows
