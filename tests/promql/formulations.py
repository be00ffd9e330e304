"""Ways to write the two indicators, right and wrong, and the metrics they read.

`RIGHT` and `WRONG` map an expression to the finding it must earn (None: right).
"""

from __future__ import annotations

from typing import Final

_OK: Final = 'http_requests_total{app="payment-service",status!~"5.."}'
_BAD: Final = 'http_requests_total{app="payment-service",status=~"5.."}'
_ALL: Final = 'http_requests_total{app="payment-service"}'
_BUCKET: Final = 'http_request_duration_seconds_bucket{app="payment-service"}'


def _only(matcher: str) -> str:
    counter = f'http_requests_total{{app="payment-service",{matcher}}}'
    return f"sum(rate({counter}[5m])) / sum(rate({_ALL}[5m]))"


SUCCESS: Final[dict[str, str | None]] = {
    # right
    f"sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m]))": None,
    f"sum(rate({_OK}[1m])) / sum(rate({_ALL}[1m]))": None,
    f"sum(increase({_OK}[1h])) / sum(increase({_ALL}[1h]))": None,
    f"sum(irate({_OK}[5m])) / sum(irate({_ALL}[5m]))": None,
    f"1 - sum(rate({_BAD}[5m])) / sum(rate({_ALL}[5m]))": None,
    f"1 - (sum(rate({_BAD}[5m])) or vector(0)) / sum(rate({_ALL}[5m]))": None,
    f"1 - (sum(rate({_BAD}[5m])) / sum(rate({_ALL}[5m])) or vector(0))": None,
    f"(sum(rate({_ALL}[5m])) - sum(rate({_BAD}[5m]))) / sum(rate({_ALL}[5m]))": None,
    f"sum by (app) (rate({_OK}[5m])) / sum by (app) (rate({_ALL}[5m]))": None,
    f"sum(rate({_OK}[5m])) by (app) / on (app) group_left () sum(rate({_ALL}[5m])) by (app)": None,
    f"sum by (app, job) (rate({_OK}[5m])) / ignoring (job) sum by (app) (rate({_ALL}[5m]))": None,
    f"sum by (pod) (rate({_OK}[5m])) / sum by (pod) (rate({_ALL}[5m]))": None,
    f"sum without (status, pod, instance, method) (rate({_OK}[5m]))"
    f" / sum without (status, pod, instance, method) (rate({_ALL}[5m]))": None,
    f"avg_over_time((sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])))[30m:1m])": None,
    f"sum(rate({_OK}[5m] offset 10m)) / sum(rate({_ALL}[5m] offset 10m))": None,
    f"sum(rate({_OK}[5m])) / (sum(rate({_ALL}[5m])) > 0)": None,
    f"(sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m]))) or vector(1)": None,
    f"clamp_max(sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])), 1)": None,
    f"round(sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])), 0.0001)": None,
    f"100 * sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m]))": None,
    f"label_replace(sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])), 'slo', 'availability', '', '')": None,
    _only('status=~"[1-4].."'): None,
    _only('status=~"2..|3..|4.."'): None,
    _only('status=~"(2|3|4).+"'): None,
    _only('status!~"5[0-9]{2}"'): None,
    _only('status!~"^5.*$"'): None,
    _only("status!~'5\\\\d\\\\d'"): None,
    _only('status!~"500|502|503|504"'): None,
    'sum(rate({__name__="http_requests_total",job=~"payment.*",status!~"5.."}[5m]))'
    ' / sum(rate({__name__="http_requests_total",job=~"payment.*"}[5m]))': None,
    'sum(rate(http_requests_total{namespace="default",pod=~"payment-service-.*",status!~"5.."}[5m]))'
    ' / sum(rate(http_requests_total{namespace="default",pod=~"payment-service-.*"}[5m]))': None,
    'sum(rate(gateway_requests_total{service="payment-service",code!~"5.."}[5m]))'
    ' / sum(rate(gateway_requests_total{service="payment-service"}[5m]))': None,
    'sum(rate(spring_requests_total{app="payment-service",outcome!="SERVER_ERROR"}[5m]))'
    ' / sum(rate(spring_requests_total{app="payment-service"}[5m]))': None,
    'sum(rate(envoy_upstream_rq_xx{service="payment-service",envoy_response_code_class!="5"}[5m]))'
    ' / sum(rate(envoy_upstream_rq_xx{service="payment-service"}[5m]))': None,
    # wrong
    f"sum(rate({_BAD}[5m])) / sum(rate({_ALL}[5m]))": "error-rate",
    f"round(sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])))": "errors-counted-good",
    f"(sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m]))) < 0.5": "comparison-recorded",
    f"sum(rate({_OK}[5m])) - sum(rate({_ALL}[5m]))": "difference",
    f"sum(rate({_ALL}[5m])) / sum(rate({_OK}[5m]))": "upside-down",
    f"sum(rate({_ALL}[5m])) / sum(rate({_ALL}[5m]))": "no-status",
    f"sum(rate({_OK}[5m]))": "not-a-ratio",
    f"sum({_OK}) / sum({_ALL})": "rate-missing",
    f"rate({_OK}[5m]) / rate({_ALL}[5m])": "not-aggregated",
    f"avg(rate({_OK}[5m])) / avg(rate({_ALL}[5m]))": "avg-instead-of-sum",
    f"avg(sum by (pod) (rate({_OK}[5m])) / sum by (pod) (rate({_ALL}[5m])))": "average-of-ratios",
    f"sum(rate({_OK}[5m])) / sum by (pod) (rate({_ALL}[5m]))": "matches-nothing",
    f"sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])) > bool 0.999": "comparison-recorded",
    f"sum(rate({_OK}[5m])) / sum(rate({_ALL}[5m])) > 0.999": "comparison-recorded",
    f"sum(rate({_OK}[5m])) / sum(rate(http_requests_total[5m]))": "sides-differ",
    _only('status="200"'): "only-200",
    _only('status=~"2.."'): "only-2xx",
    _only('status=~"2..|3.."'): "client-errors-counted-bad",
    _only('status!~"[45].."'): "client-errors-counted-bad",
    _only('status!="500"'): "server-errors-counted-good",
    _only('status!="5xx"'): "status-literal",
    _only('status!="5.."'): "status-literal",
    _only('status=~"2xx|3xx|4xx"'): "status-literal",
}

