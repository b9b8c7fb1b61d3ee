# %% [markdown] lang="ko"
# # 07 · 어텐션: 어디를 보고, 무엇을 가져오나
#
# **이 레슨을 마치면** 어텐션 층을 행렬 네 개에서부터 직접 계산해 모델의 층과 똑같은 결과를 내고, 어텐션 헤드가
# 맡은 일을 찾아내고, 어텐션 가중치로 알 수 있는 것과 알 수 없는 것을 구별할 수 있습니다.
#
# **140분** = 읽고 실행하기 50분 + 연습 문제 90분. 가운데의 *쉬어 가기*에서 둘로 나눌 수 있습니다 · 노트의 *어텐션이 전부입니다*,
# *어텐션 계산 과정*, *셀프 어텐션: 관련성 점수 계산*, *셀프 어텐션: 정보 통합*에 해당합니다.
# %% [markdown] lang="en"
# # 07 · Attention: where to look, and what to take
#
# **After this lesson you will be able to** compute an attention layer from its four matrices, equal to the
# model's own, find heads that have a job, and tell apart what attention weights explain and what they do not.
#
# **140 minutes** = 50 to read and run + 90 for the exercises, in two halves if you like: stop at *A place to stop* ·
# It mirrors the notes' sections *attention is all you need*, *how attention is computed*, *self-attention: relevance
# scores* and *self-attention: combining information*.
# %% [markdown] lang="ko" lesson="07"
# 어텐션 층 전체
#
# - C27 어텐션은 관련성 점수 매기기와 정보 통합, 두 단계로 이루어진다
# - C28 어텐션 여러 벌이 헤드로 나란히 실행된다
# - C29 어텐션의 입력: 현재 위치의 벡터와 그 앞의 벡터들
# - C30 훈련된 투영 행렬 세 개: 쿼리, 키, 값
# - C31 점수는 쿼리와 키의 곱이고, 소프트맥스를 거치면 합이 1이 된다
# - C32 출력은 값의 가중합이다
# %% [markdown] lang="en" lesson="07"
# a whole attention layer
#
# - C27 Attention has two steps: relevance scoring, and combining information
# - C28 Several attentions run in parallel, as heads
# - C29 Attention's inputs: the vector of the current position and those before it
# - C30 Three trained projection matrices: query, key, value
# - C31 Scores are queries times keys; softmax makes them sum to 1
# - C32 The output is the values, weighted and summed
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

course_map("07")
# %% id="imports"
import torch

from course.exercise import Exercise, Question
from utils import parts
from utils.architecture import attention_modules, projections
from utils.attention import record_attention, without_head
from utils.explorers.attention import AttentionExplorer
from utils.explorers.head_patterns import HeadPatternExplorer
from utils.explorers.turning import TurningExplorer
from utils.figures.head_shapes import head_shapes_picture
from utils.head_shapes import head_shapes
from utils.model import load_model
from utils.parts import causal_mask
from utils.streams import trace_streams

# %% [markdown] lang="ko"
# ## `it`은 무엇을 보나
#
# `record_attention`은 문장 하나를 모델에 통과시키면서 모든 어텐션 층이 계산한 것을 그대로 적어 둡니다. 출력은
# 토큰, 층의 개수, 그리고 27번 층 가중치의 모양 `[head, query, key]`입니다. 층, 헤드, 위치의 번호는 모두 0부터
# 셉니다.
# %% [markdown] lang="en"
# ## What does `it` look at?
#
# `record_attention` sends a text through the model and writes down what every attention layer computes. The
# cell prints the tokens, the number of layers, and the shape of layer 27's weights, `[head, query, key]`.
# Layers, heads and positions are all counted from 0.
# %% id="record"
model, tokenizer = load_model()
text = "The dog chased the squirrel because it"
record = record_attention(model, tokenizer, text)
print(record.tokens)
print(record.layers, list(record.weights[27].shape))
# %% [markdown] lang="ko"
# 사람은 `it`을 읽으면 앞에 나온 무언가를 떠올립니다. 모델의 27번 층 2번 헤드는 `it`의 위치에서 어느 토큰을 가장
# 많이 볼까요?
# %% [markdown] lang="en"
# Reading `it`, you think of something that came before. Which token does head 2 of layer 27 look at most, from
# the position of `it`?
# %% id="question-a"
it_question = Question("7.a")
it_question
# %% [markdown] lang="ko" question="7.a"
# ` it`에서 27번 층 2번 헤드는 어느 토큰을 가장 많이 볼까요?
#
# - [ ] because. 바로 앞 토큰이다
#   - 바로 앞 토큰을 보는 헤드도 있고, 그런 헤드는 뒤에서 찾습니다. 이 헤드는 ` because`에 0.05만 줍니다.
# - [x] squirrel. 가장 가까운 명사다
# - [ ] dog. 쫓아간 쪽이다
#   - ` dog`을 보는 헤드도 있고, 레슨 06에서 하나를 보았습니다. 이 헤드는 ` dog`에 0.05만 줍니다.
#
# 가중치 가운데 0.42를 ` squirrel`에, 0.05를 ` dog`에 줍니다. 나머지의 대부분(0.37)은 `The`로 가는데, 그 까닭은 이
# 레슨 끝에서 봅니다.
# %% [markdown] lang="en" question="7.a"
# From ` it`, which token does head 2 of layer 27 look at most?
#
# - [ ] because, the token just before
#   - There are heads that look at the token just before, and you will find one later. This head gives `
#     because` no more than 0.05.
# - [x] squirrel, the nearest noun
# - [ ] dog, who did the chasing
#   - There are heads that look at ` dog`, and you met one in lesson 06. This one gives ` dog` no more than
#     0.05.
#
# It gives ` squirrel` 0.42 of its weight, and ` dog` 0.05. Most of the rest (0.37) goes to `The`; why, the end of
# this lesson shows.
# %% id="question-a-answered" tags=["solution"]
it_question.answer(2)
# %% id="where-it-looks"
for token, weight in zip(record.tokens, record.weights[27][2, -1]):
    print(f"{token!r:12} {weight:.2f}")
# %% [markdown] lang="ko"
# 이 숫자가 **어텐션 가중치**이고, 더하면 1입니다. 탐색기에서 *층*과 *헤드*를 옮겨 보세요. 행은 보는 토큰, 열은
# 보이는 토큰이고, 테두리를 두른 행이 *위치*에서, 또는 눌러서 고른 토큰입니다. 칸을 가리키면 숫자가 나옵니다. 문장도 바꿔 보세요.
# %% [markdown] lang="en"
# These numbers are **attention weights**; they sum to 1. Move *layer* and *head* in the explorer: a row is a
# token that looks, a column one that is looked at, and the framed row is the token picked with *position*,
# or by a click. Point at a cell to read its number. Change the text, too.
# %% id="explorer"
explorer = AttentionExplorer(model, tokenizer, text, layer=27, head=2)
explorer
# %% id="explorer-other-layer" tags=["solution"]
explorer.set(layer=8, head=0)
# %% [markdown] lang="ko"
# 헤드마다 보는 곳이 다릅니다. 그런데 어디를 볼지는 어떻게 정할까요?
#
# 어텐션은 두 단계입니다. 먼저 앞의 토큰들이 지금 이 토큰과 얼마나 관련 있는지 **점수**를 매기고, 그 점수로 여러
# 위치의 정보를 벡터 하나에 **통합**합니다. 보는 쪽도 보이는 쪽도 같은 글의 토큰이어서 **셀프 어텐션**이라고
# 합니다. 이제 두 단계를 차례로 만듭니다. 예로는 27번 층의 2번 헤드를 씁니다.
#
# ## 들어가는 것: 지금 위치와 앞 위치의 벡터
#
# 어텐션 층에는 위치마다 벡터 하나가 들어갑니다. 레슨 04의 스트림을 27번 블록의 정규화에 넣은 것과 같은지(`True`)
# 확인하고, 토큰마다 벡터의 처음 세 숫자를 봅니다. 마지막 줄이 지금 위치, 나머지가 앞 위치입니다.
# %% [markdown] lang="en"
# Heads differ in where they look. But how is that decided?
#
# Attention has two steps. First it **scores** how relevant the earlier tokens are to this one; then it uses the
# scores to **combine** information from many positions in one vector. Those that look and those looked at are
# tokens of the same text; hence the name **self-attention**. You will now build both steps, with head 2 of layer
# 27 as the example.
#
# ## What goes in: the vectors of this position and the previous ones
#
# One vector for each position goes into an attention layer. See that they are the streams of lesson 04 after the
# norm of block 27 (`True`), and look at the first three numbers of each. The last line is the current position,
# the others are the previous ones.
# %% id="inputs" tags=["C29"]
inputs = record.inputs[27]
stream = trace_streams(model, tokenizer, text).hidden_states[27]
normed = model.model.layers[27].input_layernorm(stream)
print(list(inputs.shape), torch.allclose(inputs, normed, atol=1e-3))
for token, vector in zip(record.tokens, inputs):
    print(f"{token!r:12}", [f"{number:5.2f}" for number in vector[:3]])
