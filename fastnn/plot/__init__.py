"""Pictures of networks and their training. Needs Matplotlib: pip install "fastnn-numba[plot]".

Each function draws on the given Axes and returns them. Without Axes, it makes a new Figure. A notebook shows the Figure
below the cell; elsewhere no window opens, and the Figure can be saved, also without a screen:
`ax.figure.savefig("picture.png")`.

Training: `learning_curves`, `learning_rates`, `gradient_flow`, the callback `LivePlot`. Predictions of a classifier:
`decision_boundary`, `confusion_matrix`, `mistakes`. Networks: `network_diagram`, `weight_histograms`, `weight_image`,
`activation_histograms`, `activation_image`. Convolutional networks: `filters`, `feature_maps`, `saliency`, `grad_cam`.
Attention: `attention`. Sequences: `hidden_states`, `gradient_over_time`. Tables: `heat_map`. Sweeps: `score_by`.
"""

from .attention import attention
from .attribution import class_activation_map, class_gradient
from .boundary import TINT, class_probabilities, decision_boundary
from .canvas import COLORS, MARKERS, axes, class_colors, plain, save_picture
from .confusion import confusion_matrix
from .curves import learning_curves
from .diagram import network_diagram
from .filters import feature_maps, filters
from .flow import gradient_flow
from .histograms import activation_histograms, weight_histograms
from .images import activation_image, weight_image
from .learning_rates import learning_rates
from .live import LivePlot
from .mistakes import mistakes
from .over_time import gradient_over_time, hidden_states
from .saliency import grad_cam, saliency
from .sweep import score_by, sweep_panels
from .table import heat_map

PICTURES = (activation_histograms, activation_image, attention, confusion_matrix, decision_boundary, feature_maps, filters,
            grad_cam, gradient_flow, gradient_over_time, heat_map, hidden_states, learning_curves, learning_rates, mistakes,
            network_diagram, saliency, score_by, weight_histograms, weight_image)
__all__ = ["COLORS", "MARKERS", "PICTURES", "TINT", "LivePlot", "axes", "class_activation_map", "class_colors",
           "class_gradient", "class_probabilities", "plain", "save_picture", "sweep_panels",
           *(picture.__name__ for picture in PICTURES)]
