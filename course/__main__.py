"""The course's own commands: `python -m course lab`, `test`, …

Any Python of the right version starts them, with nothing installed: the course makes its own
environment first, and goes on in it.  So nothing is imported here that does not come with Python.
"""

import importlib
import io
import os
import sys

COMMANDS = {
    "lab": "course.machine.lab",
    "test": "course.machine.prove",
    "build": "course.notebooks.build",
    "messages": "course.upkeep.messages",
    "doctor": "course.doctor",
    "update": "course.notebooks.update",
    "reset": "course.notebooks.reset",
    "progress": "course.progress.export",
    "slides": "course.workshop.slides",
    "handout": "course.workshop.handout",
    "site": "course.workshop.site",
    "class-report": "course.workshop.class_report",
    "hub": "course.workshop.hub.start",
    "live": "course.workshop.live.service",
    "write": "course.my_llm.terminal",
    "pins": "course.upkeep.pins",
}
WITH_TESTS = {"test", "build", "handout", "pins"}  # need what only contributors need
OLDEST_PYTHON = (3, 11)
TOO_OLD = """\
This is Python {}.{}; the course needs Python 3.11 or newer. Install it from python.org.
지금 파이썬은 {}.{}입니다. 강좌에는 Python 3.11 이상이 필요합니다. python.org에서 설치하세요."""


def set_up_and_go_on(name: str, arguments: list) -> int:
    """Run the command in the course's environment, which is made first where it is not there."""
    setting_up = importlib.import_module("course.machine.setting_up")
    try:
        setting_up.set_up(tests=name in WITH_TESTS)
    except setting_up.SetUpError as problem:
        print(problem, file=sys.stderr)
        return 1
    return setting_up.go_on([name, *arguments])


def main() -> int:
    """Run one command.  Who reads no further, as `… | head -1` does, is no fault of it."""
    try:
        try:
            return run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):  # what is still to be written at the end
            os.dup2(nowhere, number)
        return 141  # as the system's own commands: 128 + SIGPIPE


def run() -> int:
    name, *arguments = sys.argv[1:] or [""]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Hangul, or without ✓
    if name not in COMMANDS:
        print(f"python -m course {{{' | '.join(COMMANDS)}}}", file=sys.stderr)
        return 2
    if sys.version_info < OLDEST_PYTHON:
        print(TOO_OLD.format(*sys.version_info[:2] * 2), file=sys.stderr)
        return 1
    language = importlib.import_module("utils.language")
    if arguments[:1] and arguments[0] in language.LANGUAGES:
        language.use_language(arguments[0])
    setting_up = importlib.import_module("course.machine.setting_up")
    if not setting_up.is_here(tests=name in WITH_TESTS):
        if name != "doctor":
            return set_up_and_go_on(name, arguments)
        if setting_up.can_start():  # doctor looks at what is there, and mends nothing
            return setting_up.go_on([name, *arguments])
    try:
        command = importlib.import_module(COMMANDS[name])
    except ModuleNotFoundError as missing:
        print(f"{missing}. `python -m course doctor` says what to do.", file=sys.stderr)
        return 1
    return command.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
