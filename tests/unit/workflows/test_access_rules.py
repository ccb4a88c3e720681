"""`may` says why not, and whether one may know: the words and the edges of the rules."""

from uuid import UUID

import pytest

from storage.errors import Forbidden, NotFound
from storage.events import Who
from storage.ids import AccountId, InstitutionId, new_id
from storage.vocabulary import Role
from workflows.access.permissions import GRANTS, Permission, Scope
from workflows.access.rules import (
    NOTHING,
    REASONS,
    VISITOR,
    Actor,
    Part,
    Resource,
    acting,
    may,
    require,
)

HERE, ELSEWHERE = InstitutionId(new_id()), InstitutionId(new_id())
ME, LEARNER = AccountId(new_id()), AccountId(new_id())


def actor(*roles: Role, institution_id: InstitutionId = HERE) -> Actor:
    return Actor(ME, institution_id, frozenset(roles), "Me", "me@people.example")


def case(*parts: Part, owner: AccountId = LEARNER, institution: InstitutionId = HERE) -> Resource:
    mine: dict[UUID, frozenset[Part]] = {ME: frozenset(parts)} if parts else {}
    return Resource(institution, owner, mine)


def test_every_permission_has_its_grants() -> None:
    assert set(GRANTS) == set(Permission)
    assert all(GRANTS.values())


def test_the_administrator_has_nothing_to_do_with_cases() -> None:
    about_cases = [one for one in Permission if not may(actor(Role.ADMINISTRATOR), one, case())]
    assert Permission.VIEW_CASE in about_cases
    assert Permission.READ_EVIDENCE in about_cases
    assert Permission.MANAGE_PEOPLE not in about_cases


def test_the_auditor_changes_nothing() -> None:
    open_to_all = {one for one in Permission if may(Actor(ME, HERE), one)}
    allowed = {one for one in Permission if may(actor(Role.AUDITOR), one, case())} - open_to_all
    assert {one.value.partition("_")[0] for one in allowed} <= {"view", "list", "read"}


def test_a_visitor_is_asked_to_sign_in() -> None:
    answer = may(VISITOR, Permission.OPEN_CASE)
    assert not answer
    assert answer.reason == "Please sign in first."
    assert may(VISITOR, Permission.MANAGE_OWN_ACCOUNT).reason == "Please sign in first."


def test_without_the_role_one_is_told_so_about_what_one_may_know() -> None:
    answer = may(actor(Role.AUDITOR), Permission.SCREEN_CASE, case())
    assert (answer.allowed, answer.known) == (False, True)
    assert answer.reason == "Your role does not include this."
    with pytest.raises(Forbidden):
        require(answer)


def test_of_what_one_may_not_see_one_may_not_know() -> None:
    for permission in (Permission.VIEW_CASE, Permission.EDIT_CASE, Permission.SCREEN_CASE):
        answer = may(actor(Role.LEARNER), permission, case())
        assert (answer.allowed, answer.known) == (False, False)
        with pytest.raises(NotFound):
            require(answer)


def test_staff_of_another_institution_know_nothing() -> None:
    answer = may(actor(Role.COORDINATOR, institution_id=ELSEWHERE), Permission.VIEW_CASE, case())
    assert not answer.known


def test_an_offered_assessor_declares_first() -> None:
    assert may(actor(Role.ASSESSOR), Permission.DECLARE_CONFLICT, case(Part.OFFERED))
    for permission in (Permission.VIEW_CASE, Permission.READ_EVIDENCE, Permission.SCORE_CASE):
        answer = may(actor(Role.ASSESSOR), permission, case(Part.OFFERED))
        assert (answer.allowed, answer.known) == (False, True)
        assert "Declare first" in answer.reason
    assert not may(actor(Role.ASSESSOR), Permission.DECLARE_CONFLICT, case()).known


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.REGISTRAR, Role.AUDITOR])
def test_another_role_does_not_spare_an_assessor_the_declaration(role: Role) -> None:
    for permission in (Permission.VIEW_CASE, Permission.READ_EVIDENCE):
        answer = may(actor(Role.ASSESSOR, role), permission, case(Part.OFFERED))
        assert (answer.allowed, "Declare first" in answer.reason) == (False, True)
        assert may(actor(Role.ASSESSOR, role), permission, case(Part.CLEARED))


