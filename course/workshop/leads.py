"""What a slide says of a longer text: whole sentences of it, as many as there is room for."""

import re
import unicodedata

# Between sentences, but not inside `code` or a "quotation".
SENTENCE_ENDS = re.compile(r'(?<=[.?!])\s+(?=(?:[^`]*`[^`]*`)*[^`]*$)(?=(?:[^"]*"[^"]*")*[^"]*$)')
# What an exercise asks for: Korean says it by an ending, English by the verb that comes first.
ASKS = re.compile(
    r"(세요|니까\?|나요\?|까요\?)\W*$|^(With the explorer, |For each \S+ in \S+ |From .* )?"
    r"([Cc]ompute|[Ff]ind|Give|Make|Measure|Multiply|Now the way back|Put|Raise|Repeat|Replace|"
    r"Return|Split|[Tt]ake|Turn|Write|Join)\b"
)


def lead(text: str, room: int, must: re.Pattern | None = None) -> str:
    """All of a short text; else the sentences in a row that have most of its terms in bold and
    formulas, or the first ones.

    room: letters; must: what the last sentence that it matches is kept for, whatever else is.
    """
    if width(text) <= room:
        return text
    parts = text.strip().replace("\n\n$$", " $$").split("\n\n")
    prose = [part for part in parts if not re.match(r"- |\||\d\. ", part)]
    sentences = [sentence for part in prose for sentence in SENTENCE_ENDS.split(part)]
    rows = [sentences[i:j] for i in range(len(sentences)) for j in range(i + 1, len(sentences) + 1)]
    wanted = [sentence for sentence in sentences if must and must.search(sentence)][-1:]
    rows = [row for row in rows if set(wanted) <= set(row)]
    fitting = [row for row in rows if len(row) == 1 or width(" ".join(row)) <= room]
    best = max(fitting, key=lambda row: (_terms(row), row[0] == sentences[0], len(row)))
    while len(best) > 1 and best[-1].endswith(":"):  # what it announces is not on the slide
        best = best[:-1]
    return " ".join(best)


def _terms(sentences: list[str]) -> int:
    return sum("**" in sentence or "$$" in sentence for sentence in sentences)


def width(text: str) -> int:
    """How many letters wide a text is; Hangul counts twice, a formula not at all."""
    text = re.sub(r"\$\$.*?\$\$", "", text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
