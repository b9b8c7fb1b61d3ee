# %% [markdown] lang="ko"
# # 06 · 트랜스포머 블록 내부
#
# **이 레슨을 마치면** 벡터 하나가 블록 30개를 지나는 동안 무엇이 더해지는지 보이고, 어텐션과 피드포워드가 하는 일을
# 하나씩 꺼 가며 확인하고, RMSNorm과 피드포워드 층과 블록을 직접 작성할 수 있습니다.
#
# **65분** = 읽고 실행하기 25분 + 연습 문제 40분 · 노트의 *트랜스포머 블록 내부* 절에 해당합니다.
# %% [markdown] lang="en"
# # 06 · Inside a transformer block
#
# **After this lesson you will be able to** show what a vector is given on its way through 30 blocks, test
# what attention and feed-forward do by switching them off, and write RMSNorm, the feed-forward layer and the
# block yourself.
#
# **65 minutes** = 25 to read and run + 40 for the exercises · It mirrors the notes' section *inside a
# transformer block*.
# %% id="language" lang="ko"
from utils.language import use_language

use_language("ko")
# %% id="language" lang="en"
from utils.language import use_language

use_language("en")
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
from utils.generation import next_logits
from utils.memory import KNOWN_MODELS
from utils.model import load_model, prompt_ids
from utils.residual import blend, trace_residual

model, tokenizer = load_model()
# %% [markdown] lang="ko"
# ## 같은 모양의 블록을 쌓는다
#
# 블록 하나를 출력합니다. 부품은 넷입니다. **어텐션 층**(`self_attn`), **피드포워드 층**(`mlp`), 그리고 각각의
# 앞에 놓인 정규화 둘입니다. 이 모델에는 이렇게 생긴 블록이 30개 있고, 모양은 같지만 가중치는 저마다 다릅니다.
# %% [markdown] lang="en"
# ## Blocks of one build, stacked
#
# Print one block. It has four parts: an **attention layer** (`self_attn`), a **feed-forward layer** (`mlp`),
# and a norm in front of each. This model has 30 blocks like it: the same build, each with weights of its own.
# %% id="one-block"
print(len(model.model.layers))
print(model.model.layers[0])
# %% [markdown] lang="ko"
# 큰 모델은 몇 층일까요? 공개된 설정(config)에서 읽은 블록의 수, 벡터의 너비, 파라미터의 수(십억 개)입니다.
# %% [markdown] lang="en"
# How deep are larger models? These are from their published configs: the number of blocks, the width of the
# vectors, and the parameters in billions.
# %% id="depths" tags=["C24", "slide"]
for known in KNOWN_MODELS.values():
    config = known.config
    depth, width = config.num_hidden_layers, config.hidden_size
    print(f"{known.name:16} {depth:4} {width:6} {known.parameters / 1e9:7.1f}")
# %% [markdown] lang="ko"
# 100층을 넘는 모델이 정말 있습니다. 너비도 함께 자랍니다.
#
# ## 잔차 스트림
#
# 블록은 들어온 벡터를 새것으로 *바꾸지* 않습니다. 거기에 *더합니다*. 어텐션이 찾은 것을 더하고, 피드포워드가 만든
# 것을 더합니다. 맨 아래에서 맨 위까지 곧게 이어지는 이 길을 **잔차 스트림**이라고 합니다.
#
# 그렇다면 맨 위의 벡터는 시작 벡터(임베딩)와 30개 층이 더한 것들의 합이어야 합니다. 맞는지 봅시다.
# %% [markdown] lang="en"
# There really are models with over 100. Their width grows along.
#
# ## The residual stream
#
# A block does not *replace* the vector that comes in. It *adds* to it: first what attention found, then what
# the feed-forward layer made. This road, straight from bottom to top, is the **residual stream**.
#
# If so, the vector at the top is a sum: where it started, the embedding, and what 30 layers added. Is it?
# %% id="a-sum" tags=["C24", "slide"]
trace = trace_residual(model, tokenizer, "The Shawshank")
print(trace.tokens)
print(list(trace.start.shape), list(trace.attention.shape), list(trace.feed_forward.shape))
total = trace.start + trace.attention.sum(0) + trace.feed_forward.sum(0)
print(torch.allclose(total, trace.end, rtol=1e-4, atol=1e-2))


