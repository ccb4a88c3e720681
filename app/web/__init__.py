"""The web: one module for each audience, and the shared few that all of them use."""
