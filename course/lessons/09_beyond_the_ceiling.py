# %% [markdown] lang="ko"
# # 09 · 상한 너머로
#
# **이 레슨을 마치면** 같은 모델이 같은 글을 몇 배 빨리 쓰게 만드는 세 가지 방법(바이트 줄이기, 여러 글을 한꺼번에, 한
# 번에 여러 토큰)을 만들고, 언제 이득이고 언제 손해인지 재고, 어떤 컴퓨터에서 얼마나 빠를지 미리 계산할 수 있습니다.
#
# **100분** = 읽고 실행하기 45분 + 연습 문제 55분. *쉬어 가기*에서 둘로 나눌 수 있습니다 · 노트에는 없는
# 절입니다. 노트의 내용을 넘어섭니다.
# %% [markdown] lang="en"
# # 09 · Beyond the ceiling
#
# **After this lesson you will be able to** build three ways to make the same model write the same text many times as
# fast (fewer bytes, more texts at once, more tokens a pass), measure when each pays and when it costs, and work out
# beforehand how fast a machine can be.
#
# **100 minutes** = 45 to read and run + 55 for the exercises, in two parts if you like: stop at *A place to stop* · It
# mirrors no section of the notes: it goes beyond them.
# %% [markdown] lang="ko" lesson="09"
# 같은 글을 몇 배 빨리 쓰는 LLM
#
# - C34 바이트 줄이기: 받은 그대로의 4비트 가중치
# - C35 여러 글을 한꺼번에
# - C36 한 번에 여러 토큰
# - C37 바이트로 얻는 속도
# %% [markdown] lang="en" lesson="09"
# an LLM that writes the same text many times as fast
#
# - C34 Fewer bytes: the weights as they were shipped
# - C35 More texts at once
# - C36 More tokens a pass
# - C37 What the bytes buy
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

course_map("09")
# %% id="imports"
import time
from functools import partial
from importlib.resources import files

import numpy as np
import torch
from torch.nn.functional import pad
from transformers import DynamicCache

from course.exercise import Exercise, Question
from utils.bandwidth import measure_machine
from utils.batches import measure_batches
from utils.cores import multiplying
from utils.decoder import Decoder
from utils.explorers.bandwidth import SpeedLimitExplorer
from utils.figures.batches import batch_times_picture
from utils.figures.timing import speeds_picture
from utils.losses import loss_by_position
from utils.model import load_model
from utils.model_store import packed_model
from utils.packed_decoder import PackedDecoder
from utils.packed_file import PackedFile
from utils.timing import library_writes, measure_speeds, spent

# %% [markdown] lang="ko"
# ## 바이트 줄이기
#
# 레슨 08의 끝에서 글 하나를 쓰는 속도를 정하는 것은 곱셈이 아니라 **가중치를 읽는 일**이었습니다. 상한은 모든 가중치를
# 한 번씩 읽는 시간입니다. 그렇다면 상한을 넘는 길도 보입니다. 읽을 바이트를 줄이면 됩니다.
#
# 모델을 불러오고, 그 가중치가 담겨 온 파일도 엽니다. 출력은 값 행렬 하나의 모양과, 파일에 든 같은 행렬의 모양입니다.
# %% [markdown] lang="en"
# ## Fewer bytes
#
# At the end of lesson 08, what limited the speed of writing one text was not multiplying but **reading the weights**:
# the ceiling is the time to read each weight once. That shows the way past it: make fewer bytes to read.
#
# Load the model, and open the file in which its weights came as well. The cell prints the shape of one value matrix,
# and that of the same matrix in the file.
# %% id="load"
model, tokenizer = load_model("smollm2", device="cpu")
matrix = model.model.layers[0].self_attn.v_proj.weight
blocks = torch.from_numpy(PackedFile(packed_model()).blocks("blk.0.attn_v.weight"))
print(list(matrix.shape), list(blocks.shape), blocks.dtype)
# %% [markdown] lang="ko"
# 행 하나에 가중치가 576개, 파일에는 20바이트짜리 **블록**이 18개입니다. 576 = 18 × 32이니 블록 하나가 가중치 32개를
# 담습니다.
# %% [markdown] lang="en"
# A row has 576 weights; in the file it is 18 **blocks** of 20 bytes. 576 = 18 × 32, so one block holds 32 weights.
# %% id="question-a"
values_question = Question("9.a")
values_question
# %% [markdown] lang="ko" question="9.a"
# 이 모델의 가중치는 float32입니다. 나란히 있는 가중치 32개(블록 하나)에 서로 다른 값이 몇 개나 나올까요?
#
# - [ ] 대개 32개. 훈련된 수는 모두 다르다
#   - 훈련된 수는 그랬을 것입니다. 그러나 20바이트에 서로 다른 float32 32개(128바이트)를 담을 수는 없습니다.
# - [x] 많아야 16개
# - [ ] 많아야 256개
#   - 32개 가운데 서로 다른 값이 32개보다 많을 수는 없습니다. 바이트 하나의 값이 256가지인 것은 맞지만, 가중치 하나에는 1바이트가 채 들지 않습니다.
#
# 20바이트 가운데 16바이트에 가중치 32개가 들어 있으니 하나에 4비트, 값은 많아야 16가지입니다. 남은 4바이트는 그
# 16가지 값이 무엇인지를 말합니다.
# %% [markdown] lang="en" question="9.a"
# The weights of this model are float32. How many different values do 32 weights in a row, one block, take?
#
# - [ ] 32 as a rule: trained numbers all differ
#   - The trained ones did. But 32 different float32 take 128 bytes, and do not fit into 20.
# - [x] 16 at most
# - [ ] 256 at most
#   - Among 32 weights there are never more than 32 values. A byte has 256, but a weight has less than a byte here.
#
# Of the 20 bytes, 16 hold the 32 weights: 4 bits each, which makes 16 values at most. The other 4 bytes say which
# 16 values those are.
# %% id="question-a-answered" tags=["solution"]
values_question.answer(2)
# %% [markdown] lang="ko"
# 세어 봅시다. 첫 블록의 서로 다른 값의 개수, 그리고 행렬의 모든 블록 가운데 가장 많은 개수입니다. 그다음은 첫 블록의
# 값을 순서대로 늘어놓고 이웃한 값과의 차이를 본 것입니다.
# %% [markdown] lang="en"
# Count them: the different values of the first block, and the most that any block of this matrix has. Then the
# values of the first block in order, and how far apart neighbours are.
# %% id="values" tags=["C34", "slide"]
first = matrix[0, :32]
print(len(first.unique()), max(len(block.unique()) for block in matrix.reshape(-1, 32)))
print([f"{step:.5f}" for step in first.unique().diff().tolist()])
# %% [markdown] lang="ko"
# 차이가 모두 같은 간격의 배수입니다. 블록의 값은 모두 `d · q + m`입니다. 간격 `d`와 가장 작은 값 `m`은 블록마다
# 다르고, `q`는 0부터 15까지의 정수입니다. 이것이 **양자화**입니다. 모델을 배포한 사람이 한 일이고, 우리가 지금까지
# 쓴 float32 파일은 이것을 풀어 놓은 것뿐입니다.
#
# ### 연습 9.1 · 블록 풀기
#
# 블록(uint8 `[20]`)을 가중치(float32 `[32]`)로 푸세요. 처음 4바이트는 float16 두 개, `d`와 `m`입니다. 나머지
# 16바이트에는 `q`가 둘씩 들어 있습니다. 낮은 4비트(`& 15`)가 **앞의** 가중치 16개, 높은 4비트(`>> 4`)가 **뒤의**
# 16개입니다. 바이트를 다른 자료형으로 읽는 것은 `.view(torch.float16)`입니다.
# %% [markdown] lang="en"
# All differences are multiples of one step. Every value of the block is `d · q + m`; the step `d` and the lowest value
# `m` are the block's own, and `q` is a whole number from 0 to 15. This is **quantisation**. Whoever published the model
# did it, and the float32 file that we have used so far is only that, unpacked.
#
# ### Exercise 9.1 · Unpack a block
#
# Unpack a block (uint8 `[20]`) into its weights (float32 `[32]`). The first 4 bytes are two float16, `d` and `m`. The
# other 16 bytes hold two `q` each: the low 4 bits (`& 15`) are the **first** 16 weights, the high 4 bits
# (`>> 4`) the **last** 16. To read bytes as another type there is `.view(torch.float16)`.
# %% id="ex-9-1"
def unpack_block(block):
    """블록의 가중치, float32 [32].  block: uint8 [20]."""
    """Return the weights of a block, float32 [32].  block: uint8 [20]."""
    # BEGIN SOLUTION
    d, m = block[:4].view(torch.float16).float()
    q = torch.cat([block[4:] & 15, block[4:] >> 4])
    return d * q.float() + m
    # END SOLUTION


