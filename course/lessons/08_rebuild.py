# %% [markdown] lang="ko"
# # 08 · 내가 만든 부품으로 모델 다시 조립하기
#
# **이 레슨을 마치면** 지금까지 만든 부품으로 진짜 LLM을 조립하고, 라이브러리와 같은 글을 쓰는지 증명하고,
# 라이브러리보다 빠르게 만들고, 어디가 한계인지 설명할 수 있습니다.
#
# **75분** = 읽고 실행하기 25분 + 연습 문제 50분 · 노트에는 없는 절입니다. 노트의 모든 절을 한데 모읍니다.
# %% [markdown] lang="en"
# # 08 · Rebuilding the model from your own parts
#
# **After this lesson you will be able to** assemble a real LLM from the parts you have built, prove that it
# writes what the library writes, make it faster than the library, and explain where its limit is.
#
# **75 minutes** = 25 to read and run + 50 for the exercises · It mirrors no single section of the notes: it
# brings all of them together.
# %% id="language" lang="ko"
from utils.language import use_language

use_language("ko")
# %% id="language" lang="en"
from utils.language import use_language

use_language("en")
# %% id="map"
from course.map import course_map

course_map("08")
# %% id="imports"
import torch
from torch.nn.functional import scaled_dot_product_attention, silu

from course.exercise import Exercise, Question
from course.my_llm import my_llm, whose_code
from utils.decoder import Decoder
from utils.decoder_speed import library_writes, measure_speeds, seconds_to_read
from utils.figures.timing import speeds_picture
from utils.model import load_model

# %% [markdown] lang="ko"
# ## 누구의 코드인가
#
# 통과한 연습 문제의 코드는 이 노트북 옆의 `my_llm.py`에 모여 있습니다. `course.my_llm`에서 부품을 가져오면,
# 통과한 것은 **내 코드**가, 건너뛴 것은 과정의 코드가 옵니다. 이름은 같으니 아래의 셀은 어느 쪽이든 돌아갑니다.
# 어느 부품이 누구의 것인지 보세요. 건너뛴 것을 지금 풀고 돌아와도 좋습니다.
# %% [markdown] lang="en"
# ## Whose code?
#
# Whatever passed its exercise has been gathered in `my_llm.py`, beside this notebook. A part imported from
# `course.my_llm` is **your code** if you passed its exercise, and the course's if you skipped it. The names are
# the same, so the cells below run either way. See whose each part is. You may go and solve one now.
# %% id="parts"
from course.my_llm import KVCache, apply_temperature, block, causal_mask, embed, feed_forward, greedy
from course.my_llm import attention_scores, attention_weights, combine, merge_heads, repeat_kv, rotary
from course.my_llm import lm_head, rms_norm, sample, split_heads, stream_text, top_p_filter

print(whose_code())
# %% [markdown] lang="ko"
# ## 모델에서 가져오는 것은 숫자뿐
#
# 모델의 코드는 한 줄도 쓰지 않습니다. 가져오는 것은 훈련된 텐서뿐입니다. 블록 하나에는 텐서가 아홉 개
# 있습니다. 이름을 보면서 어느 부품이 무엇을 쓸지 짚어 보세요. 아래 두 숫자는 텐서의 총수와, 그 크기(MB)입니다.
#
# 여기서는 GPU가 있어도 CPU에서 계산합니다. 우리 부품을 CPU에 맞추어 작성했기 때문입니다.
# %% [markdown] lang="en"
# ## From the model, numbers and nothing else
#
# Not a line of the model's code will be used, only its trained tensors. One block has nine. Read their names,
# and tell which part will use which. The two numbers below them: how many tensors there are in all, and their
# size in MB.
#
# Everything here runs on the CPU, even where there is a GPU, because that is what the parts were written for.
# %% id="load" tags=["slide"]
model, tokenizer = load_model("smollm2", device="cpu")
for name, tensor in model.model.layers[0].named_parameters():
    print(f"{name:32} {list(tensor.shape)}")
tensors = list(model.parameters())
print(len(tensors), round(sum(t.nbytes for t in tensors) / 1e6))
# %% [markdown] lang="ko"
# ## 새 토큰의 자리
#
# 부품을 조립하려면 하나를 더 정해야 합니다. 캐시를 쓰면 토큰이 하나씩 들어옵니다. 그 토큰은 어디에 서 있는
# 것일까요?
# %% [markdown] lang="en"
# ## Where a new token stands
#
# One more thing has to be settled before the parts fit together. With the cache, tokens come in one by one.
# Where does such a token stand?
# %% id="question-a"
place_question = Question("8.a")
place_question
# %% id="question-a-answered" tags=["solution"]
place_question.answer(2)
# %% [markdown] lang="ko"
# ### 연습 8.1 · 새 토큰이 선 자리와 보는 것
#
# 캐시에 토큰이 `past`개 있고 새 토큰이 `new`개 들어옵니다. 새 토큰의 위치(int64 `[new]`)와 마스크(bool
# `[new, past + new]`, 볼 수 있는 곳이 `True`)를 돌려주세요. 레슨 04의 `causal_mask(n)`을 쓸 수 있습니다.
# %% [markdown] lang="en"
# ### Exercise 8.1 · Where new tokens stand, and what they see
#
# The cache holds `past` tokens, and `new` more come in. Return the positions of the new ones (int64 `[new]`) and
# their mask (bool `[new, past + new]`, `True` where one may look). You can use `causal_mask(n)` of lesson 04.
# %% id="ex-8-1"
def places_and_mask(past, new):
    """Return (positions, mask) of new tokens: int64 [new], bool [new, past + new]."""
    # BEGIN SOLUTION
    return torch.arange(past, past + new), causal_mask(past + new)[past:]
    # END SOLUTION


