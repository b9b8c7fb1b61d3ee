# %% [markdown] lang="ko"
# # 06 · 트랜스포머 블록 내부
#
# **이 레슨을 마치면** 벡터 하나가 블록 30개를 지나는 동안 무엇이 더해지는지 보여 주고, 어텐션과 피드포워드를
# 하나씩 꺼 보며 그 역할을 확인하고, RMSNorm과 피드포워드 층과 블록을 직접 작성할 수 있습니다.
#
# **85분** = 읽고 실행하기 34분 + 연습 문제 51분 · 노트의 *트랜스포머 블록 내부* 절에 해당합니다.
# %% [markdown] lang="en"
# # 06 · Inside a transformer block
#
# **After this lesson you will be able to** show what is added to a vector on its way through 30 blocks, test what
# attention and feed-forward do by switching them off, and write RMSNorm, the feed-forward layer and the block
# yourself.
#
# **85 minutes** = 34 to read and run + 51 for the exercises · It mirrors the notes' section *inside a
# transformer block*.
# %% [markdown] lang="ko" lesson="06"
# RMSNorm, 피드포워드, 블록
#
# - C24 블록은 차례로 이어지며, 하나하나가 잔차 스트림에 더한다
# - C25 어텐션은 문맥을 가져온다
# - C26 피드포워드 층이 용량의 대부분을 차지한다. 기억과 보간
# %% [markdown] lang="en" lesson="06"
# RMSNorm, feed-forward, block
#
# - C24 Blocks in sequence, each adding to the residual stream
# - C25 Attention brings in context
# - C26 The feed-forward layers hold most of the capacity: memory and interpolation
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

course_map("06")
# %% id="imports"
from importlib.resources import files

import torch

from course.exercise import Exercise, Question
from utils.anatomy import components, parameter_share
from utils.decoding import top_candidates
from utils.explorers.attention import AttentionExplorer
from utils.explorers.feed_forward import FeedForwardExplorer
from utils.explorers.neurons import NeuronExplorer
from utils.explorers.residual import ResidualExplorer
from utils.feed_forward import losses_without_each, without_attention, without_feed_forward
from utils.figures.feed_forward import losses_picture
from utils.figures.gating import gating_picture
from utils.gating import record_gating
from utils.generation import generate, next_logits
from utils.memory import KNOWN_MODELS
from utils.model import load_model, prompt_ids
from utils.residual import blend, trace_residual

model, tokenizer = load_model()
# %% [markdown] lang="ko"
# ## 같은 모양의 블록을 쌓는다
#
# 블록의 개수와 블록 하나를 출력합니다. 블록의 부품은 네 개입니다. **어텐션 층**(`self_attn`), **피드포워드
# 층**(`mlp`), 그리고 그 둘의 앞에 하나씩 놓인 정규화입니다. 이 모델에는 이렇게 생긴 블록이 30개 있고, 모양은
# 같지만 가중치는 모두 다릅니다. 블록은 앞 블록이 내놓은 벡터를 받아 다음 블록에 넘깁니다. 이제부터 블록과 그 안의
# 층은 0번부터 29번까지 번호로 부릅니다. (레슨 04의 0–30은 블록을 몇 개 지났는지였습니다.)
# %% [markdown] lang="en"
# ## Blocks of one build, stacked
#
# Print the number of blocks, and one block. It has four parts: an **attention layer** (`self_attn`), a
# **feed-forward layer** (`mlp`), and a norm in front of each. This model has 30 blocks like it: the same build,
# each with weights of its own. A block takes the vectors that the block before it gives, and hands its own on to
# the next. From here on, blocks and the layers in them go by their numbers, from 0 to 29. (In lesson 04, 0 to 30 was
# how many blocks a vector had passed.)
# %% id="one-block"
print(len(model.model.layers))
print(model.model.layers[0])
# %% [markdown] lang="ko"
# 큰 모델에는 블록이 몇 개나 있을까요? 공개된 설정(config)에서 읽은 값입니다. 차례로 블록의 개수, 벡터의 차원,
# 파라미터의 개수(단위는 10억)입니다.
# %% [markdown] lang="en"
# How deep are larger models? These are from their published configs: the number of blocks, the dimension of the
# vectors, and the parameters in billions.
# %% id="depths" tags=["C24", "slide"]
for known in KNOWN_MODELS.values():
    config = known.config
    depth, width = config.num_hidden_layers, config.hidden_size
    print(f"{known.name:16} {depth:4} {width:6} {known.parameters / 1e9:7.1f}")
# %% [markdown] lang="ko"
# 블록이 100개가 넘는 모델이 정말 있습니다. 차원도 대체로 함께 커집니다.
#
# ## 잔차 스트림
#
# 블록은 들어온 벡터를 새것으로 *바꾸지* 않습니다. 들어온 벡터에 *더합니다*. 어텐션의 결과를 더하고, 피드포워드의
# 결과를 더합니다. 첫 블록에서 마지막 블록까지 곧게 이어지는 이 길을 **잔차 스트림**이라고 합니다.
#
# 그렇다면 마지막 벡터는 시작 벡터(임베딩)와 블록 30개가 더한 것의 합이어야 합니다. 맞는지(`True`) 봅시다. 둘째
# 줄은 차례로 시작 벡터, 어텐션이 더한 것, 피드포워드가 더한 것의 모양입니다.
# %% [markdown] lang="en"
# Some models really have more than 100. Their vectors mostly have a larger dimension, too.
#
# ## The residual stream
#
# A block does not *replace* the vector that comes in. It *adds* to it: first the result of attention, then that
# of the feed-forward layer. This road, straight from the first block to the last, is the **residual stream**.
#
# If so, the last vector is a sum: the vector at the start, which is the embedding, and what 30 blocks added. Is
# it (`True`)? The second line has the shapes of the start, of what attention added, and of what the feed-forward
# layers added.
# %% id="a-sum" tags=["C24", "slide"]
trace = trace_residual(model, tokenizer, "The Shawshank")
print(trace.tokens)
print(list(trace.start.shape), list(trace.attention.shape), list(trace.feed_forward.shape))
total = trace.start + trace.attention.sum(0) + trace.feed_forward.sum(0)
print(torch.allclose(total, trace.end, rtol=1e-4, atol=1e-2))


