# %% [markdown] lang="ko"
# # 03 · 디코딩: 확률 분포에서 토큰 하나 고르기
#
# **이 레슨을 마치면** 모델이 내놓은 확률 분포를 읽고, 탐욕적 검색·온도·top-k·top-p·min-p를 직접 작성하고,
# 같은 모델이 설정에 따라 왜 다른 글을 쓰는지 보여 줄 수 있습니다.
#
# **90분** = 읽고 실행하기 30분 + 연습 문제 60분 · 노트의 *확률 분포로부터 하나의 토큰 선택(샘플링/디코딩)* 절에
# 해당합니다.
# %% [markdown] lang="en"
# # 03 · Decoding: one token out of a distribution
#
# **After this lesson you will be able to** read the distribution that a model gives, write greedy search,
# temperature, top-k, top-p and min-p yourself, and show why one model writes different texts under different
# settings.
#
# **90 minutes** = 30 to read and run + 60 for the exercises · It mirrors the notes' section *choosing one token
# from the probability distribution (sampling/decoding)*.
# %% [markdown] lang="ko" lesson="03"
# 샘플러
#
# - C10 마지막 단계는 모든 토큰에 확률을 준다. 그중 하나를 고르는 방법이 디코딩 전략이다
# - C11 늘 1등 토큰만 고르면 글이 되풀이되기 쉽고, 약간의 무작위성이 도움이 된다
# - C12 탐욕적 검색, 그리고 온도 0이 뜻하는 것
# - C13 프롬프트에서 ' Paris'까지 한 줄씩: 토크나이저, model.model, lm_head, argmax
# - C14 온도, top-k, top-p, min-p
# %% [markdown] lang="en" lesson="03"
# the sampler
#
# - C10 The last stage gives every token a probability; choosing one is the decoding strategy
# - C11 Always taking the top token tends to repeat; some randomness helps
# - C12 Greedy search, and what a temperature of 0 stands for
# - C13 From prompt to ' Paris', line by line: tokenizer, model.model, lm_head, argmax
# - C14 Temperature, top-k, top-p and min-p
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

course_map("03")
# %% id="imports"
import torch

from course.exercise import Exercise, Question
from utils import decoding
from utils.explorers.decoding import DecodingExplorer
from utils.generation import generation_steps
from utils.model import load_model

model, tokenizer = load_model()
# %% [markdown] lang="ko"
# ## 프롬프트에서 ` Paris`까지
#
# 프롬프트에서 다음 토큰까지를 한 줄씩 실행합니다(노트에 있는 코드 그대로입니다). 출력된 텐서의 모양을 보세요.
# 토큰 5개가 들어가서, 위치마다 벡터가 하나씩 나오고, LM 헤드는 벡터마다 어휘사전의 토큰 하나하나에 점수를
# 매깁니다. 이 점수가 **로짓**입니다.
# %% [markdown] lang="en"
# ## From the prompt to ` Paris`
#
# Go from the prompt to the next token line by line (this is the code in the notes), and look at the shapes of the
# tensors. Five tokens go in, one vector comes out at each position, and for each vector the LM head gives every
# token of the vocabulary a score. These scores are the **logits**.
# %% id="to-hidden-states" tags=["C13", "slide"]
prompt = "The capital of France is"
input_ids = tokenizer(prompt, return_tensors="pt").input_ids.to(model.device)
model_output = model.model(input_ids)
lm_head_output = model.lm_head(model_output[0])
for tensor in (input_ids, model_output[0], lm_head_output):
    print(list(tensor.shape))
# %% [markdown] lang="ko"
# 다음 토큰을 알려 주는 것은 마지막 위치의 로짓입니다. 그중 가장 높은 것의 인덱스(`argmax`)가 토큰의 id입니다.
# %% [markdown] lang="en"
# What comes next can be read from the logits of the last position. The index of the highest one (`argmax`) is the
# token's id.
# %% id="argmax" tags=["C13"]
logits = lm_head_output[0, -1]
token_id = logits.argmax(-1)
print(list(logits.shape), repr(tokenizer.decode(token_id)))
# %% [markdown] lang="ko"
# ### 연습 3.1 · 탐욕적 검색
#
# 언제나 점수가 가장 높은 토큰을 고르는 방법이 **탐욕적 검색**입니다. 로짓 `[vocab]`을 받아 그 토큰의 id를 `int`로
# 돌려주세요.
# %% [markdown] lang="en"
# ### Exercise 3.1 · Greedy search
#
# Always taking the token with the highest score is **greedy search**. Take logits `[vocab]` and return that
# token's id, as an `int`.
# %% id="ex-3-1"
def greedy(logits):
    """가장 높은 로짓의 id(int).  logits: float 텐서 [vocab]."""
    """Return the id (int) of the highest logit.  logits: float tensor [vocab]."""
    # BEGIN SOLUTION
    return logits.argmax().item()
    # END SOLUTION


# %% id="check-3-1" kind="implement" difficulty=1 minutes=3
Exercise("3.1").check(greedy)
# %% [markdown] lang="ko" hints="3.1"
# 1. 가장 높은 로짓의 값이 아니라 인덱스가 필요합니다.
# 2. `logits.argmax()`가 그 인덱스입니다. 아직은 텐서입니다.
# 3. `.item()`은 숫자 하나짜리 텐서를 int로 바꿉니다.
# %% [markdown] lang="en" hints="3.1"
# 1. You need the index of the highest logit, not the logit itself.
# 2. `logits.argmax()` is that index, as a tensor.
# 3. `.item()` makes an int of a tensor with one number.
# %% [markdown] lang="ko"
# ## 모든 토큰에 확률이 있다
#
# 1등만 보면 많은 것을 놓칩니다. 소프트맥스는 로짓을 확률로 바꿉니다. 확률은 모두 더하면 1이고, 어휘사전의
# **모든** 토큰이 하나씩 받습니다. 첫 줄은 확률의 개수, 합, 모두 0보다 큰지(`True`)이고, 그 아래는 상위 토큰 네
# 개입니다.
# %% [markdown] lang="en"
# ## Every token has a probability
#
# Looking at the winner alone misses a lot. Softmax turns the logits into probabilities. They add up to 1, and
# **every** token of the vocabulary gets one. The first line is how many there are, their sum, and whether all are
# above 0 (`True`); below it are the four likeliest tokens.
# %% id="distribution" tags=["C10", "slide"]
probabilities = logits.softmax(-1)
print(len(probabilities), round(float(probabilities.sum()), 2), bool(probabilities.min() > 0))
for candidate in decoding.top_candidates(logits, tokenizer, 4):
    print(f"{candidate.token!r:10} {candidate.probability:.2f}")
