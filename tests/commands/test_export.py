"""`mnistlab export` writes trained nets for other programs, and `mnistlab test` measures what it wrote."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import idx, only_run, record_of

from mnistlab import main
from mnistlab.data import SyntheticDigits
from mnistlab.export.browser import Browser, find_browser

DOCS = Path(__file__).parents[2] / "docs" / "export.md"
ALWAYS = "pt2,c"
FAMILIES = (
    "CNN8K",
    "SDN8K",
    "TinyModel",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("CompactCNN62K", "ViT38K", "ConvNeXt18K")),
    pytest.param("EfficientNet22K", marks=pytest.mark.slow),
)
STRICT = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror")

Trained = Callable[..., Path]
Caught = pytest.CaptureFixture[str]

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def export(*arguments: str) -> int:
    """Run the command."""
    return main(["export", *arguments])


def refused(capsys: Caught, *arguments: str) -> str:
    """The line that refuses an export."""
    capsys.readouterr()
    assert export(*arguments) == 2
    return capsys.readouterr().err.splitlines()[-1]


def small_set() -> SyntheticDigits:
    """The test images of the small data."""
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    return data


def onnx_modules() -> tuple[Any, Any]:
    """What checks ONNX and runs it."""
    pytest.importorskip("onnxscript")
    return pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")


def _proved(folder: Path, forms: str, capsys: Caught) -> dict[str, list[str]]:
    """The rows of the table, by file, as numbers of words."""
    capsys.readouterr()
    assert export(str(folder), f"--format={forms}") == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    return {Path(line.split()[0]).name: line.split()[1:] for line in out.splitlines() if "/net" in line}


@needs_compiler
@pytest.mark.parametrize("model", FAMILIES)
def test_every_family_answers_as_the_net_does(
    trained: Trained, capsys: Caught, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """On all test images, in torch and in C; in 8 bits with an accuracy of its own."""
    monkeypatch.setenv("COLUMNS", "200")
    rows = _proved(trained(f"--model={model}"), f"{ALWAYS},c-int8", capsys)

    assert {name: row[2] for name, row in rows.items() if "int8" not in name} == {"net.pt2": "0", "net.c": "0"}
    assert abs(float(rows["net-int8.c"][1]) - float(rows["net.c"][1])) < 3


@pytest.mark.parametrize("model", FAMILIES)
def test_every_family_is_onnx(trained: Trained, capsys: Caught, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """With 8 bits too."""
    onnx_modules()
    monkeypatch.setenv("COLUMNS", "200")
    rows = _proved(trained(f"--model={model}"), "onnx,onnx-int8", capsys)

    assert rows["net.onnx"][2] == "0"
    assert abs(float(rows["net-int8.onnx"][1]) - float(rows["net.onnx"][1])) < 5


@needs_compiler
@pytest.mark.parametrize(
    "options",
    [
        ("--data.labels=MeasuredLabels",),
        ("--model=CompactCNN62K", "--model.channels_last=true"),
        ("--model.loss=OrdinalRegressionLoss",),
        ("--model=CNN8K", "--model.loss=FocalLoss"),
    ],
)
def test_several_labels_other_layouts_and_losses_are_exported(
    trained: Trained, capsys: Caught, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """With the probabilities that the loss makes of logits."""
    monkeypatch.setenv("COLUMNS", "200")
    rows = _proved(trained(*options), ALWAYS, capsys)

    assert [row[2] for row in rows.values()] == ["0", "0"]


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("net", ["squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_nets_of_others_are_exported(here: Path, small_data: tuple[str, ...], net: str) -> None:
    """With pools that go over the edge, channels that are shuffled and the like."""
    size = "--data.test_size=30"
    wrapped = ("--model=Wrapped", f"--model.net=torchvision.models.{net}")

    assert export("--untrained", *wrapped, *small_data, size, f"--format={ALWAYS}", f"--output={here}/") == 0
    assert {path.name for path in here.glob("net.*")} == {"net.pt2", "net.c"}


RARE = '''
"""Layers that the nets of the lab do without."""
from torch import Tensor, nn

class Rare(nn.Module):
    """One after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 6, 3, stride=2, dilation=2), nn.PReLU(), nn.MaxPool2d(2, 2, 1, ceil_mode=True),
            nn.GroupNorm(2, 6), nn.Hardswish(), nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.ReLU6(),
            nn.Conv2d(6, 6, 1, groups=3, bias=False), nn.LeakyReLU(), nn.SELU(), nn.Softplus(),
            nn.ZeroPad2d((1, 0, 2, 1)), nn.Upsample(size=(9, 7), mode="bilinear"), nn.AvgPool2d(2, 2, ceil_mode=True),
            nn.Upsample(scale_factor=2), nn.Hardsigmoid(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Tanh(),
        )
        self.fc = nn.Linear(54, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.body(images))
