"""Names of functions that CEL compiles, in the policies of Kyverno 1.19 and of Kubernetes 1.35.

Asked of the engines themselves: any other name is an undeclared reference, which no overload can save.
Functions called through the name of their library (`math.greatest`) are not among them.
"""

from __future__ import annotations

from typing import Final

#: Rewritten before anything is evaluated, so that they are no functions.
_REWRITTEN: Final = (
    "has all exists exists_one existsOne filter map bind optMap optFlatMap "
    "transformList transformMap transformMapEntry sortBy"
)
MACROS: Final = frozenset(_REWRITTEN.split())
_STANDARD: Final = (
    "bool bytes contains double duration dyn endsWith getDate getDayOfMonth getDayOfWeek getDayOfYear "
    "getFullYear getHours getMilliseconds getMinutes getMonth getSeconds hasValue int list matches or "
    "orValue size startsWith string timestamp type uint unwrapOpt value"
)
_EXTENSIONS: Final = (
    "charAt distinct find findAll first flatten format indexOf isSorted join last lastIndexOf lowerAscii "
    "max min replace reverse slice sort split substring sum trim upperAscii"
)
_KUBERNETES: Final = (
    "add allowed asApproximateFloat asInteger check cidr compareTo containsCIDR containsIP error errored "
    "family fieldSelector getEscapedPath getHost getHostname getPort getQuery getScheme group ip isCIDR "
    "isGlobalUnicast isGreaterThan isIP isInteger isLessThan isLinkLocalMulticast isLinkLocalUnicast "
    "isLoopback isQuantity isSemver isURL isUnspecified labelSelector major masked minor name namespace "
    "patch path prefixLength quantity reason resource semver serviceAccount sign sub subresource url "
    "validate"
)
_KYVERNO: Final = (
    "containsDigest digest extractPayload get getImageData getMetadata identifier image isImage "
    "listObjToMap marshal md5 parse parseImageReference parseServiceAccount post random registry "
    "repository sha1 sha256 tag unmarshal verifyAttestationSignatures verifyImageSignatures"
)
FUNCTIONS: Final = frozenset(" ".join((_STANDARD, _EXTENSIONS, _KUBERNETES, _KYVERNO)).split())


def declared(name: str) -> bool:
    """Whether a call without a library's name can compile at all."""
    return name in FUNCTIONS or name in MACROS
