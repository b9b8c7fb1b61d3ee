# %% [markdown] lang="ko"
# # 05 · KV 캐시: 한 번 계산한 것은 다시 계산하지 않기
#
# **이 레슨을 마치면** 캐시가 없을 때 계산이 얼마나 되풀이되는지 세어 보고, 키와 값 캐시를 직접 만들어 같은 글을
# 더 빨리 쓰고, 그 대가로 드는 메모리를 예측하고, 글을 나오는 대로 스트리밍할 수 있습니다.
#
# **95분** = 읽고 실행하기 40분 + 연습 문제 55분 · 노트의 *키와 값을 캐싱해서 생성 속도 높이기* 절에 해당합니다.
# %% [markdown] lang="en"
# # 05 · The KV cache: never compute the same thing twice
#
# **After this lesson you will be able to** count the work that is repeated without a cache, build a key-value
# cache and write the same text faster with it, predict the memory it takes in return, and stream a text as
# it comes.
#
# **95 minutes** = 40 to read and run + 55 for the exercises · It mirrors the notes' section *caching keys and
# values to make generation faster*.
# %% [markdown] lang="ko" lesson="05"
# KV 캐시, 스트리밍
#
# - C20 캐시가 없으면 단계마다 앞 단계의 계산을 되풀이한다
# - C21 키와 값을 캐시에 두면 생성이 훨씬 빨라지고, use_cache로 끌 수 있다
# - C22 캐시가 차지하는 메모리
# - C23 답 하나를 다 쓰려면 몇 초가 걸리므로 스트리밍한다
# %% [markdown] lang="en" lesson="05"
# a KV cache, streaming
#
# - C20 Without a cache, every step repeats the work of those before
# - C21 Caching keys and values makes generation much faster; use_cache turns it off
# - C22 What the cache costs in memory
# - C23 A whole answer still takes seconds, so it is streamed
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

course_map("05")
# %% id="imports"
import time
from threading import Thread

import torch
from transformers import TextIteratorStreamer

from course.exercise import Exercise, Question
from utils import kv_cache, parts
from utils.attention import HeadView, record_attention
from utils.explorers.kv_cache import CacheExplorer
from utils.explorers.memory import MemoryExplorer
from utils.explorers.timing import StepTimesExplorer
from utils.figures.one_query import one_query_picture
from utils.generation import generation_steps
from utils.memory import KNOWN_MODELS, memory_use
from utils.model import load_model
from utils.timing import measure_steps

model, tokenizer = load_model()
# %% [markdown] lang="ko"
# ## 1분 만에 보는 어텐션
#
# 이 레슨에서 남겨 둘 **키**와 **값**은 어텐션 층에서 나옵니다. 무엇에 쓰는 벡터인지 먼저 봅시다. 레슨 07에서는 이
# 모두를 직접 만듭니다.
#
# 마지막 토큰 ` is`에는 **쿼리**가 있습니다. 무엇을 찾고 있는지를 나타내는 벡터입니다. 그리고 모든 위치에 키와 값이
# 있습니다. ① 키는 쿼리와 비교할 벡터입니다. ② 잘 맞을수록 가중치가 크고, 가중치는 모두 더하면 1입니다. ③ 값은
# 넘겨줄 내용입니다. ④ 값에 가중치를 곱해 모두 더한 것이 ` is`가 가져가는 것입니다. 그림에서 색칠한 칸 하나가 숫자
# 하나입니다(0보다 크면 주황색, 작으면 보라색). ` is`는 어느 토큰에서 가장 많이 가져가나요?
# %% [markdown] lang="en"
# ## Attention in one minute
#
# The **keys** and **values** that this lesson keeps are made in the attention layers. See first what they are for;
# in lesson 07 you build all of it.
#
# The last token, ` is`, has a **query**, a vector that says what it is looking for. And every position has a key
# and a value. ① A key is what the query is compared with. ② The better they match, the larger the weight; all
# weights sum to 1. ③ A value is what a position has to give. ④ Multiplied by their weights and added up, the values
# are what ` is` takes along. Each coloured cell is one number (orange above 0, purple below). From which token does
# ` is` take most?
# %% id="one-minute" tags=["slide"]
capital = record_attention(model, tokenizer, "The capital of France is")
one_query_picture(HeadView(capital, layer=12, head=4, position=4, view="weights"))
# %% [markdown] lang="ko"
# ` France`에서 가장 많이 가져갑니다. 키와 값은 위치마다 한 번 만들어 두면 되고, 새로 온 토큰은 자기 쿼리로 그것들을
# 들여다봅니다. 이것만 알면 이 레슨을 시작할 수 있습니다.
#
# ## 두 번째 단계는 첫 번째 단계의 계산을 되풀이한다
#
# 레슨 01의 루프를 떠올려 보세요. 새 토큰을 프롬프트 끝에 붙이고, 글 **전체**를 다시 모델에 넣었습니다. 레슨
# 04에서 본 것처럼 모델은 들어온 토큰마다 위치 하나, 곧 스트림 하나를 계산합니다. 그럼 위치를 모두 몇 번
# 계산할까요?
# %% [markdown] lang="en"
# It takes most from ` France`. Each position makes its key and its value, and a token that comes later looks at
# them with a query of its own. With that you can begin.
#
# ## The second step does the first one's work again
#
# Remember the loop of lesson 01: the new token went to the end of the prompt, and the **whole** text went into
# the model again. For every token that goes in, the model computes one position, a stream of its own, as you saw
# in lesson 04. How many positions does that make in all?
# %% id="question-a"
work_question = Question("5.a")
work_question
# %% [markdown] lang="ko" question="5.a"
# 프롬프트는 5토큰이고, 캐시 없이 8토큰을 새로 씁니다. 정방향 계산을 모두 합하면 위치를 몇 번 계산할까요?
#
# - [ ] 8번
#   - 8번은 정방향 계산의 횟수입니다. 캐시가 없으면 한 번에 위치가 몇 개씩 들어가나요?
# - [ ] 12번이나 13번
#   - 위치를 하나도 되풀이하지 않을 때의 수입니다. 캐시가 없으면 앞의 토큰은 어떻게 되나요?
# - [x] 68번
#
# 매번 글 전체를 계산하므로 위치를 5번, 6번, …, 12번 계산하고, 모두 더하면 68번입니다.
# %% [markdown] lang="en" question="5.a"
# The prompt has 5 tokens, and 8 new ones are written without a cache. How many positions do all passes compute
# together?
#
# - [ ] 8
#   - 8 is the number of passes. How many positions go into each of them, without a cache?
# - [ ] 12 or 13
#   - That is the number if no position were computed twice. Without a cache, what becomes of the tokens that
#     were there before?
# - [x] 68
#
# Each pass computes the whole text, so they compute 5, 6, … and 12 positions: 68 in all.
# %% id="question-a-answered" tags=["solution"]
work_question.answer(3)
# %% [markdown] lang="ko"
# 세어 봅시다. `use_cache=False`로 캐시를 끄고, 정방향 계산마다 위치가 몇 개 들어가는지 훅으로 셉니다.
# %% [markdown] lang="en"
# Count them: `use_cache=False` turns the cache off, and a hook counts the positions that enter the model at
# each forward pass.
# %% id="without-cache" tags=["C20", "slide"]
prompt = tokenizer("The capital of France is", return_tensors="pt").to(model.device)
with kv_cache.counting_positions(model) as positions:
    without = model.generate(**prompt, max_new_tokens=8, do_sample=False, use_cache=False)
