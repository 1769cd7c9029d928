"""The site of the documents: `make docs` writes it to build/docs."""

import sys
from pathlib import Path

from mclas_lightning import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "mclas-lightning"
author = project_copyright = "mclas-lightning contributors"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "site_pages"]
exclude_patterns = ["_ext"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
smartquotes = False  # -- of options stays as it is.

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
add_module_names = False

html_theme = "furo"
html_title = "mclas-lightning"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
pygments_style = "default"
pygments_dark_style = "github-dark"
