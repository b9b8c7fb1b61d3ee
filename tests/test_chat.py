"""The chat with an LLM of anybody's parts: its record, its words, and a hand on it."""

import asyncio
import html
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from tests.tiny_models import CONTEXT, TINY, tiny_tokenizer
from utils import parts
from utils.chat import Chat, Settings, Turn, Writer, answer
from utils.decoding import decoding_stages, sampler
from utils.explorers.chat import ChatExplorer
from utils.figures.chat import chat_picture
from utils.generation import steps_from
from utils.model import chat_ids


def settle(logits, temperature, top_p):
    return parts.top_p_filter(parts.apply_temperature(logits, temperature), top_p)


WRITER = Writer(parts.write, settle, parts.sample, parts.stream_text)


@pytest.fixture
def model():
    return TINY["llama"]()


@pytest.fixture
def chat(model):
    return ChatExplorer(model, tiny_tokenizer(), "Who are you?", WRITER).set(longest=12, seed=3)


def test_an_answer_is_what_the_library_s_order_of_filters_draws(model):
    tokenizer = tiny_tokenizer()
    ids, turn = chat_ids(model, tokenizer, "hello"), Turn("hello", Settings(1.5, 0.9, 3, 20))
    turns = list(answer(model, tokenizer, ids, WRITER, turn))
    choose = sampler(1.5, top_p=0.9, generator=torch.Generator().manual_seed(3))
    steps = list(steps_from(model, tokenizer, ids, 20, choose=choose))
    assert [drawn.token_id for drawn in turns[-1].tokens] == [step.token_id for step in steps]
    texts = [turn.text for turn in turns]
    assert all(text.startswith(before) for before, text in pairwise(texts))
    assert [bool(turn.end) for turn in turns[-2:]] == [False, True]
    for drawn, step in zip(turns[-1].tokens, steps, strict=True):
        stages = decoding_stages(step.logits, 1.5, top_p=0.9)
        for stage, shares in (
            (stages[0], [candidate.probability for candidate in drawn.candidates]),
            (stages[-1], drawn.settled),
        ):
            ids = [candidate.token_id for candidate in drawn.candidates]
            assert torch.allclose(stage.probabilities[ids], torch.tensor(shares), atol=1e-5)
        assert drawn.token_id in ids


def test_earlier_turns_are_part_of_the_chat(model):
    tokenizer = tiny_tokenizer()
    ids = chat_ids(model, tokenizer, "And you?", [("Hi!", "Hello.")])
    text = tokenizer.decode(ids[0])
    assert text.index("Hi!") < text.index("Hello.") < text.index("And you?")


def test_it_says_what_was_said_and_what_each_token_was_drawn_from(chat):
    assert "Nothing has been said yet" in repr(chat)
    chat.press("send")
    words = repr(chat)
    assert words.startswith("you: 'Who are you?'\nLLM: '")
    assert "temperature 0.70, top-p 0.90, seed 3; " in words
    assert "tokens/s" not in words
    assert chat._live.value == ""
    tokens = chat._turns[-1].tokens
    assert sum("token" in region.sets for region in chat.regions) == len(tokens)
    chat.pick(token=1)
    assert f"token 1, {tokens[1].token!r}, was drawn from " in repr(chat)
    first = chat._turns[-1].text
    chat.press("again")
    assert [turn.text for turn in chat._turns] == [first]
    chat.set(seed=4).press("again")
    assert chat._turns[-1].text != first
    chat.set(message="And?").press("send")
    assert [turn.message for turn in chat._turns] == ["Who are you?", "And?"]
    assert chat.press("restart")._turns == ()


@pytest.mark.parametrize(
    ("values", "press", "says"),
    [
        ({"message": "  "}, "send", "The message is empty"),
        ({"message": "word " * CONTEXT}, "send", "Shorten it"),
        ({"longest": 200, "message": "word " * 40}, "send", "room for"),
        ({}, "stop", "Nothing is being written"),
        ({}, "again", "Nothing has been sent yet"),
        ({"top_p": 2}, "restart", ""),
    ],
)
def test_bad_input_gets_a_sentence(chat, values, press, says):
    chat.set(**values).press(press)
    assert says in repr(chat)
    assert chat._turns == ()
    assert chat.set(message="Hi").set(longest=3).press("send")._turns[-1].tokens


def test_an_error_of_the_parts_ends_the_answer_and_the_next_one_works(chat):
    whole = chat.writer

    def breaks(model, input_ids, longest, choose):
        yield from whole.write(model, input_ids, 2, choose)
        raise ValueError("no more")

    chat.writer = whole._replace(write=breaks)
    chat.press("send")
    assert "no more" in repr(chat)
    assert "an error ended it" in repr(chat)
    assert len(chat._turns[-1].tokens) >= 1
    chat.writer = whole
    assert "an error" not in repr(chat.press("again"))


def test_a_loop_without_an_end_is_cut_off(chat):
    def endless(model, input_ids, _longest, choose):
        while True:
            yield from parts.write(model, input_ids, 1, choose)

    chat.writer = chat.writer._replace(write=endless)
    assert len(chat.press("send")._turns[-1].tokens) == 12


def test_a_hand_sees_it_grow_and_can_stop_it(chat):
    grown = []

    async def hand() -> None:
        chat.controls["message"]._handle_custom_msg({"event": "submit"}, [])  # Enter
        while len(set(grown)) < 3:
            await asyncio.sleep(0.001)
            grown.append(chat._live.value)
        chat.actions["send"].click()
        assert "stop it first" in repr(chat)
        chat.actions["stop"].click()
        await asyncio.sleep(0.01)

    asyncio.run(hand())
    turn = chat._turns[-1]
    assert 1 <= len(turn.tokens) < 12
    assert "it was stopped" in repr(chat)
    assert html.escape(turn.text) in max(grown, key=len)
    assert "tokens/s" in max(grown, key=len)
    assert chat._live.value == ""


@pytest.mark.parametrize("count", [1, 30, 75])
def test_every_token_of_an_answer_can_be_picked(chat, count):
    drawn = chat.press("send")._turns[-1].tokens[0]
    turn = Turn("?", Settings(1.0, 1.0, 0, 99), tokens=(replace(drawn, token=" word"),) * count)
    picture = chat_picture(Chat((turn,), count - 1))
    assert [region.sets["token"] for region in picture.regions if region.sets] == [*range(count)]
