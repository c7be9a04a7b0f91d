"""One remote call each: App Mesh by boto3, Kubernetes by its client. Errors leave here already classified."""
