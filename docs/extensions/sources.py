"""Computes the side bar of pages of source code once for each depth of their folders.

None of these two hundred pages is in the side bar, so it differs only in the way up to the folder of all pages. Computed for
each, it took a third of the time in which Sphinx writes the pages.
"""

FOLDER = "_modules/"  # where sphinx.ext.viewcode puts them


def share_side_bar(app, pagename, templatename, context, doctree):
    if not pagename.startswith(FOLDER):
        return
    compute, depth = context["toctree"], pagename.count("/")

    def side_bar(**options):
        key = depth, *sorted(options.items())
        if key not in app.side_bars:
            app.side_bars[key] = compute(**options)
        return app.side_bars[key]

    context["toctree"] = side_bar


def setup(app):
    app.side_bars = {}
    app.connect("html-page-context", share_side_bar, priority=400)  # before the theme, which comes at 500
    return {"parallel_read_safe": True}
