# %% [markdown] lang="ko"
# # 04 · 계산 스트림: 모든 토큰을 한꺼번에
#
# **이 레슨을 마치면** 한 번의 정방향 계산 안에서 토큰마다 흐르는 계산 스트림을 꺼내 층마다 읽고, 예측에는 마지막
# 스트림만 쓰이는데 왜 나머지도 계산하는지 설명하고, 문맥 길이를 넘으면 무슨 일이 생기는지 잴 수 있습니다.
#
# **85분** = 읽고 실행하기 42분 + 연습 문제 43분 · 노트의 *병렬 토큰 처리와 문맥 크기*, *처리 스트림* 절에 해당합니다.
# %% [markdown] lang="en"
# # 04 · Parallel streams: all tokens at once
#
# **After this lesson you will be able to** take out the streams in which a forward pass computes each token,
# read them layer by layer, explain why all are computed though only the last one predicts, and measure what
# happens past the context length.
#
# **85 minutes** = 42 to read and run + 43 for the exercises · It mirrors the notes' sections on *parallel
# token processing and context size* and on *processing streams*.
# %% [markdown] lang="ko" lesson="04"
# 인과 마스크, 로짓 렌즈
#
# - C15 토큰은 각자의 계산 스트림에서 병렬로 처리된다
# - C16 문맥 길이가 토큰의 수를 제한한다
# - C17 스트림은 입력 벡터로 시작해 출력 벡터로 끝난다
# - C18 다음 토큰은 마지막 스트림의 출력만으로 예측한다
# - C19 그래도 다른 스트림이 필요하다. 어텐션이 앞의 스트림을 읽기 때문이다
# %% [markdown] lang="en" lesson="04"
# causal mask, logit lens
#
# - C15 Tokens are processed in parallel, each in a stream of its own
# - C16 The context length limits how many
# - C17 A stream starts as an input vector and ends as an output vector
# - C18 Only the last stream's output predicts the next token
# - C19 The other streams are needed all the same: attention reads the earlier ones
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

course_map("04")
# %% id="imports"
import json
from importlib.resources import files

import torch

from course.exercise import Exercise, Question
from utils.explorers.streams import ButterflyExplorer, StreamsExplorer
from utils.figures.losses import distance_picture, loss_picture
from utils.figures.timing import pass_times_picture
from utils.losses import long_losses, loss_at_distance
from utils.model import context_length, load_model
from utils.streams import trace_ids, trace_streams
from utils.timing import clock, pass_times

model, tokenizer = load_model()
# %% [markdown] lang="ko"
# ## 토큰마다 스트림 하나
#
# 정방향 계산에서는 토큰마다 **계산 스트림**이 하나씩 흐릅니다. 스트림의 벡터는 층을 하나 지날 때마다 새로
# 바뀝니다. 이 벡터를 **은닉 상태**라고 합니다. 한 문장의 은닉 상태를 모두 꺼내 모양을 봅니다. 축은 차례로 층,
# 위치, 벡터의 차원입니다.
# %% [markdown] lang="en"
# ## One stream for each token
#
# In a forward pass each token has a **stream** of its own. Every layer changes the stream's vector; this vector
# is called its **hidden state**. Take out all hidden states of a sentence and look at their shape: the axes are
# the layer, the position, and the dimension of the vectors.
# %% id="trace" tags=["C15", "C17", "slide"]
streams = trace_streams(model, tokenizer, "The capital of France is")
print(streams.tokens)
print(list(streams.hidden_states.shape))
# %% [markdown] lang="ko"
# 블록은 30개인데 층은 31개입니다. 이 레슨의 층 번호는 **지나온 블록의 개수**이기 때문입니다. 0층은 블록을 하나도
# 지나지 않은 **입력 벡터**, 곧 토큰의 임베딩이고, 30층은 블록 30개를 모두 지나 LM 헤드로 들어가는 **출력
# 벡터**입니다. (레슨 06부터는 블록 자체에 0번부터 29번까지 번호를 붙입니다. 여기의 29층은 거기의 28번 블록이
# 내놓은 것입니다.) 둘 다 모델에서 직접 꺼낸 것과 같은지 확인합니다.
# %% [markdown] lang="en"
# There are 30 blocks, but 31 layers: in this lesson the number of a layer is **the number of blocks passed**.
# Layer 0, before any block, is the **input vector**, the token's embedding; layer 30, after all 30 blocks, is the
# **output vector** that goes into the LM head. (From lesson 06 on it is the blocks themselves that are numbered,
# from 0 to 29: layer 29 here is what block 28 gives there.) Are both the same as those taken straight from the
# model?
# %% id="start-and-end" tags=["C17"]
ids = streams.input_ids[None]  # [1, position]
start = model.model.embed_tokens(ids)[0]
end = model.model(ids).last_hidden_state[0]
print(torch.equal(streams.hidden_states[0], start), torch.equal(streams.hidden_states[-1], end))
# %% [markdown] lang="ko"
# ## 한꺼번에, 또는 하나씩
#
# 스트림들은 한 번의 정방향 계산에서 나란히 계산됩니다. 토큰을 하나씩 따로 넣을 수도 있을까요? 앞 스트림이 남긴
# 것을 기억해 두면 됩니다. 아래 코드의 `past_key_values`가 그 기억이고, 레슨 05에서 자세히 봅니다. 결과와 시간이
# 어떻게 다를지 먼저 예상해 보세요.
# %% [markdown] lang="en"
# ## At once, or one by one
#
# The streams are computed side by side, in one forward pass. Could the tokens go in one at a time instead? They
# can, if what the earlier streams left behind is remembered. In the code below this memory is `past_key_values`;
# lesson 05 is about it. Guess first how the result and the time will differ.
# %% id="question-a"
parallel_question = Question("4.a")
parallel_question
# %% [markdown] lang="ko" question="4.a"
# 32토큰의 글을 한 번에 계산하고, 또 토큰 하나씩 계산합니다. 무엇이 다를까요?
#
# - [x] 시간만 다르다. 한 번에 계산하는 쪽이 몇 배 빠르다
# - [ ] 은닉 상태만 다르다. 하나씩 넣으면 모델이 아는 것이 적다
#   - 하나씩 넣어도 앞 스트림이 남긴 것은 기억해 둡니다. 빠진 것은 뒤의 토큰뿐인데, 스트림이 뒤의 토큰을 읽을까요?
# - [ ] 다른 것이 없다. 같은 일에는 같은 시간이 든다
#   - 곱셈의 수는 같습니다. 그런데 가중치를 메모리에서 몇 번 가져와야 할까요? 한 번일까요, 32번일까요?
#
# 스트림은 앞의 스트림만 읽으므로, 뒤의 스트림을 언제 계산하든 결과는 같습니다. 하지만 한 번에 계산하면 가중치를
# 메모리에서 한 번만 가져와 모든 토큰에 씁니다.
# %% [markdown] lang="en" question="4.a"
# You compute a text of 32 tokens in one pass, and then token by token. What differs?
#
# - [x] only the time: one pass is several times as fast
# - [ ] only the hidden states: token by token the model knows less
#   - Going in one by one, what the earlier streams left is remembered. All that is missing are later tokens,
#     and does a stream read those?
# - [ ] nothing: the same work takes the same time
#   - There is the same number of multiplications. But how often does each weight have to be fetched from
#     memory: once, or 32 times?
#
# Each stream reads only from earlier ones, so it makes no difference when the later ones are computed. But
# one pass fetches every weight from memory once for all tokens.
# %% id="question-a-answered" tags=["solution"]
parallel_question.answer(1)
# %% [markdown] lang="ko"
# 강좌에 들어 있는 글에서 토큰 32개를 가져옵니다. 루이스 캐럴의 《이상한 나라의 앨리스》(1865) 첫 다섯 장으로,
# 누구나 쓸 수 있는 글입니다. 먼저 하나씩, 정방향 계산 32번으로 계산합니다.
# %% [markdown] lang="en"
# Take 32 tokens from a text that comes with the course: the first five chapters of Lewis Carroll's *Alice's
# Adventures in Wonderland* (1865), which is in the public domain. First one by one, in 32 forward passes.
# %% id="one-by-one" tags=["C15"]
alice = files("course").joinpath("data/alice.txt").read_text(encoding="utf-8")
alice_ids = tokenizer(alice, return_tensors="pt", verbose=False).input_ids.to(model.device)
cache, columns = None, []
for token_id in alice_ids[0, :32]:
    output = model(token_id[None, None], past_key_values=cache, output_hidden_states=True)
    cache = output.past_key_values
    columns.append(torch.stack(output.hidden_states)[:, 0])
