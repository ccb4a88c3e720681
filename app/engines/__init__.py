"""PostgreSQL, Valkey and SeaweedFS from their wheels, for a machine that has none of them.

`postgres.start`, `valkey.start` and `seaweed.start` each give an `Engine`; `stack` starts those
whose address the environment does not name. Where an address is given, nothing here runs.
"""
