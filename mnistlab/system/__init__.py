"""What is asked of the operating system, and of libraries as a part of it."""
