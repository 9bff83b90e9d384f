"""Rows that join several tensors, and those that take a part of one."""