# %% id="check-8-1"
Exercise("8.1").check(places_and_mask)
# %% [markdown] lang="ko"
# 다음 셀에서 다시 가져오면, 통과했을 때는 내 함수가, 아니면 과정의 함수가 그 자리를 채웁니다. 연습마다 이렇게
# 합니다. 앞의 세 토큰 뒤에 두 토큰이 들어올 때입니다. 마스크의 행이 새 토큰, 열이 볼 곳입니다.
# %% [markdown] lang="en"
# Imported again, the name stands for your function if it passed, and for the course's if not. It will be so after
# every exercise. Here two tokens come in after three: in the mask, rows are the new tokens, columns what they
# look at.
# %% id="use-8-1" tags=["slide"]
from course.my_llm import places_and_mask

positions, mask = places_and_mask(3, 2)
print(positions.tolist())
print(mask.int())
# %% [markdown] lang="ko"
# ### 연습 8.2 · 과거가 있는 어텐션
#
# 연습 7.8에서 한 것처럼 레슨 07의 부품을 잇되, 사이에 캐시를 끼워 넣으세요. `x`는 정규화를 마친
# `[position, width]`입니다. 순서는 이렇습니다.
#
# 1. `self_attn`의 `q_proj`, `k_proj`, `v_proj`의 `.weight`를 곱하고 헤드로 나눕니다. 헤드의 수는
#    `config.num_attention_heads`와 `config.num_key_value_heads`에 있습니다.
# 2. 쿼리와 키를 `positions`만큼 돌립니다. 각도의 밑은 `config.rope_parameters["rope_theta"]`입니다.
# 3. 캐시가 있으면 `cache.append(self_attn.layer_idx, keys[None], values[None])`으로 넣고, 돌려받은 **전부**를 씁니다.
#    캐시에는 배치 축이 있으니 `[0]`을 꺼냅니다.
# 4. 키와 값을 쿼리의 헤드 수만큼 되풀이하고, 점수, 가중치, 통합을 거쳐 헤드를 합치고 `o_proj`를 곱합니다.
# %% [markdown] lang="en"
# ### Exercise 8.2 · Attention with a past
#
# Join the parts of lesson 07, as in exercise 7.8, and put the cache between them. `x` is `[position, width]`,
# already normed. In order:
#
# 1. Multiply by the `.weight` of `q_proj`, `k_proj` and `v_proj` of `self_attn`, and split into heads; how many is in
#    `config.num_attention_heads` and `config.num_key_value_heads`.
# 2. Turn queries and keys by `positions`; the base of the angles is `config.rope_parameters["rope_theta"]`.
# 3. If there is a cache, append with `cache.append(self_attn.layer_idx, keys[None], values[None])`, and go on with
#    **all** that it returns. The cache has a batch axis, so take `[0]` of each.
# 4. Repeat keys and values for all query heads; then scores, weights, combine, merge the heads, and `o_proj`.
# %% id="ex-8-2"
def attention(x, self_attn, config, positions, mask, cache=None):
    """Return what attention adds, [position, width].  x: [position, width], normed."""
    # BEGIN SOLUTION
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    theta = config.rope_parameters["rope_theta"]
    queries = rotary(split_heads(x @ self_attn.q_proj.weight.T, heads), positions, theta)
    keys = rotary(split_heads(x @ self_attn.k_proj.weight.T, kv_heads), positions, theta)
    values = split_heads(x @ self_attn.v_proj.weight.T, kv_heads)
    if cache is not None:
        keys, values = cache.append(self_attn.layer_idx, keys[None], values[None])
        keys, values = keys[0], values[0]
    groups = heads // kv_heads
    scores = attention_scores(queries, repeat_kv(keys, groups))
    combined = combine(attention_weights(scores, mask), repeat_kv(values, groups))
    return merge_heads(combined) @ self_attn.o_proj.weight.T
    # END SOLUTION


# %% id="check-8-2"
Exercise("8.2").check(attention)
# %% [markdown] lang="ko"
# ### 연습 8.3 · 층 하나
#
# 레슨 06의 `block`은 텐서 하나를 받는 함수 네 개를 받습니다. `lambda x: …`로 만들어 넘기세요. 정규화는
# `layer.input_layernorm`과 `layer.post_attention_layernorm`, 피드포워드는 `layer.mlp`의 `gate_proj`, `up_proj`,
# `down_proj`이고, 저마다 `.weight`를 씁니다. `eps`는 `config.rms_norm_eps`입니다.
# %% [markdown] lang="en"
# ### Exercise 8.3 · One layer
#
# The `block` of lesson 06 takes four functions of one tensor. Make them with `lambda x: …`. The norms are
# `layer.input_layernorm` and `layer.post_attention_layernorm`, the feed-forward layer is `gate_proj`, `up_proj` and
# `down_proj` of `layer.mlp`, the `.weight` of each; `eps` is `config.rms_norm_eps`.
# %% id="use-8-2"
from course.my_llm import attention


