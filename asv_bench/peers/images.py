"""The layers before the dense ones, of convolutional nets, for fastnn and PyTorch."""


def fastnn_layers(net):
    from fastnn import (
        Activation,
        BatchNorm,
        Conv2D,
        DepthwiseConv2D,
        Dropout,
        GlobalAveragePool,
        MaxPool2D,
    )

    layers, others = [], {"pool": MaxPool2D, "mean": GlobalAveragePool, "dropout": Dropout}
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


def torch_layers(net):
    from torch import nn

    layers, others = [], {"pool": nn.MaxPool2d, "dropout": nn.Dropout}
    for (kind, *numbers), each in zip(net.blocks, net.windows, strict=True):
        if each is None:
            layers.append(nn.AdaptiveAvgPool2d(1) if kind == "mean" else others[kind](*numbers))
            continue
        (top, bottom), (left, right) = each.padding
        alike = top == bottom and left == right
        layers += [] if alike else [nn.ZeroPad2d((left, right, top, bottom))]
        layers.append(nn.Conv2d(each.channels, each.features, each.kernel, each.stride, (top, left) if alike else 0,
                                groups=each.groups))
        layers += [nn.BatchNorm2d(each.features)] * each.normalized + [nn.ReLU()] * each.activated
    return layers
