"""Price lists that people hand in: read in the background, compared with the edition in force, then published."""
