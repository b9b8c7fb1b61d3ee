"""Pictures: words from the record alone, and regions that lie where their things are."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from course import ROOT
from course.map import course_map
from course.my_progress import ProgressExplorer
from course.progress import events
from course.progress import figure as progress
from tests.conftest import words_alone
from tests.tiny_models import TINY, tiny_tokenizer
from utils import figures
from utils.explorers.anatomy import AnatomyExplorer
from utils.explorers.attention import AttentionExplorer
from utils.explorers.bandwidth import SpeedLimitExplorer
from utils.explorers.base import Explorer
from utils.explorers.decoding import DecodingExplorer
from utils.explorers.feed_forward import FeedForwardExplorer
from utils.explorers.generation import GenerationExplorer
from utils.explorers.head_patterns import HeadPatternExplorer
from utils.explorers.kv_cache import CacheExplorer
from utils.explorers.memory import MemoryExplorer
from utils.explorers.neurons import NeuronExplorer
from utils.explorers.residual import ResidualExplorer
from utils.explorers.streams import ButterflyExplorer, StreamsExplorer
from utils.explorers.timing import StepTimesExplorer
from utils.explorers.tokens import TokenizerExplorer
from utils.explorers.turning import TurningExplorer
from utils.figures.candidates import candidate_words
from utils.figures.chips import draw_text
from utils.figures.page import new_page
from utils.figures.picture import Picture, Region
from utils.figures.style import CSS_PIXELS_PER_INCH, in_course_style, new_figure, quote_token
from utils.timing import StepTimes

TEXT = "The dog chased the squirrel"
TIMES = StepTimes((4, 16, 64), (0.01, 0.02, 0.07), (0.009, 0.009, 0.01))
EXPLORERS = {
    "anatomy": lambda *tiny: AnatomyExplorer(*tiny, TEXT).set(part="softmax"),
    "attention": lambda *tiny: AttentionExplorer(*tiny, TEXT),
    "attention, scores": lambda *tiny: AttentionExplorer(*tiny, TEXT).set(view="scores"),
    "attention, long": lambda *tiny: AttentionExplorer(*tiny, "a b " * 30),
    "attention, layer": lambda *tiny: AttentionExplorer(*tiny, TEXT).set(all_heads=True),
    "butterfly": lambda *tiny: ButterflyExplorer(*tiny, TEXT, 2, "S"),
    "cache": lambda *tiny: CacheExplorer(*tiny, TEXT).set(step=3),
    "decoding": lambda *tiny: (
        DecodingExplorer(*tiny, TEXT)
        .set(top_k=5, temperature=0.7)
        .press("draw_500")
        .press("continue_text")
    ),
    "feed-forward": lambda *tiny: FeedForwardExplorer(*tiny, TEXT),
    "generation": lambda *tiny: GenerationExplorer(*tiny, TEXT).press("one_token", 3),
    "generation, long": lambda *tiny: GenerationExplorer(*tiny, "\n" * 12 + TEXT),
    "head patterns": lambda *tiny: HeadPatternExplorer(*tiny, TEXT).set(rank=2),
    "memory": lambda *_tiny: MemoryExplorer(),
    "neurons": lambda *tiny: NeuronExplorer(*tiny, TEXT, word="S"),
    "progress": lambda *_tiny: ProgressExplorer(),
    "residual": lambda *tiny: ResidualExplorer(*tiny, TEXT),
    "speed limit": lambda *_tiny: SpeedLimitExplorer().set(texts=64),
    "streams": lambda *tiny: StreamsExplorer(*tiny, TEXT),
    "streams, long": lambda *tiny: StreamsExplorer(*tiny, "e" * 40),
    "times": lambda *_tiny: StepTimesExplorer(TIMES),
    "tokens": lambda *tiny: TokenizerExplorer(*tiny, "é! " + TEXT).set(show_bytes=True),
    "turning": lambda *_tiny: TurningExplorer(),
}


def explorer_named(name: str) -> Explorer:
    return EXPLORERS[name](TINY["llama"](), tiny_tokenizer())


def inside(picture: Picture) -> bool:
    height = picture.figure.get_figheight() * CSS_PIXELS_PER_INCH
    return all(
        min(region.box[:2]) > -0.01
        and min(region.box[2:]) > 0
        and region.box[0] + region.box[2] < picture.width + 0.01
        and region.box[1] + region.box[3] < height + 0.01
        for region in picture.regions
    )


@in_course_style
def empty_figure():
    return new_figure(200, 100)


def test_a_picture_is_an_image_and_its_words():
    picture = Picture(empty_figure(), 'two "words" & <more>')
    assert repr(picture) == picture.words
    assert picture.width == 200
    assert picture.image().startswith(b"\x89PNG")
    bundle, metadata = picture._repr_mimebundle_()
    assert bundle["text/plain"] == picture.words
    assert metadata["image/png"] == {"width": 200, "alt": picture.words}
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_pictures_are_compared_as_things_and_regions_by_what_they_say():
    assert Picture(empty_figure(), "a") != Picture(empty_figure(), "a")
    assert Region((0, 0, 1, 1), "a", {"layer": 1}) == Region((0, 0, 1, 1), "a", {"layer": 1})


def test_beside_every_picture_stand_its_words():
    modules = [import_module(f"utils.figures.{m.name}") for m in iter_modules(figures.__path__)]
    pictures = [
        (module, name)
        for module in [*modules, progress]
        for name, thing in vars(module).items()
        if name.endswith("_picture") and thing.__module__ == module.__name__
    ]
    assert len(pictures) > 15
    for module, name in pictures:
        assert callable(getattr(module, name.replace("_picture", "_words"))), name


@pytest.mark.parametrize("name", EXPLORERS)
def test_picture_words_and_regions_come_from_the_record_alone(name):
    explorer = explorer_named(name)
    record = explorer.now()
    picture = type(explorer).picture(record)
    assert picture.words == words_alone(explorer, record) == repr(explorer)
    assert picture.regions == explorer.regions
    assert inside(picture)
    assert all(region.text for region in picture.regions)
    assert bool(picture.regions) == (name not in ("memory", "times"))


@pytest.mark.parametrize("name", EXPLORERS)
def test_what_a_region_sets_its_explorer_takes(name):
    explorer = explorer_named(name)
    for region in {tuple(region.sets): region for region in explorer.regions}.values():
        explorer.set(**region.sets)
        assert not explorer._says
        for control, value in region.sets.items():
            assert explorer.controls[control].value == value


def texts(explorer: Explorer, **sets) -> list[str]:
    """What the regions say that set these controls."""
    return [region.text for region in explorer.regions if region.sets == sets]


def test_candidates_and_tokens_are_told_as_in_the_words():
    explorer = explorer_named("generation")
    last = explorer.now().steps[-1]
    (taken,) = texts(explorer, instead=last.token_id)
    assert taken.endswith(f" · rank 1, id {last.token_id}")
    assert taken.split(" · ")[0] in repr(explorer)
    said = [region.text for region in explorer.regions]
    assert "position 0: 'The'" in said
    assert len([text for text in said if text.startswith("position ")]) == len(
        explorer.now().prompt
    ) + len(explorer.now().steps)


def test_tokens_that_are_not_drawn_have_no_region():
    explorer = explorer_named("generation, long")
    said = [region.text for region in explorer.regions]
    assert len(said) < len(explorer.now().prompt)
    assert "position 0:" not in " ".join(said)


def test_a_cell_of_the_lens_says_what_the_words_say():
    explorer = explorer_named("streams").set(layer=1, position=3)
    (cell,) = texts(explorer, layer=1, position=3)
    assert repr(explorer).startswith(cell)
    layers, columns = explorer.now().reading.probabilities.shape
    picked = [region for region in explorer.regions if region.sets]
    assert len(picked) == (layers + 1) * columns  # below the grid stand the tokens' names
    assert texts(explorer, position=3) == [
        f"position 3: '{explorer.now().reading.streams.tokens[3]}'"
    ]
    assert texts(explorer)[0].startswith(
        candidate_words(explorer.now().candidates[:1]) + " · rank 1"
    )


def test_a_cell_of_attention_is_open_and_has_the_records_number():
    explorer = explorer_named("attention").set(layer=1, head=2, position=4)
    view = explorer.now()
    cells = texts(explorer, position=4)
    tokens = [f"'{token}'" for token in view.attention.tokens]
    assert cells[0].startswith(f"{tokens[4]} → ")  # the row, its token below, the cells on it
    assert cells[1] == f"position 4: {tokens[4]}"
    assert cells[2:7] == [
        f"{tokens[4]} → {token}: {weight:.2f}"
        for token, weight in zip(tokens[:5], view.weights(), strict=False)
    ]
    weight, length = view.weights()[4], view.lengths()[4]
    assert cells[7:] == [  # the bars beside the matrix
        f"{tokens[4]}: weight {weight:.2f}",
        f"{tokens[4]}: |weight · value| {length:.2f}",
    ]
    long = explorer_named("attention, long")
    rows = [region.text for region in long.regions if " → " in region.text]
    assert len(rows) == len(long.now().attention.tokens)
    layer = explorer_named("attention, layer")
    assert texts(layer, head=2, all_heads=False)[0] in repr(layer)


def test_a_ranked_head_is_the_same_in_the_grid_in_the_bars_and_in_the_words():
    explorer = explorer_named("head patterns")
    cell, bar = texts(explorer, rank=2)
    assert cell == bar
    assert f"drawn: {bar}" in repr(explorer)


def test_parts_steps_and_layers_are_picked_by_their_regions():
    (part,) = texts(explorer_named("anatomy"), part="mlp")
    assert part == "mlp: [position, 32] → [position, 32]"
    cache = explorer_named("cache")
    row, *cells = [text for text in texts(cache, step=3) if "1 position" in text]
    assert row == "step 3: 1 position computed"
    computed = [text for text in cells if text.endswith(": computed")]
    assert computed == [
        f"{row}; position {len(cells) - 1}, '{cache.now().trace.written[1]}': computed"
    ]
    kept = [region.text for region in cache.regions if "new at this step" in region.text]
    assert len(kept) == 1
    off = explorer_named("feed-forward")
    (layer,) = texts(off, layers=(1, 1))
    assert layer.endswith(f" {off.now().each.without[1]:.2f}")


def test_the_stems_of_the_residual_stream_tell_the_records_numbers():
    explorer = explorer_named("residual")
    added = explorer.now().attention_logits[1]
    assert f"attention of layer 1: {added:+.1f}" in texts(explorer, layer=1)
    explorer.pick(layer=1)
    assert repr(explorer).splitlines()[-1].startswith("layer 1 adds: attention ")
    assert repr(explorer.pick(position=2)).startswith("position 2, ")


def test_every_head_can_be_picked_not_only_the_best():
    explorer = explorer_named("head patterns")
    scores = explorer.now().ranking.scores
    layer, head = divmod(int(scores.argmin()), scores.shape[1])
    explorer.pick(layer=layer, head=head)
    assert explorer.controls["rank"].value == scores.numel()
    assert f"drawn: layer {layer} head {head} {scores.min():.2f}" in repr(explorer)


def test_a_candidate_of_decoding_goes_to_the_end_of_the_prompt():
    explorer = DecodingExplorer(TINY["llama"](), tiny_tokenizer(), TEXT)
    record = explorer.now()
    token_id, token = next(row for row in record.rows if row[1].isascii())
    (region,) = {r.text for r in explorer.regions if r.named == {"token_id": token_id}}
    row = record.rows.index((token_id, token))
    share = record.shares(record.stages[0])[row]
    assert region == f"the model: {quote_token(token)} {share:.2f} · rank {row + 1}, id {token_id}"
    explorer.pick(token_id=token_id)
    assert explorer.controls["prompt"].value == TEXT + token.decode()


def test_the_token_that_is_looked_at_is_always_drawn():
    """Of a text of several lines one is drawn: the one of the position."""
    for position in range(30):
        figure, page = in_course_style(new_page)(120)
        regions = in_course_style(draw_text)(page, ["squirrel"] * 30, position)
        assert position in [region.sets["position"] for region in regions]
        assert inside(Picture(figure, "", tuple(regions)))


@pytest.mark.usefixtures("learner")
def test_the_maps_regions():
    picture = course_map("06")
    assert inside(picture)
    opens = {region.text: region.href for region in picture.regions}
    assert opens["feed-forward · 06"] == opens["residual stream · 06"] == "06_block.ipynb"
    assert all((ROOT / "chapters" / "en" / href).exists() for href in opens.values())
    events.record_attempt("1.1", True)
    said = [(region.text, region.href) for region in ProgressExplorer().regions]
    assert said[:2] == [
        ("1.1: passed", "01_generation_loop.ipynb#cell-id=ex-1-1"),
        ("1.2: next", "01_generation_loop.ipynb#cell-id=ex-1-2"),
    ]
