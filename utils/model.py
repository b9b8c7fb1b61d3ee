"""Which model the course looks into, on which device, and how it is loaded.

The default is a small model that writes good English and runs on any laptop. With a GPU, or with
patience, any other causal language model will do.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import huggingface_hub
import torch
from huggingface_hub import constants, errors
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, Cache, PreTrainedModel
from transformers.utils import ModelOutput

from utils.device import pick_device
from utils.language import _
from utils.model_store import (
    MODEL,
    ModelError,
    disk_faults,
    network_fault,
    prepare_model,
    quiet_transformers,
    verify,
)
from utils.tokens import Tokenizer, check_text, text_ids

Model: TypeAlias = PreTrainedModel  # what the course looks into, a causal language model

DEFAULT = "smollm2"
ON_THE_HUB = {"phi-3-mini": "microsoft/Phi-3-mini-4k-instruct"}


def load_model(
    name: str | None = None, device: str | torch.device | None = None
) -> tuple[Model, Tokenizer]:
    """Load a causal language model to look into.  Returns (model, tokenizer).

    name: "smollm2", "phi-3-mini", a hub id "owner/name", or a local checkpoint folder;
        without one, $COURSE_MODEL, else "smollm2".
    device: without one, $COURSE_DEVICE, else the best of this machine (`pick_device`).

    The model is in evaluation mode and its gradients are off. Only a hub id may download from the
    hub, and it says how much before it does. Code that comes with a model is never run.
    Raises ValueError if `name` names no model that writes or $COURSE_DEVICE no device of this
    machine, ModelError if the model cannot be had.
    """
    name = str(name or os.environ.get("COURSE_MODEL") or DEFAULT)
    device = device or pick_device()
    if name == DEFAULT:
        return _load(str(prepare_model()), device, title=MODEL)
    try:
        folder = Path(name).expanduser()
    except RuntimeError:  # "~somebody", and there is nobody of that name
        raise _unknown(name) from None
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ValueError(
                _("The folder {folder} holds no model: it has no config.json.").format(folder=name)
            )
        return _load(str(folder), device, title=name)
    name = ON_THE_HUB.get(name, name)
    if name.count("/") != 1:
        raise _unknown(name)
    try:
        return _load(name, device, title=name)
    except ModelError as error:
        if not isinstance(error.__cause__, OSError):  # all of it is here, yet it cannot be loaded
            raise
    _download(name)
    return _load(name, device, title=name)


def context_length(model: Model) -> int:
    """How many tokens `model` can read at once.  Raises ModelError if its config does not say."""
    length = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if length is None or length < 1:  # XLNet says -1
        raise ModelError(
            _("{architecture} does not say how many tokens it can read.").format(
                architecture=type(model).__name__
            )
        )
    return length


def check_rotary(model: Model, read: int, total: int) -> None:
    """Raise ValueError where `model` would turn keys otherwise in a text of `total` tokens.

    read: how many of them are read at first.  With the kinds "longrope" and "dynamic" the angles
    of all positions change where a text passes a certain length: what is kept in a cache by then
    no longer fits.
    """
    config = model.config.get_text_config()
    rotary = getattr(config, "rope_parameters", None) or {}
    limit = rotary.get("original_max_position_embeddings")
    kind = rotary.get("rope_type")
    if kind == "dynamic":  # anew with each token past what it was trained on
        limit = max(read, config.max_position_embeddings)
    if kind in ("longrope", "dynamic") and limit and read <= limit < total:
        raise ValueError(
            _(
                "The rotary positions of {architecture} change at {limit} tokens ({kind}), and "
                "what its cache keeps no longer fits then. Stay at {limit} tokens in all, or begin "
                "with a longer prompt."
            ).format(architecture=type(model).__name__, limit=limit, kind=kind)
        )


def kept_cache(model: Model, output: ModelOutput) -> Cache:
    """The keys and values that `model` keeps of what it has read, as its output holds them.

    Raises ValueError for a model that keeps none (RWKV, the first GPT), or keeps a state of another
    kind beside them (Mamba, Jamba, Bamba): a pass that reads on from that needs more than it.
    """
    cache = getattr(output, "past_key_values", None)
    layers = getattr(cache, "layers", None)
    if not layers or any("LinearAttention" in type(layer).__name__ for layer in layers):
        raise ValueError(
            _(
                "What {architecture} keeps of a text is not keys and values alone, so it cannot "
                "read on from a cache here. generate(…, use_cache=False) does without."
            ).format(architecture=type(model).__name__)
        )
    return cache


def end_token_ids(model: Model, tokenizer: Tokenizer | None = None) -> frozenset[int]:
    """The ids after which `model` has nothing more to say: one, several, or none.

    Its generation config says which; where it does not, the model's own config, and then the
    tokenizer, if one is given.
    """
    for source in (model.generation_config, model.config.get_text_config(), tokenizer):
        ends = getattr(source, "eos_token_id", None)
        if ends is not None:
            return frozenset(ends if isinstance(ends, list) else [ends])
    return frozenset()


def prompt_ids(model: Model, tokenizer: Tokenizer, text: str) -> Tensor:
    """The token ids of `text`, on the model's device.  Returns int64 [1, position].

    Raises ValueError if `text` has no tokens, more than the model can read, or some that it has no
    vectors for.
    """
    return ready_ids(model, text_ids(tokenizer, text) if text != "" else [])


def short_ids(model: Model, tokenizer: Tokenizer, text: str, longest: int) -> Tensor:
    """`prompt_ids` of a text of at most `longest` tokens.  Raises ValueError for a longer one.

    Said before the model reads it: what is kept of a long text would take gigabytes.
    """
    ids = prompt_ids(model, tokenizer, text)
    if ids.shape[1] > longest:
        raise ValueError(
            _("The text is {count} tokens long; there is room for {room}.").format(
                count=ids.shape[1], room=longest
            )
        )
    return ids


def chat_ids(
    model: Model, tokenizer: Tokenizer, message: str, earlier: Sequence[tuple[str, str]] = ()
) -> Tensor:
    """The ids of `message` in the chat template, up to where the answer begins: [1, position].

    earlier: messages of the same chat, and what was answered to each.  Errors as in `prompt_ids`,
    and ValueError for a tokenizer without a template.
    """
    check_text(message)
    if not tokenizer.chat_template:
        raise ValueError(_("This model's tokenizer has no chat template: it was not made to chat."))
    roles = "user", "assistant"
    chat = [
        {"role": role, "content": text}
        for turn in (*earlier, (message,))
        for role, text in zip(roles, turn, strict=False)
    ]
    # Tokenized with the template, and not after it: some tokenizers would add a second beginning.
    given = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)
    return ready_ids(model, given["input_ids"])


def ready_ids(model: Model, ids: list[int]) -> Tensor:
    """Ids of tokens as `model` takes them: int64 [1, position].  Errors as in `prompt_ids`."""
    check_length(model, len(ids))
    vectors = len(model.get_input_embeddings().weight)
    if max(ids) >= vectors:
        raise ValueError(
            _(
                "This text has a token with the id {token_id}, and the model has vectors for 0 to "
                "{last} only: the tokenizer is not this model's own, or larger than it."
            ).format(token_id=max(ids), last=vectors - 1)
        )
    return torch.tensor([ids], dtype=torch.long, device=model.device)


def check_length(model: Model, count: int) -> None:
    """Raise ValueError for a text of no tokens, and for one of more than `model` can read."""
    if count == 0:
        raise ValueError(_("The prompt is empty. Write at least one character."))
    longest = context_length(model)
    if count > longest:
        raise ValueError(
            _("The prompt is {count} tokens long; the model reads {longest}. Shorten it.").format(
                count=count, longest=longest
            )
        )


def _load(source: str, device: str | torch.device, title: str) -> tuple[Model, Tokenizer]:
    """Load from a folder, or the hub's cache under a hub id; never from the network."""
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_transformers():
            model, report = AutoModelForCausalLM.from_pretrained(
                source, **options, device_map=device, dtype="auto", output_loading_info=True
            )
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
        if report["missing_keys"]:  # `transformers` would fill them with random numbers
            raise KeyError(", ".join(sorted(report["missing_keys"])[:3]))
    except Exception as error:
        if title == MODEL:
            verify()  # names the damaged file, if that is why
        if "trust_remote_code" in str(error):
            message = _("{model} needs code of its own, which this course never runs.")
        elif "backend tokenizer" in str(error):
            message = _(
                "{model} comes without a tokenizer. Put its files, such as tokenizer.json, into "
                "the same folder."
            )
        elif "ignore_mismatched_sizes" in str(error):
            message = _("The weights of {model} are not of the sizes that its config.json says.")
        else:
            message = _("{model} could not be loaded. transformers says: {reason}")
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
        raise ModelError(message.format(model=title, reason=reason)) from error
    attend = [m for m in model.modules() if hasattr(m, "is_causal") and hasattr(m, "layer_idx")]
    if attend and not any(module.is_causal for module in attend):
        raise ValueError(
            _(
                "{model} ({architecture}) reads a text in both directions, and so cannot write on "
                "from it. Take a model that was made to write, such as {default}."
            ).format(model=title, architecture=type(model).__name__, default=DEFAULT)
        )
    tokens, vectors = len(tokenizer), len(model.get_input_embeddings().weight)
    if tokens > vectors:
        print(
            _(
                "The tokenizer of {model} has {tokens} tokens, and the model vectors for {vectors} "
                "only: a text with one of the others will be refused."
            ).format(model=title, tokens=tokens, vectors=vectors),
            file=sys.stderr,
        )
    # No notebook should show, or depend on, where on this machine the files lie.
    model.name_or_path = model.config.name_or_path = tokenizer.name_or_path = title
    return model.eval().requires_grad_(False), tokenizer


