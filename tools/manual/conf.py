"""Settings of Sphinx, which reads this file by its name."""

from mock_server import __version__

project = "hailuo-mock"
release = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 3  # links lead to headings as they do in a repository
html_theme = "pydata_sphinx_theme"
html_title = f"{project} {release}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_nav_level": 1,
    "navigation_depth": 2,
    "collapse_navigation": True,
    "footer_start": [],
    "footer_end": [],
    "article_header_start": ["breadcrumbs"],
}
