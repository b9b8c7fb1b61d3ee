"""Wrong and differently right answers to lesson 05, written as learners write them."""

import torch


# 5.1 KVCache
class Right:
    def __init__(self):
        self.kept = {}

    def append(self, layer, keys, values):
        if layer not in self.kept:
            self.kept[layer] = (keys, values)
        else:
            k, v = self.kept[layer]
            self.kept[layer] = (torch.cat((k, keys), -2), torch.cat((v, values), -2))
        return self.kept[layer]

    def get_seq_length(self):
        for k, v in self.kept.values():
            return k.shape[-2]
        return 0


class InLists:
    """Keeps the parts and joins them when asked."""

    def __init__(self):
        self.keys, self.values = [], []

    def append(self, layer, keys, values):
        while len(self.keys) <= layer:
            self.keys.append([])
            self.values.append([])
        self.keys[layer].append(keys)
        self.values[layer].append(values)
        return [torch.cat(self.keys[layer], dim=2), torch.cat(self.values[layer], dim=2)]

    def get_seq_length(self):
        return sum(k.shape[2] for k in self.keys[0]) if self.keys else 0


class Preallocated:
    def __init__(self):
        self.store, self.used = {}, {}

    def append(self, layer, keys, values):
        batch, heads, new, size = keys.shape
        if layer not in self.store:
            self.store[layer] = torch.zeros(2, batch, heads, 64, size, dtype=keys.dtype)
            self.used[layer] = 0
        start = self.used[layer]
        self.store[layer][0, :, :, start : start + new] = keys
        self.store[layer][1, :, :, start : start + new] = values
        self.used[layer] = start + new
        both = self.store[layer][:, :, :, : start + new]
        return both[0], both[1]

    def get_seq_length(self):
        return max(self.used.values(), default=0)


class OnlyNew(Right):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return keys, values


class OneStore:
    keys = None

    def append(self, layer, keys, values):
        if self.keys is None:
            self.keys, self.values = keys, values
        else:
            self.keys = torch.cat([self.keys, keys], dim=2)
            self.values = torch.cat([self.values, values], dim=2)
        return self.keys, self.values

    def get_seq_length(self):
        return 0 if self.keys is None else self.keys.shape[2]


class NewFirst(Right):
    def append(self, layer, keys, values):
        if layer in self.kept:
            k, v = self.kept[layer]
            keys, values = torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)
        self.kept[layer] = keys, values
        return keys, values


class HeadAxis(Right):
    def append(self, layer, keys, values):
        if layer in self.kept:
            k, v = self.kept[layer]
            keys, values = torch.cat([k, keys], dim=1), torch.cat([v, values], dim=1)
        self.kept[layer] = keys, values
        return keys, values


class Swapped(Right):
    def append(self, layer, keys, values):
        keys, values = super().append(layer, keys, values)
        return values, keys


class KeysTwice(Right):
    def append(self, layer, keys, values):
        return super().append(layer, keys, keys)


class ValuesNotKept(Right):
    def append(self, layer, keys, values):
        return super().append(layer, keys, values)[0], values


class OnlyKeys(Right):
    def append(self, layer, keys, values):
        return super().append(layer, keys, values)[0]


class ForgetsToReturn(Right):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)


class CountsCalls(Right):
    calls = 0

    def append(self, layer, keys, values):
        self.calls += 1
        return super().append(layer, keys, values)

    def get_seq_length(self):
        return self.calls


class CountsAll(Right):
    def get_seq_length(self):
        return sum(k.shape[2] for k, v in self.kept.values())


class CountsNewest(Right):
    newest = 0

    def append(self, layer, keys, values):
        self.newest = keys.shape[2]
        return super().append(layer, keys, values)

    def get_seq_length(self):
        return self.newest


class CountsHeads(Right):
    def get_seq_length(self):
        return self.kept[0][0].shape[1] if self.kept else 0


class FailsWhenEmpty(Right):
    def get_seq_length(self):
        return self.kept[0][0].shape[2]


class Shared(Right):
    kept = {}

    def __init__(self):
        pass


class NoLength:
    def append(self, layer, keys, values):
        return keys, values


# 5.2 positions_computed
def by_adding(prompt_tokens, new_tokens, use_cache):
    total, length = 0, prompt_tokens
    for i in range(new_tokens):
        total += 1 if use_cache and i > 0 else length
        length += 1
    return total


def by_formula(p, n, use_cache):
    return p + (n - 1) if use_cache else (2 * p + n - 1) * n // 2


