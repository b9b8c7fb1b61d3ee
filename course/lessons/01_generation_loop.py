# %% [markdown] lang="ko"
# # 01 · 생성 루프: 한 번에 토큰 하나
#
# **이 레슨을 마치면** 훈련된 LLM이 글을 쓰는 과정을 한 단계씩 펼쳐 보이고, 그 루프를 직접 작성하고, 이런 모델을
# 왜 자기회귀 모델이라고 부르는지 설명할 수 있습니다.
#
# **60분** = 읽고 실행하기 25분 + 연습 문제 35분 · 노트의 첫 절 *훈련된 트랜스포머 LLM의 입력과 출력*에 해당합니다.
#
# 위에서 아래로 셀을 하나씩 실행하세요(`Shift`+`Enter`). 이 레슨의 출력은 모두 지금 이 컴퓨터에서 진짜 모델이
# 계산한 것입니다.
# %% [markdown] lang="en"
# # 01 · The generation loop: one token at a time
#
# **After this lesson you will be able to** lay open, step by step, how a trained LLM writes, write that
# loop yourself, and explain why such a model is called autoregressive.
#
# **60 minutes** = 25 to read and run + 35 for the exercises · It mirrors the notes' first section,
# *inputs and outputs of a trained transformer LLM*.
#
# Run the cells one by one, from the top (`Shift`+`Enter`). Every output of this lesson is computed by a real
# model, on this machine, right now.
# %% [markdown] lang="ko" lesson="01"
# 글을 쓰는 루프
#
# - C01 트랜스포머 LLM은 텍스트를 받아 텍스트로 답한다
# - C02 한 번에 토큰 하나씩 쓰고, 토큰마다 정방향 계산을 한 번 한다
# - C03 새 토큰은 프롬프트 끝에 붙고, 끝날 때까지 이것을 되풀이한다
# - C04 모델이 쓴 토큰이 다시 모델의 입력이 되므로 자기회귀 모델이라고 한다
# - C05 `max_new_tokens`는 글자가 아니라 토큰을 센다
# %% [markdown] lang="en" lesson="01"
# the loop that writes
#
# - C01 A transformer LLM takes text and answers with text
# - C02 It writes one token at a time; each token is one forward pass
# - C03 The new token is appended to the prompt, in a loop, until done
# - C04 Such a model is called autoregressive: what it writes becomes its own input
# - C05 `max_new_tokens` counts tokens, not characters
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

course_map("01")
# %% id="imports"
import torch
from transformers import pipeline

from course.exercise import Exercise, Question
from utils.explorers.generation import GenerationExplorer
from utils.generation import generate, generation_steps
from utils.model import load_model

# %% [markdown] lang="ko"
# ## 글이 들어가고, 글이 나온다
#
# 트랜스포머 LLM은 텍스트를 받아 텍스트를 내놓습니다. 먼저 모델을 불러옵니다. 기본 모델은 GPU가 없어도 되는 작은
# LLM, SmolLM2-135M-Instruct입니다. 작지만 진짜이고, 구조는 요즘의 큰 모델과 같습니다. `load_model`은
# `transformers`의 `AutoTokenizer.from_pretrained`와 `AutoModelForCausalLM.from_pretrained`를 대신 불러 줍니다. 이
# 셀은 모델의 클래스 이름과 파라미터의 개수를 출력합니다.
# %% [markdown] lang="en"
# ## Text goes in, text comes out
#
# A transformer LLM takes text and gives text back. First, load one. The default is SmolLM2-135M-Instruct, a small
# LLM that needs no GPU: small, but real, and built like the large ones of today. `load_model` calls
# `AutoTokenizer.from_pretrained` and `AutoModelForCausalLM.from_pretrained` of `transformers` for you. The cell
# prints the name of the model's class and the number of its parameters.
# %% id="load"
model, tokenizer = load_model()
print(type(model).__name__, f"{model.num_parameters():,}")
# %% [markdown] lang="ko"
# 노트에서는 `AutoModelForCausalLM.from_pretrained`를 직접 부릅니다. 인자는 넷입니다. **무엇을** 불러올지(허브의 이름,
# 또는 여기처럼 폴더), **어디에** 올릴지(`device_map`: `"cuda"`나 `"cpu"`), 파라미터를 **어떤 숫자 형식**으로 둘지(`dtype`,
# 예전 이름은 `torch_dtype`. `"auto"`는 저장된 그대로), 그리고 모델에 딸려 온 **남의 코드**를 실행해도 되는지
# (`trust_remote_code`)입니다. 출력은 장치, 숫자 형식, 그리고 위에서 불러온 모델(기본 모델이라면)과 임베딩이
# 같은지(`True`)입니다.
# %% [markdown] lang="en"
# The notes call `AutoModelForCausalLM.from_pretrained` themselves. It has four arguments: **what** to load (a name on
# the hub or, as here, a folder), **where** to put it (`device_map`: `"cuda"` or `"cpu"`), in which **number format** to
# keep the parameters (`dtype`, in former days `torch_dtype`; `"auto"` is the one they were saved in), and whether to run
# **code of others** that comes with a model (`trust_remote_code`). The cell prints the device, the number format, and
# whether the embedding is that of the model loaded above, if that was the default one (`True`).
# %% id="from-pretrained" tags=["C01"]
from transformers import AutoModelForCausalLM
from utils.model_store import prepare_model, quiet_transformers

