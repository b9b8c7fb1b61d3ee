"""The LLM that a learner builds, as a reference: each part under the name that its exercise has.

Written to be read: `utils.decoder` does the same work faster. From embedding to text:
`llm` (vectors in, logits out), `heads` (attention), `cache`, `loop` and `streaming`; what goes on
from there is in `faster`.
"""

from utils.decoding import apply_temperature, greedy, sample, top_p_filter
from utils.parts.cache import ForTransformers, KVCache, RoomyCache
from utils.parts.faster import (
    accepted,
    batch_places,
    looked_up,
    packed_product,
    quantise,
    unpack_block,
)
from utils.parts.heads import (
    attention,
    attention_layer,
    attention_scores,
    attention_weights,
    causal_mask,
    combine,
    merge_heads,
    places_and_mask,
    repeat_kv,
    rotary,
    split_heads,
)
from utils.parts.llm import (
    block,
    embed,
    feed_forward,
    forward,
    fuse,
    last_position_logits,
    lm_head,
    rms_norm,
    run_layer,
)
from utils.parts.loop import new_tokens, write
from utils.parts.streaming import stream_text

__all__ = [
    "ForTransformers",
    "KVCache",
    "RoomyCache",
    "accepted",
    "apply_temperature",
    "attention",
    "attention_layer",
    "attention_scores",
    "attention_weights",
    "batch_places",
    "block",
    "causal_mask",
    "combine",
    "embed",
    "feed_forward",
    "forward",
    "fuse",
    "greedy",
    "last_position_logits",
    "lm_head",
    "looked_up",
    "merge_heads",
    "new_tokens",
    "packed_product",
    "places_and_mask",
    "quantise",
    "repeat_kv",
    "rms_norm",
    "rotary",
    "run_layer",
    "sample",
    "split_heads",
    "stream_text",
    "top_p_filter",
    "unpack_block",
    "write",
]
