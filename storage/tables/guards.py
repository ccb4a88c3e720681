"""What constraints on one row cannot say: triggers that hold what must never be."""

from storage.tables import appeal_guards, override_guards

GUARDS = (
    """
    CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION event_is_append_only()
    """,
    """
    CREATE TRIGGER event_never_emptied BEFORE TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()
    """,
    """
    CREATE FUNCTION content_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'what its digest was taken of does not change'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER manifest_frozen BEFORE UPDATE ON manifest
    FOR EACH ROW EXECUTE FUNCTION content_is_frozen()
    """,
    """
    CREATE TRIGGER definition_frozen BEFORE UPDATE ON definition_version FOR EACH ROW
    WHEN ((OLD.code, OLD.content_hash, OLD.body) IS DISTINCT FROM
          (NEW.code, NEW.content_hash, NEW.body))
    EXECUTE FUNCTION content_is_frozen()
    """,
    """
    CREATE TRIGGER policy_frozen BEFORE UPDATE ON policy_version FOR EACH ROW
    WHEN ((OLD.content_hash, OLD.body) IS DISTINCT FROM (NEW.content_hash, NEW.body))
    EXECUTE FUNCTION content_is_frozen()
    """,
    """
    CREATE TRIGGER seal_frozen BEFORE UPDATE ON evidence_item FOR EACH ROW
    WHEN (OLD.state = 'sealed' AND NEW.state <> 'erased' AND
          (OLD.sha256, OLD.size) IS DISTINCT FROM (NEW.sha256, NEW.size))
    EXECUTE FUNCTION content_is_frozen()
    """,
    """
    CREATE FUNCTION decider_did_not_score() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM score_sheet s
                   WHERE s.case_id = NEW.case_id AND s.assessor_id = NEW.decider_id)
           OR EXISTS (SELECT 1 FROM agreement a
                      WHERE a.case_id = NEW.case_id AND a.moderator_id = NEW.decider_id)
           OR EXISTS (SELECT 1 FROM plar_case c
                      WHERE c.id = NEW.case_id AND c.learner_id = NEW.decider_id) THEN
            RAISE EXCEPTION 'who scored, moderated or submitted a case does not decide it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER decision_by_another BEFORE INSERT OR UPDATE OF decider_id ON decision
    FOR EACH ROW EXECUTE FUNCTION decider_did_not_score()
    """,
    """
    CREATE FUNCTION assessor_is_not_party() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM plar_case c
                   WHERE c.id = NEW.case_id AND c.learner_id = NEW.assessor_id)
           OR EXISTS (SELECT 1 FROM decision d
                      WHERE d.case_id = NEW.case_id AND d.decider_id = NEW.assessor_id) THEN
            RAISE EXCEPTION 'a learner or decider of a case does not score it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER sheet_by_another BEFORE INSERT OR UPDATE OF assessor_id ON score_sheet
    FOR EACH ROW EXECUTE FUNCTION assessor_is_not_party()
    """,
    """
    CREATE FUNCTION sheet_is_cleared() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM assignment a
                       WHERE a.id = NEW.assignment_id AND a.state = 'cleared'
                         AND a.case_id = NEW.case_id AND a.round = NEW.round
                         AND a.seat = NEW.seat AND a.assessor_id = NEW.assessor_id) THEN
            RAISE EXCEPTION 'a score sheet is of an assessor who declared and was cleared'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER sheet_after_clearance BEFORE INSERT ON score_sheet
    FOR EACH ROW EXECUTE FUNCTION sheet_is_cleared()
    """,
    """
    CREATE FUNCTION final_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.state <> 'open' AND NEW.state = 'open')
           OR (OLD.state = 'superseded' AND NEW.state <> 'superseded')
           OR NEW.definition_hash <> OLD.definition_hash THEN
            RAISE EXCEPTION 'a score sheet is not opened again and keeps its rubric'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER sheet_stays_final BEFORE UPDATE ON score_sheet
    FOR EACH ROW EXECUTE FUNCTION final_is_final()
    """,
    """
    CREATE FUNCTION score_is_on_open_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM score_sheet s
                       WHERE s.id = COALESCE(NEW.sheet_id, OLD.sheet_id) AND s.state = 'open') THEN
            RAISE EXCEPTION 'scores change only while their sheet is open'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN COALESCE(NEW, OLD);
    END $$
    """,
    """
    CREATE TRIGGER score_while_open BEFORE INSERT OR UPDATE OR DELETE ON score
    FOR EACH ROW EXECUTE FUNCTION score_is_on_open_sheet()
    """,
    """
    CREATE FUNCTION moderator_did_not_score() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM score_sheet s
                   WHERE s.case_id = NEW.case_id AND s.assessor_id = NEW.moderator_id)
           OR EXISTS (SELECT 1 FROM plar_case c
                      WHERE c.id = NEW.case_id AND c.learner_id = NEW.moderator_id) THEN
            RAISE EXCEPTION 'who scored or submitted a case does not moderate it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER moderation_by_another BEFORE INSERT OR UPDATE OF moderator_id ON agreement
    FOR EACH ROW EXECUTE FUNCTION moderator_did_not_score()
    """,
    """
    CREATE FUNCTION case_is_released() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.state IN ('released', 'closed') AND NOT EXISTS (
            SELECT 1 FROM decision d
            WHERE d.id = NEW.decision_id AND d.case_id = NEW.id
              AND d.released_by IS NOT NULL) THEN
            RAISE EXCEPTION 'a case is released by the second key'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER case_with_second_key BEFORE INSERT OR UPDATE OF state ON plar_case
    FOR EACH ROW EXECUTE FUNCTION case_is_released()
    """,
    """
    CREATE FUNCTION document_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.document IS NOT NULL AND NEW.document IS DISTINCT FROM OLD.document THEN
            RAISE EXCEPTION 'a signed document is written once'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER credential_written_once BEFORE UPDATE OF document ON credential
    FOR EACH ROW EXECUTE FUNCTION document_is_written_once()
    """,
    """
    CREATE TRIGGER endorsement_written_once BEFORE UPDATE OF document ON endorsement
    FOR EACH ROW EXECUTE FUNCTION document_is_written_once()
    """,
    """
    CREATE FUNCTION revoked_is_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a revoked credential stays revoked'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER credential_stays_revoked BEFORE UPDATE ON credential FOR EACH ROW
    WHEN (OLD.state = 'revoked' AND NEW.state <> 'revoked')
    EXECUTE FUNCTION revoked_is_for_good()
    """,
)

