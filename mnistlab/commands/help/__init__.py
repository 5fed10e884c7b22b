"""Help and completion: what there is, shown from the catalogue without torch."""
