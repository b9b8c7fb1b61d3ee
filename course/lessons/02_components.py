# %% [markdown] lang="ko"
# # 02 · 구성 요소: 글자에서 확률까지
#
# **이 레슨을 마치면** 정방향 계산 한 번을 토크나이저, 임베딩, 블록 스택, LM 헤드로 나누어 따라가고, 각 부품의
# 모양과 크기를 모델에서 직접 읽고, 맨 앞과 맨 뒤의 부품을 직접 작성하고, 같은 스택에 다른 헤드를 붙일 수
# 있습니다.
#
# **95분** = 읽고 실행하기 35분 + 연습 문제 60분 · 노트의 *정방향 계산의 구성요소* 절에 해당합니다.
# %% [markdown] lang="en"
# # 02 · Components: from characters to probabilities
#
# **After this lesson you will be able to** follow one forward pass through tokenizer, embedding, stack of
# blocks and LM head, read each part's shape and size from the model, write the outer parts yourself, and put
# another head on the same stack.
#
# **95 minutes** = 35 to read and run + 60 for the exercises · It mirrors the notes' section *components of
# the forward pass*.
# %% [markdown] lang="ko" lesson="02"
# 임베딩, 소프트맥스, LM 헤드
#
# - C06 토크나이저, 블록의 스택, LM 헤드가 정방향 계산을 이룬다
# - C07 토크나이저에는 어휘사전이 있고, 토큰마다 임베딩이 하나씩 있다
# - C08 LM 헤드는 스택의 출력을 다음 토큰의 로짓으로 바꾸고, 소프트맥스가 그것을 확률로 바꾼다
# - C09 같은 스택에 다른 헤드를 붙일 수 있다
# %% [markdown] lang="en" lesson="02"
# embedding, softmax, LM head
#
# - C06 Tokenizer, a stack of blocks, LM head: the parts of a forward pass
# - C07 The tokenizer has a vocabulary, and each of its tokens an embedding
# - C08 The LM head turns the stack's output into logits of the next token, and a softmax makes them probabilities
# - C09 Other heads can be put on the same stack
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

course_map("02")
# %% id="imports"
import copy
import re
import unicodedata
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
# **트랜스포머 블록**을 쌓은 스택이 있습니다. 모델에서 부품 목록을 꺼내 봅시다. 맨 앞과 첫 블록, 맨 끝만 봅니다.
# 화살표 왼쪽은 들어가는 것의 모양, 오른쪽은 나오는 것의 모양이고, 마지막 줄은 블록의 개수입니다.
# %% [markdown] lang="en"
# ## The map
#
# Besides the loop there are two more key parts: the **tokenizer** in front and the **LM head** behind. Between
# them stands a stack of **transformer blocks**. List the model's parts: here are those before the stack, in the
# first block, and after it. The arrow leads from the shape of what goes in to the shape of what comes out. The
# last line is the number of blocks.
# %% id="parts" tags=["C06"]
parts = anatomy.components(model)
for part in parts:
    if part.layer in (None, 0):
        print(f"{part.name:40} {part.takes:15} → {part.gives}")
blocks = 1 + max(part.layer for part in parts if part.layer is not None)
print(f"{blocks=}")
# %% [markdown] lang="ko"
# 블록 안의 네 부품은 블록마다 되풀이됩니다. 블록에 들어가는 것과 나오는 것의 모양이 같아서 몇 개든 쌓을 수
# 있습니다. `position`은 위치의 개수, 곧 글의 토큰 수이고, 576은 벡터의 **차원**입니다. 코드에서는 차원을
# `width`라고 씁니다.
#
# 이 많은 부품 가운데 파라미터가 가장 많은 것은 어디일까요?
# %% [markdown] lang="en"
# The four parts of a block come again in every block. What goes into a block and what comes out have the same
# shape, so any number of them can be stacked. `position` is the number of positions, one for each token of the
# text, and 576 is the **dimension** of the vectors. In code the dimension is called `width`.
#
# Among so many parts, which hold most of the parameters?
# %% id="question-a"
parameters_question = Question("2.a")
parameters_question
# %% [markdown] lang="ko" question="2.a"
# 이 모델의 파라미터는 어디에 가장 많이 들어 있을까요?
#
# - [ ] 임베딩. 어휘사전의 토큰마다 행이 하나씩 있다
#   - 49,152행 × 576열이면 큰 행렬이지만 2,800만 개, 모델 전체(1억 3,450만 개)의 5분의 1입니다.
# - [ ] 모든 블록의 어텐션 층
#   - 블록 30개를 모두 센 것은 좋습니다. 그래도 어텐션 층을 다 합치면 전체의 5분의 1쯤이고, 임베딩보다도 조금
#     적습니다.
# - [x] 모든 블록의 피드포워드 층
# - [ ] LM 헤드
#   - LM 헤드의 행렬은 임베딩과 모양이 같습니다. 그러니 임베딩보다 많을 수 없습니다.
#
# 피드포워드 층이 절반을 넘게 차지합니다. 이 모델의 LM 헤드에는 따로 파라미터가 없습니다. 임베딩 행렬을 한 번 더
# 씁니다.
# %% [markdown] lang="en" question="2.a"
# Where are most of this model's parameters?
#
# - [ ] in the embedding, one row for each token of the vocabulary
#   - 49,152 rows of 576 numbers are a large matrix, but that is 28 million, a fifth of the model's 134.5
#     million.
# - [ ] in the attention layers of all the blocks
#   - It is right to count all 30 blocks. Still, all attention layers together are about a fifth of the model, a
#     little less than the embedding.
# - [x] in the feed-forward layers of all the blocks
# - [ ] in the LM head
#   - The LM head's matrix has the same shape as the embedding. So it cannot hold more than the embedding does.
#
# The feed-forward layers hold more than half. The LM head has no parameters of its own here: it uses the
# embedding's matrix a second time.
# %% id="question-a-answered" tags=["solution"]
parameters_question.answer(3)
# %% [markdown] lang="ko"
# 아래 그림은 모델에서 읽어 그린 것입니다. 밑에서 위로 읽으세요. 부품을 누르거나 *부품*에서 골라 무엇이 들어가고 무엇이 나오는지
# 보고, *블록*과 *글*도 바꿔 보세요. 퍼센트는 전체 파라미터에서 차지하는 비율입니다. 그림에 없는 것이 하나
# 있습니다. 블록의 부품은 결과를 들어온 것에 *더합니다*. 레슨 06에서 봅니다.
# %% [markdown] lang="en"
# This diagram is drawn from the model itself; read it from the bottom up. Click a part, or pick it under *part*, to
# see what goes in and what comes out; change *block* and *text*, too. The percentages are shares of all parameters. One thing is left
# out: the parts of a block *add* what they compute to what came in. Lesson 06 shows that.
# %% id="anatomy" tags=["C06"]
map_of_parts = AnatomyExplorer(model, tokenizer, "The capital of France is")
map_of_parts
# %% id="anatomy-embedding" tags=["solution"]
map_of_parts.set(part="embed_tokens")
# %% id="anatomy-attention" tags=["solution", "slide"]
map_of_parts.set(block=4).pick(part="self_attn")
# %% id="anatomy-softmax" tags=["solution"]
map_of_parts.set(part="softmax")
# %% [markdown] lang="ko"
# ### 한 문장을 끝까지
#
# 이제 부품을 하나씩 직접 부릅니다. 앞 줄의 결과가 다음 줄로 들어갑니다. 블록 스택은 글자도 id도 모릅니다.
# 벡터(`inputs_embeds`)만 받습니다. 끝의 두 줄은 다음 토큰과, 이렇게 이어 붙인 결과가 모델을 통째로 부른 결과와
# 같은지(`True`)입니다.
# %% [markdown] lang="en"
# ### One sentence, all the way
#
# Now call the parts yourself, one by one; what one line gives, the next one takes. The stack of blocks knows
# neither letters nor ids: it is given vectors (`inputs_embeds`). The last two lines are the next token, and
# whether all this gives what the model computes when called as a whole (`True`).
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
# 모양의 맨 앞에 있는 `1`은 배치, 곧 글이 하나라는 뜻입니다. 이 다섯 줄을 이 레슨에서 차례로 살펴봅니다.
#
# ## 토크나이저: 글 → 토큰 → id
#
# 토크나이저에는 토큰의 표인 **어휘사전**이 있습니다. 글은 그 표에 있는 조각으로 나뉘고, 조각마다 번호(id)가
# 있습니다. 첫 줄은 어휘사전의 크기, 마지막 줄은 id를 글로 되돌린 것입니다.
# %% [markdown] lang="en"
# The `1` at the front of each shape is the batch: one text. These five lines are what the rest of this lesson
# goes through.
#
# ## The tokenizer: text → tokens → ids
#
# The tokenizer has a **vocabulary**, a table of tokens. Text is cut into pieces that are in that table, and each
# piece has a number there, its id. The first line is the size of the vocabulary, the last one the ids turned back
# into text.
# %% id="vocabulary" tags=["C07", "slide"]
print(len(tokenizer.get_vocab()))
ids = tokenizer("Transformers tokenize everything!").input_ids
for token_id in ids:
    print(token_id, repr(tokenizer.decode(token_id)))