UNGUARDS = (
    "DROP TRIGGER credential_stays_revoked ON credential",
    "DROP FUNCTION revoked_is_for_good",
    "DROP TRIGGER endorsement_written_once ON endorsement",
    "DROP TRIGGER credential_written_once ON credential",
    "DROP FUNCTION document_is_written_once",
    "DROP TRIGGER case_with_second_key ON plar_case",
    "DROP FUNCTION case_is_released",
    "DROP TRIGGER moderation_by_another ON agreement",
    "DROP FUNCTION moderator_did_not_score",
    "DROP TRIGGER score_while_open ON score",
    "DROP FUNCTION score_is_on_open_sheet",
    "DROP TRIGGER sheet_stays_final ON score_sheet",
    "DROP FUNCTION final_is_final",
    "DROP TRIGGER sheet_after_clearance ON score_sheet",
    "DROP FUNCTION sheet_is_cleared",
    "DROP TRIGGER sheet_by_another ON score_sheet",
    "DROP FUNCTION assessor_is_not_party",
    "DROP TRIGGER decision_by_another ON decision",
    "DROP FUNCTION decider_did_not_score",
    "DROP TRIGGER seal_frozen ON evidence_item",
    "DROP TRIGGER policy_frozen ON policy_version",
    "DROP TRIGGER definition_frozen ON definition_version",
    "DROP TRIGGER manifest_frozen ON manifest",
    "DROP FUNCTION content_is_frozen",
    "DROP TRIGGER event_never_emptied ON event",
    "DROP TRIGGER event_append_only ON event",
    "DROP FUNCTION event_is_append_only",
)

