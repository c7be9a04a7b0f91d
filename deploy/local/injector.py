"""The injector, as its own process; the local API server calls it for real, by its address."""

from deploy.local import webhook
from deploy.local.part import Part
from deploy.local.readiness import http_answers
from deploy.local.site import Site

NAME = "injector"


def part(site: Site) -> Part:
    """Describe the injector."""
    keys = site.credentials
    return Part(
        name=NAME,
        arguments=site.python(
            *("cli.main", "injector", "--injector-listen", site.address("injector")),
            *("--injector-certificate-file", str(keys.certificate("server"))),
            *("--injector-key-file", str(keys.key("server"))),
        ),
        environment=site.python_environment(
            {**site.environment(), "MESHWRIGHT_METRICS_LISTEN": site.address("injector-metrics")}
        ),
        needs=("kube-apiserver",),
        ready=http_answers(site.url("injector-metrics", "/healthz")),
        settle=lambda: webhook.apply(
            site.layout.kubeconfig, f"https://{site.address('injector')}/inject", keys.authority
        ),
    )
