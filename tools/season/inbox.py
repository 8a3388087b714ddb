"""The mails that the season's SMTP server caught: what the members go by."""

import email
import email.policy
import re
from collections import Counter

ANSWER_LINK = re.compile(r'https?://[^\s"<>]+/my/renewals/(\d+)\?[^\s"<>]*access_token=[^\s"<>]+')


class Inbox:
    def __init__(self, folder):
        self.folder = folder
        self.links = {}  # renewal id → the link of its last mail
        self.pdfs = 0
        self.kinds = Counter()  # kind → how many mails
        self.rests = []  # (invoice, rest): reminders of a part that is still to pay
        self.untrue = {
            "no mail asked for money that had come": [],
            "no mail asked for an answer that was given": [],
            "every reminder after a part payment speaks of the rest": [],
            "every receipt left for money that had come": [],
            "nothing was sent to an archived contact": [],
            "no mail is about what is void": [],
            "every mail about a part tells what came and what is left": [],
            "an early-payment discount that stands is told": [],
            "who is told that there is nothing to pay has nothing to pay": [],
        }
        self._old = set(folder.glob("*.eml"))  # of a season before
        self._read = set()

    def __len__(self):
        return len(self._read)

    def collect(self, env):
        """Open the new mails: keep the answer links, save the PDFs beside the mails, and look
        whether each is true now, before anything else happens."""
        for path in sorted(self.folder.glob("*.eml")):
            if path in self._read | self._old:
                continue
            self._read.add(path)
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = message.get_body(("html", "plain"))
            for match in ANSWER_LINK.finditer(body.get_content() if body else ""):
                self.links[int(match[1])] = match[0].replace("&amp;", "&")
            self._look_at(env, message, body.get_content() if body else "")
            for part in message.iter_attachments():
                if part.get_content_type() == "application/pdf":
                    self.pdfs += 1
                    path.with_suffix(".pdf").write_bytes(part.get_payload(decode=True))

    def _look_at(self, env, message, body):
        mail = (
            env["mail.mail"]
            .sudo()
            .search([("message_id", "=", message["Message-Id"].strip())], limit=1)
        )
        if mail.model not in ("account.move", "membri.renewal"):
            return
        document = env[mail.model].sudo().browse(mail.res_id)
        kind = mail.membri_kind or "other"
        self.kinds[kind] += 1
        if kind == "other" or not document.exists():
            return
        invoice = document if mail.model == "account.move" else document.invoice_id
        if mail.model == "membri.renewal" and document.state != "approved":
            invoice = invoice.browse()
        told = (message["Subject"], document.display_name, document.state)
        if not document.partner_id.active:
            self.untrue["nothing was sent to an archived contact"].append(told)
        if sentence := self._get_untruth(kind, mail, document, invoice, body):
            self.untrue[sentence].append(told)

    def _get_untruth(self, kind, mail, document, invoice, body):
        """:return: what does not hold of this mail, or ``None``"""
        if kind in MONEY:
            return MONEY[kind](document, plain_amounts(body))
        if invoice.move_type == "out_invoice" and invoice._membri_is_void():
            return "no mail is about what is void"
        if invoice and invoice._membri_is_paid():
            # an invoice that was paid meanwhile leaves without a request
            asks = f" {invoice.amount_total} {invoice.amount_total} " in (mail.membri_facts or "")
            if kind == "reminder" or asks:
                return "no mail asked for money that had come"
        elif invoice.payment_state == "partial" and kind == "reminder":
            self.rests.append((invoice.id, invoice.amount_residual))
            if f"{invoice.amount_residual:.2f}" not in plain_amounts(body):
                return "every reminder after a part payment speaks of the rest"
        elif invoice and kind in ("invoice", "reminder") and is_discount_hidden(invoice, body):
            return "an early-payment discount that stands is told"
        elif mail.model == "membri.renewal" and document.state in ("refused", "cancelled"):
            return "no mail asked for an answer that was given"
        return None


def get_receipt_untruth(invoice, _told):
    # whose membership was ended with a write-off has a receipt of what came, which tells the rest
    is_settled = invoice._membri_is_paid() or invoice.membri_write_off_state == "ended"
    if not is_settled or invoice._membri_get_received() <= 0:
        return "every receipt left for money that had come"
    return None


def get_released_untruth(invoice, _told):
    if not invoice._membri_is_released():
        return "who is told that there is nothing to pay has nothing to pay"
    return None


def get_part_untruth(invoice, told):
    amounts = (invoice._membri_get_received(), invoice._membri_get_amount_due())
    if not all(f"{amount:.2f}" in told for amount in amounts):
        return "every mail about a part tells what came and what is left"
    return None


# kinds of mails about money that has come, or is not to come any more
MONEY = {
    "receipt": get_receipt_untruth,
    "released": get_released_untruth,
    "part": get_part_untruth,
}


def is_discount_hidden(invoice, body):
    early = invoice._membri_get_early_payment()
    return bool(early) and f"{early[1]:.2f}" not in plain_amounts(body)


def plain_amounts(text):
    """:return: ``text`` with its amounts as Python writes them, in whatever language it is"""
    text = re.sub(r"&nbsp;|&#160;|&#8239;", " ", text)
    text = re.sub(r"(?<=\d)[\s,.](?=\d{3}(?!\d))", "", text)
    return re.sub(r"(?<=\d),(?=\d\d(?!\d))", ".", text)
