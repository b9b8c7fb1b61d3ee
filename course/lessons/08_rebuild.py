# %% [markdown] lang="ko"
# # 08 · 내가 만든 부품으로 모델 다시 조립하기
#
# **이 레슨을 마치면** 지금까지 만든 부품으로 진짜 LLM을 조립하고, 라이브러리와 같은 글을 쓰는지 증명하고,
# 라이브러리보다 빠르게 만들고, 어디가 한계인지 설명하고, 내 LLM과 대화할 수 있습니다.
#
# **125분** = 읽고 실행하기 43분 + 연습 문제 82분. *쉬어 가기*에서 둘로 나눌 수 있습니다 · 노트에는 없는
# 절입니다. 노트의 모든 절을 한데 모읍니다.
# %% [markdown] lang="en"
# # 08 · Rebuilding the model from your own parts
#
# **After this lesson you will be able to** assemble a real LLM from the parts you have built, prove that it
# writes what the library writes, make it faster than the library, explain where its limit is, and chat with it.
#
# **125 minutes** = 43 to read and run + 82 for the exercises, in two parts if you like: stop at *A place to stop* · It
# mirrors no single section of the notes: it brings all of them together.
# %% [markdown] lang="ko" lesson="08"
# 작동하는 LLM
#
# - C33 모두 합치면: 내가 만든 부품으로 작동하는 LLM
# %% [markdown] lang="en" lesson="08"
# a working LLM
#
# - C33 All of it put together: a working LLM from the learner's own parts
# %% id="language" lang="ko"
try:
    from course.opening import open_in
except ImportError:
    says = "강좌를 찾지 못했습니다. 강좌 폴더에서 `python -m course lab`으로 여세요."
    says += " 노트북 옆에 course.py나 utils.py가 있다면 이름을 바꾸세요."
    raise ImportError(says) from None

open_in("ko")
# %% id="language" lang="en"
try:
    from course.opening import open_in
except ImportError:
    says = "The course is not found: open it by `python -m course lab` in the course's folder."
    says += " If a file course.py or utils.py is beside this notebook, rename it."
    raise ImportError(says) from None

open_in("en")
# %% id="map"
from course.map import course_map

course_map("08")
# %% id="imports"
import torch
from torch.nn.functional import scaled_dot_product_attention, silu

from course.exercise import Exercise, Question
from course.my_llm import my_llm, my_map, whose_code
from utils.chat import Writer
from utils.cores import multiplying, reading
from utils.decoder import Decoder
from utils.decoder_forms import by_rows, try_forms
from utils.explorers.chat import ChatExplorer
from utils.figures.timing import speeds_picture
from utils.model import load_model
from utils.timing import library_writes, measure_speeds, spent

# %% [markdown] lang="ko"
# ## 누구의 코드인가
#
# 통과한 연습 문제의 코드는 이 노트북 옆의 `my_llm.py`에 모여 있습니다. `course.my_llm`에서 부품을 가져오면,
# 통과한 것은 **내 코드**가, 건너뛴 것은 강좌의 코드가 옵니다. 이름은 같으니 아래의 셀은 어느 쪽으로든 실행됩니다.
# 어느 부품이 누구의 것인지 보세요. 건너뛴 것을 지금 풀고 돌아와도 좋습니다.
# %% [markdown] lang="en"
# ## Whose code?
#
# The code that passed its exercise has been collected in `my_llm.py`, beside this notebook. A part imported from
# `course.my_llm` is **your code** if you passed its exercise, and the course's if you skipped it. The names are
# the same, so the cells below run either way. See whose each part is. If you skipped some, you may go and solve
# them now.
# %% id="parts"
from course.my_llm import KVCache, apply_temperature, block, causal_mask, embed, feed_forward, greedy
from course.my_llm import attention_scores, attention_weights, combine, merge_heads, repeat_kv, rotary
from course.my_llm import lm_head, rms_norm, sample, split_heads, stream_text, top_p_filter

print(whose_code())
# %% [markdown] lang="ko"
# ## 모델에서 가져오는 것은 숫자뿐
#
# 모델의 코드는 한 줄도 쓰지 않습니다. 가져오는 것은 훈련된 텐서뿐입니다. 블록 하나에는 텐서가 아홉 개 있습니다.
# 이름을 보면서 어느 부품이 무엇을 쓸지 짚어 보세요. 마지막 줄은 모든 텐서의 개수와 크기(MB)입니다.
#
# 여기서는 GPU가 있어도 CPU에서 계산합니다. 우리 부품을 CPU에 맞추어 만들었기 때문입니다.
# %% [markdown] lang="en"
# ## From the model, numbers and nothing else
#
# Not a line of the model's code will be used, only its trained tensors. One block has nine. Read their names, and
# work out which part will use which. The last line says how many tensors there are in all, and their size in MB.
#
# Everything here runs on the CPU, even where there is a GPU, because that is what the parts were written for.
# %% id="load" tags=["slide"]
model, tokenizer = load_model("smollm2", device="cpu")
for name, tensor in model.model.layers[0].named_parameters():
    print(f"{name:32} {list(tensor.shape)}")
tensors = list(model.parameters())
print(f"{len(tensors)=} MB={sum(t.nbytes for t in tensors) / 1e6:.0f}")
# %% [markdown] lang="ko"
# ## 새 토큰의 위치
#
# 부품을 조립하려면 하나를 더 정해야 합니다. 캐시를 쓰면 토큰이 하나씩 들어옵니다. 그 토큰의 위치는 몇 번일까요?
# %% [markdown] lang="en"
# ## The position of a new token
#
# One more thing has to be settled before the parts fit together. With the cache, tokens come in one by one. What
# is the position of such a token?
# %% id="question-a"
place_question = Question("8.a")
place_question
# %% [markdown] lang="ko" question="8.a"
# 캐시를 쓰면 토큰이 하나씩 모델에 들어갑니다. 글의 여섯째 토큰이 혼자 들어옵니다. 그 쿼리와 키는 몇 번 위치만큼
# 회전해야 할까요?
#
# - [ ] 0. 혼자 들어왔다
#   - 0은 글의 첫 토큰의 위치입니다. 그만큼 회전하면 첫 토큰과의 거리가 0이 됩니다.
# - [x] 5. 글에서 그 위치에 있다
# - [ ] 1. 토큰 하나다
#   - 1은 들어온 토큰의 개수입니다. 위치 1에는 글의 둘째 토큰이 이미 있습니다.
#
# 캐시에 있는 키는 위치 0부터 4까지만큼 회전해 두었습니다. 새 토큰은 그다음 위치여야 합니다. 그러지 않으면 앞
# 토큰과의 거리가 모두 어긋납니다.
# %% [markdown] lang="en" question="8.a"
# With the cache, one token at a time goes into the model. The sixth token of a text comes in alone. By which
# position should its query and its key be rotated?
#
# - [ ] 0, it is alone
#   - 0 is the position of the first token of the text. Rotated by that, it would be at a distance of 0 from
#     that token.
# - [x] 5, its position in the text
# - [ ] 1, it is one token
#   - 1 is how many tokens come in. At position 1 there is already the second token of the text.
#
# The keys in the cache were rotated by the positions 0 to 4. The new token has the position after them; otherwise
# its distances to all earlier tokens would be wrong.
# %% id="question-a-answered" tags=["solution"]
place_question.answer(2)
# %% [markdown] lang="ko"
# ### 연습 8.1 · 새 토큰의 위치와 마스크
#
# 캐시에 토큰이 `past`개 있고 새 토큰이 `new`개 들어옵니다. 새 토큰의 위치(int64 `[new]`)와 마스크(bool
# `[new, past + new]`, 볼 수 있는 곳이 `True`)를 반환하세요. 레슨 04의 `causal_mask(n)`을 쓸 수 있습니다.
# %% [markdown] lang="en"
# ### Exercise 8.1 · Positions and mask of new tokens
#
# The cache holds `past` tokens, and `new` more come in. Return the positions of the new ones (int64 `[new]`) and
# their mask (bool `[new, past + new]`, `True` where one may look). You can use `causal_mask(n)` of lesson 04.
# %% id="ex-8-1"
def places_and_mask(past, new):
    """새 토큰의 (위치, 마스크): int64 [new], bool [new, past + new]."""
    """Return (positions, mask) of new tokens: int64 [new], bool [new, past + new]."""
    # BEGIN SOLUTION
    return torch.arange(past, past + new), causal_mask(past + new)[past:]
    # END SOLUTION


