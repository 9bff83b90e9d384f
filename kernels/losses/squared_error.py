"""Half the squared error, the first cost function of the notes."""

from . import Loss, register

register(Loss(
    name="squared_error",
    formula="½ (a − y)²",
    prime_formula="a − y",
    value=lambda a, y: 0.5 * (a - y) * (a - y),
    prime=lambda a, y: a - y,
    vectorized=lambda a, y: (a - y) ** 2 / 2,
    vectorized_prime=lambda a, y: a - y,
))
