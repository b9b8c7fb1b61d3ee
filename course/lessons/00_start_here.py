# %% [markdown] lang="ko"
# # 00 · 여기서 시작하세요
#
# 이 강좌에서는 훈련된 진짜 LLM을 뜯어보고 다시 조립합니다. 화면에 나오는 것은 거의 모두 지금 이 컴퓨터에서 모델이
# 계산한 것입니다. 미리 계산해 두었거나 공개된 자료에서 가져온 것은 그 자리에 그렇다고 적었습니다. 여러분이
# 레슨마다 만든 부품은 마지막 레슨에서 글을 쓰는 LLM이 됩니다.
#
# 파이썬을 읽고 쓸 줄 알아야 하고, PyTorch의 텐서를 조금 다루어 보았다면 한결 수월합니다. `x[0, -1]`이 무엇을
# 꺼내는지, `dim=-1`이 어느 축인지, 확률을 모두 더하면 1이라는 것을 알면 넉넉합니다. GPU도, 계정도, (준비가
# 끝나면) 네트워크도 필요 없습니다.
#
# 레슨의 차례와 용어는 **노트**를 따릅니다. Jay Alammar와 Maarten Grootendorst의 책 *핸즈온 LLM*에서 트랜스포머
# LLM의 내부를 다룬 장을 한국어로 간추린 글입니다. 노트는 강좌에 들어 있지 않고, 없어도 됩니다. 레슨에서 노트의
# 말을 다룰 때는 그 말을 그 자리에 옮겨 적고, 정말 그런지 모델로 확인합니다.
#
# 언어: [한국어](../ko/00_start_here.ipynb) · [English](../en/00_start_here.ipynb). 아래 셀을 위에서부터 하나씩
# 실행하세요(`Shift`+`Enter`).
# %% [markdown] lang="en"
# # 00 · Start here
#
# In this course you take a real, trained LLM apart and put it back together. Nearly everything on the screen is
# computed by the model, on this machine, right now; what was computed beforehand, or comes from published
# sources, says so where it stands. The parts that you write, lesson by lesson, become in the last one an LLM that
# writes.
#
# You need to be able to read and write Python, and it helps to have handled a tensor in PyTorch before: to know
# what `x[0, -1]` takes out, which axis `dim=-1` is, and that probabilities add up to 1. You need no GPU, no
# account and, once everything is set up, no network.
#
# The lessons take their order and their terms from **the notes**: a Korean summary of the chapter that looks
# inside a transformer LLM, in the book *Hands-On Large Language Models* by Jay Alammar and Maarten Grootendorst.
# The notes do not come with the course, and you can do without them. Where a lesson takes up something they say,
# it quotes it, and checks it with the model.
#
# Language: [“한국어”](../ko/00_start_here.ipynb) · [English](../en/00_start_here.ipynb). Run the cells below one by
# one, from the top (`Shift`+`Enter`).
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
# %% [markdown] lang="ko"
# ## 지도
#
# 앞으로 열어 볼 트랜스포머 LLM입니다. 글이 왼쪽 위에서 들어가 한 바퀴를 돌면 새 토큰 하나가 나오고, 그 토큰을
# 끝에 붙인 글이 다시 들어갑니다. 검은 동그라미의 번호가 그 부품을 여는 레슨입니다. 레슨마다 맨 위에 같은 지도가
# 있고, 그 레슨에서 여는 곳만 색이 칠해져 있습니다.
# %% [markdown] lang="en"
# ## The map
#
# This is the transformer LLM that you will open. A text goes in at the top left and travels round once; out comes
# one new token, which is appended to the text, and the longer text goes in again. The number in a black circle
# tells which lesson opens that part. The same map stands at the head of every lesson, with only the parts that
# the lesson opens in colour.
# %% id="map"
from course.map import course_map

