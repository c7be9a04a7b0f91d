"""What the tests of the local stack share."""

from pathlib import Path

import pytest

from deploy.local.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A DIR with its folders."""
    layout = Layout.at(tmp_path / "stack")
    layout.create()
    return layout