# %% [markdown] lang="ko"
# ## 행렬 세 개: 쿼리, 키, 값
#
# 훈련으로 얻은 **투영 행렬** 세 개가 이 벡터에서 세 가지를 만듭니다. **쿼리**는 지금 토큰이 무엇을 찾는지,
# **키**는 각 토큰을 무엇으로 찾을 수 있는지, **값**은 그 토큰이 넘겨줄 내용이 무엇인지를 나타냅니다. 네 번째 행렬
# `o_proj`는 마지막에 모든 헤드의 결과를 섞어 스트림에 더할 벡터로 만듭니다. 모델에서 행렬을 꺼내 입력과 곱하고,
# 모양이 어떻게 이어지는지 봅니다.
# %% [markdown] lang="en"
# ## Three matrices: query, key, value
#
# Three trained **projection matrices** make three things out of these vectors: the **query** says what this token
# is looking for, the **key** what each token can be found by, and the **value** what it hands over when it is
# found. A fourth, `o_proj`, mixes the results of all heads at the end, into the vector that is added to the
# stream. Take the matrices from the model, multiply, and see how the shapes fit.
# %% id="projections" tags=["C30", "slide"]
matrices = projections(attention_modules(model)[27])
for name in ("q_proj", "k_proj", "v_proj"):
    matrix = matrices[name].T
    print(name, list(inputs.shape), "@", list(matrix.shape), "=", list((inputs @ matrix).shape))
# %% [markdown] lang="ko"
# 쿼리의 숫자 576개는 64개씩 헤드 9개의 몫입니다. 키와 값은 192개뿐인데, 까닭은 조금 뒤에 나옵니다.
#
# ## 1단계: 관련성 점수
#
# 점수는 쿼리와 키의 내적입니다. 두 벡터의 방향이 비슷할수록 큽니다. `it`의 쿼리를 모든 키와 내적하고 √64 = 8로
# 나눕니다. 2번 헤드는 0번 KV 헤드의 키를 씁니다. `record`에는 쿼리와 키가 실제로 곱해지는 그대로 들어 있습니다.
# 첫 줄은 쿼리와 키의 모양이고, 그 아래가 토큰마다의 점수입니다.
# %% [markdown] lang="en"
# A query's 576 numbers are 64 for each of 9 heads; keys and values have only 192. Why, you will see shortly.
#
# ## Step one: relevance scores
#
# A score is the dot product of a query and a key: the more the two point the same way, the larger. Take the dot
# product of the query of `it` with every key, and divide by √64 = 8. Head 2 uses the keys of key-value head 0.
# The queries and keys in `record` are exactly those that the model multiplies. The first line has the shapes of
# query and keys; below it is the score of each token.
# %% id="one-query" tags=["C31", "slide"]
query = record.queries[27][2, -1]
keys = record.keys[27][0]
print(list(query.shape), list(keys.shape))
for token, score in zip(record.tokens, keys @ query / 8):
    print(f"{token!r:12} {score:.2f}")
# %% [markdown] lang="ko"
# ### 왜 *셀프* 어텐션인가
#
# 쿼리, 키, 값은 모두 **같은 글**의 벡터(`inputs`)에서 나옵니다. 첫 줄은 값도 정말 그런지(`True`)입니다. 계산만 놓고 보면
# 꼭 그래야 하는 것은 아닙니다. 그 아래는 ` it`의 쿼리로 **다른 글**의 키에 매긴 점수입니다.
# %% [markdown] lang="en"
# ### Why *self*-attention?
#
# Queries, keys and values all come from the vectors of **one and the same text** (`inputs`). The first line says whether
# that is so for the values, too (`True`). As far as the arithmetic goes it need not be: below are the scores that the
# query of ` it` gives to the keys of **another text**.
# %% id="another-text" tags=["C30"]
values = inputs @ matrices["v_proj"].T
print(torch.allclose(values[:, :64], record.values[27][0], atol=1e-3))
another = record_attention(model, tokenizer, "The cat sat on the mat.")
for token, score in zip(another.tokens, another.keys[27][0] @ query / 8):
    print(f"{token!r:12} {score:.2f}")
# %% [markdown] lang="ko"
# 점수가 나오기는 합니다. 이렇게 쿼리는 한 글에서, 키와 값은 다른 글에서 가져오는 것을 **크로스 어텐션**이라고 합니다.
# 2017년의 번역용 트랜스포머에서는 쓰고 있는 번역문이 원문을 그렇게 보았습니다. 이 모델의 어텐션은 모두 셀프
# 어텐션이고, 훈련할 때도 같은 글 안만 보았으니 이 점수에는 뜻이 없습니다.
# %% [markdown] lang="en"
# Scores do come out. Taking the queries from one text, and keys and values from another, is called **cross-attention**:
# in the transformer of 2017, made for translation, the text being written looked at the original that way. In this model
# all attention is self-attention, and since it was trained to look at its own text only, these scores mean nothing.
# %% [markdown] lang="ko"
# ### 연습 7.1 · 모든 점수를 한 번에
#
# 모든 헤드, 모든 위치의 점수를 한 번에 계산하세요. 결과의 모양은 `[head, query, key]`이고, 내적은 `head_dim`의
# 제곱근으로 나눕니다.
# %% [markdown] lang="en"
# ### Exercise 7.1 · All scores at once
#
# Compute the scores of all heads and all positions at once. The result has the shape `[head, query, key]`, and
# the dot products are divided by the square root of `head_dim`.
# %% id="ex-7-1"
def attention_scores(query, keys):
    """점수 [head, query, key].  query: [head, query, head_dim]; keys: [head, key, head_dim]."""
    """Return [head, query, key].  query: [head, query, head_dim]; keys: [head, key, head_dim]."""
    # BEGIN SOLUTION
    return query @ keys.transpose(1, 2) / query.shape[-1] ** 0.5
    # END SOLUTION


# %% id="check-7-1" kind="implement" difficulty=2 minutes=8
Exercise("7.1").check(attention_scores)
# %% [markdown] lang="ko" hints="7.1"
# 1. `@`는 마지막 두 축을 행렬로 보고 헤드마다 곱합니다.
# 2. `query @ keys`는 모양이 맞지 않습니다. 키의 마지막 두 축을 `keys.transpose(1, 2)`로 맞바꾸세요.
# 3. 곱한 결과를 `query.shape[-1] ** 0.5`로 나누세요.
# %% [markdown] lang="en" hints="7.1"
# 1. `@` multiplies the last two axes and does so for each head.
# 2. `query @ keys` does not fit: the last two axes of the keys have to change places, `keys.transpose(1,
#    2)`.
# 3. Divide the product by `query.shape[-1] ** 0.5`.
# %% [markdown] lang="ko"
# ### 연습 7.2 · 점수에서 가중치로
#
# `mask`는 레슨 04의 인과 마스크입니다. `False`인 곳의 점수를 −∞로 바꾸고, 행마다 **소프트맥스**를 적용해 합이 1이
# 되게 하세요. 그러면 막힌 곳의 가중치는 정확히 0이 됩니다.
# %% [markdown] lang="en"
# ### Exercise 7.2 · From scores to weights
#
# `mask` is the causal mask of lesson 04. Replace the scores by −∞ where it is `False`, and take the **softmax**
# of each row, so that it sums to 1. What is masked then gets a weight of exactly 0.
# %% id="ex-7-2"
def attention_weights(scores, mask):
    """가중치 [head, query, key].  mask(bool [query, key])가 False인 곳은 0."""
    """Return [head, query, key], 0 where mask is False.  mask: bool [query, key]."""
    # BEGIN SOLUTION
    return scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    # END SOLUTION


