"""What the App Mesh API says to our requests: yes to every example, and to bad input the message in the table.

No controller here, only translation and a served API; the end-to-end tests show how the same answers reach the user.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from control_plane.api.quotas import Quotas
from resources.conditions import Reason
from tests.bad_inputs import APP_MESH, GIVEN
from tests.control_plane.serving import served
from tests.resources.requests import Request, requests_for

EXAMPLES = Path(__file__).parents[2] / "examples"
CODES = {Reason.BAD_REQUEST: "BadRequestException", Reason.LIMIT_EXCEEDED: "LimitExceededException"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A boto3 client of an App Mesh API of this module's own."""
    with served(tmp_path_factory.mktemp("app-mesh"), quotas=Quotas()) as api, api.client() as made:
        yield made


def create(client: Any, mesh: str, request: Request) -> None:
    """Send one request; the first member names the object."""
    kind, name = next(iter(request.items()))
    spec = request["spec"]
    if kind == "mesh":
        client.create_mesh(meshName=name, spec=spec)
    elif kind == "virtualNode":
        client.create_virtual_node(meshName=mesh, virtualNodeName=name, spec=spec)
    elif kind == "virtualRouter":
        client.create_virtual_router(meshName=mesh, virtualRouterName=name, spec=spec)
    elif kind == "route":
        client.create_route(meshName=mesh, virtualRouterName=request["of"], routeName=name, spec=spec)
    else:
        client.create_virtual_service(meshName=mesh, virtualServiceName=name, spec=spec)


def create_all(client: Any, mesh: str, requests: Iterable[Request]) -> None:
    """Send requests in order, until one is refused."""
    for request in requests:
        create(client, mesh, request)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.parent.name) for path in sorted(EXAMPLES.glob("*/manifest.yaml"))]
)
def test_every_example_is_accepted(client, path):
    """Each object of an example can be made, in order, by one request."""
    mesh, *rest = requests_for(list(yaml.safe_load_all(path.read_text(encoding="utf-8"))))
    create_all(client, mesh["mesh"], (mesh, *rest))
    assert len(client.list_virtual_nodes(meshName=mesh["mesh"])["virtualNodes"]) >= 5


@pytest.fixture(scope="module")
def given_mesh(client: Any) -> str:
    """The mesh that bad input is about, with what must exist beforehand."""
    mesh, *nodes = requests_for([manifest for manifest in GIVEN if manifest["kind"] != "Namespace"])
    name: str = mesh["mesh"]
    create_all(client, name, (mesh, *nodes))
    return name


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in APP_MESH])
def test_bad_input_is_refused_with_the_message_in_the_table(client, given_mesh, case):
    """Code and message of each case are what its user will be shown."""
    with pytest.raises(ClientError) as refused:
        create_all(client, given_mesh, requests_for([case.manifest]))
    answer = refused.value.response["Error"]
    assert answer["Code"] == CODES[case.reason]
    assert case.message in answer["Message"]
