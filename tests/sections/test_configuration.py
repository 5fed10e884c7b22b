"""What a run is configured with is kept, whatever stands at the top level."""

import inspect
from dataclasses import fields

from mnistlab.sections.configuration import Configuration
from mnistlab.sections.parts import Attributes, TopLevel, sections


def test_a_configuration_and_a_preset_have_every_section_and_every_option_beside_them() -> None:
    """Or else a run could not be repeated from its file; a preset may be a sweep besides."""
    every = {*sections(), *inspect.signature(TopLevel).parameters}

    assert {field.name for field in fields(Configuration)} == {*sections(), "top"}
    assert {*inspect.get_annotations(Attributes)} - {"sweep"} == every
