from contextlib import contextmanager
from datetime import datetime, time, timedelta
from random import Random

from odoo import api, fields, models
from odoo.tools import SQL

SEED = 1867
GROWING = [
    "account.move",
    "account.move.line",
    "account.partial.reconcile",
    "account.payment",
    "mail.message",
    "membri.cotisation",
    "membri.renewal",
    "res.partner",
]


class MembriDemo(models.AbstractModel):
    """The demo: the *Chambre de commerce de Rivière-Claire*, three years into its life with
    this add-on and in the middle of a renewal season.

    Everything is dated from today and made by the methods that make it in real life; what
    lies in the past gets its historic dates afterwards. No email leaves.
    """

    _name = "membri.demo"
    _description = "Membership Demo"

    @api.model
    def _load(self):
        """Build the demo, once: where its company exists, nothing is done."""
        if self.env.ref("membri_renewal.demo_company", raise_if_not_found=False):
            return
        first_mail = self._last_id("mail.mail")
        self = self.with_context(
            lang="en_US",
            tracking_disable=True,
            mail_create_nolog=True,
            mail_create_nosubscribe=True,
            no_reset_password=True,
        )
        company = self._create_company()
        self = self.with_company(company)
        users = self._create_users(company)
        catalogue = self._create_catalogue(company)
        self._offer_on_portal(catalogue)
        # from here on it is the officer who works, in her language
        self = self.with_user(users["officer"]).sudo().with_context(lang="fr_CA")
        # a demo that is the same each time: no secret is drawn
        draw = Random(SEED)  # nosec B311
        stories = self._create_members(catalogue, draw)
        self._play_history(stories, draw)
        self._play_campaign(stories, draw)
        self._play_payers(catalogue)
        self._work_on_many()
        self._add_own_queue()
        self._play_cards(catalogue, draw)
        self._prepare_next_campaign()
        self._create_member_user(company)
        self._settle_mails(first_mail)
        self._prepare_before_sending()
        self._schedule_printing()

    # ------------------------------------------------------------------
    # Small tools of the other files
    # ------------------------------------------------------------------

    def _name_record(self, name, record):
        """Give ``record`` the external id ``membri_renewal.demo_<name>``."""
        self.env["ir.model.data"].sudo()._update_xmlids(
            [{"xml_id": f"membri_renewal.demo_{name}", "record": record, "noupdate": True}]
        )
        return record

    def _last_id(self, model):
        return self.env[model].sudo().search([], order="id desc", limit=1).id or 0

    @contextmanager
    def _dated(self, moment):
        """Messages that are written inside bear the date ``moment``."""
        last = self._last_id("mail.message")
        yield
        self.env["mail.message"].sudo().search([("id", ">", last)]).write({"date": moment})

    def _update_statistics(self):
        """Thousands of rows in one transaction, which no autovacuum can see: without fresh
        statistics PostgreSQL plans as if the tables were empty, and takes minutes."""
        self.env.flush_all()
        tables = SQL(", ").join(SQL.identifier(self.env[model]._table) for model in GROWING)
        self.env.cr.execute(SQL("ANALYZE %s", tables))

    def _moment(self, day, draw):
        """:return: a moment in the office hours of ``day`` (UTC), never in the future"""
        moment = datetime.combine(day, time(13)) + timedelta(minutes=draw.randrange(7 * 60))
        return min(moment, fields.Datetime.now())

    def _prepare_before_sending(self):
        """What was sent in the past was prepared then, too."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE membri_renewal SET create_date = LEAST(date_sent, date_answer, date_approved)"
            " WHERE LEAST(date_sent, date_answer, date_approved) < create_date"
        )
        self.env["membri.renewal"].invalidate_model(["create_date"])

    def _settle_mails(self, first_mail):
        """The past's mails went out in the past: nothing of the demo is ever sent."""
        mails_sudo = self.env["mail.mail"].sudo().search([("id", ">", first_mail)])
        mails_sudo.write({"state": "sent"})
        self.env["mail.notification"].sudo().search([("mail_mail_id", "in", mails_sudo.ids)]).write(
            {"notification_status": "sent"}
        )
        left_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search([("company_id", "=", self.env.company.id), ("delivery_state", "=", "queued")])
        )
        left_sudo._internal_write({"delivery_state": "delivered"})
        for renewal in left_sudo.filtered(lambda r: r.charge_state or r.date_auto_invoice):
            renewal._record_left(renewal._get_announced_facts())
        Invoice = self.env["account.move"].sudo()
        invoices_sudo = Invoice.search(
            [("company_id", "=", self.env.company.id), ("membri_invoice_type", "!=", False)]
        )
        # a fee notice is followed by the email of its invoice, when it is paid
        posted_sudo = invoices_sudo.filtered(lambda invoice: invoice.state == "posted")
        posted_sudo.write({"sending_data": False, "is_move_sent": True})
        invoices_sudo.filtered(
            lambda invoice: invoice.membri_delivery_state == "queued"
        ).membri_delivery_state = "delivered"
        now = fields.Datetime.now()
        for day, invoices in invoices_sudo.grouped("invoice_date").items():
            # midnight of Greenwich is the day before in Québec
            unsent = invoices.filtered(lambda invoice: not invoice.membri_date_sent)
            unsent.membri_date_sent = min(now, datetime.combine(day, time(15)))