# %% [markdown] lang="ko"
# 합이 맞습니다. 덧셈이라서 좋은 점이 두 가지 있습니다. 훈련할 때 신호가 블록 100개도 곧장 거슬러 갈 수 있고,
# 우리는 어느 층이 얼마를 보탰는지 나누어 볼 수 있습니다. 먼저 블록을 직접 만들고, 그다음에 나누어 봅시다.
#
# ### 연습 6.1 · RMSNorm
#
# 블록을 지날수록 스트림의 벡터는 길어집니다. 그래서 어텐션도 피드포워드도 스트림을 그대로 읽지 않고, 크기를 맞춘
# **사본**을 읽습니다. 위치마다 벡터를 그 크기(RMS: 제곱하고, 평균 내고, 제곱근)로 나누고 `weight`를 곱합니다.
#
# $$\mathrm{rms\_norm}(x) = w \cdot \frac{x}{\sqrt{\frac{1}{n}\sum_i x_i^2 + \epsilon}}$$
#
# 계산은 float32로 하고, 결과는 `x`의 dtype으로 되돌리세요. 채점할 때 모델의 정규화와도 비교합니다.
# %% [markdown] lang="en"
# It is. Adding has two virtues: in training, a signal can run straight back even through 100 blocks; and we can
# tell apart what each layer contributed. First build the block yourself, then take the sum apart.
#
# ### Exercise 6.1 · RMSNorm
#
# The stream grows longer with each block. So neither attention nor feed-forward reads it as it is; they read a
# **copy**, brought to one size: at each position the vector is divided by its size (RMS: square, mean, root) and
# multiplied by `weight`.
#
# $$\mathrm{rms\_norm}(x) = w \cdot \frac{x}{\sqrt{\frac{1}{n}\sum_i x_i^2 + \epsilon}}$$
#
# Compute in float32, and turn the result back into the dtype of `x`. The check also compares with one of the
# model's own norms.
# %% id="ex-6-1"
def rms_norm(x, weight, eps):
    """벡터마다 크기를 맞추고 weight를 곱한 x.  x: [..., width]; weight: [width]; eps: float."""
    """Return x, each vector at one size, times weight.  x: [..., width]; weight: [width]; eps: float."""
    # BEGIN SOLUTION
    wide = x.float()
    mean_square = wide.pow(2).mean(-1, keepdim=True)
    return weight * (wide / (mean_square + eps).sqrt()).to(x.dtype)
    # END SOLUTION


# %% id="check-6-1" kind="implement" difficulty=2 minutes=12
Exercise("6.1").check(rms_norm)


# %% [markdown] lang="ko" hints="6.1"
# 1. RMS는 뒤에서부터 읽습니다. 제곱(S)하고, 마지막 축으로 평균(M) 내고, 제곱근(R)을 구합니다.
# 2. `x.float().pow(2).mean(-1, keepdim=True)`가 제곱의 평균입니다. 제곱근을 구하기 전에 `eps`를 더하세요.
# 3. `x.float()`를 그 제곱근으로 나누고, `.to(x.dtype)`로 되돌린 다음, `weight`를 곱하세요.
# %% [markdown] lang="en" hints="6.1"
# 1. RMS is read from the right: square, mean along the last axis, root.
# 2. `x.float().pow(2).mean(-1, keepdim=True)` is the mean of the squares. Add `eps` to it before you take
#    the root.
# 3. Divide `x.float()` by that root, go back with `.to(x.dtype)`, and multiply by `weight`.
# %% [markdown] lang="ko"
# ### 부드럽게 여닫는 문: silu
#
# 이제 피드포워드 층을 만듭니다. 그 안에서 하는 계산은 문(gate)을 여닫는 것과 비슷합니다. 벡터를 행렬 `gate`에
# 통과시켜 얻은 수 $z$에 곡선 $\mathrm{silu}(z) = z \cdot \sigma(z)$를 적용하고, 다른 행렬 `up`에서 얻은 수와
# 곱합니다. $\sigma(z) = 1 / (1 + e^{-z})$는 0과 1 사이의 수를 내는 시그모이드입니다(파선). 그래서 silu는 큰 양수를
# 거의 그대로 통과시키고, 큰 음수는 0 가까이로 눌러 버립니다.
#
# 이렇게 나온 수 하나하나를 **뉴런**이라고 합니다. 22번 층의 뉴런 1,536개 가운데 다섯 개를, `gate`의 값이 가장 작은
# 것부터 가장 큰 것까지 골랐습니다. 첫 줄에서 `up`은 3이 넘는데 곱은 왜 0에 가까울까요?
# %% [markdown] lang="en"
# ### A gate that opens softly: silu
#
# Next comes the feed-forward layer. What it computes is like opening and shutting gates. The matrix `gate` turns the
# vector into numbers $z$; each goes through a curve, $\mathrm{silu}(z) = z \cdot \sigma(z)$, and is multiplied by
# the number that another matrix, `up`, gives. The sigmoid, $\sigma(z) = 1 / (1 + e^{-z})$, lies between 0 and 1 (the
# dashed line). So silu lets large positive numbers through almost unchanged, and presses large negative ones close
# to 0.
#
# Each number that comes out is called a **neuron**. Of the 1,536 neurons of layer 22 the cell takes five, from the
# lowest value of `gate` to the highest. In the first row `up` is over 3: why is the product close to 0?
# %% id="gate-curve"
gating_picture(record_gating(model, tokenizer, "The Shawshank", layer=22))
# %% [markdown] lang="ko"
# 문이 닫혀 있기 때문입니다. 마지막 줄은 거꾸로 문이 활짝 열려 있는데 통과할 것(`up`)이 거의 없습니다.
#
# ### 연습 6.2 · 피드포워드 층
#
# 피드포워드 층은 모든 위치에서 따로따로 같은 계산을 합니다. 벡터의 차원을 늘리고(576 → 1536), 비선형 함수를
# 적용하고, 다시 줄입니다(1536 → 576). 차원을 늘리는 행렬이 두 개입니다. `gate`를 지난 쪽에는 silu를 적용하고, `up`을
# 지난 쪽과 원소별로 곱한 다음, `down`으로 차원을 줄입니다. 이 방식을 SwiGLU라고 합니다.
#
# 행렬은 모델이 가진 그대로 `[out, in]`입니다. `torch.nn.functional.silu`를 써도 됩니다.
# %% [markdown] lang="en"
# Its gate is shut. In the last row it is the other way round: the gate is wide open, and there is little to let
# through (`up`).
#
# ### Exercise 6.2 · The feed-forward layer
#
# A feed-forward layer does the same computation at every position, each on its own: it raises the vector's
# dimension (576 → 1536), applies a non-linear function, and lowers it again (1536 → 576). Two matrices raise it.
# What went through `gate` goes into silu and is multiplied, element by element, by what went through `up`; then
# `down` lowers the dimension of the product. This is called SwiGLU.
#
# The matrices are `[out, in]`, as the model keeps them. You may use `torch.nn.functional.silu`.
# %% id="ex-6-2"
def feed_forward(x, gate, up, down):
    """[..., width].  x: [..., width]; gate, up: [inner, width]; down: [width, inner]."""
    """Return [..., width].  x: [..., width]; gate, up: [inner, width]; down: [width, inner]."""
    # BEGIN SOLUTION
    inner = torch.nn.functional.silu(x @ gate.T) * (x @ up.T)
    return inner @ down.T
    # END SOLUTION


