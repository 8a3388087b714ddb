import base64
import io
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

from odoo.tests import HttpCase
from odoo.tools.pdf import PdfFileReader

from .common_delivery import NoticeCase

LAYOUTS = ("striped", "boxed", "bold", "standard", "folder", "wave", "bubble")
# how far a colour may be off at the edges of what is drawn, and in how many pixels
TOLERANCE, FEW_PIXELS = 64, 25


class PaperCase(NoticeCase, HttpCase):
    """What wkhtmltopdf prints, as text and as pictures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "force_report_rendering": True})

    @classmethod
    def _send(cls, renewals):
        renewals.with_context(force_report_rendering=False).action_send()

    def _set_layout(self, name, paper="base.paperformat_us"):
        self.company.sudo().write(
            {
                "external_report_layout_id": self.env.ref(f"web.external_layout_{name}").id,
                "paperformat_id": self.env.ref(paper).id,
            }
        )

    @classmethod
    def _draw_logo(cls, width, height):
        picture = io.BytesIO()
        Image.new("RGB", (width, height), (200, 30, 60)).save(picture, "PNG")
        return base64.b64encode(picture.getvalue())

    def _print(self, report, records):
        """:return: ``{record: bytes}``"""
        return self.env["ir.actions.report"]._membri_print(report, records)

    def _get_texts(self, content):
        """:return: the text of each page"""
        pages = PdfFileReader(io.BytesIO(content)).pages
        return [" ".join(page.extract_text().split()) for page in pages]

    def _get_pictures(self, content):
        """:return: a picture of each page; none where no program draws them"""
        if not shutil.which("pdftoppm"):
            return []
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "document.pdf")
            file.write_bytes(content)
            subprocess.run(["pdftoppm", "-r", "60", file, file.with_suffix("")], check=True)
            return [Image.open(path).convert("RGB") for path in sorted(Path(folder).glob("*.ppm"))]

    def _find_difference(self, left, right):
        """:return: what tells one PDF from another by eye, in words, or ``""``"""
        if self._get_texts(left) != self._get_texts(right):
            return "other words"
        for number, pages in enumerate(
            zip(self._get_pictures(left), self._get_pictures(right), strict=True), 1
        ):
            difference = ImageChops.difference(*pages).convert("L")
            pixels = sum(difference.point(lambda value: value > 0 and 1).histogram()[1:2])
            if pixels > FEW_PIXELS or difference.getextrema()[1] > TOLERANCE:
                return f"page {number}: {pixels} pixels"
        return ""
