"""Every setting: its name in the environment, what it means, and what is refused in production.

The environment is read once, at the start, into one frozen value. `documentation()` is
docs/settings.md; a test holds the two equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

UNSAFE_SECRET = "development-only-and-known-to-everyone"  # noqa: S105  # production refuses it
SHORTEST_SECRET = 32
LOG_LEVELS = ("debug", "info", "warning", "error")
KEY_ROOMS = ("database", "kms")
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
HERE = ("127.0.0.1", "localhost", "::1")


class Environment(StrEnum):
    """What this installation is for."""

    DEVELOPMENT = "development"
    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class VcApi(StrEnum):
    """Who may have credentials signed by VC-API."""

    OFF = "off"
    TOKEN = "token"  # noqa: S105  # a word for a way in
    OPEN = "open"


class SettingsError(ValueError):
    """The environment cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Assay does not start with these settings:\n- " + "\n- ".join(problems))
        self.problems = problems


def _text(value: str) -> str:
    return value.strip()


def _url(value: str) -> str:
    if value and not urlsplit(value).scheme:
        raise ValueError("must be an address with a scheme, like https://example.org")
    return value.rstrip("/")


def _number(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise ValueError("must be a whole number that is not negative")
    return int(value)


def _switch(value: str) -> bool:
    if value.lower() not in TRUE + FALSE:
        raise ValueError("must be on or off")
    return value.lower() in TRUE


def _key_room(value: str) -> str:
    if value not in KEY_ROOMS:
        raise ValueError(f"must be one of {', '.join(KEY_ROOMS)}")
    return value


def _level(value: str) -> str:
    if value.lower() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return value.lower()


def _environment(value: str) -> Environment:
    if value not in list(Environment):
        raise ValueError(f"must be one of {', '.join(Environment)}")
    return Environment(value)


def _vc_api(value: str) -> VcApi:
    if value.lower() not in list(VcApi):
        raise ValueError(f"must be one of {', '.join(VcApi)}")
    return VcApi(value.lower())


def _setting(
    env: str, default: str, read: Callable[[str], object], meaning: str, *, secret: bool = False
) -> Any:
    """A field that is read from the environment: its name there, default, reader and meaning."""
    notes = {"env": env, "default": default, "read": read, "meaning": meaning, "secret": secret}
    return field(default=read(default), repr=not secret, metadata=notes)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process. Build it with `from_env`."""

    environment: Environment = _setting(
        "ASSAY_ENV",
        "development",
        _environment,
        "What this installation is for: `development`, `demo` (a demo institution whose people "
        "can be chosen at sign-in), `test`, or `production` (refuses unsafe settings).",
    )
    home: Path = _setting(
        "ASSAY_HOME",
        ".assay",
        Path,
        "The folder for the state of embedded engines and generated secrets.",
    )
    host: str = _setting("HOST", "127.0.0.1", _text, "The address that the web process listens on.")
    port: int = _setting("PORT", "8000", _number, "The port that the web process listens on.")
    public_url: str = _setting(
        "PUBLIC_URL",
        "",
        _url,
        "Where people reach Assay, without a path. It stands in every credential and cannot be "
        "changed later without breaking their links. Default: `http://127.0.0.1:` and the port.",
    )
    secret_key: str = _setting(
        "SECRET_KEY",
        UNSAFE_SECRET,
        _text,
        "Signs sessions and forms; at least 32 characters. `make run` generates one.",
        secret=True,
    )
    key_encryption_secret: str = _setting(
        "KEY_ENCRYPTION_SECRET",
        UNSAFE_SECRET,
        _text,
        "Encrypts the institution's signing keys in the database; at least 32 characters and not "
        "SECRET_KEY. Without it the keys are lost. `make run` generates one.",
        secret=True,
    )
    key_encryption_secret_earlier: str = _setting(
        "KEY_ENCRYPTION_SECRET_EARLIER",
        "",
        _text,
        "The secret before the present KEY_ENCRYPTION_SECRET, while keys are still sealed with it. "
        "`assay keys reseal` seals them anew; then take this one away.",
        secret=True,
    )
    signing_keys: str = _setting(
        "SIGNING_KEYS",
        "database",
        _key_room,
        "Where new signing keys are made: `database` (sealed with KEY_ENCRYPTION_SECRET) or `kms` "
        "(AWS Key Management Service, which signs and never gives them out). Keys that are there "
        "stay where they are until they are rotated.",
    )
    kms_region: str = _setting("KMS_REGION", "us-east-1", _text, "The region of the key service.")
    kms_endpoint_url: str = _setting(
        "KMS_ENDPOINT_URL",
        "",
        _url,
        "The key service's address, where it is not AWS's own for the region. Who may use it is "
        "what the machine's role, or boto3's own settings, say.",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "",
        _text,
        "PostgreSQL 16 or newer, `postgresql://…`. Empty: an embedded one is started.",
        secret=True,
    )
    redis_url: str = _setting(
        "REDIS_URL",
        "",
        _text,
        "Valkey or Redis with `noeviction` and an append-only file, `redis://…`. Empty: an "
        "embedded one is started.",
        secret=True,
    )
    s3_endpoint_url: str = _setting(
        "S3_ENDPOINT_URL",
        "",
        _url,
        "The object store as the server reaches it. Empty: an embedded one is started.",
    )
    s3_public_endpoint_url: str = _setting(
        "S3_PUBLIC_ENDPOINT_URL",
        "",
        _url,
        "The object store as browsers reach it, for uploads and downloads by presigned links. "
        "Default: S3_ENDPOINT_URL.",
    )
    s3_region: str = _setting("S3_REGION", "us-east-1", _text, "The store's region.")
    s3_access_key_id: str = _setting(
        "S3_ACCESS_KEY_ID",
        "",
        _text,
        "The key to the store. Empty: what the machine's role gives.",
        secret=True,
    )
    s3_secret_access_key: str = _setting(
        "S3_SECRET_ACCESS_KEY", "", _text, "The secret of that key.", secret=True
    )
    s3_bucket: str = _setting(
        "S3_BUCKET",
        "assay-evidence",
        _text,
        "The bucket for evidence; made at the start when it is not there.",
    )
    clamd_address: str = _setting(
        "CLAMD_ADDRESS",
        "",
        _text,
        "The malware scanner: `host:port`, or the path of its socket. Empty: items say that they "
        "were not scanned.",
    )
    refuse_unscanned: bool = _setting(
        "REFUSE_UNSCANNED",
        "off",
        _switch,
        "Whether an item that could not be scanned is refused instead of marked.",
    )
    clamd_max_scan_bytes: int = _setting(
        "CLAMD_MAX_SCAN_BYTES",
        str(400 * 1024**2),
        _number,
        "What clamd's own MaxScanSize is: an archive that is larger inside is not called clean.",
    )
    refuse_encrypted: bool = _setting(
        "REFUSE_ENCRYPTED",
        "off",
        _switch,
        "Whether a file that needs a password is refused instead of marked as one that cannot be "
        "inspected.",
    )
    object_lock_days: int = _setting(
        "OBJECT_LOCK_DAYS",
        "0",
        _number,
        "For how many days the store itself refuses to remove sealed bytes (object lock in "
        "governance mode). A bucket that Assay makes gets object lock; in one that has none, "
        "nothing is locked. An erasure passes the lock by with `s3:BypassGovernanceRetention`; "
        "without it, it waits for the lock's end. 0: no lock.",
    )
    smtp_url: str = _setting(
        "SMTP_URL",
        "",
        _text,
        "Where mail is sent: `smtp://user:password@host:587` (with STARTTLS when offered) or "
        "`smtps://…`. Empty: mail is kept in the database and shown on the demo's mailbox page.",
        secret=True,
    )
    mail_from: str = _setting(
        "MAIL_FROM", "assay@localhost", _text, "The sender of mail that Assay sends."
    )
    demo: bool = _setting(
        "ASSAY_DEMO",
        "off",
        _switch,
        "Whether the demo institution is loaded and its people can be chosen at sign-in. Default: "
        "on when ASSAY_ENV is `demo`.",
    )
    upload_max_bytes: int = _setting(
        "UPLOAD_MAX_BYTES", str(5 * 1024**3), _number, "The largest file, in bytes."
    )
    case_quota_bytes: int = _setting(
        "CASE_QUOTA_BYTES",
        str(20 * 1024**3),
        _number,
        "How much the evidence of one case may be together, in bytes.",
    )
    case_quota_items: int = _setting(
        "CASE_QUOTA_ITEMS", "500", _number, "How many items of evidence one case may have."
    )
    institution_quota_bytes: int = _setting(
        "INSTITUTION_QUOTA_BYTES",
        str(1024 * 1024**3),
        _number,
        "How much the evidence of all cases of one institution may be together, in bytes, where "
        "the institution has no quota of its own.",
    )
    recording_max_bytes: int = _setting(
        "RECORDING_MAX_BYTES",
        str(2 * 1024**3),
        _number,
        "The longest recording that can be taken in the browser, in bytes. So much room is held "
        "while it is taken; what it does not need is given back at its end.",
    )
    api_calls_per_minute: int = _setting(
        "API_CALLS_PER_MINUTE",
        "6000",
        _number,
        "How often one access token, or one person's browsers together, may call the API in a "
        "minute. A file takes four calls, and one more for every 32 parts.",
    )
    vc_api: VcApi = _setting(
        "VC_API",
        "off",
        _vc_api,
        "Who may have credentials signed by VC-API (docs/vc-api.md): `off`; `token`, a registrar's "
        "programs with an access token of the scope `credentials:issue`; or `open`, anybody, which "
        "is for test suites and not for production.",
    )
    vc_api_test_context: str = _setting(
        "VC_API_TEST_CONTEXT",
        "",
        _text,
        "A file with the JSON-LD context `https://www.w3.org/ns/credentials/examples/v2`, which "
        "W3C's test suites use. It gives every term a meaning, so it is not for production.",
    )
    privacy_url: str = _setting(
        "PRIVACY_URL",
        "",
        _text,
        "Where the institution's privacy policy stands, for programs that learners connect "
        "(docs/openbadges-api.md). Empty: the institution's own site.",
    )
    terms_url: str = _setting(
        "TERMS_URL",
        "",
        _text,
        "Where the institution's terms of service stand, likewise.",
    )
    session_hours: int = _setting(
        "SESSION_HOURS", "12", _number, "After how many hours a sign-in ends."
    )
    trusted_proxies: int = _setting(
        "TRUSTED_PROXIES",
        "0",
        _number,
        "How many proxies in front of Assay set `X-Forwarded-For` and `-Proto`.",
    )
    web_threads: int = _setting(
        "WEB_THREADS", "16", _number, "How many requests the web process answers at a time."
    )
    log_level: str = _setting(
        "LOG_LEVEL", "info", _level, "The least that is logged: debug, info, warning or error."
    )

    @property
    def production(self) -> bool:
        """Whether real people's records are at stake."""
        return self.environment is Environment.PRODUCTION

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the environment.

        Raises SettingsError with everything that is unusable, or unsafe in production.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for each in fields(cls):
            try:
                values[each.name] = each.metadata["read"](_given(env, each))
            except ValueError as error:
                problems.append(f"{each.metadata['env']} {error}")
        if problems:
            raise SettingsError(problems)
        settings = cls(**_derived(values, env))
        problems = _impossible(settings) + (_unsafe(settings) if settings.production else [])
        if problems:
            raise SettingsError(problems)
        return settings


def documentation() -> str:
    """docs/settings.md."""
    rows = "".join(
        f"| `{one.metadata['env']}` | {_shown_default(one)} | {one.metadata['meaning']} |\n"
        for one in fields(Settings)
    )
    return (
        "# Settings\n\n"
        "Assay reads its settings from the environment, once, at the start. This page is made by "
        "`python -m app.settings` from `app/settings.py`.\n\n"
        f"| name | default | meaning |\n| --- | --- | --- |\n{rows}\n"
        "With `ASSAY_ENV=production` Assay refuses to start, with a list of all that is wrong, "
        "while a secret is missing, short or the known one, an address of an engine is missing, "
        "PUBLIC_URL or the store's public address is not https, mail cannot be sent, the demo is "
        "on, VC_API is `open`, VC_API_TEST_CONTEXT is set, or LOG_LEVEL is `debug`.\n"
    )


def names() -> frozenset[str]:
    """The names of all settings in the environment."""
    return frozenset(one.metadata["env"] for one in fields(Settings))


def _given(env: Mapping[str, str], one: "Field[Any]") -> str:
    """What the environment says; an empty value is as good as none."""
    return env.get(one.metadata["env"], "").strip() or one.metadata["default"]


def _derived(values: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The values with those defaults that follow from other settings."""
    values["public_url"] = values["public_url"] or f"http://127.0.0.1:{values['port']}"
    values["s3_public_endpoint_url"] = values["s3_public_endpoint_url"] or values["s3_endpoint_url"]
    if not env.get("ASSAY_DEMO"):
        values["demo"] = values["environment"] is Environment.DEMO
    return values


def _impossible(settings: Settings) -> list[str]:
    """What cannot work anywhere."""
    found = [
        (
            bool(settings.s3_access_key_id) != bool(settings.s3_secret_access_key),
            "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together: set both or neither",
        ),
        (
            settings.refuse_unscanned and not settings.clamd_address,
            "REFUSE_UNSCANNED without CLAMD_ADDRESS would refuse everything",
        ),
        (
            urlsplit(settings.public_url).path not in {"", "/"},
            "PUBLIC_URL must not have a path",
        ),
        (settings.port > 65_535, "PORT must be at most 65535"),
        (settings.web_threads < 1, "WEB_THREADS must be at least 1"),
        (settings.session_hours < 1, "SESSION_HOURS must be at least 1"),
    ]
    return [problem for wrong, problem in found if wrong]


def _unsafe(settings: Settings) -> list[str]:
    """What production does not start with."""
    public, store = urlsplit(settings.public_url), urlsplit(settings.s3_public_endpoint_url)
    found = [
        *_unsafe_secret("SECRET_KEY", settings.secret_key),
        *_unsafe_secret("KEY_ENCRYPTION_SECRET", settings.key_encryption_secret),
        (
            settings.secret_key == settings.key_encryption_secret != UNSAFE_SECRET,
            "KEY_ENCRYPTION_SECRET must not be SECRET_KEY",
        ),
        (public.scheme != "https", "PUBLIC_URL must begin with https://"),
        (public.hostname in HERE, "PUBLIC_URL must be an address that others can reach"),
        (not settings.database_url, "DATABASE_URL is missing"),
        (not settings.redis_url, "REDIS_URL is missing"),
        (not settings.s3_endpoint_url, "S3_ENDPOINT_URL is missing"),
        (
            bool(settings.s3_endpoint_url) and store.scheme != "https",
            "S3_PUBLIC_ENDPOINT_URL must begin with https://",
        ),
        (not settings.smtp_url, "SMTP_URL is missing, so no mail could be sent"),
        ("@localhost" in settings.mail_from, "MAIL_FROM must be an address that can be answered"),
        (settings.demo, "ASSAY_DEMO must be off"),
        (settings.vc_api is VcApi.OPEN, "VC_API open lets anybody sign in your name; use token"),
        (bool(settings.vc_api_test_context), "VC_API_TEST_CONTEXT is for tests"),
        (settings.log_level == "debug", "LOG_LEVEL debug may write personal data; use info"),
    ]
    return [problem for wrong, problem in found if wrong]


def _unsafe_secret(name: str, value: str) -> list[tuple[bool, str]]:
    if value == UNSAFE_SECRET:
        return [(True, f"{name} is missing")]
    short = f"{name} must have at least {SHORTEST_SECRET} characters"
    return [(len(value) < SHORTEST_SECRET, short)]


def _shown_default(one: "Field[Any]") -> str:
    default = one.metadata["default"]
    return f"`{default}`" if default and default != UNSAFE_SECRET else ""


if __name__ == "__main__":
    print(documentation(), end="")
