"""Runs mypy --strict on every package folder, and asserts that it read every file of them.

With a package-dir mapping mypy can report success after reading a single file.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["actors", "client", "coordination", "errors", "rpc", "storage", "testing"]
GENERATED = ROOT / "rpc" / "proto"


def main() -> int:
    modules = sorted(one.name for one in ROOT.glob("*.py"))
    expected = len(modules) + sum(
        1
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if GENERATED not in path.parents
    )
    command = [sys.executable, "-m", "mypy", "--strict", *FOLDERS, *modules]
    result = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    sys.stdout.write(result.stdout + result.stderr)
    if result.returncode:
        return result.returncode
    found = re.search(r"in (\d+) source files", result.stdout)
    count = int(found.group(1)) if found else 0
    if count != expected:
        print(f"mypy read {count} files, there are {expected}")
        return 1
    print(f"mypy --strict: all {expected} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
