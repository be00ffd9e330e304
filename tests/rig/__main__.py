"""`make rig`: everything the live tests look at, up for a person, until Ctrl-C."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from tests.rig import backstage, cluster, payment, prometheus, registry
from tests.rig.cluster import Rig
from workshop.content import Lab, load_lab

_CONTEXT = "kind-techmarket"


def main() -> None:
    """Bring the components up side by side, say where they are, and wait."""
    lab = load_lab("techmarket")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: everything is taken down
    with tempfile.TemporaryDirectory(prefix="wr-", dir="/tmp") as name, ExitStack() as stack:
        folder = Path(name)
        print("starting …", flush=True)
        with ThreadPoolExecutor() as pool:
            services = pool.submit(lambda: list(map(stack.enter_context, _services(lab, folder))))
            rig = stack.enter_context(cluster.running(folder / "state"))
        for publish in services.result():
            publish(rig)
        print(f"\nexport KUBECONFIG={_kubeconfig(rig, folder)}", flush=True)
        print("workshop check, kubectl get pods -A … see it as the context kind-techmarket; Ctrl-C ends it.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("ending …", flush=True)


Publish = Callable[[Rig], None]


def _services(lab: Lab, folder: Path) -> Iterator[AbstractContextManager[Publish]]:
    yield _scraped(lab, folder)
    yield _registry(folder)
    yield _portal(lab, folder)


@contextmanager
def _scraped(lab: Lab, folder: Path) -> Iterator[Publish]:
    """The payment-service with somebody who visits it, and the Prometheus that scrapes it."""
    (folder / "payment").mkdir()
    with (
        payment.running(folder / "payment", failure_rate=0.0005) as service,
        service.visited(),
        prometheus.running(folder / "prometheus", {"payment-service": [service.target]}) as server,
    ):
        print(
            f"payment-service http://{service.target}\nPrometheus http://127.0.0.1:{server.port}", flush=True
        )

        def publish(rig: Rig) -> None:
            manifests = (lab.materials / "kubernetes" / "payment-service.yaml").read_text(encoding="utf-8")
            rig.apply(*yaml.safe_load_all(manifests))
            rig.carry("default", "payment-service", service.port)
            rig.publish("monitoring", "prometheus-operated", 9090, server.port)

        yield publish


@contextmanager
def _registry(folder: Path) -> Iterator[Publish]:
    """An OCI registry. Pods are played and pull nothing: it is for cosign."""
    (folder / "registry").mkdir()
    with registry.running(folder / "registry") as made:
        print(f"registry {made.url}", flush=True)
        yield lambda _rig: None


@contextmanager
def _portal(lab: Lab, folder: Path) -> Iterator[Publish]:
    """Backstage's backend with the solution's entities."""
    (folder / "backstage").mkdir()
    files = backstage.entity_files(lab, *backstage.SERVICES, template=True)
    kinds = (*backstage.USUAL, "Template")
    config = backstage.app_config(folder / "backstage", backstage.node_port(), files, kinds=kinds)
    with backstage.running(folder / "backstage", config) as portal:
        print(f"Backstage http://localhost:{portal.port}", flush=True)
        yield lambda rig: rig.publish("backstage", "backstage", 7007, portal.port)


def _kubeconfig(rig: Rig, folder: Path) -> Path:
    """Write a kubeconfig that calls this cluster what a student's own is called."""
    config = yaml.safe_load(rig.sandbox.kubeconfig.read_text(encoding="utf-8"))
    config["contexts"][0]["name"] = config["current-context"] = _CONTEXT
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    path.chmod(0o600)
    return path


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as missing:
        raise SystemExit(str(missing)) from None