# %% [markdown] lang="ko"
# 이 분포에서 토큰 하나를 고르는 방법을 **디코딩 전략**이라고 합니다. 아래 탐색기는 아무 프롬프트에서나 그 분포를
# 보여 줍니다. 답이 정해진 문장과 그렇지 않은 문장(`I like to`)을 넣어 *나머지 토큰 전부*의 몫을 비교해 보세요.
# 막대 위의 비트는 엔트로피, 곧 모델이 얼마나 망설이는지를 나타냅니다. 하나로 확실하면 0, 동전 던지기라면 1입니다.
# 토큰을 누르면 프롬프트 끝에 붙습니다.
#
# 나머지 슬라이더는 이 레슨에서 하나씩 만들어 갑니다. 오른쪽 네 열은 아직 꺼져 있습니다.
# %% [markdown] lang="en"
# How one token is chosen from this distribution is the **decoding strategy**. The explorer shows the distribution
# for any prompt. Try a sentence with one answer and one without (`I like to`), and compare the share of *all
# others*. The bits above the bars are the entropy, which tells how undecided the model is: 0 if it is sure, 1 for
# the toss of a coin. Click a token, and the prompt goes on with it.
#
# The other sliders are what you build in this lesson, one by one. The four columns on the right are still off.
# %% id="explorer" tags=["C10", "slide"]
explorer = DecodingExplorer(model, tokenizer, prompt)
explorer
# %% id="explorer-other-prompt" tags=["solution"]
explorer.set(prompt="I like to")
# %% [markdown] lang="ko"
# ## 늘 1등만 고르면
#
# 매번 확률이 가장 높은 토큰만 고르면 가장 좋은 글이 나올까요? 50토큰을 써 보기 전에 예상해 보세요.
# %% [markdown] lang="en"
# ## Always the winner
#
# If you take the likeliest token every time, do you get the best text? Guess, before 50 tokens are written.
# %% id="question-a"
loop_question = Question("3.a")
loop_question
# %% [markdown] lang="ko" question="3.a"
# “In the middle of the night,” 다음에 매번 확률이 가장 높은 토큰만 골라 50개를 씁니다. 그중 새로운 말은 얼마나
# 될까요?
#
# - [ ] 전부. 문장마다 다른 말을 한다
#   - 고르는 규칙을 다시 읽어 보세요. 앞에서 쓴 말을 피하라는 것은 거기에 없습니다. 확률이 가장 높으면 또 씁니다.
# - [ ] 절반쯤. 몇몇 표현이 다시 나온다
#   - 한 번 나온 문장이 그대로 또 나왔다면, 그 문장이 세 번째로 나올 확률은 높아질까요, 낮아질까요?
# - [x] 4분의 1쯤. 나머지는 한 글자도 다르지 않은 되풀이다
#
# 첫 문장을 쓴 뒤로는 그 문장만 계속 되풀이합니다.
# %% [markdown] lang="en" question="3.a"
# After “In the middle of the night,” the model writes 50 tokens, the likeliest each time. How much of that
# is new?
#
# - [ ] all of it: each sentence says something else
#   - Read the rule again: nothing in it says to avoid what has already been written. If it is the likeliest
#     once more, it is taken once more.
# - [ ] about half: some phrases come back
#   - Once a sentence has come a second time, word for word, is a third time more likely, or less?
# - [x] about a quarter: the rest repeats it word for word
#
# After its first sentence it writes that same sentence again and again.
# %% id="question-a-answered" tags=["solution"]
loop_question.answer(3)
# %% id="greedy-loops" tags=["C11", "slide"]
night = "In the middle of the night,"
greedy_steps = list(generation_steps(model, tokenizer, night, 50))
print(tokenizer.decode([step.token_id for step in greedy_steps]))
# %% [markdown] lang="ko"
# 같은 문장을 끝없이 되풀이하기 시작했습니다. 그 문장이 돌아올 때마다 ` ready`의 확률이 얼마였는지 보세요.
# %% [markdown] lang="en"
# It is caught in a loop. See how likely ` ready` was each time the sentence came round again.
# %% id="surer-each-time" tags=["C11"]
for step in greedy_steps:
    if step.token == " ready":
        print(f"{float(step.logits.softmax(-1)[step.token_id]):.2f}", end="  ")
# %% [markdown] lang="ko"
# 되풀이할수록 모델은 더 확신하고, 탐욕적 검색에는 빠져나올 길이 없습니다. 모든 글이 이렇게 되지는 않습니다. 다른
# 프롬프트로도 해 보세요. 노트에는 약간의 무작위성을 더하거나 두세 번째 토큰을 고르는 것이 낫다고 적혀 있습니다.
# 그렇다면 확률대로 **뽑으면** 어떨까요?
# %% [markdown] lang="en"
# The more often it repeats itself, the surer the model is, and greedy search has no way out. Not every text ends
# like this: try other prompts. The notes say that it is better to add some randomness, or to take the second or
# third token. So what if you **draw** a token, each with its probability?
# %% id="sampling-rambles" tags=["C11", "slide"]
choose = decoding.sampler(generator=torch.Generator().manual_seed(0))
sampled_steps = list(generation_steps(model, tokenizer, night, 50, choose=choose))
print(tokenizer.decode([step.token_id for step in sampled_steps]))
# %% [markdown] lang="ko"
# 확률대로 뽑는 것을 **샘플링**이라고 합니다. 되풀이는 없지만 횡설수설합니다. 왜 그럴까요? 뽑힌 토큰이 그때 몇
# 등이었는지(`rank`) 세어 봅니다. 노트가 말하는 2등과 3등도 셉니다. 마지막 줄은 50등 밖이었던 것과, 뽑은 토큰 모두의
# 개수입니다.
# %% [markdown] lang="en"
# Drawing by probability is called **sampling**. Nothing is repeated, but the text rambles. Why? Count the `rank` of each
# token that was drawn: how many were first, and how many second or third, as the notes advise? The last line counts
# those beyond rank 50, and all that were drawn.
# %% id="rank-of-the-drawn" tags=["C11"]
ranks = [1 + int((step.logits > step.logits[step.token_id]).sum()) for step in sampled_steps]
for rank in (1, 2, 3):
    print(f"{rank=}: {ranks.count(rank)}")
