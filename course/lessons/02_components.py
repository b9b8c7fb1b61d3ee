# %% [markdown] lang="ko"
# # 02 · 구성 요소: 글자에서 확률까지
#
# **이 레슨을 마치면** 정방향 계산 한 번을 토크나이저, 임베딩, 블록 스택, LM 헤드로 나누어 따라가고, 각 부품의
# 모양과 크기를 모델에서 직접 읽고, 앞뒤 부품을 직접 작성하고, 같은 스택에 다른 헤드를 붙일 수 있습니다.
#
# **70분** = 읽고 실행하기 25분 + 연습 문제 45분 · 노트의 *정방향 계산의 구성요소* 절에 해당합니다.
# %% [markdown] lang="en"
# # 02 · Components: from characters to probabilities
#
# **After this lesson you will be able to** follow one forward pass through tokenizer, embedding, stack of
# blocks and LM head, read each part's shape and size from the model, write the outer parts yourself, and put
# another head on the same stack.
#
# **70 minutes** = 25 to read and run + 45 for the exercises · It mirrors the notes' section *components of
# the forward pass*.
# %% id="language" lang="ko"
from utils.language import use_language

use_language("ko")
# %% id="language" lang="en"
from utils.language import use_language

use_language("en")
# %% id="map"
from course.map import course_map

course_map("02")
# %% id="imports"
import copy
from importlib.resources import files

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoModelForTokenClassification

from course.exercise import Exercise, Question
from utils import anatomy, embeddings
from utils.explorers.anatomy import AnatomyExplorer
from utils.explorers.tokens import TokenizerExplorer
from utils.model import load_model

model, tokenizer = load_model()
# %% [markdown] lang="ko"
# ## 지도
#
# 루프 말고도 두 가지 핵심 부품이 있습니다. 앞에는 **토크나이저**, 뒤에는 **LM 헤드**가 있고, 그 사이에
# **트랜스포머 블록**을 쌓은 스택이 있습니다. 모델에게 부품을 물어봅시다. 맨 앞과 첫 블록, 맨 끝만 봅니다.
# 화살표 왼쪽은 들어가는 모양, 오른쪽은 나오는 모양입니다.
# %% [markdown] lang="en"
# ## The map
#
# Beside the loop there are two more key parts: the **tokenizer** in front and the **LM head** behind. Between
# them stands a stack of **transformer blocks**. Ask the model for its parts: here are those before the stack,
# in the first block, and after it. Left of the arrow is the shape that goes in, right of it what comes out.
# %% id="parts" tags=["C06"]
parts = anatomy.components(model)
for part in parts:
    if part.layer in (None, 0):
        print(f"{part.name:40} {part.takes:15} → {part.gives}")
