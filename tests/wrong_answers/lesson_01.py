"""Wrong and differently right answers to lesson 01, written as learners write them."""

import sys

import torch


# 1.1 next_token_id
def first_position(model, input_ids):
    return int(torch.argmax(model(input_ids).logits[0][0]))


def one_too_early(model, input_ids):
    n = input_ids.shape[1]
    return model(input_ids).logits[0, n - 2].argmax().item()


def over_everything(model, input_ids):
    return int(torch.argmax(model(input_ids).logits))


def every_position(model, input_ids):
    return model(input_ids).logits.argmax(dim=-1)


def score(model, input_ids):
    return max(model(input_ids).logits[0, -1].tolist())


def tensor_id(model, input_ids):
    return model(input_ids).logits[0, -1].argmax()


def forgets_to_return(model, input_ids):
    token_id = model(input_ids).logits[0, -1].argmax().item()


def output_not_logits(model, input_ids):
    return model(input_ids)[0, -1].argmax().item()


def spins(model, input_ids):
    while True:
        try:
            pass
        except Exception:
            pass


def by_sorting(model, input_ids):
    with torch.no_grad():
        scores = model.forward(input_ids=input_ids).logits.squeeze(0)[-1]
    return scores.sort(descending=True).indices.tolist()[0]


def by_loop(model, input_ids):
    best, best_score = 0, float("-inf")
    for token_id, token_score in enumerate(model(input_ids).logits[0, -1].tolist()):
        if token_score > best_score:
            best, best_score = token_id, token_score
    return best


# 1.2 append_token
def at_the_front(input_ids, token_id):
    return torch.cat((torch.tensor([[token_id]]), input_ids), 1)


def batch_axis(input_ids, token_id):
    return torch.cat([input_ids, torch.tensor([[token_id]])])


def batch_lost(input_ids, token_id):
    return torch.tensor(input_ids[0].tolist() + [token_id])


def replaces(input_ids, token_id):
    result = input_ids.clone()
    result[0, -1] = token_id
    return result


def in_place(input_ids, token_id):
    input_ids[0, -1] = token_id
    return input_ids


def adds(input_ids, token_id):
    return input_ids + token_id


def flat(input_ids, token_id):
    return torch.cat([input_ids, torch.tensor([token_id])], dim=1)


def bare(input_ids, token_id):
    return torch.cat([input_ids, token_id], dim=1)


def a_list(input_ids, token_id):
    return [input_ids[0].tolist() + [token_id]]


def floats(input_ids, token_id):
    return torch.cat([input_ids.float(), torch.tensor([[float(token_id)]])], dim=1)


def by_padding(input_ids, token_id):
    return torch.nn.functional.pad(input_ids, (0, 1), value=token_id)


def by_list(input_ids, token_id):
    return torch.tensor([[*input_ids[0].tolist(), token_id]])


# 1.3 generate_greedy
def write(model, tokenizer, prompt, max_new_tokens, stop=True):
    ids = tokenizer.encode(prompt)
    new = []
    while len(new) < max_new_tokens:
        token_id = by_sorting(model, torch.tensor([ids + new]))
        if stop and token_id == tokenizer.eos_token_id:
            break
        new.append(token_id)
    return ids, new


def with_prompt(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens)
    return tokenizer.decode(ids + new, skip_special_tokens=True)


def end_token_kept(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens)
    return tokenizer.decode(new + [tokenizer.eos_token_id] * (len(new) < max_new_tokens))


def one_too_few(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens - 1)
    return tokenizer.decode(new)


def one_too_many(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens + 1)
    return tokenizer.decode(new)


def past_the_end(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens, stop=False)
    return tokenizer.decode(new, skip_special_tokens=True)


def not_appended(model, tokenizer, prompt, max_new_tokens):
    ids = torch.tensor([tokenizer.encode(prompt)])
    return tokenizer.decode([by_sorting(model, ids) for i in range(max_new_tokens)])


def only_last(model, tokenizer, prompt, max_new_tokens):
    ids, new = torch.tensor([tokenizer.encode(prompt)]), []
    for i in range(max_new_tokens):
        new.append(by_sorting(model, ids))
        if new[-1] == tokenizer.eos_token_id:
            break
        ids = torch.tensor([[new[-1]]])
    return tokenizer.decode(new, skip_special_tokens=True)


def token_by_token(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens)
    return "".join(tokenizer.decode([i]) for i in new)


def ids_not_text(model, tokenizer, prompt, max_new_tokens):
    return write(model, tokenizer, prompt, max_new_tokens)[1]


def characters(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens)
    return tokenizer.decode(new)[:max_new_tokens]


def exits(model, tokenizer, prompt, max_new_tokens):
    sys.exit("done")


def with_while(model, tokenizer, prompt, max_new_tokens):
    ids, new = write(model, tokenizer, prompt, max_new_tokens)
    return tokenizer.decode(new, skip_special_tokens=True)


def with_the_library(model, tokenizer, prompt, max_new_tokens):
    given = tokenizer(prompt, return_tensors="pt")
    ids = model.generate(**given, max_new_tokens=max_new_tokens, do_sample=False)
    return tokenizer.batch_decode(ids[:, given.input_ids.shape[1] :], skip_special_tokens=True)[0]


WRONG = {
    "1.1": {
        "first-position": first_position,
        "one-too-early": one_too_early,
        "over-all-positions": over_everything,
        "every-position": every_position,
        "score-not-id": score,
        "tensor-for-value": tensor_id,
        "none": forgets_to_return,
        "raised": output_not_logits,
        "too-slow": spins,
        "not-a-function": 7,
    },
    "1.2": {
        "at-the-front": at_the_front,
        "batch-axis": batch_axis,
        "batch-lost": batch_lost,
        "replaced-last": replaces,
        "changed-in-place": in_place,
        "added-up": adds,
        "flat-token": flat,
        "bare-token": bare,
        "list-for-tensor": a_list,
        "wrong-dtype": floats,
    },
    "1.3": {
        "with-prompt": with_prompt,
        "end-token-kept": end_token_kept,
        "one-too-few": one_too_few,
        "one-too-many": one_too_many,
        "past-the-end": past_the_end,
        "not-appended": not_appended,
        "only-last-token": only_last,
        "token-by-token": token_by_token,
        "ids-not-text": ids_not_text,
        "characters": characters,
        "raised": exits,
    },
    "1.4": {
        "not-text": ["What is the capital of France?"],
        "empty": "   ",
        "still-writing": "Write a long story about a dragon and a very old castle by the sea.",
        "over-long": "word " * 9000,
    },
}
RIGHT = {
    "1.1": [by_sorting, by_loop],
    "1.2": [by_padding, by_list],
    "1.3": [with_while, with_the_library],
    "1.4": ["What is 2+2?", "The capital of France is"],
}
