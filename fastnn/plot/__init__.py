"""Pictures of networks and their training. Needs Matplotlib: pip install "fastnn-numba[plot]".

Each function draws on the given Axes and returns them. Without Axes, it makes a new Figure. A notebook shows the Figure
below the cell; elsewhere no window opens, and the Figure can be saved, also without a screen:
`ax.figure.savefig("picture.png")`.

Training: `learning_curves`, `learning_rates`, `gradient_flow`, the callback `LivePlot`. Predictions of a classifier:
`decision_boundary`, `confusion_matrix`, `mistakes`. Networks: `network_diagram`, `weight_histograms`, `weight_image`,
`activation_histograms`, `activation_image`. Convolutional networks: `filters`, `feature_maps`, `saliency`, `grad_cam`.
Attention: `attention`. Sequences: `hidden_states`, `gradient_over_time`. Tables: `heat_map`. Sweeps: `score_by`.
"""

from ..checks.other_attributes import refuse_other
from .canvas import COLORS, MARKERS, axes, class_colors, plain, save_picture
from .diagrams.diagram import network_diagram
from .layers.attention import attention
from .layers.attribution import class_activation_map, class_gradient
from .layers.filters import feature_maps, filters
from .layers.flow import gradient_flow
from .layers.histograms import activation_histograms, weight_histograms
from .layers.images import activation_image, weight_image
from .layers.over_time import gradient_over_time, hidden_states
from .layers.saliency import grad_cam, saliency
from .live import LivePlot
from .predictions.boundary import TINT, class_probabilities, decision_boundary
from .predictions.confusion import confusion_matrix
from .predictions.mistakes import mistakes
from .table import heat_map
from .training.curves import learning_curves
from .training.learning_rates import learning_rates
from .training.sweep import score_by, sweep_panels

PICTURES = (activation_histograms, activation_image, attention, confusion_matrix, decision_boundary, feature_maps, filters,
            grad_cam, gradient_flow, gradient_over_time, heat_map, hidden_states, learning_curves, learning_rates, mistakes,
            network_diagram, saliency, score_by, weight_histograms, weight_image)
__all__ = ["COLORS", "MARKERS", "PICTURES", "TINT", "LivePlot", "axes", "class_activation_map", "class_colors",
           "class_gradient", "class_probabilities", "plain", "save_picture", "sweep_panels",
           *(picture.__name__ for picture in PICTURES)]


def __dir__():
    return __all__


def __getattr__(name):
    refuse_other(__name__, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
