"""What operators watch, in Prometheus' words. Every name is listed in docs/reference/metrics.md."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HTTP_SECONDS = Histogram(
    "payloom_http_request_seconds",
    "Time to answer a request, PSP time included",
    ["route", "method", "status"],
    buckets=_FAST,
)
OWN_SECONDS = Histogram(
    "payloom_http_own_seconds",
    "Time to answer a request that was ours: the whole less waiting for PSPs",
    ["route", "method"],
    buckets=_FAST,
)
HTTP_IN_FLIGHT = Gauge("payloom_http_in_flight", "Requests being worked on in this process")
HTTP_SHED = Counter(
    "payloom_http_shed_total", "Requests told to come again, by what there was too much of", ["why"]
)
PSP_CALL_SECONDS = Histogram(
    "payloom_psp_call_seconds", "Time of a call to a PSP", ["psp", "verb"], buckets=_FAST
)
PSP_WAIT_SECONDS = Histogram(
    "payloom_psp_wait_seconds",
    "Time that a call waited here for its turn, if it had to",
    ["psp"],
    buckets=_FAST,
)
PSP_NOT_SENT = Counter(
    "payloom_psp_not_sent_total", "Calls to PSPs that we did not make, by why", ["psp", "why"]
)
PSP_LIMITED = Counter(
    "payloom_psp_limited_total", "Answers of PSPs that asked us to slow down", ["psp", "verb"]
)
PSP_BREAKERS_OPEN = Gauge(
    "payloom_psp_breakers_open", "Connections that are not used because nobody answers", ["psp"]
)
OUTCOMES = Counter(
    "payloom_outcomes_total",
    "Outcomes recorded, by what they were and what told us",
    ["outcome", "cause"],
)
KEYS_REFUSED = Counter(
    "payloom_psp_keys_refused_total", "Calls that a PSP refused because of our API key", ["psp"]
)
ATTENTION = Counter("payloom_attention_total", "Orders that need a person, by reason", ["reason"])
NOTICES = Counter(
    "payloom_notices_total", "Notices received, by what became of them", ["psp", "result"]
)
NOTICE_DRIFT = Counter(
    "payloom_notice_drift_total", "Notices unlike those that their connector was written for"
)
NOTICE_LAG_SECONDS = Histogram(
    "payloom_notice_applied_seconds", "From storing a notice to its effect", buckets=_FAST
)
SWEEP_BEHIND_SECONDS = Gauge(
    "payloom_sweep_behind_seconds", "How far the PSP's event list is not read yet", ["connection"]
)
DELIVERIES = Counter("payloom_deliveries_total", "Tries to deliver an event, by result", ["result"])
ENDPOINTS_DISABLED = Counter(
    "payloom_webhook_endpoints_disabled_total",
    "Webhook endpoints switched off because they failed, by reason",
    ["reason"],
)
JOBS = Counter("payloom_jobs_total", "Job runs, by kind and result", ["kind", "result"])
WAITING = Gauge("payloom_waiting", "Rows that wait for the worker", ["queue"])
OLDEST_SECONDS = Gauge("payloom_oldest_waiting_seconds", "Age of the oldest waiting row", ["queue"])
QUARANTINED = Gauge("payloom_quarantined", "Rows that wait for a person", ["queue"])
