"""Promised work on its way: relay (outbox → RQ), workers, sweeper.

The outbox in PostgreSQL is the truth. RQ only carries ids to workers; everything it holds can be
lost at any moment, and everything it carries may come twice.
"""
