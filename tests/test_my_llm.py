"""The learner's own file: what passes is kept, nothing is lost, and lesson 08 runs it."""

import linecache
import sys
import types

import pytest
import torch

from course import my_llm
from course.exercise import Exercise, is_untouched
from course.my_llm import PARTS, keep, parts, whose_code
from course.progress import events
from utils import parts as the_courses
from utils.language import use_language


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A learner's folder of chapters, and the learner in it."""
    place = tmp_path / "chapters" / "en"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    monkeypatch.setattr(my_llm, "_tested", lambda: False)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    use_language("en")
    yield place
    use_language("en")


@pytest.fixture
def notebook(monkeypatch):
    """Run cells as a kernel does: all in `__main__`, each known to linecache under its own name."""
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    names = vars(main)

    def run(source: str) -> dict:
        title = f"/tmp/ipykernel_1/{abs(hash(source))}.py"
        linecache.cache[title] = len(source), None, source.splitlines(True), title
        exec(compile(source, title, "exec"), names)
        return names

    return run


NORM = """
import torch

def rms_norm(x, weight, eps):
    '''Mine.'''
    wide = x.float()
    return weight * (wide / (wide.pow(2).mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)
"""


MASK = "import torch\ndef causal_mask(n):\n    return torch.ones(n, n).tril() > 0\n"
MERGE = "def merge_heads(x):\n    return x.transpose(0, 1).flatten(1)\n"
LAYER = "from course.my_llm import rms_norm\ndef run_layer(x):\n    return rms_norm(x, 1, 0)\n"


def test_what_passes_is_kept_and_used(folder, notebook):
    mine = notebook(NORM)["rms_norm"]
    widget = Exercise("6.1").check(mine)
    assert widget.passed
    assert "Kept in my_llm.py, beside this notebook." in widget._notes.value
    text = (folder / "my_llm.py").read_text()
    assert "# ── 6.1 rms_norm ─" in text
    assert NORM.strip().partition("\n\n")[2] in text
    from course.my_llm import feed_forward, rms_norm

    assert rms_norm.__doc__ == "Mine."
    x, weight = torch.randn(3, 8), torch.randn(8)
    expected = the_courses.rms_norm(x, weight, 1e-5)
    assert torch.allclose(rms_norm(x, weight, 1e-5), expected, atol=1e-6)
    assert feed_forward is the_courses.feed_forward
    assert "6.1  rms_norm          mine" in whose_code()
    assert "6.2  feed_forward      the course's" in whose_code()
    assert my_llm.my_llm() == text


def test_what_fails_or_is_no_code_is_not_kept(folder, notebook):
    wrong = notebook("def rms_norm(x, weight, eps):\n    return x * weight\n")["rms_norm"]
    assert not Exercise("6.1").check(wrong).passed
    assert keep("1.4", "Is it") is None  # found, not written
    assert not (folder / "my_llm.py").exists()


def test_what_lesson_08_has_no_use_for_is_kept_as_well(folder, notebook):
    """Under the learner's own name, and what comes later sees it."""
    twice = notebook("def softmax(logits):\n    return logits.softmax(-1)\n")["softmax"]
    assert "Kept" in keep("2.3", twice)
    later = notebook("def sample(logits):\n    return softmax(logits).multinomial(1)\n")["sample"]
    assert "Kept" in keep("3.6", later)
    assert "# ── 2.3 softmax ─" in (folder / "my_llm.py").read_text()
    assert parts()["sample"].mine
    assert "softmax" not in whose_code().split("sample")[0]


