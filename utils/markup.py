"""How the HTML that the course writes looks: in a light theme and in a dark one, in any front end.

Text has the page's own colour. What must stand out brings its own background, or lets the page's
shine through, so that nothing here needs to know the theme: 4.5 : 1 and more in all of them.
"""

GOOD = "color:#ffffff;background:#00614a;border-radius:3px;padding:1px 5px"
BAD = "color:#ffffff;background:#a3330b;border-radius:3px;padding:1px 5px"
QUIET = "color:var(--jp-content-font-color2,#595959)"
LINK = "color:var(--jp-content-link-color,#0b5394);text-decoration:underline"
REMARK = (  # view.js says it, too
    "border-left:4px solid #d9822b;border-radius:3px;background:rgba(230,159,0,0.15);"
    "padding:4px 10px;line-height:1.5"
)


def badge(says: str, good: bool) -> str:
    """A short word or a mark that says how something stands; not by its colour alone."""
    return f'<span style="{GOOD if good else BAD}">{says}</span>'
