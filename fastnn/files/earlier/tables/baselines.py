"""The earlier path of the baselines of a training on a table."""

from fastnn.tables.training.baselines import baselines, remark

__all__ = ["baselines", "remark"]