course_map()
# %% [markdown] lang="ko"
# ## 나의 진도
#
# 레슨마다 한 줄, 연습 문제마다 한 칸입니다. ✓는 통과한 것, ~는 시도한 것이고, 화살표와 굵은 테두리는 다음에 할
# 것을 가리킵니다. 문제를 풀고 돌아와 “다시 보기”를 누르면 새로 그립니다. “새로 시작 …”은 고른 레슨의 노트북과
# 진도를 처음으로 되돌립니다. 되돌리기 전에 먼저 묻고, 그때까지의 노트북과 진도는 이름에 날짜를 붙인 사본으로
# 남깁니다. 강좌를 업데이트해도 내가 쓴 노트북은 그대로 남고, 시작한 뒤에 바뀐 레슨이 있으면 여기에 알려 줍니다.
# %% [markdown] lang="en"
# ## Your progress
#
# A row for each lesson, a box for each exercise: ✓ is passed, ~ is attempted, and an arrow and a thick frame mark
# what comes next. Come back after an exercise and press “look again”. “start anew …” takes the notebook and the
# progress of the chosen lesson back to the beginning; it asks first, and keeps what you had as copies with the
# date in their names. An update of the course leaves what you have written as it is; lessons that have changed since you
# began are named here.
# %% id="progress"
from course.my_progress import ProgressExplorer

ProgressExplorer()
# %% [markdown] lang="ko"
# ## 레슨 하나는 이렇게 흘러갑니다
#
# - **탐색기**: 슬라이더나 버튼을 움직이면 그림과 숫자가 바로 바뀝니다. 글을 고쳤다면 `Enter`를 누르세요. 핵심
#   개념마다 하나씩 있습니다.
# - **질문**: 뜻밖의 결과가 나오기 전에 먼저 예상해 봅니다. 틀려도 되고, 여러 번 골라도 됩니다.
# - **연습 문제**: “여기에 코드를 쓰세요”라고 적힌 곳에 코드를 쓰고, 그 아래 셀로 확인합니다. 틀렸다면 무엇을
#   넣었고 무엇이 나왔는지, 무엇이 잘못된 것 같은지 알려 줍니다. 결과가 맞으면 방법이 달라도 통과합니다.
# - **힌트**: 문제마다 세 개가 있고, 뒤로 갈수록 많이 알려 줍니다. 세 개를 다 열면 풀이 노트북으로 가는 링크가
#   나옵니다.
#
# 풀지 않은 문제가 있어도 뒤의 셀은 모두 실행됩니다. 통과한 코드는 노트북 옆의 `my_llm.py`에 모이고, 레슨 08에서
# 그것을 씁니다. 시도하고 통과한 기록은 이 컴퓨터에만 남고, 어디에도 보내지 않습니다. 다만 수업에서 여러분이
# 학급 화면에 참가했을 때(`COURSE_LIVE`)는 다릅니다. 그때는 위의 ‘나의 진도’에 무엇이 누구에게 가는지 나오고, 거기서 끌 수도
# 있습니다. 이름과 코드는 그때도 보내지 않습니다.
# %% [markdown] lang="en"
# ## How a lesson goes
#
# - **Explorers**: move a slider or press a button, and picture and numbers change at once. After changing a text,
#   press `Enter`. There is one explorer for every central idea.
# - **Questions**: before you see something surprising, you make a guess. You may be wrong, and you may choose
#   again.
# - **Exercises**: write your code where it says “your code here”, and check it with the cell below. If it is
#   wrong, you are told what was given, what came out, and what probably went wrong. Any right way passes.
# - **Hints**: three for each exercise, each saying more than the last. After the third there is a link to the
#   solved notebook.
#
# Later cells run even where an exercise is not solved. Code that passes is collected in `my_llm.py`, beside the
# notebooks, and lesson 08 uses it. The record of what you tried and passed stays on this machine and is sent
# nowhere, unless you have joined the view of a class (`COURSE_LIVE`): then “Your progress” above says what
# goes to whom, and lets you turn it off. Your name and your code are not sent even then.
# %% [markdown] lang="ko"
# ## 이 컴퓨터는 준비되었나
#
# 파이썬과 패키지, 모델, 메모리와 디스크, 글꼴, JupyterLab의 위젯을 살펴봅니다. ✗가 있으면 바로 아랫줄에 할 일이
# 적혀 있습니다. 터미널에서는 `python -m course doctor`를 실행하면 됩니다.
# %% [markdown] lang="en"
# ## Is this machine ready?
#
# This checks Python and the packages, the model, memory and disk, fonts, and JupyterLab's widgets. Where there is
# an ✗, the line below it says what to do. In a terminal, run `python -m course doctor`.
# %% id="doctor" tags=["nbval-ignore-output"]
from course.doctor import examine

