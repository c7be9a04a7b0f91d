"""The real Kubernetes client: apart from the others, for processes that need no other, as those take much memory."""

import yaml
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import ApiClient, Configuration

from cli.settings import SettingsError, what_is_no_yaml

CONNECTIONS = 32


async def kubernetes() -> ApiClient:
    """A Kubernetes client: KUBECONFIG, or ~/.kube/config, or the pod's service account.

    Raises:
        SettingsError: none of them can be used.
    """
    try:
        await kubernetes_config.load_config()  # type: ignore[no-untyped-call]
        return _client()
    except kubernetes_config.ConfigException as error:
        raise SettingsError(f"no Kubernetes configuration: {error}; set KUBECONFIG") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"no Kubernetes configuration: {what_is_no_yaml(error)}; set KUBECONFIG") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:  # the loader believes what it reads
        raise SettingsError(f"the Kubernetes configuration (KUBECONFIG) cannot be used: {error}") from error


def _client() -> ApiClient:
    configuration = Configuration.get_default_copy()
    configuration.connection_pool_maxsize = CONNECTIONS
    # As kubectl, whatever Python runs us: from 3.13 on certificates that lack an identifier would be refused.
    configuration.disable_strict_ssl_verification = True
    # Otherwise the client looks for a netrc file before every single request.
    configuration.client_session_kwargs = {"trust_env": False}
    return ApiClient(configuration)
