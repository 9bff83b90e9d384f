"""The layers before the dense ones, of convolutional nets, recurrent ones and Transformers, for fastnn and PyTorch."""

from functools import partial

from .nets import GATES


def fastnn_layers(net):
    from fastnn import (
        GRU,
        LSTM,
        Activation,
        BatchNorm,
        Bidirectional,
        Conv2D,
        DepthwiseConv2D,
        Dropout,
        Embedding,
        GlobalAveragePool,
        LayerNorm,
        MaxPool2D,
        TransformerEncoder,
    )

    layers, others = [], {"pool": MaxPool2D, "mean": GlobalAveragePool, "dropout": Dropout, "gru": GRU, "lstm": LSTM,
                          "bigru": lambda units: Bidirectional(GRU(units)), "embedding": Embedding,
                          "bilstm": lambda units: Bidirectional(LSTM(units)), "norm": LayerNorm,
                          "transformer": partial(TransformerEncoder, activation="relu")}
    for (kind, *numbers), each in zip(net.blocks, net.windows, strict=True):
        if each is None:
            layers.append(others[kind](*numbers))
            continue
        activation = "relu" if each.activated and not each.normalized else "identity"
        options = {"stride": each.stride, "padding": each.padding}
        layers.append(Conv2D(each.features, each.kernel, activation, **options) if each.groups == 1 else
                      DepthwiseConv2D(each.kernel, activation, **options))
        layers += [BatchNorm(), Activation("relu")] if each.normalized else []
    return layers


def torch_layers(net, sparse=False):
    """sparse: whether an embedding has a sparse gradient."""
    from torch import nn

    class LastState(nn.Module):
        """The last state of a recurrent layer, or those of both directions."""

        def __init__(self, kind, units):
            super().__init__()
            self.layer = {"gru": nn.GRU, "lstm": nn.LSTM}[kind.removeprefix("bi")](
                net.features, units, batch_first=True, bidirectional=net.directions == 2)

        def forward(self, x):
            states, last = self.layer(x)
            if net.directions == 1:
                return states[:, -1]
            last = last[0] if isinstance(last, tuple) else last
            return last.swapaxes(0, 1).flatten(1)

    class Mean(nn.Module):
        """The mean over the steps of series, or over the pixels of images."""

        def forward(self, x):
            return x.mean(1) if len(net.image) == 2 else nn.functional.adaptive_avg_pool2d(x, 1)

    def transformer(heads, hidden):
        return nn.TransformerEncoderLayer(net.image[1], heads, hidden, dropout=0.0, batch_first=True, norm_first=True)

    def norm():
        return nn.LayerNorm(net.image[1])

    layers, others = [], {"mean": Mean, "norm": norm, "transformer": transformer, "pool": nn.MaxPool2d,
                          "dropout": nn.Dropout, "embedding": partial(nn.Embedding, sparse=sparse),
                          **{kind: partial(LastState, kind) for kind in GATES}}
    for (kind, *numbers), each in zip(net.blocks, net.windows, strict=True):
        if each is None:
            layers.append(others[kind](*numbers))
            continue
        (top, bottom), (left, right) = each.padding
        alike = top == bottom and left == right
        layers += [] if alike else [nn.ZeroPad2d((left, right, top, bottom))]
        layers.append(nn.Conv2d(each.channels, each.features, each.kernel, each.stride, (top, left) if alike else 0,
                                groups=each.groups))
        layers += [nn.BatchNorm2d(each.features)] * each.normalized + [nn.ReLU()] * each.activated
    return layers
