"""Reference tables written from the registries, which document new records automatically: `python -m fastnn.reference`."""

from ..kernels.activations import activations
from ..kernels.losses import losses
from ..kernels.optimizers import optimizers
from ..layers.initializers import initializers


def table(*columns, rows):
    """Return a Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows])



def tables():
    """Return tables of all activations, losses, optimizers and initializers, with their formulas."""
    return "\n\n".join([
        "## Activations",
        table("name", "a", "da/dz", "initializer", rows=(
            (f"`{r.name}`", r.formula, r.prime_formula, r.initializer) for r in activations.values())),
        "## Losses",
        "For one output a and its target y; summed over the outputs, averaged over the samples.",
        table("name", "loss", "derivative with respect to a", "computed from the logits after", rows=(
            (f"`{r.name}`", r.formula, r.prime_formula, ", ".join(r.on_logits)) for r in losses.values())),
        "## Optimizers",
        table("name", "class", "update of the parameters θ with the gradient g", rows=(
            (f"`{name}`", cls.__name__, cls.formula) for name, cls in optimizers.items())),
        "## Initializers",
        table("name", "weight", "source", rows=((f"`{r.name}`", r.formula, r.source) for r in initializers.values())),
    ])


if __name__ == "__main__":
    print(tables())
