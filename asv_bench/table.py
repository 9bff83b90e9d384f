"""The recipe of `fastnn train` compared with scikit-learn's network and trees on a table: quality and seconds, in one run.

    python asv_bench/table.py diamonds.csv --target price

All use the same split. scikit-learn's network gets the same matrix of standardized and binned numbers and one-hot text; it
has two hidden layers of 64 and 30 epochs, its defaults otherwise, and like fastnn's the standardized target. Trees get the
table itself, with text as categories. Seconds are of training only, with kernels compiled before; the three take
turns, seed by seed.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.neural_network import MLPRegressor

from fastnn.tables import Recipe, read_table, train
from fastnn.tables.metrics import regression

FASTNN, NETWORK, TREES = "fastnn train", "MLPRegressor", "HistGradientBoosting"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="CSV or Parquet")
    parser.add_argument("--target", required=True, help="a column of numbers")
    parser.add_argument("--seeds", type=int, default=3, help="so many splits (default: 3)")
    parser.add_argument("--log-target", choices=("no", "yes", "auto"), default="no", help="fastnn's")
    parser.add_argument("--weight-decay", type=float, default=Recipe.weight_decay, help="fastnn's (default: %(default)s)")
    options = parser.parse_args(argv)
    table = read_table(options.file)
    print(f"{'seed':<5}{'':<22}{'R2 test':>8}{'seconds':>9}")
    ratios = []
    for seed in range(options.seeds):
        rows = measure(table, options.target,
                       Recipe(seed=seed, log_target=options.log_target, weight_decay=options.weight_decay))
        for name, (r2, seconds) in rows.items():
            print(f"{seed:<5}{name:<22}{r2:>8.4f}{seconds:>9.2f}", flush=True)
        ratios.append(rows[NETWORK][1] / rows[FASTNN][1])
    print(f"{NETWORK} took {statistics.median(ratios):.1f} times as long as {FASTNN} (the median of {options.seeds})")


def measure(table, target, recipe):
    """Return {model: (R2 on the test rows, seconds)}."""
    result = train(table, target, recipe)
    rows = {FASTNN: (result.metrics["r2"], result.seconds)}
    held_in = np.union1d(result.training, result.validation)  # these two choose no epoch by validation rows
    X, y = result.model.preprocessing.transform(result.table), result.table[target].to_numpy(float)
    mean, scale = y[held_in].mean(), y[held_in].std()
    network = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=30, random_state=recipe.seed)
    rows[NETWORK] = fitted(network, X, (y - mean) / scale, held_in, result.test)
    trees = HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=recipe.seed)
    text = result.model.preprocessing.text_columns
    features = result.table.drop(columns=target).astype(dict.fromkeys(text, "category"))
    rows[TREES] = fitted(trees, features, y, held_in, result.test)
    return rows


def fitted(model, X, y, training, test):
    """Return (R2, seconds) of a model of scikit-learn."""
    take = X.iloc.__getitem__ if hasattr(X, "iloc") else X.__getitem__
    learned = take(training)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the epochs asked for are over
        start = time.perf_counter()
        model.fit(learned, y[training])
        seconds = time.perf_counter() - start
    return regression(y[test], model.predict(take(test)))["r2"], seconds


if __name__ == "__main__":
    main()