# %% id="check-6-2" kind="implement" difficulty=2 minutes=15
Exercise("6.2").check(feed_forward)


# %% [markdown] lang="ko" hints="6.2"
# 1. 행렬은 `[out, in]`으로 들어 있습니다. 그래서 `x @ gate.T`는 `width`차원 벡터를 `inner`차원 벡터로 바꿉니다.
# 2. silu는 gate 쪽에만 적용합니다. 그 결과를 `x @ up.T`와 원소별로 곱합니다.
# 3. `torch.nn.functional.silu(x @ gate.T) * (x @ up.T)`가 안쪽 벡터입니다. `@ down.T`로 원래 차원으로 되돌립니다.
# %% [markdown] lang="en" hints="6.2"
# 1. A matrix is kept as `[out, in]`. So `x @ gate.T` turns a vector of `width` numbers into one of `inner`.
# 2. Only the gate goes through silu; its result is multiplied by `x @ up.T`, element by element.
# 3. `torch.nn.functional.silu(x @ gate.T) * (x @ up.T)` is the inner vector; `@ down.T` brings it back to the
#    original dimension.
# %% [markdown] lang="ko"
# ### 연습 6.3 · 블록
#
# 이제 블록입니다. `attention`, `feed_forward`, `norm_1`, `norm_2`는 벡터들을 받아 벡터들을 돌려주는 함수입니다.
# 먼저 어텐션이 스트림을 `norm_1`으로 정규화한 사본을 읽고, 그 결과를 스트림에 더합니다. 그다음 피드포워드가
# **더해진 스트림**을 `norm_2`로 정규화한 사본을 읽고, 그 결과를 더합니다.
# %% [markdown] lang="en"
# ### Exercise 6.3 · The block
#
# Now the block. `attention`, `feed_forward`, `norm_1` and `norm_2` are functions from vectors to vectors. First
# attention reads a copy of the stream normed by `norm_1`, and its result is added to the stream. Then
# feed-forward reads a copy, normed by `norm_2`, of **the stream as it is now**, and its result is added.
# %% id="ex-6-3"
def block(x, attention, feed_forward, norm_1, norm_2):
    """블록 하나를 지난 스트림, [batch, position, width].  x: 지나기 전의 스트림."""
    """Return the stream after one block, [batch, position, width].  x: the stream before it."""
    # BEGIN SOLUTION
    x = x + attention(norm_1(x))
    return x + feed_forward(norm_2(x))
    # END SOLUTION


# %% id="check-6-3" kind="implement" difficulty=2 minutes=12
Exercise("6.3").check(block)
# %% [markdown] lang="ko" hints="6.3"
# 1. 블록은 똑같이 생긴 두 부분으로 되어 있습니다. 각 부분은 스트림을 정규화한 사본을 부품에 넣고, 그 결과를
#    스트림에 더합니다.
# 2. 앞부분은 `x = x + attention(norm_1(x))`입니다. 새 텐서를 만들어야 하므로 `+=`는 쓰지 않습니다.
# 3. 뒷부분은 앞부분에서 나온 x에 `feed_forward`와 `norm_2`로 같은 일을 합니다.
# %% [markdown] lang="en" hints="6.3"
# 1. A block has two halves of the same form. Each puts a normed copy of the stream into a part, and adds the
#    result to the stream.
# 2. First half: `x = x + attention(norm_1(x))`. It makes a new tensor: no `+=`.
# 3. Second half: the same with `feed_forward` and `norm_2`, on the x of the first half.
# %% [markdown] lang="ko"
# 레슨 08에서는 이 세 함수에 모델의 진짜 가중치를 넣습니다. 남은 것은 `attention`의 속이고, 레슨 07에서 만듭니다.
# GPT-NeoX 같은 모델에서는 두 부품이 *같은* 입력을 읽습니다(병렬). 결과를 더하는 것은 똑같습니다.
#
# ## 누가 얼마를 보탰나
#
# “The Shawshank” 다음에 모델은 ` Red`를 씁니다. 영화 *쇼생크 탈출*의 원제 “The Shawshank Redemption”에서 ` Redemption`의
# 앞부분입니다. 이 토큰의 로짓도 합입니다.
# 누가 가장 많이 보탰을까요?
# %% [markdown] lang="en"
# In lesson 08 these three functions are given the real weights. What is missing is the inside of `attention`,
# which is lesson 07. In some models, such as GPT-NeoX, both parts read the *same* input, in parallel; their
# results are added just the same.
#
# ## Who contributed what
#
# After “The Shawshank” the model writes ` Red`, the beginning of ` Redemption`: “The Shawshank Redemption” is a film.
# That token's logit is a sum, too. What contributed most to it?
# %% id="question-a"
source_question = Question("6.a")
source_question
# %% [markdown] lang="ko" question="6.a"
# “The Shawshank” 다음에 ' Red'의 로짓은 7.6이고, 모델의 모든 부품이 보탠 것의 합입니다. 대부분은 어디서 왔을까요?
#
# - [ ] 마지막 토큰의 임베딩
#   - 스트림은 거기서 시작하지만, 마지막 토큰 `ank`의 임베딩은 앞에 무엇이 있든 똑같습니다. 블록 30개가 그 위에
#     벡터 60개를 더합니다.
# - [ ] 어텐션 층들
#   - 어텐션은 앞 위치에 있는 정보를 가져옵니다. 그런데 ` Red`가 온다는 것을 앞의 세 토큰에서 읽어 낼 수 있을까요?
# - [x] 피드포워드 층들
#
# 피드포워드 층이 모두 7.7을 보탰고, 어텐션 층은 모두 합쳐도 −0.2, 시작 벡터는 0.1입니다. “The capital of France
# is” 다음의 ' Paris'에서는 어텐션의 몫이 꽤 큽니다.
# %% [markdown] lang="en" question="6.a"
# After “The Shawshank” the logit of ' Red' is 7.6, a sum over all parts of the model. Where does most of it come
# from?
#
# - [ ] the embedding of the last token
#   - The stream starts there, but the embedding of the last token, `ank`, is the same whatever stands before
#     it. On top of it the 30 blocks add 60 vectors.
# - [ ] the attention layers
#   - Attention brings over what is at the earlier positions. But can one read in those three tokens that ` Red`
#     comes next?
# - [x] the feed-forward layers
#
# The feed-forward layers add 7.7 in all, the attention layers together −0.2, and the start 0.1. For ' Paris'
# after “The capital of France is”, attention has a good share in it.
# %% id="question-a-answered" tags=["solution"]
source_question.answer(3)
# %% [markdown] lang="ko"
# 탐색기의 위쪽 그림은 각 층이 더하는 벡터의 길이, 아래쪽 그림은 골라 둔 토큰의 로짓에 그 벡터가 보태는 값입니다.
# 검은 선은 그때까지의 합입니다. 층을 누르거나 *층*에서 고르면 그 층의 숫자가 나옵니다. *토큰*에 다른 단어를 써 보고,
# 글의 다른 토큰도 눌러 보세요.
#
# 한 가지 약속이 있습니다. LM 헤드 앞의 마지막 정규화는 벡터를 그 크기로 나누므로, 더한 뒤 정규화한 것과 정규화한
# 뒤 더한 것이 같지 않습니다. 여기서는 나누는 크기를 **이 위치에서 나온 값으로 고정**합니다. 그러면 몫을 모두 더한
# 값이 모델의 로짓과 같아집니다.
# %% [markdown] lang="en"
# The upper picture of the explorer shows how long a vector each layer adds, the lower one what that vector adds
# to the logit of the chosen token. The black line is the sum so far. Click a layer, or pick it
# with *layer*, to read its numbers. Write another word under *token*; click another token of the text.
#
# One convention: the final norm, before the LM head, divides the vector by its own size, so that a sum, normed,
# is not the sum of the normed parts. Here that size is **fixed at what it is at this position**. Then all shares
# add up to the model's own logit.
# %% id="residual" tags=["C24", "slide"]
residual = ResidualExplorer(model, tokenizer, "The Shawshank", word="Red")
residual
# %% id="residual-paris" tags=["solution"]
residual.set(text="The capital of France is", word="Paris")
# %% [markdown] lang="ko"
# 모두 더하면 ` Red`는 거의 전부 피드포워드 층에서 오고, 24번, 22번, 27번 층이 가장 많이 보탭니다. 어텐션의 몫은
# 보탠 것과 뺀 것이 서로 지워져 합이 0에 가깝습니다(−0.2). 글을 `The capital of France is`로, 토큰을 `Paris`로
# 바꿔 보면 어텐션의 몫이 커집니다. 마지막 토큰 ` is`에는 나라 이름이 없으니, 누군가 `France`의 정보를 가져와야
# 합니다.
#
# *위치*를 0으로도 옮겨 보세요. 11번 층의 피드포워드가 그때까지의 스트림보다 100배 넘게 긴 벡터를 더하고, 마지막
# 두 층이 그 대부분을 도로 뺍니다. 첫 토큰은 볼 것이 없는 헤드가 바라보는 곳이기도 합니다. 그 이야기는 레슨 07에
# 나옵니다.
# %% [markdown] lang="en"
# Added up, ` Red` comes almost wholly from feed-forward layers: layers 24, 22 and 27 add most. What attention
# adds and what it takes away nearly cancel (−0.2). Change the text to `The capital of France is` and the token to
# `Paris`: attention's share grows. The last token, ` is`, names no country; something has to bring the
# information of `France` there.
#
# Move *position* to 0, too: the feed-forward of layer 11 adds a vector over a hundred times as long as the stream
# until then, and the last two layers take most of it away again. The first token is also where heads look that have
# nothing to look at: more of that in lesson 07.
# %% id="residual-first" tags=["solution"]
residual.set(text="The Shawshank", word="").pick(position=0).pick(layer=11)
# %% [markdown] lang="ko"
# ## 어텐션: 문맥을 가져온다
#
# 어텐션은 다른 위치를 볼 수 있는 **유일한** 부품입니다. 확인해 봅시다. 모든 층의 어텐션을 끄면, 같은 토큰으로 끝나는
# 두 글의 예측은 어떻게 될까요? 각 쌍의 첫 줄은 온전한 모델, 둘째 줄은 어텐션을 끈 모델입니다.
# %% [markdown] lang="en"
# ## Attention brings context
#
# Attention is the **only** part that can see other positions. Test it: with the attention of every layer switched
# off, what becomes of two texts that end in the same token? The first line of each pair is the whole model, the
# second the one without attention.
# %% id="no-attention" tags=["C25", "slide"]
every_layer = range(model.config.num_hidden_layers)
for text in ("The dog chased the squirrel because it", "I lost my phone yesterday, but it"):
    ids = prompt_ids(model, tokenizer, text)
    print([c.token for c in top_candidates(next_logits(model, ids)[0], tokenizer, 3)])
    with without_attention(model, every_layer):
        print([c.token for c in top_candidates(next_logits(model, ids)[0], tokenizer, 3)])