# %% id="check-9-1" kind="implement" difficulty=2 minutes=8
Exercise("9.1").check(unpack_block)
# %% [markdown] lang="ko" hints="9.1"
# 1. `block[:4].view(torch.float16)`은 수 두 개입니다. 먼저 `.float()`로 float32로 만드세요.
# 2. `block[4:] & 15`가 앞의 `q` 16개, `block[4:] >> 4`가 뒤의 16개입니다. `torch.cat`으로 이으세요.
# 3. `d * q.float() + m`이 답입니다.
# %% [markdown] lang="en" hints="9.1"
# 1. `block[:4].view(torch.float16)` is two numbers. Turn them into float32 first, with `.float()`.
# 2. `block[4:] & 15` is the first 16 `q`, `block[4:] >> 4` the last 16. Join them with `torch.cat`.
# 3. The answer is `d * q.float() + m`.
# %% [markdown] lang="ko"
# 레슨 08처럼, 통과했으면 내 함수가 오고 아니면 강좌의 함수가 옵니다. 한 행의 블록 18개를 풀어 float32 파일의 행과
# 비교합니다. 마지막 비트까지 같으면 `True`입니다.
# %% [markdown] lang="en"
# As in lesson 08, the name stands for your function if it passed, and for the course's if not. Unpack the 18 blocks of
# one row, and compare them with that row of the float32 file: `True` if they are equal to the last bit.
# %% id="use-9-1" tags=["C34"]
from course.my_llm import unpack_block

row = torch.cat([unpack_block(block) for block in blocks[0]])
print(torch.equal(row, matrix[0]))
# %% [markdown] lang="ko"
# ### 연습 9.2 · 풀어 놓지 않고 곱하기
#
# 행렬을 통째로 풀어 놓으면 다시 float32를 읽게 됩니다. 블록을 하나씩 풀어 바로 쓰고 버리세요. `blocks`(uint8
# `[out, block, 20]`)와 `x`(float32 `[in]`)의 곱, float32 `[out]`을 반환하세요. 빠르지 않아도 됩니다. 파이썬의 반복문 두
# 개면 됩니다.
# %% [markdown] lang="en"
# ### Exercise 9.2 · Multiply without unpacking it all
#
# Unpack the whole matrix, and there is float32 to read again. So unpack one block at a time, use it at once, and forget
# it. Return the product of `blocks` (uint8 `[out, block, 20]`) and `x` (float32 `[in]`): float32 `[out]`. It need not be
# fast: two loops in Python will do.
# %% id="ex-9-2"
def packed_product(blocks, x):
    """행렬과 x의 곱, float32 [out].  blocks: uint8 [out, block, 20]; x: float32 [in]."""
    """Return the matrix times x, float32 [out].  blocks: uint8 [out, block, 20]; x: float32 [in]."""
    # BEGIN SOLUTION
    out = torch.zeros(len(blocks))
    for place, row in enumerate(blocks):
        for block, piece in zip(row, x.split(32)):
            out[place] += unpack_block(block) @ piece
    return out
    # END SOLUTION


# %% id="check-9-2" kind="implement" difficulty=2 minutes=7
Exercise("9.2").check(packed_product)
# %% [markdown] lang="ko" hints="9.2"
# 1. 한 행의 블록 i는 `x[32 * i : 32 * (i + 1)]`과 곱해집니다. `x.split(32)`가 그 조각들입니다.
# 2. 블록 하나의 몫은 `unpack_block(block) @ piece`입니다. 한 행의 몫을 모두 더하세요.
# 3. `out = torch.zeros(len(blocks))`로 시작해서, 행과 블록을 도는 두 반복문 안에서 `out[place] += …`입니다.
# %% [markdown] lang="en" hints="9.2"
# 1. Block i of a row meets `x[32 * i : 32 * (i + 1)]`; `x.split(32)` gives these pieces.
# 2. One block's share is `unpack_block(block) @ piece`. Add up the shares of a row.
# 3. Start with `out = torch.zeros(len(blocks))`; in two loops, over rows and over their blocks, `out[place] += …`.
# %% [markdown] lang="ko"
# 풀린 행렬과 곱한 것과 같을까요? 그리고 두 행렬은 몇 바이트일까요?
# %% [markdown] lang="en"
# Is it what the unpacked matrix gives? And how many bytes do the two take?
# %% id="use-9-2" tags=["C34"]
from course.my_llm import packed_product

x = torch.randn(576, generator=torch.Generator().manual_seed(0))
print(torch.allclose(packed_product(blocks, x), matrix @ x, atol=1e-5))
print(matrix.nbytes, blocks.nbytes, matrix.nbytes / blocks.nbytes)
# %% [markdown] lang="ko"
# 읽을 바이트가 6.4분의 1입니다. 그러나 파이썬의 반복문이 그 이득을 몇 번이고 까먹습니다. 반복문을 **컴파일**해야
# 합니다. numba는 파이썬 함수를 이 컴퓨터의 기계어로 바꾸는 라이브러리입니다. `utils/packed_kernels.py`의 여섯 함수가
# 그렇게 컴파일됩니다. 그중 `times_4_bits`는 방금 쓴 두 반복문이고, 행을 16개씩 나란히 놓아 명령 하나가 16행을 함께
# 계산하게 한 것만 다릅니다. `PackedDecoder`는 그 함수들로 모델 전체를 계산합니다. float32 파일은 쓰지 않습니다.
#
# 처음 한 번은 컴파일하느라 15초쯤 걸립니다. numba가 없는 컴퓨터라면 그렇다는 문장이 나오고, 아래의 셀들은 레슨 08의
# 디코더로 실행됩니다.
# %% [markdown] lang="en"
# There are 6.4 times fewer bytes to read, but loops in Python waste that gain many times over. They have to be
# **compiled**. numba is a library that turns a function of Python into this machine's own code. It compiles the six functions of
# `utils/packed_kernels.py`. One of them, `times_4_bits`, is the two loops that you have just written; only the rows lie
# side by side, 16 at a time, so that one instruction works on all 16. `PackedDecoder` computes the whole model with
# these functions, and never needs the float32 file.
#
# The first time takes some 15 seconds to compile. On a machine without numba, a sentence says so, and the cells below
# run with the decoder of lesson 08.
# %% id="packed" tags=["nbval-ignore-output"]
packed = None
try:
    packed = PackedDecoder.load()
