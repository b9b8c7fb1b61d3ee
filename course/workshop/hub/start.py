"""Starts a JupyterHub for a class on this machine.

Everything of the class lies in one folder, `my_hub` unless another is named: `class.toml`, which
says who teaches and who learns and is made at the first start, what the learners share, and what is
the hub's own.  As root, learners get accounts of the system, and none can read another's files;
as anybody else the hub is for trying it out.
"""

import argparse
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

from course import ROOT
from course.machine.installing import SetUpError, install, surroundings
from course.workshop.hub.prepare import prepare
from utils.language import LANGUAGES, _, current_language, use_language
from utils.model_store import ModelError

HERE = Path(__file__).parent
ENVIRONMENT = ROOT / ".hub"  # the hub's packages; learners' servers run in the course's own
PROXY = "configurable-http-proxy@5.3.0"  # npm's, which takes more load; PyPI's where it cannot be
OLDEST_NODE = 20


def set_up() -> None:
    """Make the hub's environment where it is not there as pinned.  Raises SetUpError, OSError."""
    pins = (HERE / "requirements.txt").read_text(encoding="utf-8")
    made_for = hashlib.sha256(f"{pins}{PROXY}{sys.version}".encode()).hexdigest()
    stamp = ENVIRONMENT / "made-for"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_for:
        return
    print(_("Setting the hub up: 200 MB, about a minute, only this once."), flush=True)
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], env=surroundings(), check=True)
    wanted = ["-c", str(ROOT / "requirements.txt"), "-r", str(HERE / "requirements.txt")]
    total = len(pins.splitlines())
    install(ENVIRONMENT / "bin" / "python", wanted, total, ENVIRONMENT / "set-up.log")
    if node_version() >= OLDEST_NODE and shutil.which("npm"):
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix"]
        subprocess.run([*npm, ENVIRONMENT / "proxy", PROXY], check=False)
    stamp.write_text(made_for, encoding="utf-8")


def node_version() -> int:
    """The version of Node on this machine, 0 where there is none."""
    try:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return 0
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def make_folder(folder: Path) -> bool:
    """Make what is missing of a class's folder; returns whether there was a class.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # learners pass through to what they share, and see nothing else
    (folder / "private").mkdir(exist_ok=True)
    (folder / "private").chmod(0o700)
    settings = folder / "class.toml"
    if settings.exists():
        return True
    shutil.copyfile(HERE / "class.toml", settings)
    settings.chmod(0o600)
    return False


def hidden(places: list[Path]) -> Path | None:
    """A folder on the way to one of these that only its owner may enter; None where there is none.

    Learners run the course, its Python and the model where these lie, each as themselves.
    """
    for place in places:
        for folder in (place, *place.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                return folder
    return None


def surroundings_of(folder: Path) -> dict[str, str]:
    """The environment variables of the hub itself."""
    return surroundings() | {
        "COURSE_HUB_FOLDER": str(folder),
        "COURSE_HUB_PYTHON": sys.executable,
        "COURSE_CACHE": os.environ["COURSE_CACHE"],
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course hub", description=__doc__)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default=current_language())
    parser.add_argument("--folder", type=Path, default=ROOT / "my_hub")
    options = parser.parse_args(arguments)
    use_language(options.language)
    if os.name == "nt":
        print(_("JupyterHub runs on Linux and macOS, not on Windows."), file=sys.stderr)
        return 1
    folder = options.folder.resolve()
    try:
        if not make_folder(folder):
            says = _("Write who teaches and who learns into {file}, then start again.")
            print(says.format(file=folder / "class.toml"))
            return 0
        tomllib.loads((folder / "class.toml").read_text(encoding="utf-8"))
        set_up()
        os.environ.setdefault("COURSE_CACHE", str(folder / "model"))
        os.umask(0o022)  # learners read what is prepared
        prepare(folder)
        shared = [ROOT, Path(sys.base_prefix), folder, Path(os.environ["COURSE_CACHE"]).resolve()]
        if os.geteuid() == 0 and (closed := hidden(shared)):
            says = _(
                "learners may not enter {folder}, and something that they need lies in it. Put the "
                "course, and a Python for it, where everybody can read, such as /srv."
            )
            raise SetUpError(says.format(folder=closed))
    except (ModelError, SetUpError, OSError, ValueError, subprocess.SubprocessError) as problem:
        print(_("The hub cannot start: {why}").format(why=problem), file=sys.stderr)
        return 1
    hub = ENVIRONMENT / "bin" / "jupyterhub"
    os.chdir(folder / "private")
    config = HERE / "jupyterhub_config.py"
    os.execve(hub, [str(hub), "--config", str(config)], surroundings_of(folder))
