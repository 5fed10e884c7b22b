"""`mnistlab runs`: what kept runs say on a terminal."""