print(tokenizer.decode(ids))
# %% [markdown] lang="ko"
# 흔한 단어는 토큰 하나가 되고, 드문 단어는 여러 토큰으로 쪼개집니다. 그럼 이 토크나이저가 거의 보지 못한 글,
# 이를테면 한글은 어떻게 될까요?
# %% [markdown] lang="en"
# Common words become one token; rarer ones are cut into several. And a script that this tokenizer has hardly
# seen, such as Hangul, in which Korean is written?
# %% id="question-b"
hangul_question = Question("2.b")
hangul_question
# %% [markdown] lang="ko" question="2.b"
# “프랑스의 수도는”은 8글자입니다. 토큰으로는 몇 개일까요?
#
# - [ ] 2개, 단어마다 하나
#   - 영어라면 흔한 단어가 토큰 하나입니다. 그러려면 그 단어가 어휘사전에 통째로 들어 있어야 하는데, 이 어휘사전은 주로
#     영어 글에서 만들어졌습니다.
# - [ ] 8개, 글자마다 하나
#   - 그러려면 음절 하나하나가 어휘사전에 있어야 합니다. 없는 글자는 바이트로 쪼개지고, 한글 음절은 3바이트입니다.
# - [x] 20개
#
# 한글 음절은 거의 모두 이 어휘사전에 없습니다. 그래서 바이트로 쪼개져 한 글자가 토큰 두세 개가 됩니다.
# %% [markdown] lang="en" question="2.b"
# “프랑스의 수도는” (“The capital of France is”) has 8 characters. How many tokens is it?
#
# - [ ] 2, one for each word
#   - In English a common word is one token. For that, the whole word has to be in the vocabulary, and this one
#     was made mostly from English text.
# - [ ] 8, one for each character
#   - For that, each syllable has to be in the vocabulary. One that is not is spelt out in bytes, and a Hangul
#     syllable has three.
# - [x] 20
#
# Most Hangul syllables are not in this vocabulary, so they are spelt out in bytes, two or three tokens
# each.
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
# 토큰이 많을수록 비용이 늘어납니다. 글을 쓸 때는 토큰 하나에 정방향 계산 한 번이 들고, 문맥 길이도 토큰 수로
# 셉니다. 같은 뜻의 영어와 한국어 문장의 글자(`characters`)와 토큰(`tokens`)을 나란히 세어 봅니다.
# %% [markdown] lang="en"
# The more tokens, the higher the cost: when a text is written, each takes a forward pass, and the context length,
# too, is counted in tokens. Here are sentences that mean the same in English and Korean, with their `characters`
# and `tokens` counted.
# %% id="cost" tags=["C07", "slide"]
for text in ("The capital of France is Paris.", "프랑스의 수도는 파리입니다.",
             "I drank coffee this morning.", "나는 오늘 아침에 커피를 마셨다."):
    print(f"characters={len(text):2} tokens={len(tokenizer(text).input_ids):2}  {text}")
# %% [markdown] lang="ko"
# 글자는 한국어가 적은데 토큰은 한국어가 몇 배 많습니다. 한국어가 원래 그런 것은 아닙니다. 이 어휘사전이 주로 영어
# 글에서 만들어졌기 때문입니다.
#
# ### 한국어로 만든 어휘사전
#
# 정말 그런지 만들어 봅니다. 이 강좌의 한국어 설명으로 어휘사전을 훈련합니다. 훈련은 이렇게 합니다. 바이트에서
# 시작해, 가장 자주 잇따라 나오는 두 토큰을 토큰 하나로 합치기를 되풀이합니다(**BPE**). 이 모델의 토크나이저도 이렇게
# 만들었습니다. 훈련에 쓰지 않은 문장에서 글자 하나에 토큰이 몇 개 드는지 비교하세요. 앞은 이 모델의 토크나이저,
# 뒤는 방금 만든 것입니다.
# %% [markdown] lang="en"
# Korean needs fewer characters, and several times as many tokens. That is not in the nature of Korean: this vocabulary
# was made mostly from English text.
#
# ### A vocabulary made from Korean
#
# Make one and see. The course's own prose in Korean is what it is trained on, in this way: begin with bytes, and again
# and again join the two tokens that most often stand side by side into one (**BPE**). That is also how this model's
# tokenizer was made. Compare how many tokens one character takes, in a sentence that was not used in training: first
# with this model's tokenizer, then with the one just made.
# %% id="korean-vocabulary" tags=["C07", "nbval-ignore-output"]
from tokenizers import ByteLevelBPETokenizer
from course.lessons import lesson_files