print(f"rank>50: {sum(rank > 50 for rank in ranks)}  {len(ranks)=}")
# %% [markdown] lang="ko"
# 50등 밖의 토큰 하나하나는 확률이 아주 작지만 5만 개 가까이 있어서, 모두 합치면 무시할 수 없습니다. 그리고 한 번
# 뽑히면 그 뒤의 글은 모두 그것을 이어 갑니다.
#
# 늘 1등이면 지루하고, 있는 그대로 뽑으면 엉뚱합니다. 지금부터 만드는 것은 모두 그 사이를 조절하는 설정입니다.
#
# ## 온도
#
# **온도**는 소프트맥스 앞에서 로짓을 나누는 수입니다.
#
# $$p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}$$
#
# 온도가 1이면 아무것도 바뀌지 않습니다. 온도를 점점 낮추면 무슨 일이 일어날까요?
# %% [markdown] lang="en"
# A single token beyond rank 50 is very unlikely, but there are almost 50,000 of them, and together they weigh a
# lot. Once one is drawn, everything that follows goes on from it.
#
# Always the winner is dull, sampling as it comes is wild. Everything you build from here on is a setting for
# something in between.
#
# ## Temperature
#
# The **temperature** is a number by which the logits are divided, before softmax.
#
# $$p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}$$
#
# At a temperature of 1 nothing changes. What happens as it is lowered?
# %% id="question-b"
zero_question = Question("3.b")
zero_question
# %% [markdown] lang="ko" question="3.b"
# 온도를 2에서 0.05까지 낮추면서 샘플링합니다. 샘플링은 점점 무엇에 가까워질까요?
#
# - [ ] 주사위 던지기. 모든 토큰의 확률이 같아진다
#   - 큰 수로 나누면 그렇게 됩니다. 0.05로 나누어 보세요. 로짓 2와 1은 40과 20이 됩니다.
# - [x] 탐욕적 검색. 거의 언제나 1등이 뽑힌다
# - [ ] 1등 피하기. 1등의 확률이 점점 낮아진다
#   - 모든 로짓을 같은 양수로 나누면 순서는 그대로입니다. 가장 큰 것은 여전히 가장 큽니다.
#
# 작은 수로 나누면 차이가 커집니다. 소프트맥스를 거치면 1등이 확률을 거의 다 가져갑니다.
# %% [markdown] lang="en" question="3.b"
# You sample while you lower the temperature from 2 to 0.05. What does sampling come closer and closer to?
#
# - [ ] rolling a die: every token becomes equally likely
#   - That is what dividing by a large number does. Divide by 0.05: the logits 2 and 1 become 40 and 20.
# - [x] greedy search: the winner is drawn practically every time
# - [ ] avoiding the winner: it becomes less and less likely
#   - Dividing all logits by the same positive number keeps their order: the largest stays the largest.
#
# Dividing by a small number makes the differences large. After softmax the winner has nearly all of the
# probability.
# %% id="question-b-answered" tags=["solution"]
zero_question.answer(2)
# %% id="toward-zero" tags=["C12", "C14", "slide"]
dog = tokenizer("The dog chased the squirrel because it", return_tensors="pt").to(model.device)
dog_logits = model(**dog).logits[0, -1]
for temperature in (2.0, 1.0, 0.5, 0.2, 0.05):
    best = decoding.top_candidates(dog_logits / temperature, tokenizer, 2)
    print(temperature, [f"{c.token} {c.probability:.2f}" for c in best])
# %% [markdown] lang="ko"
# 한 줄은 온도와, 그때의 상위 토큰 두 개입니다. 온도가 1보다 낮으면 로짓의 차이가 커져 앞선 토큰이 더 앞서고,
# 높으면 차이가 줄어 뒤처진 토큰에도 기회가 갑니다. 0에 다가가면 1등의 확률이 1에 가까워져, 샘플링이 탐욕적 검색과
# 같아집니다.
#
# 노트에는 온도를 0으로 하면 탐욕적 검색이 된다고 적혀 있습니다. 그러나 0 자체는 온도가 아닙니다. 0으로는 나눌 수
# 없으니까요. `transformers`는 거절하고, 그 대신 `do_sample=False`를 쓰라고 합니다.
# %% [markdown] lang="en"
# A line is a temperature and the two likeliest tokens at it. Below 1 the differences between the logits grow and
# the leaders lead by more; above 1 they shrink and the others get a chance. Towards 0 the winner's probability
# goes to 1, and sampling becomes greedy search.
#
# The notes say that a temperature of 0 is greedy search. But 0 itself is no temperature, since nothing can be
# divided by it. `transformers` refuses it, and tells you to use `do_sample=False` instead.
# %% id="zero-refused" tags=["C12"]
try:
    model.generate(**dog, max_new_tokens=1, do_sample=True, temperature=0.0)
except ValueError as error:
    print(error)
# %% id="do-sample-false" tags=["C12"]
written = model.generate(**dog, max_new_tokens=1, do_sample=False)
print(repr(tokenizer.decode(written[0, -1])))
# %% [markdown] lang="ko"
# 그런데 온도 0을 받아 주는 API가 많습니다. 0으로 나누는 것이 아니라, 온도가 0이면 `argmax`를 쓰도록 한 분기문 한
# 줄이 들어 있을 뿐입니다. 이를테면 이렇습니다.
# %% [markdown] lang="en"
# Yet many APIs accept a temperature of 0. They do not divide by it: somewhere there is a line that takes the
# `argmax` if it is 0. It may look like this.
# %% id="zero-in-an-api" tags=["C12"]
def choose_like_an_api(logits, temperature):
    if temperature == 0:
        return decoding.greedy(logits)
    return decoding.sample(decoding.apply_temperature(logits, temperature))


print(repr(tokenizer.decode(choose_like_an_api(dog_logits, 0))))
# %% [markdown] lang="ko"
# ### 연습 3.2 · 온도
#
# 로짓을 온도로 나눈 **로짓**을 돌려주세요. 확률로 바꾸는 것은 나중 일입니다. 온도가 0 이하이면 `ValueError`를
# 일으키세요.
# %% [markdown] lang="en"
# ### Exercise 3.2 · Temperature
#
# Return the **logits** divided by the temperature; turning them into probabilities comes later. Raise a `ValueError`
# if the temperature is 0 or less.
# %% id="ex-3-2"
def apply_temperature(logits, temperature):
    """온도로 나눈 로짓.  logits: float 텐서 [vocab]."""
    """Return logits divided by temperature.  logits: float tensor [vocab]."""
    # BEGIN SOLUTION
    if temperature <= 0:
        raise ValueError("The temperature must be above 0.")
    return logits / temperature
    # END SOLUTION


