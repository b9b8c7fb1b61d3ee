"""The cache of keys and values, as a learner builds it, and the form in which models take it.

The keys and values of a layer are [batch, kv_head, position, head_dim].  A cache has two methods,
`append` and `get_seq_length`; `ForTransformers` turns them into those that the library calls.
"""

from typing import Any, NoReturn

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from utils.language import _


class KVCache:
    """The keys and values of every layer, each [batch, kv_head, position, head_dim].

    >>> cache, one = KVCache(), torch.ones(1, 1, 1, 4)
    >>> _first = cache.append(0, one, one)
    >>> keys, values = cache.append(0, one, one)
    >>> keys.shape, cache.get_seq_length()
    (torch.Size([1, 1, 2, 4]), 2)
    """

    def __init__(self):
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keep a layer's new keys and values after the ones it has; returns all it has now."""
        if layer in self.layers:
            old_keys, old_values = self.layers[layer]
            keys = torch.cat([old_keys, keys], dim=2)
            values = torch.cat([old_values, values], dim=2)
        self.layers[layer] = keys, values
        return keys, values

    def get_seq_length(self) -> int:
        """How many positions are kept; 0 for an empty cache."""
        return self.layers[0][0].shape[2] if self.layers else 0


class RoomyCache:
    """A `KVCache` whose memory is taken once: [layer, 1, kv_head, room, head_dim].

    Raises ValueError where a text is longer than its room.

    >>> cache = RoomyCache(layers=1, kv_heads=1, head_dim=4, room=8)
    >>> keys, values = cache.append(0, torch.ones(1, 1, 3, 4), torch.ones(1, 1, 3, 4))
    >>> keys.shape, cache.keys.shape
    (torch.Size([1, 1, 3, 4]), torch.Size([1, 1, 1, 8, 4]))
    """

    def __init__(self, layers: int, kv_heads: int, head_dim: int, room: int):
        self.keys = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.values = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.lengths = [0] * layers

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write a layer's new keys and values behind the ones it has; returns all it has now.

        The first of all say on which device and in which type of number the room is.
        """
        if not any(self.lengths):
            self.keys, self.values = self.keys.to(keys), self.values.to(values)
        start = self.lengths[layer]
        end = start + keys.shape[2]
        if end > self.keys.shape[3]:
            raise ValueError(
                _("There is no room for {count} positions, only for {room}.").format(
                    count=end, room=self.keys.shape[3]
                )
            )
        self.keys[layer, :, :, start:end] = keys
        self.values[layer, :, :, start:end] = values
        self.lengths[layer] = end
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def get_seq_length(self) -> int:
        """How many positions are kept."""
        return self.lengths[0]


class ForTransformers(Cache):
    """A cache with the two methods of `KVCache`, in the form that models of `transformers` take.

    `model(input_ids, past_key_values=ForTransformers(KVCache()))`.  Keys and values come in and
    stay: what beam search and assisted decoding ask for besides, to put texts in another order or
    take tokens back, raises ValueError.
    """

    def __init__(self, cache: KVCache | RoomyCache):
        super().__init__(layer_class_to_replicate=DynamicLayer)
        self.cache = cache

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_more: Any, **_named: Any
    ) -> tuple[Tensor, Tensor]:
        """The library's name for `append`, with the layer last."""
        return self.cache.append(layer_idx, key_states, value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.cache.get_seq_length()

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        return self.cache.get_seq_length() + query_length, 0

    def _refuse(self, *_what: Any, **_named: Any) -> NoReturn:
        raise ValueError(
            _(
                "{cache} only takes keys and values in: it cannot reorder texts or take tokens "
                "back, as beam search and assisted decoding need. Write greedily, or draw."
            ).format(cache=type(self.cache).__name__)
        )

    reorder_cache = crop = batch_repeat_interleave = batch_select_indices = reset = _refuse
