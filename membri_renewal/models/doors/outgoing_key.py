import io
import re
from html import escape, unescape
from itertools import chain
from urllib.parse import parse_qsl, urlencode

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.pdfbase.pdfmetrics import stringWidth

from odoo import api, models
from odoo.tools.pdf import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    PdfFileReader,
    PdfFileWriter,
    createStringObject,
)

from .key import split_addresses

HREF = re.compile(r"""(?<=\shref=)(["'])(.*?)\1""", re.DOTALL)
# the page of a document, in any language, and what stands behind it in an address
PAGE = re.compile(
    r"(?P<path>(?:/[\w@-]+)?(?P<page>/my/(?:renewals|invoices|fee-notices)/\d+)(?:/[\w-]+)*)"
    r"(?:\?(?P<query>[^#]*))?(?P<anchor>(?:#.*)?)"
)
# the same in the bytes of a PDF, whose writers may escape what is no letter
PAGE_IN_PDF = re.compile(
    rb"(?:/|\\057)my(?:/|\\057)(renewals|invoices|fee(?:-|\\055)notices)(?:/|\\057)(\d{1,9})(?!\d)"
)
KEY_FONT = "/MembriKey"
# a comment, by which what is drawn over a page is known when the PDF comes back
DRAWN = b"%MembriKey"
CODE_MASK, CODE_MARGIN = 0, 4
# the boxes of our reports that a key is drawn into, by the anchor of their links
CODE_BOX, KEY_BOX = "code", "key"


def find_documents(content):
    """Return ``({ids of renewals}, {ids of invoices and fee notices})`` whose pages a PDF of ours
    links to."""
    renewal_ids, move_ids = set(), set()
    if content.startswith(b"%PDF"):
        for kind, number in PAGE_IN_PDF.findall(content):
            (renewal_ids if kind == b"renewals" else move_ids).add(int(number))
    return renewal_ids, move_ids


class OutgoingKeys:
    """Puts the keys of some documents into what leaves for who may use them: emails, letters,
    downloads. What is kept has the same addresses without keys, and boxes where the QR code and
    the key are drawn."""

    def __init__(self, *documents_sudo):
        """:param documents_sudo: recordsets, in sudo; who may get their keys is asked before"""
        self._bases, self._keys, self._ids = set(), {}, (set(), set())
        for document in chain(*documents_sudo):
            if not document.access_token:
                continue
            self._bases.add(document.get_base_url().rstrip("/"))
            self._ids[document._name != "membri.renewal"].add(document.id)
            for page in document._membri_get_key_pages():
                self._keys[page] = document.access_token

    def into_address(self, address):
        """:return: ``address`` with its key; nothing where it is none of these documents'"""
        base = next((base for base in self._bases if address.startswith(f"{base}/")), None)
        match = base and PAGE.fullmatch(address.removeprefix(base))
        key = match and self._keys.get(match["page"])
        if not key:
            return None
        query = [
            (name, value)
            for name, value in parse_qsl(match["query"] or "")
            if name != "access_token"
        ]
        return (
            f"{base}{match['path']}?{urlencode([('access_token', key), *query])}{match['anchor']}"
        )

    def into_html(self, body):
        """:return: ``body`` with keys in its links"""

        def replace(match):
            keyed = self.into_address(unescape(match[2]))
            return f"{match[1]}{escape(keyed)}{match[1]}" if keyed else match[0]

        return type(body)(HREF.sub(replace, body))

    def into_pdf(self, content, others=False):
        """:param others: draw the codes of other documents as well, without keys
        :return: ``content`` with keys in its links, and with the QR codes and keys drawn; as it
            is, where none of its links leads to these documents"""
        found = find_documents(content)
        wanted = found if others else self._ids
        if not any(ids & wanted_ids for ids, wanted_ids in zip(found, wanted, strict=True)):
            return content
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        writer = PdfFileWriter()
        for page in reader.pages:
            if drawn := self._key_links(page, others):
                _draw_over(page, b"\n".join(drawn))
            writer.add_page(page)
        result = io.BytesIO()
        writer.write(result)
        return result.getvalue()

    def _key_links(self, page, others):
        """Put the keys into the links of a page.

        :return: what has to be drawn into its boxes, as a list of PDF operators"""
        drawn = []
        for annotation in page["/Annots"].get_object() if "/Annots" in page else []:
            annotation = annotation.get_object()
            action = annotation.get("/A") or {}
            address, _hash, box = str(action.get("/URI") or "").partition("#")
            keyed = address and self.into_address(address)
            if keyed:
                action[NameObject("/URI")] = createStringObject(keyed)
            rectangle = [float(number) for number in annotation["/Rect"]]
            if box == CODE_BOX and (keyed or others):
                drawn.append(_draw_code(rectangle, keyed or address))
            elif box == KEY_BOX and keyed:
                drawn.append(_draw_key(rectangle, keyed))
        return drawn


def _draw_code(rectangle, address):
    """:return: the operators that draw the QR code of an address"""
    left, bottom, right, top = rectangle
    code = QRCode(None, QRErrorCorrectLevel.L)
    code.addData(address)
    code.version = code.calculate_version()
    code.makeImpl(False, CODE_MASK)  # any mask is read as well; finding the best takes long
    count = code.getModuleCount()
    step = min(right - left, top - bottom) / (count + 2 * CODE_MARGIN)
    x, y = left + CODE_MARGIN * step, bottom + (CODE_MARGIN + count - 1) * step
    operators = ["0 g"]
    for row in range(count):
        modules = "".join("1" if dark else "0" for dark in code.modules[row])
        for run in re.finditer("1+", modules):
            box = (x + run.start() * step, y - row * step, len(run.group()) * step, step)
            operators.append("{:.3f} {:.3f} {:.3f} {:.3f} re".format(*box))
    return "\n".join([*operators, "f"]).encode()


