"""Our own lint: a rule for each mistake that must not be made twice."""
