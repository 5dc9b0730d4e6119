"""Sphinx makes the pages of docs/ into plain files: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the package and docs.generator, without an installation

from docs.generator.notebook_page import register_notebooks  # noqa: E402
from docs.generator.options import register_options  # noqa: E402

project = "florence2-finetune"
project_copyright = "the florence2-finetune contributors, Apache License 2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "examples", "generator"]
nitpicky = True
# No inventory of another project can be read without a network, so their names are not linked.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!florence2\b).*"),
    (r"py:.*", r"florence2\.(codec|config|data|evaluation|inference|model|training)\..*"),
]

myst_heading_anchors = 4
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = "florence2-finetune"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["reading.css"]
copybutton_exclude = ".linenos, .gp, .go"  # the prompt and what was printed are not copied


def setup(app: object) -> None:
    """Teach Sphinx to read notebooks, and to know an option from a word."""
    register_notebooks(app)
    register_options(app)
