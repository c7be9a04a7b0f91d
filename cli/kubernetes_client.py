"""The real Kubernetes client: apart from the others, for processes that need no other, as those take much memory."""

from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import ApiClient, Configuration

from cli.settings import SettingsError

CONNECTIONS = 32


async def kubernetes() -> ApiClient:
    """A Kubernetes client: KUBECONFIG, or ~/.kube/config, or the pod's service account.

    Raises:
        SettingsError: none of them can be used.
    """
    try:
        await kubernetes_config.load_config()  # type: ignore[no-untyped-call]
    except kubernetes_config.ConfigException as error:
        raise SettingsError(f"no Kubernetes configuration: {error}; set KUBECONFIG") from error
    configuration = Configuration.get_default_copy()
    configuration.connection_pool_maxsize = CONNECTIONS
    # Otherwise the client looks for a netrc file before every single request.
    configuration.client_session_kwargs = {"trust_env": False}
    return ApiClient(configuration)