one_by_one = torch.cat(columns, dim=1)
print(len(columns), list(one_by_one.shape))
# %% [markdown] lang="ko"
# 이제 한 번에 계산해서 비교합니다. 층과 위치마다 두 벡터의 차이를 벡터 길이로 나누고, 그중 가장 큰 값을
# 출력합니다.
# %% [markdown] lang="en"
# Now in one pass, and compare: at every layer and position, take the distance between the two vectors as a share
# of their length. The cell prints the largest of these.
# %% id="same-states" tags=["C15"]
at_once = trace_ids(model, tokenizer, alice_ids[0, :32]).hidden_states
difference = (one_by_one - at_once).norm(dim=-1) / at_once.norm(dim=-1)
print(f"{difference.max():.4f}")
# %% [markdown] lang="ko"
# 소수 넷째 자리까지 같습니다. 그 아래에서 생기는 차이는 더하는 순서가 달라서 나오는 반올림 오차입니다. 시간은
# 다릅니다. 토큰 수를 늘려 가며 두 방법을 재 봅니다.
# %% [markdown] lang="en"
# They are the same to four decimals; any difference beyond that is rounding, from adding up in another order. The
# time does differ. Measure both ways for more and more tokens.
# %% id="times" tags=["C15", "nbval-ignore-output", "slide"]
times = list(pass_times(model, alice_ids[0], (4, 8, 16)))
pass_times_picture(times)
# %% [markdown] lang="ko"
# 하나씩 할 때의 시간은 토큰 수에 비례해서 늘지만, 한꺼번에 할 때는 훨씬 천천히 늡니다. 가중치를 메모리에서 한
# 번만 읽어 모든 토큰에 쓰기 때문입니다. 트랜스포머가 병렬 처리에 뛰어나다는 것은 이런 뜻입니다. 노트는 기존의
# 신경망 구조보다 뛰어나다고 하는데, 토큰을 반드시 하나씩 차례로 읽어야 하는 순환 신경망(RNN, LSTM)을 두고 한
# 말입니다.
# %% [markdown] lang="en"
# One by one, the time grows with the number of tokens; at once, it grows far more slowly: the weights are fetched
# from memory once and used for all tokens. This is what is meant by saying that transformers are good at working
# in parallel. The notes say, better than earlier architectures: they mean recurrent networks (RNN, LSTM), which
# have to read their tokens one after the other.
# %% [markdown] lang="ko"
# ### 순환 신경망은 왜 기다려야 하나
#
# 작은 LSTM 하나와 어텐션 하나를 무작위 가중치로 만들어, 벡터 6개를 넣습니다. 첫 줄은 LSTM을 한 번에 부른 것과 한
# 단계씩 부른 것이 같은지입니다. 그다음은 **마지막 위치만** 바로 계산해 한 번에 계산한 것과 같은지이고, 둘째 줄은
# LSTM, 셋째 줄은 어텐션입니다.
# %% [markdown] lang="en"
# ### Why a recurrent network has to wait
#
# Make a small LSTM and one attention, both with random weights, and give them 6 vectors. The first line says whether
# the LSTM called once gives the same as called step by step. Then compute **the last position alone**, straight away:
# is it the same as when all are computed? The second line is the LSTM, the third is attention.
# %% id="recurrent" tags=["C15"]
torch.manual_seed(0)
lstm = torch.nn.LSTM(8, 8, batch_first=True)
attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
x = torch.randn(1, 6, 8)  # [1, position, width]
state, steps = None, []
for position in range(6):
    output, state = lstm(x[:, position : position + 1], state)
    steps.append(output)
