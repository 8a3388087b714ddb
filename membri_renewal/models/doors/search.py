"""What is looked for: by the conditions of a search, too, a login hears of what it may not read."""

from ast import literal_eval
from contextlib import suppress

from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..mixins.fields import MembriFieldsMixin
from ..mixins.keyless import SECRETS

# of Odoo's, about a record of any model, and which field says which model: their names (subjects,
# summaries, names of files) show in whatever record names them
ABOUT = {"mail.message": "model", "mail.activity": "res_model", "ir.attachment": "res_model"}
# which compare with a pattern as it is given
EXACT_PATTERNS = frozenset({"=like", "not =like", "=ilike", "not =ilike"})
# of Odoo's, which say what memberships are about
RULED_FIRST = frozenset({"mail.message", "res.users"})
# in the context of a search of files, which Odoo makes in sudo: the rule about whom it is for
FILES_FOR = "membri_files_for"
TEXT = frozenset({"char", "text", "html"})
# of Odoo's mailings: what says who receives one, and who asks for them
ASKS_OF_MAILING = frozenset({"mailing_domain", "mailing_filter_id", "mailing_model_id", "user_id"})
# of Odoo's, which keep conditions that the system asks later: of which model, and in which fields
KEPT_CONDITIONS = {
    "crm.team": ("crm.lead", {"assignment_domain"}),
    "crm.team.member": ("crm.lead", {"assignment_domain", "assignment_domain_preferred"}),
    "event.lead.rule": ("event.registration", {"event_registration_filter"}),
    "loyalty.reward": ("product.product", {"discount_product_domain"}),
    "loyalty.rule": ("product.product", {"product_domain"}),
    "mailing.mailing": (None, ASKS_OF_MAILING),
    "stock.rule": ("stock.move", {"push_domain"}),
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


def check_patterns(env, domain):
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
            check_patterns(env, Domain(value))
        elif isinstance(value, Domain):
            check_patterns(env, value)


def ask_rules_first(model, domain, query):
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
        raise AccessError(place.env._("You cannot search by document links."))
    if is_known and place._is_our_field(field):
        place._check_field_access(field, "read")
    elif is_known and field.comodel_name == "mail.message" and place.env.user.share:
        # Odoo looks into messages that the user may not read
        raise AccessError(place.env._("You cannot search in messages."))


def check_may_filter(model, domain):
    """Odoo asks for the rights on stored fields alone, and, where a field bypasses the rights to
    its records (as those from a journal item to its entry, and from a record to its followers), not
    on those either; a search method is called before. By what opens a document nobody filters: how
    long the answer takes tells of the documents of others (:func:`ask_rules_first`).

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


def check_kept_conditions(records, vals=None):
    """Odoo's email marketing: the scheduler asks the conditions of a mailing as the system, and who
    received it is read by all who send mailings. By the letters that it begins with, they read the
    key of any renewal. So do the rules by which leads are assigned, or made of registrations, and
    goods are moved.

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
            with suppress(SyntaxError, TypeError, ValueError):
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
    if _is_of_memberships(model._name):  # whatever is asked of them: who there is
        return True
    for place, field, _value in _get_asked(model, domain):
        if _is_of_memberships(field.comodel_name or ""):
            return True
        if isinstance(place, MembriFieldsMixin) and place._is_our_field(field):
            return True
    return False


def _is_of_memberships(name):
    """:return: whether records of the model ``name`` are memberships, money, or what was sent"""
    return name in DOCUMENTS or name in ABOUT or name.startswith(("membri.", "mail."))


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
