"""What several test files share."""

import signal

from many_parts import many_parts

__all__ = ["many_parts"]

# A shell that runs the tests in the background has them ignore Ctrl-C, and with them every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
