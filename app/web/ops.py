"""For those who run Assay: /healthz (alive), /readyz (able to work) and /metrics (Prometheus)."""

import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from app.health import Parts, Watch, probes, queues
from app.jobs.queues import QUEUES
from app.web.access import public, without_cookies
from storage.errors import AssayError
from storage.outbox_reports import QueueStanding

ops = Blueprint("ops", __name__)

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
EXTENSION = "assay.ops"
OUTBOX = {
    "due": "Promised work that waits.",
    "running": "Promised work that a worker is at.",
    "dead": "Promised work that was given up.",
    "oldest_seconds": "For how long the oldest open promise has been open.",
}


class Ops:
    """What one application keeps for these pages: its watch and its counts."""

    def __init__(self, parts: Parts) -> None:
        self.watch = Watch(probes(parts))
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(OutboxCollector(parts))
        self.registry.register(ReadyCollector(self.watch))
        labels = ("method", "route", "status")
        self.requests = Counter(
            "assay_requests", "Requests answered.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "assay_request_seconds",
            "How long requests took.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )


class OutboxCollector(Collector):
    """Promised work, counted in the database at the moment of asking."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def describe(self) -> Iterable[Metric]:
        """Nothing: without this, registering would ask the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """How each queue stands; nothing while the database is away."""
        gauges = {
            name: GaugeMetricFamily(f"assay_outbox_{name}", meaning, labels=["queue"])
            for name, meaning in OUTBOX.items()
        }
        try:
            now, found = queues(self.parts.db)
        except AssayError:
            return gauges.values()
        standings = {queue: QueueStanding(queue, 0, 0, 0, None) for queue in QUEUES}
        standings |= {each.queue: each for each in found}
        for queue, each in standings.items():
            age = (now - each.oldest).total_seconds() if each.oldest else 0.0
            values = {"due": each.waiting, "running": each.running, "dead": each.dead}
            for name, value in {**values, "oldest_seconds": age}.items():
                gauges[name].add_metric([queue], value)
        return gauges.values()


class ReadyCollector(Collector):
    """The engines, as /readyz sees them."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def describe(self) -> Iterable[Metric]:
        """Nothing: without this, registering would ask the engines."""
        return []

    def collect(self) -> Iterable[Metric]:
        """1 or 0 per engine."""
        up = GaugeMetricFamily("assay_engine_up", "Whether an engine works.", labels=["engine"])
        for name, finding in self.watch.look().items():
            up.add_metric([name], float(finding.ok))
        return [up]


def attach(app: Flask, parts: Parts) -> None:
    """Give the application these pages and let it count its requests."""
    app.extensions[EXTENSION] = Ops(parts)
    app.register_blueprint(ops)
    app.before_request(_begin)
    app.after_request(_count)


@ops.get("/healthz")
@public
@without_cookies
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return _fresh(jsonify(status="alive"))


@ops.get("/readyz")
@public
@without_cookies
def readyz() -> Response:
    """200 with the state of each engine, or 503 when one of them does not work."""
    found = _ops().watch.look()
    ready = all(finding.ok for finding in found.values())
    near = _from_near()
    answer = jsonify(
        status="ready" if ready else "not ready",
        engines={
            name: {"ok": one.ok} | ({"detail": one.detail} if near else {})
            for name, one in found.items()
        },
    )
    answer.status_code = 200 if ready else 503
    return _fresh(answer)


@ops.get("/metrics")
@public
@without_cookies
def metrics() -> Response:
    """Counts and durations in Prometheus's own format, for askers in the same network."""
    if not _from_near():
        abort(404)
    return _fresh(Response(generate_latest(_ops().registry), content_type=CONTENT_TYPE_LATEST))


def _begin() -> None:
    g.begun = time.monotonic()


def _count(answer: Response) -> Response:
    # the rule, never the path: paths hold ids and tokens, and there is no end of them
    route = request.url_rule.rule if request.url_rule else "(none)"
    _ops().requests.labels(request.method, route, answer.status_code).inc()
    if (begun := g.get("begun")) is not None:
        _ops().seconds.labels(request.method, route).observe(time.monotonic() - begun)
    return answer


def _from_near() -> bool:
    """Whether the asker is on this machine or in its network, and not on the internet."""
    try:
        return ip_address(request.remote_addr or "").is_private
    except ValueError:
        return False


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _ops() -> Ops:
    return cast(Ops, current_app.extensions[EXTENSION])
