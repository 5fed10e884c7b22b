"""Many runs with different values: what is tried, where the outcome is kept, and the processes that do it."""