print(positions, "→", sum(positions))
print(repr(tokenizer.decode(without[0])))
# %% [markdown] lang="ko"
# 토큰 8개를 쓰려고 위치를 68번 계산했습니다. 서로 다른 위치는 12개뿐인데 말입니다. 되풀이한 계산에서 새로 나온
# 것이 있었을까요?
#
# 첫 번째 정방향 계산과, 토큰이 하나 더 붙은 두 번째 정방향 계산에서 처음 다섯 위치의 **키**와 **값**을 꺼내, 모든
# 층에서 같은지(`True`) 봅니다.
# %% [markdown] lang="en"
# To write eight tokens it computed 68 positions, though only 12 of them are different. Did the repeated work give
# anything new?
#
# Take the **keys** and **values** that the first pass made at the first five positions. Are they the same, in all
# layers, as those of the second pass, which had one token more (`True`)?
# %% id="same-keys" tags=["C20", "slide"]
first = model(without[:, :5]).past_key_values
second = model(without[:, :6]).past_key_values
for name in ("keys", "values"):
    pairs = [(getattr(a, name), getattr(b, name)[:, :, :5]) for a, b in zip(first.layers, second.layers)]
    print(name, all(torch.allclose(a, b, atol=1e-3) for a, b in pairs))
# %% [markdown] lang="ko"
# 똑같습니다. 뒤에 온 토큰은 앞의 위치를 바꾸지 못하기 때문입니다(레슨 04). 그러니 한 번 계산한 것을 버리지 말고
# **남겨 두면** 됩니다.
#
# ## 무엇을 남겨 둘까
#
# 새 위치는 어텐션 층에서만 앞의 위치를 봅니다. 자기 쿼리를 앞 위치들의 키와 비교하고, 그 결과에 따라 앞 위치들의
# 값을 모읍니다. 앞 위치의 쿼리는 다시 쓰이지 않습니다. 그래서 층마다 키와 값만
# 남기면 되고, 이것을 **키와 값 캐시**, 줄여서 **KV 캐시**라고 합니다. 모양은
# `[batch, kv_heads, position, head_dim]`입니다. 키와 값은 층마다 몇 벌(`kv_heads`)씩 있고, 그 벌 하나하나를 **KV
# 헤드**라고 합니다. 벡터 하나의 길이는 `head_dim`입니다.
# %% [markdown] lang="en"
# They are the same: what comes later cannot change an earlier position (lesson 04). So do not throw the result
# away: **keep it**.
#
# ## What to keep
#
# Only in the attention layers does a new position look at those before it. It compares its own query with their
# keys, and gathers their values accordingly. Their queries are never used again. So keys and values are all there is to keep, layer by layer: the **key-value cache**, or
# **KV cache**. Its shape is `[batch, kv_heads, position, head_dim]`. A layer has several sets of keys and values
# (`kv_heads`), each called a **key-value head**, and one vector has the length `head_dim`.
# %% id="what-is-kept"
print(f"layers={len(first.layers)}")
print(f"keys={list(first.layers[0].keys.shape)} values={list(first.layers[0].values.shape)}")
# %% [markdown] lang="ko"
# ### 연습 5.1 · 나만의 KV 캐시
#
# 클래스 `KVCache`를 만드세요. 메서드는 두 개입니다.
#
# - `append(layer, keys, values)`: 그 층의 새 키와 값을 앞서 남겨 둔 것 뒤에 붙이고, 지금까지의
#   `(keys, values)` 전부를 돌려줍니다.
# - `get_seq_length()`: 남겨 둔 위치의 개수를 `int`로 돌려줍니다. 비어 있으면 0입니다.
#
# 채점의 마지막 항목에서는 진짜 모델이 여러분의 캐시로 계산합니다.
# %% [markdown] lang="en"
# ### Exercise 5.1 · A KV cache of your own
#
# Write the class `KVCache`. It has two methods.
#
# - `append(layer, keys, values)` puts a layer's new keys and values after the ones kept so far, and returns
#   all of them, `(keys, values)`.
# - `get_seq_length()` returns how many positions are kept, an `int`, and 0 when the cache is empty.
#
# In the last of the checks the real model computes with your cache.
# %% id="ex-5-1"
class KVCache:
    """모든 층의 키와 값.  각각 [batch, kv_heads, position, head_dim].

    append(layer, keys, values) -> 지금까지 모든 위치의 (keys, values); get_seq_length() -> int.
    """
    """Keys and values of every layer, each [batch, kv_heads, position, head_dim].

    append(layer, keys, values) -> (keys, values) of all positions so far; get_seq_length() -> int.
    """

    # BEGIN SOLUTION
    def __init__(self):
        self.layers = {}

    def append(self, layer, keys, values):
        if layer in self.layers:
            old_keys, old_values = self.layers[layer]
            keys = torch.cat([old_keys, keys], dim=2)
            values = torch.cat([old_values, values], dim=2)
        self.layers[layer] = keys, values
        return keys, values

    def get_seq_length(self):
        return self.layers[0][0].shape[2] if self.layers else 0
    # END SOLUTION