'''


@needs_compiler
def test_rare_layers_are_exported(here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools that go over the edge, steps and groups, and other activations."""
    (here / "rare.py").write_text(RARE)
    monkeypatch.syspath_prepend(here)

    assert export("--untrained", "--model=Wrapped", "--model.net=rare.Rare", *small_data, f"--format={ALWAYS}") == 0
    assert {path.name for path in here.glob("net.*")} == {"net.pt2", "net.c"}


LAYER = '''
"""A layer between two others."""
import torch
from torch import Tensor, nn

class Net(nn.Module):
    """One after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 5, stride=3), {layer}, nn.Flatten(), nn.LazyLinear(10))

    def forward(self, images: Tensor) -> Tensor:
        return self.body(images)

def net() -> Net:
    """Its shapes known."""
    (made := Net())(torch.zeros(1, 1, 28, 28))
    return made
'''


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [
        "nn.InstanceNorm2d(6, affine=True)",
        "nn.LocalResponseNorm(3)",
        "nn.ConvTranspose2d(6, 4, (3, 2), stride=(2, 3), padding=1, output_padding=(1, 0), dilation=(1, 2), groups=2)",
        "nn.AdaptiveMaxPool2d((3, 5))",
        "nn.ReflectionPad2d(2), nn.ReplicationPad2d((1, 0, 2, 0)), nn.ZeroPad2d((-1, 2, 0, -3))",
        "nn.AvgPool2d(3, 2, 1, ceil_mode=True), nn.Upsample(scale_factor=1.5, mode='nearest-exact'), nn.Unfold(3)",
        "nn.Flatten(2), nn.Conv1d(6, 4, 3, stride=2, dilation=2), nn.ConvTranspose1d(4, 6, 3, 2), nn.MaxPool1d(2)",
        "nn.LPPool2d(2, 2), nn.Softshrink(), nn.Threshold(0.1, 20.0), nn.LogSoftmax(1)",
        "nn.Flatten(2), nn.TransformerEncoderLayer(64, 2, 32, batch_first=True), nn.Hardshrink(), nn.Mish()",
    ],
)
def test_a_layer_is_exported(
    here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    """Of those that people build nets of."""
    (here / "layered.py").write_text(LAYER.format(layer=layer))
    monkeypatch.syspath_prepend(here)
    monkeypatch.delitem(sys.modules, "layered", raising=False)

    assert export("--untrained", "--model=Wrapped", "--model.net=layered.net", *small_data, f"--format={ALWAYS}") == 0
    assert {path.name for path in here.glob("net.*")} == {"net.pt2", "net.c"}


CAUSAL = '''
"""Functions without layers of their own."""
import torch
from torch import Tensor, nn
from torch.nn import functional as F

class Causal(nn.Module):
    """Rows of an image that look at those above them, turned, shifted and taken in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten, self.fc = nn.Flatten(), nn.Linear(168, 10)

    def forward(self, images: Tensor) -> Tensor:
        seen = F.scaled_dot_product_attention(images, images.flip(3), images.roll(1, 2), is_causal=True)
        picked = seen[:, :, [3, 2, 5]].repeat(1, 2, 1, 1)
        inside = ((picked > 0.1) & (picked < 2)).float() + picked.var((2, 3), keepdim=True) + picked.max(2, True).values
        return self.fc(self.flatten(inside.sin() * picked.prod(1, keepdim=True).sign()))
