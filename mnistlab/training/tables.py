"""The forms of the table that `mnistlab predict` writes."""

FORMATS = ("full", "kaggle")