# %% [markdown] lang="ko"
# 합이 맞습니다. 덧셈이라서 좋은 점이 둘 있습니다. 훈련할 때 신호가 100층을 곧장 거슬러 내려갈 수 있고, 우리는 어느
# 층이 얼마를 보탰는지 나누어 볼 수 있습니다. 먼저 블록을 직접 만들고, 그다음에 나누어 봅시다.
#
# ### 연습 6.1 · RMSNorm
#
# 위로 갈수록 스트림의 벡터는 길어집니다. 그래서 어텐션도 피드포워드도 스트림을 그대로 읽지 않고, 크기를 맞춘 **사본**을
# 읽습니다. 위치마다 벡터를 그 크기(RMS: 제곱하고, 평균 내고, 제곱근)로 나누고 `weight`를 곱합니다.
#
# $$\mathrm{rms\_norm}(x) = w \cdot \frac{x}{\sqrt{\frac{1}{n}\sum_i x_i^2 + \epsilon}}$$
#
# 계산은 float32로 하고, 결과는 `x`의 dtype으로 돌려놓으세요. 검사에서는 모델의 정규화와도 맞춰 봅니다.
# %% [markdown] lang="en"
# It is. Adding has two virtues: in training, a signal can run straight back through 100 layers; and we can
# tell apart what each layer contributed. First build the block yourself, then take the sum apart.
#
# ### Exercise 6.1 · RMSNorm
#
# The stream grows longer on its way up. So neither attention nor feed-forward reads it as it is, but a **copy**
# of one size: at each position the vector is divided by its size (RMS: square, mean, root) and multiplied by
# `weight`.
#
# $$\mathrm{rms\_norm}(x) = w \cdot \frac{x}{\sqrt{\frac{1}{n}\sum_i x_i^2 + \epsilon}}$$
#
# Compute in float32, and return the dtype of `x`. The check compares with one of the model's own norms, too.
# %% id="ex-6-1"
def rms_norm(x, weight, eps):
    """Return x, each vector at one size, times weight.  x: [..., width]; weight: [width]; eps: float."""
    # BEGIN SOLUTION
    wide = x.float()
    mean_square = wide.pow(2).mean(-1, keepdim=True)
    return weight * (wide / (mean_square + eps).sqrt()).to(x.dtype)
    # END SOLUTION


# %% id="check-6-1"
Exercise("6.1").check(rms_norm)


# %% [markdown] lang="ko"
# ### 연습 6.2 · 피드포워드 층
#
# 피드포워드 층은 위치마다 따로, 같은 계산을 합니다. 벡터를 넓히고(576 → 1536), 구부리고, 다시 좁힙니다(1536 →
# 576). 이 모델은 넓히는 행렬이 둘입니다. `gate`를 지난 쪽에는 $\mathrm{silu}(z) = z \cdot \sigma(z)$를 씌우고, `up`을
# 지난 쪽과 숫자끼리 곱한 다음, `down`으로 좁힙니다(SwiGLU).
#
# 행렬은 모델이 가진 그대로 `[out, in]`입니다. `torch.nn.functional.silu`를 써도 됩니다.
# %% [markdown] lang="en"
# ### Exercise 6.2 · The feed-forward layer
#
# A feed-forward layer does the same computation at every position, each for itself: it widens the vector
# (576 → 1536), bends it, and narrows it again (1536 → 576). In this model two matrices widen. What went through
# `gate` passes $\mathrm{silu}(z) = z \cdot \sigma(z)$, is multiplied, number by number, by what went through `up`,
# and `down` narrows the product (SwiGLU).
#
# The matrices are `[out, in]`, as the model keeps them. You may use `torch.nn.functional.silu`.
# %% id="ex-6-2"
def feed_forward(x, gate, up, down):
    """Return [..., width].  x: [..., width]; gate, up: [inner, width]; down: [width, inner]."""
    # BEGIN SOLUTION
    inner = torch.nn.functional.silu(x @ gate.T) * (x @ up.T)
    return inner @ down.T
    # END SOLUTION


