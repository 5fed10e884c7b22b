"""What `mnistlab runs` shows and does."""
