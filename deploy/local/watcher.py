"""The watcher, as its own process, with the stack's addresses and the caller's settings."""

from deploy.local.part import Part
from deploy.local.readiness import http_answers
from deploy.local.site import Site

NAME = "watcher"


def part(site: Site) -> Part:
    """Describe the watcher."""
    return Part(
        name=NAME,
        arguments=site.python("cli.main", "watcher"),
        environment=site.python_environment(
            {**site.environment(), "MESHWRIGHT_METRICS_LISTEN": site.address("watcher-metrics")}
        ),
        needs=("kube-apiserver", "temporal"),
        ready=http_answers(site.url("watcher-metrics", "/healthz")),
    )