last, all_at_once = x[:, -1:], lstm(x)[0]
print(torch.allclose(torch.cat(steps, dim=1), all_at_once, atol=1e-5))
print(torch.allclose(lstm(last)[0], all_at_once[:, -1:], atol=1e-5))
print(torch.allclose(attention(last, x, x)[0], attention(x, x, x)[0][:, -1:], atol=1e-5))
# %% [markdown] lang="ko"
# LSTM은 한 번에 불러도 안에서 한 단계씩 갑니다. 한 단계에는 앞 단계가 **내놓은 것**(`state`)이 필요해서, 그것 없이
# 계산한 마지막 위치는 틀립니다. 어텐션은 앞 위치에 **들어온 것**만 읽으므로 기다리지 않고 바로 맞게 계산합니다. 기다려야
# 하는 것은 아래층의 결과뿐입니다. (여기 어텐션에는 마스크가 없지만, 마지막 위치는 어차피 모두를 봅니다.)
#
# ## 뒤를 보지 않는다
#
# 한꺼번에 계산해도 결과가 같은 것은, 어떤 스트림도 자기보다 **뒤**의 스트림을 보지 않기 때문입니다. 직접 확인해
# 봅시다. `France`를 `Japan`으로 바꾸면, 바뀌지 않은 토큰 ` is`의 스트림은 어느 층부터 움직일까요?
# %% [markdown] lang="en"
# Called once, the LSTM still goes step by step inside. A step needs what the step before it **gave** (`state`), so
# the last position, computed without that, is wrong. Attention reads only what **went in** at the earlier positions:
# it need not wait, and is right straight away. All it waits for is the layer below. (This attention has no mask, but
# the last position looks at all of them anyway.)
#
# ## No looking ahead
#
# The result is the same either way because no stream looks at the streams **after** it. See for yourself. Replace
# `France` by `Japan`: from which layer on does the stream of ` is`, which has not changed, begin to move?
# %% id="question-b"
change_question = Question("4.b")
change_question
# %% [markdown] lang="ko" question="4.b"
# “The capital of France is”에서 France를 Japan으로 바꿉니다. ` is`의 스트림은 어디부터 달라질까요?
#
# - [ ] 0층, 곧 임베딩부터
#   - 0층의 벡터는 토큰의 id로 표에서 꺼낸 행입니다. ` is`의 id가 바뀌었나요?
# - [x] 1층, 곧 첫 블록을 지난 뒤부터
# - [ ] 답이 정해지는 30층에서만
#   - 그러려면 마지막 블록에서만 앞을 읽어야 합니다. 어텐션 층은 블록마다 하나씩 있습니다.
# - [ ] 어디에서도 달라지지 않는다. 토큰은 그대로다
#   - 다음 토큰은 ` is`의 스트림으로 예측합니다. 이 스트림이 그대로라면 일본의 수도도 ` Paris`가 됩니다.
#
# 임베딩은 앞에 무엇이 있든 ` is`의 임베딩입니다. 처음으로 왼쪽을 보는 것은 첫 블록의 어텐션입니다.
# %% [markdown] lang="en" question="4.b"
# In “The capital of France is” you replace France by Japan. Where does the stream of ` is` begin to change?
#
# - [ ] at layer 0, its embedding
#   - The vector at layer 0 is a row of a table, found by the token's id. Has the id of ` is` changed?
# - [x] at layer 1, after the first block
# - [ ] at layer 30, where the answer is decided
#   - For that, only the last block would have to look back. But there is an attention layer in every block.
# - [ ] nowhere: the token is the same as before
#   - The next token is predicted from the stream of ` is`. If that did not change, Japan's capital would be `
#     Paris`, too.
#
# The embedding is that of ` is`, whatever comes before it. The first part that looks to the left is the attention
# of the first block.
# %% id="question-b-answered" tags=["solution"]
change_question.answer(2)
# %% [markdown] lang="ko"
# 두 문장의 은닉 상태를 위치마다 비교합니다. 한 줄은 토큰이고, 첫째 수는 31개 층 가운데 **비트 하나 다르지 않은**
# 층의 개수, 둘째 수는 30층의 벡터가 그 길이에 비해 얼마나 움직였는지입니다.
# %% [markdown] lang="en"
# Compare the hidden states of the two sentences, position by position. A line is a token; the first number is at
# how many of the 31 layers the two are **the same to the last bit**, the second how far the vector of layer 30
# moved, as a share of its length.
# %% id="change-one-token" tags=["C19", "slide"]
changed = trace_streams(model, tokenizer, "The capital of Japan is")
same = (streams.hidden_states == changed.hidden_states).all(dim=-1).sum(dim=0)
moved = (changed.hidden_states[-1] - streams.hidden_states[-1]).norm(dim=-1)
share = moved / streams.hidden_states[-1].norm(dim=-1)
for token, layers, distance in zip(changed.tokens, same, share):
    print(f"{token!r:10} {layers.item():2} {distance:.2f}")
# %% [markdown] lang="ko"
# 왼쪽의 세 스트림은 31개 층 모두 그대로입니다. 바뀐 토큰은 모든 층에서 달라졌고, ` is`는 임베딩(0층)만
# 같습니다. 마지막 스트림이 움직였으니 예측도 달라집니다.
#
# 아래 탐색기에서 단어를 바꿔 보세요. 위치는 눌러서 고를 수 있습니다. 칸의 파란색이 진할수록 그 벡터가 많이 움직인 것이고, `=`는 비트 하나도
# 움직이지 않은 칸입니다. 움직임은 오른쪽과 위쪽으로만 번집니다. *위치*를 옮기면 왼쪽에 남는 `=`도 따라 바뀝니다.
# %% [markdown] lang="en"
# The three streams on the left are the same at all 31 layers. The changed token differs at every layer, and of
# ` is` only the embedding, layer 0, is the same. Since the last stream has moved, the prediction changes, too.
#
# Change a word in this explorer; a click picks the position. The bluer a cell, the further its vector moved; `=` marks a cell where not a
# single bit did. Movement spreads only to the right and upwards. Change *position*, and the `=` on the left
# change with it.
# %% id="butterfly"
butterfly = ButterflyExplorer(model, tokenizer, "The capital of France is", 3, "Japan")
butterfly
# %% id="butterfly-early" tags=["solution", "C19", "slide"]
butterfly.set(text="The dog chased the squirrel because it was hungry", position=1, word="cat")
# %% id="butterfly-late" tags=["solution", "C19"]
butterfly.set(position=8, word="tired")
# %% [markdown] lang="ko"
# ### 연습 4.1 · 누가 어디를 볼 수 있나
#
# 뒤를 보지 못하게 막는 것은 표 하나입니다. 행은 보는 위치, 열은 보이는 위치이고, 볼 수 있으면 `True`입니다.
# 위치가 `n`개일 때의 표를 만드세요. 위치는 자기 자신도 볼 수 있습니다. 이 표를 **인과 마스크**라고 합니다.
# %% [markdown] lang="en"
# ### Exercise 4.1 · Who may look where
#
# All that keeps the streams from looking ahead is a table. Its rows are the positions that look, its columns the
# positions looked at, and `True` means that looking is allowed. Make that table for `n` positions. A position may
# look at itself, too. The table is called the **causal mask**.
# %% id="ex-4-1"
def causal_mask(n):
    """bool [n, n].  행의 위치가 열의 위치를 볼 수 있으면 True."""
    """Return bool [n, n]: True where the row's position may look at the column's."""
    # BEGIN SOLUTION
    return torch.ones(n, n, dtype=torch.bool).tril()
    # END SOLUTION


# %% id="check-4-1" kind="implement" difficulty=1 minutes=5
Exercise("4.1").check(causal_mask)
# %% [markdown] lang="ko" hints="4.1"
# 1. 0행은 0열만 볼 수 있고, 마지막 행은 모든 열을 볼 수 있습니다.
# 2. True인 칸은 삼각형을 이룹니다. 대각선과 그 아래 전부입니다.
# 3. `torch.ones(n, n, dtype=torch.bool)`은 True로 채운 정사각형이고, `.tril()`은 그 왼쪽 아래만 남깁니다.
# %% [markdown] lang="en" hints="4.1"
# 1. Row 0 may look at column 0 only; the last row at all columns.
# 2. The True entries make a triangle: the diagonal and everything below it.
# 3. `torch.ones(n, n, dtype=torch.bool)` is a square of True; `.tril()` keeps its lower left.
# %% [markdown] lang="ko"
# 정말 이 표가 전부일까요? 마스크 두 개를 모델에 직접 줍니다. 첫 줄은 인과 마스크, 둘째 줄은 모두가 모두를 볼 수
# 있는 표입니다. **마지막** 토큰을 ` is`에서 ` was`로 바꿔, 위치마다 로짓이 그대로인지(`True`) 봅니다.
# %% [markdown] lang="en"
# Is that table really all there is to it? Hand the model two masks: the causal one (first line), and one in which
# everybody may look at everybody (second line). Change the **last** token from ` is` to ` was`: at which
# positions do the logits stay the same (`True`)?
# %% id="two-masks" tags=["C19"]
n = ids.shape[1]
was_ids = tokenizer("The capital of France was", return_tensors="pt").input_ids.to(model.device)
everything = torch.ones(n, n, dtype=torch.bool, device=model.device)
for mask in (everything.tril(), everything):
    before = model(ids, attention_mask=mask[None, None]).logits[0]
    after = model(was_ids, attention_mask=mask[None, None]).logits[0]
    print([torch.equal(a, b) for a, b in zip(before, after)])