# %% id="check-7-2" kind="implement" difficulty=2 minutes=9
Exercise("7.2").check(attention_weights)
# %% [markdown] lang="ko" hints="7.2"
# 1. 먼저 마스크로 막고, 그다음에 소프트맥스를 적용합니다. 이 순서가 중요합니다.
# 2. `masked_fill(~mask, float('-inf'))`는 마스크가 False인 곳에 −∞를 넣습니다.
# 3. 그다음은 `.softmax(dim=-1)`입니다. 키 축을 따라 더하면 행마다 합이 1이 됩니다.
# %% [markdown] lang="en" hints="7.2"
# 1. First mask the scores, then take the softmax: in this order.
# 2. `masked_fill(~mask, float('-inf'))` writes −∞ where the mask is False.
# 3. Then `.softmax(dim=-1)`: along the axis of the keys, so that each row sums to 1.
# %% [markdown] lang="ko"
# ` squirrel`(위치 4)의 행을 단계별로 봅니다. 한 줄은 차례로 점수, 마스크를 씌운 점수, 가중치입니다. ` squirrel`
# 뒤의 두 토큰도 점수는 있지만 가중치는 0이 됩니다. 마지막 줄은 모든 행의 합입니다.
# %% [markdown] lang="en"
# Look at the row of ` squirrel` (position 4), step by step: a line is the score, the masked score, the weight.
# The two tokens after ` squirrel` have scores as well, but get a weight of 0. The last line has the sums of all
# rows.
# %% id="scores-to-weights" tags=["C31"]
scores = parts.attention_scores(record.queries[27][2:3], keys[None])
mask = causal_mask(len(record.tokens)).to(scores.device)
weights = parts.attention_weights(scores, mask)
masked = scores.masked_fill(~mask, float("-inf"))
for i, token in enumerate(record.tokens):
    print(f"{token!r:12} {scores[0, 4, i]:5.2f} {masked[0, 4, i]:5.2f} {weights[0, 4, i]:.2f}")
print([f"{total:.2f}" for total in weights[0].sum(dim=-1)])
# %% id="explorer-masked" tags=["solution"]
explorer.set(layer=27, head=2, view="masked").pick(position=4)
# %% [markdown] lang="ko"
# 왜 8로 나눌까요? 곱 64개를 더하면 값이 커지고, 소프트맥스는 큰 차이를 더 크게 벌립니다. `it`의 가중치를 8로 나눈
# 점수(위)와 나누지 않은 점수(아래)로 계산해 비교합니다.
# %% [markdown] lang="en"
# Why divide by 8? A sum of 64 products is large, and softmax makes large differences larger still. Compare the
# weights of `it` from scores divided by 8 (above) and not divided (below).
# %% id="why-scale" tags=["slide"]
for last_scores in (scores[0, -1], scores[0, -1] * 8):
    print([f"{weight:.2f}" for weight in last_scores.softmax(dim=-1)])
# %% [markdown] lang="ko"
# 나누지 않으면 두 토큰만 남고 나머지는 사라집니다.
#
# ## 2단계: 정보 통합
#
# ### 연습 7.3 · 값의 가중합 구하기
#
# 위치마다 값 벡터에 가중치를 곱하고 모두 더하세요. 결과는 쿼리마다 벡터 하나입니다.
# %% [markdown] lang="en"
# Without the division only two tokens are left; the others vanish.
#
# ## Step two: combining information
#
# ### Exercise 7.3 · The weighted sum of the values
#
# Multiply the value of each position by its weight, and add them all up: one vector for each query.
# %% id="ex-7-3"
def combine(weights, values):
    """가중합 [head, query, head_dim].  weights: [head, query, key]; values: [head, key, head_dim]."""
    """Return [head, query, head_dim].  weights: [head, query, key]; values: [head, key, head_dim]."""
    # BEGIN SOLUTION
    return weights @ values
    # END SOLUTION


# %% id="check-7-3" kind="implement" difficulty=1 minutes=5
Exercise("7.3").check(combine)
# %% [markdown] lang="ko" hints="7.3"
# 1. 하나씩 쓰면, result[h, q]는 모든 k에 대해 weights[h, q, k] · values[h, k]를 더한 것입니다.
# 2. 둘 다 가진 축을 따라 곱해서 더하는 것이 바로 행렬 곱입니다.
# 3. `@` 하나면 되고, 축을 옮길 필요도 없습니다.
# %% [markdown] lang="en" hints="7.3"
# 1. Number by number: result[h, q] is the sum over k of weights[h, q, k] · values[h, k].
# 2. A sum of products over an axis that both have is what a matrix product does.
# 3. It is a single `@`, and no axis has to move.
# %% [markdown] lang="ko"
# 이것으로 헤드 하나를 다 만들었습니다. 식 하나로 쓰면 이렇습니다.
#
# $$\mathrm{softmax}\left(\frac{QK^{\top}}{\sqrt{d}}\right) V$$
#
# 두 단계를 이어서 실행합니다. 한 줄은 토큰, 가중치, 그 위치가 넘겨준
# 벡터(가중치 × 값)의 길이입니다. 마지막 줄은 결과의 모양과, 넘겨준 벡터들의 합이 ` it`의 결과와
# 같은지(`True`)입니다.
# %% [markdown] lang="en"
# That is one head, complete. As one formula:
#
# $$\mathrm{softmax}\left(\frac{QK^{\top}}{\sqrt{d}}\right) V$$
#
# Run the two steps one after the other. A line is a token, its weight, and the length
# of the vector that its position hands over, weight × value. The last line is the shape of the result, and
# whether the vectors handed over add up to the result for ` it` (`True`).
# %% id="two-steps" tags=["C27", "slide"]
weights = parts.attention_weights(scores, mask)
head_output = parts.combine(weights, record.values[27][0:1])
handed_over = record.contributions(27, 2)[-1]
for token, weight, vector in zip(record.tokens, weights[0, -1], handed_over):
    print(f"{token!r:12} {weight:.2f} {vector.norm():.2f}")