# Erasure is the one way out of what is append-only, frozen or final: while a plan of that very
# case is being carried out, what people wrote may leave, and nothing else may change.
LETTING_GO = (
    """
    CREATE FUNCTION is_letting_go(of_case uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT EXISTS (SELECT 1 FROM erasure_plan p
                       WHERE p.case_id = of_case AND p.begun_at IS NOT NULL
                         AND p.undone_at IS NULL AND p.done_at IS NULL)
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.why IN ('', OLD.why) AND NEW.actor_label IN ('', OLD.actor_label)
               AND NEW.data <@ OLD.data
               AND NEW.data -> 'from' IS NOT DISTINCT FROM OLD.data -> 'from'
               AND NEW.data -> 'to' IS NOT DISTINCT FROM OLD.data -> 'to'
               AND (NEW.id, NEW.at, NEW.actor_id, NEW.actor_role, NEW.kind, NEW.subject_type,
                    NEW.subject_id, NEW.case_id, NEW.request_id) IS NOT DISTINCT FROM
                   (OLD.id, OLD.at, OLD.actor_id, OLD.actor_role, OLD.kind, OLD.subject_type,
                    OLD.subject_id, OLD.case_id, OLD.request_id)
               AND is_letting_go(OLD.case_id) THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION content_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_TABLE_NAME = 'manifest' THEN
            IF NEW.body ? 'erased_at' AND NOT OLD.body ? 'erased_at' AND NEW.signed_name = ''
               AND (NEW.id, NEW.case_id, NEW.round, NEW.digest, NEW.signed_at)
                 = (OLD.id, OLD.case_id, OLD.round, OLD.digest, OLD.signed_at)
               AND jsonb_path_query_array(NEW.body, '$.items[*].sha256')
                 = jsonb_path_query_array(OLD.body, '$.items[*].sha256')
               AND is_letting_go(OLD.case_id) THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'what its digest was taken of does not change'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION score_is_on_open_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM score_sheet s
                       WHERE s.id = COALESCE(NEW.sheet_id, OLD.sheet_id) AND s.state = 'open') THEN
            IF TG_OP = 'UPDATE' THEN
                IF NEW.reason = '' AND (NEW.sheet_id, NEW.criterion_code, NEW.decided, NEW.level,
                                        NEW.scored_at) IS NOT DISTINCT FROM
                                       (OLD.sheet_id, OLD.criterion_code, OLD.decided, OLD.level,
                                        OLD.scored_at)
                   AND EXISTS (SELECT 1 FROM score_sheet s
                               WHERE s.id = OLD.sheet_id AND is_letting_go(s.case_id)) THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'scores change only while their sheet is open'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN COALESCE(NEW, OLD);
    END $$
    """,
)

_REPLACED = ("event_is_append_only", "content_is_frozen", "score_is_on_open_sheet")

NOT_LETTING_GO = (
    *(
        guard.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
        for guard in GUARDS
        if any(f"CREATE FUNCTION {name}(" in guard for name in _REPLACED)
    ),
    "DROP FUNCTION is_letting_go",
)

# Signing anew under another key is the one way to another document: the earlier one is kept first.
SIGNED_ANEW = (
    """
    CREATE OR REPLACE FUNCTION document_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.document IS NOT NULL AND NEW.document IS DISTINCT FROM OLD.document
           AND (NEW.document IS NULL
                OR NOT EXISTS (SELECT 1 FROM earlier_document e
                               WHERE e.subject_id = OLD.id AND e.sha256 = OLD.document_sha256
                                 AND e.document = OLD.document)) THEN
            RAISE EXCEPTION 'a signed document is written once'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)

NOT_SIGNED_ANEW = tuple(
    guard.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    for guard in GUARDS
    if "CREATE FUNCTION document_is_written_once(" in guard
)

# What a case holds is counted where items change, whoever changes them. Without a check that
# refuses: a count that is wrong is named by the invariant check and stands in no one's way.
COUNTED = (
    """
    CREATE FUNCTION bytes_held(state text, size bigint, declared bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN state NOT IN ('erased', 'rejected') THEN COALESCE(size, declared) END
    $$
    """,
    """
    CREATE FUNCTION usage_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        was bigint := CASE WHEN TG_OP <> 'INSERT'
            THEN bytes_held(OLD.state, OLD.size, OLD.declared_size) END;
        now_is bigint := CASE WHEN TG_OP <> 'DELETE'
            THEN bytes_held(NEW.state, NEW.size, NEW.declared_size) END;
        of_case uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.case_id ELSE NEW.case_id END;
    BEGIN
        IF was IS NOT DISTINCT FROM now_is THEN
            RETURN NULL;
        END IF;
        INSERT INTO case_usage AS u (case_id, items, bytes)
        VALUES (of_case, (now_is IS NOT NULL)::int - (was IS NOT NULL)::int,
                COALESCE(now_is, 0) - COALESCE(was, 0))
        ON CONFLICT (case_id) DO UPDATE
        SET items = u.items + EXCLUDED.items, bytes = u.bytes + EXCLUDED.bytes;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER item_is_counted AFTER INSERT OR DELETE OR UPDATE OF state, size, declared_size
    ON evidence_item FOR EACH ROW EXECUTE FUNCTION usage_is_counted()
    """,
    """
    INSERT INTO case_usage (case_id, items, bytes)
    SELECT case_id, count(*), sum(bytes_held(state, size, declared_size)) FROM evidence_item
    WHERE bytes_held(state, size, declared_size) IS NOT NULL GROUP BY case_id
    """,
)

NOT_COUNTED = (
    "DROP TRIGGER item_is_counted ON evidence_item",
    "DROP FUNCTION usage_is_counted",
    "DROP FUNCTION bytes_held",
)

APPEALED = (*appeal_guards.APPEALED, *override_guards.OVERRIDDEN)
NOT_APPEALED = (*override_guards.NOT_OVERRIDDEN, *appeal_guards.NOT_APPEALED)
