"""What the institution looks like to the world: its logo and its colours."""
