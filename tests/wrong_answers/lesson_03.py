"""Wrong and differently right answers to lesson 03, written as learners write them."""

import math
import random
from collections import Counter

import torch
import torch.nn.functional as F

INF = float("inf")


# 3.1 greedy
def score(logits):
    return max(logits.tolist())


def probability(logits):
    return float(torch.max(F.softmax(logits, dim=0)))


def least(logits):
    return int(torch.argsort(logits)[0])


def no_sign(logits):
    return (logits**2).argmax().item()


def whole_order(logits):
    return sorted(range(len(logits)), key=lambda i: -logits[i])


def as_tensor(logits):
    return torch.argmax(logits)


def prints_it(logits):
    print(logits.argmax().item())


def greedy_loop(logits):
    best = 0
    for i in range(len(logits)):
        if logits[i] > logits[best]:
            best = i
    return best


def greedy_max(logits):
    return int(logits.max(dim=-1).indices)


# 3.2 apply_temperature
def times(logits, temperature):
    if temperature <= 0:
        raise ValueError
    return logits.mul(temperature)


def to_probabilities(logits, temperature):
    return F.softmax(logits / temperature, dim=-1)


def softmax_first(logits, temperature):
    return F.softmax(logits, dim=-1) / temperature


def upside_down(logits, temperature):
    return temperature / logits


def floor(logits, temperature):
    return logits // temperature


def does_nothing(logits, temperature):
    return logits


def no_check(logits, temperature):
    return logits / temperature


def asserts(logits, temperature):
    assert temperature > 0
    return logits / temperature


def divides_in_place(logits, temperature):
    logits /= temperature
    return logits


def temperature_list(logits, temperature):
    return [x / temperature for x in logits.tolist()]


def zero_is_greedy(logits, temperature):
    if temperature == 0:
        return logits
    return logits / temperature


def temperature_inverse(logits, temperature):
    if not temperature > 0:
        raise ValueError("no")
    return logits * (1 / temperature)


def temperature_each(logits, temperature):
    if temperature <= 0:
        raise ValueError(temperature)
    return torch.stack([x / temperature for x in logits])


# 3.3 top_k_filter
def k_zero(logits, k):
    out = torch.zeros_like(logits)
    top = logits.topk(min(k, logits.numel()))
    out[top.indices] = top.values
    return out


def k_probabilities(logits, k):
    return F.softmax(k_by_index(logits, k), dim=-1)


def k_inverted(logits, k):
    out = logits.clone()
    out[logits.topk(k).indices] = -INF
    return out


def k_only(logits, k):
    keep = set(sorted(logits.tolist())[-k:])
    return torch.tensor([x for x in logits.tolist() if x in keep])


def k_one_too_few(logits, k):
    limit = sorted(logits.tolist(), reverse=True)[min(k, len(logits)) - 1]
    return torch.where(logits > limit, logits, torch.tensor(-INF))


def k_one_too_many(logits, k):
    limit = sorted(logits.tolist(), reverse=True)[min(k, len(logits) - 1)]
    return torch.where(logits >= limit, logits, torch.tensor(-INF))


def k_lowest(logits, k):
    out = torch.full_like(logits, -INF)
    low = logits.topk(min(k, len(logits)), largest=False)
    out[low.indices] = low.values
    return out


def k_topk_too_large(logits, k):
    return logits.masked_fill(logits < logits.topk(k).values[-1], -INF)


def k_index_too_large(logits, k):
    limit = logits.sort(descending=True).values[k - 1]
    return torch.where(logits < limit, torch.full_like(logits, -INF), logits)


def k_sorted(logits, k):
    values = logits.sort(descending=True).values
    values[k:] = -INF
    return values


def k_in_place(logits, k):
    limit = logits.topk(min(k, len(logits))).values[-1]
    logits[logits < limit] = -INF
    return logits


def k_nothing(logits, k):
    logits.masked_fill(logits < logits.topk(min(k, len(logits))).values[-1], -INF)
    return logits


