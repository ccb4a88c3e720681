"""Credentials into wallets: what wallets ask for, and the page of the holder."""
