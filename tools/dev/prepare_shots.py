"""Run in ``odoo shell`` by cmd_shots.py, on its copy of the demo database: what the demo does not
have and the books show. A list of members that was previewed (in each language, since its sentences
are kept in one), a member whose card is saved, a renewal that will be charged, and
the English of what the demo keeps in French."""

import base64
import logging

logging.getLogger("py.warnings").setLevel(logging.ERROR)  # of Odoo's own libraries

LISTS = {
    "fr_CA": """\
Nom;Prénom;Courriel;Catégorie;Début;Fin;Montant;Membre depuis
Boulanger;Ada;ada.boulanger@exemple.com;Particulier;{0}-01-01;{0}-12-31;166,71 $;1999-05-01
Caron;Bruno;bruno.caron@exemple.com;Particulier;{0}-01-01;{0}-12-31;166,71 $;2012-09-15
Dubé;Chantal;chantal.dube@exemple.com;Particulier;{1}-01-01;{1}-12-31;160,97 $;2020-02-01
Émond;Denis;denis.emond@exemple.com;Étudiant;{0}-01-01;{0}-12-31;50,00 $;
Fortin;Élise;elise.fortin@exemple.com;Particulier;{0}-01-01;{0}-02-30;166,71 $;
Gagné;Félix;felix.gagne@exemple.com;Particulier;{0}-01-01;{0}-12-31;166,71 $;2018-01-01
""",
    "en_US": """\
Last Name;First Name;Email;Plan;First Day;Last Day;Amount;Member Since
Baker;Ada;ada.baker@example.com;Person;{0}-01-01;{0}-12-31;$166.71;1999-05-01
Carson;Bruno;bruno.carson@example.com;Person;{0}-01-01;{0}-12-31;$166.71;2012-09-15
Dawson;Chantal;chantal.dawson@example.com;Person;{1}-01-01;{1}-12-31;$160.97;2020-02-01
Emmett;Dennis;dennis.emmett@example.com;Student;{0}-01-01;{0}-12-31;$50.00;
Foster;Elise;elise.foster@example.com;Person;{0}-01-01;{0}-02-30;$166.71;
Grant;Felix;felix.grant@example.com;Person;{0}-01-01;{0}-12-31;$166.71;2018-01-01
""",
}
WORDING = (
    "Use this card for my next renewals. I will be told the amount and the day at least 10 days "
    "before, and can stop at any time."
)


def name_record(record, name):
    """Give ``record`` an external id that tools/shots.json can name."""
    env["ir.model.data"]._update_xmlids(  # noqa: F821
        [{"xml_id": f"membri_renewal.{name}", "record": record}]
    )


def preview_list(company, lang, content):
    manager = env["res.users"].search([("login", "=", "manager")])  # noqa: F821
    manager.lang = lang
    year = company._membri_today().year
    plan = env["membri.option.set"].search(  # noqa: F821
        [("company_id", "=", company.id), ("code", "=", "IND")]
    )
    record = (
        env["membri.import"]  # noqa: F821
        .with_user(manager)
        .with_company(company)
        .with_context(lang=lang)
        .create(
            {
                "profile": "free",
                "file": base64.b64encode(content.format(year, year - 1).encode()),
                "filename": "membres.csv" if lang == "fr_CA" else "members.csv",
                "option_set_map": {"Particulier" if lang == "fr_CA" else "Person": plan.id},
            }
        )
    )
    record.action_preview()
    name_record(record, f"shot_import_{lang.split('_')[0]}")


def save_card(partner, company):
    """A demo card of the payer, as if saved when an invoice was paid."""
    providers = env["payment.provider"].search([("code", "=", "demo")])  # noqa: F821
    provider = providers.filtered(lambda p: p.company_id == company)[:1] or providers[:1].copy(
        {"company_id": company.id}
    )
    provider.write({"state": "test", "allow_tokenization": True})
    token = env["payment.token"].create(  # noqa: F821
        {
            "provider_id": provider.id,
            "payment_method_id": env.ref("payment_demo.payment_method_demo").id,  # noqa: F821
            "partner_id": partner.id,
            "payment_details": "1234",
            "provider_ref": "demo",
            "demo_simulated_state": "done",
        }
    )
    partner._membri_save_card(token, WORDING, "payment")


def speak_english():
    """What the demo wrote in French, for the English pictures, which are taken last."""
    campaign = env.ref("membri_renewal.demo_campaign")  # noqa: F821
    campaign.name = campaign.with_context(lang="en_US")._get_default_name()
    job = env.ref("membri_renewal.demo_bulk_job").with_context(lang="en_US")  # noqa: F821
    for line in job.line_ids.filtered(lambda line: line.result == "skipped"):
        line.message = job._get_cannot_reason(line.renewal_id)


def prepare():
    mine = env.ref("membri_renewal.demo_renewal_member")  # noqa: F821
    company = mine.company_id
    for lang, content in LISTS.items():
        preview_list(company, lang, content)
    charged = env.ref("membri_renewal.demo_renewal_sent")  # noqa: F821
    for renewal in (mine + charged).with_company(company):
        renewal.option_set_id.automatic_payment = "offered"
        save_card(renewal.partner_id._membri_get_payer(), company)
    # what the chatter keeps is in the language of who did it
    charged.with_company(company).with_context(lang="fr_CA").action_approve()
    speak_english()
    env.cr.commit()  # noqa: F821


prepare()
