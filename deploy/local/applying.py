"""Server-side apply at the local API server: safe to repeat, and a newer Meshwright's objects replace the older's."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.errors import LocalStackError, SettingMissing

WITHIN_SECONDS = 20.0


@contextmanager
def connected(kubeconfig: Path) -> Iterator[Any]:
    """A client of the API server, until the end of the block.

    Raises:
        SettingMissing: the file is no kubeconfig.
    """
    with _client(kubeconfig) as connection:
        yield connection


def _client(kubeconfig: Path) -> Any:
    # Imported here: half a second that only this step needs, and by now the API server has begun to start.
    import yaml
    from kubernetes import config

    new_client: Callable[..., Any] = config.new_client_from_config  # it has no types of its own
    try:
        return new_client(str(kubeconfig), persist_config=False)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)  # the line itself may hold a secret
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise SettingMissing(f"the kubeconfig {kubeconfig} cannot be used: it is no YAML{where}") from None
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # The loader believes what it reads, so that anything may come of what it did not expect.
        raise SettingMissing(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error


def apply(patch: Callable[..., Any], wanted: dict[str, Any], what: str) -> None:
    """Have the API server hold this object.

    Args:
        patch: the client's method for objects of the kind.
        wanted: the object.
        what: what it is, for the message.

    Raises:
        LocalStackError: the API server refuses it.
    """
    with explained(f"apply {what}"):
        patch(
            wanted["metadata"]["name"],
            wanted,
            field_manager="meshwright",
            force=True,
            _content_type="application/apply-patch+yaml",
            _request_timeout=WITHIN_SECONDS,
        )


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Say what could not be done when the API server refuses it, or does not answer.

    Raises:
        LocalStackError: it did so in the block.
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (ApiException, HTTPError) as error:
        raise LocalStackError(f"cannot {what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What the API server had to say; the client's own text would add its headers."""
    try:
        return str(json.loads(getattr(error, "body", None) or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)
