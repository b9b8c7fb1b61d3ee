"""The hub of a class, as JupyterHub reads it; class.toml in the class's folder fills it in.

`python -m course hub` starts JupyterHub with this file, in an environment that has nothing of the
course.  Learners' servers run in the course's own environment: see server.py.
"""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ["COURSE_HUB_FOLDER"])
PRIVATE = FOLDER / "private"
PYTHON = os.environ["COURSE_HUB_PYTHON"]  # the course's
PACKAGES = sysconfig.get_path("purelib")  # the hub's
AS_ROOT = os.geteuid() == 0
HAS_SYSTEMD = AS_ROOT and Path("/run/systemd/system").is_dir()
LANGUAGES = {"ko": "한국어", "en": "English"}
IDLE = 2 * 3600  # seconds after which a learner's server is stopped; their files stay
FIRST_PERSON = 1000  # accounts of lower numbers are the system's own

SETTINGS = tomllib.loads((FOLDER / "class.toml").read_text(encoding="utf-8"))


def hub(c: Any) -> None:
    """Where the hub listens, and where it keeps what it knows."""
    c.JupyterHub.bind_url = f"http://{SETTINGS['address']}:{SETTINGS['port']}"
    c.JupyterHub.db_url = f"sqlite:///{PRIVATE}/jupyterhub.sqlite"
    c.JupyterHub.cookie_secret_file = str(PRIVATE / "cookie_secret")
    c.ConfigurableHTTPProxy.pid_file = str(PRIVATE / "proxy.pid")
    c.ConfigurableHTTPProxy.command = [proxy()]
    c.JupyterHub.hub_port = SETTINGS.get("hub_port", 8081)
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{SETTINGS.get('proxy_port', 8001)}"


def proxy() -> str:
    """npm's proxy where it could be installed; else the same one in Python."""
    from_npm = Path(sys.prefix, "proxy/node_modules/.bin/configurable-http-proxy")
    found = from_npm.exists() and shutil.which("node")
    return str(from_npm if found else Path(sys.prefix, "bin/configurable-http-proxy"))


def logins(c: Any) -> None:
    """Who may log in, and how."""
    instructors, learners = set(SETTINGS["instructors"]), set(SETTINGS["learners"])
    if not instructors:
        raise SystemExit(f"{FOLDER / 'class.toml'}: no instructors. 강사가 없습니다.")
    for name in instructors | learners:
        check_name(name)
    c.JupyterHub.authenticator_class = SETTINGS["authenticator"]
    c.Authenticator.admin_users = instructors
    c.Authenticator.allowed_users = instructors | learners
    c.Authenticator.allow_all = False  # nor where the list is empty
    c.FirstUseAuthenticator.create_users = False
    c.FirstUseAuthenticator.dbm_path = str(PRIVATE / "passwords.dbm")
    for name, table in SETTINGS.items():
        if isinstance(table, dict):
            c[name].update(table)


def check_name(name: str) -> None:
    """No learner may be an account of the system itself, such as root."""
    try:
        is_systems = AS_ROOT and pwd.getpwnam(name).pw_uid < FIRST_PERSON
    except KeyError:
        is_systems = False
    if is_systems or name != name.lower():
        says = "choose another name, in small letters. 소문자로 된 다른 이름을 고르세요."
        raise SystemExit(f"{FOLDER / 'class.toml'}: {name!r}: {says}")


def servers(c: Any) -> None:
    """A learner's own JupyterLab: whose process it is, what it may take, what it is told."""
    if HAS_SYSTEMD:  # holds each to their memory and cores, all processes together
        c.JupyterHub.spawner_class = "systemd"
        c.SystemdSpawner.isolate_tmp = True
        c.SystemdSpawner.disable_user_sudo = True
    elif AS_ROOT:
        c.JupyterHub.spawner_class = "localprocess"
    else:
        c.JupyterHub.spawner_class = "simple"
        c.SimpleLocalProcessSpawner.home_dir_template = f"{FOLDER}/homes/{{username}}"
    if AS_ROOT:
        for name in SETTINGS["instructors"] + SETTINGS["learners"]:
            make_account(name)  # before they all come at once
        c.Spawner.pre_spawn_hook = lambda spawner: make_account(spawner.user.name)
    c.Spawner.cmd = [PYTHON, "-m", "course.workshop.hub.server"]
    c.Spawner.mem_limit = c.Spawner.mem_guarantee = SETTINGS["memory"]
    c.Spawner.cpu_limit = float(SETTINGS["cores"])
    # Each at once, and on a busy machine: it is better to wait than to be told to try again.
    c.Spawner.start_timeout = c.Spawner.http_timeout = 180
    c.JupyterHub.concurrent_spawn_limit = 0
    threads = str(max(1, int(SETTINGS["cores"])))
    c.Spawner.environment = {
        "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}",  # in terminals, too
        "PYTHONPATH": str(ROOT),
        "PYTHONNOUSERSITE": "1",
        "COURSE_HUB_SHARED": str(FOLDER),
        "COURSE_HUB_PACKAGES": PACKAGES,
        "COURSE_CACHE": os.environ["COURSE_CACHE"],
        "COURSE_LANG": language,
        # Else PyTorch takes a thread for each core of the machine, and those that wait spin.
        "OMP_NUM_THREADS": threads,
        "NUMBA_NUM_THREADS": threads,
    }
    if len(SETTINGS["languages"]) > 1:
        c.Spawner.options_form = language_form()


