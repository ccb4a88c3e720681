"""What the database holds of overrides: a declared conflict is lifted by a confirmed one alone."""

# the earlier constraint knew no override; a clearance names one only when it is confirmed
OVERRIDDEN = (
    "ALTER TABLE assignment DROP CONSTRAINT ck_assignment_cleared_has_declared",
    """
    ALTER TABLE assignment ADD CONSTRAINT ck_assignment_cleared_has_declared
    CHECK (state <> 'cleared' OR (conflict IS NOT NULL AND declared_at IS NOT NULL
        AND (conflict <> 'yes' OR override_id IS NOT NULL)))
    """,
    """
    CREATE FUNCTION override_is_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.override_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM conflict_override o
            WHERE o.id = NEW.override_id AND o.answer = 'confirmed'
              AND o.case_id = NEW.case_id AND o.round = NEW.round
              AND o.assessor_id = NEW.assessor_id) THEN
            RAISE EXCEPTION 'a conflict is overridden by two people'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER clearance_with_two_keys BEFORE INSERT OR UPDATE OF override_id, assessor_id
    ON assignment FOR EACH ROW EXECUTE FUNCTION override_is_confirmed()
    """,
    """
    CREATE FUNCTION override_answer_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.answer IS NOT NULL OR NEW.case_id <> OLD.case_id OR NEW.round <> OLD.round
           OR NEW.assessor_id <> OLD.assessor_id OR NEW.why <> OLD.why
           OR NEW.proposed_by <> OLD.proposed_by THEN
            RAISE EXCEPTION 'an override is answered once and keeps its words'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER override_answered_once BEFORE UPDATE ON conflict_override
    FOR EACH ROW EXECUTE FUNCTION override_answer_stands()
    """,
)

NOT_OVERRIDDEN = (
    "DROP TRIGGER override_answered_once ON conflict_override",
    "DROP FUNCTION override_answer_stands",
    "DROP TRIGGER clearance_with_two_keys ON assignment",
    "DROP FUNCTION override_is_confirmed",
    "ALTER TABLE assignment DROP CONSTRAINT ck_assignment_cleared_has_declared",
    "UPDATE assignment SET state = 'excluded' WHERE state = 'cleared' AND conflict = 'yes'",
    """
    ALTER TABLE assignment ADD CONSTRAINT ck_assignment_cleared_has_declared
    CHECK (state <> 'cleared' OR (conflict IS NOT NULL AND conflict <> 'yes'
        AND declared_at IS NOT NULL))
    """,
)