print(1 + max(part.layer for part in parts if part.layer is not None))
# %% [markdown] lang="ko"
# 마지막 줄은 블록의 수입니다. 블록 안의 네 부품은 블록마다 되풀이됩니다. 블록에 들어가는 것과 나오는 것의
# 모양이 같아서 몇 개든 쌓을 수 있습니다. `position`은 글의 토큰 수만큼 있습니다.
#
# 부품이 이렇게 많으니 파라미터는 어디에 많이 들어 있을까요?
# %% [markdown] lang="en"
# The last line is the number of blocks: the four parts of a block come again in each. What goes into a block
# and what comes out have the same shape, and so any number can be stacked. There are as many `position`s as
# the text has tokens.
#
# So many parts: which of them hold most of the parameters?
# %% id="question-a"
parameters_question = Question("2.a")
parameters_question
# %% id="question-a-answered" tags=["solution"]
parameters_question.answer(3)
# %% [markdown] lang="ko"
# 아래 그림은 모델에서 읽어 그린 것입니다. 밑에서 위로 읽으세요. *부품*을 골라 무엇이 들어가고 무엇이
# 나오는지 보고, *블록*을 움직여 보고, 글도 바꿔 보세요. 퍼센트는 전체 파라미터에서 차지하는 비율입니다.
# 그림에 없는 것이 하나 있습니다. 블록의 부품은 결과를 들어온 것에 *더합니다*. 레슨 06에서 봅니다.
# %% [markdown] lang="en"
# This diagram is drawn from the model itself; read it from the bottom up. Pick a *part* to see what goes in
# and what comes out, move *block*, change the text. The percentages are shares of all parameters. One thing is
# left out: the parts of a block *add* what they compute to what came in. Lesson 06 shows that.
# %% id="anatomy" tags=["C06"]
map_of_parts = AnatomyExplorer(model, tokenizer, "The capital of France is")
map_of_parts
# %% id="anatomy-embedding" tags=["solution"]
map_of_parts.set(part="embed_tokens")
# %% id="anatomy-attention" tags=["solution", "slide"]
map_of_parts.set(part="self_attn", block=4)
# %% id="anatomy-softmax" tags=["solution"]
map_of_parts.set(part="softmax")
# %% [markdown] lang="ko"
# ### 한 문장을 끝까지
#
# 이제 부품을 하나씩 직접 부릅니다. 앞 줄의 결과가 다음 줄로 들어갑니다. 블록 스택은 글자도 id도 모릅니다.
# 벡터(`inputs_embeds`)만 받습니다. 마지막 줄은 이렇게 이어 붙인 결과가 모델을 통째로 부른 결과와 같은지
# 봅니다.
# %% [markdown] lang="en"
# ### One sentence, all the way
#
# Now call the parts yourself, one by one; what one line gives, the next one takes. The stack of blocks knows
# no letters and no ids: it is given vectors (`inputs_embeds`). The last line asks whether this is what the
# model computes when it is called as a whole.
# %% id="all-the-way" tags=["C06", "slide"]
with torch.no_grad():
    ids = tokenizer("The capital of France is", return_tensors="pt").input_ids.to(model.device)
    vectors = model.get_input_embeddings()(ids)
    hidden = model.base_model(inputs_embeds=vectors).last_hidden_state
    logits = model.lm_head(hidden)
    probabilities = logits.softmax(-1)
    for value in (ids, vectors, hidden, logits, probabilities):
        print(list(value.shape))
    print(tokenizer.decode(probabilities[0, -1].argmax()))
    print(torch.allclose(logits, model(ids).logits, atol=1e-3))
# %% [markdown] lang="ko"
# 맨 앞의 `1`은 배치, 곧 글이 하나라는 뜻입니다. 이 다섯 줄이 이 레슨의 차례입니다.
#
# ## 토크나이저: 글 → 토큰 → id
#
# 토크나이저에는 토큰의 표인 **어휘사전**이 있습니다. 글은 그 표에 있는 조각으로 나뉘고, 조각마다 번호(id)가
# 있습니다. 되돌리면 글이 그대로 나옵니다.
# %% [markdown] lang="en"
# The `1` in front is the batch: one text. These five lines are the rest of this lesson.
#
# ## The tokenizer: text → tokens → ids
#
# The tokenizer has a **vocabulary**, a table of tokens. Text is cut into pieces that stand in that table, and
# each piece has a number there, its id. Turned back, they give the text as it was.
# %% id="vocabulary" tags=["C07", "slide"]
print(len(tokenizer.get_vocab()))
ids = tokenizer("Transformers tokenize everything!").input_ids
for token_id in ids:
    print(token_id, repr(tokenizer.decode(token_id)))
