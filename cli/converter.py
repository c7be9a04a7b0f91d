"""How what workflows and activities say to each other becomes JSON: pydantic, by one converter for the whole process.

The SDK makes a converter for every workflow task and for every workflow. Ours know nothing of where they are used, so
one serves all; and what it has learned of a type once, it need not learn again for each workflow.
"""

import dataclasses

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from cli.settings import Settings

_SHARED = PydanticPayloadConverter()


class SharedPayloadConverter(PydanticPayloadConverter):
    """Making one gives the one that there is."""

    def __new__(cls) -> PydanticPayloadConverter:  # type: ignore[misc]
        """The shared one, which is made already: `__init__` is not run for it."""
        return _SHARED


data_converter = DataConverter(payload_converter_class=SharedPayloadConverter)
"""Without keys. It reads and writes what the SDK's `pydantic_data_converter` does."""


def converter_for(settings: Settings) -> DataConverter:
    """The converter of every process of ours; it encrypts where there is a file of keys.

    Raises:
        SettingsError: the file cannot be used.
    """
    if settings.payload_keys_file is None:
        return data_converter
    # Here, as most have no keys: the library for it takes six megabytes of each process.
    from cli.encryption import EncryptionCodec, read_keys

    return dataclasses.replace(
        data_converter,
        payload_codec=EncryptionCodec(read_keys(settings.payload_keys_file)),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
