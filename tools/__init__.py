"""Small programs for building and testing Assay; not part of what runs."""
