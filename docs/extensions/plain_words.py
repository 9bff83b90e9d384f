"""Words in the types of parameters, such as those of the shape (batch, outputs), are words and no links.

Sphinx takes each for the name of a class, links it to any attribute of that name, and warns if there are two.
"""

from sphinx.addnodes import pending_xref


def unlink(app, doctree):
    for reference in list(doctree.findall(pending_xref)):
        word = reference.get("reftarget", "")
        if reference.get("refspecific") and reference.get("reftype") == "class" and word.islower() and "." not in word:
            reference.replace_self(reference.children)


def setup(app):
    app.connect("doctree-read", unlink)
    return {"parallel_read_safe": True}
