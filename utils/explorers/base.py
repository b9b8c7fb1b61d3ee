"""What every explorer is made of: controls on top, a picture below, and the same thing in words.

An explorer is met in three ways, all from one record: live, as a picture in a saved notebook, and
as words for nbval, screen readers and tests.
"""

import base64
import html
from collections.abc import Callable

import ipywidgets as widgets
from matplotlib.figure import Figure
from traitlets import TraitError

from utils.explorers.accessible import SliderNames
from utils.figures.style import CSS_PIXELS_PER_INCH, png
from utils.language import _


class Explorer(widgets.VBox):
    """Base of all explorers.  A subclass names its controls and says three things of them.

    `record(**values)` computes a frozen record from the controls' values, and raises ValueError
    with a sentence for the learner where it cannot; `figure(record)` draws it; `words(record)` says
    what the picture shows, with its numbers.
    """

    def __init__(
        self,
        controls: dict[str, widgets.Widget],
        actions: dict[str, tuple[str, Callable[[], None]]] | None = None,
    ):
        """controls: by name, in order; actions: by name, the button's label and what it does."""
        self.controls, self.actions = controls, {}
        self._picture, self._message = widgets.HTML(), widgets.HTML()
        self._redrawing = True
        for control in controls.values():
            control.observe(self._on_change, names="value")
        for name, (label, action) in (actions or {}).items():
            button = self.actions[name] = widgets.Button(description=label)
            button.on_click(lambda _button, action=action: self.attempt(action))
        super().__init__([self._arrange(), self._message, self._picture, SliderNames()])
        self.add_class("course-explorer")
        self.redraw()

    # What a subclass says -------------------------------------------------------------------

    def record(self, **values):
        raise NotImplementedError

    def figure(self, record) -> Figure:
        raise NotImplementedError

    def words(self, record) -> str:
        raise NotImplementedError

    def _arrange(self) -> widgets.Widget:
        """The controls as the learner sees them; a subclass may lay them out its own way."""
        buttons = [widgets.HBox(list(self.actions.values()))] if self.actions else []
        return widgets.VBox([*self.controls.values(), *buttons])

    # What all of them do --------------------------------------------------------------------

    def set(self, **values) -> "Explorer":
        """Move controls from code, by the same path as a hand on them, and redraw once.

        A value that a control cannot take is answered under the controls, as everywhere; an
        unknown control raises ValueError.
        """
        self._known(values, self.controls)
        problems = []
        self._redrawing = False
        for name, value in values.items():
            try:
                self._move(name, value)
            except ValueError as problem:
                problems.append(str(problem))
        self._redrawing = True
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

    @staticmethod
    def _known(names, known) -> None:
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                _("There is no control called {name} here. There are: {names}.").format(
                    name=", ".join(unknown), names=", ".join(known)
                )
            )

    def _move(self, name: str, value) -> None:
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

    def redraw(self) -> None:
        """Compute the record from the controls as they stand, and show its picture and words."""
        values = {name: control.value for name, control in self.controls.items()}
        self.attempt(lambda: self._show(self.record(**values)))

    def attempt(self, action: Callable[[], None]) -> None:
        """Do `action`; a ValueError becomes a sentence under the controls, the picture stays."""
        try:
            action()
        except ValueError as problem:
            self.say(problem)

    def say(self, message: object) -> None:
        """Show a sentence under the controls; an empty one clears it."""
        style = "color:#8a3000;background:#fff4e5;padding:4px 8px"
        text = html.escape(str(message))
        self._message.value = text and f'<div role="alert" style="{style}">{text}</div>'
        self._says = str(message)

    def _on_change(self, change) -> None:
        if self._redrawing:
            self.redraw()

    def _show(self, record) -> None:
        figure = self.figure(record)
        self._words, self._png = self.words(record), base64.b64encode(png(figure)).decode()
        self._width = round(figure.get_figwidth() * CSS_PIXELS_PER_INCH)
        alt = html.escape(self._words, quote=True)
        self._picture.value = (
            f'<img alt="{alt}" src="data:image/png;base64,{self._png}" width="{self._width}" '
            'style="max-width:100%;height:auto">'
        )
        self.say("")

    _words, _png, _says, _width = "", "", "", 0

    def __repr__(self) -> str:
        return "\n".join(filter(None, [self._words, self._says]))

    def _repr_mimebundle_(self, **options) -> tuple[dict, dict]:
        bundle = super()._repr_mimebundle_(**options)
        bundle["text/plain"] = repr(self)
        if self._png:
            bundle["image/png"] = self._png
        return bundle, {"image/png": {"width": self._width}}
