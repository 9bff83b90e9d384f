"""The earlier path of `fastnn.checks.hyperparameters`, which optimizers of your own may name."""

from ..checks.hyperparameters import (
    flag,
    in_unit_interval,
    limit,
    not_negative,
    number_between,
    optional,
    part,
    positive,
    rate_or_schedule,
    real_number,
    shown,
    unless,
)

__all__ = [
    "flag",
    "in_unit_interval",
    "limit",
    "not_negative",
    "number_between",
    "optional",
    "part",
    "positive",
    "rate_or_schedule",
    "real_number",
    "shown",
    "unless",
]