# %% [markdown] lang="ko"
# 어텐션이 없으면 두 글의 예측이 똑같아집니다. 모델이 아는 것은 마지막 토큰 ` it`뿐입니다.
#
# ### ` it`은 어디를 보나
#
# `it`이 개인지 다람쥐인지 알려면 앞을 봐야 합니다. 층마다 **어텐션 헤드**가 9개 있고, 헤드마다 보는 곳이 다릅니다. 아래는
# 13번 층의 8번 헤드입니다(번호는 0부터). ` it`이 보는 곳을 확인하고, 27번 층의 2번 헤드와 견주어 보세요.
# %% [markdown] lang="en"
# Without attention the predictions for the two texts become the same. All that the model knows is the last token,
# ` it`.
#
# ### Where ` it` looks
#
# Is `it` the dog or the squirrel? To tell, one has to look back. Each layer has 9 **attention heads**, and each
# looks somewhere else. This is head 8 of layer 13, counted from 0. See where ` it` looks, and compare with head 2
# of layer 27.
# %% id="attention" tags=["C25", "slide"]
attention = AttentionExplorer(
    model, tokenizer, "The dog chased the squirrel because it", layer=13, head=8
)
attention
# %% id="attention-squirrel" tags=["solution"]
attention.set(layer=27, head=2)
# %% [markdown] lang="ko"
# 한 헤드는 개를, 다른 헤드는 다람쥐를 봅니다. 헤드가 여럿이니 둘 중 하나만 고를 필요가 없습니다. 이렇게 가져온 것은
# ` it`의 벡터에 더해집니다.
#
# ### 문맥이 ` it`에 더하는 것
#
# 그래서 ` it`의 벡터는 어떤 글에 있느냐에 따라 달라집니다. 두 글의 ` it`을 비교합니다. 한 줄은 블록을 몇 개
# 지났는지와 두 벡터의 코사인(1이면 같은 방향)입니다.
# %% [markdown] lang="en"
# One head looks at the dog, another at the squirrel. With several heads there is no need to choose. What they bring is
# added to the vector of ` it`.
#
# ### What context adds to ` it`
#
# So the vector of ` it` depends on the text around it. Compare the ` it` of two texts. A line is the number of blocks
# passed, and the cosine of the two vectors (1: the same direction).
# %% id="what-it-gains" tags=["C25"]
stories = ("The dog chased the squirrel because it", "The boy dropped the glass because it")
traces = [trace_residual(model, tokenizer, story) for story in stories]
for depth in (0, 10, 20, 30):
    one, other = (
        t.start[-1] + t.attention[:depth, -1].sum(0) + t.feed_forward[:depth, -1].sum(0) for t in traces
    )
    print(depth, f"{torch.cosine_similarity(one, other, dim=0):.2f}")
