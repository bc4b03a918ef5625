"""``python -m benchmarks``: measures rows of the budget and shows them beside it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from . import machine
from .lab import Lab
from .report import Report
from .rows import ROWS
from .settings import Settings

WIDTH_OF_A_FILE = 140


def main() -> None:
    options = _options()
    settings = Settings(options.root, options.quick, options.rows)
    names = options.names or [name for name, row in ROWS.items() if row.has_budget]
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_OF_A_FILE)
    report = Report(console, machine.describe(settings.root))
    report.show_machine()
    try:
        with Lab(settings.root) as lab:
            for name in names:
                report.console.rule(f"{name}: {ROWS[name].what}", align="left")
                report.add(ROWS[name].measure(settings, lab))
    finally:
        report.show_table()
        if options.json:
            report.write_json(options.json)
        if options.markdown:
            report.write_markdown(options.markdown)


def _options() -> argparse.Namespace:
    lines = [f"  {name:12} {row.what}" for name, row in ROWS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures raybase beside its budget. It judges nothing: the exit code of "
        "a run that came to its end is 0.",
        epilog="\n".join(["rows (all with a budget, if none is named):", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[*ROWS, []], metavar="row", help="see below")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, smaller tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the table of docs/performance.md there"
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(tempfile.gettempdir()),
        metavar="DIRECTORY",
        help="where files go; sync times are those of its disk  [%(default)s]",
    )
    parser.add_argument(
        "--rows",
        type=int,
        default=10_000_000,
        metavar="N",
        help="rows of the large table  [%(default)s]",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
