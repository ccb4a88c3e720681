"""The database's versions (Alembic), and how it is brought to the newest."""