print(tokenizer.decode(ids))
# %% [markdown] lang="ko"
# 흔한 단어는 통째로 토큰 하나이고, 드문 단어는 조각납니다. 그럼 한글은 어떨까요?
# %% [markdown] lang="en"
# Common words are one token; rarer ones come in pieces. And Hangul?
# %% id="question-b"
hangul_question = Question("2.b")
hangul_question
# %% id="question-b-answered" tags=["solution"]
hangul_question.answer(3)
# %% [markdown] lang="ko"
# 탐색기에서 확인하세요. `⟨ED⟩`처럼 적힌 토큰은 글자가 아니라 글자의 **바이트** 하나입니다. 괄호가 묶은 토큰이
# 모여 그 아래 글자 하나가 됩니다. *바이트 보기*를 켜 보고, 영어, 숫자, 이모지도 넣어 보세요.
# %% [markdown] lang="en"
# Look at it in the explorer. A token written like `⟨ED⟩` is no character but one **byte** of one. Tokens joined
# by a bracket make up the character below it. Tick the box to see the bytes, and try English, numbers, emoji.
# %% id="tokenizer" tags=["C07", "slide"]
tokens = TokenizerExplorer(model, tokenizer, "프랑스의 수도는")
tokens
# %% id="tokenizer-bytes" tags=["solution"]
tokens.set(text="서울 Seoul 🙂 3.14", show_bytes=True)
# %% [markdown] lang="ko"
# 토큰이 많으면 값이 비쌉니다. 토큰 하나에 정방향 계산 한 번이 들고, 문맥 길이도 토큰으로 셉니다. 같은 뜻의
# 영어와 한국어 문장을 나란히 세어 봅니다. 왼쪽은 글자 수, 오른쪽은 토큰 수입니다.
# %% [markdown] lang="en"
# Many tokens cost: each is a forward pass when written, and the context, too, is counted in tokens. Here are
# sentences that mean the same in English and Korean: characters on the left, tokens on the right.
# %% id="cost" tags=["C07", "slide"]
for text in ("The capital of France is Paris.", "프랑스의 수도는 파리입니다.",
             "I drank coffee this morning.", "나는 오늘 아침에 커피를 마셨다."):
    print(len(text), len(tokenizer(text).input_ids), text)
# %% [markdown] lang="ko"
# 글자는 한국어가 적은데 토큰은 한국어가 몇 배 많습니다. 이 토크나이저가 주로 영어 글에서 만들어졌기
# 때문입니다. 한국어를 많이 보고 만든 어휘사전에는 한글 음절과 단어가 들어 있습니다.
#
# ## 임베딩: id → 벡터
#
# 모델에는 어휘사전의 토큰마다 벡터 하나가 있습니다. 이것이 **임베딩**이고, 모아 놓으면 행렬입니다. id가 곧 행
# 번호입니다. 아래에서 임베딩 층이 낸 벡터가 행렬의 그 행과 같은지 봅니다.
# %% [markdown] lang="en"
# Korean needs fewer characters, and several times as many tokens, for this tokenizer was made mostly from
# English text. A vocabulary made from much Korean has syllables and words of it.
#
# ## The embedding: ids → vectors
#
# For each token of the vocabulary the model has one vector, its **embedding**; all together they are a matrix.
# An id is the number of a row. Is the vector that the embedding layer gives that row of the matrix?
# %% id="rows" tags=["C07", "slide"]
embedding_matrix = model.get_input_embeddings().weight
paris = tokenizer(" Paris").input_ids[0]
vector = model.get_input_embeddings()(torch.tensor(paris, device=model.device))
print(list(embedding_matrix.shape), paris, torch.equal(vector, embedding_matrix[paris]))
# %% [markdown] lang="ko"
# ### 연습 2.1 · id에서 벡터로
#
# `token_ids`의 id마다 `embedding_matrix`에서 그 행을 가져와 돌려주세요. 모양은 `[batch, position, width]`입니다.
# 레슨 08의 디코더가 이 함수로 시작합니다.
# %% [markdown] lang="en"
# ### Exercise 2.1 · From ids to vectors
#
# For each id in `token_ids` take its row of `embedding_matrix`. The result has the shape
# `[batch, position, width]`. The decoder of lesson 08 begins with this function.
# %% id="ex-2-1"
def embed(token_ids, embedding_matrix):
    """Return [batch, position, width].  token_ids: int64 [batch, position]; embedding_matrix: [vocab, width]."""
    # BEGIN SOLUTION
    return embedding_matrix[token_ids]
    # END SOLUTION


