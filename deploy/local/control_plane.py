"""The control plane: our App Mesh API, its state in a SQLite file in DIR."""

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
        ),
        environment=site.python_environment(
            {
                "MESHWRIGHT_ACCESS_KEYS": f"{key.id}:{key.secret}",  # not a flag: everybody can read those
                "MESHWRIGHT_XDS_LISTEN": site.address("xds"),
            }
        ),
        ready=http_answers(site.url("control-plane", "/readyz")),
    )
