"""Who may do what: permissions, and the answer with its reason."""
