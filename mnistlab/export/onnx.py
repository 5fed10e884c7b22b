"""A net in ONNX: one file with all weights in it, for onnxruntime and whatever else reads it."""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mnistlab.errors import LabError
from mnistlab.export.form import Form
from mnistlab.export.graph import Subject
from mnistlab.export.proof import Images, Probabilities, Runner

OPSET = 20
"""The version of ONNX's operations that is written: what torch translates to by itself, read since 2023."""

INPUT = "images"

_EXAMPLES, _BATCH = 500, 50  # images by which ranges are chosen, and how many are looked at together


class Onnx(Form):
    """An input, `images`, and an output for each label, by its name.

    Args:
        int8: Whether weights and what convolutions and matrices work on have 8 bits, with ranges that are fixed.

    Raises:
        LabError: If what writes and runs it is not installed.
    """

    def __init__(self, *, int8: bool = False) -> None:
        self._int8 = int8
        self.exact = not int8
        self.remark = f"ONNX: opset {OPSET}."
        try:
            import onnx  # noqa: F401, PLC0415 - an extra
            import onnxruntime  # noqa: F401, PLC0415 - an extra
            import onnxscript  # noqa: F401, PLC0415 - an extra, by which torch translates
        except ImportError as error:
            raise LabError(f"onnx needs {error.name}: pip install 'mnistlab[onnx]'") from error

    def write(self, subject: Subject, path: Path) -> None:
        """Write a net into a file."""
        import onnx  # noqa: PLC0415 - as above

        with _silent():
            program = torch.onnx.export(
                subject.traced(), input_names=[INPUT], output_names=list(subject.heads), opset_version=OPSET,
                verbose=False,
            )  # fmt: skip
            assert program is not None
            model = program.model_proto
            model = _quantized(model, subject) if self._int8 else model
        _strip(model)
        about = {**subject.about, "opset": OPSET}
        onnx.helper.set_model_props(
            model, {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}
        )
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString())

    def about(self, path: Path) -> Mapping[str, Any]:
        """What a file says of itself."""
        import onnx  # noqa: PLC0415 - as above
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - as above

        try:
            model = onnx.load_model(path, load_external_data=False)
            return {each.key: _read(each.value) for each in model.metadata_props}
        except (OSError, ValueError, DecodeError) as error:
            raise LabError(f"{path} is no file of mnistlab export.") from error

    @contextmanager
    def opened(self, path: Path, heads: Mapping[str, int]) -> Iterator[Runner]:
        """What runs the net of a file."""
        yield _runner(path)


def _runner(path: Path) -> Runner:
    """What runs a file, with as many threads as torch has."""
    import onnxruntime  # noqa: PLC0415 - as above

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # each fault of a file has a class of its own there, below no common one
        raise LabError(f"{path}: onnxruntime cannot read it: {str(error).splitlines()[0]}") from error

    def run(images: Images) -> Sequence[Probabilities]:
        found: Sequence[Probabilities] = session.run(None, {INPUT: images})
        return found

    return run


def _read(text: str) -> object:
    """What was written as JSON, unless it is no more than text."""
    return json.loads(text) if text[:1] in ("{", "[") else text


def _quantized(model: Any, subject: Subject) -> Any:
    """With weights and activations of 8 bits; the probabilities and the logits that they come from stay as they are."""
    import onnx  # noqa: PLC0415 - as above
    from onnxruntime import quantization  # noqa: PLC0415 - as above

    class Ranges(quantization.CalibrationDataReader):  # type: ignore[misc]  # has no annotations
        """The images, batch by batch."""

        def __init__(self) -> None:
            images = subject.data.unseen(_EXAMPLES).images.numpy()
            self._parts = iter(np.array_split(images, max(1, len(images) // _BATCH)))

        def get_next(self) -> dict[str, Images] | None:
            part = next(self._parts, None)
            return None if part is None else {INPUT: part}

    with tempfile.TemporaryDirectory() as folder:
        whole, prepared, result = (Path(folder, name) for name in ("whole.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(model, whole)
        quantization.quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared, result, Ranges(), per_channel=True, op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
            reduce_range=True,  # products of 8 bits with sign and 8 without overflow where a CPU has no VNNI
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"]},  # logits would be alike
        )  # fmt: skip
        return onnx.load(result)


def _strip(model: Any) -> None:
    """Leave out where in our source each part has come from."""
    graph = model.graph
    for each in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del each.metadata_props[:]
        each.doc_string = ""


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what torch and onnxruntime tell about their work off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