# %% id="check-8-1" kind="implement" difficulty=2 minutes=10
Exercise("8.1").check(places_and_mask)
# %% [markdown] lang="ko" hints="8.1"
# 1. 위치는 이미 있는 것에 이어서 셉니다. 첫 새 토큰은 `past`번입니다.
# 2. `torch.arange(past, past + new)`가 그 위치들입니다.
# 3. 마스크는 글 전체 마스크의 아랫부분입니다. `causal_mask(past + new)`의 마지막 `new`행입니다.
# %% [markdown] lang="en" hints="8.1"
# 1. Positions count on from what is already there: the first new one is number `past`.
# 2. `torch.arange(past, past + new)` gives them.
# 3. The mask is the lower part of the whole text's mask: the last `new` rows of `causal_mask(past + new)`.
# %% [markdown] lang="ko"
# 다음 셀에서 이 이름을 다시 가져오면, 통과했을 때는 내 함수가, 아니면 강좌의 함수가 됩니다. 연습마다 이렇게
# 합니다. 출력은 토큰 세 개가 있는 캐시에 두 개가 더 들어올 때의 위치와 마스크입니다. 마스크의 행은 새 토큰, 열은
# 보이는 토큰입니다.
# %% [markdown] lang="en"
# Imported again in the next cell, the name stands for your function if it passed, and for the course's if not. It
# will be so after every exercise. The output is for two tokens that come in when the cache holds three: their
# positions and the mask, with the new tokens as rows and the tokens looked at as columns.
# %% id="use-8-1" tags=["slide"]
from course.my_llm import places_and_mask

positions, mask = places_and_mask(3, 2)
print(positions.tolist())
print(mask.int())
# %% [markdown] lang="ko"
# ### 연습 8.2 · 캐시를 쓰는 어텐션
#
# 연습 7.8에서 한 것처럼 레슨 07의 부품을 잇되, 사이에 캐시를 끼워 넣으세요. `x`는 정규화를 마친
# `[position, width]`입니다. 순서는 이렇습니다.
#
# 1. `self_attn`에 있는 `q_proj`, `k_proj`, `v_proj`의 `.weight`를 곱하고 헤드로 나눕니다. 헤드의 개수는
#    `config.num_attention_heads`와 `config.num_key_value_heads`입니다.
# 2. 쿼리와 키를 `positions`만큼 회전합니다. θ는 `config.rope_parameters["rope_theta"]`입니다.
# 3. 캐시가 있으면 `cache.append(self_attn.layer_idx, keys[None], values[None])`으로 넣고, 반환된 **전부**를
#    씁니다. 캐시에는 배치 축이 있으니 `[0]`을 꺼냅니다.
# 4. 키와 값을 `repeat_kv`로 쿼리 헤드 수에 맞게 늘리고, 점수, 가중치, 통합을 거쳐 헤드를 합치고 `o_proj`를
#    곱합니다.
# %% [markdown] lang="en"
# ### Exercise 8.2 · Attention with a cache
#
# Join the parts of lesson 07, as in exercise 7.8, and put the cache between them. `x` is `[position, width]`,
# already normed. In order:
#
# 1. Multiply by the `.weight` of `q_proj`, `k_proj` and `v_proj` of `self_attn`, and split into heads; their
#    numbers are `config.num_attention_heads` and `config.num_key_value_heads`.
# 2. Rotate queries and keys by `positions`; θ is `config.rope_parameters["rope_theta"]`.
# 3. If there is a cache, append with `cache.append(self_attn.layer_idx, keys[None], values[None])`, and go on with
#    **all** that it returns. The cache has a batch axis, so take `[0]` of each.
# 4. Repeat keys and values with `repeat_kv`, one for each query head; then scores, weights, combine, merge the
#    heads, and multiply by `o_proj`.
# %% id="ex-8-2"
def attention(x, self_attn, config, positions, mask, cache=None):
    """어텐션이 더할 것, [position, width].  x: 정규화한 [position, width]."""
    """Return what attention adds, [position, width].  x: [position, width], normed."""
    # BEGIN SOLUTION
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    theta = config.rope_parameters["rope_theta"]
    queries = rotary(split_heads(x @ self_attn.q_proj.weight.T, heads), positions, theta)
    keys = rotary(split_heads(x @ self_attn.k_proj.weight.T, kv_heads), positions, theta)
    values = split_heads(x @ self_attn.v_proj.weight.T, kv_heads)
    if cache is not None:
        keys, values = cache.append(self_attn.layer_idx, keys[None], values[None])
        keys, values = keys[0], values[0]
    groups = heads // kv_heads
    scores = attention_scores(queries, repeat_kv(keys, groups))
    combined = combine(attention_weights(scores, mask), repeat_kv(values, groups))
    return merge_heads(combined) @ self_attn.o_proj.weight.T
    # END SOLUTION


# %% id="check-8-2" kind="implement" difficulty=4 minutes=20
Exercise("8.2").check(attention)
# %% [markdown] lang="ko" hints="8.2"
# 1. `x @ self_attn.q_proj.weight.T`처럼 세 번 곱합니다. 그다음 `split_heads`로 나누고, 쿼리와 키에는
#    `rotary`를 씁니다.
# 2. 캐시에는 배치 축이 있습니다. `append(self_attn.layer_idx, keys[None], values[None])`이 지금까지의 모든 키와
#    값을 반환하니, 각각 `[0]`을 꺼내세요.
# 3. 그다음 키와 값에 `repeat_kv(…, heads // kv_heads)`, 이어서 `attention_scores`, `attention_weights`,
#    `combine`, `merge_heads`, 끝으로 `@ self_attn.o_proj.weight.T`입니다.
# %% [markdown] lang="en" hints="8.2"
# 1. Three products, `x @ self_attn.q_proj.weight.T` and so on; then `split_heads`, and `rotary` for queries
#    and keys.
# 2. The cache has a batch axis: `append(self_attn.layer_idx, keys[None], values[None])` returns all keys
#    and values so far; take `[0]` of each.
# 3. Then `repeat_kv(…, heads // kv_heads)` for keys and values, `attention_scores`, `attention_weights`,
#    `combine`, `merge_heads`, and `@ self_attn.o_proj.weight.T`.
# %% [markdown] lang="ko"
# ### 연습 8.3 · 층 하나
#
# 레슨 06의 `block`은 텐서 하나를 받는 함수 네 개를 받습니다. `lambda x: …`로 만들어 넘기세요. 정규화는
# `layer.input_layernorm`과 `layer.post_attention_layernorm`, 피드포워드는 `layer.mlp`의 `gate_proj`, `up_proj`,
# `down_proj`이고, 각각의 `.weight`를 씁니다. `eps`는 `config.rms_norm_eps`입니다.
# %% [markdown] lang="en"
# ### Exercise 8.3 · One layer
#
# The `block` of lesson 06 takes four functions of one tensor. Make them with `lambda x: …`. The norms are
# `layer.input_layernorm` and `layer.post_attention_layernorm`, the feed-forward layer is `gate_proj`, `up_proj` and
# `down_proj` of `layer.mlp`, the `.weight` of each; `eps` is `config.rms_norm_eps`.
# %% id="use-8-2"
from course.my_llm import attention


