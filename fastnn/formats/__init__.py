"""Bytes and nothing else: atomic files, safetensors, JSON that is not trusted, signatures of files, HTML."""
