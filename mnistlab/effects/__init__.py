"""Values that are accepted and then change nothing."""
