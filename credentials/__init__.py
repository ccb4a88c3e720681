"""Documents that leave the house: build, sign, verify, bake, print. Knows no database and no web.

Every refusal that leaves this room is a `credentials.errors.CredentialError`.
"""
