"""The control plane's tests.

`api/` and `store/` test the two rooms from inside, `conformance/` talks to a served API as its users do (boto3, the AWS
CLI, plain HTTP), `e2e/` runs real processes and kills them. `serving.py` serves, `specs.py` has a valid spec of each
kind, `shapes.py` makes Hypothesis strategies out of the service model.
"""
