"""Recurrent layers in JAX: the last states of a GRU or an LSTM, in one direction or in both, of series or of tokens."""

from .nets import GATES


def jax_recurrence(net, key):
    """Return (weights, function of them and of x) of the blocks before the dense layers."""
    import jax
    import jax.numpy as jnp

    def drawn(key, *shape):
        return jax.random.normal(key, shape) * shape[-1] ** -0.5

    def gru(h, z, recurrent_weight, recurrent_bias):
        own = h @ recurrent_weight + recurrent_bias
        r, u, n = jnp.split(z, 3, axis=1)
        own_r, own_u, own_n = jnp.split(own, 3, axis=1)
        r, u = jax.nn.sigmoid(r + own_r), jax.nn.sigmoid(u + own_u)
        n = jnp.tanh(n + r * own_n)
        return n + u * (h - n)

    def lstm(states, z, recurrent_weight, recurrent_bias):
        h, c = states
        i, f, g, o = jnp.split(z + h @ recurrent_weight, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    def last_state(kind, weights, x, reverse=False):
        """A scan over the steps of x (batch, steps, features), after one product for the inputs of all."""
        weight, recurrent_weight, bias, recurrent_bias = weights
        cell, first = {"gru": gru, "lstm": lstm}[kind], jnp.zeros((len(x), len(recurrent_weight)))
        gates = jnp.swapaxes(x, 0, 1) @ weight + bias
        states, _ = jax.lax.scan(lambda state, z: (cell(state, z, recurrent_weight, recurrent_bias), None),
                                 first if kind == "gru" else (first, first), gates, reverse=reverse)
        return states if kind == "gru" else states[0]

    (kind, units), = ((kind, units) for kind, units, *_ in net.blocks if kind in GATES)
    key, *keys = jax.random.split(key, 3)
    weights = {"ways": []}
    if net.vocabulary:
        weights["embedding"] = drawn(keys[0], net.vocabulary, net.features)
    for _ in range(net.directions):
        key, *keys = jax.random.split(key, 3)
        columns = GATES[kind] * units
        weights["ways"].append((drawn(keys[0], net.features, columns), drawn(keys[1], units, columns), jnp.zeros(columns),
                                jnp.zeros(columns)))

    def forward(weights, x):
        x = weights["embedding"][x] if net.vocabulary else x
        return jnp.concatenate([last_state(kind.removeprefix("bi"), way, x, reverse=number == 1)
                                for number, way in enumerate(weights["ways"])], axis=1)

    return weights, forward
