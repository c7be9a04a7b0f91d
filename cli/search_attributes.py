"""`meshwright search-attributes`: registers with Temporal what workflows are found by."""

from typing import TYPE_CHECKING

from cli.options import Config, TemporalAddress, TemporalNamespace

if TYPE_CHECKING:
    from temporalio.client import Client


def search_attributes(
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    config: Config = None,
) -> None:
    """Register the search attributes of workflows with the Temporal server. Safe to repeat; needs an operator's rights.

    The watcher takes them up within a minute; a resource at rest gets its own with its next change.

    Exit code 0: they are registered. 2: Temporal does not answer, or refuses.
    """
    import asyncio

    from cli.settings import load

    given = {"temporal_address": temporal_address, "temporal_namespace": temporal_namespace, "config": config}
    settings = load(given)

    async def register() -> None:
        from cli.clients import temporal_now

        added = await registered(await temporal_now(settings))
        print(f"registered: {', '.join(added)}" if added else "all search attributes are registered already")

    asyncio.run(register())


async def registered(client: "Client") -> list[str]:
    """Register those that are missing; their names.

    Raises:
        SettingsError: the server refuses, or knows one of them with another type.
    """
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
    from temporalio.service import RPCError, RPCStatusCode

    from cli.settings import SettingsError
    from workflows.names import SEARCH_ATTRIBUTES

    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    try:
        asked = ListSearchAttributesRequest(namespace=client.namespace)
        known = (await client.operator_service.list_search_attributes(asked)).custom_attributes
        if other := [name for name in SEARCH_ATTRIBUTES if known.get(name, keyword) != keyword]:
            raise SettingsError(f"Temporal knows the search attribute {other[0]} with another type than Keyword")
        missing = [name for name in SEARCH_ATTRIBUTES if name not in known]
        if missing:
            wanted = AddSearchAttributesRequest(
                namespace=client.namespace, search_attributes=dict.fromkeys(missing, keyword)
            )
            await client.operator_service.add_search_attributes(wanted)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # somebody else was quicker
            raise SettingsError(f"Temporal: {error.message}") from error
        return []
    return missing
