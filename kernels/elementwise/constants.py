"""Copies of plain Python functions with their constants replaced."""

import types

from ..compiling.user_functions import names_in


def with_constants(function, cast, name):
    """Return a copy of `function`, called `name`, with `cast` applied to all constants, globals and closed-over values."""
    code = code_with_constants(function.__code__, cast)
    names = {key: cast(function.__globals__[key]) for key in names_in(code) if key in function.__globals__}
    cells = function.__closure__ and tuple(types.CellType(cast(cell.cell_contents)) for cell in function.__closure__)
    copy = types.FunctionType(code, names, name, function.__defaults__, cells)
    copy.__qualname__ = name  # unique, because cached machine code is linked by this name
    copy.__module__ = function.__module__
    return copy


def code_with_constants(code, cast):
    """Return a code object with `cast` applied to its constants, and to those of the functions within it."""
    return code.replace(co_consts=tuple(code_with_constants(each, cast) if isinstance(each, types.CodeType) else cast(each)
                                        for each in code.co_consts))