'''


@needs_compiler
def test_functions_of_torch_are_exported(
    here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attention to what came before, indices, sums and products."""
    (here / "causal.py").write_text(CAUSAL)
    monkeypatch.syspath_prepend(here)

    assert export("--untrained", "--model=Wrapped", "--model.net=causal.Causal", *small_data, f"--format={ALWAYS}") == 0
    assert {path.name for path in here.glob("net.*")} == {"net.pt2", "net.c"}


def test_what_c_does_not_know_is_told(
    here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Caught
) -> None:
    """With the forms that know it."""
    (here / "layered.py").write_text(LAYER.format(layer="nn.CircularPad2d(1)"))
    monkeypatch.syspath_prepend(here)
    monkeypatch.delitem(sys.modules, "layered", raising=False)

    said = refused(capsys, "--untrained", "--model=Wrapped", "--model.net=layered.net", *small_data, "--format=c")
    assert said == "mnistlab: c does not know aten.copy.default, which this net uses. Use pt2 or onnx."


def test_torch_loads_a_pt2_without_mnistlab(trained: Trained, here: Path) -> None:
    """In a process that has never imported it, any number of images at a time, with what it is beside it."""
    folder = trained()
    assert export(str(folder), "--output=net.pt2") == 0
    code = """
import json, sys, torch
about = {"about.json": ""}
net = torch.export.load("net.pt2", extra_files=about).module()
for count in (1, 3, 64):
    (probs,) = net(torch.zeros(count, 1, 28, 28, dtype=torch.uint8))
    assert probs.shape == (count, 10) and torch.allclose(probs.sum(1), torch.ones(count))
assert not any(name.startswith(("mnistlab", "lightning")) for name in sys.modules)
print(about["about.json"])
"""

    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=here, capture_output=True, text=True, check=True)

    about = json.loads(done.stdout)
    assert about["model"] == "TinyModel"
    assert about["run"] == folder.name
    assert about["labels"] == {"label": [str(digit) for digit in range(10)]}


def test_onnx_is_one_file_that_the_checker_passes(trained: Trained, here: Path, capsys: Caught) -> None:
    """With its opset, what it is, outputs by the names of the labels, and any number of images at a time."""
    onnx, onnxruntime = onnx_modules()
    folder = trained("--data.labels=MeasuredLabels")
    capsys.readouterr()
    assert export(str(folder), "--format=onnx", "--output=net.onnx") == 0
    said = capsys.readouterr()

    model = onnx.load_model("net.onnx", load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert all(each.data_location == onnx.TensorProto.DEFAULT for each in model.graph.initializer)
    assert [path.name for path in here.glob("net*")] == ["net.onnx"]
    about = {each.key: each.value for each in model.metadata_props}
    assert about["opset"] == str(model.opset_import[0].version) == re.findall(r"opset (\d+)", said.out)[0]
    session = onnxruntime.InferenceSession("net.onnx")
    assert [each.name for each in session.get_outputs()] == [*json.loads(about["labels"])]
    for count in (1, 7):
        assert len(session.run(None, {"images": np.zeros((count, 1, 28, 28), np.uint8)})[0]) == count
    assert "[torch.onnx]" not in said.out + said.err
    assert str(Path.cwd()).encode() not in Path("net.onnx").read_bytes()


def test_a_missing_package_is_said_in_a_line(trained: Trained, capsys: Caught, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what installs it, before any work."""
    folder = trained()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnx", None)

    assert (
        refused(capsys, str(folder), "--format=pt2,onnx") == "mnistlab: onnx needs onnx: pip install 'mnistlab[onnx]'"
    )
    assert not [*folder.glob("net*")]


ODD = '''
"""A net whose answers depend on what else there is."""
from torch import Tensor, nn

