"""The generation loop against `transformers`' own `generate`, and what it says to bad arguments."""

import pytest
import torch

from utils.decoding import greedy, top_candidates
from utils.generation import generate, generation_steps, steps_from
from utils.model import end_token_ids, prompt_ids

PROMPTS = [
    "a",
    " ",
    "\n",
    ".",
    "The capital of France is",
    "Once upon a time",
    "def fibonacci(n):\n    ",
    "SELECT name FROM users WHERE",
    "프랑스의 수도는",
    "안녕하세요",
    "日本の首都は",
    "🙂🙃🙂",
    "👩‍👩‍👧‍👦 family",
    "1 + 1 = 2, 2 + 2 = 4, 3 + 3 =",
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
    "This text holds <|endoftext|> in its middle",
    "What is the capital of France?",
    "$5.00 \t and  two  spaces",
    "\u200b\u00e9\u0301 zalgo",
    "The quick brown fox jumps over the lazy dog. " * 12,
]


def library_ids(model, tokenizer, prompt, count, **options):
    """What `transformers` writes, new ids only."""
    ids = tokenizer(prompt, return_tensors="pt")
    written = model.generate(**ids, max_new_tokens=count, do_sample=False, **options)
    return written[0, ids.input_ids.shape[1] :].tolist()


@pytest.fixture(scope="module")
def written(default_model):
    """What the library writes after each of PROMPTS: all but the longest at once, to save time."""
    model, tokenizer = default_model
    *short, longest = sorted(PROMPTS, key=len)
    batch = tokenizer(short, return_tensors="pt", padding=True, padding_side="left")
    texts = model.generate(**batch, max_new_tokens=12, do_sample=False)
    ids = dict(zip(short, texts[:, batch.input_ids.shape[1] :].tolist(), strict=True))
    return ids | {longest: library_ids(model, tokenizer, longest, 12)}


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: repr(prompt[:16]))
def test_default_model_writes_what_the_library_writes(default_model, written, prompt):
    model, tokenizer = default_model
    ids = [step.token_id for step in generation_steps(model, tokenizer, prompt, 12)]
    padding = [model.generation_config.pad_token_id] * (12 - len(ids))  # after an end token
    assert ids + padding == written[prompt]


@pytest.mark.parametrize("use_cache", [True, False])
def test_tiny_models_write_what_the_library_writes(tiny, use_cache):
    model, tokenizer = tiny
    for prompt in ("hello there", "안녕", "a b c d e f g h i j k l m n o p q"):
        steps = list(generation_steps(model, tokenizer, prompt, 20, use_cache=use_cache))
        ids = library_ids(model, tokenizer, prompt, 20)
        assert [s.token_id for s in steps] == ids
        text = tokenizer.decode(ids, skip_special_tokens=True)
        assert generate(model, tokenizer, prompt, 20, use_cache=use_cache) == text
        prompt_length = prompt_ids(model, tokenizer, prompt).shape[1]
        new = 1 if use_cache else None
        assert [s.positions for s in steps[1:]] == [
            new or prompt_length + i for i in range(1, len(steps))
        ]


def test_a_step_holds_what_it_was_chosen_from(tiny):
    model, tokenizer = tiny
    for step in generation_steps(model, tokenizer, "hello", 4):
        logits = model(step.input_ids).logits[0, -1].float()
        torch.testing.assert_close(step.logits, logits, atol=1e-4, rtol=1e-4)
        assert step.token_id == int(logits.argmax())
        assert step.ids_after()[0].tolist() == [*step.input_ids[0].tolist(), step.token_id]


def test_steps_are_lazy(tiny):
    model, tokenizer = tiny
    passes = []
    hook = model.register_forward_hook(lambda *_: passes.append(1))
    steps = generation_steps(model, tokenizer, "hello", 20)
    assert passes == []
    next(steps)
    hook.remove()
    assert passes == [1]


def test_ends_at_the_end_token_and_leaves_it_out(tiny):
    model, tokenizer = tiny
    end = next(iter(end_token_ids(model, tokenizer)))
    steps = list(generation_steps(model, tokenizer, "hello", 9, choose=lambda logits: end))
    assert [step.token_id for step in steps] == [end]
    assert generate(model, tokenizer, "hello", 9, choose=lambda logits: end) == ""


def test_choose_decides(tiny):
    model, tokenizer = tiny
    second = [
        step.token_id
        for step in generation_steps(
            model, tokenizer, "hello", 5, choose=lambda logits: int(logits.topk(2).indices[1])
        )
    ]
    assert second != library_ids(model, tokenizer, "hello", 5)


@pytest.mark.parametrize(
    ("prompt", "count", "says"),
    [("", 5, "empty"), ("hello", 0, "at least one"), ("hello", -3, "at least one")],
)
def test_bad_arguments_are_refused_before_anything_runs(tiny, prompt, count, says):
    model, tokenizer = tiny
    with pytest.raises(ValueError, match=says):
        generation_steps(model, tokenizer, prompt, count)


def test_past_the_context_is_refused_with_the_room_that_is_left(tiny):
    model, tokenizer = tiny
    length = prompt_ids(model, tokenizer, "hello").shape[1]
    context = model.config.get_text_config().max_position_embeddings
    with pytest.raises(ValueError, match=f"at most {context - length}"):
        generation_steps(model, tokenizer, "hello", context)
    text = "hello" + "~" * (context - length)  # a token each
    assert prompt_ids(model, tokenizer, text).shape[1] == context
    with pytest.raises(ValueError, match="leaves no room for a new token: shorten it"):
        generation_steps(model, tokenizer, text, 1)
    with pytest.raises(ValueError, match="Shorten it"):
        generation_steps(model, tokenizer, "hello " * context, 1)


def test_ids_given_are_not_changed(tiny):
    model, tokenizer = tiny
    ids = prompt_ids(model, tokenizer, "hello there")
    before = ids.clone()
    list(steps_from(model, tokenizer, ids, 5))
    assert torch.equal(ids, before)


def test_top_candidates_are_the_softmax_sorted(tiny):
    _model, tokenizer = tiny
    logits = torch.randn(400, generator=torch.Generator().manual_seed(0))
    best = top_candidates(logits, tokenizer, 5)
    shares, ids = logits.softmax(-1).sort(descending=True)
    assert [c.token_id for c in best] == ids[:5].tolist()
    assert [c.probability for c in best] == pytest.approx(shares[:5].tolist())
    assert best[0].token_id == greedy(logits)
