"""News for other software: what is told, to whom, when again, and how it is signed."""