class Relative(nn.Module):
    """Each image beside the mean of all."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten, self.fc = nn.Flatten(), nn.Linear(784, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.flatten(images - images.mean(0, keepdim=True)))
'''


@needs_compiler
def test_an_export_that_answers_otherwise_is_refused(here: Path, fit: Trained, capsys: Caught) -> None:
    """With the numbers; a net that looks at the whole batch cannot answer one image in the same way."""
    (here / "relative_net.py").write_text(ODD)
    folder = fit("--model=Wrapped", "--model.net=relative_net.Relative")

    said = refused(capsys, str(folder), "--format=c", "--trust=relative_net")

    assert re.search(r"c: \d+ of 200 images are answered otherwise than by the net, and a probability is off", said)
    assert said.endswith("Nothing was written.")
    assert not [*folder.glob("net*"), *folder.glob("*.tmp*")]


def test_a_form_that_there_is_not_is_refused(trained: Trained, capsys: Caught) -> None:
    """With the nearest one, or all."""
    folder = trained()

    assert refused(capsys, str(folder), "--format=onx").endswith("Did you mean onnx?")
    assert "pt2 or onnx or onnx-int8 or c or c-int8" in refused(capsys, str(folder), "--format=pt2,exe")


def test_without_a_compiler_c_is_not_written(
    trained: Trained, here: Path, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not be tried."""
    folder = trained()
    monkeypatch.setenv("PATH", str(here))

    assert "no C compiler is here (cc, gcc, clang)" in refused(capsys, str(folder), "--format=c")
    assert not [*folder.glob("net*")]


def test_files_lie_where_output_says(trained: Trained, here: Path, capsys: Caught) -> None:
    """A name with an ending is a file, any other a folder, and without it they are in the folder of the run."""
    folder = trained()
    (here / "dotted.d").mkdir()

    assert export(str(folder)) == export(str(folder), "--output=a/b.pt2") == export(str(folder), "--output=nets") == 0
    assert export(str(folder), "--output=dotted.d") == 0
    assert "2 forms are not one file" in refused(capsys, str(folder), "--format=pt2,c", "--output=net.pt2")

    found = {str(path.relative_to(here)) for path in here.rglob("*.pt2")}
    assert found == {str((folder / "net.pt2").relative_to(here)), "a/b.pt2", "nets/net.pt2", "dotted.d/net.pt2"}


@needs_compiler
def test_c_is_a_program_that_answers_idx_files(trained: Trained, here: Path) -> None:
    """Compiled without a warning, with the answers of the net; other files are refused."""
    folder = trained("--model=CNN8K", "--trainer.max_epochs=3")
    data = small_set()
    images, target = data.test_images().images, data.test_images().primary.to(torch.uint8)
    for name, values in (("images", images[:, 0]), ("labels", target), ("small", images[:, 0, :20])):
        (here / f"{name}.idx").write_bytes(idx(values))
    assert export(str(folder), "--format=pt2,c,c-int8", f"--output={here}/") == 0
    net = torch.export.load("net.pt2").module()
    wanted = net(images)[0].argmax(dim=1).tolist()
    right = int((torch.tensor(wanted) == target).sum())

    for compiler in filter(shutil.which, ("cc", "clang")):
        for name in ("net", "net-int8"):
            command = [compiler, *STRICT, "-DMNISTLAB_MAIN", f"{name}.c", "-lm", "-o", name]
            assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
        answers = subprocess.run([here / "net", "images.idx"], capture_output=True, text=True, check=True).stdout
        assert list(map(int, answers.split())) == wanted
        counted = subprocess.run([here / "net", "images.idx", "labels.idx"], capture_output=True, text=True, check=True)
        assert counted.stdout == f"{right} of 200 right\n"
        for odd in ([], ["no.idx"], ["small.idx"], ["net.c"], ["images.idx", "images.idx"]):
            assert subprocess.run([here / "net", *odd], capture_output=True, check=False).returncode == 2