def _draw_key(rectangle, address):
    """:return: the operators that write what comes after the address in the line above"""
    left, bottom, right, top = rectangle
    text = f"?{address.partition('?')[2]}"
    size = min((top - bottom) * 0.75, (right - left) / stringWidth(text, "Helvetica", 1))
    baseline = bottom + (top - bottom) * 0.25
    return (
        f"0 0 0.93 rg BT {KEY_FONT} {size:.2f} Tf {left:.2f} {baseline:.2f} Td ({text}) Tj ET"
    ).encode()


def _draw_over(page, operators):
    """Add operators to a page, whatever its own have left behind."""
    resources = page["/Resources"].get_object()
    fonts = resources.setdefault(NameObject("/Font"), DictionaryObject()).get_object()
    fonts[NameObject(KEY_FONT)] = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    before, after = DecodedStreamObject(), DecodedStreamObject()
    before.set_data(b"q\n" + page.get_contents().get_data() + b"\nQ\nq\n")
    after.set_data(DRAWN + b"\n" + operators + b"\nQ\n")
    page[NameObject("/Contents")] = ArrayObject([before.flate_encode(), after.flate_encode()])


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    @api.model
    def _insert_keys(self, content, *brought_sudo):
        """:param content: PDF of any report
        :param brought_sudo: documents whose keys the visitor came with
        :return: a copy for the user alone, with the keys that the user may hold, and with codes
            without key where not; ``content`` itself where it is no PDF with pages of ours"""
        renewal_ids, move_ids = find_documents(content)
        renewals = self.browse(renewal_ids).exists().with_user(self.env.user)
        moves = self.env["account.move"]._membri_filter_tokens(move_ids)
        # sudo: those whose keys the user may hold, as was just asked
        keys = OutgoingKeys(renewals._filtered_access("write").sudo(), moves.sudo(), *brought_sudo)
        return keys.into_pdf(content, others=True)

    def _membri_get_key_pages(self):
        """:return: the pages that the key of this document opens"""
        return [f"/my/renewals/{self.id}"]

    def _membri_get_key_addresses(self):
        """:return: the normalized email addresses that the key may go to"""
        self.ensure_one()
        # sudo: addresses are compared, not shown
        contacts_sudo = (self.recipient_id | self.partner_id).sudo()
        emails = contacts_sudo.mapped("email")
        return split_addresses(*emails, self._get_document_address(), self._get_delivery_email())


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def _membri_filter_tokens(self, ids):
        """:return: the membership documents among ``ids`` whose token the user may have"""
        moves = self.browse(ids).exists().with_user(self.env.user)
        readable = moves._filtered_access("read").filtered("membri_invoice_type")
        return readable - readable._membri_filter_as_reader()

    def _membri_get_key_pages(self):
        """Return the pages that the token of this document opens: a fee notice becomes an
        invoice."""
        return [f"/my/invoices/{self.id}", f"/my/fee-notices/{self.id}"]

    def _membri_get_key_addresses(self):
        """:return: the normalized email addresses that the token may go to"""
        self.ensure_one()
        # sudo: addresses are compared, not shown
        payers_sudo = self.partner_id.sudo()._membri_get_address_owners()
        return split_addresses(
            *payers_sudo.mapped("email"),
            self._membri_get_receiver_address(),
            self._membri_get_delivery_email(),
        )


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _membri_insert_keys(self, emails):
        """Put the keys into ``emails`` (of ``_prepare_outgoing_list``) as they leave: into those
        that go to the member, or to the payer, and to nobody else."""
        documents = self._membri_get_key_documents()
        for email in emails if documents else []:
            addresses = set(email["email_to_normalized"] or [])
            keys = OutgoingKeys(
                *(record for record, allowed in documents if addresses and addresses <= allowed)
            )
            email["body"] = keys.into_html(email["body"])
            email["attachments"] = [
                (name, keys.into_pdf(raw, others=True) if kind == "application/pdf" else raw, kind)
                for name, raw, kind in email["attachments"]
            ]

    def _membri_get_key_documents(self):
        """Return ``[(document, addresses)]``: what this email may hold keys of, and who may
        get them."""
        self.ensure_one()
        if self.model not in ("membri.renewal", "account.move") or not self.res_id:
            return []
        # sudo: the queue of emails is worked off by anybody's request
        document_sudo = self.env[self.model].sudo().browse(self.res_id).exists()
        if not document_sudo or (
            self.model == "account.move" and not document_sudo.membri_invoice_type
        ):
            return []
        addresses = document_sudo._membri_get_key_addresses()
        documents = [(document_sudo, addresses)]
        if self.model == "membri.renewal" and (invoice_sudo := document_sudo.invoice_id):
            # who is reminded of an invoice pays by its link; one of several members does not
            own = set() if invoice_sudo._membri_is_shared() else addresses
            documents.append((invoice_sudo, own | invoice_sudo._membri_get_key_addresses()))
        return documents
