"""For years: how long a case's evidence is kept, what holds it, and how it is let go."""