lines = "\n".join(path.read_text(encoding="utf-8") for path in lesson_files()).splitlines()
prose = [line for line in lines if line.startswith("#") and re.search("[가-힣]", line)]
korean = ByteLevelBPETokenizer()
korean.train_from_iterator(prose, vocab_size=4096, show_progress=False)
text = "하늘이 맑고 바람이 시원해서 친구와 함께 공원을 걸었다."
for ids in (tokenizer(text).input_ids, korean.encode(text).ids):
    print(f"tokens={len(ids)}  tokens/characters={len(ids) / len(text):.1f}")
# %% [markdown] lang="ko"
# 글자 하나에 두 개씩 들던 토큰이 한 개도 들지 않게 되었습니다. 어휘사전은 이 모델의 12분의 1(4,096개)이고, 훈련한 글은 이 강좌의
# 설명뿐인데도 그렇습니다. 자주 나온 음절과 단어가 토큰 하나가 되었기 때문입니다. (설명을 고칠 때마다 수는 조금씩
# 달라집니다.)
#
# ### 같은 글자, 다른 코드
#
# 한글은 컴퓨터에 두 가지로 적힙니다. 음절마다 코드 하나인 NFC와, 자모마다 코드 하나인 NFD입니다. 맥의 파일 이름에서
# 온 글은 NFD일 때가 많습니다. 눈에는 똑같이 보이는 “프랑스”를 두 가지로 적어 토큰을 셉니다.
# %% [markdown] lang="en"
# A character took two tokens, and now it takes less than one. Yet this vocabulary has only 4,096 tokens, a twelfth of
# the model's, and was made from no more than this course's prose. Syllables and words that occur often in it have become
# single tokens. (The numbers change a little whenever the prose is revised.)
#
# ### The same letters, other codes
#
# Hangul is written in a computer in two ways: NFC has one code for each syllable, NFD one for each letter within it.
# Text that comes from file names on a Mac is often NFD. Here is “프랑스” (“France”), which looks the same either way,
# with its tokens counted.
# %% id="two-forms" tags=["C07"]
for form in ("NFC", "NFD"):
    text = unicodedata.normalize(form, "프랑스")
    print(f"{form} codes={len(text)} tokens={len(tokenizer(text).input_ids)}")
# %% [markdown] lang="ko"
# NFD는 보기에는 같아도 토큰이 두 배 넘게 들고, 모델에게는 다른 글입니다. 한글을 다룰 때는 먼저
# `unicodedata.normalize("NFC", text)`를 거치게 하세요.
#
# ## 임베딩: id → 벡터
#
# 모델에는 어휘사전의 토큰마다 벡터 하나가 있습니다. 이것이 **임베딩**이고, 모아 놓으면 행렬입니다. id가 곧 행
# 번호입니다. 임베딩 층이 ` Paris`에 내놓은 벡터가 행렬의 그 행과 같은지 봅니다. 차례로 행렬의 모양, ` Paris`의
# id, 같은지(`True`)입니다.
# %% [markdown] lang="en"
# NFD looks the same, takes more than twice the tokens, and is another text to the model. When you work with Hangul,
# put it through `unicodedata.normalize("NFC", text)` first.
#
# ## The embedding: ids → vectors
#
# For each token of the vocabulary the model has one vector, its **embedding**; all together they are a matrix. An
# id is the number of a row. Is the vector that the embedding layer gives for ` Paris` that row of the matrix?
# The cell prints the shape of the matrix, the id of ` Paris`, and whether the two are the same (`True`).
# %% id="rows" tags=["C07", "slide"]
embedding_matrix = model.get_input_embeddings().weight
paris = tokenizer(" Paris").input_ids[-1]
vector = model.get_input_embeddings()(torch.tensor(paris, device=model.device))
same = torch.equal(vector, embedding_matrix[paris])
print(f"[vocab, width]={list(embedding_matrix.shape)}  {paris=}  {same=}")
# %% [markdown] lang="ko"
# ### 연습 2.1 · id에서 벡터로
#
# `token_ids`의 id마다 `embedding_matrix`에서 그 행을 가져와 돌려주세요. 결과의 모양은
# `[batch, position, width]`입니다. 레슨 08에서 조립할 LLM이 이 함수로 시작합니다.
# %% [markdown] lang="en"
# ### Exercise 2.1 · From ids to vectors
#
# For each id in `token_ids` take its row of `embedding_matrix`. The result has the shape
# `[batch, position, width]`. The LLM that you assemble in lesson 08 begins with this function.
# %% id="ex-2-1"
def embed(token_ids, embedding_matrix):
    """id마다 벡터 하나, [batch, position, width].  token_ids: int64 [batch, position]; embedding_matrix: [vocab, width]."""
    """Return [batch, position, width].  token_ids: int64 [batch, position]; embedding_matrix: [vocab, width]."""
    # BEGIN SOLUTION
    return embedding_matrix[token_ids]
    # END SOLUTION


# %% id="check-2-1" kind="implement" difficulty=1 minutes=5
Exercise("2.1").check(embed)
# %% [markdown] lang="ko" hints="2.1"
# 1. 5번 토큰의 벡터는 행렬의 5번 행입니다. 계산은 필요 없습니다.
# 2. 텐서는 정수 텐서로 인덱싱할 수 있습니다. 그 번호의 행이 뽑힙니다.
# 3. `embedding_matrix[token_ids]`의 모양은 `token_ids`의 모양 뒤에 `width`가 붙은 것입니다.
# %% [markdown] lang="en" hints="2.1"
# 1. Token number 5 has row 5 of the matrix. No arithmetic is needed.
# 2. A tensor can be indexed with another tensor of whole numbers: it picks rows.
# 3. `embedding_matrix[token_ids]` has the shape of `token_ids`, with `width` behind it.
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
# No single number in an embedding has a name, but **directions** mean something. How similar two directions are
# is measured by the **cosine**: the dot product of the two once both lengths are 1. If it is 1, the directions
# are the same.
#
# ### Exercise 2.2 · The nearest tokens
#
# Return the ids of the `k` tokens whose cosine with `token_id` is largest, nearest first, without the token
# itself.
# %% id="ex-2-2"
def nearest_tokens(embedding_matrix, token_id, k):
    """가까운 토큰의 id, int64 [k].  embedding_matrix: float [vocab, width]; token_id, k: int."""
    """Return int64 [k], ids.  embedding_matrix: float [vocab, width]; token_id, k: int."""
    # BEGIN SOLUTION
    directions = embedding_matrix / embedding_matrix.norm(dim=-1, keepdim=True)
    cosines = directions @ directions[token_id]
    cosines[token_id] = -torch.inf
    return cosines.topk(k).indices
    # END SOLUTION


