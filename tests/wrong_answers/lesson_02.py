"""Wrong and differently right answers to lesson 02, written as learners write them."""

import torch
import torch.nn.functional as F


# 2.1 embed
def columns(token_ids, embedding_matrix):
    return embedding_matrix[:, token_ids]


def first_text(token_ids, embedding_matrix):
    return torch.stack([embedding_matrix[i] for i in token_ids[0]])


def flattened(token_ids, embedding_matrix):
    return embedding_matrix[token_ids.reshape(-1)]


def first_rows(token_ids, embedding_matrix):
    batch, n = token_ids.shape
    return torch.stack([embedding_matrix[:n]] * batch)


def off_by_one(token_ids, embedding_matrix):
    return embedding_matrix[token_ids - 1]


def summed(token_ids, embedding_matrix):
    return embedding_matrix[token_ids].sum(dim=1)


def averaged(token_ids, embedding_matrix):
    return embedding_matrix[token_ids].mean(dim=1)


def lists(token_ids, embedding_matrix):
    return [[embedding_matrix[i].tolist() for i in row] for row in token_ids]


def doubles(token_ids, embedding_matrix):
    return embedding_matrix.double()[token_ids]


def no_return(token_ids, embedding_matrix):
    embedding_matrix[token_ids]


def one_hot(token_ids, embedding_matrix):
    return F.one_hot(token_ids, len(embedding_matrix)).to(embedding_matrix) @ embedding_matrix


def by_loop(token_ids, embedding_matrix):
    return torch.stack([torch.stack([embedding_matrix[i] for i in row]) for row in token_ids])


# 2.2 nearest_tokens
def dot_masked(embedding_matrix, token_id, k):
    scores = embedding_matrix @ embedding_matrix[token_id]
    scores[token_id] = float("-inf")
    return scores.topk(k).indices


def kept(embedding_matrix, token_id, k):
    unit = F.normalize(embedding_matrix, dim=-1)
    return (unit @ unit[token_id]).argsort(descending=True)[:k]


def too_few(embedding_matrix, token_id, k):
    return kept(embedding_matrix, token_id, k)[1:]


def ascending(embedding_matrix, token_id, k):
    unit = F.normalize(embedding_matrix, dim=-1)
    return (unit @ unit[token_id]).argsort()[:k]


def reversed_order(embedding_matrix, token_id, k):
    return torch.flip(kept(embedding_matrix, token_id, k + 1)[1:], (0,))


def cosines(embedding_matrix, token_id, k):
    unit = F.normalize(embedding_matrix, dim=-1)
    scores = unit @ unit[token_id]
    scores[token_id] = -2
    return scores.sort(descending=True).values[:k]


def columns_divided(embedding_matrix, token_id, k):
    unit = F.normalize(embedding_matrix, dim=0)
    scores = unit @ unit[token_id]
    scores[token_id] = float("-inf")
    return scores.topk(k).indices


def distances(embedding_matrix, token_id, k):
    return torch.cdist(embedding_matrix, embedding_matrix)[token_id].argsort()[1 : k + 1]


def as_list(embedding_matrix, token_id, k):
    return kept(embedding_matrix, token_id, k + 1)[1:].tolist()


def divides_in_place(embedding_matrix, token_id, k):
    embedding_matrix /= embedding_matrix.norm(dim=-1, keepdim=True)
    return (embedding_matrix @ embedding_matrix[token_id]).topk(k + 1).indices[1:]


def with_cosine_similarity(embedding_matrix, token_id, k):
    scores = F.cosine_similarity(embedding_matrix, embedding_matrix[token_id], dim=-1)
    return scores.topk(k + 1).indices[1:]


def with_filter(embedding_matrix, token_id, k):
    order = kept(embedding_matrix, token_id, len(embedding_matrix))
    return order[order != token_id][:k]


# 2.3 softmax
def overflows(logits):
    e = torch.exp(logits)
    return e / e.sum(dim=-1, keepdim=True)


def global_max(logits):
    e = torch.exp(logits - torch.max(logits))
    return e / e.sum(dim=-1, keepdim=True)


