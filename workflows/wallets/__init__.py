"""Credentials into wallets: OpenID for Verifiable Credential Issuance, pre-authorized code."""