def test_a_part_brings_what_it_uses(folder, notebook):
    names = notebook(
        "import math\nimport torch\nimport torch.nn.functional as F\n"
        "from torch import exp\nfrom utils.parts import causal_mask\n"
        "LOW = -torch.inf\nSTEPS = 3\n"
        "def helper(x):\n    return deeper(x) + math.pi * 0 + STEPS * 0\n"
        "def deeper(x):\n    return F.relu(x) * 0 + exp(x) * 0\n"
    )
    mine = notebook(
        "def attention_weights(scores, mask):\n"
        "    scores = scores + helper(scores)\n"
        "    assert causal_mask(1).all()\n"
        "    return torch.softmax(scores.masked_fill(~mask, LOW), dim=-1)\n"
    )["attention_weights"]
    assert "Kept" in keep("7.2", mine)
    names.clear()  # a kernel that is started again knows none of it
    scores, mask = torch.randn(2, 3, 3), torch.ones(3, 3).tril().bool()
    part = parts()["attention_weights"]
    assert part.mine
    expected = PARTS["7.2"](scores, mask)
    assert torch.allclose(part.value(scores, mask), expected)
    namespace = {}
    exec((folder / "my_llm.py").read_text(), namespace)  # and as a file of its own
    assert torch.allclose(namespace["attention_weights"](scores, mask), expected)


def test_a_part_that_needs_the_notebook_is_refused_in_a_sentence(folder, notebook):
    mine = notebook(
        "import torch\nmatrix = torch.eye(3)\ndef lm_head(hidden, weight):\n"
        "    return hidden @ weight.T @ matrix\n"
    )["lm_head"]
    assert "it uses matrix, which is only in this notebook" in keep("2.4", mine)
    assert "it uses" in keep("2.4", lambda hidden, weight: hidden @ weight.T)
    assert not (folder / "my_llm.py").exists()


def test_classes_are_kept_too(notebook):
    mine = notebook(
        "import torch\n\nclass KVCache:\n    def __init__(self):\n        self.kept = {}\n"
        "    def append(self, layer, keys, values):\n        if layer in self.kept:\n"
        "            keys = torch.cat([self.kept[layer][0], keys], dim=2)\n"
        "            values = torch.cat([self.kept[layer][1], values], dim=2)\n"
        "        self.kept[layer] = keys, values\n        return keys, values\n"
        "    def get_seq_length(self):\n"
        "        return self.kept[0][0].shape[2] if self.kept else 0\n"
    )["KVCache"]
    assert "Kept" in keep("5.1", mine)
    cache = parts()["KVCache"].value()
    cache.append(0, torch.ones(1, 1, 2, 1), torch.ones(1, 1, 2, 1))
    assert type(cache).__module__ == "my_llm"
    assert cache.get_seq_length() == 2


