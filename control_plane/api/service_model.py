"""App Mesh's service model, and its three traits that the rest of the room asks for.

The model is the public description AWS's own SDKs are made from. We load the copy in `model/` first and the installed
botocore's only as a fallback: App Mesh has ended, so botocore may drop it, and what our API accepts should not change
with a library update. A test compares the two while both exist.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

SERVICE = "appmesh"
API_VERSION = "2019-01-25"
URI_PREFIX = "v20190125"

_OUR_MODELS = Path(__file__).parent / "model"


@cache
def service_model() -> ServiceModel:
    """The service model; loaded once, about 30 ms."""
    loader = Loader(extra_search_paths=[str(_OUR_MODELS)])
    return ServiceModel(loader.load_service_model(SERVICE, "service-2", API_VERSION), SERVICE)


def operations() -> Iterator[OperationModel]:
    """The 38 operations."""
    model = service_model()
    return (model.operation_model(name) for name in model.operation_names)


def error_statuses() -> dict[str, int]:
    """HTTP status by error code, of the errors that the model declares."""
    return {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in service_model().error_shapes}
