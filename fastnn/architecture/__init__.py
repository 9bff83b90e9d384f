"""What a network is: its graph of layers, its loss, and the meaning of its outputs; registration of a user's own.

    graph           layers, names, shapes; `from_nodes` and `from_config` make it
    wiring          which tensors each layer reads
    objective       the loss of each output, and its head
    registration    activations and losses of a user
"""