print(list(head_output.shape), torch.allclose(handed_over.sum(0), head_output[0, -1], atol=1e-4))
# %% [markdown] lang="ko"
# `The`는 가중치를 0.37이나 받았지만 넘겨준 벡터는 짧습니다(0.65). 왜 그런지는 이 레슨의 끝에서 봅니다.
#
# ## 헤드: 여러 벌을 나란히
#
# 층 하나에서 이런 어텐션 여러 벌이 나란히 실행됩니다. 하나하나가 **어텐션 헤드**입니다. 27번 층의 헤드 아홉 개를
# 한눈에 보고, `it`이 헤드마다 무엇을 가장 많이 보는지 읽어 보세요. 누르면 크게 나옵니다.
# %% [markdown] lang="en"
# `The` got 0.37 of the weight, and yet the vector it handed over is short (0.65). The end of this lesson comes
# back to that.
#
# ## Heads: several of them, side by side
#
# In one layer several such attentions run side by side; each is an **attention head**. Here are all nine heads of
# layer 27. See what `it` looks at most in each of them; click one to see it large.
# %% id="all-heads" tags=["C28"]
AttentionExplorer(model, tokenizer, text, layer=27).set(all_heads=True)
# %% [markdown] lang="ko"
# ### 모양을 그림으로
#
# 다음 세 연습은 숫자를 바꾸지 않고 **모양**만 바꿉니다. 파란 블록은 쿼리, 주황색 블록은 키(또는 값)입니다. 블록
# 하나가 헤드 하나이고, 블록 안의 한 줄이 위치 하나입니다. 위에서 아래로 어떤 축이 나뉘고 어떤 축이 앞으로 오는지
# 보세요. 모델 안에서는 맨 앞에 batch 축이 하나 더 있습니다.
# %% [markdown] lang="en"
# ### The shapes, drawn
#
# The next three exercises change no number, only **shapes**. Blue blocks are queries, orange ones keys (or values).
# A block is one head, and a row in it is one position. From top to bottom, see which axis is cut and which comes to
# the front. Inside the model there is one more axis in front, the batch.
# %% id="shapes" tags=["slide"]
head_shapes_picture(head_shapes(model, positions=len(record.tokens)))
# %% [markdown] lang="ko"
# ### 연습 7.4 · 헤드로 나누기
#
# `x @ q_proj.T`의 모양은 `[position, heads * head_dim]`이고, 처음 `head_dim`개가 0번 헤드의 몫, 다음 `head_dim`개가
# 1번 헤드의 몫입니다. `[head, position, head_dim]`으로 나누세요.
# %% [markdown] lang="en"
# ### Exercise 7.4 · Split into heads
#
# `x @ q_proj.T` has the shape `[position, heads * head_dim]`: the first `head_dim` numbers belong to head 0, the
# next `head_dim` to head 1. Split it into `[head, position, head_dim]`.
# %% id="ex-7-4"
def split_heads(x, heads):
    """헤드로 나눈 [head, position, head_dim].  x: [position, heads * head_dim]."""
    """Return [head, position, head_dim].  x: [position, heads * head_dim]."""
    # BEGIN SOLUTION
    return x.view(len(x), heads, -1).transpose(0, 1)
    # END SOLUTION


# %% id="check-7-4" kind="implement" difficulty=2 minutes=8
Exercise("7.4").check(split_heads)
# %% [markdown] lang="ko" hints="7.4"
# 1. 두 단계입니다. 마지막 축을 둘로 나누고, 헤드 축을 맨 앞으로 옮깁니다.
# 2. `x.view(len(x), heads, -1)`로 나누면 [position, head, head_dim]이 됩니다.
# 3. `.transpose(0, 1)`로 헤드를 맨 앞에 놓습니다.
# %% [markdown] lang="en" hints="7.4"
# 1. Two moves: cut the last axis in two, then bring the heads' axis to the front.
# 2. `x.view(len(x), heads, -1)` cuts: [position, head, head_dim].
# 3. `.transpose(0, 1)` brings the heads to the front.
# %% [markdown] lang="ko"
# ### 연습 7.5 · 헤드를 다시 합치기
#
# 이번에는 거꾸로, 헤드들의 결과를 위치마다 벡터 하나로 이어 붙이세요.
# %% [markdown] lang="en"
# ### Exercise 7.5 · Merge the heads
#
# Now the way back: join the results of the heads into one vector for each position.
# %% id="ex-7-5"
def merge_heads(x):
    """다시 합친 [position, heads * head_dim].  x: [head, position, head_dim]."""
    """Return [position, heads * head_dim].  x: [head, position, head_dim]."""
    # BEGIN SOLUTION
    return x.transpose(0, 1).flatten(1)
    # END SOLUTION


# %% id="check-7-5" kind="implement" difficulty=2 minutes=5
Exercise("7.5").check(merge_heads)
# %% [markdown] lang="ko" hints="7.5"
# 1. `split_heads`의 두 단계를 거꾸로 하면 됩니다.
# 2. 먼저 `.transpose(0, 1)`로 [position, head, head_dim]을 만듭니다.
# 3. 그다음 `.flatten(1)`로 마지막 두 축을 합칩니다.
# %% [markdown] lang="en" hints="7.5"
# 1. The two moves of `split_heads`, backwards.
# 2. First `.transpose(0, 1)`: [position, head, head_dim].
# 3. Then join the last two axes: `.flatten(1)`.
# %% [markdown] lang="ko"
# ### 키와 값은 함께 쓴다
#
# 이 모델에는 쿼리 헤드가 9개인데 KV 헤드는 3개입니다. 쿼리 헤드 세 개가 키와 값 한 벌을 함께 씁니다(**그룹 쿼리
# 어텐션**). 긴 글을 쓸 때 이렇게 해서 가장 크게 아끼는 것은 무엇일까요?
# %% [markdown] lang="en"
# ### Keys and values are shared
#
# This model has 9 query heads, but 3 key-value heads: three query heads share one set of keys and values
# (**grouped-query attention**). What does that save most, when a long text is written?
# %% id="question-b"
sharing_question = Question("7.b")
sharing_question
# %% [markdown] lang="ko" question="7.b"
# 쿼리 헤드 세 개가 키와 값 한 벌을 함께 씁니다. 긴 글을 쓸 때 가장 크게 아끼는 것은 무엇일까요?
#
# - [ ] 소프트맥스 계산. 헤드 세 개에 한 번만 하면 된다
#   - 점수는 쿼리와 키로 만듭니다. 키를 함께 써도 쿼리는 헤드마다 달라서, 점수와 소프트맥스도 헤드마다 따로입니다.
# - [x] 메모리. 캐시에 담을 키와 값이 3분의 1이 된다
# - [ ] 쿼리. 계산할 쿼리가 줄어든다
#   - 함께 쓰는 쪽은 쿼리 헤드입니다. 쿼리 헤드는 여전히 9개이고, 쿼리도 9벌을 계산합니다.
#
# 쿼리와 점수와 가중치는 헤드 9개가 모두 따로 갖고 있습니다. 하지만 키와 값은 3벌만 계산해서 토큰마다 남겨 두고,
# 단계마다 다시 읽습니다.
# %% [markdown] lang="en" question="7.b"
# Three query heads share one set of keys and values. What does that save most, when a long text is written?
#
# - [ ] computing the softmax, which is done only once for the three
#   - A score is made of a query and a key. The keys are shared, but each head has a query of its own, hence
#     scores and a softmax of its own.
# - [x] memory: the cache holds a third of the keys and values
# - [ ] queries: fewer of them have to be computed
#   - It is the query heads that share. There are still 9 of them, and 9 sets of queries are computed.
#
# Each of the 9 heads still has queries, scores and weights of its own. But only 3 sets of keys and values
# are computed, kept for every token, and read again at every step.
# %% id="question-b-answered" tags=["solution"]
sharing_question.answer(2)
# %% [markdown] lang="ko"
# 계산해 봅시다. 첫 줄은 함께 쓰지 않고 KV 헤드가 9개일 때, 둘째 줄은 3개일 때입니다.
# %% [markdown] lang="en"
# Compute it: the first line is without sharing, for 9 key-value heads, the second for 3.
# %% id="what-sharing-saves" tags=["C28"]
config = model.config
heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
for count in (heads, kv_heads):
    numbers = 2 * record.layers * count * query.shape[0] * config.max_position_embeddings
    print(f"kv_heads={count} MB={numbers * 4 // 10**6}")
# %% [markdown] lang="ko"
# `MB`는 문맥 길이를 가득 채운 KV 캐시(레슨 05)의 크기입니다. 3분의 1로 줄었습니다.
#
# ### 연습 7.6 · 키와 값을 쿼리 헤드 수에 맞추기
#
# KV 헤드 하나하나를 `groups`번씩 되풀이해, 쿼리 헤드와 수를 맞추세요. (`x`에는 키나 값 가운데 하나가 들어옵니다.)
# `h`번 쿼리 헤드는 `x[h // groups]`를 받습니다. `groups`가 3이면 0, 1, 2번 쿼리 헤드가 모두 0번을 받습니다.
# %% [markdown] lang="en"
# `MB` is the size of the KV cache (lesson 05) with the context full. It is down to a third.
#
# ### Exercise 7.6 · One set of keys and values for each query head
#
# Repeat each key-value head `groups` times, until there is one for each query head. (`x` holds either keys or
# values.) Query head `h` gets `x[h // groups]`. If `groups` is 3, query heads 0, 1 and 2 all get number 0.
# %% id="ex-7-6"
def repeat_kv(x, groups):
    """[kv_heads * groups, position, head_dim].  x: 키나 값, [kv_head, position, head_dim]."""
    """Return [kv_heads * groups, position, head_dim].  x: [kv_head, position, head_dim]."""
    # BEGIN SOLUTION
    return x.repeat_interleave(groups, dim=0)
    # END SOLUTION


