"""Files with a valid checksum around arbitrary headers."""

import hashlib
import re

from fastnn.formats.safetensors import BLANK


def parts(whole):
    """Return (text of the header with a blank checksum, tensors) of a file."""
    length = int.from_bytes(whole[:8], "little")
    text = re.sub(rb'("sha256": ?)"[0-9a-f]{64}"', rb'\1"' + BLANK.encode() + b'"', whole[8:8 + length], count=1)
    return text, whole[8 + length:]


def sealed(text, payload, length=None):
    """Return a file of this header and these tensors, with a valid checksum. length: the claimed length of the header."""
    prefix = (len(text) if length is None else length).to_bytes(8, "little")
    sha = hashlib.sha256(prefix + text + payload).hexdigest().encode()
    return prefix + text.replace(BLANK.encode(), sha, 1) + payload
