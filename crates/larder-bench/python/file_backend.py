"""Measures aiohttp-client-cache's FileBackend, one task, on behalf of the driver.

Reads one command a line from the standard input, as JSON, and answers each with one line of JSON: how many
nanoseconds `count` operations took together, or what went wrong. What an operation needs is prepared, what it
returns is checked, and what it leaves is removed outside of the time that is measured.

    {"operation": "read", "bytes": 1024, "count": 100}
    {"operation": "hit", "url": "http://127.0.0.1:8080/1", "bytes": 1024, "count": 100}
"""

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from time import perf_counter_ns

from aiohttp_client_cache import CachedResponse, CachedSession, FileBackend

# How many entries an operation that does not need new ones goes round in, if they have no more bytes than these.
ENTRIES = 16
BYTES = 64 << 20

# The header fields of every other contender.
FIELDS = (
    (b"content-type", b"application/octet-stream"),
    (b"cache-control", b"public, max-age=86400, stale-while-revalidate=60"),
    (b"etag", b'"5f4dcc3b5aa765d61d8327deb882cf99"'),
    (b"last-modified", b"Mon, 24 Nov 2025 16:00:00 GMT"),
    (b"date", b"Mon, 24 Nov 2025 16:00:00 GMT"),
    (b"server", b"example"),
    (b"vary", b"Accept, Accept-Encoding"),
)


def key_of(number: int) -> str:
    return hashlib.sha256(number.to_bytes(8, "little")).hexdigest()


def response_of(body: bytes) -> CachedResponse:
    url = "https://api.example.org/v1/releases?page=2&per_page=100"
    response = CachedResponse("GET", "OK", 200, url, "1.1", raw_headers=FIELDS, real_url=url)
    response._body = body
    return response


async def timed(calls) -> int:
    start = perf_counter_ns()
    for call, *arguments in calls:
        await call(*arguments)
    return perf_counter_ns() - start


class Measured:
    """What is measured: the store of responses of a backend, and a session with it."""

    def __init__(self, directory: Path):
        self.backend = FileBackend(str(directory), autoclose=False)
        self.responses = self.backend.responses
        self.size = None
        self.bodies = {}

    async def run(self, command: dict) -> int:
        operation, size, count = command["operation"], command["bytes"], command["count"]
        if operation == "hit":
            return await self.hit(command["url"], size, count)
        if operation in ("write", "delete"):
            return await self.once_each(operation, size, count)
        await self.fill(size)
        keys = list(self.bodies)
        turns = [keys[turn % len(keys)] for turn in range(count)]
        if operation == "replace":
            # Each entry gets the body of the next.
            others = dict(zip(keys, [*keys[1:], keys[0]], strict=True))
            responses = {key: response_of(self.bodies[others[key]]) for key in keys}
            taken = await timed([(self.responses.write, key, responses[key]) for key in turns])
            self.bodies |= {key: responses[key]._body for key in set(turns)}
        else:
            taken = await timed([(getattr(self.responses, operation), key) for key in turns])
        await self.check(self.bodies)
        return taken

    async def once_each(self, operation: str, size: int, count: int) -> int:
        """Writes or deletes entries that nothing else uses."""
        bodies = {key_of(ENTRIES + number): os.urandom(size) for number in range(count)}
        responses = {key: response_of(body) for key, body in bodies.items()}
        writes = await timed([(self.responses.write, key, response) for key, response in responses.items()])
        await self.check(bodies)
        deletes = await timed([(self.responses.delete, key) for key in bodies])
        for key in bodies:
            assert await self.responses.read(key) is None, "what was deleted is still there"
        return writes if operation == "write" else deletes

    async def fill(self, size: int) -> None:
        """Makes the entries that reads go round in, in place of those of another size."""
        if size == self.size:
            return
        for key in self.bodies:
            await self.responses.delete(key)
        entries = max(1, min(ENTRIES, BYTES // max(size, 1)))
        self.size = size
        self.bodies = {key_of(number): os.urandom(size) for number in range(entries)}
        for key, body in self.bodies.items():
            await self.responses.write(key, response_of(body))

    async def check(self, bodies: dict) -> None:
        for key, body in bodies.items():
            assert await self.responses.contains(key), "what was written is not there"
            found = await self.responses.read(key)
            assert await found.read() == body, "what was read is not what was written"

    async def hit(self, url: str, size: int, count: int) -> int:
        # A fixed expiry, so that a hit asks the origin nothing.
        async with CachedSession(cache=self.backend) as session:

            async def get():
                async with session.get(url) as response:
                    return response.from_cache, await response.read()

            _, body = await get()
            assert len(body) == size, "the origin gave something else"
            taken = await timed([(get,)] * count)
            assert await get() == (True, body), "a hit is not what the origin gave"
        return taken


async def main(directory: Path) -> None:
    measured = Measured(directory)
    for line in sys.stdin:
        try:
            answer = {"ns": await measured.run(json.loads(line))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    await measured.backend.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
