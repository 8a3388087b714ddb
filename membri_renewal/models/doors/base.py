from ast import literal_eval
from contextlib import suppress

from odoo import api, models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..mixins.fields import MembriFieldsMixin

# of Odoo's, about a record of any model, and which field says which model: their names (subjects,
# summaries, names of files) show in whatever record names them
ABOUT = {"mail.message": "model", "mail.activity": "res_model", "ir.attachment": "res_model"}
# which compare with a pattern as it is given
EXACT_PATTERNS = frozenset({"=like", "not =like", "=ilike", "not =ilike"})
# what opens a document, wherever it is kept: nobody looks for records by it
SECRETS = frozenset({"access_token", "landing_route"})
# of Odoo's, which say what memberships are about
RULED_FIRST = frozenset({"mail.message", "res.users"})
# in the context of a search of files, which Odoo makes in sudo: the rule about whom it is for
FILES_FOR = "membri_files_for"
TEXT = frozenset({"char", "text", "html"})
# of Odoo's employees: what names a contact, or its bank account, and what is written on it
WRITE_CONTACT = frozenset(
    {"bank_account_ids", "user_id", "work_contact_id", "work_email", "work_phone"}
)
# of Odoo's mailings: what says who receives one, and who asks for them
ASKS_OF_MAILING = frozenset({"mailing_domain", "mailing_filter_id", "mailing_model_id", "user_id"})
# of Odoo's, which keep conditions that the system asks later: of which model, and in which fields
KEPT_CONDITIONS = {
    "crm.team": ("crm.lead", {"assignment_domain"}),
    "crm.team.member": ("crm.lead", {"assignment_domain", "assignment_domain_preferred"}),
    "loyalty.reward": ("product.product", {"discount_product_domain"}),
    "loyalty.rule": ("product.product", {"product_domain"}),
    "mailing.mailing": (None, ASKS_OF_MAILING),
}
# of Odoo's, each of one company: the name of such a record, and what is computed of it, shows in
# whatever record names it
DOCUMENTS = frozenset(
    {
        "account.move",
        "account.move.line",
        "account.partial.reconcile",
        "account.payment",
        "payment.token",
        "payment.transaction",
    }
)


class Base(models.AbstractModel):
    """Records of any model are filtered by what they lead to: the users and the followers by their
    contacts, journal items by their entries."""

    _inherit = "base"

    @api.model
    def _search(self, domain, *args, **kwargs):
        # EXTENDS base
        domain = Domain(domain)
        _check_patterns(self.env, domain)
        if not self.env.su:
            _check_may_filter(self, domain)
        query = super()._search(domain, *args, **kwargs)
        _ask_rules_first(self, domain, query)
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
        check_written_contacts(created)
        check_kept_conditions(created)
        return created

    def write(self, vals):
        # EXTENDS base
        check_may_name(self, [vals])
        check_letters(self)
        result = super().write(vals)
        check_letters(self)
        check_written_contacts(self, vals)
        check_kept_conditions(self, vals)
        return result

    def onchange(self, values, field_names, fields_spec):
        # EXTENDS web: whoever gave themselves another contact, in the form of their own login, was
        # shown its name, email and phone. On the portal nobody needs to name what they do not read
        if not self.env.su:
            prefix = "default_"
            context = {} if self else self.env.context
            defaults = {k[len(prefix) :]: v for k, v in context.items() if k.startswith(prefix)}
            given = {**defaults, **values}
            if self.env.user.share or self._name == "res.users":
                check_may_be_shown(self, given)
            check_form_may_tell_of(self, given)
        return super().onchange(values, field_names, fields_spec)


def check_may_be_shown(record, values):
    """A form shows what is computed, in sudo, of the records that it names.

    :param record: that the form is about, or none
    :param values: as a client gives them to ``onchange``
    :raises AccessError: when they name a record, also in lines, that the user may not read, other
        than those that ``record`` holds already"""
    mixin = record.env["membri.fields.mixin"]
    for name, value in values.items():
        field = record._fields.get(name)
        if not value or field is None or not field.relational:
            continue
        comodel, ids = record.env[field.comodel_name], []
        for given in [value] if field.type == "many2one" else value:
            # the number, what a line is told of its form, or a command
            is_command = isinstance(given, (list, tuple))
            number = given[1] if is_command and len(given) > 1 else not is_command and given
            more = given[2] if is_command and len(given) > 2 else {}
            if isinstance(number, dict):
                number, more = number.get("id"), number
            if isinstance(more, dict):
                line = comodel.browse(number if isinstance(number, int) else [])
                check_may_be_shown(line, {k: v for k, v in more.items() if k != "id"})
                ids.append(number)
            else:
                ids += more or []
        # a form sends back what it was shown; sudo: only compared
        known = set(record.sudo()[name].ids) if record else set()
        mixin._check_may_read(comodel, mixin._get_given_numbers(ids) - known)


