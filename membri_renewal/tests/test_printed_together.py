from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import printing_together
from .common_paper import LAYOUTS, PaperCase

NOTICE = "membri_renewal.report_renewal_notice"
LOGGER = "odoo.addons.membri_renewal.models.printing_together"


@tagged("post_install", "-at_install")
class TestPrintedTogether(PaperCase):
    """Issue 14: many notices in one document of wkhtmltopdf, with the pages of Odoo's own way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().write({"logo": cls._draw_logo(300, 120), "report_header": "We bake"})
        options = cls.product.browse().union(
            *(cls._create_option(f"Option {number}", 10.0) for number in range(36))
        )
        cls.renewals = cls.env["membri.renewal"].union(
            *(
                cls._create_renewal(
                    cls._create_cotisation(
                        cls._create_member(f"Member {number}", lang=lang, street="1 Main Street"),
                        "2026-01-01",
                        option_set,
                    )
                )
                for number, (lang, option_set) in enumerate(
                    [
                        ("en_US", cls.yearly),
                        ("fr_FR", cls.yearly),
                        ("en_US", cls._create_option_set("Long", options)),
                        ("en_US", cls.yearly),
                    ]
                )
            )
        )
        cls._send(cls.renewals)

    def _print_counted(self, fewest):
        """:return: ``({record: bytes}, [how many bodies each call of wkhtmltopdf had])``"""
        Report = self.registry["ir.actions.report"]
        origin, calls = Report._run_wkhtmltopdf, []

        def run(report, bodies, *args, **kwargs):
            calls.append(len(bodies))
            return origin(report, bodies, *args, **kwargs)

        with (
            patch.object(printing_together, "FEWEST", fewest),
            patch.object(Report, "_run_wkhtmltopdf", run),
        ):
            return self._print(NOTICE, self.renewals), calls

    def _find_differences(self, together, apart):
        self.assertEqual(list(together), list(apart))
        return [
            difference
            for renewal in self.renewals
            if (difference := self._find_difference(together[renewal], apart[renewal]))
        ]

    def _assert_same(self, together, apart):
        """On a busy machine a letter may come before its font, either way: looked at once more,
        printed anew."""
        if self._find_differences(together, apart):
            apart, _calls = self._print_counted(1000)
            together, _calls = self._print_counted(2)
        self.assertEqual(self._find_differences(together, apart), [])

    def test_same_pages_in_each_layout(self):
        for layout in LAYOUTS:
            self._set_layout(layout)
            with self.subTest(layout=layout):
                apart, calls = self._print_counted(1000)
                self.assertEqual(calls, [4])
                together, calls = self._print_counted(2)
                if layout == "bubble":  # its frames are not the same in a longer document
                    self.assertEqual(calls, [4])
                    continue
                self.assertEqual(len(calls), 2, "bodies, letterheads")
                self.assertEqual(calls[0], 3, "a ruler, and one for each language")
                self._assert_same(together, apart)
                pages = self._get_texts(together[self.renewals[2]])
                self.assertGreater(len(pages), 1)
                for number, text in enumerate(pages, 1):
                    self.assertIn(f"{number} / {len(pages)}", text)

    def test_a_difference_is_seen(self):
        """The comparison is none that cannot fail."""
        self._set_layout("standard")
        apart, _calls = self._print_counted(1000)
        origin = printing_together._number
        with patch.object(
            printing_together, "_number", lambda part, page, pages: origin(part, page, pages + 1)
        ):
            together, _calls = self._print_counted(2)
        self.assertTrue(self._find_difference(together[self.renewals[0]], apart[self.renewals[0]]))
        self.company.sudo().logo = self._draw_logo(300, 100)
        other, _calls = self._print_counted(2)
        if self._get_pictures(other[self.renewals[0]]):  # the words are the same
            self.assertIn(
                "pixels", self._find_difference(other[self.renewals[0]], apart[self.renewals[0]])
            )

    def test_each_for_itself_where_it_has_to_be(self):
        """A letterhead that came out empty; a text with more headings, on all pages, too wide."""
        self._set_layout("standard")
        apart, _calls = self._print_counted(1000)
        with (
            patch.object(printing_together, "_has_text", lambda page: False),
            mute_logger(LOGGER),
        ):
            together, calls = self._print_counted(2)
        self.assertEqual(calls[2:], [4])
        self._assert_same(together, apart)
        view = self.env_root.ref("membri_renewal.report_renewal_notice_document")
        for added, expected in (
            ("<h2>More</h2>", [4, 1, 1, 1, 1]),  # Odoo gives up, too
            ('<p style="position: fixed;">Draft</p>', [4]),
            (f'<p style="white-space: nowrap;">{"W" * 200}</p>', [3, 4]),
        ):
            change = self.env_root["ir.ui.view"].create(
                {
                    "name": "A text of the customer's own",
                    "type": "qweb",
                    "inherit_id": view.id,
                    "arch": f"""<p name="contact" position="after">{added}</p>""",
                }
            )
            together, calls = self._print_counted(2)
            self.assertEqual(calls, expected)
            self.assertEqual(list(together), list(self.renewals))
            change.unlink()

    def test_few_are_printed_as_before(self):
        _printed, calls = self._print_counted(5)
        self.assertEqual(calls, [4])