# %% id="check-2-1"
Exercise("2.1").check(embed)
# %% [markdown] lang="ko"
# ### 가까운 토큰
#
# 임베딩의 숫자 하나하나에는 이름이 없습니다. 하지만 **방향**에는 뜻이 있습니다. 두 벡터의 방향이 얼마나
# 비슷한지는 **코사인**으로 잽니다. 길이를 1로 맞춘 뒤의 내적이고, 1이면 같은 방향입니다.
#
# ### 연습 2.2 · 가장 가까운 토큰
#
# `token_id`와 코사인이 가장 큰 토큰 `k`개의 id를 가까운 것부터 돌려주세요. 자기 자신은 뺍니다.
# %% [markdown] lang="en"
# ### Near tokens
#
# No single number in an embedding has a name, but **directions** mean something. How alike two directions are
# is measured by the **cosine**: the dot product once both lengths are 1. At 1 they are the same.
#
# ### Exercise 2.2 · The nearest tokens
#
# Return the ids of the `k` tokens whose cosine with `token_id` is largest, nearest first, without the token
# itself.
# %% id="ex-2-2"
def nearest_tokens(embedding_matrix, token_id, k):
    """Return int64 [k], ids.  embedding_matrix: float [vocab, width]; token_id, k: int."""
    # BEGIN SOLUTION
    directions = embedding_matrix / embedding_matrix.norm(dim=-1, keepdim=True)
    cosines = directions @ directions[token_id]
    cosines[token_id] = -torch.inf
    return cosines.topk(k).indices
    # END SOLUTION


# %% id="check-2-2"
Exercise("2.2").check(nearest_tokens)
# %% [markdown] lang="ko"
# 과정의 `embeddings.nearest_tokens`로 진짜 이웃을 봅니다. 대소문자만 다른 토큰, 뜻이 가까운 단어, 같은 종류의 단어가
# 모입니다. 아무도 알려 주지 않았습니다. 다음 토큰을 맞히다 보니 이렇게 된 것입니다.
# %% [markdown] lang="en"
# Real neighbours, with the course's own `embeddings.nearest_tokens`: the same word written another way, words close in
# meaning, words of the same sort. Nobody said so; it came of learning to predict the next token.
# %% id="neighbours" tags=["C07", "slide"]
for word in (" Paris", " Monday", " happy", " king"):
    near = embeddings.nearest_tokens(embedding_matrix, tokenizer(word).input_ids[0], 6)
    print(repr(word), [tokenizer.decode(i) for i in near])
# %% [markdown] lang="ko"
# 길이를 1로 맞추지 않으면 어떻게 될까요? 내적이 가장 큰 토큰과 그 벡터의 길이입니다. 마지막 줄은 비교를 위한
# ` Paris` 자신의 길이입니다. 내적으로 고르면 뜻과 상관없이 긴 벡터가 앞에 나옵니다.
# %% [markdown] lang="en"
# What if the lengths are left as they are? Here are the tokens with the largest dot product, and how long their
# vectors are; the last line is the length of ` Paris` itself. By the dot product, long vectors come first,
# whatever they mean.
# %% id="dot-product"
products = embedding_matrix @ embedding_matrix[paris]
for token_id in [*products.topk(4).indices, paris]:
    print(f"{tokenizer.decode(token_id):12} {embedding_matrix[token_id].norm():.1f}")
