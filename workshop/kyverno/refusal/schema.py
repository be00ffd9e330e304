"""The fields of Kyverno's policies, for strict decoding: kubectl asks the API server to refuse unknown ones.

Read off the CRDs of Kyverno 1.19. One line a type; ``name!`` is required, ``[t]`` a list, ``map`` a map of
texts, ``any`` anything, ``A|B`` one of these words.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from workshop.kyverno.conditions import OPERATORS

_TYPES = """
ClusterPolicy
  admission:boolean applyRules:All|One background:boolean emitWarning:boolean failurePolicy:Ignore|Fail
  generateExisting:boolean generateExistingOnPolicyUpdate:boolean mutateExistingOnPolicyUpdate:boolean
  rules:[Rule] schemaValidation:boolean useServerSideApply:boolean
  validationFailureAction:audit|enforce|Audit|Enforce validationFailureActionOverrides:[Override]
  webhookConfiguration:Webhook webhookTimeoutSeconds:integer
Override
  action:audit|enforce|Audit|Enforce namespaceSelector:Selector namespaces:[string]
Webhook
  failurePolicy:Ignore|Fail matchConditions:[Named] timeoutSeconds:integer
Named
  name!:string expression!:string
Rule
  name!:string match!:Match exclude:Match celPreconditions:[Named] context:[Entry] generate:any
  imageExtractors:any mutate:Mutate preconditions:any reportProperties:map skipBackgroundRequests:boolean
  validate:Validate verifyImages:[VerifyImage]
Match
  any:[Filter] all:[Filter] resources:Resources clusterRoles:[string] roles:[string] subjects:[Subject]
Filter
  resources:Resources clusterRoles:[string] roles:[string] subjects:[Subject]
Subject
  kind!:string name!:string apiGroup:string namespace:string
Resources
  annotations:map kinds:[string] name:string names:[string] namespaceSelector:Selector namespaces:[string]
  operations:[CREATE|CONNECT|UPDATE|DELETE] selector:Selector
Selector
  matchExpressions:[Expression] matchLabels:map
Expression
  key!:string operator!:string values:[string]
Entry
  name!:string apiCall:any configMap:ConfigMap globalReference:Global imageRegistry:Registry
  variable:Variable
ConfigMap
  name!:string namespace:string
Global
  name!:string jmesPath:string
Registry
  reference!:string jmesPath:string imageRegistryCredentials:any
Variable
  value:any jmesPath:string default:any
Mutate
  foreach:[MutateEach] mutateExistingOnPolicyUpdate:boolean patchStrategicMerge:any patchesJson6902:string
  targets:[Target]
MutateEach
  context:[Entry] foreach:any list:string order:Ascending|Descending patchStrategicMerge:any
  patchesJson6902:string preconditions:Conditions
Target
  apiVersion:string context:[Entry] kind:string name:string namespace:string preconditions:any
  selector:Selector uid:string
Conditions
  any:[Condition] all:[Condition] *:any
Condition
  key:any message:string operator:Operator value:any
Validate
  allowExistingViolations:boolean anyPattern:any assert:any cel:Cel deny:Deny failureAction:Audit|Enforce
  failureActionOverrides:[Override] foreach:[ValidateEach] manifests:any message:string pattern:any
  podSecurity:PodSecurity
Deny
  conditions:any
ValidateEach
  anyPattern:any context:[Entry] deny:Deny elementScope:boolean foreach:any list:string pattern:any
  preconditions:Conditions
Cel
  auditAnnotations:[Audit] expressions:[Check] generate:boolean paramKind:ParamKind paramRef:any
  variables:[Named]
Audit
  key!:string valueExpression!:string
Check
  expression!:string message:string messageExpression:string reason:string
ParamKind
  apiVersion:string kind:string
PodSecurity
  exclude:[Standard] level:privileged|baseline|restricted version:string
Standard
  controlName!:string images:[string] restrictedField:string values:[string]
VerifyImage
  additionalExtensions:map annotations:map attestations:any attestors:[Attestors] cosignOCI11:boolean
  failureAction:Audit|Enforce image:string imageReferences:[string] imageRegistryCredentials:any
  issuer:string key:string mutateDigest:boolean repository:string required:boolean roots:string
  skipImageReferences:[string] subject:string type:Cosign|SigstoreBundle|Notary useCache:boolean
  validate:any verifyDigest:boolean
