"""etcd: where kube-apiserver keeps the desired state. One member, TLS with client certificates, data kept in DIR."""

from deploy.local.part import Part
from deploy.local.readiness import http_answers
from deploy.local.site import Site

NAME = "etcd"


def part(site: Site) -> Part:
    """Describe etcd."""
    keys = site.credentials
    client, peer = f"https://{site.address('etcd')}", f"https://{site.address('etcd-peer')}"
    flags = {
        "name": "local",
        "data-dir": site.layout.data / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "cert-file": keys.certificate("server"),
        "key-file": keys.key("server"),
        "trusted-ca-file": keys.authority,
        "client-cert-auth": "true",
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"local={peer}",
        "peer-cert-file": keys.certificate("server"),
        "peer-key-file": keys.key("server"),
        "peer-trusted-ca-file": keys.authority,
        "peer-client-cert-auth": "true",
        "listen-metrics-urls": site.url("etcd-metrics"),
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "5m",
        "log-level": "warn",
    }
    if site.fast:
        flags["unsafe-no-fsync"] = "true"
    return Part(
        name=NAME,
        arguments=(str(site.binaries["etcd"]), *(f"--{name}={value}" for name, value in flags.items())),
        environment=site.clean_environment(),
        # The health endpoint has its own port: it answers without a certificate, and only when a leader is elected.
        ready=http_answers(site.url("etcd-metrics", "/health")),
    )
