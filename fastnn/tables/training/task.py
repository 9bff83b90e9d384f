"""The learning task of a table: the rows that have a target, classification or regression, and notes for the user."""

from collections import Counter

import numpy as np

from ..classes import EXACT, beyond_exact
from ..columns.cells import as_words, numbers_if_all, words_for_missing, written
from ..columns.kinds import NUMBERS, WORDS
from ..columns.missing_words import MISSING_WORDS
from ..columns.names import text_name
from ..columns.notes import option
from ..reading.numerals import is_number
from ..row_weights import weights_in
from ..target import AMOUNTS, as_target, is_categorical, is_skewed, judge_task, kind_in, looks_counted, present
from .hints import almost_numbers, hint

SHOWN = 4  # words in an error


def learnable(table, targets, recipe):
    """Return (table, tasks, asked, notes): the rows of a table that have all targets and a weight above 0, renumbered.

    table: of plain columns, except the targets. tasks: {target: task}. asked: {target: requested task, or "auto"}. If a
    target of text contains only numbers and missing values, the task is judged by the numbers; for classes it stays text.
    """
    columns, notes, tasks, there = {}, [], {}, np.ones(len(table), bool)
    if isinstance(recipe.task, dict) and (unknown := next((name for name in recipe.task if name not in targets), None)):
        raise ValueError(f"task names {unknown!r}, which is no target; the targets are {', '.join(map(repr, targets))}")
    asked = {target: asked_task(table[target], target, recipe, len(targets) == 1) for target in targets}
    for target in targets:
        check_not_named(target, recipe)
        known = MISSING_WORDS if target in map(text_name, recipe.keep_words) else ()
        columns[target] = column = as_target(table[target], recipe.missing_values, known)
        own = present(column, numbers=asked[target] in AMOUNTS)
        if missing := int((~own).sum()):
            notes.append(f"{missing:,} of {len(table):,} rows have no {target!r} and are left out")
        if words := words_for_missing(table[target], known):
            some = ", ".join(f"{word!r} ({rows:,} rows)" for word, rows in words.items())
            notes.append(f"of the words in {target!r}, {some} count as missing; where they are classes, say "
                         f"{option('keep-words', [target])}")
        there &= own
    complete = there.all()
    if recipe.weight is not None and there.any():
        weighed = weights_in(table[text_name(recipe.weight)][there]) > 0
        if not weighed.all():
            notes.append(f"{int((~weighed).sum()):,} rows have the weight 0 and are left out")
            there[there] = weighed
    kept = table.assign(**columns)[there].reset_index(drop=True)
    for target, column in columns.items():
        check_varied(kept[target], notes)
        marked = column.isna().sum() > table[target].isna().sum() and not is_categorical(column)
        judged = numbers_if_all(kept[target]) if marked else kept[target]
        check_target(judged, asked[target])
        tasks[target] = judge_task(judged) if asked[target] == "auto" else asked[target]
        if tasks[target] in AMOUNTS:
            kept[target] = judged
        elif not complete and holds_whole(kept[target]):
            kept[target] = kept[target].astype(np.int64)  # they were floats only because of missing values
    return kept, tasks, asked, notes


def asked_task(series, target, recipe, alone):
    """Return the requested task; "auto" if there is none. A target in `text`, whose numbers are names, has classes.

    alone: whether it is the only target, so that an order or quantiles are asked for of it; of several an order is that of
    the one with these labels.
    """
    task = recipe.task.get(target, "auto") if isinstance(recipe.task, dict) else recipe.task
    if task != "auto":
        return task
    if recipe.order and (alone or {*as_words(series.dropna())} == {written(label) for label in recipe.order}):
        return "ordered"
    if target in map(text_name, recipe.text):
        return "classification"
    return "regression" if recipe.quantiles and alone else "auto"


def check_not_named(target, recipe):
    """Refuse a target that is also in the options for columns."""
    for name in ("drop", "keep_columns"):
        if target in map(text_name, getattr(recipe, name)):
            raise ValueError(f"{target!r} is the target; leave it out of {name}")


