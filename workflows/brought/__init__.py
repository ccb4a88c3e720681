"""Credentials of other issuers that learners keep here beside their own."""
