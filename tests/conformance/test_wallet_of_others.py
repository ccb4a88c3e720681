"""A wallet that others wrote takes our credentials: the OpenWallet Foundation's, from npm.

It reads offer and metadata as OpenID4VCI 1.0, proves its key, tells what became of it, and checks
the SD-JWT VC with its status by libraries that share nothing with ours.
"""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.serving import make_server

from storage.clock import SetClock
from tests.fixtures.issued import Issued
from tests.fixtures.recall import Recall
from tests.fixtures.wallet import shown_offer
from tests.fixtures.web import Browser

ROOT = Path(__file__).parents[2]
WALLET = Path(__file__).with_name("wallet.mjs")
SECONDS = 60


@pytest.fixture(scope="module")
def port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def web_env(web_env: dict[str, str], port: int) -> dict[str, str]:
    """At an address of its own: the wallet comes by the network."""
    return web_env | {"PUBLIC_URL": f"http://127.0.0.1:{port}"}


@pytest.fixture
def site(app: Flask, port: int) -> Iterator[None]:
    """The application on that address."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def taken(link: str, digits: str, clock: SetClock) -> dict[str, Any]:
    """What that wallet took."""
    now = str(int(clock.now().timestamp()))
    done = subprocess.run(
        ["node", str(WALLET), link, digits, now],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return cast(dict[str, Any], json.loads(done.stdout))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("form", ["sd_jwt", "open_badge", "token"])
def test_a_wallet_of_others_takes_every_form(
    issued: Issued, browser: Browser, clock: SetClock, form: str
) -> None:
    if shutil.which("node") is None or not (ROOT / "node_modules/@openid4vc/openid4vci").is_dir():
        pytest.skip("node or node_modules is not there: run make setup")
    browser.sign_in(issued.learner)
    path = f"/credentials/{issued.credential_id}/wallet"
    assert browser.post(path, {"form": form, "asks_code": "yes"}).status_code == 303
    link, digits = shown_offer(unescape(browser.get(path).text))
    found = taken(link, digits, clock)
    assert found["draft"] == "V1"
    document: Any = issued.document()
    if form == "sd_jwt":
        assert found["claims"]["name"] == "Ana Souza"
        assert len(found["claims"]["evidence"]) == len(document["evidence"])
    elif form == "open_badge":
        assert found["credential"] == document
    else:
        assert found["credential"].count(".") == 2
    assert "Your wallet says that it keeps it." in browser.get(path).text
