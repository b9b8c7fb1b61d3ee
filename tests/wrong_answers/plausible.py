"""What learners write first, at the page's own word; and right answers in yet another style.

Where a diagnosis has several answers, what tells them apart stands behind it in brackets.
"""

import math

import torch
from torch.nn import functional as F

from utils.parts import KVCache, attention, block, causal_mask, feed_forward, forward, rms_norm

WRONG, RIGHT = {}, {}


def wrong(number, diagnosis):
    return lambda answer: WRONG.setdefault(number, {}).setdefault(diagnosis, answer)


def right(number):
    return lambda answer: RIGHT.setdefault(number, []).append(answer)


def next_token_id(model, ids):
    return model(ids).logits[0, -1].argmax().item()


def append_token(ids, token_id):
    return torch.cat([ids, torch.tensor([[token_id]])], dim=1)


@wrong("1.3", "past-the-end (its text kept)")
def never_stops(model, tokenizer, prompt, n):
    ids=tokenizer(prompt,return_tensors="pt").input_ids; L=ids.shape[1]
    for _ in range(n): ids=append_token(ids,next_token_id(model,ids))
    return tokenizer.decode(ids[0,L:])
@wrong("1.3", "past-the-end (in a loop)")
def never_stops_skips(model, tokenizer, prompt, n):
    ids=tokenizer(prompt,return_tensors="pt").input_ids; L=ids.shape[1]
    for _ in range(n): ids=append_token(ids,next_token_id(model,ids))
    return tokenizer.decode(ids[0,L:],skip_special_tokens=True)
@wrong("2.3", "no-keepdim (nothing subtracted)")
def nokeep(logits):
    e=logits.exp(); return e/e.sum(-1)
@wrong("2.3", "no-keepdim (max subtracted)")
def nokeep2(logits):
    e=(logits-logits.max(-1,keepdim=True).values).exp(); return e/e.sum(-1)
@wrong("2.3", "pair-for-tensor")
def maxpair(logits):
    e=(logits-logits.max(-1)).exp(); return e/e.sum(-1,keepdim=True)
@wrong("2.2", "dot-product (one length for all)")
def allnorm(m,i,k):
    d=m/m.norm(); c=d@d[i]; c[i]=-torch.inf; return c.topk(k).indices
@wrong("6.1", "length-of-all")
def xnorm(x,weight,eps): return x/x.norm()*weight
@wrong("6.1", "sum-not-mean (norm and eps)")
def xnorm2(x,weight,eps): return weight*x/(x.norm(dim=-1,keepdim=True)+eps)
@wrong("6.1", "sum-not-mean (norm)")
def xnorm3(x,weight,eps): return weight*x/x.norm(dim=-1,keepdim=True)
@wrong("7.1", "typed-in")
def by8(query,keys): return query@keys.transpose(1,2)/8
@wrong("7.1", "star-not-product")
def star(query,keys): return query*keys/query.shape[-1]**.5
@wrong("7.1", "all-axes-turned")
def byT(query,keys): return query@keys.T/query.shape[-1]**.5
@wrong("7.2", "mask-does-not-fit")
def setitem(scores,mask):
    scores=scores.clone(); scores[~mask]=-torch.inf; return scores.softmax(-1)
@wrong("7.2", "mask-does-not-fit (in place)")
def setitem2(scores,mask):
    scores[~mask]=-torch.inf; return scores.softmax(-1)
@wrong("7.2", "zero-for-closed (by index)")
def setitem3(scores,mask):
    scores=scores.clone(); scores[:,~mask]=0; return scores.softmax(-1)
@wrong("7.3", "star-not-product")
def star3(weights,values): return weights*values
@wrong("7.7", "neighbours-paired (in halves)")
def evenodd(x,positions,theta):
    half=x.shape[-1]//2
    ang=positions[:,None]/theta**(torch.arange(half)/half)
    a,b=x[...,::2],x[...,1::2]
    return torch.cat([a*ang.cos()-b*ang.sin(), b*ang.cos()+a*ang.sin()],-1)
@wrong("7.7", "neighbours-paired (side by side)")
def evenodd2(x,positions,theta):
    half=x.shape[-1]//2
    ang=positions[:,None]/theta**(torch.arange(half)/half)
    a,b=x[...,::2],x[...,1::2]
    return torch.stack([a*ang.cos()-b*ang.sin(), b*ang.cos()+a*ang.sin()],-1).flatten(-2)
@wrong("8.1", "never-used")
def fromzero(past,new): return torch.arange(new), causal_mask(new)
@wrong("8.1", "whole-mask (in a list)")
def lists(past,new): return [torch.arange(past,past+new), causal_mask(past+new)]
@wrong("8.5", "whole-text-again")
def whole(model,input_ids,max_new_tokens,choose):
    cache=KVCache()
    for _ in range(max_new_tokens):
        t=choose(forward(model,input_ids,cache)[0,-1]); yield t
        if t==model.generation_config.eos_token_id: return
        input_ids=torch.cat([input_ids,torch.tensor([[t]])],1)