# %% id="ex-8-3"
def run_layer(x, layer, config, positions, mask, cache=None):
    """한 층(어텐션, 그다음 피드포워드)을 지난 x, [position, width]."""
    """Return x, [position, width], after one layer: attention, then feed-forward."""
    # BEGIN SOLUTION
    mlp, eps = layer.mlp, config.rms_norm_eps
    return block(
        x,
        lambda x: attention(x, layer.self_attn, config, positions, mask, cache),
        lambda x: feed_forward(x, mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight),
        lambda x: rms_norm(x, layer.input_layernorm.weight, eps),
        lambda x: rms_norm(x, layer.post_attention_layernorm.weight, eps),
    )
    # END SOLUTION


# %% id="check-8-3" kind="implement" difficulty=2 minutes=8
Exercise("8.3").check(run_layer)
# %% [markdown] lang="ko" hints="8.3"
# 1. `block`은 텐서 하나를 받는 함수 네 개를 받습니다. `lambda x: …`로 만드세요.
# 2. 그중 하나는 `lambda x: attention(x, layer.self_attn, config, positions, mask, cache)`입니다.
# 3. 정규화는 `lambda x: rms_norm(x, layer.input_layernorm.weight, config.rms_norm_eps)`와,
#    `post_attention_layernorm`으로 바꾼 같은 식입니다.
# %% [markdown] lang="en" hints="8.3"
# 1. `block` wants four functions of one tensor. A `lambda x: …` makes one.
# 2. One is `lambda x: attention(x, layer.self_attn, config, positions, mask, cache)`.
# 3. The norms are `lambda x: rms_norm(x, layer.input_layernorm.weight, config.rms_norm_eps)` and the same
#    with `post_attention_layernorm`.
# %% [markdown] lang="ko"
# 진짜 모델의 층과 비교합니다. 무작위 벡터 여섯 개를 13번 층에 넣습니다. 모델의 층이 내놓은 것과 소수 넷째
# 자리까지 같으면 `True`입니다.
# %% [markdown] lang="en"
# Compare it with a layer of the real model: six random vectors go through layer 13. `True` says that the model's
# own layer gives the same, to four decimals.
# %% id="use-8-3"
from course.my_llm import run_layer

x = torch.randn(6, 576, generator=torch.Generator().manual_seed(0))
layer = model.model.layers[13]
theirs = layer(x[None], position_embeddings=model.model.rotary_emb(x, torch.arange(6)[None]))
ours = run_layer(x, layer, model.config, *places_and_mask(0, 6))
print(torch.allclose(ours, theirs[0], atol=1e-4))
# %% [markdown] lang="ko"
# ## id에서 로짓까지
#
# 이제 층 30개를 쌓고, 앞에 임베딩을, 뒤에 마지막 정규화와 LM 헤드를 붙입니다. 그 전에 예상해 보세요.
# %% [markdown] lang="en"
# ## From ids to logits
#
# Now stack thirty layers, with the embedding in front and the last norm and the LM head behind. Guess first.
# %% id="question-b"
equal_question = Question("8.b")
equal_question
# %% [markdown] lang="ko" question="8.b"
# 부품은 모델의 행렬을 쓰지만 모델의 코드는 한 줄도 쓰지 않습니다. 로짓은 모델의 로짓과 얼마나 같을까요?
#
# - [ ] 언제나 마지막 비트까지 같다
#   - 그러려면 모든 수를 똑같은 순서로 더해야 합니다. 부동소수점 수에서는 `(a + b) + c`와 `a + (b +
#     c)`가 다를 수 있습니다.
# - [x] 반올림 오차를 빼면 같다. 끝자리는 다를 수 있다
# - [ ] 비슷하지만 가끔 다른 토큰이 1등이 된다
#   - 그러려면 차이가 1등과 2등의 로짓 차이만큼은 되어야 합니다. 같은 계산을 다른 코드로 하면 무엇이 얼마나 달라질까요?
#
# 같은 수를 더하지만 더하는 순서가 군데군데 다릅니다. 그러면 반올림 때문에 끝자리가 달라집니다. 1등을 바꾸기에는
# 턱없이 작은 차이입니다.
# %% [markdown] lang="en" question="8.b"
# Your parts use the model's own matrices, but not one line of its code. How close will your logits be to the
# model's?
#
# - [ ] equal to the last bit, always
#   - For that, all numbers would have to be added in the same order. With floating-point numbers `(a + b) + c`
#     and `a + (b + c)` may differ.
# - [x] equal up to rounding: the last digits may differ
# - [ ] similar, but now and then another token wins
#   - For that, the difference would have to be as large as that between first and second place. The same
#     computation, in other code: what can change, and by how much?
#
# The sums are the same, but here and there they are added up in another order. Rounding then changes the last
# digits, far too little to change which token wins.
# %% id="question-b-answered" tags=["solution"]
equal_question.answer(2)
# %% [markdown] lang="ko"
# ### 연습 8.4 · id에서 로짓까지
#
# `input_ids`(`[1, position]`)의 로짓(`[1, position, vocab]`)을 반환하세요. 쓰는 것은 `model.config`와
# 행렬뿐입니다. `model.model.embed_tokens`, `model.model.layers`, `model.model.norm`, `model.lm_head`가 차례로
# 나옵니다. 캐시가 있으면 이미 들어 있는 토큰의 개수는 `cache.get_seq_length()`입니다. 층을 실행하기 **전에** 읽어
# 두세요.
# %% [markdown] lang="en"
# ### Exercise 8.4 · From ids to logits
#
# Return the logits (`[1, position, vocab]`) of `input_ids` (`[1, position]`), using `model.config` and the
# matrices alone: `model.model.embed_tokens`, `model.model.layers`, `model.model.norm` and `model.lm_head`, in
# this order. If there is a cache, `cache.get_seq_length()` is the number of tokens in it. Read it **before** the
# layers run.
# %% id="ex-8-4"
def forward(model, input_ids, cache=None):
    """로짓, float [1, position, vocab].  input_ids: int64 [1, position]."""
    """Return logits, float [1, position, vocab].  input_ids: int64 [1, position]."""
    # BEGIN SOLUTION
    stack, past = model.model, cache.get_seq_length() if cache is not None else 0
    positions, mask = places_and_mask(past, input_ids.shape[1])
    x = embed(input_ids, stack.embed_tokens.weight)[0]
    for layer in stack.layers:
        x = run_layer(x, layer, model.config, positions, mask, cache)
    x = rms_norm(x, stack.norm.weight, model.config.rms_norm_eps)
    return lm_head(x, model.lm_head.weight)[None]
    # END SOLUTION


# %% id="check-8-4" kind="implement" difficulty=3 minutes=12
Exercise("8.4").check(forward)
# %% [markdown] lang="ko" hints="8.4"
# 1. 먼저 `places_and_mask(past, input_ids.shape[1])`입니다. `past`는 `cache.get_seq_length()`이고, 캐시가
#    없으면 0입니다.
# 2. `embed`는 `[1, position, width]`를 냅니다. `[0]`을 꺼내 모든 층을 거치게 하세요.
# 3. 끝으로 `model.model.norm.weight`로 `rms_norm`, `model.lm_head.weight`로 `lm_head`, 그리고 배치 축을
#    위한 `[None]`입니다.
# %% [markdown] lang="en" hints="8.4"
# 1. First `places_and_mask(past, input_ids.shape[1])`; `past` is `cache.get_seq_length()`, or 0 without a
#    cache.
# 2. `embed` gives `[1, position, width]`: take `[0]`, and send it through every layer.
# 3. At the end `rms_norm` with `model.model.norm.weight`, `lm_head` with `model.lm_head.weight`, and
#    `[None]` for the batch axis.
# %% [markdown] lang="ko"
# 이 순간을 위해 여기까지 왔습니다. 부품으로 조립한 LLM과 라이브러리의 모델에 같은 문장을 넣습니다. 차례로 로짓의
# 모양, 로짓의 가장 큰 차이(소수 셋째 자리까지), 모든 위치에서 1등 토큰이 같은지, 그리고 다음 토큰입니다.
# %% [markdown] lang="en"
# This is the moment you have been working for: the same sentence through the LLM made of your parts and through
# the library's model. The cell prints the shape of the logits, their largest difference (to three decimals),
# whether the top token is the same at every position, and the next token.
# %% id="equal-logits" tags=["C33", "slide"]
from course.my_llm import forward

