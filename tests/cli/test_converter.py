"""One payload converter for the whole process, that says what the SDK's says."""

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from activities.messages import Relatives
from activities.objects import ApiObject
from cli.converter import SharedPayloadConverter, data_converter


def test_it_says_what_the_sdks_converter_says() -> None:
    """Workflows that were started with the one go on with the other."""
    for value in (ApiObject.mesh_object("shop"), Relatives(), "text", None, 3):
        ours, theirs = (
            each.payload_converter.to_payloads([value]) for each in (data_converter, pydantic_data_converter)
        )
        assert ours == theirs
        assert data_converter.payload_converter.from_payloads(theirs, [type(value)]) == [value]


def test_there_is_one_for_all() -> None:
    """Whatever the SDK makes one for gets the same, with all that it has learned of types."""
    assert SharedPayloadConverter() is SharedPayloadConverter()
    DataConverter(payload_converter_class=SharedPayloadConverter)