# %% id="check-2-2" kind="implement" difficulty=3 minutes=12
Exercise("2.2").check(nearest_tokens)
# %% [markdown] lang="ko" hints="2.2"
# 1. 두 벡터의 코사인은 길이를 모두 1로 맞춘 뒤의 내적입니다.
# 2. 행마다 길이 `norm(dim=-1, keepdim=True)`로 나누세요. 그 행렬에 `token_id`번 행을 곱하면 코사인이
#    한꺼번에 나옵니다.
# 3. 자기 자신의 코사인을 `-torch.inf`로 바꾸면 `topk(k).indices`가 가까운 순서대로 나옵니다.
# %% [markdown] lang="en" hints="2.2"
# 1. The cosine of two vectors is their dot product once both have length 1.
# 2. Divide each row by its length, `norm(dim=-1, keepdim=True)`; the matrix times row `token_id` then gives
#    all cosines at once.
# 3. Set the token's own cosine to `-torch.inf`, then `topk(k).indices` are the nearest, in order.
# %% [markdown] lang="ko"
# 강좌의 `embeddings.nearest_tokens`로 진짜 이웃을 봅니다. 앞 공백이나 대소문자만 다른 같은 단어, 뜻이 가까운
# 단어, 같은 종류의 단어가 모입니다. 아무도 알려 주지 않았습니다. 다음 토큰을 맞히도록 훈련하는 동안 저절로 생긴
# 것입니다.
# %% [markdown] lang="en"
# Real neighbours, with the course's own `embeddings.nearest_tokens`: the same word with another case or without
# its space, words close in meaning, words of the same sort. Nobody told the model; it came about in training to
# predict the next token.
# %% id="neighbours" tags=["C07", "slide"]
for word in (" Paris", " Monday", " happy", " king"):
    near = embeddings.nearest_tokens(embedding_matrix, tokenizer(word).input_ids[-1], 6)
    print(repr(word), [tokenizer.decode(i) for i in near])
# %% [markdown] lang="ko"
# 길이를 1로 맞추지 않으면 어떻게 될까요? ` Paris`와의 내적이 가장 큰 토큰과 그 벡터의 길이입니다. 마지막 줄은
# 비교하기 위한 ` Paris` 자신의 길이입니다.
# %% [markdown] lang="en"
# What if the lengths are left as they are? Here are the tokens with the largest dot product with ` Paris`, and
# how long their vectors are; the last line is, for comparison, the length of ` Paris` itself.
# %% id="dot-product"
products = embedding_matrix @ embedding_matrix[paris]
for token_id in [*products.topk(4).indices, paris]:
    print(f"{tokenizer.decode(token_id):12} {embedding_matrix[token_id].norm():.1f}")
# %% [markdown] lang="ko"
# 내적으로 고르면 뜻과 상관없이 긴 벡터가 앞에 나옵니다.
#
# ## LM 헤드: 벡터에서 다음 토큰으로
#
# 이제 스택의 반대쪽 끝입니다. 스택은 위치마다 벡터 하나(은닉 상태)를 내놓고, LM 헤드는 그것으로 다음 토큰의
# 후보마다, 곧 어휘사전의 토큰마다 수 하나씩을 냅니다. 어떤 수일까요?
# %% [markdown] lang="en"
# The dot product puts long vectors first, whatever they mean.
#
# ## The LM head: from a vector to the next token
#
# Now the other end of the stack. It gives one vector for each position, a hidden state, and from that the LM head
# makes one number for each candidate for the next token, that is, for each token of the vocabulary. What kind of
# number?
# %% id="question-c"
head_question = Question("2.c")
head_question
# %% [markdown] lang="ko" question="2.c"
# LM 헤드에 벡터 하나를 넣으면 수 49,152개가 나옵니다. 어떤 수일까요?
#
# - [ ] 토큰의 id. 가장 알맞은 토큰부터 늘어놓은 것
#   - id는 계산할 필요가 없습니다. 첫째 수는 0번 토큰의 것, 둘째 수는 1번 토큰의 것으로 정해져 있습니다. 아직
#     모르는 것은 토큰마다 얼마나 알맞은가입니다.
# - [ ] 확률. 0과 1 사이이고, 모두 더하면 1
#   - *한 문장을 끝까지*에서는 LM 헤드 다음에 한 단계가 더 있었습니다. 이미 확률이라면 그 단계가 왜 필요할까요?
# - [x] 점수. 음수도 있고, 합은 정해져 있지 않다
#
# LM 헤드는 모든 토큰에 점수(로짓)를 매깁니다. 점수를 확률로 바꾸는 것은 그다음의 소프트맥스입니다.
# %% [markdown] lang="en" question="2.c"
# The LM head is given one vector, and 49,152 numbers come out. What are they?
#
# - [ ] ids of tokens, the most fitting one first
#   - Ids need no computing: the first number belongs to token 0, the second to token 1, always. What is still
#     missing is how well each of them fits.
# - [ ] probabilities, between 0 and 1, with a sum of 1
#   - In *One sentence, all the way*, one more step came after the LM head. If these were probabilities already,
#     what would it be for?
# - [x] scores, some of them negative, with no particular sum
#
# The LM head gives every token a score, its logit. Turning scores into probabilities is the work of the softmax
# that follows.
# %% id="question-c-answered" tags=["solution"]
head_question.answer(3)
# %% [markdown] lang="ko"
# 마지막 위치의 벡터 하나만 넣어 봅니다. 첫 줄은 벡터의 모양, LM 헤드가 낸 것의 모양, 그중 음수가 있는지입니다.
# 둘째 줄은 소프트맥스를 거친 뒤의 최솟값, 최댓값, 합입니다.
# %% [markdown] lang="en"
# Give it the last position's vector only. The first line is the shape of the vector, the shape of what the LM
# head gives, and whether some of it is negative. The second line is what there is after a softmax: the smallest
# number, the largest, and the sum.
# %% id="logits-and-probabilities" tags=["C08", "slide"]
last = hidden[0, -1]
scores = model.lm_head(last)
chances = scores.softmax(-1)
print(list(last.shape), list(scores.shape), bool(scores.min() < 0))
print(f"{chances.min():.0e} {chances.max():.2f} {chances.sum():.3f}")
# %% [markdown] lang="ko"
# LM 헤드가 내는 것은 **로짓**이라는 점수이고, 소프트맥스를 거치면 모두 0과 1 사이, 합이 1인 **확률 분포**가
# 됩니다. 노트는 LM 헤드가 출력을 확률로 바꾼다고 하지만, 정확히는 소프트맥스까지 거쳐야 확률입니다.
#
# ### 연습 2.3 · 소프트맥스
#
# 소프트맥스는 로짓마다 `exp`를 구하고 그 합으로 나눕니다. 마지막 축을 따라 더하면 1이 되게 하세요. 로짓이
# 1000이어도 넘치지 않아야 하고, `-inf`는 확률 0이 되어야 합니다. 어텐션에서도 소프트맥스를 씁니다.
# %% [markdown] lang="en"
# What the LM head gives are scores, the **logits**; after a softmax they all lie between 0 and 1 and sum to 1, a
# **probability distribution**. The notes say that the LM head turns the output into probabilities; strictly, it
# takes the softmax as well.
#
# ### Exercise 2.3 · Softmax
#
# A softmax takes `exp` of each logit and divides by their sum. Make it sum to 1 along the last axis. A logit of
# 1000 must not overflow, and `-inf` must get a probability of 0. Attention uses a softmax, too.
# %% id="ex-2-3"
def softmax(logits):
    """확률.  모양은 logits(float [..., vocab])와 같고, 마지막 축을 따라 더하면 1."""
    """Return probabilities, the shape of logits: float [..., vocab].  Each row on the last axis sums to 1."""
    # BEGIN SOLUTION
    powers = (logits - logits.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)
    # END SOLUTION


