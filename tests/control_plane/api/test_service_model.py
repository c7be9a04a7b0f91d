from botocore.loaders import Loader

from control_plane.api import errors, service_model
from control_plane.api.dispatch import HANDLERS
from control_plane.api.semantics import KINDS


def test_our_copy_of_the_model_is_botocores():
    """The vendored service model says what botocore's says, as long as botocore has one."""
    botocores = Loader().load_service_model("appmesh", "service-2", service_model.API_VERSION)
    ours = service_model.service_model()
    assert list(ours.operation_names) == list(botocores["operations"])
    assert ours._service_description == botocores


def test_every_operation_has_a_handler():
    """All 38 operations of the model can be carried out, and nothing else."""
    assert len(HANDLERS) == 38
    assert set(HANDLERS) == {operation.name for operation in service_model.operations()}


def test_every_operation_has_our_uri_prefix():
    """The application mounts the API under the prefix that all operations share."""
    for operation in service_model.operations():
        assert operation.http["requestUri"].startswith(f"/{service_model.URI_PREFIX}/")


def test_errors_have_the_models_codes_and_statuses():
    """Each error of the model is a class of ours with its code and status."""
    subclasses = [errors.BadRequest, errors.Forbidden, errors.NotFound, errors.Conflict, errors.ResourceInUse]
    subclasses += [errors.LimitExceeded, errors.TooManyTags, errors.ServiceUnavailable, errors.InternalServerError]
    ours = {error.code: error.status for error in subclasses}
    # We never throttle, so TooManyRequestsException is the one error of the model that this API does not give.
    assert ours | {"TooManyRequestsException": 429} == service_model.error_statuses()


def test_the_table_speaks_the_models_language():
    """Names that the table derives (members, list members, parents) are members of the model's shapes."""
    model = service_model.service_model()
    for kind in KINDS.values():
        assert kind.name_member in model.shape_for(f"Create{kind.noun}Input").members
        assert kind.list_member in model.shape_for(f"List{kind.plural}Output").members
        assert model.shape_for(f"Create{kind.noun}Output").serialization["payload"] == kind.name
        if kind.parent is not None:
            assert KINDS[kind.parent].name_member in model.shape_for(f"{kind.noun}Data").members
