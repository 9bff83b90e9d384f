"""File formats: atomic writes, safetensors, untrusted JSON, file signatures, HTML."""
