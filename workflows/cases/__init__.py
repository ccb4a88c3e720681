"""A case: its states, what a learner does with it until it is submitted, and its screening."""