# %% [markdown] lang="ko"
# ## LM 헤드: 벡터 → 로짓 → 확률
#
# 이제 스택의 반대쪽 끝입니다. 스택은 위치마다 벡터 하나(은닉 상태)를 내놓고, LM 헤드는 그것을 다음 토큰에 대한
# 점수로 바꿉니다.
# %% [markdown] lang="en"
# ## The LM head: vector → logits → probabilities
#
# Now the other end of the stack. It gives one vector for each position, a hidden state, and the LM head turns
# that into scores for the next token.
# %% id="question-c"
head_question = Question("2.c")
head_question
# %% id="question-c-answered" tags=["solution"]
head_question.answer(3)
# %% [markdown] lang="ko"
# 마지막 위치의 벡터 하나만 넣어 봅니다. 로짓은 음수일 수도 있고 합이 정해져 있지 않습니다. 소프트맥스를 거치면
# 모두 0과 1 사이가 되고 합은 1이 됩니다. 이것이 **확률 분포**입니다.
# %% [markdown] lang="en"
# Give it the last position's vector only. Logits can be negative, and sum to nothing in particular. After a
# softmax they all lie between 0 and 1 and sum to 1: a **probability distribution**.
# %% id="logits-and-probabilities" tags=["C08", "slide"]
last = hidden[0, -1]
scores = model.lm_head(last)
chances = scores.softmax(-1)
print(list(last.shape), list(scores.shape), bool(scores.min() < 0))
print(f"{chances.min():.0e} {chances.max():.2f} {chances.sum():.3f}")
# %% [markdown] lang="ko"
# ### 연습 2.3 · 소프트맥스
#
# 소프트맥스는 로짓마다 `exp`를 취하고 그 합으로 나눕니다. 마지막 축을 따라 더하면 1이 되게 하세요. 다만 로짓이
# 1000이어도 넘치지 않아야 하고, `-inf`는 확률 0이 되어야 합니다. 어텐션에서도 이 함수를 다시 씁니다.
# %% [markdown] lang="en"
# ### Exercise 2.3 · Softmax
#
# A softmax takes `exp` of each logit and divides by their sum. Make it sum to 1 over the last axis. A logit of
# 1000 must not overflow, and `-inf` must get the probability 0. Attention will use this function again.
# %% id="ex-2-3"
def softmax(logits):
    """Return probabilities, the shape of logits: float [..., vocab].  Each row on the last axis sums to 1."""
    # BEGIN SOLUTION
    powers = (logits - logits.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)
    # END SOLUTION


# %% id="check-2-3"
Exercise("2.3").check(softmax)
# %% [markdown] lang="ko"
# ### 연습 2.4 · LM 헤드
#
# LM 헤드 자체는 행렬 하나입니다. 어휘사전의 토큰마다 행이 하나 있고, 토큰의 로짓은 은닉 상태와 그 행의
# 내적입니다. 모든 위치와 모든 토큰에 대해 한 번에 계산하세요.
# %% [markdown] lang="en"
# ### Exercise 2.4 · The LM head
#
# The LM head itself is one matrix with a row for each token of the vocabulary. A token's logit is the dot
# product of the hidden state with that row. Compute them for all positions and all tokens at once.
# %% id="ex-2-4"
def lm_head(hidden, weight):
    """Return logits, float [..., position, vocab].  hidden: [..., position, width]; weight: [vocab, width]."""
    # BEGIN SOLUTION
    return hidden @ weight.T
    # END SOLUTION


# %% id="check-2-4"
Exercise("2.4").check(lm_head)
# %% [markdown] lang="ko"
# 그런데 토큰마다 행이 하나인 행렬을 이미 보았습니다. 임베딩입니다. 이 모델은 둘을 **같은 행렬**로 씁니다
# (가중치 묶기). 들어올 때는 행을 꺼내고, 나갈 때는 모든 행과 내적합니다.
# %% [markdown] lang="en"
# But you have met a matrix with a row for each token: the embedding. This model uses **one matrix for both**
# (tied weights). On the way in a row is taken out; on the way out all rows are multiplied with.
# %% id="tied" tags=["C08"]
print(model.lm_head.weight is model.get_input_embeddings().weight)
print([(part.name, part.parameters, part.tied_to) for part in parts if part.layer is None])
# %% [markdown] lang="ko"
# ### 연습 2.5 · 파라미터는 어디에 있나
#
# 탐색기의 퍼센트를 직접 재 보세요. 키가 `"embedding"`, `"attention"`, `"feed_forward"`, `"norm"`, `"lm_head"`인
# dict에 각각의 비율(0–1)을 담아 돌려주세요. 묶인 행렬은 임베딩에서 **한 번만** 셉니다. 그러면 비율의 합은
# 1입니다.
# %% [markdown] lang="en"
# ### Exercise 2.5 · Where the parameters are
#
# Measure the explorer's percentages yourself. Return a dict with the keys `"embedding"`, `"attention"`,
# `"feed_forward"`, `"norm"` and `"lm_head"`, and the share of each (0 to 1). A tied matrix counts **once**, as
# the embedding's. Then the shares sum to 1.
# %% id="ex-2-5"
def parameter_share(model):
    """Return {kind: share}, shares from 0 to 1 that sum to 1.  model: a Llama of any size."""
    # BEGIN SOLUTION
    places = {"embed_tokens": "embedding", "self_attn": "attention", "mlp": "feed_forward",
              "norm": "norm", "lm_head": "lm_head"}
    counts = dict.fromkeys(places.values(), 0)
    for name, parameter in model.named_parameters():
        place = next(place for place in places if place in name)
        counts[places[place]] += parameter.numel()
    return {kind: count / sum(counts.values()) for kind, count in counts.items()}
    # END SOLUTION