def _download(hub_id: str) -> None:
    """Say how large the model is, and fetch it into the hub's cache."""
    try:
        files = huggingface_hub.model_info(hub_id, files_metadata=True).siblings or []
        sizes = {file.rfilename: file.size or 0 for file in files if "/" not in file.rfilename}
        weights = ".safetensors" if any(n.endswith(".safetensors") for n in sizes) else ".bin"
        kinds = (".json", ".jinja", ".model", ".txt", weights)
        wanted = [n for n in sizes if n.endswith(kinds) and not n.startswith("consolidated")]
        size = sum(sizes[n] for n in wanted)
        print(
            _("Downloading {model} from the Hugging Face hub: {size:.1f} GB.").format(
                model=hub_id, size=size / 1e9
            ),
            file=sys.stderr,
        )
        with disk_faults(Path(constants.HF_HUB_CACHE), size, "HF_HOME"):
            huggingface_hub.snapshot_download(hub_id, allow_patterns=wanted)
    except errors.GatedRepoError as error:
        raise ModelError(
            _(
                "{model} is shared only with those who accept its terms. "
                "Accept them at https://huggingface.co/{model}, then run `hf auth login`."
            ).format(model=hub_id)
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise _unknown(hub_id) from error
    except (errors.HTTPError, OSError) as error:
        if why := network_fault(_all_said(error), "SSL_CERT_FILE"):
            says = _("{model} could not be fetched from the Hugging Face hub: {why}")
            raise ModelError(says.format(model=hub_id, why=why)) from error
        raise ModelError(
            _(
                "{model} is not on this machine, and the Hugging Face hub cannot be reached. "
                'Check the network, or use the course\'s own model: load_model("smollm2").'
            ).format(model=hub_id)
        ) from error


def _all_said(error: BaseException | None) -> str:
    """What an error says, and each that led to it."""
    said = []
    while error is not None:
        said.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return "\n".join(said)


def _unknown(name: str) -> ValueError:
    return ValueError(
        _(
            "There is no model {name}. Write {known}, the id of a model on the Hugging Face hub "
            "(owner/name), or the folder of a model on this machine."
        ).format(name=repr(name), known=", ".join((DEFAULT, *ON_THE_HUB)))
    )
