"""The scaffolder's actions: which exist, what they take and what they give.

Source: the actions of npm `@backstage/plugin-scaffolder-backend` 4.2 and its modules (github 0.10, gitlab,
azure, bitbucket, gitea, gerrit, cookiecutter, rails, yeoman, notifications, sentry).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

REGISTER: Final = "catalog:register"
# What hands values to a skeleton; fetch:plain copies as it is.
FETCH_WITH_VALUES: Final = frozenset(
    {"fetch:template", "fetch:template:file", "fetch:cookiecutter", "fetch:rails"}
)
FETCH: Final = FETCH_WITH_VALUES | {"fetch:plain", "fetch:plain:file"}
PUBLISH: Final = "publish:github"
CREATE: Final = "github:repo:create"
PUSH: Final = "github:repo:push"

_GITHUB: Final = frozenset(
    {PUBLISH, CREATE, PUSH, "publish:github:pull-request", "github:actions:dispatch",
     "github:autolinks:create", "github:branch-protection:create", "github:deployKey:create",
     "github:environment:create",
     "github:issues:create", "github:issues:label", "github:pages:enable", "github:webhook",
     "github:repo:delete", "github:ruleset:create"}
)  # fmt: skip
_BUILT_IN: Final = frozenset(
    {"catalog:fetch", REGISTER, "catalog:write", "debug:log", "debug:wait", "fs:delete", "fs:read",
     "fs:readdir", "fs:rename", "workspace:template", "workspace:template:file"}
)  # fmt: skip
_OTHER_HOSTS: Final = frozenset(
    {"publish:gitlab", "publish:gitlab:merge-request", "publish:azure", "publish:bitbucketCloud",
     "publish:bitbucketCloud:pull-request", "publish:bitbucketServer", "publish:bitbucketServer:pull-request",
     "publish:bitbucket", "publish:gitea", "publish:gerrit", "publish:gerrit:review", "gitlab:repo:push",
     "gitlab:issues:create", "gitlab:issue:edit", "gitlab:pipeline:trigger", "gitlab:projectVariable:create",
     "gitlab:projectAccessToken:create", "gitlab:projectDeployToken:create", "gitlab:group:ensureExists",
     "gitlab:group:access", "gitlab:project:migrate", "gitlab:user:info", "bitbucket:pipelines:run"}
)  # fmt: skip
_OTHERS: Final = frozenset(
    {"notification:send", "run:yeoman", "sentry:project:create", "confluence:transform:markdown"}
)
KNOWN: Final = FETCH | _BUILT_IN | _GITHUB | _OTHER_HOSTS | _OTHERS
# An unknown action behind one of these prefixes is a misspelling; behind another it may be somebody's own.
_OWN_PREFIXES: Final = frozenset({"fetch", "publish", "catalog", "github", "fs", "debug", "workspace"})

OUTPUTS: Final[Mapping[str, frozenset[str]]] = {
    PUBLISH: frozenset({"remoteUrl", "repoContentsUrl", "commitHash"}),
    PUSH: frozenset({"remoteUrl", "repoContentsUrl", "commitHash"}),
    CREATE: frozenset({"remoteUrl", "repoContentsUrl"}),  # the second is declared, and never given
    REGISTER: frozenset({"entityRef", "catalogInfoUrl"}),
    **dict.fromkeys(FETCH, frozenset[str]()),
}
_PROTECTION: Final = frozenset(
    {"bypassPullRequestAllowances", "requiredApprovingReviewCount", "restrictions", "requireCodeOwnerReviews",
     "requiredStatusCheckContexts", "requireBranchesToBeUpToDate", "requiredConversationResolution",
     "requireLastPushApproval", "requiredCommitSigning", "requiredLinearHistory", "dismissStaleReviews"}
)  # fmt: skip
_MAKING: Final = _PROTECTION | {
    "repoUrl", "description", "homepage", "access", "repoVisibility", "deleteBranchOnMerge",
    "allowMergeCommit", "allowSquashMerge", "squashMergeCommitTitle", "squashMergeCommitMessage",
    "allowRebaseMerge", "allowAutoMerge", "allowUpdateBranch", "collaborators", "hasProjects", "hasWiki",
    "hasIssues", "token", "topics", "repoVariables", "secrets", "oidcCustomization", "customProperties",
    "subscribe", "autoInit", "workflowAccess",
}  # fmt: skip
_FILLING: Final = _PROTECTION | {
    "repoUrl", "defaultBranch", "protectDefaultBranch", "protectEnforceAdmins", "gitCommitMessage",
    "gitAuthorName", "gitAuthorEmail", "sourcePath", "token",
}  # fmt: skip
INPUTS: Final[Mapping[str, frozenset[str]]] = {
    REGISTER: frozenset({"catalogInfoUrl", "repoContentsUrl", "catalogInfoPath", "optional"}),
    PUBLISH: _MAKING | _FILLING,
    CREATE: _MAKING,
    PUSH: _FILLING,
    "fetch:template": frozenset(
        {"url", "targetPath", "values", "copyWithoutRender", "copyWithoutTemplating", "cookiecutterCompat",
         "templateFileExtension", "replace", "trimBlocks", "lstripBlocks", "token"}
    ),
}  # fmt: skip

#: The types of inputs, as the actions' own schemas have them: text, flag, map, or one of a few words.
INPUT_TYPES: Final[Mapping[str, Mapping[str, str | tuple[str, ...]]]] = {
    REGISTER: {
        "catalogInfoUrl": "text", "repoContentsUrl": "text", "catalogInfoPath": "text", "optional": "flag",
    },
    "fetch:template": {"url": "text", "targetPath": "text", "values": "map"},
    "fetch:plain": {"url": "text", "targetPath": "text"},
    PUBLISH: {
        "repoUrl": "text", "description": "text", "homepage": "text", "defaultBranch": "text",
        "gitCommitMessage": "text", "gitAuthorName": "text", "gitAuthorEmail": "text", "sourcePath": "text",
        "access": "text", "token": "text", "repoVisibility": ("private", "public", "internal"),
        "protectDefaultBranch": "flag", "protectEnforceAdmins": "flag", "deleteBranchOnMerge": "flag",
        "requireCodeOwnerReviews": "flag", "dismissStaleReviews": "flag", "hasIssues": "flag",
        "hasProjects": "flag", "hasWiki": "flag", "allowSquashMerge": "flag", "allowMergeCommit": "flag",
        "allowRebaseMerge": "flag", "allowAutoMerge": "flag", "requiredCommitSigning": "flag",
    },
}  # fmt: skip

_FREQUENT: Final[Mapping[str, str]] = {
    "catalog:add": REGISTER,
    "catalog:create": REGISTER,
    "catalog:import": REGISTER,
    "catalog:publish": REGISTER,
    "register:catalog": REGISTER,
    "register": REGISTER,
    "github:publish": PUBLISH,
    "github:create": PUBLISH,
    "create:github": PUBLISH,
    "publish:git": PUBLISH,
    "fetch:skeleton": "fetch:template",
    "template:fetch": "fetch:template",
    "github:create:repo": CREATE,
    "github:repo": CREATE,
    "github:push": PUSH,
}


def meant(action: str) -> str:
    """Return the action itself when it exists, else the one it was probably meant to be, else the action."""
    if action in KNOWN:
        return action
    lowered = action.strip().lower().replace(".", ":").replace("/", ":").replace(" ", "")
    if lowered in KNOWN:
        return lowered
    if lowered in _FREQUENT:
        return _FREQUENT[lowered]
    near = difflib.get_close_matches(lowered, sorted(KNOWN), n=1, cutoff=0.8)
    return near[0] if near else action


def is_misspelt(action: str) -> bool:
    """Whether no Backstage knows the action. False for one that may come from a plugin of somebody's own."""
    return action not in KNOWN and (meant(action) != action or action.partition(":")[0] in _OWN_PREFIXES)
