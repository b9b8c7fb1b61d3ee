"""Is this machine ready for the course?  `python -m course doctor` looks, and says what to do.

Nothing is imported here that does not come with Python: what the course needs is looked for while
looking, so that a machine on which half of it is missing can be told so.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from course.machine import kernel, resources, software
from course.machine.software import Unready, in_short, install_all
from course.notebooks.words import as_html
from utils.language import LANGUAGES, _, current_language, use_language
from utils.markup import badge


def symptoms() -> dict:
    """What is looked at, by name: each says what is well, or raises Unready."""
    return {
        _("Python"): software.python,
        _("Packages"): software.packages,
        _("Model"): resources.model,
        _("Memory"): resources.memory,
        _("Disk"): resources.disk,
        _("Device"): software.device,
        _("Fonts"): software.fonts,
        _("JupyterLab's widgets"): software.widgets,
        _("Kernel"): kernel.kernel,
        _("Notebooks"): resources.notebooks,
        _("Progress folder"): resources.progress_folder,
        _("Cache folder"): resources.cache_folder,
        _("Network"): resources.network,
    }


@dataclass(frozen=True)
class Finding:
    """What was found about one thing; `remedy` says what to do where it is not well."""

    about: str
    well: bool
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = "✓" if self.well else "✗"
        line = f"{mark} {self.about}: {self.says}"
        return f"{line}\n    → {self.remedy}" if self.remedy else line


@dataclass(frozen=True)
class Report:
    """All findings: lines of text, and where HTML is shown, a list."""

    findings: tuple[Finding, ...]

    @property
    def well(self) -> bool:
        return all(finding.well for finding in self.findings)

    def __str__(self) -> str:
        faults = sum(not finding.well for finding in self.findings)
        if not faults:
            verdict = _("This machine is ready.")
        else:
            verdict = _("Not ready yet: see the lines with ✗ ({faults}).").format(faults=faults)
        return "\n".join([*map(str, self.findings), verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = []
        for line in str(self).splitlines():
            mark, says = "", line.strip()
            if says.startswith(("✓", "✗")):
                mark, says = badge(says[0], says[0] == "✓"), says[1:]
            style = "margin-left:2.2em" if line.startswith("    ") else ""
            rows.append(f'<div style="{style}">{mark}{as_html(says)}</div>')
        return f'<div style="line-height:1.6">{"".join(rows)}</div>'


def examine() -> Report:
    """Look at everything.  Raises nothing, whatever is broken; takes a few seconds."""
    findings = []
    for about, check in symptoms().items():
        try:
            findings.append(Finding(about, True, check()))
        except Unready as problem:
            findings.append(Finding(about, False, str(problem), problem.remedy))
        except Exception as error:  # a machine can be broken in ways that nobody thought of
            says = _("could not be looked at ({error})").format(error=in_short(error))
            findings.append(Finding(about, False, says, install_all()))
    return Report(tuple(findings))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course doctor", description=__doc__)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default=current_language())
    use_language(parser.parse_args(arguments).language)
    report = examine()
    print(report)
    return 0 if report.well else 1
