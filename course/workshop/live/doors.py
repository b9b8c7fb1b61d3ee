"""Who may send and who may look: in a room by a code and a key, on a hub by its tokens and scopes.

Both doors answer the same questions of a request.  A learner is an identity that no other learner
can show, and that only the store ever sees, to make an alias of.
"""

import importlib
import os
import re
from hmac import compare_digest
from typing import Any, Protocol

from tornado.httputil import url_concat
from tornado.web import RequestHandler

SEND, READ = "custom:live:send", "custom:live:read"
COOKIE = "course-live"
IN_ROOM = re.compile(r"room (\S+) ([0-9a-f]{32})")
ON_HUB = re.compile(r"token (\S+)")


class Door(Protocol):
    """What the service asks of a request."""

    async def learner(self, handler: RequestHandler) -> str | None:
        """Who sends this; None for somebody who may not."""

    async def is_instructor(self, handler: RequestHandler) -> bool: ...

    async def turned_away(self, handler: RequestHandler) -> None:
        """Answer somebody who asks for the page and is not known as its instructor."""

    def token_of_page(self, handler: RequestHandler) -> str:
        """What the page must show with all it asks for, so that no other page asks in its name."""

    def routes(self, prefix: str) -> list[tuple]: ...


class Room:
    """A class in one room: learners know its code, and each has a key; the instructor has one."""

    def __init__(self, code: str, key: str):
        self._code, self._key = code, key

    async def learner(self, handler: RequestHandler) -> str | None:
        shown = IN_ROOM.fullmatch(handler.request.headers.get("Authorization", ""))
        if shown and compare_digest(shown[1].encode(), self._code.encode()):
            return f"room:{shown[2]}"
        return None

    async def is_instructor(self, handler: RequestHandler) -> bool:
        shown = handler.get_cookie(COOKIE, "") or ""
        return compare_digest(shown.encode(), self._key.encode())

    async def turned_away(self, handler: RequestHandler) -> None:
        """The key stands behind the # of the address, which browsers keep to themselves."""
        handler.write(ENTRANCE)

    def token_of_page(self, handler: RequestHandler) -> str:
        return ""  # the cookie is for this site's own pages only

    def routes(self, prefix: str) -> list[tuple]:
        return [(f"{prefix}/enter", _Enter, {"key": self._key})]


class _Enter(RequestHandler):
    """Takes the instructor's key, and leaves a cookie for it."""

    def initialize(self, key: str) -> None:
        self._key = key

    def post(self) -> None:
        if not compare_digest(self.request.body, self._key.encode()):
            self.set_status(403)
            return
        self.set_cookie(COOKIE, self._key, httponly=True, samesite="Strict")


ENTRANCE = """<!doctype html><meta charset="utf-8"><title>Class view</title>
<meta name="viewport" content="width=device-width"><p id="says"></p><script>
const key = location.hash.slice(1);
const turnedAway = () => document.getElementById("says").textContent =
  "This page is the instructor's: open the address that `python -m course live` has shown. " +
  "강사의 화면입니다. `python -m course live`가 보여 준 주소로 여세요.";
if (!key) turnedAway();
else fetch("enter", {method: "POST", body: key}).then(answer => {
  if (!answer.ok) return turnedAway();
  history.replaceState(null, "", location.pathname + location.search); location.reload();
});
</script>"""


class Hub:
    """A class on a JupyterHub, of which this is a service: the hub knows who is who."""

    def __init__(self) -> None:
        self._module: Any = importlib.import_module("jupyterhub.services.auth")
        self._hub = self._module.HubOAuth.instance()

    async def learner(self, handler: RequestHandler) -> str | None:
        shown = ON_HUB.fullmatch(handler.request.headers.get("Authorization", ""))
        user = shown and await self._hub.user_for_token(shown[1], sync=False)
        if user and user["kind"] == "user" and SEND in user["scopes"]:
            return f"hub:{user['name']}"
        return None

    async def is_instructor(self, handler: RequestHandler) -> bool:
        user = await self._hub.get_user(handler, sync=False)
        return bool(user) and READ in user["scopes"]

    async def turned_away(self, handler: RequestHandler) -> None:
        if await self._hub.get_user(handler, sync=False):
            handler.set_status(403)
            handler.write("This page is the instructor's. 강사의 화면입니다.")
            return
        asks = {"state": self._hub.set_state_cookie(handler, next_url=handler.request.uri)}
        handler.redirect(url_concat(self._hub.login_url, asks))

    def token_of_page(self, handler: RequestHandler) -> str:
        return handler.xsrf_token.decode()  # the hub's own, which it asks for with a cookie

    def routes(self, prefix: str) -> list[tuple]:
        return [(f"{prefix}/oauth_callback", self._module.HubOAuthCallbackHandler)]


def is_on_hub() -> bool:
    """Whether a JupyterHub has started this as one of its services."""
    return "JUPYTERHUB_SERVICE_URL" in os.environ
