"""1.4 – the portal shows the Pods: annotation, label, configuration, rights."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from workshop.checking import Document, Exam, Position, Text, check, must, remark, should
from workshop.verdicts import Reason, Source
from workshop.workspace import Unreadable

from ._backstage import (
    KUBERNETES_ID,
    LABEL_SELECTOR,
    PAYMENT,
    annotated,
    component,
    components,
    listed,
    shown,
)
from ._backstage_config import Section, app_configs, objects, waiting
from ._backstage_rights import NEEDED, judge_rights

_LOCAL_HOSTS: Final = ("127.0.0.1", "localhost", "0.0.0.0", "::1")  # noqa: S104 (looked for, not listened on)
# What the plugin's backend knows; at any other word it does not start.
_SERVICE_LOCATORS: Final = ("multiTenant", "singleTenant", "catalogRelation")
_CLUSTER_LOCATORS: Final = ("config", "catalog", "gke", "localKubectlProxy")
_PROVIDERS: Final = (
    "serviceAccount", "google", "googleServiceAccount", "aws", "azure", "aks", "oidc", "localKubectlProxy",
)  # fmt: skip
_AUTH_PROVIDER: Final = "kubernetes.io/auth-provider"
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".pdf")
_WORDS: Final = ("backstage", "kubernetes", "pods", "1.4", "1-4")


@check(level=must)
def each_service_points_at_its_pods(exam: Exam) -> None:
    """Each of the three services says which Pods are its own.

    The plugin asks the clusters for whatever carries this label; without it the tab does not even appear.
    """
    for name, entity in components(exam):
        selector = entity.get("metadata", "annotations", LABEL_SELECTOR)
        if isinstance(selector, str) and selector.strip():
            exam.fact(
                "annotation-present",
                Text("{name} has the annotation {key}", name=name, key=LABEL_SELECTOR),
                met=True,
                where=entity.at("metadata", "annotations", LABEL_SELECTOR),
            )
        else:
            annotated(exam, entity, name, KUBERNETES_ID)


@check(level=should)
def backstage_knows_a_cluster(exam: Exam) -> None:
    """Backstage's configuration names a cluster that its Pod can reach.

    Without a `kubernetes` section the backend leaves the plugin out and says so only in its log.
    """
    configs = app_configs(exam)
    config = next((each for each in configs if isinstance(each.get("kubernetes"), dict)), None)
    judge_cluster_config(exam, config, configs[0].place("kubernetes"))


def judge_cluster_config(exam: Exam, config: Section | None, place: Position | Source) -> None:
    """Record what the section `kubernetes` of an app-config says; `place` is where one would stand."""
    if config is None:
        exam.fail(
            "kubernetes-config-missing",
            Text("The app-config has a section kubernetes"),
            expected=Text("kubernetes: with serviceLocatorMethod and clusterLocatorMethods"),
            observed=Text("no such section"),
            next=Text("Add it to the app-config; a restart of Backstage reads it."),
            where=place,
        )
    locator = config.get("kubernetes", "serviceLocatorMethod")
    kind = locator.get("type") if isinstance(locator, dict) else locator
    exam.fact(
        "service-locator-missing" if kind in (None, "") else "service-locator-unknown",
        Text("It says how services are found on clusters"),
        kind in _SERVICE_LOCATORS,
        expected=Text("serviceLocatorMethod.type, one of: {names}", names=listed(_SERVICE_LOCATORS)),
        observed=shown(kind),
        next=Text("multiTenant: every service may be on every cluster."),
        where=config.place("kubernetes", "serviceLocatorMethod"),
    )
    methods = config.get("kubernetes", "clusterLocatorMethods")
    entries = [each for each in methods if isinstance(each, dict)] if isinstance(methods, list) else []
    exam.fact(
        "cluster-locator-missing",
        Text("It says where the clusters are"),
        bool(entries),
        expected=Text("clusterLocatorMethods: a list with at least one entry"),
        observed=shown(methods),
        next=Text("Add an entry of type config that lists your cluster."),
        where=config.place("kubernetes", "clusterLocatorMethods"),
    )
    for index, entry in enumerate(entries):
        exam.fact(
            "cluster-locator-unknown",
            Text("Backstage knows this way of finding clusters"),
            str(entry.get("type")) in _CLUSTER_LOCATORS,
            expected=Text("type, one of: {names}", names=listed(_CLUSTER_LOCATORS)),
            observed=f"type: {shown(entry.get('type'))}",
            next=Text("Copy the word letter by letter: capital letters count."),
            where=config.place("kubernetes", "clusterLocatorMethods", index, "type"),
        )
        if entry.get("type") == "config":
            _judge_clusters(exam, config, index, entry.get("clusters"))


def _judge_provider(exam: Exam, provider: object, where: Position | Source) -> None:
    """Record an authProvider whose capitals differ; another word may be a strategy of somebody's own."""
    meant = next((each for each in _PROVIDERS if str(provider).lower() == each.lower()), None)
    if meant is not None:
        exam.fact(
            "auth-provider-spelling",
            Text("The authProvider is spelt as the plugin knows it"),
            provider == meant,
            expected=f"authProvider: {meant}",
            observed=f"authProvider: {provider}",
            next=Text("Capitals count: the plugin looks a strategy up by exactly this word."),
            where=where,
        )