except ValueError as problem:
    print(problem)
# %% [markdown] lang="ko"
# 같은 글을 쓸까요? `generate`의 토큰과 모두 같으면 `True`이고, 그다음은 쓴 글입니다.
# %% [markdown] lang="en"
# Does it write the same text? `True` if all tokens are those of `generate`; then the text.
# %% id="same-text" tags=["C34"]
decoder = Decoder.from_model(model)
llm = packed or decoder
ids = tokenizer("Once upon a time", return_tensors="pt").input_ids
new = list(llm.tokens(ids, 8))
print(new == library_writes(model, ids, 8), repr(tokenizer.decode(new)))
# %% [markdown] lang="ko"
# 그리고 얼마나 빠를까요? 레슨 08의 마지막 디코더와 나란히 잽니다. 파선은 그 레슨의 상한, 곧 **float32** 가중치를 모두
# 한 번씩 읽는 시간입니다.
# %% [markdown] lang="en"
# And how fast? Time it beside the last decoder of lesson 08. The dashed line is the ceiling of that lesson: the time to
# read every **float32** weight once.
# %% id="speeds" lang="ko" tags=["nbval-ignore-output", "slide", "C34"]
ways = {"레슨 08의 디코더": decoder.tokens}
if packed:
    ways["4비트"] = packed.tokens
speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=4, rounds=2)
speeds_picture(speeds)
# %% id="speeds" lang="en" tags=["nbval-ignore-output", "slide", "C34"]
ways = {"lesson 08's decoder": decoder.tokens}
if packed:
    ways["4 bits"] = packed.tokens
speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=4, rounds=2)
speeds_picture(speeds)
# %% [markdown] lang="ko"
# 막대가 상한을 넘습니다. 상한은 그 바이트의 상한이지 모델의 상한이 아니었습니다. 다른 프로그램이 바쁘면 이 셀을 다시
# 실행하세요.
#
# ## 정말로 반올림하면
#
# 여기까지는 잃은 것이 없습니다. 가중치가 이미 4비트였기 때문입니다. 그렇다면 처음 4비트로 만들 때는 무엇을
# 잃었을까요? 그 원본은 우리에게 없지만, 지금의 가중치를 다시 양자화해 볼 수 있습니다.
# %% [markdown] lang="en"
# The bar passes the ceiling. It was the ceiling of those bytes, not of the model. If other programs are busy, run the
# cell again.
#
# ## When it really is rounding
#
# Nothing has been lost so far, because the weights were 4 bits already. What was lost when they were made so? We do not
# have the original, but we can quantise the weights that we have once more.
# %% id="question-b"
rounding_question = Question("9.b")
rounding_question
# %% [markdown] lang="ko" question="9.b"
# 이 모델의 float32 가중치를 블록마다 가장 작은 값과 가장 큰 값 사이에서 4비트로 다시 양자화합니다. 글은 얼마나
# 나빠질까요?
#
# - [x] 전혀. 값이 이미 그 16가지 위에 있다
# - [ ] 조금. 반올림할 때마다 조금씩 잃는다
#   - 반올림은 값이 눈금 사이에 있을 때 잃습니다. 이 가중치가 놓인 눈금을 위에서 보았습니다.
# - [ ] 많이. 32비트가 4비트가 된다
#   - 비트가 32개여도 블록 안의 값은 많아야 16가지였습니다. 나머지 28비트는 아무것도 더 말하지 않았습니다.
#
# 눈금 위에 있는 값을 같은 눈금으로 반올림하면 그대로입니다. 3비트가 되면 눈금이 8개뿐이라 비로소 움직입니다.
# %% [markdown] lang="en" question="9.b"
# Quantise the float32 weights of this model to 4 bits again, from the lowest to the highest value of each block. How much
# worse does the model get?
#
# - [x] not at all: the values stand on those 16 already
# - [ ] a little: every rounding loses a little
#   - Rounding loses where a value stands between two marks. You have seen on which marks these stand.
# - [ ] much: 32 bits become 4
#   - With all its 32 bits, a block had 16 values at most. The other 28 bits said nothing more.
#
# Round a value that stands on a mark, by the same marks, and it stays. With 3 bits there are only 8 marks, and then
# weights begin to move.
# %% id="question-b-answered" tags=["solution"]
rounding_question.answer(1)
# %% [markdown] lang="ko"
# ### 연습 9.3 · 양자화하기
#
# 블록(float `[…, 32]`)을 `bits`비트로 양자화해 `(d, m, q)`를 반환하세요. `m`은 블록의 가장 작은 값(`[…, 1]`),
# `d`는 눈금 사이의 간격(`[…, 1]`), `q`(float `[…, 32]`)는 가장 가까운 눈금의 번호, 0부터 `2**bits - 1`까지의
# 정수입니다. 블록의 값이 모두 같을 때 `nan`이 나오지 않게 하세요.
# %% [markdown] lang="en"
# ### Exercise 9.3 · Quantise
#
# Quantise blocks (float `[…, 32]`) to `bits` bits and return `(d, m, q)`: `m` is the lowest value of a block
# (`[…, 1]`), `d` the step from one mark to the next (`[…, 1]`), and `q` (float `[…, 32]`) the number of the nearest
# mark, whole numbers from 0 to `2**bits - 1`. Where all values of a block are equal, there must be no `nan`.
# %% id="ex-9-3"
def quantise(block, bits):
    """(d, m, q), block ≈ d * q + m이 되도록.  block: float [..., 32]."""
    """Return (d, m, q) so that block ≈ d * q + m.  block: float [..., 32]."""
    # BEGIN SOLUTION
    m = block.amin(dim=-1, keepdim=True)
    d = (block.amax(dim=-1, keepdim=True) - m) / (2**bits - 1)
    q = ((block - m) / d.clamp(min=1e-12)).round()
    return d, m, q
    # END SOLUTION


# %% id="check-9-3" kind="implement" difficulty=3 minutes=9
Exercise("9.3").check(quantise)
# %% [markdown] lang="ko" hints="9.3"
# 1. 눈금이 `2**bits`개면 간격은 `2**bits - 1`개입니다. `block.amin(dim=-1, keepdim=True)`이 `m`입니다.
# 2. `d`는 (가장 큰 값 - `m`) / (`2**bits - 1`), `q`는 `((block - m) / d).round()`입니다.
# 3. 값이 모두 같으면 `d`가 0이라 0 / 0이 됩니다. `d.clamp(min=1e-12)`로 나누면 `q`가 0이 됩니다.
# %% [markdown] lang="en" hints="9.3"
# 1. With `2**bits` marks there are `2**bits - 1` steps. `m` is `block.amin(dim=-1, keepdim=True)`.
# 2. `d` is (highest - `m`) / (`2**bits - 1`), and `q` is `((block - m) / d).round()`.
# 3. Where all values are equal, `d` is 0, which makes 0 / 0. Divided by `d.clamp(min=1e-12)`, `q` is 0.
# %% [markdown] lang="ko"
# 가장 가까운 눈금으로 반올림하니 어느 값도 `d / 2`보다 많이 움직이지 않습니다. 첫 블록에서 비트마다 가장 많이 움직인
# 거리를 `d`로 나눈 것입니다. 8비트와 4비트에서는 전혀 움직이지 않습니다.
# %% [markdown] lang="en"
# Rounded to the nearest mark, no value moves by more than `d / 2`. For each number of bits: how far the value that
# moved most has moved in the first block, in steps `d`. With 8 and with 4 bits none moves at all.
# %% id="use-9-3"
from course.my_llm import quantise

