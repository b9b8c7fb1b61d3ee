"""What axe-core finds wrong in a page by WCAG 2.0, 2.1 and 2.2, A and AA."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG_AA = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
    "resultTypes": ["violations"],
}


def violations(page: Page, context: str = "body") -> list[str]:
    """Of what `context`, a CSS selector, picks: "rule: what it asks for: the element"."""
    found = Axe().run(page, context=context, options=WCAG_AA).response
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:300]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def violations_in_outputs(page: Page, context: str = ".jp-OutputArea-output") -> list[str]:
    """In what the cells of an open notebook have put out, and not in JupyterLab around it.

    axe judges the contrast of no text that is not on the screen, and of none at all where the body
    is clipped, as JupyterLab's is: so the window is made as high as the notebook meanwhile.
    """
    size = page.viewport_size
    height = page.evaluate(
        """() => {
            const notebook = document.querySelector(".jp-WindowedPanel-outer");
            document.body.style.overflow = "visible";
            notebook.scrollTop = 0;
            return notebook.scrollHeight;
        }"""
    )
    page.set_viewport_size({"width": size["width"], "height": height + 300})
    page.wait_for_timeout(200)  # JupyterLab follows after some milliseconds
    try:
        return violations(page, context)
    finally:
        page.set_viewport_size(size)
        page.evaluate("() => { document.body.style.overflow = ''; }")
