"""The board of a class: whose run is the best, on a page for a projector."""
