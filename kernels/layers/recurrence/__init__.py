"""Recurrent layers: SimpleRNN, GRU and LSTM over sequences of any length."""