# %% id="ex-8-3"
def run_layer(x, layer, config, positions, mask, cache=None):
    """Return x, [position, width], after one layer: attention, then feed-forward."""
    # BEGIN SOLUTION
    mlp, eps = layer.mlp, config.rms_norm_eps
    return block(
        x,
        lambda x: attention(x, layer.self_attn, config, positions, mask, cache),
        lambda x: feed_forward(x, mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight),
        lambda x: rms_norm(x, layer.input_layernorm.weight, eps),
        lambda x: rms_norm(x, layer.post_attention_layernorm.weight, eps),
    )
    # END SOLUTION


# %% id="check-8-3"
Exercise("8.3").check(run_layer)
# %% [markdown] lang="ko"
# 진짜 모델의 층과 맞대 봅니다. 임의의 벡터 여섯 개를 13층에 넣습니다. 모델의 층이 내놓은 것과 소수 넷째 자리까지
# 같으면 `True`입니다.
# %% [markdown] lang="en"
# Hold it against a layer of the real model: six random vectors through layer 13. `True` says that the model's own
# layer gives the same, to four decimals.
# %% id="use-8-3"
from course.my_llm import run_layer

x = torch.randn(6, 576, generator=torch.Generator().manual_seed(0))
layer = model.model.layers[13]
theirs = layer(x[None], position_embeddings=model.model.rotary_emb(x, torch.arange(6)[None]))
ours = run_layer(x, layer, model.config, *places_and_mask(0, 6))
print(torch.allclose(ours, theirs[0], atol=1e-4))
# %% [markdown] lang="ko"
# ## id에서 로짓까지
#
# 이제 서른 층을 쌓고, 앞에 임베딩을, 뒤에 마지막 정규화와 LM 헤드를 답니다. 그 전에 예상해 보세요.
# %% [markdown] lang="en"
# ## From ids to logits
#
# Now stack thirty layers, with the embedding in front and the last norm and the LM head behind. Guess first.
# %% id="question-b"
equal_question = Question("8.b")
equal_question
# %% id="question-b-answered" tags=["solution"]
equal_question.answer(2)
# %% [markdown] lang="ko"
# ### 연습 8.4 · id에서 로짓까지
#
# `input_ids`(`[1, position]`)의 로짓(`[1, position, vocab]`)을 돌려주세요. 쓰는 것은 `model.config`와 행렬뿐입니다.
# `model.model.embed_tokens`, `model.model.layers`, `model.model.norm`, `model.lm_head`가 차례로 나옵니다. 캐시가 있으면
# 이미 들어 있는 토큰의 수는 `cache.get_seq_length()`입니다. 층을 돌기 **전에** 물어보세요.
# %% [markdown] lang="en"
# ### Exercise 8.4 · From ids to logits
#
# Return the logits (`[1, position, vocab]`) of `input_ids` (`[1, position]`), using `model.config` and the matrices
# alone: `model.model.embed_tokens`, `model.model.layers`, `model.model.norm` and `model.lm_head`, in this order. If there
# is a cache, `cache.get_seq_length()` tells how many tokens are in it. Ask **before** the layers run.
# %% id="ex-8-4"
def forward(model, input_ids, cache=None):
    """Return logits, float [1, position, vocab].  input_ids: int64 [1, position]."""
    # BEGIN SOLUTION
    stack, past = model.model, cache.get_seq_length() if cache is not None else 0
    positions, mask = places_and_mask(past, input_ids.shape[1])
    x = embed(input_ids, stack.embed_tokens.weight)[0]
    for layer in stack.layers:
        x = run_layer(x, layer, model.config, positions, mask, cache)
    x = rms_norm(x, stack.norm.weight, model.config.rms_norm_eps)
    return lm_head(x, model.lm_head.weight)[None]
    # END SOLUTION


# %% id="check-8-4"
Exercise("8.4").check(forward)
# %% [markdown] lang="ko"
# 이 순간을 위해 여기까지 왔습니다. 부품으로 조립한 LLM과 라이브러리의 모델에 같은 문장을 넣습니다. 차례로 로짓의
# 모양, 로짓의 가장 큰 차이(소수 셋째 자리까지), 모든 위치에서 1등 토큰이 같은지, 그리고 다음 토큰입니다.
# %% [markdown] lang="en"
# This is the moment: the same sentence through the LLM made of parts and through the library's. Printed are the
# shape of the logits, their largest difference (to three decimals), whether the top token is the same at every
# position, and the next token.
# %% id="equal-logits" tags=["C33", "slide"]
from course.my_llm import forward