# Debian's promtool has no way to write series of native histograms.
NATIVE: Final[dict[str, str | None]] = {
    'histogram_count(sum(rate(request_seconds{app="payment-service",status!~"5.."}[5m])))'
    ' / histogram_count(sum(rate(request_seconds{app="payment-service"}[5m])))': None,
    'histogram_count(sum(rate(request_seconds{app="payment-service",status=~"5.."}[5m])))'
    ' / histogram_count(sum(rate(request_seconds{app="payment-service"}[5m])))': "error-rate",
    'histogram_count(sum(request_seconds{app="payment-service",status!~"5.."}))'
    ' / histogram_count(sum(request_seconds{app="payment-service"}))': "rate-missing",
}

LATENCY: Final[dict[str, str | None]] = {
    # right
    f"histogram_quantile(0.95, sum by (le) (rate({_BUCKET}[5m])))": None,
    f"histogram_quantile(0.95, sum(rate({_BUCKET}[5m])) by (le, app))": None,
    f"histogram_quantile(95 / 100, sum by (le) (increase({_BUCKET}[1h])))": None,
    f"histogram_quantile(0.95, sum without (pod, instance) (rate({_BUCKET}[5m])))": None,
    f"histogram_quantile(0.95, avg by (le) (rate({_BUCKET}[5m])))": None,
    f"histogram_quantile(0.95, sum by (le) (rate({_BUCKET}[5m]))) * 1000": None,
    f"round(histogram_quantile(0.95, sum by (le) (rate({_BUCKET}[5m]))), 0.001)": None,
    f"histogram_quantile(0.95, sum by (le) (rate({_BUCKET}[5m]))) or vector(0)": None,
    # wrong
    f"histogram_quantile(0.95, sum(rate({_BUCKET}[5m])))": "le-dropped",
    f"histogram_quantile(0.95, sum by (app) (rate({_BUCKET}[5m])))": "le-dropped",
    f"histogram_quantile(95, sum by (le) (rate({_BUCKET}[5m])))": "wrong-quantile",
    f"histogram_quantile(0.5, sum by (le) (rate({_BUCKET}[5m])))": "wrong-quantile",
    f"histogram_quantile(0.95, sum by (le) ({_BUCKET}))": "latency-rate-missing",
    f"histogram_quantile(0.95, rate({_BUCKET}[5m]))": "not-aggregated",
    f"avg(histogram_quantile(0.95, sum by (le, pod) (rate({_BUCKET}[5m]))))": "average-of-percentiles",
    f"rate(histogram_quantile(0.95, sum by (le) ({_BUCKET}))[5m:1m])": "rate-of-quantile",
    f"histogram_quantile(0.95, sum by (le) (rate({_BUCKET}[5m]))) < bool 0.5": "comparison-recorded",
    f"histogram_quantile(0.95, sum by (le) (rate({_BUCKET}[5m]))) < 0.1": "comparison-recorded",
    'sum(rate(http_request_duration_seconds_sum{app="payment-service"}[5m]))'
    ' / sum(rate(http_request_duration_seconds_count{app="payment-service"}[5m]))': "average",
    'quantile(0.95, http_request_duration_seconds_sum{app="payment-service"})': "percentile-of-series",
    'max(http_request_duration_seconds_sum{app="payment-service"})': "not-a-percentile",
}

INVALID: Final = (
    "sum(rate(http_requests_total{status!=5xx}[5m]))",
    "Votre expression PromQL ici",
    f"rate(histogram_quantile(0.95, {_BUCKET})[5m])",
    f"sum(rate({_OK})) / sum(rate({_ALL}))",
    f"sum(rate({_OK}[5m]) / sum(rate({_ALL}[5m]))",
    f"rate(sum({_ALL})[5m])",
    f"histogram_quantil(0.95, sum by (le) (rate({_BUCKET}[5m])))",
    f"histogram_quantile(sum by (le) (rate({_BUCKET}[5m])))",
    f"sum(rate({_OK}[5 minutes])) / sum(rate({_ALL}[5m]))",
)
