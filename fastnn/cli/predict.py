"""`fastnn predict`: predictions of a model of `fastnn train` for the rows of a table."""

import json

from ..checks.caller_warning import collected
from . import options

EXAMPLES = (
    ("fastnn predict diamonds.safetensors new.csv", "a column price_predicted, as CSV on the standard output"),
    ("fastnn predict diamonds.safetensors new.csv -o priced.parquet --keep", "to a file, after the columns of the table"),
    ("fastnn predict churn.safetensors new.csv --probabilities", "with a column for the probability of each class"),
    ("fastnn predict diamonds.safetensors new.csv --interval 0.9", "with intervals that hold 90 % of the prices"),
    ("cat new.csv | fastnn predict diamonds.safetensors - | head", "- is the standard input"),
    ("fastnn predict diamonds.safetensors old.csv --evaluate --json", "evaluate on a table that has the target"),
)

LEADING_ZERO = r"\s*[+-]?0\d+\s*$"


def main(argv):
    """Run the command."""
    parsing = parser()
    parsed = parsing.parse_args(argv)
    if parsed.output != "-":
        if parsed.json or parsed.evaluate:
            parsing.error(f"argument -o/--output: not with --{'json' if parsed.json else 'evaluate'}, which prints")
        options.check_output(parsed.output, ("model", parsed.model), ("table", parsed.file))
    from ..tables import TableModel, write_table
    from ..tables.reading.files import read_with_rows
    from ..tables.reading.known_formats import reading_of
    from ..tables.reading.typed_files import kind_to_write

    if parsed.output != "-":
        kind_to_write(parsed.output)  # refuses a suffix before the work begins
    model = TableModel.load(parsed.model)
    if parsed.probabilities and not any(part.has_classes for part in model.target.parts):
        raise ValueError(f"{model.target.name!r} is a target of values; leave --probabilities out")
    stream = options.streamed("predict", parsed.file, parsed.stream)
    if stream is not None and not parsed.evaluate:
        predict_stream(model, stream, parsed)
        return
    table, rows = (stream, None) if stream is not None else read_with_rows(
        parsed.file, like=model, **options.reading_options(parsed))
    for note in reading_of(table)["notes"]:
        options.note("predict", note)
    if parsed.evaluate:
        there = model.has_target(table)
        found, messages = collected(model.evaluate, table, threads=parsed.threads)
    else:
        found, messages = collected(predictions, model, table, rows, parsed)
    for each in messages:
        options.note("predict", each)
    if parsed.evaluate:
        if not there.all():
            without = f"{(~there).sum():,} of {len(there):,} rows have no {model.target.name!r}"
            options.note("predict", f"{without} and are left out")
        if there.sum() == rows_trained_on(model):
            options.note("predict", "the table has as many rows as the one that the model was trained on; if it is the "
                                      "same, these figures flatter it: fastnn inspect shows those on its test rows")
        print_metrics(found, there.sum(), parsed.json)
    elif parsed.json:
        print(as_records(found))
    else:
        write_table(found, parsed.output)