def make_account(name: str) -> None:
    """A learner's account, with a home that only they can read."""
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        homes = ["--base-dir", SETTINGS["homes"]] if "homes" in SETTINGS else []
        add = ["useradd", "--create-home", *homes, "--shell", "/bin/bash", name]
        subprocess.run(add, check=True)
        account = pwd.getpwnam(name)
    Path(account.pw_dir).chmod(0o700)


def language(spawner: Any) -> str:
    """The language that a learner chose, or the first of the class."""
    chosen = spawner.user_options.get("language", "")
    chosen = chosen if isinstance(chosen, str) else "".join(chosen)  # a form sends a list
    return chosen if chosen in SETTINGS["languages"] else SETTINGS["languages"][0]


def language_form() -> str:
    """What a learner is asked before their server starts."""
    first = SETTINGS["languages"][0]
    return "".join(
        f'<p><label lang="{lang}"><input type="radio" name="language" value="{lang}"'
        f"{' checked' if lang == first else ''}> {LANGUAGES[lang]}</label></p>"
        for lang in SETTINGS["languages"]
    )


def roles_and_services(c: Any) -> None:
    """Stopping what is idle, and the class view, with what each person may do there."""
    c.JupyterHub.load_groups = {"instructors": {"users": list(SETTINGS["instructors"])}}
    c.JupyterHub.services = [
        {
            "name": "idle-culler",
            "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
        }
    ]
    culls = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    c.JupyterHub.load_roles = [
        {"name": "idle-culler", "scopes": culls, "services": ["idle-culler"]}
    ]
    if (ROOT / "course/workshop/live").is_dir():
        class_view(c)


def class_view(c: Any) -> None:
    """The live view: learners' kernels send with their own token, and only instructors look."""
    (PRIVATE / "live").mkdir(exist_ok=True)
    c.JupyterHub.services.append(
        {
            "name": "live",
            "url": f"http://127.0.0.1:{SETTINGS.get('live_port', 10101)}",
            "command": [PYTHON, "-m", "course", "live", SETTINGS["languages"][0]],
            # The course's environment, with the hub's packages, which are pinned to the same.
            "environment": {
                "PYTHONPATH": os.pathsep.join([str(ROOT), PACKAGES]),
                "COURSE_LIVE_FOLDER": str(PRIVATE / "live"),
            },
            "oauth_client_allowed_scopes": ["custom:live:read"],
            "oauth_no_confirm": True,
        }
    )
    c.JupyterHub.custom_scopes = {
        "custom:live:send": {"description": "Send to the class view what was passed or not"},
        "custom:live:read": {"description": "Look at the class view"},
    }
    at = "access:services!service=live"
    c.JupyterHub.load_roles += [
        {"name": "user", "scopes": ["self", at, "custom:live:send"]},
        {
            "name": "instructor",
            "groups": ["instructors"],
            "scopes": ["custom:live:read", at],
        },
    ]
    own = ["users:activity!user", "access:servers!server"]
    c.Spawner.server_token_scopes = [*own, at, "custom:live:send"]
    host = SETTINGS["address"] if SETTINGS["address"] != "0.0.0.0" else "127.0.0.1"
    there = f"http://{host}:{SETTINGS['port']}/services/live"
    c.Spawner.environment["COURSE_LIVE"] = there


# JupyterHub gives it to this file.
c = get_config()  # type: ignore[name-defined]  # noqa: F821
for part in (hub, logins, servers, roles_and_services):
    part(c)
