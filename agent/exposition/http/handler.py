"""What is said to those who do not speak HTTP, or not well?

The library quotes what it could not read and names itself and its version. We do neither.
"""

from http import HTTPStatus

from aiohttp import web

from agent.exposition.api import problem
from agent.exposition.http.policy import POLICY


class Handler(web.RequestHandler):
    """The library's protocol, with our words where it has to answer by itself."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that could not be read, or that we failed to answer."""
        super().handle_error(request, status, exc, message)  # logs it
        title = HTTPStatus(status).phrase
        # Whether it was meant for the API nobody can tell; so it is answered as the API does.
        said = problem(status, title, "The request could not be read, or not be answered.")
        body = b"".join(map(bytes, said.pieces))
        headers = {**POLICY, "Content-Type": said.type}
        response = web.Response(status=status, body=body, headers=headers)
        response.force_close()
        return response
