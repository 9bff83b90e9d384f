"""The page of a report: its sections, its style, and the file."""

import math
from html import escape
from pathlib import Path

import numpy as np

from ...checks import an_instance, path_name
from ...formats.atomic_file import write_whole
from ..training import Result
from ..training.baselines import baselines as fitted_baselines
from ..training.cross_validation import summary
from ..training.importance import importance as measured_importance
from .columns import columns_table
from .drawing import Frame, brief, horizontal_bars
from .results import of_part

IMPORTANT = 25  # columns in the picture of importances
STYLE = (Path(__file__).parent / "style.css").read_text()


def write_report(result, path, *, baselines=None, importance=None, folds=None):
    """Write a report of a training as one HTML file: data, choices, curves, results on the test rows, baselines, notes.

    The file loads nothing from elsewhere, has no scripts, and is light or dark as the reader's system is.

    Parameters
    ----------
    result : Result
        Of `train`.
    path : path-like
    baselines : dict, optional
        The result of `fastnn.tables.training.baselines.baselines`; default: they are fitted now.
    importance : dict, optional
        That of `fastnn.tables.training.importance.importance`; default: it is measured now. {} leaves it out.
    folds : dict, optional
        That of `cross_validate`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, pandas as pd
    >>> from fastnn.tables import Recipe, train, write_report
    >>> x = np.linspace(-1, 1, 200)
    >>> result = train(pd.DataFrame({"x": x, "y": x**2}), "y", Recipe(epochs=2))
    >>> path = pathlib.Path(tempfile.mkdtemp(), "report.html")
    >>> write_report(result, path)
    >>> "Residuals" in path.read_text()
    True
    """
    an_instance("result", result, Result)
    name = path_name("path", path)
    beside = fitted_baselines(result) if baselines is None else baselines
    matters = measured_importance(result) if importance is None else importance
    write_whole(name, [page(result, beside, matters, folds or {}).encode()], durable=False)


def page(result, beside, matters, folds):
    """Return the whole page."""
    target = result.model.target
    parts = {part.name: part for part in target.parts}
    metrics = result.metrics if len(parts) > 1 else {target.name: result.metrics}
    others = beside if len(parts) > 1 else {target.name: beside}
    outputs = result.model.forward(result.table.iloc[result.test])
    split = {part.name: out for part, out in target.by_part(outputs)}
    body = [header(result), section("Results on the test rows", *(
        block for name, part in parts.items() for block in (
            *([f"<h3>{escape(str(name))}</h3>"] if len(parts) > 1 else []),
            figures_of(metrics[name], others.get(name, {})),
            arranged(of_part(part, result.table[name].iloc[result.test], split[name], result, len(parts) > 1)))))]
    if result.notes:
        items = "".join(f"<li>{escape(str(note))}</li>" for note in result.notes)
        body.append(section("Notes", f"<ul class='notes'>{items}</ul>"))
    if folds:
        body.append(section("Cross-validation", *folds_tables(folds, len(parts) > 1)))
    if matters:
        body.append(section("Importance of the columns", importance_of(matters)))
    body.append(section("Training", training_text(result), arranged([curves(result), best_weights(result)])))
    head, rows, more = columns_table(result)
    body.append(section("Data and what was chosen for each column",
                        "<p>Small pictures show the distribution: of numbers without the outermost 1 %, of text the "
                        f"{12} most frequent categories.{' Of a sample of the rows.' if result.stream else ''}</p>",
                        table(head, rows, wide=True), f"<p>{escape(more)}</p>" if more else ""))
    title = f"{target.name}: a report of fastnn"
    return (f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<meta name='color-scheme' content='light dark'><style>{STYLE}</style></head><body><main>"
            f"{''.join(body)}</main></body></html>\n")


def header(result):
    """Return the title and a sentence on the data."""
    target, rows = result.model.target, result.rows
    whole = sum(rows.values()) if result.stream else len(result.table)
    kinds = ", ".join(dict.fromkeys(part.kind for part in target.parts))
    used = sum(bool(column.features) for column in result.model.preprocessing.columns)
    return (f"<header><h1>{escape(str(target.name))}</h1><p>{kinds} on {whole:,} rows with {used:,} of "
            f"{len(result.model.preprocessing.columns):,} columns; {rows['test']:,} rows were held out for the test</p>"
            "</header>")


def section(title, *blocks):
    return f"<section><h2>{escape(title)}</h2>{''.join(blocks)}</section>"


def arranged(blocks):
    """Return pictures and tables side by side."""
    return f"<div class='blocks'>{''.join(block if isinstance(block, str) else titled(block) for block in blocks)}</div>"


