"""Networks called from other compiled code."""