for bits in (8, 4, 3, 2):
    d, m, q = quantise(first, bits)
    print(bits, f"{((d * q + m - first).abs().max() / d).item():.2f}")
# %% [markdown] lang="ko"
# 이제 글에서 잽니다. 층 30개의 `down_proj`를, 곧 층에 든 가중치의 4분의 1을 반올림하고 「이상한 나라의 앨리스」의 처음
# 48토큰에서 손실을 잽니다. 손실은 레슨 04에서 보았습니다. 낮을수록 다음 토큰을 잘 맞힌 것입니다. 첫 줄은 받은 그대로의 모델입니다.
# %% [markdown] lang="en"
# Now on a text. Round `down_proj` in all 30 layers, a quarter of the weights in them, and take the loss over the first 48
# tokens of “Alice in Wonderland”. You have met the loss in lesson 04: the lower, the better the next token was foreseen. The first line is
# the model as it came.
# %% id="losses" tags=["C34", "slide"]
alice = files("course").joinpath("data/alice.txt").read_text(encoding="utf-8")
alice_ids = tokenizer(alice[:2000], return_tensors="pt").input_ids[:, :48]
layers = [layer.mlp.down_proj for layer in model.model.layers]
shipped = [layer.weight.clone() for layer in layers]


def loss_now():
    return f"{loss_by_position(model(alice_ids).logits, alice_ids).mean():.2f}"


print("float32", loss_now())
try:
    for bits in (8, 4, 3, 2):
        for layer, weights in zip(layers, shipped):
            d, m, q = quantise(weights.reshape(-1, 32), bits)
            layer.weight.copy_((d * q + m).view(weights.shape))
        print(f"{bits} bits", loss_now())
finally:  # as they were, whatever happens
    for layer, weights in zip(layers, shipped):
        layer.weight.copy_(weights)
# %% [markdown] lang="ko"
# 8비트와 4비트에서는 손실이 그대로이고, 3비트에서 눈에 띄게 나빠지고, 2비트에서는 모델이 무너집니다. 더 적은 비트로도
# 버티려면 가장 가까운 눈금이 아니라 **출력이 가장 덜 변하는** 눈금을 골라야 합니다.
# [GPTQ (Frantar 외, 2022)](https://arxiv.org/abs/2210.17323)가 그렇게 합니다.
#
# ## 쉬어 가기: 같은 글, 6분의 1의 바이트
#
# 바이트 이야기는 여기까지입니다. 저장하고 멈춰도 됩니다. 돌아오면 이 셀을 누르고, *실행* 메뉴에서 *위의 모든 셀
# 실행*을 고르세요.
#
# ## 여러 글을 한꺼번에
#
# 가중치를 한 번 읽어 글 하나에만 쓰는 것은 아깝습니다. 글 여덟을 한 번에 계산하면 한 번 읽은 가중치를 여덟 번 씁니다.
# 그런데 글마다 길이가 다릅니다. 텐서 하나에 담으려면 짧은 글에 **패딩**을 넣어야 합니다.
# %% [markdown] lang="en"
# With 8 and with 4 bits the loss stays as it is, with 3 bits the model is clearly worse, and with 2 it falls apart. To
# get by with fewer bits, one has to choose not the nearest mark but that which **changes the output least**, as
# [GPTQ (Frantar et al., 2022)](https://arxiv.org/abs/2210.17323) does.
#
# ## A place to stop: the same text from a sixth of the bytes
#
# That was about bytes, and you can save and stop here. When you are back, click on this cell and choose *Run All Above
# Selected Cell* in the menu *Run*.
#
# ## More texts at once
#
# To read all weights and use them for one text is a waste. Eight texts in one pass use what was read eight times. But
# texts differ in length: for one tensor, the short ones need **padding**.
# %% id="question-c"
padding_question = Question("9.c")
padding_question
# %% [markdown] lang="ko" question="9.c"
# 길이가 5와 3인 두 글을 한 텐서에 담고 함께 이어 씁니다. 짧은 글의 패딩 두 개는 어디에 넣어야 할까요?
#
# - [ ] 뒤(오른쪽). 글은 0번 위치에서 시작해야 한다
#   - 위치는 따로 줄 수 있습니다. 오른쪽에 넣으면 다음 토큰을 말해 줄 마지막 열이 짧은 글에서는 패딩입니다.
# - [x] 앞(왼쪽). 그러면 모든 글이 같은 열에서 끝난다
# - [ ] 어디든 같다. 마스크가 가린다
#   - 마스크는 패딩을 보지 못하게 할 뿐입니다. 새 토큰이 어느 열에 붙는지는 바뀌지 않습니다.
#
# 다음 토큰은 마지막 열의 로짓에서 나오고, 새 토큰은 모든 글에서 같은 열에 붙습니다. 그러니 글의 끝을 맞춥니다. 위치와
# 마스크가 나머지를 맡습니다.
# %% [markdown] lang="en" question="9.c"
# Two texts of 5 and of 3 tokens go into one tensor, and both are continued. Where do the two pads of the shorter text
# belong?
#
# - [ ] behind it, on the right: a text has to start at position 0
#   - Positions can be given separately. With pads on the right, the last column, which foretells the next token, is a
#     pad in the shorter text.
# - [x] before it, on the left: then all texts end in the same column
# - [ ] anywhere: the mask hides them
#   - The mask only keeps pads from being looked at. It does not change the column where new tokens are put.
#
# The next token comes from the logits of the last column, and new tokens are put into one column for all texts. So
# texts are lined up at their ends; positions and mask do the rest.
# %% id="question-c-answered" tags=["solution"]
padding_question.answer(2)
# %% [markdown] lang="ko"
# ### 연습 9.4 · 나란히 놓인 글들의 위치
#
# 글들의 길이를 받아 `(positions, mask)`를 반환하세요. 둘 다 `[text, longest]`입니다. 왼쪽에 패딩이 있고, 각 글의
# 첫 토큰은 **0번** 위치입니다. 패딩의 위치는 0으로 두세요. `mask`(bool)는 진짜 토큰이 있는 곳에서 `True`입니다.
# %% [markdown] lang="en"
# ### Exercise 9.4 · Positions of texts side by side
#
# Take the lengths of several texts and return `(positions, mask)`, both `[text, longest]`. The padding is on the
# left, and the first token of each text is at position **0**. Give the pads the position 0. `mask` (bool) is `True`
# where there is a real token.
# %% id="ex-9-4"
def batch_places(lengths):
    """(positions, mask): int64, bool [text, longest].  lengths: int의 리스트."""
    """Return (positions, mask): int64, bool [text, longest].  lengths: a list of int."""
    # BEGIN SOLUTION
    longest = max(lengths)
    pads = longest - torch.tensor(lengths)[:, None]
    places = torch.arange(longest) - pads
    return places.clamp(min=0), places >= 0
    # END SOLUTION