# %% id="check-5-1" kind="implement" difficulty=3 minutes=14
Exercise("5.1").check(KVCache)
# %% [markdown] lang="ko" hints="5.1"
# 1. `__init__`에서 빈 dict를 만드세요. 층 번호 → 그 층에 남겨 둔 것.
# 2. `append`에서는 키와 값을 각각 `torch.cat([old, new], dim=2)`로 이으세요. 아직 dict에 없는 층에는 이을
#    것이 없습니다.
# 3. 이은 한 쌍을 저장하고 돌려주세요. `get_seq_length`는 dict가 비었으면 0, 아니면 아무 층의
#    `keys.shape[2]`입니다.
# %% [markdown] lang="en" hints="5.1"
# 1. In `__init__`, make an empty dict: layer number → what is kept of that layer.
# 2. In `append`, join old and new with `torch.cat([old, new], dim=2)`, for keys and for values; a layer
#    that is not in the dict yet has no old ones.
# 3. Store the joined pair and return it. `get_seq_length` is 0 for an empty dict, else `keys.shape[2]` of
#    any layer.
# %% [markdown] lang="ko"
# ## 같은 글을, 더 적은 계산으로
#
# `transformers`는 기본으로 캐시를 씁니다. 앞에서는 일부러 꺼 두었을 뿐입니다. 이번에는 켜 둔 채로 같은 글을 쓰게
# 합니다. 계산한 위치의 개수와, 두 글이 같은지를 보세요.
# %% [markdown] lang="en"
# ## The same text with less work
#
# `transformers` uses a cache by default; it was only switched off above. Leave it on this time, and let it write
# the same text. Look at how many positions are computed, and whether the two texts are the same.
# %% id="with-cache" tags=["C21"]
with kv_cache.counting_positions(model) as positions:
    cached = model.generate(**prompt, max_new_tokens=8, do_sample=False)
print(positions, "→", sum(positions))
print(f"{torch.equal(without, cached)=}")
# %% [markdown] lang="ko"
# 68번이 12번이 되었고, 글은 토큰 하나 다르지 않습니다. 캐시를 쓰는 생성은 두 단계로 나뉩니다. 프롬프트 전체를 한
# 번에 계산하는 첫 번째가 **프리필**, 그 뒤로 위치 하나씩만 계산하는 것이 **디코드 단계**입니다.
#
# 아래 탐색기에서 *단계*를 한 칸씩 옮겨 보세요. 네모는 이번에 계산한 위치, 점은 캐시에서 읽은 위치이고, 가리키면 어느 토큰인지 나옵니다. 왼쪽은
# 캐시가 없을 때, 오른쪽은 있을 때입니다. 그림의 아래쪽에서는 단계마다 모든 층의 칸이 한꺼번에 차오르고, 예측한
# 바이트와 실제로 잰 바이트가 나란히 늘어납니다.
# %% [markdown] lang="en"
# 68 became 12, and the text is the same, token for token. Generation with a cache has two phases: the first pass
# computes the whole prompt at once, the **prefill**; every pass after it computes a single position, a **decode
# step**.
#
# Move *step* in this explorer, one at a time. A square is a position computed in that step, a dot one that was
# read from the cache; on the left without the cache, on the right with it. Point at
# one, and you are told which token it is. In the lower part of the picture the
# cells of all layers fill up together, step by step, and the bytes grow, predicted and measured.
# %% id="cache-explorer"
cache_explorer = CacheExplorer(model, tokenizer, "The capital of France is")
cache_explorer
# %% id="cache-explorer-driven" tags=["solution", "slide"]
cache_explorer.set(step=8)
# %% [markdown] lang="ko"
# ### 연습 5.2 · 위치를 몇 번 계산할까
#
# 프롬프트가 `prompt_tokens`개, 새로 쓸 토큰이 `new_tokens`개(1개 이상)일 때 위치를 모두 몇 번 계산하는지 `int`로
# 돌려주세요. 위의 글이라면 앞에서 본 68과 12가 나와야 합니다. 마지막으로 쓴 토큰은 모델에 다시 들어가지 않는다는
# 점에 주의하세요.
# %% [markdown] lang="en"
# ### Exercise 5.2 · How many positions?
#
# After a prompt of `prompt_tokens` the model writes `new_tokens` more (1 or more). Return the number of positions
# that all passes compute together, as an `int`. For the text above it should be the 68 and the 12 that you saw.
# Mind that the last token written never goes into the model.
# %% id="ex-5-2"
def positions_computed(prompt_tokens, new_tokens, use_cache):
    """캐시가 있을 때나 없을 때, 위치를 모두 몇 번 계산하는지(int)."""
    """Return how many positions are computed in all (int), with the cache or without it."""
    # BEGIN SOLUTION
    if use_cache:
        return prompt_tokens + new_tokens - 1
    return sum(prompt_tokens + step for step in range(new_tokens))
    # END SOLUTION


# %% id="check-5-2" kind="implement" difficulty=1 minutes=7
Exercise("5.2").check(positions_computed)
# %% [markdown] lang="ko" hints="5.2"
# 1. 캐시가 없으면 첫 번째 정방향 계산은 프롬프트의 위치를, 그다음부터는 위치를 하나씩 더 계산합니다.
# 2. 캐시가 있으면 첫 번째는 프롬프트의 위치를, 그 뒤로는 위치를 하나씩만 계산합니다.
# 3. 정방향 계산은 `new_tokens`번입니다. 캐시가 있으면 첫 번째가 `prompt_tokens`, 나머지는 1씩입니다.
# %% [markdown] lang="en" hints="5.2"
# 1. Without the cache the first pass computes the prompt, and each later one a position more than the one before.
# 2. With it, the first pass computes the prompt, and every later one a single position.
# 3. There are `new_tokens` passes. With the cache that makes `prompt_tokens` for the first and 1 for each
#    of the others.
# %% [markdown] lang="ko"
# ## 얼마나 빨라질까
#
# 캐시가 없으면 한 단계에 위치 n개를 계산하므로 단계가 갈수록 느려지고, n단계의 시간을 모두 더하면 n²에
# 비례합니다. 캐시가 있으면 단계마다 위치 하나뿐입니다. 이 컴퓨터에서 재어 봅시다. 길이가 16, 32, …, 512토큰인 글
# 뒤에서 한 단계의 시간을 두 가지 방법으로 잽니다. 몇 초가 걸립니다.
# %% [markdown] lang="en"
# ## How much faster?
#
# Without the cache a step computes n positions, so each step is slower than the one before, and n steps together
# take time in proportion to n². With the cache a step computes one position. Measure it on this machine: the time
# of one step after texts of 16, 32, … 512 tokens, both ways. It takes a few seconds.
# %% id="measure" tags=["nbval-ignore-output"]
times = measure_steps(model)
for length, slow, fast in zip(times.lengths, times.without, times.cached):
    print(f"{length:4} tokens   without {slow:.3f} s   with {fast:.3f} s   {slow / fast:.0f} ×")
