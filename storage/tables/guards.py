"""What constraints on one row cannot say: triggers that hold what must never be."""

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
)

UNGUARDS = (
    "DROP TRIGGER endorsement_written_once ON endorsement",
    "DROP TRIGGER credential_written_once ON credential",
    "DROP FUNCTION document_is_written_once",
    "DROP TRIGGER sheet_by_another ON score_sheet",
    "DROP FUNCTION assessor_is_not_party",
    "DROP TRIGGER decision_by_another ON decision",
    "DROP FUNCTION decider_did_not_score",
    "DROP TRIGGER event_append_only ON event",
    "DROP FUNCTION event_is_append_only",
)
