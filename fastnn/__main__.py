"""`python -m fastnn`: the same as the command `fastnn`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
