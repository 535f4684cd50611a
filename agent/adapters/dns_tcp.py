"""What does a server say over TCP, when a datagram could not hold it?"""

import asyncio
import enum
import os

from agent.adapters.dns_question import echoes, encode_query, is_truncated


class TcpFailure(enum.Enum):
    """Why there was no whole reply over TCP."""

    TIMEOUT = "no whole reply in time"
    CLOSED = "the connection failed or ended early"
    FOREIGN = "the reply is to another question"
    TRUNCATED = "the reply is truncated again"


async def ask_by_tcp(
    address: tuple[str, int], question: bytes, *, edns: bool, seconds: float
) -> bytes | TcpFailure:
    """Ask one question over a connection of its own, within *seconds* in all."""
    ident = os.urandom(2)
    query = encode_query(ident, question, edns=edns)
    try:
        async with asyncio.timeout(seconds):
            wire = await _exchange(address, query)
    except TimeoutError:
        return TcpFailure.TIMEOUT
    except (OSError, asyncio.IncompleteReadError):
        return TcpFailure.CLOSED
    if wire[:2] != ident or not echoes(wire, question):
        return TcpFailure.FOREIGN
    return TcpFailure.TRUNCATED if is_truncated(wire) else wire


async def _exchange(address: tuple[str, int], query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(len(query).to_bytes(2, "big") + query)
        length = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(length)
    finally:
        writer.transport.abort()
