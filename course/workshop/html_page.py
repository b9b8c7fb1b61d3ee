"""What slides, handouts and the site share: how a solved notebook becomes HTML.

Formulas are drawn and fonts come along, so that it looks the same on any machine, and no page ever
asks the network for anything.  A `page` is one file that needs nothing else.
"""

import argparse
import base64
import io
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from matplotlib.mathtext import math_to_image
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from course import ROOT
from course.notebooks.contents import contents, find_lesson
from utils.language import LANGUAGES, _, use_language

WORKSHOP = Path(__file__).parent
MPL_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONTS = {  # Latin and signs from matplotlib's fonts, Hangul from the course's own
    "Course Hangul": ROOT / "utils" / "fonts" / "NotoSansKR-Regular.otf",
    "Course Signs": MPL_FONTS / "DejaVuSans.ttf",
    "Course Mono": MPL_FONTS / "DejaVuSansMono.ttf",
    "Course Emoji": WORKSHOP / "fonts" / "NotoEmoji-two.ttf",  # the lessons' 🙂 and 🐿, no more
}
# Code between backticks is left alone; the rest may hold $$…$$ or $…$.
CODE_OR_FORMULA = re.compile(r"(?s)(`[^`]*`)|\$\$(.+?)\$\$|\$([^$\n]+?)\$")


def lessons_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """What reads `python -m course NAME [LESSON …] [ko | en]`; a command may add its options."""
    parser = argparse.ArgumentParser(prog=f"python -m course {name}", description=about)
    parser.add_argument("which", nargs="*", metavar="LESSON or LANGUAGE", help="such as 03 or ko")
    return parser


def write_lessons(which: list[str], write: Callable[[str, str], list[Path]]) -> int:
    """Write what is asked for, for each lesson and language.  Returns the exit status.

    `write(lesson, lang)` writes files and returns their paths, or raises ValueError with a
    sentence.
    """
    names = [word for word in which if word not in LANGUAGES]
    try:
        chosen = lessons(names)
        for word in names:
            if not lessons([word]):
                says = _("There are neither slides nor a handout of lesson {name}.")
                print(says.format(name=repr(word)), file=sys.stderr)
        for lang in [word for word in which if word in LANGUAGES] or LANGUAGES:
            use_language(lang)
            for lesson in chosen:
                for path in write(lesson, lang):
                    print(f"wrote {path.relative_to(ROOT)}", flush=True)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0 if chosen else 1


def lessons(names: list[str]) -> list[str]:
    """The lessons with these names, such as "03_decoding", or all that have minutes."""
    found = map(find_lesson, names) if names else contents()
    return [lesson.source.stem for lesson in found if lesson.minutes]


def place(kind: str, lang: str, lesson: str, ending: str) -> Path:
    """Where a page is written; its folder is made."""
    path = ROOT / "build" / kind / lang / f"{lesson}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def read(kind: str, lang: str, lesson: str) -> list[nbformat.NotebookNode]:
    """The cells of a built notebook; `kind` is "chapters" or "solutions"."""
    return nbformat.read(ROOT / kind / lang / f"{lesson}.ipynb", as_version=4).cells


def has_tag(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", ())


def page(template: str, cells: list, **resources: Any) -> str:
    """One HTML file with its style and fonts in it: `cells` as `rendered` in a template."""
    code = HtmlFormatter(style="default").get_style_defs(".highlight")
    css = [code, style("cells"), style(template)]
    html = rendered(template, cells, css="\n".join(css), fonts="@FONTS@", **resources)
    return html.replace("@FONTS@", font_faces(frozenset(html)))


def style(name: str) -> str:
    """One of the style sheets of course/workshop/templates."""
    return (WORKSHOP / "templates" / f"{name}.css").read_text(encoding="utf-8")


def rendered(template: str, cells: list, **resources: Any) -> str:
    """`cells` in one of the templates of course/workshop/templates."""
    exporter = HTMLExporter(
        template_name="course",
        template_file=f"{template}.html.j2",
        extra_template_basedirs=[str(WORKSHOP / "templates")],
    )
    exporter.register_filter("markdown2html", markdown_to_html)
    notebook = nbformat.v4.new_notebook(cells=cells)
    html, _resources = exporter.from_notebook_node(notebook, resources=resources)
    return html


def markdown_to_html(source: str) -> str:
    """Markdown as HTML, formulas as pictures of their own."""
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(CODE_OR_FORMULA.sub(_drawn, source))


def _drawn(found: re.Match) -> str:
    code, block, inline = found.groups()
    return code or formula(block or inline, "block" if block else "inline")


@cache
def formula(latex: str, kind: str) -> str:
    """A formula as matplotlib draws it in figures, in an <img> that says it in LaTeX."""
    picture = io.BytesIO()
    if kind == "block":
        latex = latex.replace(r"\frac", r"\dfrac")
    as_paths = {"svg.fonttype": "path", "font.size": 10, "savefig.transparent": True}
    with matplotlib.rc_context(as_paths):
        depth = math_to_image(f"${latex.strip()}$", picture, format="svg")
    svg = picture.getvalue().decode()
    width, height = (float(n) / 10 for n in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
    data = base64.b64encode(svg.encode()).decode()
    size = f"width:{width:.2f}em;height:{height:.2f}em;vertical-align:{-depth / 10:.2f}em"
    alt = latex.strip().replace('"', "&quot;")
    return (
        f'<img class="formula {kind}" style="{size}" alt="{alt}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


@cache
def font_faces(characters: frozenset[str]) -> str:
    """The course's fonts as CSS, each with no more than the `characters` that a page has."""
    faces = []
    for family, path in FONTS.items():
        font = TTFont(path)
        options = Options(layout_features=["kern", "mark"], notdef_outline=True)
        options.drop_tables += ["FFTM"]  # a font editor's time stamps
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(characters))
        subsetter.subset(font)
        font.flavor = "woff"
        subset = io.BytesIO()
        font.save(subset)
        data = base64.b64encode(subset.getvalue()).decode()
        faces.append(
            f'@font-face {{ font-family: "{family}"; src: url(data:font/woff;base64,{data}); }}'
        )
    return "\n".join(faces)