ids = tokenizer("The capital of France is", return_tensors="pt").input_ids
ours, theirs = forward(model, ids), model(ids).logits
print(list(ours.shape), f"{(ours - theirs).abs().max():.3f}")
print((ours.argmax(-1) == theirs.argmax(-1)).all().item())
print(tokenizer.decode(greedy(ours[0, -1])))
# %% [markdown] lang="ko"
# 캐시가 있어도 같을까요? 긴 문장을 세 조각으로 나누어 차례로 넣습니다. 둘째, 셋째 조각은 앞 조각의 키와 값을
# 캐시에서 읽습니다. 캐시에 든 위치의 수와, 로짓의 가장 큰 차이입니다.
# %% [markdown] lang="en"
# And with the cache? A longer text goes in as three pieces, one after the other; the second and the third read the
# keys and values of those before from the cache. Printed: how many positions it holds, and the largest difference.
# %% id="equal-with-cache" tags=["C33", "slide"]
text = "The dog chased the squirrel because it was hungry, and the squirrel ran up a tall old tree."
ids, cache = tokenizer(text, return_tensors="pt").input_ids, KVCache()
pieces = [forward(model, piece, cache) for piece in ids.split([8, 1, ids.shape[1] - 9], dim=1)]
difference = torch.cat(pieces, dim=1) - model(ids).logits
print(cache.get_seq_length(), f"{difference.abs().max():.3f}")
# %% [markdown] lang="ko"
# ## 글을 쓴다
#
# ### 연습 8.5 · 한 번에 토큰 하나씩 쓰기
#
# 프롬프트를 한 번에 넣고(프리필), 그다음부터는 새 토큰만 넣으세요(디코드 단계). 로짓에서 토큰을 고르는 것은
# `choose`의 일입니다. 고른 토큰은 곧바로 `yield`로 내놓습니다. 끝 토큰
# (`model.generation_config.eos_token_id`)을 내놓았거나 `max_new_tokens`개를 내놓았으면 멈춥니다.
# %% [markdown] lang="en"
# ## It writes
#
# ### Exercise 8.5 · Write, one token at a time
#
# Put in the whole prompt at once (prefill), and from then on only the new token (decode steps). To pick a token from
# the logits is the work of `choose`; `yield` the token as soon as it is picked. Stop once you have yielded the end
# token (`model.generation_config.eos_token_id`) or `max_new_tokens` tokens.
# %% id="ex-8-5"
def write(model, input_ids, max_new_tokens, choose):
    """Yield the ids (int) of new tokens.  input_ids: [1, position]; choose: logits [vocab] -> id."""
    # BEGIN SOLUTION
    cache, unseen = KVCache(), input_ids
    for _ in range(max_new_tokens):
        token_id = choose(forward(model, unseen, cache)[0, -1])
        yield token_id
        if token_id == model.generation_config.eos_token_id:
            return
        unseen = torch.tensor([[token_id]])
    # END SOLUTION


# %% id="check-8-5"
Exercise("8.5").check(write)
# %% [markdown] lang="ko"
# 라이브러리의 `generate`와 같은 글을 쓸까요? 영어, 코드, 한국어 프롬프트에 20토큰씩 이어 쓰게 하고, 토큰이 모두
# 같은지(`True`)와 쓴 글을 봅니다. 한국어를 거의 배우지 않은 모델이라 한국어는 둘이 똑같이 서투릅니다.
# %% [markdown] lang="en"
# Does it write what `generate` of the library writes? Twenty tokens each after prompts in English, code and Korean;
# `True` where all tokens are the same. The model has learned hardly any Korean, and both are as clumsy at it.
# %% id="equal-text" tags=["C33", "slide"]
from course.my_llm import write

prompts = ("Once upon a time", "def fibonacci(n):", "프랑스의 수도는")
for prompt in prompts:
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    new = list(write(model, ids, 20, greedy))
    print(new == library_writes(model, ids, 20), repr(tokenizer.decode(new)))
# %% [markdown] lang="ko"
# ## 샘플링하고, 스트리밍하기
#
# 부품은 갈아 끼울 수 있습니다. 레슨 03의 온도, top-p, 샘플링으로 `choose`를 만들고, 레슨 05의 `stream_text`로 나오는
# 대로 화면에 보냅니다. 질문은 레슨 01의 대화 템플릿에 넣습니다. 씨앗을 바꾸면 다른 대답이 나옵니다.
# %% [markdown] lang="en"
# ## Sample, and stream
#
# Parts can be exchanged. Temperature, top-p and sampling of lesson 03 make another `choose`, and `stream_text` of lesson
# 05 shows the text as it comes. The question goes into the chat template of lesson 01. Another seed, another answer.
# %% id="sample-and-stream" tags=["slide"]
generator = torch.Generator().manual_seed(1)


def choose(logits):
    return sample(top_p_filter(apply_temperature(logits, 0.7), 0.9), generator)


question = [{"role": "user", "content": "Why is the sky blue?"}]
chat = tokenizer.apply_chat_template(question, tokenize=False, add_generation_prompt=True)
ids = tokenizer(chat, return_tensors="pt").input_ids
for piece in stream_text(write(model, ids, 40, choose), tokenizer):
    print(piece, end="")
