"""Wrong and differently right answers to lesson 08, written as learners write them."""

import torch
import torch.nn.functional as F

from utils import parts
from utils.parts import KVCache, merge_heads, repeat_kv, rotary, split_heads


# 8.1 places_and_mask
def mask_of(past, new):
    rows = torch.arange(past, past + new)[:, None]
    return torch.arange(past + new)[None] <= rows


def by_comparing(past, new):
    return torch.arange(new) + past, mask_of(past, new)


def by_loop(past, new):
    mask = torch.zeros(new, past + new, dtype=torch.bool)
    for row in range(new):
        mask[row, : past + row + 1] = True
    return torch.tensor(list(range(past, past + new))), mask


def from_zero(past, new):
    return torch.arange(new), mask_of(past, new)


def all_places(past, new):
    return torch.arange(past + new), mask_of(past, new)


def one_too_far(past, new):
    return torch.arange(past + 1, past + new + 1), mask_of(past, new)


def square(past, new):
    return torch.arange(past, past + new), torch.ones(new, new).tril().bool()


def first_rows(past, new):
    return torch.arange(past, past + new), torch.ones(past + new, past + new).tril().bool()[:new]


def whole(past, new):
    return torch.arange(past, past + new), torch.ones(past + new, past + new).tril().bool()


def all_seen(past, new):
    return torch.arange(past, past + new), torch.ones(new, past + new, dtype=torch.bool)


def turned_round(past, new):
    return mask_of(past, new), torch.arange(past, past + new)


# 8.2 attention
def project(x, attn, config):
    q = split_heads(F.linear(x, attn.q_proj.weight), config.num_attention_heads)
    k = split_heads(F.linear(x, attn.k_proj.weight), config.num_key_value_heads)
    v = split_heads(F.linear(x, attn.v_proj.weight), config.num_key_value_heads)
    return q, k, v


def turn(part, positions, config):
    return rotary(part, positions, config.rope_parameters["rope_theta"])


def remember(cache, attn, k, v):
    if cache is None:
        return k, v
    k, v = cache.append(attn.layer_idx, k[None], v[None])
    return k[0], v[0]


def look(q, k, v, mask):
    groups = len(q) // len(k)
    k, v = k.repeat_interleave(groups, 0), v.repeat_interleave(groups, 0)
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask, -torch.inf)
    return merge_heads(scores.softmax(-1) @ v)


