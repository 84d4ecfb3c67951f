"""Joins a room in the tutorial's dialect, says one thing, and prints what it hears.

    pip install websockets        (Debian: apt install python3-websockets)
    python3 hello.py ws://localhost:8000/ws/chat/Lobby/ann "hello from Python"
"""

import asyncio
import json
import sys

import websockets


async def main(url: str, text: str) -> None:
    async with websockets.connect(url) as ws:
        await ws.send(json.dumps({"message": text}))
        async for frame in ws:
            m = json.loads(frame)
            if m["type"] == "error":
                print(f"refused: {m['message']!r}", flush=True)
            else:
                print(f"{m['user']!r}: {m['message']!r}", flush=True)


if len(sys.argv) != 3:
    sys.exit("usage: python3 hello.py ws://HOST:PORT/ws/chat/ROOM/NAME TEXT")
asyncio.run(main(sys.argv[1], sys.argv[2]))
