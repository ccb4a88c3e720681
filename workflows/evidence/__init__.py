"""Evidence: announced, uploaded, sealed, described, counted, disclosed."""