def check_may_name(model, vals_list):
    """Odoo asks for the right to the records that a many2many gets, and not to the one that a
    many2one does.

    :raises AccessError: when a client names a document of a company that is not theirs, or what is
        said on a record of ours that they may not read"""
    if model.env.su:
        return
    for _name, records in get_named(model, vals_list):
        if records._name in DOCUMENTS:
            # windows show what they compute of it, and match nothing
            check_own_documents(records, is_window=model._transient)
        else:
            check_may_tell_of(records)


def get_named(model, vals_list):
    """Find what is named by a many2one.

    :param vals_list: as a client gives them
    :return: list of ``(field, records)``, of ``DOCUMENTS`` and ``ABOUT``"""
    found = []
    for name in set().union(*vals_list):
        field = model._fields.get(name)
        if field is None or field.type != "many2one":
            continue
        if field.comodel_name not in DOCUMENTS and field.comodel_name not in ABOUT:
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


def check_form_may_tell_of(record, values):
    """The window of emails shows the subject and the recipients of what it replies to, and any form
    the name of what a default names.

    :param record: that the form is about, or none
    :param values: as a client gives them to ``onchange``, with those of lines
    :raises AccessError: as :func:`check_may_tell_of`, but for what ``record`` holds already"""
    for name, named in get_named(record, [values]):
        # of files the forms that show more than a name ask by themselves (doors/form.py)
        if named._name in ABOUT and named._name != "ir.attachment":
            # sudo: only compared
            check_may_tell_of(named - (record.sudo()[name] if record else named.browse()))
    for name, value in values.items():
        field = record._fields.get(name)
        if field is None or field.type not in ("one2many", "many2many"):
            continue
        lines = record.env[field.comodel_name]
        for command in value if isinstance(value, (list, tuple)) else ():
            if (
                isinstance(command, (list, tuple))
                and len(command) > 2
                and isinstance(command[2], dict)
            ):
                number = command[1] if isinstance(command[1], int) else 0
                check_form_may_tell_of(lines.browse(number or ()), command[2])


