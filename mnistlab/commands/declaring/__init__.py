"""What a command is, and how what was typed is given to it."""
