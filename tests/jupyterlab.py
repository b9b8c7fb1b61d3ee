"""A real JupyterLab with a real browser in front of it, for tests that do what a learner does."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from utils.model_store import cache_folder

ROOT = Path(__file__).parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
QUIET = [  # nothing but the page itself may ask the network for anything
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Every cell is in the page, also those that are not on the screen.
    "notebook-extension/tracker": {"windowingMode": "none"},
}
NOTEBOOK_READY = """async () => {
    const notebook = jupyterapp.shell.currentWidget;
    await notebook.revealed;
    await notebook.context.ready;
    const session = notebook.context.sessionContext;
    await session.ready;
    await session.session.kernel.info;
}"""


@contextmanager
def jupyterlab(root: Path, home: Path):
    """JupyterLab serving `root` to a learner with a home folder of their own.

    What they write is kept in `root` and `home`.  Yields its address and token.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    for name, setting in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(setting), encoding="utf-8")
    environment = {
        **os.environ,
        "COURSE_CACHE": str(cache_folder()),
        "HOME": str(home),
        "COURSE_CHAPTERS": str(root / "chapters"),
        "COURSE_LEARNER": "on",
        "COURSE_PROGRESS": str(home / "progress.sqlite"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
    }
    log = (home / "jupyterlab.log").open("w", encoding="utf-8")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root}",
            f"--LabApp.user_settings_dir={home / 'settings'}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(server, f"{address}/api/status?token={token}", home / "jupyterlab.log")
        yield address, token
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_for(server: subprocess.Popen, url: str, log: Path) -> None:
    for _second in range(120):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


@contextmanager
def browser_page(width: int = 1280, height: int = 800):
    """A page of headless Chromium, of a small laptop's size."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def open_notebook(page: Page, lab: tuple[str, str], path: str) -> None:
    """Open the notebook at `path`, relative to JupyterLab's root, and wait for its kernel."""
    address, token = lab
    page.goto(f"{address}/lab/tree/{path}?reset&token={token}")
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    page.evaluate(NOTEBOOK_READY)


def close_kernels(page: Page) -> None:
    """End the kernels of all notebooks that were open: each holds about a gigabyte."""
    page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")


def cell(page: Page, cell_id: str) -> Locator:
    """The cell with this id, its input and output."""
    index = page.evaluate(
        """id => jupyterapp.shell.currentWidget.content.widgets.findIndex(
            cell => cell.model.id === id)""",
        cell_id,
    )
    if index < 0:
        raise LookupError(f"no cell {cell_id!r} in this notebook")
    return page.locator(".jp-Notebook-cell").nth(index)


def run_cells(page: Page, *cell_ids: str) -> None:
    """Run these cells, one after the other, as Shift+Enter does, and wait for them."""
    for cell_id in cell_ids:
        cell(page, cell_id).locator(".jp-InputPrompt").click()
        page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")


def ask_kernel(page: Page, expression: str) -> str:
    """What an expression is worth in the notebook's kernel, in Python's own words."""
    return page.evaluate(
        """async expression => {
            const { session } = jupyterapp.shell.currentWidget.context.sessionContext;
            const request = { code: 'None', user_expressions: { asked: expression } };
            const reply = await session.kernel.requestExecute(request).done;
            const { asked } = reply.content.user_expressions;
            return asked.data?.['text/plain'] ?? asked.evalue;
        }""",
        expression,
    )


def errors(page: Page) -> list[str]:
    """What cells have raised or written to stderr."""
    return page.locator(
        '.jp-OutputArea [data-mime-type*="error"], .jp-OutputArea [data-mime-type*="stderr"]'
    ).all_inner_texts()


def run_all(page: Page) -> None:
    """Run all cells, and wait until the last one is done or one has failed."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => {
            const cells = jupyterapp.shell.currentWidget.content.model.cells;
            const code = [...Array(cells.length).keys()].map(i => cells.get(i))
                .filter(cell => cell.type === 'code');
            return code.every(cell => cell.executionCount)
                || document.querySelector('.jp-OutputArea [data-mime-type*="error"]');
        }""",
        timeout=240_000,
    )
    page.evaluate(NOTEBOOK_READY)
