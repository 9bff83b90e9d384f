"""The package `onnx`, imported when it is first needed: fastnn works without it."""


def library():
    """The package `onnx`, or an error that says how to get it."""
    try:
        import onnx
        import onnx.numpy_helper
        import onnx.reference
    except ImportError as error:
        raise ImportError('ONNX files need the package onnx; install it with: pip install "fastnn-numba[onnx]"') from error
    return onnx
