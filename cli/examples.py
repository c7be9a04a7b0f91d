"""Examples of every command, for its `--help` and its section in the reference; a test reads each as the shell would.

They take the names of `examples/shop`.
"""

EXAMPLES = {
    "control-plane": (
        "meshwright control-plane --access-keys-file keys --database-url sqlite:////var/lib/meshwright/mesh.db",
        "meshwright control-plane --xds-listen 0.0.0.0:18000 --xds-certificate-file tls.crt --xds-key-file tls.key",
    ),
    "worker": ("meshwright worker --app-mesh-endpoint http://app-mesh:8080 --temporal-address temporal:7233",),
    "watcher": ("meshwright watcher --app-mesh-endpoint http://app-mesh:8080 --temporal-address temporal:7233",),
    "injector": ("meshwright injector --xds-address control-plane.meshwright:18000",),
    "status": (
        "meshwright status --namespace shop --watch",
        "meshwright status -o json | jq '.[] | select(.phase != \"Active\")'",
    ),
    "plan": (
        "meshwright plan virtualnode/cart --namespace shop",
        "meshwright plan -f examples/shop -o yaml",
    ),
    "reconcile": (
        "meshwright reconcile virtualnode/cart --namespace shop --wait --timeout 120",
        "meshwright reconcile --all --wait --timeout 600",
    ),
    "history": ("meshwright history virtualservice/cart.shop.svc.cluster.local --namespace shop --limit 5",),
    "graph": ("meshwright graph -f examples/shop -o svg > mesh.svg", "meshwright graph --namespace shop -o mermaid"),
    "validate": ("meshwright validate -f examples/shop --strict", "helm template chart | meshwright validate -f -"),
    "export": ("meshwright export --mesh shop > shop.yaml",),
    "import": ("meshwright import dump --dry-run", "meshwright import dump"),
    "doctor": (
        "meshwright doctor",
        "meshwright doctor --process worker --as system:serviceaccount:meshwright:worker -o json",
    ),
    "proxies": ("meshwright proxies", "meshwright proxies -o yaml"),
    "bootstrap": (
        "meshwright bootstrap --mesh shop --node cart-shop --xds control-plane.meshwright:18000 > envoy.json",
        "meshwright bootstrap --grpc --mesh shop --node web-shop --xds localhost:18000 > grpc.json",
    ),
    "proxy-init": ("meshwright proxy-init --dry-run",),
    "search-attributes": ("meshwright search-attributes --temporal-address temporal:7233",),
    "codec-server": ("meshwright codec-server --payload-keys-file keys --codec-origins http://localhost:8233",),
    "up": ("meshwright up --detach --dir try", "meshwright up --external kubernetes,temporal"),
    "down": ("meshwright down --dir try",),
    "restart": ("meshwright restart worker watcher", "meshwright restart all"),
    "env": ('eval "$(meshwright env --dir try)"',),
}
"""Command → what one types."""


def epilog(command: str) -> str:
    """The end of the command's help: a line for each example."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  {each}".replace("[", "\\[") for each in EXAMPLES[command])])