# %% id="check-9-4" kind="implement" difficulty=2 minutes=8
Exercise("9.4").check(batch_places)
# %% [markdown] lang="ko" hints="9.4"
# 1. 글의 패딩은 `max(lengths) - length`개입니다. 열의 번호에서 그만큼 빼면 글 안의 위치가 됩니다.
# 2. `torch.arange(longest) - pads`에서 `pads`가 `[text, 1]`이면 결과는 `[text, longest]`입니다.
# 3. 음수는 패딩입니다. `places >= 0`이 마스크, `places.clamp(min=0)`이 위치입니다.
# %% [markdown] lang="en" hints="9.4"
# 1. A text has `max(lengths) - length` pads. A column's number less these is the position in the text.
# 2. `torch.arange(longest) - pads` is `[text, longest]` if `pads` is `[text, 1]`.
# 3. Negative numbers are pads: `places >= 0` is the mask, `places.clamp(min=0)` the positions.
# %% [markdown] lang="ko"
# 이제 글 셋을 함께 씁니다. 캐시도 하나입니다. 한 단계가 지날 때마다 모든 글에 열이 하나씩 붙습니다. 마지막 줄은 글마다
# 혼자 썼을 때와 같은지입니다.
# %% [markdown] lang="en"
# Now three texts are written together, with one cache. Each step adds one column to all of them. The last line says
# whether each text is what it would be if it were written alone.
# %% id="together" tags=["C35"]
from course.my_llm import batch_places


def write_together(prompts, new_tokens):
    positions, mask = batch_places([len(prompt) for prompt in prompts])
    ids = torch.tensor([[0] * (mask.shape[1] - len(prompt)) + prompt for prompt in prompts])
    cache, written = DynamicCache(), []
    for _step in range(new_tokens):
        places = {"attention_mask": mask.long(), "position_ids": positions}
        logits = model(ids, **places, past_key_values=cache, logits_to_keep=1).logits
        ids = logits[:, -1:].argmax(dim=-1)
        written.append(ids)
        positions, mask = positions[:, -1:] + 1, pad(mask, (0, 1), value=True)
    return torch.cat(written, dim=1).tolist()


prompts = [tokenizer(text).input_ids for text in ("Once upon a time", "The sky is", "1, 2, 3, 4,")]
together = write_together(prompts, 5)
for new in together:
    print(repr(tokenizer.decode(new)))
print([new == list(llm.tokens(torch.tensor([p]), 5)) for p, new in zip(prompts, together)])
# %% [markdown] lang="ko"
# 얼마나 이득일까요? 글의 수를 늘리며 한 단계의 시간을 잽니다. 왼쪽은 모든 글을 합친 초당 토큰 수(**처리량**), 오른쪽은
# 글 하나가 다음 토큰을 기다리는 시간(**지연 시간**)입니다.
# %% [markdown] lang="en"
# How much does it gain? Time one step with more and more texts. On the left are the tokens per second of all texts
# together, the **throughput**; on the right is how long each text waits for its next token, the **latency**.
# %% id="batch-times" tags=["nbval-ignore-output", "C35", "slide"]
batch_times = measure_batches(model)
batch_times_picture(batch_times)
# %% [markdown] lang="ko"
# 처리량은 글의 수와 함께 늘지만 그만큼 늘지는 않고, 기다리는 시간도 길어집니다. 서비스는 둘 사이에서 고릅니다.
#
# 그럼 4비트와 배치를 함께 쓰면 이득이 **곱해질까요**? 한 층에 하나씩 있는 `down_proj` 30개를 벡터 1, 4, 16개와
# 곱합니다. 각 줄은 벡터의 수와, 4비트가 float32보다 몇 배 빠른지입니다.
# %% [markdown] lang="en"
# Throughput grows with the number of texts, though not as fast as they do, and so does the waiting. Whoever runs a
# service chooses between the two.
#
# So do 4 bits and batches **multiply**? Multiply the 30 matrices `down_proj`, one of each layer, by 1, 4 and 16
# vectors. Each line is the number of vectors, and how many times as fast as float32 the 4 bits are.
# %% id="not-multiplied" tags=["nbval-ignore-output"]
def packed_downs(inputs):
    return [block.down.times(inputs) for block in packed.blocks]


downs = [layer.mlp.down_proj.weight for layer in model.model.layers]
for vectors in (1, 4, 16) if packed else ():
    inputs = np.ones((vectors, 1536), np.float32)
    plain = spent(multiplying(downs, vectors), model.device)
    ours = spent(partial(packed_downs, inputs), model.device)
    print(vectors, f"{plain.seconds / ours.seconds:.1f}")
# %% [markdown] lang="ko"
# 곱해지지 않습니다. 글 하나일 때는 읽기가 한계라 바이트가 줄면 빨라집니다. 글이 많으면 **산술**이 한계이고, 곱셈의 수는
# 4비트든 32비트든 같습니다. 오히려 푸는 일이 더 있습니다.
#
# ### 끝난 자리에 다음 글을
#
# 글은 제각각 끝납니다. 가장 긴 글을 기다리면 자리가 빕니다. 끝난 자리에 곧바로 다음 글을 넣는 것이 **연속 배치**입니다.
# 자리 셋에 글 여섯을 쓰는 시간표를 두 가지로 그려 봅니다. 열 하나가 정방향 계산 한 번, 점은 빈자리입니다.
# %% [markdown] lang="en"
# They do not. With one text, reading is the limit, and fewer bytes help. With many, **arithmetic** is the limit, and
# there are as many multiplications with 4 bits as with 32, and the unpacking besides.
#
# ### The next text takes the seat
#
# Texts end at different times, and while one waits for the longest, seats are empty. To put the next text into a seat
# as soon as it is free is called **continuous batching**. Here are both timetables of six texts on three seats. A column
# is one forward pass, a dot an empty seat.
# %% id="timetable" tags=["C35", "slide"]
def timetable(lengths, seats, continuous):
    waiting, rows = list(lengths.items()), [""] * seats
    sitting = [None] * seats
    while waiting or any(sitting):
        if continuous or not any(sitting):
            sitting = [text or (waiting.pop(0) if waiting else None) for text in sitting]
        rows = [row + (text[0] if text else "·") for row, text in zip(rows, sitting)]
        sitting = [(text[0], text[1] - 1) if text and text[1] > 1 else None for text in sitting]
    return rows


tokens_to_write = {"A": 3, "B": 12, "C": 5, "D": 7, "E": 2, "F": 8}
for continuous in (False, True):
    rows = timetable(tokens_to_write, 3, continuous)
    print("\n".join(rows), len(rows[0]), "\n")
