"""The OAuth 2.0 server: Authlib over our own tables, and the pages on which learners decide."""