# %% [markdown] lang="ko"
# ## 어디까지 빨라질 수 있을까
#
# 토큰 하나를 쓰려면 모든 가중치를 한 번씩 곱해야 합니다. 그럼 시간은 어디에 들까요?
# %% [markdown] lang="en"
# ## How fast can it get?
#
# To write one token, every weight takes part in one product. So where does the time go?
# %% id="question-c"
time_question = Question("8.c")
time_question
# %% id="question-c-answered" tags=["solution"]
time_question.answer(2)
# %% [markdown] lang="ko"
# 재 봅시다. 모든 행렬을 벡터 하나와 곱할 때와 여덟 개와 곱할 때, 읽는 것은 같고 곱셈은 여덟 배입니다. 시간은 몇
# 배가 될까요?
# %% [markdown] lang="en"
# Measure it. Multiply all matrices with one vector, then with eight: as much to read, and eight times the
# multiplications. How many times as long does it take?
# %% id="one-and-eight" tags=["nbval-ignore-output"]
matrices = [tensor for tensor in tensors if tensor.ndim == 2]
print(f"{seconds_to_read(matrices, vectors=8) / seconds_to_read(matrices, vectors=1):.1f}")
# %% [markdown] lang="ko"
# 여덟 배에 한참 못 미칩니다. 시간은 곱하는 데보다 가중치를 가져오는 데 듭니다. 그래서 **천장**이 있습니다. 토큰 하나를
# 쓰는 데는 모든 행렬을 한 번씩 읽어 곱하는 시간이 꼭 듭니다. 천장에 다가가려면 그 밖의 일을 줄여야 합니다.
#
# ### 연습 8.6 · 행렬 셋, 곱셈 한 번
#
# 쿼리, 키, 값의 투영 행렬은 같은 `x`를 읽습니다. 아래로 이어 붙이면 곱셈 한 번이면 됩니다. 행렬(`[out, in]`)의
# 리스트를 받아, 이어 붙인 행렬과 저마다의 행 수(`int`의 리스트)를 돌려주세요.
# %% [markdown] lang="en"
# Far less than eight times: the time goes into fetching the weights, more than into multiplying. Hence the
# **ceiling**: to write a token, each matrix has to be read and multiplied once. To come near it, all else has to shrink.
#
# ### Exercise 8.6 · Three matrices, one product
#
# The projection matrices of queries, keys and values read the same `x`. One below the other, they need one product.
# Take a list of matrices (`[out, in]`) and return the joined matrix and how many rows each had (a list of `int`).
# %% id="ex-8-6"
def fuse(matrices):
    """Return (matrix, sizes), so that (x @ matrix.T).split(sizes, -1) is each one's product."""
    # BEGIN SOLUTION
    return torch.cat(matrices), [len(matrix) for matrix in matrices]
    # END SOLUTION


# %% id="check-8-6"
Exercise("8.6").check(fuse)
# %% [markdown] lang="ko"
# ### 연습 8.7 · 자리가 있는 캐시
#
# 레슨 05의 `KVCache`는 토큰마다 모든 키와 값을 새 메모리에 옮겨 적습니다. 자리를 미리 잡아 두면 새것만 적으면 됩니다.
# `KVCache`처럼 `append(layer, keys, values)`와 `get_seq_length()`가 있고, `RoomyCache(layers, kv_heads, head_dim, room)`으로
# 만들 때 `room`개 위치의 자리를 한 번만 잡습니다. `append`는 채워진 곳까지만 돌려주고, 자리가 모자라면 `ValueError`를
# 일으켜야 합니다.
# %% [markdown] lang="en"
# ### Exercise 8.7 · A cache with room
#
# At each token, the `KVCache` of lesson 05 copies all keys and values into new memory. With room made beforehand, only
# the new ones are written. Like `KVCache` it has `append(layer, keys, values)` and `get_seq_length()`; it is made with
# `RoomyCache(layers, kv_heads, head_dim, room)`, and takes memory for `room` positions then, once. `append` returns what is
# filled and no more, and raises a `ValueError` where the room is used up.
# %% id="ex-8-7"
class RoomyCache:
    """A KVCache whose memory, [layer, 1, kv_heads, room, head_dim] twice, is taken once.

    append(layer, keys, values) -> (keys, values) of all positions so far; get_seq_length() -> int.
    """

    # BEGIN SOLUTION
    def __init__(self, layers, kv_heads, head_dim, room):
        self.keys = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.values = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.lengths = [0] * layers

    def append(self, layer, keys, values):
        start = self.lengths[layer]
        end = start + keys.shape[2]
        if end > self.keys.shape[3]:
            raise ValueError(f"There is room for {self.keys.shape[3]} positions, not for {end}.")
        self.keys[layer, :, :, start:end] = keys
        self.values[layer, :, :, start:end] = values
        self.lengths[layer] = end
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def get_seq_length(self):
        return self.lengths[0]

    # END SOLUTION