@needs_compiler
def test_c_uses_its_memory_again(trained: Trained, here: Path) -> None:
    """A transformer needs a tenth of what all its values take together."""
    assert export(str(trained("--model=ViT38K")), "--format=c", f"--output={here}/") == 0

    needed = int(re.findall(r"needs (\d+) bytes of memory", Path("net.c").read_text())[0])
    assert needed < 100_000


@needs_compiler
@pytest.mark.parametrize("form", ["pt2", "c", "onnx"])
def test_a_file_is_measured_as_its_checkpoint_is(trained: Trained, here: Path, form: str) -> None:
    """The same loss and accuracy, on the data that it names; validated too."""
    if form == "onnx":
        onnx_modules()
    folder = trained("--model=CNN8K")
    assert export(str(folder), f"--format={form}", f"--output={here}/") == 0
    trust = () if form == "onnx" else (f"--trust=./net.{form}",)

    for command in ("test", "validate"):
        found: list[dict[str, float]] = []
        for what in ((f"--ckpt_path={folder}",), (f"--model_file=net.{form}", *trust)):
            assert main([command, *what, f"--run.dir={command}{len(found)}"]) == 0
            found.append(record_of(only_run(here / f"{command}{len(found)}"))["metrics"])
        assert found[1] == pytest.approx(found[0], rel=1e-4)


@needs_compiler
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("parts", "kind"),
    [(("--data.test_fraction=0",), "validation"), (("--data.test_fraction=0", "--data.val_fraction=0"), "training")],
)
def test_without_test_images_others_are_answered(capsys: Caught, parts: tuple[str, ...], kind: str) -> None:
    """Those of the validation, or of the training; each file and the line below the table say which."""
    rng = np.random.default_rng(0)
    np.savez("own.npz", images=rng.integers(0, 256, (60, 28, 28), np.uint8), labels=np.arange(60) % 3)
    own = ["--data=Images", "--data.path=own.npz", *parts]
    assert main(["fit", "--model=CNN8K", *own, "--trainer.max_epochs=1", "--run.test=false"]) == 0
    capsys.readouterr()

    assert export("last", "--output=net.c") == 0
    said = " ".join(capsys.readouterr().out.split())
    count = re.search(rf"Each has answered (\d+) {kind} images", said)
    assert count is not None
    assert int(count[1]) > 1
    assert f"of {count[1]} {kind} images" in Path("net.c").read_text()


@needs_compiler
def test_the_name_of_a_file_says_its_form(trained: Trained, capsys: Caught) -> None:
    """Where no form is named; a name that says another one is refused."""
    folder = str(trained())
    assert export(folder, "--output=own.c") == 0
    assert Path("own.c").read_text().startswith("/* A trained net")
    assert "--output=own.c: a file of pt2 ends with .pt2, and --format=c writes .c." in refused(
        capsys, folder, "--output=own.c", "--format=pt2"
    )
    assert "--output=own.htm: a file of html ends with .html." in refused(
        capsys, folder, "--output=own.htm", "--format=html"
    )


STRANGE = """\
/* A trained net for images, written by mnistlab.
 * {
 *  "labels": {"label": ["0", "1"]}
 * }
 */
#include <stdio.h>
__attribute__((constructor)) static void run(void) { fclose(fopen("was_run", "w")); }
void mnistlab_run(const unsigned char *image, float *probabilities) { probabilities[0] = image[0]; }
"""


