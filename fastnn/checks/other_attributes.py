"""Methods, attributes and names of Keras, PyTorch, scikit-learn and pandas: each is answered with ours.

`METHODS` has those of a network, `PUBLIC_NAMES` those of the package, `ATTRIBUTES` those of other objects by their class.
The page on names shows the first.
"""

from .other_arguments import LOSS_IN_NETWORK

CURVES = "fastnn.plot.learning_curves(history) draws the metrics of a fit"
LIST_OF_LAYERS = "Network([Dense(64, 'relu'), Dense(1)], inputs=4)"
WEIGHTS = "net.parameters is a dict of live arrays by name, and net.state one of running statistics"
METHODS = {
    "trainable": "fit(..., frozen=['encoder.*']) leaves parameters as they are, by patterns of their names",
    "learning_rate": "the learning rate is one of the optimizer, net.optimizer.learning_rate after a fit",
    "metrics": "metrics are an argument of fit: net.fit(X, y, metrics=['auc'])",
    "pop": "take layers of its list: Network(net.layers[:-1] + (Dense(3, 'softmax'),), inputs=4), and copy_weights(net)",
    "compile": "there is nothing to compile: the loss is an argument of Network, optimizer and metrics are arguments of fit",
    "add": f"a network has all its layers from the beginning: {LIST_OF_LAYERS}",
    "append": f"a network has all its layers from the beginning: {LIST_OF_LAYERS}",
    "score": "evaluate(X, y) returns the loss and, of a classifier, the accuracy; evaluate(X, y, metrics=['r2']) for values",
    "train": "fit(X, y) trains, predict(X) predicts; there is no mode to choose",
    "eval": "fit(X, y) trains, predict(X) predicts; there is no mode to choose",
    **dict.fromkeys(("get_weights", "set_weights", "weights", "trainable_weights", "trainable_variables", "state_dict",
                     "named_parameters", "get_layer", "coefs_", "intercepts_", "coef_"), WEIGHTS),
    "load_state_dict": "net.load_torch(state_dict) reads weights of PyTorch, net.copy_weights(other) those of a network",
    "save_weights": "save(path) writes weights and architecture",
    "load_weights": "Network.load(path) reads weights and architecture, copy_weights(other) takes those of another network",
    **dict.fromkeys(("reset_states", "reset_state"), "net.stream() keeps a state from step to step; reset() begins anew"),
    **dict.fromkeys(("initial_state", "states"), "net.stream().state holds the state and can be set; in a graph, layers "
                                                 "take a first one: GRU(8)(x, initial_state=h)"),
    "count_params": "net.vectors.parameters.size is the number of parameters; summary() shows them",
    **dict.fromkeys(("to", "cuda", "cpu", "device"), "fastnn computes on the CPU: leave it out; astype changes the dtype"),
    **dict.fromkeys(("backward", "zero_grad", "step"), "fit(X, y) trains; train_on_batch(X, y) takes one step; "
                                                       "loss_and_gradients(X, y) returns gradients"),
    "predict_classes": "predict(X) returns labels, predict_proba(X) probabilities",
    "fit_generator": "fit(X, y) takes arrays; for data that come in parts use train_on_batch(X, y)",
    "partial_fit": "train_on_batch(X, y) takes one step, fit continues from the current weights",
    "test_on_batch": "evaluate(X, y)", "predict_on_batch": "predict(X), or forward(X) for the outputs",
    "get_params": "config() describes the network; the estimators of fastnn.sklearn have get_params",
    "set_params": "make another Network; the estimators of fastnn.sklearn have set_params",
    "clone": "copy.deepcopy(net) copies it; Network.from_config(net.config()) is a new one like it",
    "feature_importances_": "fastnn.sklearn's estimators go into scikit-learn's permutation_importance",
    "plot": "fastnn.plot.network_diagram(net) draws it",
    "modules": "net.layers has the layers", "children": "net.layers has the layers",
    "decision_function": "forward(X) returns the outputs",
    "classes_": "class_names has the names of text labels",
}