# %% [markdown] lang="ko"
# 질문 아래의 탐색기에서 왼쪽 그림은 방금 잰 한 단계의 시간, 오른쪽 그림은 그것을 더한 답 전체의 시간이고, 맨 위에
# 합계가 있습니다. 가로축과 세로축은 모두 로그 눈금입니다. 파선은 n에, 점선은 n²에 비례하는 안내선입니다. 글이 짧을 때 n²보다
# 완만한 것은, 위치가 몇 개든 정방향 계산 한 번에 가중치를 모두 한 번 읽어야 하기 때문입니다.
#
# 탐색기를 움직이기 전에 예상해 보세요. *새 토큰*을 1로 내리면 캐시는 얼마나 도움이 될까요?
# %% [markdown] lang="en"
# In the explorer below the question, on the left, are the steps just measured; on the right is their sum, the
# time of a whole answer; the totals are at the top. Both axes are logarithmic. The dashed guide is in proportion to n, the dotted one to n².
# For short texts the time rises more gently than n², because a pass has to read all the weights once, for however
# few positions.
#
# Guess before you move anything: with *new tokens* at 1, how much does the cache help?
# %% id="question-b"
one_token_question = Question("5.b")
one_token_question
# %% [markdown] lang="ko" question="5.b"
# 새 토큰을 하나만 씁니다. 캐시는 시간을 얼마나 줄여 줄까요?
#
# - [x] 전혀 줄여 주지 못한다
# - [ ] 절반쯤
#   - 줄어드는 것은 앞에서 남겨 둔 것을 다시 읽을 때입니다. 첫 번째 정방향 계산을 할 때 캐시에는 무엇이 들어 있나요?
# - [ ] 긴 답을 쓸 때만큼
#   - 긴 답에서는 둘째 토큰부터의 단계마다 시간을 아낍니다. 토큰을 하나만 쓰면 그런 단계가 몇 개인가요?
#
# 캐시가 있든 없든 첫 번째 정방향 계산은 프롬프트 전체를 계산해야 합니다. 남겨 둔 것은 그다음 단계부터 읽을 수
# 있습니다.
# %% [markdown] lang="en" question="5.b"
# Only one new token is written. How much time does the cache save?
#
# - [x] nothing at all
# - [ ] about half
#   - Time is saved by reading what was kept before. What does the cache hold when the first pass begins?
# - [ ] as much as with a long answer
#   - With a long answer, each step from the second token on saves time. How many such steps are there for one
#     token?
#
# The first pass has to compute the whole prompt, cache or no cache. Only the steps after it can read what was
# kept.
# %% id="question-b-answered" tags=["solution"]
one_token_question.answer(1)
# %% id="times-explorer" tags=["C21", "nbval-ignore-output", "slide"]
times_explorer = StepTimesExplorer(times)
times_explorer
# %% id="times-explorer-one" tags=["solution", "nbval-ignore-output"]
times_explorer.set(new_tokens=1)
# %% [markdown] lang="ko"
# ## 캐시를 쓸 수 있을 때와 없을 때
#
# 캐시가 도움이 되지 않는 첫 번째 경우는 방금 보았습니다. 토큰 하나만 쓰면 프리필이 전부이고, 읽을 캐시가 아직
# 없습니다. 긴 글을 주고 "예", "아니요"로만 답하게 하는 일이 그렇습니다.
#
# 두 번째는 **앞부분이 바뀌는** 경우입니다. 캐시에 `My name is Sarah and I like`가 있는데 이름만 바꾸려 합니다.
# 캐시의 어느 위치를 그대로 쓸 수 있을까요?
# %% [markdown] lang="en"
# ## When the cache can be used
#
# You have just seen the first case in which the cache does not help: to write a single token, the prefill is all
# there is, and there is nothing to read yet. So it is when a long text is given and only a "yes" or a "no" is
# wanted.
#
# The second case is a **changed beginning**. The cache holds `My name is Sarah and I like`, and only the name is
# to be changed. Which positions of the cache can stay?
# %% id="question-c"
prefix_question = Question("5.c")
prefix_question
# %% [markdown] lang="ko" question="5.c"
# 글 가운데의 `Sarah`가 `David`로 바뀝니다. 캐시의 어느 위치를 그대로 쓸 수 있을까요?
#
# - [ ] 바뀐 위치만 빼고 모두
#   - 어텐션은 위치마다 그 앞을 모두 읽습니다. 바뀐 이름을 읽은 위치는 어디인가요?
# - [x] 바뀐 위치보다 앞에 있는 것만
# - [ ] 하나도 없다
#   - `My name is`의 키와 값은 이름을 읽기 전에 계산한 것입니다. 그것이 이름에 따라 달라질까요?
#
# 뒤의 위치들은 모두 그 이름을 보았으므로 키와 값도 달라집니다. 이름보다 앞에 있는 위치는 이름을 본 적이
# 없습니다.
# %% [markdown] lang="en" question="5.c"
# `Sarah` becomes `David` in the middle of a text. Which positions of the cache can stay?
#
# - [ ] all but the changed one
#   - Through attention each position reads all those before it. Which positions have read the name?
# - [x] only those before the changed one
# - [ ] no position at all
#   - The keys and values of `My name is` were computed before the name was read. Can they depend on it?
#
# Every later position has looked at the name, so its keys and values change too. What stands before the
# name never saw it.
# %% id="question-c-answered" tags=["solution"]
prefix_question.answer(2)
# %% [markdown] lang="ko"
# 두 글의 캐시를 위치마다 비교합니다. 모든 층의 키와 값이 같으면 `True`입니다.
# %% [markdown] lang="en"
# Compare the two caches, position by position: `True` where the keys and values of all layers are the same.
# %% id="changed-prefix" tags=["C21"]
texts = ("My name is Sarah and I like", "My name is David and I like")
one, two = (tokenizer(text, return_tensors="pt").input_ids.to(model.device) for text in texts)
kept, needed = model(one).past_key_values, model(two).past_key_values
for i, token in enumerate(two[0]):
    same = [torch.equal(a.keys[:, :, i], b.keys[:, :, i]) for a, b in zip(kept.layers, needed.layers)]
    same += [torch.equal(a.values[:, :, i], b.values[:, :, i]) for a, b in zip(kept.layers, needed.layers)]
    print(f"{tokenizer.decode(token)!r:10}", all(same))