def parser():
    parser = options.command("predict", "Predict the rows of a table with a model of fastnn train.", EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a file of fastnn train")
    parser.add_argument("file", metavar="FILE", help="a table with the columns of training; - for standard input, as CSV")
    parser.add_argument("-o", "--output", default="-", metavar="OUT", help="a file such as .csv, .parquet or .xlsx "
                                                                           "(default: CSV on the standard output)")
    parser.add_argument("--keep", action="store_true",
                        help="also write the columns of the table, before the predictions; their names must not conflict")
    parser.add_argument("--probabilities", action="store_true", help="add a column for the probability of each class")
    parser.add_argument("--interval", type=options.coverage, metavar="COVERAGE",
                        help="add the ends of an interval that holds the value with this probability, such as 0.9")
    parser.add_argument("--evaluate", action="store_true",
                        help="print metrics of the predictions; the table must have the target")
    options.add_reading(parser)
    options.add_stream(parser)
    options.add_threads(parser)
    options.add_json(parser)
    return parser


def predict_stream(model, stream, parsed):
    """Write the predictions of a stream, part by part."""
    from ..tables import write_table
    from ..tables.streaming.predicting import outputs_of

    if parsed.json:
        raise ValueError("--json prints all rows as one list, which a file that is read in parts is too large for; give "
                         "-o OUT.jsonl")
    kept = stream.columns if parsed.keep else ()
    parts = outputs_of(model, stream, kept, parsed.threads)
    frames = (predictions(model, frame[[*kept]], None, parsed, outputs) for frame, outputs in parts)
    for each in collected(write_table, frames, parsed.output)[1]:
        options.note("predict", each)


def predictions(model, table, rows, parsed, outputs=None):
    """Return a DataFrame of predictions, one for each row. outputs: those of the network, if they are known."""
    from ..tables.columns.frames import pandas
    from ..tables.intervals import intervals_around

    target, kept = model.target, unchanged_columns(table, rows, writes_text(parsed)) if parsed.keep else table[[]]
    outputs = model.forward(table, threads=parsed.threads) if outputs is None else outputs
    intervals = intervals_around(model, outputs, parsed.interval) if parsed.interval else {}
    if parsed.interval and len(target.parts) == 1:
        intervals = {target.name: intervals}
    columns = {}
    for part, own in target.by_part(outputs):
        columns |= columns_of(part, part.estimates(own), parsed, several=len(target.parts) > 1)
        if part.name in intervals:
            columns |= dict(zip((f"{part.name}_low", f"{part.name}_high"), intervals[part.name].T, strict=True))
    if taken := [name for name in columns if name in kept.columns]:
        raise ValueError(f"the table has a column {taken[0]!r} of its own, which the prediction would overwrite; rename it, "
                         "or leave --keep out")
    return pandas().concat([kept, pandas().DataFrame(columns, index=table.index)], axis=1)


def columns_of(target, estimates, parsed, several):
    """Return {name: column} of the predictions for one target. several: whether it is one of several."""
    columns = target.named(labels_for(target, estimates, parsed))
    if parsed.probabilities and target.has_classes:
        of = f"{target.name} = " * several
        columns |= {f"probability of {of}{text}": own for text, own in zip(target.texts, estimates.T, strict=True)}
    return columns


def writes_text(parsed):
    """Return whether the output is CSV, which has no types."""
    from ..tables.reading.typed_files import kind_of

    return not parsed.json and kind_of(parsed.output) is None


def unchanged_columns(table, rows, as_text):
    """Return the columns of a table as they are written again. rows: those of the text file it was read from, or None.

    In CSV, cells are unchanged, such as 007 and TRUE, unless numbers have other separators: those of predictions are points.
    In files with types numbers are numbers, unless they have leading zeros: these are names, and the zeros would be lost.
    """
    from ..tables.reading.known_formats import reading_of

    if rows is None:
        return table
    cells, formats = rows.raw(list(table.columns), keep_default_na=False, na_filter=False), reading_of(table)["formats"]
    for name, column in cells.items():
        written_otherwise = tuple(formats.get(name, (".", ""))) != (".", "")
        if written_otherwise or not (as_text or column.str.match(LEADING_ZERO).any()):
            cells[name] = table[name]
        elif not as_text:
            cells[name] = column.where(column != "", None)
    return cells


def labels_for(target, estimates, parsed):
    """Return the predictions as they are written: in CSV a class as in the training file, elsewhere with a single type."""
    if not target.has_classes:
        return target.decided(estimates)
    if writes_text(parsed):
        return target.decided_text(estimates)
    found = target.decided(estimates)
    kinds = {type(label) for label in target.labels}
    return found if parsed.json or found.dtype != object or kinds == {str} else found.astype(str)


def as_records(found):
    """Return a DataFrame as JSON, a dict for each row, with every digit of its numbers."""
    columns = {name: plain_values(column) for name, column in found.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps(options.finite(rows), default=str)


def plain_values(column):
    """Return the values of a column as Python objects, None if missing; float32 with the shortest exact decimals."""
    values = column.astype(str).astype(float) if column.dtype == "float32" else column
    return [None if absent else value for value, absent in zip(values.tolist(), column.isna().tolist(), strict=True)]


def rows_trained_on(model):
    """Return the number of rows of a model's training table, including its test rows; None if unknown."""
    rows = model.report.get("rows")
    counts = list(rows.values()) if isinstance(rows, dict) else [None]
    return sum(counts) if all(type(count) is int for count in counts) else None


def print_metrics(metrics, rows, as_json):
    """Print metrics, or those of each of several targets."""
    if as_json:
        options.print_json(metrics)
        return
    several = any(isinstance(own, dict) for own in metrics.values())
    for target, own in metrics.items() if several else [(None, metrics)]:
        shown = ({"target": target} if several else {}) | {"rows": f"{rows:,}"} | {
            name: options.brief(value) for name, value in own.items()}
        options.print_now(options.aligned([list(shown), list(shown.values())], indent=""))
