"""Matrix products, all of them through one register tile."""