# %% id="check-2-3" kind="implement" difficulty=3 minutes=10
Exercise("2.3").check(softmax)
# %% [markdown] lang="ko" hints="2.3"
# 1. `exp`를 취하면 모두 양수가 되고, 그 합으로 나누면 합이 1이 됩니다.
# 2. 모든 로짓에서 같은 수를 빼도 확률은 바뀌지 않습니다. 무엇을 빼면 `exp`가 넘치지 않을까요?
# 3. `powers = (logits - logits.amax(-1, keepdim=True)).exp()`를 구하고 `powers.sum(-1, keepdim=True)`로
#    나누세요.
# %% [markdown] lang="en" hints="2.3"
# 1. `exp` makes every number positive; dividing by their sum makes them sum to 1.
# 2. Subtracting the same number from all logits changes no probability. Which number keeps `exp` from
#    overflowing?
# 3. `powers = (logits - logits.amax(-1, keepdim=True)).exp()`, then divide by `powers.sum(-1,
#    keepdim=True)`.
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
    """로짓, float [..., position, vocab].  hidden: [..., position, width]; weight: [vocab, width]."""
    """Return logits, float [..., position, vocab].  hidden: [..., position, width]; weight: [vocab, width]."""
    # BEGIN SOLUTION
    return hidden @ weight.T
    # END SOLUTION


# %% id="check-2-4" kind="implement" difficulty=2 minutes=6
Exercise("2.4").check(lm_head)
# %% [markdown] lang="ko" hints="2.4"
# 1. 토큰의 로짓은 은닉 상태와 그 토큰의 행을 내적한 값입니다.
# 2. 모든 내적을 한 번에 하면 행렬 곱 `@` 하나입니다.
# 3. `weight`는 `[vocab, width]`, `weight.T`는 `[width, vocab]`입니다. `hidden @ …`에 맞는 쪽을 쓰세요.
# %% [markdown] lang="en" hints="2.4"
# 1. A token's logit is the dot product of the hidden state with that token's row.
# 2. All dot products at once are one matrix product, `@`.
# 3. `weight` is `[vocab, width]`; `weight.T` is `[width, vocab]`, which fits `hidden @ …`.
# %% [markdown] lang="ko"
# 그런데 토큰마다 행이 하나인 행렬을 이미 보았습니다. 임베딩입니다. 이 모델은 둘을 **같은 행렬**로 씁니다 (가중치
# 공유, weight tying). 들어올 때는 행을 꺼내고, 나갈 때는 모든 행과 내적합니다. 둘째 줄은 블록 밖에 있는 부품의
# 이름, 파라미터의 개수, 어느 부품과 행렬을 함께 쓰는지입니다.
# %% [markdown] lang="en"
# But you have already met a matrix with a row for each token: the embedding. This model uses **one matrix for
# both** (weight tying). On the way in, a row is taken out; on the way out, the dot product is taken with every
# row. The second line lists the parts outside the blocks: name, number of parameters, and whose matrix they
# share.
# %% id="tied" tags=["C08"]
print(model.lm_head.weight is model.get_input_embeddings().weight)
print([(part.name, part.parameters, part.tied_to) for part in parts if part.layer is None])
# %% [markdown] lang="ko"
# ### 연습 2.5 · 파라미터는 어디에 있나
#
# 탐색기의 퍼센트를 직접 재 보세요. 키가 `"embedding"`, `"attention"`, `"feed_forward"`, `"norm"`, `"lm_head"`인
# dict에 각각의 비율(0–1)을 담아 돌려주세요. 함께 쓰는 행렬은 임베딩에서 **한 번만** 셉니다. 그러면 비율의 합은
# 1입니다.
# %% [markdown] lang="en"
# ### Exercise 2.5 · Where the parameters are
#
# Measure the explorer's percentages yourself. Return a dict with the keys `"embedding"`, `"attention"`,
# `"feed_forward"`, `"norm"` and `"lm_head"`, and the share of each (0 to 1). A tied matrix counts **once**, as
# the embedding's. Then the shares sum to 1.
# %% id="ex-2-5"
def parameter_share(model):
    """{종류: 비율}.  비율은 0과 1 사이, 합은 1.  model: 크기가 어떻든 Llama."""
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


# %% id="check-2-5" kind="measure" difficulty=3 minutes=12
Exercise("2.5").check(parameter_share)
# %% [markdown] lang="ko" hints="2.5"
# 1. `model.named_parameters()`는 텐서마다 `model.layers.0.mlp.up_proj.weight` 같은 이름을 함께 줍니다.
#    이름을 보면 어느 부품인지 알 수 있습니다.
# 2. 이름에서 `embed_tokens`, `self_attn`, `mlp`, `norm`, `lm_head`를 찾아 `parameter.numel()`을 더하세요.
# 3. 함께 쓰는 행렬은 임베딩의 이름으로 한 번만 나옵니다. `lm_head`도 들어가도록 모든 개수를 0에서 시작하고,
#    개수의 합으로 나누세요.
# %% [markdown] lang="en" hints="2.5"
# 1. `model.named_parameters()` gives each tensor with a name such as `model.layers.0.mlp.up_proj.weight`;
#    the name tells where it belongs.
# 2. Look for `embed_tokens`, `self_attn`, `mlp`, `norm` and `lm_head` in the name, and add up
#    `parameter.numel()`.
# 3. A tied matrix comes up once, under the embedding's name. Start every count at 0, so that `lm_head` is there
#    too, and divide by the sum of all counts.
# %% [markdown] lang="ko"
# 탐색기가 그린 비율이 이것입니다. 소수 셋째 자리까지 적으면 정규화의 비율은 0처럼 보입니다. LM 헤드는 임베딩과
# 행렬을 함께 쓰므로 정말로 0입니다.
# %% [markdown] lang="en"
# These are the shares that the explorer drew. To three decimals the norms look like 0; the LM head, which shares
# the embedding's matrix, really is 0.
# %% id="shares" tags=["C06", "slide"]
for kind, share in anatomy.parameter_share(model).items():
    print(f"{kind:15} {share:.3f}")