ids = tokenizer("The capital of France is", return_tensors="pt").input_ids
ours, theirs = forward(model, ids), model(ids).logits
print(list(ours.shape), f"{(ours - theirs).abs().max():.3f}")
print((ours.argmax(-1) == theirs.argmax(-1)).all().item())
print(tokenizer.decode(greedy(ours[0, -1])))
# %% [markdown] lang="ko"
# 캐시가 있어도 같을까요? 긴 문장을 세 조각으로 나누어 차례로 넣습니다. 둘째, 셋째 조각은 앞 조각의 키와 값을
# 캐시에서 읽습니다. 출력된 두 수는 캐시에 든 위치의 개수와, 로짓의 가장 큰 차이입니다.
# %% [markdown] lang="en"
# And with the cache? A longer text goes in as three pieces, one after the other; the second and the third read
# the keys and values of those before from the cache. The two numbers are how many positions the cache holds, and
# the largest difference between the logits.
# %% id="equal-with-cache" tags=["C33", "slide"]
text = "The dog chased the squirrel because it was hungry, and the squirrel ran up a tall old tree."
ids, cache = tokenizer(text, return_tensors="pt").input_ids, KVCache()
pieces = [forward(model, piece, cache) for piece in ids.split([8, 1, ids.shape[1] - 9], dim=1)]
difference = torch.cat(pieces, dim=1) - model(ids).logits
print(cache.get_seq_length(), f"{difference.abs().max():.3f}")
# %% [markdown] lang="ko"
# ## 글을 쓴다
#
# ### 연습 8.5 · 한 번에 토큰 하나씩 쓰기
#
# 프롬프트를 한 번에 넣고(프리필), 그다음부터는 새 토큰만 넣으세요(디코드 단계). 로짓에서 토큰을 고르는 일은
# `choose`가 합니다. 고른 토큰은 곧바로 `yield`로 내놓습니다. 끝 토큰 (`model.generation_config.eos_token_id`)을
# 내놓았거나 `max_new_tokens`개를 내놓았으면 멈춥니다.
# %% [markdown] lang="en"
# ## It writes
#
# ### Exercise 8.5 · Write, one token at a time
#
# Put in the whole prompt at once (prefill), and from then on only the new token (decode steps). Picking a token
# from the logits is the work of `choose`; `yield` the token as soon as it is picked. Stop once you have yielded
# the end token (`model.generation_config.eos_token_id`) or `max_new_tokens` tokens.
# %% id="ex-8-5"
def write(model, input_ids, max_new_tokens, choose):
    """새 토큰의 id(int)를 하나씩 yield.  input_ids: [1, position]; choose: 로짓 [vocab] -> id."""
    """Yield the ids (int) of new tokens.  input_ids: [1, position]; choose: logits [vocab] -> id."""
    # BEGIN SOLUTION
    cache, unseen = KVCache(), input_ids
    for _ in range(max_new_tokens):
        token_id = choose(forward(model, unseen, cache)[0, -1])
        yield token_id
        if token_id == model.generation_config.eos_token_id:
            return
        unseen = torch.tensor([[token_id]])
    # END SOLUTION


# %% id="check-8-5" kind="implement" difficulty=3 minutes=12
Exercise("8.5").check(write)
# %% [markdown] lang="ko" hints="8.5"
# 1. 루프 앞에서 `cache = KVCache()`, `unseen = input_ids`로 시작합니다.
# 2. 루프에서 `choose(forward(model, unseen, cache)[0, -1])`을 `yield`하고, 끝 토큰이면 멈춥니다.
# 3. 다음 단계를 위해 `unseen = torch.tensor([[token_id]])`, 곧 새 토큰만 남깁니다.
# %% [markdown] lang="en" hints="8.5"
# 1. Before the loop: `cache = KVCache()`, and `unseen = input_ids`.
# 2. In the loop: `choose(forward(model, unseen, cache)[0, -1])`, `yield` it, and stop if it is the end
#    token.
# 3. For the next step, `unseen = torch.tensor([[token_id]])`: only the new token.
# %% [markdown] lang="ko"
# 라이브러리의 `generate`와 같은 글을 쓸까요? 영어, 코드, 한국어 프롬프트에 8토큰씩 이어 쓰게 하고, 토큰이 모두
# 같은지(`True`)와 쓴 글을 봅니다. 한국어 글로는 거의 훈련되지 않은 모델이라, 한국어는 둘 다 똑같이 서투릅니다.
# %% [markdown] lang="en"
# Does it write what `generate` of the library writes? Eight tokens each after prompts in English, code and
# Korean; `True` where all tokens are the same. The model was hardly trained on Korean text, and in Korean both
# are equally clumsy.
# %% id="equal-text" tags=["C33", "slide"]
from course.my_llm import write

prompts = ("Once upon a time", "def fibonacci(n):", "프랑스의 수도는")
for prompt in prompts:
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    new = list(write(model, ids, 8, greedy))
    print(new == library_writes(model, ids, 8), repr(tokenizer.decode(new)))
# %% [markdown] lang="ko"
# ## 샘플링하고, 스트리밍하기
#
# 부품은 갈아 끼울 수 있습니다. 레슨 03의 온도, top-p, 샘플링으로 `choose`를 만들고, 레슨 05의 `stream_text`로
# 나오는 대로 화면에 보여 줍니다. 질문은 레슨 01의 대화 템플릿에 넣습니다. 시드를 바꾸면 다른 대답이 나옵니다.
# %% [markdown] lang="en"
# ## Sample, and stream
#
# Parts can be exchanged. Temperature, top-p and sampling of lesson 03 make another `choose`, and `stream_text` of
# lesson 05 shows the text as it comes. The question goes into the chat template of lesson 01. Another seed gives
# another answer.
# %% id="sample-and-stream" tags=["slide"]
generator = torch.Generator().manual_seed(1)


def choose(logits):
    return sample(top_p_filter(apply_temperature(logits, 0.7), 0.9), generator)


question = [{"role": "user", "content": "Why is the sky blue?"}]
chat = tokenizer.apply_chat_template(question, tokenize=False, add_generation_prompt=True)
ids = tokenizer(chat, add_special_tokens=False, return_tensors="pt").input_ids
for piece in stream_text(write(model, ids, 40, choose), tokenizer):
    print(piece, end="")