# %% id="check-7-6" kind="implement" difficulty=2 minutes=7
Exercise("7.6").check(repeat_kv)
# %% [markdown] lang="ko" hints="7.6"
# 1. KV 헤드가 2개이고 groups가 3이면 순서는 0, 0, 0, 1, 1, 1입니다.
# 2. `x.repeat(3, 1, 1)`로는 0, 1, 0, 1, 0, 1이 됩니다. 하나하나를 잇따라 되풀이하는 함수는 따로 있습니다.
# 3. `x.repeat_interleave(groups, dim=0)`입니다.
# %% [markdown] lang="en" hints="7.6"
# 1. With two key-value heads and 3 groups, the order is 0, 0, 0, 1, 1, 1.
# 2. `x.repeat(3, 1, 1)` would give 0, 1, 0, 1, 0, 1. Another function repeats each one in a row.
# 3. `x.repeat_interleave(groups, dim=0)`.
# %% [markdown] lang="ko"
# ## 쉬어 가기: 여기까지가 절반입니다
#
# 헤드 하나를 처음부터 끝까지 만들었고(`attention_scores`, `attention_weights`, `combine`), 헤드 여러 개로 나누고 합치고
# 키와 값을 함께 쓰게 했습니다(`split_heads`, `merge_heads`, `repeat_kv`). 남은 것은 세 가지입니다. 위치를 알려 주는
# 일, 부품을 이어 층 하나를 완성하는 일, 그리고 헤드가 맡은 일을 찾는 일입니다.
#
# 여기서 저장하고 멈춰도 됩니다. 돌아오면 이 셀을 누르고, *실행* 메뉴에서 *위의 모든 셀 실행*을 고르세요. 통과한
# 연습은 진도에 그대로 남아 있습니다.
#
# ## 위치: 몇 토큰 앞인가
#
# 지금까지 만든 부품으로 실험을 하나 해 봅니다. `it` 앞에 있는 여섯 벡터의 순서를 뒤섞으면, 이 부품들이 `it`에
# 내놓는 결과는 어떻게 될까요?
# %% [markdown] lang="en"
# ## A place to stop: this is half of it
#
# You have built one head from start to end (`attention_scores`, `attention_weights`, `combine`), and cut, joined and
# shared several of them (`split_heads`, `merge_heads`, `repeat_kv`). Three things are left: telling where a token is,
# putting the parts together into a layer, and finding heads that have a job.
#
# You can save and stop here. When you are back, click on this cell and choose *Run All Above Selected Cell* in the
# menu *Run*. The exercises that you have passed stay passed.
#
# ## Positions: how far back?
#
# Try something with the parts that you have built so far. Shuffle the six vectors before `it`: what happens to the
# result of these parts for `it`?
# %% id="question-c"
order_question = Question("7.c")
order_question
# %% [markdown] lang="ko" question="7.c"
# ` it` 앞의 여섯 벡터를 뒤섞습니다. 이 부품들이 ` it`에 내놓는 결과는 어떻게 될까요?
#
# - [x] 전과 똑같은 벡터가 나온다
# - [ ] 같은 숫자들이 순서만 바뀌어 나온다
#   - 결과의 숫자 하나하나는 모든 토큰에 걸친 합입니다. 토큰의 순서는 더하는 순서를 바꿀 뿐, 결과 안의 차례와는 상관이
#     없습니다.
# - [ ] 다른 벡터가 나온다
#   - 점수 하나를 만드는 데 무엇이 들어가는지 보세요. 쿼리 하나와 키 하나입니다. 그 안에 토큰의 위치가 있나요?
#
# 점수는 키마다 따로 매기고, 가중합은 더하는 순서와 상관이 없습니다. 지금까지의 부품은 토큰이 어느 위치에 있는지
# 모릅니다.
# %% [markdown] lang="en" question="7.c"
# The six vectors before ` it` are shuffled. What is the result of these parts for ` it`?
#
# - [x] the same vector as before
# - [ ] the same numbers in another order
#   - Each number of the result is a sum over all tokens. Their order changes in which order one adds, not where
#     a number ends up.
# - [ ] a different vector
#   - See what goes into a score: one query and one key. Is the position of a token in there?
#
# Each key is scored on its own, and a weighted sum does not depend on the order of what is added up. None of the
# parts so far knows where a token is.
# %% id="question-c-answered" tags=["solution"]
order_question.answer(1)
# %% [markdown] lang="ko"
# 두 순서로 `it`의 결과를 계산해, 둘의 차이를 결과의 길이에 대한 비율로 출력합니다. 위는 지금까지의 부품으로,
# 아래는 위치 정보가 들어간 어텐션 층(잠시 뒤에 만듭니다)으로 계산합니다.
# %% [markdown] lang="en"
# Compute the result for `it` in both orders, and print the difference as a share of its length: above with the
# parts so far, below with the whole attention layer, positions included, which you will build in a moment.
# %% id="without-positions" tags=["slide"]
def without_positions(x):
    q = parts.split_heads(x[-1:] @ matrices["q_proj"].T, heads)
    k, v = (parts.split_heads(x @ matrices[name].T, kv_heads) for name in ("k_proj", "v_proj"))
    k, v = (parts.repeat_kv(each, heads // kv_heads) for each in (k, v))
    return parts.merge_heads(parts.combine(parts.attention_scores(q, k).softmax(-1), v))


def with_positions(x):
    return parts.attention_layer(x, **matrices, heads=heads, kv_heads=kv_heads, theta=theta)


theta = config.rope_parameters["rope_theta"]
shuffled = inputs[[3, 1, 5, 0, 4, 2, 6]]
for layer in (without_positions, with_positions):
    one, two = layer(inputs)[-1], layer(shuffled)[-1]
    print(f"{(one - two).norm() / one.norm():.2f}")
# %% [markdown] lang="ko"
# 위치 정보가 없으면 어텐션이 보는 글은 순서 없는 단어 묶음(bag of words)일 뿐입니다. 그래서 이 모델은 내적하기
# 전에 쿼리와 키를 그 위치만큼 **회전합니다**(회전 위치 임베딩, RoPE).
#
# ### 시곗바늘처럼 돌리기
#
# 숫자 네 개짜리 쿼리와 키로 먼저 해 봅시다. 앞 절반의 수 $a$와 뒤 절반의 수 $b$가 한 짝이고, 짝 하나는 시계판 위의
# 바늘 하나입니다. 왼쪽 짝은 토큰 하나를 지날 때마다 1라디안(57°), 오른쪽 짝은 0.1라디안씩 돕니다. 흐린 바늘은 돌리기
# 전입니다. 오른쪽 표에서는 쿼리와 키를 숫자마다 곱해 더합니다.
#
# *키의 위치*를 옮겨 보세요. 숫자 여덟 개가 모두 바뀌는데, 맨 아래 내적은 어떻게 되나요? 그다음 *거리*를 바꿔 보세요.
# %% [markdown] lang="en"
# Without positions, attention sees a text as a bag of words, without order. So, before the dot product, this
# model **rotates** queries and keys by their positions (rotary position embedding, RoPE).
#
# ### Turned like the hands of a clock
#
# Try it first with a query and a key of four numbers. A number $a$ of the first half and a number $b$ of the second
# half make a pair, and a pair is a hand on a dial. For each token the left pair turns by 1 radian (57°), the right
# one by 0.1. The faint hands are those before turning. The table on the right multiplies query and key, number by
# number, and adds up.
#
# Move *position of the key*. All eight numbers change; what does the dot product at the bottom do? Then change
# *distance*.
# %% id="turning" tags=["slide"]
turning = TurningExplorer()
turning
# %% id="turning-later" tags=["solution"]
turning.set(key_position=15)
# %% [markdown] lang="ko"
# 두 바늘이 같이 돌면 사이의 각은 그대로이고, 내적도 그대로입니다. 내적을 바꾸는 것은 **거리**뿐입니다.
#
# ### 연습 7.7 · 위치만큼 회전하기
#
# 길이가 `head_dim`인 벡터를 앞 절반과 뒤 절반으로 나눕니다. 앞 절반의 `i`번 수 $a$와 뒤 절반의 `i`번 수 $b$를
# 평면 위의 점 하나로 보고, 각 $\alpha$만큼 회전합니다.
#
# $$\alpha = \text{position} / \theta^{\,2i / \text{head\_dim}} \qquad (a, b) \rightarrow (a\cos\alpha - b\sin\alpha,\ b\cos\alpha + a\sin\alpha)$$
#
# `i`는 0부터 `head_dim / 2 - 1`까지이고, θ(`theta`)는 모델마다 정해진 큰 수입니다. `i`가 0이면 토큰 하나를 지날
# 때마다 1라디안(57°)씩 돌고, `i`가 클수록 천천히 돕니다. 그래서 빠른 짝은 가까운 거리를, 느린 짝은 먼 거리를 구별할
# 수 있습니다.
# %% [markdown] lang="en"
# When both hands turn together, the angle between them stays, and so does the dot product. Only the **distance**
# changes it.
#
# ### Exercise 7.7 · Rotate by the position
#
# Cut a vector of length `head_dim` into a first and a second half. Take number `i` of the first half, $a$, and
# number `i` of the second half, $b$, as a point in the plane, and rotate it by the angle $\alpha$.
#
# $$\alpha = \text{position} / \theta^{\,2i / \text{head\_dim}} \qquad (a, b) \rightarrow (a\cos\alpha - b\sin\alpha,\ b\cos\alpha + a\sin\alpha)$$
#
# `i` runs from 0 to `head_dim / 2 - 1`, and θ (`theta`) is a large number that each model has in its config. With
# `i` at 0 the point turns by 1 radian (57°) for each token; the larger `i`, the slower it turns. So the fast
# pairs can tell short distances apart, and the slow ones long distances.
# %% id="ex-7-7"
def rotary(x, positions, theta):
    """회전한 x.  x: [head, position, head_dim]; positions: int [position]; theta: float."""
    """Return x turned.  x: [head, position, head_dim]; positions: int [position]; theta: float."""
    # BEGIN SOLUTION
    half = x.shape[-1] // 2
    frequencies = 1 / theta ** (torch.arange(half, device=x.device) / half)
    angles = positions[:, None] * frequencies
    a, b = x[..., :half], x[..., half:]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    # END SOLUTION


# %% id="check-7-7" kind="implement" difficulty=4 minutes=18
Exercise("7.7").check(rotary)
# %% [markdown] lang="ko" hints="7.7"
# 1. 먼저 위치와 i마다 각을 구합니다. half = head_dim // 2라 하면 2i / head_dim은 i / half이므로
#    `positions[:, None] / theta ** (torch.arange(half) / half)`입니다.
# 2. `a = x[..., :half]`, `b = x[..., half:]`입니다. 각의 `cos`와 `sin`은 둘 다와 모양이 맞습니다.
# 3. `torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)`입니다.
# %% [markdown] lang="en" hints="7.7"
# 1. First the angles, for each position and each i: `positions[:, None] / theta ** (torch.arange(half) /
#    half)`, where half = head_dim // 2: 2i / head_dim is i / half.
# 2. `a = x[..., :half]`, `b = x[..., half:]`; `cos` and `sin` of the angles fit to both.
# 3. `torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)`.
# %% [markdown] lang="ko"
# 회전한 쿼리가 모델이 쓴 쿼리와 같은지 확인합니다(`True`). 그다음 모든 위치를 100만큼 뒤로 옮기고 점수를 다시
# 계산합니다. 점수는 그대로입니다(`True`). 쿼리와 키가 **몇 토큰 떨어져 있는지**만 남기 때문입니다.
# %% [markdown] lang="en"
# Are the rotated queries those that the model used (`True`)? Then shift all positions by 100 and compute the
# scores again: they stay as they were (`True`), because all that is left is **how far apart** query and key are.
# %% id="only-distance-counts"
positions = torch.arange(len(record.tokens), device=inputs.device)
q = parts.split_heads(inputs @ matrices["q_proj"].T, heads)
k = parts.split_heads(inputs @ matrices["k_proj"].T, kv_heads)
print(torch.allclose(parts.rotary(q, positions, theta), record.queries[27], atol=1e-3))
for shift in (0, 100):
    turned_q, turned_k = (parts.rotary(x, positions + shift, theta) for x in (q, k))
    again = parts.attention_scores(turned_q, parts.repeat_kv(turned_k, heads // kv_heads))
    print(shift, torch.allclose(again, record.scores[27], atol=1e-2))
# %% [markdown] lang="ko"
# ## 층 전체
#
# ### 연습 7.8 · 어텐션 층
#
# 부품을 모두 이으세요. 투영하고(`x @ q_proj.T`), 헤드로 나누고, 쿼리와 키를 회전하고, 키와 값을 되풀이하고, 점수,
# 가중치, 통합을 거쳐 다시 합친 다음 `o_proj`를 곱합니다. 위치는 0부터 세고, 마스크는 `causal_mask(len(x))`입니다.
# 건너뛴 부품이 있으면 `parts.split_heads`처럼 `parts`의 것을 쓰세요.
# %% [markdown] lang="en"
# ## The whole layer
#
# ### Exercise 7.8 · The attention layer
#
# Put all parts together: project (`x @ q_proj.T`), split into heads, rotate queries and keys, repeat keys and
# values; then scores, weights, combine; merge, and multiply by `o_proj`. Positions count from 0, and the mask is
# `causal_mask(len(x))`. For a part that you skipped take the one in `parts`, such as `parts.split_heads`.
# %% id="ex-7-8"
def attention_layer(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    """[position, width].  x: 정규화한 [position, width]; 행렬: [out, in]."""
    """Return [position, width].  x: [position, width], normed; the matrices: [out, in]."""
    # BEGIN SOLUTION
    positions = torch.arange(len(x), device=x.device)
    q = rotary(split_heads(x @ q_proj.T, heads), positions, theta)
    k = rotary(split_heads(x @ k_proj.T, kv_heads), positions, theta)
    v = split_heads(x @ v_proj.T, kv_heads)
    k, v = repeat_kv(k, heads // kv_heads), repeat_kv(v, heads // kv_heads)
    mask = causal_mask(len(x)).to(x.device)
    weights = attention_weights(attention_scores(q, k), mask)
    return merge_heads(combine(weights, v)) @ o_proj.T
    # END SOLUTION


# %% id="check-7-8" kind="implement" difficulty=3 minutes=15
Exercise("7.8").check(attention_layer)
# %% [markdown] lang="ko" hints="7.8"
# 1. 먼저 `q`, `k`, `v` 세 줄입니다. 각각 `split_heads(x @ …_proj.T, …)`이고, 헤드 수는 q가 `heads`, k와 v가
#    `kv_heads`입니다.
# 2. 그다음 q와 k에는 `rotary(…, torch.arange(len(x)), theta)`, k와 v에는 `repeat_kv(…, heads //
#    kv_heads)`입니다.
# 3. `attention_weights(attention_scores(q, k), causal_mask(len(x)))`로 가중치를 구하고,
#    `merge_heads(combine(weights, v)) @ o_proj.T`로 끝냅니다.
# %% [markdown] lang="en" hints="7.8"
# 1. Three lines to begin with: `q`, `k` and `v`, each `split_heads(x @ …_proj.T, …)`; q has `heads` heads,
#    k and v have `kv_heads`.
# 2. Then `rotary(…, torch.arange(len(x)), theta)` for q and k, and `repeat_kv(…, heads // kv_heads)` for k
#    and v.
# 3. `attention_weights(attention_scores(q, k), causal_mask(len(x)))`, then `merge_heads(combine(weights,
#    v)) @ o_proj.T`.
# %% [markdown] lang="ko"
# 이 층이 모델의 층과 같은지, 30개 층 모두에서 모델의 행렬과 입력으로 계산해 비교합니다. 출력된 것은 비교한 층의
# 개수와, 두 결과의 차이 가운데 가장 큰 값입니다.
# %% [markdown] lang="en"
# Is it the same as the model's own layer? Compute all 30 of them from the model's matrices and inputs, and
# compare. The cell prints how many layers were compared, and the largest difference between the outputs.
# %% id="equal-to-the-model" tags=["C32"]
differences = []
for layer, module in enumerate(attention_modules(model)):
    matrices = projections(module)
    ours = with_positions(record.inputs[layer])
    differences.append((ours - record.outputs[layer]).abs().max().item())
print(len(differences), f"{max(differences):.5f}")
# %% [markdown] lang="ko"
# 소수 다섯째 자리까지 차이가 없습니다. 어텐션에 더 숨은 계산은 없습니다.
#
# ## 맡은 일이 있는 헤드
#
# 헤드 270개(층 30개에 9개씩) 가운데에는 하는 일이 뚜렷한 것들이 있습니다. 탐색기에서 *보는 곳*을 고르면 모든
# 헤드에 점수를 매깁니다. 왼쪽은 모든 헤드, 오른쪽 위는 1등부터 8등, 오른쪽 아래는 *순위*로, 또는 눌러서 고른 헤드의
# 행렬입니다. *같은 토큰 뒤에 왔던 토큰*과 *앞에 나온 같은 토큰*을 보는 헤드는 여러분의 글이 아니라, 무작위 토큰
# 20개를 두 번 늘어놓은 글에서 찾습니다. 뜻이 없는 글이니 되풀이 말고는 실마리가 없습니다.
# %% [markdown] lang="en"
# They are the same to five decimals. There is nothing more hidden in attention.
#
# ## Heads with a job
#
# Some of the 270 heads (9 in each of 30 layers) have a job that is plain to see. Make a choice under *looks*, and
# every head gets a score: all of them are on the left, the first eight at the top right, and below them is the
# matrix of the one picked with *rank*, or by a click on any of them. *At what followed the same token* and *at the same token, earlier* are
# tried not on your text but on 20 random tokens, said twice: a text without meaning, in which repetition is the
# only clue.
# %% id="circuits" tags=["answer"]
circuits = HeadPatternExplorer(model, tokenizer, text, word="dog")
circuits
# %% id="circuits-induction" tags=["solution", "slide", "answer"]
circuits.set(pattern="induction")
# %% id="circuits-word" tags=["solution"]
circuits.set(pattern="word")
# %% [markdown] lang="ko"
# ### 연습 7.9 · 바로 앞을 보는 헤드
#
# 거의 언제나 바로 앞 토큰을 보는 헤드를 찾아 `(layer, head)`로 적으세요. 다른 글로 채점합니다.
# %% [markdown] lang="en"
# ### Exercise 7.9 · A previous-token head
#
# Find a head that nearly always looks at the token just before, and write it down as `(layer, head)`. It will be
# tested on other texts.
# %% id="ex-7-9"
previous_token_head = (16, 0)  # SOLUTION
# %% id="check-7-9" kind="find" difficulty=1 minutes=5
Exercise("7.9").check(previous_token_head)
# %% [markdown] lang="ko" hints="7.9"
# 1. *맡은 일이 있는 헤드*의 탐색기에서 *바로 앞 토큰*을 고르세요.
# 2. 오른쪽 위에 1등부터 8등까지 나옵니다. 층이 먼저, 헤드가 나중입니다.
# 3. 1등은 16번 층에 있습니다.
# %% [markdown] lang="en" hints="7.9"
# 1. In the explorer of heads with a job, choose *at the token before*.
# 2. The best heads are named at the top right: layer first, then head.
# 3. The best of all is in layer 16.
# %% [markdown] lang="ko"
# ### 연습 7.10 · 인덕션 헤드
#
# **인덕션 헤드**는 같은 토큰이 전에 나왔을 때 **그 뒤에 무엇이 왔는지**를 봅니다. 되풀이되는 글을 베낄 때 쓰이는
# 헤드입니다. 하나를 찾으세요.
# %% [markdown] lang="en"
# ### Exercise 7.10 · An induction head
#
# An **induction head** looks at **what came next** when the same token occurred before. With such heads a model
# copies what repeats. Find one.
# %% id="ex-7-10"
induction_head = (18, 6)  # SOLUTION
# %% id="check-7-10" kind="find" difficulty=2 minutes=5
Exercise("7.10").check(induction_head)
# %% [markdown] lang="ko" hints="7.10"
# 1. *맡은 일이 있는 헤드*의 탐색기에서 *같은 토큰 뒤에 왔던 토큰*을 고르세요.
# 2. 이런 헤드의 행렬에는 글이 되풀이되는 곳부터 비스듬한 줄이 나타납니다.
# 3. 1등과 2등은 17번 층과 18번 층에 있습니다.
# %% [markdown] lang="en" hints="7.10"
# 1. In the explorer of heads with a job, choose *at what followed the same token*.
# 2. In the matrix of such a head, a slanting line begins where the text repeats.
# 3. The best two are in layers 17 and 18.
# %% [markdown] lang="ko"
# ### 연습 7.11 · `it`과 `dog`을 잇는 헤드
#
# 예로 든 헤드는 `it`에서 ` squirrel`을 보았습니다. 같은 문장에서 ` it`이 ` dog`을 가장 많이 보는 헤드를 270개
# 가운데서 찾으세요. 레슨 06에서 만난 헤드가 정말 1등일까요?
# %% [markdown] lang="en"
# ### Exercise 7.11 · The head that links `it` to `dog`
#
# From `it`, the head of our example looked at ` squirrel`. Among all 270, find the head in which ` it` looks most
# at ` dog`, in the same text. Is the one you met in lesson 06 really the first?
# %% id="ex-7-11"
it_to_dog_head = (13, 8)  # SOLUTION
# %% id="check-7-11" kind="find" difficulty=1 minutes=5
Exercise("7.11").check(it_to_dog_head)
# %% [markdown] lang="ko" hints="7.11"
# 1. 탐색기에서 *마지막 위치에서 이 단어*를 고르고, 단어에 `dog`을 적으세요.
# 2. 막대 옆에 헤드의 이름이 있습니다. 하나가 나머지를 크게 앞섭니다.
# 3. 13번 층에 있습니다.
# %% [markdown] lang="en" hints="7.11"
# 1. Choose *from the end, at the word* in the explorer, and write the word `dog`.
# 2. The bars name the best heads. One is well ahead of the others.
# 3. It is in layer 13.
# %% [markdown] lang="ko"
# ## 가중치는 얼마나 설명해 주나
#
# 18번 층의 6번 헤드는 이 문장의 ` it`에서 가중치의 0.99를 첫 토큰 `The`에 줍니다. 그럼 `The`가 그만큼 중요하다는
# 뜻일까요? 이 헤드를 꺼 버리면 다음 토큰의 예측은 얼마나 달라질까요?
# %% [markdown] lang="en"
# ## How much do weights explain?
#
# In this text, head 6 of layer 18 gives 0.99 of its weight at ` it` to the first token, `The`. Is `The` that
# important, then? How much does the prediction change if this head is switched off?
# %% id="question-d"
parked_question = Question("7.d")
parked_question
# %% [markdown] lang="ko" question="7.d"
# 18번 층의 6번 헤드를 끕니다. 다음 토큰의 확률은 얼마나 옮겨 갈까요?
#
# - [x] 거의 그대로다
# - [ ] 절반쯤
#   - 가중치가 0.99라도 넘겨주는 것은 가중치 × 값입니다. 첫 토큰의 값 벡터가 얼마나 긴지 아래 셀에서 보세요.
# - [ ] 거의 다 옮겨 간다
#   - 이 헤드는 헤드 270개 가운데 하나이고, 넘겨주는 것은 가중치 × 값입니다. 가중치만으로는 얼마를 가져오는지 알 수
#     없습니다.
#
# 첫 토큰이 무엇이든 그것을 보지만, 거기서 가져오는 것은 거의 없습니다.
# %% [markdown] lang="en" question="7.d"
# Head 6 of layer 18 is switched off. How much of the next token's probability moves?
#
# - [x] almost none
# - [ ] about half
#   - The weight is 0.99, but what is handed over is weight × value. See in the cell below how long the first
#     token's value is.
# - [ ] almost all
#   - This is one of 270 heads, and what it hands over is weight × value. The weight alone does not tell how
#     much that is.
#
# It looks at the first token, whatever that is, and takes next to nothing from it.
# %% id="question-d-answered" tags=["solution"]
parked_question.answer(1)
# %% [markdown] lang="ko"
# 첫 단어를 바꿔 봅니다. 한 줄은 차례로 첫 단어, ` it`이 첫 토큰에 주는 가중치, 첫 토큰의 값 벡터의 길이, 나머지
# 토큰의 값 벡터의 평균 길이입니다.
# %% [markdown] lang="en"
# Change the first word. A line is the first word, the weight that ` it` gives the first token, the length of that
# token's value, and the mean length of the others' values.
# %% id="parked-head"
for word in ("The", "My", "Every", "Paris"):
    other = record_attention(model, tokenizer, word + text.removeprefix("The"))
    lengths = other.values[18][6 // 3].norm(dim=-1)
    weight = other.weights[18][6, -1, 0]
    print(f"{word:6} {weight:.2f} {lengths[0]:4.1f} {lengths[1:].mean():4.1f}")
# %% [markdown] lang="ko"
# 첫 단어가 무엇이든 그것을 보고, 거기서 가져오는 값은 아주 짧습니다. 이 헤드는 평소에 첫 토큰을 보며 쉬고
# 있습니다. 이런 첫 토큰을 **어텐션 싱크**(attention sink)라고 합니다. 가중치의 합은 반드시 1이어야 하므로, 가져올
# 것이 없을 때 가중치를 둘 곳이 필요한 것입니다. 하지만 연습 7.10에서 본 대로, 되풀이되는 글에서는 바로 이 헤드가
# 일을 합니다.
#
# 무엇이 중요한지는 꺼 보면 압니다. 헤드 하나의 출력을 0으로 바꾸고, 다음 토큰의 확률이 모두 얼마나 옮겨 갔는지
# 봅니다(0이면 그대로, 1이면 전부). 한 줄은 층, 헤드, 옮겨 간 확률입니다.
# %% [markdown] lang="en"
# Whatever the first word is, the head looks at it, and the value it takes from there is very short. Usually this
# head rests on the first token, which is then called an **attention sink**: weights must sum to 1, so a head with
# nothing to fetch has to put them somewhere. As exercise 7.10 shows, the same head is at work in a text that
# repeats.
#
# What matters shows when it is switched off. Replace one head's output by 0, and see how much of the next token's
# probability moves in all (0: none of it, 1: all). A line is the layer, the head, and how much moved.
# %% id="switch-off"
def next_token():
    return model(record.input_ids[None]).logits[0, -1].softmax(dim=-1)


before = next_token()
for layer, head in ((18, 6), (13, 8)):
    with without_head(model, layer, head):
        moved = (next_token() - before).abs().sum() / 2
    print(layer, head, f"{moved:.2f}")
# %% [markdown] lang="ko"
# 가중치 0.99를 한곳에 준 헤드는 꺼도 거의 그대로이고, ` dog`에 0.53을 준 13번 층의 8번 헤드를 끄면 확률이 눈에
# 띄게 옮겨 갑니다. 가중치는 **어디를 보았는지**를 알려 줄 뿐, 본 것이 얼마나 쓰였는지는 알려 주지 않습니다.
# %% [markdown] lang="en"
# The head that gave 0.99 of its weight to one place can be switched off almost unnoticed; without head 8 of layer
# 13, which gives ` dog` 0.53, the prediction clearly moves. Weights tell **where a head looked**, but not how
# much of what it saw was used.
# %% [markdown] lang="ko"
# ## 정리
#
# - 어텐션은 두 단계입니다. 쿼리와 키로 관련성 점수를 매기고, 소프트맥스로 얻은 가중치를 곱해 값을 더합니다.
# - 여러 헤드가 나란히 실행되고, 키와 값은 헤드 몇 개가 함께 쓸 수 있습니다. 그만큼 캐시가 작아집니다.
# - 위치 정보는 쿼리와 키를 회전해서 넣습니다. 점수에 남는 것은 둘 사이의 거리입니다.
# - 어떤 헤드는 하는 일이 뚜렷하지만, 가중치만으로는 무엇이 중요한지 알 수 없습니다.
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | 어텐션은 관련성을 매기고 정보를 통합하는 두 단계다 | *1단계: 관련성 점수*와 *2단계: 정보 통합* |
# | 여러 벌을 나란히 실행하고, 한 벌을 헤드라고 한다 | *헤드: 여러 벌을 나란히*. 노트에 없는 것은 키와 값을 여러 헤드가 함께 쓰는 것입니다 |
# | 현재 위치와 앞 위치의 벡터가 들어가 새로운 표현이 나온다 | *들어가는 것: 지금 위치와 앞 위치의 벡터*, *층 전체* |
# | 훈련으로 얻은 쿼리, 키, 값의 투영 행렬 세 개 | *행렬 세 개: 쿼리, 키, 값*. 이 모델에는 하나 더, 헤드의 결과를 섞는 `o_proj`가 있습니다 |
# | 쿼리와 키를 곱해 점수를 얻고, 소프트맥스로 합을 1로 만든다 | 연습 7.1과 7.2. 노트는 셋을 말하지 않습니다. √64로 나누기, 마스크, 위치를 알려 주는 회전입니다 |
# | 값에 점수를 곱해 모두 더하면 출력이다 | 연습 7.3. 곱하는 것은 소프트맥스를 거친 가중치이고, 더한 뒤에 `o_proj`를 거쳐야 층의 출력입니다 |
#
# **지금까지 만든 것:** `attention_scores`, `attention_weights`, `combine`, `split_heads`, `merge_heads`, `repeat_kv`,
# `rotary`, 그리고 이것들을 이은 `attention_layer`. 모델의 층과 똑같은 어텐션 층입니다.
#
# **다음 레슨:** 부품이 다 모였습니다. 레슨 08에서는 레슨 02부터 만든 함수를 조립해, 모델의 가중치로 글을 쓰는
# LLM을 완성합니다.
# %% [markdown] lang="en"
# ## What you know now
#
# - Attention has two steps: queries and keys give relevance scores; softmax makes weights of them, and the values
#   are added up by these weights.
# - Several heads run side by side, and some may share keys and values: the cache shrinks accordingly.
# - Positions come in by rotating queries and keys. What is left of them in a score is the distance.
# - Some heads have a job that is plain to see; but weights alone do not tell what matters.
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | Attention has two steps: scoring relevance, and combining information | *Step one: relevance scores* and *Step two: combining information* |
# | Several run side by side, and each is called a head | *Heads: several of them, side by side*. Not in the notes: several heads share keys and values |
# | In go the vectors of this position and the earlier ones, out comes a new representation | *What goes in: the vectors of this position and the previous ones*, *The whole layer* |
# | Three trained projection matrices, for query, key and value | *Three matrices: query, key, value*. This model has one more, `o_proj`, which mixes the heads' results |
# | Query times keys gives scores, and softmax makes them sum to 1 | Exercises 7.1 and 7.2. Of three things the notes do not speak: dividing by √64, the mask, and the rotation that tells positions |
# | Values times scores, all added up, are the output | Exercise 7.3. What they are multiplied by is the weights after softmax, and the sum is the layer's output only once it has been through `o_proj` |
#
# **What you have built so far:** `attention_scores`, `attention_weights`, `combine`, `split_heads`, `merge_heads`,
# `repeat_kv`, `rotary`, and, made of them, `attention_layer`: an attention layer equal to the model's own.
#
# **Next lesson:** all parts are there. In lesson 08 you assemble what you have written since lesson 02 into an
# LLM that writes with the model's weights.