# %% id="check-2-5"
Exercise("2.5").check(parameter_share)
# %% [markdown] lang="ko"
# 탐색기가 그린 비율이 이것입니다. 세 자리까지만 적으면 정규화는 0으로 보이고, 묶인 LM 헤드는 정말로 0입니다.
# %% [markdown] lang="en"
# These are the shares that the explorer drew. To three digits the norms look like nothing; the tied LM head
# really is 0.
# %% id="shares" tags=["C06", "slide"]
for kind, share in anatomy.parameter_share(model).items():
    print(f"{kind:15} {share:.3f}")
# %% [markdown] lang="ko"
# ## 같은 스택, 다른 헤드
#
# LM 헤드는 스택에 붙일 수 있는 헤드 가운데 하나일 뿐입니다. 이번에는 문장이 칭찬인지 불평인지를 가리는
# **분류 헤드**를 붙입니다. 과정에 들어 있는 짧은 영어 문장 300개를 씁니다. 200개로 배우고 100개는 시험을 위해
# 남겨 둡니다. 두 종류가 반반입니다.
# %% [markdown] lang="en"
# ## The same stack, another head
#
# The LM head is only one of the heads that can be put on the stack. Now for a **classification head** that
# tells praise from complaint. The course brings 300 short sentences: 200 to learn from, 100 held out for the
# test, half of each praise.
# %% id="sentences"
rows = files("course").joinpath("data/reviews.tsv").read_text().splitlines()[1:]
splits, feelings, sentences = zip(*(row.split("\t") for row in rows))
held_out = torch.tensor([split == "held-out" for split in splits])
good = torch.tensor([int(feeling == "good") for feeling in feelings])
print(len(sentences), held_out.sum().item(), good[held_out].sum().item(), good[~held_out].sum().item())
print(feelings[0], "|", sentences[0])
print(feelings[1], "|", sentences[1])
# %% [markdown] lang="ko"
# 헤드는 문장마다 벡터 하나를 받습니다. 어느 위치의 벡터가 좋을까요? 토큰은 자기 앞만 보므로(레슨 01), 문장 전체를
# 본 것은 **마지막 토큰**뿐입니다. 여러 문장을 한 번에 계산하려면 짧은 문장에 **패딩**을 붙이고, 어디가 진짜
# 토큰인지를 `attention_mask`의 1로 표시합니다.
# %% [markdown] lang="en"
# The head is given one vector for each sentence. Which position's? A token sees only what stands before it
# (lesson 01), so the one that has seen the whole sentence is the **last token**. To compute several sentences
# at once, short ones are filled up with **padding**, and a 1 in the `attention_mask` marks what is a token.
# %% id="padding"
batch = tokenizer(["Great!", "What a waste of money."], return_tensors="pt", padding=True)
print(batch.input_ids)
print(batch.attention_mask)
# %% [markdown] lang="ko"
# ### 연습 2.6 · 문장마다 벡터 하나
#
# 문장마다 **마지막 진짜 토큰**의 은닉 상태를 돌려주세요. 패딩은 뒤에 있을 수도 있고 앞에 있을 수도 있습니다.
# %% [markdown] lang="en"
# ### Exercise 2.6 · One vector for each sentence
#
# Return, for each sentence, the hidden state at its **last real token**. The padding may come last, or first.
# %% id="ex-2-6"
def pool_last_token(hidden_states, attention_mask):
    """Return [batch, width].  hidden_states: [batch, position, width]; attention_mask: [batch, position]."""
    # BEGIN SOLUTION
    batch, positions = attention_mask.shape
    last = (attention_mask * torch.arange(positions)).argmax(dim=1)
    return hidden_states[torch.arange(batch), last]
    # END SOLUTION