def k_by_index(logits, k):
    out = torch.full_like(logits, -INF)
    best = logits.topk(min(k, len(logits))).indices
    out[best] = logits[best]
    return out


def k_by_list(logits, k):
    order = sorted(range(len(logits)), key=lambda i: logits[i].item(), reverse=True)[:k]
    return torch.tensor([x if i in order else -INF for i, x in enumerate(logits.tolist())])


# 3.4 top_p_filter
def p_cut(logits, p, crossing=True, first=True, fill=-INF):
    probabilities, order = torch.sort(F.softmax(logits, dim=-1), descending=True)
    sums = torch.cumsum(probabilities, dim=-1)
    cut = sums > p
    if crossing:
        cut = sums - probabilities >= p
    if first:
        cut[0] = False
    out = logits.clone()
    out[order[cut]] = fill
    return out


def p_crossing(logits, p):
    return p_cut(logits, p, crossing=False, first=False)


def p_no_first(logits, p):
    return p_cut(logits, p, first=False)


def p_zero(logits, p):
    return p_cut(logits, p, fill=0)


def p_probabilities(logits, p):
    return p_cut(logits, p).softmax(0)


def p_not_sorted(logits, p):
    probabilities = F.softmax(logits, dim=-1)
    before = torch.cumsum(probabilities, dim=-1) - probabilities
    return torch.where(before < p, logits, -INF)


def p_wrong_places(logits, p):
    probabilities = torch.sort(F.softmax(logits, dim=-1), descending=True)[0]
    before = probabilities.cumsum(0) - probabilities
    out = logits.clone()
    out[before >= p] = -INF
    return out


def p_sorted(logits, p):
    out = p_cut(logits, p)
    return out[out.argsort(descending=True)]


def p_ascending(logits, p):
    probabilities, order = torch.sort(F.softmax(logits, dim=-1))
    out = logits.clone()
    out[order[torch.cumsum(probabilities, -1) - probabilities >= p]] = -INF
    return out


def p_threshold(logits, p):
    return logits.masked_fill(F.softmax(logits, dim=0) < p, -INF)


def p_share_of_tokens(logits, p):
    return k_by_index(logits, max(1, round(len(logits) * p)))


def p_forgets(logits, p):
    out = p_cut(logits, p)


def p_loop(logits, p):
    probabilities = logits.softmax(-1).tolist()
    keep, total = [], 0.0
    for i in sorted(range(len(logits)), key=lambda i: -probabilities[i]):
        keep.append(i)
        total += probabilities[i]
        if total >= p:
            break
    out = torch.full_like(logits, -INF)
    out[keep] = logits[keep]
    return out


def p_scatter(logits, p):
    values, order = logits.sort(descending=True)
    cut = values.softmax(-1).cumsum(-1) - values.softmax(-1) >= p
    cut[:1] = False
    return logits.masked_fill(torch.zeros_like(cut).scatter(0, order, cut), -INF)


def p_from_below(logits, p):
    values, order = logits.sort()
    cut = values.softmax(-1).cumsum(-1) <= 1 - p
    cut[-1] = False
    return logits.masked_fill(cut[order.argsort()], -INF)


# 3.5 min_p_filter
def m_fixed(logits, p):
    return torch.where(F.softmax(logits, -1) >= p, logits, -INF)


def m_logits(logits, p):
    return torch.where(logits >= p * logits.max(), logits, -INF)


def m_minus(logits, p):
    probabilities = F.softmax(logits, -1)
    return torch.where(probabilities >= max(probabilities) - p, logits, -INF)


def m_zero(logits, p):
    probabilities = F.softmax(logits, -1)
    return torch.where(probabilities >= p * probabilities.max(), logits, 0)


def m_probabilities(logits, p):
    return F.softmax(m_by_logarithm(logits, p), -1)


def m_inverted(logits, p):
    probabilities = F.softmax(logits, -1)
    return torch.where(probabilities < p * probabilities.max(), logits, -INF)