# %% [markdown] lang="ko"
# 바뀐 토큰부터는, 토큰이 같은 뒤쪽까지 모두 다시 계산해야 합니다. 거꾸로 말하면 **앞부분이 같은** 글끼리는 그
# 부분의 캐시를 함께 쓸 수 있습니다. API를 쓸 때 늘 같은 지시문은 앞에, 매번 바뀌는 것은 뒤에 두라고 하는 까닭이
# 이것입니다.
#
# ## 대가는 메모리
#
# 캐시는 계산을 줄이는 대신 메모리를 씁니다. 얼마나 쓸지는 설정값만으로 미리 계산할 수 있습니다.
#
# $$2 \times \text{layers} \times \text{kv\_heads} \times \text{head\_dim} \times \text{tokens} \times \text{bytes}$$
#
# 2는 키와 값이 하나씩 있기 때문입니다. 토큰 100개를 넣어서 예측과 실제 캐시의 크기를 비교해 봅시다. 첫 줄은
# 차례로 층의 개수, KV 헤드의 개수, 헤드의 크기, 숫자 형식이고, 그 아래가 바이트 수입니다.
# %% [markdown] lang="en"
# From the changed token on everything has to be computed again, even where the words are the same. Seen the other
# way round, texts with **the same beginning** can share the cache of that part. That is why, with an API, the
# instructions that never change belong at the front, and what changes each time at the end.
#
# ## The price is memory
#
# The cache saves work and takes memory. How much can be told beforehand, from the config alone:
#
# $$2 \times \text{layers} \times \text{kv\_heads} \times \text{head\_dim} \times \text{tokens} \times \text{bytes}$$
#
# The 2 stands for keys and values. Put in 100 tokens, and compare the prediction with the real cache. The first
# line is the number of layers, the number of key-value heads, the head size, and the number format; below it are
# bytes.
# %% id="predicted-measured" tags=["C22", "slide"]
config = model.config
hundred = model(torch.arange(100, device=model.device)[None]).past_key_values
kv_heads, head_dim = hundred.layers[0].keys.shape[1::2]
print(config.num_hidden_layers, kv_heads, head_dim, model.dtype)
print("predicted", kv_cache.predicted_cache_bytes(config, 100, dtype=model.dtype))
print("measured ", kv_cache.measured_cache_bytes(hundred))
# %% [markdown] lang="ko"
# ### 연습 5.3 · 캐시의 크기
#
# 위의 식을 함수로 쓰세요. 결과는 바이트 수이고 `int`입니다.
# %% [markdown] lang="en"
# ### Exercise 5.3 · The size of the cache
#
# Write the formula above as a function. The result is a number of bytes, an `int`.
# %% id="ex-5-3"
def cache_bytes(layers, kv_heads, head_dim, tokens, bytes_per_number):
    """그만큼의 토큰이 남기는 키와 값의 바이트 수(int)."""
    """Return how many bytes (int) the keys and values of so many tokens take."""
    # BEGIN SOLUTION
    return 2 * layers * kv_heads * head_dim * tokens * bytes_per_number
    # END SOLUTION


# %% id="check-5-3" kind="implement" difficulty=1 minutes=5
Exercise("5.3").check(cache_bytes)
# %% [markdown] lang="ko" hints="5.3"
# 1. 한 층의 키에는 숫자가 몇 개 들어 있나요? 모양은 `[kv_heads, position, head_dim]`입니다.
# 2. 값에도 키만큼 있고, 그만큼이 층마다 있습니다.
# 3. 2와 인수 다섯 개를 모두 곱하세요.
# %% [markdown] lang="en" hints="5.3"
# 1. How many numbers are the keys of one layer? `[kv_heads, position, head_dim]`.
# 2. There are as many values as keys, and the same again in every layer.
# 3. Multiply 2 and all five arguments.
# %% [markdown] lang="ko"
# 큰 모델에서는 어떨까요? Llama-3-70B(층 80개, KV 헤드 8개, 헤드 크기 128)가 8,192토큰짜리 글 32개를 한꺼번에 쓰는
# 서버를 떠올려 보세요. 숫자 하나는 2바이트이고, 가중치는 141GB입니다.
# %% [markdown] lang="en"
# And a large model? Think of a server on which Llama-3-70B (80 layers, 8 key-value heads of size 128) writes 32
# texts of 8,192 tokens at once. A number takes 2 bytes, and the weights take 141 GB.
# %% id="question-d"
memory_question = Question("5.d")
memory_question
# %% [markdown] lang="ko" question="5.d"
# 글 32개가 모두 가득 찼을 때 이 서버의 캐시는 얼마나 클까요?
#
# - [ ] 1GB도 되지 않는다
#   - 글 하나만 해도 2 × 80 × 8 × 128 × 8,192개의 수가 들고, 2바이트씩이면 2.7GB입니다.
# - [ ] 10GB쯤
#   - 글 하나에 2.7GB이니 10GB면 글 네 개도 담지 못합니다. 글은 32개입니다.
# - [x] 가중치 크기의 절반이 넘는다
#
# 2 × 80 × 8 × 128 × 8,192 × 32 × 2바이트는 86GB이고, 가중치는 141GB입니다. 한꺼번에 몇 사람에게 답할 수 있는지는
# 캐시가 정할 때가 많습니다.
# %% [markdown] lang="en" question="5.d"
# How large is that server's cache when all 32 texts are full?
#
# - [ ] less than 1 GB
#   - One text alone takes 2 × 80 × 8 × 128 × 8,192 numbers, which at 2 bytes each are 2.7 GB.
# - [ ] about 10 GB
#   - One text takes 2.7 GB, so 10 GB do not even hold four. There are 32.
# - [x] more than half the size of the weights
#
# 2 × 80 × 8 × 128 × 8,192 × 32 × 2 bytes are 86 GB; the weights are 141 GB. How many people can be served at once
# is often a question of the cache.
# %% id="question-d-answered" tags=["solution"]
memory_question.answer(3)
# %% [markdown] lang="ko"
# 탐색기로 확인하세요. *토큰 수*를 8,192, *동시에 쓰는 글*을 32로 맞추면 방금의 서버입니다.
# 계산에는 모델의 공개된 설정값을 씁니다. 쿼리 헤드 여러 개가 KV 헤드 하나를 함께 쓰는 것을 **그룹 쿼리
# 어텐션**이라고 하고, 쿼리 헤드마다 따로 갖는 것을 **멀티 헤드 어텐션**이라고 합니다. 빗금 친 막대는 그룹으로
# 묶지 않았을 때 필요한 메모리입니다. *모델*을 Llama-2-7B에서 Llama-3-8B로 바꾸면 캐시는 어떻게 되나요?
# %% [markdown] lang="en"
# Check it in the explorer: that server is *tokens* 8,192 and *texts at once* 32. It computes
# from the models' published configs. Where several query heads share one key-value head, that is **grouped-query
# attention**; where each query head has its own, **multi-head attention**. The hatched bar is the memory it would
# take without the grouping. What happens to the cache when you change *model* from Llama-2-7B to Llama-3-8B?
# %% id="memory-explorer"
memory_explorer = MemoryExplorer("Llama-3-70B")
memory_explorer
# %% id="memory-explorer-70b" tags=["solution", "slide"]
memory_explorer.set(tokens=8192, batch=32)
# %% [markdown] lang="ko"
# 글 하나가 2,048토큰일 때를 한 표로 봅시다. 가중치와 캐시의 단위는 MB이고, 숫자 하나는 2바이트입니다.
# %% [markdown] lang="en"
# Here are all the models in one table, for one text of 2,048 tokens: weights and cache in MB, with 2 bytes for a
# number.
# %% id="memory-by-model" tags=["C22"]
for name, known in KNOWN_MODELS.items():
    use = memory_use(name, tokens=2048, batch=1, dtype=torch.bfloat16)
    heads = f"heads={known.heads:<3} kv_heads={known.kv_heads:<3}"
    print(f"{name:15} {heads} weights={use.weights / 1e6:<9,.0f} cache={use.cache / 1e6:,.0f}")
