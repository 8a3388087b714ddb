import io

from odoo.tests import new_test_user
from odoo.tools import SQL
from odoo.tools.pdf import PdfFileReader

from .common_portal import PortalCase

# what runs on a server by itself and reads nothing for anybody
OWN_COLUMN = ("membri_renewal", "access_token")
TEMPLATE_BODY = """
    <p><a t-att-href="object.get_portal_url()">answer</a>
    <a t-att-href="object._get_answer_url()">again</a>
    <t t-out="object._render_mail_button()"/></p>"""


def get_pdf_text(content):
    """:return: all that a reader of a PDF finds: its words, and where its links lead"""
    found = []
    for page in PdfFileReader(io.BytesIO(content), strict=False).pages:
        found.append(page.extract_text())
        for annotation in page["/Annots"].get_object() if "/Annots" in page else []:
            action = annotation.get_object().get("/A") or {}
            found.append(str(action.get("/URI")))
    return " ".join(found)


class KeyCase(PortalCase):
    """Two renewals that went through everything that makes mails, files and rows: one waits for
    its answer, one is accepted and not paid."""

    # what _go_through_everything makes
    letter = job_letters = job = keys = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "force_report_rendering": True})
        cls.accountant = new_test_user(
            cls.env_root,
            "accountant",
            "account.group_account_user",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.clerk = new_test_user(
            cls.env_root,
            "clerk",
            "base.group_user,base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.users = (
            cls.auditor,
            cls.accountant,
            cls.employee,
            cls.clerk,
            cls.stranger_user,
            cls.colleague_user,
        )
        cls.member.write({"street": "1 Main Street", "city": "Town", "zip": "J4H 2X3"})
        cls.renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.renewal.message_subscribe(cls.auditor.partner_id.ids)
        payer = cls._create_member("Ann Accepted", street="2 Main Street")
        cls.approved = cls._create_renewal(cls._create_cotisation(payer, "2026-01-01"))
        cls.renewals = cls.renewal + cls.approved

    def _go_through_everything(self):
        self.renewals.action_send()
        self.renewals.action_send_reminder()
        self.renewal.action_request_change("Please")
        notice = self.env.ref("membri_renewal.mail_template_notice").sudo()
        notice.body_html = TEMPLATE_BODY
        self.renewal.action_send()
        self.renewal.message_post(
            body="See you", partner_ids=self.member.ids, subtype_xmlid="mail.mt_comment"
        )
        self.letter = self.renewal.action_print_letter()
        self.job_letters = self.renewals.action_bulk("print_letter")
        self.job = self.env["membri.bulk.job"].search([], order="id desc", limit=1)
        self.assertEqual(self.job_letters, self.job.action_download_letters())
        self.approved.action_approve()
        self.approved.action_send_reminder()
        self.env["portal.share"].create(
            {
                "res_model": "membri.renewal",
                "res_id": self.renewal.id,
                "partner_ids": self.member.ids,
            }
        ).action_send_mail()
        self.keys = self.renewals.sudo().mapped("access_token")
        self.assertTrue(all(self.keys) and len(set(self.keys)) == 2)
        self.env.flush_all()

    def _find_columns(self, keys):
        """:return: ``{(table, column)}`` of all texts that hold one of ``keys``"""
        self.env.flush_all()
        columns = self.env.execute_query(
            SQL(
                """SELECT c.table_name, c.column_name
                     FROM information_schema.columns c
                     JOIN information_schema.tables t USING (table_schema, table_name)
                    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
                      AND c.data_type IN ('text', 'character varying', 'jsonb', 'json')"""
            )
        )
        by_table = {}
        for table, column in columns:
            by_table.setdefault(table, []).append(column)
        self.assertGreater(len(by_table), 200, "the search itself works")
        holding = set()
        for table, names in by_table.items():
            for key in keys:
                conditions = SQL(" OR ").join(
                    SQL("%s::text LIKE %s", SQL.identifier(name), f"%{key}%") for name in names
                )
                query = SQL(
                    "SELECT %s FROM %s WHERE %s",
                    SQL(", ").join(
                        SQL(
                            "COUNT(*) FILTER (WHERE %s::text LIKE %s)",
                            SQL.identifier(n),
                            f"%{key}%",
                        )
                        for n in names
                    ),
                    SQL.identifier(table),
                    conditions,
                )
                [counts] = self.env.execute_query(query)
                holding |= {
                    (table, name) for name, count in zip(names, counts, strict=True) if count
                }
        return holding

    def _assert_no_key(self, found, message=None):
        text = found if isinstance(found, str) else str(found)
        for key in self.keys:
            self.assertNotIn(key, text, message)

    def _get_mails(self, renewal):
        return self.env_root["mail.mail"].search(
            [("model", "=", "membri.renewal"), ("res_id", "=", renewal.id)], order="id"
        )