def test_a_newer_answer_takes_the_place_and_the_old_file_is_copied(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    first = (folder / "my_llm.py").read_text()
    assert keep("6.1", notebook(NORM)["rms_norm"]) == "It is in my_llm.py already."
    assert [path.name for path in folder.iterdir()] == ["my_llm.py"]
    said = keep("6.1", notebook(NORM.replace("Mine", "Newer"))["rms_norm"])
    copies = list(folder.glob("my_llm-20??-??-??-??????.py"))
    assert len(copies) == 1
    assert copies[0].read_text() == first
    assert copies[0].name in said
    assert parts()["rms_norm"].value.__doc__ == "Newer."


def test_what_the_learner_wrote_into_the_file_stays(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    path = folder / "my_llm.py"
    mine = "# my own remark\n" + path.read_text() + "\n# and at the end\n"
    path.write_text(mine)
    keep("4.1", notebook(MASK)["causal_mask"])
    text = path.read_text()
    assert text.startswith("# my own remark\n")
    assert "# and at the end" in text
    assert text.index("4.1 causal_mask") < text.index("6.1 rms_norm")
    assert parts()["rms_norm"].mine
    assert parts()["causal_mask"].mine


def test_two_lessons_may_have_helpers_of_the_same_name(notebook):
    ones = "def helper(n):\n    return torch.ones(n, n)\n"
    mask = "def causal_mask(n):\n    return helper(n).tril() > 0\n"
    keep("4.1", notebook(f"import torch\n{ones}{mask}")["causal_mask"])
    turn = "def helper(x):\n    return x.transpose(0, 1)\n"
    merge = "def merge_heads(x):\n    return helper(x).flatten(1)\n"
    keep("7.5", notebook(turn + merge)["merge_heads"])
    assert parts()["causal_mask"].value(3).tolist() == PARTS["4.1"](3).tolist()
    x = torch.randn(2, 3, 4)
    assert torch.equal(parts()["merge_heads"].value(x), PARTS["7.5"](x))


def test_a_part_under_another_name_is_found(notebook):
    keep("6.1", notebook(NORM.replace("rms_norm", "my_norm"))["my_norm"])
    assert parts()["rms_norm"].mine
    keep("8.3", notebook(LAYER)["run_layer"])
    assert parts()["run_layer"].value(torch.ones(2, 2)).tolist() == [[1.0, 1.0]] * 2


def test_a_part_that_uses_another_uses_the_learner_s_newest(notebook):
    keep("8.3", notebook(LAYER)["run_layer"])  # rms_norm was the course's then
    keep("6.1", notebook("def rms_norm(x, weight, eps):\n    return 'mine'\n")["rms_norm"])
    assert parts()["run_layer"].value(torch.ones(2)) == "mine"


@pytest.mark.parametrize(
    "damage",
    [
        "raise OSError('no')\n",
        "def rms_norm(:\n",
        "def other(): pass\n",
        "def rms_norm(x, weight, eps): return y\n",
    ],
)
def test_a_part_that_the_learner_broke_gives_way_to_the_course_s(folder, notebook, damage):
    keep("6.1", notebook(NORM)["rms_norm"])
    keep("7.5", notebook(MERGE)["merge_heads"])
    path = folder / "my_llm.py"
    before, _middle, after = path.read_text().partition("def rms_norm")
    path.write_text(before + damage + "\n" + after[after.index("# ── 7.5") :])
    found = parts()
    assert found["rms_norm"].value is the_courses.rms_norm
    assert found["rms_norm"].problem
    assert found["merge_heads"].mine
    said = f"the course's, because mine cannot be run: {found['rms_norm'].problem}"
    assert f"6.1  rms_norm          {said}" in whose_code()


def test_a_part_that_the_learner_made_wrong_is_named(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    path = folder / "my_llm.py"
    path.write_text(path.read_text().replace("+ eps", "- eps * 1000"))
    assert parts()["rms_norm"].mine  # it is the learner's to try things with
    assert "mine, but it does not pass exercise 6.1 any more" in whose_code()


def test_a_file_that_cannot_be_written_is_no_error(folder, notebook):
    (folder / "my_llm.py").mkdir()
    assert "could not be kept in my_llm.py" in keep("6.1", notebook(NORM)["rms_norm"])
    assert not parts()["rms_norm"].mine


@pytest.mark.parametrize("place", ["solutions/en", "elsewhere/en"])
def test_nothing_is_kept_elsewhere(tmp_path, monkeypatch, notebook, place):
    (tmp_path / place).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / place)
    assert keep("6.1", notebook(NORM)["rms_norm"]) is None
    assert list((tmp_path / place).iterdir()) == []
    assert "no my_llm.py here yet" in my_llm.my_llm()


def test_nothing_is_kept_or_used_in_tests(folder, notebook, monkeypatch):
    keep("6.1", notebook(NORM)["rms_norm"])
    monkeypatch.undo()  # the tests are tests again
    monkeypatch.chdir(folder)
    assert not parts()["rms_norm"].mine
    assert keep("6.2", notebook(NORM)["rms_norm"]) is None


def test_the_course_s_own_helper_is_no_attempt():
    assert is_untouched(the_courses.rms_norm)
    widget = Exercise("6.1").check(the_courses.rms_norm)
    assert not widget.attempted
    assert events.summary() == {}


def test_every_part_stands_under_its_exercise_s_name():
    for number, reference in PARTS.items():
        part = parts()[reference.__name__]
        assert (part.number, part.value, part.mine) == (number, reference, False)
    with pytest.raises(ImportError):
        from course.my_llm import nothing_of_that_name  # noqa: F401


def test_the_file_speaks_the_learner_s_language(folder, notebook):
    use_language("ko")
    keep("6.1", notebook(NORM)["rms_norm"])
    assert "내가" in (folder / "my_llm.py").read_text()