def first_axis(logits):
    e = torch.exp(logits - logits.max(dim=0, keepdim=True).values)
    return e / e.sum(dim=0, keepdim=True)


def everything(logits):
    e = torch.exp(logits - logits.max())
    return e / e.sum()


def no_keepdim(logits):
    e = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
    return e / e.sum(dim=-1)


def no_exp(logits):
    return logits / logits.sum(dim=-1, keepdim=True)


def not_divided(logits):
    return torch.exp(logits)


def logs(logits):
    return F.log_softmax(logits, dim=-1)


def subtracts_minimum(logits):
    e = torch.exp(logits - logits.min(dim=-1, keepdim=True).values)
    return e / e.sum(dim=-1, keepdim=True)


def max_tuple(logits):
    e = torch.exp(logits - logits.max(dim=-1))
    return e / e.sum()


def with_logsumexp(logits):
    return torch.exp(logits - torch.logsumexp(logits, dim=-1, keepdim=True))


def library(logits):
    return torch.nn.Softmax(dim=-1)(logits)


def in_double(logits):
    e = torch.exp(logits.double() - logits.double().amax(-1, keepdim=True))
    return (e / e.sum(-1, keepdim=True)).to(logits.dtype)


# 2.4 lm_head
def not_transposed(hidden, weight):
    return torch.matmul(hidden, weight)


def swapped(hidden, weight):
    return weight @ hidden.mT


def weight_first(hidden, weight):
    return weight @ hidden


def probabilities(hidden, weight):
    return torch.softmax(hidden @ weight.T, dim=-1)


def last_position(hidden, weight):
    return hidden[..., -1, :] @ weight.T


def ids(hidden, weight):
    return torch.argmax(hidden @ weight.T, dim=-1)


def cosine_logits(hidden, weight):
    return F.cosine_similarity(hidden.unsqueeze(-2), weight, dim=-1)


def with_linear(hidden, weight):
    return F.linear(hidden, weight)


def with_einsum(hidden, weight):
    return torch.einsum("...w,vw->...v", hidden, weight)


# 2.5 parameter_share
KINDS = ("embedding", "attention", "feed_forward", "norm", "lm_head")


def kind_of(name):
    if "embed" in name:
        return "embedding"
    if "norm" in name:
        return "norm"
    if "attn" in name:
        return "attention"
    return "feed_forward" if "mlp" in name else "lm_head"


def count(named):
    counts = {kind: 0 for kind in KINDS}
    for name, weight in named:
        counts[kind_of(name)] += weight.numel()
    return counts


def with_state_dict(model):
    counts = count(model.state_dict().items())
    return {kind: n / sum(counts.values()) for kind, n in counts.items()}


def over_num_parameters(model):
    return {k: n / model.num_parameters() for k, n in count(model.state_dict().items()).items()}


def over_all_tensors(model):
    total = sum(w.numel() for w in model.state_dict().values())
    return {k: n / total for k, n in count(model.named_parameters()).items()}


def counts_only(model):
    return count(model.named_parameters())


def percent(model):
    total = model.num_parameters()
    return {k: 100 * n / total for k, n in count(model.named_parameters()).items()}


def only_blocks(model):
    found = [(n, w) for n, w in model.named_parameters() if n != "model.norm.weight"]
    return {k: n / model.num_parameters() for k, n in count(found).items()}


def counts_tensors(model):
    names = [kind_of(name) for name, _ in model.named_parameters()]
    return {kind: names.count(kind) / len(names) for kind in KINDS}


def without_head(model):
    counts = {k: n for k, n in count(model.named_parameters()).items() if n}
    return {k: n / sum(counts.values()) for k, n in counts.items() if k != "lm_head"}


def as_values(model):
    return list(percent(model).values())


def as_tensors(model):
    shares = with_named_parameters(model)
    return {kind: torch.tensor(share) for kind, share in shares.items()}


def with_named_parameters(model):
    counts = count(model.named_parameters())
    return {kind: n / sum(counts.values()) for kind, n in counts.items()}