def m_in_place(logits, p):
    probabilities = F.softmax(logits, -1)
    logits[probabilities < p * probabilities.max()] = -INF
    return logits


def m_by_logarithm(logits, p):
    bar = logits.max() + (math.log(p) if p else -INF)
    return torch.where(logits >= bar, logits, -INF)


def m_by_list(logits, p):
    sizes = logits.softmax(-1).tolist()
    return torch.tensor([x if s >= p * max(sizes) else -INF for x, s in zip(logits.tolist(), sizes)])


# 3.6 sample
def s_greedy(logits, generator=None):
    return logits.argmax().item()


def s_no_softmax(logits, generator=None):
    return torch.multinomial(logits, 1, generator=generator).item()


def s_tensor(logits, generator=None):
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)


def s_ignores(logits, generator=None):
    return torch.multinomial(logits.softmax(-1), 1).item()


def s_seeds(logits, generator=None):
    torch.manual_seed(0)
    return torch.multinomial(logits.softmax(-1), 1).item()


def s_reseeds(logits, generator=None):
    generator = torch.Generator().manual_seed(random.getrandbits(30))
    return torch.multinomial(logits.softmax(-1), 1, generator=generator).item()


def s_uniform(logits, generator=None):
    return torch.randint(len(logits), (1,), generator=generator).item()


def s_uniform_kept(logits, generator=None):
    kept = (logits > -INF).nonzero().flatten()
    return kept[torch.randint(len(kept), (1,), generator=generator)].item()


def s_softmax_twice(logits, generator=None):
    probabilities = logits.softmax(-1)
    twice = probabilities.softmax(-1) if len(probabilities[probabilities > 0]) > 1 else probabilities
    return torch.multinomial(twice, 1, generator=generator).item()


def s_probability(logits, generator=None):
    return logits.softmax(-1).max().item()


def s_hot(logits, generator=None):
    return torch.multinomial((logits / 2).softmax(-1), 1, generator=generator).item()


def s_text(logits, generator=None):
    return str(torch.multinomial(logits.softmax(-1), 1, generator=generator).item())


def s_gumbel(logits, generator=None):
    noise = -torch.log(-torch.log(torch.rand(len(logits), generator=generator)))
    return (logits + noise).argmax().item()


def s_inverse(logits, generator=None):
    sums = logits.softmax(-1).cumsum(-1)
    return int(torch.searchsorted(sums, torch.rand(1, generator=generator) * sums[-1]))


# 3.7 repeated_ngram_rate
def grams(ids, n):
    return list(zip(*[ids[i:] for i in range(n)]))


def r_new(token_ids, n):
    ngrams = grams(token_ids, n)
    return len(set(ngrams)) / len(ngrams) if ngrams else 1.0


def r_number(token_ids, n):
    return len(grams(token_ids, n)) - len(set(grams(token_ids, n)))


def r_no_n(token_ids, n):
    return 1 - len(set(token_ids)) / len(token_ids)


def r_last_missing(token_ids, n):
    ngrams = [tuple(token_ids[i : i + n]) for i in range(len(token_ids) - n)]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def r_short_ones(token_ids, n):
    ngrams = [tuple(token_ids[i : i + n]) for i in range(len(token_ids))]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def r_steps(token_ids, n):
    ngrams = [tuple(token_ids[i : i + n]) for i in range(0, len(token_ids) - n + 1, n)]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def r_first_too(token_ids, n):
    counts = Counter(grams(token_ids, n))
    return sum(c for c in counts.values() if c > 1) / sum(counts.values())


def r_short(token_ids, n):
    ngrams = grams(token_ids, n)
    return 1 - len(set(ngrams)) / len(ngrams)


def r_short_other(token_ids, n):
    return 1 - len(set(grams(token_ids, n))) / (len(token_ids) - n + 1)


def r_lists(token_ids, n):
    ngrams = [token_ids[i : i + n] for i in range(len(token_ids) - n + 1)]
    return 1 - len(set(ngrams)) / len(ngrams)


