"""Answers "@bot" in a room, each question once, also if the bot, the server or the network fails in between.

    pip install websockets        (Debian: apt install python3-websockets)
    python3 bot.py ws://localhost:8000/ws/chat/Lobby bot.json

The file keeps the bot's secret and its place in the room: use one for each room.
To make a bot of your own, change its name, question and answer.
"""

import asyncio
import hashlib
import json
import os
import random
import re
import secrets
import sys
import time

import websockets

NAME = "bot"
QUESTION = re.compile(rf"\B@{NAME}\b", re.IGNORECASE)


def answer(asked: dict) -> str:
    return f"Here I am, {asked['user']}."


def load(file: str) -> dict:
    """Returns what the file keeps: all up to `after` in `epoch` is answered."""
    try:
        with open(file, encoding="utf-8") as f:
            state = json.load(f)
            return {key: state[key] for key in ("device", "epoch", "after")}
    except FileNotFoundError:
        state = {"device": secrets.token_urlsafe(24), "epoch": "", "after": 0}
        save(file, state)
        return state
    except (ValueError, KeyError, TypeError):
        sys.exit(f"{file!r} is not a bot's file: name another one.")


def save(file: str, state: dict) -> None:
    """Replaces the file at once, so that a crash leaves the old one or the new."""
    with open(os.open(file + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        json.dump(state, f)
    os.replace(file + ".new", file)


async def talk(url: str, file: str, state: dict) -> None:
    """Joins the room and answers until the connection ends. websockets notices a dead one by its pings."""
    async with websockets.connect(url, subprotocols=["parley.v1"], max_size=2**20) as ws:
        hello = {"type": "hello", "user": NAME, "device": state["device"]}
        if state["epoch"]:
            hello |= {"epoch": state["epoch"], "after": state["after"]}
        await ws.send(json.dumps(hello))

        me = epoch = ""
        answered = head = seen = 0  # offsets: done before, where the room was, read by now
        waiting = []  # answers that the server has not confirmed; the first is on its way
        timer = None  # a task that sends the first again

        async def send_first(seconds: float = 0) -> None:
            try:
                await asyncio.sleep(seconds)
                if waiting:
                    await ws.send(json.dumps(waiting[0]))
            except websockets.ConnectionClosed:
                pass  # after the next hello, the question comes again

        async def confirm(ident: str) -> None:
            for i, a in enumerate(waiting):
                if a["id"] == ident:
                    del waiting[i]
                    if i == 0:
                        await send_first()
                    break

        async for data in ws:
            f = json.loads(data)
            kind, offset, ident = f["type"], f.get("offset", 0), f.get("id", "")
            if kind == "welcome":
                me, epoch = f["by"], f["epoch"]
                if not state["epoch"]:
                    answered = offset  # a new bot answers only what is asked from now on
                elif state["epoch"] == epoch:
                    answered = state["after"]
                if not f["resumed"]:
                    head = offset  # the newest messages follow, up to here
                seen = answered
            elif kind in ("chat_message", "delete", "react", "notice"):
                seen = max(seen, offset)
                if f.get("by") == me:
                    await confirm(ident)
                elif kind == "chat_message" and "edits" not in f and offset > answered and QUESTION.search(f["message"]):
                    # The id follows from the question. If the bot answers again, since it
                    # does not know that it has, the server keeps the first answer.
                    new = hashlib.sha256(f"{f.get('by')} {ident}".encode()).hexdigest()[:32]
                    a = {"type": "chat_message", "id": new, "message": answer(f), "reply": offset, "of": ident}
                    waiting.append(a)
                    if len(waiting) == 1:
                        await send_first()
            elif kind == "ack":
                await confirm(ident)
            elif kind == "error":
                if f["code"] in ("rate_limited", "unavailable"):
                    if waiting and waiting[0]["id"] == ident:
                        timer = asyncio.create_task(send_first(f.get("retry_ms", 1000) / 1000))
                    continue
                print(f"The server refuses: {f['message']!a}", file=sys.stderr)
                await confirm(ident)
            after = waiting[0]["reply"] - 1 if waiting else seen
            if seen >= head and (after, epoch) != (state["after"], state["epoch"]):
                state.update(epoch=epoch, after=after)
                save(file, state)


async def main(url: str, file: str) -> None:
    state, wait = load(file), 1.0
    while True:
        began, problem = time.monotonic(), "it was closed"
        try:
            await talk(url, file, state)
        except websockets.ConnectionClosed as e:
            if e.rcvd and 4500 <= e.rcvd.code <= 4999:
                sys.exit(f"The server closed the connection for good, with code {e.rcvd.code}: {e.rcvd.reason!a}")
            problem = str(e)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as e:
            problem = str(e)
        print(f"The connection failed, the bot tries again: {problem!a}", file=sys.stderr)
        wait = 1.0 if time.monotonic() - began > 60 else min(2 * wait, 30.0)
        await asyncio.sleep(random.uniform(0, wait))


if len(sys.argv) != 3:
    sys.exit("usage: python3 bot.py ws://HOST:PORT/ws/chat/ROOM FILE")
asyncio.run(main(sys.argv[1], sys.argv[2]))
