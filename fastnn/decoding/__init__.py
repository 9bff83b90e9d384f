"""Decoding: from the outputs of networks to sequences of labels, with compiled searches.

Networks that are given the tokens written so far, such as an encoder and a decoder: `greedy_search` and `beam_search` write
sequences, `log_likelihoods` tells how likely given ones are, and `teacher_forcing` makes the targets of training.

Connectionist temporal classification, the outputs of a network with `loss="ctc"`: `ctc_greedy` reads the likeliest path,
`ctc_beam` searches for the likeliest labels, and `label_error_rate` compares labels.
"""

from .ctc_decoding import ctc_beam, ctc_greedy, label_error_rate
from .search import beam_search, greedy_search, log_likelihoods, teacher_forcing
from .texts import check_vocabularies, translate

__all__ = ["beam_search", "check_vocabularies", "ctc_beam", "ctc_greedy", "greedy_search", "label_error_rate",
           "log_likelihoods", "teacher_forcing", "translate"]


def __dir__():
    return __all__
