"""The pages whose commands are run, each in a folder like a fresh clone, with a stack of its own."""

from pathlib import Path

import pytest

from tests.docs.console import ROOT, Command, Shell, blocks, checkout, environment

pytestmark = pytest.mark.e2e

STACK = ("make up", 'export PATH="$PWD/.venv/bin:$PATH"', 'eval "$(meshwright env)"')
COLORS = (
    *STACK,
    "kubectl apply -f examples/colors/manifest.yaml || kubectl apply -f examples/colors/manifest.yaml",
    "kubectl wait --for=condition=VirtualServiceActive virtualservice --all --namespace colors --timeout=60s",
)
RUN = {
    "README.md": (),
    "docs/tutorial/first-mesh.md": (),
    "docs/how-to/local-stack.md": (),
    "docs/how-to/debug.md": COLORS,
    "docs/how-to/move-an-account.md": COLORS,
}
"""The pages, each with what its reader has done before."""

DOWN = Command(".venv/bin/meshwright down --dir .meshwright", "", 0)


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path):
    """One after the other, as a reader types them."""
    folder = tmp_path / "clone"
    folder.mkdir()
    checkout(folder)
    with Shell(folder, environment()) as shell:
        try:
            for text in RUN[page]:
                shell.run(Command(text, "", 0))
            for block in blocks((ROOT / page).read_text()):
                for command in block.commands if block.not_run is None else ():
                    shell.run(command)
        finally:
            if (folder / ".meshwright").exists():
                shell.run(DOWN)
