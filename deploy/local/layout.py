"""Where everything lies below DIR, the directory of one local stack.

`env`, `run/<part>.pid` and `log/<part>.log` are a contract: people and scripts read them. The rest is ours.
What must outlive `down` is under `data/`, `credentials/` and `ports.json`; `run/` describes the running stack only.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The paths of one stack."""

    directory: Path

    @classmethod
    def at(cls, directory: Path) -> "Layout":
        """The layout of a directory that need not exist yet; relative paths are resolved once, here."""
        return cls(directory.expanduser().resolve())

    @property
    def env(self) -> Path:
        """`export NAME=value` lines for a shell."""
        return self.directory / "env"

    @property
    def data(self) -> Path:
        """Databases of the parts."""
        return self.directory / "data"

    @property
    def credentials(self) -> Path:
        """Keys and certificates; readable by the owner alone."""
        return self.directory / "credentials"

    @property
    def kubeconfig(self) -> Path:
        """Cluster administrator of the stack's own kube-apiserver."""
        return self.directory / "kubeconfig"

    @property
    def ports(self) -> Path:
        """The ports that were picked, so that the next `up` takes the same."""
        return self.directory / "ports.json"

    @property
    def run(self) -> Path:
        """Pid files, status and requests of the running stack."""
        return self.directory / "run"

    @property
    def logs(self) -> Path:
        """One file per part."""
        return self.directory / "log"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives: the one test for "is it up"."""
        return self.run / "supervisor.lock"

    @property
    def status(self) -> Path:
        """What the supervisor last said about each part (JSON)."""
        return self.run / "status.json"

    @property
    def plan(self) -> Path:
        """What a supervisor is to start (JSON)."""
        return self.run / "plan.json"

    @property
    def audit_policy(self) -> Path:
        """What kube-apiserver is told to write into its audit log."""
        return self.run / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """What service accounts asked of kube-apiserver, an event a line."""
        return self.logs / "kubernetes-audit.log"

    def pid(self, part: str) -> Path:
        """The pid file of a part."""
        return self.run / f"{part}.pid"

    def identity(self, part: str) -> Path:
        """Beside the pid file: which process that pid was, so that a recycled pid is never taken for it."""
        return self.run / f"{part}.identity"

    def restart_request(self, part: str) -> Path:
        """Exists while a restart of the part is asked for and not yet begun."""
        return self.run / f"{part}.restart"

    def log(self, part: str) -> Path:
        """The log file of a part."""
        return self.logs / f"{part}.log"

    def create(self) -> None:
        """Make the directories; only the owner may enter, for there are keys inside."""
        for folder in (self.directory, self.data, self.credentials, self.run, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
