"""Pictures of networks and their training. Needs Matplotlib: pip install "fastnn-numba[plot]".

Each function draws on the Axes that it is given and returns them. Given none, it makes a Figure of its own. A notebook shows
it below the cell; elsewhere no window opens, and it is ready to be saved where there is no screen:
`ax.figure.savefig("picture.png")`.

Of training: `learning_curves`, `gradient_flow`. Of what a classifier says: `decision_boundary`, `confusion_matrix`. Of what
is inside: `network_diagram`, `weight_histograms`, `weight_image`, `activation_histograms`, `activation_image`. And
`heat_map`, of any table. Of a sweep: `score_by`.
"""

from .boundary import TINT, class_probabilities, decision_boundary
from .canvas import COLORS, MARKERS, axes, class_colors, plain, save_picture
from .confusion import confusion_matrix
from .curves import learning_curves
from .diagram import network_diagram
from .flow import gradient_flow
from .histograms import activation_histograms, weight_histograms
from .images import activation_image, weight_image
from .sweep import score_by, sweep_panels
from .table import heat_map

PICTURES = (activation_histograms, activation_image, confusion_matrix, decision_boundary, gradient_flow, heat_map,
            learning_curves, network_diagram, score_by, weight_histograms, weight_image)
__all__ = ["COLORS", "MARKERS", "PICTURES", "TINT", "axes", "class_colors", "class_probabilities", "plain", "save_picture",
           "sweep_panels",
           *(picture.__name__ for picture in PICTURES)]
