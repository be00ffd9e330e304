"""What is worth saying about an expression that measures the right thing."""

from __future__ import annotations

from promql_parser import Call, Expr, SubqueryExpr

from workshop.promql.demand import Demand, Window
from workshop.promql.findings import Finding
from workshop.promql.functions import RATES
from workshop.promql.syntax import aggregations, calls, unwrapped
from workshop.texts import Text
from workshop.verdicts import Level


def several_series(count: int) -> Finding:
    """Return the remark on a record of more than one series."""
    return Finding(
        "several-series",
        Level.REMARK,
        Text("One value speaks for the whole service"),
        Text("a single series"),
        Text("{count} series, one a Pod or so", count=count),
        Text("Drop the grouping: the objective is about the service, not about one of its Pods."),
    )


def in_percent() -> Finding:
    """Return the remark on a ratio that was multiplied by 100."""
    return Finding(
        "percent",
        Level.REMARK,
        Text("The record is a ratio between 0 and 1"),
        Text("a value between 0 and 1, as its name “:ratio” says"),
        Text("a value between 0 and 100"),
        Text("Drop the factor 100: a dashboard turns a ratio into per cent by itself."),
    )


def empty_without_errors() -> Finding:
    """Return the remark on a record that waits for the first error."""
    return Finding(
        "empty-without-errors",
        Level.REMARK,
        Text("The record exists before the first error"),
        Text("1 as long as no request has failed"),
        Text("nothing is recorded until a first 5xx has happened"),
        Text("A series that never existed is absent, not 0: give the errors a default with “or”."),
    )


def empty_until_seen() -> Finding:
    """Return the remark on a sum that waits for every status it adds up."""
    return Finding(
        "empty-until-seen",
        Level.REMARK,
        Text("The record exists as soon as there is traffic"),
        Text("a value from the first request on"),
        Text("nothing is recorded until every kind of status it adds up has happened once"),
        Text("Let one selector cover all of them, instead of adding up several."),
    )


def codes_listed(codes: str) -> Finding:
    """Return the remark on status codes that a list forgot."""
    return Finding(
        "codes-listed",
        Level.REMARK,
        Text("Every status code is on the right side, rare ones too"),
        Text("everything but 500 to 599 is a success"),
        Text("{codes} on the wrong side", codes=codes),
        Text("A list of codes is never complete: match the first digit instead."),
    )


def window_advice(demand: Demand) -> list[Finding]:
    """Return remarks on windows: too short to hold two scrapes, different on the two sides, irate, delta."""
    found: list[Finding] = []
    windows: list[Window] = demand.windows
    if any(window.seconds < 60 for window in windows):
        found.append(
            Finding(
                "window-too-short",
                Level.SHOULD,
                Text("The window holds several scrapes"),
                Text("1 minute or more: four times the usual scrape interval of 15 s"),
                Text("{seconds} s", seconds=f"{min(window.seconds for window in windows):g}"),
                Text("Widen the window: a rate needs at least two points, and one scrape may be missed."),
            )
        )
    if len(windows) > 1 and not demand.has_subquery:
        found.append(
            Finding(
                "windows-differ",
                Level.SHOULD,
                Text("All parts of the expression look at the same window"),
                Text("one range and one offset"),
                Text("several: {ranges}", ranges=", ".join(_shown(each) for each in windows)),
                Text("Use the same range everywhere, or the parts describe different moments."),
            )
        )
    if any(_rate_of_sum(node) for node in demand.nodes):
        found.append(
            Finding(
                "sum-before-rate",
                Level.SHOULD,
                Text("Rates are taken before they are summed"),
                Text("sum(rate(…)), never rate(sum(…))"),
                Text("the rate of a sum"),
                Text("A Pod that restarts lowers the sum, and rate() takes that for a restart of all."),
            )
        )
    for node in demand.nodes:
        name = next((call.func.name for call in calls(node, "irate", "delta", "idelta", "deriv")), None)
        if name is None:
            continue
        found.append(
            Finding(
                "irate" if name == "irate" else "not-for-counters",
                Level.REMARK if name == "irate" else Level.SHOULD,
                Text("The function suits a counter looked at over a window"),
                Text("rate() or increase()"),
                Text("{name}()", name=name),
                Text("irate() sees the last two points only.")
                if name == "irate"
                else Text("It takes a restart, where the counter begins again at 0, for a loss."),
            )
        )
        break
    return found


def _rate_of_sum(node: Expr) -> bool:
    if not isinstance(node, Call) or node.func.name not in RATES:
        return False
    inner = unwrapped(node.args[0])
    return isinstance(inner, SubqueryExpr) and any(aggregations(inner.expr))


def _shown(window: Window) -> str:
    return f"{window.seconds:g} s" + (f" offset {window.offset:g} s" if window.offset else "")
