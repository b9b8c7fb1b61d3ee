"""What every explorer is made of: controls on top, a picture below, and the same thing in words.

An explorer is met in three ways, all from one record: live, as a picture in a saved notebook, and
as words for nbval, screen readers and tests.
"""

import base64
import gc
import html
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property, lru_cache
from threading import RLock
from typing import Any

import ipywidgets as widgets
from traitlets import TraitError

from utils.callbacks import wait_for_cells
from utils.figures.picture import Picture, Region, image_metadata, in_front
from utils.figures.view import PictureView
from utils.language import _
from utils.markup import REMARK
from utils.model_store import ModelError

REMEMBERING = 8  # explorers, or parts of one, that keep what they have computed
_remembering: list[Any] = []  # the one that was asked last stands last


def last_remembered(function: Callable) -> Callable:
    """`function`, computed again only when it is asked something else than the last time.

    A cell that is run again makes another explorer, and the old one, which nobody sees any more,
    stays in memory with its widgets: what was not asked for a while forgets, and computes anew.
    """
    remembered = lru_cache(maxsize=1)(function)

    def ask(*asked: Any) -> Any:
        with suppress(ValueError):
            _remembering.remove(remembered)
        _remembering.append(remembered)
        for forgets in _remembering[:-REMEMBERING]:
            forgets.cache_clear()
        del _remembering[:-REMEMBERING]
        return remembered(*asked)

    return ask


@cache
def spare_the_collector() -> None:
    """What is loaded by the first explorer stays: looking through all of it takes 100 ms a time."""
    gc.freeze()


def text_box(
    description: str, text: str, width: str | None = "97%", **options: Any
) -> widgets.Text:
    """A line to write in.  It answers when it is left, or to Enter, and not to each letter.

    options: others of `ipywidgets.Text`.
    """
    layout = widgets.Layout(width=width)
    return widgets.Text(
        text, description=description, continuous_update=False, layout=layout, **options
    )


