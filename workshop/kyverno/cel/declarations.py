"""What an expression may name and call, with types: Kubernetes 1.35 and Kyverno 1.19, data for the checker.

Sources: cel-go's ext package, k8s.io/apiserver/pkg/cel/library, Kyverno's sdk and pkg/cel/compiler. Functions
by the type of their receiver ("" for those without); types the library does not know are opaque to it.
"""

from __future__ import annotations

from typing import Final

_COMPARABLE: Final = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_LISTS: Final = {
    "list<~A>": "indexOf(~A) int; lastIndexOf(~A) int",
    **{
        f"list<{kind}>": f"isSorted() bool; max() {kind}; min() {kind}"
        + (f"; sum() {kind}" if kind in {"int", "uint", "double", "duration"} else "")
        + ("; join() string; join(string) string" if kind == "string" else "")
        for kind in _COMPARABLE
    },
}
STRINGS: Final = {
    "string": (
        "charAt(int) string; indexOf(string) int; indexOf(string, int) int; lastIndexOf(string) int; "
        "lastIndexOf(string, int) int; lowerAscii() string; upperAscii() string; trim() string; "
        "replace(string, string) string; replace(string, string, int) string; split(string) list<string>; "
        "split(string, int) list<string>; substring(int) string; substring(int, int) string; "
        "format(list<dyn>) string"
    ),
    "": "strings.quote(string) string",
}
_KUBERNETES: Final = {
    "": (
        "quantity(string) kubernetes.Quantity; isQuantity(string) bool; sign(kubernetes.Quantity) int; "
        "url(string) kubernetes.URL; isURL(string) bool; ip(string) net.IP; isIP(string) bool; "
        "ip.isCanonical(string) bool; cidr(string) net.CIDR; isCIDR(string) bool; "
        "semver(string) kubernetes.Semver; semver(string, bool) kubernetes.Semver; isSemver(string) bool; "
        "isSemver(string, bool) bool; format.named(string) optional_type<kubernetes.NamedFormat>"
    ),
    "string": "find(string) string; findAll(string) list<string>; findAll(string, int) list<string>",
    "kubernetes.Quantity": (
        "isGreaterThan(kubernetes.Quantity) bool; isLessThan(kubernetes.Quantity) bool; "
        "compareTo(kubernetes.Quantity) int; asApproximateFloat() double; asInteger() int; isInteger() bool; "
        "add(kubernetes.Quantity) kubernetes.Quantity; add(int) kubernetes.Quantity; "
        "sub(kubernetes.Quantity) kubernetes.Quantity; sub(int) kubernetes.Quantity"
    ),
    "kubernetes.URL": (
        "getScheme() string; getHost() string; getHostname() string; getPort() string; "
        "getEscapedPath() string; getQuery() map<string,list<string>>"
    ),
    "net.IP": (
        "family() int; isUnspecified() bool; isLoopback() bool; isLinkLocalMulticast() bool; "
        "isLinkLocalUnicast() bool; isGlobalUnicast() bool"
    ),
    "net.CIDR": (
        "containsIP(string) bool; containsIP(net.IP) bool; containsCIDR(string) bool; "
        "containsCIDR(net.CIDR) bool; ip() net.IP; prefixLength() int; masked() net.CIDR"
    ),
    "kubernetes.Semver": (
        "isGreaterThan(kubernetes.Semver) bool; isLessThan(kubernetes.Semver) bool; "
        "compareTo(kubernetes.Semver) int; major() int; minor() int; patch() int"
    ),
    "kubernetes.NamedFormat": "validate(string) optional_type<list<string>>",
}
_FORMATS: Final = {
    "": "; ".join(
        f"format.{name}() kubernetes.NamedFormat"
        for name in (
            *("dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix"),
            *("dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date"),
            "datetime",
        )
    )
}
_AUTHORIZER: Final = {
    "kubernetes.authorization.Authorizer": (
        "path(string) kubernetes.authorization.PathCheck; group(string) kubernetes.authorization.GroupCheck; "
        "serviceAccount(string, string) kubernetes.authorization.Authorizer"
    ),
    "kubernetes.authorization.PathCheck": "check(string) kubernetes.authorization.Decision",
    "kubernetes.authorization.GroupCheck": "resource(string) kubernetes.authorization.ResourceCheck",
    "kubernetes.authorization.ResourceCheck": "; ".join(
        [
            *(
                f"{name}(string) kubernetes.authorization.ResourceCheck"
                for name in ("subresource", "namespace", "name", "fieldSelector", "labelSelector")
            ),
            "check(string) kubernetes.authorization.Decision",
        ]
    ),
    "kubernetes.authorization.Decision": "errored() bool; error() string; allowed() bool; reason() string",
}
_IMAGE: Final = {
    "": ("image(string) kyverno.image; parseImageReference(string) kyverno.image; isImage(string) bool"),
    "kyverno.image": (
        "containsDigest() bool; registry() string; repository() string; identifier() string; "
        "identifierWithSeparator() string; tag() string; digest() string"
    ),
}


