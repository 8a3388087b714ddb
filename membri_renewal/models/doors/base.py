from contextlib import suppress

from odoo import api, models
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Domain

from ..mixins.fields import MembriFieldsMixin
from .refusal import forget_refused_row
from .search import (
    ABOUT,
    DOCUMENTS,
    ask_rules_first,
    check_kept_conditions,
    check_may_filter,
    check_patterns,
)
from .typed_contact import as_typed

# of Odoo's employees: what names a contact, or its bank account, and what is written on it
WRITE_CONTACT = frozenset(
    {"bank_account_ids", "user_id", "work_contact_id", "work_email", "work_phone"}
)

# of Odoo's products: the email that goes out with an invoice is rendered for this invoice
RENDERED_FOR = {"product.product": "account.move", "product.template": "account.move"}


class Base(models.AbstractModel):
    """Records of any model are filtered by what they lead to: the users and the followers by their
    contacts, journal items by their entries."""

    _inherit = "base"

    @api.model
    def _search(self, domain, *args, **kwargs):
        # EXTENDS base
        domain = Domain(domain)
        check_patterns(self.env, domain)
        if not self.env.su:
            check_may_filter(self, domain)
        query = super()._search(domain, *args, **kwargs)
        ask_rules_first(self, domain, query)
        return query

    def _add_precomputed_values(self, vals_list):
        # EXTENDS base: what a client gives, with the defaults, which its context has as well
        check_may_name(self, vals_list)
        return super()._add_precomputed_values(vals_list)

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base
        created = super().create(vals_list)
        check_letters(created)
        check_reports_of_templates(created)
        check_written_contacts(created)
        check_kept_conditions(created)
        return created

    def write(self, vals):
        # EXTENDS base
        check_may_name(self, [vals])
        check_letters(self)
        result = super(Base, as_typed(self)).write(vals)
        check_letters(self)
        check_reports_of_templates(self)
        check_written_contacts(self, vals)
        check_kept_conditions(self, vals)
        return result

    @api.model
    def _sql_error_to_message(self, exc):
        # EXTENDS base: each refusal by the database comes here before it is told
        forget_refused_row(exc)
        return super()._sql_error_to_message(exc)

    def onchange(self, values, field_names, fields_spec):
        # EXTENDS web
        if not self.env.su:
            prefix = "default_"
            context = {} if self else self.env.context
            defaults = {k[len(prefix) :]: v for k, v in context.items() if k.startswith(prefix)}
            kept = {}
            if not self and not self.env.user.share:  # who may keep defaults of their own
                kept = self.env["ir.default"]._get_model_defaults(self._name)
            check_form_may_tell_of(self, {**kept, **defaults, **values})
        return super().onchange(values, field_names, fields_spec)


def get_given(record, values):
    """Read what a form gives: numbers, what it tells of a record (with values of that), commands.

    :param record: that the form is about, or none
    :param values: as a client gives them to ``onchange``
    :return: generator of ``(field, given)``, one for each relational field; ``given`` is a list of
        ``(number, values)``: ``number`` of a record, and a ``dict`` that it is given, which is
        empty where there is none"""
    for name, value in values.items():
        field = record._fields.get(name)
        if not value or field is None or not field.relational:
            continue
        given = []
        several = field.type != "many2one" and isinstance(value, (list, tuple))
        for one in value if several else [value]:
            if isinstance(one, dict):  # of a many2one, or as a line is told of its form
                given.append((one.get("id"), one))
                continue
            if not isinstance(one, (list, tuple)):
                given.append((one, {}))
                continue
            _code, number, more = (*one, False, False, False)[:3]  # a command
            given.append((number, more if isinstance(more, dict) else {}))
            if isinstance(more, (list, tuple)):  # which sets these
                given += [(number, {}) for number in more]
        yield field, given


def browse_given(record, field, number):
    """:return: the record of this number that ``field`` is given, none where it is a new one"""
    return record.env[field.comodel_name].browse(number if isinstance(number, int) else ())


