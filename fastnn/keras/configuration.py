"""The configuration of a model of Keras as a list of its layers, and the options of a layer.

Each option is used, has no effect on predictions, or has its neutral value. Any other is refused by name, so that no option
changes the outputs in silence.
"""

from dataclasses import dataclass, field, replace

from ..checks import shown

# options without an effect on predictions; of those with a value, `remark` says so where training would differ
WITHOUT_EFFECT = {"name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dtype", "sparse",
                  "ragged", "optional", "autocast", "seed", "momentum", "synchronized", "fused", "renorm", "renorm_clipping",
                  "renorm_momentum", "implementation"}
ENDINGS = "_initializer", "_regularizer", "_constraint"
MODULES = "keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras"
MODELS = "Sequential", "Functional", "Model"
DEEPEST = 20  # models within models
OVER_TIME = "SimpleRNN", "GRU", "LSTM", "Bidirectional"  # layers that take any number of steps


@dataclass
class KerasLayer:
    """A layer of a model of Keras: its class and options, and the way to its arrays.

    outer: the layer of the model that holds it, None for one of the model itself. places: where in that it is. within: its
    name there, if that holds several.
    """

    kind: str
    config: dict
    path: tuple
    weights: object
    asked: set = field(default_factory=set)
    remarks: list = field(default_factory=list)
    outer: object = None
    places: tuple = ()
    within: str | None = None

    @property
    def name(self):
        return str(self.config.get("name", self.kind))

    def inner(self, place, **options):
        """Return a layer that is held in this one at a place, with the same options or others."""
        return replace(self, places=(*self.places, place), asked=set(), remarks=[], outer=self.outer or self, **options)

    def option(self, name, default=None):
        """Return the value of an option, which is then one that is used."""
        self.asked.add(name)
        return self.config.get(name, default)

    def neutral(self, name, *values):
        """Refuse an option unless it is absent or has one of the given values."""
        value = self.option(name, values[0])
        if value not in values:
            raise ValueError(f"its option {name} is {shown(value)}; only {' or '.join(map(shown, values))} has a "
                             "counterpart")

    def read(self, names, wanted, shape):
        """Return the array of the variable `wanted`; names: those that a layer with these options has, in Keras' order."""
        return self.weights.read(self, names, wanted, shape)

    def refuse_others(self):
        """Refuse options that have not been asked for and may have an effect."""
        for name, value in self.config.items():
            if name in self.asked or name in WITHOUT_EFFECT or value is None or name.endswith(ENDINGS[:1]):
                continue
            if name.endswith(ENDINGS):
                self.remarks.append(f"{name} of {self.name!r} has no counterpart")
                continue
            raise ValueError(f"its option {name} is {shown(value)}, which has no counterpart")
        if self.config.get("trainable", True) is not True:
            self.remarks.append(f"{self.name!r} is frozen in Keras and trains here")

    def dtype(self):
        """Return the dtype in which the layer computes."""
        given = self.config.get("dtype", "float32")
        if isinstance(given, dict):  # a policy
            given = dict_of(given.get("config")).get("name")
        if given not in ("float32", "float64"):
            raise ValueError(f"it computes in {shown(given)}; networks here compute in float32 or float64")
        return given


def dict_of(value):
    return value if isinstance(value, dict) else {}


def parts_of(config):
    """Return (class, options) of a model or layer."""
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError("its configuration does not describe a model of Keras")
    module, registered = config.get("module"), config.get("registered_name")
    if registered not in (None, config["class_name"]) or not (
            module is None or any(module == each or str(module).startswith(f"{each}.") for each in MODULES)):
        raise ValueError(f"it has the layer {shown(registered or config['class_name'])} of your own code, which is not in "
                         "the file")
    options = config.get("config")
    if isinstance(options, list):  # a Sequential of early versions
        options = {"layers": options}
    return config["class_name"], dict_of(options)


def flattened(config, weights, within=(), depth=0):
    """Return the layers of a model in order, including those of models within it."""
    kind, options = parts_of(config)
    if kind not in MODELS or not isinstance(options.get("layers"), list):
        raise ValueError(f"it holds a {shown(kind)}; only Sequential models, and functional ones that are a chain, are read")
    if depth > DEEPEST:
        raise ValueError("it holds too many models within one another")
    found, counts, names = [], {}, []
    for each in options["layers"]:
        own, own_options = parts_of(each)
        group = weights.below(own, counts.get(own, 0), within)
        counts[own] = counts.get(own, 0) + 1
        names.append(own_options.get("name"))
        if own in MODELS:
            if not isinstance(own_options.get("layers"), list):
                raise ValueError(f"it holds a {shown(own)} without layers")
            weights.below(own, 0, ("a model",))  # refused where models within models are not read
            found += flattened(each, weights, group, depth + 1)
        else:
            found.append(KerasLayer(own, own_options, group, weights))
    if kind != "Sequential":
        refuse_branches(options, names)
    return found


def refuse_branches(options, names):
    """Raise an error unless each layer of a functional model takes the one before it in the list, and nothing else."""
    layers = options["layers"]
    for end, name in (("input_layers", names[0] if names else None), ("output_layers", names[-1] if names else None)):
        if options.get(end) not in ([name, 0, 0], [[name, 0, 0]]):
            raise ValueError(f"its {end} are {shown(options.get(end))}; only chains of layers are read, from one input to "
                             "one output")
    for index, layer in enumerate(layers):
        nodes = layer.get("inbound_nodes") or []
        before = names[index - 1] if index else None
        if (not nodes and index == 0) or (len(nodes) == 1 and read_names(nodes[0]) == [before]):
            continue
        raise ValueError(f"the layer {names[index]!r} of its graph does not take the layer before it alone; only chains of "
                         "layers are read")


def read_names(node):
    """Return the names of the layers that a node reads, as Keras 3 and Keras 2 write them; [] if it has more arguments."""
    if isinstance(node, list):  # [["dense", 0, 0, {}]]
        return [each[0] for each in node if isinstance(each, list) and each and each[1:] in ([0, 0], [0, 0, {}])]
    node, found = dict_of(node), []
    options = dict_of(node.get("kwargs")).items()
    if any(value is not None and (name, value) != ("training", False) for name, value in options):
        return []
    for argument in node.get("args") or []:
        history = dict_of(dict_of(argument).get("config")).get("keras_history")
        if not isinstance(history, list) or history[1:] != [0, 0]:
            return []
        found.append(history[0])
    return found


def input_of(config, layers):
    """Return the shape of a sample that a model takes."""
    first = layers[0].config if layers else {}
    kinds = [layer.kind for layer in layers if layer.kind != "InputLayer"]
    if kinds[:1] == ["Embedding"]:
        return (None,)
    shape = first.get("batch_shape") or first.get("batch_input_shape")
    shape = shape or dict_of(config.get("config")).get("build_input_shape")
    shape = shape or dict_of(config.get("build_config")).get("input_shape")
    if not isinstance(shape, list) or len(shape) < 2:
        raise ValueError("it does not say the shape of its samples; give it, such as load_keras(path, inputs=(28, 28, 1))")
    if len(shape) == 3 and shape[1] is None and shape[2] is not None and any(kind in OVER_TIME for kind in kinds):
        return tuple(shape[1:])
    if any(size is None for size in shape[1:]):
        raise ValueError(f"it takes samples of any size, {tuple(shape[1:])}; give the size, such as "
                         f"load_keras(path, inputs={tuple(28 if size is None else size for size in shape[1:])})")
    return tuple(shape[1:])