@pytest.mark.parametrize("part", [Part.OFFERED, Part.CLEARED, Part.SCORED])
@pytest.mark.parametrize("permission", [Permission.ALLOCATE_ASSESSORS, Permission.SETTLE_CONFLICT])
def test_who_scores_blind_does_not_seat_the_others(permission: Permission, part: Part) -> None:
    assert not may(actor(Role.COORDINATOR, Role.ASSESSOR), permission, case(part))


def test_the_staff_of_ones_own_case_is_someone_else() -> None:
    answer = may(actor(Role.COORDINATOR, Role.LEARNER), Permission.SCREEN_CASE, case(owner=ME))
    assert not answer
    assert answer.reason == "This is your own case: someone else does this."


@pytest.mark.parametrize("part", [part for part in REASONS if part is not Part.DECIDED])
def test_who_had_a_part_does_not_decide_and_is_told_which(part: Part) -> None:
    answer = may(actor(Role.DECIDER), Permission.DECIDE_CASE, case(part))
    assert not answer
    assert answer.reason == REASONS[part]


@pytest.mark.parametrize(
    "part", [Part.SCORED, Part.CLEARED, Part.OFFERED, Part.CONFLICTED, Part.DECIDED]
)
def test_who_scored_or_decided_does_not_moderate(part: Part) -> None:
    answer = may(actor(Role.MODERATOR), Permission.MODERATE_CASE, case(part))
    assert (bool(answer), answer.reason) == (False, REASONS[part])


def test_who_moderated_goes_on_moderating() -> None:
    assert may(actor(Role.MODERATOR), Permission.MODERATE_CASE, case(Part.MODERATED))


@pytest.mark.parametrize("part", [Part.SCORED, Part.CLEARED, Part.OFFERED])
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.REGISTRAR, Role.AUDITOR])
def test_who_scores_blind_sees_no_scores_through_another_role(part: Part, role: Role) -> None:
    answer = may(actor(role), Permission.VIEW_AGREEMENT, case(part))
    assert (bool(answer), answer.reason) == (False, REASONS[part])


def test_the_second_key_is_someone_elses() -> None:
    assert may(actor(Role.REGISTRAR), Permission.RELEASE_CASE, case())
    refused = may(actor(Role.REGISTRAR), Permission.RELEASE_CASE, case(Part.DECIDED))
    assert "second key" in refused.reason


@pytest.mark.parametrize("part", list(REASONS))
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MODERATOR, Role.REGISTRAR])
def test_who_has_any_part_in_a_case_confirms_no_override(part: Part, role: Role) -> None:
    assert may(actor(role), Permission.ANSWER_OVERRIDE, case())
    answer = may(actor(role), Permission.ANSWER_OVERRIDE, case(part))
    assert (bool(answer), answer.reason) == (False, REASONS[part])


def test_acting_tells_as_what_role() -> None:
    who = acting(actor(Role.AUDITOR, Role.COORDINATOR), Permission.SCREEN_CASE, case())
    assert who == Who(Role.COORDINATOR, ME, "Me")
    assert acting(VISITOR, Permission.VIEW_PUBLIC).role is Role.VERIFIER


def test_where_nothing_is_named_nothing_is_near() -> None:
    everyone = actor(*Role)
    near = {Scope.OWN, Scope.OFFERED, Scope.CLEARED}
    for permission, grants in GRANTS.items():
        if {grant.scope for grant in grants} <= near:
            assert not may(everyone, permission, NOTHING)
