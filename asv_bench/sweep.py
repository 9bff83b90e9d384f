"""A sweep of many configurations on a table for regression: one call, its results and its picture.

    python asv_bench/sweep.py diamonds.csv --target price --configurations 500

Numbers and target are standardized, text is one-hot, as in `fastnn train`. The configurations are random and train on a part
of the rows; the best are then evaluated on rows that no network has seen.
"""

import argparse
import resource
import sys
import time

import numpy as np

import fastnn
from fastnn.population.recipe import split_rows
from fastnn.tables import Preprocessing, read_table

SPACE = {"width": (8, 128, "log"), "depth": [1, 2, 3], "activation": ["relu", "tanh", "silu"],
         "learning_rate": (1e-4, 3e-2, "log"), "batch_size": [32, 64, 128, 256], "l2": (1e-7, 1e-3, "log")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="CSV or Parquet")
    parser.add_argument("--target", required=True, help="a column of numbers")
    parser.add_argument("--configurations", type=int, default=500)
    parser.add_argument("--rows", type=int, default=10_000, help="so many, drawn at random")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--halving", type=float)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--picture", default="sweep.png")
    options = parser.parse_args()
    table = read_table(options.file)
    rest, chosen = split_rows(len(table), options.rows / len(table), 0)
    test = rest[split_rows(len(rest), 10_000 / len(rest), 1)[1]]
    features = table.drop(columns=options.target)
    preparation = Preprocessing.fit(features, rows=chosen)
    X, target = preparation.transform(features), table[options.target].to_numpy(np.float64)
    mean, scale = target[chosen].mean(), target[chosen].std()
    y = (target - mean) / scale
    fastnn.sweep({"width": [8], "activation": SPACE["activation"]}, X[:99], y[:99], epochs=1)  # readies kernels

    start = time.perf_counter()
    result = fastnn.sweep(SPACE, X[chosen], y[chosen], samples=options.configurations, epochs=options.epochs, progress=False,
                          halving=options.halving, threads=options.threads)
    seconds = time.perf_counter() - start
    epochs = sum(len(history.epochs) for history in result.population.histories)
    print(f"{len(result)} configurations, {epochs} epochs of {round(0.8 * options.rows):,} rows with {X.shape[1]} columns "
          f"in {seconds:.1f} s; at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB on {sys.platform}\n")
    print(result.table.head(8).to_string(index=False))
    best = 1 - np.mean((result.best.predict(X[test]) - y[test]) ** 2) / np.var(y[test])
    ten = result.population[[int(number) for number in result.ranking[:10]]]
    mean_of_ten = 1 - np.mean((ten.predict(X[test]) - y[test]) ** 2) / np.var(y[test])
    print(f"\nR2 on {len(test):,} other rows: {best:.4f} of the best, {mean_of_ten:.4f} of the mean of the best ten")
    result.plot()[0].figure.savefig(options.picture, dpi=150)
    print(f"picture: {options.picture}")


if __name__ == "__main__":
    main()