# 5.3 cache_bytes
def by_tensor(layers, kv_heads, head_dim, tokens, bytes_per_number):
    keys = torch.empty(kv_heads, tokens, head_dim, device="meta")
    return (keys.numel() + keys.numel()) * layers * bytes_per_number


def in_steps(layers, kv_heads, head_dim, tokens, bytes_per_number):
    per_token = 0
    for layer in range(layers):
        per_token += kv_heads * head_dim + kv_heads * head_dim
    return per_token * tokens * bytes_per_number


# 5.4 generate_with_cache
def write(model, input_ids, max_new_tokens, stop=True, cached=True, feed="new", column=-1):
    ids, cache, now = input_ids, None, input_ids
    for i in range(max_new_tokens):
        out = model(now, past_key_values=cache)
        token = out.logits[0, column].argmax().view(1, 1)
        ids = torch.cat((ids, token), 1)
        if cached:
            cache = out.past_key_values
        if stop and token == model.generation_config.eos_token_id:
            break
        now = {"new": token, "all": ids, "old": ids[:, -2:-1]}[feed]
    return ids


def new_only(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens)[:, input_ids.shape[1] :]


def past_the_end(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens, stop=False)


def end_token_dropped(model, input_ids, max_new_tokens):
    ids = write(model, input_ids, max_new_tokens)
    return ids[:, :-1] if ids[0, -1] == model.generation_config.eos_token_id else ids


def one_too_many(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens + 1)


def cache_not_passed(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens, cached=False)


def whole_text_again(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens, feed="all")


def one_behind(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens, feed="old")


def first_position(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens, column=0)


def not_cached(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens, cached=False, feed="all")


def a_list(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens).tolist()


def batch_lost(model, input_ids, max_new_tokens):
    return write(model, input_ids, max_new_tokens)[0]


def prefill_apart(model, input_ids, max_new_tokens):
    out = model(input_ids, use_cache=True)
    new = [int(out.logits[0, -1].argmax())]
    while len(new) < max_new_tokens and new[-1] != model.generation_config.eos_token_id:
        out = model(torch.tensor([[new[-1]]]), past_key_values=out.past_key_values)
        new.append(int(out.logits[0, -1].argmax()))
    return torch.cat([input_ids, torch.tensor([new])], dim=1)


def one_pass_more(model, input_ids, max_new_tokens):
    """Runs the model on the last token too: needless, and right."""
    end = model.generation_config.eos_token_id
    out, ids = model(input_ids), input_ids
    for i in range(max_new_tokens):
        token = out.logits[:, -1:].argmax(-1)
        ids = torch.cat([ids, token], dim=-1)
        if int(token) == end:
            return ids
        out = model(token, past_key_values=out.past_key_values)
    return ids


# 5.5 stream_text
def token_by_token(token_ids, tokenizer):
    for i in token_ids:
        yield tokenizer.decode([i], skip_special_tokens=True)


def drops_halves(token_ids, tokenizer):
    for i in token_ids:
        text = tokenizer.decode([i], skip_special_tokens=True)
        if "�" not in text:
            yield text


def whole_each_time(token_ids, tokenizer):
    ids = []
    for i in token_ids:
        ids.append(i)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if not text.endswith("�"):
            yield text


def special_shown(token_ids, tokenizer):
    ids, shown = [], 0
    for i in token_ids:
        ids.append(i)
        text = tokenizer.decode(ids)
        if not text.endswith("�"):
            yield text[shown:]
            shown = len(text)


def half_at_the_end(token_ids, tokenizer):
    ids, shown = [], 0
    for i in token_ids:
        ids.append(i)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if not text.endswith("�"):
            yield text[shown:]
            shown = len(text)
    yield tokenizer.decode(ids, skip_special_tokens=True)[shown:]


def last_missing(token_ids, tokenizer):
    ids, shown = [], 0
    for i in token_ids:
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if not text.endswith("�"):
            yield text[shown:]
            shown = len(text)
        ids.append(i)


def gives_ids(token_ids, tokenizer):
    for i in token_ids:
        yield i


def at_the_end(token_ids, tokenizer):
    yield tokenizer.decode(list(token_ids), skip_special_tokens=True).rstrip("�")


def with_len(token_ids, tokenizer):
    shown = 0
    for n in range(1, len(token_ids) + 1):
        text = tokenizer.decode(token_ids[:n], skip_special_tokens=True).rstrip("�")
        if len(text) > shown:
            yield text[shown:]
            shown = len(text)


