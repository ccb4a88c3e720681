"""VC-API of W3C's Credentials Community Group: credentials signed and verified for programs."""
