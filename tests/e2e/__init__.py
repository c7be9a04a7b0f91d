"""What users rely on, on the real parts: etcd, kube-apiserver, Temporal, the App Mesh API, watcher, worker."""
