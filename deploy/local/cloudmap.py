"""AWS Cloud Map, played by moto with some rules added.

Its state is in memory: namespaces must be made again after each start.
"""

from deploy.local.part import Part
from deploy.local.readiness import http_answers
from deploy.local.site import Site

NAME = "cloudmap"


def part(site: Site) -> Part:
    """Describe the stand-in for Cloud Map."""
    return Part(
        name=NAME,
        arguments=site.python("deploy.local.cloudmap_server", "-H", "127.0.0.1", "-p", str(site.ports["cloudmap"])),
        environment=site.python_environment({}),
        # A real call: it also makes moto load the service, which takes longer than the server itself.
        ready=http_answers(
            site.url("cloudmap"),
            method="POST",
            body="{}",
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "Route53AutoNaming_v20170314.ListNamespaces",
                "Authorization": "AWS4-HMAC-SHA256 Credential=any/20200101/us-west-2/servicediscovery/aws4_request",
            },
        ),
    )