# %% [markdown] lang="ko"
# 블록을 지나기 전에는 같은 벡터입니다. 블록을 지날수록 저마다 제 글의 문맥이 더해져 방향이 갈라집니다. 레슨 04의
# 탐색기에서 ` dog`를 ` cat`으로 바꾸면 ` it`의 벡터도 따라 움직이는 것이 그 때문입니다. 헤드가 어떻게 볼 곳을 정하고
# 거기서 무엇을 가져오는지는 레슨 07에서 봅니다.
#
# ## 피드포워드: 모델의 기억
#
# 파라미터가 어디에 있는지 봅시다. 위는 모델 전체에서의 비율, 아래는 블록 하나 안에서의 개수입니다.
# %% [markdown] lang="en"
# Before the first block they are one and the same vector. With the blocks, each gains the context of its own text, and
# their directions part. That is why, in the explorer of lesson 04, the vector of ` it` moves along when ` dog` is changed
# to ` cat`. How a head decides where to look, and what it brings from there, is lesson 07.
#
# ## Feed-forward: the model's memory
#
# Where are the parameters? Above are shares of the whole model; below, they are counted within one block.
# %% id="parameters" tags=["C26", "slide"]
for kind, share in parameter_share(model).items():
    print(f"{kind:15} {share:.3f}")
for part in components(model):
    if part.layer == 0:
        print(f"{part.kind:15} {part.parameters:9,}")
# %% [markdown] lang="ko"
# 절반이 넘는 파라미터가 피드포워드 층에 있고, 블록 안에서는 어텐션의 세 배입니다. 모델의 용량은 대부분 여기에 있습니다.
# LM 헤드가 0인 것은 임베딩과 같은 행렬을 쓰기 때문입니다(레슨 02).
#
# 노트는 피드포워드가 정보와 동작을 저장하는 모델의 기억이라고 하고, 기억은 글을 잘 쓰기 위한 재료 하나일
# 뿐이라고도 합니다. 그럼 “The Shawshank” 다음은 ' Red'라는 기억은 어느 층에 있을까요? 층을 하나씩 꺼 봅시다. 먼저 예상해
# 보세요.
# %% [markdown] lang="en"
# More than half of all parameters are in feed-forward layers; within a block it is three times as many as in
# attention. Most of the model's capacity is here. (The LM head has 0 because it uses the embedding's matrix: lesson
# 02.)
#
# The notes say that the feed-forward layers are the model's memory, where information and behaviour are stored,
# and that memory is only one ingredient of good text. So in which layer is the memory that ' Red' comes after
# “The Shawshank”? Switch the layers off, one by one. But guess first.
# %% id="question-b"
layers_question = Question("6.b")
layers_question
# %% [markdown] lang="ko" question="6.b"
# 블록 30개에 피드포워드 층이 하나씩 있습니다. 한 번에 하나씩만 꺼 봅니다. 끄면 ' Red'가 1등에서 밀려나는 층은
# 30개 가운데 몇 개일까요?
#
# - [ ] 딱 하나. 이 사실은 그 층에 들어 있다
#   - 층마다 더한 것을 뒤의 층들이 모두 읽습니다. 앞의 층 하나가 빠지면 그것을 읽던 층들은 어떻게 될까요?
# - [x] 열두 개쯤
# - [ ] 30개 모두
#   - 층마다 하는 일이 다르고, 빠져도 나머지로 충분한 층도 있습니다. 이를테면 20번 층이 그렇습니다.
#
# 하나만 꺼도 ' Red'가 1등에서 밀려나는 층이 12개이고, 그중 10개는 맨 앞의 0–11번 층에 몰려 있습니다. 그 가운데
# 몇몇은 끄면 “The capital of France is” 다음의 ' Paris'도 1등에서 밀려납니다. 필요하다는 것과 그 사실을 담고
# 있다는 것은 다릅니다.
# %% [markdown] lang="en" question="6.b"
# Each of the 30 blocks has a feed-forward layer. You switch off one at a time. For how many of the 30 is ' Red'
# then no longer the likeliest?
#
# - [ ] exactly one: this fact is in that layer
#   - What a layer adds is read by all the later ones. If an early layer is missing, what becomes of those that
#     read it?
# - [x] about a dozen
# - [ ] all 30
#   - Layers do different work, and without some of them the rest is enough: layer 20 is one of those.
#
# There are 12 layers without which ' Red' is no longer first, and 10 of them are among the layers 0 to 11.
# Without some of these, ' Paris' after “The capital of France is” is no longer first, either: being needed is not
# the same as holding this fact.
# %% id="question-b-answered" tags=["solution"]
layers_question.answer(2)
# %% [markdown] lang="ko"
# 탐색기의 위 왼쪽은 온전한 모델, 위 오른쪽은 고른 층의 피드포워드를 끈 모델입니다. 아래는 층을 **하나씩만** 껐을
# 때 ` Red`의 확률이고, ×는 그 층을 끄면 ` Red`가 1등에서 밀려난다는 표시입니다. 20번 층은 꺼도 괜찮습니다. 아래에서
# 층을 눌러 꺼 보고, *끄는 층*으로 여러 층을 한꺼번에 꺼 보세요. *부품*을 어텐션으로 바꿀 수도 있습니다.
# %% [markdown] lang="en"
# In the explorer, top left is the whole model, top right the one without the chosen layers' feed-forward. Below
# is the probability of ` Red` with **one layer at a time** switched off; a × marks a layer without which ` Red`
# is no longer first. Without layer 20 nothing is lost. Click a layer below to switch it
# off, or change *layers off* to several at once; change *part* to attention.
# %% id="feed-forward" tags=["C26"]
feed_forwards = FeedForwardExplorer(model, tokenizer, "The Shawshank", layer=20)
feed_forwards
# %% id="feed-forward-one" tags=["solution", "slide", "answer"]
feed_forwards.pick(layers=(22, 22))
# %% id="feed-forward-attention" tags=["solution"]
feed_forwards.set(part="attention", layers=(12, 16))
# %% [markdown] lang="ko"
# 층 하나만 꺼도 사실 하나가 사라집니다. 그런데 ×가 이렇게 많습니다. 그 사실이 이 모든 층에 들어 있다는 뜻일까요?
#
# ### 연습 6.4 · ` Red`를 잃는 층
#
# 끄면 아무것도 못 하게 되는 층과, 끄면 이 사실만 잃는 층은 다릅니다. 피드포워드를 끄면 "The Shawshank" 다음의
# ` Red`는 1등에서 밀려나지만, "The capital of France is" 다음의 ` Paris`는 **여전히 1등인** 층을 하나 찾으세요.
# 번호는 0부터 셉니다.
# %% [markdown] lang="en"
# Switch off a single layer, and a fact is gone. But there are so many × marks. Is the fact in all of those
# layers?
#
# ### Exercise 6.4 · The layer that loses ` Red`
#
# A layer without which nothing works is not the same as one without which only this fact is lost. Find a layer
# without whose feed-forward ` Red` is no longer the likeliest after "The Shawshank", while ` Paris` **still is**
# after "The capital of France is". Layers count from 0.
# %% id="ex-6-4"
red_layer = 22  # SOLUTION
# %% id="check-6-4" kind="find" difficulty=2 minutes=12
Exercise("6.4").check(red_layer)
# %% [markdown] lang="ko" hints="6.4"
# 1. 탐색기의 아래 그림에서 ×는 껐을 때 ' Red'가 사라지는 층입니다.
# 2. 그중에는 무엇에나 필요한 층이 있습니다. 탐색기에 “The capital of France is”를 써 넣고, ' Paris'까지
#    사라지는 층은 빼세요.
# 3. 맨 앞의 세 층과 11번 층은 둘 다에 필요합니다. 남은 것, 예를 들어 20번 뒤의 층을 살펴보세요.
# %% [markdown] lang="en" hints="6.4"
# 1. The explorer's lower picture marks with a cross each layer without which ' Red' is lost.
# 2. Some of those layers are needed for everything. Write “The capital of France is” into the explorer, and cross
#    out those without which ' Paris' is lost, too.
# 3. The first three layers and layer 11 are needed for both. Try those that are left, such as the ones
#    after 20.
# %% [markdown] lang="ko"
# 22번 층을 끄고 다른 사실들을 물어봅니다. 왼쪽은 온전한 모델의 답, 오른쪽은 22번 층이 없는 모델의 답입니다.
# %% [markdown] lang="en"
# Ask for other facts with layer 22 switched off. On the left is the whole model's answer, on the right the answer
# without that layer.
# %% id="other-facts" tags=["C26", "slide"]
for text in (
    "The Shawshank",
    "The capital of France is",
    "The chemical symbol for gold is",
    "The Eiffel Tower is in the city of",
):
    ids = prompt_ids(model, tokenizer, text)
    before = tokenizer.decode(next_logits(model, ids)[0].argmax())
    with without_feed_forward(model, 22):
        after = tokenizer.decode(next_logits(model, ids)[0].argmax())
    print(f"{text:36} {before!r:8} {after!r}")
