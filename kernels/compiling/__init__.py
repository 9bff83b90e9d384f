"""How functions are compiled, cached, traced and found by address."""
