"""The reference says what the code does: no variable and no annotation more or less."""

from pathlib import Path

import yaml

from injector.variables import VARIABLES
from tests.injector.cases import CASES

FOLDER = Path(__file__).parent / "golden"


def test_every_variable_of_an_injected_container_is_in_the_reference():
    """Over all golden files, those of the agent's image and of tokens among them; and none that is never set."""
    found: dict[str, set[str]] = {"envoy": set(), "proxyinit": set()}
    for case in CASES:
        spec = yaml.safe_load((FOLDER / f"{case.name}.yaml").read_text()).get("pod", {}).get("spec", {})
        for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
            if container["name"] in found:
                found[container["name"]] |= {variable["name"] for variable in container["env"]}
    for name, variables in found.items():
        told = {entry.name for entry in VARIABLES if f"`{name}`" in entry.container}
        assert variables - {"ZONE", "LEVEL", "LIST", "PRICE"} == told
