"""The table of a network, the interpreter that walks it, the threads of a call, the batch and the loss."""
