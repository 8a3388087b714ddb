"""Send one notice and approve one renewal in an upgraded demo; run in an Odoo shell by
``./dev upgrade``, which catches the mails."""

import email
import email.policy
import os
from pathlib import Path

MAILS = Path(os.environ["UPGRADE_MAILS"])
QUEUES = [
    "account.ir_cron_account_move_send",
    "mail.ir_cron_mail_scheduler_action",
]


def choose(env, verb):
    """A renewal of the demo that one may ``send`` or ``approve``, of a member with an email."""
    renewals = env["membri.renewal"].search(
        [("state", "in", ("draft", "sent")), ("mode", "=", "notice")], order="state, id"
    )
    for renewal in renewals:
        reachable = renewal.partner_id.email and renewal.recipient_id.email
        if reachable and not renewal._get_cannot_reason(verb):
            return renewal
    raise SystemExit(f"the demo has no renewal to {verb}")


def read_new(seen):
    for path in sorted(set(MAILS.glob("*.eml")) - seen):
        yield email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def check(what, subject, messages):
    """:return: what is wrong with the one email whose subject speaks of ``subject``"""
    found = [message for message in messages if subject in str(message["Subject"])]
    if not found:
        subjects = ", ".join(str(message["Subject"]) for message in messages) or "none"
        yield f"no email about {subject} ({what}) left; those that left: {subjects}"
    for message in found:
        body = message.get_body(("html",))
        html = body.get_content() if body else ""
        if "<html" not in html or "<table" not in html:
            yield f"the email of the {what} left without its frame"
        if not any(part.get_content_type() == "application/pdf" for part in message.walk()):
            yield f"the email of the {what} left without its PDF"
        if what == "notice" and "/my/renewals/" not in html:
            yield f"the email of the {what} left without its link"


def find_keys(env):
    """Who reads a kept message or document must not be able to answer with it."""
    renewals = env["membri.renewal"].sudo().search([("access_token", "!=", False)])
    keys = set(renewals.mapped("access_token"))
    messages = env["mail.message"].sudo().search([("body", "like", "_token=")])
    for message in messages:
        if any(key in message.body for key in keys):
            yield f"the message {message.id} ({message.model},{message.res_id}) holds a key"
    documents = env["ir.attachment"].sudo().search([("mimetype", "=", "application/pdf")])
    for document in documents:
        content = (document.raw or b"").replace(rb"\055", b"-")
        if b"_token=" in content and any(key.encode() in content for key in keys):
            yield f"the document {document.name} ({document.res_model}) holds a key"


def main(env):
    company = env.ref("membri_renewal.demo_company")
    officer = env["res.users"].search([("login", "=", "officer")], limit=1)
    env = env(user=officer, context={"allowed_company_ids": company.ids, "lang": officer.lang})
    # an officer's transaction as any other, and the queues as the scheduler runs them
    for xmlid in QUEUES:
        env.ref(xmlid).sudo().method_direct_trigger()
    problems = []

    seen = set(MAILS.glob("*.eml"))
    notice = choose(env, "send")
    notice.action_send()
    env.cr.commit()
    env.ref(QUEUES[1]).sudo().method_direct_trigger()
    problems += check("notice", company.name, list(read_new(seen)))
    if notice.state != "sent":
        problems.append(f"the renewal {notice.name} is {notice.state} after sending")

    seen = set(MAILS.glob("*.eml"))
    approved = choose(env, "approve")
    approved.action_approve()
    env.cr.commit()
    for xmlid in QUEUES:
        env.ref(xmlid).sudo().method_direct_trigger()
    invoice = approved.invoice_id
    if not invoice or invoice.state != "posted":
        problems.append(f"the approved renewal {approved.name} has no posted invoice")
    else:
        problems += check("invoice", invoice.name, list(read_new(seen)))
    problems += find_keys(env)
    Path(os.environ["UPGRADE_PROBLEMS"]).write_text("\n".join(problems))


main(env)  # noqa: F821 - the shell has it
