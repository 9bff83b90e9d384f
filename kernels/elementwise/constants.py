"""Copies of plain Python functions with their constants replaced."""

import types


def with_constants(function, cast, name):
    """Return a copy of `function`, called `name`, with `cast` applied to all constants, globals and closed-over values."""
    code = function.__code__
    code = code.replace(co_consts=tuple(map(cast, code.co_consts)))
    names = {key: cast(function.__globals__[key]) for key in code.co_names if key in function.__globals__}
    cells = function.__closure__ and tuple(types.CellType(cast(cell.cell_contents)) for cell in function.__closure__)
    copy = types.FunctionType(code, names, name, function.__defaults__, cells)
    copy.__qualname__ = name  # unique, because cached machine code is linked by this name
    copy.__module__ = function.__module__
    return copy