# %% id="check-2-6"
Exercise("2.6").check(pool_last_token)
# %% [markdown] lang="ko"
# 문장 300개를 스택에 통과시킵니다(10초쯤 걸립니다). LM 헤드는 쓰지 않습니다. 스택은 **얼려 둡니다**. 이 뒤로
# 모델의 파라미터는 하나도 바뀌지 않습니다.
# %% [markdown] lang="en"
# Send the 300 sentences through the stack (about ten seconds). The LM head is not used. The stack stays
# **frozen**: from here on, not one of the model's parameters changes.
# %% id="vectors" tags=["C09"]
vectors = embeddings.sentence_vectors(model, tokenizer, sentences)
print(list(vectors.shape), any(parameter.requires_grad for parameter in model.parameters()))
# %% id="question-d"
accuracy_question = Question("2.d")
accuracy_question
# %% id="question-d-answered" tags=["solution"]
accuracy_question.answer(3)
# %% [markdown] lang="ko"
# 헤드는 `[2, width]` 행렬 하나입니다. 점수 두 개를 내고, 소프트맥스를 거쳐 배웁니다(로지스틱 회귀). 배우기 전과
# 배운 뒤, **처음 보는** 문장에서의 정확도를 봅니다. 아무것도 모르면 0.5입니다.
# %% [markdown] lang="en"
# The head is one matrix, `[2, width]`: two scores, then a softmax (logistic regression). Look at its accuracy on
# sentences it has **never seen**, before and after it learns. To know nothing is to score about 0.5.
# %% id="train-head" tags=["C09", "slide"]
def accuracy(head):
    right = head(vectors[held_out]).argmax(-1) == good[held_out]
    return right.float().mean().item()


torch.manual_seed(0)
head = torch.nn.Linear(vectors.shape[1], 2, bias=False)
print("before", f"{accuracy(head):.1f}")
optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
for _ in range(200):
    loss = torch.nn.functional.cross_entropy(head(vectors[~held_out]), good[~held_out])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("after", f"{accuracy(head):.1f}", sum(parameter.numel() for parameter in head.parameters()))
# %% [markdown] lang="ko"
# 열에 아홉을 맞힙니다. 배운 것은 마지막에 적힌 수만큼의 파라미터뿐입니다. 어떤 문장을 틀렸을까요? **혼동 행렬**의 행은
# 문장의 진짜 종류, 열은 헤드의 답입니다. 그 아래는 틀린 문장 몇 개입니다. (계산 결과의 끝자리는 컴퓨터마다 달라서
# 한두 문장은 다르게 나올 수 있습니다.)
# %% [markdown] lang="en"
# Nine in ten, and all that has learnt is the number of parameters printed last. What does it get wrong? In the
# **confusion matrix** each row is what a sentence is, each column what the head says. Below are some of the
# sentences that it gets wrong. (The last digits differ between machines, so a sentence or two may, too.)
# %% id="confusion" tags=["C09", "nbval-ignore-output"]
says = head(vectors).argmax(-1)
print("      bad  good")
for feeling in (0, 1):
    counts = says[held_out & (good == feeling)].bincount(minlength=2).tolist()
    print(f"{('bad', 'good')[feeling]:4} {counts[0]:4} {counts[1]:4}")
for i in (held_out & (says != good)).nonzero()[:4, 0]:
    print(feelings[i], "|", sentences[i])
# %% [markdown] lang="ko"
# ### `transformers`의 헤드들
#
# `transformers`에는 스택과 헤드를 함께 묶은 클래스가 있습니다. 같은 스택을 세 클래스에 끼우고 각각 어떤 헤드를
# 붙이는지 봅니다. `meta` 장치는 모양만 만들고 메모리는 쓰지 않습니다.
# %% [markdown] lang="en"
# ### The heads of `transformers`
#
# `transformers` has classes that join a stack and a head. Put our stack into three of them, and see which head
# each one brings. The `meta` device makes shapes only and takes no memory.
# %% id="head-classes" tags=["C09"]
config = copy.deepcopy(model.config)
config.num_labels, config.pad_token_id = 2, tokenizer.pad_token_id
with_heads = {}
for kind in (AutoModelForCausalLM, AutoModelForTokenClassification, AutoModelForSequenceClassification):
    with torch.device("meta"):
        other = kind.from_config(config)
    setattr(other, other.base_model_prefix, model.base_model)
    name, its_head = list(other.named_children())[-1]
    print(f"{kind.__name__:35} {name:8} {list(its_head.weight.shape)}")
    with_heads[kind] = other.eval()