# %% [markdown] lang="ko"
# ` Red`만 사라지고 나머지는 남습니다. **그렇다고 다 증명된 것은 아닙니다.** 이 사실이 22번 층 *안에* 적혀 있다고
# 할 수는 없습니다. 3번, 7번, 24번 층을 꺼도 ` Red`는 1등에서 밀려납니다. 게다가 한 층을 끄면 그 뒤의 모든 층이
# 훈련할 때 본 적 없는 입력을 받습니다. 지금까지 보인 것은 이 층이 이 사실에 *필요하다*는 것까지입니다.
#
# ### 뉴런
#
# 더 가까이 가 봅시다. 피드포워드 층 안쪽의 숫자 1,536개가 뉴런이었습니다. 그 값을 활성값이라고 합니다.
# 뉴런마다 `down`의 열이 하나 있고, 그 열이 활성값만큼 스트림에 더해집니다(활성값이 0보다 작으면 그만큼 빠집니다).
# 더해지는 벡터를 LM 헤드로 읽으면 그 뉴런이 어떤 단어의 점수를 높이는지 보입니다. 그런 단어를
# 누르면 그것을 가장 높이는 뉴런부터 나옵니다.
# %% [markdown] lang="en"
# Only ` Red` is gone; the others stay. **That does not prove everything.** It does not show that the fact is
# written down *in* layer 22. Without layer 3, 7 or 24 ` Red` is no longer first, either; and with one layer off,
# all layers after it are given input of a kind that they never saw in training. What has been shown is that this
# layer is *needed* for this fact.
#
# ### Neurons
#
# A step closer. The 1,536 numbers inside a feed-forward layer are its neurons; their values are called
# activations. Each neuron has one column of `down`, which is added to the stream as many times as its activation
# says (with an activation below 0, it is taken away). Read through the LM head, the vector that is added shows
# which words' scores the neuron raises. Click such a word, and the neurons that raise it most come first.
# %% id="neurons" tags=["C26"]
neurons = NeuronExplorer(model, tokenizer, "The dog chased the squirrel because it", layer=28)
neurons
# %% id="neurons-red" tags=["solution"]
neurons.set(text="The Shawshank", layer=24, word="Red")
# %% [markdown] lang="ko"
# `it` 다음에는 동사가 옵니다. 한 뉴런은 ` strikes`, ` cuts` 같은 동사의 점수를, 다른 뉴런은 ` running`의 점수를
# 높입니다. 하지만 이렇게 읽히는 뉴런은 소수이고, 대부분은 뜻 모를 조각의 점수를 높입니다.
#
# 이번에는 *글*을 `The Shawshank`로, *층*을 24로 바꾸고, *토큰*에 `Red`를 쓰세요. ` Red`의 점수를 가장 많이 높인
# 뉴런이 나옵니다. 하나하나는 많아야 0.5쯤 높일 뿐이고, 로짓은 여럿이 함께 만듭니다.
#
# ## 층마다 재 보기
#
# 이번에는 사실 하나가 아니라 글 하나로 재 봅니다. 《이상한 나라의 앨리스》의 첫 토큰 32개를 읽히면서, 층마다
# 어텐션과 피드포워드를 하나씩 끄고 **손실**(레슨 04)을 잽니다. 손실이 클수록 다음 토큰을 못 맞힌 것입니다. 모델을
# 60번 실행하므로 몇 초에서 몇십 초가 걸립니다.
# %% [markdown] lang="en"
# After `it` comes a verb: one neuron raises the scores of verbs such as ` strikes` and ` cuts`, another that of
# ` running`. But few neurons can be read like this; most raise the scores of odd pieces.
#
# Now set *text* to `The Shawshank`, *layer* to 24, and write `Red` under *token*: here are the neurons that raise
# the score of ` Red` most. Each raises it by about 0.5 at most, and together they make the logit.
#
# ## Measured, layer by layer
#
# Now not one fact but a text: the first 32 tokens of *Alice in Wonderland*, read with each layer's attention and
# each layer's feed-forward switched off in turn. What is measured is the **loss** (lesson 04): the higher, the
# worse the next tokens were predicted. The model runs 60 times, so this takes from a few seconds to half a
# minute.
# %% id="losses" tags=["C24", "C25", "C26", "slide"]
alice = files("course").joinpath("data/alice.txt").read_text(encoding="utf-8")
losses_picture(losses_without_each(model, tokenizer, alice, tokens=32))
# %% [markdown] lang="ko"
# 대부분의 층은 하나쯤 없어도 손실이 조금만 오릅니다. 나머지 층이 더하는 것은 그대로 스트림을 따라 흐르기
# 때문입니다. 가장 크게 오르는 것은 피드포워드 0, 2, 11, 29번과 어텐션 0, 1번을 껐을 때입니다. 0번 피드포워드가
# 없으면 눈을 감고 찍는 것($\ln 49152 \approx 10.8$)보다도 못합니다. 11번은 위치 0에 그 긴 벡터를 더하던 층입니다.
# %% [markdown] lang="en"
# Without one layer, most of the time, the loss rises little: what all the others add still flows along the
# stream. It rises most without feed-forward 0, 2, 11 or 29, and without attention 0 or 1. Without feed-forward 0
# the model does worse than blind guessing ($\ln 49152 \approx 10.8$). Layer 11 is the one that added the very
# long vector at position 0.
# %% [markdown] lang="ko"
# ### 외운 것과 외우지 않은 것
#
# 노트는 기억이 재료 하나일 뿐이라고 합니다. 외우지 않은 것에도 모델이 통하는지 봅시다. 첫 줄은 외운 것입니다. 둘째
# 줄의 `zibbo mank`는 여기서 지어낸 말이어서 외웠을 리가 없고, 셋째 줄도 지어낸 이야기입니다.
# %% [markdown] lang="en"
# ### Learnt by heart, and not
#
# The notes say that memory is only one of the ingredients. Does the model cope with what it has not learnt by heart? The
# first line is a memory. In the second, `zibbo mank` was made up for this page, so it cannot be one; nor can the third,
# a made-up story.
# %% id="memory-or-rule" tags=["C26"]
beginnings = (
    "The Shawshank",
    "zibbo mank. zibbo mank. zibbo",
    "Mr. Zorp has a red hat. Mrs. Blick has a blue hat. The hat of Mr. Zorp is",
)
for beginning in beginnings:
    print(beginning, "→", generate(model, tokenizer, beginning, 2))