examine()
# %% [markdown] lang="ko"
# ## 텐서 준비 운동
#
# 텐서가 낯설다면 10분만 쓰세요. 익숙하다면 건너뛰어도 됩니다. 모델이 내놓는 것처럼 생긴 작은 텐서를 하나 만듭니다. 글
# 하나, 위치 둘, 위치마다 토큰 세 개의 점수입니다. 강좌에서는 이런 모양을 `[1, position, vocab]`이라고 적습니다. 축은
# 바깥쪽 괄호부터 0번, 1번, 2번입니다.
# %% [markdown] lang="en"
# ## A warm-up on tensors
#
# If tensors are new to you, spend ten minutes here; if not, skip it. Make a small tensor that looks like what a model
# gives: one text, two positions, and at each position the scores of three tokens. The course writes such a shape as
# `[1, position, vocab]`. The axes are numbered 0, 1, 2 from the outermost bracket inwards.
# %% id="tensor-shape"
import torch

scores = torch.tensor([[[1.0, 2.0, 3.0], [3.0, 1.0, 1.0]]])  # [1, position, vocab]
print(list(scores.shape))
# %% [markdown] lang="ko"
# `[0, -1]`은 0번 글의 마지막(`-1`) 위치를 꺼냅니다. 축 두 개가 없어지고 점수 세 개가 남습니다. `[0, :, 0]`의 `:`은 “모든
# 위치”라는 뜻입니다. 출력을 보기 전에 무엇이 나올지 먼저 말해 보세요.
# %% [markdown] lang="en"
# `[0, -1]` takes out the last position (`-1`) of text number 0: two axes are gone, and three scores are left. The `:` in
# `[0, :, 0]` means “all positions”. Say what will come out before you look.
# %% id="tensor-index"
print(scores[0, -1])
print(scores[0, :, 0])
# %% [markdown] lang="ko"
# `dim`은 **어느 축을 따라** 계산할지입니다. 그 축은 없어집니다. `dim=-1`은 맨 안쪽 축이어서 위치마다 점수 세 개를 더하고,
# `dim=1`은 토큰마다 두 위치를 더합니다. `keepdim=True`이면 축이 길이 1로 남아서, 원래 텐서를 그것으로 나눌 수 있습니다.
# %% [markdown] lang="en"
# `dim` says **along which axis** to compute; that axis disappears. `dim=-1` is the innermost one, so the three scores at
# each position are added up; `dim=1` adds up the two positions for each token. With `keepdim=True` the axis stays, with
# length 1, so that the tensor can be divided by the result.
# %% id="tensor-dim"
print(scores.sum(dim=-1), list(scores.sum(dim=-1).shape))
print(scores.sum(dim=1), list(scores.sum(dim=1).shape))
print(list(scores.sum(dim=-1, keepdim=True).shape))
# %% [markdown] lang="ko"
# **소프트맥스**는 점수를 확률로 바꿉니다. 점수마다 $e^z$를 구해 그 합으로 나누므로, 점수가 높을수록 확률이 높고 모두 더하면
# 1입니다. 위치마다 토큰 세 개의 확률이 필요하니 `dim=-1`입니다. `dim=1`로 잘못 쓰면 무엇의 합이 1이 될까요?
# %% [markdown] lang="en"
# **Softmax** turns scores into probabilities: it takes $e^z$ of each score and divides by the sum of all, so that the higher
# the score, the higher the probability, and all add up to 1. What is wanted is three probabilities at each position, so
# it is `dim=-1`. If you wrote `dim=1` by mistake, what would add up to 1?
# %% id="tensor-softmax"
probabilities = scores.softmax(dim=-1)
for row in probabilities[0]:
    print([f"{p:.2f}" for p in row], f"{row.sum():.2f}")
# %% [markdown] lang="ko"
# ## 첫 레슨으로
#
# 모두 ✓라면 시작하세요: [01 · 생성 루프](01_generation_loop.ipynb).
# %% [markdown] lang="en"
# ## On to the first lesson
#
# If every line has a ✓, begin: [01 · The generation loop](01_generation_loop.ipynb).
