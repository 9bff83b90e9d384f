"""The result of the checks of a layer."""

from dataclasses import dataclass

from ..formats.html import table


@dataclass(frozen=True)
class LayerCheck:
    """One check.

    Attributes
    ----------
    name : str
    passed : bool
    detail : str
        What was found.
    """

    name: str
    passed: bool
    detail: str

    @property
    def result(self):
        return "passed" if self.passed else "FAILED"


@dataclass(frozen=True)
class LayerReport:
    """The result of `check_layer`; print it for a table, and in a notebook it is one.

    Attributes
    ----------
    layer : Layer
    checks : tuple of LayerCheck
    """

    layer: object
    checks: tuple

    @property
    def passed(self):
        """Whether all checks passed."""
        return all(check.passed for check in self.checks)

    def __str__(self):
        width = max(map(len, ["check", *(check.name for check in self.checks)]))
        return "\n".join([f"{'check':<{width}}  result",
                          *(f"{check.name:<{width}}  {check.result}  {check.detail}" for check in self.checks)])

    def _repr_html_(self):
        return table(("check", "result", "found"), [(check.name, check.result, check.detail) for check in self.checks],
                     repr(self.layer))