def with_modules(model):
    counts, seen = dict.fromkeys(KINDS, 0), set()
    for name, weight in model.state_dict(keep_vars=True).items():
        if id(weight) not in seen:
            seen.add(id(weight))
            counts[kind_of(name)] += weight.numel()
    return {kind: n / model.num_parameters() for kind, n in counts.items()}


# 2.6 pool_last_token
def last_column(hidden_states, attention_mask):
    return hidden_states[:, -1, :]


def first_column(hidden_states, attention_mask):
    return hidden_states[:, 0, :]


def plain_mean(hidden_states, attention_mask):
    return torch.mean(hidden_states, dim=1)


def counts_ones(hidden_states, attention_mask):
    last = attention_mask.sum(dim=1) - 1
    return torch.stack([states[i] for states, i in zip(hidden_states, last)])


def one_too_far(hidden_states, attention_mask):
    last = attention_mask.sum(dim=1)
    return hidden_states[torch.arange(len(last)), last]


def all_pairs(hidden_states, attention_mask):
    return hidden_states[:, attention_mask.sum(dim=1) - 1]


def one_for_all(hidden_states, attention_mask):
    return hidden_states[:, attention_mask.sum(dim=1).max() - 1]


def a_list(hidden_states, attention_mask):
    return [h[m.bool()][-1] for h, m in zip(hidden_states, attention_mask)]


def by_masking(hidden_states, attention_mask):
    return torch.stack([h[m.bool()][-1] for h, m in zip(hidden_states, attention_mask)])


def by_flipping(hidden_states, attention_mask):
    last = attention_mask.shape[1] - 1 - attention_mask.flip(1).argmax(dim=1)
    index = last[:, None, None].expand(-1, 1, hidden_states.shape[-1])
    return hidden_states.gather(1, index).squeeze(1)


WRONG = {
    "2.1": {
        "columns": columns,
        "batch-lost": first_text,
        "flattened": flattened,
        "positions-not-ids": first_rows,
        "off-by-one": off_by_one,
        "summed": summed,
        "averaged": averaged,
        "list-for-tensor": lists,
        "wrong-dtype": doubles,
        "none": no_return,
    },
    "2.2": {
        "dot-product": dot_masked,
        "itself-kept": kept,
        "one-too-few": too_few,
        "farthest": ascending,
        "farthest-first": reversed_order,
        "cosines-not-ids": cosines,
        "wrong-axis": columns_divided,
        "distance": distances,
        "list-for-tensor": as_list,
        "changed-in-place": divides_in_place,
    },
    "2.3": {
        "overflow": overflows,
        "global-max": global_max,
        "wrong-axis": first_axis,
        "all-axes": everything,
        "no-keepdim": no_keepdim,
        "no-exp": no_exp,
        "not-normalised": not_divided,
        "logarithms": logs,
        "min-not-max": subtracts_minimum,
        "pair-for-tensor": max_tuple,
    },
    "2.4": {
        "not-transposed": not_transposed,
        "axes-swapped": swapped,
        "wrong-way-round": weight_first,
        "probabilities": probabilities,
        "only-the-last": last_position,
        "ids-not-logits": ids,
        "cosines": cosine_logits,
    },
    "2.5": {
        "tied-twice": with_state_dict,
        "sum-above-1": over_num_parameters,
        "sum-below-1": over_all_tensors,
        "counts": counts_only,
        "percent": percent,
        "last-norm-forgotten": only_blocks,
        "tensors-not-numbers": counts_tensors,
        "other-keys": without_head,
        "wrong-type": as_values,
        "tensor-for-value": as_tensors,
    },
    "2.6": {
        "last-position": last_column,
        "first-token": first_column,
        "averaged": plain_mean,
        "right-padding-only": counts_ones,
        "off-by-one": one_too_far,
        "all-pairs": all_pairs,
        "one-index-for-all": one_for_all,
        "list-for-tensor": a_list,
    },
}
RIGHT = {
    "2.1": [one_hot, by_loop],
    "2.2": [with_cosine_similarity, with_filter],
    "2.3": [with_logsumexp, library, in_double],
    "2.4": [with_linear, with_einsum],
    "2.5": [with_named_parameters, with_modules],
    "2.6": [by_masking, by_flipping],
}
