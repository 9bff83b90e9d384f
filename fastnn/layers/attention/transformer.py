"""Transformer blocks: attention and a dense network for each step, each with a shortcut and a normalization."""

from ...checks import number_in_range, true_or_false, whole_number
from ..blocks import Block, apply
from ..convolution.conv1d import Conv1D
from ..dense import Dense
from ..joins import Add
from ..node import Site, checked_nodes
from ..normalization.layer_norm import LayerNorm
from ..ragged import is_ragged
from ..randomness.dropout import Dropout
from .multi_head_attention import MultiHeadAttention


class Transformer(Block):
    """Base class of both blocks: what they consist of."""

    def __init__(self, heads, hidden_features, activation="gelu", *, key_dim=None, dropout=0.0, norm_first=True):
        self.heads, self.key_dim = heads, key_dim
        hidden_features = whole_number(f"{self.name}(hidden_features=...)", hidden_features)
        dropout = number_in_range(f"{self.name}(dropout=...)", dropout, 0.0, 1.0)
        self.inner = Dense(hidden_features, activation)  # for its checks
        self.dropout, self.norm_first = Dropout(dropout), true_or_false(f"{self.name}(norm_first=...)", norm_first)
        self.attention_layers = self.make_attention()
        self.parts = (*self.attention_layers, self.inner, self.dropout, LayerNorm())

    @property
    def name(self):
        return type(self).__name__

    def __eq__(self, other):
        return super().__eq__(other) and self.norm_first == other.norm_first

    def __hash__(self):
        return hash((type(self), self.parts, self.norm_first))

    def shown(self, *options):
        given = [repr(self.inner.activation)] * (self.inner.activation != "gelu")
        given += [f"key_dim={self.key_dim}"] * (self.key_dim is not None)
        given += [f"dropout={self.dropout.rate}"] * (self.dropout.rate > 0) + ["norm_first=False"] * (not self.norm_first)
        return f"{self.name}({', '.join([str(self.heads), str(self.inner.out_features), *given, *options])})"

    def around(self, x, site, *block, source=None):
        """Return x + block(x), normalized before the block or after the sum. source: read by the first layer too."""
        h = apply(LayerNorm(), (x,), site) if self.norm_first else x
        first, *others = block
        h = apply(first, (h,) if source is None else (h, source), site)
        if self.dropout.rate:
            others.append(Dropout(self.dropout.rate))
        h = apply(others, (h,), site) if others else h
        h = apply(Add(), (h, x), site)
        return h if self.norm_first else apply(LayerNorm(), (h,), site)

    def feed_forward(self, x, site):
        """Return x after the dense network of each step."""
        features, hidden, activation = x.shape[-1], self.inner.out_features, self.inner.activation
        if is_ragged(x.shape):
            return self.around(x, site, Dense(hidden, activation), Dense(features))
        return self.around(x, site, Conv1D(hidden, 1, activation), Conv1D(features, 1))

    def checked(self, nodes):
        for node in nodes:
            if len(node.shape) != 2:
                raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample has the shape {node.shape}")
        return nodes


class TransformerEncoder(Transformer):
    """A block of a Transformer: self-attention, then a dense network for each step (Vaswani et al. 2017).

    Each has a shortcut around it, and a `LayerNorm` before it or after the sum. A sequence keeps its shape. It can stand in
    a list of layers. Put a `PositionalEncoding` before the first block, and with `norm_first` a `LayerNorm` behind the last.

    Parameters
    ----------
    heads : int
    hidden_features : int
        Of the dense network.
    activation : str, default "gelu"
        Of the dense network.
    key_dim : int, optional
        The number of features of a head; by default those of a step divided by the number of heads.
    dropout : float, default 0
        Of what is added to the shortcuts.
    norm_first : bool, default True
        Whether the normalization stands before attention and dense network, which trains deep stacks more safely (Xiong et
        al. 2020), or after each sum, as in the original.
    causal : bool, default False
        Whether a step sees only itself and those before it.

    Examples
    --------
    >>> from fastnn import Dense, Embedding, LayerNorm, Network, PositionalEncoding, TransformerEncoder
    >>> net = Network([Embedding(100, 32), PositionalEncoding(), TransformerEncoder(4, 64), TransformerEncoder(4, 64),
    ...                LayerNorm(), Dense(5, "softmax")], inputs=(None,))
    >>> net.predict([[5, 17, 3]])[0].shape
    (3,)
    """

    def __init__(self, heads, hidden_features, activation="gelu", *, key_dim=None, dropout=0.0, norm_first=True,
                 causal=False):
        self.causal = true_or_false("TransformerEncoder(causal=...)", causal)
        super().__init__(heads, hidden_features, activation, key_dim=key_dim, dropout=dropout, norm_first=norm_first)

    def __repr__(self):
        return self.shown(*["causal=True"] * self.causal)

    def make_attention(self):
        return (MultiHeadAttention(self.heads, self.key_dim, causal=self.causal),)

    def expand(self, nodes, site):
        x, = self.checked(nodes)
        attention, = self.make_attention()
        return self.feed_forward(self.around(x, site, attention), site)


class TransformerDecoder(Transformer):
    """A block of a decoder: causal self-attention, attention to a source, then a dense network for each step.

    It is called on the sequence to be made and on what an encoder made of the source, whose lengths have nothing to do with
    each other: `TransformerDecoder(4, 64)(x, source)`.

    Parameters
    ----------
    heads, hidden_features, activation, key_dim, dropout, norm_first
        As those of `TransformerEncoder`.

    Examples
    --------
    >>> from fastnn import Dense, Input, Network, TransformerDecoder, TransformerEncoder
    >>> source, target = Input((None, 16), name="source"), Input((None, 16), name="target")
    >>> h = TransformerDecoder(2, 32)(target, TransformerEncoder(2, 32)(source))
    >>> Network(inputs=[source, target], outputs=Dense(9, "softmax")(h)).output_shapes
    {'output': (None, 9)}
    """

    def __repr__(self):
        return self.shown()

    def make_attention(self):
        return MultiHeadAttention(self.heads, self.key_dim, causal=True), MultiHeadAttention(self.heads, self.key_dim)

    def __call__(self, *nodes, name=None):
        """Apply the block to the nodes of a sequence and of a source."""
        nodes = checked_nodes(self.make_attention()[0], nodes)
        if len(nodes) != 2:
            raise ValueError(f"{self!r} is called on {len(nodes)} nodes; it takes two: a sequence and its source")
        return self.expand(nodes, Site(self, name))

    def expand(self, nodes, site):
        if len(nodes) != 2:
            raise ValueError(f"{self!r} takes two nodes, a sequence and its source, and cannot stand in a list; call it on "
                             "both, or take a TransformerEncoder(causal=True)")
        x, source = self.checked(nodes)
        itself, across = self.make_attention()
        return self.feed_forward(self.around(self.around(x, site, itself), site, across, source=source), site)
