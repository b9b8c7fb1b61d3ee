"""Measures the rows and writes report.md and report.png: `python -m benchmarks.run [ROW …]`.

Without names all rows are measured but `tests`, which runs the whole of `make test`, and `hub`, a
class of ten, which runs as root on a machine with nothing else to do.  What was measured before
stays in the report until it is measured again.
"""

import argparse
import json
from datetime import date
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks import hub_rows, lab_rows, live_rows, model_rows, packed_rows
from benchmarks.claims import machine
from utils.figures.style import Colour, in_course_style, new_figure, png

ROWS = {
    "load": model_rows.load,
    "decoder": model_rows.decoder,
    "packed": packed_rows.packed,
    "packed_memory": packed_rows.packed_memory,
    "cache": model_rows.cache,
    "memory": lab_rows.memory,
    "slider": lab_rows.slider,
    "live": live_rows.live,
    "hub": hub_rows.hub,
    "tests": lab_rows.tests,
}
BY_NAME = {"tests", "hub"}  # minutes of everything, or accounts of the system: only where named
FOLDER = Path(__file__).parent
KEPT = FOLDER / "results.json"
MARKS = {True: "✓", False: "✗", None: "–"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is run")
    options = parser.parse_args()
    if unknown := set(options.rows) - ROWS.keys():
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for name in options.rows or [row for row in ROWS if row not in BY_NAME]:
        print(f"{name} …", flush=True)
        here = machine()
        result = ROWS[name](options.rounds).as_json()
        for claim in result["claims"]:
            print(f"  {MARKS[claim['met']]} {claim['what']}: {claim['measured']}", flush=True)
        about = {"machine": here, "rounds": options.rounds, "on": date.today().isoformat()}
        kept[name] = result | about
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (FOLDER / "report.md").write_text(report(kept), encoding="utf-8")
    (FOLDER / "report.png").write_bytes(png(picture(kept)))


def report(kept: dict) -> str:
    """The report: a table, what fell short, and the machine."""
    lines = [
        "# How fast, how small",
        "",
        "Written by `make bench`. The two sides of a ratio took turns in one process; numbers are",
        "medians of the rounds.",
        "",
        "| | what | against | at least | measured |",
        "|---|---|---|---|---|",
    ]
    rows = [kept[name] for name in ROWS if name in kept]
    claims = [claim for row in rows for claim in row["claims"]]
    for claim in claims:
        cells = [claim[column] for column in ("what", "against", "target", "measured")]
        lines.append(f"| {MARKS[claim['met']]} | {' | '.join(cells)} |")
    short = [claim for claim in claims if claim["met"] is False]
    if short:
        lines += ["", "## What fell short", ""]
        lines += [
            f"- {c['what']}: {c['measured']}, meant to be {c['target']}. {c['why']}".rstrip()
            for c in short
        ]
    lines += ["", "![the same in pictures](report.png)", "", "## The machine", ""]
    lines += ["| row | rounds | on | machine |", "|---|---|---|---|"]
    for name in ROWS:
        if name in kept:
            row = kept[name]
            about = "; ".join(f"{key} {value}" for key, value in row["machine"].items())
            lines.append(f"| {name} | {row['rounds']} | {row['on']} | {about} |")
    lines += [
        "",
        "“Busy with other work” is the load average as the row began. Above about 0.5 the times",
        "say as much about the other work as about the course.",
    ]
    return "\n".join(lines) + "\n"


@in_course_style
def picture(kept: dict) -> Figure:
    """The decoder below the limit that reading sets, and the cache's two curves."""
    figure = new_figure(740, 300)
    if "decoder" in kept:
        _draw_decoder(figure.add_axes([0.15, 0.2, 0.28, 0.64]), kept["decoder"]["numbers"])
    if "cache" in kept:
        _draw_cache(figure.add_axes([0.6, 0.2, 0.37, 0.64]), kept["cache"]["numbers"])
    return figure


def _draw_decoder(axes, speeds: dict) -> None:
    names = ["generate", "decoder"]
    values = [speeds[name] for name in names]
    bars = axes.bar(names, values, color=[Colour.REMOVED, Colour.CANDIDATE], width=0.6)
    axes.bar_label(bars, fmt="%.0f", padding=2)
    axes.axhline(speeds["limit"], ls="--", color=Colour.CHOSEN)
    axes.annotate(
        f"all weights read once: {speeds['limit']:.0f}",
        (0.5, speeds["limit"]),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        color=Colour.CHOSEN,
        fontsize=10,
    )
    axes.set(ylim=(0, 1.15 * speeds["limit"]), ylabel="tokens per second")
    axes.set_title("lesson 08's decoder", fontsize=11)


def _draw_cache(axes, steps: dict) -> None:
    for name, style, colour in (
        ("without", "--", Colour.NOT_CACHED),
        ("with", "-", Colour.CACHED),
    ):
        seconds, sums = 0.0, []
        for step in steps[name]:
            seconds += step
            sums.append(seconds)
        axes.plot(range(1, len(sums) + 1), sums, style, color=colour)
        label = f"{name} the cache "
        axes.text(len(sums), sums[-1], label, ha="right", va="bottom", color=colour)
    axes.set(xlabel="new tokens", ylabel="seconds so far", xlim=(0, None), ylim=(0, None))
    axes.set_title("the cache", fontsize=11)


if __name__ == "__main__":
    main()
