"""The result of a gradient check, parameter by parameter."""

from dataclasses import dataclass

from ..formats import html


@dataclass(frozen=True)
class ParameterCheck:
    """The gradient of one parameter, analytic and numeric.

    Attributes
    ----------
    name : str
    relative_error : float
        ‖analytic − numeric‖ / max(‖analytic‖, ‖numeric‖) over the checked elements; if both are so small that the
        differences are mostly rounding, ‖analytic − numeric‖ over a million times that rounding.
    worst : tuple of int
        The index at which the two differ most; `analytic` and `numeric` are the values there.
    checked, size : int
        The number of checked elements, and of all elements.
    """

    name: str
    relative_error: float
    worst: tuple
    analytic: float
    numeric: float
    checked: int
    size: int


@dataclass(frozen=True)
class GradientReport:
    """The result of `check_gradients`; print it for a table.

    Attributes
    ----------
    parameters : tuple of ParameterCheck
    tolerance : float
    """

    parameters: tuple
    tolerance: float

    @property
    def max_relative_error(self):
        """The largest relative error of a parameter."""
        return max((check.relative_error for check in self.parameters), default=0.0)

    @property
    def passed(self):
        """Whether it is within the tolerance."""
        return self.max_relative_error <= self.tolerance

    def _repr_html_(self):
        head = "parameter", "checked", "relative error", "worst at", "analytic", "numeric"
        rows = [(c.name, f"{c.checked} of {c.size}", f"{c.relative_error:.1e}", c.worst, f"{c.analytic:.5e}",
                 f"{c.numeric:.5e}{'' if c.relative_error <= self.tolerance else '  ← wrong'}") for c in self.parameters]
        return html.table(head, rows, self.verdict)

    @property
    def verdict(self):
        """Whether it passed, in words."""
        return (f"{'passed' if self.passed else 'FAILED'}: largest relative error {self.max_relative_error:.1e}, "
                f"tolerance {self.tolerance:.0e}")

    def __str__(self):
        width = max(map(len, ["parameter", *(check.name for check in self.parameters)]))
        lines = [f"{'parameter':<{width}}  checked        relative error  worst at      analytic       numeric"]
        for c in self.parameters:
            verdict = "" if c.relative_error <= self.tolerance else "  ← wrong"
            lines.append(
                f"{c.name:<{width}}  {f'{c.checked} of {c.size}':<13}  {c.relative_error:>14.1e}  {c.worst!s:<10}  "
                f"{c.analytic:>12.5e}  {c.numeric:>12.5e}{verdict}"
            )
        return "\n".join([*lines, self.verdict])
