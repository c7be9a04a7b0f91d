"""kube-apiserver: the real Kubernetes API, with RBAC, watches and server-side validation, and no kubelet behind it.

There is no controller-manager either: a deleted namespace stays Terminating and owner references are not collected.
"""

import json

from deploy.local import crds, kubeconfig
from deploy.local.credentials import SERVICE_NETWORK
from deploy.local.part import Part
from deploy.local.ports import HOST
from deploy.local.readiness import Probe, http_answers
from deploy.local.site import Site

NAME = "kube-apiserver"

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "userGroups": ["system:serviceaccounts"]}, {"level": "None"}],
}
"""Who runs a process with the rights of an account sees what it asked for; nobody else is written down."""


def part(site: Site) -> Part:
    """Describe kube-apiserver, and write the kubeconfig that leads to it."""
    keys = site.credentials
    server = f"https://{site.address('kube-apiserver')}"
    kubeconfig.write(site.layout.kubeconfig, server, keys)
    site.layout.audit_policy.write_text(json.dumps(AUDIT_POLICY))
    flags = {
        "etcd-servers": f"https://{site.address('etcd')}",
        "etcd-cafile": keys.authority,
        "etcd-certfile": keys.certificate("admin"),
        "etcd-keyfile": keys.key("admin"),
        "bind-address": HOST,
        "advertise-address": HOST,
        "secure-port": site.ports["kube-apiserver"],
        "tls-cert-file": keys.certificate("server"),
        "tls-private-key-file": keys.key("server"),
        "client-ca-file": keys.authority,
        "authorization-mode": "RBAC",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": keys.service_accounts_public_key,
        "service-account-signing-key-file": keys.key("service-accounts"),
        "service-cluster-ip-range": SERVICE_NETWORK,
        # Without a controller-manager no namespace gets its default account, and this check would refuse every pod.
        "disable-admission-plugins": "ServiceAccount",
        # It would publish a loopback address as an endpoint, which Kubernetes refuses.
        "endpoint-reconciler-type": "none",
        "allow-privileged": "true",
        "audit-policy-file": site.layout.audit_policy,
        "audit-log-path": site.layout.audit_log,
        "profiling": "false",
    }
    return Part(
        name=NAME,
        arguments=(str(site.binaries["kube-apiserver"]), *(f"--{name}={value}" for name, value in flags.items())),
        environment=site.clean_environment(),
        needs=("etcd",),
        ready=_ready(site, server),
        stop_within=5.0,
        settle=lambda: crds.apply(site.layout.kubeconfig),
    )


def _ready(site: Site, server: str) -> Probe:
    # `/readyz` covers the server's own start-up hooks; the default namespace is made a moment later, by a loop.
    ready = http_answers(f"{server}/readyz", context=site.credentials.client_context)
    namespace = http_answers(f"{server}/api/v1/namespaces/default", context=site.credentials.client_context)
    return lambda: ready() or namespace()