def check_may_be_shown(record, values):
    """A form shows what is computed, in sudo, of the records that it names.

    :param record: that the form is about, or none
    :param values: as a client gives them to ``onchange``
    :raises AccessError: when they name a record, also in lines, that the user may not read, other
        than those that ``record`` holds already"""
    mixin = record.env["membri.fields.mixin"]
    for field, given in get_given(record, values):
        for number, more in given:
            line = browse_given(record, field, number)
            check_may_be_shown(line, {k: v for k, v in more.items() if k != "id"})
        # a form sends back what it was shown; sudo: only compared
        known = set(record.sudo()[field.name].ids) if record else set()
        numbers = mixin._get_given_numbers(number for number, _more in given)
        mixin._check_may_read(record.env[field.comodel_name], numbers - known)


def check_may_name(model, vals_list):
    """Odoo asks for the right to the records that a many2many gets, and not to the one that a
    many2one does.

    :raises AccessError: when a client names a document of a company that is not theirs, or what is
        said on a record of ours that they may not read"""
    if model.env.su:
        return
    check_is_number(model, vals_list)
    check_kept_templates(model, vals_list)
    for _name, records in get_named(model, vals_list, DOCUMENTS | ABOUT.keys()):
        if records._name in DOCUMENTS:
            # windows show what they compute of it, and match nothing
            check_own_documents(records, is_window=model._transient)
        else:
            check_may_tell_of(records)


def check_is_number(model, vals_list):
    """What a form tells of a record is in memory, and shown with what is written, one step further.

    :raises AccessError: when a client names a record by more than its number"""
    for vals in vals_list:
        for name, value in vals.items():
            field = model._fields.get(name)
            if isinstance(value, dict) and field is not None and field.type == "many2one":
                raise AccessError(model.env._("Name each record by its ID."))


def get_named(model, vals_list, comodels):
    """Find what is named by a many2one.

    :param vals_list: as a client gives them
    :param comodels: names of models
    :return: list of ``(field, records)``, of ``comodels``"""
    found = []
    for name in set().union(*vals_list):
        field = model._fields.get(name)
        if field is None or field.type != "many2one" or field.comodel_name not in comodels:
            continue
        ids = set()
        for vals in vals_list:
            value = vals.get(name)
            value = value.get("id") if isinstance(value, dict) else value  # as forms name it
            # the database takes a text or a fraction for the number that it stands for
            with suppress(TypeError, ValueError, OverflowError):
                ids.add(int(value or 0))
        found.append((name, model.env[field.comodel_name].browse(ids - {0})))
    return found


def check_kept_templates(model, vals_list):
    """Odoo's applications keep templates of emails (of reminders of meetings, stages, events), and
    the system renders them for a record of theirs, whatever the template is about: by the reminder
    of a meeting any employee read the notice of the renewal that has the number of an attendee.

    :param model: whose records are made, or written, by a client
    :raises AccessError: when one keeps a template about memberships, or about what these are about,
        and is of another model; when a template that there is becomes one"""
    env = model.env
    if model._transient or model._name.startswith("membri."):
        return
    names = set().union(*vals_list)
    ids = set()
    for name in names:
        field = model._fields.get(name)
        if field is None or field.type != "reference":
            continue
        for vals in vals_list:
            about, _comma, number = str(vals.get(name)).partition(",")
            # Odoo takes any text that stands for a number, and itself writes one after a space
            with suppress(ValueError):
                ids |= {int(number)} if about == "mail.template" else set()
    for _name, named in get_named(model, vals_list, {"mail.template"}):
        ids |= set(named.ids)
    # sudo: what they are about, whoever may read them
    abouts = set(env["mail.template"].sudo().browse(ids).exists().mapped("model"))
    if model and model._name == "mail.template":
        for _name, named in get_named(model, vals_list, {"ir.model"}):
            abouts |= set(named.sudo().exists().mapped("model"))  # sudo: their names
        abouts |= {str(vals["model"]) for vals in vals_list if "model" in vals}
    abouts -= {model._name, RENDERED_FOR.get(model._name)}
    for about in abouts:
        if isinstance(env.get(about), MembriFieldsMixin) and not may_send_anything(env):
            raise env["ir.model.access"]._make_access_error(about, "write")


