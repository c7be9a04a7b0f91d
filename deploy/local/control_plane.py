"""The control plane: our App Mesh API and xDS for proxies, its state in a SQLite file in DIR."""

from deploy.local.part import Part
from deploy.local.readiness import http_answers
from deploy.local.site import Site

NAME = "control-plane"


def part(site: Site) -> Part:
    """Describe the control plane."""
    key = site.credentials.access_key()
    database = site.layout.data / "control-plane.db"
    return Part(
        name=NAME,
        arguments=site.python(
            *("cli.main", "control-plane"),
            *("--control-plane-listen", site.address("control-plane")),
            *("--database-url", f"sqlite:///{database}"),
            *("--xds-listen", site.address("xds"), "--xds-plaintext"),  # on the loopback address
            *("--cloud-map-endpoint", site.url("cloudmap")),
        ),
        environment=site.python_environment(
            {
                "MESHWRIGHT_ACCESS_KEYS": f"{key.id}:{key.secret}",  # not a flag: everybody can read those
                "AWS_ACCESS_KEY_ID": key.id,
                "AWS_SECRET_ACCESS_KEY": key.secret,
            }
        ),
        ready=http_answers(site.url("control-plane", "/readyz")),
    )
