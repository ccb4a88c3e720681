"""What the database holds of appeals: new people, and no release while one is not answered."""

# Who had a part in what is appealed has none in what follows, and nothing is released meanwhile.
APPEALED = (
    """
    CREATE FUNCTION reviewer_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        reviewer uuid := CASE WHEN NEW.result IS DISTINCT FROM 'taken_back'
            THEN COALESCE(NEW.answered_by, NEW.reviewer_id) ELSE NEW.reviewer_id END;
    BEGIN
        IF EXISTS (SELECT 1 FROM score_sheet s
                   WHERE s.case_id = NEW.case_id AND s.assessor_id = reviewer)
           OR EXISTS (SELECT 1 FROM agreement a
                      WHERE a.case_id = NEW.case_id AND a.moderator_id = reviewer)
           OR EXISTS (SELECT 1 FROM decision d
                      WHERE d.case_id = NEW.case_id AND d.decider_id = reviewer)
           OR EXISTS (SELECT 1 FROM plar_case c
                      WHERE c.id = NEW.case_id AND c.learner_id = reviewer) THEN
            RAISE EXCEPTION 'who had a part in a decision does not answer an appeal against it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER appeal_by_another BEFORE INSERT OR UPDATE OF reviewer_id, answered_by, result
    ON appeal FOR EACH ROW EXECUTE FUNCTION reviewer_is_new()
    """,
    """
    CREATE FUNCTION decider_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM decision d
                   WHERE d.case_id = NEW.case_id AND d.decider_id = NEW.decider_id
                     AND d.id <> NEW.id) THEN
            RAISE EXCEPTION 'who decided a case does not decide it again'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER decision_by_new_people BEFORE INSERT OR UPDATE OF decider_id ON decision
    FOR EACH ROW EXECUTE FUNCTION decider_is_new()
    """,
    """
    CREATE FUNCTION assessor_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM decision d JOIN score_sheet s
                       ON s.case_id = d.case_id AND s.round = d.round
                   WHERE d.case_id = NEW.case_id AND s.assessor_id = NEW.assessor_id
                     AND s.id <> NEW.id AND s.round <> NEW.round AND s.state <> 'open') THEN
            RAISE EXCEPTION 'who scored what was decided does not score it again'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER sheet_by_new_people BEFORE INSERT OR UPDATE OF assessor_id ON score_sheet
    FOR EACH ROW EXECUTE FUNCTION assessor_is_new()
    """,
    """
    CREATE FUNCTION appeal_is_answered() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.state IN ('decision', 'decided', 'released', 'closed') AND EXISTS (
            SELECT 1 FROM appeal a WHERE a.case_id = NEW.id AND a.result IS NULL) THEN
            RAISE EXCEPTION 'nothing is decided or released while an appeal waits for its answer'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.state = 'appeal' AND NOT EXISTS (
            SELECT 1 FROM appeal a WHERE a.case_id = NEW.id AND a.result IS NULL) THEN
            RAISE EXCEPTION 'a case under appeal has an appeal'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER case_with_answer BEFORE INSERT OR UPDATE OF state ON plar_case
    FOR EACH ROW EXECUTE FUNCTION appeal_is_answered()
    """,
)

NOT_APPEALED = (
    "DROP TRIGGER case_with_answer ON plar_case",
    "DROP FUNCTION appeal_is_answered",
    "DROP TRIGGER sheet_by_new_people ON score_sheet",
    "DROP FUNCTION assessor_is_new",
    "DROP TRIGGER decision_by_new_people ON decision",
    "DROP FUNCTION decider_is_new",
    "DROP TRIGGER appeal_by_another ON appeal",
    "DROP FUNCTION reviewer_is_new",
)
