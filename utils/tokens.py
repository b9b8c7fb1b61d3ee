"""Text and its tokens: which bytes stand under each, and which tokens are pieces of a character."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from transformers import PreTrainedTokenizerBase

from utils.language import _

Tokenizer: TypeAlias = PreTrainedTokenizerBase  # what cuts a text into tokens


@dataclass(frozen=True)
class Tokenization:
    """A text cut into tokens.  Token i has `token_ids[i]` and, in UTF-8, the bytes `pieces[i]`.

    `groups` are the shortest runs of tokens, (first, last + 1), that hold whole characters: most
    hold one token, and a character that is spread over three tokens is a group of three.
    """

    text: str
    token_ids: tuple[int, ...]
    pieces: tuple[bytes, ...]
    groups: tuple[tuple[int, int], ...]


def text_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of the tokens of `text`, with those that the tokenizer adds to every text.

    It adds them once: a text that has been put into a chat template begins with them already.
    Raises ValueError for what is no text.
    """
    check_text(text)
    first = tokenizer.bos_token
    templated = bool(first) and text.startswith(first)
    return tokenizer(text, add_special_tokens=not templated, verbose=False).input_ids


def check_text(text: str) -> None:
    """Raise ValueError for what is no text, and for half a character (a lone surrogate)."""
    if not isinstance(text, str):
        raise ValueError(_("Give a text, not {kind}.").format(kind=type(text).__name__))
    if half := re.search("[\ud800-\udfff]", text):
        raise ValueError(
            _(
                "The text has half a character in it, U+{code:04X}, which no text file can hold. "
                "Take it out, or type that character again."
            ).format(code=ord(half[0]))
        )


def single_token(tokenizer: Tokenizer, word: str) -> int:
    """The id of a word that is one token, with a space before it where the vocabulary has that.

    "Red" is " Red"; only where that is no single token, it is "Red"; " Red" is itself.  What the
    tokenizer adds to a text is left out.  Raises ValueError for what is more than one token.
    """
    check_text(word)
    for text in (" " + word, word) if not word.startswith(" ") else (word,):
        if len(ids := pieces_of(tokenizer, text)) == 1:
            return ids[0]
    raise ValueError(
        _("{word} is {count} tokens. Choose a word that is one token.").format(
            word=repr(word), count=len(ids)
        )
    )


def pieces_of(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of `text` as it stands in the middle of another, without what begins or ends one."""
    check_text(text)
    ids = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    if len(ids) > 1 and text.startswith(" "):  # sentencepiece writes a space of its own before it
        without = tokenizer(text[1:], add_special_tokens=False, verbose=False).input_ids
        if b"".join(token_bytes(tokenizer, i) for i in without) == text.encode():
            return without
    return ids


def tokenize(tokenizer: Tokenizer, text: str) -> Tokenization:
    """Cut `text` into tokens, as the model is given them.  Raises ValueError for an empty text."""
    if text == "":
        raise ValueError(_("There is no text. Write at least one character."))
    ids = tuple(text_ids(tokenizer, text))
    pieces = tuple(token_bytes(tokenizer, token_id) for token_id in ids)
    return Tokenization(text, ids, pieces, _whole_characters(pieces))


def token_bytes(tokenizer: Tokenizer, token_id: int) -> bytes:
    """The bytes that a token stands for, in UTF-8: b" Paris", or a piece of a character, b"\\xec".

    Knows byte-level BPE (GPT-2, Llama 3, SmolLM2, Qwen) and sentencepiece with its byte fallback
    (Llama 2, Phi-3, Gemma).  A special token stands for its own name.  Raises ValueError for an id
    that the tokenizer does not have.
    """
    if token_id in tokenizer.added_tokens_decoder:
        return tokenizer.added_tokens_decoder[token_id].content.encode()
    token = tokenizer.convert_ids_to_tokens(token_id)
    if token is None:
        raise ValueError(_("There is no token with the id {token_id}.").format(token_id=token_id))
    if _is_byte_level(tokenizer):
        return bytes(_BYTES[sign] for sign in token)
    if byte := re.fullmatch(r"<0x([0-9A-F]{2})>", token):
        return bytes.fromhex(byte[1])
    return token.replace("▁", " ").encode()


def token_text(tokenizer: Tokenizer, token_id: int) -> str:
    """A token as text; bytes in it that are no whole character are spelled out: "⟨EC·88⟩".

    With its space, which decoding one token alone would lose with sentencepiece.  A row of the
    vocabulary that stands for no token is its number.
    """
    text = tokenizer.decode([token_id])
    joins_as_is = not hasattr(tokenizer, "backend_tokenizer") or _is_byte_level(tokenizer)
    if joins_as_is and "\ufffd" not in text:
        return text or f"⟨{token_id}⟩"
    if tokenizer.convert_ids_to_tokens(token_id) is None:
        return f"⟨{token_id}⟩"
    return visible_bytes(token_bytes(tokenizer, token_id))


def text_after(tokenizer: Tokenizer, before: list[int], ids: list[int]) -> str:
    """The text of the tokens `ids` as it goes on after those of `before`, its first space included.

    Decoded alone, tokens of a sentencepiece tokenizer lose the space that they begin with.
    """
    start, whole = tokenizer.decode(before), tokenizer.decode([*before, *ids])
    if not whole.startswith(start):  # `before` ends in the middle of a character
        return tokenizer.decode(ids)
    return whole.removeprefix(start)


def visible_bytes(piece: bytes) -> str:
    """`piece` as text, with the bytes that make no whole character spelled out: "⟨EC·88⟩".

    >>> visible_bytes("서울".encode()[:4])
    '서⟨EC⟩'
    """

    def spell(part: re.Match[str]) -> str:
        return f"⟨{part[0].encode(errors='surrogateescape').hex('-').upper().replace('-', '·')}⟩"

    return re.sub("[\udc80-\udcff]+", spell, piece.decode(errors="surrogateescape"))


def _is_byte_level(tokenizer: Tokenizer) -> bool:
    decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
    return decoder is not None and b"ByteLevel" in decoder.__getstate__()


def _byte_signs() -> dict[str, int]:
    """How byte-level BPE writes each byte as a visible character: "Ġ" is a space.

    Bytes that are visible in Latin-1 stand for themselves, the others for the signs from U+0100 on
    (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {
        chr(0x100 + i): byte for i, byte in enumerate(others)
    }


_BYTES = _byte_signs()


def _whole_characters(pieces: tuple[bytes, ...]) -> tuple[tuple[int, int], ...]:
    groups, first, held = [], 0, b""
    for i, piece in enumerate(pieces):
        held += piece
        try:
            held.decode()
        except UnicodeDecodeError:
            continue
        groups.append((first, i + 1))
        first, held = i + 1, b""
    return (*groups, (first, len(pieces))) if held else tuple(groups)


@dataclass(frozen=True)
class TokenView:
    """A text cut into tokens, beside how many of them a model can read."""

    tokens: Tokenization
    context: int
    show_bytes: bool = False  # whether each token's bytes are shown
