import unicodedata

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import consteq, hmac

STATE_LEVELS = {
    "pending": "warning",
    "scheduled": "info",
    "active": "success",
    "expired": "secondary",
}
VERIFICATION_SCOPE = "membri_renewal.card"
SIGNATURE_LENGTH = 32
ID_LENGTH = 10  # of the database; addresses can hold any number
# of the texts on the card, in points, from the largest; and how far lines are apart
CARD_SIZES = (13, 11, 9, 8, 7, 6, 5)
LINE_HEIGHT = 1.15
POINT = 0.3528  # in millimetres


class MembriCotisation(models.Model):
    """What a member sees of a term: its standing, the membership card, the attestation."""

    _inherit = "membri.cotisation"

    @api.model
    def _get_portal_domain(self, partner):
        """Return the terms that ``partner`` finds on the portal: those that are its own
        (``res_partner_whose.py``), in every organisation; void ones are the staff's business."""
        return partner._membri_get_whose_domain() & Domain("state", "!=", "cancelled")

    def _is_valid_today(self):
        """:return: whether the member is one today, by this very term"""
        self.ensure_one()
        today = self.company_id._membri_today()
        return (
            self.state == "active"
            and self.date_start <= today
            and (not self.date_end or self.date_end >= today)
        )

    def _get_portal_status(self):
        """:return: ``(level, label)`` of a badge, in the member's words"""
        self.ensure_one()
        label = {
            "pending": self.env._("Awaiting payment"),
            "scheduled": self.env._("Upcoming"),
            "active": self.env._("Active"),
            "expired": self.env._("Ended"),
        }[self.state]
        return STATE_LEVELS[self.state], label

    # ------------------------------------------------------------------
    # Card and attestation
    # ------------------------------------------------------------------

    def _get_member_number(self):
        """:return: the contact's own reference, else the number of the term"""
        self.ensure_one()
        return self.partner_id.ref or self.name

    def _get_print_lang(self):
        self.ensure_one()
        return self.partner_id._membri_get_print_lang(self.company_id)

    def _get_end_display(self):
        """:return: the last day, in words"""
        self.ensure_one()
        if not self.date_end:
            return self.env._("for life")
        return self._format_day(self.date_end)

    def _get_report_base_filename(self):
        # the portal and the print menu add what kind of document it is
        self.ensure_one()
        return f"{self.name} {self.partner_id.name}"

    @api.model
    def _get_card_style(self, text, largest, width, height):
        """:param largest: size in points of a short text
        :param width: of its box on the card, in millimetres, like ``height``
        :return: the CSS that shows all of ``text``: in the largest letters with which it fits. Of
            what fits in no size, whole lines are left out"""
        for size in CARD_SIZES:
            line = size * POINT * LINE_HEIGHT
            if (
                size <= largest
                and _count_lines(text or "", width / (size * POINT)) <= height // line
            ):
                room = ""
                break
        else:
            room = f" overflow: hidden; max-height: {height // line * line:.3f}mm;"
        return f"font-size: {size}pt; line-height: {line:.3f}mm; word-wrap: break-word;{room}"

    def _get_attestation_sentence(self):
        """:return: what the organisation certifies"""
        self.ensure_one()
        since = self._get_member().membri_continuous_since
        return self.env._(
            "We certify that the member named below is a member in good standing of our "
            "organization, and has been without interruption since %(since)s.",
            since=self._format_day(since or self.date_start),
        )

    def _get_verification_url(self):
        """Return the full address that the code of the card leads to. It is signed, not
        stored: nobody can guess another one, and printing changes nothing."""
        self.ensure_one()
        # sudo: the address of the server is a parameter
        return (
            f"{self.sudo().get_base_url()}/membership/verify/{self.id}-{self._get_card_signature()}"
        )

    def _get_card_signature(self):
        self.ensure_one()
        # sudo: the secret is the database's
        return hmac(self.sudo().env, VERIFICATION_SCOPE, self.id)[:SIGNATURE_LENGTH]

    @api.model
    def _get_verified_sudo(self, code):
        """:param code: what the card says after ``/membership/verify/``
        :return: the term of a card that is ours and valid today, else nothing: what was forged,
            what is over and what never existed look the same"""
        record_id, _separator, signature = code.partition("-")
        nothing_sudo = self.sudo().browse()  # sudo: none, as the one that is found
        if not (
            record_id.isdecimal()
            and record_id.isascii()
            and len(record_id) < ID_LENGTH
            and int(record_id)  # no record has the number 0
            and signature.isascii()
        ):
            return nothing_sudo
        # sudo: whoever holds the card may ask, without an account
        term_sudo = self.sudo().browse(int(record_id))
        if not consteq(term_sudo._get_card_signature(), signature):
            return nothing_sudo
        return term_sudo.exists().filtered(lambda term: term._is_valid_today())


def _get_width(letter):
    """:return: how wide a letter is printed at most, nearly, in its own size"""
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter.isspace():
        return 0.3
    return 0.8 if letter.isupper() or letter in "mw@%—…" else 0.6


def _count_lines(text, width):
    """:param width: of a line, in the size of the letters
    :return: how many lines a text takes at most"""
    lines, used = 1, 0.0
    for word in text.split():
        length = sum(map(_get_width, word))
        if used and used + 0.3 + length > width:
            lines, used = lines + 1, 0.0
        used += length + (0.3 if used else 0.0)
        while used > width:  # longer than a line: broken
            lines, used = lines + 1, used - width
    return lines
