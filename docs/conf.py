"""How Sphinx builds these pages: `python -m sphinx -W -j auto docs docs/_build`, with fastnn installed."""

import sys
from pathlib import Path

import fastnn

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "fastnn"
author = copyright = "the fastnn developers"
version = release = fastnn.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton",
              "cards", "gallery", "links", "outputs", "plain_words", "reference", "sources"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"fastnn {version}"
html_static_path = ["static"]
html_css_files = ["wide.css"]
copybutton_prompt_text, copybutton_prompt_is_regexp = r">>> |\.\.\. ", True
copybutton_selector = "div:not(.output) > div.highlight pre"
highlight_language = "none"  # blocks of Python say so
pygments_dark_style = "monokai"  # names of modules are not underlined, as links are
smartquotes_action = "D"  # dashes alone: quotes and dots are those of code, in errors and tables
default_role = "code"  # what docstrings put between single backticks is code

myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say them, with shapes