def one_late(token_ids, tokenizer):
    held = ""
    for piece in by_bytes(token_ids, tokenizer):
        yield held
        held = piece
    yield held


def forgets_to_yield(token_ids, tokenizer):
    text = tokenizer.decode(list(token_ids))


def by_bytes(token_ids, tokenizer):
    """Holds a whole token back while the text ends in half a character, and drops what is left."""
    ids, shown, text = [], 0, ""
    for i in token_ids:
        ids = ids + [i]
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if text.endswith("�"):
            continue
        yield text[shown:]
        shown = len(text)
    rest = text[shown:].replace("�", "")
    if rest:
        yield rest


def by_character(token_ids, tokenizer):
    ids, shown = [], 0
    for i in token_ids:
        ids.append(i)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        while shown < len(text) and text[shown] != "�":
            yield text[shown]
            shown += 1


WRONG = {
    "5.1": {
        "only-new": OnlyNew,
        "layers-mixed": OneStore,
        "new-first": NewFirst,
        "wrong-axis": HeadAxis,
        "swapped": Swapped,
        "keys-twice": KeysTwice,
        "values-not-kept": ValuesNotKept,
        "only-keys": OnlyKeys,
        "none": ForgetsToReturn,
        "counts-calls": CountsCalls,
        "counts-all-layers": CountsAll,
        "newest-only": CountsNewest,
        "wrong-size": CountsHeads,
        "raised": FailsWhenEmpty,
        "shared-between-caches": Shared,
        "method-missing": NoLength,
        "not-a-class": Right(),
    },
    "5.2": {
        "last-token-read": lambda p, n, c: p + n if c else sum(p + i + 1 for i in range(n)),
        "mixed-up": lambda p, n, c: by_formula(p, n, not c),
        "does-not-grow": lambda p, n, c: p + n - 1 if c else p * n,
        "prompt-forgotten": lambda p, n, c: n if c else n * (n - 1) // 2,
        "one-pass-too-many": lambda p, n, c: by_formula(p, n + 1, c),
        "wrong-type": lambda p, n, c: p + n - 1 if c else n * p + n * (n - 1) / 2,
        "none": lambda p, n, c: print(by_formula(p, n, c)),
    },
    "5.3": {
        "keys-only": lambda la, h, d, t, b: la * h * d * t * b,
        "one-layer": lambda la, h, d, t, b: 2 * h * d * t * b,
        "one-head": lambda la, h, d, t, b: 2 * la * d * t * b,
        "no-head-size": lambda la, h, d, t, b: 2 * la * h * t * b,
        "one-token": lambda la, h, d, t, b: 2 * la * h * d * b,
        "numbers-not-bytes": lambda la, h, d, t, b: 2 * la * h * d * t,
        "bits": lambda la, h, d, t, b: 2 * la * h * d * t * b * 8,
        "megabytes": lambda la, h, d, t, b: 2 * la * h * d * t * b / 1_000_000,
        "squared": lambda la, h, d, t, b: 2 * la * h * d * t * t * b,
        "wrong-type": lambda la, h, d, t, b: 2.0 * la * h * d * t * b,
    },
    "5.4": {
        "new-only": new_only,
        "past-the-end": past_the_end,
        "end-token-dropped": end_token_dropped,
        "one-too-many": one_too_many,
        "cache-not-passed": cache_not_passed,
        "whole-text-again": whole_text_again,
        "one-token-behind": one_behind,
        "first-position": first_position,
        "not-cached": not_cached,
        "list-for-tensor": a_list,
        "other-shape": batch_lost,
    },
    "5.5": {
        "token-by-token": token_by_token,
        "half-dropped": drops_halves,
        "whole-each-time": whole_each_time,
        "special-tokens": special_shown,
        "half-at-the-end": half_at_the_end,
        "last-token-missing": last_missing,
        "ids-not-text": gives_ids,
        "all-at-once": at_the_end,
        "needs-a-list": with_len,
        "too-late": one_late,
        "none": forgets_to_yield,
    },
}
RIGHT = {
    "5.1": [Right, InLists, Preallocated],
    "5.2": [by_adding, by_formula],
    "5.3": [by_tensor, in_steps],
    "5.4": [prefill_apart, one_pass_more, lambda m, ids, n: write(m, ids, n)],
    "5.5": [by_bytes, by_character],
}
