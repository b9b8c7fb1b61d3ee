"""The learner's own file: what passes is kept, nothing is lost, and lesson 08 runs it."""

import functools
import linecache
import runpy
import sys
import threading
import types

import pytest
import torch

from course import my_llm
from course.exercise import Exercise
from course.my_llm import PARTS, my_map, parts, terminal, whose_code
from course.my_llm.keeping import keep
from course.my_llm.standalone import global_names
from course.my_llm.written import is_untouched
from course.progress import events
from tests.tiny_models import TINY, tiny_tokenizer
from utils import parts as the_courses
from utils.language import use_language


@pytest.fixture(autouse=True)
def folder(learner, monkeypatch):
    """A learner's folder of chapters, and the learner in it."""
    monkeypatch.chdir(learner)
    return learner


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
PLACES = (
    "import torch\nfrom course.my_llm import causal_mask\n\ndef places_and_mask(past, new):\n"
    "    return torch.arange(past, past + new), causal_mask(past + new)[past:]\n"
)
CACHE = """
import torch

class KVCache:
    def __init__(self):
        super().__init__()
        self.kept = {}

    def append(self, layer, keys, values):
        if layer in self.kept:
            keys = torch.cat([self.kept[layer][0], keys], dim=2)
            values = torch.cat([self.kept[layer][1], values], dim=2)
        self.kept[layer] = keys, values
        return keys, values

    def get_seq_length(self):
        return self.kept[0][0].shape[2] if self.kept else 0
"""


def test_what_passes_is_kept_and_used(folder, notebook):
    mine = notebook(NORM)["rms_norm"]
    widget = Exercise("6.1").check(mine)
    assert widget.passed
    assert "Kept in my_llm.py, beside this notebook." in widget._notes.value
    text = (folder / "my_llm.py").read_text(encoding="utf-8")
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
    later = notebook(
        "def sample(logits, generator=None):\n"
        "    return softmax(logits).multinomial(1, generator=generator).item()\n"
    )["sample"]
    assert "Kept" in keep("3.6", later)
    assert "# ── 2.3 softmax ─" in (folder / "my_llm.py").read_text(encoding="utf-8")
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
    exec((folder / "my_llm.py").read_text(encoding="utf-8"), namespace)  # and as a file of its own
    assert torch.allclose(namespace["attention_weights"](scores, mask), expected)


def test_a_part_that_needs_the_notebook_is_refused_in_a_sentence(folder, notebook):
    mine = notebook(
        "import torch\nmatrix = torch.eye(3)\ndef lm_head(hidden, weight):\n"
        "    return hidden @ weight.T @ matrix\n"
    )["lm_head"]
    assert "it uses matrix, which is only in this notebook" in keep("2.4", mine)
    assert not (folder / "my_llm.py").exists()
    outer = notebook(
        "def made(matrix):\n    def lm_head(hidden, weight):\n"
        "        return hidden @ weight.T @ matrix\n    return lm_head\n"
    )["made"]
    assert "it uses matrix, which is only in this notebook" in keep("2.4", outer(torch.eye(3)))
    names = notebook("act = lambda x: x\ndef lm_head(hidden, weight):\n    return act(hidden)\n")
    assert "it uses act, which is only in this notebook" in keep("2.4", names["lm_head"])
    assert not (folder / "my_llm.py").exists()


class Head:
    def __call__(self, hidden, weight):
        return hidden @ weight.T

    def method(self, hidden, weight):
        return hidden @ weight.T


HEAD = "def lm_head(hidden, weight):\n    return hidden @ weight.T\n"


def test_what_has_no_source_is_graded_and_a_sentence_says_how_to_keep_it(folder):
    timed = {"__name__": "__main__"}
    exec(compile(HEAD, "<timed exec>", "exec"), timed)  # as IPython does under %%time
    for answer in (
        lambda hidden, weight: hidden @ weight.T,
        functools.partial(timed["lm_head"]),
        timed["lm_head"],
        Head(),
        Head().method,
    ):
        widget = Exercise("2.4").check(answer)
        assert widget.passed
        assert "could not be kept in my_llm.py: its code cannot be read here" in widget._notes.value
        assert "%%time" in widget._notes.value
        assert "it uses" not in widget._notes.value
    assert not (folder / "my_llm.py").exists()