folder = prepare_model()
with quiet_transformers():  # no progress bar
    again = AutoModelForCausalLM.from_pretrained(
        folder, device_map="cpu", dtype="auto", trust_remote_code=False
    )
embeddings = [some.get_input_embeddings().weight.cpu() for some in (model, again)]
print(again.device, again.dtype, torch.equal(*embeddings))
# %% [markdown] lang="ko"
# 이제 `transformers`의 `pipeline`에 맡겨 봅니다. 글의 길이는 **50**까지로 하고(`max_new_tokens`), 갈림길마다 확률이
# 가장 높은 쪽을 고르게 합니다(`do_sample=False`). 프롬프트는 빼고 새로 쓴 글만 돌려받습니다(`return_full_text=False`).
# 시킨 대로 썼는지 읽어 보세요.
#
# GPU가 있다면 위 셀을 `load_model("phi-3-mini")`로 바꾸기만 하면 됩니다. 노트에서 쓴 모델(38억 파라미터의
# Phi-3-mini)로도 아래 셀이 그대로 실행됩니다.
# %% [markdown] lang="en"
# Now hand it to the `pipeline` of `transformers`. The text may be up to **50** long (`max_new_tokens`); wherever
# there is a choice, the likeliest is taken (`do_sample=False`); and the new text comes back without the prompt
# (`return_full_text=False`). Read the result: is it what was asked for?
#
# With a GPU, change the cell above to `load_model("phi-3-mini")`, and the cells below run with the model of the
# notes, Phi-3-mini with its 3.8 billion parameters.
# %% id="pipeline" tags=["C01", "slide"]
generator = pipeline(
    "text-generation",
    model=model,
    tokenizer=tokenizer,
    return_full_text=False,
    max_new_tokens=50,
    do_sample=False,
)
email = "Write an email apologizing to Sarah for the tragic gardening mishap. Explain how it happened."
output = generator(email)[0]["generated_text"]
print(output)
# %% [markdown] lang="ko"
# 시킨 대로는 아닙니다. 남의 메일을 소개하듯 `The email is:`로 시작하더니, 사과 한마디 없이 중간에서 뚝 끊깁니다.
# 끊긴 것은 50이라는 한도에 걸렸기 때문입니다. 무엇이 50개인지는 잠시 뒤에 세어 봅니다. 그럼 시킨 대로 하지 않은
# 것은 왜일까요?
#
# ### 이어 쓰기와 대답하기
#
# 방금 모델은 우리에게 *대답*한 것이 아니라 주어진 글을 *이어서* 썼습니다. LLM이 할 줄 아는 일은 그것 하나입니다.
# 대화가 되게 하는 것은 **대화 템플릿**입니다. 질문을 "사용자가 이렇게 말했다. 이제 도우미가 말한다."라는 형식의
# 글로 감싸면, 그 글을 이어 쓰는 것이 곧 대답이 됩니다. 차례의 시작과 끝은 `<|im_start|>`와 `<|im_end|>`라는
# **특수 토큰**이 나타냅니다.
# %% [markdown] lang="en"
# Not quite. It starts with `The email is:`, as if it were showing somebody else's email, gets to no apology, and
# breaks off in the middle. It breaks off because it ran into its limit of 50; fifty *what*, you will count in a
# moment. But why did it not do as it was told?
#
# ### To continue, or to answer
#
# The model did not *answer* just now; it *continued* the text it was given, and that is the one thing an LLM
# can do. What makes it a conversation is the **chat template**: it wraps a question in a text of the form "the
# user said this, now the assistant speaks", so that continuing the text amounts to answering. The **special
# tokens** `<|im_start|>` and `<|im_end|>` mark where a turn begins and ends.
# %% id="template" tags=["slide"]
question = "What is the capital of France?"
as_chat = tokenizer.apply_chat_template(
    [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
)
print(as_chat)
# %% [markdown] lang="ko"
# 같은 질문을 한 번은 그대로, 한 번은 템플릿에 넣어서 줍니다. 그대로 주면 모델은 곧바로 끝 토큰을 내고 멈춥니다.
# 질문 다음에는 "사용자의 말이 끝났다"는 표시, 곧 끝 토큰이 올 확률이 가장 높았기 때문입니다.
# %% [markdown] lang="en"
# The same question, once as it is and once in the template. As it is, the model writes its end token at once and
# stops: what most likely follows a question is the mark that the user's turn is over, the end token.
# %% id="raw-and-chat" tags=["slide"]
for prompt in (question, as_chat):
    steps = list(generation_steps(model, tokenizer, prompt, 20))
    print([step.token for step in steps])
# %% [markdown] lang="ko"
# ## 모델은 몇 번 계산할까
#
# 앞의 메일로 돌아갑니다. 그만큼을 쓰는 동안 모델을 몇 번 실행했을까요? 답을 보기 전에 먼저 예상해 보세요.
# %% [markdown] lang="en"
# ## How often does the model run?
#
# Back to the email. To write that much, how often did the model have to run? Guess before you look.
# %% id="question-a"
passes_question = Question("1.a")
passes_question
# %% [markdown] lang="ko" question="1.a"
# 모델이 `max_new_tokens=50`으로 메일의 첫머리를 썼습니다. 입력층부터 출력층까지 모델 전체를 몇 번 계산했을까요?
#
# - [ ] 한 번
#   - 그러려면 글 전체가 한 번에 나와야 합니다. 모델이 한 번 계산해서 내놓는 것은 바로 다음에 올 한 조각의 후보입니다.
# - [x] 50번
# - [ ] 단어마다 한 번
#   - 이 글의 단어는 38개이니 38번이 됩니다. 그런데 문장 부호와 줄바꿈도 모델이 썼습니다. 아래에서 횟수를 세어
#     보세요.
# - [ ] 글자마다 한 번
#   - 이 글의 글자는 223개이니 223번이 됩니다. 흔한 단어도 한 글자씩 따로 써야 할까요? 아래에서 횟수를 세어
#     보세요.
#
# 모델은 글을 통째로 쓰지 않고 한 조각(토큰)씩 씁니다. 정방향 계산 한 번에 토큰 하나가 나오고, 한도인 50에서
# 멈췄습니다.
# %% [markdown] lang="en" question="1.a"
# With `max_new_tokens=50` the model wrote the beginning of an email. How often was the whole model computed, from
# input to output?
#
# - [ ] once
#   - For that the whole text would have to come out at once. What one run of the model gives are candidates for
#     the one piece that comes next.
# - [x] 50 times
# - [ ] once for every word
#   - This text has 38 words, so that would be 38 times. But the punctuation and the line breaks were written by
#     the model, too. Count the runs below.
# - [ ] once for every letter
#   - This text has 223 characters, so that would be 223 times. Does a common word have to be written letter by
#     letter? Count the runs below.
#
# The model does not write a text as a whole but piece by piece, in tokens. One forward pass gives one token, and it
# stopped at its limit of 50.
# %% id="question-a-answered" tags=["solution"]
passes_question.answer(2)
# %% [markdown] lang="ko"
# 훅(모델이 실행될 때마다 호출되는 함수)을 걸어 횟수를 세어 봅니다. 입력에서 출력까지 모델을 한 번 통과하는 것을
# **정방향 계산**이라고 합니다. 출력된 수가 그 횟수입니다.
# %% [markdown] lang="en"
# Count it with a hook, a function that is called each time the model runs. One run through the model, from input
# to output, is a **forward pass**. The number printed is how many there were.
# %% id="count-passes" tags=["C02", "slide"]
passes = []
hook = model.register_forward_hook(lambda *_: passes.append(1))
ids = tokenizer(email, return_tensors="pt").to(model.device)
written = model.generate(**ids, max_new_tokens=50, do_sample=False)
hook.remove()
new_ids = written[0, ids.input_ids.shape[1] :]
print(f"{len(passes)=}")
# %% [markdown] lang="ko"
# ## 50은 무엇을 센 것일까
#
# 모델은 글을 한 조각씩 쓰고, 그때마다 정방향 계산을 한 번 합니다. 앞의 글은
# `max_new_tokens=50`이라는 한도에 걸려 끊겼습니다. 나온 글의 길이는 얼마일까요?
# %% [markdown] lang="en"
# ## Fifty of what?
#
# The model writes piece by piece, with one forward pass for each. And the text broke off at `max_new_tokens=50`. So
# how long is it?
# %% id="question-b"
length_question = Question("1.b")
length_question
# %% [markdown] lang="ko" question="1.b"
# 글이 `max_new_tokens=50`에 이르러 멈췄습니다. 나온 글의 길이는 얼마일까요?
#
# - [ ] 글자 50개
#   - 위에 나온 글에서 `Subject`가 있는 줄까지만 세어 보세요. 그다음 줄을 조금만 읽어도 50자가 넘습니다.
# - [ ] 단어 50개
#   - 위에 나온 글의 단어를 세어 보세요. 50개가 안 됩니다. 모델은 단어 말고도 문장 부호와 줄바꿈을 썼습니다.
# - [x] 토큰 50개, 글자로는 보통 훨씬 많다
#
# 토큰은 글의 조각입니다. 단어이기도, 단어의 일부이기도, 줄바꿈이기도 합니다. 영어에서는 토큰 하나가 대략 네
# 글자입니다.
# %% [markdown] lang="en" question="1.b"
# The text stopped when `max_new_tokens=50` was reached. How long is it?
#
# - [ ] 50 characters
#   - Count the characters in the text above, up to the line with `Subject`. A few words into the next line you
#     are past 50.
# - [ ] 50 words
#   - Count the words in the text above: there are fewer than 50. The model also wrote punctuation and line
#     breaks.
# - [x] 50 tokens, and usually far more characters
#
# A token is a piece of text: a word, a part of one, a line break. In English it holds about four
# characters.
# %% id="question-b-answered" tags=["solution"]
length_question.answer(3)
# %% [markdown] lang="ko"
# 세어 봅시다. 첫 줄은 글자(`characters`), 공백으로 나눈 단어(`words`), 토큰(`tokens`)의 개수이고, 그 아래는 처음 열두
# 토큰입니다. 줄바꿈과 문장 부호도 토큰이고, 단어 앞의 공백은 그 단어의 토큰에 들어 있습니다.
# %% [markdown] lang="en"
# Count `characters`, `words` (split at spaces) and `tokens`; below them are the first twelve tokens. Line breaks
# and punctuation are tokens too, and the space before a word belongs to the word's token.
# %% id="characters-and-tokens" tags=["C05", "slide"]
text = tokenizer.decode(new_ids)
characters, words, tokens = len(text), len(text.split()), len(new_ids)
print(f"{characters=} {words=} {tokens=}")
print([tokenizer.decode(i) for i in new_ids[:12]])
# %% [markdown] lang="ko"
# 50은 **토큰**의 개수입니다. `max_new_tokens=50`이면 50자까지만 나온다고 여기기 쉽고 노트에도 그렇게 적혀 있지만, 이
# 글은 223자입니다.
#
# ## 루프를 펼쳐 보기
#
# 이제 한 단계씩 봅니다. 왼쪽은 모델에 들어간 글, 오른쪽은 모델이 고른 토큰입니다. 오른쪽 토큰이 다음 줄의
# 왼쪽 끝에 붙는 것을 확인하세요.
# %% [markdown] lang="en"
# It is **tokens** that are counted. One easily takes `max_new_tokens=50` for a limit of 50 characters, as the notes
# do; this text has 223.
#
# ## The loop, laid open
#
# Now one step at a time. On the left is the text that goes into the model, on the right the token it picks.
# See how each token on the right turns up at the end of the next line on the left.
# %% id="growing-prompt" tags=["C03", "slide"]
for step in generation_steps(model, tokenizer, "The capital of France is", 6):
    print(repr(tokenizer.decode(step.input_ids[0])), "→", repr(step.token))
# %% [markdown] lang="ko"
# 이것이 전부입니다. 모델을 실행하고, 토큰 하나를 고르고, 끝에 붙이고, 다시 실행합니다. 이제 이 루프의 부품을 직접
# 만들어 봅니다. 통과한 코드는 `my_llm.py`에 모이고, 레슨 08에서는 내가 조립한 모델로 이 루프를 다시 실행합니다.
#
# ### 연습 1.1 · 다음 토큰의 id
#
# `model(input_ids).logits`의 모양은 `[1, position, vocab]`입니다. 위치마다, 그 위치 *다음에* 무엇이 올지에
# 대한 점수(로짓)가 어휘사전의 토큰마다 하나씩 들어 있습니다. 마지막 위치에서 점수가 가장 높은 토큰의 id를
# `int`로 돌려주세요.
# %% [markdown] lang="en"
# That is all: run the model, pick a token, append it, run again. Now build the parts of this loop yourself. What
# passes is collected in `my_llm.py`; in lesson 08 the loop runs again, around a model of your own making.
#
# ### Exercise 1.1 · The next token's id
#
# `model(input_ids).logits` has the shape `[1, position, vocab]`: at each position, one score (a logit) for
# each token of the vocabulary, for what comes *after* that position. Return the id of the token with the
# highest score at the last position, as an `int`.
# %% id="ex-1-1"
def next_token_id(model, input_ids):
    """확률이 가장 높은 다음 토큰의 id(int).  input_ids: [1, position]."""
    """Return the id (int) of the likeliest next token.  input_ids: [1, position]."""
    # BEGIN SOLUTION
    logits = model(input_ids).logits
    return logits[0, -1].argmax().item()
    # END SOLUTION


# %% id="check-1-1" kind="implement" difficulty=1 minutes=5
Exercise("1.1").check(next_token_id)
# %% [markdown] lang="ko" hints="1.1"
# 1. 로짓은 세 축으로 되어 있습니다. 그중 배치는 0번 하나뿐이고, 위치는 하나만 필요합니다. 어느 위치일까요?
# 2. 글 다음에 올 토큰은 마지막 위치만 알려 줍니다. `[0, -1]`로 꺼내세요.
# 3. 그 `[vocab]` 점수에 `argmax(-1)`을 하면 숫자 하나짜리 텐서가 나옵니다. `.item()`이 그것을 int로
#    만듭니다.
# %% [markdown] lang="en" hints="1.1"
# 1. The logits have three axes. There is only one text in the batch, number 0, and you need only one position.
#    Which?
# 2. Only the last position tells what comes after the text: index it with `[0, -1]`.
# 3. `argmax(-1)` of those `[vocab]` scores is a tensor with one number; `.item()` makes it an int.
# %% [markdown] lang="ko"
# ### 연습 1.2 · 토큰 붙이기
#
# `input_ids`의 끝에 `token_id`를 붙인 새 텐서를 돌려주세요. 받은 텐서는 그대로 두어야 합니다.
# %% [markdown] lang="en"
# ### Exercise 1.2 · Append a token
#
# Return a new tensor: `input_ids` with `token_id` at its end. Leave the tensor you are given as it is.
# %% id="ex-1-2"
def append_token(input_ids, token_id):
    """input_ids(int64 [1, position]) 끝에 token_id(int)를 붙인 [1, position + 1]."""
    """Return [1, position + 1]: input_ids, int64 [1, position], with token_id (int) at the end."""
    # BEGIN SOLUTION
    return torch.cat([input_ids, input_ids.new_tensor([[token_id]])], dim=1)
    # END SOLUTION


# %% id="check-1-2" kind="implement" difficulty=1 minutes=5
Exercise("1.2").check(append_token)
# %% [markdown] lang="ko" hints="1.2"
# 1. 결과의 모양은 `[1, position + 1]`입니다. 위치가 하나 늘고 배치 축은 그대로입니다.
# 2. 먼저 `[[token_id]]`로 텐서를 만드세요. 모양은 `[1, 1]`입니다.
# 3. `torch.cat([a, b], dim=1)`은 두 텐서를 위치 축으로 이어 붙입니다.
# %% [markdown] lang="en" hints="1.2"
# 1. The result has the shape `[1, position + 1]`: one position more, the same batch axis.
# 2. Make a tensor `[[token_id]]` first; it has the shape `[1, 1]`.
# 3. `torch.cat([a, b], dim=1)` joins two tensors along the position axis.
# %% [markdown] lang="ko"
# ### 연습 1.3 · 루프 전체
#
# 두 함수로 루프를 만드세요. 끝 토큰(`tokenizer.eos_token_id`)이 나오면 멈추고, 아니면 토큰을 `max_new_tokens`개
# 쓴 뒤 멈춥니다. 프롬프트와 끝 토큰을 뺀, **새로 쓴 글만** 돌려주세요.
# %% [markdown] lang="en"
# ### Exercise 1.3 · The whole loop
#
# Make the loop from your two functions. It stops at the end token (`tokenizer.eos_token_id`), and otherwise
# after `max_new_tokens` tokens. Return **only the new text**, without the prompt and without the end token.
# %% id="ex-1-3"
def generate_greedy(model, tokenizer, prompt, max_new_tokens):
    """매번 확률이 가장 높은 토큰을 골라, 모델이 prompt 다음에 쓴 글(str)."""
    """Return the text (str) that the model writes after prompt, the likeliest token each time."""
    # BEGIN SOLUTION
    input_ids = tokenizer(prompt, return_tensors="pt").input_ids.to(model.device)
    prompt_length = input_ids.shape[1]
    for _ in range(max_new_tokens):
        token_id = next_token_id(model, input_ids)
        if token_id == tokenizer.eos_token_id:
            break
        input_ids = append_token(input_ids, token_id)
    return tokenizer.decode(input_ids[0, prompt_length:], skip_special_tokens=True)
    # END SOLUTION


# %% id="check-1-3" kind="implement" difficulty=2 minutes=15
Exercise("1.3").check(generate_greedy)
# %% [markdown] lang="ko" hints="1.3"
# 1. `tokenizer(prompt, return_tensors='pt').input_ids`로 시작해서 `for` 루프를 만드세요.
# 2. 루프 안에서 `next_token_id`를 구하고, 그것이 `tokenizer.eos_token_id`이면 멈추고, 아니면
#    `append_token`으로 붙입니다.
# 3. 새 id는 `input_ids[0, n:]`입니다(`n`은 프롬프트의 길이). `skip_special_tokens=True`로 한꺼번에
#    디코딩하세요.
# %% [markdown] lang="en" hints="1.3"
# 1. Start with `tokenizer(prompt, return_tensors='pt').input_ids`, then a `for` loop.
# 2. In the loop: `next_token_id`, then stop if it is `tokenizer.eos_token_id`, else `append_token`.
# 3. The new ids are `input_ids[0, n:]`, where `n` is the prompt's length; decode them together with
#    `skip_special_tokens=True`.
# %% [markdown] lang="ko"
# 강좌의 `generate`도 같은 루프입니다. `transformers`의 `generate(do_sample=False)`와 글이 똑같은지 프롬프트 두
# 개로 확인합니다. 줄 끝의 숫자는 토큰의 개수입니다. 첫 글은 `max_new_tokens`에서 멈추고, 둘째 글은 끝 토큰에서
# 스스로 멈춥니다.
# %% [markdown] lang="en"
# The course's own `generate` is this same loop. Does it write exactly what `generate(do_sample=False)` of
# `transformers` writes? Try two prompts; the number at the end of a line counts the tokens. The first text stops
# at `max_new_tokens`, the second ends by itself, at the end token.
# %% id="equals-generate" tags=["C03", "slide"]
for prompt in ("Once upon a time", as_chat):
    ours = generate(model, tokenizer, prompt, 16)
    theirs = generator(prompt, max_new_tokens=16)[0]["generated_text"]
    print(ours == theirs, repr(ours[:60]), len(tokenizer(ours).input_ids))
# %% [markdown] lang="ko"
# ## 직접 한 토큰씩
#
# 아래 탐색기에서 **토큰 하나**를 누를 때마다 정방향 계산이 한 번 일어납니다. 막대는 그때 확률이 가장 높았던 후보
# 다섯 개입니다. 다른 후보의 막대를 누르거나 *대신 고르기*에서 고르면 글은 거기서부터 이어집니다. 프롬프트도 마음대로 바꿔 보세요.
# **토큰 열 개**를 몇 번 눌러 글이 수십 토큰으로 늘었을 때, 한 번 계산하는 시간이 처음과 어떻게 다른지도 보세요.
# %% [markdown] lang="en"
# ## Step by step, by hand
#
# In this explorer each press of **one token** is one forward pass. The bars are the five candidates that were
# likeliest at that moment. Click another one, or pick it under *choose instead*, and the text goes on from there.
# Write a prompt of your own. Press **ten tokens** a few times, until the text has dozens of them: how does the time of a
# pass compare with the first ones?
# %% id="explorer"
explorer = GenerationExplorer(model, tokenizer, "The capital of France is")
explorer
# %% id="explorer-driven" tags=["solution", "slide"]
explorer.press("one_token", times=3)
# %% id="explorer-instead" tags=["solution", "slide"]
explorer.press("restart").press("one_token")
other = tokenizer(" the").input_ids[-1]
explorer.pick(instead=other).press("ten_tokens")
# %% [markdown] lang="ko"
# ### 연습 1.4 · 스스로 끝나는 글
#
# 어떤 글은 50토큰에 이르기 전에 끝 토큰이 나와 스스로 끝납니다. 탐색기로 그런 프롬프트를 하나 찾으세요. 대화
# 템플릿은 켜도 되고 꺼도 됩니다. 한 글자도 쓰지 않고 끝나는 것은 세지 않습니다.
# %% [markdown] lang="en"
# ### Exercise 1.4 · A text that ends by itself
#
# Some texts end by themselves, with an end token, before they reach 50 tokens. With the explorer, find a prompt
# for which that happens, with the chat template on or off. A text that ends before anything is written does not
# count.
# %% id="ex-1-4"
my_prompt = "What is the capital of France?"  # SOLUTION
# %% id="check-1-4" kind="find" difficulty=1 minutes=10
Exercise("1.4").check(my_prompt)
# %% [markdown] lang="ko" hints="1.4"
# 1. 짧은 대답은 금방 끝납니다. 몇 단어로 답할 수 있는 질문은 무엇일까요?
# 2. 탐색기에서 대화 템플릿을 켜 보세요. 그러면 모델이 글을 이어 쓰지 않고 대답합니다.
# 3. 어느 나라의 수도 같은 사실을 묻고, 글이 끝날 때까지 *토큰 열 개*를 누르세요.
# %% [markdown] lang="en" hints="1.4"
# 1. Short answers end soon. What could you ask that takes only a few words to answer?
# 2. Switch the chat template on in the explorer: the model then answers instead of going on.
# 3. Ask for a fact, such as the capital of a country, and press *ten tokens* until it ends.
# %% [markdown] lang="ko"
# ## 자기회귀
#
# 모델이 쓴 토큰은 다시 모델의 입력이 됩니다. 이렇게 자기 출력을 이어받아 쓰는 모델을 **자기회귀 모델**이라고
# 합니다. 앞에 쓴 글에 따라 다음에 쓸 것이 달라집니다. 그럼 반대 방향은 어떨까요? 뒤쪽 단어를 바꾸면 앞쪽의 예측도
# 달라질까요?
# %% [markdown] lang="en"
# ## Autoregressive
#
# What the model writes becomes its own input. A model that goes on from its own output in this way is called
# **autoregressive**: what it writes next comes from what it wrote before. And the other direction? If you change
# a word late in the text, do earlier predictions change?
# %% id="question-c"
direction_question = Question("1.c")
direction_question
# %% [markdown] lang="ko" question="1.c"
# 글 뒤쪽의 단어 하나를 바꿉니다. 어느 위치의 예측이 달라질 수 있을까요?
#
# - [ ] 모든 위치
#   - 모델이 앞쪽의 예측을 할 때 뒤쪽 단어를 읽었을까요? 루프를 떠올려 보세요. 앞의 예측을 할 때 그 단어는 아직
#     없었습니다.
# - [x] 바뀐 단어와 그 뒤만
# - [ ] 바뀐 단어의 앞만
#   - `She put the cat`과 `She put the money` 다음에 같은 말이 이어질까요? 바뀐 단어를 읽고서
#     하는 예측은 어느 쪽인가요?
#
# 예측은 그 위치까지의 글로만 만들어집니다. 거꾸로 흐르는 것이 없으므로, 앞에서 한 예측은 마지막 비트까지
# 그대로입니다.
# %% [markdown] lang="en" question="1.c"
# You change one word late in the text. Which predictions can change?
#
# - [ ] all of them
#   - When the model made an early prediction, had it read the later word? Think of the loop: at that time the
#     word was not there yet.
# - [x] only those at the changed word and after it
# - [ ] only those before it
#   - Would you go on in the same way after `She put the cat` and `She put the money`? Which predictions are
#     made having read the changed word?
#
# A prediction is made only from the text up to that position. Nothing flows backwards, so the earlier predictions
# stay as they were, to the last bit.
# %% id="question-c-answered" tags=["solution"]
direction_question.answer(2)
# %% [markdown] lang="ko"
# 모델은 위치마다 다음 토큰을 예측합니다. 토큰 하나(` cat` → ` money`)만 다른 두 글을 넣어 비교합니다. 한 줄은 위치
# 하나이고, 차례로 둘째 글의 토큰, 두 글에서 1등인 토큰, 모든 로짓이 같은지(`True`) 다른지(`False`)입니다.
# %% [markdown] lang="en"
# The model predicts a next token at every position. Compare two texts that differ in one token (` cat` → ` money`).
# A line is a position: the second text's token, the top prediction in either text, and whether all the logits are
# the same (`True`) or not (`False`).
# %% id="change-one-token" tags=["C04", "slide"]
one = tokenizer("She put the cat in the", return_tensors="pt").input_ids.to(model.device)
two = tokenizer("She put the money in the", return_tensors="pt").input_ids.to(model.device)
with torch.no_grad():
    logits_one, logits_two = model(one).logits[0], model(two).logits[0]
for token, a, b in zip(two[0], logits_one, logits_two):
    tops = [tokenizer.decode(logits.argmax()) for logits in (a, b)]
    print(f"{tokenizer.decode(token)!r:10} {tops!s:30} {torch.equal(a, b)}")
# %% [markdown] lang="ko"
# 앞 위치의 로짓은 그대로이고, 바뀐 토큰부터 로짓이 달라집니다. 여기서는 1등 토큰도 모두 바뀌었습니다. 고양이는
# 우리(` cage`)에, 돈은 은행(` bank`)에 넣습니다.
#
# 다른 종류의 모델도 있습니다. BERT 같은 **표현 모델**은 글을 양방향으로 읽습니다. 그래서 글을 이어 쓸 수는
# 없지만, 글 전체를 벡터로 나타내는 데 좋습니다. 무작위 가중치로 만든 아주 작은 BERT에서 마지막 토큰을 바꾸면
# **모든** 위치의 출력이 달라집니다(`False`).
# %% [markdown] lang="en"
# The logits before it stay as they were, and from the changed token on they differ. Here all the top tokens
# changed, too: the cat goes into a ` cage`, the money into a ` bank`.
#
# There are other kinds of models. A **representation model** such as BERT reads in both directions: it cannot
# continue a text, but is good at turning a whole text into vectors. Change the last token for a tiny BERT with
# random weights, and the output at **every** position changes (`False`).
# %% id="representation-model" tags=["C04", "slide"]
from transformers import BertConfig, BertModel

torch.manual_seed(0)
sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 100}
bert = BertModel(BertConfig(**sizes, intermediate_size=64)).eval()
before = bert(torch.tensor([[11, 12, 13, 14, 15]])).last_hidden_state[0]
after = bert(torch.tensor([[11, 12, 13, 14, 99]])).last_hidden_state[0]
print([torch.equal(a, b) for a, b in zip(before, after)])
# %% [markdown] lang="ko"
# ## 정리
#
# - LLM은 텍스트를 받아 **이어 쓰고**, 대화 템플릿은 이어 쓰기를 대답으로 만듭니다.
# - 토큰 하나에 정방향 계산을 한 번 합니다. 새 토큰은 프롬프트 끝에 붙어 다음 입력이 됩니다.
# - 끝 토큰이 나오거나 `max_new_tokens`에 이르면 멈춥니다. 이 한도는 글자가 아니라 토큰을 셉니다.
# - 모델이 쓴 토큰이 다시 모델의 입력이 됩니다. 그래서 자기회귀 모델이라고 부릅니다. 뒤의 토큰은 앞의 예측을
#   바꾸지 못합니다(레슨 04).
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | 텍스트를 넣으면 텍스트로 응답한다 | *글이 들어가고, 글이 나온다*. 모델은 이어 쓸 뿐이고, 그것을 응답으로 만드는 것은 대화 템플릿입니다 |
# | 한 번에 토큰 하나, 토큰마다 정방향 계산 한 번 | *모델은 몇 번 계산할까* |
# | 나온 토큰을 프롬프트 끝에 붙여 되풀이한다 | *루프를 펼쳐 보기*와 연습 1.3 |
# | 그래서 자기회귀 모델이라고 부른다 | *자기회귀*. 뒤의 토큰이 앞의 예측을 바꾸지 못한다는 것은 또 다른 성질이고, BERT에는 그것이 없습니다 |
# | 모델과 토크나이저를 불러오는 코드 | *글이 들어가고, 글이 나온다*. 노트의 `torch_dtype`은 이제 `dtype`입니다 |
# | `max_new_tokens=50`이면 50자까지 나온다 | *50은 무엇을 센 것일까*. **다릅니다:** 토큰 50개이고, 이 글은 223자입니다 |
#
# **지금까지 만든 것:** `next_token_id`, `append_token`, `generate_greedy`. 글을 쓰는 루프 전체입니다.
#
# **다음 레슨:** 정방향 계산 한 번 안에서는 무슨 일이 일어날까요? 레슨 02에서 모델의 부품을 하나씩 꺼내 봅니다.
# %% [markdown] lang="en"
# ## What you know now
#
# - An LLM takes text and **continues** it; the chat template makes continuing into answering.
# - One token takes one forward pass. The new token is appended to the prompt and is input from then on.
# - It stops at the end token, or at `max_new_tokens`, a limit that counts tokens and not characters.
# - What the model writes becomes its own input; hence the name autoregressive. A later token cannot change an
#   earlier prediction (lesson 04).
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | Text goes in, and it responds with text | *Text goes in, text comes out*. The model only continues; the chat template makes a response of that |
# | One token at a time, each in one forward pass | *How often does the model run?* |
# | The token is appended to the prompt, again and again | *The loop, laid open* and exercise 1.3 |
# | Such a model is therefore called autoregressive | *Autoregressive*. That later tokens cannot change earlier predictions is another property, which BERT lacks |
# | The code that loads model and tokenizer | *Text goes in, text comes out*. What the notes call `torch_dtype` is now `dtype` |
# | With `max_new_tokens=50`, up to 50 characters come out | *Fifty of what?* **It differs:** it is 50 tokens, and this text has 223 characters |
#
# **What you have built so far:** `next_token_id`, `append_token`, `generate_greedy`: the whole loop that writes.
#
# **Next lesson:** what happens inside one forward pass? Lesson 02 takes out the model's parts, one by one.
