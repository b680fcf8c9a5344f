"""Whether a fine-tuning paid: its models beside those that it started from, and beside a training from nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_music.encoding.splits import TEST, VALIDATION

EARLIER, FROM_NOTHING = "earlier_models", "from_nothing"
"""What a score card calls the models that a training started from, and those that were trained from nothing."""

LEAST_GAIN = 0.05
"""Nats per event: less is within what another choice of held-out pieces changes."""


@dataclass(frozen=True)
class Kept:
    """What a model keeps of the one that its training started from: its best epoch, 0 is the start, and the share mixed in."""

    best_epoch: int
    start_share: float


def what_is_kept(models: Mapping[str, Kept]) -> str | None:
    """Say in one sentence which models are the earlier ones, or hold a share of them; None where they are those of an epoch."""
    parts = []
    if same := [name for name, one in models.items() if one.best_epoch == 0 and not one.start_share]:
        parts.append(f"no epoch was better on validation than the earlier model of {', '.join(same)}, which is kept")
    if mixed := [f"{name} ({one.start_share:.0%})" for name, one in models.items() if one.start_share]:
        parts.append(f"the models of {', '.join(mixed)} hold that share of the earlier weights")
    text = "; ".join(parts)
    return text[0].upper() + text[1:] if text else None


def verdict_on(card: Mapping[str, Any]) -> str | None:
    """Say in one sentence whether the files were enough for a fine-tuning; None for a card of another training.

    It reads test, because the best epoch was chosen on validation; without test pieces validation has to do.
    """
    name = TEST if TEST in card["splits"] else VALIDATION
    split = card["splits"].get(name, {"baselines": {}})
    if EARLIER not in split["baselines"]:
        return None
    new, old = split["nll_per_event"], split["baselines"][EARLIER]["nll_per_event"]
    pieces = "1 piece" if split["pieces"] == 1 else f"{split['pieces']:,} pieces"
    scores = f"{new:.3f} nats per event on {pieces} of {name}, {old:.3f} for the earlier models"
    nothing = split["baselines"].get(FROM_NOTHING, {"nll_per_event": None})["nll_per_event"]
    if nothing is not None:
        scores += f", {nothing:.3f} from nothing"
    if old - new < LEAST_GAIN:
        return f"The files were not enough: {scores}. Add pieces, or make music with the earlier models"
    if nothing is not None and nothing - new < LEAST_GAIN:
        return f"The earlier models were not needed, a training from nothing is as good: {scores}"
    return f"The files were enough: {scores}"
