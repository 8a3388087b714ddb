"""The mails that the season's SMTP server caught: what the members go by."""

import email
import email.policy
import re

ANSWER_LINK = re.compile(r'https?://[^\s"<>]+/my/renewals/(\d+)\?[^\s"<>]*access_token=[^\s"<>]+')


class Inbox:
    def __init__(self, folder):
        self.folder = folder
        self.links = {}  # renewal id → the link of its last mail
        self.pdfs = 0
        self._old = set(folder.glob("*.eml"))  # of a season before
        self._read = set()

    def __len__(self):
        return len(self._read)

    def collect(self):
        """Open the new mails: keep the answer links, save the PDFs beside the mails."""
        for path in sorted(self.folder.glob("*.eml")):
            if path in self._read | self._old:
                continue
            self._read.add(path)
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = message.get_body(("html", "plain"))
            for match in ANSWER_LINK.finditer(body.get_content() if body else ""):
                self.links[int(match[1])] = match[0].replace("&amp;", "&")
            for part in message.iter_attachments():
                if part.get_content_type() == "application/pdf":
                    self.pdfs += 1
                    path.with_suffix(".pdf").write_bytes(part.get_payload(decode=True))
