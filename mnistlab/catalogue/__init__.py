"""What there is to choose from, written down so that help, tables and completion need not import torch."""

from mnistlab.catalogue.store import load_catalogue, present_catalogue
from mnistlab.options.entries import Catalogue, ClassEntry, KindEntry, Named, OptionEntry, SectionEntry

__all__ = [
    "Catalogue",
    "ClassEntry",
    "KindEntry",
    "Named",
    "OptionEntry",
    "SectionEntry",
    "load_catalogue",
    "present_catalogue",
]
