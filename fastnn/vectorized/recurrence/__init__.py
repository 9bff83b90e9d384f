"""Recurrent layers in NumPy."""

from .gru import gru_backward, gru_forward
from .lstm import lstm_backward, lstm_forward
from .simple_rnn import simple_rnn_backward, simple_rnn_forward

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward", "simple_rnn_backward", "simple_rnn_forward"]