def holds_whole(series):
    """Return whether a column of float64 contains only whole numbers, all exact."""
    values = series.to_numpy() if series.dtype == np.float64 else np.array([np.nan])
    return bool(np.all((values == np.floor(values)) & (np.abs(values) < EXACT)))


def check_varied(series, notes):
    """Refuse a constant target. notes: about rows that were left out, which may be the reason."""
    if series.nunique() > 1:
        return
    always = "missing" if series.empty else series.iloc[0]
    more = (", as far as float64 can tell, which holds whole numbers up to 2**53: give it as whole numbers or as text"
            if beyond_exact(series.iloc[:1].tolist()) else "")
    why = f" ({'; '.join(notes)})" if notes and not series.empty else ""
    raise ValueError(f"the target {series.name!r} is {always} in every row{more}; there is nothing to learn{why}")


def check_target(series, task):
    """Refuse words that are probably numbers, and words that are all different."""
    if task == "auto" and (kind_in(series) in WORDS or is_categorical(series)):
        if kind_in(series) in WORDS and len(almost_numbers(series)):
            raise ValueError(f"{hint(series.name, series)}, or --task classification if each is a class of its own")
        words = Counter(as_words(series))
        if len(words) > len(series) / 2:
            some = ", ".join(repr(word) for word, _ in words.most_common(SHOWN))
            found = hint(series.name, series) or half_numbers(words)
            what = "categories" if is_categorical(series) else "texts"
            raise ValueError(f"the target {series.name!r} has {len(words):,} different {what} in {len(series):,} rows, such "
                             f"as {some}, which are no classes{f'; {found}' if found else ''}")


def half_numbers(words):
    """Return the repair for words with counts, if at least half of the rows are numbers; None if not."""
    others = [word for word in words if not is_number(word)]
    rows = words.total() - sum(words[word] for word in others)
    if not others or rows < words.total() / 2:
        return None
    some = sorted(others, key=words.get, reverse=True)[:SHOWN]
    return (f"{rows:,} rows hold numbers, the others {', '.join(map(repr, some))}{', …' * (len(others) > SHOWN)}: if that "
            f"means missing, say --missing={','.join(some)!r}{' and so on' * (len(others) > SHOWN)}")


def notes_on(series, classes, task, log_target):
    """Return notes on how a target is learned, a list of sentences. classes: its Classes, None for values."""
    name, notes = series.name, []
    if classes and beyond_exact(classes.labels):
        notes.append(f"{name!r} holds whole numbers beyond 2**53 as float64, which does not tell all of them apart: give "
                     "them as whole numbers or as text, such as --text")
    if classes and task == "auto" and kind_in(series) in NUMBERS and not is_categorical(series) and classes.outputs > 2:
        notes.append(f"{name!r} holds {classes.outputs} different whole numbers, which are taken for classes; if they are "
                     "amounts, say --task regression, if grades, --task ordered")
    if classes and task == "auto" and (found := hint(name, series, "is taken for classes")):
        notes.append(f"{found}; or say --task classification if each is a class of its own")
    if classes and (pair := nearly_alike(classes.labels)):
        notes.append(f"the classes {pair[0]!r} and {pair[1]!r} of {name!r} differ in case or blanks alone; if they are one, "
                     "write them in one way")
    if classes is None and task in ("auto", "regression") and looks_counted(series):
        notes.append(f"{name!r} holds whole numbers of at least 0, mostly small ones: if they count something, --task "
                     "counts learns them by the Poisson deviance, and predicts no negative ones")
    elif classes is None and task in ("auto", "regression") and log_target == "no" and is_skewed(series):
        notes.append(f"{name!r} is positive and skewed: --log-target yes learns it in logarithms (ratios count then, not "
                     "differences), --log-target auto tries both and keeps the better")
    return notes


def nearly_alike(labels):
    """Return the first two text labels that differ only in case or blanks; None if there are none."""
    seen = {}
    for label in labels:
        if isinstance(label, str):
            other = seen.setdefault("".join(label.split()).casefold(), label)
            if other != label:
                return other, label
    return None
