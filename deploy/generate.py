"""Write what is derived from code into the tree: the CustomResourceDefinitions, and the dashboard.

python -m deploy.generate            write the files
python -m deploy.generate --check    write nothing; exit code 1 when a file is stale
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from deploy import dashboard
from resources.crd import custom_resource_definition
from resources.kinds import GROUP, Kind

CRDS = Path(__file__).parent / "crds"
DASHBOARD = Path(__file__).parent / "monitoring" / "dashboard.json"
HEADER = "# Generated from the models in resources/ by `make generate`; edit those, not this.\n"


class _PlainDumper(yaml.SafeDumper):
    """Writes every value out: YAML anchors would be legal, but no one reads them with pleasure."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def crd_files(directory: Path = CRDS) -> dict[Path, str]:
    """What each CRD file must contain."""
    return {
        directory / f"{GROUP}_{kind.plural}.yaml": HEADER
        + yaml.dump(custom_resource_definition(kind), Dumper=_PlainDumper, sort_keys=False, width=120)
        for kind in Kind
    }


def stale_files(files: dict[Path, str]) -> list[Path]:
    """Those whose content on disk is another, or that are missing."""
    return [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a file is stale")
    check = parser.parse_args(arguments).check
    files = crd_files() | {DASHBOARD: dashboard.text()}
    stale = stale_files(files)
    for path in stale:
        sys.stderr.write(f"{path} {'is stale' if check else 'written'}\n")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
