"""Decoding: from the outputs of networks to sequences of labels, with compiled searches.

Connectionist temporal classification, the outputs of a network with `loss="ctc"`: `ctc_greedy` reads the likeliest path,
`ctc_beam` searches for the likeliest labels, and `label_error_rate` compares labels.
"""

from .ctc_decoding import ctc_beam, ctc_greedy, label_error_rate

__all__ = ["ctc_beam", "ctc_greedy", "label_error_rate"]