# %% [markdown] lang="ko"
# 같은 글 여섯을 20번이 아니라 15번의 계산으로 씁니다. 글이 많고 길이가 들쭉날쭉할수록 차이가 커집니다.
# [Orca (Yu 외, 2022)](https://www.usenix.org/conference/osdi22/presentation/yu)
#
# ## 한 번에 여러 토큰
#
# 글이 하나뿐이면 배치를 할 수 없습니다. 그러나 정방향 계산은 한 번에 여러 **위치**를 계산할 수 있습니다(레슨 04). 다음
# 토큰 몇 개를 미리 안다면 한 번에 넣고 맞는지 **확인**할 수 있습니다. 확인은 쓰기보다 쌉니다. 가중치를 한 번만 읽으니까요.
#
# 어떻게 미리 알까요? 추측하면 됩니다. 가장 단순한 추측은 **프롬프트 룩업**입니다. 글의 마지막 몇 토큰이 앞에도 나왔다면,
# 그때 뒤따른 토큰이 이번에도 뒤따른다고 보는 것입니다.
# %% [markdown] lang="en"
# The same six texts take 15 passes, not 20. With more texts, and lengths that differ more, the gain grows.
# [Orca (Yu et al., 2022)](https://www.usenix.org/conference/osdi22/presentation/yu)
#
# ## More tokens a pass
#
# With a single text there is no batch. But one forward pass can compute several **positions** (lesson 04). If the next few
# tokens were known, they could go in at once and be **checked**. To check is cheaper than to write, because the weights
# are read only once.
#
# How can they be known? By guessing. The simplest guess is **prompt lookup**: if the last few tokens of the text have
# stood in it before, what followed them then is the guess for now.
# %% id="question-d"
exact_question = Question("9.d")
exact_question
# %% [markdown] lang="ko" question="9.d"
# 추측은 자주 틀립니다. 그래도 추측을 확인하며 탐욕적 검색으로 쓴 글은 하나씩 쓴 글과 어떻게 다를까요?
#
# - [ ] 추측에 끌려 조금 달라진다
#   - 추측은 모델이 그 자리에서 스스로 골랐을 토큰일 때만 남습니다. 달라질 틈이 어디에 있을까요?
# - [x] 같다. 맞은 추측만 남기고, 그다음은 모델이 고른다
# - [ ] 맞은 것이 많으면 같고, 틀린 것이 많으면 다르다
#   - 틀린 추측은 버리고 그 자리에 모델의 토큰을 씁니다. 틀린 것이 많으면 느려질 뿐입니다.
#
# 추측 앞의 토큰이 모두 맞았다면 그 위치의 로짓은 하나씩 쓸 때의 로짓입니다. 그 1등과 다른 추측부터는 모두 버립니다.
# %% [markdown] lang="en" question="9.d"
# Guesses are often wrong. How does a text that is written by greedy search with guesses, which are checked, differ from one that
# is written token by token?
#
# - [ ] a little: guesses pull it their way
#   - A guess stays only where it is the token that the model itself would have picked. Where could a difference come
#     from?
# - [x] not at all: right guesses stay, and then the model picks
# - [ ] not if most are right; if most are wrong, it does
#   - Wrong guesses are thrown away, and the model's own token is written there. With many of them it only gets slower.
#
# Where all tokens before a position are right, its logits are those of writing token by token. From the first guess on
# that is not their top token, all are thrown away.
# %% id="question-d-answered" tags=["solution"]
exact_question.answer(2)
# %% [markdown] lang="ko"
# ### 연습 9.5 · 앞에서 찾아보기
#
# `ids`(int의 리스트)의 마지막 `n`개가 **앞에서** 마지막으로 나온 곳을 찾아, 그 뒤를 따른 id를 많아야 `k`개 반환하세요.
# 나온 적이 없으면 빈 리스트입니다. 글의 맨 끝은 언제나 자기 자신과 같으니 세지 않습니다.
# %% [markdown] lang="en"
# ### Exercise 9.5 · Look it up
#
# Find where the last `n` of `ids` (a list of int) stood **before**, the last time, and return the ids that followed, `k`
# at most. If they have not stood before, the list is empty. The very end of the text always equals itself, and
# does not count.
# %% id="ex-9-5"
def looked_up(ids, n, k):
    """앞에서 마지막 n개를 뒤따른 id, 많아야 k개(리스트).  ids: int의 리스트."""
    """Return at most k ids (a list) that followed the last n before.  ids: a list of int."""
    # BEGIN SOLUTION
    end = len(ids) - n
    for start in range(end - 1, -1, -1):
        if ids[start : start + n] == ids[end:]:
            return ids[start + n : start + n + k]
    return []
    # END SOLUTION


# %% id="check-9-5" kind="implement" difficulty=3 minutes=8
Exercise("9.5").check(looked_up)
# %% [markdown] lang="ko" hints="9.5"
# 1. 끝에서 앞으로 찾아가면 처음 만나는 것이 마지막으로 나온 곳입니다.
# 2. 시작 위치는 `len(ids) - n - 1`부터 0까지 하나씩 줄어듭니다. `range(len(ids) - n - 1, -1, -1)`입니다.
# 3. `ids[start : start + n] == ids[-n:]`이면 `ids[start + n : start + n + k]`를 반환하고, 끝까지 없으면 `[]`입니다.
# %% [markdown] lang="en" hints="9.5"
# 1. Search from the end towards the front: the first that you meet is the last time.
# 2. Starts go from `len(ids) - n - 1` down to 0: `range(len(ids) - n - 1, -1, -1)`.
# 3. Where `ids[start : start + n] == ids[-n:]`, return `ids[start + n : start + n + k]`; after the loop, `[]`.
# %% [markdown] lang="ko"
# ### 연습 9.6 · 맞은 추측
#
# 추측 `g`개(`guesses`, int의 리스트)를 글 뒤에 붙여 한 번에 계산했습니다. `logits`(`[g + 1, vocab]`)의 0행은 첫 추측
# 자리에 모델이 무엇을 쓸지, 1행은 그다음 자리에 무엇을 쓸지 말합니다. 모델이 스스로 썼을 토큰을 반환하세요. 처음
# 틀리기 **전까지의** 추측, 그리고 그 뒤에 모델의 토큰 **하나**입니다.
# %% [markdown] lang="en"
# ### Exercise 9.6 · The guesses that were right
#
# The `g` guesses (`guesses`, a list of int) were put behind the text and computed in one pass. Row 0 of `logits`
# (`[g + 1, vocab]`) says what the model writes in place of the first guess, row 1 what it writes next, and so on. Return
# the tokens that the model would have written by itself: the guesses **before** the first wrong one, and then **one**
# token of the model's own.
# %% id="ex-9-6"
def accepted(guesses, logits):
    """모델이 스스로 썼을 id(리스트).  guesses: int g개; logits: float [g + 1, vocab]."""
    """Return the ids (a list) that the model writes.  guesses: g int; logits: [g + 1, vocab]."""
    # BEGIN SOLUTION
    own, right = logits.argmax(dim=-1).tolist(), 0
    while right < len(guesses) and guesses[right] == own[right]:
        right += 1
    return own[: right + 1]
    # END SOLUTION


# %% id="check-9-6" kind="implement" difficulty=3 minutes=7
Exercise("9.6").check(accepted)
# %% [markdown] lang="ko" hints="9.6"
# 1. `own = logits.argmax(dim=-1).tolist()`는 자리마다 모델이 고르는 토큰입니다.
# 2. 앞에서부터 `guesses[i] == own[i]`인 동안 세고, 처음 틀리면 멈춥니다.
# 3. 맞은 것이 `right`개면 `own[: right + 1]`입니다. 맞은 추측은 `own`에도 있고, 하나가 더 붙습니다.
# %% [markdown] lang="en" hints="9.6"
# 1. `own = logits.argmax(dim=-1).tolist()` is what the model picks at each place.
# 2. Count from the front while `guesses[i] == own[i]`, and stop at the first that is wrong.
# 3. With `right` of them, return `own[: right + 1]`: right guesses stand in `own` as well, and there is one more.
# %% [markdown] lang="ko"
# 루프입니다. 틀린 추측의 키와 값은 캐시에 남으면 안 됩니다. 마지막 줄에서 캐시를 **되돌려 자릅니다**. 공간을 미리 잡아 둔
# 캐시라서 길이만 고치면 됩니다. `worth`는 추측할지 말지를 정하는 함수로, 조금 뒤에 씁니다.
# %% [markdown] lang="en"
# This is the loop. Keys and values of wrong guesses must not stay in the cache: the last line of the loop **cuts it
# back**. As its room was reserved, setting its length is enough. `worth` decides whether to guess, and will be used in a
# moment.
# %% id="guessing"
from course.my_llm import accepted, looked_up


