"""Run in ``odoo shell`` by documents.py: ``env`` is defined. Nothing is saved."""

import json
import logging
import os
from pathlib import Path

logging.getLogger("py.warnings").setLevel(logging.ERROR)  # of Odoo's own libraries


def render(job):
    renewal = env.ref(job["record"]).sudo()  # noqa: F821
    renewal = renewal.with_company(renewal.company_id).with_context(lang=job["lang"])
    (renewal.partner_id | renewal.recipient_id).lang = job["lang"]
    if job["kind"] == "pdf":
        # as it leaves for the member: with the code and the key of the page
        return renewal._insert_keys(renewal._render_notices()[renewal])
    template = renewal._get_notice_template()
    if job["template"]:
        template = renewal.env.ref(job["template"])
    [message] = renewal._send_notice(lambda _renewal: template).values()
    mail = message.mail_ids
    return mail._prepare_outgoing_list()[0]["body"].encode()


for document in json.loads(os.environ["DOCUMENTS"]):
    suffix = {"pdf": "pdf", "email": "html"}[document["kind"]]
    target = Path(os.environ["DOCUMENTS_FOLDER"], f"{document['name']}.{suffix}")
    target.write_bytes(render(document))
    env.cr.rollback()  # noqa: F821