Attestors
  count:integer entries:[Attestor]
Attestor
  annotations:map attestor:any certificates:Certificates keyless:Keyless keys:Keys repository:string
  signatureAlgorithm:string
Certificates
  cert:string certChain:string ctlog:Ctlog rekor:Rekor
Keyless
  additionalExtensions:map ctlog:Ctlog issuer:string issuerRegExp:string rekor:Rekor roots:string
  subject:string subjectRegExp:string
Keys
  ctlog:Ctlog kms:string publicKeys:string rekor:Rekor secret:SecretRef signatureAlgorithm:string
Ctlog
  ignoreSCT:boolean pubkey:string tsaCertChain:string
Rekor
  ignoreTlog:boolean pubkey:string url:string
SecretRef
  name!:string namespace!:string
ValidatingPolicy
  auditAnnotations:[Audit] autogen:any evaluation:Evaluation failurePolicy:Ignore|Fail
  matchConditions:[Named] matchConstraints:Constraints validationActions:[Deny|Audit|Warn]
  validations:[Check] variables:[Named] webhookConfiguration:Timeout
MutatingPolicy
  auditAnnotations:[Audit] autogen:any evaluation:Evaluation failurePolicy:Ignore|Fail
  matchConditions:[Named] matchConstraints:Constraints mutations:[Mutation] reinvocationPolicy:string
  targetMatchConditions:[Named] targetMatchConstraints:Targets variables:[Named]
  webhookConfiguration:Timeout
ValidatingAdmissionPolicy
  auditAnnotations:[Audit] failurePolicy:Ignore|Fail matchConditions:[Named] matchConstraints:Constraints
  paramKind:ParamKind validations:[Check] variables:[Named]
ValidatingAdmissionPolicyBinding
  matchResources:Constraints paramRef:any policyName:string validationActions:[Deny|Audit|Warn]
MutatingAdmissionPolicy
  failurePolicy:Ignore|Fail matchConditions:[Named] matchConstraints:Constraints mutations:[Mutation]
  paramKind:ParamKind reinvocationPolicy:Never|IfNeeded variables:[Named]
MutatingAdmissionPolicyBinding
  matchResources:Constraints paramRef:any policyName:string
ImageValidatingPolicy
  attestations:[Attestation] attestors!:[ImageAttestor] auditAnnotations:[Audit] autogen:any
  credentials:any evaluation:Evaluation failurePolicy:Ignore|Fail images:[Named] matchConditions:[Named]
  matchConstraints:Constraints matchImageReferences:[ImageMatch] validationActions:[Deny|Audit|Warn]
  validationConfigurations:ImageSettings validations!:[Check] variables:[Named]
  webhookConfiguration:Timeout
Evaluation
  admission:Enabled background:Enabled mode:string mutateExisting:Enabled skipBackgroundRequests:boolean
  useServerSideApply:boolean
Enabled
  enabled:boolean
Timeout
  timeoutSeconds:integer
Constraints
  excludeResourceRules:[ResourceRule] matchPolicy:string namespaceSelector:Selector
  objectSelector:Selector resourceRules:[ResourceRule]
Targets
  excludeResourceRules:[ResourceRule] expression:string matchPolicy:string namespaceSelector:Selector
  objectSelector:Selector resourceRules:[ResourceRule]
ResourceRule
  apiGroups:[string] apiVersions:[string] operations:[string] resourceNames:[string] resources:[string]
  scope:string
Mutation
  patchType!:string applyConfiguration:Source jsonPatch:Source
Source
  expression:string
Attestation
  name!:string intoto:TypeOnly referrer:TypeOnly
TypeOnly
  type!:string
ImageMatch
  glob:string expression:string
ImageSettings
  mutateDigest:boolean required:boolean verifyDigest:boolean
ImageAttestor
  name!:string cosign:Cosign notary:Notary
Cosign
  annotations:map certificate:any ctlog:ImageCtlog key:ImageKey keyless:ImageKeyless source:any
  trustedRoot:any tuf:any