# %% [markdown] lang="ko"
# 인과 마스크에서는 마지막 위치만 달라졌습니다. 표를 모두 `True`로 채우자 앞 위치도 전부 달라졌습니다. 앞과 뒤를
# 가르는 것은 이 표 하나입니다.
#
# ## 예측하는 것은 마지막 스트림뿐
#
# 다음 토큰을 알려면 LM 헤드에 무엇을 넣어야 할까요? 한 번은 출력 벡터를 모두, 한 번은 마지막 하나만 넣습니다. 한
# 줄은 로짓의 모양, 곱셈의 횟수, 다음 토큰입니다.
# %% [markdown] lang="en"
# With the causal mask only the last position differs. With `True` everywhere, all the earlier positions differ,
# too. This one table is what makes the difference between before and after.
#
# ## Only the last stream predicts
#
# What does the LM head need in order to tell the next token? Give it all the output vectors, then the last one
# alone. A line is the shape of the logits, the number of multiplications, and the next token.
# %% id="last-alone" tags=["C18"]
for vectors in (end, end[-1:]):
    logits = model.lm_head(vectors)
    token = tokenizer.decode(logits[-1].argmax())
    print(list(logits.shape), f"{vectors.shape[1] * logits.numel():,}", repr(token))
# %% [markdown] lang="ko"
# 같은 토큰이 나오고, 계산량은 5분의 1(토큰 수분의 1)로 줄었습니다. 토큰 256개의 글로 시간을 재 봅니다.
# `transformers`에서는 `logits_to_keep=1`이 같은 일을 합니다.
# %% [markdown] lang="en"
# The same token comes out, for a fifth of the work: one over the number of tokens. Time it on a text of 256
# tokens. In `transformers`, `logits_to_keep=1` does the same.
# %% id="last-alone-time" tags=["C18", "nbval-ignore-output"]
outputs = model.model(alice_ids[:, :256]).last_hidden_state
for vectors in (outputs, outputs[:, -1:]):
    begin = clock(model.device)
    model.lm_head(vectors)
    print(vectors.shape[1], f"{1000 * (clock(model.device) - begin):.0f} ms")
# %% [markdown] lang="ko"
# ### 연습 4.2 · 마지막 위치의 로짓
#
# 은닉 상태 `[1, position, width]`에서 다음 토큰의 로짓 `[vocab]`을 계산하세요. LM 헤드에는 벡터 하나만 넣습니다.
# %% [markdown] lang="en"
# ### Exercise 4.2 · The last position's logits
#
# From hidden states `[1, position, width]` compute the next token's logits, `[vocab]`. Give the LM head one
# vector only.
# %% id="ex-4-2"
def last_position_logits(hidden_states, lm_head):
    """다음 토큰의 로짓 [vocab].  hidden_states: float [1, position, width]."""
    """Return logits [vocab] for the next token.  hidden_states: float [1, position, width]."""
    # BEGIN SOLUTION
    return lm_head(hidden_states[0, -1])
    # END SOLUTION


# %% id="check-4-2" kind="implement" difficulty=1 minutes=5
Exercise("4.2").check(last_position_logits)
# %% [markdown] lang="ko" hints="4.2"
# 1. `hidden_states`의 모양은 `[1, position, width]`입니다. 마지막 스트림의 벡터는 어느 것일까요?
# 2. `hidden_states[0, -1]`이 그 벡터이고, 모양은 `[width]`입니다.
# 3. `lm_head`는 함수처럼 부릅니다. 전부가 아니라 그 벡터 하나만 넣으세요.
# %% [markdown] lang="en" hints="4.2"
# 1. `hidden_states` has the shape `[1, position, width]`. Which vector is the last stream's?
# 2. `hidden_states[0, -1]` is that vector, of the shape `[width]`.
# 3. `lm_head` is called like a function. Call it with that one vector, not with all of them.
# %% [markdown] lang="ko"
# ### 그럼 나머지는 왜 계산할까
#
# 마지막 스트림의 출력만 쓴다면, 마지막 토큰만 계산하면 되지 않을까요? 온전한 글과 ` is`만 넣었을 때의 상위 토큰
# 세 개를 비교합니다.
# %% [markdown] lang="en"
# ### Then why compute the others?
#
# If only the last stream's output is used, why not compute the last token alone? Compare the three likeliest
# tokens after the whole text and after ` is` alone.
# %% id="alone" tags=["C19", "slide"]
for text_ids in (ids, ids[:, -1:]):
    logits = model(text_ids).logits[0, -1]
    print(tokenizer.decode(text_ids[0]), "→", [tokenizer.decode(i) for i in logits.topk(3).indices])
# %% [markdown] lang="ko"
# 앞의 스트림이 없으면 마지막 스트림은 프랑스를 알 길이 없습니다. 앞 스트림의 출력은 LM 헤드 앞에서 버려지지만, 그
# 전에 층마다 **어텐션**이 앞 스트림을 읽습니다. 그래서 모두 계산합니다.
#
# ## 스트림은 중간에서 무엇을 예측하고 있을까
#
# 출력 벡터는 LM 헤드를 거쳐 다음 토큰에 대한 로짓이 됩니다. 그렇다면 중간층의 벡터를 **그 자리에서 바로** LM
# 헤드로 읽으면 어떤 토큰이 나올까요? 이 방법을 **로짓 렌즈**라고 합니다. 마지막 스트림을 몇몇 층에서 읽어 봅니다.
# 한 줄은 층과 1등 토큰입니다.
# %% [markdown] lang="en"
# Without the earlier streams the last one cannot know of France. Their output is thrown away before the LM head,
# but until then, at every layer, **attention** reads from them. That is why all are computed.
#
# ## What does a stream predict on its way?
#
# The LM head turns the output vector into logits for the next token. What if it reads the vector of a layer in
# the middle, **on the spot**? This is called the **logit lens**. Read the last stream at a few layers; a line is
# the layer and the likeliest token.
# %% id="lens" tags=["C17", "slide"]
for layer in (0, 10, 20, 25, 27, 28, 29):
    hidden_state = streams.hidden_states[layer, -1]
    logits = model.lm_head(model.model.norm(hidden_state))
    print(layer, repr(tokenizer.decode(logits.argmax())))
