"""`python -m raybase.testing chaos`: breaks a real Ray cluster for minutes, and reports."""

from __future__ import annotations

import argparse
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from .ray_nodes import RayNodes
from .run import ChaosOptions, ChaosRun

_SEED_BITS: Final = 32


def main(arguments: Sequence[str]) -> int:
    """0 if nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m raybase.testing chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="how long, at least (20)")
    parser.add_argument("--seed", type=int, help="of the plan; drawn, and told, if not given")
    parser.add_argument(
        "--keep", action="store_true", help="leave files and logs, as a failure does"
    )
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else secrets.randbits(_SEED_BITS)
    console = Console()

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    say(f"chaos for {options.minutes:g} minutes, seed {seed}")
    root = Path(tempfile.mkdtemp(prefix="raybase-chaos-"))
    with RayNodes() as nodes:
        run = ChaosRun(ChaosOptions(options.minutes, seed), root, nodes, say)
        try:
            run.run()
        finally:
            nodes.keep = options.keep or bool(run.report.violations) or not run.report.took_s
            if nodes.keep:
                say(f"files are in {root}, logs in {nodes.logs}")
            else:
                shutil.rmtree(root, ignore_errors=True)
    run.report.print(console)
    return 1 if run.report.violations else 0