# %% [markdown] lang="ko"
# ## 쉬어 가기: LLM이 글을 씁니다
#
# 조립은 끝났습니다. 내가 만든 부품이 라이브러리와 같은 글을 씁니다. 이제부터는 같은 글을 더 **빨리** 쓰는 이야기이고,
# 여기서 저장하고 멈춰도 됩니다. 돌아오면 이 셀을 누르고, *실행* 메뉴에서 *위의 모든 셀 실행*을 고르세요. 통과한 연습은
# 진도에 그대로 남아 있습니다.
#
# ## 어디까지 빨라질 수 있을까
#
# 토큰 하나를 쓰려면 모든 가중치를 한 번씩 곱해야 합니다. 그럼 무엇이 속도의 한계를 정할까요?
# %% [markdown] lang="en"
# ## A place to stop: your LLM writes
#
# It is put together: your parts write the text that the library writes. From here on it is about writing the same
# text **faster**, and you can save and stop here. When you are back, click on this cell and choose *Run All Above
# Selected Cell* in the menu *Run*. The exercises that you have passed stay passed.
#
# ## How fast can it get?
#
# To write one token, every weight has to be multiplied once. So what sets the limit to the speed?
# %% id="question-c"
time_question = Question("8.c")
time_question
# %% [markdown] lang="ko" question="8.c"
# 토큰 하나에 곱셈과 덧셈이 2억 7천만 번쯤 들고, 이 모델의 가중치는 538MB입니다. 컴퓨터의 모든 코어를 완벽하게 쓰는
# 프로그램이 글 하나를 씁니다. 그 속도의 한계를 정하는 것은 무엇일까요?
#
# - [ ] 곱셈과 덧셈
#   - 아래 셀에서 곱셈을 여덟 배로 늘려 봅니다. 곱셈이 시간을 정한다면 시간도 여덟 배가 되어야 합니다.
# - [x] 가중치를 메모리에서 가져오기
# - [ ] 파이썬의 반복문 실행
#   - 파이썬은 어느 행렬을 곱할지만 정합니다. 토큰 하나에 그런 호출은 수백 번이고, 시간은 호출된 계산 안에서 갑니다.
#
# 가중치 하나를 메모리에서 가져와 곱셈 한 번과 덧셈 한 번에 씁니다. 모든 코어가 함께 계산하면 메모리가 다음 숫자를
# 가져오는 것보다 빨리 그 일을 끝냅니다. 실제로 모든 코어가 일하는지는 다음 셀에서 재 봅니다.
# %% [markdown] lang="en" question="8.c"
# One token takes some 270 million multiplications and additions, and this model's weights are 538 MB. A program that
# makes perfect use of all cores of the machine writes one text. What sets the limit to its speed?
#
# - [ ] multiplying and adding
#   - The cell below does eight times as many multiplications. If those set the time, it would take eight times
#     as long.
# - [x] fetching the weights from memory
# - [ ] running Python's loops
#   - Python only says which matrix comes next, a few hundred times for a token. The time passes inside the
#     computations that it calls.
#
# Each weight is fetched from memory for one multiplication and one addition. All cores together do those faster
# than memory can bring the next number. Whether all cores really are at work, the next cell measures.
# %% id="question-c-answered" tags=["solution"]
time_question.answer(2)
# %% [markdown] lang="ko"
# 이 컴퓨터에서 재 봅시다. 모든 가중치를 읽기만 하고(`sum()`), 모든 행렬을 벡터 하나와 곱하고, 벡터 여덟 개와
# 곱합니다. 출력은 걸린 시간(ms)과, 함께 일한 코어의 수(모든 스레드가 프로세서를 쓴 시간 ÷ 파이썬의 스레드가 쓴 시간)입니다.
# %% [markdown] lang="en"
# Measure it on this machine: only read all weights (`sum()`), multiply all matrices by one vector, and by eight.
# The cell prints how long each takes, in ms, and how many cores were at work (the processor's time of all threads ÷
# that of the thread that runs Python).
# %% id="one-and-eight" tags=["nbval-ignore-output"]
matrices = [tensor for tensor in tensors if tensor.ndim == 2]
print(f"{torch.get_num_threads()=}")
for name, work in (
    ("sum()", reading(matrices)),
    ("@ 1 vector", multiplying(matrices)),
    ("@ 8 vectors", multiplying(matrices, vectors=8)),
):
    took = spent(work, model.device)
    print(f"{name:12}{1000 * took.seconds:6.0f} ms  {took.cores:.1f} cores")
# %% [markdown] lang="ko"
# 첫 줄이 **한계**입니다. 토큰 하나를 쓰려면 모든 가중치를 한 번은 읽어야 하므로, 모든 코어로 읽기만 하는 데 걸린
# 시간보다 빨리 쓸 수는 없습니다. 벡터 여덟 개를 곱하는 데는 하나를 곱하는 것의 여덟 배가 걸리지 않습니다. 한 번 읽은
# 가중치를 여덟 번 쓰기 때문입니다.
#
# 둘째 줄이 첫 줄보다 훨씬 길다면 코어 수를 보세요. 1.0쯤이면 벡터 하나와의 곱을 **코어 하나**가 도맡은 것입니다. PyTorch의
# 계산 라이브러리(MKL)는 AMD 프로세서에서 흔히 그렇게 합니다. 코어를 모두 쓰는데도 길다면, 그 곱은 메모리가 줄 수
# 있는 것보다 느리게 읽습니다. 다른 프로그램이 바쁘면 코어를 나누어 써야 하므로 모든 시간이 길어집니다.
#
# ### 연습 8.6 · 행렬 세 개를 한 번에 곱하기
#
# 쿼리, 키, 값의 투영 행렬은 같은 `x`와 곱합니다. 위아래로 이어 붙이면 행렬 곱 한 번이면 됩니다.
# 행렬(`[out, in]`)의 리스트를 받아, 이어 붙인 행렬과 각 행렬의 행 수(`int`의 리스트)를 반환하세요.
# %% [markdown] lang="en"
# The first line is the **limit**: to write a token, all weights have to be read once, and nothing is faster than only
# reading them, with all cores. Eight vectors do not take eight times as long as one, because each weight that has
# been read is used eight times.
#
# If the second line is much longer than the first, look at its cores. About 1.0 says that **one core** did the whole
# product with one vector: the library that PyTorch computes with (MKL) often does so on AMD processors. If all cores
# were busy and it is longer still, the product reads more slowly than memory could give. Other programs at work take
# cores away, and all of it takes longer.
#
# ### Exercise 8.6 · Three matrices, one product
#
# The projection matrices of queries, keys and values are multiplied by the same `x`. Joined one below the other,
# they need one product only. Take a list of matrices (`[out, in]`), and return the joined matrix and how many
# rows each had (a list of `int`).
# %% id="ex-8-6"
def fuse(matrices):
    """(matrix, sizes).  (x @ matrix.T).split(sizes, -1)이 행렬마다의 곱이 되도록."""
    """Return (matrix, sizes), so that (x @ matrix.T).split(sizes, -1) is each one's product."""
    # BEGIN SOLUTION
    return torch.cat(matrices), [len(matrix) for matrix in matrices]
    # END SOLUTION


