"""The forms that there are, by name."""

from mnistlab.export.form import Form


def form_of(name: str) -> Form:
    """A form, whose libraries are imported.

    Args:
        name: One of `training.export_options.FORMS`.
    """
    if name == "pt2":
        from mnistlab.export.pt2 import Pt2  # noqa: PLC0415 - each form brings its own libraries

        return Pt2()
    if name == "html":
        from mnistlab.export.page import Page  # noqa: PLC0415 - as above

        return Page()
    if name.startswith("onnx"):
        from mnistlab.export.onnx import Onnx  # noqa: PLC0415 - as above

        return Onnx(int8=name == "onnx-int8")
    from mnistlab.export.c import CFile  # noqa: PLC0415 - as above

    return CFile(int8=name == "c-int8")