PUBLIC_NAMES = {
    "Sequential": f"a network is made of a list of layers: {LIST_OF_LAYERS}",
    "Model": "a graph is a network too: Network(inputs=x, outputs=h)", "Module": f"use {LIST_OF_LAYERS}",
    "Linear": "the layer is Dense(out_features); it works out its inputs",
    **dict.fromkeys(("ReLU", "Sigmoid", "Tanh", "Softmax", "GELU", "SiLU"),
                    "an activation is named in a layer, Dense(64, 'relu'), or a layer, Activation('relu')"),
    **dict.fromkeys(("MSELoss", "CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss"), LOSS_IN_NETWORK),
    "MLPClassifier": "use fastnn.sklearn.NetworkClassifier", "MLPRegressor": "use fastnn.sklearn.NetworkRegressor",
    "BatchNormalization": "the layer is BatchNorm()", **dict.fromkeys(("BatchNorm1d", "BatchNorm2d"), "use BatchNorm()"),
    **dict.fromkeys(("Masking", "pad_sequences", "pad_sequence", "pack_padded_sequence", "pad_packed_sequence"),
                    "sequences of any length need no padding: give a list of arrays, inputs=(None, features); "
                    "Sequences.from_padded(X, mask=mask) reads padded ones"),
    "TimeDistributed": "layers such as Dense work on each step of sequences: leave it out",
    "RNN": "use SimpleRNN, GRU or LSTM",
    "Conv1d": "the layer is Conv1D(out_channels, kernel_size)",
    "LayerNormalization": "the layer is LayerNorm()", "MaxPooling2D": "the layer is MaxPool2D(2)",
    "AveragePooling2D": "the layer is AveragePool2D(2)", "Conv2d": "the layer is Conv2D(out_channels, kernel_size)",
    "UpSampling2D": "the layer is UpSample2D(2)", "ZeroPadding2D": "the layer is ZeroPad2D(1)",
    "load_model": "use fastnn.Network.load(path)", "load": "use fastnn.Network.load(path)",
    **dict.fromkeys(("MaxPooling1D", "MaxPool1d"), "the layer is MaxPool1D(2)"),
    **dict.fromkeys(("AveragePooling1D", "AvgPool1d"), "the layer is AveragePool1D(2)"),
    "MaxPool2d": "the layer is MaxPool2D(2)", "AvgPool2d": "the layer is AveragePool2D(2)",
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D", "AdaptiveAvgPool2d"),
                    "the layer is GlobalAveragePool()"),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalMaxPooling2D"), "the layer is GlobalMaxPool()"),
    "ConvTranspose2d": "the layer is ConvTranspose2D(out_channels, kernel_size)",
    **dict.fromkeys(("SeparableConv2D", "DepthwiseConv2d"), "use DepthwiseConv2D(3), and Conv2D(out_channels, 1) after it"),
    "TensorBoard": "the callback is TensorBoardLogger(folder)", "ProgbarLogger": "give fit(..., progress=True)",
    "LearningRateScheduler": "a schedule is the learning rate: Adam(learning_rate=CosineDecay(0.01, steps=1000))",
    "to_categorical": "labels may be whole numbers; np.eye(3)[y] makes one-hot rows",
    **dict.fromkeys(("tensor", "Tensor"), "networks take NumPy arrays"), "no_grad": "forward and predict keep no gradients",
    **dict.fromkeys(("nn", "optim"), "layers, optimizers and losses stand in fastnn itself: from fastnn import Dense, Adam"),
    **dict.fromkeys(("train", "fit"), "net.fit(X, y) trains; fastnn.tables.train(table, target) trains on a table"),
    "InputLayer": "the shape of a sample is an argument: Network([...], inputs=4)",
    **dict.fromkeys(("MSE", "MAE", "L1Loss", "NLLLoss", "HuberLoss", "SmoothL1Loss", "BinaryCrossentropy",
                     "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "MeanSquaredError"), LOSS_IN_NETWORK),
    **dict.fromkeys(("Accuracy", "AUC", "Precision", "Recall", "F1Score"), "metrics are arguments of fit by name: "
                                                                           "net.fit(X, y, metrics=['auc'])"),
    **dict.fromkeys(("Dropout1d", "Dropout2d", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout"), "use Dropout(0.2)"),
    **dict.fromkeys(("Conv3D", "Conv3d", "MaxPool3D", "Conv1DTranspose", "ConvTranspose1d", "Conv2DTranspose"),
                    "there are Conv1D, Conv2D and ConvTranspose2D, and layers of your own: CustomLayer"),
    "Rescaling": "the layer is Rescale(1 / 255)", "Normalization": "the layer is Normalize()",
    "ZeroPad": "the layer is ZeroPad2D(1)", "Identity": "leave it out",
    **dict.fromkeys(("RandomRotation", "RandomZoom", "RandomContrast", "ColorJitter", "RandomHorizontalFlip",
                     "RandomTranslation"), "there are RandomFlip, RandomShift, RandomCrop and GaussianNoise; others are "
                                           "layers of your own: CustomLayer"),
    **dict.fromkeys(("ImageDataGenerator", "image_dataset_from_directory", "ImageFolder"),
                    "the guide to images reads pictures from a folder with Pillow; RandomFlip and others are layers"),
    **dict.fromkeys(("Tokenizer", "TextVectorization", "vocab"), "fastnn.text.Vocabulary.fit(texts) numbers words or "
                                                                 "characters, and .encode(texts) returns sequences"),
    **dict.fromkeys(("Transformer", "TransformerEncoderLayer"), "use TransformerEncoder"),
    **dict.fromkeys(("MultiheadAttention", "SelfAttention"), "use MultiHeadAttention(heads)"),
    **dict.fromkeys(("concatenate", "concat", "cat", "add", "multiply"), "joins are layers, Concatenate()([a, b]), and "
                                                                         "a + b and a * b add and multiply nodes"),
    **dict.fromkeys(("Lambda", "Layer"), "a layer of your own is a subclass of fastnn.CustomLayer"),
    "Parameter": "parameters of your own belong to a fastnn.CustomLayer",
    **dict.fromkeys(("LRFinder", "find_learning_rate", "lr_finder"), "use fastnn.learning_rate_finder(net, X, y)"),
    **dict.fromkeys(("CosineAnnealingLR", "CosineDecayRestarts"), "use CosineDecay(0.01, steps=1000)"),
    **dict.fromkeys(("StepLR", "ExponentialLR", "MultiStepLR"), "use StepDecay, ExponentialDecay or the callback "
                                                                       "ReduceLROnPlateau"),
    "OneCycleLR": "use OneCycle",
    "Trainer": "net.fit(X, y) trains", "DataLoader": "net.fit(X, y, batch_size=32) takes arrays and makes the batches",
}

IMPORTANCE = "fastnn.tables.training.importance.importance(result) returns that of each column"
NUMBERS = "it is a specification; the numbers are those of its network: net.parameters['0.weight']"
ATTRIBUTES = {
    "Layer": {
        **dict.fromkeys(("weight", "weights", "get_weights", "set_weights", "kernel", "bias", "trainable_weights"), NUMBERS),
        "units": "its number of outputs is out_features", "filters": "its number of outputs is out_channels",
        **dict.fromkeys(("trainable", "requires_grad"), "give fit(..., frozen=['0.*'])"),
        **dict.fromkeys(("input", "output", "input_shape", "built"), "net.shapes has the shapes of a sample before and "
                                                                     "after each layer"),
        "name": "net.summary() has the names of layers", "forward": "net.forward(X) computes; a layer is a specification",
        **dict.fromkeys(("count_params", "parameters", "state_dict"), NUMBERS),
    },
    "Result": {
        **dict.fromkeys(("predict", "predict_proba", "evaluate", "save", "network"), "result.model has it"),
        "score": "result.metrics has those of the test rows; result.model.evaluate(table) has those of others",
        "fit": "fastnn.tables.train(table, target) trains another",
        **dict.fromkeys(("feature_importances_", "importance"), IMPORTANCE),
    },
    "TableModel": {
        "fit": "fastnn.tables.train(table, target) trains another", "transform": "model.preprocessing has it",
        "score": "model.evaluate(table) returns metrics", "feature_importances_": IMPORTANCE,
    },
    "Sweep": {
        **dict.fromkeys(("best_params", "best_params_", "best_config"), "sweep.best_configuration has them"),
        **dict.fromkeys(("best_estimator_", "best_model"), "sweep.best is the network"),
        **dict.fromkeys(("best_score", "best_score_", "best_value"), "sweep.table has it, the best first"),
        **dict.fromkeys(("cv_results_", "results", "trials"), "sweep.table has them"),
    },
    "History": {
        "history": "it is a mapping itself: history['loss']", "plot": "fastnn.plot.learning_curves(history) draws it",
        "epoch": "history.epochs has the numbers of the epochs",
        "params": "it has the metrics of each epoch only", "model": "fit returns the history; the network is yours",
        **dict.fromkeys(("to_csv", "to_frame"), "pandas.DataFrame(history) makes a table"),
    },
}


NAMES_OF_MODULES = {
    "fastnn.tables": {
        "load": "use TableModel.load(path)", **dict.fromkeys(("read_csv", "read_parquet", "read"), "use read_table(path)"),
        **dict.fromkeys(("fit", "train_model"), "use train(table, target)"), "predict": "use model.predict(table)",
        "importance": IMPORTANCE,
    },
    "fastnn.plot": {
        **dict.fromkeys(("history", "loss", "plot", "learning_curve", "loss_curve", "plot_history"), CURVES),
        **dict.fromkeys(("plot_model", "model", "network", "diagram", "graph"), "fastnn.plot.network_diagram(net) draws it"),
        **dict.fromkeys(("decision_regions", "plot_decision_regions", "decision_boundaries"),
                        "fastnn.plot.decision_boundary(net, X, y) draws them"),
        **dict.fromkeys(("confusion", "plot_confusion_matrix"), "use fastnn.plot.confusion_matrix"),
        **dict.fromkeys(("weights", "kernels"), "use fastnn.plot.weight_histograms(net) or fastnn.plot.filters(net)"),
        "savefig": "ax.figure.savefig('picture.png') saves a picture",
        **dict.fromkeys(("roc_curve", "precision_recall_curve", "calibration_curve"),
                        "scikit-learn's displays draw it from the estimators, or from predict_proba"),
    },
}


def refuse_other(module, name):
    """Raise an AttributeError that names ours for a name of another library, read from a module of this package."""
    if message := advice_on(NAMES_OF_MODULES[module], name, module):
        raise AttributeError(message)


class NotSet:
    """An attribute that an object of another library has: setting it is an error, since nothing would happen."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        raise AttributeError(self.name)  # as if it was not there, so that __getattr__ is asked

    def __set__(self, instance, value):
        raise AttributeError(advice_on(METHODS, self.name, "a network"))


def answers(cls):
    """A class decorator: reading an attribute of another library raises an error that names ours."""
    advice, known = ATTRIBUTES[cls.__name__], getattr(cls, "__getattr__", None)

    def __getattr__(self, name):
        if message := advice_on(advice, name, f"a {cls.__name__}"):
            raise AttributeError(message, name=name, obj=self)
        if known is not None:
            return known(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    cls.__getattr__ = __getattr__
    return cls


def advice_on(table, name, where):
    """Return the message of an error about an attribute that other libraries have; None if it is none of these."""
    return f"{where} has no {name}; {table[name]}" if name in table else None