# %% [markdown] lang="ko"
# ## 같은 스택, 다른 헤드
#
# LM 헤드는 스택에 붙일 수 있는 헤드 가운데 하나일 뿐입니다. 이번에는 문장이 칭찬인지 불평인지를 가리는 **분류
# 헤드**를 붙입니다. 강좌에 들어 있는 짧은 영어 문장 300개를 씁니다. 200개는 훈련에 쓰고 100개는 테스트용으로 남겨
# 둡니다. 어느 쪽이든 칭찬이 절반입니다. 처음 두 줄은 훈련용(`train`)과 테스트용(`held-out`) 문장의 개수와 그 가운데
# 칭찬(`good`)의 개수이고, 그 아래는 문장의 예입니다.
# %% [markdown] lang="en"
# ## The same stack, another head
#
# The LM head is only one of the heads that can be put on the stack. Now for a **classification head** that tells
# praise from complaint. The course brings 300 short sentences: 200 for training, 100 held out for the test, and
# in both half are praise. The first two lines count, for training (`train`) and test (`held-out`), the sentences
# and the praise among them (`good`); below are two of the sentences.
# %% id="sentences"
rows = files("course").joinpath("data/reviews.tsv").read_text(encoding="utf-8").splitlines()[1:]
splits, feelings, sentences = zip(*(row.split("\t") for row in rows))
held_out = torch.tensor([split == "held-out" for split in splits])
good = torch.tensor([int(feeling == "good") for feeling in feelings])
for split, answers in (("train", good[~held_out]), ("held-out", good[held_out])):
    print(f"{split:8} sentences={len(answers)} good={int(answers.sum())}")
print(feelings[0], "|", sentences[0])
print(feelings[1], "|", sentences[1])
# %% [markdown] lang="ko"
# 헤드는 문장마다 벡터 하나를 받습니다. 어느 위치의 벡터가 좋을까요? 토큰은 자기 앞만 보므로(레슨 01), 문장 전체를
# 본 것은 **마지막 토큰**뿐입니다. 여러 문장을 한 번에 계산하려면 짧은 문장에 **패딩**을 붙이고, 어디가 진짜
# 토큰인지를 `attention_mask`의 1로 표시합니다.
# %% [markdown] lang="en"
# The head is given one vector for each sentence. Which position's? A token sees only what comes before it (lesson
# 01), so the one that has seen the whole sentence is the **last token**. To compute several sentences at once,
# short ones are filled up with **padding**, and a 1 in the `attention_mask` marks what is a real token.
# %% id="padding"
batch = tokenizer(["Great!", "What a waste of money."], return_tensors="pt", padding=True)
print(batch.input_ids)
print(batch.attention_mask)
# %% [markdown] lang="ko"
# ### 연습 2.6 · 문장마다 벡터 하나 (도전)
#
# 문장마다 **마지막 진짜 토큰**의 은닉 상태를 돌려주세요. 패딩은 뒤에 있을 수도 있고 앞에 있을 수도 있습니다. 이
# 레슨에서 가장 어려운 문제이니, 건너뛰고 나중에 돌아와도 됩니다.
# %% [markdown] lang="en"
# ### Exercise 2.6 · One vector for each sentence (challenge)
#
# Return, for each sentence, the hidden state at its **last real token**. The padding may come last, or first.
# This is the hardest exercise of the lesson; you may skip it and come back later.
# %% id="ex-2-6"
def pool_last_token(hidden_states, attention_mask):
    """글마다 벡터 하나, [batch, width].  hidden_states: [batch, position, width]; attention_mask: [batch, position]."""
    """Return [batch, width].  hidden_states: [batch, position, width]; attention_mask: [batch, position]."""
    # BEGIN SOLUTION
    batch, positions = attention_mask.shape
    last = (attention_mask * torch.arange(positions, device=attention_mask.device)).argmax(dim=1)
    return hidden_states[torch.arange(batch), last]
    # END SOLUTION


