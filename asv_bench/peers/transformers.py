"""Transformer encoders in JAX: the block of `fastnn.TransformerEncoder`, with relu and the normalization first."""


def jax_blocks(net, key):
    """Return (weights, function of them and of x) of the blocks before the dense layers, and a mean over the steps."""
    import jax
    import jax.numpy as jnp

    steps, features = net.image

    def drawn(key, *shape):
        return jax.random.normal(key, shape) * shape[0] ** -0.5, jnp.zeros(shape[-1])

    def norm():
        return jnp.ones(features), jnp.zeros(features)

    blocks = [numbers for kind, *numbers in net.blocks if kind == "transformer"]
    weights = []
    for _, hidden in blocks:
        keys = jax.random.split(key, 5)
        key = keys[0]
        weights.append((norm(), drawn(keys[1], features, 3 * features), drawn(keys[2], features, features), norm(),
                        drawn(keys[3], features, hidden), drawn(keys[4], hidden, features)))

    def normalized(x, scale, shift):
        mean = x.mean(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-5) * scale + shift

    def forward(given, x):
        for (heads, _), (before, inner, outer, after, first, second) in zip(blocks, given[0], strict=True):
            q, k, v = jnp.split(normalized(x, *before) @ inner[0] + inner[1], 3, axis=-1)
            q, k, v = (each.reshape(-1, steps, heads, features // heads).swapaxes(1, 2) for each in (q, k, v))
            weight = jax.nn.softmax(q @ k.swapaxes(2, 3) * (features // heads) ** -0.5, axis=-1)
            x = x + (weight @ v).swapaxes(1, 2).reshape(-1, steps, features) @ outer[0] + outer[1]
            h = jax.nn.relu(normalized(x, *after) @ first[0] + first[1])
            x = x + h @ second[0] + second[1]
        return normalized(x, *given[1]).mean(1)

    return (weights, norm()), forward
