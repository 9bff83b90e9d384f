"""Networks inside other compiled code."""
