"""Where a model computes: on this machine's GPU, if it has one, or where $COURSE_DEVICE says."""

import os

import torch

from utils.language import _


def pick_device() -> str:
    """$COURSE_DEVICE, else the best device of this machine: "cuda", else Apple's "mps", else "cpu".

    Raises ValueError where this machine has no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    known = [device for device, is_there in there.items() if is_there]
    chosen = os.environ.get("COURSE_DEVICE") or known[0]
    if chosen.partition(":")[0] not in known:
        raise ValueError(
            _(
                "$COURSE_DEVICE is {chosen}, and this machine has no such device. Set it to one of "
                "these, or leave it out: {known}."
            ).format(chosen=repr(chosen), known=", ".join(known))
        )
    return chosen
