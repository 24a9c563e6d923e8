"""Build the page's bundle, or check that the committed one is what its sources make. It needs Node; users don't."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "ui"
BUILT = ROOT / "airflow_provider_userdata" / "ui" / "static"
FILES = ("main.js", "licenses.md")


def main() -> None:
    """Build into the package, or with `--check` into a temporary folder, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the committed bundle differs")
    check = parser.parse_args().check
    if shutil.which("npm") is None:
        sys.exit("Node 20.19 or newer with npm is needed to build the page; Airflow and this provider run without it.")
    if addresses := registry_addresses():
        sys.exit(f"package-lock.json names where {addresses} packages came from; see ui/README.md.")
    npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
    npm("run", "types")
    npm("test")
    if not check:
        build(BUILT)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        different = [name for name in FILES if (Path(folder) / name).read_bytes() != (BUILT / name).read_bytes()]
    if different:
        sys.exit(f"The committed {' and '.join(different)} are not what ui/ makes: run `make ui`, and commit them.")
    print("The committed bundle is what its sources make, byte for byte.")


def registry_addresses() -> int:
    """Return how many packages of the lock name the address that they came from: a machine's own, which others lack."""
    packages = json.loads((SOURCES / "package-lock.json").read_bytes())["packages"]
    return sum("resolved" in package for package in packages.values())


def build(folder: Path) -> None:
    """Build the bundle and the licences of what is in it into a folder."""
    npm("run", "build", "--", "--outDir", str(folder))


def npm(*arguments: str) -> None:
    """Run npm on the page's sources; its own words say what is wrong."""
    done = subprocess.run(["npm", "--silent", *arguments], cwd=SOURCES, check=False)  # noqa: S603, S607
    if done.returncode:
        sys.exit(f"`npm {' '.join(arguments)}` failed in ui/.")


if __name__ == "__main__":
    main()