@wrong("8.5", "softmax-too-many")
def probs(model,input_ids,max_new_tokens,choose):
    cache,unseen=KVCache(),input_ids
    for _ in range(max_new_tokens):
        t=choose(forward(model,unseen,cache)[0,-1].softmax(-1)); yield t
        if t==model.generation_config.eos_token_id: return
        unseen=torch.tensor([[t]])
@wrong("8.5", "return-for-yield")
def returns(model,input_ids,max_new_tokens,choose):
    cache,unseen=KVCache(),input_ids
    for _ in range(max_new_tokens):
        t=choose(forward(model,unseen,cache)[0,-1]); 
        unseen=torch.tensor([[t]])
        return t
class RoomyOne:
    def __init__(s,layers,kv,hd,room):
        s.keys=torch.zeros(layers,1,kv,room,hd); s.values=torch.zeros(layers,1,kv,room,hd); s.n=0
    def append(s,layer,keys,values):
        e=s.n+keys.shape[2]
        if e>s.keys.shape[3]: raise ValueError
        s.keys[layer,:,:,s.n:e]=keys; s.values[layer,:,:,s.n:e]=values; s.n=e
        return s.keys[layer,:,:,:e], s.values[layer,:,:,:e]
    def get_seq_length(s): return s.n
WRONG["8.7"] = {"one-length-for-all": RoomyOne}
@wrong("4.5", "averaged (the right ones)")
def mean(logits,input_ids): return torch.nn.functional.cross_entropy(logits[0,:-1],input_ids[0,1:])
@wrong("4.5", "not-shifted (by itself)")
def noshift(logits,input_ids): return torch.nn.functional.cross_entropy(logits[0],input_ids[0],reduction="none")
@wrong("4.5", "averaged (not shifted)")
def noshiftmean(logits,input_ids): return torch.nn.functional.cross_entropy(logits[0],input_ids[0])
@wrong("4.5", "wrong-shape")
def pos(logits,input_ids): return logits[0,:-1].log_softmax(-1).gather(1,input_ids[0,1:,None])
@wrong("3.4", "probabilities (0 for the cut)")
def probs4(logits,p):
    pr,o=logits.softmax(-1).sort(descending=True); cut=pr.cumsum(-1)-pr>=p; cut[0]=False
    out=logits.softmax(-1); out[o[cut]]=0; return out
@wrong("3.4", "probabilities (-inf for the cut)")
def probs5(logits,p):
    pr,o=logits.softmax(-1).sort(descending=True); cut=pr.cumsum(-1)-pr>=p; cut[0]=False
    out=logits.softmax(-1); out[o[cut]]=-torch.inf; return out
@wrong("1.1", "random-result")
def drawn(model,ids): return torch.multinomial(model(ids).logits[0,-1].softmax(-1),1).item()
@wrong("2.2", "zero-for-itself")
def zero(m,i,k):
    d=m/m.norm(dim=-1,keepdim=True); c=d@d[i]; c[i]=0; return c.topk(k).indices
@wrong("5.5", "half-dropped (with a space)")
def atend(token_ids,tokenizer):
    ids,done=[], ""
    for t in token_ids:
        ids.append(t); text=tokenizer.decode(ids,skip_special_tokens=True)
        if not text.endswith("\N{REPLACEMENT CHARACTER}"):
            yield text[len(done):]; done=text
@wrong("5.5", "text-too-short")
def stops(token_ids,tokenizer):
    ids,given=[],0
    for t in token_ids:
        if t in tokenizer.all_special_ids: return
        ids.append(t); text=tokenizer.decode(ids).rstrip("\N{REPLACEMENT CHARACTER}")
        yield text[given:]; given=len(text)
@wrong("8.3", "own-eps")
def eps0(x,layer,config,positions,mask,cache=None):
    mlp=layer.mlp
    return block(x,lambda x: attention(x,layer.self_attn,config,positions,mask,cache),lambda x: feed_forward(x,mlp.gate_proj.weight,mlp.up_proj.weight,mlp.down_proj.weight),lambda x: rms_norm(x,layer.input_layernorm.weight,0),lambda x: rms_norm(x,layer.post_attention_layernorm.weight,0))
@wrong("8.3", "own-eps (typed in)")
def eps6(x,layer,config,positions,mask,cache=None):
    mlp=layer.mlp
    return block(x,lambda x: attention(x,layer.self_attn,config,positions,mask,cache),lambda x: feed_forward(x,mlp.gate_proj.weight,mlp.up_proj.weight,mlp.down_proj.weight),lambda x: rms_norm(x,layer.input_layernorm.weight,1e-6),lambda x: rms_norm(x,layer.post_attention_layernorm.weight,1e-6))
