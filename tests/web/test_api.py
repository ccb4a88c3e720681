"""The REST API: a file's whole way by token, what is refused and in which words, and to whom."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from flask import Flask
from sqlalchemy import text
from sqlmodel import col, select
from werkzeug.test import TestResponse

from app.api.openapi import routes
from storage.clock import SetClock
from storage.ids import ItemId, sha256_of, token_hash
from storage.tables import Event, EvidenceAccess
from storage.vault import StoreAddress, Vault, sealed_key
from storage.vocabulary import EvidenceKind, EvidenceState, Role
from tests.fixtures.api import Program, token_for, with_store
from tests.fixtures.intake import Intake, fingerprint, noise
from tests.fixtures.web import ORIGIN, Browser
from tests.fixtures.world import SIGNED
from workflows.cases.commands import submit_case, withdraw_case
from workflows.evidence.describing import remove_evidence
from workflows.people.commands import disable_person
from workflows.people.tokens import TokenScope, make_token, own_tokens, revoke_token

A_PART = {"number": 1, "sha256": "a" * 64}


@pytest.fixture
def web_env(web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
    """The application over the test's own bucket in the real store."""
    return with_store(web_env, store_address)


def told(answer: TestResponse, status: int) -> Mapping[str, Any]:
    """The problem document of a refusal, looked at."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    said = answer.json
    assert isinstance(said, dict)
    assert set(said) == {"type", "title", "status", "detail", "problems", "request_id"}
    assert said["status"] == status and said["title"] and said["detail"]
    assert said["request_id"] == answer.headers["X-Request-ID"]
    return said


class TestAFilesWay:
    def test_a_file_goes_its_whole_way_by_token(
        self, program: Program, intake: Intake, vault: Vault
    ) -> None:
        body = noise(9 * 1024**2)
        item = program.announce(intake, body)
        assert (item["state"], item["size"], item["sha256"]) == ("announced", len(body), None)
        assert (item["upload"]["part_count"], item["upload"]["there"]) == (2, [])
        program.send(item, body, [2])
        resumed: Any = program.call("GET", item["links"]["self"]).json
        assert [part["number"] for part in resumed["upload"]["there"]] == [2]
        assert program.announce(intake, body, "renamed.pdf")["id"] == item["id"]
        program.send(item, body, [1])
        done = program.call("POST", item["links"]["complete"], {"parts": [1, 2]})
        assert (done.status_code, done.json) == (200, {"state": "stored"})
        again = program.call("POST", item["links"]["complete"])
        assert (again.status_code, again.json) == (200, {"state": "stored"})
        intake.seal(ItemId(item["id"]))
        sealed: Any = program.call("GET", item["links"]["self"]).json
        assert (sealed["state"], sealed["upload"]) == ("sealed", None)
        assert sealed["sha256"] == sha256_of(body)
        assert vault.find(sealed_key(sha256_of(body))) is not None

    def test_a_small_file_needs_two_calls_and_stays_where_it_arrived(
        self, program: Program, intake: Intake, vault: Vault
    ) -> None:
        body = noise(1000)
        part = {"number": 1, "sha256": sha256_of(body)}
        said = {"file_name": "a.pdf", "size": len(body), "fingerprint": fingerprint(body)}
        said |= {"sha256": part["sha256"], "parts": [part]}
        item: Any = program.call("POST", f"/cases/{intake.case_id}/evidence", said).json
        (link,) = item["upload"]["signed"]
        put = requests.put(link["url"], data=body, headers=link["headers"], timeout=60)
        taken = {"taken": [{**part, "etag": put.headers["ETag"]}]}
        for _ in range(2):
            done = program.call("POST", item["links"]["complete"], taken)
            assert (done.status_code, done.json) == (200, {"state": "stored"})
        arrived = intake.arrived_at(ItemId(item["id"]))
        assert intake.seal(ItemId(item["id"])).sha256 == sha256_of(body)
        assert [one.key for one in vault.list_keys("")] == [arrived]

    def test_parts_that_are_there_are_not_signed_with_an_announcement(
        self, program: Program, intake: Intake
    ) -> None:
        body = noise(9 * 1024**2)
        item = program.announce(intake, body)
        program.send(item, body, [2])
        half = item["upload"]["part_size"]
        digests = [sha256_of(body[:half]), sha256_of(body[half:])]
        named = [{"number": number, "sha256": digest} for number, digest in enumerate(digests, 1)]
        said = {"file_name": "again.pdf", "size": len(body), "fingerprint": fingerprint(body)}
        again: Any = program.call(
            "POST", f"/cases/{intake.case_id}/evidence", said | {"parts": named}
        ).json
        assert again["id"] == item["id"]
        assert [link["number"] for link in again["upload"]["signed"]] == [1]

    def test_a_file_that_has_arrived_unnoticed_is_announced_again_without_a_fault(
        self, program: Program, intake: Intake
    ) -> None:
        body = noise(1000)
        intake.names_digest = True
        plan = intake.announce(body)
        intake.send(plan, body)
        intake.assemble_unseen(plan, body)
        part = {"number": 1, "sha256": sha256_of(body)}
        said = {"file_name": "report.pdf", "size": 1000, "fingerprint": fingerprint(body)}
        said |= {"sha256": part["sha256"], "parts": [part]}
        again = program.call("POST", f"/cases/{intake.case_id}/evidence", said)
        item: Any = again.json
        assert (again.status_code, item["state"]) == (201, "stored")
        assert item["id"] == str(plan.item_id)

    def test_a_part_that_no_plan_has_is_refused_with_the_announcement(
        self, program: Program, intake: Intake
    ) -> None:
        said = {"file_name": "a.pdf", "size": 1000, "parts": [{"number": 2, "sha256": "a" * 64}]}
        refused = program.call("POST", f"/cases/{intake.case_id}/evidence", said)
        told(refused, 422)

    def test_a_recording_has_no_size_until_its_end(self, program: Program, intake: Intake) -> None:
        said = {"file_name": "me.webm", "size": None, "recorded_with": "Firefox, camera"}
        item: Any = program.call("POST", f"/cases/{intake.case_id}/evidence", said).json
        assert (item["size"], item["upload"]["open_ended"]) == (None, True)
        assert item["recorded_with"] == "Firefox, camera"
        body = noise(item["upload"]["part_size"] + 5)
        program.send({**item, "upload": item["upload"] | {"part_count": 1}}, body)
        last = body[item["upload"]["part_size"] :]
        part = {"number": 2, "sha256": sha256_of(last), "size": len(last)}
        signed: Any = program.call("POST", item["links"]["parts"], {"parts": [part]}).json
        (link,) = signed["parts"]
        put = requests.put(link["url"], data=last, headers=link["headers"], timeout=30)
        taken = {"parts": [{**part, "etag": put.headers["ETag"]}]}
        assert program.call("PUT", item["links"]["parts"], taken).status_code == 204
        ended = {"parts": [1, 2], "size": len(body)}
        done = program.call("POST", item["links"]["complete"], ended)
        assert done.json == {"state": "stored"}
        now: Any = program.call("GET", item["links"]["self"]).json
        assert now["size"] == len(body)

    def test_the_pages_own_script_calls_with_its_session_and_its_token(
        self, browser: Browser, intake: Intake
    ) -> None:
        session = browser.sign_in(intake.learner)
        path = f"/api/v1/cases/{intake.case_id}/evidence"
        said = {"file_name": "a.pdf", "size": 10, "fingerprint": fingerprint(b"x" * 10)}
        headers = {"X-CSRF-Token": browser.forms_token(session), "Sec-Fetch-Site": "same-origin"}
        answer = browser.client.post(path, json=said, headers={**headers, "Origin": ORIGIN})
        assert answer.status_code == 201
        assert answer.json is not None and answer.location == answer.json["links"]["self"]

    def test_a_part_left_out_is_a_conflict_that_names_it(
        self, program: Program, intake: Intake
    ) -> None:
        body = noise(17 * 1024**2)
        item = program.announce(intake, body)
        sent = [one for one in range(1, item["upload"]["part_count"] + 1) if one != 2]
        program.send(item, body, sent)
        answer = program.call("POST", item["links"]["complete"], {"parts": sent})
        assert told(answer, 409)["problems"] == {
            "left_out": "Parts left out: 2.",
            "missing": "Parts missing: 2.",
        }

    def test_a_removed_item_is_gone_and_removing_it_again_is_no_fault(
        self, program: Program, intake: Intake
    ) -> None:
        item = intake.sealed(noise(1000))
        assert program.call("DELETE", f"/evidence/{item.id}").status_code == 204
        assert intake.item(ItemId(item.id)).state == EvidenceState.ERASED
        assert program.call("DELETE", f"/evidence/{item.id}").status_code == 204
        told(program.call("GET", f"/evidence/{item.id}"), 410)
        intake.erase(ItemId(item.id))

    def test_a_link_opens_the_file_and_is_written_down(
        self, program: Program, intake: Intake
    ) -> None:
        body = noise(1000)
        item = intake.sealed(body)
        answer: Any = program.call("GET", f"/evidence/{item.id}/link").json
        assert answer["expires_in"] == 60
        assert requests.get(answer["url"], timeout=10).content == body
        with intake.db.reading() as tx:
            (access,) = tx.session.exec(select(EvidenceAccess)).all()
        assert (access.account_id, access.purpose) == (intake.learner.account_id, "api")

    def test_there_is_no_link_to_what_is_not_sealed(self, program: Program, intake: Intake) -> None:
        item_id = intake.store(noise(1000))
        told(program.call("GET", f"/evidence/{item_id}/link"), 409)


class TestDescribing:
    def test_what_is_left_out_stays_as_it_is(self, program: Program, intake: Intake) -> None:
        item_id = intake.sealed(noise(1000)).id
        first = {"own_part": "All of it.", "outcomes": ["CNC1", "CNC2"], "work_to": "2026-01-09"}
        assert program.call("PATCH", f"/evidence/{item_id}", first).status_code == 200
        answer: Any = program.call("PATCH", f"/evidence/{item_id}", {"title": "Vice job"}).json
        assert (answer["title"], answer["own_part"]) == ("Vice job", "All of it.")
        assert (answer["outcomes"], answer["work_to"]) == (["CNC1", "CNC2"], "2026-01-09")
        answer = program.call("PATCH", f"/evidence/{item_id}", {"work_to": None}).json
        assert (answer["work_to"], answer["own_part"]) == (None, "All of it.")

    def test_an_old_version_is_a_conflict(self, program: Program, intake: Intake) -> None:
        item = intake.sealed(noise(1000))
        said = {"title": "One", "version": item.version}
        assert program.call("PATCH", f"/evidence/{item.id}", said).status_code == 200
        told(program.call("PATCH", f"/evidence/{item.id}", said), 409)

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"title": ""}, "title"),
            ({"title": " "}, "title"),
            ({"title": None}, "title"),
            ({"title": "nul \x00"}, "title"),
            ({"kind": "attestation"}, "kind"),
            ({"kind": "magic"}, "kind"),
            ({"work_to": "2031-01-01"}, "work_to"),
            ({"work_to": "yesterday"}, "work_to"),
            ({"outcomes": ["NONE"]}, "outcomes"),
            ({"outcomes": "CNC1"}, "outcomes"),
            ({"outcomes": ["\x00"]}, "outcomes.0"),
            ({"own_part": "x" * 4001}, "own_part"),
            ({"version": 2**31}, "version"),
            ({"version": 1.5}, "version"),
            ({"disclosure": 1}, "disclosure"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_what_cannot_be_kept_is_refused_by_its_field(
        self, program: Program, intake: Intake, said: dict[str, object], field: str
    ) -> None:
        item_id = intake.world.item(intake.case_id, "CNC1")
        refusal = told(program.call("PATCH", f"/evidence/{item_id}", said), 422)
        assert list(refusal["problems"]) == [field]
        assert all(refusal["problems"].values())

    def test_of_an_attestation_only_the_disclosure_is_changed(
        self, program: Program, intake: Intake
    ) -> None:
        item_id = intake.world.item(intake.case_id, "CNC1", kind=EvidenceKind.ATTESTATION)
        said = {"disclosure": "open_link", "own_part": "Mine."}
        answer: Any = program.call("PATCH", f"/evidence/{item_id}", said).json
        assert (answer["disclosure"], answer["own_part"]) == ("open_link", "I did all of it.")

    def test_after_submission_everything_is_read_and_nothing_changed(
        self, program: Program, intake: Intake
    ) -> None:
        (item_id, *_) = intake.world.full_evidence(intake.case_id)
        submit_case(intake.db, intake.world.site, intake.learner, intake.case_id, SIGNED)
        told(program.call("PATCH", f"/evidence/{item_id}", {"title": "x"}), 409)
        told(program.call("DELETE", f"/evidence/{item_id}"), 409)
        assert program.call("GET", f"/evidence/{item_id}").status_code == 200
        case: Any = program.call("GET", f"/cases/{intake.case_id}").json
        assert (case["state"], case["editable"]) == ("submitted", False)

    def test_a_case_that_ended_takes_no_parts(self, program: Program, intake: Intake) -> None:
        item = program.announce(intake, noise(1000))
        withdraw_case(intake.db, intake.learner, intake.case_id, "No time.")
        told(program.call("POST", item["links"]["parts"], {"parts": [A_PART]}), 409)
        left: Any = program.call("GET", item["links"]["self"]).json
        assert (left["state"], left["upload"]) == ("announced", None)


class TestReading:
    def test_a_case_tells_its_outcomes_and_where_to_go_on(
        self, program: Program, intake: Intake
    ) -> None:
        listed: Any = program.call("GET", "/cases").json
        (line,) = listed["cases"]
        case: Any = program.call("GET", line["links"]["self"]).json
        assert case["id"] == str(intake.case_id) and case["editable"]
        assert [one["code"] for one in case["outcomes"]][:2] == ["CNC1", "CNC2"]
        assert program.call("GET", case["links"]["evidence"]).json == {"items": [], "next": None}

    def test_a_list_is_read_page_by_page_and_nothing_comes_twice(
        self, program: Program, intake: Intake
    ) -> None:
        made = [str(intake.world.item(intake.case_id)) for _ in range(5)]
        seen, cursor = [], ""
        for _ in range(3):
            path = f"/cases/{intake.case_id}/evidence?limit=2{cursor}"
            page: Any = program.call("GET", path).json
            seen += [item["id"] for item in page["items"]]
            cursor = f"&cursor={page['next']}"
            if len(seen) == 2:
                program.call("DELETE", f"/evidence/{seen[-1]}")
        assert seen == made and page["next"] is None

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=201", "limit=x", "limit=", "limit=" + "9" * 5000, "cursor=x"]
    )
    def test_a_page_that_cannot_be_is_refused(
        self, program: Program, intake: Intake, query: str
    ) -> None:
        answer = program.call("GET", f"/cases/{intake.case_id}/evidence?{query}")
        assert list(told(answer, 422)["problems"]) == [query.partition("=")[0]]

    def test_me_tells_the_token_and_the_session_apart(
        self, program: Program, browser: Browser, intake: Intake
    ) -> None:
        by_token: Any = program.call("GET", "/me").json
        assert (by_token["by"], by_token["roles"]) == ("token", ["learner"])
        assert by_token["token"]["scopes"] == sorted(TokenScope)
        browser.sign_in(intake.learner)
        by_session: Any = browser.get("/api/v1/me").json
        assert (by_session["by"], by_session["token"]) == ("session", None)
        assert by_session["id"] == by_token["id"]


class TestNonsense:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (b"", ""),
            (b"[]", ""),
            (b"{", ""),
            (b"null", ""),
            (b"\xff\xfe", ""),
            (b"[" * 100_000, ""),
            (b'{"parts": "all"}', "parts"),
            (b'{"parts": [{"number": "1", "sha256": "x"}]}', "parts.0.number"),
            (b'{"parts": [{"number": 1e400, "sha256": "x"}]}', "parts.0.number"),
            (b'{"parts": [{"number": NaN, "sha256": "x"}]}', "parts.0.number"),
            (b'{"parts": [{"number": 99999999999999999999, "sha256": "x"}]}', "parts.0.number"),
            (b'{"parts": []}', "parts"),
            (b'{"parts": [], "\\ud800": 1}', ""),
        ],
    )
    def test_it_is_refused_by_its_fields(
        self, program: Program, intake: Intake, body: bytes, field: str
    ) -> None:
        item_id = intake.announce(noise(1000)).item_id
        path = f"/evidence/{item_id}/parts"
        for method in ("POST", "PUT"):
            answer = program.call(method, path, data=body, content_type="application/json")
            assert field in told(answer, 422)["problems"]

    @pytest.mark.parametrize(
        "change",
        [
            {"size": 0},
            {"size": -5},
            {"size": 10**15},
            {"size": 2**63},
            {"size": 10.5},
            {"size": "10"},
            {"size": True},
            {"file_name": "../x"},
            {"file_name": ""},
            {"file_name": "a\x00.pdf"},
            {"file_name": "x" * 256},
            {"file_name": 7},
            {"media_type": "a\x00"},
            {"fingerprint": "x"},
            {"kind": "attestation"},
            {"recorded_with": "a\nb"},
            {"unknown": 1},
        ],
    )
    def test_a_file_that_cannot_come_is_refused_in_words(
        self, program: Program, intake: Intake, change: dict[str, object]
    ) -> None:
        said = {"file_name": "a.pdf", "size": 10, "fingerprint": fingerprint(b"x" * 10)}
        answer = program.call("POST", f"/cases/{intake.case_id}/evidence", said | change)
        refusal = told(answer, 422)
        assert list(refusal["problems"]) == list(change)
        assert all(refusal["problems"].values())

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_what_is_not_called_json_is_not_read(
        self, program: Program, intake: Intake, kind: str
    ) -> None:
        path = f"/cases/{intake.case_id}/evidence"
        told(program.call("POST", path, data=b"{}", content_type=kind), 415)

    def test_a_body_that_is_too_large_is_not_read(self, program: Program, intake: Intake) -> None:
        path = f"/cases/{intake.case_id}/evidence"
        body = json.dumps({"file_name": "x" * 300_000}).encode()
        told(program.call("POST", path, data=body, content_type="application/json"), 413)

    def test_addresses_that_are_none_are_told_so_in_the_same_shape(self, program: Program) -> None:
        told(program.call("GET", "/evidence/7"), 404)
        told(program.call("GET", f"/evidence/{uuid4()}"), 404)
        told(program.call("GET", "/nothing"), 404)
        wrong = program.call("PATCH", "/cases")
        told(wrong, 405)
        assert "GET" in wrong.headers["Allow"]


class TestWhoMay:
    OF_A_FILE = ("announce_evidence", "remove_evidence", "access_refused")

    def test_each_operation_is_done_by_the_scope_it_names_and_by_no_other(
        self, app: Flask, intake: Intake
    ) -> None:
        """Also with what no view could use: the scope is looked at before."""
        programs = {
            scope: Program(app, token_for(intake, intake.learner, [scope])) for scope in TokenScope
        }
        item_id = intake.world.item(intake.case_id)
        named = {"case_id": intake.case_id, "item_id": item_id}
        for rule, method, described in routes(app):
            with app.test_request_context():
                _, path = rule.build(dict(named), append_unknown=False) or ("", "")
            for scope, program in programs.items():
                answer = program.call(method, path)
                if described.scope in {None, scope}:
                    assert answer.status_code != 403, (method, path, scope)
                    continue
                words = told(answer, 403)["detail"]
                assert described.scope is not None and described.scope.value in words
                assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
            item_id = intake.world.item(intake.case_id)
            named["item_id"] = item_id

    def test_without_token_and_session_one_is_asked_to_come_in(
        self, app: Flask, browser: Browser, intake: Intake
    ) -> None:
        named = {"case_id": intake.case_id, "item_id": intake.world.item(intake.case_id)}
        token = browser.visitors_token()
        for rule, method, _ in routes(app):
            _, path = rule.build(dict(named), append_unknown=False) or ("", "")
            answer = browser.client.open(path, method=method, headers={"X-CSRF-Token": token})
            told(answer, 401)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Assay"'

    @pytest.mark.parametrize("sent", ["", "x", "assay_x", "assay_" + "x" * 43, "é", "a b"])
    def test_a_wrong_token_opens_nothing_even_beside_a_good_session(
        self, browser: Browser, intake: Intake, sent: str
    ) -> None:
        browser.sign_in(intake.learner)
        headers = {"Authorization": f"Bearer {sent}"}
        answer = browser.get("/api/v1/me", headers=headers)
        told(answer, 401)
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    def test_an_ended_token_opens_nothing(
        self, app: Flask, program: Program, intake: Intake, clock: SetClock
    ) -> None:
        revoked = make_token(intake.db, intake.learner, "old", [TokenScope.CASES_READ], 30)
        assert Program(app, revoked.token).call("GET", "/cases").status_code == 200
        revoke_token(intake.db, intake.learner, revoked.id)
        told(Program(app, revoked.token).call("GET", "/cases"), 401)
        clock.advance(timedelta(days=31))
        told(program.call("GET", "/cases"), 401)

    def test_the_end_of_an_account_is_the_end_of_its_tokens(
        self, program: Program, intake: Intake
    ) -> None:
        administrator = intake.world.person(Role.ADMINISTRATOR)
        intake.world.person(Role.ADMINISTRATOR)
        assert intake.learner.account_id is not None
        disable_person(intake.db, administrator, intake.learner.account_id)
        told(program.call("GET", "/me"), 401)

    def test_a_token_sets_no_cookie_and_needs_no_forms_token(
        self, program: Program, intake: Intake
    ) -> None:
        item_id = intake.world.item(intake.case_id)
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
        answer = program.call("PATCH", f"/evidence/{item_id}", {"title": "New"}, headers)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-CSRF-Token": "f" * 64},
            {"Sec-Fetch-Site": "cross-site"},
            {"Origin": "https://elsewhere.example"},
            {"Authorization": "Basic YTpi"},
        ],
    )
    def test_a_session_changes_nothing_from_another_site_or_without_its_token(
        self, browser: Browser, intake: Intake, headers: dict[str, str]
    ) -> None:
        session = browser.sign_in(intake.learner)
        if {"Sec-Fetch-Site", "Origin"} & set(headers):
            headers = headers | {"X-CSRF-Token": browser.forms_token(session)}
        item_id = intake.world.item(intake.case_id)
        answer = browser.client.delete(f"/api/v1/evidence/{item_id}", headers=headers)
        told(answer, 403)
        assert intake.item(item_id).state == EvidenceState.SEALED

    def test_a_token_opens_no_page_and_makes_no_token(
        self, program: Program, intake: Intake
    ) -> None:
        sent = {"Authorization": f"Bearer {program.token}"}
        client = program.app.test_client()
        for path in ("/account", "/account/tokens", "/my"):
            assert client.get(path, headers=sent).status_code == 303
        form = {"name": "more", "scopes": "evidence:write", "days": "365"}
        answer = client.post("/account/tokens", data=form, headers=sent)
        assert answer.status_code in {303, 403}
        assert intake.learner.account_id is not None
        with intake.db.reading() as tx:
            assert len(own_tokens(tx, intake.learner.account_id)) == 1

    def test_what_was_done_by_token_says_by_which_and_holds_no_secret(
        self, app: Flask, intake: Intake
    ) -> None:
        made = [make_token(intake.db, intake.learner, "p", tuple(TokenScope), 30) for _ in range(2)]
        item = Program(app, made[0].token).announce(intake, noise(1000))
        Program(app, made[1].token).call("DELETE", item["links"]["self"])
        remove_evidence(intake.db, intake.learner, intake.announce(noise(900), "b.pdf").item_id)
        Program(app, made[1].token).call("GET", f"/cases/{uuid4()}")
        stranger = intake.world.person(Role.LEARNER)
        Program(app, made[0].token).call("GET", f"/cases/{intake.world.case(stranger)}")
        with intake.db.reading() as tx:
            events = tx.session.exec(select(Event).order_by(col(Event.at), col(Event.id))).all()
            kept = tx.session.execute(text("SELECT e::text FROM event e")).scalars().all()
        acted = [
            (one.kind, one.data.get("token_id")) for one in events if one.kind in self.OF_A_FILE
        ]
        first, second = (str(one.id) for one in made)
        assert sorted(acted, key=str) == sorted(
            [
                ("announce_evidence", first),
                ("remove_evidence", second),
                ("announce_evidence", None),
                ("remove_evidence", None),
                ("access_refused", first),
            ],
            key=str,
        )
        secrets = [one.token for one in made] + [token_hash(one.token) for one in made]
        assert not any(secret in row for secret in secrets for row in kept)

    def test_another_learner_gets_nothing_signed_and_the_try_is_written_down(
        self, app: Flask, program: Program, intake: Intake
    ) -> None:
        item = program.announce(intake, noise(1000))
        stranger = intake.world.person(Role.LEARNER)
        other = Program(app, token_for(intake, stranger))
        told(other.call("POST", item["links"]["parts"], {"parts": [A_PART]}), 404)
        with intake.db.reading() as tx:
            (event,) = tx.session.exec(select(Event).where(Event.kind == "access_refused")).all()
        assert event.actor_id == stranger.account_id
        assert (event.subject_type, str(event.subject_id)) == ("item", item["id"])
        assert event.data["permission"] == "add_evidence"
        assert intake.item(ItemId(item["id"])).state == EvidenceState.ANNOUNCED
        taken = {"parts": [{**A_PART, "etag": "e"}]}
        told(other.call("PUT", item["links"]["parts"], taken), 404)
        told(other.call("POST", item["links"]["complete"]), 404)
        told(other.call("GET", item["links"]["self"]), 404)
        told(other.call("DELETE", item["links"]["self"]), 404)
        told(other.call("GET", f"/cases/{intake.case_id}/evidence"), 404)

    def test_one_caller_is_slowed_down_and_others_are_not(
        self, app: Flask, program: Program, intake: Intake
    ) -> None:
        patient = Program(app, token_for(intake, intake.learner))
        settings = app.extensions["assay"].settings
        object.__setattr__(settings, "api_calls_per_minute", 3)
        codes = [program.call("GET", "/me").status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        slowed = program.call("GET", "/cases")
        told(slowed, 429)
        assert int(slowed.headers["Retry-After"]) <= 61
        assert patient.call("GET", "/me").status_code == 200
