"""The pages: modules of the running interpreter's standard library, and who imports whom."""

from __future__ import annotations

import ast
import hashlib
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Module:
    """A module's name and where its source is."""

    name: str
    path: Path
    is_package: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A module as a row of the webtable."""

    name: str
    source: bytes
    modified_ms: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.source).hexdigest()

    @property
    def lines(self) -> int:
        return self.source.count(b"\n")


def find_modules(count_max: int | None = None) -> list[Module]:
    """The modules of the standard library, sorted by name."""
    library = Path(sysconfig.get_paths()["stdlib"])
    modules = []
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).with_suffix("").parts
        if parts[0] in ("site-packages", "dist-packages"):
            continue
        is_package = parts[-1] == "__init__" and len(parts) > 1
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(Module(name, path, is_package))
    modules.sort(key=lambda one: one.name)
    return modules[:count_max]


def read_page(module: Module) -> Page:
    """Reads a module's source as it is on disk."""
    return Page(module.name, module.path.read_bytes(), int(module.path.stat().st_mtime * 1000))


def imports_of(module: Module, source: bytes) -> Iterator[tuple[str, str]]:
    """(imported module, the text of the import) for each import statement of a source.

    A source that is no Python (the library holds some, to test its parsers) imports nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield origin, ast.unparse(node)
            for alias in node.names:
                yield f"{origin}.{alias.name}", ast.unparse(node)


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*parts, node.module] if node.module else parts)


def shares(modules: Sequence[Module], count: int) -> list[list[Module]]:
    """The modules dealt out to ``count`` workers."""
    return [list(modules[start::count]) for start in range(count)]