# %% [markdown] lang="ko"
# `AutoModelForCausalLM`은 지금까지 쓴 것입니다. 나머지 둘의 헤드 `score`에 방금 배운 헤드를 끼웁니다. 하나는
# **토큰마다**, 하나는 **글마다** 답합니다. 모양을 비교하세요. 글마다 답하는 쪽은 마지막 토큰의 답을 냅니다.
# %% [markdown] lang="en"
# `AutoModelForCausalLM` is what you have used so far. Put the head you trained into the other two, as their
# `score`. One answers for **each token**, the other for **each text**: compare the shapes. The answer for the
# text is the one at its last token.
# %% id="heads-at-work" tags=["C09"]
review = "The food looked lovely, but it tasted awful."
ids = tokenizer(review, return_tensors="pt").input_ids.to(model.device)
print([tokenizer.decode(token_id) for token_id in ids[0]])
for kind in (AutoModelForTokenClassification, AutoModelForSequenceClassification):
    other = with_heads[kind]
    other.score = copy.deepcopy(head).to(model.device, model.dtype)
    with torch.no_grad():
        scores = other(ids).logits
    print(list(scores.shape), [("bad", "good")[answer] for answer in scores.argmax(-1).flatten()])
# %% [markdown] lang="ko"
# 토큰마다 답하는 쪽을 왼쪽부터 읽어 보세요. ` lovely`에서 좋아졌다가 ` awful`에서 나빠집니다. 문장을 읽어 가며
# 생각이 바뀝니다. 스택은 하나도 바뀌지 않았고, 바꿔 끼운 것은 헤드뿐입니다.
#
# ## 정리
#
# - 글 → **토크나이저** → id → **임베딩** → 벡터 → **블록 스택** → 벡터 → **LM 헤드** → 로짓 → 확률.
# - 어휘사전에 없는 글자는 바이트로 쪼개집니다. 그래서 이 모델에게 한국어는 비쌉니다.
# - 임베딩은 행을 꺼내는 일, LM 헤드는 모든 행과 내적하는 일이고, 이 모델에서는 같은 행렬입니다.
# - 소프트맥스는 로짓을 합이 1인 확률로 바꿉니다.
# - 같은 스택에 다른 헤드를 붙이면 다른 시스템이 됩니다.
#
# **지금까지 만든 것:** 레슨 01의 루프에 더해, 레슨 08이 그대로 가져다 쓸 `embed`와 `lm_head`. 그리고 `softmax`,
# 이웃을 찾는 `nearest_tokens`, 크기를 재는 `parameter_share`, 다른 헤드를 위한 `pool_last_token`.
#
# **다음 문:** 확률은 나왔습니다. 그중 토큰 하나를 어떻게 고를까요? 레슨 03에서 고릅니다.
# %% [markdown] lang="en"
# Read the answers for each token from the left: good at ` lovely`, bad at ` awful`. The mind is changed as the
# sentence goes on. Nothing in the stack has changed; only the head was exchanged.
#
# ## What you know now
#
# - Text → **tokenizer** → ids → **embedding** → vectors → **stack of blocks** → vectors → **LM head** → logits → probabilities.
# - A character that is not in the vocabulary is spelt in bytes. That makes Korean expensive for this model.
# - The embedding takes out rows, the LM head multiplies with all of them; in this model it is the same matrix.
# - A softmax turns logits into probabilities that sum to 1.
# - Another head on the same stack makes another system.
#
# **What you have built so far:** beside the loop of lesson 01, `embed` and `lm_head`, which lesson 08 takes over
# as they are; and `softmax`, `nearest_tokens` to find neighbours, `parameter_share` to measure sizes,
# `pool_last_token` for another head.
#
# **The next door:** here are the probabilities. Which token is taken? Lesson 03 chooses one.
