"""Settings: read once, told in full when wrong, documented."""

from pathlib import Path

import pytest

from app.settings import (
    UNSAFE_SECRET,
    Environment,
    Settings,
    SettingsError,
    documentation,
    names,
)
from tests.fixtures.shared import ROOT

GOOD = {
    "ASSAY_ENV": "production",
    "SECRET_KEY": "s" * 32,
    "KEY_ENCRYPTION_SECRET": "k" * 32,
    "PUBLIC_URL": "https://assay.example.edu",
    "DATABASE_URL": "postgresql://assay:pw@db/assay",
    "REDIS_URL": "redis://:pw@valkey/0",
    "S3_ENDPOINT_URL": "http://store:8333",
    "S3_PUBLIC_ENDPOINT_URL": "https://files.example.edu",
    "S3_ACCESS_KEY_ID": "id",
    "S3_SECRET_ACCESS_KEY": "secret",
    "SMTP_URL": "smtp://mail:587",
    "MAIL_FROM": "rpl@example.edu",
}

UNSAFE = [
    ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
    ({"SECRET_KEY": UNSAFE_SECRET}, "SECRET_KEY is missing"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 32"),
    ({"KEY_ENCRYPTION_SECRET": ""}, "KEY_ENCRYPTION_SECRET is missing"),
    ({"KEY_ENCRYPTION_SECRET": "s" * 32}, "KEY_ENCRYPTION_SECRET must not be SECRET_KEY"),
    ({"PUBLIC_URL": ""}, "PUBLIC_URL must begin with https://"),
    ({"PUBLIC_URL": "http://assay.example.edu"}, "PUBLIC_URL must begin with https://"),
    ({"PUBLIC_URL": "https://localhost"}, "PUBLIC_URL must be an address that others can reach"),
    ({"DATABASE_URL": ""}, "DATABASE_URL is missing"),
    ({"REDIS_URL": ""}, "REDIS_URL is missing"),
    ({"S3_ENDPOINT_URL": ""}, "S3_ENDPOINT_URL is missing"),
    ({"S3_PUBLIC_ENDPOINT_URL": ""}, "S3_PUBLIC_ENDPOINT_URL must begin with https://"),
    ({"SMTP_URL": ""}, "SMTP_URL is missing"),
    ({"MAIL_FROM": ""}, "MAIL_FROM must be an address"),
    ({"ASSAY_DEMO": "on"}, "ASSAY_DEMO must be off"),
    ({"LOG_LEVEL": "debug"}, "LOG_LEVEL debug may write personal data"),
]

IMPOSSIBLE = [
    ({"PORT": "eighty"}, "PORT must be a whole number"),
    ({"PORT": "70000"}, "PORT must be at most"),
    ({"ASSAY_ENV": "live"}, "ASSAY_ENV must be one of development, demo, test, production"),
    ({"REFUSE_UNSCANNED": "maybe"}, "REFUSE_UNSCANNED must be on or off"),
    ({"REFUSE_UNSCANNED": "on"}, "REFUSE_UNSCANNED without CLAMD_ADDRESS"),
    ({"S3_ACCESS_KEY_ID": "only"}, "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together"),
    ({"PUBLIC_URL": "assay.example.edu"}, "PUBLIC_URL must be an address with a scheme"),
    ({"PUBLIC_URL": "https://example.edu/assay"}, "PUBLIC_URL must not have a path"),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of"),
    ({"WEB_THREADS": "0"}, "WEB_THREADS must be at least 1"),
    ({"SESSION_HOURS": "0"}, "SESSION_HOURS must be at least 1"),
]


def problems_of(env: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    return caught.value.problems


def test_an_empty_environment_is_good_for_development() -> None:
    settings = Settings.from_env({})
    assert settings.environment is Environment.DEVELOPMENT
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.home == Path(".assay")
    assert not settings.demo


def test_defaults_follow_the_settings_they_depend_on() -> None:
    env = {"PORT": "9000", "ASSAY_ENV": "demo", "S3_ENDPOINT_URL": "http://127.0.0.1:8333/"}
    settings = Settings.from_env(env)
    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.s3_public_endpoint_url == "http://127.0.0.1:8333"
    assert settings.demo
    assert not Settings.from_env(env | {"ASSAY_DEMO": "off"}).demo


def test_production_starts_with_safe_settings() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.production
    assert settings.s3_public_endpoint_url == "https://files.example.edu"


@pytest.mark.parametrize(("change", "problem"), UNSAFE)
def test_production_refuses(change: dict[str, str], problem: str) -> None:
    assert any(problem in told for told in problems_of(GOOD | change))


@pytest.mark.parametrize(("change", "problem"), IMPOSSIBLE)
def test_nothing_starts_with(change: dict[str, str], problem: str) -> None:
    assert any(problem in told for told in problems_of(change))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = problems_of({"ASSAY_ENV": "production"})
    for word in ("SECRET_KEY", "KEY_ENCRYPTION", "PUBLIC_URL", "DATABASE", "REDIS", "S3_", "SMTP"):
        assert any(word in problem for problem in told), word


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(Settings.from_env(GOOD))
    assert "s" * 32 not in shown
    assert "k" * 32 not in shown
    assert ":pw@" not in shown


def test_the_page_about_settings_is_made_from_the_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == documentation(), "run: .venv/bin/python -m app.settings > docs/settings.md"
    assert all(f"`{name}`" in page for name in names())