# %% id="check-8-7"
Exercise("8.7").check(RoomyCache)
# %% [markdown] lang="ko"
# 층마다 행렬을 합쳐 둡니다. 쿼리, 키, 값이 하나가 되고, 피드포워드의 `gate_proj`와 `up_proj`가 하나가 됩니다. 첫 층의
# 합친 행렬과, 그 안에서 쿼리, 키, 값이 차지하는 행 수입니다.
# %% [markdown] lang="en"
# Fuse the matrices of every layer: queries, keys and values into one, `gate_proj` and `up_proj` of the feed-forward
# layer into another. Printed is the first layer's matrix, and how many of its rows are queries, keys and values.
# %% id="fuse-all"
from course.my_llm import RoomyCache, fuse

fused = []
for layer in model.model.layers:
    attn, mlp = layer.self_attn, layer.mlp
    qkv, sizes = fuse([attn.q_proj.weight, attn.k_proj.weight, attn.v_proj.weight])
    gate_up, _ = fuse([mlp.gate_proj.weight, mlp.up_proj.weight])
    fused.append((qkv, attn.o_proj.weight, gate_up, mlp.down_proj.weight))
print(list(qkv.shape), sizes)
# %% [markdown] lang="ko"
# 합친 행렬로 다시 쓴 층입니다. `repeat_kv`, `attention_scores`, `attention_weights`, `combine`은 PyTorch의 함수 하나가
# 모두 맡습니다. 결과가 원래 층과 같으면 `True`입니다.
# %% [markdown] lang="en"
# A layer once more, with the fused matrices. One function of PyTorch does all that `repeat_kv`, `attention_scores`,
# `attention_weights` and `combine` did. `True` says that the result is still the same.
# %% id="fused-layer" tags=["slide"]
def run_fused(x, layer, matrices, config, positions, mask, cache):
    (qkv, output, gate_up, down), theta = matrices, config.rope_parameters["rope_theta"]
    normed = rms_norm(x, layer.input_layernorm.weight, config.rms_norm_eps)
    queries, keys, values = (normed @ qkv.T).split(sizes, dim=-1)
    queries = rotary(split_heads(queries, config.num_attention_heads), positions, theta)
    keys = rotary(split_heads(keys, config.num_key_value_heads), positions, theta)
    values = split_heads(values, config.num_key_value_heads)
    keys, values = cache.append(layer.self_attn.layer_idx, keys[None], values[None])
    found = scaled_dot_product_attention(queries[None], keys, values, mask, enable_gqa=True)
    x = x + merge_heads(found[0]) @ output.T
    normed = rms_norm(x, layer.post_attention_layernorm.weight, config.rms_norm_eps)
    gate, up = (normed @ gate_up.T).chunk(2, dim=-1)
    return x + (silu(gate) * up) @ down.T


again = run_fused(x, model.model.layers[0], fused[0], model.config, *places_and_mask(0, 6), KVCache())
plain = run_layer(x, model.model.layers[0], model.config, *places_and_mask(0, 6))
print(torch.allclose(again, plain, atol=1e-4))
# %% [markdown] lang="ko"
# 이 층으로 쓰는 루프입니다. 하나를 더 줄였습니다. LM 헤드는 어휘사전 전체와 곱하는 가장 큰 행렬이니, **마지막
# 위치**에만 씁니다. 캐시와 행렬은 밖에서 받습니다.
# %% [markdown] lang="en"
# And the loop that writes with these layers. One more thing is saved: the LM head, the largest matrix of all, is used
# for the **last position** only. The cache and the matrices come from outside.
# %% id="write-fused"
def write_fused(cache, layer_matrices, head, input_ids, max_new_tokens):
    config, stack, unseen = model.config, model.model, input_ids
    for _ in range(max_new_tokens):
        places = places_and_mask(cache.get_seq_length(), unseen.shape[1])
        x = embed(unseen, stack.embed_tokens.weight)[0]
        for layer, matrices in zip(stack.layers, layer_matrices):
            x = run_fused(x, layer, matrices, config, *places, cache)
        last = rms_norm(x[-1:], stack.norm.weight, config.rms_norm_eps)
        token_id = greedy(lm_head(last, head)[0])
        yield token_id
        unseen = torch.tensor([[token_id]])


ids, head = tokenizer("Once upon a time", return_tensors="pt").input_ids, model.lm_head.weight
room = RoomyCache(layers=30, kv_heads=3, head_dim=64, room=64)
print(tokenizer.decode(list(write_fused(room, fused, head, ids, 20))))
# %% [markdown] lang="ko"
# 마지막으로 천장 자체를 건드려 봅니다. 같은 행렬이라도 숫자가 메모리에 놓인 순서에 따라 벡터 하나와 곱하는 시간이
# 다릅니다. 모델은 행렬을 행(`out`) 순서로 놓습니다. 열(`in`) 순서로 다시 놓고 재면, 모양과 값은 그대로이고 시간만
# 달라집니다. 몇 배 빨라지는지는 컴퓨터마다 다릅니다.
# %% [markdown] lang="en"
# Last, the ceiling itself. With the same matrix, the time of a product with one vector depends on the order in which
# its numbers lie in memory. The model keeps rows (`out`) together. Lay all matrices out by columns (`in`): shapes and
# values stay, and only the time changes. How many times as fast it gets differs from machine to machine.
# %% id="lay-out" tags=["nbval-ignore-output"]
def laid_out(matrix):
    return matrix.T.contiguous().T