def test_what_does_not_pass_by_itself_is_not_kept(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    before = (folder / "my_llm.py").read_text(encoding="utf-8")
    mine = notebook(CACHE.replace("def append", "def add"))["KVCache"]
    mine.append = mine.add  # as another cell may do
    widget = Exercise("5.1").check(mine)
    assert widget.passed
    assert "without this notebook it does not pass (" in widget._notes.value
    assert (folder / "my_llm.py").read_text(encoding="utf-8") == before
    assert parts()["rms_norm"].mine


def test_what_passed_is_kept_though_the_machine_is_slow_by_now(folder, notebook, monkeypatch):
    slow = notebook(
        f"import time\nimport torch\n{HEAD.replace('    return', '    time.sleep(1); return')}"
    )
    monkeypatch.setattr("course.graders.attempt.SECONDS", 0.2)
    assert "Kept" in keep("2.4", slow["lm_head"])


def test_of_two_in_a_cell_the_last_one_is_kept(folder, notebook):
    wrong = HEAD.replace("weight.T", "weight")
    assert "Kept" in keep("2.4", notebook(f"{wrong}\n{HEAD}")["lm_head"])
    assert "weight.T" in (folder / "my_llm.py").read_text(encoding="utf-8")


def test_a_helper_under_two_names_is_kept_under_both(notebook):
    names = notebook("def turned(x):\n    return x.T\nflip = turned\n")
    names = notebook(HEAD.replace("weight.T", "flip(weight)"))
    assert "Kept" in keep("2.4", names["lm_head"])
    names.clear()
    assert parts()["lm_head"].mine


def test_the_names_that_code_needs():
    source = (
        "import torch\nX = 2\ndef f(a, b=Y):\n    def g():\n        return helper(c, X) + torch.x\n"
        "    c = 1\n    return [z for q in a if w]\n"
        "class K(Base):\n    torch2 = 1\n    def m(self):\n        return torch2 + __name__\n"
    )
    assert global_names(source) == {"Y", "helper", "z", "w", "Base", "torch2"}


def test_classes_are_kept_too(notebook):
    assert "Kept" in keep("5.1", notebook(CACHE)["KVCache"])
    cache = parts()["KVCache"].value()
    cache.append(0, torch.ones(1, 1, 2, 1), torch.ones(1, 1, 2, 1))
    assert type(cache).__module__ == "my_llm"
    assert cache.get_seq_length() == 2


def test_a_newer_answer_takes_the_place_and_the_old_file_is_copied(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    first = (folder / "my_llm.py").read_text(encoding="utf-8")
    assert keep("6.1", notebook(NORM)["rms_norm"]) == "It is in my_llm.py already."
    assert [path.name for path in folder.glob("[!.]*")] == ["my_llm.py"]
    said = keep("6.1", notebook(NORM.replace("Mine", "Newer"))["rms_norm"])
    copies = list(folder.glob("kept/my_llm-20??-??-??-??????.py"))
    assert len(copies) == 1
    assert copies[0].read_text(encoding="utf-8") == first
    assert f"kept/{copies[0].name}" in said
    assert parts()["rms_norm"].value.__doc__ == "Newer."


def test_many_newer_answers_within_a_second_lose_none(folder, notebook):
    for n in range(5):
        keep("6.1", notebook(NORM.replace("Mine", f"Mine {n}"))["rms_norm"])
    kept = [copy.read_text(encoding="utf-8") for copy in folder.glob("kept/*.py")]
    assert all(any(f"Mine {n}." in text for text in kept) for n in range(4))
    assert len(kept) == 4


def test_what_the_learner_wrote_into_the_file_stays(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    path = folder / "my_llm.py"
    mine = "# my own remark\n" + path.read_text(encoding="utf-8") + "\n# and at the end\n"
    path.write_text(mine, encoding="utf-8")
    keep("4.1", notebook(MASK)["causal_mask"])
    text = path.read_text(encoding="utf-8")
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
    assert parts()["rms_norm"].value.__name__ == "my_norm"
    keep("8.1", notebook(PLACES)["places_and_mask"])
    assert parts()["places_and_mask"].value(1, 1)[1].tolist() == [[True, True]]


def test_a_part_that_uses_another_uses_the_learner_s_newest(notebook):
    assert "Kept" in keep("8.1", notebook(PLACES)["places_and_mask"])  # the mask was the course's
    assert "Kept" in keep("4.1", notebook(MASK)["causal_mask"])
    part = parts()["places_and_mask"]
    assert part.mine
    assert part.value.__globals__["causal_mask"] is parts()["causal_mask"].value


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
    before, _middle, after = path.read_text(encoding="utf-8").partition("def rms_norm")
    path.write_text(before + damage + "\n" + after[after.index("# ── 7.5") :], encoding="utf-8")
    found = parts()
    assert found["rms_norm"].value is the_courses.rms_norm
    assert found["rms_norm"].problem
    assert found["merge_heads"].mine
    said = f"the course's, because mine cannot be run: {found['rms_norm'].problem}"
    assert f"6.1  rms_norm          {said}" in whose_code()


def test_a_part_that_the_learner_made_wrong_is_named(folder, notebook):
    keep("6.1", notebook(NORM)["rms_norm"])
    path = folder / "my_llm.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("+ eps", "- eps * 1000"), encoding="utf-8")
    assert parts()["rms_norm"].mine  # it is the learner's to try things with
    assert "mine, but it does not pass exercise 6.1 any more" in whose_code()


def test_a_file_that_cannot_be_written_is_no_error(folder, notebook):
    (folder / "my_llm.py").mkdir()
    assert "could not be kept in my_llm.py" in keep("6.1", notebook(NORM)["rms_norm"])
    assert not parts()["rms_norm"].mine


@pytest.mark.parametrize("place", ["solutions/en", "elsewhere/en"])
def test_the_working_folder_means_nothing(tmp_path, monkeypatch, folder, notebook, place):
    (tmp_path / place).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / place)
    path = folder / "my_llm.py"
    assert keep("6.1", notebook(NORM)["rms_norm"]) == f"Kept in {path}."
    said = keep("6.1", notebook(NORM.replace("Mine", "Newer"))["rms_norm"])
    (copy,) = folder.glob("kept/*.py")
    assert str(copy) in said
    assert parts()["rms_norm"].value.__doc__ == "Newer."
    assert list((tmp_path / place).iterdir()) == []


def test_another_file_can_be_chosen(tmp_path, monkeypatch, folder, notebook):
    path = tmp_path / "not there yet" / "mine.py"
    monkeypatch.setenv("COURSE_MY_LLM", str(path))
    assert keep("6.1", notebook(NORM)["rms_norm"]) == f"Kept in {path}."
    assert parts()["rms_norm"].mine
    assert my_llm.my_llm() == path.read_text(encoding="utf-8")
    assert list(folder.iterdir()) == []


def test_each_language_has_a_file_of_its_own(folder, notebook):
    (folder.parent / "ko").mkdir()
    use_language("ko")
    keep("6.1", notebook(NORM)["rms_norm"])
    assert (folder.parent / "ko" / "my_llm.py").exists()
    use_language("en")
    assert not parts()["rms_norm"].mine


def test_nothing_is_kept_or_used_where_nobody_is_learning(folder, notebook, monkeypatch):
    keep("6.1", notebook(NORM)["rms_norm"])
    monkeypatch.setenv("COURSE_LEARNER", "off")
    assert not parts()["rms_norm"].mine
    assert keep("7.5", notebook(MERGE)["merge_heads"]) is None
    assert "no my_llm.py here yet" in my_llm.my_llm()


LOUD = "# ── 4.1 causal_mask ──\nimport torch\nprint('once')\n" + MASK
LOUD += f"\n# ── 5.1 KVCache ──\n{CACHE}"


def test_the_file_is_run_once_as_long_as_it_is_the_same(folder, capsys):
    path = folder / "my_llm.py"
    path.write_text(LOUD, encoding="utf-8")
    first = my_llm.KVCache
    for part in PARTS.values():
        getattr(my_llm, part.__name__)
    path.touch()
    from course.my_llm import KVCache, causal_mask  # noqa: F401

    whose_code()
    assert KVCache is first
    assert capsys.readouterr().out == "once\n"
    path.write_text(
        LOUD.replace("'once'", "'anew'"), encoding="utf-8"
    )  # as long as before, and at once
    assert my_llm.KVCache is my_llm.KVCache is not first
    assert capsys.readouterr().out == "anew\n"


def test_two_threads_get_the_same(folder, capsys):
    (folder / "my_llm.py").write_text(
        LOUD.replace("print", "import time; time.sleep(.2); print"), encoding="utf-8"
    )
    found, together = [], threading.Barrier(4)

    def ask():
        together.wait()
        found.append(my_llm.KVCache)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({*found}) == 1
    assert capsys.readouterr().out == "once\n"


def test_what_is_kept_is_what_is_used_and_not_run_again(notebook, capsys, folder):
    (folder / "my_llm.py").write_text(LOUD, encoding="utf-8")
    keep("6.1", notebook(NORM)["rms_norm"])
    first = my_llm.KVCache
    assert parts()["rms_norm"].mine
    assert my_llm.KVCache is first
    assert capsys.readouterr().out == "once\n"


def test_the_file_may_ask_for_its_own_parts(folder):
    """Those above are the learner's, the others the course's; and nothing runs in circles."""
    asks = "from course.my_llm import causal_mask, rms_norm\n" + PLACES.split("\n\n")[1]
    text = f"{LOUD}\n# ── 8.1 places_and_mask ──\nimport torch\n{asks}"
    (folder / "my_llm.py").write_text(text, encoding="utf-8")
    part = parts()["places_and_mask"]
    assert part.mine, part.problem
    assert part.value.__globals__["causal_mask"] is my_llm.causal_mask
    assert part.value.__globals__["rms_norm"] is the_courses.rms_norm


def test_a_run_that_was_stopped_is_begun_anew(folder, monkeypatch):
    path = folder / "my_llm.py"
    path.write_text(
        "# ── 4.1 causal_mask ──\nimport utils\nutils.stop()\n" + MASK, encoding="utf-8"
    )

    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr("utils.stop", stop, raising=False)
    with pytest.raises(KeyboardInterrupt):
        parts()
    monkeypatch.setattr("utils.stop", lambda: None)
    assert parts()["causal_mask"].mine


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
    assert "내가" in (folder.parent / "ko" / "my_llm.py").read_text(encoding="utf-8")


def test_the_map_says_whose_code_each_part_is(notebook):
    numbers = [number for those in my_llm.ON_THE_MAP.values() for number in those]
    until_08 = [number for number in PARTS if number < my_llm.FASTER]
    assert sorted(numbers) == until_08
    assert f"0 of {len(until_08)} parts are mine" in repr(my_map())
    keep("6.1", notebook(NORM)["rms_norm"])
    keep("7.5", notebook(MERGE)["merge_heads"])
    picture = my_map()
    assert f"2 of {len(until_08)} parts are mine" in repr(picture)
    assert "\nmine: rms_norm, merge_heads\n" in repr(picture)
    says = [region.text for region in picture.regions]
    assert "final norm: 1 of 1 mine (rms_norm)" in says
    assert any(text.startswith("attention: 1 of 8 mine") for text in says)


@pytest.fixture
def run_file(folder, monkeypatch, capsys):
    """What `python my_llm.py …` gives: its exit status, what it wrote, and what it said."""
    monkeypatch.setattr(
        terminal, "load_model", lambda *_a, **_o: (TINY["llama"](), tiny_tokenizer())
    )

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["my_llm.py", *arguments])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(folder / "my_llm.py"), run_name="__main__")
        return end.value.code, *capsys.readouterr()

    return run


def test_the_file_writes_in_a_terminal(notebook, run_file):
    keep("6.1", notebook(NORM)["rms_norm"])
    code, text, said = run_file("hello there", "--new", "5")
    assert code == 0
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    ids = tokenizer("hello there", return_tensors="pt").input_ids
    written = the_courses.stream_text(the_courses.write(model, ids, 5), tokenizer)
    assert text == f"hello there{''.join(written)}\n"
    assert "From the course" in said
    assert "8.5 write" in said
    assert "rms_norm" not in said
    assert run_file("hello", "--new", "3", "--temperature", "0.7")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("hello", "--temperature", "0"), "above 0"),
        (("hello", "--new", "0"), "1 or more"),
        (("hello", "--new", "9999"), "room for"),
        (("",), "empty"),
    ],
)
def test_bad_input_in_a_terminal_gets_a_sentence(notebook, run_file, arguments, says):
    keep("6.1", notebook(NORM)["rms_norm"])
    code, text, said = run_file(*arguments)
    assert (code, text) == (1, "")
    assert says in said


def test_without_the_course_the_file_says_where_it_belongs(notebook, run_file, monkeypatch):
    keep("6.1", notebook(NORM)["rms_norm"])
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "put this file back" in run_file("hello")[0]
