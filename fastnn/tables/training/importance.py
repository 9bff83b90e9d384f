"""Permutation importance of the columns (Breiman 2001): how much worse the result on the test rows becomes when the cells of
a column are shuffled, so that they say nothing about their rows.

The figure is the ratio of the loss (rmse, log loss, deviance or pinball loss; of several targets the mean ratio) with the
column shuffled to the loss as it is, minus 1: 0.5 is a loss half as large again. About 0, or below, is a column that the
model does not need. All features of a column are shuffled together. Of two columns that say the same, both may look
unimportant.
"""

import numpy as np

from ...checks.caller_warning import collected
from .. import metrics

REPEATS = 3
CELLS = 200_000  # rows times columns times repeats: of more test rows, so many are drawn
FEWEST = 200  # rows


def importance(result, repeats=REPEATS):
    """Return {column: relative increase of the loss} of a training's Result, the largest first."""
    model = result.model
    columns = [column for column in model.preprocessing.columns if column.features]
    generator, rows = np.random.default_rng(0), result.test
    most = max(FEWEST, CELLS // (repeats * len(columns)))
    if len(rows) > most:
        rows = np.sort(generator.choice(rows, most, replace=False))
    X = collected(model.preprocessing.transform, result.table.iloc[rows])[0]  # unknown text was reported in training
    series = model.target.column(result.table).iloc[rows]
    weights = None if result.row_weights is None else result.row_weights[rows]

    def losses(X):
        found = metrics.score(model.target, series, model.network.forward(X), weights)
        each = found.values() if len(model.target.parts) > 1 else [found]
        return np.array([own[part.measure] for part, own in zip(model.target.parts, each, strict=True)])

    before, found, start = np.maximum(losses(X), np.finfo(float).tiny), {}, 0
    for column in columns:
        places = slice(start, start := start + len(column.features))
        shuffled, larger = X.copy(), []
        for _ in range(repeats):
            shuffled[:, places] = X[generator.permutation(len(X)), places]
            larger.append(np.mean(losses(shuffled) / before))
        found[column.name] = float(np.mean(larger) - 1)
    return dict(sorted(found.items(), key=lambda each: -each[1]))
