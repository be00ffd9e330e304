"""What answers behind the Services of the finished lab: real programs, each with a proxy before it.

Backstage with the reference entities, the payment-service with somebody who visits it, and a Prometheus
that scrapes it and records what the reference rules say. Their proxies spoil what a Service itself answers;
what an API server says in their place is spoilt before the API server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.proxy import Origin, Proxy, before
from tests.rig import backstage, payment, prometheus
from tests.rig.cluster import Rig
from tests.rig.prometheus import Prometheus
from tests.rig.test_prometheus import reference_rules
from workshop.content import Lab

_PAUSE: Final = 0.2
# The three services run the same program: one process stands for all of them.
_SCRAPED: Final = ("payment-service", "backend-api", "frontend-app")
_METRIC: Final = "payment_service:success_rate:ratio"


@dataclass(frozen=True, slots=True)
class Services:
    """The proxies before Backstage, Prometheus and the payment-service, by the name of the application."""

    fronts: Mapping[str, Proxy]
    prometheus: Prometheus

    @property
    def portal_port(self) -> int:
        """The port of this machine at which Backstage answers, as if it were a node's."""
        return self.fronts["backstage"].port

    def carry(self, rig: Rig) -> None:
        """Let the Services of the cluster end here."""
        services = {
            "backstage": ("backstage", {"backstage"}),
            "prometheus": ("monitoring", {"monitoring-kube-prometheus-prometheus"}),
            "payment-service": ("default", _selecting(rig, "payment-service")),
        }
        for name, (namespace, found) in services.items():
            for service in sorted(found):
                rig.carry(namespace, service, self.fronts[name].port)

    def has_recorded_since(self, moment: float) -> None:
        """Return once Prometheus has recorded what checks will ask it for, after a moment."""
        query = f"count_over_time({_METRIC}[{max(1, int(time.time() - moment))}s])"
        self.prometheus.until(lambda: (self.prometheus.value(query) or 0) >= 1, "nothing is recorded")
        self.prometheus.until(self._scrapes_all, "a target is not scraped")

    def _scrapes_all(self) -> bool:
        targets = self.prometheus.ask("targets", state="active")["activeTargets"]
        return len(targets) == len(_SCRAPED) and all(each["health"] == "up" for each in targets)


def _selecting(rig: Rig, app: str) -> set[str]:
    """Return the Services of the default namespace that select an application's Pods."""
    found = rig.api.request("GET", "/api/v1/namespaces/default/services")["items"]
    return {
        each["metadata"]["name"] for each in found if (each["spec"].get("selector") or {}).get("app") == app
    }


@contextmanager
def running(lab: Lab, folder: Path) -> Iterator[Services]:
    """Run them all, started side by side. Skips where one of them cannot be had."""
    payment.need()
    prometheus.need()
    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:
            portal = pool.submit(stack.enter_context, _portal(lab, folder / "backstage"))
            scraped = pool.submit(stack.enter_context, _scraped(lab, folder))
        (service, server), portal_front = scraped.result(), portal.result()
        fronts = {
            "backstage": portal_front,
            "prometheus": stack.enter_context(before(Origin(server.port))),
            "payment-service": stack.enter_context(before(Origin(service.port))),
        }
        yield Services(fronts, server)


@contextmanager
def _portal(lab: Lab, folder: Path) -> Iterator[Proxy]:
    """Backstage behind a port of the range that nodes give to Services."""
    folder.mkdir()
    files = backstage.entity_files(lab, *backstage.SERVICES, template=True)
    kinds = (*backstage.USUAL, "Template")
    config = backstage.app_config(folder, backstage.node_port(), files, kinds=kinds)
    with (
        backstage.running(folder, config) as portal,
        before(Origin(portal.port), backstage.node_port()) as front,
    ):
        portal.until(
            lambda: {"payment-service", backstage.TEMPLATE} <= portal.names(), "the catalogue filled"
        )
        yield front


@contextmanager
def _scraped(lab: Lab, folder: Path) -> Iterator[tuple[payment.Payment, Prometheus]]:
    (folder / "payment").mkdir()
    with (
        payment.running(folder / "payment") as service,
        service.visited(_PAUSE),
        prometheus.running(folder / "prometheus", {each: [service.target] for each in _SCRAPED}) as server,
    ):
        server.load(reference_rules(lab))
        server.until(lambda: server.value(_METRIC) is not None, "nothing is recorded")
        yield service, server