# %% id="check-3-2" kind="implement" difficulty=1 minutes=5
Exercise("3.2").check(apply_temperature)
# %% [markdown] lang="ko" hints="3.2"
# 1. 나눗셈 한 번이면 됩니다. 로짓을 온도로 나눕니다.
# 2. 소프트맥스는 하지 않습니다. 로짓이 들어와서 로짓이 나갑니다.
# 3. 먼저 `if temperature <= 0: raise ValueError(…)`, 그다음에 나눈 결과를 돌려줍니다.
# %% [markdown] lang="en" hints="3.2"
# 1. One division does it: the logits by the temperature.
# 2. No softmax here. Logits go in and logits come out.
# 3. First `if temperature <= 0: raise ValueError(…)`, then return the division.
# %% [markdown] lang="ko"
# ## 꼬리를 자르는 세 가지 방법
#
# 글이 횡설수설했던 것은 분포의 꼬리에서 뽑힌 토큰 때문입니다. 그러니 뽑기 전에 꼬리를 잘라 냅니다. 잘라 낸다는
# 것은 로짓을 `-inf`로 바꾸는 것입니다. $e^{-\infty} = 0$이므로, 소프트맥스를 다시 적용하면 남은 토큰끼리 확률 1을
# 나눠 갖습니다. 로짓 네 개의 확률과, 뒤의 둘을 잘라 낸 뒤의 확률을 비교하세요.
# %% [markdown] lang="en"
# ## Three ways to cut the tail
#
# The text rambled because of tokens drawn from the tail of the distribution. So cut the tail off before you draw.
# To cut a token is to set its logit to `-inf`: $e^{-\infty} = 0$, and the next softmax shares the probability of
# 1 among the tokens that are left. Compare the probabilities of four logits with those after the last two are
# cut.
# %% id="minus-infinity" tags=["slide"]
some_logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
print([round(p, 2) for p in some_logits.softmax(-1).tolist()])
cut_logits = torch.tensor([2.0, 1.0, -torch.inf, -torch.inf])
print([round(p, 2) for p in cut_logits.softmax(-1).tolist()])
# %% [markdown] lang="ko"
# ### 연습 3.3 · top-k
#
# **top-k**는 로짓이 높은 `k`개만 남깁니다. 나머지를 `-inf`로 바꾼 새 텐서를 돌려주세요. `k`가 어휘사전보다 크면
# 아무것도 자르지 않습니다.
# %% [markdown] lang="en"
# ### Exercise 3.3 · top-k
#
# **top-k** keeps the `k` highest logits. Return a new tensor in which the others are `-inf`. If `k` is larger than the
# vocabulary, nothing is cut.
# %% id="ex-3-3"
def top_k_filter(logits, k):
    """로짓이 높은 k개를 남기고 나머지는 -inf로.  logits: float 텐서 [vocab]."""
    """Keep the k highest logits; the others become -inf.  logits: float tensor [vocab]."""
    # BEGIN SOLUTION
    kth_best = logits.topk(min(k, len(logits))).values[-1]
    return logits.masked_fill(logits < kth_best, -torch.inf)
    # END SOLUTION


# %% id="check-3-3" kind="implement" difficulty=2 minutes=8
Exercise("3.3").check(top_k_filter)
# %% [markdown] lang="ko" hints="3.3"
# 1. k번째로 높은 로짓을 찾으세요. 그보다 낮은 것을 잘라 냅니다.
# 2. `logits.topk(k).values[-1]`이 k번째로 높은 값입니다. k는 `len(logits)`를 넘으면 안 됩니다.
# 3. `logits.masked_fill(logits < kth_best, -torch.inf)`는 그것들을 자른 새 텐서입니다.
# %% [markdown] lang="en" hints="3.3"
# 1. Find the k-th highest logit. What is lower than that is cut.
# 2. `logits.topk(k).values[-1]` is the k-th highest; k must not exceed `len(logits)`.
# 3. `logits.masked_fill(logits < kth_best, -torch.inf)` is a new tensor with them cut.
# %% [markdown] lang="ko"
# top-k에는 약점이 있습니다. 남기는 개수가 늘 같아서, 답이 뻔할 때는 너무 많고 여러 갈래일 때는 너무 적습니다.
# 확률의 90%를 채우는 데 토큰이 몇 개 필요한지, 프랑스의 수도를 묻는 프롬프트(위)와 개가 나오는 프롬프트(아래)에서
# 비교해 보세요.
# %% [markdown] lang="en"
# top-k has a weak spot: it always keeps the same number of tokens. That is too many where the answer is plain,
# and too few where the text could go many ways. Compare how many tokens it takes to fill 90 % of the probability
# after the prompt about the capital of France (above) and the one about the dog (below).
# %% id="tokens-for-ninety" tags=["C14"]
for some in (logits, dog_logits):
    likeliest_first = some.softmax(-1).sort(descending=True).values
    print(int((likeliest_first.cumsum(-1) < 0.9).sum()) + 1)
# %% [markdown] lang="ko"
# ### 연습 3.4 · top-p
#
# **top-p**(뉴클리어스)는 개수가 아니라 확률로 자릅니다. 확률이 높은 것부터 더해서 합이 `p`에 **이르는** 토큰까지
# 남기고, 나머지를 `-inf`로 바꿉니다. 1등은 `p`가 0이어도 남습니다.
#
# 예: 확률이 0.35, 0.3, 0.2, 0.1, 0.05이고 `p`가 0.5이면 앞의 두 개가 남습니다(0.35로는 모자라고, 0.65면 `p`를
# 넘습니다).
# %% [markdown] lang="en"
# ### Exercise 3.4 · top-p
#
# **top-p** (nucleus) cuts by probability, not by number: add up the probabilities, likeliest first, keep every token up
# to the one with which the sum **reaches** `p`, and set the others to `-inf`. The winner stays, even if `p` is 0.
#
# Example: of the probabilities 0.35, 0.3, 0.2, 0.1, 0.05 a `p` of 0.5 keeps the first two (0.35 is not enough,
# 0.65 is above `p`).
# %% id="ex-3-4"
def top_p_filter(logits, p):
    """확률이 높은 것부터 합이 p에 이르기까지 남기고 나머지는 -inf로.  logits: [vocab]."""
    """Keep the likeliest tokens that together reach p; the others become -inf.  logits: [vocab]."""
    # BEGIN SOLUTION
    probabilities, order = logits.softmax(-1).sort(descending=True)
    before = probabilities.cumsum(-1) - probabilities  # what the likelier tokens hold
    cut = before >= p
    cut[0] = False
    filtered = logits.clone()
    filtered[order[cut]] = -torch.inf
    return filtered
    # END SOLUTION