# %% id="check-8-6" kind="implement" difficulty=2 minutes=8
Exercise("8.6").check(fuse)
# %% [markdown] lang="ko" hints="8.6"
# 1. 모두 같은 `x`와 곱하니 열의 수가 같습니다.
# 2. 위아래로 이어 붙이면 행렬 하나가 됩니다. `torch.cat(matrices)`입니다.
# 3. 크기는 각 행렬의 행 수, `len(matrix)`입니다.
# %% [markdown] lang="en" hints="8.6"
# 1. All of them are multiplied by the same `x`, so they have the same number of columns.
# 2. Stacked one below the other they are one matrix: `torch.cat(matrices)`.
# 3. The sizes are how many rows each had: `len(matrix)`.
# %% [markdown] lang="ko"
# ### 연습 8.7 · 메모리를 미리 잡아 두는 캐시
#
# 레슨 05의 `KVCache`는 토큰마다 모든 키와 값을 새 메모리에 복사합니다. 공간을 미리 잡아 두면 새것만 적으면
# 됩니다. `KVCache`처럼 `append(layer, keys, values)`와 `get_seq_length()`가 있고,
# `RoomyCache(layers, kv_heads, head_dim, room)`으로 만들 때 위치 `room`개가 들어갈 공간을 한 번만 잡습니다.
# `append`는 채워진 곳까지만 반환하고, 공간이 모자라면 `ValueError`를 일으켜야 합니다.
# %% [markdown] lang="en"
# ### Exercise 8.7 · A cache that reserves its memory
#
# At each token, the `KVCache` of lesson 05 copies all keys and values into new memory. With room reserved
# beforehand, only the new ones are written. Like `KVCache` it has `append(layer, keys, values)` and
# `get_seq_length()`; it is made with `RoomyCache(layers, kv_heads, head_dim, room)`, which reserves memory for
# `room` positions, once. `append` returns only what is filled, and raises a `ValueError` when the room is used
# up.
# %% id="ex-8-7"
class RoomyCache:
    """메모리 [layer, 1, kv_heads, room, head_dim] 두 벌을 한 번만 잡는 KVCache.

    append(layer, keys, values) -> 지금까지 모든 위치의 (keys, values); get_seq_length() -> int.
    """
    """A KVCache whose memory, [layer, 1, kv_heads, room, head_dim] twice, is taken once.

    append(layer, keys, values) -> (keys, values) of all positions so far; get_seq_length() -> int.
    """

    # BEGIN SOLUTION
    def __init__(self, layers, kv_heads, head_dim, room):
        self.keys = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.values = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.lengths = [0] * layers

    def append(self, layer, keys, values):
        start = self.lengths[layer]
        end = start + keys.shape[2]
        if end > self.keys.shape[3]:
            raise ValueError(f"There is room for {self.keys.shape[3]} positions, not for {end}.")
        self.keys[layer, :, :, start:end] = keys
        self.values[layer, :, :, start:end] = values
        self.lengths[layer] = end
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def get_seq_length(self):
        return self.lengths[0]

    # END SOLUTION


# %% id="check-8-7" kind="implement" difficulty=3 minutes=12
Exercise("8.7").check(RoomyCache)
# %% [markdown] lang="ko" hints="8.7"
# 1. `__init__`에서 키와 값에 하나씩 `torch.zeros(layers, 1, kv_heads, room, head_dim)`을 만들고, 층마다 길이 0을
#    적어 둡니다.
# 2. `append`에서 `self.keys[layer, :, :, start:end] = keys`로 그 안에 적습니다.
# 3. `end`가 `room`보다 크면 ValueError를 일으키고, 아니면 `end`를 그 층의 길이로 적어 둔 다음 키와 값의
#    `[layer, :, :, :end]`를 반환합니다.
# %% [markdown] lang="en" hints="8.7"
# 1. In `__init__`: `torch.zeros(layers, 1, kv_heads, room, head_dim)`, once for keys and once for values,
#    and a length of 0 for each layer.
# 2. In `append`: `self.keys[layer, :, :, start:end] = keys` writes into it.
# 3. Raise a ValueError if `end` is more than `room`; else keep `end` as the layer's length, and return
#    `[layer, :, :, :end]` of both.
# %% [markdown] lang="ko"
# 층마다 행렬을 합쳐 둡니다. 쿼리, 키, 값의 행렬이 하나가 되고, 피드포워드의 `gate_proj`와 `up_proj`가 하나가
# 됩니다. 출력은 쿼리, 키, 값을 합친 행렬의 모양과, 그 안에서 쿼리, 키, 값이 차지하는 행 수입니다.
# %% [markdown] lang="en"
# Fuse the matrices of every layer: queries, keys and values into one, `gate_proj` and `up_proj` of the
# feed-forward layer into another. The cell prints the shape of the matrix for queries, keys and values, and how
# many of its rows belong to each.
# %% id="fuse-all"
from course.my_llm import RoomyCache, fuse

fused = []
for layer in model.model.layers:
    attn, mlp = layer.self_attn, layer.mlp
    qkv, sizes = fuse([attn.q_proj.weight, attn.k_proj.weight, attn.v_proj.weight])
    gate_up, _ = fuse([mlp.gate_proj.weight, mlp.up_proj.weight])
    fused.append((qkv, attn.o_proj.weight, gate_up, mlp.down_proj.weight))
print(list(qkv.shape), sizes)
# %% [markdown] lang="ko"
# 합친 행렬을 쓰는 층입니다. 행렬은 함수로 받습니다. `by_rows(matrix)`는 `x`로 `x @ matrix.T`를 계산하는 함수이고,
# 잠시 뒤에 같은 곱을 하는 다른 함수로 바꿉니다. `repeat_kv`, `attention_scores`, `attention_weights`, `combine`은
# PyTorch의 함수 하나가 모두 맡습니다. 결과가 원래 층과 같으면 `True`입니다.
# %% [markdown] lang="en"
# Here is a layer with the fused matrices. They come as functions: `by_rows(matrix)` computes `x @ matrix.T` from `x`,
# and soon another function for the same product takes its place. One function of PyTorch does all that `repeat_kv`,
# `attention_scores`, `attention_weights` and `combine` did. `True` says that the result is still the same.
# %% id="fused-layer" tags=["slide"]
def run_fused(x, layer, products, config, positions, mask, cache):
    (qkv, output, gate_up, down), theta = products, config.rope_parameters["rope_theta"]
    normed = rms_norm(x, layer.input_layernorm.weight, config.rms_norm_eps)
    queries, keys, values = qkv(normed).split(sizes, dim=-1)
    queries = rotary(split_heads(queries, config.num_attention_heads), positions, theta)
    keys = rotary(split_heads(keys, config.num_key_value_heads), positions, theta)
    values = split_heads(values, config.num_key_value_heads)
    keys, values = cache.append(layer.self_attn.layer_idx, keys[None], values[None])
    found = scaled_dot_product_attention(queries[None], keys, values, mask, enable_gqa=True)
    x = x + output(merge_heads(found[0]))
    normed = rms_norm(x, layer.post_attention_layernorm.weight, config.rms_norm_eps)
    gate, up = gate_up(normed).chunk(2, dim=-1)
    return x + down(silu(gate) * up)


rows = [tuple(map(by_rows, matrices)) for matrices in fused]
again = run_fused(x, model.model.layers[0], rows[0], model.config, *places_and_mask(0, 6), KVCache())
plain = run_layer(x, model.model.layers[0], model.config, *places_and_mask(0, 6))
print(torch.allclose(again, plain, atol=1e-4))
# %% [markdown] lang="ko"
# 이 층으로 글을 쓰는 루프입니다. 일을 하나 더 줄였습니다. LM 헤드는 어휘사전의 토큰마다 행이 있는 가장 큰
# 행렬이니, **마지막 위치**에만 씁니다. 캐시와 곱하는 함수는 인수로 받습니다.
# %% [markdown] lang="en"
# And the loop that writes with these layers. One more thing is saved: the LM head, the largest matrix of all, is
# used for the **last position** only. The cache and the products are arguments.
# %% id="write-fused"
def write_fused(cache, layer_products, head, input_ids, max_new_tokens):
    config, stack, unseen = model.config, model.model, input_ids
    for _ in range(max_new_tokens):
        places = places_and_mask(cache.get_seq_length(), unseen.shape[1])
        x = embed(unseen, stack.embed_tokens.weight)[0]
        for layer, products in zip(stack.layers, layer_products):
            x = run_fused(x, layer, products, config, *places, cache)
        last = rms_norm(x[-1:], stack.norm.weight, config.rms_norm_eps)
        token_id = greedy(head(last)[0])
        yield token_id
        unseen = torch.tensor([[token_id]])