print(30, repr(tokenizer.decode(model.lm_head(streams.hidden_states[30, -1]).argmax())))
# %% [markdown] lang="ko"
# 0층에서는 방금 읽은 토큰 ` is` 자신이 나옵니다. 중간에서는 어디에나 올 수 있는 구두점과 흔한 단어가 나오고,
# 맨 끝에서야 ` Paris`가 됩니다. 코드에서 30층만 `norm`을 거치지 않은 것은, `transformers`가 주는 마지막 은닉
# 상태가 이미 마지막 정규화를 거친 것이기 때문입니다.
#
# ### 왜 정규화가 필요할까
#
# 마지막 블록과 LM 헤드 사이에는 정규화(`norm`)가 하나 있고, 하는 일은 두 가지입니다. 벡터를 그 크기로 나누고,
# 숫자마다 훈련으로 얻은 가중치(`norm.weight`)를 곱합니다. 이것을 빼먹으면 다른 토큰이 읽힐까요? 그렇다면 두 가지
# 가운데 무엇 때문일까요? 한 줄은 층과 벡터의 길이, 그리고 네 가지 방법으로 읽은 1등 토큰입니다. 차례로 그대로
# 읽은 것, 크기로 나누기만 한 것, 가중치만 곱한 것, `norm`을 다 거친 것입니다.
# %% [markdown] lang="en"
# Layer 0 gives ` is`, the very token that was just read. The layers in the middle give punctuation and common
# words, which fit anywhere, and only the very last one gives ` Paris`. In the code, layer 30 is the only one
# that does not go through `norm`: the last hidden state that `transformers` gives has already been through it.
#
# ### Why the norm?
#
# Between the last block and the LM head stands a norm (`norm`), and it does two things: it divides the vector by
# its size, and it multiplies each number by a trained weight (`norm.weight`). If it is left out, is another token
# read? And if so, which of the two is the reason? A line is a layer, the length of the vector, and the likeliest
# token when it is read in four ways: as it is, only divided by its size, only multiplied by the weight, and
# through the whole `norm`.
# %% id="without-norm" tags=["C17"]
norm = model.model.norm
for layer in (0, 10, 20, 29):
    hidden_state = streams.hidden_states[layer, -1]
    size = hidden_state.pow(2).mean().sqrt()
    readings = (hidden_state, hidden_state / size, hidden_state * norm.weight, norm(hidden_state))
    tokens = [tokenizer.decode(model.lm_head(reading).argmax()) for reading in readings]
    print(layer, f"{hidden_state.norm():.0f}", tokens)
# %% [markdown] lang="ko"
# 벡터는 층을 지나며 200배 넘게 길어지지만, 그 때문에 엉뚱한 토큰이 읽히는 것은 아닙니다. 크기로 나누어도 1등은
# 그대로입니다. 벡터를 나누면 모든 로짓이 같은 수로 나뉘니, 순서는 그대로이고 확률이 뾰족하거나 평평해질 뿐입니다.
# 1등을 바꾼 것은 **가중치**입니다. LM 헤드는 이 가중치를 곱한 벡터를 읽도록 훈련되었으니, 중간층의 벡터도 똑같이
# 곱해야 제대로 읽힙니다. 0층에서만은 어느 쪽이든 ` is`입니다.
#
# ### 연습 4.3 · 로짓 렌즈
#
# 정규화를 거치지 않은 은닉 상태를 받아, 그 자리에서 읽은 로짓을 돌려주세요. `norm`과 `lm_head`는 함수처럼
# 부릅니다.
# %% [markdown] lang="en"
# On its way through the layers the vector grows over 200 times as long, but that is not why nonsense is read.
# Divided by its size it reads the same: dividing the vector divides all logits by one number, so their order
# stays, and only the probabilities become more or less peaked. What changes the winner is the **weight**. The
# LM head was trained to read vectors that were multiplied by it, so a vector from a layer in the middle has to
# be multiplied, too. At layer 0 all four readings give ` is`.
#
# ### Exercise 4.3 · The logit lens
#
# You are given a hidden state that has not been through the norm. Return the logits that are read from it on
# the spot. `norm` and `lm_head` are called like functions.
# %% id="ex-4-3"
def logit_lens(hidden_state, norm, lm_head):
    """hidden_state(float [..., width])에서 읽은 로짓 [..., vocab]."""
    """Return logits [..., vocab] read from hidden_state, float [..., width]."""
    # BEGIN SOLUTION
    return lm_head(norm(hidden_state))
    # END SOLUTION


# %% id="check-4-3" kind="implement" difficulty=2 minutes=12
Exercise("4.3").check(logit_lens)
# %% [markdown] lang="ko" hints="4.3"
# 1. 마지막 블록 다음에 모델은 벡터에 두 가지 일을 합니다. 이 벡터에도 똑같이 하세요.
# 2. LM 헤드는 마지막 정규화를 거친 벡터로 훈련되었습니다. 그러니 먼저 `norm`입니다.
# 3. 둘 다 함수처럼 부릅니다. `norm`의 결과를 `lm_head`에 넣으세요.
# %% [markdown] lang="en" hints="4.3"
# 1. After its last block the model does two things to a vector. Do the same two to this one.
# 2. The LM head was trained on vectors that come from the final norm: first `norm`.
# 3. Both are called like functions. Give `lm_head` what `norm` returns.
# %% [markdown] lang="ko"
# 이 탐색기는 모든 층과 모든 위치를 한꺼번에 읽습니다. 칸에 적힌 것은 그 자리에서 읽은 1등 토큰이고, 파란색이
# 진할수록 확률이 높습니다. 검은 테두리는 예측에 쓰이는 마지막 스트림입니다. 칸을 누르거나 *층*과 *위치*로 고르면 후보 다섯
# 개와 벡터의 길이가 나옵니다. 문장도 바꿔 보세요. 답이 일찍 정해지는 문장이 있나요?
#
# 0층의 칸이 늘 그 토큰 자신은 아닙니다. ` France`의 칸에는 `<filename>`이 나옵니다. 이 모델의 LM 헤드는 임베딩
# 행렬이고, 내적으로 고르면 벡터가 긴 토큰이 앞에 나오기 쉽기 때문입니다(레슨 02).
# %% [markdown] lang="en"
# This explorer reads all layers and all positions at once. Each cell names the likeliest token when the stream is
# read there; the bluer, the surer. The black frame is the last stream, the one that predicts. Click a
# cell, or pick it with *layer* and *position*, to see five candidates and the length of its vector. Try sentences of your own: is there
# one whose answer is settled early?
#
# At layer 0 a cell does not always name its own token. For ` France` it is `<filename>`: this model's LM head is
# the matrix of the embedding, and by the dot product tokens with long vectors easily come first (lesson 02).
# %% id="explorer" tags=["C17", "slide"]
explorer = StreamsExplorer(model, tokenizer, "The capital of France is")
explorer
# %% id="explorer-cell" tags=["solution", "C17"]
explorer.pick(layer=29, position=4)
# %% id="explorer-early" tags=["solution", "C17"]
explorer.set(text="The dog chased the squirrel because it was hungry and wanted", layer=20)
# %% [markdown] lang="ko"
# ### 연습 4.4 · Paris가 앞서는 층
#
# 문장 `The Eiffel Tower is in the city of`의 마지막 스트림에서 ` Paris`는 몇 층부터 끝까지 1등인가요? 탐색기로
# 찾으세요. 0층은 임베딩입니다. (기본 모델로 찾습니다.)
# %% [markdown] lang="en"
# ### Exercise 4.4 · Where Paris takes the lead
#
# In the last stream of `The Eiffel Tower is in the city of`: from which layer on, up to the end, is ` Paris`
# the likeliest? Find it with the explorer. Layer 0 is the embeddings. (Use the default model.)
# %% id="ex-4-4"
paris_leads_from = 29  # SOLUTION
# %% id="check-4-4" kind="find" difficulty=2 minutes=6
Exercise("4.4").check(paris_leads_from)
# %% [markdown] lang="ko" hints="4.4"
# 1. 탐색기에 문장을 끝 공백 없이 넣고 마지막 열을 보세요.
# 2. 30층에서 시작해, 칸에 ` Paris`가 적혀 있는 동안 아래로 내려가세요.
# 3. *층*을 한 칸씩 내리면서 맨 위 막대를 읽으세요. 어디까지 ` Paris`인가요?
# %% [markdown] lang="en" hints="4.4"
# 1. Put the sentence into the explorer, without a space at its end, and look at its last column.
# 2. Begin at layer 30 and go down for as long as the cell still says ` Paris`.
# 3. Move *layer* down step by step, and read the uppermost bar: where is it still ` Paris`?
# %% [markdown] lang="ko"
# 수도를 묻는 문장에서는 30층, 곧 마지막 블록까지 지나서야 ` Paris`가 1등이 되었습니다. 이 작은 모델에서는 이런
# 답이 맨 끝에 가서야 정해집니다.
#
# ## 얼마나 많이: 문맥 길이
#
# 한꺼번에 처리할 수 있는 토큰 수에는 한도가 있습니다. 이 한도가 **문맥 길이**입니다. 첫 줄은 모델에서 읽은 문맥
# 길이와 앨리스 다섯 장의 토큰 수입니다. 그래도 모두 넣으려 하면, 왜 안 되는지를 이 강좌의 도우미 함수가 알려
# 줍니다.
# %% [markdown] lang="en"
# In the sentence about the capital, ` Paris` came out on top only at layer 30, after the very last block. In this
# small model, answers like these are settled only at the very end.
#
# ## How many: the context length
#
# There is a limit to how many tokens can be processed at once, the **context length**. The first line is the
# model's context length and the number of tokens in the five chapters of Alice. If you put them all in
# nevertheless, a helper of the course says why it cannot be done.
# %% id="limit" tags=["C16"]
print(context_length(model), alice_ids.shape[1])
try:
    trace_streams(model, tokenizer, alice)
