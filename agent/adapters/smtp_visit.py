"""What happens from a client's connection to its end?

One visit: commands in, responses out, in the order that RFC 5321 section 4.1.4 wants.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable

from agent.adapters.smtp_policy import HANG_UP, Client, Limits, Policy, Response, say
from agent.adapters.smtp_wire import Garbled, Gone, Wire

_COMMAND = re.compile(rb"([A-Za-z]{1,20})(?: +([\x20-\x7e]*))?")
_PATH = re.compile(r"(FROM|TO): ?<([^<> ]{0,320})>(?: ([!-~ ]*))?", re.IGNORECASE)
_NAME = re.compile(r"[!-~]{1,255}")
_SIZE = re.compile(r"SIZE=(\d{1,20})", re.IGNORECASE)
_CLASS_OK = 2
_NO_HELLO = say(503, "5.5.1 say EHLO first")


class Visit:
    """One session with one client."""

    def __init__(
        self, wire: Wire, policy: Policy, limits: Limits, context: ssl.SSLContext | None
    ) -> None:
        self._wire = wire
        self._policy = policy
        self._limits = limits
        self._context = context
        self._client = Client(wire)
        self._errors = 0
        self._is_over = False
        self._heard_at = asyncio.get_running_loop().time()
        self._verbs: dict[str, Callable[[str], Awaitable[Response]]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
        }

    @property
    def idle_since(self) -> float | None:
        """When the client was last heard, by the loop's time; None while it brings a message."""
        return self._heard_at if self._client.mail_from is None else None

    def refuse(self, octets: bytes) -> None:
        """Say a last word to the client, be the visit begun or not."""
        self._wire.refuse(octets)

    async def run(self) -> None:
        """Serve the client until one of both ends it; raises Gone where it was the client."""
        try:
            await self._say(await self._policy.greet(self._client))
            for _ in range(0 if self._is_over else self._limits.commands):
                line = await self._wire.read_line(self._limits.line)
                self._heard_at = asyncio.get_running_loop().time()
                await self._say(await self._step(line))
                if self._is_over:
                    return
            if not self._is_over:
                await self._say(say(421, "4.7.0 too many commands"))
        except Garbled as fault:
            code = {"5.3.4": 552, "5.6.11": 550, "5.5.1": 503}.get(str(fault).split(" ")[0], 500)
            await self._say(say(code, str(fault)))

    async def _say(self, response: Response) -> None:
        if response is HANG_UP:
            self._wire.abort()
            raise Gone
        if response.code:
            await self._wire.send(response.encode())
        # A refused recipient is no mistake of form; the number of commands bounds those.
        self._errors += response.code in (500, 501, 502, 503)
        if response.code == 421:  # noqa: PLR2004 - RFC 5321 section 3.8: the server closes
            self._is_over = True
        elif self._errors > self._limits.errors:
            self._is_over = True
            await self._wire.send(say(421, "4.7.0 too many mistakes").encode())

    async def _step(self, line: bytes) -> Response:
        command = _COMMAND.fullmatch(line)
        if command is None:
            return say(500, "5.5.2 not a command")
        verb = command[1].decode("ascii").upper()
        argument = (command[2] or b"").decode("ascii").rstrip(" ")
        known = self._verbs.get(verb)
        if known is None:
            return await self._policy.other(self._client, verb, argument)
        return await known(argument)

    async def _ehlo(self, argument: str) -> Response:
        extensions = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", f"SIZE {self._limits.size}"]
        if self._context is not None and not self._wire.is_tls:
            extensions.append("STARTTLS")
        return await self._hello(argument, tuple(extensions))

    async def _helo(self, argument: str) -> Response:
        return await self._hello(argument, ())

    async def _hello(self, argument: str, extensions: tuple[str, ...]) -> Response:
        if not _NAME.fullmatch(argument):
            return say(501, "5.5.4 give the name of the client")
        self._client.reset()
        self._client.helo = argument
        return await self._policy.hello(self._client, extensions)

    async def _starttls(self, argument: str) -> Response:
        if self._context is None or self._wire.is_tls:
            return say(502, "5.5.1 no TLS here, or already")
        if argument:
            return say(501, "5.5.4 STARTTLS takes nothing")
        response = await self._policy.starttls(self._client)
        if response.code != 220:  # noqa: PLR2004 - RFC 3207 section 4
            return response
        await self._wire.start_tls(response.encode(), self._context)
        # RFC 3207 section 4.2: what was said before counts no more.
        self._client.reset()
        self._client.helo = ""
        return Response(0, ())

    async def _mail(self, argument: str) -> Response:
        if not self._client.helo:
            return _NO_HELLO
        if self._client.mail_from is not None:
            return say(503, "5.5.1 there is a sender already")
        path = _PATH.fullmatch(argument)
        if path is None or path[1].upper() != "FROM":
            return say(501, "5.5.4 MAIL FROM:<address>")
        size = _SIZE.search(path[3] or "")
        if size is not None and int(size[1]) > self._limits.size:
            return say(552, "5.3.4 message too big")  # RFC 1870 section 6.1
        self._client.mail_from = path[2]
        self._client.parameters = tuple((path[3] or "").split())
        response = await self._policy.mail(self._client)
        if response.code // 100 != _CLASS_OK:
            self._client.reset()
        return response

    async def _rcpt(self, argument: str) -> Response:
        if self._client.mail_from is None:
            return say(503, "5.5.1 say MAIL first")
        path = _PATH.fullmatch(argument)
        if path is None or path[1].upper() != "TO" or not path[2]:
            return say(501, "5.5.4 RCPT TO:<address>")
        if len(self._client.rcpt_to) >= self._limits.recipients:
            return say(452, "4.5.3 too many recipients")
        response = await self._policy.rcpt(self._client, path[2])
        if response.code // 100 == _CLASS_OK:
            self._client.rcpt_to.append(path[2])
        return response

    async def _data(self, argument: str) -> Response:
        if not self._client.rcpt_to:
            return say(503, "5.5.1 say RCPT first")
        if argument:
            return say(501, "5.5.4 DATA takes nothing")
        if self._wire.has_input:
            message = "5.5.1 the message came before it was asked for"
            raise Garbled(message)
        asked = await self._policy.data(self._client)
        if asked.code != 354:  # noqa: PLR2004 - RFC 5321 section 3.3
            return asked
        await self._wire.send(asked.encode())
        content = await self._wire.read_message(self._limits.size)
        response = await self._policy.message(self._client, content)
        self._client.reset()
        return response

    async def _rset(self, argument: str) -> Response:
        del argument
        self._client.reset()
        return say(250, "2.0.0 forgotten")

    async def _noop(self, argument: str) -> Response:
        del argument
        return say(250, "2.0.0 nothing done")

    async def _quit(self, argument: str) -> Response:
        del argument
        self._is_over = True
        return say(221, "2.0.0 bye")