def titled(block):
    """Return a table with a title above."""
    _, head, rows, title = block
    return f"<figure><figcaption>{escape(title)}</figcaption>{table(head, rows)}</figure>"


def table(head, rows, wide=False):
    """Return a table; text is escaped, but not pictures."""
    def cell(value, tag):
        return f"<{tag}>{value if value.startswith('<svg') else escape(value)}</{tag}>"

    lines = "".join(f"<tr>{''.join(cell(str(value), 'td') for value in row)}</tr>" for row in rows)
    return (f"<div class='scroll'><table{' class=wide' if wide else ''}><thead><tr>"
            f"{''.join(cell(each, 'th') for each in head)}</tr></thead><tbody>{lines}</tbody></table></div>")


def figures_of(metrics, beside):
    """Return the metrics of the model, and those of the baselines below."""
    tiles = "".join(f"<div><b>{brief(value)}</b><span>{escape(name)}</span></div>" for name, value in metrics.items())
    rows = [("this model", *(brief(value) for value in metrics.values()))]
    rows += [(name, *(brief(values.get(metric)) for metric in metrics)) for name, values in beside.items()]
    return f"<div class='tiles'>{tiles}</div>" + (table(("", *metrics), rows) if beside else "")


def folds_tables(folds, several):
    """Return a table of means and deviations, for each target."""
    for name, own in (folds.items() if several else [("", folds)]):
        rows = [(metric, *(("–", "–") if found is None else map(brief, found))) for metric, found in summary(own).items()]
        title = f"<h3>{escape(str(name))}</h3>" if several else ""
        yield title + table(("metric", "mean of the folds", "deviation"), rows)


def importance_of(matters):
    """Return the bars of the most important columns; of several targets, for each."""
    if any(isinstance(value, dict) for value in matters.values()):
        return arranged([bars(own, f" for {name}") for name, own in matters.items()])
    return arranged([bars(matters, "")])


def bars(matters, of):
    shown = {str(name): 100 * value for name, value in [*matters.items()][:IMPORTANT]}
    return horizontal_bars(f"Larger loss on the test rows without the column{of}", shown, "{:.1f} %")


def training_text(result):
    """Return how the model was trained."""
    epochs, batch_size, rate = result.sizes
    recipe, count, rows = result.recipe, len(result.histories), result.rows
    network = " → ".join(["features", *map(str, recipe.layers), "outputs"])
    said = [f"{'The average of ' + str(count) + ' networks' if count > 1 else 'One network'} ({network}), "
            f"{len(result.model.preprocessing.features):,} features, "
            f"{sum(array.size for array in result.model.network.parameters.values()):,} parameters in all.",
            f"{rows['training']:,} rows to train on, {epochs} {'passes' if result.stream else 'epochs'} in batches of "
            f"{batch_size}; AdamW from {rate:.2g} along a cosine, weight decay {recipe.weight_decay:g}, seed {recipe.seed}; "
            f"{result.seconds:.1f} s."]
    if result.weights:
        flat = {name: value for name, value in result.weights.items() if not isinstance(value, dict)}
        if flat:
            said.append("Weights in the average: " + ", ".join(f"{name} {value:.2f}" for name, value in flat.items()) + ".")
    return "".join(f"<p>{escape(each)}</p>" for each in said)


def curves(result):
    """Return the losses by epoch: on the training rows and on those held out, of each member."""
    losses = [[value for value in history.get(name, ()) if value is not None and math.isfinite(value)]
              for history in result.histories for name in ("loss", "val_loss")]
    values = [value for own in losses for value in own]
    if not values:
        return ""
    low, high = min(values), float(np.quantile(values, 0.995))
    log = low > 0 and high / low > 5
    longest = max(len(history.epochs) for history in result.histories)
    unit = "stage" if result.stream else "epoch"
    frame = Frame(f"Loss by {unit}", (1, max(longest, 2)), (low, high), (unit, "loss"), log)
    for history in result.histories:
        for name, kind in (("loss", "a"), ("val_loss", "b")):
            own = [min(value, high) for value in history.get(name, ())]
            frame.line(range(1, len(own) + 1), own, f"{kind} thin" if len(result.histories) > 1 else kind)
    for history, best in zip(result.histories, result.best_epochs, strict=True):
        own = history.get("val_loss", ())
        if best < len(own):
            frame.dots([best + 1], [min(own[best], high)], "b", 3.2)
    return frame.svg([("training rows", "a"), ("held-out rows", "b")])


def best_weights(result):
    """Return the weights of the members of the average as bars."""
    flat = {name: value for name, value in result.weights.items() if not isinstance(value, dict)}
    return horizontal_bars("Weights in the average", flat) if len(flat) > 1 else ""