# %% [markdown] lang="ko"
# ` mank`는 기억이 아닙니다. “아까 이 말 다음에 온 것이 또 온다”는 규칙을 처음 보는 말에 적용했습니다. 이것이
# **일반화**의 한 예이고, 이런 일을 하는 헤드를 레슨 07에서 찾습니다. 그런데 셋째 줄은 틀렸습니다. 조르프 씨의 모자는
# 빨간색(`red`)입니다. 규칙 하나가 통한다고 다른 것까지 통하지는 않습니다.
#
# ## 보간: 두 글의 한가운데
#
# 노트는 피드포워드가 기억과 **보간**을 맡는다고 합니다. 외운 것 *사이*에서도 그럴듯한 답을 내고, 그래서 처음 보는
# 글에도 통한다(일반화)는 뜻입니다. 보간을 흉내 내 봅시다. 두 글에서 5번 블록이 내놓은 벡터를 위치마다 섞고,
# 나머지 블록이 그것을 이어 읽게 합니다. 한가운데에서는 무엇이 나올까요?
# %% [markdown] lang="en"
# ` mank` is no memory. A rule, “what came after this word before comes again”, was applied to a word never seen. That is
# one case of **generalising**, and in lesson 07 you will find heads that do such things. But the third line is wrong: the
# hat of Mr. Zorp is `red`. That one rule carries over does not mean that others do.
#
# ## Interpolation: halfway between two texts
#
# The notes say that feed-forward layers are there for memory and **interpolation**: for sensible answers
# *between* the things learnt by heart, too, so that the model copes with texts it has never seen (it
# generalises). Imitate interpolation: mix what block 5 gives for two texts, position by position, and let the
# remaining blocks read on from the mix. What comes out halfway?
# %% id="question-c"
middle_question = Question("6.c")
middle_question
# %% [markdown] lang="ko" question="6.c"
# “The king and the” 다음에는 ' king'이나 ' queen'이, “The boy and the” 다음에는 ' girl'이 옵니다. 5번 블록에서
# 둘을 반씩 섞으면 확률이 가장 높은 것은 무엇일까요?
#
# - [ ] 여전히 ' king'이나 ' queen'
#   - 섞은 벡터의 절반은 소년의 글에서 왔습니다. 5번 블록 뒤의 블록 24개는 왕의 글에는 없던 벡터를 읽습니다.
# - [ ] ' girl'
#   - 섞은 벡터의 절반은 왕의 글에서 왔습니다. ` girl`은 소년만 있을 때의 답입니다.
# - [x] ' princess'
# - [ ] 뜻 없는 말
#   - 그럴 수도 있었습니다. 그런데 벡터의 방향에는 뜻이 있었습니다(레슨 02). 두 뜻의 가운데쯤에는 무엇이 있을까요?
#
# ' princess'는 어느 글에서도 1등이 아니고, 두 답의 평균에서도 1등이 아닙니다. 5번 블록 뒤의 블록들이 섞인
# 벡터에서 만들어 낸 답입니다.
# %% [markdown] lang="en" question="6.c"
# “The king and the” goes on with ' king' or ' queen', “The boy and the” with ' girl'. Mix the two half and half
# at block 5: what is the likeliest?
#
# - [ ] still ' king' or ' queen'
#   - Half of the mix comes from the text with the boy. The 24 blocks after block 5 read a vector that the
#     king's text never had.
# - [ ] ' girl'
#   - Half of the mix comes from the text with the king. ` girl` is the answer for the boy alone.
# - [x] ' princess'
# - [ ] nonsense
#   - It might have been. But directions mean something (lesson 02). What lies about halfway between these two
#     meanings?
#
# ' princess' is the first choice for neither text, nor in the mean of both answers. The blocks after block 5 made
# it out of the mixed vectors.
# %% id="question-c-answered" tags=["solution"]
middle_question.answer(3)


# %% id="blend" tags=["C26"]
def show_best(name, logits):
    best = top_candidates(logits, tokenizer, 4)
    print(f"{name:6} ", "  ".join(f"{c.token}{c.probability:5.2f}" for c in best))


texts = "The king and the", "The boy and the"
for share in (0, 0.25, 0.5, 0.75, 1):
    show_best(share, blend(model, tokenizer, *texts, layer=5, share=share))
# %% [markdown] lang="ko"
# 줄 머리의 수는 둘째 글(소년)의 몫입니다. 왕에서 소년으로 가는 길 한가운데에 공주가 있습니다. 그냥 두 답을 반씩
# 섞은 것은 아닐까요? 첫 줄(`mean`)은 두 글의 *확률*을 평균 낸 것입니다. 다음은 0번, 15번, 29번 블록에서 반씩
# 섞었을 때이고, 마지막 줄(`prince`)은 왕도 소년도 아닌 왕자로 시작하는 글입니다.
# %% [markdown] lang="en"
# The number at the head of a line is the share of the second text, the boy. On the way from the king to the boy
# stands a princess. Or is this just half of each answer? The first line (`mean`) is the mean of the two texts'
# *probabilities*. Then come blends half and half at block 0, 15 and 29, and, in the last line (`prince`), a text
# with neither king nor boy but a prince.
# %% id="blend-or-mean" tags=["slide"]
one, other, prince = (
    next_logits(model, prompt_ids(model, tokenizer, text))[0]
    for text in (*texts, "The prince and the")
)
show_best("mean", ((one.softmax(-1) + other.softmax(-1)) / 2).log())
for layer in (0, 15, 29):
    show_best(layer, blend(model, tokenizer, *texts, layer=layer, share=0.5))