except ValueError as error:
    print(error)
# %% [markdown] lang="ko"
# ### 토큰이 늘면 비용은
#
# 토큰 수를 두 배씩 늘려 봅니다. 한 줄은 차례로 토큰 수, 한 번 계산하는 시간, 모든 층이 기억해 둘 것(키와 값)의
# 크기(`kept`), 한 층의 어텐션 점수를 표로 만들 때의 크기(`table`, 헤드마다 위치 × 위치)입니다. 무엇이 두 배가
# 되고, 무엇이 네 배가 되나요?
# %% [markdown] lang="en"
# ### What more tokens cost
#
# Double the number of tokens again and again. A line is the number of tokens, the time of one pass, the size of
# what all layers have to remember (`kept`: keys and values), and the size of one layer's attention scores, if
# written out as a table (`table`: positions × positions, for each head). What doubles, and what becomes four times
# as much?
# %% id="cost" tags=["C16", "nbval-ignore-output", "slide"]
for tokens in (64, 128, 256, 512):
    begin = clock(model.device)
    output = model(alice_ids[:, :tokens], logits_to_keep=1)
    seconds = clock(model.device) - begin
    cache = output.past_key_values.layers
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache) / 1e6
    table = model.config.num_attention_heads * tokens**2 * cache[0].keys.element_size() / 1e6
    print(f"{tokens=:4} {seconds=:5.2f} s  {kept=:5.1f} MB  {table=:5.1f} MB")
# %% [markdown] lang="ko"
# 키와 값은 토큰 수에 비례하고, 점수의 표는 토큰 수의 제곱에 비례합니다. (요즘 구현은 대개 이 표를 통째로 만들지
# 않습니다.)
#
# ### 위치마다의 손실
#
# 긴 글을 모델이 얼마나 잘 예측하는지는 **손실**로 잽니다. 위치마다, 실제로 나온 다음 토큰에 모델이 준 확률의
# 로그에 음의 부호를 붙인 값입니다. 그 토큰에 0.77을 주었다면 손실은 $-\ln 0.77 = 0.26$, 0.01을 주었다면
# $-\ln 0.01 = 4.6$입니다. 예상했던 토큰이면 0에 가깝고, 뜻밖의 토큰이면 큽니다.
#
# ### 연습 4.5 · 위치마다 얼마나 놀랐나
#
# 로짓 `[1, position, vocab]`과 토큰 id `[1, position]`에서, 첫 토큰을 뺀 모든 토큰의 손실 `[position - 1]`을
# 계산하세요. 어떤 위치의 로짓은 그 **다음** 토큰에 대한 것임을 잊지 마세요.
# %% [markdown] lang="en"
# Keys and values grow with the number of tokens, the table of scores with its square. (Most implementations of
# today do not write that table out as a whole.)
#
# ### The loss at each position
#
# How well a model predicts a long text is measured by its **loss**: at each position, minus the logarithm of the
# probability it gave to the token that really came next. If it gave that token 0.77, the loss is
# $-\ln 0.77 = 0.26$; if 0.01, it is $-\ln 0.01 = 4.6$. It is near 0 for a token the model expected, and large for
# a surprise.
#
# ### Exercise 4.5 · How surprised, position by position
#
# From logits `[1, position, vocab]` and token ids `[1, position]` compute the loss of every token but the
# first, `[position - 1]`. Remember that the logits at a position are for the token **after** it.
# %% id="ex-4-5"
def loss_by_position(logits, input_ids):
    """로짓 [1, position, vocab]과 id [1, position]에서 구한 손실, float [position - 1]."""
    """Return losses, float [position - 1], of logits [1, position, vocab] and ids [1, position]."""
    # BEGIN SOLUTION
    return torch.nn.functional.cross_entropy(logits[0, :-1], input_ids[0, 1:], reduction="none")
    # END SOLUTION