ImageCtlog
  ctLogPubKey:string insecureIgnoreSCT:boolean insecureIgnoreTlog:boolean rekorPubKey:string
  tsaCertChain:string url:string
ImageKey
  data:string expression:string hashAlgorithm:string kms:string
ImageKeyless
  additionalExtensions:map identities!:[Identity] roots:string
Identity
  issuer:string issuerRegExp:string subject:string subjectExpression:string subjectRegExp:string
Notary
  certs:any tsaCerts:any
"""
#: v2beta1 lost what was deprecated in v1.
_V2BETA1 = """
Match
  any:[Filter] all:[Filter]
Deny
  conditions:StrictConditions
StrictConditions
  any:[Condition] all:[Condition]
"""
_GONE_IN_V2BETA1 = [
    "additionalExtensions",
    "annotations",
    "image",
    "issuer",
    "key",
    "roots",
    "subject",
    "cosignOCI11",
]


_OPERATORS = "|".join(name for name in OPERATORS if name not in {"Equal", "NotEqual"})
_SCALARS: dict[str, type] = {"string": str, "boolean": bool, "integer": int}


def schema_errors(spec: object, kind: str, *, version: str = "v1") -> list[str]:
    """What strict decoding and validation against the CRD refuse in a policy's `spec`."""
    found: list[str] = []
    _check(spec, kind, "spec", _types(version), found)
    return found


@lru_cache(maxsize=4)
def _types(version: str) -> dict[str, dict[str, str]]:
    """The fields of each type; a required one keeps its ``!``."""
    types: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for line in (_TYPES + (_V2BETA1 if version == "v2beta1" else "")).splitlines():
        if line.startswith(" "):
            fields.update((name, kind) for name, _, kind in (word.partition(":") for word in line.split()))
        elif line:
            fields = types[line] = {}
    if version == "v2beta1":
        del types["Validate"]["allowExistingViolations"]
        types["Rule"]["preconditions"] = "StrictConditions"
        types["VerifyImage"] = {k: v for k, v in types["VerifyImage"].items() if k not in _GONE_IN_V2BETA1}
    return types


def _check(value: Any, kind: str, path: str, types: dict[str, dict[str, str]], found: list[str]) -> None:
    if value is None or kind == "any" or len(found) > 50:
        return
    if kind.startswith("["):
        if not isinstance(value, list):
            found.append(_wrong_type(path, "array", value))
            return
        for index, item in enumerate(value):
            if item is None:
                found.append(
                    _wrong_type(f"{path}[{index}]", "object" if kind[1:-1] in types else "string", item)
                )
            _check(item, kind[1:-1], f"{path}[{index}]", types, found)
    elif kind in types:
        _check_object(value, kind, path, types, found)
    elif kind == "map":
        if not isinstance(value, dict):
            found.append(_wrong_type(path, "object", value))
            return
        for key, item in value.items():
            _check(item, "string", f"{path}.{key}", types, found)
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (kind == "integer" and isinstance(value, bool)):
            found.append(_wrong_type(path, kind, value))
    elif value not in (words := (_OPERATORS if kind == "Operator" else kind).split("|")):
        listed = ", ".join(f'"{word}"' for word in words)
        found.append(f'{path}: Unsupported value: "{value}": supported values: {listed}')


def _check_object(
    value: Any, kind: str, path: str, types: dict[str, dict[str, str]], found: list[str]
) -> None:
    if not isinstance(value, dict):
        found.append(_wrong_type(path, "object", value))
        return
    fields = {name.rstrip("!"): kind for name, kind in types[kind].items()}
    for key, item in value.items():
        if key in fields:
            _check(item, fields[key], f"{path}.{key}", types, found)
        elif "*" not in fields:
            near = get_close_matches(key, fields, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            found.append(f'strict decoding error: unknown field "{path}.{key}"{hint}')
    required = (name[:-1] for name in types[kind] if name.endswith("!"))
    found.extend(f"{path}.{name}: Required value" for name in required if value.get(name) is None)


def _wrong_type(path: str, expected: str, value: object) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    seen = kinds.get(type(value), "null")
    return f'{path}: Invalid value: "{seen}": must be of type {expected}: "{seen}"'