def attention(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    q, k = turn(q, positions, config), turn(k, positions, config)
    k, v = remember(cache, self_attn, k, v)
    return F.linear(look(q, k, v, mask), self_attn.o_proj.weight)


def attention_sdpa(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    q, k = turn(q, positions, config), turn(k, positions, config)
    k, v = remember(cache, self_attn, k, v)
    out = F.scaled_dot_product_attention(q[None], k[None], v[None], mask, enable_gqa=True)[0]
    return merge_heads(out) @ self_attn.o_proj.weight.T


def no_rotary(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    k, v = remember(cache, self_attn, k, v)
    return look(q, k, v, mask) @ self_attn.o_proj.weight.T


def keys_not_turned(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    q = turn(q, positions, config)
    k, v = remember(cache, self_attn, k, v)
    return look(q, k, v, mask) @ self_attn.o_proj.weight.T


def queries_not_turned(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    k = turn(k, positions, config)
    k, v = remember(cache, self_attn, k, v)
    return look(q, k, v, mask) @ self_attn.o_proj.weight.T


def values_turned(x, self_attn, config, positions, mask, cache=None):
    q, k, v = (turn(part, positions, config) for part in project(x, self_attn, config))
    k, v = remember(cache, self_attn, k, v)
    return look(q, k, v, mask) @ self_attn.o_proj.weight.T


def turned_from_zero(x, self_attn, config, positions, mask, cache=None):
    return attention(x, self_attn, config, torch.arange(len(x)), mask, cache)


def heads_in_turn(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    q, k = turn(q, positions, config), turn(k, positions, config)
    k, v = remember(cache, self_attn, k, v)
    groups = len(q) // len(k)
    return look(q, torch.cat([k] * groups), torch.cat([v] * groups), mask) @ self_attn.o_proj.weight.T


def mask_forgotten(x, self_attn, config, positions, mask, cache=None):
    return attention(x, self_attn, config, positions, mask | True, cache)


def no_output_matrix(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    q, k = turn(q, positions, config), turn(k, positions, config)
    k, v = remember(cache, self_attn, k, v)
    return look(q, k, v, mask)


def cache_unused(x, self_attn, config, positions, mask, cache=None):
    return parts.attention(x, self_attn, config, positions, mask, None)


def repeated_first(x, self_attn, config, positions, mask, cache=None):
    q, k, v = project(x, self_attn, config)
    q, k = turn(q, positions, config), turn(k, positions, config)
    k, v = repeat_kv(k, len(q) // len(k)), repeat_kv(v, len(q) // len(v))
    k, v = remember(cache, self_attn, k, v)
    return look(q, k, v, mask) @ self_attn.o_proj.weight.T


def no_return(x, self_attn, config, positions, mask, cache=None):
    attention(x, self_attn, config, positions, mask, cache)


# 8.3 run_layer
def run_layer(x, layer, config, positions, mask, cache=None):
    a = parts.rms_norm(x, layer.input_layernorm.weight, config.rms_norm_eps)
    x = x + attention(a, layer.self_attn, config, positions, mask, cache)
    f = parts.rms_norm(x, layer.post_attention_layernorm.weight, config.rms_norm_eps)
    gate, up = F.linear(f, layer.mlp.gate_proj.weight), F.linear(f, layer.mlp.up_proj.weight)
    return x + F.linear(F.silu(gate) * up, layer.mlp.down_proj.weight)


def run_layer_with_modules(x, layer, config, positions, mask, cache=None):
    def attend(x):
        return parts.attention(x, layer.self_attn, config, positions, mask, cache)

    return parts.block(x, attend, layer.mlp, layer.input_layernorm, layer.post_attention_layernorm)


def layer_with(x, layer, config, positions, mask, cache, norm_1, norm_2, mlp=None):
    return parts.block(
        x,
        lambda x: attention(x, layer.self_attn, config, positions, mask, cache),
        mlp or layer.mlp,
        norm_1,
        norm_2,
    )


def norms_swapped(x, layer, config, positions, mask, cache=None):
    norms = layer.post_attention_layernorm, layer.input_layernorm
    return layer_with(x, layer, config, positions, mask, cache, *norms)


def one_norm(x, layer, config, positions, mask, cache=None):
    norm = layer.input_layernorm
    return layer_with(x, layer, config, positions, mask, cache, norm, norm)


def no_norms(x, layer, config, positions, mask, cache=None):
    return layer_with(x, layer, config, positions, mask, cache, lambda x: x, lambda x: x)


def gate_up(x, layer, config, positions, mask, cache=None):
    m = layer.mlp
    return layer_with(
        x, layer, config, positions, mask, cache,
        layer.input_layernorm, layer.post_attention_layernorm,
        lambda x: m.down_proj(F.silu(m.up_proj(x)) * m.gate_proj(x)),
    )  # fmt: skip


def layer_without_cache(x, layer, config, positions, mask, cache=None):
    return parts.run_layer(x, layer, config, positions, mask)


def layer_in_place(x, layer, config, positions, mask, cache=None):
    x += attention(layer.input_layernorm(x), layer.self_attn, config, positions, mask, cache)
    x += layer.mlp(layer.post_attention_layernorm(x))
    return x


# 8.4 forward
def stack(model, input_ids, cache=None, layers=None, past=None, keep=True):
    if past is None:
        past = cache.get_seq_length() if cache else 0
    positions = torch.arange(past, past + input_ids.shape[1])
    seen = cache.get_seq_length() if cache else 0
    mask = mask_of(seen, input_ids.shape[1])
    x = model.model.embed_tokens.weight[input_ids[0]]
    for layer in model.model.layers[:layers]:
        x = run_layer(x, layer, model.config, positions, mask, cache if keep else None)
    return x


def forward(model, input_ids, cache=None):
    return model.lm_head(model.model.norm(stack(model, input_ids, cache))).unsqueeze(0)


def with_reshape(model, input_ids, cache=None):
    hidden = model.model.norm(stack(model, input_ids, cache))
    logits = torch.einsum("pw,vw->pv", hidden, model.lm_head.weight)
    return logits.reshape(1, *logits.shape)


def layer_missing(model, input_ids, cache=None):
    return model.lm_head(model.model.norm(stack(model, input_ids, cache, layers=-1)))[None]


def no_last_norm(model, input_ids, cache=None):
    return model.lm_head(stack(model, input_ids, cache))[None]


def hidden(model, input_ids, cache=None):
    return model.model.norm(stack(model, input_ids, cache))[None]


def wrong_head(model, input_ids, cache=None):
    return (model.model.norm(stack(model, input_ids, cache)) @ model.model.embed_tokens.weight.T)[None]


def last_only(model, input_ids, cache=None):
    return forward(model, input_ids, cache)[:, -1:]


def no_batch(model, input_ids, cache=None):
    return forward(model, input_ids, cache)[0]


def cache_left_out(model, input_ids, cache=None):
    return model.lm_head(model.model.norm(stack(model, input_ids, cache, keep=False)))[None]


def past_forgotten(model, input_ids, cache=None):
    return model.lm_head(model.model.norm(stack(model, input_ids, cache, past=0)))[None]


# 8.5 write
def write(model, input_ids, max_new_tokens, choose=parts.greedy):
    cache, end = KVCache(), model.generation_config.eos_token_id
    logits = forward(model, input_ids, cache)
    for step in range(max_new_tokens):
        token = choose(logits[0, -1])
        yield token
        if token == end:
            break
        logits = forward(model, torch.tensor([[token]]), cache)


def write_with_while(model, input_ids, max_new_tokens, choose=parts.greedy):
    cache, written = KVCache(), 0
    while written < max_new_tokens:
        token = choose(parts.forward(model, input_ids, cache)[0][-1])
        yield token
        written += 1
        if token == model.generation_config.eos_token_id:
            return
        input_ids = input_ids.new_tensor([[token]])


def all_of(model, input_ids, max_new_tokens, choose=parts.greedy):
    return list(write(model, input_ids, max_new_tokens, choose))


def prompt_too(model, input_ids, max_new_tokens, choose=parts.greedy):
    yield from input_ids[0].tolist()
    yield from write(model, input_ids, max_new_tokens, choose)


def too_few(model, input_ids, max_new_tokens, choose=parts.greedy):
    yield from write(model, input_ids, max_new_tokens - 1, choose)


def too_many(model, input_ids, max_new_tokens, choose=parts.greedy):
    yield from write(model, input_ids, max_new_tokens + 1, choose)


def same(model, input_ids, max_new_tokens, choose=parts.greedy):
    for step in range(max_new_tokens):
        yield choose(forward(model, input_ids)[0, -1])


def old_again(model, input_ids, max_new_tokens, choose=parts.greedy):
    cache, unseen = KVCache(), input_ids
    for step in range(max_new_tokens):
        yield choose(forward(model, unseen, cache)[0, -1])
        unseen = input_ids[:, -1:]


def no_memory(model, input_ids, max_new_tokens, choose=parts.greedy):
    unseen = input_ids
    for step in range(max_new_tokens):
        token = choose(forward(model, unseen, KVCache())[0, -1])
        yield token
        unseen = torch.tensor([[token]])


def own_choice(model, input_ids, max_new_tokens, choose=parts.greedy):
    yield from write(model, input_ids, max_new_tokens)


def never_ends(model, input_ids, max_new_tokens, choose=parts.greedy):
    cache, unseen = KVCache(), input_ids
    for step in range(max_new_tokens):
        token = choose(forward(model, unseen, cache)[0, -1])
        yield token
        unseen = torch.tensor([[token]])


def end_dropped(model, input_ids, max_new_tokens, choose=parts.greedy):
    for token in write(model, input_ids, max_new_tokens, choose):
        if token == model.generation_config.eos_token_id:
            return
        yield token


def whole_text_again(model, input_ids, max_new_tokens, choose=parts.greedy):
    for step in range(max_new_tokens):
        token = choose(forward(model, input_ids)[0, -1])
        yield token
        if token == model.generation_config.eos_token_id:
            return
        input_ids = torch.cat([input_ids, torch.tensor([[token]])], dim=1)


def tokens_are_tensors(model, input_ids, max_new_tokens, choose=parts.greedy):
    for token in write(model, input_ids, max_new_tokens, choose):
        yield torch.tensor(token)


# 8.6 fuse
def fuse_by_vstack(matrices):
    return torch.vstack(matrices), tuple(m.shape[0] for m in matrices)


def fuse_by_filling(matrices):
    sizes = [m.size(0) for m in matrices]
    big = torch.empty(sum(sizes), matrices[0].size(1))
    start = 0
    for m, size in zip(matrices, sizes):
        big[start : start + size] = m
        start += size
    return big, sizes


def beside(matrices):
    return torch.cat(matrices, 1), [len(m) for m in matrices]


def stacked(matrices):
    return torch.stack(matrices), [len(m) for m in matrices]


def transposed(matrices):
    return torch.cat([m.T for m in matrices], dim=1), [len(m) for m in matrices]


def columns(matrices):
    return torch.cat(matrices), [m.shape[-1] for m in matrices]


def ends(matrices):
    sizes, total = [], 0
    for m in matrices:
        total += len(m)
        sizes.append(total)
    return torch.cat(matrices), sizes


def backwards(matrices):
    matrices = list(reversed(matrices))
    return torch.cat(matrices), [len(m) for m in matrices]


def only_matrix(matrices):
    return torch.vstack(matrices)


# 8.7 RoomyCache
class Roomy:
    def __init__(self, layers, kv_heads, head_dim, room):
        self.store = torch.empty(2, layers, 1, kv_heads, room, head_dim)
        self.used = torch.zeros(layers, dtype=torch.long)

    def append(self, layer, keys, values):
        start = self.used[layer].item()
        stop = start + keys.size(2)
        if stop > self.store.size(4):
            raise ValueError("full")
        self.store[0, layer, :, :, start:stop] = keys
        self.store[1, layer, :, :, start:stop] = values
        self.used[layer] = stop
        return self.store[0, layer, :, :, :stop], self.store[1, layer, :, :, :stop]

    def get_seq_length(self):
        return self.used[0].item()


class RoomyLists:
    def __init__(self, layers, kv_heads, head_dim, room):
        self.keys = [torch.zeros(1, kv_heads, room, head_dim) for _ in range(layers)]
        self.values = [torch.zeros(1, kv_heads, room, head_dim) for _ in range(layers)]
        self.length, self.room = [0] * layers, room

    def append(self, layer, keys, values):
        start, new = self.length[layer], keys.shape[2]
        if start + new > self.room:
            raise ValueError(f"only {self.room} positions")
        self.keys[layer].narrow(2, start, new).copy_(keys)
        self.values[layer].narrow(2, start, new).copy_(values)
        self.length[layer] += new
        end = self.length[layer]
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def get_seq_length(self):
        return self.length[-1]


class OnlyNew(Roomy):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return keys, values


class WholeRoom(Roomy):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.store.zero_()

    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return self.store[0, layer], self.store[1, layer]


class Swapped(Roomy):
    def append(self, layer, keys, values):
        keys, values = super().append(layer, keys, values)
        return values, keys


class KeysTwice(Roomy):
    def append(self, layer, keys, values):
        return super().append(layer, keys, keys)


class Growing:
    def __init__(self, layers, kv_heads, head_dim, room):
        self.kept = {}

    def append(self, layer, keys, values):
        if layer in self.kept:
            keys = torch.cat([self.kept[layer][0], keys], dim=2)
            values = torch.cat([self.kept[layer][1], values], dim=2)
        self.kept[layer] = keys, values
        return keys, values

    def get_seq_length(self):
        return self.kept[0][0].shape[2] if self.kept else 0


class NoWord(Roomy):
    def append(self, layer, keys, values):
        if self.used[layer] + keys.size(2) > self.store.size(4):
            self.used[layer] = 0
        return super().append(layer, keys, values)


class NoLength:
    def __init__(self, layers, kv_heads, head_dim, room):
        self.keys = torch.zeros(layers, 1, kv_heads, room, head_dim)

    def append(self, layer, keys, values):
        return keys, values


WRONG = {
    "8.1": {
        "from-zero": from_zero,
        "all-places": all_places,
        "one-too-far": one_too_far,
        "square-mask": square,
        "first-rows": first_rows,
        "whole-mask": whole,
        "sees-the-future": all_seen,
        "swapped": turned_round,
    },
    "8.2": {
        "no-rotary": no_rotary,
        "keys-not-turned": keys_not_turned,
        "queries-not-turned": queries_not_turned,
        "values-turned": values_turned,
        "turned-from-zero": turned_from_zero,
        "heads-in-turn": heads_in_turn,
        "mask-forgotten": mask_forgotten,
        "no-output-matrix": no_output_matrix,
        "cache-unused": cache_unused,
        "kept-otherwise": repeated_first,
        "none": no_return,
    },
    "8.3": {
        "norms-swapped": norms_swapped,
        "one-norm-twice": one_norm,
        "norms-forgotten": no_norms,
        "gate-and-up-swapped": gate_up,
        "cache-not-passed": layer_without_cache,
        "changed-in-place": layer_in_place,
    },
    "8.4": {
        "layer-missing": layer_missing,
        "no-last-norm": no_last_norm,
        "hidden-states": hidden,
        "embedding-as-head": wrong_head,
        "last-only": last_only,
        "no-batch": no_batch,
        "cache-not-passed": cache_left_out,
        "past-forgotten": past_forgotten,
    },
    "8.5": {
        "with-prompt": prompt_too,
        "one-too-few": too_few,
        "one-too-many": too_many,
        "same-token": same,
        "old-token-again": old_again,
        "only-new-token": no_memory,
        "always-greedy": own_choice,
        "past-the-end": never_ends,
        "end-token-dropped": end_dropped,
        "computed-again": whole_text_again,
        "all-at-once": all_of,
    },
    "8.6": {
        "side-by-side": beside,
        "stacked": stacked,
        "transposed": transposed,
        "sizes-of-inputs": columns,
        "where-not-how-many": ends,
        "wrong-order": backwards,
        "matrix-only": only_matrix,
    },
    "8.7": {
        "over-the-old": OnlyNew,
        "empty-room-too": WholeRoom,
        "swapped": Swapped,
        "keys-twice": KeysTwice,
        "new-memory": Growing,
        "no-word-when-full": NoWord,
        "method-missing": NoLength,
        "not-a-class": Roomy(2, 3, 4, 8),
    },
}
RIGHT = {
    "8.1": [by_comparing, by_loop],
    "8.2": [attention, attention_sdpa],
    "8.3": [run_layer, run_layer_with_modules],
    "8.4": [forward, with_reshape],
    "8.5": [write, write_with_while],
    "8.6": [fuse_by_vstack, fuse_by_filling],
    "8.7": [Roomy, RoomyLists],
}
