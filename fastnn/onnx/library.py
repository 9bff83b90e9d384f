"""The package `onnx`, imported on first use: fastnn works without it."""


def library():
    """Return the package `onnx`, or raise an error that says how to install it."""
    try:
        import onnx
        import onnx.numpy_helper
        import onnx.reference
    except ImportError as error:
        raise ImportError('ONNX files need the package onnx; install it with: pip install "fastnn-numba[onnx]"') from error
    return onnx