def test_code_of_a_stranger_is_not_run(here: Path, trained: Trained, capsys: Caught) -> None:
    """C and graphs of torch are opened with --trust only; the line says how."""
    assert export(str(trained()), "--output=net.pt2") == 0
    (here / "net-strange.c").write_text(STRANGE)
    capsys.readouterr()

    for name in ("net-strange.c", "net.pt2"):
        for arguments in ((), ("--trust=./other.c",)):
            assert main(["test", f"--model_file={name}", *arguments]) == 2
            said = capsys.readouterr().err
            assert said.splitlines()[-1].endswith(f"If you trust it, add --trust=./{name}.")
    assert not (here / "was_run").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.c", None, "there is no such file"),
        ("net.bin", b"", "a file that ends with .pt2, .onnx, .c, .html is wanted"),
        ("net.c", b"int x;", "is no file of mnistlab export"),
        ("net.pt2", b"PK", "is no file of mnistlab export"),
        ("other.c", b"/*\n * {\n * }\n */", "changed by hand: labels is missing"),
    ],
)
def test_what_is_no_export_is_refused(here: Path, capsys: Caught, name: str, content: bytes | None, said: str) -> None:
    """In a line, whatever it is."""
    if content is not None:
        (here / name).write_bytes(content)

    assert main(["test", f"--model_file={name}", f"--trust=./{name}"]) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_an_option_of_a_model_is_not_taken_for_a_file(capsys: Caught) -> None:
    """However much alike it is."""
    assert main(["test", "--untrained", "--model.filters=3"]) == 2
    assert "MediumModel has no option filters" in capsys.readouterr().err
    assert main(["test", "--model_fil=net.c"]) == 2
    assert "Did you mean --model_file?" in capsys.readouterr().err


def test_a_file_and_a_checkpoint_exclude_each_other(capsys: Caught) -> None:
    """One net is measured at a time."""
    assert main(["test", "--model_file=net.c", "--ckpt_path=last"]) == 2
    assert "--model_file and --ckpt_path exclude each other." in capsys.readouterr().err


@needs_compiler
def test_every_block_of_the_docs_runs(
    here: Path, trained: Trained, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order, each on what the ones before have left; those of ONNX and a browser where they are there."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    trained("--model=CNN8K")
    data = small_set()
    (here / "t10k-images-idx3-ubyte").write_bytes(idx(data.test_images().images[:, 0]))
    (here / "t10k-labels-idx1-ubyte").write_bytes(idx(data.test_images().primary.to(torch.uint8)))
    try:
        onnx_modules()
        without = ""
    except pytest.skip.Exception:
        without = "onnx"

    ran = []
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL):
        if without and without in text:
            continue
        ran.append(language)
        if language in ("c", "html"):
            (here / text.split()[1]).write_text(text)
        elif language == "python":
            exec(compile(text, "export.md", "exec"), {})  # noqa: S102 - it is ours
        for line in text.splitlines() if language == "bash" else []:
            if line.startswith("mnistlab "):
                assert main(line.split()[1:]) == 0, f"{line}\n{capsys.readouterr().err}"
            else:
                subprocess.run(line.split(), cwd=here, capture_output=True, check=True)
    assert {*ran} == {"bash", "c", "html", "python"}
    assert [Path(address).name for address in opened] == ["net.html"]
    if browser := find_browser():
        _look_at_the_frame(browser, here / "index.html")


def _look_at_the_frame(browser: str, path: Path) -> None:
    """What is in a frame of a page answers as it should."""
    with Browser(browser, "--allow-file-access-from-files") as page:  # or a page must not look into another
        page.open(path.as_uri())
        foot = "document.querySelector('iframe').contentDocument.getElementById('checked').textContent"
        wait = (
            f"for (let i = 0; i < 500 && {foot}.startsWith('Not'); i++) await new Promise((go) => setTimeout(go, 20))"
        )
        said = str(page.evaluate(f"(async () => {{ {wait}; return {foot}; }})()"))
        assert said.startswith("Checked in this browser: 40 of 40 test images")
        assert page.console == []
