"""Recognition of files by their first bytes, for errors about files of the wrong kind."""

LOOKED_AT = 4096  # bytes of the beginning
SHORT = 8  # files of at most so many bytes are not recognized: they may be truncated networks
SAFETENSORS, ONNX = "a safetensors file", "an ONNX file"
ARCHIVE, HDF5 = "a zip archive, as .npz, .keras, .xlsx and PyTorch's .pt are", "an HDF5 file, as .h5 of Keras is"
SIGNATURES = {
    b"\x93NUMPY": "an array of NumPy (.npy)",
    b"PK\x03\x04": ARCHIVE,
    b"\x89HDF\r\n\x1a\n": HDF5,
    b"\x1f\x8b": "compressed (gzip)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"PAR1": "a table (Parquet)",
    b"%PDF": "a PDF",
}


def kind_of(beginning):
    """Return what a file with these first bytes seems to be, in words; None if unknown."""
    if not beginning:
        return "empty"
    for signature, kind in SIGNATURES.items():
        if beginning.startswith(signature):
            return kind
    if beginning[4:9] == bytes(4) + b"{":  # after the length of the header
        return SAFETENSORS
    if beginning[:1] == b"\x08" and beginning[2:3] == b"\x12":  # a version, then the name of the writing program
        return ONNX
    if beginning[:1] == b"\x80" and 2 <= beginning[1] <= 5:
        return "a pickle"
    return kind_of_text(beginning)


def kind_of_text(beginning):
    """Return what a text, in UTF-8 or any single-byte encoding, seems to be; None if it is not text."""
    if len(beginning) < SHORT or any(byte < 9 or 13 < byte < 32 or byte == 127 for byte in beginning):
        return None
    text = beginning.decode("latin-1").removeprefix("\xef\xbb\xbf")  # the byte order mark of UTF-8
    if text.lstrip()[:1] in ("{", "["):
        return "JSON"
    lines = text.splitlines()
    if any(len(lines) > 1 and separator in lines[0] and separator in lines[1] for separator in ",;\t"):
        return "a table (CSV)"
    return "text"