# %% id="check-3-4" kind="implement" difficulty=3 minutes=14
Exercise("3.4").check(top_p_filter)
# %% [markdown] lang="ko" hints="3.4"
# 1. `probabilities, order = logits.softmax(-1).sort(descending=True)`는 큰 것부터 늘어놓은 확률과, 그것이 어느
#    토큰의 확률인지를 줍니다.
# 2. 자기 *앞까지*의 합이 아직 p보다 작은 토큰은 남습니다: `probabilities.cumsum(-1) - probabilities < p`.
#    첫째는 언제나 남습니다.
# 3. 복사본에서, 토큰의 원래 인덱스를 찾아 자르세요: `filtered[order[cut]] = -torch.inf`.
# %% [markdown] lang="en" hints="3.4"
# 1. `probabilities, order = logits.softmax(-1).sort(descending=True)` gives the probabilities, largest first, and
#    whose they are.
# 2. A token stays if what stands *before* it is still under p: `probabilities.cumsum(-1) - probabilities <
#    p`. The first one always stays.
# 3. Cut in a clone, at the tokens' own indices: `filtered[order[cut]] = -torch.inf`.
# %% [markdown] lang="ko"
# ### 연습 3.5 · min-p
#
# **min-p**는 1등을 잣대로 삼아, 확률이 1등의 `p`배에 못 미치는 토큰을 자릅니다. 1등이 0.6이고 `p`가 0.1이면
# 기준은 0.06입니다. 모델이 확신할수록 기준도 높아집니다.
# %% [markdown] lang="en"
# ### Exercise 3.5 · min-p
#
# **min-p** takes the winner as its yardstick: it cuts every token that is less likely than `p` times the winner.
# If the winner has 0.6 and `p` is 0.1, the threshold is 0.06. The surer the model, the higher the threshold.
# %% id="ex-3-5"
def min_p_filter(logits, p):
    """확률이 1등의 p배에 못 미치는 것을 -inf로.  logits: float 텐서 [vocab]."""
    """Cut what is less likely than p times the winner: -inf.  logits: float tensor [vocab]."""
    # BEGIN SOLUTION
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.max(), -torch.inf)
    # END SOLUTION


# %% id="check-3-5" kind="implement" difficulty=3 minutes=9
Exercise("3.5").check(min_p_filter)
# %% [markdown] lang="ko" hints="3.5"
# 1. 기준은 확률로 정해집니다. `logits.softmax(-1)`에서 시작하세요.
# 2. 기준은 `p * probabilities.max()`입니다. 1등을 따라 움직입니다.
# 3. 기준을 `threshold`라 하면 `logits.masked_fill(probabilities < threshold, -torch.inf)`입니다.
# %% [markdown] lang="en" hints="3.5"
# 1. The threshold is a probability, so start with `logits.softmax(-1)`.
# 2. The threshold is `p * probabilities.max()`: it moves with the winner.
# 3. Call it `threshold`; then `logits.masked_fill(probabilities < threshold, -torch.inf)`.
# %% [markdown] lang="ko"
# ### 라이브러리와 같은가
#
# 채점기는 여러분의 세 필터를 `transformers`의 것과 비교했습니다. 여기서는 강좌의 `decoding`에 있는 네 함수를 더
# 까다로운 로짓으로 비교합니다. 반올림해서 같은 값이 많게 하고, 어휘사전보다 큰 `k`, 0과 1인 `p`, 숫자 형식 세
# 가지를 섞었습니다. 한 줄은 함수 하나이고, 두 수는 시도한 횟수와 **마지막 비트까지** 같았던 횟수입니다.
# %% [markdown] lang="en"
# ### The same as the library's?
#
# The grader compared your three filters with those of `transformers`. Here the course's own four, in `decoding`,
# are compared on trickier logits: rounded, so that many are equal, with a `k` above the vocabulary, a `p` of 0
# and of 1, and three number formats. A line is a function; the two numbers are how often it was tried, and how
# often the result was the same **to the last bit**.
# %% id="library-filters"
from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