laid, laid_head = [tuple(map(laid_out, matrices)) for matrices in fused], laid_out(head)
before = seconds_to_read([*sum(fused, ()), head])
after = seconds_to_read([*sum(laid, ()), laid_head])
print(f"{before / after:.1f}")
# %% [markdown] lang="ko"
# 비교를 위해, 캐시 없이 매번 글 전체를 계산하는 루프도 만들어 둡니다. 쓴 글은 위와 같습니다.
# %% [markdown] lang="en"
# For comparison, here is a loop without a cache, which computes the whole text each time. It writes the same text.
# %% id="write-without-cache"
def write_without_cache(input_ids, max_new_tokens):
    for _ in range(max_new_tokens):
        token_id = greedy(forward(model, input_ids)[0, -1])
        yield token_id
        input_ids = torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)


print(tokenizer.decode(list(write_without_cache(ids, 20))))
# %% [markdown] lang="ko"
# 지금까지의 모든 단계를 `generate`와 나란히 잽니다. 마지막은 `utils/decoder.py`, 지금 만든 것을 200줄 안에 다듬어 놓은 과정의 디코더입니다. 모두 같은 글을
# 돌아가며 세 번씩 쓰므로 조금 걸립니다. 모두가 같은 토큰을 썼으면 `True`입니다.
# %% [markdown] lang="en"
# Now time every step so far beside `generate`. The last one is `utils/decoder.py`, the course's decoder: what you have
# just built, tidied up in under 200 lines. All write the same text in turn, three times each, which takes a while.
# `True` says that all wrote the same tokens.
# %% id="ways" lang="ko"
def new_room():
    return RoomyCache(layers=30, kv_heads=3, head_dim=64, room=128)


decoder = Decoder.from_model(model)
ways = {
    "부품 그대로, 캐시 없이": write_without_cache,
    "캐시와 함께": lambda ids, new: write(model, ids, new, greedy),
    "행렬을 합쳐서": lambda *given: write_fused(KVCache(), fused, head, *given),
    "캐시 자리를 미리 잡고": lambda *given: write_fused(new_room(), fused, head, *given),
    "행렬을 열 순서로": lambda *given: write_fused(new_room(), laid, laid_head, *given),
    "과정의 디코더": decoder.tokens,
}
speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=8)
print(speeds.same)
# %% id="ways" lang="en"
def new_room():
    return RoomyCache(layers=30, kv_heads=3, head_dim=64, room=128)