def _judge_clusters(exam: Exam, config: Section, index: int, clusters: object) -> None:
    path = ("kubernetes", "clusterLocatorMethods", index, "clusters")
    listed_here = clusters if isinstance(clusters, list) else []
    exam.fact(
        "clusters-missing",
        Text("It lists a cluster"),
        bool(listed_here),
        expected=Text("clusters: a list"),
        observed=shown(clusters),
        next=Text("A cluster has a url, a name and an authProvider."),
        where=config.place(*path),
    )
    for number, cluster in enumerate(listed_here):
        here = dict(cluster) if isinstance(cluster, dict) else {}
        metadata = here.get("authMetadata")
        if isinstance(metadata, dict) and metadata.get(_AUTH_PROVIDER):
            here["authProvider"] = metadata[_AUTH_PROVIDER]
        for key in ("url", "name", "authProvider"):
            exam.fact(
                f"cluster-{key.lower()}-missing",
                Text("The cluster has its {key}", key=key),
                isinstance(here.get(key), str) and bool(here.get(key)),
                expected=key,
                observed=shown(here.get(key)),
                next=Text("Inside the cluster the API server is https://kubernetes.default.svc."),
                where=config.place(*path, number, key),
            )
        _judge_provider(exam, here.get("authProvider"), config.place(*path, number, "authProvider"))
        url = here.get("url")
        if not isinstance(url, str) or not url:
            continue
        exam.fact(
            "cluster-url-local",
            Text("The address works from inside a Pod"),
            _host(url) not in _LOCAL_HOSTS,
            expected="https://kubernetes.default.svc",
            observed=url[:100],
            next=Text("For a Pod this address is the Pod itself: do not copy it from your kubeconfig."),
            where=config.place(*path, number, "url"),
        )
        trusted = here.get("skipTLSVerify") is True or any(here.get(key) for key in ("caData", "caFile"))
        exam.fact(
            "cluster-certificate",
            Text("The cluster's certificate can be verified, or is not"),
            trusted or not url.startswith("https://"),
            expected=Text("caData, caFile, or skipTLSVerify: true"),
            observed=Text("none of them"),
            next=Text("The cluster's authority signed its own certificate: give it, or do without."),
            where=config.place(*path, number),
        )


@check(level=should)
def pods_carry_the_label(exam: Exam) -> None:
    """The Pods of payment-service carry what the annotation asks for.

    Pods answer it by their own labels, not by their Deployment's.
    """
    entity = component(exam, PAYMENT)
    wanted = wanted_labels(entity)
    if wanted is None:
        exam.blocked(
            "selector-not-compared",
            Text("The selector can be compared with labels"),
            reason=Reason.BEYOND_EVALUATOR,
            observed=shown(entity.get("metadata", "annotations", LABEL_SELECTOR)),
        )
    if not wanted:
        exam.blocked("no-annotation", Text("The service says which Pods are its own"), reason=Reason.NEEDS)
    found = [each for each in objects(exam, "Deployment.apps", "StatefulSet.apps") if _is_payment(each)]
    if not found:
        waiting(exam, Text("The Deployment of {name} is in td/", name=PAYMENT))
    for workload in found:
        labels = workload.get("spec", "template", "metadata", "labels")
        pods = labels if isinstance(labels, dict) else {}
        own = workload.get("metadata", "labels")
        for key, value in wanted.items():
            there = pods.get(key)
            above = isinstance(own, dict) and own.get(key) == value
            exam.fact(
                "label-on-deployment-only" if above and there is None else "pods-unlabelled",
                Text("The Pod template has the label {key}", key=key),
                there == value,
                expected=f"spec.template.metadata.labels: {key}: {value}",
                observed=shown(there),
                next=Text("Labels of a Deployment are not passed on: repeat it in the Pod template."),
                where=workload.at("spec", "template", "metadata", "labels", key),
            )


@check(level=should)
def backstage_may_read(exam: Exam) -> None:
    """Backstage's service account may list what the tab shows.

    A Pod's own account may read nothing: the tab then shows errors instead of Pods.
    """
    judge_rights(exam, NEEDED)


@check(level=remark)
def screenshot_is_kept(exam: Exam) -> None:
    """A screenshot of the tab is among the evidence.

    It proves little, a program can look for itself; but it is what the statement asks to hand in.
    """
    files = exam.workspace.files("td/evidence", _PICTURES)
    named = [path for path in files if any(word in path.rpartition("/")[2].lower() for word in _WORDS)]
    if not named:
        exam.blocked(
            "no-screenshot",
            Text("The screenshot is in td/evidence"),
            reason=Reason.MISSING_FILE,
            observed=Text("pictures there: {names}", names=listed(files)),
        )
    for path in named:
        exam.fact(
            "screenshot",
            Text("{path} is a picture", path=path),
            _is_picture(exam, path),
            observed=Text("it is empty, or holds text"),
            next=Text("Save the screenshot itself, not a link to it."),
            where=Source(file=path),
        )


def _is_picture(exam: Exam, path: str) -> bool:
    try:
        exam.workspace.text(path)
    except Unreadable as unreadable:
        return unreadable.problem.kind in ("binary", "encoding", "too-large")
    return False


def wanted_labels(entity: Document) -> dict[str, str] | None:
    """Return the labels that the entity's annotation asks for; a selector's other operators are left out.

    None when the selector has nothing but such operators, or is none.
    """
    selector = entity.get("metadata", "annotations", LABEL_SELECTOR)
    if isinstance(selector, str) and selector.strip():
        pairs = (part.replace("==", "=").partition("=") for part in selector.split(",") if "!=" not in part)
        return {key.strip(): value.strip() for key, sign, value in pairs if sign} or None
    value = entity.get("metadata", "annotations", KUBERNETES_ID)
    return {KUBERNETES_ID: value.strip()} if isinstance(value, str) and value.strip() else {}


def _is_payment(workload: Document) -> bool:
    labels = workload.get("spec", "template", "metadata", "labels")
    app = labels.get("app") if isinstance(labels, dict) else None
    return PAYMENT in (workload.get("metadata", "name"), app)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
