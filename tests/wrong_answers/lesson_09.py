"""Wrong and differently right answers to lesson 09, written as learners write them."""

import torch

from utils.parts import batch_places, looked_up, unpack_block


# 9.1 unpack_block
def halves(block):
    d, m = block[:2].view(torch.float16).float(), block[2:4].view(torch.float16).float()
    return d, m, block[4:] & 0x0F, block[4:] >> 4


def unpack_by_hand(block):
    d, m, low, high = halves(block)
    out = torch.empty(32)
    for i in range(16):
        out[i] = low[i] * d + m
        out[i + 16] = high[i] * d + m
    return out


def unpack_by_division(block):
    scale, offset = (half.item() for half in block[:4].view(torch.float16))
    q = torch.cat((block[4:] % 16, block[4:] // 16)).to(torch.float32)
    return q * scale + offset


def high_first(block):
    d, m, low, high = halves(block)
    return torch.cat([high, low]) * d + m


def in_turn(block):
    d, m, low, high = halves(block)
    return torch.stack([low, high], dim=1).reshape(32) * d + m


def d_and_m_swapped(block):
    d, m, low, high = halves(block)
    return torch.cat([low, high]) * m + d


def masked_not_shifted(block):
    d, m, low, _high = halves(block)
    return torch.cat([low, block[4:] & 0xF0]) * d + m


def whole_byte(block):
    d, m, _low, high = halves(block)
    return torch.cat([block[4:], high]) * d + m


def minimum_forgotten(block):
    d, _m, low, high = halves(block)
    return torch.cat([low, high]) * d


def in_float16(block):
    d, m = block[:4].view(torch.float16)
    return (torch.cat([block[4:] & 15, block[4:] >> 4]) * d + m).float()


def still_float16(block):
    d, m = block[:4].view(torch.float16)
    return torch.cat([block[4:] & 15, block[4:] >> 4]) * d + m


# 9.2 packed_product
def product_by_sum(blocks, x):
    return torch.stack(
        [sum(unpack_block(b) @ x[i * 32 : i * 32 + 32] for i, b in enumerate(row)) for row in blocks]
    )


def product_by_numbers(blocks, x):
    out = []
    for row in blocks:
        total = 0.0
        for i, block in enumerate(row):
            total += float((unpack_block(block) * x[32 * i : 32 * (i + 1)]).sum())
        out.append(total)
    return torch.tensor(out)


def whole_matrix(blocks, x):
    return torch.stack([torch.cat([unpack_block(b) for b in row]) for row in blocks]) @ x


def always_first_piece(blocks, x):
    return torch.stack([sum(unpack_block(b) @ x[:32] for b in row) for row in blocks])


def last_block_wins(blocks, x):
    out = torch.zeros(len(blocks))
    for i, row in enumerate(blocks):
        for block, piece in zip(row, x.split(32), strict=True):
            out[i] = unpack_block(block) @ piece
    return out


def shares(blocks, x):
    return torch.stack(
        [torch.stack([unpack_block(b) @ p for b, p in zip(row, x.split(32), strict=True)]) for row in blocks]
    )


def first_row(blocks, x):
    return sum(unpack_block(b) @ p for b, p in zip(blocks[0], x.split(32), strict=True))


# 9.3 quantise
def limits(block):
    return block.min(-1, keepdim=True).values, block.max(-1, keepdim=True).values


def quantise_by_where(block, bits):
    low, high = limits(block)
    d = (high - low) / (2**bits - 1)
    q = torch.where(d > 0, torch.round((block - low) / d), torch.zeros_like(block))
    return d, low, q


def quantise_by_nan(block, bits):
    low, high = limits(block)
    d = (high - low) / ((1 << bits) - 1)
    return d, low, torch.nan_to_num(((block - low) / d).round())


def step_too_many(block, bits):
    low, high = limits(block)
    d = (high - low) / 2**bits
    return d, low, ((block - low) / d.clamp(min=1e-9)).round()


def cut_off(block, bits):
    low, high = limits(block)
    d = (high - low) / (2**bits - 1)
    return d, low, ((block - low) / d.clamp(min=1e-9)).trunc()


def m_first(block, bits):
    d, m, q = quantise_by_where(block, bits)
    return m, d, q


def nan_left(block, bits):
    low, high = limits(block)
    d = (high - low) / (2**bits - 1)
    return d, low, ((block - low) / d).round()


def one_for_all(block, bits):
    low, d = block.min(), (block.max() - block.min()) / (2**bits - 1)
    shape = *block.shape[:-1], 1
    q = ((block - low) / d.clamp(min=1e-9)).round()
    return d.expand(shape), low.expand(shape), q


def unrounded(block, bits):
    low, high = limits(block)
    d = (high - low) / (2**bits - 1)
    return d, low, (block - low) / d.clamp(min=1e-9)


# 9.4 batch_places
def places_by_loop(lengths):
    longest = max(lengths)
    positions = torch.zeros(len(lengths), longest, dtype=torch.int64)
    mask = torch.zeros(len(lengths), longest, dtype=torch.bool)
    for row, length in enumerate(lengths):
        positions[row, longest - length :] = torch.arange(length)
        mask[row, longest - length :] = True
    return positions, mask


def places_by_cumsum(lengths):
    longest = max(lengths)
    mask = torch.tensor([[False] * (longest - n) + [True] * n for n in lengths])
    return (mask.long().cumsum(-1) - 1).clamp(min=0), mask


def padded_right(lengths):
    mask = torch.tensor([[True] * n + [False] * (max(lengths) - n) for n in lengths])
    return (mask.long().cumsum(-1) - 1) * mask, mask


def from_the_pad(lengths):
    return torch.arange(max(lengths)).repeat(len(lengths), 1), batch_places(lengths)[1]


def below_zero(lengths):
    longest = max(lengths)
    positions = torch.stack([torch.arange(longest) - (longest - n) for n in lengths])
    return positions, positions >= 0


def mask_turned(lengths):
    positions, mask = batch_places(lengths)
    return positions, mask.logical_not()


def first_masked(lengths):
    positions, _mask = batch_places(lengths)
    return positions, positions != 0


def mask_first(lengths):
    positions, mask = batch_places(lengths)
    return mask, positions


def from_one(lengths):
    mask = batch_places(lengths)[1]
    return mask.long().cumsum(-1), mask


# 9.5 looked_up
def lookup_by_max(ids, n, k):
    starts = [i for i in range(len(ids) - n) if ids[i : i + n] == ids[-n:]]
    return ids[max(starts) + n :][:k] if starts else []


def lookup_by_while(ids, n, k):
    start = len(ids) - n - 1
    while start >= 0:
        if all(ids[start + i] == ids[len(ids) - n + i] for i in range(n)):
            return [*ids[start + n : min(start + n + k, len(ids))]]
        start -= 1
    return []


def first_found(ids, n, k):
    for i in range(len(ids) - n):
        if ids[i : i + n] == ids[-n:]:
            return ids[i + n : i + n + k]
    return []


def finds_itself(ids, n, k):
    for i in range(len(ids) - n, -1, -1):
        if ids[i : i + n] == ids[-n:]:
            return ids[i + n : i + n + k]
    return []


def the_key(ids, n, k):
    for i in range(len(ids) - n - 1, -1, -1):
        if ids[i : i + n] == ids[-n:]:
            return ids[i : i + k]
    return []


def too_few(ids, n, k):
    return looked_up(ids, n, k - 1)


def too_many(ids, n, k):
    return looked_up(ids, n, k + 1)


def too_late(ids, n, k):
    for i in range(len(ids) - n - 1, -1, -1):
        if ids[i : i + n] == ids[-n:]:
            return ids[i + n + 1 : i + n + 1 + k]
    return []


def no_limit(ids, n, k):
    return looked_up(ids, n, len(ids))


def apart(ids, n, k):
    for i in range(len(ids) - 2 * n, -1, -1):
        if ids[i : i + n] == ids[-n:]:
            return ids[i + n : i + n + k]
    return []


def one_token(ids, n, k):
    for i in range(len(ids) - 2, -1, -1):
        if ids[i] == ids[-1]:
            return ids[i + 1 : i + 1 + k]
    return []


def nothing_for_none(ids, n, k):
    for i in range(len(ids) - n - 1, -1, -1):
        if ids[i : i + n] == ids[-n:]:
            return ids[i + n : i + n + k]


# 9.6 accepted
def accept_by_loop(guesses, logits):
    new = []
    for guess, row in zip(guesses, logits):
        best = int(row.argmax())
        new.append(best)
        if best != guess:
            return new
    return [*new, int(logits[len(guesses)].argmax())]


def accept_by_cumprod(guesses, logits):
    own = logits.argmax(-1)
    same = (own[:-1] == torch.tensor(guesses, dtype=torch.int64)).long()
    right = int(same.cumprod(0).sum())
    return own[: right + 1].tolist()


def goes_on(guesses, logits):
    own = logits.argmax(-1).tolist()
    return [g for g, o in zip(guesses, own) if g == o] + [own[-1]]


def no_own(guesses, logits):
    return accept_by_loop(guesses, logits)[:-1]


def every_row(guesses, logits):
    return logits.argmax(-1).tolist()


def every_guess(guesses, logits):
    return guesses + [logits[-1].argmax().item()]


def row_late(guesses, logits):
    own, right = logits.argmax(-1).tolist(), 0
    while right < len(guesses) and guesses[right] == own[right + 1]:
        right += 1
    return guesses[:right] + [own[right]]


def from_last_row(guesses, logits):
    return no_own(guesses, logits) + [logits[-1].argmax().item()]


def keeps_the_wrong(guesses, logits):
    new = []
    for guess, row in zip(guesses, logits):
        new.append(guess)
        if int(row.argmax()) != guess:
            return new
    return [*new, int(logits[-1].argmax())]


# 9.7 most_tokens
def by_passes(parameters, bits, bandwidth, texts):
    size = parameters * bits // 8
    return texts / (size / bandwidth)


def by_bytes(parameters, bits, bandwidth, texts):
    return bandwidth * texts * 8 / bits / parameters


def bits_as_bytes(parameters, bits, bandwidth, texts):
    return bandwidth / (parameters * bits) * texts


def wrong_way(parameters, bits, bandwidth, texts):
    return bandwidth / (parameters * bits * 8) * texts


def a_pass(parameters, bits, bandwidth, texts):
    return parameters * bits / 8 / bandwidth


def one_text(parameters, bits, bandwidth, texts):
    return bandwidth / (parameters * bits / 8)


def read_again(parameters, bits, bandwidth, texts):
    return bandwidth / (texts * parameters * bits / 8)


WRONG = {
    "9.1": {
        "high-first": high_first,
        "in-turn": in_turn,
        "swapped": d_and_m_swapped,
        "not-shifted": masked_not_shifted,
        "whole-byte": whole_byte,
        "no-minimum": minimum_forgotten,
        "in-float16": in_float16,
        "wrong-dtype": still_float16,
    },
    "9.2": {
        "whole-matrix": whole_matrix,
        "same-piece": always_first_piece,
        "last-block-only": last_block_wins,
        "not-summed": shares,
        "one-row": first_row,
    },
    "9.3": {
        "one-step-too-many": step_too_many,
        "cut-off": cut_off,
        "swapped": m_first,
        "nan": nan_left,
        "one-for-all": one_for_all,
        "not-rounded": unrounded,
    },
    "9.4": {
        "padded-right": padded_right,
        "counted-from-the-pad": from_the_pad,
        "below-zero": below_zero,
        "mask-turned-round": mask_turned,
        "first-token-masked": first_masked,
        "swapped": mask_first,
        "one-too-far": from_one,
    },
    "9.5": {
        "first-not-last": first_found,
        "finds-itself": finds_itself,
        "found-itself-returned": the_key,
        "one-too-few": too_few,
        "one-too-many": too_many,
        "one-too-late": too_late,
        "all-that-followed": no_limit,
        "may-overlap": apart,
        "last-token-only": one_token,
        "none": nothing_for_none,
    },
    "9.6": {
        "past-the-first-wrong": goes_on,
        "own-token-forgotten": no_own,
        "all-of-its-own": every_row,
        "all-guesses": every_guess,
        "one-row-late": row_late,
        "last-row-for-its-own": from_last_row,
        "wrong-guess-kept": keeps_the_wrong,
    },
    "9.7": {
        "bits-for-bytes": bits_as_bytes,
        "bits-times-eight": wrong_way,
        "seconds": a_pass,
        "one-text": one_text,
        "read-for-each-text": read_again,
    },
    "9.8": {
        "not-a-number": "64",
        "not-on-the-slider": 100,
        "for-eight-bits": 8,
        "does-not-fit": 128,
        "more-would-fit": 32,
    },
}
RIGHT = {
    "9.1": [unpack_by_hand, unpack_by_division],
    "9.2": [product_by_sum, product_by_numbers],
    "9.3": [quantise_by_where, quantise_by_nan],
    "9.4": [places_by_loop, places_by_cumsum],
    "9.5": [lookup_by_max, lookup_by_while],
    "9.6": [accept_by_loop, accept_by_cumprod],
    "9.7": [by_passes, by_bytes],
    "9.8": [64, 2**6],
}