def check_reports_of_templates(templates):
    """An email brings the reports of its template, printed for the number of what the template is
    about: those of registrations, which the system sends, the notice of the same number.

    :param templates: records of any model, as a client made or wrote them
    :raises AccessError: when one has a report about memberships, or about what these are about, and
        is itself about another model"""
    if templates._name != "mail.template" or may_send_anything(templates.env):
        return
    for template_sudo in templates.sudo():  # sudo: of which models the reports are
        for about in set(template_sudo.report_template_ids.mapped("model")) - {template_sudo.model}:
            if isinstance(templates.env.get(about), MembriFieldsMixin):
                raise templates.env["ir.model.access"]._make_access_error(about, "write")


def may_send_anything(env):
    """:return: whether the user edits the templates of all, which may run anything"""
    return env.su or env.user._is_system() or env.user.has_group("mail.group_mail_template_editor")


def check_form_may_tell_of(record, values):
    """The window of emails shows the subject and the recipients of what it replies to, any form the
    name of what a default names, and that of an expense what is due on the invoice that it names.
    So does what a form tells of a record that it names: of a message, another one that it replies
    to.

    :param record: that the form is about, or none
    :param values: as a client gives them to ``onchange``, with those of what they name
    :raises AccessError: as :func:`check_may_tell_of` and :func:`check_own_documents`, but for what
        ``record`` holds already"""
    # whoever gave themselves another contact, in the form of their own login, was shown its name,
    # email and phone. On the portal nobody needs to name what they do not read
    if record.env.user.share or record._name == "res.users":
        check_may_be_shown(record, values)
    for name, named in get_named(record, [values], DOCUMENTS | ABOUT.keys()):
        # sudo: only compared
        named -= record.sudo()[name] if record else named.browse()
        if named._name in DOCUMENTS:
            check_own_documents(named, is_window=record._transient)
        else:
            check_may_tell_of(named)
    for field, given in get_given(record, values):
        for number, more in given:
            line = browse_given(record, field, number)
            if more and isinstance(line, MembriFieldsMixin):
                line._check_given_records(more)
            check_form_may_tell_of(line, {k: v for k, v in more.items() if k != "id"})


def check_may_tell_of(named):
    """Messages, activities and files are named after what they say: *your payment failed*. Some
    records are the file that they name: whoever makes documents of products read those that wait
    in the emails of others.

    :param named: of a model of ``ABOUT``
    :raises AccessError: when one is about a record of ours, or one that memberships are about,
        which the user may not read; on contacts, when it is of a company that is not theirs; when
        a file may not be read, whatever it is about"""
    env = named.env
    named_sudo = named.sudo().exists()  # sudo: what they are about
    if named._name == "ir.attachment":
        named_sudo.sudo(False).check_access("read")
    for about, found_sudo in named_sudo.grouped(ABOUT[named._name]).items():
        if not about or not isinstance(env.get(about), MembriFieldsMixin):
            continue
        records = env[about].browse(set(found_sudo.mapped("res_id")) - {0})
        records.sudo().exists().sudo(False).check_access("read")
        if env.user.share:  # of their own renewal, too, they do not read what the staff notes
            found_sudo.sudo(False).check_access("read")
        if about == "res.partner" and "membri_company_id" in found_sudo._fields:
            (found_sudo.membri_company_id - env.user.company_ids).sudo(False).check_access("read")


def check_letters(letters):
    """Odoo's letters by post, which it installs with Invoicing: any employee could move one of
    theirs to any record, or name the report of another model for a record of the same number; the
    scheduler prints it in the name of the system, and keeps the PDF.

    :param letters: records of any model, as a client made or wrote them
    :raises AccessError: when one is a letter about a record of ours, or one that memberships are
        about, which the user may not read (send, where it is ours)"""
    env = letters.env
    if env.su or letters._name != "snailmail.letter":
        return
    for letter_sudo in letters.sudo():  # sudo: what they are about
        report_sudo = letter_sudo.report_template
        check_may_print(env, report_sudo, letter_sudo.model, [letter_sudo.res_id])
        for about in {letter_sudo.model, report_sudo.model} & set(env):
            if about.startswith("membri."):
                document_sudo = env[about].sudo().browse(letter_sudo.res_id).exists()
                document_sudo.sudo(False).check_access("write")


