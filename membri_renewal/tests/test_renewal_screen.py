from datetime import datetime

from freezegun import freeze_time
from lxml import etree

from odoo import fields
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import MembriCommon

RESERVED_HOTKEYS = set("sjcbunphv")  # Odoo's own: save, discard, new, back, cog, pager, views


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestRenewalScreen(MembriCommon):
    """What the form and the kanban of a renewal show at a glance."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cotisation = cls._create_term(cls.member, cls.product)
        cls.renewal = cls._create_renewal(cls.cotisation)

    @classmethod
    def _create_term(cls, member, products, option_set=None):
        """A term whose options are known."""
        return cls._create_cotisation(
            member,
            "2026-01-01",
            option_set,
            line_ids=[
                fields.Command.create(
                    {
                        "product_id": product.id,
                        "price_unit": product.list_price,
                        "tax_ids": [fields.Command.set(cls.tax.ids)],
                    }
                )
                for product in products
            ],
        )

    # ------------------------------------------------------------------
    # What changes
    # ------------------------------------------------------------------

    def test_nothing_changes(self):
        changes = self.renewal._get_comparison()
        self.assertTrue(changes["is_same"])
        self.assertIn("The same options at the same price", self.renewal.comparison_html)

    def test_options_and_price(self):
        line = self.renewal.line_ids
        line.write({"price_unit": 330.0, "is_price_agreed": True})
        self.renewal.write(
            {
                "line_ids": [
                    fields.Command.create(
                        {"product_id": self.extra.id, "quantity": 2, "price_unit": 50.0}
                    )
                ]
            }
        )
        changes = self.renewal._get_comparison()
        self.assertFalse(changes["is_same"])
        self.assertEqual(
            [(kind, name) for kind, name, _detail in changes["options"]],
            [("added", self.extra.display_name), ("changed", self.product.display_name)],
        )
        self.assertIn("300.00", changes["options"][1][2])
        self.assertIn("330.00", changes["options"][1][2])
        self.assertTrue(changes["options"][0][2].startswith("2 ×"))
        self.assertEqual(changes["total"]["direction"], "up")
        # 345.00, then 330.00 and its taxes + 2 × 50.00
        self.assertIn("134.50", changes["total"]["difference"])
        self.assertIn("+39", changes["total"]["difference"])
        self.assertIn(self.extra.display_name, self.renewal.comparison_html)

    def test_removed_option_and_cheaper(self):
        both = self._create_option_set("Both", self.product | self.extra)
        cotisation = self._create_term(self._create_member("Rich"), self.product | self.extra, both)
        renewal = self._create_renewal(cotisation)
        renewal.line_ids.filtered(lambda line: line.product_id == self.extra).unlink()
        changes = renewal._get_comparison()
        self.assertEqual(changes["options"][0][:2], ("removed", self.extra.display_name))
        self.assertEqual(changes["total"]["direction"], "down")
        self.assertIn("\N{MINUS SIGN}", changes["total"]["difference"])

    def test_options_of_an_imported_term_are_not_known(self):
        renewal = self._renewal_in("draft")
        self.assertFalse(renewal.cotisation_id.line_ids)
        changes = renewal._get_comparison()
        self.assertFalse(changes["is_same"])
        self.assertFalse(changes["options"])
        self.assertIn("nothing to compare", " ".join(renewal.comparison_html.split()))

    def test_option_set_and_dates(self):
        self.renewal.option_set_id = self.monthly
        changes = self.renewal._get_comparison()
        self.assertEqual(changes["option_set"], ("Yearly", "Monthly"))
        self.assertFalse(changes["dates"])
        self.renewal.write({"date_start": "2027-01-11", "date_end": "2027-02-10"})
        dates = self.renewal._get_comparison()["dates"]
        self.assertEqual((dates["kind"], dates["days"]), ("gap", 10))
        self.renewal.write({"date_start": "2026-12-27", "date_end": "2027-01-26"})
        dates = self.renewal._get_comparison()["dates"]
        self.assertEqual((dates["kind"], dates["days"]), ("overlap", 5))

    def test_shown_while_editing(self):
        """The words follow the edit, before it is saved."""
        with Form(self.renewal) as form:
            with form.line_ids.edit(0) as line:
                line.quantity = 2
            self.assertIn("345.00", form.comparison_html)
            self.assertIn("690.00", form.comparison_html)

    def test_names_are_escaped(self):
        self.yearly.with_env(self.env_root).name = "<script>alert(1)</script>"
        self.renewal.option_set_id = self.monthly
        self.renewal.invalidate_recordset(["comparison_html"])
        self.assertNotIn("<script>", self.renewal.comparison_html)

    # ------------------------------------------------------------------
    # Timeline
    # ------------------------------------------------------------------

    def _get_labels(self, done):
        """Without “Prepared”: the database's clock is not frozen."""
        steps = self.renewal._get_timeline()
        return [
            step["label"]
            for step in steps
            if step["is_done"] == done and step["label"] != "Prepared"
        ]

    def test_timeline(self):
        self.assertFalse(self._get_labels(True))
        self.assertEqual(self._get_labels(False), ["End of current term"])
        with freeze_time("2026-11-16 15:00:00"):
            self.renewal.action_send()
        with freeze_time("2026-11-20 15:00:00"):
            self.renewal.action_send_reminder()
            self.renewal.date_follow_up = "2026-12-01"
        with freeze_time("2026-11-21 15:00:00"):
            self.assertEqual(self._get_labels(True), ["Sent", "Reminders sent: 1"])
            self.assertEqual(self._get_labels(False), ["Call", "End of current term"])
            self.renewal.action_approve()
            self.assertIn("Approved", self._get_labels(True))
            self.assertIn("Payment due", self._get_labels(True) + self._get_labels(False))
            self.assertIn("Approved", self.renewal.timeline_html)
            self.assertIn("Reply received", self._get_labels(True))

    def test_timeline_of_who_was_asked_nothing(self):
        """Issue 12, A2: an automatic renewal is approved without a reply."""
        self.renewal.mode = "invoice"
        with freeze_time("2026-11-21 15:00:00"):
            self.renewal.action_approve()
            self.assertTrue(self.renewal.date_answer)
            self.assertIn("Approved", self._get_labels(True))
            self.assertNotIn("Reply received", self._get_labels(True))

    def test_timeline_calls_nothing_done_that_is_not(self):
        """Issue 12: *sent* is said of what left; a late reminder or call is late, not done."""
        self.renewal.partner_id.email = False
        with freeze_time("2026-11-16 15:00:00"):
            self.renewal.action_send()
            self.renewal.date_follow_up = "2026-11-18"
        self.assertEqual(self.renewal.letter_state, "to_print")
        with freeze_time("2026-12-21 15:00:00"):
            self.assertFalse(self._get_labels(True))
            late = self._get_labels(False)
            self.assertEqual(late[0], "To Print")
            self.assertIn("Call", late)
            self.renewal._internal_write({"letter_state": "printed"})
            self.assertEqual(self._get_labels(True), ["Sent"])

    def test_timeline_in_the_days_of_the_company(self):
        self.renewal._internal_write({"date_sent": datetime(2026, 11, 16, 3)})
        sent = next(step for step in self.renewal._get_timeline() if step["label"] == "Sent")
        self.assertEqual(sent["day"].isoformat(), "2026-11-15")

    # ------------------------------------------------------------------
    # One next step
    # ------------------------------------------------------------------

    def _get_header(self, renewal):
        """The buttons that are visible in the state of ``renewal``."""
        view = self.env.ref("membri_renewal.membri_renewal_view_form").id
        header = etree.fromstring(renewal.get_view(view)["arch"]).find("header")
        fields_read = [name for name, field in renewal._fields.items() if field.type != "binary"]
        values = renewal.read(fields_read, load=None)[0]
        return [
            button
            for button in header.iter("button")
            if not safe_eval(button.get("invisible") or "False", values)
        ]

    def test_one_next_step_in_each_state(self):
        paid = self._renewal_in("approved")
        self._pay(paid.invoice_id)
        for renewal, expected in (
            (self._renewal_in("draft"), ["action_send"]),
            (self._renewal_in("draft", mode="invoice"), ["action_approve"]),
            (self._renewal_in("sent"), ["action_approve"]),
            (self._renewal_in("change_requested"), ["action_approve"]),
            (self._renewal_in("intervention"), ["action_approve"]),
            (self._renewal_in("approved"), []),
            (paid, []),
            (self._renewal_in("refused"), []),
            (self._renewal_in("cancelled"), []),
        ):
            with self.subTest(state=renewal.state, mode=renewal.mode, paid=renewal.is_paid):
                primary = [
                    button.get("name")
                    for button in self._get_header(renewal)
                    if "btn-primary" in (button.get("class") or "")
                ]
                self.assertEqual(primary, expected)
                hotkeys = [button.get("data-hotkey") for button in self._get_header(renewal)]
                self.assertEqual(len(hotkeys), len(set(hotkeys)), "one key, one button")

    def test_second_click_on_approve_sends_nothing(self):
        """Wherever “Approve” stood, what stands there next opens something."""
        before = ("sent", "draft", "intervention", "change_requested")
        place = max(
            [button.get("name") for button in self._get_header(self._renewal_in(state))].index(
                "action_approve"
            )
            for state in before
        )
        approved = [button.get("name") for button in self._get_header(self._renewal_in("approved"))]
        self.assertIn("action_send_reminder", approved)
        self.assertGreater(approved.index("action_send_reminder"), place)

    def _only_opens(self, button):
        """:return: whether this button asks first, or opens a window"""
        return (
            button.get("type") == "action"
            or button.get("confirm")
            or button.get("name")
            in ("action_refuse", "action_view_invoice", "action_ask_reset", "action_ask_end_unpaid")
        )

    def test_second_click_anywhere_only_opens_something(self):
        """Issue 12 A6: wherever a button did something at once, nothing is done by the next one."""
        for state, mode in (
            ("draft", "notice"),
            ("draft", "invoice"),
            ("sent", "notice"),
            ("change_requested", "notice"),
            ("intervention", "notice"),
        ):
            header = self._get_header(self._renewal_in(state, mode=mode))
            self.assertTrue(self._only_opens(header[0]), "where “Prepare a Renewal” stood")
            for place, button in enumerate(header):
                name = button.get("name")
                if self._only_opens(button):
                    continue
                renewal = self._renewal_in(state, mode=mode)
                getattr(renewal, name)()
                after = self._get_header(renewal)[place : place + 1]
                with self.subTest(state=state, mode=mode, button=button.get("string")):
                    for other in after:  # the very same button is no surprise
                        is_same = other.get("string") == button.get("string")
                        self.assertTrue(is_same or self._only_opens(other))

    def test_second_click_of_the_same_sending_asks(self):
        """For some minutes; later it is the officer's will."""
        invoiced = self._renewal_in("approved")
        for renewal, name in (
            (self._renewal_in("sent"), "action_send"),
            (self._renewal_in("sent"), "action_send_reminder"),
            (invoiced, "action_send_reminder"),
        ):
            for moment, asks in (
                ("2026-11-15 16:00:00", False),
                ("2026-11-15 16:03:00", True),
                ("2026-11-15 16:30:00", False),
            ):
                with freeze_time(moment), self.subTest(state=renewal.state, at=moment, name=name):
                    self.env.invalidate_all()
                    [button] = [b for b in self._get_header(renewal) if b.get("name") == name]
                    self.assertEqual(bool(button.get("confirm")), asks)
                    if not asks:
                        getattr(renewal, name)()
        receipt = self.env_root["membri.annual.receipt"].new({"date_sent": "2026-11-15 14:58:00"})
        self.assertTrue(receipt.is_just_sent)
        notice = self.env_root["account.move"].new({"membri_date_sent": "2026-11-15 14:58:00"})
        self.assertTrue(notice.membri_is_just_sent)
        with freeze_time("2026-11-15 15:10:00"):
            self.env.invalidate_all()
            later = notice.new({"membri_date_sent": "2026-11-15 14:58:00"})
            self.assertFalse(later.membri_is_just_sent)

    # ------------------------------------------------------------------
    # Keyboard and eyes, in all our views
    # ------------------------------------------------------------------

    def _get_own_views(self):
        data = self.env_root["ir.model.data"].search(
            [("module", "=", "membri_renewal"), ("model", "=", "ir.ui.view")]
        )
        views = self.env_root["ir.ui.view"].browse(data.mapped("res_id"))
        return views.filtered(lambda view: view.type != "qweb")

    def test_header_buttons_have_a_key(self):
        found = 0
        for view in self._get_own_views().filtered(lambda view: view.type == "form"):
            for button in etree.fromstring(view.arch).xpath("//header//button"):
                found += 1
                with self.subTest(view=view.name, button=button.get("name")):
                    self.assertTrue(button.get("data-hotkey"))
                    self.assertNotIn(button.get("data-hotkey"), RESERVED_HOTKEYS)
        self.assertGreater(found, 20)

    def test_icons_and_icon_buttons_have_a_name(self):
        icons = 0
        for view in self._get_own_views():
            arch = etree.fromstring(view.arch)
            for button in arch.xpath("//button[@icon and not(@string) and not(node())]"):
                with self.subTest(view=view.name, button=button.get("name")):
                    self.assertTrue(button.get("title") or button.get("aria-label"))
            for icon in arch.xpath("//i[contains(@class, 'fa')]"):
                icons += 1
                with self.subTest(view=view.name, icon=icon.get("class")):
                    self.assertTrue(
                        icon.get("aria-label") or icon.get("title") or icon.get("aria-hidden")
                    )
        self.assertGreater(icons, 5)

    def test_lists_say_what_to_do_when_they_are_empty(self):
        data = self.env_root["ir.model.data"].search(
            [("module", "=", "membri_renewal"), ("model", "=", "ir.actions.act_window")]
        )
        actions = self.env_root["ir.actions.act_window"].browse(data.mapped("res_id"))
        self.assertGreater(len(actions), 20)
        for action in actions.filtered(lambda action: "list" in action.view_mode):
            with self.subTest(action=action.name):
                texts = etree.fromstring(f"<div>{action.help or ''}</div>").xpath("//p")
                self.assertGreaterEqual(len(texts), 2, "a title and a way to go on")

    def test_nothing_is_dragged_into_another_state(self):
        kanban = self.env.ref("membri_renewal.membri_renewal_view_kanban")
        arch = etree.fromstring(self.renewal.get_view(kanban.id)["arch"])
        self.assertEqual(arch.get("records_draggable"), "0")
        self.assertEqual(arch.find("progressbar").get("sum_field"), "amount_total")
