"""The course's own commands: `python -m course build`, `lab`, …"""

import importlib
import io
import os
import sys

COMMANDS = {
    "build": "course.notebooks.build",
    "lab": "course.machine.lab",
    "messages": "course.upkeep.messages",
    "doctor": "course.doctor",
    "reset": "course.notebooks.reset",
    "progress": "course.progress.export",
    "slides": "course.workshop.slides",
    "handout": "course.workshop.handout",
    "site": "course.workshop.site",
    "class-report": "course.workshop.class_report",
    "pins": "course.upkeep.pins",
}


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
    if name not in COMMANDS:
        print(f"python -m course {{{' | '.join(COMMANDS)}}}", file=sys.stderr)
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Hangul, or without ✓
    try:
        command = importlib.import_module(COMMANDS[name])
    except ModuleNotFoundError as missing:
        print(f"{missing}. `python -m course doctor` says what to do.", file=sys.stderr)
        return 1
    return command.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