# %% id="check-6-2"
Exercise("6.2").check(feed_forward)


# %% [markdown] lang="ko"
# ### 연습 6.3 · 블록
#
# 이제 블록입니다. `attention`, `feed_forward`, `norm_1`, `norm_2`는 벡터들을 받아 벡터들을 돌려주는 함수입니다. 먼저
# 어텐션이 `norm_1`을 거친 사본을 읽고, 그 결과를 스트림에 더합니다. 그다음 피드포워드가 **더해진 스트림**의 `norm_2`
# 사본을 읽고, 그 결과를 더합니다.
# %% [markdown] lang="en"
# ### Exercise 6.3 · The block
#
# Now the block. `attention`, `feed_forward`, `norm_1` and `norm_2` are functions from vectors to vectors. First
# attention reads a copy that went through `norm_1`, and its result is added to the stream. Then feed-forward
# reads a `norm_2` copy of **the stream as it is now**, and its result is added.
# %% id="ex-6-3"
def block(x, attention, feed_forward, norm_1, norm_2):
    """Return the stream after one block, [batch, position, width].  x: the stream before it."""
    # BEGIN SOLUTION
    x = x + attention(norm_1(x))
    return x + feed_forward(norm_2(x))
    # END SOLUTION


# %% id="check-6-3"
Exercise("6.3").check(block)
# %% [markdown] lang="ko"
# 이 세 함수로 레슨 08에서 진짜 가중치를 읽어 들입니다. 남은 것은 `attention`의 속이고, 그것이 레슨 07입니다. GPT-NeoX
# 같은 모델에서는 두 부품이 *같은* 입력을 읽습니다(병렬). 더한다는 것은 똑같습니다.
#
# ## 누가 얼마를 보탰나
#
# "The Shawshank" 다음에 모델은 ` Red`를 씁니다(영화 *쇼생크 탈출*의 등장인물입니다). 이 토큰의 로짓도 합입니다. 어디서
# 왔을까요?
# %% [markdown] lang="en"
# In lesson 08 these three functions are given the real weights. What is missing is the inside of `attention`:
# lesson 07. In some models, such as GPT-NeoX, both parts read the *same* input, in parallel; they add all the
# same.
#
# ## Who contributed what
#
# After "The Shawshank" the model writes ` Red` (a character of the film *The Shawshank Redemption*). That
# token's logit is a sum, too. Where does it come from?
# %% id="question-a"
source_question = Question("6.a")
source_question
# %% id="question-a-answered" tags=["solution"]
source_question.answer(3)
# %% [markdown] lang="ko"
# 위 그림은 각 층이 더하는 벡터의 길이, 아래 그림은 골라 둔 토큰의 로짓에 그 벡터가 보태는 값입니다. 검은
# 줄은 그때까지의 합입니다. *토큰*에 다른 단어를 써 보고, *위치*와 *글*도 바꿔 보세요.
#
# 한 가지 약속이 있습니다. LM 헤드 앞의 마지막 정규화는 벡터를 제 크기로 나누므로 덧셈을 지키지 않습니다. 여기서는
# 그 크기를 **이 위치에서 나온 값으로 고정**합니다. 그러면 몫을 모두 더한 값이 모델의 로짓과 같아집니다.
# %% [markdown] lang="en"
# Above: how long a vector each layer adds. Below: what that vector adds to the logit of the chosen token. The
# black line is the sum so far. Write another word under *token*; change *position* and *text*.
#
# One convention: the final norm, before the LM head, divides the vector by its own size, and so does not respect
# sums. Here that size is **frozen at what it is at this position**. Then all shares together make the model's
# own logit.
# %% id="residual" tags=["C24", "slide"]
residual = ResidualExplorer(model, tokenizer, "The Shawshank", word="Red")
residual
# %% id="residual-paris" tags=["solution"]
residual.set(text="The capital of France is", word="Paris")
# %% [markdown] lang="ko"
# 모두 더하면 ` Red`는 거의 전부 피드포워드 층에서 오고, 24번, 22번, 27번 층이 가장 많이 보탭니다. 어텐션의 몫은 보탠 것과
# 뺀 것이 서로 지워져 합이 0에 가깝습니다. 글을 `The capital of France is`로, 토큰을 `Paris`로 바꿔 보면 어텐션의 몫이
# 커집니다. 마지막 토큰 ` is`에는 나라 이름이 없으니, 누군가 `France`를 날라 와야 합니다.
#
# *위치*를 0으로도 옮겨 보세요. 11번 층의 피드포워드가 그때까지의 스트림보다 백 배 넘게 긴 벡터를 더하고, 마지막 두 층이
# 그 대부분을 도로 뺍니다. 첫 토큰은 볼 것이 없는 헤드가 바라보는 자리이기도 합니다. 그 이야기는 레슨 07에 나옵니다.
# %% [markdown] lang="en"
# Added up, ` Red` comes almost wholly from feed-forward layers: layers 24, 22 and 27 add most. What attention adds
# and what it takes away cancel to nearly 0. Change the text to `The capital of France is` and the token to `Paris`:
# attention's share grows. The last token, ` is`, names no country; somebody has to bring `France` there.
#
# Move *position* to 0, too: the feed-forward of layer 11 adds a vector over a hundred times as long as the stream
# until then, and the last two layers take most of it away again. The first token is also where heads look that have
# nothing to look at: more of that in lesson 07.
# %% id="residual-first" tags=["solution"]
residual.set(text="The Shawshank", word="").set(position=0)
# %% [markdown] lang="ko"
# ## 어텐션: 문맥을 날라 온다
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
# 어텐션이 없으면 두 글은 똑같아집니다. 모델이 아는 것은 마지막 토큰 ` it`뿐입니다.
#
# ### ` it`은 어디를 보나
#
# `it`이 개인지 다람쥐인지 알려면 앞을 봐야 합니다. 층마다 **어텐션 헤드**가 9개 있고, 헤드마다 보는 곳이 다릅니다. 아래는
# 13번 층의 8번 헤드입니다(번호는 0부터). ` it`이 보는 곳을 확인하고, 27번 층의 2번 헤드와 견주어 보세요.
# %% [markdown] lang="en"
# Without attention the two texts become the same. All that the model knows is the last token, ` it`.
#
# ### Where ` it` looks
#
# Is `it` the dog or the squirrel? To tell, one must look back. Each layer has 9 **attention heads**, and each
# looks somewhere else. This is head 8 of layer 13, counted from 0. See where ` it` looks, and compare with
# head 2 of layer 27.
# %% id="attention" tags=["C25", "slide"]
attention = AttentionExplorer(
    model, tokenizer, "The dog chased the squirrel because it", layer=13, head=8
)
attention
# %% id="attention-squirrel" tags=["solution"]
attention.set(layer=27, head=2)
# %% [markdown] lang="ko"
# 한 헤드는 개를, 다른 헤드는 다람쥐를 봅니다. 헤드가 여럿이니 둘 중 하나만 고를 필요가 없습니다. 헤드가 어떻게 볼 곳을
# 정하고 거기서 무엇을 날라 오는지는 레슨 07의 일입니다.
#
# ## 피드포워드: 모델의 기억
#
# 파라미터가 어디에 있는지 봅시다. 먼저 모델 전체에서의 비율, 다음은 블록 하나 안에서의 수입니다.
# %% [markdown] lang="en"
# One head looks at the dog, the other at the squirrel: with many heads, there is no need to pick one. How a head
# decides where to look, and what it brings from there, is lesson 07.
#
# ## Feed-forward: the model's memory
#
# Where are the parameters? First as shares of the whole model, then counted within one block.
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
# 그럼 "쇼생크 다음은 레드"라는 기억은 어느 층에 있을까요? 층을 하나씩 꺼 봅시다. 먼저 예상해 보세요.
# %% [markdown] lang="en"
# More than half of all parameters are in feed-forward layers; within a block it is three times as many as in
# attention. Most of the model's capacity is here. (The LM head has 0 because it uses the embedding's matrix: lesson
# 02.)
#
# So in which layer is the memory that ' Red' comes after “The Shawshank”? Switch them off, one by one. But guess
# first.
# %% id="question-b"
layers_question = Question("6.b")
layers_question
# %% id="question-b-answered" tags=["solution"]
layers_question.answer(2)
# %% [markdown] lang="ko"
# 위 왼쪽은 온전한 모델, 오른쪽은 고른 층의 피드포워드를 끈 모델입니다. 아래는 층을 **하나씩만** 껐을 때 ` Red`의
# 확률이고, ×는 1등에서 밀려난 층입니다. 20번 층은 없어도 괜찮습니다. *끄는 층*의 양 끝을 움직여 보세요.
# 한 층만 끌 수도, 여러 층을 한꺼번에 끌 수도 있습니다. *부품*을 어텐션으로 바꿀 수도 있습니다.
# %% [markdown] lang="en"
# Top left is the whole model, top right the one without the chosen layers' feed-forward. Below: the probability
# of ` Red` with **one layer at a time** switched off; a × marks those without which it is no longer first. Layer 20
# is not missed. Move the two ends of *layers off*, to one layer or to several at once, or change *part* to attention.
# %% id="feed-forward" tags=["C26"]
feed_forwards = FeedForwardExplorer(model, tokenizer, "The Shawshank", layer=20)
feed_forwards
# %% id="feed-forward-one" tags=["solution", "slide"]
feed_forwards.set(layers=(22, 22))
# %% id="feed-forward-attention" tags=["solution"]
feed_forwards.set(part="attention", layers=(12, 16))
# %% [markdown] lang="ko"
# 층 하나를 끄면 사실 하나가 사라집니다. 그런데 ×가 이렇게 많습니다. 사실이 그 모든 층에 있다는 뜻일까요?
#
# ### 연습 6.4 · ` Red`를 잃는 층
#
# 끄면 아무것도 못 하게 되는 층과, 끄면 이 사실을 잃는 층은 다릅니다. 피드포워드를 끄면 "The Shawshank" 다음의 ` Red`는
# 1등에서 밀려나지만, "The capital of France is" 다음의 ` Paris`는 **여전히 1등인** 층을 하나 찾으세요. 번호는 0부터입니다.
# %% [markdown] lang="en"
# Switch off a single layer, and a fact is gone. But there are so many ×. Is the fact in all of those layers?
#
# ### Exercise 6.4 · The layer that loses ` Red`
#
# A layer without which nothing works is not the same as one without which this fact is lost. Find a layer without
# whose feed-forward ` Red` is no longer the likeliest after "The Shawshank", while ` Paris` **still is** after "The
# capital of France is". Layers count from 0.
# %% id="ex-6-4"
red_layer = 22  # SOLUTION
# %% id="check-6-4"
Exercise("6.4").check(red_layer)
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
# ` Red`만 사라지고 나머지는 남습니다. **그래도 이것이 증명하지 않는 것**이 있습니다. 사실이 22번 층 *안에* 적혀 있다는
# 것은 아닙니다. 3번, 7번, 24번 층을 꺼도 ` Red`는 사라집니다. 한 층을 끄면 그 위의 모든 층이 훈련 때 본 적 없는 입력을
# 받습니다. 보인 것은 이 층이 이 사실에 *필요하다*는 것까지입니다.
#
# ### 뉴런
#
# 더 가까이 가 봅시다. 피드포워드 층 가운데의 숫자 1,536개를 **뉴런**이라고 합니다. 뉴런마다 `down`의 열이 하나 있고,
# 뉴런이 켜진 만큼 그 열이 스트림에 더해집니다(활성값이 0보다 작으면 그만큼 빠집니다). 더해지는 것을 LM 헤드로 읽으면 어떤
# 단어를 미는지 보입니다.
# %% [markdown] lang="en"
# Only ` Red` is gone; the others stay. **What this still does not prove**: that the fact is written down *in*
# layer 22. Without layer 3, 7 or 24 ` Red` is gone as well; and with one layer off, all layers above are given
# input such as they never saw in training. What has been shown is that this layer is *needed* for this fact.
#
# ### Neurons
#
# A step closer. The 1,536 numbers in the middle of a feed-forward layer are its **neurons**. Each has one column
# of `down`, and as far as the neuron is on, that column is added to the stream (with an activation below 0, it is
# taken away). Read through the LM head, what is added says towards which words the neuron pushes.
# %% id="neurons" tags=["C26"]
neurons = NeuronExplorer(model, tokenizer, "The dog chased the squirrel because it", layer=28)
neurons
# %% id="neurons-red" tags=["solution"]
neurons.set(text="The Shawshank", layer=24, word="Red")
# %% [markdown] lang="ko"
# `it` 다음에는 동사가 옵니다. 한 뉴런은 ` strikes`, ` cuts` 같은 동사를, 다른 뉴런은 ` running`을 밉니다. 하지만 읽을 수
# 있는 뉴런은 소수이고 대부분은 뜻 모를 조각을 밉니다. *토큰*에 `Red`를 쓰면 ` Red`를 가장 세게 미는 뉴런이 나옵니다.
# 하나하나는 조금씩만 밀고, 로짓은 여럿이 함께 만듭니다.
#
# ## 층마다 재어 보기
#
# 사실 하나가 아니라 글 하나로 재어 봅니다. 《이상한 나라의 앨리스》의 첫 토큰 32개를 읽히면서, 층마다 어텐션과 피드포워드를
# 하나씩 끄고 **손실**을 잽니다. 손실이 클수록 다음 토큰을 못 맞힌 것입니다. 모델을 60번 돌리므로 몇 초에서 몇십 초
# 걸립니다.
# %% [markdown] lang="en"
# After `it` comes a verb: one neuron pushes towards verbs such as ` strikes` and ` cuts`, another towards ` running`.
# But few can be read; most push towards odd pieces. Write `Red` under *token*, and the neurons come that push
# hardest towards ` Red`: each pushes a little, and together they make the logit.
#
# ## Measured, layer by layer
#
# Now not one fact but a text: the first 32 tokens of *Alice in Wonderland*, read with each layer's attention and
# each layer's feed-forward switched off in turn. Measured is the **loss**: the higher, the worse the next tokens
# were predicted. The model runs 60 times, so this takes from a few seconds to half a minute.
# %% id="losses" tags=["C24", "C25", "C26", "slide"]
alice = files("course").joinpath("data/alice.txt").read_text()
losses_picture(losses_without_each(model, tokenizer, alice, tokens=32))
# %% [markdown] lang="ko"
# 대부분의 층은 하나쯤 없어도 손실이 조금만 오릅니다. 나머지 층이 더하는 것은 스트림에 그대로 흐릅니다. 맨 앞의 층들과
# 마지막 두 피드포워드는 다릅니다. 0번 피드포워드가 없으면 눈을 감고 찍는 것($\ln 49152 \approx 10.8$)보다도 못합니다.
# 11번은 위치 0에 그 긴 벡터를 더하던 층입니다.
#
# ## 보간: 두 글의 한가운데
#
# 노트는 피드포워드가 기억과 **보간**을 맡는다고 합니다. 외운 것 *사이*에서도 그럴듯한 답을 낸다는 뜻입니다. 시험해
# 봅시다. 두 글의 5번 블록 출력을 위치마다 섞고, 나머지 블록이 그것을 이어 읽게 합니다. 한가운데에서는 무엇이 나올까요?
# %% [markdown] lang="en"
# Without one layer, most of the time, the loss rises little: what all the others add still flows along the stream.
# The first layers are different, and so are the last two feed-forward layers. Without feed-forward 0 the model does
# worse than blind guessing ($\ln 49152 \approx 10.8$). Layer 11 is the one that added the very long vector at
# position 0.
#
# ## Interpolation: halfway between two texts
#
# The notes say that feed-forward layers are there for memory and **interpolation**: for sensible answers *between*
# what was learnt by heart, too. Try it: mix what block 5 gives for two texts, position by position, and let the
# remaining blocks read on from the mix. What comes out halfway?
# %% id="question-c"
middle_question = Question("6.c")
middle_question
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
# 왕에서 소년으로 가는 길 한가운데에 공주가 있습니다. 그냥 두 답을 반씩 섞은 것은 아닐까요? 첫 줄은 두 글의 *확률*을
# 평균 낸 것입니다. 다음은 0번, 15번, 29번 블록에서 반씩 섞었을 때이고, 마지막 줄은 왕도 소년도 아닌 왕자로 시작하는
# 글입니다.
# %% [markdown] lang="en"
# On the way from the king to the boy stands a princess. Or is this just half of each answer? The first line is the
# mean of the two texts' *probabilities*. Then come blends half and half at block 0, 15 and 29, and, in the last line,
# a text with neither king nor boy but a prince.
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
# 답을 평균 내면 공주는 네 번째입니다. 섞인 것은 답이 아니라 벡터이고, 나머지 블록이 그것을 이어 읽었습니다. 어디서 섞는지도
# 중요합니다. 0번 블록에서는 여왕이 1등이고, 위에 마지막 정규화와
# LM 헤드만 남은 29번에서는 왕이 1등입니다.
#
# **이것이 증명하지 않는 것:** "왕과 소년 사이에는 왕자가 있고, 그 짝이 공주"라고 설명하고 싶어집니다. 그런데 정작 왕자로
# 시작하는 글에서 모델은 ` Queen`을 씁니다. 설명은 맞지 않았고, 왜 공주인지는 모릅니다. 게다가 골라낸 예 하나일 뿐입니다. 다른
# 글에서는 한쪽 답에서 다른 쪽 답으로 훌쩍 넘어가 버리기도 합니다(`texts`에 `France`와 `Japan`의 수도를 묻는 글을 넣어
# 보세요). 블록 5 위에는 어텐션도 있으니 피드포워드만의 일이라고 할 수도 없습니다. 그리고 은닉 상태 사이의 보간은 훈련
# 데이터 사이의 보간과 같은 말이 아닙니다.
#
# ## 정리
#
# - LLM은 같은 모양의 블록을 쌓은 것입니다. 블록은 **잔차 스트림**에 어텐션과 피드포워드의 결과를 *더합니다*.
# - 그래서 맨 위의 벡터도, 거기서 읽은 로짓도 합이고, 누가 얼마를 보탰는지 나눌 수 있습니다.
# - **어텐션**은 다른 위치를 볼 수 있는 유일한 부품입니다. 문맥을 날라 옵니다.
# - **피드포워드**에는 파라미터의 절반 이상이 있고, 하나를 끄면 사실 하나가 사라지기도 합니다.
# - 꺼서 잃는다는 것은 *필요하다*는 뜻이지, *거기 있다*는 뜻이 아닙니다.
#
# **지금까지 만든 것:** 생성 루프, 토큰 고르기, 임베딩과 LM 헤드, 그리고 오늘의 `rms_norm`, `feed_forward`, `block`.
#
# **다음 문:** 블록의 두 부품 가운데 하나는 아직 닫혀 있습니다. 레슨 07에서 어텐션을 엽니다.
# %% [markdown] lang="en"
# In the mean of the answers, ' princess' comes fourth. It was not answers that were mixed but vectors, and the
# remaining blocks read on from them. It matters where: at block 0 the queen comes first, and at block 29, with
# only the final norm and the LM head above, the king.
#
# **What this does not prove:** one would like to say that between a king and a boy there is a prince, and that a
# princess goes with him. But for the prince's own text the model writes ` Queen`: the story does not hold, and why it
# is a princess we do not know. It is also one chosen example. Between other texts the answer may just leap from one
# side to the other (put the capitals of `France` and `Japan` into `texts`). Above block 5 there is attention, too, so
# that it is not the feed-forward layers' work alone. And to interpolate between hidden states is not to interpolate
# between training data.
#
# ## What you know now
#
# - An LLM is a stack of blocks of one build. A block *adds* to the **residual stream**: what attention found, and
#   what the feed-forward layer made.
# - So the vector at the top is a sum, and so is a logit read from it; who contributed what can be told apart.
# - **Attention** is the only part that sees other positions. It brings context.
# - **Feed-forward** layers hold more than half of the parameters, and without one of them a fact may be gone.
# - To be lost without a layer means that the layer is *needed*, not that the fact is *there*.
#
# **What you have built so far:** the loop that writes, the choice of a token, embedding and LM head, and today
# `rms_norm`, `feed_forward`, `block`.
#
# **The next door:** one of the block's two parts is still closed. Lesson 07 opens attention.
