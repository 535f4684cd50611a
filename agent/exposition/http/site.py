"""What is answered at which path, and to whom?

The table of all paths. Each says for whom it is; what nobody listed is not there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from agent.exposition.answers import PLAIN, Answers, Content
from agent.exposition.api import Api
from agent.exposition.api_operations import OPERATIONS, Operation
from agent.exposition.http.door import PROBE, TRUSTED, Access, Door, Refusal
from agent.exposition.http.gate import Gate
from agent.exposition.http.policy import ASKING, BODY
from agent.exposition.http.prober import Prober
from agent.exposition.http.sending import Sender
from agent.exposition.http.static import FILES

# Whoever asks for more at once than this leaves room for who scrapes and who asks for health.
_NEVER_BUSY = {"/metrics", "/-/healthy", "/-/ready", "/-/reload"}

Reload = Callable[[], Awaitable[tuple[str, ...]]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What is answered.

    ``ready`` says whether checks are being run, ``overdue`` which tasks of ours show no sign of
    life. ``reload`` loads the configuration again and returns the errors; without it ``/-/reload``
    does not exist, and without ``prober`` ``/probe`` does not.
    """

    answers: Answers
    api: Api
    ready: Callable[[], bool]
    overdue: Callable[[], tuple[str, ...]] = tuple
    reload: Reload | None = None
    prober: Prober | None = None


class Site:
    """Everything that is answered."""

    def __init__(self, parts: Parts, door: Door, gate: Gate, sender: Sender) -> None:
        self._parts, self._answers = parts, parts.answers
        self._door, self._gate, self._sender = door, gate, sender
        self._access: dict[str, Access] = {}

    def application(self) -> web.Application:
        """Return the application, with all its paths."""
        application = web.Application(middlewares=[self._admit], client_max_size=BODY)
        add, parts = application.router.add_route, self._parts

        def get(path: str, handler: Handler, access: Access) -> None:
            self._access[path] = access
            add("GET", path, handler)
            add("HEAD", path, handler)

        get("/", self._overview, Access.PUBLIC)
        get("/metrics", self._metrics, Access.PUBLIC)
        get("/rules/{code}", self._rule, Access.PUBLIC)
        get("/static/{name}", self._static, Access.PUBLIC)
        get("/subjects/{tenant}/{kind}/{name}", self._subject, Access.DETAILS)
        get("/-/healthy", self._healthy, Access.HEALTH)
        get("/-/ready", self._is_ready, Access.HEALTH)
        for operation in OPERATIONS:
            get(operation.path, self._of_api(operation), Access.DETAILS)
        if parts.reload is not None:
            self._access["/-/reload"] = Access.HIDDEN
            add("POST", "/-/reload", self._reloaded)
        if parts.prober is not None:
            self._access[PROBE] = Access.DETAILS
            add("GET", PROBE, self._probe)
            add("POST", PROBE, self._probe)
        return application

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what should not have come; answer errors in our own words."""
        transport = request.transport  # which the request no longer has once who asked hangs up
        self._gate.request_began(transport)
        try:
            return await self._answer(request, handler)
        finally:
            self._gate.request_ended(transport)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        refusal = await self._door.admit(request, self._access.get(path, Access.PUBLIC))
        if refusal is None and self._gate.asking > ASKING and path not in _NEVER_BUSY:
            refusal = Refusal(503, "Busy", "Too much is being asked.", {"Retry-After": "1"})
        if refusal is not None:
            return await self._sender.refuse(request, refusal)
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            refusal = _not_allowed(error)
        except web.HTTPException as error:
            refusal = Refusal(error.status, error.reason, "See / for what there is.")
        return await self._sender.refuse(request, refusal)

    async def _overview(self, request: web.Request) -> web.StreamResponse:
        answers = self._answers
        show = answers.overview if request[TRUSTED] else answers.names
        return await self._sender.send(request, await show(request.query))

    async def _subject(self, request: web.Request) -> web.StreamResponse:
        given = request.match_info
        content = await self._answers.subject(given["tenant"], given["kind"], given["name"])
        return await self._sender.send(request, content)

    async def _rule(self, request: web.Request) -> web.StreamResponse:
        code, is_trusted = request.match_info["code"], request[TRUSTED]
        return await self._sender.send(request, await self._answers.rule(code, found=is_trusted))

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        accept = request.headers.get("Accept", "")
        content = await self._answers.metrics(accept, gzip=takes_gzip(request))
        return await self._sender.send(request, content)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] not in FILES:
            raise web.HTTPNotFound
        return await self._sender.send(request, FILES[request.match_info["name"]])

    async def _healthy(self, request: web.Request) -> web.StreamResponse:
        overdue = ", ".join(self._parts.overdue())
        if overdue:
            body = f"unhealthy: no sign of life of {overdue}\n".encode()
            return await self._sender.send(request, Content(PLAIN, (body,), 503))
        return await self._sender.send(request, Content(PLAIN, (b"healthy\n",)))

    async def _is_ready(self, request: web.Request) -> web.StreamResponse:
        if self._parts.ready():
            return await self._sender.send(request, Content(PLAIN, (b"ready\n",)))
        return await self._sender.send(request, Content(PLAIN, (b"not ready\n",), 503))

    def _of_api(self, operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            content = await self._parts.api.answer(
                operation, request.match_info, tuple(request.query.items())
            )
            return await self._sender.send(request, content)

        return handle

    async def _probe(self, request: web.Request) -> web.StreamResponse:
        assert self._parts.prober is not None  # noqa: S101 - the route exists only with it
        answer = await self._parts.prober.answer(
            request.method, tuple(request.query.items()), request.headers
        )
        if isinstance(answer, Refusal):
            return await self._sender.refuse(request, answer)
        return await self._sender.send(request, answer)

    async def _reloaded(self, request: web.Request) -> web.StreamResponse:
        assert self._parts.reload is not None  # noqa: S101 - the route exists only with it
        errors = await self._parts.reload()
        if errors:
            body = "\n".join(("The configuration was rejected:", *errors, "")).encode()
            return await self._sender.send(request, Content(PLAIN, (body,), 500))
        return await self._sender.send(request, Content(PLAIN, (b"reloaded\n",)))


def _not_allowed(error: web.HTTPMethodNotAllowed) -> Refusal:
    allowed = ", ".join(sorted(error.allowed_methods))
    return Refusal(405, "Method not allowed", f"Allowed here: {allowed}.", {"Allow": allowed})


def takes_gzip(request: web.Request) -> bool:
    """Tell whether the asker wants an answer compressed."""
    for entry in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = entry.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight.rstrip("0") not in ("0.", "") if weight else True
    return False
