"""How the documentation is built: ``make docs``, with no network.

Pages of the API and of systems still to come are written at build time from the code itself
(``docs/_ext``); everything else is written by hand. Nothing is fetched while building or reading.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))
sys.path.insert(0, str(HERE.parent / "src"))

import suppose

project = "suppose"
author = "The suppose developers"
copyright = "the suppose developers. Apache-2.0"
version = release = suppose.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "api_pages",
    "system_pages",
    "native_math",
]

# Pages of systems still to come are written into files of their own suffix, so that a page written
# by hand (panel-dml.rst) simply takes the place of the generated one (panel-dml.planned).
source_suffix = {".rst": "restructuredtext", ".planned": "restructuredtext"}
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples", "gallery/*.ipynb", "gallery/*.md5", "sg_execution_times.rst"]
suppress_warnings = ["toc.empty_glob", "config.cache"]

# API
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {
    "exclude-members": "set_fit_request, set_predict_request, set_score_request, model_config"
}
python_maximum_signature_line_length = 84
add_module_names = False
numpydoc_show_class_members = False
numpydoc_use_plots = False
numpydoc_xref_param_type = False

# Gallery: examples are run when the site is built.
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "only_warn_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "remove_config_comments": True,
    "plot_gallery": True,
    "matplotlib_animations": False,
    "copyfile_regex": r"nothing",
    "reset_modules": ("matplotlib", "look.reset"),
    "image_scrapers": ("matplotlib",),
    "image_srcset": ["2x"],
}

# Page
smartquotes = False
html_theme = "pydata_sphinx_theme"
html_title = "suppose"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_favicon = "_static/mark.svg"
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    "index": [],
    "quickstart": [],
    "benchmarks": [],
}
html_theme_options = {
    "logo": {"text": "suppose", "image_light": "_static/mark.svg", "image_dark": "_static/mark.svg"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "show_nav_level": 1,
    "navigation_depth": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": False,
    "search_as_you_type": False,
}
html_context = {"default_mode": "auto"}
