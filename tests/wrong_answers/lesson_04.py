"""Wrong and differently right answers to lesson 04, written as learners write them."""

import math

import torch
import torch.nn.functional as F


# 4.1 causal_mask
def upside_down(n):
    return torch.triu(torch.ones(n, n)).bool()


def itself_hidden(n):
    rows = torch.arange(n)[:, None]
    return torch.arange(n) < rows


def inverted(n):
    return torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1)


def everything(n):
    return torch.full((n, n), True)


def only_itself(n):
    return torch.eye(n) > 0


def minus_infinity(n):
    return torch.full((n, n), float("-inf")).triu(1)


def floats(n):
    return torch.tril(torch.ones(n, n))


def lists(n):
    return [[key <= query for key in range(n)] for query in range(n)]


def always_four(n):
    return torch.ones(4, 4, dtype=torch.bool).tril()


def by_comparing(n):
    positions = torch.arange(n)
    return positions[None, :] <= positions[:, None]


def by_loops(n):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for query in range(n):
        mask[query, : query + 1] = True
    return mask


# 4.2 last_position_logits
def every_position(hidden_states, lm_head):
    return lm_head(hidden_states[0])


def first_position(hidden_states, lm_head):
    return lm_head(hidden_states)[0, 0]


def one_too_early(hidden_states, lm_head):
    n = hidden_states.shape[1]
    return lm_head(hidden_states[0, n - 2])


def averaged(hidden_states, lm_head):
    return lm_head(hidden_states.mean(dim=1)[0])


def probabilities(hidden_states, lm_head):
    return torch.softmax(lm_head(hidden_states[0, -1]), dim=0)


def the_id(hidden_states, lm_head):
    return int(torch.argmax(lm_head(hidden_states[0, -1])))


def batch_kept(hidden_states, lm_head):
    return lm_head(hidden_states[:, -1])


def thrown_away(hidden_states, lm_head):
    return lm_head(hidden_states)[0, -1]


def last_number(hidden_states, lm_head):
    return lm_head(hidden_states[..., -1])


def by_multiplying(hidden_states, lm_head):
    return lm_head.weight @ hidden_states.squeeze(0)[-1]


def by_slicing(hidden_states, lm_head):
    return lm_head(hidden_states[:, -1:, :]).flatten()


# 4.3 logit_lens
def norm_left_out(hidden_state, norm, lm_head):
    return lm_head(hidden_state)


def norm_twice(hidden_state, norm, lm_head):
    hidden_state = norm(hidden_state)
    return lm_head(norm(hidden_state))


def wrong_order(hidden_state, norm, lm_head):
    logits = lm_head(hidden_state)
    return norm(logits)


def gain_left_out(hidden_state, norm, lm_head):
    scale = hidden_state.pow(2).mean(-1, keepdim=True).add(1e-6).rsqrt()
    return lm_head(hidden_state * scale)


def length_one(hidden_state, norm, lm_head):
    return lm_head(F.normalize(hidden_state, dim=-1))


def lens_probabilities(hidden_state, norm, lm_head):
    return F.softmax(lm_head(norm(hidden_state)), dim=-1)


def lens_id(hidden_state, norm, lm_head):
    return torch.argmax(lm_head(norm(hidden_state)), dim=-1)


def norm_in_place(hidden_state, norm, lm_head):
    hidden_state[:] = norm(hidden_state)
    return lm_head(hidden_state)


def by_hand(hidden_state, norm, lm_head):
    scale = hidden_state.pow(2).mean(-1, keepdim=True).add(norm.eps).rsqrt()
    return (hidden_state * scale * norm.weight) @ lm_head.weight.T


def in_two_steps(hidden_state, norm, lm_head):
    ready = norm(hidden_state)
    return lm_head(ready)


# 4.5 loss_by_position
def not_shifted(logits, input_ids):
    return F.cross_entropy(logits.squeeze(0), input_ids.squeeze(0), reduction="none")


def both_cut(logits, input_ids):
    return not_shifted(logits[:, :-1], input_ids[:, :-1])


def backwards(logits, input_ids):
    return not_shifted(logits[:, 1:], input_ids[:, :-1])


def mean_loss(logits, input_ids):
    return F.cross_entropy(logits[0, :-1], input_ids[0, 1:])


def sign(logits, input_ids):
    log_probabilities = logits[0, :-1].log_softmax(-1)
    return log_probabilities[torch.arange(len(log_probabilities)), input_ids[0, 1:]]


def probability(logits, input_ids):
    return sign(logits, input_ids).exp()


def bare_logit(logits, input_ids):
    return torch.stack([-logits[0, i, token] for i, token in enumerate(input_ids[0, 1:])])


def batch_axis(logits, input_ids):
    return F.cross_entropy(logits[:, :-1], input_ids[:, 1:], reduction="none")


def numbers(logits, input_ids):
    return by_gathering(logits, input_ids).tolist()


def with_batch(logits, input_ids):
    return by_gathering(logits, input_ids)[None]


def by_gathering(logits, input_ids):
    return -logits[0, :-1].log_softmax(-1).gather(1, input_ids[0, 1:, None]).squeeze(1)


def by_loop(logits, input_ids):
    losses = []
    for i in range(logits.shape[1] - 1):
        probabilities = logits[0, i].softmax(-1)
        losses.append(-math.log(probabilities[input_ids[0, i + 1]]))
    return torch.tensor(losses)


def transposed(logits, input_ids):
    return F.cross_entropy(logits.mT[..., :-1], input_ids[:, 1:], reduction="none")[0]


WRONG = {
    "4.1": {
        "upside-down": upside_down,
        "itself-hidden": itself_hidden,
        "inverted": inverted,
        "everything": everything,
        "only-itself": only_itself,
        "minus-infinity": minus_infinity,
        "wrong-dtype": floats,
        "list-for-tensor": lists,
        "never-used": always_four,
        "not-a-function": torch.ones(4, 4, dtype=torch.bool).tril(),
    },
    "4.2": {
        "every-position": every_position,
        "first-position": first_position,
        "one-too-early": one_too_early,
        "averaged": averaged,
        "probabilities": probabilities,
        "id-not-logits": the_id,
        "batch-kept": batch_kept,
        "work-thrown-away": thrown_away,
        "shapes-do-not-multiply": last_number,
    },
    "4.3": {
        "norm-left-out": norm_left_out,
        "norm-twice": norm_twice,
        "wrong-order": wrong_order,
        "gain-left-out": gain_left_out,
        "length-one": length_one,
        "probabilities": lens_probabilities,
        "id-not-logits": lens_id,
        "changed-in-place": norm_in_place,
    },
    "4.4": {
        "not-a-layer": "29",
        "no-such-layer": 31,
        "too-early": 28,
        "too-late": 30,
    },
    "4.5": {
        "not-shifted": not_shifted,
        "both-cut-alike": both_cut,
        "shifted-backwards": backwards,
        "averaged": mean_loss,
        "sign": sign,
        "probability": probability,
        "logit-not-loss": bare_logit,
        "batch-axis": batch_axis,
        "list-for-tensor": numbers,
        "batch-kept": with_batch,
    },
}
RIGHT = {
    "4.1": [by_comparing, by_loops],
    "4.2": [by_multiplying, by_slicing],
    "4.3": [by_hand, in_two_steps],
    "4.4": [29, torch.tensor(29)],
    "4.5": [by_gathering, by_loop, transposed],
}
