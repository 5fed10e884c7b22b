"""One command over one model: what was typed, what is made of it, what it does."""
