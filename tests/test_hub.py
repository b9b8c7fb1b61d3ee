"""The hub of a class: what its settings become, and how a learner comes to their notebooks.

A hub that really runs, with a class on it, is `python -m benchmarks.run hub`.
"""

import os
import stat
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from traitlets.config.loader import PyFileConfigLoader

from course import ROOT
from course.workshop.hub import prepare, server, start

HUB = ROOT / "course" / "workshop" / "hub"
CLASS = {"instructors": '["kim"]', "learners": '["ada", "grace"]'}


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Reads the hub's configuration with some lines of class.toml changed.

    Not as root, who would make accounts for the class on this machine.
    """
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    def read(**lines: str):
        start.make_folder(tmp_path)
        settings = (HUB / "class.toml").read_text(encoding="utf-8").splitlines()
        for key, value in (CLASS | lines).items():
            named = [number for number, line in enumerate(settings) if line.startswith(f"{key} =")]
            settings[named[0]] = f"{key} = {value}"
        (tmp_path / "class.toml").write_text("\n".join(settings), encoding="utf-8")
        monkeypatch.setenv("COURSE_HUB_FOLDER", str(tmp_path))
        monkeypatch.setenv("COURSE_HUB_PYTHON", "python-of-the-course")
        monkeypatch.setenv("COURSE_CACHE", "/srv/model")
        return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()

    return read


def test_the_first_start_makes_a_class_and_keeps_it_private(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(start, "set_up", lambda: pytest.fail("nobody is in the class yet"))
    folder = tmp_path / "hub"
    assert start.main(["en", "--folder", str(folder)]) == 0
    assert str(folder / "class.toml") in capsys.readouterr().out
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.iterdir())}
    assert modes == {"hub": 0o711, "private": 0o700, "class.toml": 0o600}
    assert tomllib.loads((folder / "class.toml").read_text(encoding="utf-8"))["learners"] == []


def test_what_learners_cannot_enter_is_named(tmp_path):
    (tmp_path / "closed" / "course").mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            break  # this test's own folder is closed to others: that one is what must be named
    else:
        folder = tmp_path / "closed"
        folder.chmod(0o700)
    assert start.hidden([tmp_path / "closed" / "course"]) == folder
    assert start.hidden([Path("/")]) is None


def test_only_the_class_may_log_in(config):
    c = config()
    assert c.Authenticator.allowed_users == {"kim", "ada", "grace"}
    assert c.Authenticator.admin_users == {"kim"}
    assert c.Authenticator.allow_all is False
    assert c.FirstUseAuthenticator.create_users is False
    empty = config(learners="[]")
    assert empty.Authenticator.allowed_users == {"kim"}
    assert empty.Authenticator.allow_all is False  # of an empty list, too


def test_nobody_learns_as_an_account_of_the_system(config, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("root", "daemon", "Ada"):
        with pytest.raises(SystemExit, match=name):
            config(learners=f'["{name}"]')
    with pytest.raises(SystemExit, match="instructors"):
        config(instructors="[]")


def test_threads_are_what_a_learner_may_have(config):
    for cores, threads in (("0.5", "1"), ("1", "1"), ("2", "2"), ("2.5", "2")):
        c = config(cores=cores)
        assert c.Spawner.environment["OMP_NUM_THREADS"] == threads
        assert c.Spawner.environment["NUMBA_NUM_THREADS"] == threads
    assert (c.Spawner.mem_limit, c.Spawner.cpu_limit) == ("1G", 2.5)


def test_each_learner_has_a_language(config):
    c = config()
    assert 'value="ko" checked' in c.Spawner.options_form
    language = c.Spawner.environment["COURSE_LANG"]
    chose = {"en": {"language": ["en"]}, "ko": {"language": "ko"}}
    for lang, options in chose.items():
        assert language(SimpleNamespace(user_options=options)) == lang
    for nothing in ({}, {"language": []}, {"language": ["../../etc"]}):
        assert language(SimpleNamespace(user_options=nothing)) == "ko"
    assert "options_form" not in config(languages='["en"]').Spawner


def test_learners_send_to_the_class_view_and_only_instructors_look(config):
    c = config()
    roles = {role["name"]: role for role in c.JupyterHub.load_roles}
    assert "custom:live:send" in roles["user"]["scopes"]
    assert "custom:live:read" not in roles["user"]["scopes"]
    assert "custom:live:read" in roles["instructor"]["scopes"]
    assert c.JupyterHub.load_groups == {"instructors": {"users": ["kim"]}}
    assert "custom:live:read" not in c.Spawner.server_token_scopes


def test_a_schools_login_is_handed_on(config):
    c = config(authenticator='"lti13"\n[LTI13Authenticator]\nissuer = "https://lms.example.org"')
    assert c.JupyterHub.authenticator_class == "lti13"
    assert c.LTI13Authenticator.issuer == "https://lms.example.org"


def test_notebooks_are_copied_once_and_brought_up_to_date_after(tmp_path, monkeypatch):
    shared, mine = tmp_path / "shared", tmp_path / "mine"
    (shared / "my_course").mkdir(parents=True)
    (shared / "my_course" / "a.ipynb").write_text("as it came", encoding="utf-8")
    (shared / prepare.VERSION).write_text(prepare.version(), encoding="utf-8")
    updates = []
    monkeypatch.setattr(server.update, "update", lambda: updates.append(1))
    server.bring_notebooks(shared, mine)
    (mine / "my_course" / "a.ipynb").write_text("written into", encoding="utf-8")
    server.bring_notebooks(shared, mine)
    assert updates == []
    (mine / prepare.VERSION).write_text("of an older course", encoding="utf-8")
    server.bring_notebooks(shared, mine)
    assert updates == [1]
    assert (mine / prepare.VERSION).read_text(encoding="utf-8") == prepare.version()
    assert (mine / "my_course" / "a.ipynb").read_text(encoding="utf-8") == "written into"


def test_the_cluster_says_what_the_one_machine_says(config):
    values = yaml.safe_load((HUB / "values.yaml").read_text(encoding="utf-8"))
    single, c = values["singleuser"], config()
    assert single["cmd"] == ["python", *c.Spawner.cmd[1:]]
    assert single["extraEnv"]["OMP_NUM_THREADS"] == c.Spawner.environment["OMP_NUM_THREADS"]
    assert single["memory"] == {"guarantee": "1G", "limit": "1G"}
    roles = {role["name"]: set(role["scopes"]) for role in c.JupyterHub.load_roles}
    cluster = values["hub"]["loadRoles"]
    assert set(cluster["user"]["scopes"]) == roles["user"]
    assert set(cluster["instructor"]["scopes"]) == roles["instructor"]
