"""The explorer at the end of the course: a chat with an LLM, whoever wrote its parts."""

import html
from collections.abc import Iterator

import ipywidgets as widgets

from utils.callbacks import little_by_little
from utils.chat import BROKEN, STOPPED, Chat, Settings, Turn, Writer, answer
from utils.explorers.base import Explorer, text_box
from utils.figures.chat import chat_picture
from utils.generation import check_room
from utils.language import _
from utils.model import Model, chat_ids
from utils.tokens import Tokenizer

NAMED = {"style": {"description_width": "90px"}, "layout": {"width": "350px"}}


class ChatExplorer(Explorer):
    """Write a message, watch the answer being written, and see what each token was drawn from.

    Controls: `message`; `temperature`, `top_p`, `seed` and `longest`, which count from the next
    answer on; `token`, the one of the last answer whose candidates are shown.  Actions: `send`,
    `again` (the last message once more), `stop`, `restart`.  From a hand, the answer appears as it
    is written; `press` comes back when it is finished.
    """

    picture = staticmethod(chat_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, message: str, writer: Writer):
        self.model, self.tokenizer, self.writer = model, tokenizer, writer
        self._turns: tuple[Turn, ...] = ()
        self._writing: Iterator[Turn] | None = None
        self._live = widgets.HTML()
        controls = {
            # each letter is told, so that Enter finds the whole message here
            "message": text_box(_("message"), message, "704px", style=NAMED["style"]),
            "temperature": widgets.FloatSlider(
                0.7, min=0.05, max=2.0, step=0.05, description=_("temperature"), **NAMED
            ),
            "top_p": widgets.FloatSlider(
                0.9, min=0.0, max=1.0, step=0.01, description="top-p", **NAMED
            ),
            "seed": widgets.BoundedIntText(0, min=0, max=9999, description=_("seed"), **NAMED),
            "longest": widgets.IntSlider(60, min=1, max=200, description=_("longest"), **NAMED),
            "token": widgets.IntSlider(0, min=0, max=0, description=_("token"), **NAMED),
        }
        controls["message"].continuous_update = True
        controls["message"].on_msg(self._on_enter)
        actions = {
            "send": (_("send"), self._ask),
            "again": (_("again"), self._again),
            "stop": (_("stop"), self._stop),
            "restart": (_("new chat"), self._restart),
        }
        super().__init__(controls, actions)

    def _arrange(self) -> widgets.Widget:
        message, temperature, top_p, seed, longest, token = self.controls.values()
        self._live.add_class("course-live")
        return widgets.VBox(
            [
                message,
                widgets.HBox([temperature, top_p]),
                widgets.HBox([seed, longest]),
                widgets.HBox(list(self.actions.values())),
                self._live,
                token,
            ]
        )

    def record(self, token: int, **_for_the_next: object) -> Chat:
        return Chat(self._turns, token)

    def press(self, name: str, times: int = 1) -> "ChatExplorer":
        """Press a button from code, as a hand would, and wait until nothing is written any more."""
        for _press in range(times):
            super().press(name)
            while self._go_on():
                pass
        return self

    def _on_change(self, change: dict) -> None:
        if change["owner"] is self.controls["token"]:  # the others count from the next answer on
            super()._on_change(change)

    def _on_enter(self, _text: object, said: dict, _buffers: object) -> None:
        if said.get("event") == "submit":
            self.attempt(self._ask)

    # What the buttons do --------------------------------------------------------------------

    def _ask(self) -> None:
        self._begin(self.controls["message"].value, self._turns)
        with self.quietly():
            self.controls["message"].value = ""

    def _again(self) -> None:
        if not self._turns:
            raise ValueError(_("Nothing has been sent yet."))
        self._begin(self._turns[-1].message, self._turns[:-1])

    def _stop(self) -> None:
        if self._writing is None:
            raise ValueError(_("Nothing is being written."))
        self._finish(STOPPED)

    def _restart(self) -> None:
        self._writing, self._turns = None, ()
        self._show_last()

    def _begin(self, message: str, earlier: tuple[Turn, ...]) -> None:
        """Begin to answer `message` after the turns `earlier`."""
        if self._writing is not None:
            raise ValueError(_("An answer is being written: stop it first."))
        if not message.strip():
            raise ValueError(_("The message is empty: write something first."))
        names = ("temperature", "top_p", "seed", "longest")
        settings = Settings(**{name: self.controls[name].value for name in names})
        said = [(turn.message, turn.text) for turn in earlier]
        ids = chat_ids(self.model, self.tokenizer, message, said)
        check_room(self.model, ids.shape[1], settings.longest)
        turn = Turn(message, settings)
        self._writing = answer(self.model, self.tokenizer, ids, self.writer, turn)
        self._turns = (*earlier, turn)
        self._show_live()
        little_by_little(self._go_on)

    # While it is written --------------------------------------------------------------------

    def _go_on(self) -> bool:
        """Write a little more; whether there is more to write."""
        if self._writing is not None:
            self.attempt(self._write_more)
        return self._writing is not None

    def _write_more(self) -> None:
        assert self._writing is not None
        try:
            turn = next(self._writing)
        except BaseException:  # the parts may be a learner's; or a hand interrupted them
            self._finish(BROKEN)
            raise
        self._turns = (*self._turns[:-1], turn)
        if turn.end:
            self._finish(turn.end)
        else:
            self._show_live()

    def _finish(self, end: str) -> None:
        """What is written stands, and is drawn."""
        turn = self._turns[-1]
        self._writing = None
        self._turns = (*self._turns[:-1], Turn(**{**vars(turn), "end": end}))
        self._show_last()

    def _show_live(self) -> None:
        """The answer so far, and how fast it comes, without a picture: that one takes longer."""
        turn = self._turns[-1]
        speed = _("{speed:.1f} tokens/s").format(speed=turn.speed) if turn.tokens else "…"
        who, says = _("LLM"), html.escape(turn.text)
        text = f"<b>{who}</b>: {says} ▌<br><small>{speed}</small>"
        style = "line-height:1.5;white-space:pre-wrap;padding:4px 8px;max-width:704px"
        self._live.value = f'<div style="{style}">{text}</div>'

    def _show_last(self) -> None:
        """Show the picture of what has been said, and the last token of it."""
        self._live.value = ""
        count = len(self._turns[-1].tokens) if self._turns else 0
        token = self.controls["token"]
        with self.quietly():
            token.max = max(0, count - 1)
            token.value = token.max
        self.redraw()
