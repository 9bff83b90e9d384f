"""Recurrent layers, over series of one length and sequences of any length."""
