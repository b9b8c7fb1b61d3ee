"""What a model's generation config does to the logits before a token is chosen from them.

Some models come with more than their weights: a penalty on what has been written already, tokens
that are never written.  `model.generate` keeps to that, and so do the loops here that promise its
text.
"""

from collections.abc import Callable, Collection

import torch
from torch import Tensor
from transformers import (
    ExponentialDecayLengthPenalty,
    ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor,
    GenerationConfig,
    InfNanRemoveLogitsProcessor,
    LogitsProcessorList,
    MinLengthLogitsProcessor,
    MinNewTokensLengthLogitsProcessor,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
)

from utils.language import _

OFF = (None, False, 0, 1)
ELSEWHERE = (  # settings that write by another rule than "choose a token from these logits"
    "num_beams",
    "penalty_alpha",
    "dola_layers",
    "guidance_scale",
    "watermarking_config",
    "stop_strings",
    "max_time",
    "token_healing",
    "encoder_repetition_penalty",
    "encoder_no_repeat_ngram_size",
    "constraints",
    "force_words_ids",
)


def configured(
    settings: GenerationConfig, ends: Collection[int], prompt_tokens: int, max_new_tokens: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """What `settings` make of the logits [vocab] that follow ids [1, position]: a function of both.

    Most often it gives them back as they are.  ends: the model's end tokens.  Raises ValueError,
    naming it, for a setting that decides the text in another way.
    """
    for name in ELSEWHERE:
        if (value := getattr(settings, name, None)) not in OFF:
            raise ValueError(
                _(
                    "This model's generation config sets {name} to {value}, which the course's "
                    "loops do not follow: model.generate would write another text. Set "
                    "model.generation_config.{name} to None to go on without it."
                ).format(name=name, value=value)
            )

    def adjusted(input_ids: Tensor, logits: Tensor) -> Tensor:
        where = logits.device
        rules = _processors(settings, sorted(ends), prompt_tokens, max_new_tokens, where)
        return rules(input_ids, logits[None])[0] if rules else logits

    return adjusted


def _processors(
    settings: GenerationConfig, ends: list[int], prompt: int, new: int, device: torch.device
) -> LogitsProcessorList:
    """The library's own processors of `settings`, in the library's order."""
    end, on = torch.tensor(ends, device=device), {"device": device}
    found = LogitsProcessorList()
    if biases := settings.sequence_bias:
        found.append(SequenceBiasLogitsProcessor(biases))
    if (penalty := settings.repetition_penalty) not in (None, 1):
        found.append(RepetitionPenaltyLogitsProcessor(penalty))
    if size := settings.no_repeat_ngram_size:
        found.append(NoRepeatNGramLogitsProcessor(size))
    if words := settings.bad_words_ids:
        found.append(NoBadWordsLogitsProcessor(words, end))
    if ends and (least := settings.min_length):
        found.append(MinLengthLogitsProcessor(least, end, **on))
    if ends and (least := settings.min_new_tokens):
        found.append(MinNewTokensLengthLogitsProcessor(prompt, least, end, **on))
    if (token := settings.forced_bos_token_id) is not None:
        found.append(ForcedBOSTokenLogitsProcessor(token))
    if (token := settings.forced_eos_token_id) is not None:
        found.append(ForcedEOSTokenLogitsProcessor(prompt + new, token, **on))
    if settings.remove_invalid_values:
        found.append(InfNanRemoveLogitsProcessor())
    if ends and (decay := settings.exponential_decay_length_penalty):
        found.append(ExponentialDecayLengthPenalty(decay, end, prompt))
    if tokens := settings.suppress_tokens:
        found.append(SuppressTokensLogitsProcessor(tokens, **on))
    if tokens := settings.begin_suppress_tokens:
        begin = prompt if prompt > 1 or settings.forced_bos_token_id is None else prompt + 1
        found.append(SuppressTokensAtBeginLogitsProcessor(tokens, begin, **on))
    return found
