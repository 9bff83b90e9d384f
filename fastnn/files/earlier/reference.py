"""Tables of the registries: `python -m fastnn.reference`; the module is `fastnn.cli.reference`."""

from fastnn.cli.reference import tables

__all__ = ["tables"]

if __name__ == "__main__":
    print(tables())