# %% id="check-2-6" kind="implement" difficulty=4 minutes=15
Exercise("2.6").check(pool_last_token)
# %% [markdown] lang="ko" hints="2.6"
# 1. 먼저 마스크의 행마다 마지막 1이 있는 위치를 찾으세요.
# 2. `attention_mask * torch.arange(positions)`는 패딩에서 0이고 다른 곳에서는 위치입니다. 어디서 가장
#    클까요?
# 3. `last`의 모양이 `[batch]`이면 `hidden_states[torch.arange(batch), last]`는 글마다 벡터 하나씩을
#    뽑습니다.
# %% [markdown] lang="en" hints="2.6"
# 1. First find, for each row of the mask, the position of its last 1.
# 2. `attention_mask * torch.arange(positions)` is 0 at padding and the position elsewhere; where is it
#    largest?
# 3. With `last` of shape `[batch]`, `hidden_states[torch.arange(batch), last]` takes one vector from each
#    text.
# %% [markdown] lang="ko"
# 문장 300개를 스택에 통과시킵니다(10초쯤 걸립니다). LM 헤드는 쓰지 않습니다. 스택은 **동결(freeze)**합니다. 이
# 뒤로 모델의 파라미터는 하나도 바뀌지 않습니다.
# %% [markdown] lang="en"
# Send the 300 sentences through the stack (about ten seconds). The LM head is not used. The stack stays
# **frozen**: from here on, not one of the model's parameters changes.
# %% id="vectors" tags=["C09"]
vectors = embeddings.sentence_vectors(model, tokenizer, sentences)
print(list(vectors.shape), any(parameter.requires_grad for parameter in model.parameters()))
# %% id="question-d"
accuracy_question = Question("2.d")
accuracy_question
# %% [markdown] lang="ko" question="2.d"
# 작은 헤드를 문장 200개로 훈련합니다. 헤드는 문장마다 벡터 하나만 보고, 모델 자체는 훈련하지 않습니다. 처음 보는
# 문장 100개 가운데 몇 개를 맞힐까요?
#
# - [ ] 50개쯤. 동전 던지기와 같다
#   - 벡터에 문장의 뜻이 들어 있지 않다면 그렇습니다. 그런데 임베딩만 보아도 뜻이 가까운 단어끼리 모여 있었습니다.
# - [ ] 70개쯤
#   - 동전보다는 낫다는 생각은 맞습니다. 그런데 다음 단어를 맞히려면 이 문장이 칭찬인지 불평인지를 얼마나 잘 알아야
#     할까요?
# - [x] 90개쯤
#
# 칭찬이 무엇인지 알려 준 사람은 없지만, 스택은 다음 토큰을 예측하도록 훈련하는 동안 칭찬과 불평을 구별하게
# 되었습니다. 헤드는 그것을 읽어 내기만 하면 됩니다.
# %% [markdown] lang="en" question="2.d"
# A small head is trained on 200 sentences, of each of which it sees one vector; the model itself is not trained.
# How many of 100 new sentences will it get right?
#
# - [ ] about 50, no better than a coin
#   - So it would be if the vectors held nothing of what a sentence means. But even in the embedding, words of
#     like meaning stood together.
# - [ ] about 70
#   - Better than a coin, indeed. But how well does one have to know whether a sentence praises or complains, in
#     order to predict its next word?
# - [x] about 90
#
# The stack was never told what praise is, but predicting the next token has taught it to tell praise from
# complaint. A head only has to read that off.
# %% id="question-d-answered" tags=["solution"]
accuracy_question.answer(3)
# %% [markdown] lang="ko"
# 헤드는 `[2, width]` 행렬 하나입니다. 점수 두 개를 내고, 소프트맥스를 거친 확률로 훈련합니다(로지스틱 회귀). 훈련
# 전(`before`)과 훈련 후(`after`)에 **처음 보는** 문장을 얼마나 맞히는지 봅니다. 아무것도 모르면 0.5쯤입니다.
# 마지막 수는 헤드의 파라미터 개수입니다.
# %% [markdown] lang="en"
# The head is one matrix, `[2, width]`: it gives two scores, and is trained on what a softmax makes of them
# (logistic regression). Look at its accuracy on sentences it has **never seen**, `before` and `after` training.
# Knowing nothing scores about 0.5. The last number counts the head's parameters.
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
# 열에 아홉을 맞힙니다. 훈련한 파라미터는 마지막에 출력된 1,152개가 전부입니다. 어떤 문장을 틀렸을까요? **혼동
# 행렬**의 행은 문장의 진짜 종류(`good`은 칭찬, `bad`는 불평), 열은 헤드의 답입니다. 그 아래는 틀린 문장 몇
# 개입니다. (계산 결과의 끝자리는 컴퓨터마다 달라서 한두 문장은 다르게 나올 수 있습니다.)
# %% [markdown] lang="en"
# Nine in ten, and all that was trained are the 1,152 parameters printed last. What does it get wrong? In the
# **confusion matrix** each row is what a sentence is (`good` for praise, `bad` for complaint), each column what
# the head says. Below are some of the sentences that it gets wrong. (The last digits differ between machines, so
# a sentence or two may, too.)
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
# 여기부터 정리까지는 더 알고 싶은 사람을 위한 것이니, 건너뛰어도 됩니다. `transformers`에는 스택과 헤드를 함께
# 묶은 클래스가 있습니다. 세 클래스를 `meta` 장치에 모양만 만들어 두고(메모리를 쓰지 않습니다), `setattr`로 그
# 안의 빈 스택을 우리 스택으로 바꿔 끼웁니다. 한 줄은 클래스, 헤드의 이름, 헤드의 모양입니다.
# %% [markdown] lang="en"
# ### The heads of `transformers`
#
# From here to the summary is for those who want to know more; you may skip it. `transformers` has classes that
# join a stack and a head. Three of them are made on the `meta` device, as shapes that take no memory, and
# `setattr` puts our stack in place of the empty one inside. A line is a class, the name of its head, and the
# head's shape.
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
# `AutoModelForCausalLM`은 지금까지 쓴 것입니다. 나머지 둘의 헤드 `score`에 방금 훈련한 헤드를 끼웁니다. 하나는
# **토큰마다**, 하나는 **글마다** 답합니다. 모양을 비교하세요. 글마다 답하는 쪽은 마지막 토큰의 답을 냅니다.
# %% [markdown] lang="en"
# `AutoModelForCausalLM` is what you have used so far. Put the head you trained into the other two, as their
# `score`. One answers for **each token**, the other for **each text**: compare the shapes. The answer for the
# text is the one at its last token.
# %% id="heads-at-work" tags=["C09"]
review = "The food looked lovely, but it tasted awful."
ids = tokenizer(review, return_tensors="pt").input_ids.to(model.device)
words = [tokenizer.decode(token_id) for token_id in ids[0]]
for kind, asked in ((AutoModelForTokenClassification, words), (AutoModelForSequenceClassification, [review])):
    other = with_heads[kind]
    other.score = copy.deepcopy(head).to(model.device, model.dtype)
    with torch.no_grad():
        scores = other(ids).logits
    answers = [("bad", "good")[answer] for answer in scores.argmax(-1).flatten()]
    print(list(scores.shape), [f"{text} → {answer}" for text, answer in zip(asked, answers)])
# %% [markdown] lang="ko"
# 토큰마다 답하는 쪽을 왼쪽부터 읽어 보세요. ` lovely`에서 `good`으로 바뀌었다가, ` but`에서 흔들리고,
# ` tasted`부터는 끝까지 `bad`입니다. 읽어 나갈수록 판정이 바뀝니다. 스택은 하나도 바뀌지 않았고, 바꿔 끼운 것은
# 헤드뿐입니다.
#
# ### 한국어를 아는 모델로
#
# 이 모델은 한국어를 거의 모릅니다. 같은 질문을 영어와 한국어로 합니다. 한 줄은 질문의 토큰 수, 질문, 모델의 답입니다.
# %% [markdown] lang="en"
# Read the answers for each token from the left: at ` lovely` the verdict turns `good`, at ` but` it wavers, and
# from ` tasted` on it is `bad` to the end. It changes as the sentence goes on. Nothing in the stack has changed;
# only the head was exchanged.
#
# ### A model that knows Korean
#
# This model hardly knows Korean. Ask it the same question in English and in Korean. A line is the number of tokens in the
# question, the question, and the model's answer.
# %% id="korean-question"
from utils.generation import generate

for question in ("What is the capital of France?", "프랑스의 수도는 어디인가요?"):
    chat = [{"role": "user", "content": question}]
    as_chat = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    answer = generate(model, tokenizer, as_chat, 60)
    print(len(tokenizer(question).input_ids), question, "→", answer)
