"""Text that comes out while the model still writes, and never half a character of it."""

from collections.abc import Iterable, Iterator

from utils.tokens import Tokenizer

UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what a tokenizer writes for bytes that are no character


def stream_text(token_ids: Iterable[int], tokenizer: Tokenizer) -> Iterator[str]:
    """Yield the text of `token_ids`, piece by piece, each as soon as it is certain.

    A Hangul syllable is 3 bytes in UTF-8, an emoji 4, and a token may end between them: what it
    began is held back until the rest has come, and left out if it never does. Special tokens are
    left out. All tokens so far are decoded each time, since some tokenizers write a token's text
    according to what stands before it.

    >>> from types import SimpleNamespace
    >>> utf8 = SimpleNamespace(decode=lambda ids, **_options: bytes(ids).decode(errors="replace"))
    >>> list(stream_text("서울 A".encode(), utf8))
    ['서', '울', ' ', 'A']
    """
    ids: list[int] = []
    given = 0
    for token_id in token_ids:
        ids.append(token_id)
        text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        certain = text.rstrip(UNFINISHED)
        if len(certain) > given:
            yield certain[given:]
            given = len(certain)