# %% id="check-4-5" kind="implement" difficulty=3 minutes=15
Exercise("4.5").check(loss_by_position)
# %% [markdown] lang="ko" hints="4.5"
# 1. 위치 0의 로짓은 위치 1의 토큰에 대한 예측입니다. 그래서 마지막 로짓은 비교할 토큰이 없고, 첫 토큰은
#    예측이 없습니다.
# 2. `logits[0, :-1]`을 `input_ids[0, 1:]`과 비교하세요.
# 3. `torch.nn.functional.cross_entropy(logits, ids, reduction='none')`은 로짓 `[n, vocab]`과 id `[n]`을
#    받아 손실을 하나하나 따로 돌려줍니다.
# %% [markdown] lang="en" hints="4.5"
# 1. The logits at position 0 are a guess at the token at position 1. So the last logits have nothing to be
#    compared with, and the first token has no guess.
# 2. Compare `logits[0, :-1]` with `input_ids[0, 1:]`.
# 3. `torch.nn.functional.cross_entropy(logits, ids, reduction='none')` takes logits `[n, vocab]` and ids
#    `[n]`, and keeps a loss for each.
# %% [markdown] lang="ko"
# 이제 앨리스를 읽힙니다. `long_losses`는 같은 계산을 512토큰씩 나누어서 하는 함수이고, 문맥 길이를 검사하지
# 않습니다. 이 셀에서는 처음 1,024토큰만 직접 계산합니다. 점선은 **같은 함수로 14,521토큰을 미리 계산해 저장해 둔
# 값**입니다. 직접 해 보려면 `1025`를 `14_521`로 바꾸세요. 코어 두 개로 몇 분 걸립니다.
# %% [markdown] lang="en"
# Now let it read Alice. `long_losses` is the same computation, done 512 tokens at a time, and it does not check
# the context length. This cell itself computes only the first 1,024 tokens. The dotted line is **what the same
# function gave beforehand for 14,521 tokens**, kept in a file. To compute it yourself, put `14_521` in place of
# `1025`; with two cores it takes a few minutes.
# %% id="losses" tags=["C16", "slide"]
losses = long_losses(model, alice_ids[:, :1025])
record = json.loads(files("course").joinpath("data/alice_losses.json").read_text(encoding="utf-8"))
computed = [part.mean().item() for part in losses.split(512)]
loss_picture(computed, record["mean_losses"], 512, context_length(model))
# %% [markdown] lang="ko"
# 한도를 넘어도 오류가 나지 않습니다. 이 모델에서 손실은 한도를 지나서도 한동안 그대로이다가, 10,000 무렵부터
# 흔들리고 12,000을 넘으면 크게 뜁니다. 문맥 길이는 넘지 못할 벽이 아니라, 모델이 **거기까지만 훈련받았다**는
# 표시입니다.
#
# ### 위치인가, 거리인가
#
# 그렇다면 위치 번호가 큰 것 자체가 문제일까요? 짧은 글의 위치를 통째로 100,000만큼 밀어 봅니다. 손실은 어떻게
# 될까요?
# %% [markdown] lang="en"
# Past the limit there is no error. With this model the loss stays as it was for a while beyond the limit, wavers
# from about 10,000 on, and leaps up past 12,000. The context length is no wall; it says **how far the model was
# trained**.
#
# ### Position or distance?
#
# Is it the large position numbers that do the harm? Shift all positions of a short text by 100,000. What happens
# to the loss?
# %% id="question-c"
position_question = Question("4.c")
position_question
# %% [markdown] lang="ko" question="4.c"
# 글이 문맥 길이를 훨씬 넘는 위치 100,000에서 시작한다고 모델에 알려 줍니다. 손실은 어떻게 될까요?
#
# - [ ] 훨씬 커진다
#   - 앞에서 손실이 뛴 것은 글이 길어서 토큰끼리 아주 멀리 떨어져 있을 때였습니다. 이 짧은 글에서는 토큰끼리 얼마나
#     떨어져 있나요?
# - [x] 그대로다
# - [ ] 모델이 오류를 낸다
#   - 위치마다 행이 하나씩 있는 표를 쓴다면 그렇습니다. 앞의 긴 글은 문맥 길이를 넘어서도 오류 없이 계산되었습니다.
#
# 이 모델의 회전 위치 임베딩(레슨 07)은 토큰 사이의 거리만 알려 주는데, 거리는 바뀌지 않았습니다. 위치를 표에서
# 찾는 모델이라면 여기서 실패합니다.
# %% [markdown] lang="en" question="4.c"
# You tell the model that its text begins at position 100,000, far past its context length. How does the
# loss change?
#
# - [ ] it becomes much higher
#   - When the loss leapt up before, the text was long, and tokens were very far apart. How far apart are they
#     in this short text?
# - [x] it stays the same
# - [ ] the model raises an error
#   - So it would be with a table that has a row for each position. But the long text went past the context
#     length without an error.
#
# This model's rotary position embedding (lesson 07) tells only how far apart two tokens are, and those distances
# have not changed. A model that looks its positions up in a table would fail here.
# %% id="question-c-answered" tags=["solution"]
position_question.answer(2)
# %% id="shifted" tags=["C16"]
short_ids = alice_ids[:, :128]
for by in (0, 100_000):
    print(by, f"{loss_at_distance(model, short_ids, 0, by):.2f}")
# %% [markdown] lang="ko"
# 번호는 상관이 없습니다. 회전 위치 임베딩을 쓰는 이 모델은 두 위치 사이의 **거리**만 알기 때문입니다. 그래서 짧은
# 글로도 먼 거리를 흉내 낼 수 있습니다. 앞 128토큰과 뒤 128토큰 사이에 빈 위치를 끼워 넣고, 뒷부분의 손실만
# 잽니다. 회색 파선은 앞부분이 아예 없을 때입니다.
# %% [markdown] lang="en"
# The number does not matter: with its rotary position embedding this model knows only the **distance** between
# two positions. So a short text can stand in for a long one. Put empty positions between the first 128 tokens and
# the next 128, and measure the loss of the second part alone. The grey dashed line is the loss without the first
# part.
# %% id="distances" tags=["C16", "slide"]
distances = (0, 4_000, 8_000, 12_000, 16_000)
far = [loss_at_distance(model, alice_ids[:, :256], 128, d) for d in distances]
alone = loss_at_distance(model, alice_ids[:, 128:256], 0, 0)
distance_picture(distances, far, alone, context_length(model))
# %% [markdown] lang="ko"
# 바로 앞에 붙어 있으면 앞부분이 도움이 됩니다. 4,000만큼 떨어지면 없는 것과 비슷하고, 문맥 길이에 가까운
# 8,000이면 이미 없는 편이 조금 낫습니다. 12,000부터는 없는 편이 훨씬 낫습니다. 훈련에서 만난 적 없는 거리가
# 계산을 흐트러뜨리는 것입니다. 앞의 긴 글에서 손실이 뛴 곳과도 맞습니다.
#
# 모든 모델이 이렇게 조용히 넘어가지는 않습니다. GPT-2는 위치마다 훈련으로 얻은 벡터를 하나씩 담은 표를 씁니다.
# 위치가 16개인 아주 작은 GPT-2(무작위 가중치)에 토큰 17개를 넣어 봅니다.
# %% [markdown] lang="en"
# Right before the second part, the first part helps. At a distance of 4,000 it might as well not be there; at
# 8,000, close to the context length, the model would already be slightly better off without it, and from 12,000
# on far better: distances that it never met in training upset the computation. That fits where the loss of the
# long text leapt up.
#
# Not every model passes its limit so quietly. GPT-2 looks its positions up in a table, with one trained vector
# for each. Give 17 tokens to a tiny GPT-2 (with random weights) that has 16 positions.
# %% id="table-of-positions" tags=["C16"]
from transformers import GPT2Config, GPT2LMHeadModel

sizes = {"n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2, "vocab_size": 50}
gpt2 = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).eval()
seventeen = torch.arange(17)[None]
try:
    gpt2(seventeen)
except IndexError as error:
    print("IndexError:", error)
try:
    long_losses(gpt2, seventeen)
except ValueError as error:
    print(error)