def write_guessing(prompt, new_tokens, worth=None):
    """(ids, passes, checked): new ids, forward passes, and how many guesses were checked."""
    text, cache, passes, checked = list(prompt), llm.new_cache(), 0, 0
    while len(text) < len(prompt) + new_tokens:
        guesses = looked_up(text, n=1, k=8) if worth is None or worth.guess() else []
        unseen = text[cache.length :] + guesses
        logits = llm(torch.tensor([unseen]), cache)[0, -len(guesses) - 1 :]
        new = accepted(guesses, logits)
        if worth and guesses:
            worth.saw(len(new))
        text, passes, checked = text + new, passes + 1, checked + len(guesses)
        cache.length = len(text) - 1  # the last token has not been read yet
    return text[len(prompt) :][:new_tokens], passes, checked


# %% [markdown] lang="ko"
# 베껴 쓰는 글과 자유로운 글에 써 봅니다. 차례로 한 토큰씩 쓴 글과 같은지, 토큰 40개에 정방향 계산이 몇 번
# 들었는지, 추측을 몇 개나 확인했는지입니다.
# %% [markdown] lang="en"
# Try it on a text that is copied and on a free one. Each line says whether it is the text that was written token by
# token, how many forward passes 40 tokens took, and how many guesses were checked for them.
# %% id="guessed" tags=["C36", "slide"]
story = "Alice was beginning to get very tired of sitting by her sister on the bank, and of "
story += "having nothing to do."
texts = {"copy": f"Text: {story}\nThe same text again: Alice was", "free": "Once upon a time"}
prompts = {name: tokenizer(text).input_ids for name, text in texts.items()}
plain = {name: list(llm.tokens(torch.tensor([ids]), 40)) for name, ids in prompts.items()}
for name, ids in prompts.items():
    written, passes, checked = write_guessing(ids, 40)
    print(name, written == plain[name], passes, checked)
# %% [markdown] lang="ko"
# 글은 언제나 같습니다. 베낄 때는 계산 7번이면 되지만, 자유로운 글에서는 추측 53개가 모두 틀려 40번 그대로입니다. 그런데
# 추측을 확인하는 계산은 토큰 하나의 계산보다 비쌉니다. 그러니 자유로운 글에서는 **손해**입니다.
#
# 얼마나 비쌀까요? 위치 1개, 3개, 9개를 한 번에 계산하는 시간을 위치 1개의 시간으로 나누었습니다.
# %% [markdown] lang="en"
# The text is always the same. When copying, 7 passes are enough. On the free text all 53 guesses were wrong, and there are
# still 40.
# But a pass that checks guesses costs more than one for a single token, so on free text it is a **loss**.
#
# How much more? The time of a pass over 1, 3 and 9 positions, divided by that over 1.
# %% id="price" tags=["nbval-ignore-output", "C36"]
def seconds_of(run, rounds=4):
    seconds = []
    for _round in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


checking = {count: torch.tensor([prompts["copy"][:count]]) for count in (1, 3, 9)}
costs = {count: seconds_of(lambda ids=ids: llm(ids)) for count, ids in checking.items()}
print({count: round(seconds / costs[1], 1) for count, seconds in costs.items()})
# %% [markdown] lang="ko"
# 그래서 장부를 씁니다. 시작할 때 계산 한 번만큼의 돈이 있습니다. 추측을 확인하면 계산 한 번 값을 더 내고(보통은 그보다
# 쌉니다), 맞은 추측 하나마다 한 번 값을 법니다. 추측하지 않은 계산마다 0.04를 받습니다. 돈이 있을 때만 추측합니다. 그러면
# 아무리 틀려도 추가로 드는 것은 계산 스물다섯 번에 한 번, 4%를 넘지 않습니다. 마지막 수가 줄었는지 보세요.
# %% [markdown] lang="en"
# So keep an account. At the start it holds the price of one pass. To check guesses costs one pass more (usually it is
# cheaper), and each right guess earns one. Each pass without guesses is given 0.04. Guess only while there is money.
# Then, however wrong the guesses are, what they cost on top is one pass in twenty-five, 4 %, once the first is spent. Look
# at the last number: has it become smaller?
# %% id="account" tags=["C36"]
class Account:
    def __init__(self):
        self.passes = 1.0

    def guess(self):
        if self.passes >= 1:
            return True
        self.passes += 0.04
        return False

    def saw(self, written):
        self.passes += written - 2  # the pass is paid for; one token would have come anyway


for name, ids in prompts.items():
    written, passes, checked = write_guessing(ids, 40, Account())
    print(name, written == plain[name], passes, checked)
# %% [markdown] lang="ko"
# 시계로 잽니다. 각 줄은 추측 없이 쓸 때보다 몇 배 빠른지입니다. 왼쪽은 언제나 추측할 때, 오른쪽은 장부를 쓸 때입니다.
# 어느 쪽이 1보다 작은가요?
# %% [markdown] lang="en"
# And by the clock: how many times as fast as without guesses, always guessing on the left, with the account on the
# right. Which are below 1?
# %% id="guess-times" tags=["nbval-ignore-output", "C36"]
for name, ids in prompts.items():
    alone = seconds_of(lambda ids=ids: list(llm.tokens(torch.tensor([ids]), 16)), rounds=2)
    always = seconds_of(lambda ids=ids: write_guessing(ids, 16), rounds=2)
    account = seconds_of(lambda ids=ids: write_guessing(ids, 16, Account()), rounds=2)
    print(name, f"{alone / always:.1f}", f"{alone / account:.1f}")
# %% [markdown] lang="ko"
# 추측을 작은 모델에게 시키면 자유로운 글에서도 맞을 때가 많습니다. 그것이 **추측 디코딩**입니다.
# [Leviathan 외, 2022](https://arxiv.org/abs/2211.17192)
#
# ## 바이트로 얻는 속도
#
# 지금까지의 모든 것을 나눗셈 하나가 말해 줍니다. 정방향 계산 한 번에 모든 가중치를 한 번 읽고, 글마다 토큰 하나가
# 나옵니다.
#
# ### 연습 9.7 · 많아야 몇 토큰
#
# 매개변수의 수, 가중치 하나의 비트 수, 1초에 읽는 바이트 수(`bandwidth`), 함께 쓰는 글의 수(`texts`)를 받아, 1초에
# 모두 합쳐 많아야 몇 토큰을 쓸 수 있는지 반환하세요(float). 읽는 시간만 셉니다.
# %% [markdown] lang="en"
# Let a small model make the guesses, and many are right on free text, too: that is **speculative decoding**.
# [Leviathan et al., 2022](https://arxiv.org/abs/2211.17192)
#
# ## What the bytes buy
#
# One division tells most of this lesson. Each forward pass reads all weights once, and gives one token for each text.
#
# ### Exercise 9.7 · How many tokens at most
#
# Take the number of parameters, the bits of a weight, the bytes that are read in a second (`bandwidth`), and how many
# texts are written together (`texts`). Return how many tokens can be written in a second at most, all texts together
# (a float). Count only the time to read.
# %% id="ex-9-7"
def most_tokens(parameters, bits, bandwidth, texts):
    """1초에 많아야 몇 토큰(float).  bandwidth: 초당 바이트."""
    """Return the most tokens a second (float).  bandwidth: bytes a second."""
    # BEGIN SOLUTION
    return texts * bandwidth / (parameters * bits / 8)
    # END SOLUTION


