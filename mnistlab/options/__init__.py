"""What can be written, and what becomes of it: signatures, what was written, which class and value count."""