# %% [markdown] lang="ko"
# 위는 모델이 낸 오류이고, 아래는 같은 상황을 이 강좌의 도우미 함수가 풀어서 알려 준 것입니다.
#
# ### 손실을 비교하려면
#
# 손실이 작은 글이 모델에게 더 쉬운 글일까요? 뜻이 같은 영어 글(`en`)과 한국어 글(`ko`)로 재 봅니다. 한 줄은 토큰의
# 개수, 토큰 하나의 평균 손실, 글자 하나의 평균 손실, 글 전체의 손실입니다. 먼저 토큰 하나의 손실만 보세요. 모델은 어느
# 글을 더 잘 예측한 것 같나요?
# %% [markdown] lang="en"
# Above is the model's own error; below, a helper of the course explains the same situation.
#
# ### Before you compare losses
#
# If a text has a lower loss, does the model find it easier? Here is one text in English (`en`) and the same in Korean
# (`ko`). A line has the number of tokens, the mean loss of a token, the mean loss of a character, and the loss of the
# whole text. Look at the loss of a token first: which text does the model seem to predict better?
# %% id="loss-by-language"
parallel = {
    "en": "The sun rose slowly over the sea. Two children ran down to the beach and looked for shells. "
    "When they came home, their grandmother had made breakfast.",
    "ko": "바다 위로 해가 천천히 떠올랐다. 아이 둘이 바닷가로 달려가 조개껍데기를 찾았다. 집에 돌아오니 할머니가 아침밥을 차려 두셨다.",
}
for language, text in parallel.items():
    losses = long_losses(model, tokenizer(text, return_tensors="pt").input_ids.to(model.device))
    tokens, total = len(losses), losses.sum()
    print(f"{language} {tokens=:3} token={total / tokens:.1f} character={total / len(text):.1f} {total=:.0f}")
# %% [markdown] lang="ko"
# 토큰 하나로 치면 한국어가 더 쉬워 보이고, 글자 하나로 치면 한국어가 훨씬 어렵습니다. 같은 내용에 든 손실을 모두 더하면
# 한국어가 세 배가 넘습니다. 토큰 하나의 손실이 낮은 까닭은 같은 내용을 다섯 배에 가까운 토큰으로 나누었기 때문입니다.
#
# 그래서 토크나이저나 언어가 다르면 **토큰 하나의 손실을 비교하지 않습니다**. 손실로 계산하는 퍼플렉서티도
# 마찬가지입니다. 토크나이저가 다른 두 모델은 같은 글을 놓고 글자나 바이트 하나의 손실을 비교하고, 두 언어는 뜻이 같은
# 글의 손실을 모두 더해서 비교하세요.
#
# ## 정리
#
# - 토큰마다 스트림이 하나 흐릅니다. 입력 벡터(임베딩)에서 시작해 층마다 은닉 상태를 거쳐 출력 벡터로 끝납니다.
# - 스트림은 나란히 계산됩니다. 하나씩 계산해도 같은 결과가 나오지만 훨씬 느립니다.
# - 인과 마스크 때문에 뒤 토큰은 앞 스트림을 비트 하나도 바꾸지 못합니다.
# - 다음 토큰은 마지막 스트림만으로 예측하지만, 그 스트림은 어텐션을 통해 앞의 모든 스트림을 읽습니다.
# - 문맥 길이는 모델이 훈련받은 거리의 한도입니다. 넘으면 모델에 따라 조용히 나빠지거나 오류가 납니다.
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | 앞선 신경망 구조보다 병렬 처리에 뛰어나다 | *한꺼번에, 또는 하나씩*: 한꺼번에 해도 결과가 같고, LSTM은 앞 단계를 기다려야 합니다 |
# | 토큰마다 계산 스트림이 따로 있다 | *토큰마다 스트림 하나*. 다만 스트림끼리 모르는 사이는 아니어서, 어텐션이 앞의 스트림을 읽습니다 |
# | 스트림은 벡터로 시작해 벡터로 끝난다 | *토큰마다 스트림 하나*: 0층의 임베딩에서 30층의 출력 벡터까지 |
# | 문맥 길이를 넘는 토큰은 처리하지 못한다 | *얼마나 많이: 문맥 길이*. **다릅니다:** 이 모델은 넘어도 오류 없이 계산하고, 한참 넘으면 손실이 뜁니다. 위치를 표에서 찾는 GPT-2는 정말 오류를 냅니다 |
# | 다음 토큰에는 마지막 스트림의 출력만 쓴다 | *예측하는 것은 마지막 스트림뿐* |
# | 그래도 모두 계산하는 것은 어텐션 때문이다 | *그럼 나머지는 왜 계산할까*. 노트는 앞 스트림의 출력을 쓴다고 하는데, 정확히는 층마다 그 층에 들어온 벡터를 읽습니다 |
#
# **지금까지 만든 것:** `causal_mask`, `last_position_logits`, `logit_lens`, `loss_by_position`. `causal_mask`는 레슨
# 08의 디코더에 그대로 들어갑니다.
#
# **다음 레슨:** 앞 스트림은 뒤에 무엇이 오든 변하지 않습니다. 그렇다면 토큰을 하나 쓸 때마다 처음부터 다시 계산할
# 필요가 있을까요? 레슨 05에서 계산한 것을 기억해 둡니다.
# %% [markdown] lang="en"
# Per token, Korean looks easier; per character, it is far harder. The loss of the same content, added up, is
# more than three times as high in Korean. The loss of a token is low because the same content is divided among
# almost five times as many tokens.
#
# So where the tokenizer or the language differs, **never compare the loss of a token**, nor the perplexity,
# which is computed from it. Compare two models with different tokenizers on the same text, per character or per
# byte; compare two languages on texts that mean the same, by their sums.
#
# ## What you know now
#
# - Each token has a stream: it starts as an input vector (the embedding), is a hidden state at every layer, and
#   ends as an output vector.
# - Streams are computed side by side. Computing them one by one gives the same result, only far more slowly.
# - Because of the causal mask a later token cannot change an earlier stream by a single bit.
# - Only the last stream predicts the next token, but through attention it reads from all those before it.
# - The context length is how far the model was trained. Past it, a model gets worse quietly or fails with an
#   error, depending on how it is built.
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | Better at working in parallel than earlier architectures | *At once, or one by one*: at once gives the same result, and an LSTM has to wait for the step before |
# | Each token has a stream of its own | *One stream for each token*. They are no strangers to each other, though: attention reads the earlier ones |
# | A stream begins as a vector and ends as one | *One stream for each token*: from the embedding at layer 0 to the output vector at layer 30 |
# | Tokens past the context length cannot be processed | *How many: the context length*. **It differs:** this model computes on without an error, and far past the limit its loss leaps up. GPT-2, which looks positions up in a table, really fails |
# | For the next token only the last stream's output is used | *Only the last stream predicts* |
# | All are computed nevertheless, because of attention | *Then why compute the others?* The notes say that it uses the earlier streams' output; to be exact, each layer reads the vectors that come into that layer |
#
# **What you have built so far:** `causal_mask`, `last_position_logits`, `logit_lens`, `loss_by_position`.
# `causal_mask` goes straight into the decoder of lesson 08.
#
# **Next lesson:** an earlier stream stays as it is, whatever comes after it. So is there any need to start over
# for each new token? Lesson 05 remembers what has been computed.
