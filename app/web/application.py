"""Puts the web together: the checks before every page, the pages, what is said when one fails."""

import time

from flask import Blueprint, Flask, Response, g, request
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from app import logs
from app.api import openbadges, rest
from app.api import page as api_page
from app.container import Container
from app.oauth import pages as oauth_pages
from app.oauth import views as oauth
from app.settings import Settings
from app.vcapi import views as vcapi
from app.wallets import machine as wallets
from app.wallets import pages as wallet
from app.web import (
    access,
    account,
    admin,
    agreement,
    appeal,
    appearance,
    assessor,
    assets,
    batches,
    brought,
    catalogue,
    consent,
    credentials,
    documents,
    employer,
    errors,
    evidence,
    forms,
    holding,
    i18n,
    keeping,
    learner,
    limits,
    mailbox,
    ops,
    overrides,
    page,
    recording,
    registrar,
    same_bytes,
    security,
    signing_keys,
    staff,
    supervisor,
    tokens,
    uploads,
    verify,
    viewer,
    webhooks,
)

log = logs.get(__name__)

QUIET = frozenset({"static", "assets.theme", "ops.healthz", "ops.readyz", "ops.metrics"})


def assemble(container: Container) -> Flask:
    """The whole application over these parts."""
    settings = container.settings
    app = Flask("app", template_folder="../templates", static_folder="static")
    _configure(app, settings)
    Htmx(app)
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)
    ops.attach(app, container)
    security.attach(app)
    access.attach(app, container)
    app.before_request(security.check_token)
    app.before_request(forms.check_characters)
    errors.attach(app)
    i18n.attach(app)
    page.attach(app)
    assets.attach(app)
    for blueprint in _blueprints(settings):
        app.register_blueprint(blueprint)
    limits.attach(app, settings)
    return app


def _blueprints(settings: Settings) -> list[Blueprint]:
    """Every audience's pages."""
    pages = [
        catalogue.blueprint,
        account.blueprint,
        learner.blueprint,
        uploads.blueprint,
        recording.blueprint,
        evidence.blueprint,
        viewer.blueprint,
        consent.blueprint,
        same_bytes.blueprint,
        assessor.blueprint,
        staff.blueprint,
        credentials.blueprint,
        holding.blueprint,
        registrar.blueprint,
        batches.blueprint,
        signing_keys.blueprint,
        webhooks.blueprint,
        documents.blueprint,
        supervisor.blueprint,
        employer.blueprint,
        verify.blueprint,
        admin.blueprint,
        appearance.blueprint,
        keeping.blueprint,
        overrides.blueprint,
        agreement.blueprint,
        appeal.blueprint,
        tokens.blueprint,
        rest.blueprint,
        api_page.blueprint,
        vcapi.blueprint,
        oauth.blueprint,
        oauth_pages.blueprint,
        openbadges.blueprint,
        brought.blueprint,
        wallets.blueprint,
        wallet.blueprint,
    ]
    return [*pages, mailbox.blueprint] if settings.demo else pages


def _configure(app: Flask, settings: Settings) -> None:
    """Flask's own cookie holds only the passing messages of the next page."""
    app.config["SECRET_KEY"] = settings.secret_key
    app.config["SESSION_COOKIE_NAME"] = "assay_messages"
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = settings.public_url.startswith("https://")
    app.config["SERVER_NAME"] = settings.public_url.partition("://")[2]
    app.config["PREFERRED_URL_SCHEME"] = settings.public_url.partition("://")[0]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]


def _begin() -> None:
    rule = request.url_rule.rule if request.url_rule else "(none)"
    g.request_id = logs.begin(request.headers.get("X-Request-ID"), method=request.method, rule=rule)
    g.started = time.monotonic()


def _tell(response: Response) -> Response:
    """One line a request. The rule stands for the path, which may hold single-purpose tokens."""
    response.headers["X-Request-ID"] = g.get("request_id", "")
    if request.endpoint not in QUIET:
        took = round((time.monotonic() - g.get("started", time.monotonic())) * 1000, 1)
        log.info("request", status=response.status_code, took_ms=took)
    return response


def _end(_error: BaseException | None) -> None:
    logs.end()