class Explorer(widgets.VBox):
    """Base of all explorers.  A subclass names its controls and says two things of them.

    `record(**values)` computes a frozen record from the controls' values, and raises ValueError
    with a sentence for the learner where it cannot; `picture(record)` is the function that makes
    the picture of it, with its words, and stands among the figures.

    Whatever is done to an explorer, by code or by a hand, is done one after the other.
    """

    picture: Callable[[Any], Picture]
    _quiet = True  # so that nothing redraws before all stands

    def __init__(
        self,
        controls: dict[str, widgets.Widget],
        actions: dict[str, tuple[str, Callable[[], None]]] | None = None,
    ):
        """controls: by name, in order; actions: by name, the button's label and what it does."""
        wait_for_cells()
        spare_the_collector()
        self.controls, self.actions = controls, {}
        self.regions: tuple[Region, ...] = ()  # of the picture that is shown
        self._words = self._says = ""
        self._png, self._width = b"", 0
        self._message, self._picture = widgets.HTML(), PictureView(self._click)
        for control in controls.values():
            control.observe(self._on_change, names="value")
        for name, (label, action) in (actions or {}).items():
            button = self.actions[name] = widgets.Button(description=label)
            button.on_click(lambda _button, action=action: self.attempt(action))
        super().__init__([self._arrange(), self._message, self._picture])
        self.add_class("course-explorer").add_class("course-widget")
        self._quiet = False
        self.redraw()

    # What a subclass says -------------------------------------------------------------------

    def record(self, *_values: Any, **_named: Any) -> Any:  # a subclass names what it takes
        raise NotImplementedError

    def _arrange(self) -> widgets.Widget:
        """The controls as the learner sees them; a subclass may lay them out its own way."""
        buttons = [widgets.HBox(list(self.actions.values()))] if self.actions else []
        return widgets.VBox([*self.controls.values(), *buttons])

    # What all of them do --------------------------------------------------------------------

    @cached_property
    def _turn(self) -> RLock:
        """Held by the thread that moves the controls, or draws what they say."""
        return RLock()

    def set(self, **values: Any) -> "Explorer":
        """Move controls from code, by the same path as a hand on them, and redraw once.

        A value that a control cannot take is answered under the controls, as everywhere; an
        unknown control raises ValueError.
        """
        self._known(values, self.controls)
        problems = []
        with self._turn:
            with self.quietly():
                for name, value in values.items():
                    try:
                        self._move(name, value)
                    except ValueError as problem:
                        problems.append(str(problem))
            self.redraw()
            if problems:
                self.say(" ".join(problems))
        return self

    def press(self, name: str, times: int = 1) -> "Explorer":
        """Press a button from code, by the same path as a hand on it."""
        self._known([name], self.actions)
        for _press in range(times):
            self.actions[name].click()
        return self

    def pick(self, **region: Any) -> "Explorer":
        """Click in the picture from code: `pick(position=3)`, by the same path as a hand on it.

        Raises ValueError where the picture shows no such thing, or several.
        """
        found = [
            each
            for each in self.regions
            if each.sets and region.items() <= {**each.named, **each.sets}.items()
        ]
        exact = [each for each in found if each.sets == region]
        picked = exact or found
        if not region or any(each.sets != picked[0].sets for each in picked) or not picked:
            raise ValueError(self._pickable())
        return self.set(**picked[0].sets)

    def _pickable(self) -> str:
        """What can be picked, in words: an example of each kind."""
        kinds = {
            tuple(each.sets): {**each.named, **each.sets} for each in self.regions if each.sets
        }
        if not kinds:
            return _("Nothing can be picked in this picture.")
        examples = [", ".join(f"{k}={v!r}" for k, v in kind.items()) for kind in kinds.values()]
        return _("Exactly one such thing must be in the picture. It can be: {examples}.").format(
            examples="; ".join(f"pick({example})" for example in examples)
        )

    def _click(self, number: int) -> None:
        """A hand on the region of this number."""
        self.set(**self.regions[number].sets)

    @staticmethod
    def _known(names: Iterable[str], known: Iterable[str]) -> None:
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                _("There is no control called {name} here. There are: {names}.").format(
                    name=", ".join(unknown), names=", ".join(known)
                )
            )

    def _move(self, name: str, value: Any) -> None:
        control = self.controls[name]
        low, high = getattr(control, "min", None), getattr(control, "max", None)
        try:
            ends = value if isinstance(value, tuple) else (value,)  # a range slider has two
            if low is not None and not all(low <= end <= high for end in ends):
                raise TraitError
            if value is None:  # a list would take it, for "nothing chosen"
                raise TraitError
            control.value = value
        except (TraitError, TypeError):
            if low is not None:
                says = _("{name} goes from {low} to {high}, not {value}.")
            elif hasattr(control, "options"):
                says = _("{value} is none of the choices for {name}.")
            else:
                says = _("{name} cannot be {value}.")
            says = says.format(name=name, low=low, high=high, value=repr(value))
            raise ValueError(says) from None

    def now(self) -> Any:
        """The record of the controls as they stand.  Raises ValueError where `record` does."""
        return self.record(**{name: control.value for name, control in self.controls.items()})

    def redraw(self) -> None:
        """Compute the record from the controls as they stand, and show its picture and words."""
        self.attempt(lambda: self._show(self.now()))

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Within it, controls that move do not redraw: whoever moves them does, or has done."""
        with self._turn:
            before, self._quiet = self._quiet, True
            try:
                yield
            finally:
                self._quiet = before

    def attempt(self, action: Callable[[], None]) -> None:
        """Do `action`; an error becomes a sentence under the controls, the picture stays.

        A front end shows no traceback of a callback: without the sentence there would be silence.
        """
        with self._turn:
            try:
                action()
            except (ValueError, ModelError) as problem:  # says itself what is wrong
                self.say(problem)
            except Exception as problem:
                self.say(self._broken(problem))

    def _broken(self, problem: Exception) -> str:
        """What to say of an error that nobody has foreseen."""
        text = f"{type(problem).__name__}: {problem}".rstrip(": ")[:400]
        says = _("This did not work: {error}.").format(error=text.rstrip("."))
        if self._png:
            says += " " + _("The picture still shows what was there before.")
        return says

    def say(self, message: object) -> None:
        """Show a sentence under the controls; an empty one clears it."""
        text = html.escape(str(message))
        self._message.value = text and f'<div role="alert" style="{REMARK}">{text}</div>'
        self._says = str(message)

    def _on_change(self, change: Any) -> None:
        with self._turn:  # whoever is quiet has it: a hand beside that one comes after
            if not self._quiet:
                self.redraw()

    def _show(self, record: Any) -> None:
        picture = self.picture(record)
        # What is shown is kept, not the figure: that one takes megabytes.
        self._words, self._png, self._width = picture.words, picture.image(), picture.width
        self.regions = picture.regions
        self._picture.show(self._png, self._width, self._words, in_front(self.regions))
        self.say("")

    def __repr__(self) -> str:
        return "\n".join(filter(None, [self._words, self._says]))

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        bundle = super()._repr_mimebundle_(**options)
        bundle["text/plain"] = repr(self)
        if self._png:
            bundle["image/png"] = base64.b64encode(self._png).decode()
        return bundle, image_metadata(self._width, self._words)


class TextExplorer(Explorer):
    """An explorer of a text, with a slider over its positions that goes as far as the text does.

    Its controls hold a `text` and a `position`.  A subclass says in `positions(text)` which can be
    picked, and raises ValueError where `record` refuses the text.
    """

    def __init__(self, controls: dict[str, widgets.Widget]):
        text, self._position = controls["text"], controls["position"]
        text.observe(lambda change: self._fit(change["new"]), names="value")
        self._fit(text.value)
        super().__init__(controls)

    def positions(self, text: str) -> range:
        raise NotImplementedError

    def _start(self, positions: range) -> int:
        """The position that is picked when a new text comes."""
        return positions[-1]

    def _fit(self, text: str) -> None:
        """Give the slider the positions of a new text.  One that is refused is so by `record`."""
        slider = self._position
        with self.quietly():
            try:
                positions = self.positions(text)
            except Exception:
                return  # `record` meets the same, and says so
            start = self._start(positions)
            slider.min, slider.max = 0, positions[-1]
            slider.min, slider.value = positions[0], start


def position_slider(position: int = 0) -> widgets.IntSlider:
    """A slider over positions; `TextExplorer` makes it as long as the text."""
    return widgets.IntSlider(position, 0, position, description=_("position"))
