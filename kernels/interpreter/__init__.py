"""The table of a network, the interpreter that walks it, the threads that share it, the batch and the loss around it."""