# %% [markdown] lang="ko"
# Llama-2-7B와 Llama-3-8B는 가중치의 크기가 비슷하지만, KV 헤드가 32개에서 8개로 줄어 캐시는 4분의 1입니다. 요즘
# 모델이 대부분 그룹 쿼리 어텐션을 쓰는 까닭입니다. 탐색기에서 Phi-3-mini-4k를 고르면 캐시의 선이 2,047토큰쯤에서
# 꺾입니다. 앞을 그만큼만 보는 모델이어서 더 오래된 키와 값은 버립니다.
#
# ## 캐시로 글쓰기
#
# 이제 캐시를 쓰는 루프를 만듭니다. 모델에 `past_key_values`로 캐시를 주면 모델은 새로 들어온 위치만 계산하고,
# 늘어난 캐시를 `output.past_key_values`로 돌려줍니다. 처음에는 `None`을 줍니다.
#
# ### 연습 5.4 · 캐시를 쓰는 루프
#
# 프롬프트는 한 번만, 그 뒤로는 새 토큰 하나만 모델에 넣으세요. 프롬프트까지 포함한 id 전체를 `[1, position]`으로
# 돌려줍니다. 끝 토큰(`model.generation_config.eos_token_id`)이 나오면 그것을 붙인 다음 멈추고, 아니면
# `max_new_tokens`개를 쓰고 멈춥니다. `model.generate`의 결과와 토큰 하나 다르지 않아야 합니다.
# %% [markdown] lang="en"
# The weights of Llama-2-7B and Llama-3-8B are of similar size, yet the cache is a quarter, because 32 key-value
# heads became 8. That is why most models of today use grouped-query attention. Choose Phi-3-mini-4k in the
# explorer, and the cache's line bends at about 2,047 tokens: it looks back no further, and throws older keys and
# values away.
#
# ## Writing with the cache
#
# Now write the loop once more, with the cache. Given a cache as `past_key_values`, the model computes only the
# positions that are new, and returns the longer cache as `output.past_key_values`. The first time, give it
# `None`.
#
# ### Exercise 5.4 · The loop with a cache
#
# Put the prompt into the model once, and after that only the newest token. Return all ids, the prompt's too, as
# `[1, position]`. If the end token comes (`model.generation_config.eos_token_id`), append it and stop; otherwise
# stop after `max_new_tokens`. The result should be that of `model.generate`, token for token.
# %% id="ex-5-4"
def generate_with_cache(model, input_ids, max_new_tokens):
    """input_ids와 그다음의 1등 토큰들, int64 [1, position + new]."""
    """Return [1, position + new]: input_ids and the likeliest tokens after it, int64."""
    # BEGIN SOLUTION
    cache, unseen = None, input_ids
    for _ in range(max_new_tokens):
        output = model(unseen, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        unseen = output.logits[:, -1].argmax(-1, keepdim=True)
        input_ids = torch.cat([input_ids, unseen], dim=1)
        if unseen.item() == model.generation_config.eos_token_id:
            break
    return input_ids
    # END SOLUTION


# %% id="check-5-4" kind="implement" difficulty=3 minutes=15
Exercise("5.4").check(generate_with_cache)
# %% [markdown] lang="ko" hints="5.4"
# 1. 두 가지를 기억하세요. `None`에서 시작하는 `cache`와, 모델이 아직 읽지 않은 것으로 `input_ids`에서
#    시작하는 `unseen`입니다.
# 2. 루프 안에서 `output = model(unseen, past_key_values=cache, use_cache=True)`, 그다음 `cache =
#    output.past_key_values`입니다.
# 3. 새 토큰은 `output.logits[:, -1].argmax(-1, keepdim=True)`입니다. 이것이 다음 `unseen`이 되고,
#    `input_ids`의 끝에도 붙습니다.
# %% [markdown] lang="en" hints="5.4"
# 1. Keep two things: `cache`, which begins as `None`, and `unseen`, what the model has not read yet, which
#    begins as `input_ids`.
# 2. In the loop: `output = model(unseen, past_key_values=cache, use_cache=True)`, then `cache =
#    output.past_key_values`.
# 3. The new token is `output.logits[:, -1].argmax(-1, keepdim=True)`. It is the next `unseen`, and goes to
#    the end of `input_ids`.
# %% [markdown] lang="ko"
# 강좌의 `generate_with_cache`도 같은 루프입니다. 캐시를 끈 `generate`(위), 켠 `generate`(아래)와 글이
# 같은지(`True`) 확인합니다.
# %% [markdown] lang="en"
# The course's own `generate_with_cache` is this same loop. Does it write the same (`True`) as `generate` without
# the cache (above) and `generate` with it (below)?
# %% id="three-ways" tags=["C21"]
ours = kv_cache.generate_with_cache(model, prompt.input_ids, 8)
for use_cache in (False, True):
    options = {"max_new_tokens": 8, "do_sample": False, "use_cache": use_cache}
    print(torch.equal(ours, model.generate(**prompt, **options)))
# %% [markdown] lang="ko"
# ## 그래도 기다려야 한다
#
# 캐시를 써도 답이 길면 몇 초가 걸립니다. 앞의 탐색기에서 새 토큰 200개에 걸린 시간을 보세요. 빈 화면 앞에서
# 그만큼 기다리고 싶은 사람은 없습니다. 그래서 LLM API는 대부분 글이 다 되기 전에 토큰을 나오는 대로 보냅니다.
# 이것이 **스트리밍**입니다. 스트리밍을 하면 마지막 토큰은 언제 올까요?
# %% [markdown] lang="en"
# ## There is still a wait
#
# Even with the cache a long answer takes seconds: see the time of 200 new tokens in the explorer above. Nobody
# likes to wait that long in front of an empty page. So most LLM APIs send the tokens as they come, before the
# text is done: that is **streaming**. When a text is streamed, when does its last token come?
# %% id="question-e"
streaming_question = Question("5.e")
streaming_question
# %% [markdown] lang="ko" question="5.e"
# 같은 글을 스트리밍할 때와 하지 않을 때, 마지막 토큰은 언제 올까요?
#
# - [ ] 스트리밍하면 훨씬 일찍
#   - 스트리밍을 하면 정방향 계산이 줄어드나요? 마지막 토큰 앞에는 똑같이 많은 단계가 있습니다.
# - [x] 거의 같은 때에
# - [ ] 스트리밍하면 훨씬 늦게
#   - 글 조각 하나를 내보내는 데 드는 시간은 정방향 계산 한 번에 비하면 아주 짧습니다.
#
# 스트리밍은 계산을 빠르게 하지 않습니다. 토큰을 마지막에 한꺼번에 보여 주는 대신, 나올 때마다 보여 줄
# 뿐입니다.
# %% [markdown] lang="en" question="5.e"
# One text is streamed, the same text is not. When does its last token arrive?
#
# - [ ] much earlier when it is streamed
#   - Does streaming save any forward pass? Just as many steps come before the last token.
# - [x] at about the same time
# - [ ] much later when it is streamed
#   - Passing on one piece of text takes very little, compared with a forward pass.
#
# Streaming computes nothing faster. It only shows each token when it is there, instead of all of them at the end.
# %% id="question-e-answered" tags=["solution"]
streaming_question.answer(2)
# %% [markdown] lang="ko"
# `transformers`에는 `TextIteratorStreamer`가 있습니다. `generate`가 다른 스레드(`Thread`, 동시에 실행되는 또
# 하나의 흐름)에서 글을 쓰는 동안 여기서는 조각을 받습니다. 첫 조각이 온 시각과 마지막 조각이 온 시각을 비교해
# 보세요.
# %% [markdown] lang="en"
# `transformers` has a `TextIteratorStreamer`: while `generate` writes in another thread (`Thread`, a second flow
# of execution at the same time), the pieces arrive here. Compare when the first piece came, and when the last.
# %% id="first-and-last" tags=["C23", "nbval-ignore-output"]
question = [{"role": "user", "content": "Tell me about the sea in three sentences."}]
chat = tokenizer.apply_chat_template(
    question, add_generation_prompt=True, return_tensors="pt", return_dict=True
).to(model.device)
streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
options = {**chat, "streamer": streamer, "max_new_tokens": 32, "do_sample": False}
start, came = time.perf_counter(), []
writer = Thread(target=model.generate, kwargs=options)
writer.start()
for piece in filter(None, streamer):
    came.append(time.perf_counter() - start)
    print(piece, end="", flush=True)
writer.join()
print(f"\n\nfirst piece after {came[0]:.2f} s, last after {came[-1]:.2f} s")
# %% [markdown] lang="ko"
# 답 전체가 빨라진 것은 아닙니다. 그러나 읽는 사람은 프리필이 끝나자마자 읽기 시작할 수 있습니다. 그래서 서비스는
# 속도를 둘로 나누어 잽니다. **첫 토큰까지의 시간**은 프리필이 정하고(프롬프트가 길수록 늦습니다), 그 뒤로 **초당
# 토큰 수**는 디코드 단계가 정합니다.
#
# ### 반쪽짜리 글자
#
# 나오는 대로 보여 줄 때 조심할 것이 있습니다. 한글 음절은 UTF-8로 3바이트, 이모지는 보통 4바이트이고, 토큰은 그
# 중간에서 끝나기도 합니다. 토큰을 하나씩 따로 디코딩하면 이렇게 됩니다. 첫 수는 토큰의 개수입니다.
# %% [markdown] lang="en"
# The whole answer is no faster, but one can begin to read as soon as the prefill is done. So a service measures
# its speed twice: the **time to the first token** is set by the prefill (the longer the prompt, the later), and
# the **tokens a second** after that by the decode steps.
#
# ### Half a character
#
# Showing a text as it comes has a snag. In UTF-8 a Hangul syllable takes 3 bytes and an emoji usually 4, and a
# token may end in the middle of them. Decode the tokens one by one, and this is what you get. The number in front
# counts the tokens.
# %% id="half-characters" tags=["C23", "slide"]
ids = tokenizer("서울에서 만나요 🐿").input_ids
print(len(ids), [tokenizer.decode([token_id]) for token_id in ids])
print(tokenizer.decode(ids))
# %% [markdown] lang="ko"
# ### 연습 5.5 · 확실해진 만큼 내보내기
#
# 토큰 id를 하나씩 받아, 확실해진 글을 곧바로 `yield`하는 제너레이터(값을 하나씩 내놓는 함수)를 만드세요. 아직
# 온전하지 않은 글자는 나머지가 올 때까지 붙들어 두고, 끝까지 오지 않으면 버립니다. 조각을 이으면 글 전체가 되어야
# 합니다. 특수 토큰은 `skip_special_tokens=True`로 뺍니다.
# %% [markdown] lang="en"
# ### Exercise 5.5 · As much as is certain
#
# Write a generator (a function that hands out values one by one): it takes token ids one by one, and should
# `yield` text as soon as it is certain. Hold a character back until all of it has come, and drop it if the rest
# never comes. Joined, the pieces are the whole text. Leave special tokens out with `skip_special_tokens=True`.
# %% id="ex-5-5"
def stream_text(token_ids, tokenizer):
    """token_ids(int가 차례로 나온다)의 글(str)을, 확실해지는 대로 한 조각씩 yield."""
    """Yield the text (str) of token_ids, an iterable of int, piece by piece as it becomes certain."""
    # BEGIN SOLUTION
    ids, given = [], 0
    for token_id in token_ids:
        ids.append(token_id)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        certain = text.rstrip("\N{REPLACEMENT CHARACTER}")
        if len(certain) > given:
            yield certain[given:]
            given = len(certain)
    # END SOLUTION


# %% id="check-5-5" kind="implement" difficulty=4 minutes=14
Exercise("5.5").check(stream_text)
# %% [markdown] lang="ko" hints="5.5"
# 1. 지금까지의 id를 모두 리스트에 모으고, 새 id가 올 때마다 전체를 디코딩하세요.
# 2. 아직 온전하지 않은 글자는 `�`(U+FFFD)로 디코딩되어 글의 끝에 옵니다.
# 3. `certain = text.rstrip('�')`로 두고, `certain`에서 이미 내보낸 것을 뺀 나머지를 내보낸 다음 어디까지
#    내보냈는지 기억하세요.
# %% [markdown] lang="en" hints="5.5"
# 1. Keep a list of all ids so far, and decode all of them each time a new one comes.
# 2. An unfinished character is decoded as `�`, U+FFFD, and stands at the end of the text.
# 3. `certain = text.rstrip('�')`; yield what `certain` has beyond what you have given out already, and
#    remember how long that is.
# %% [markdown] lang="ko"
# 강좌의 `stream_text`로 위의 글을 다시 스트리밍하면 온전한 글자만 나옵니다. 이어서 진짜 모델에 연결하면,
# `generation_steps`가 토큰을 쓸 때마다 글이 한 조각씩 나타납니다.
# %% [markdown] lang="en"
# The course's own `stream_text` gives the text above in whole characters only. Connected to the real model, it
# shows a piece of text each time `generation_steps` has written a token.
# %% id="streamed" tags=["C23"]
print(list(parts.stream_text(ids, tokenizer)))
steps = generation_steps(model, tokenizer, "Once upon a time", 24)
for piece in parts.stream_text((step.token_id for step in steps), tokenizer):
    print(piece, end="", flush=True)
# %% [markdown] lang="ko"
# ## 정리
#
# - 캐시가 없으면 단계마다 글 전체를 다시 계산합니다. 그런데 앞 위치의 결과는 매번 같습니다.
# - 층마다 키와 값을 남기면 프리필 뒤로는 한 단계에 위치 하나만 계산하고, 글은 토큰 하나 다르지 않습니다.
# - 토큰 하나만 쓸 때와 앞부분이 바뀌었을 때는 도움이 되지 않습니다.
# - 대가는 메모리입니다. 층의 개수, KV 헤드의 개수, 헤드 크기, 토큰 수에 비례하고, 그룹 쿼리 어텐션이 이를
#   줄입니다.
# - 그래도 긴 답은 몇 초가 걸리므로 글을 스트리밍하고, 반쪽짜리 글자는 온전해질 때까지 붙들어 둡니다.
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | 두 번째 토큰부터는 덧붙인 글로 처음부터 다시 계산한다 | *두 번째 단계는 첫 번째 단계의 계산을 되풀이한다* |
# | 앞 스트림의 계산을 캐싱하면 되풀이하지 않아도 된다 | *무엇을 남겨 둘까*. 남기는 것은 계산 결과 전부가 아니라 층마다의 키와 값입니다 |
# | 이것이 키와 값 캐시이고, 생성이 크게 빨라진다 | *얼마나 빨라질까*. **다릅니다:** 토큰 하나만 쓸 때나 앞부분이 바뀌었을 때는 그렇지 않고, 대신 메모리가 듭니다(*대가는 메모리*) |
# | 캐시는 기본으로 켜져 있고 `use_cache`로 끈다 | *두 번째 단계는 첫 번째 단계의 계산을 되풀이한다*와 *같은 글을, 더 적은 계산으로* |
# | 그래도 오래 걸리니 API는 글을 스트리밍한다 | *그래도 기다려야 한다* |
#
# **지금까지 만든 것:** `KVCache`, `positions_computed`, `cache_bytes`, `generate_with_cache`, `stream_text`.
# 캐시와 스트리밍은 레슨 08에서 조립할 LLM의 부품이고, 루프는 거기서 내 모델에 맞게 다시 만듭니다.
#
# **다음 레슨:** 캐시에 남긴 키와 값은 트랜스포머 블록 안에서 나왔습니다. 레슨 06에서 그 안으로 들어갑니다.
# %% [markdown] lang="en"
# ## What you know now
#
# - Without a cache every step computes the whole text again, and for earlier positions the result never changes.
# - With the keys and values of every layer kept, a step after the prefill computes one position, and the text is
#   the same, token for token.
# - It does not help with a single new token, nor where the beginning of the text has changed.
# - Its price is memory, in proportion to layers, key-value heads, head size and tokens; grouped-query attention
#   lowers it.
# - A long answer still takes seconds, so texts are streamed, and half a character is held back until it is whole.
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | From the second token on, the longer text is computed from the start again | *The second step does the first one's work again* |
# | With the work on earlier streams cached, it need not be repeated | *What to keep*. What is kept is not all that was computed, but the keys and values of each layer |
# | This is the key-value cache, and it makes generation much faster | *How much faster?* **It differs:** not for a single token, nor where the beginning has changed; and it takes memory (*The price is memory*) |
# | The cache is on unless `use_cache` turns it off | *The second step does the first one's work again* and *The same text with less work* |
# | It still takes long, so APIs stream the text | *There is still a wait* |
#
# **What you have built so far:** `KVCache`, `positions_computed`, `cache_bytes`, `generate_with_cache`,
# `stream_text`. The cache and the streaming are parts of the LLM that you assemble in lesson 08, where you
# write the loop again for a model of your own.
#
# **Next lesson:** the keys and values in the cache come from inside the transformer blocks. Lesson 06 goes in.