ids, head = tokenizer("Once upon a time", return_tensors="pt").input_ids, by_rows(model.lm_head.weight)
room = RoomyCache(layers=30, kv_heads=3, head_dim=64, room=64)
print(tokenizer.decode(list(write_fused(room, rows, head, ids, 20))))
# %% [markdown] lang="ko"
# 마지막으로 곱 자체를 빠르게 합니다. 같은 곱도 여러 **형태**로 할 수 있습니다. 행렬을 행 순서로 두거나 열 순서로 두고,
# 둘로 나누어 두 코어에 맡기고, numpy에 맡기고, oneDNN이라는 다른 라이브러리에 맡깁니다. 모두 `utils/decoder_forms.py`에
# 몇 줄씩 있습니다. 어느 것이 가장 빠른지는 컴퓨터마다 다르니 시험해 보고 고릅니다. 출력은 앞쪽 층 몇 개의 행렬을 곱하는
# 시간과 그동안 일한 코어의 수입니다.
# %% [markdown] lang="en"
# Last, make the product itself faster. The same product can be done in several **forms**: the matrix laid out by rows
# or by columns, cut into two halves for two cores, given to numpy, or to another library called oneDNN. Each is a few
# lines in `utils/decoder_forms.py`. Which one is fastest differs from machine to machine, so try them and take the
# best. The cell prints how long the matrices of the first few layers take, and how many cores were busy meanwhile.
# %% id="forms" tags=["nbval-ignore-output"]
tried = try_forms([*sum(fused, ())])
for form, took in tried.items():
    print(f"{form.__name__:12}{1000 * took.seconds:6.1f} ms  {took.cores:.1f} cores")
fastest = min(tried, key=lambda form: tried[form].seconds)
quick, quick_head = [tuple(map(fastest, ms)) for ms in fused], fastest(model.lm_head.weight)
# %% [markdown] lang="ko"
# 비교를 위해, 캐시 없이 매번 글 전체를 계산하는 루프도 만들어 둡니다. 쓴 글은 위와 같습니다.
# %% [markdown] lang="en"
# For comparison, here is a loop without a cache, which computes the whole text each time. It writes the same text.
# %% id="write-without-cache"
def write_without_cache(input_ids, max_new_tokens):
    for _ in range(max_new_tokens):
        token_id = greedy(forward(model, input_ids)[0, -1])
        yield token_id
        input_ids = torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)


print(tokenizer.decode(list(write_without_cache(ids, 10))))
# %% [markdown] lang="ko"
# 지금까지의 모든 단계를 `generate`와 나란히 잽니다. 마지막은 `utils/decoder.py`, 지금 만든 것을 다듬어 놓은 강좌의
# 디코더입니다. 형태도 똑같이 시험해 보고 고릅니다. 모두 같은 글을 번갈아 세 번씩 쓰므로 조금 걸립니다. 모두가 같은 토큰을 썼으면
# `True`입니다.
# %% [markdown] lang="en"
# Now time every step so far beside `generate`. The last one is `utils/decoder.py`, the course's decoder: what you have
# just built, tidied up; it tries the forms in the same way. All write the same text in turn, three times each, which takes a while.
# `True` says that all wrote the same tokens.
# %% id="ways" lang="ko"
def new_room():
    return RoomyCache(layers=30, kv_heads=3, head_dim=64, room=128)


decoder = Decoder.from_model(model)
ways = {
    "부품 그대로, 캐시 없이": write_without_cache,
    "캐시를 써서": lambda ids, new: write(model, ids, new, greedy),
    "행렬을 합쳐서": lambda *given: write_fused(KVCache(), rows, head, *given),
    "캐시 공간을 미리 잡고": lambda *given: write_fused(new_room(), rows, head, *given),
    "가장 빠른 형태로 곱해서": lambda *given: write_fused(new_room(), quick, quick_head, *given),
    "강좌의 디코더": decoder.tokens,
}
speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=6)
print(speeds.same)
# %% id="ways" lang="en"
def new_room():
    return RoomyCache(layers=30, kv_heads=3, head_dim=64, room=128)


