"""What ``./dev package`` asks of the add-ons that pip has installed; run in an Odoo shell.

A wrong answer ends it with one sentence; nothing is saved.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from odoo import Command
from odoo.modules import Manifest
from odoo.tools.translate import code_translations

JOB = json.loads(os.environ["SMOKE"])
FRENCH = "fr_CA"


def need(condition, sentence):
    if not condition:
        raise SystemExit(f"ERROR: {sentence}")


def tell(sentence):
    print(f"smoke: {sentence}", flush=True)


def check_places(env):
    site = Path(JOB["site"]).resolve()
    for name, version in JOB["versions"].items():
        places = {
            Path(Manifest.for_addon(name).path).resolve(),
            Path(sys.modules[f"odoo.addons.{name}"].__file__).resolve().parent,
        }
        need(places == {site / name}, f"{name} comes from {places}, not from {site}")
        module = env["ir.module.module"]._get(name)
        need(module.state == "installed", f"{name} is {module.state}")
        found = module.latest_version
        need(found == version, f"{name} is version {found} in the database, {version} in the wheel")
        need(not (site / name / "tests").exists(), f"{name} has its tests")
        tell(f"{name} {version} runs from site-packages")


def count_french(env, name, model, field):
    """:return: how many records of a model that an add-on brought are called otherwise in French"""
    known = env["ir.model.data"].search([("module", "=", name), ("model", "=", model)])
    records = env[model].browse(known.mapped("res_id"))
    english, french = (records.with_context(lang=lang) for lang in ("en_US", FRENCH))
    pairs = zip(english.mapped(field), french.mapped(field), strict=True)
    return sum(first != second for first, second in pairs)


def check_french(env):
    """Of each add-on with French: the sentences of its code, its menus and labels."""
    for name in JOB["versions"]:
        if not (Path(JOB["site"]) / name / "i18n" / "fr.po").exists():
            continue
        sentences = {
            **code_translations.get_python_translations(name, FRENCH),
            **code_translations.get_web_translations(name, FRENCH),
        }
        menus = count_french(env, name, "ir.ui.menu", "name")
        labels = count_french(env, name, "ir.model.fields", "field_description")
        need(menus or labels or sentences, f"nothing of {name} is in French")
        tell(f"{name} in French: {len(sentences)} sentences, {menus} menus, {labels} labels")


def fetch(path):
    with urlopen(JOB["url"] + quote(path), timeout=120) as answer:
        return answer.read()


def check_static(env):
    count = 0
    for name, files in JOB["static"].items():
        folder = Path(JOB["site"]) / name
        for path in files:
            served = fetch(f"/{name}/{path}")
            need(served == (folder / path).read_bytes(), f"/{name}/{path} is not served as it is")
            count += 1
        page = env["ir.module.module"]._get(name).description_html
        for image in Manifest.for_addon(name).get("images", []):
            need(f"/{name}/{image}" in page, f"the page of {name} does not show {image}")
    qweb = env["ir.qweb"]
    for bundle in ("web.assets_backend", "web.assets_frontend"):
        paths = {entry["filename"] for entry in qweb._get_asset_content(bundle)[0]}
        ours = [path for path in paths if path and path.startswith(JOB["site"])]
        need(ours, f"the bundle {bundle} has nothing of the add-ons")
        count += len(ours)
    tell(f"{count} static files are served or in a bundle")


def check_season(env):
    """Enrol a member, print the notice of the next year, accept it, pay nothing yet."""
    company = env.company
    company.email = "office@example.com"
    company.membri_officer_id = env.ref("base.user_admin")
    product = env["product.product"].create(
        {"name": "Membership", "type": "service", "list_price": 100.0, "taxes_id": False}
    )
    plan = env["membri.option.set"].create(
        {"name": "Yearly", "line_ids": [Command.create({"product_id": product.id})]}
    )
    member = env["res.partner"].create(
        {"name": "Zoé Tremblay", "email": "zoe@example.com", "lang": FRENCH}
    )
    enrolment = env["membri.enrolment"].create({"partner_id": member.id, "option_set_id": plan.id})
    enrolment.action_confirm()
    term = env["membri.cotisation"].search([("partner_id", "=", member.id)])
    need(
        term.state == "pending" and term.invoice_id.state == "posted",
        "the enrollment has no invoice",
    )
    wizard = env["account.payment.register"].with_context(
        active_model="account.move", active_ids=term.invoice_id.ids
    )
    wizard.create({})._create_payments()
    need(term.state == "active", f"the paid term is {term.state}")

    renewal = env["membri.renewal"].create({"cotisation_id": term.id})
    # the server prints from what is committed; the clone is thrown away
    env.cr.commit()
    document = renewal._render_notices()[renewal]
    need(document.startswith(b"%PDF") and len(document) > 10_000, "the notice is no PDF document")
    renewal.action_approve()
    invoice = renewal.invoice_id
    need(renewal.state == "approved", f"the accepted renewal is {renewal.state}")
    need(invoice.state == "posted" and invoice.amount_total == 100.0, "the renewal has no invoice")
    need(
        renewal.new_cotisation_id.state == "pending", "the next term does not wait for its payment"
    )
    tell(f"a member enrolled, paid, got a notice ({len(document) // 1024} KB) and renewed")


def main(env):
    check_places(env)
    check_french(env)
    check_static(env)
    check_season(env)


main(env)  # noqa: F821 - the shell has it