@wrong("3.4", "past-p")
def tie(logits,p):
    pr,o=logits.softmax(-1).sort(descending=True); cut=pr.cumsum(-1)-pr>p; cut[0]=False
    out=logits.clone(); out[o[cut]]=-torch.inf; return out


@right("1.2")
def grown(input_ids, token_id):
    longer = input_ids.new_empty(1, input_ids.shape[1] + 1)
    longer[0, :-1], longer[0, -1] = input_ids[0], token_id
    return longer


@right("2.1")
def rows(token_ids, matrix):
    return torch.stack([torch.stack([matrix[i] for i in ids]) for ids in token_ids])


@right("2.1")
def one_hot(token_ids, matrix):
    return F.one_hot(token_ids, len(matrix)).float() @ matrix


@right("2.2")
def plain_python(matrix, token_id, k):
    rows = matrix.tolist()
    size = [math.hypot(*row) for row in rows]
    mine = rows[token_id]
    near = [sum(a * b for a, b in zip(row, mine)) / n for row, n in zip(rows, size)]
    return torch.tensor(sorted({*range(len(rows))} - {token_id}, key=lambda i: -near[i])[:k])


@right("2.3")
def double_inside(logits):
    wide = logits.double()
    return (wide - wide.logsumexp(-1, keepdim=True)).exp().to(logits.dtype)


@right("2.4")
def lm_head_einsum(hidden, weight):
    return torch.einsum("...w,vw->...v", hidden, weight)


@right("2.6")
def pooled_by_loop(hidden_states, attention_mask):
    last = [max(i for i, m in enumerate(row) if m) for row in attention_mask.tolist()]
    return torch.stack([x[i] for x, i in zip(hidden_states, last)])


@right("3.3")
def on_a_clone(logits, k):
    kept = logits.clone()
    kept[logits.argsort(descending=True)[k:]] = -math.inf
    return kept


@right("3.4")
def top_p_loop(logits, p):
    probabilities, total = logits.double().softmax(-1).tolist(), 0.0
    result = torch.full_like(logits, -torch.inf)
    for i in sorted(range(len(logits)), key=lambda i: -probabilities[i]):
        result[i] = logits[i]
        total += probabilities[i]
        if total >= p:
            break
    return result


@right("3.5")
def min_p_in_logs(logits, p):
    bar = logits.max() + (math.log(p) if p > 0 else -math.inf)
    return torch.where(logits >= bar, logits, torch.tensor(-torch.inf))


@right("3.7")
def seen_set(token_ids, n):
    seen, again, count = set(), 0, 0
    for i in range(len(token_ids) - n + 1):
        gram = str(token_ids[i : i + n])
        again, count = again + (gram in seen), count + 1
        seen.add(gram)
    return again / count if count else 0.0


@right("4.1")
def compared(n):
    return torch.arange(n)[:, None] >= torch.arange(n)


@right("4.5")
def by_hand(logits, input_ids):
    shares = logits[0].double().softmax(-1).tolist()
    pairs = zip(shares, input_ids[0, 1:].tolist())
    return torch.tensor([-math.log(row[i]) for row, i in pairs])


@right("6.1")
def rms_in_place(x, weight, eps):
    wide = x.clone().double()
    wide /= (wide * wide).mean(-1, keepdim=True).add_(eps).sqrt_()
    return weight * wide.to(x.dtype)


@right("6.2")
def gated_einsum(x, gate, up, down):
    g, u = (torch.einsum("...w,iw->...i", x, m) for m in (gate, up))
    return F.linear(g * g.sigmoid() * u, down)


@right("7.1")
def by_bmm(query, keys):
    return torch.bmm(query, keys.mT) * query.size(-1) ** -0.5


@right("7.2")
def added_mask(scores, mask):
    bias = torch.zeros(mask.shape).masked_fill_(mask.logical_not(), -torch.inf)
    return torch.softmax(scores + bias, 2)


@right("7.3")
def one_by_one(weights, values):
    result = torch.zeros(*weights.shape[:2], values.shape[2])
    for head, query, key in torch.cartesian_prod(*map(torch.arange, weights.shape)).tolist():
        result[head, query] += weights[head, query, key] * values[head, key]
    return result


@right("7.6")
def stacked(x, groups):
    return torch.stack([x] * groups, dim=1).flatten(0, 1)


@right("8.1")
def by_counting(past, new):
    positions = torch.tensor([past + i for i in range(new)])
    return positions, torch.arange(past + new)[None] <= positions[:, None]


@right("8.6")
def row_by_row(matrices):
    return torch.cat([row[None] for m in matrices for row in m]), [m.shape[0] for m in matrices]
