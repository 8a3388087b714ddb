"""An SMTP server that delivers nothing: every mail becomes a readable .eml file in a folder.

./dev run starts this very file with the tools' Python::

    python mailcatcher.py HOST PORT FOLDER
"""

import asyncio
import email
import email.policy
import itertools
import re
import sys
from datetime import datetime
from pathlib import Path


class Handler:
    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(1)

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        del message["X-Peer"]
        moment = datetime.now().strftime("%Y-%m-%d_%H%M%S")
        recipient = re.sub(r"[^\w.@+-]", "_", ",".join(envelope.rcpt_tos))[:80]
        name = f"{moment}_{next(self.numbers):04d}_{recipient}.eml"
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(_readable(message))
        unfinished.replace(self.folder / name)
        return "250 Message caught"


def _readable(message):
    """Texts as they are, so that a mail can be read and searched without a mail program."""
    for part in message.walk():
        if part.get_content_maintype() == "text" and not part.is_attachment():
            part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="8bit")
    return message.as_bytes(
        policy=email.policy.SMTP.clone(
            utf8=True, linesep="\n", max_line_length=None, refold_source="all"
        )
    )


async def serve(host, port, folder):
    # Imported here, so that the handler can be read and tested without it.
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    handler = Handler(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, hostname="localhost"), host, port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