def _both(library: str, calls: str) -> str:
    """Functions that Kyverno has with the name of their library and, of old, without."""
    return "; ".join(f"{call}; {library}.{call}" for call in calls.split("; "))


_KYVERNO: Final = {
    "": "; ".join(
        [
            _both("user", "parseServiceAccount(string) map<string,string>"),
            _both("hash", "sha1(string) string; sha256(string) string; md5(string) string"),
            _both("random", "random() string; random(string) string"),
            _both("transform", "listObjToMap(list<dyn>, list<dyn>, string, string) map<dyn,dyn>"),
            "gzip.compress(dyn) bytes; gzip.decompress(bytes) string; time.now() timestamp",
            "time.toCron(timestamp) string; time.truncate(timestamp, duration) timestamp",
        ]
    ),
    "json.Json": "unmarshal(dyn) dyn; marshal(dyn) string",
    "yaml.Yaml": "parse(string) dyn",
    "imagedata.Context": "GetMetadata(string) dyn; getMetadata(string) dyn",
    "globalcontext.Context": "; ".join(
        f"{name}(string) dyn; {name}(string, string) dyn" for name in ("Get", "get")
    ),
    "http.Context": "; ".join(
        f"{get}(string) dyn; {get}(string, map<string,string>) dyn; {post}(string, dyn) dyn; "
        f"{post}(string, dyn, map<string,string>) dyn; {client}(string) http.Context"
        for get, post, client in (("Get", "Post", "Client"), ("get", "post", "client"))
    ),
}
_ONE, _MANY = "map<string,dyn>", "map<string,string>"


def _resource(place: str) -> str:
    """The calls of ``resource``; in a policy of a namespace they name none (`place` is "")."""
    gvr = "schema.GroupVersionResource"
    return "; ".join(
        f"{get}(string, string{place}, string) {_ONE}; {get}({gvr}{place}, string) {_ONE}; "
        f"{many}(string, string{place}) {_ONE}; {many}(string, string{place}, {_MANY}) {_ONE}; "
        f"{many}({gvr}{place}) {_ONE}; {many}({gvr}{place}, {_MANY}) {_ONE}; "
        f"{post}(string, string{place}, {_ONE}) {_ONE}; {gvr_of}(string, string) {gvr}"
        + (f"; {post}(string, string, {_ONE}) {_ONE}" if place else "")
        for get, many, post, gvr_of in (("Get", "List", "Post", "ToGVR"), ("get", "list", "post", "toGVR"))
    )


_MUTATION: Final = {
    "": (
        "Object__(map<string,dyn>) Object; JSONPatch__(map<string,dyn>) JSONPatch; "
        "Part__(map<string,dyn>) dyn; text__(string) string; jsonpatch.escapeKey(string) string"
    )
}
_VERIFICATION: Final = {
    "": (
        "verifyImageSignatures(string, list<dyn>) int; "
        "verifyAttestationSignatures(string, string, list<dyn>) int; getImageData(string) dyn; "
        "extractPayload(string, string) dyn"
    )
}
_X509: Final = {"": "x509.decode(string) dyn"}
#: orValue of Kyverno's policies takes anything and gives anything; the checker of Kubernetes knows better.
_OR_VALUE: Final = {"dyn": "orValue__(dyn) dyn"}
_OR_VALUE_OF_OPTIONAL: Final = {"optional_type<~A>": "orValue__(~A) ~A"}