# %% [markdown] lang="ko"
# 한국어 질문에는 질문을 그대로 되뇌기만 합니다. 한국어 글로 훈련한 모델이라면 다를 것입니다. 레슨 01–07의 노트북에는
# 허브에 있는 다른 모델도 넣을 수 있습니다. 이 노트북에서만 바꾸려면 맨 위의 `load_model()`에 이름을 넣고, 일곱 레슨
# 모두에서 바꾸려면 JupyterLab을 열 때 `COURSE_MODEL=Qwen/Qwen2.5-0.5B-Instruct make lab`이라고 하세요. 처음 한 번은
# 네트워크로 내려받습니다.
#
# | 허브의 이름 | 파라미터 | 사용 조건 |
# |---|---|---|
# | `naver-hyperclovax/HyperCLOVAX-SEED-Text-Instruct-0.5B` (네이버) | 6억 | 자체 라이선스 |
# | `kakaocorp/kanana-1.5-2.1b-instruct-2505` (카카오) | 21억 | Apache 2.0 |
# | `LGAI-EXAONE/EXAONE-4.0-1.2B` (LG) | 12억 | 자체 라이선스(비상업용) |
# | `Qwen/Qwen2.5-0.5B-Instruct` (여러 언어) | 5억 | Apache 2.0 |
# | `google/gemma-3-1b-it` (여러 언어) | 10억 | 자체 약관에 동의하고 로그인해야 함 |
#
# 이 모델들은 **여기서 실행해 보지 않았습니다.** 라이선스는 바뀌기도 하니 모델 페이지에서 확인하세요. 파라미터 하나에
# 대개 2바이트가 드니, 10억 개라면 메모리가 2GB 필요합니다. 구조가 다른 모델에서는 무엇을 할 수 없는지 말하고 멈추는
# 셀도 있습니다. 값을 찾는 연습 문제(3.8, 4.4, 6.4, 7.9–7.11)의 답은 기본 모델의 것입니다.
#
# 모델을 바꿨다면 이렇게 물어보세요.
#
# - 위의 질문에 한국어로 답하나요? 수도가 아니라 산수나 속담을 물으면?
# - *토크나이저*: “프랑스의 수도는”은 토큰 몇 개인가요? `Seoul`과 `서울`은?
# - *가까운 토큰*: ` 파리`나 ` 월요일`의 이웃은 어느 언어의 단어인가요?
# - 레슨 03: “프랑스의 수도는” 다음의 1등은 무엇인가요? 온도 1로 쓴 글은 끝까지 한국어인가요?
# - 레슨 04: *손실을 비교하려면*에서 두 글의 차이가 얼마나 줄어드나요?
#
# ## 정리
#
# - 글 → **토크나이저** → id → **임베딩** → 벡터 → **블록 스택** → 벡터 → **LM 헤드** → 로짓 → 확률.
# - 어휘사전에 없는 글자는 바이트로 쪼개집니다. 그래서 이 모델로 한국어를 다루면 비용이 많이 듭니다.
# - 임베딩은 행을 꺼내는 일, LM 헤드는 모든 행과 내적하는 일이고, 이 모델에서는 같은 행렬입니다.
# - LM 헤드는 점수(로짓)를 내고, 소프트맥스는 그것을 합이 1인 확률로 바꿉니다.
# - 같은 스택에 다른 헤드를 붙이면 다른 시스템이 됩니다.
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | 루프 말고는 토크나이저와 LM 헤드가 핵심이고, 그 사이에 블록의 스택이 있다 | *지도*와 *한 문장을 끝까지*. 노트에 없는 부품이 하나 더 있습니다. LM 헤드 앞의 정규화입니다 |
# | 토크나이저에는 어휘사전이 있고, 토큰마다 임베딩이 있다 | *토크나이저*와 *임베딩*. 표는 두 개입니다. 어휘사전은 토크나이저에, 임베딩은 모델에 있고, 둘을 잇는 것은 id입니다 |
# | LM 헤드는 스택의 출력을 다음 토큰의 확률로 바꾼다 | *LM 헤드: 벡터에서 다음 토큰으로*. **다릅니다:** LM 헤드가 내는 것은 로짓이고, 확률로 바꾸는 것은 소프트맥스입니다 |
# | 스택에는 다른 헤드도 붙일 수 있다 | *같은 스택, 다른 헤드* |
#
# **지금까지 만든 것:** 레슨 01의 루프에 더해, 레슨 08이 그대로 가져다 쓸 `embed`와 `lm_head`. 그리고 `softmax`,
# 이웃을 찾는 `nearest_tokens`, 크기를 재는 `parameter_share`, 다른 헤드를 위한 `pool_last_token`.
#
# **다음 레슨:** 확률은 나왔습니다. 그중 토큰 하나를 어떻게 고를까요? 레슨 03에서 고릅니다.
# %% [markdown] lang="en"
# It answers the Korean question by repeating it. A model trained on Korean should do better. The notebooks of
# lessons 01 to 07 take any model on the hub, by its name: for this notebook alone, put the name into
# `load_model()` at the top; for all of them, open JupyterLab with
# `COURSE_MODEL=Qwen/Qwen2.5-0.5B-Instruct make lab`. The first time, it is downloaded over the network.
#
# | name on the hub | parameters | terms of use |
# |---|---|---|
# | `naver-hyperclovax/HyperCLOVAX-SEED-Text-Instruct-0.5B` (Naver) | 0.6 billion | a licence of its own |
# | `kakaocorp/kanana-1.5-2.1b-instruct-2505` (Kakao) | 2.1 billion | Apache 2.0 |
# | `LGAI-EXAONE/EXAONE-4.0-1.2B` (LG) | 1.2 billion | a licence of its own (non-commercial) |
# | `Qwen/Qwen2.5-0.5B-Instruct` (many languages) | 0.5 billion | Apache 2.0 |
# | `google/gemma-3-1b-it` (many languages) | 1 billion | terms of its own, to accept and log in for |
#
# **None of these was run here.** Licences change, so read them on the model's page. A parameter mostly takes 2
# bytes, so a billion of them take 2 GB of memory. With a model that is built otherwise, some cells stop and say what they
# cannot do. Where an exercise asks you to find something (3.8, 4.4, 6.4, 7.9–7.11), the answer is that of the default
# model.
#
# With another model, ask again:
#
# - Does it answer the question above in Korean? And sums, or proverbs?
# - *The tokenizer*: how many tokens is “프랑스의 수도는”? And `Seoul`, and `서울`?
# - *Near tokens*: the neighbours of ` 파리` (Paris) or ` 월요일` (Monday), in which language are they?
# - Lesson 03: what is likeliest after “프랑스의 수도는”? Is a text at temperature 1 Korean to the end?
# - Lesson 04: in *Before you compare losses*, how much smaller is the difference between the two texts?
#
# ## What you know now
#
# - Text → **tokenizer** → ids → **embedding** → vectors → **stack of blocks** → vectors → **LM head** → logits → probabilities.
# - A character that is not in the vocabulary is spelt out in bytes. That makes Korean expensive with this model.
# - The embedding takes out a row, the LM head takes the dot product with every row; in this model it is the same
#   matrix.
# - The LM head gives scores, the logits; a softmax turns them into probabilities that sum to 1.
# - Another head on the same stack makes another system.
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | Besides the loop, tokenizer and LM head are what matters, with the stack of blocks in between | *The map* and *One sentence, all the way*. There is one part more than in the notes: the norm before the LM head |
# | The tokenizer has a vocabulary, and each token an embedding | *The tokenizer* and *The embedding*. These are two tables: the vocabulary belongs to the tokenizer, the embedding to the model, and ids link the two |
# | The LM head turns the stack's output into probabilities of the next token | *The LM head: from a vector to the next token*. **It differs:** the LM head gives logits, and it is softmax that makes probabilities of them |
# | Other heads can be put on the stack, too | *The same stack, another head* |
#
# **What you have built so far:** besides the loop of lesson 01, `embed` and `lm_head`, which lesson 08 uses as
# they are; and `softmax`, `nearest_tokens` to find neighbours, `parameter_share` to measure sizes,
# `pool_last_token` for another head.
#
# **Next lesson:** here are the probabilities. Which token is taken? Lesson 03 chooses one.
