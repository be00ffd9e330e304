"""Label matchers: `=`, `!=`, and fully anchored regular expressions.

The parser has already compiled every pattern with a linear-time engine; here the same pattern is matched
against short values of our own with Python's, so patterns that could backtrack for long are not tried.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

from promql_parser import Matcher, MatchOp

from workshop.promql.syntax import Beyond

Labels = Mapping[str, str]
_POSIX: Final = {"[:digit:]": "0-9", "[:alpha:]": "A-Za-z", "[:alnum:]": "0-9A-Za-z", "[:lower:]": "a-z"}
_CLASS_OR_ESCAPE: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]")
_QUANTIFIER: Final = re.compile(r"[*+?]|\{\d*,?\d*\}")
_NESTED: Final = re.compile(r"(?:[*+]|\{\d*,\d*\})[^()]*\)+(?:[*+]|\{)")
_MAX_PATTERN: Final = 300
_MAX_QUANTIFIERS: Final = 12


def accepts(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether every matcher accepts the labels; a label that is absent counts as empty. Raises Beyond."""
    return all(accepts_value(matcher, labels.get(matcher.name, "")) for matcher in matchers)


def accepts_value(matcher: Matcher, value: str) -> bool:
    """Whether one matcher accepts a value. Raises Beyond for a pattern that is not tried."""
    if matcher.op == MatchOp.Equal:
        return value == matcher.value
    if matcher.op == MatchOp.NotEqual:
        return value != matcher.value
    matched = _compiled(matcher.value).fullmatch(value) is not None
    return matched if matcher.op == MatchOp.Re else not matched


def is_positive(matcher: Matcher) -> bool:
    """Whether the matcher selects (`=`, `=~`) rather than leaves out."""
    return matcher.op in (MatchOp.Equal, MatchOp.Re)


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    for name, characters in _POSIX.items():
        pattern = pattern.replace(name, characters)
    bare = _CLASS_OR_ESCAPE.sub("x", pattern)
    open_ended = [each for each in _QUANTIFIER.findall(bare) if not re.fullmatch(r"\{\d\}", each)]
    if len(pattern) > _MAX_PATTERN or len(open_ended) > _MAX_QUANTIFIERS or _NESTED.search(bare):
        raise Beyond(f"the pattern {pattern[:60]}")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise Beyond(f"the pattern {pattern[:60]}") from error
