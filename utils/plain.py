"""What a model computes besides a plain Llama, and so what the parts of one do not rebuild.

RMSNorm, rotary positions of the usual kind, attention, a gated feed-forward layer with SiLU, no
biases: that is what `utils.parts` computes.  More of it would make their numbers wrong.
"""

from torch import nn
from transformers import PreTrainedConfig

from utils.language import _

FAMILY = ("llama", "mistral", "phi3", "qwen2")  # RMSNorm, rotary positions, gated feed-forward
SHORT = 1024  # a sliding window below this one is shorter than texts that are looked at
ONE = ("residual_multiplier", "embedding_multiplier", "logits_scaling", "logit_scale")
ABSENT = ("attn_logit_softcapping", "final_logit_softcapping", "clip_qkv", "num_local_experts")


def check_plain(config: PreTrainedConfig, part: nn.Module, *needed: str, window: int = 0) -> None:
    """Raise ValueError, naming `part` and what it has besides, unless it is one of a plain Llama.

    config: of the model; part: the model, one of its blocks, or an attention layer; needed: the
    names under which its modules must stand; window: the shortest sliding window that will do.
    """
    config = config.get_text_config()
    more = _differences(config, part, window)
    missing = [name for name in needed if not _has(part, name)]
    if missing:
        more.append(_("no part called {names}").format(names=", ".join(missing)))
    if not more and config.model_type not in FAMILY:
        more.append(_("parts of its own kind"))
    if more:
        raise ValueError(
            _(
                "{part} ({architecture}) is not built as a plain Llama, which is all that these "
                "parts compute. It has {more}. Try a model such as SmolLM2."
            ).format(part=type(part).__name__, architecture=config.model_type, more=", ".join(more))
        )


def shortest_window(config: PreTrainedConfig) -> int | None:
    """How many positions a layer of the model looks back at least; None if all see everything."""
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"]
    return getattr(config, "sliding_window", None) if "sliding_attention" in kinds else None


def rotary_kind(config: PreTrainedConfig) -> str | None:
    """The kind of the model's rotary positions, "default" for the usual; None without any.

    Only a part of each head turned is "partial", and kinds that differ by layer are "mixed".
    """
    rotary = getattr(config, "rope_parameters", None)
    if not rotary:
        return None
    if any(isinstance(value, dict) for value in rotary.values()):
        return "mixed"
    if rotary.get("partial_rotary_factor", 1) not in (1, None):
        return "partial"
    return rotary.get("rope_type", "default")


def _differences(config: PreTrainedConfig, part: nn.Module, window: int) -> list[str]:
    """What `part` has that a plain Llama has not, in words."""
    found, rotary, least = [], rotary_kind(config), shortest_window(config)
    modules = list(part.modules())
    if any(getattr(module, "bias", None) is not None for module in modules):
        found.append(_("biases"))
    if rotary is None:
        found.append(_("no rotary positions"))
    elif rotary != "default":
        found.append(_("rotary positions of the kind {kind}").format(kind=rotary))
    if least is not None and least < window:
        found.append(_("a sliding window of {window} positions").format(window=least))
    activation = getattr(config, "hidden_act", None)
    if "Attention" not in type(part).__name__ and activation not in ("silu", "swish"):
        found.append(_("the activation {name}").format(name=activation))
    heads = [module for module in modules if "Attention" in type(module).__name__]
    if any("Norm" in type(child).__name__ for head in heads for child in head.children()):
        found.append(_("norms of queries and keys"))
    special = [name for name in ONE if getattr(config, name, None) not in (None, 1)]
    special += [name for name in ABSENT if getattr(config, name, None) is not None]
    return found + special


def _has(part: nn.Module, name: str) -> bool:
    """Whether there is a module of that name in `part`, dots going deeper."""
    found: nn.Module | None = part
    for step in name.split("."):
        found = getattr(found, step, None)
    return found is not None
