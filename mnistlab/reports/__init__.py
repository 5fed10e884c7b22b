"""Pages about runs: one file each, which opens anywhere."""