filters = [
    (decoding.apply_temperature, TemperatureLogitsWarper, (0.1, 0.7, 3.0)),
    (decoding.top_k_filter, TopKLogitsWarper, (1, 40, 100_000)),
    (decoding.top_p_filter, TopPLogitsWarper, (0.0, 0.9, 1.0)),
    (decoding.min_p_filter, MinPLogitsWarper, (0.0, 0.1, 1.0)),
]
formats = (torch.float32, torch.float16, torch.bfloat16)
# %% id="equals-library" tags=["C14"]
generator = torch.Generator().manual_seed(0)
for ours, theirs, settings in filters:
    same = []
    for case in range(300):
        some = (torch.randn(500, generator=generator) * 2).round().to(formats[case % 3])
        setting = settings[case // 3 % 3]
        same.append(torch.equal(ours(some, setting), theirs(setting)(None, some[None])[0]))
    print(ours.__name__, len(same), sum(same))
# %% [markdown] lang="ko"
# ## 순서가 중요하다
#
# 여러 설정을 함께 쓰면 적용하는 순서도 정해야 합니다. `transformers`는 온도, top-k, top-p, min-p의 순서로
# 적용합니다. 온도를 바꾸면 그 뒤의 필터가 남기는 토큰도 바뀔까요?
# %% [markdown] lang="en"
# ## The order matters
#
# With several settings, their order has to be settled, too. `transformers` applies the temperature, then top-k,
# top-p, min-p. If the temperature changes, do the filters after it still keep the same tokens?
# %% id="question-c"
order_question = Question("3.c")
order_question
# %% [markdown] lang="ko" question="3.c"
# 온도가 0.5에서 1.5로 올라갑니다. 그래도 똑같은 토큰을 남기는 필터는 무엇일까요?
#
# - [x] top-k
# - [ ] top-p
#   - top-p는 확률을 더해 나갑니다. 분포가 평평해지면 같은 합에 이르는 데 토큰이 더 많이 듭니다.
# - [ ] min-p
#   - min-p의 기준은 1등 확률의 몇 배입니다. 1등이 낮아지고 나머지가 높아지면 기준을 넘는 토큰이 늘어납니다.
# - [ ] 셋 다
#   - 온도를 바꾸면 확률이 바뀝니다. 세 필터 가운데 확률의 크기를 보는 것이 있나요?
#
# 온도는 확률을 바꾸지만 순서는 바꾸지 않습니다. top-k는 순서만 보고, top-p와 min-p는 확률을 봅니다.
# %% [markdown] lang="en" question="3.c"
# The temperature rises from 0.5 to 1.5. Which filter still keeps the same tokens?
#
# - [x] top-k
# - [ ] top-p
#   - top-p adds probabilities up. In a flatter distribution it takes more tokens to reach the same sum.
# - [ ] min-p
#   - The threshold of min-p is a share of the winner's probability. As the winner falls and the others rise,
#     more of them pass it.
# - [ ] all three
#   - With the temperature the probabilities change. Do any of the three look at how large these are?
#
# A temperature changes the probabilities but not their order. top-k looks at the order only; top-p and
# min-p look at the probabilities.
# %% id="question-c-answered" tags=["solution"]
order_question.answer(1)
# %% [markdown] lang="ko"
# 온도를 바꾸면서 세 필터, top-k(5), top-p(0.5), min-p(0.2)가 각각 토큰을 몇 개 남기는지 셉니다. 한 줄이 온도
# 하나(`T`)입니다.
# %% [markdown] lang="en"
# Count how many tokens each filter, top-k (5), top-p (0.5) and min-p (0.2), keeps as the temperature rises. A line is
# one temperature (`T`).
# %% id="kept-by-temperature" tags=["C14", "slide"]
def kept(logits):
    return int((logits > -torch.inf).sum())


for temperature in (0.5, 1.0, 1.5):
    warm = decoding.apply_temperature(dog_logits, temperature)
    top_k = kept(decoding.top_k_filter(warm, 5))
    top_p = kept(decoding.top_p_filter(warm, 0.5))
    min_p = kept(decoding.min_p_filter(warm, 0.2))
    print(f"T={temperature}  {top_k=} {top_p=:2} {min_p=}")
# %% [markdown] lang="ko"
# 필터끼리의 순서도 중요합니다. 먼저 top-k로 다섯 개를 남기면 top-p는 **그 다섯의** 확률에서 80%를 찾고, 거꾸로
# 하면 어휘사전 전체의 80%를 찾은 뒤 다섯 개를 남깁니다. 출력된 두 수는 top-k를 먼저 할 때와 top-p를 먼저 할 때
# 남는 개수입니다.
# %% [markdown] lang="en"
# The filters' own order counts too. After top-k has kept five, top-p looks for 80 % of the probability **of those
# five**; the other way round it looks for 80 % of the whole vocabulary first, and then five are kept. The two
# numbers are how many are left with top-k first, and with top-p first.
# %% id="order-of-filters" tags=["C14"]
k_first = decoding.top_p_filter(decoding.top_k_filter(dog_logits, 5), 0.8)
p_first = decoding.top_k_filter(decoding.top_p_filter(dog_logits, 0.8), 5)
print(f"{kept(k_first)=} {kept(p_first)=}")
# %% [markdown] lang="ko"
# ## 샘플링
#
# 이제 확률에 따라 토큰 하나를 뽑는 일, **샘플링**만 남았습니다.
#
# ### 연습 3.6 · 샘플링
#
# 로짓을 확률로 바꾸고, 토큰의 id 하나를 그 확률대로 뽑아 `int`로 돌려주세요. `generator`는 주사위 구실을 합니다.
# 뽑을 때 넘겨주면(`torch.multinomial(…, generator=generator)`) 시드(seed)가 같을 때 같은 토큰이 나옵니다.
# %% [markdown] lang="en"
# ## Sampling
#
# All that is left is to draw one token by its probability: **sampling**.
#
# ### Exercise 3.6 · Sampling
#
# Turn the logits into probabilities, draw one token id, each as often as its probability says, and return it as
# an `int`. The `generator` serves as the dice: pass it on (`torch.multinomial(…, generator=generator)`), and the
# same seed gives the same token.
# %% id="ex-3-6"
def sample(logits, generator=None):
    """확률대로 뽑은 토큰 id(int).  logits: float 텐서 [vocab]."""
    """Draw a token id (int) as the probabilities say.  logits: float tensor [vocab]."""
    # BEGIN SOLUTION
    probabilities = logits.softmax(-1)
    return torch.multinomial(probabilities, 1, generator=generator).item()
    # END SOLUTION


# %% id="check-3-6" kind="implement" difficulty=2 minutes=8
Exercise("3.6").check(sample)
# %% [markdown] lang="ko" hints="3.6"
# 1. `logits.softmax(-1)`이 확률입니다.
# 2. `torch.multinomial(probabilities, 1)`은 인덱스 하나를 뽑아 텐서로 줍니다.
# 3. 거기에 `generator=generator`를 넘기고, 결과의 `.item()`을 돌려주세요.
# %% [markdown] lang="en" hints="3.6"
# 1. `logits.softmax(-1)` gives the probabilities.
# 2. `torch.multinomial(probabilities, 1)` draws one index, as a tensor.
# 3. Pass `generator=generator` on to it, and return `.item()` of the result.
# %% [markdown] lang="ko"
# 부품이 다 모였습니다. `decoding.sampler`는 이 부품들을 라이브러리의 순서대로 이어 붙인 것입니다. 시드가 같을 때
# `model.generate(do_sample=True)`와 토큰 하나 다르지 않은 글을 쓰는지 확인합니다.
# %% [markdown] lang="en"
# Now you have all the parts. `decoding.sampler` joins them in the library's order. With the same seed, does it
# write what `model.generate(do_sample=True)` writes, token for token?
# %% id="equals-generate" tags=["C14"]
settings = {"temperature": 0.9, "top_k": 50, "top_p": 0.9, "min_p": 0.02}
torch.manual_seed(0)
theirs = model.generate(**dog, max_new_tokens=12, do_sample=True, **settings)[0, -12:]
torch.manual_seed(0)
dog_text = "The dog chased the squirrel because it"
steps = generation_steps(model, tokenizer, dog_text, 12, choose=decoding.sampler(**settings))
print([step.token_id for step in steps] == theirs.tolist(), repr(tokenizer.decode(theirs)))
# %% [markdown] lang="ko"
# ## 얼마나 되풀이하는가
#
# 되풀이를 느낌이 아니라 수로 재 봅니다. **n-그램**은 잇따른 토큰 `n`개입니다. 앞에서 이미 나온 n-그램의 비율이
# 높으면 같은 말을 되풀이하는 글입니다.
#
# ### 연습 3.7 · 되풀이되는 n-그램
#
# 글의 n-그램 가운데 **앞에서 이미 나온** 것의 비율을 돌려주세요. `[1, 2, 1, 2, 1]`의 2-그램은 12, 21, 12, 21이고,
# 뒤의 두 개가 되풀이이므로 0.5입니다. 토큰이 `n`개가 안 되면 0.0입니다.
# %% [markdown] lang="en"
# ## How much is repeated?
#
# Measure repetition, rather than feel it. An **n-gram** is `n` tokens in a row. If a large share of a text's
# n-grams has already occurred in it, the text repeats itself.
#
# ### Exercise 3.7 · Repeated n-grams
#
# Return the share of a text's n-grams that **have already occurred** in it. The 2-grams of `[1, 2, 1, 2, 1]` are
# 12, 21, 12, 21; the last two are repeats, so the answer is 0.5. With fewer than `n` tokens it is 0.0.
# %% id="ex-3-7"
def repeated_ngram_rate(token_ids, n):
    """앞에서 이미 나온 n-그램의 비율(0–1).  token_ids: int의 리스트."""
    """Return the share (0 to 1) of n-grams that occurred before.  token_ids: list of int."""
    # BEGIN SOLUTION
    ngrams = [tuple(token_ids[i : i + n]) for i in range(len(token_ids) - n + 1)]
    if not ngrams:
        return 0.0
    return 1 - len(set(ngrams)) / len(ngrams)
    # END SOLUTION


# %% id="check-3-7" kind="implement" difficulty=2 minutes=8
Exercise("3.7").check(repeated_ngram_rate)
# %% [markdown] lang="ko" hints="3.7"
# 1. `i`에서 시작하는 n-그램은 `tuple(token_ids[i : i + n])`입니다. 모두 몇 개일까요?
# 2. `len(token_ids) - n + 1`개입니다. 마지막 n-그램은 마지막 토큰에서 끝납니다.
# 3. 그중 `len(set(ngrams))`개가 새것이므로, 되풀이의 비율은 `1 - len(set(ngrams)) / len(ngrams)`입니다.
# %% [markdown] lang="en" hints="3.7"
# 1. The n-gram at `i` is `tuple(token_ids[i : i + n])`. How many are there?
# 2. There are `len(token_ids) - n + 1`: the last one ends with the last token.
# 3. `len(set(ngrams))` of them are new, so `1 - len(set(ngrams)) / len(ngrams)` are not.
# %% [markdown] lang="ko"
# 이제 세 글을 나란히 잽니다. 탐욕적 검색, 있는 그대로 샘플링한 것, 온도 0.8에 top-p 0.9로 샘플링한 것입니다. 첫째
# 열은 되풀이된 3-그램의 비율, 둘째 열은 50등 밖에서 뽑힌 토큰의 개수입니다. 글도 읽어 보세요. 어느 쪽이 가장
# 자연스럽나요?
# %% [markdown] lang="en"
# Now measure three texts side by side: greedy, sampled as it comes, and sampled at temperature 0.8 with top-p
# 0.9. The first column is the share of repeated 3-grams, the second how many tokens came from beyond rank 50.
# Read the texts, too. Which one reads best?
# %% id="three-texts" tags=["C11", "slide"]
choose = decoding.sampler(0.8, top_p=0.9, generator=torch.Generator().manual_seed(0))
tamed_steps = list(generation_steps(model, tokenizer, night, 50, choose=choose))
for steps in (greedy_steps, sampled_steps, tamed_steps):
    ids = [step.token_id for step in steps]
    beyond = sum(int((s.logits > s.logits[s.token_id]).sum()) >= 50 for s in steps)
    print(f"{decoding.repeated_ngram_rate(ids, 3):.2f}  {beyond:2}  {tokenizer.decode(ids[:32])!r}")
# %% [markdown] lang="ko"
# 탐욕적 검색은 늘 이렇게 될까요? 프롬프트를 둘 더 써 봅니다. 한 줄은 되풀이된 3-그램의 비율과 프롬프트입니다.
# %% [markdown] lang="en"
# Does greedy search always end like this? Try two more prompts. A line is the share of repeated 3-grams, and the
# prompt.
# %% id="other-prompts" tags=["C11"]
starts = ("Once upon a time", "The best way to learn a language is")
for start in starts:
    ids = [step.token_id for step in generation_steps(model, tokenizer, start, 50)]
    print(f"{decoding.repeated_ngram_rate(ids, 3):.2f}  {start}")
# %% [markdown] lang="ko"
# 옛날이야기는 거의 되풀이하지 않습니다. 앞의 글처럼 심하지는 않아도, 언어를 배우는 방법을 말하는 글은 거의 3분의 1이
# 되풀이입니다. 그러니 늘 그렇지는 않고, 프롬프트에 달려 있습니다. 글이 길어지면 어떻게 되는지도 보세요(`50`을 `150`으로).
#
# ## 모든 설정을 한자리에서
#
# 같은 탐색기로 돌아왔습니다. 이제 열마다 무슨 일이 일어나는지 다 압니다. ×는 그 열에서 잘린 토큰, 점선은 잘리기
# 직전의 확률입니다. 이렇게 해 보세요.
#
# - 온도를 3까지 올리고 **글 이어 쓰기**를 눌러 글을 읽어 두세요. 이제 min-p를 0.1로 하고 다시 눌러, 앞의 글과
#   비교해 보세요.
# - **500번 뽑기**를 누르면 ◆가 뽑힌 비율을 표시합니다. 막대 끝과 얼마나 가까운가요?
# - 시드만 바꾸고 다시 이어 써 보세요.
# %% [markdown] lang="en"
# The tale hardly repeats anything. The text about learning a language, though not as bad as the one before, is one
# third repetition. So it is not always like this; it depends on the prompt. See, too, what happens in a longer text (put
# `150` for `50`).
#
# ## All settings in one place
#
# Back to the explorer, and now you know what happens in each column. An × marks a token that is cut in that
# column, the dotted line its probability just before. Try this:
#
# - Turn the temperature up to 3, press **continue the text**, and read what comes out. Then set min-p to 0.1,
#   press it again, and compare.
# - Press **draw 500**: the ◆ marks how often each was drawn. How close is it to the bar's end?
# - Change nothing but the seed, and continue again.
# %% id="explorer-filters" tags=["C14"]
filter_explorer = DecodingExplorer(model, tokenizer, "The dog chased the squirrel because it")
filter_explorer
# %% id="explorer-filters-driven" tags=["solution", "slide"]
filter_explorer.set(temperature=1.3, top_k=8, top_p=0.85, min_p=0.1).press("draw_500")
# %% id="explorer-hot" tags=["solution"]
filter_explorer.set(temperature=3.0, top_k=len(dog_logits), top_p=1.0, min_p=0.0, seed=1)
filter_explorer.press("continue_text")
# %% id="explorer-tamed" tags=["solution"]
filter_explorer.set(min_p=0.1).press("continue_text")
# %% [markdown] lang="ko"
# 탐색기에서는 슬라이더를 움직이면 앞의 글이 사라집니다. 여기서는 설정과 글을 나란히 남깁니다. `tries`에 설정을 더해
# 보세요.
# %% [markdown] lang="en"
# In the explorer a text is gone once you move a slider. Here settings and texts stay, side by side. Add settings of your
# own to `tries`.
# %% id="texts-kept" tags=["C14"]
tries = [{"temperature": 0.5}, {"temperature": 3.0}, {"temperature": 3.0, "min_p": 0.1}]
for settings in tries:
    choose = decoding.sampler(**settings, generator=torch.Generator().manual_seed(1))
    steps = generation_steps(model, tokenizer, dog_text, 16, choose=choose)
    print(settings, repr(tokenizer.decode([step.token_id for step in steps])), sep="\n  ")
# %% [markdown] lang="ko"
# ### 연습 3.8 · 절반 밑으로
#
# `The capital of France is` 다음에 ` Paris`의 확률은 온도 1에서 0.77입니다. 필터는 쓰지 말고 온도만 올리세요.
# 1등의 확률이 **절반 밑으로** 처음 떨어지는 온도는 슬라이더의 눈금(0.05)으로 얼마인가요?
# %% [markdown] lang="en"
# ### Exercise 3.8 · Under one half
#
# After `The capital of France is`, ` Paris` has 0.77 at temperature 1. Raise the temperature and nothing else. At
# which temperature, in the slider's steps of 0.05, does the winner's probability first fall **under one half**?
# %% id="ex-3-8"
my_temperature = 1.25  # SOLUTION
# %% id="check-3-8" kind="find" difficulty=1 minutes=5
Exercise("3.8").check(my_temperature)
# %% [markdown] lang="ko" hints="3.8"
# 1. 탐색기의 프롬프트를 `The capital of France is`로 하고 필터를 모두 끄세요.
# 2. 온도를 1에서 올리면서 *온도* 열의 맨 위 막대를 읽으세요.
# 3. 1.2에서는 아직 절반이 넘고, 1.3에서는 절반에 한참 못 미칩니다.
# %% [markdown] lang="en" hints="3.8"
# 1. Set the explorer's prompt to `The capital of France is`, and all filters to off.
# 2. Read the first bar of the column *temperature* while you raise it from 1.
# 3. At 1.2 it is still above one half, at 1.3 well below.
# %% [markdown] lang="ko"
# ## 정리
#
# - 모델의 마지막 단계는 모든 토큰에 확률을 줍니다. 하나를 고르는 방법이 디코딩 전략입니다.
# - 탐욕적 검색은 같은 말을 되풀이할 수 있고(여기서는 그랬습니다), 있는 그대로 샘플링하면 꼬리에서 엉뚱한 토큰이
#   나옵니다.
# - 온도는 차이를 키우거나 줄이고, top-k는 개수로, top-p는 합으로, min-p는 1등과 비교해서 자릅니다.
# - 온도가 0에 다가가면 샘플링이 탐욕적 검색과 같아집니다. 온도 0 자체는 나눗셈이 아니라 약속입니다.
# - 순서는 온도, top-k, top-p, min-p, 그리고 샘플링입니다.
#
# **노트의 말을 어디서 보았나**
#
# | 노트의 말 | 이 레슨에서 본 곳 |
# |---|---|
# | 모델은 어휘사전의 모든 토큰에 확률 점수를 매긴다 | *모든 토큰에 확률이 있다*. LM 헤드가 내는 것은 로짓이고, 확률은 소프트맥스를 거친 것입니다 |
# | 고르는 방법이 디코딩 전략이고, 가장 쉬운 것은 1등을 고르는 것이다 | *프롬프트에서 ` Paris`까지*와 연습 3.1 |
# | 그 방법은 대부분 좋은 글을 내지 못한다 | *늘 1등만 고르면*과 *얼마나 되풀이하는가*. **다릅니다:** 심하게 되풀이하는 프롬프트도 있고, 50토큰 안에서는 거의 그러지 않는 프롬프트도 있습니다 |
# | 약간의 무작위성이나 2등, 3등이 낫다 | *늘 1등만 고르면*: 있는 그대로 뽑으면 50등 밖에서도 나옵니다. 그래서 꼬리를 자릅니다 |
# | 온도를 0으로 하면 탐욕적 검색이다 | *온도*. **다릅니다:** 0에 다가갈 때 그렇게 되고, 0 자체로는 나눌 수 없어 `transformers`가 거절합니다 |
# | 코드 한 줄 한 줄로 `Paris`까지 | *프롬프트에서 ` Paris`까지* |
#
# **지금까지 만든 것:** 글을 쓰는 루프(01)와, 이제 루프가 토큰을 고르는 방법 전부. `greedy`, `apply_temperature`,
# `top_p_filter`, `sample`은 레슨 08의 LLM이 그대로 쓰고, `top_k_filter`나 `min_p_filter`도 끼워 넣을 수 있습니다.
#
# **다음 레슨:** 로짓은 마지막 위치에서만 가져왔습니다. 그럼 다른 위치들은 무엇을 하고 있었을까요? 레슨 04에서
# 모든 토큰의 계산 스트림을 나란히 따라갑니다.
# %% [markdown] lang="en"
# ## What you know now
#
# - The model's last stage gives every token a probability. How one is chosen is the decoding strategy.
# - Greedy search can get caught in a loop (here it did); sampling as it comes brings up odd tokens from the tail.
# - Temperature widens or narrows the differences; top-k cuts by number, top-p by sum, min-p by comparing with the winner.
# - As the temperature goes to 0, sampling becomes greedy search. A temperature of 0 itself is a convention, not a
#   division.
# - The order is temperature, top-k, top-p, min-p, and then sampling.
#
# **The notes, and where you saw it**
#
# | What the notes say | Where you saw it |
# |---|---|
# | The model gives every token of the vocabulary a probability score | *Every token has a probability*. What the LM head gives are logits; softmax makes probabilities of them |
# | Choosing is the decoding strategy, and the simplest is to take the winner | *From the prompt to ` Paris`* and exercise 3.1 |
# | Mostly that gives no good text | *Always the winner* and *How much is repeated?* **It differs:** some prompts end in heavy repetition, and some hardly repeat anything within 50 tokens |
# | Better some randomness, or the second or third token | *Always the winner*: drawn as it comes, tokens from beyond rank 50 turn up. So the tail is cut |
# | A temperature of 0 is greedy search | *Temperature*. **It differs:** that is where it leads towards 0; by 0 itself nothing can be divided, and `transformers` refuses it |
# | Line by line to `Paris` | *From the prompt to ` Paris`* |
#
# **What you have built so far:** the loop that writes (01), and now every way in which it chooses a token. `greedy`,
# `apply_temperature`, `top_p_filter` and `sample` go as they are into the LLM of lesson 08, and `top_k_filter` or
# `min_p_filter` can be put there, too.
#
# **Next lesson:** you took the logits of the last position only. What were the other positions doing? Lesson 04
# follows all tokens' streams, side by side.
