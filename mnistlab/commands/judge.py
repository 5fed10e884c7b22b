"""`mnistlab judge`."""

import time
from collections.abc import Sequence
from functools import partial

from mnistlab.commands.declaring.model import MANY, Command, Work
from mnistlab.commands.help.sweeping import sweep_options
from mnistlab.errors import LabError, announce
from mnistlab.options.arguments import JSON, Arguments, Option, words

_DEFAULTS = {"workers": "as many as cores; 1 for seconds", "threads": "1"}
_OTHERS = {"name": "", "storage": "", "launcher": "processes", "retry_failed": "", "allow_drift": ""}
_OWN = ("baseline", "effect", "max_pairs", "budget")
_BASELINE = "--baseline."


def _effect(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise LabError(f"--effect={text}: a number from 0 on is wanted; 0.05 of val/acc are 0.05 points.")
    return number


def _budget(text: str) -> float:
    from mnistlab.text.values import seconds_in  # noqa: PLC0415 - not for the overview

    seconds = seconds_in(text)
    if not seconds:
        raise LabError(f"--budget={text}: a time is wanted, such as 10m, 90s or 1h30m.")
    return seconds


def _options() -> Sequence[Option]:
    return (
        Option(
            "baseline",
            "What it is compared with; --baseline.OPTION=VALUE is for both",
            "RUN_OR_PRESET",
            completes="runs or presets",
            parts=True,
        ),
        Option("metric", "One of validation, or seconds", "NAME", default="val/acc"),
        Option("effect", "A difference of no more is none (points of accuracy)", "NUMBER", checks=_effect),
        Option("max_pairs", "The most pairs of runs", "N", default="20", wanted="a number from 1 on is needed"),
        Option("budget", "The time within which it ends: 10m, 90s, 1h30m", "TIME", checks=_budget),
        *sweep_options({**_DEFAULTS, **_OTHERS}),
        JSON,
    )


def _judge(asked: Arguments) -> Work:
    begun = time.monotonic()
    typed, said = words(asked.others), asked.values
    beside = [f"--{word.removeprefix(_BASELINE)}" for word in typed if word.startswith(_BASELINE)]
    change = [word for word in typed if not word.startswith(_BASELINE)]
    if "baseline" not in said and not beside:
        raise LabError(
            "--baseline is missing. Write --baseline=NAME of `mnistlab presets`, or of a run (`mnistlab runs`)."
        )
    effect, budget_s = _effect(said.get("effect", "0")), _budget(said["budget"]) if "budget" in said else None
    announce("checking both sides before anything is trained ...")
    from mnistlab.sweeps.typed import asked_judgement  # noqa: PLC0415 - not for help

    baseline = [*(_baseline(said["baseline"], change) if "baseline" in said else ()), *beside]
    own = {name: value for name, value in said.items() if name not in _OWN}
    judgement = asked_judgement(own, baseline, change)
    from mnistlab.sweeps.judge import judge  # noqa: PLC0415 - brings torch in
    from mnistlab.sweeps.pairs import Terms  # noqa: PLC0415 - brings torch in

    again = [*(f"--{name}={value}" for name, value in said.items()), *(f"--{name}" for name in asked.switches)]
    terms = Terms(effect, int(said.get("max_pairs", "20")), budget_s, begun)
    return partial(judge, judgement, terms, asked.switches, ["judge", *again, *typed], said.get("baseline", ""))


def _baseline(name: str, change: Sequence[str]) -> Sequence[str]:
    from mnistlab.sweeps.baseline import baseline_arguments  # noqa: PLC0415 - not for help
    from mnistlab.training.invocation import Invocation  # noqa: PLC0415 - not for help

    trust = [word.partition("=")[2] for word in change if word.startswith("--trust=")]
    root = Invocation("fit", [word for word in change if word.startswith("--run.dir=")]).root()
    return baseline_arguments(name, root, ",".join(trust) or None)


COMMAND = Command(
    "say whether a change is better, seldom wrongly",
    _judge,
    MANY,
    order=3,
    usage="--baseline=RUN_OR_PRESET --model.dropout=0.3 ...",
    about="""\
Trains a baseline, and the same with a change, in pairs with the same seeds, and
looks after each pair, on validation images, whether that is enough: at most 5 %
of all judgements end with a wrong verdict.""",
    options=_options,
    notes="The exit code is 0 if the change is better, 3 if not, 4 if that is undecided.",
    like="fit",
)