_REQUEST: Final = {
    "request__": "dyn",
    **{
        f"request.{name}": "string"
        for name in ("subResource", "requestSubResource", "name", "namespace", "operation")
    },
    **{
        f"request.{holder}{key}": "string" if key else f"kubernetes.GroupVersion{last.title()}"
        for holder, last in (
            *(("kind", "kind"), ("requestKind", "kind")),
            *(("resource", "resource"), ("requestResource", "resource")),
        )
        for key in ("", ".group", ".version", f".{last}")
    },
    "request.userInfo": "kubernetes.UserInfo",
    "request.userInfo.username": "string",
    "request.userInfo.uid": "string",
    "request.userInfo.groups": "list<string>",
    "request.userInfo.extra": "map<string,list<string>>",
    "request.dryRun": "bool",
    "request.options": "dyn",
}
_NAMESPACE: Final = {
    "namespaceObject__": "dyn",
    "namespaceObject.metadata": "kubernetes.NamespaceMetadata",
    **{
        f"namespaceObject.metadata.{name}": "string"
        for name in ("name", "generateName", "namespace", "UID", "resourceVersion")
    },
    **{f"namespaceObject.metadata.{name}": "map<string,string>" for name in ("labels", "annotations")},
    **{
        f"namespaceObject.metadata.{name}": "timestamp" for name in ("creationTimestamp", "deletionTimestamp")
    },
    **{f"namespaceObject.metadata.{name}": "int" for name in ("deletionGracePeriodSeconds", "generation")},
    "namespaceObject.metadata.finalizers": "list<string>",
    "namespaceObject.spec": "kubernetes.NamespaceSpec",
    "namespaceObject.spec.finalizers": "list<string>",
    "namespaceObject.status": "kubernetes.NamespaceStatus",
    "namespaceObject.status.conditions": "list<dyn>",
    "namespaceObject.status.phase": "string",
}
_REQUESTED: Final = {"object": "dyn", "oldObject": "dyn", "variables__": "dyn", **_REQUEST, **_NAMESPACE}
_CONTEXTS: Final = {
    "request.object": "dyn",
    "request.oldObject": "dyn",
    "resource": "resource.Context",
    "http": "http.Context",
    "globalContext": "globalcontext.Context",
    "image": "imagedata.Context",
    "json": "json.Json",
    "yaml": "yaml.Yaml",
}
_EXCEPTIONS: Final = {
    "exceptions": "dyn",
    "exceptions.allowedImages": "list<string>",
    "exceptions.allowedValues": "list<string>",
}

Functions = dict[str, str]
_BASE: Final = (_LISTS, STRINGS, _KUBERNETES, _FORMATS)
_COMMON: Final = "optional lists sets two-var-comprehensions"
_KYVERNOS: Final = f"{_COMMON} bindings encoders math regex"


def _kyverno(place: str, *more: Functions) -> tuple[Functions, ...]:
    resource = {"resource.Context": _resource(place)}
    return (*_BASE, _IMAGE, _KYVERNO, resource, _OR_VALUE, *more)


_NATIVE: Final = (*_BASE, _AUTHORIZER, _OR_VALUE_OF_OPTIONAL)
_ASKED_BY_SERVER: Final = {
    **_REQUESTED,
    "authorizer": "kubernetes.authorization.Authorizer",
    "authorizer.requestResource": "kubernetes.authorization.ResourceCheck",
}

#: For each kind of policy: the library's extensions, functions and variables.
PROFILES: Final[dict[str, tuple[str, tuple[Functions, ...], dict[str, str]]]] = {
    "native": (_COMMON, _NATIVE, _ASKED_BY_SERVER),
    "native with params": (_COMMON, _NATIVE, {**_ASKED_BY_SERVER, "params": "dyn"}),
    "native mutating": (_COMMON, (*_NATIVE, _MUTATION), _ASKED_BY_SERVER),
    "native mutating with params": (_COMMON, (*_NATIVE, _MUTATION), {**_ASKED_BY_SERVER, "params": "dyn"}),
    "validating": (_KYVERNOS, _kyverno(", string", _X509), {**_REQUESTED, **_CONTEXTS, **_EXCEPTIONS}),
    "mutating": (
        _KYVERNOS,
        _kyverno(", string", _X509, _MUTATION),
        {**_REQUESTED, **_CONTEXTS, **_EXCEPTIONS},
    ),
    "images": (
        _KYVERNOS,
        _kyverno(", string", _VERIFICATION),
        {
            **_REQUESTED,
            **_CONTEXTS,
            "images": "map<string,list<string>>",
            "attestors": "map<string,dyn>",
            "attestations": "map<string,string>",
        },
    ),
    "reference": (_KYVERNOS, (*_BASE, _IMAGE, _OR_VALUE), {"ref": "string"}),
}
