"""The worker, as its own process, with the stack's addresses and the caller's settings."""

from deploy.local.part import Part
from deploy.local.readiness import http_answers
from deploy.local.site import Site

NAME = "worker"


def part(site: Site) -> Part:
    """Describe the worker."""
    return Part(
        name=NAME,
        arguments=site.python("cli.main", "worker"),
        environment=site.python_environment(
            {
                # No name of a Kubernetes Service resolves on a bare machine, so every node would warn.
                "MESHWRIGHT_DNS_CHECK": site.caller.get("MESHWRIGHT_DNS_CHECK", "false"),
                **site.environment(),
                "MESHWRIGHT_METRICS_LISTEN": site.address("worker-metrics"),
            }
        ),
        needs=("kube-apiserver", "temporal", "control-plane", "cloudmap"),
        ready=http_answers(site.url("worker-metrics", "/healthz")),
    )
