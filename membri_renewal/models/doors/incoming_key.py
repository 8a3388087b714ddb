"""What comes in (an email that quotes ours, the proof of a payment) may hold what we sent: the
link, the PDF with the key. It is kept without, as other texts are (``mixins/keyless.py``)."""

import io
import re
from base64 import b64decode
from contextlib import suppress
from email import message_from_bytes
from email.encoders import encode_base64
from email.errors import MessageError
from email.policy import SMTP

from odoo import api, models
from odoo.tools.pdf import (
    ArrayObject,
    DecodedStreamObject,
    NameObject,
    PdfFileReader,
    PdfFileWriter,
    PdfReadError,
    createStringObject,
)

from ..mixins.keyless import KEY_OF_ANY, find_tokens, strip_keys, take_out
from .outgoing_key import DRAWN, KEY_FONT

HEADERS = re.compile(rb"(?im)^(?:message-id|mime-version|received|content-type):")
HEAD = 4096  # bytes, among which an email has one of these
NESTED = 4  # emails in files of emails that are looked into: they may be nested without end
# of a PDF, or an email, that is none: it is kept as it came
BROKEN = (AttributeError, LookupError, MessageError, PdfReadError, TypeError, ValueError)


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_parse(self, message, save_original=False):
        # EXTENDS mail: an email becomes a message, the reason of a bounce, or a new record
        parsed = super().message_parse(message, save_original=save_original)
        texts = {name: parsed[name] for name in ("body", "subject") if parsed.get(name)}
        [texts] = self.env["membri.keyless.body.mixin"]._without_keys([texts])
        return {**parsed, **texts}


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _membri_without_keys(self, vals_list):
        """:return: the values of new files, whose content opens no renewal and no invoice"""
        kept_list = []
        for vals in vals_list:
            content = vals.get("raw") or (vals.get("datas") and b64decode(vals["datas"]))
            # the value of a field is what we, or Odoo, made
            if content and not vals.get("res_field"):
                content = content.encode() if isinstance(content, str) else content
                kept = self._membri_take_out_keys(content)
                if kept != content:
                    vals = {**vals, "raw": kept}
                    vals.pop("datas", None)
            kept_list.append(vals)
        return kept_list

    @api.model
    def _membri_take_out_keys(self, content, nested=NESTED):
        """:param content: of a file, bytes
        :param nested: how many emails within each other are looked into
        :return: the same without keys; as it is, where it holds none that we find"""
        if nested and HEADERS.search(content[:HEAD]):
            with suppress(*BROKEN):
                content = self._membri_take_out_of_email(content, nested - 1)
        if b"\0" in content and b"token" not in content:  # no text, and no link with one
            return content
        # writers of PDFs may escape what is no letter
        tokens = find_tokens(content.replace(rb"\055", b"-").decode("latin-1"))
        keyless = self.env["membri.keyless.body.mixin"]
        keys = keyless._filter_keys(tokens)
        keys |= keyless._filter_keys(tokens - keys, "account.move")
        if keys and content.startswith(b"%PDF"):
            with suppress(*BROKEN):
                return take_out_of_pdf(keys, content)
        elif keys and b"\0" not in content:  # a text, in which each byte is a letter here
            text = take_out(keys, content.decode("latin-1"), gone="***")
            return text.encode("latin-1")
        return content

    @api.model
    def _membri_take_out_of_email(self, content, nested):
        email = message_from_bytes(content, policy=SMTP)
        is_changed = False
        for part in email.walk():
            if part.is_multipart():
                continue
            payload = part.get_payload(decode=True) or b""
            kept = self._membri_take_out_keys(payload, nested)
            if kept != payload:
                is_changed = True
                del part["Content-Transfer-Encoding"]
                part.set_payload(kept)
                if part.get_content_maintype() == "text":
                    part["Content-Transfer-Encoding"] = "8bit"
                else:
                    encode_base64(part)
        return email.as_bytes() if is_changed else content


def take_out_of_pdf(keys, content):
    """:param keys: the tokens that links of ``content`` (a PDF of ours) hold
    :return: the same without them, and without what was drawn over it"""
    reader = PdfFileReader(io.BytesIO(content), strict=False)
    writer = PdfFileWriter()
    for page in reader.pages:
        for annotation in page["/Annots"].get_object() if "/Annots" in page else []:
            action = annotation.get_object().get("/A") or {}
            if address := str(action.get("/URI") or ""):
                kept = take_out(keys, strip_keys(address, KEY_OF_ANY))
                action[NameObject("/URI")] = createStringObject(kept)
        drawings = page["/Contents"].get_object() if "/Contents" in page else []
        if isinstance(drawings, ArrayObject):
            page[NameObject("/Contents")] = ArrayObject(
                _blank_keys(drawing.get_object()) for drawing in drawings
            )
        writer.add_page(page)
    result = io.BytesIO()
    writer.write(result)
    return result.getvalue()


def _blank_keys(drawing):
    """:return: a stream of operators; of those that draw a key, what ends it alone"""
    data = drawing.get_data()
    if DRAWN not in data and KEY_FONT.encode() not in data:
        return drawing
    blank = DecodedStreamObject()
    blank.set_data(b"\nQ\n")
    return blank
