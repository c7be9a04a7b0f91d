"""How what workflows and activities say to each other becomes JSON: pydantic, by one converter for the whole process.

The SDK makes a converter for every workflow task and for every workflow. Ours know nothing of where they are used, so
one serves all; and what it has learned of a type once, it need not learn again for each workflow.
"""

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter

_SHARED = PydanticPayloadConverter()


class SharedPayloadConverter(PydanticPayloadConverter):
    """Making one gives the one that there is."""

    def __new__(cls) -> PydanticPayloadConverter:  # type: ignore[misc]
        """The shared one, which is made already: `__init__` is not run for it."""
        return _SHARED


data_converter = DataConverter(payload_converter_class=SharedPayloadConverter)
"""What every client of ours uses. It reads and writes what the SDK's `pydantic_data_converter` does."""