decoder = Decoder.from_model(model)
ways = {
    "the parts, no cache": write_without_cache,
    "with the cache": lambda ids, new: write(model, ids, new, greedy),
    "matrices fused": lambda *given: write_fused(KVCache(), fused, head, *given),
    "cache with room": lambda *given: write_fused(new_room(), fused, head, *given),
    "laid out by columns": lambda *given: write_fused(new_room(), laid, laid_head, *given),
    "the course's decoder": decoder.tokens,
}
speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=8)
print(speeds.same)
# %% [markdown] lang="ko"
# 막대가 길수록 빠릅니다. 점선이 천장입니다. 어느 단계에서 가장 많이 빨라졌나요? `generate`는 어디쯤인가요? 다른
# 프로그램이 바쁘게 돌고 있다면 순서가 흔들릴 수 있습니다. 그때는 위의 셀부터 다시 실행하세요.
# %% [markdown] lang="en"
# The longer the bar, the faster. The dashed line is the ceiling. Which step brought most? Where does `generate` stand?
# If other programs are busy on this machine the order may waver: then run this and the cell above again.
# %% id="speeds" tags=["nbval-ignore-output", "slide"]
speeds_picture(speeds)
# %% [markdown] lang="ko"
# `generate`는 수백 가지 모델과 설정을 받아들이고, 여러 글을 한꺼번에 쓸 줄도 압니다. 그래서 토큰마다 확인할 것이
# 많습니다. 우리의 디코더는 한 번에 글 하나만, 한 계열의 모델로만 씁니다. Llama 계열이면 `Decoder.from_model(model)`로
# 다른 모델도 됩니다. Phi-3-mini도 그렇습니다. 아래는 자리를 잡아 둔 글의 최대 길이(토큰), 층의 수, 쓴 글입니다.
# %% [markdown] lang="en"
# `generate` serves hundreds of models and settings, and can write several texts at once, so it has much to check at
# every token. Our decoder writes one text at a time, with one family of models. `Decoder.from_model(model)` takes any of
# the Llama family, Phi-3-mini among them. Printed: the longest text it made room for, in tokens; the layers; the text.
# %% id="decoder"
print(decoder.max_positions, len(decoder.blocks))
new_ids = decoder.generate(ids, 20)
print(tokenizer.decode(new_ids[0]))
# %% [markdown] lang="ko"
# ## 서비스용 엔진까지 남은 것
#
# 내가 만든 LLM은 한 사람에게 글 하나를 써 줍니다. 수천 명에게 동시에 써 주는 엔진은 무엇을 더 할까요?
#
# **배치.** 가중치를 한 번 읽어 글 하나에만 쓰는 것은 아깝습니다. 여러 글을 함께 계산하면 한 번 읽은 가중치가 모두에게
# 쓰입니다. 글마다 길이가 다르므로, 한 글이 끝나면 그 자리에 곧바로 다음 글을 넣습니다.
# [Orca (Yu 외, 2022)](https://www.usenix.org/conference/osdi22/presentation/yu)
#
# **페이징.** 자리를 미리 잡아 두면 짧은 글에는 남고 긴 글에는 모자랍니다. 운영 체제가 메모리를 나누듯 캐시를 작은 쪽(페이지)으로
# 나누어 필요할 때마다 한 쪽씩 줍니다. [PagedAttention (Kwon 외, 2023)](https://arxiv.org/abs/2309.06180)
#
# **양자화.** 천장을 정하는 것은 읽을 바이트 수입니다. 가중치를 4바이트가 아니라 4비트로 적으면 읽을 것이 여덟 배
# 줄어듭니다. 글이 나빠지지 않게 반올림하는 것이 어려운 점입니다. 이 과정의 모델도 4비트 파일로 받아서 풀어 놓은 것입니다. [GPTQ (Frantar 외, 2022)](https://arxiv.org/abs/2210.17323)
#
# **플래시 어텐션.** 점수 행렬은 글 길이의 제곱으로 커집니다. 타일로 나누어 소프트맥스를 조금씩 이어서 계산하면 그 행렬을
# 메모리에 적지 않아도 됩니다. 결과는 그대로입니다. [FlashAttention (Dao 외, 2022)](https://arxiv.org/abs/2205.14135)
# %% [markdown] lang="en"
# ## What is left to a serving engine
#
# Your LLM writes one text for one person. What more does an engine do that writes for thousands at a time?
#
# **Batching.** To read all weights for a single text is a waste: several texts computed together share what was read.
# They differ in length, so when one is done the next takes its place at once.
# [Orca (Yu et al., 2022)](https://www.usenix.org/conference/osdi22/presentation/yu)
#
# **Paging.** Room made beforehand is too much for a short text and too little for a long one. As an operating system does
# with memory, the cache is cut into small pages, handed out one by one as they are needed.
# [PagedAttention (Kwon et al., 2023)](https://arxiv.org/abs/2309.06180)
#
# **Quantisation.** The ceiling is set by the bytes that have to be read. With 4 bits for a weight in place of 4 bytes there
# are eight times fewer. The hard part is to round so that the text does not suffer. The course's model, too, came as a
# file of 4-bit weights, and was unpacked.
# [GPTQ (Frantar et al., 2022)](https://arxiv.org/abs/2210.17323)
#
# **Flash attention.** The matrix of scores grows with the square of the text's length. Cut into tiles, with the softmax
# carried on from tile to tile, it never has to be written to memory, and the result is the same.
# [FlashAttention (Dao et al., 2022)](https://arxiv.org/abs/2205.14135)
# %% [markdown] lang="ko"
# ## 내가 쓴 LLM
#
# 마지막으로 `my_llm.py`를 펼칩니다. 임베딩에서 글쓰기까지, 통과한 부품이 차례로 들어 있습니다. 이 파일은 여러분의
# 것입니다. 고쳐도 되고, 다른 곳으로 가져가도 됩니다.
# %% [markdown] lang="en"
# ## The LLM you wrote
#
# Last, open `my_llm.py`: the parts that passed, in order, from the embedding to the loop that writes. The file is yours
# to change, and to take with you.
# %% id="my-llm" tags=["slide"]
print(my_llm())
# %% [markdown] lang="ko"
# ## 정리
#
# - LLM은 행렬 몇백 개와 짧은 함수 스무 개 남짓입니다. 모델에서 가져온 것은 숫자뿐입니다.
# - 같은 계산을 하면 같은 로짓이 나오고(반올림까지), 같은 글이 나옵니다.
# - 캐시를 쓸 때는 위치와 마스크가 과거만큼 밀립니다.
# - 글 하나를 쓸 때의 한계는 곱셈이 아니라 가중치를 읽는 속도입니다.
#
# **지금까지 만든 것:** LLM 하나, 전부.
#
# **다음 문:** 이 문은 밖으로 나 있습니다. 다른 모델을 열어 보고(`Decoder.from_model`), 논문의 아이디어를
# `my_llm.py`에서 시험해 보세요.
# %% [markdown] lang="en"
# ## What you know now
#
# - An LLM is a few hundred matrices and some twenty short functions. All that came from the model are numbers.
# - The same computation gives the same logits, up to rounding, and the same text.
# - With a cache, positions and mask move on by the past.
# - What limits the writing of one text is not multiplying but reading the weights.
#
# **What you have built so far:** one LLM, all of it.
#
# **The next door** leads outside: open another model (`Decoder.from_model`), and try the idea of a paper in your
# `my_llm.py`.
