"""Whether the weights that were found are those of the model, and what is odd about them."""

from mnistlab.checkpoints.continuing import way_out
from mnistlab.checkpoints.reading import misfit, not_finite, rounded
from mnistlab.classifier import Classifier
from mnistlab.errors import LabError, tell
from mnistlab.training.found import Found


def check_weights(model: Classifier, found: Found | None) -> None:
    """Refuse weights that are not this model's, naming the first that differs."""
    if found is None or found.path is None:
        return
    why = misfit(found.contents["state_dict"], model.state_dict())
    if why:
        name = type(model).__name__
        raise LabError(f"{found.path} does not fit {name} as it is configured: {why}.")


def check_learnable(model: Classifier, found: Found | None, *, speaks: bool) -> None:
    """Refuse weights that nothing can be learnt from any more, and say which are rounded."""
    if found is None or found.path is None:
        return
    name = _not_finite(model, found)
    if name:
        raise LabError(
            f"{found.path} holds what is no number (NaN, or infinite; {name} is the first): nothing can be learnt from "
            f"it. {way_out(found.path)} A smaller --model.optimizer.lr=... may keep it from that."
        )
    if speaks:
        _tell_rounded(model, found)


def load_weights(model: Classifier, found: Found | None, *, speaks: bool) -> None:
    """Give the model the weights that were found, which must be its own; say what is odd about them."""
    check_weights(model, found)
    if found is None:
        return
    name = _not_finite(model, found)
    if name and speaks:
        tell(
            f"note: {found.path} holds what is no number (NaN, or infinite; {name} is the first): what such weights "
            "answer means nothing."
        )
    if speaks:
        _tell_rounded(model, found)
    model.load_state_dict(found.contents["state_dict"])


def _not_finite(model: Classifier, found: Found) -> str | None:
    return not_finite(found.contents["state_dict"], {name for name, _ in model.named_parameters()})


def _tell_rounded(model: Classifier, found: Found) -> None:
    how = rounded(found.contents["state_dict"], model.state_dict())
    if how:
        tell(f"note: the weights of {found.path} are rounded, {how}; --trainer.precision=... chooses another kind.")