def check_may_print(env, report_sudo, model, ids):
    """A report is chosen beside the record, and may be one of another model, for the record of the
    same number.

    :param env: of who prints
    :param model: name of the model of the record that it is printed for
    :param ids: of that record
    :raises AccessError: when it is about a record of ours, or one that memberships are about,
        which the user may not read"""
    for about in {model, report_sudo.model} & set(env):
        if isinstance(env[about], MembriFieldsMixin):
            # sudo: those that there are
            env[about].sudo().browse(ids).exists().sudo(False).check_access("read")
    # a statement, which tells of invoices, is one of a contact
    if (report_sudo.report_name or "").startswith("membri_renewal."):
        env["account.move"].check_access("read")


def is_told_of(env, model):
    """What is said of a record is said by its name, too.

    :return: whether the names of records of ``model`` tell of memberships, of money, or of what
        was sent"""
    told = model in DOCUMENTS or model in ABOUT or model == "mail.mail"
    return told or isinstance(env.get(model), MembriFieldsMixin)


def check_own_documents(documents, *, is_window=False):
    """Entries of branches are matched with those of the companies above them, whichever of them
    are selected. Within a company, other applications show what is named: whoever approves expenses
    read any invoice, and its token, by an expense that named it.

    :param documents: records of one of ``DOCUMENTS``
    :param is_window: whether a window names them, for which those of branches and of the companies
        above are as those of others
    :raises AccessError: when the user may not read one, and it is of a company that neither is
        theirs, nor is above or below one, or it is of theirs and about memberships; of these
        also when they read it as a reader of memberships only"""
    documents_sudo = documents.sudo()  # sudo: of which companies they are
    own_sudo = documents.env.user.company_ids
    try:
        companies_sudo = documents_sudo.company_id
    except MissingError:  # what Odoo says of those that do not exist is enough
        documents_sudo = documents_sudo.exists()
        companies_sudo = documents_sudo.company_id
    foreign_sudo = companies_sudo - own_sudo
    # saved cards of a company above are used in its branches
    if not is_window or documents._name == "payment.token":
        foreign_sudo = foreign_sudo.filtered(
            lambda company: not company.parent_ids & own_sudo and company not in own_sudo.parent_ids
        )
    if foreign_sudo:
        of_others_sudo = documents_sudo.filtered(lambda d: d.company_id in foreign_sudo)
        of_others_sudo.sudo(False).check_access("read")
    if isinstance(documents, MembriFieldsMixin):
        about_sudo = documents_sudo._filter_about_memberships()
        if about := about_sudo.filtered(lambda d: d.company_id in own_sudo).sudo(False):
            # in whichever of their companies
            about.with_context(allowed_company_ids=own_sudo.ids).check_access("read")
            moves_sudo = about.sudo().move_id if "move_id" in about._fields else about.sudo()
            if moves_sudo._name == "account.move" and moves_sudo._membri_reads_as_reader():
                raise about.env["ir.model.access"]._make_access_error(about._name, "write")


def check_written_contacts(employees, vals=None):
    """Odoo's employees: the work address of an employee is written on the contact that is named
    there, in sudo. Whoever edits employees, and no contacts, had the notices of any member sent to
    an address of theirs, and the password of any login; bank accounts become those of the contact.

    :param employees: records of any model, as a client made or wrote them
    :param vals: what was written, where it was
    :raises AccessError: when a contact that memberships are about, and that is none of the staff's,
        is named, or written, by who may not write it"""
    if employees.env.su or employees._name != "hr.employee":
        return
    if vals is not None and not WRITE_CONTACT & vals.keys():
        return
    employees_sudo = employees.sudo()  # sudo: whose contacts they are
    named_sudo = employees_sudo.work_contact_id | employees_sudo.bank_account_ids.partner_id
    for contact_sudo in named_sudo:
        users_sudo = contact_sudo.with_context(active_test=False).user_ids
        if any(not user.share for user in users_sudo):
            continue
        if users_sudo or contact_sudo._membri_serves_memberships():
            contact_sudo.with_user(employees.env.user).check_access("write")
