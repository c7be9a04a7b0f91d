"""The App Mesh API, version 2019-01-25: 38 operations, as any AWS SDK speaks them.

A request passes through these modules, in this order:

| module | what it does | knows |
|---|---|---|
| `endpoint.py` | one ASGI call: limits, logs, metrics, errors into responses | HTTP |
| `routing.py` | method and path → operation, URI parameters | the service model's traits |
| `signature.py` | AWS Signature Version 4: who signed this? | hashing |
| `decoding.py`, `validation.py` | parameters out of the request; all violations of the model, by path | shapes |
| `dispatch.py` | operation → function, inside the right transaction | transactions |
| `operations.py`, `tagging.py` | the verbs, the same for all kinds | the table |
| `semantics.py` | **the table**: what each kind is made of, refers to, forbids | App Mesh's rules |
| `rules/` | rules of specs that the model cannot say | App Mesh's rules |
| `encoding.py` | the answer, by the output's shape | shapes |

No shape, URI, bound or enum is typed by hand: `service_model.py` loads them.
"""
