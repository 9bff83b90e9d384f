"""Attention and Transformer blocks in a state dict of PyTorch.

    MultiheadAttention      in_proj_weight (3 · features, features), or q_proj_weight, k_proj_weight and v_proj_weight,
                            in_proj_bias (3 · features,), out_proj.weight, out_proj.bias
    TransformerEncoderLayer self_attn, linear1, linear2, norm1, norm2
    TransformerDecoderLayer self_attn, multihead_attn, linear1, linear2, norm1, norm2, norm3

The number of heads, norm_first and the activation are not among the tensors.
"""

import numpy as np

from ..joins import Add
from .multi_head_attention import PROJECTIONS, MultiHeadAttention

APART = tuple(f"{name[0]}_proj_weight" for name in PROJECTIONS)
ENCODER = {"self_attn", "linear1", "linear2", "norm1", "norm2"}
DECODER = ENCODER | {"multihead_attn", "norm3"}
# the parts of a block in the order of our layers, with the normalization before the others and behind them
ORDERS = {
    (False, True): ("norm1", "self_attn", "norm2", "linear1", "linear2"),
    (False, False): ("self_attn", "norm1", "linear1", "linear2", "norm2"),
    (True, True): ("norm1", "self_attn", "norm2", "multihead_attn", "norm3", "linear1", "linear2"),
    (True, False): ("self_attn", "norm1", "multihead_attn", "norm2", "linear1", "linear2", "norm3"),
}


def with_attention(found):
    """Return {layer: leaves} with the output product of each attention among its own leaves: "out_proj.weight"."""
    found = {name: set(leaves) for name, leaves in found.items()}
    for name in [name for name, leaves in found.items() if is_attention(leaves)]:
        outer = f"{name}.out_proj" if name else "out_proj"
        found[name] |= {f"out_proj.{leaf}" for leaf in found.pop(outer, ())}
    return found


def is_attention(leaves):
    return bool(leaves & {"in_proj_weight", *APART})


def block_of(name, found):
    """Return the name of the Transformer block that a layer is part of, None if it is not part of one."""
    block, _, part = name.rpartition(".")
    inside = {other.rpartition(".")[2] for other in found if other.rpartition(".")[0] == block}
    return block if part in DECODER and inside in (ENCODER, DECODER) else None


def parts_of(block, found, norm_first):
    """Return the names of the layers of a block in the order of ours."""
    start = f"{block}." if block else ""
    return [f"{start}{part}" for part in ORDERS[f"{start}multihead_attn" in found, norm_first]]


def attention_arrays(name, held):
    """Return the parameters of a `MultiHeadAttention` from the tensors of a MultiheadAttention."""
    known = {"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias", *APART}
    if wrong := sorted(held.keys() - known):
        raise ValueError(f"{name!r} holds {', '.join(wrong)}; of a MultiheadAttention, only those without bias_k and bias_v "
                         "can be loaded")
    weights = np.split(held["in_proj_weight"], 3) if "in_proj_weight" in held and len(held["in_proj_weight"]) % 3 == 0 else \
        [held.get(leaf) for leaf in APART]
    features = 0 if any(weight is None or weight.ndim != 2 for weight in weights) else len(weights[0])
    output = held.get("out_proj.weight")
    biases = held.get("in_proj_bias", np.zeros(3 * features))
    output_bias = held.get("out_proj.bias", np.zeros(features))
    if not features or any(len(weight) != features for weight in weights) or biases.shape != (3 * features,) or \
            output is None or output.shape != (features, features) or output_bias.shape != (features,):
        raise ValueError(f"{name or 'the state dict'!r} must hold in_proj_weight (3 · features, features), or a projection "
                         "each for queries, keys and values, in_proj_bias (3 · features,) and out_proj.weight (features, "
                         "features)")
    arrays = {}
    for own, weight, bias in zip(PROJECTIONS, weights, np.split(biases, 3), strict=True):
        arrays |= {f"{own}_weight": weight.T, f"{own}_bias": bias}
    return arrays | {"output_weight": output.T, "output_bias": output_bias}


def is_row_of_blocks(wiring):
    """Whether the layers of a graph follow each other, and only attention and sums read earlier ones too.

    Then their order is that of the modules of a Transformer.
    """
    uses = [step.index for step in wiring.steps]
    for number, step in enumerate(wiring.steps, wiring.inputs):
        follows = step.reads[0] == number - 1 or step.reads[0] < wiring.inputs
        if not follows or (len(step.reads) > 1 and not isinstance(step.layer, (Add, MultiHeadAttention))):
            return False
    return len({*uses}) == len(uses)
