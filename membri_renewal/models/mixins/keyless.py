"""Whoever may read what is kept reads no key in it. Keys leave in emails, and come back: in what a
reply quotes, in what a member types or a colleague pastes."""

import re

from odoo import api, models

# the addresses of our pages that take a key, as they stand in HTML
KEY_OF_RENEWAL = re.compile(r"""/my/renewals/\d[^"'<>\s]*""")
KEY_OF_ANY = re.compile(r"""/my/(?:renewals|invoices|fee-notices)/\d[^"'<>\s]*""")
_KEYS = re.compile(r"([?&]|&amp;)(?:(?:access|renewal)_token=[\w…-]+(?:&amp;|&)?)+")
# between the parts of a token: mail servers that check links rewrite them, programs break lines
_HYPHEN = r"(?:-(?:2[Dd])?|%(?:25)*2[Dd]|=2[Dd])(?:[\s=>]|&gt;|<[^<>]*>){0,99}"
# without IGNORECASE, which takes three times as long
TOKEN = re.compile(_HYPHEN.join(f"([0-9a-fA-F]{{{length}}})" for length in (8, 4, 4, 4, 12)))
# what stands in the place of a token
GONE = "…"
# what opens a document, wherever it is kept: nobody looks for records by it
SECRETS = frozenset({"access_token", "landing_route"})


def strip_keys(body, pattern=KEY_OF_RENEWAL):
    """:return: ``body`` (HTML or text) with the same links, and no key in them"""
    if not body or "_token=" not in body:
        return body
    return type(body)(pattern.sub(lambda address: _KEYS.sub(r"\1", address[0]), body))


def find_tokens(text):
    """:return: the set of what may be tokens in ``text``, in whatever address"""
    return {"-".join(match.groups()).lower() for match in TOKEN.finditer(text)}


def take_out(tokens, text, gone=GONE):
    """:return: ``text`` (HTML or text) without these tokens"""
    if not tokens or not tokens & find_tokens(text):
        return text

    def replace(match):
        return gone if "-".join(match.groups()).lower() in tokens else match[0]

    return type(text)(TOKEN.sub(replace, text))


class MembriKeylessBodyMixin(models.AbstractModel):
    _name = "membri.keyless.body.mixin"
    _description = "Texts without a reply key"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base
        return super().create(self._without_keys(vals_list))

    def write(self, vals):
        # EXTENDS base
        [vals] = self._without_keys([vals])
        return super().write(vals)

    @api.model
    def _without_keys(self, vals_list):
        """Take out the keys of renewals; of what nobody sends to a payer, the tokens of membership
        invoices as well.

        :return: the same values without them"""
        found = {True: set(), False: set()}
        for vals in vals_list:
            for name, text in self._get_given_texts(vals):
                found[self._is_noted(name)] |= find_tokens(text)
        keys = self._filter_keys(found[True] | found[False])
        invoices = self._filter_keys(found[True] - keys, "account.move")
        tokens = {True: keys | invoices, False: keys}
        patterns = {True: KEY_OF_ANY, False: KEY_OF_RENEWAL}
        kept_list = []
        for vals in vals_list:
            kept = dict(vals)
            for name, text in self._get_given_texts(vals):
                is_noted = self._is_noted(name)
                # before the addresses, which end where a line is broken
                kept[name] = strip_keys(take_out(tokens[is_noted], text), patterns[is_noted])
            kept_list.append(kept)
        return kept_list

    @api.model
    def _get_given_texts(self, vals):
        """:return: list of ``(name, text)`` of ``vals``, without files in base64"""
        return [
            (name, text)
            for name, text in vals.items()
            if isinstance(text, str) and name not in SECRETS and not self._is_file(name)
        ]

    @api.model
    def _is_file(self, name):
        """Return whether the field ``name`` is kept as a file: what stands in it is decoded, and
        a key is no base64."""
        field = self._fields.get(name)
        return field is not None and field.type == "binary" and field.attachment

    @api.model
    def _is_noted(self, name):
        """What the staff writes to a payer, or Odoo emails, may link to an invoice.

        :return: whether the field ``name`` holds what a visitor posts, or what nobody sends"""
        ours = self._name.startswith("membri.") or name.startswith("membri_")
        posted = self._name == "mail.message" and self.env.user.share
        return ours or posted or self._name == "mail.activity"

    @api.model
    def _filter_keys(self, tokens, model="membri.renewal"):
        """:return: those of ``tokens`` that open a renewal (another ``model``: an invoice)"""
        if not tokens:
            return set()
        # sudo: whether there are such documents
        documents_sudo = self.env[model].sudo().with_context(active_test=False)
        documents_sudo = documents_sudo.search([("access_token", "in", list(tokens))])
        if model == "account.move":
            documents_sudo = documents_sudo.filtered("membri_invoice_type")
        return set(documents_sudo.mapped("access_token"))