def r_seen(token_ids, n):
    seen, again, total = set(), 0, 0
    for start in range(len(token_ids) - n + 1):
        ngram = ",".join(map(str, token_ids[start : start + n]))
        again += ngram in seen
        total += 1
        seen.add(ngram)
    return again / total if total else 0


def r_counter(token_ids, n):
    counts = Counter(grams(token_ids, n))
    return sum(c - 1 for c in counts.values()) / max(1, sum(counts.values()))


WRONG = {
    "3.1": {
        "score-not-id": score,
        "probability-not-id": probability,
        "the-least-likely": least,
        "without-the-sign": no_sign,
        "the-whole-order": whole_order,
        "tensor-for-value": as_tensor,
        "none": prints_it,
    },
    "3.2": {
        "multiplied": times,
        "probabilities": to_probabilities,
        "softmax-first": softmax_first,
        "flipped": upside_down,
        "whole-division": floor,
        "not-applied": does_nothing,
        "not-refused": no_check,
        "other-error": asserts,
        "changed-in-place": divides_in_place,
        "list-for-tensor": temperature_list,
    },
    "3.3": {
        "zero-not-inf": k_zero,
        "probabilities": k_probabilities,
        "inverted": k_inverted,
        "only-the-kept": k_only,
        "one-too-few": k_one_too_few,
        "one-too-many": k_one_too_many,
        "the-lowest-kept": k_lowest,
        "k-above-vocabulary": k_topk_too_large,
        "sorted": k_sorted,
        "changed-in-place": k_in_place,
        "nothing-cut": k_nothing,
    },
    "3.4": {
        "crossing-token-cut": p_crossing,
        "winner-cut": p_no_first,
        "zero-not-inf": p_zero,
        "probabilities": p_probabilities,
        "not-sorted": p_not_sorted,
        "wrong-places": p_wrong_places,
        "sorted": p_sorted,
        "least-likely-first": p_ascending,
        "threshold": p_threshold,
        "p-of-the-tokens": p_share_of_tokens,
        "none": p_forgets,
    },
    "3.5": {
        "fixed-bar": m_fixed,
        "bar-in-logits": m_logits,
        "below-the-winner": m_minus,
        "zero-not-inf": m_zero,
        "probabilities": m_probabilities,
        "inverted": m_inverted,
        "changed-in-place": m_in_place,
        "top-p-instead": p_cut,
    },
    "3.6": {
        "always-the-winner": s_greedy,
        "no-softmax": s_no_softmax,
        "tensor-for-value": s_tensor,
        "generator-ignored": s_ignores,
        "seed-inside": s_seeds,
        "cut-token-drawn": s_uniform,
        "uniform-among-kept": s_uniform_kept,
        "softmax-twice": s_softmax_twice,
        "probability-not-id": s_probability,
        "frequencies": s_hot,
        "wrong-type": s_text,
    },
    "3.7": {
        "share-of-new": r_new,
        "number-not-share": r_number,
        "n-ignored": r_no_n,
        "last-one-missing": r_last_missing,
        "in-steps-of-n": r_steps,
        "divided-by-tokens": r_short_ones,
        "first-one-too": r_first_too,
        "shorter-than-n": r_short,
        "unhashable": r_lists,
    },
    "3.8": {
        "wrong-direction": 0.5,
        "too-low": 1.2,
        "too-high": 1.3,
        "not-a-number": "1.25",
        "out-of-range": 0,
    },
}
RIGHT = {
    "3.1": [greedy_loop, greedy_max],
    "3.2": [temperature_inverse, temperature_each],
    "3.3": [k_by_index, k_by_list],
    "3.4": [p_loop, p_scatter, p_from_below],
    "3.5": [m_by_logarithm, m_by_list],
    "3.6": [s_gumbel, s_inverse],
    "3.7": [r_seen, r_counter],
    "3.8": [1.25, 1.245],
}