def check_may_tell_of(named):
    """Messages, activities and files are named after what they say: *your payment failed*.

    :param named: of a model of ``ABOUT``
    :raises AccessError: when one is about a record of ours, or one that memberships are about,
        which the user may not read; on contacts, when it is of a company that is not theirs"""
    env = named.env
    named_sudo = named.sudo().exists()  # sudo: what they are about
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
    are selected.

    :param documents: records of one of ``DOCUMENTS``
    :param is_window: whether a window names them, for which those of branches and of the companies
        above are as those of others
    :raises AccessError: when the user may not read one, and it is of a company that neither is
        theirs, nor is above or below one"""
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


def _check_patterns(env, domain):
    """The database finds a pattern that ends within an escape wrong once it meets a row that begins
    like it, of whichever user, before it asks what the user may read, and even as it plans a
    query that is not run: who heard whether there was an error read the tokens of others letter
    by letter. In sudo as well: Odoo checks a domain so, whichever login sends it.

    :raises UserError: where there is such a pattern, whatever the rows hold"""
    for condition in domain.iter_conditions():
        value = condition.value
        if isinstance(value, str) and condition.operator in EXACT_PATTERNS:
            if (len(value) - len(value.rstrip("\\"))) % 2:
                raise UserError(env._("A search pattern cannot end with a single backslash."))
        # as a client writes it
        elif isinstance(value, (list, tuple)) and condition.operator in ("any", "not any"):
            _check_patterns(env, Domain(value))
        elif isinstance(value, Domain):
            _check_patterns(env, value)


def _ask_rules_first(model, domain, query):
    """The database asks the conditions of a search in an order of its own, the cheap ones first:
    of rows, too, that the record rules hide. Where a cheap one is followed by one that takes long,
    the time of the answer tells whether any row, of whomever, meets the first: a login read what
    the rows of others hold, letter by letter. The rules are asked first, as ``CASE`` alone makes
    sure: on the portal, where everybody has few rows, always; of the staff, when they look for
    words in what is said about records of any model.

    :param domain: that was asked for
    :param query: of a search in ``model``, which is changed"""
    clauses = query._where_clauses
    for_whom = model._name == "ir.attachment" and model.env.context.get(FILES_FOR)
    if clauses and isinstance(for_whom, Domain):  # which no client can send
        rule = for_whom._to_sql(model, model._table, query)
        clauses[:] = [
            _get_where_it_is(model, domain, query),
            _ask_first(rule, SQL(" AND ").join(clauses)),
        ]
    elif model.env.su or len(clauses) != 2:  # what is asked, and what may be seen
        return
    elif model.env.user.share:
        if isinstance(model, MembriFieldsMixin) or model._name in RULED_FIRST:
            clauses[0] = _ask_first(clauses[1], clauses[0])
    elif model._name in ABOUT and compares_text(model, domain):
        clauses[:] = [_get_where_it_is(model, domain, query), _ask_first(clauses[1], clauses[0])]


def _ask_first(rule, asked):
    return SQL("(CASE WHEN %s THEN %s ELSE FALSE END)", rule, asked)


def _get_where_it_is(model, domain, query):
    """The indexes are of use outside of ``CASE`` alone.

    :return: the conditions of ``domain`` on the record that something is about: SQL"""
    places = {"id", ABOUT[model._name], "res_id"}
    parts = domain.children if getattr(domain, "OPERATOR", "") == "&" else [domain]
    where = Domain.AND(
        part
        for part in parts
        if getattr(part, "field_expr", None) in places and part.operator in ("=", "in")
    )
    return where.optimize_full(model)._to_sql(model, model._table, query)


def compares_text(model, domain):
    """Tell searches for words from those for records.

    :return: whether ``domain`` asks for words, of records of ``model`` or of what these lead to"""
    for condition in domain.iter_conditions():
        name, _dot, rest = condition.field_expr.partition(".")
        field = model._fields.get(name)
        if field is None or name in ABOUT.values():
            continue
        is_led_to = rest or condition.operator in ("any", "not any") or _is_text(condition.value)
        if field.type in TEXT or (field.relational and is_led_to):
            return True
    return False


def _is_text(value):
    """:return: whether records are asked for by name, with ``value``"""
    several = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return any(isinstance(one, str) for one in several)


def look_as_user(model, domain):
    """Files are looked for in sudo, and those that the user may read are picked from what was
    found: what the conditions lead to was anybody's.

    :param model: that Odoo is about to search in sudo
    :return: ``domain``, in which other records are looked for with the rights of the user
    :raises AccessError: where a field may not be read"""

    def look(condition):
        name, _dot, rest = condition.field_expr.partition(".")
        operator, value = condition.operator, condition.value
        field = model._fields.get(name)
        if field is None or operator.endswith("any!"):  # no client's
            return condition
        model._check_field_access(field, "read")
        _check_may_filter_by(model, field, value)
        if not field.relational:
            return condition
        is_not = False
        if rest:
            found = Domain(rest, operator, value)
        elif operator in ("any", "not any") and isinstance(value, (Domain, list, tuple)):
            found, is_not = Domain(value), operator == "not any"
        elif _is_text(value):  # by name
            is_not = operator in Domain.NEGATIVE_OPERATORS
            found = Domain("display_name", operator, value)
            found = ~found if is_not else found
        else:
            return condition
        comodel = model.env[field.comodel_name].with_context(active_test=False)
        return Domain(name, "not any" if is_not else "any", comodel._search(found))

    return Domain(domain).map_conditions(look)


def _check_may_filter_by(place, field, value):
    """:param field: of the model ``place``
    :param value: that it is compared with
    :raises AccessError: where it is of ours and may not be read, or a secret; whether there is one
        may be asked"""
    is_known = isinstance(place, MembriFieldsMixin)
    if field.name in SECRETS and value and (is_known or place._name == "ir.attachment"):
        raise AccessError(place.env._("You cannot search by the links of documents."))
    if is_known and place._is_our_field(field):
        place._check_field_access(field, "read")
    elif is_known and field.comodel_name == "mail.message" and place.env.user.share:
        # Odoo looks into messages that the user may not read
        raise AccessError(place.env._("You cannot search in messages."))


def _check_may_filter(model, domain):
    """Odoo asks for the rights on stored fields alone, and, where a field bypasses the rights to
    its records (as those from a journal item to its entry, and from a record to its followers), not
    on those either; a search method is called before. By what opens a document nobody filters: how
    long the answer takes tells of the documents of others (:func:`_ask_rules_first`).

    :param model: where the paths of the conditions begin
    :raises AccessError: where one leads to a field of ours that may not be read, or to a secret"""
    for place, field, value in _get_asked(model, domain):
        _check_may_filter_by(place, field, value)


def _get_asked(model, domain):
    """:param model: where the paths of the conditions begin
    :return: generator of ``(model, field, value)``, one for each field that a condition leads to"""
    for condition in domain.iter_conditions():
        place = model
        for name in condition.field_expr.split("."):
            field = place._fields.get(name)
            if field is None:
                break
            if field.inherited:  # from the contact of a user
                place = place.env[field.related_field.model_name]
                field = place._fields[name]
            yield place, field, condition.value
            if field.relational:
                place = place.env[field.comodel_name]
            elif name != "id":  # which leads to the record itself
                break
        else:
            value = condition.value
            # as a client writes it
            if isinstance(value, (list, tuple)) and condition.operator in ("any", "not any"):
                value = Domain(value)
            if isinstance(value, Domain):
                yield from _get_asked(place, value)


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


def check_kept_conditions(records, vals=None):
    """Odoo's email marketing: the scheduler asks the conditions of a mailing as the system, and who
    received it is read by all who send mailings. By the letters that it begins with, they read the
    key of any renewal. So do the rules by which leads are assigned.

    :param records: of any model, as a client made or wrote them
    :param vals: what was written, where it was
    :raises AccessError: where a condition leads to what whoever wrote it may not read
    :raises UserError: where that of a mailing leads to memberships, and another person would ask
        it"""
    if records.env.su or records._name not in KEPT_CONDITIONS:
        return
    name, asks = KEPT_CONDITIONS[records._name]
    if vals is not None and not asks & vals.keys():
        return
    for record in records:
        model = record.env.get(name or record.mailing_model_real)
        for text in asks if name else ("mailing_domain",):
            domain = Domain.TRUE
            # Odoo says by itself what is no condition
            with suppress(SyntaxError, ValueError):
                domain = Domain(literal_eval(record[text] or "[]"))
            if model is None or not leads_to_memberships(model, domain):
                continue
            model._search(domain)  # asks for the rights
            if not name and record.user_id != record.env.user:
                raise UserError(
                    record.env._(
                        "“%(mailing)s” chooses its recipients by their memberships. Only the "
                        "person responsible for it can change how.",
                        mailing=record.display_name,
                    )
                )


def leads_to_memberships(model, domain):
    """:param model: where the paths of the conditions begin
    :return: whether ``domain`` asks for memberships, for money, or for what was sent"""
    if model._name in DOCUMENTS:
        return True
    for place, field, _value in _get_asked(model, domain):
        to = field.comodel_name or ""
        if to in DOCUMENTS or to in ABOUT or to.startswith(("membri.", "mail.")):
            return True
        if isinstance(place, MembriFieldsMixin) and place._is_our_field(field):
            return True
    return False


def get_recipients_domain_of(mailings):
    """:param mailings: the class of Odoo's mailings
    :return: its method that says who receives a mailing: conditions that lead to memberships are
        asked with the rights of who is responsible, of the companies that they work in"""

    def _get_recipients_domain(self):
        domain = super(mailings, self)._get_recipients_domain()
        model = self.env.get(self.mailing_model_real)
        if model is None or not leads_to_memberships(model, domain):
            return domain
        asker = self.user_id or self.create_uid
        records = self.env(user=asker.id, su=False, context={})[model._name]
        # whoever lost the right to ask sends to nobody
        with suppress(AccessError):
            return Domain("id", "in", records.search(domain).ids)
        return Domain.FALSE

    return _get_recipients_domain
