"""compose.yaml and the Dockerfile: they cannot be run here, so they are held against the code."""

import re
from typing import Any

import pytest
import yaml

from app.cli import COMMANDS
from app.cli.up import parts
from app.settings import Settings, names
from tests.fixtures.shared import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one.get("image") == "assay"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def example() -> dict[str, str]:
    """compose.env.example, with secrets as one would fill them in."""
    lines = (ROOT / "compose.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    secret = re.compile(r"KEY|SECRET|PASSWORD")
    return {
        name: f"{name}-{'0123456789abcdef' * 2}" if secret.search(name) else value
        for name, value in given.items()
    }


def filled_in(value: str, given: dict[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        name, sign, rest = found.groups()
        return given.get(name) or (rest if sign == "-" else "")

    return VARIABLE.sub(replace, value)


def image_environment() -> dict[str, str]:
    block = re.search(r"^ENV (.*?)^EXPOSE", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert block
    return dict(re.findall(r"(\w+)=(\S+)", block.group(1)))


def test_every_part_runs_and_each_as_one_service() -> None:
    commands = sorted(tuple(one["command"]) for one in OURS.values())
    assert commands == sorted([*parts().values(), ("migrate",)])


def test_the_other_services_are_the_engines_the_scanner_and_the_mail_catcher() -> None:
    engines = {"postgres", "valkey", "seaweedfs", "clamd", "mailpit"}
    assert set(SERVICES) - set(OURS) == engines


@pytest.mark.parametrize("service", OURS)
def test_every_name_in_a_services_environment_is_a_setting(service: str) -> None:
    assert set(OURS[service]["environment"]) <= names()


@pytest.mark.parametrize("service", OURS)
def test_a_filled_in_example_is_safe_for_production(service: str) -> None:
    given = example()
    environment = {
        name: filled_in(str(value), given) for name, value in OURS[service]["environment"].items()
    }
    settings = Settings.from_env({**image_environment(), **environment})
    assert settings.production
    assert settings.host == "0.0.0.0"
    assert settings.smtp_url
    assert settings.clamd_address


def test_the_example_names_every_variable_and_no_other() -> None:
    used = {name for name, _, _ in VARIABLE.findall((ROOT / "compose.yaml").read_text())}
    assert used == set(example())


def test_every_dependency_and_volume_is_there() -> None:
    for one in SERVICES.values():
        assert set(one.get("depends_on", {})) <= set(SERVICES)
        for volume in one.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_nothing_is_published_beyond_this_machine() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_addresses_in_settings_lead_to_services() -> None:
    environment = OURS["web"]["environment"]
    hosts = {
        name: re.sub(r".*@|.*//|[:/].*", "", filled_in(str(environment[name]), example()))
        for name in ("DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL", "CLAMD_ADDRESS")
    }
    assert set(hosts.values()) <= set(SERVICES), hosts


def test_the_image_starts_a_command_that_exists_as_an_unprivileged_user() -> None:
    assert 'ENTRYPOINT ["assay"]' in DOCKERFILE
    assert 'CMD ["web"]' in DOCKERFILE
    assert "web" in COMMANDS
    assert re.search(r"^USER assay$", DOCKERFILE, re.MULTILINE)
    assert set(image_environment()) - {"PYTHONUNBUFFERED"} <= names()