show_best("prince", prince)
# %% [markdown] lang="ko"
# 답을 평균 내면 공주는 네 번째입니다. 섞인 것은 답이 아니라 벡터이고, 나머지 블록이 그것을 이어 읽었습니다.
# 어디서 섞는지도 중요합니다. 0번 블록에서 섞으면 여왕이 1등이고, 뒤에 마지막 정규화와 LM 헤드만 남은 29번에서
# 섞으면 왕이 1등입니다.
#
# **여기서 증명되지 않은 것:** "왕과 소년 사이에는 왕자가 있고, 그 짝이 공주"라고 설명하고 싶어집니다. 그런데 정작
# 왕자로 시작하는 글에서 모델은 ` Queen`을 씁니다. 설명은 맞지 않았고, 왜 공주인지는 모릅니다. 게다가 골라낸 예
# 하나일 뿐입니다. 다른 글에서는 한쪽 답에서 다른 쪽 답으로 훌쩍 넘어가 버리기도 합니다(`texts`에 `France`와
# `Japan`의 수도를 묻는 글을 넣어 보세요). 5번 블록 뒤에는 어텐션도 있으니 피드포워드만의 일이라고 할 수도
# 없습니다. 그리고 은닉 상태 사이의 보간은 훈련 데이터 사이의 보간과 같은 말이 아니어서, 모델이 처음 보는 글에
# 통하는지는 이것으로 알 수 없습니다.
#
# ## 정리
#
# - LLM은 같은 모양의 블록을 쌓은 것입니다. 블록은 **잔차 스트림**에 어텐션과 피드포워드의 결과를 *더합니다*.
# - 그래서 마지막 벡터도, 그 벡터에서 읽은 로짓도 합이고, 어느 층이 얼마를 보탰는지 나눌 수 있습니다.
# - **어텐션**은 다른 위치를 볼 수 있는 유일한 부품입니다. 문맥을 가져옵니다.
# - **피드포워드**에는 파라미터의 절반 이상이 있고, 하나를 끄면 사실 하나가 사라지기도 합니다.
# - 어떤 층을 껐을 때 사실이 사라진다면 그 층이 *필요하다*는 뜻이지, 사실이 *그 층에 들어 있다*는 뜻은 아닙니다.
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | LLM은 블록을 이어 쌓은 것이고, 큰 것은 100개가 넘는다 | *같은 모양의 블록을 쌓는다* |
# | 블록은 입력을 처리해 다음 블록으로 넘긴다 | *잔차 스트림*. 바꿔서 넘기는 것이 아니라 더해서 넘깁니다 |
# | 블록에는 어텐션 층과 피드포워드 층이 있다 | *같은 모양의 블록을 쌓는다*. 노트에 없는 부품은 그 앞의 정규화 둘입니다 |
# | 어텐션은 ` it`의 표현에 문맥을 더한다 | *어텐션: 문맥을 가져온다*. 가져온 것은 보입니다. ` it`이 무엇인지 모델이 정했다는 것까지 보이지는 않습니다 |
# | 처리 용량은 대부분 피드포워드에 있다 | *피드포워드: 모델의 기억*: 파라미터의 0.59 |
# | 피드포워드는 정보를 저장한다. 기억은 재료 하나일 뿐이다 | *피드포워드: 모델의 기억*, *외운 것과 외우지 않은 것*. **다릅니다:** 필요한 층이라고 거기에 저장되었다는 뜻은 아닙니다 |
# | 보간으로 일반화한다 | *보간: 두 글의 한가운데*. **다릅니다:** 은닉 상태를 섞어 본 것뿐이어서, 일반화가 보간 때문인지는 알 수 없습니다 |
#
# **지금까지 만든 것:** 생성 루프, 토큰 고르기, 임베딩과 LM 헤드, 그리고 오늘의 `rms_norm`, `feed_forward`, `block`.
#
# **다음 레슨:** 블록의 두 부품 가운데 하나는 아직 닫혀 있습니다. 레슨 07에서 어텐션을 엽니다.
# %% [markdown] lang="en"
# In the mean of the answers, ' princess' comes fourth. It was not answers that were mixed but vectors, and the
# remaining blocks read on from them. It matters where: mixed at block 0, the queen comes first, and at block 29,
# with only the final norm and the LM head to follow, the king.
#
# **What this does not prove:** one would like to say that between a king and a boy there is a prince, and that a
# princess goes with him. But for the prince's own text the model writes ` Queen`: the story does not hold, and
# why it is a princess we do not know. It is also one chosen example. Between other texts the answer may just leap
# from one side to the other (put the capitals of `France` and `Japan` into `texts`). After block 5 there is
# attention, too, so it is not the work of the feed-forward layers alone. And interpolating between hidden states
# is not interpolating between training data, so it does not tell whether the model generalises.
#
# ## What you know now
#
# - An LLM is a stack of blocks of one build. A block *adds* the results of attention and feed-forward to the
#   **residual stream**.
# - So the last vector is a sum, and so is a logit read from it; which layer contributed what can be told apart.
# - **Attention** is the only part that sees other positions. It brings context.
# - **Feed-forward** layers hold more than half of the parameters, and without one of them a fact may be gone.
# - If a fact is lost without a layer, that layer is *needed*; it does not mean that the fact is *in that layer*.
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | An LLM is blocks in sequence, over 100 of them in large ones | *Blocks of one build, stacked* |
# | A block processes its input and hands it on to the next | *The residual stream*. It hands on not a replacement but a sum |
# | In a block there are an attention layer and a feed-forward layer | *Blocks of one build, stacked*. Not in the notes: the two norms in front of them |
# | Attention adds context to the representation of ` it` | *Attention brings context*. That it brings something, you saw; not that the model has settled what ` it` is |
# | Most of the capacity is in the feed-forward layers | *Feed-forward: the model's memory*: 0.59 of the parameters |
# | They store information, and memory is only one ingredient | *Feed-forward: the model's memory*, *Learnt by heart, and not*. **It differs:** that a layer is needed does not mean that something is stored there |
# | The model generalises by interpolating | *Interpolation: halfway between two texts*. **It differs:** only hidden states were mixed, so whether it generalises by interpolating is open |
#
# **What you have built so far:** the loop that writes, the choice of a token, embedding and LM head, and today
# `rms_norm`, `feed_forward`, `block`.
#
# **Next lesson:** one of the block's two parts is still closed. Lesson 07 opens attention.
