"""The course's own commands: `python -m course build`, `lab`, …"""

import importlib
import sys

COMMANDS = {"build": "course.build", "lab": "course.lab", "messages": "course.messages"}


def main() -> int:
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS:
        print(f"python -m course {{{' | '.join(COMMANDS)}}}", file=sys.stderr)
        return 2
    return importlib.import_module(COMMANDS[name]).main(arguments)


if __name__ == "__main__":
    sys.exit(main())