# %% id="check-9-7" kind="implement" difficulty=1 minutes=4
Exercise("9.7").check(most_tokens)
# %% [markdown] lang="ko" hints="9.7"
# 1. 가중치는 `parameters * bits / 8`바이트입니다. 8비트가 1바이트입니다.
# 2. 한 번 읽는 데 `bytes / bandwidth`초가 걸리니, 1초에 `bandwidth / bytes`번 읽습니다.
# 3. 한 번 읽을 때 글마다 토큰 하나입니다. `texts`를 곱하세요.
# %% [markdown] lang="en" hints="9.7"
# 1. The weights are `parameters * bits / 8` bytes: 8 bits make a byte.
# 2. Reading them takes `bytes / bandwidth` seconds, so they are read `bandwidth / bytes` times a second.
# 3. Each time, every text gets one token: multiply by `texts`.
# %% [markdown] lang="ko"
# 이 컴퓨터가 1초에 몇 바이트를 읽는지, 몇 번 곱하고 더하는지 재고, 탐색기에 공개된 기계들과 나란히 놓습니다. 동그라미는
# 예측한 상한, 별은 위에서 이 컴퓨터로 **잰** 속도입니다. 파선은 읽기만 세는 상한입니다. 산술까지 세면 그 아래로
# 내려갑니다. 속이 빈 동그라미는 메모리에 들어가지 않는 기계입니다. 기계를 눌러도 됩니다.
#
# 비트를 32에서 4로 바꿔 보세요. 글의 수를 늘려 보세요. 이 컴퓨터에서는 언제 산술이 한계가 되나요? H100에서는요?
# %% [markdown] lang="en"
# Measure how many bytes this machine reads in a second, and how often it multiplies and adds, and put it beside machines
# whose figures are published. Circles are the predicted limits, a star is what was **measured** on this machine above. The
# dashed line counts reading alone; where arithmetic takes longer, the circle is below it. An empty circle is a machine whose
# memory is too small. You may click on a machine.
#
# Change the bits from 32 to 4, and then the number of texts. When does arithmetic become the limit on this machine?
# And on an H100?
# %% id="explorer" lang="ko" tags=["nbval-ignore-output", "C37", "slide"]
speeds_here = {("SmolLM2-135M", 32, 1): speeds.ways[0][1]}
if packed:
    speeds_here["SmolLM2-135M", 4, 1] = speeds.ways[1][1]
for texts, tokens in zip(batch_times.texts[1:], batch_times.tokens_a_second()[1:]):
    speeds_here["SmolLM2-135M", 32, texts] = tokens
mine = measure_machine("이 컴퓨터", decoder.matrices())
limits = SpeedLimitExplorer(mine, speeds_here)
limits
# %% id="explorer" lang="en" tags=["nbval-ignore-output", "C37", "slide"]
speeds_here = {("SmolLM2-135M", 32, 1): speeds.ways[0][1]}
if packed:
    speeds_here["SmolLM2-135M", 4, 1] = speeds.ways[1][1]
for texts, tokens in zip(batch_times.texts[1:], batch_times.tokens_a_second()[1:]):
    speeds_here["SmolLM2-135M", 32, texts] = tokens
mine = measure_machine("this machine", decoder.matrices())
limits = SpeedLimitExplorer(mine, speeds_here)
limits
# %% [markdown] lang="ko"
# ### 연습 9.8 · 남은 메모리
#
# 바이트를 줄이면 자리도 남습니다. 탐색기에서 Llama-3-70B를 4비트로 `NVIDIA H100 SXM`에 올립니다. 글은 하나에
# 1024토큰씩입니다. 메모리에 들어가는 **가장 많은** 글의 수를 탐색기의 막대에서 찾으세요. 8비트일 때와 견주어 보세요.
# %% [markdown] lang="en"
# ### Exercise 9.8 · The memory that is left
#
# Fewer bytes leave room, too. In the explorer, put Llama-3-70B with 4 bits onto the `NVIDIA H100 SXM`; each text has
# 1024 tokens. Which is the **largest** number of texts on the explorer's slider that fits into its memory? Compare it with
# 8 bits.
# %% id="ex-9-8"
most_texts = 64  # SOLUTION
# %% id="check-9-8" kind="find" difficulty=1 minutes=4
Exercise("9.8").check(most_texts)
# %% [markdown] lang="ko" hints="9.8"
# 1. 기계, 모델, 비트를 먼저 고르고 글의 수를 오른쪽으로 한 칸씩 옮기세요.
# 2. "메모리에 들어가지 않습니다"가 나오기 바로 앞의 수입니다.
# 3. 가중치는 44.1GB, 글 하나의 캐시는 336MB쯤, 메모리는 80GB입니다. 남은 것을 캐시로 나누고, 막대에 있는 수로 내리세요.
# %% [markdown] lang="en" hints="9.8"
# 1. Choose the machine, the model and the bits first, then move the number of texts to the right, step by step.
# 2. It is the last number before “does not fit into memory”.
# 3. Weights are 44.1 GB, the cache of one text is some 336 MB, and there are 80 GB. Divide what is left by the cache, and
#    round down to a number of the slider.
# %% [markdown] lang="ko"
# 바이트를 반으로 줄였더니 글의 수는 8배가 됩니다. 서비스에서 양자화가 버는 것은 속도만이 아니라 이 자리이기도 합니다.
# 탐색기로 확인하세요. 처음은 8비트에 글 8개, 다음은 4비트에 글 64개입니다.
# %% [markdown] lang="en"
# With fewer bytes for the weights, eight times as many texts fit: in a service quantisation buys not only speed but
# these seats. Check it with the explorer: first 8 texts with 8 bits, then 64 with 4.
# %% id="seats" tags=["C37"]
limits.set(machine="NVIDIA H100 SXM", model="Llama-3-70B", bits=8, texts=8)
print(limits)
limits.set(bits=4, texts=64)
print(limits)
# %% [markdown] lang="ko"
# ## 정리
#
# - 글 하나를 쓸 때는 읽는 바이트가 속도를 정합니다. 이 모델의 가중치는 블록마다 값이 16가지뿐이라, 4비트로 읽어도 같은
#   글이 나옵니다.
# - 더 적은 비트로 반올림하면 잃습니다. 3비트부터 눈에 띕니다.
# - 여러 글을 함께 쓰면 한 번 읽은 가중치를 여러 번 씁니다. 처리량은 늘고, 각자 기다리는 시간도 늡니다. 산술이 한계가 되면
#   바이트를 줄여도 더 빨라지지 않습니다.
# - 추측하고 확인하면 글은 그대로이고 계산의 수가 줄어듭니다. 베낄 때 벌고, 자유로운 글에서는 꺼야 합니다.
# - 크기, 비트, 대역폭이면 속도를 미리 계산할 수 있습니다.
#
# **지금까지 만든 것:** 글자에서 토큰까지, 그리고 상한 너머까지, LLM 하나.
#
# **이제 강좌 밖으로:** 다른 모델을 열어 보고, 논문의 아이디어를 `my_llm.py`에서 시험해 보세요.
# %% [markdown] lang="en"
# ## What you know now
#
# - When one text is written, the bytes that are read set the speed. In this model a block has only 16 values, so reading
#   4 bits gives the same text.
# - Rounding to fewer bits loses: from 3 bits on one notices.
# - Several texts together use what was read several times. Throughput grows, and so does each one's waiting. Once arithmetic
#   is the limit, fewer bytes do not help any more.
# - Guess and check: the text stays the same, and there are fewer passes. It gains when copying; on free text it has to
#   be switched off.
# - Size, bits and bandwidth foretell the speed.
#
# **What you have built so far:** one LLM, from letters to tokens and beyond the ceiling.
#
# **Beyond the course:** open another model, and try the idea of a paper in your `my_llm.py`.
