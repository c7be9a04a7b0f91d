"""What the injector counts, in the process's registry.

| metric | labels |
|---|---|
| `meshwright_injector_reviews_total` | `outcome` |
| `meshwright_injector_review_duration_seconds` | |
| `meshwright_injector_virtual_nodes` | |
| `meshwright_injector_certificate_expiry_timestamp_seconds` | |

`outcome` is one of `decision.Outcome`, or `other` (nothing that is created), `malformed` or `failed`. Each is told from
the start: of a series that comes into being with its first event, Prometheus sees no increase.
"""

from prometheus_client import Counter, Gauge, Histogram

from injector.decision import Outcome

OTHER = "other"
MALFORMED = "malformed"
FAILED = "failed"

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)

REVIEWS = Counter("meshwright_injector_reviews", "Reviews by what became of the pod", ("outcome",))
for _outcome in (*(each.value for each in Outcome), OTHER, MALFORMED, FAILED):
    REVIEWS.labels(_outcome)
DURATION = Histogram(
    "meshwright_injector_review_duration_seconds", "Time from a review's body to its answer", buckets=_BUCKETS
)
VIRTUAL_NODES = Gauge("meshwright_injector_virtual_nodes", "VirtualNodes that pods are held against")
CERTIFICATE_EXPIRY = Gauge(
    "meshwright_injector_certificate_expiry_timestamp_seconds", "When the webhook's certificate ends"
)