decoder = Decoder.from_model(model)
ways = {
    "the parts, no cache": write_without_cache,
    "with the cache": lambda ids, new: write(model, ids, new, greedy),
    "matrices fused": lambda *given: write_fused(KVCache(), rows, head, *given),
    "cache with room": lambda *given: write_fused(new_room(), rows, head, *given),
    "the fastest form": lambda *given: write_fused(new_room(), quick, quick_head, *given),
    "the course's decoder": decoder.tokens,
}
speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=6)
print(speeds.same)
# %% [markdown] lang="ko"
# 막대가 길수록 빠릅니다. 파선은 모든 가중치를 모든 코어로 한 번 읽기만 하는 한계이고, 점선은 PyTorch의 보통 곱을 행렬마다
# 한 번씩만 하는 속도입니다. 두 선이 멀리 떨어져 있다면, 그 곱이 쓰는 코어의 수를 보세요. 어느 단계에서 가장 많이
# 빨라졌나요? `generate`는 어디쯤인가요? 다른 프로그램이 바쁘게 실행되고 있다면 순서가 바뀔 수 있습니다. 그때는 위의 셀부터 다시 실행하세요.
# %% [markdown] lang="en"
# The longer the bar, the faster. The dashed line is the limit: all weights read once with all cores, nothing else. The
# dotted line is one product with each matrix as PyTorch usually does it; if it is far from the limit, see how many
# cores that product uses. Which step brought most? Where is `generate`? If other programs are busy on this machine,
# the order may change; then run the cell above and this one again.
# %% id="speeds" tags=["nbval-ignore-output", "slide"]
speeds_picture(speeds)
# %% [markdown] lang="ko"
# 캐시 공간을 미리 잡은 효과는 거의 보이지 않을 것입니다. 토큰 몇 개로는 복사할 키와 값이 아직 적기 때문입니다.
# 복사할 것은 글이 길어질수록 늘어납니다.
#
# `generate`는 수백 가지 모델과 설정을 받아들이고, 여러 글을 한꺼번에 쓸 수도 있습니다. 그래서 토큰마다 확인할
# 것이 많습니다. 우리의 디코더는 한 번에 글 하나만, 한 계열의 모델로만 씁니다. Llama 계열이면
# `Decoder.from_model(model)`로 다른 모델도 쓸 수 있고, Phi-3-mini도 그중 하나입니다. 출력은 공간을 잡아 둔 글의
# 최대 길이(토큰), 층의 개수, 쓴 글입니다.
# %% [markdown] lang="en"
# Reserving the cache's memory will have made hardly any difference: after a few tokens there are still few keys and
# values to copy. The longer the text, the more there is to copy.
#
# `generate` serves hundreds of models and settings, and can write several texts at once, so it has much to check
# at every token. Our decoder writes one text at a time, with one family of models. `Decoder.from_model(model)`
# takes any of the Llama family, Phi-3-mini among them. The cell prints the longest text it has reserved room for,
# in tokens, the number of layers, and the text it writes.
# %% id="decoder"
print(decoder.max_positions, len(decoder.blocks))
new_ids = decoder.generate(ids, 20)
print(tokenizer.decode(new_ids[0]))
# %% [markdown] lang="ko"
# ## 서비스용 엔진은 무엇이 더 있나
#
# 내가 만든 LLM은 한 사람에게 글 하나를 써 줍니다. 동시에 수천 명에게 써 주는 엔진은 무엇을 더 할까요?
#
# **배치.** 가중치를 한 번 읽어 글 하나에만 쓰는 것은 아깝습니다. 여러 글을 함께 계산하면 한 번 읽은 가중치를
# 모두에 씁니다. 글마다 길이가 다르므로, 한 글이 끝나면 그 자리에 곧바로 다음 글을 넣습니다(연속 배치).
# [Orca (Yu 외, 2022)](https://www.usenix.org/conference/osdi22/presentation/yu)
#
# **페이징.** 공간을 미리 잡아 두면 짧은 글에는 남고 긴 글에는 모자랍니다. 운영 체제가 메모리를 나누듯, 캐시를
# 작은 페이지로 나누어 필요할 때마다 한 페이지씩 줍니다.
# [PagedAttention (Kwon 외, 2023)](https://arxiv.org/abs/2309.06180)
#
# **양자화.** 한계를 정하는 것은 읽을 바이트 수입니다. 가중치를 4바이트가 아니라 4비트로 적으면 읽을 바이트가
# 8분의 1로 줄어듭니다. 글이 나빠지지 않게 반올림하는 것이 어려운 점입니다. 이 강좌의 모델도 4비트 파일로 받아서
# 풀어 놓은 것입니다. [GPTQ (Frantar 외, 2022)](https://arxiv.org/abs/2210.17323)
#
# **플래시 어텐션.** 점수 행렬은 글 길이의 제곱에 비례해 커집니다. 작은 조각(타일)으로 나누어 소프트맥스를 이어서
# 계산하면 그 행렬을 통째로 메모리에 적지 않아도 됩니다. 결과는 그대로입니다.
# [FlashAttention (Dao 외, 2022)](https://arxiv.org/abs/2205.14135)
# %% [markdown] lang="en"
# ## What a serving engine adds
#
# Your LLM writes one text for one person. What more does an engine do that writes for thousands at a time?
#
# **Batching.** Reading all the weights for a single text is a waste: several texts computed together share what
# was read. They differ in length, so when one is done the next takes its place at once (continuous batching).
# [Orca (Yu et al., 2022)](https://www.usenix.org/conference/osdi22/presentation/yu)
#
# **Paging.** Room reserved beforehand is too much for a short text and too little for a long one. So the cache is
# cut into small pages, as an operating system does with memory, and they are handed out one by one as they are
# needed. [PagedAttention (Kwon et al., 2023)](https://arxiv.org/abs/2309.06180)
#
# **Quantisation.** The limit is set by the bytes that have to be read. With 4 bits for a weight in place of 4
# bytes, only an eighth of them is left. The hard part is to round in such a way that the text does not suffer.
# The course's model, too, came as a file of 4-bit weights and was unpacked.
# [GPTQ (Frantar et al., 2022)](https://arxiv.org/abs/2210.17323)
#
# **Flash attention.** The matrix of scores grows with the square of the text's length. Cut into tiles, with the
# softmax carried on from tile to tile, it never has to be written to memory as a whole, and the result is the
# same. [FlashAttention (Dao et al., 2022)](https://arxiv.org/abs/2205.14135)
# %% [markdown] lang="ko"
# ## 내가 만든 LLM
#
# 마지막으로 `my_llm.py`를 펼칩니다. 레슨 01의 루프부터 이 레슨의 부품까지, 통과한 코드가 연습 문제의 순서대로
# 들어 있습니다. 이 파일은 여러분의 것입니다. 고쳐도 되고, 다른 곳으로 가져가도 됩니다.
# %% [markdown] lang="en"
# ## The LLM you wrote
#
# Last, open `my_llm.py`: the code that passed, in the order of the exercises, from the loop of lesson 01 to the
# parts of this lesson. The file is yours to change, and to take with you.
# %% id="my-llm" tags=["slide"]
print(my_llm())
# %% [markdown] lang="ko"
# 강좌의 지도에서 누구의 코드가 실행되는지 봅니다. 색이 있는 곳은 모두 내가 쓴 것이고, 동그라미 안의 수는 그곳의 부품 가운데
# 내 것이 몇 개인지입니다.
# %% [markdown] lang="en"
# See on the map of the course whose code runs. What is in colour is all yours; the numbers in the circles say how many
# of the parts there are.
# %% id="my-map"
my_map()
# %% [markdown] lang="ko"
# 이제 내가 만든 LLM과 이야기해 봅시다. 메시지를 쓰고 Enter나 *보내기*를 누르면 대답이 나오는 대로 보입니다. 온도, top-p, 시드를
# 바꾸고 *다시*를 눌러 보세요. 대답의 토큰을 누르면 그 순간의 후보들이 보입니다. 앞의 확률은 모델이 준 것이고, 뒤의 확률은
# 온도와 top-p를 거친 것입니다. 루프, 필터, 추첨, 스트리밍이 모두 위의 지도에 있는 코드입니다.
# %% [markdown] lang="en"
# Now talk to your own LLM. Write a message and press Enter or *send*: the answer shows as it is written. Change the
# temperature, top-p or the seed, and press *again*. Click on a token of the answer to see its candidates at that
# moment: first the probability that the model gave, then what temperature and top-p made of it. The loop, the
# filters, the draw and the streaming are all the code that you see on the map.
# %% id="chat" tags=["slide"]
def settle(logits, temperature, top_p):
    return top_p_filter(apply_temperature(logits, temperature), top_p)


writer = Writer(write, settle, sample, stream_text)
my_chat = ChatExplorer(model, tokenizer, "Why is the sky blue?", writer)
my_chat
# %% id="chat-driven" tags=["solution"]
my_chat.set(message="Name a fruit.", longest=8).press("send")
my_chat.pick(token=0)
# %% [markdown] lang="ko"
# `my_llm.py`는 노트북 없이도 글을 씁니다. JupyterLab의 터미널(*File ▸ New ▸ Terminal*)을 열고 이 노트북이 있는 폴더에서 실행하세요.
# `--new`는 쓸 토큰의 개수, `--temperature`는 온도입니다. 아직 없는 부품은 강좌의 것을 쓰고, 어느 것인지 말해 줍니다.
#
# ```
# python my_llm.py "Once upon a time" --new 40 --temperature 0.7
# ```
# %% [markdown] lang="en"
# `my_llm.py` also writes without a notebook. Open a terminal of JupyterLab (*File ▸ New ▸ Terminal*), and run it in this
# notebook's folder. `--new` is how many tokens to write, `--temperature` the temperature. Parts that it lacks are the
# course's, and it says which.
#
# ```
# python my_llm.py "Once upon a time" --new 40 --temperature 0.7
# ```
# %% [markdown] lang="ko"
# ## 정리
#
# - LLM은 행렬 몇백 개와 짧은 함수 스무 개 남짓입니다. 모델에서 가져온 것은 숫자뿐입니다.
# - 같은 계산을 하면 (반올림 오차 안에서) 같은 로짓이 나오고, 같은 글이 나옵니다.
# - 캐시를 쓸 때 새 토큰의 위치와 마스크는 캐시에 든 토큰 수만큼 뒤에서 시작합니다.
# - 글 하나를 쓰는 속도의 한계는 모든 가중치를 한 번 읽는 시간입니다. 거기에 얼마나 다가가는지는 코어를 모두 쓰는지에
#   달려 있습니다.
#
# **지금까지 만든 것:** LLM 하나, 전부.
#
# **다음 레슨:** 상한은 읽는 바이트의 상한입니다. 레슨 09에서는 그 너머로 갑니다. 같은 글을 몇 배 빨리 씁니다. 노트를
# 넘어서는 내용이니 여기서 마쳐도 됩니다.
# %% [markdown] lang="en"
# ## What you know now
#
# - An LLM is a few hundred matrices and some twenty short functions. All that came from the model was numbers.
# - The same computation gives the same logits, up to rounding, and the same text.
# - With a cache, the positions and the mask of new tokens begin after the tokens that it holds.
# - The limit to the speed of writing one text is the time to read all weights once. How near a program comes to it
#   depends on whether it uses all cores.
#
# **What you have built so far:** one LLM, all of it.
#
# **Next lesson:** the ceiling is one of bytes that are read. Lesson 09 goes beyond it, and writes the same text many times
# as fast. It is beyond the notes, too: you may end here.
