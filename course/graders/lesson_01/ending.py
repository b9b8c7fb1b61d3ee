"""A text that ends by itself: what exercise 1.4 checks."""

from collections.abc import Iterator

from transformers import PreTrainedTokenizerBase

from course.graders.attempt import Attempt
from course.graders.compare import describe
from course.graders.models import default_model
from course.graders.spec import Check, exercise
from utils.generation import generation_steps
from utils.language import N_
from utils.model import end_token_ids


def chat(tokenizer: PreTrainedTokenizerBase, message: str) -> str:
    """`message` inside the chat template, up to where the answer begins."""
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True
    )


@exercise(
    "1.4",
    diagnoses={
        "not-text": N_(
            "Give your prompt as text, in quotes.",
            "프롬프트를 따옴표 안에 글로 써 주세요.",
        ),
        "empty": N_(
            "The prompt is empty. Write something for the model to answer.",
            "프롬프트가 비어 있습니다. 모델이 대답할 말을 써 주세요.",
        ),
        "over-long": N_(
            "The model cannot take this prompt. {problem}",
            "모델이 이 프롬프트를 받을 수 없습니다. {problem}",
        ),
        "still-writing": N_(
            "With the chat template it was still writing after 50 tokens, and to end without "
            "having written anything does not count. Ask for something that is said in a few "
            "words.",
            "대화 템플릿을 쓰면 50토큰에 이를 때까지 글이 끝나지 않았습니다. 아무것도 쓰지 않고 "
            "끝난 것은 인정하지 않습니다. 몇 마디로 끝나는 것을 물어보세요.",
        ),
    },
)
def ends_by_itself(attempt: Attempt) -> Iterator[Check]:
    prompt, title = (
        attempt.answer,
        N_(
            "the model ends by itself before 50 tokens",
            "50토큰 전에 모델이 스스로 끝낸다",
        ),
    )
    if not isinstance(prompt, str):
        yield attempt.fail(title, "not-text", got=repr(prompt)[:80])
        return
    if not prompt.strip():
        yield attempt.fail(title, "empty")
        return
    model, tokenizer = default_model()
    for text in (prompt, chat(tokenizer, prompt)):
        try:
            steps = list(generation_steps(model, tokenizer, text, 50))
        except ValueError as problem:
            yield attempt.fail(title, "over-long", given=describe(prompt), problem=problem)
            return
        if len(steps) > 1 and steps[-1].token_id in end_token_ids(model, tokenizer):
            yield Check(title)
            return
    written = tokenizer.decode([step.token_id for step in steps])
    yield attempt.fail(title, "still-writing", given=describe(prompt), got="… " + written[-60:])
