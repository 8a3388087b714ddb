from collections import defaultdict
from contextlib import suppress

from odoo import api, fields, models
from odoo.api import NewId
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Command, Domain

# Clients can put anything into the context but this very object, so nobody outside
# the server-side methods can claim to be one of them.
_INTERNAL_WRITE = object()
# of Odoo's, about a record of any model, and which field says which model: their names (subjects,
# summaries, names of files) show in whatever record names them
ABOUT = {"mail.message": "model", "mail.activity": "res_model", "ir.attachment": "res_model"}
# which compare with a pattern as it is given
EXACT_PATTERNS = frozenset({"=like", "not =like", "=ilike", "not =ilike"})
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


def get_flag_domain(found, value):
    """:param found: domain of the records that bear a flag
    :param value: what a search asks of the flag, as a search method gets it
    :return: the domain of that search"""
    if set(value) == {True, False}:
        return Domain.TRUE
    return found if True in value else ~found


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
        return super()._search(domain, *args, **kwargs)

    def _add_precomputed_values(self, vals_list):
        # EXTENDS base: what a client gives, with the defaults, which its context has as well
        check_may_name(self, vals_list)
        return super()._add_precomputed_values(vals_list)

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base
        created = super().create(vals_list)
        check_letters(created)
        return created

    def write(self, vals):
        # EXTENDS base
        check_may_name(self, [vals])
        check_letters(self)
        result = super().write(vals)
        check_letters(self)
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
            check_own_documents(records)
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
        for about in {letter_sudo.model, report_sudo.model} & set(env):
            if isinstance(env[about], MembriFieldsMixin):
                is_ours = about.startswith("membri.")
                document_sudo = env[about].sudo().browse(letter_sudo.res_id).exists()
                document_sudo.sudo(False).check_access("write" if is_ours else "read")
        # a statement, which tells of invoices, is one of a contact
        if (report_sudo.report_name or "").startswith("membri_renewal."):
            env["account.move"].check_access("read")


def check_own_documents(documents):
    """Entries of branches are matched with those of the companies above them, whichever of them
    are selected.

    :param documents: records of one of ``DOCUMENTS``
    :raises AccessError: when the user may not read one, and it is of a company that neither is
        theirs, nor is above or below one"""
    documents_sudo = documents.sudo()  # sudo: of which companies they are
    own_sudo = documents.env.user.company_ids
    try:
        companies_sudo = documents_sudo.company_id
    except MissingError:  # what Odoo says of those that do not exist is enough
        documents_sudo = documents_sudo.exists()
        companies_sudo = documents_sudo.company_id
    foreign_sudo = companies_sudo.filtered(
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


def _check_may_filter(model, domain):
    """Odoo asks for the rights on stored fields alone, and, where a field bypasses the rights to
    its records (as those from a journal item to its entry, and from a record to its followers), not
    on those either; a search method is called before.

    :param model: where the paths of the conditions begin
    :raises AccessError: where one leads to a field of ours that may not be read"""
    for condition in domain.iter_conditions():
        place = model
        for name in condition.field_expr.split("."):
            field = place._fields.get(name)
            if field is None:
                break
            if field.inherited:  # from the contact of a user
                place = place.env[field.related_field.model_name]
                field = place._fields[name]
            if isinstance(place, MembriFieldsMixin):
                if place._is_our_field(field):
                    place._check_field_access(field, "read")
                elif field.comodel_name == "mail.message" and model.env.user.share:
                    # Odoo looks into messages that the user may not read
                    raise AccessError(model.env._("You cannot search in messages."))
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
                _check_may_filter(place, value)


class MembriFieldsMixin(models.AbstractModel):
    """The one place that says which fields a client (web client, import, RPC) may write, and
    which ones portal users may read. All models of this add-on have it, and the models of
    Odoo that it adds ``membri_*`` fields to, for these.

    A field that is declared ``readonly`` is a fact: our own methods write it, in sudo or by
    :meth:`_internal_write`. The others are the client's, as far as its access rights go.
    """

    _name = "membri.fields.mixin"
    _description = "Field access for clients and members"
    # what portal users may read of the records that are theirs: a field is the staff's until
    # somebody decides otherwise; of Odoo's own models this is about the membri_* fields alone
    _portal_fields = frozenset()
    # facts that are not declared readonly, since forms and imports may give them at creation …
    _locked_fields = frozenset()
    # … and which of the facts these are
    _creation_fields = frozenset()
    # No: all fields are facts, the records are made and changed by our own methods only
    _written_by_clients = True
    # Yes: facts that a client gives with a new record are passed over, and not refused
    _passes_over_given_facts = False
    # Yes: a form that names such a document of Odoo's shows, computed in sudo, whose memberships
    # it is about
    _tells_of_memberships = False
    # what Odoo computes of such a document, which memberships follow; Odoo lets clients write it
    _odoo_facts = frozenset()

    # ------------------------------------------------------------------
    # The privilege
    # ------------------------------------------------------------------

    def _internal_write(self, vals):
        """Write ``vals`` on behalf of our own methods: facts too, and what is frozen."""
        return self._as_internal().write(vals)

    def _internal_write_alike(self, vals_by_record):
        """Write facts of many: one write for all records of ``self`` that get the same values.

        :param vals_by_record: ``{record: vals}``, with values that can be compared; a record
            without any is left as it is"""
        alike = defaultdict(list)
        for record, vals in vals_by_record.items():
            if vals:
                alike[tuple(vals.items())].append(record.id)
        for vals, ids in alike.items():
            # what Odoo's write reads of one, it reads of all
            self.browse(ids).with_prefetch(self._prefetch_ids)._internal_write(dict(vals))

    def _as_internal(self):
        """Never hand the result to a caller from outside: it would carry the privilege."""
        return self.with_context(membri_internal_write=_INTERNAL_WRITE)

    def _is_internal_write(self):
        return self.env.context.get("membri_internal_write") is _INTERNAL_WRITE

    # ------------------------------------------------------------------
    # Which fields
    # ------------------------------------------------------------------

    @api.model
    def _is_our_field(self, field):
        return field.name not in models.MAGIC_COLUMNS and (
            self._name.startswith("membri.") or field.name.startswith("membri_")
        )

    @api.model
    def _is_fact(self, field):
        """:return: whether ``field`` is written by our own methods only"""
        return self._is_our_field(field) and (
            field.readonly or field.name in self._locked_fields or not self._written_by_clients
        )

    @api.model
    def _may_give(self, field):
        """:return: whether a client may write ``field``, as far as its declaration tells"""
        return not self._is_fact(field)

    def _has_field_access(self, field, operation):
        # EXTENDS base: called for every field that is read, hence the cheapest questions first
        if operation == "read":
            if (
                not self.env.su
                and field.name not in self._portal_fields
                and (self._name.startswith("membri.") or field.name.startswith("membri_"))
                and self.env.user.share
            ):
                return False
        elif (
            field.name not in self._creation_fields
            and not self.env.su
            and not self._is_internal_write()
            and not self._may_give(field)
        ):
            return False
        return super()._has_field_access(field, operation)

    # ------------------------------------------------------------------
    # Reading by a detour
    # ------------------------------------------------------------------

    def _traverse_related_sql(self, alias, field, query):
        # EXTENDS base: grouping and ordering by a related field read it as well as ``read``
        if self._is_our_field(field):
            self._check_field_access(field, "read")
        return super()._traverse_related_sql(alias, field, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        # EXTENDS base, which asks for the right to each field but many2many ones
        field = self._fields.get(groupby_spec.split(":")[0])
        if field is not None and field.type == "many2many" and self._is_our_field(field):
            self._check_field_access(field, "read")
        return super()._read_group_groupby(alias, groupby_spec, query)

    def onchange(self, values, field_names, fields_spec):
        # EXTENDS web: a form shows what is computed, in sudo, of the records that it names
        self._check_given_records(values)
        return super().onchange(values, field_names, fields_spec)

    def _check_given_records(self, vals):
        """:param vals: as for ``create``, ``write`` or ``onchange``
        :raises AccessError: when they name a record that the user may not read, other than
            those that ``self`` holds already"""
        self._check_given_records_of_all([vals])

    def _check_given_records_of_all(self, vals_list):
        """Ask once for all that is named.

        :param vals_list: list of values as for :meth:`_check_given_records`"""
        if self.env.su or self._is_internal_write():
            return
        given = defaultdict(set)
        for vals in vals_list:
            self._collect_given(vals, given)
        for comodel_name, numbers in given.items():
            self._check_may_read(self.env[comodel_name], numbers)

    def _collect_given(self, vals, given):
        """:param vals: values that a client gives
        :param given: ``{model: IDs}`` of the records that they name, which is filled"""
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or not field.relational:
                continue
            if isinstance(value, models.BaseModel):
                value = value.ids if field.type != "many2one" else value.id
            # what is in memory only is “false”, and may be a record of the database all the same
            if not value and not isinstance(value, NewId):
                continue
            comodel = self.env[field.comodel_name]
            told = isinstance(comodel, MembriFieldsMixin) and comodel._tells_of_memberships
            if not (told or self._is_our_field(field)):
                continue
            if field.type == "many2one":
                ids = [self._get_given_id(comodel, value, given)]
            else:
                ids = self._get_commanded_ids(comodel, value, given)
            numbers = self._get_given_numbers(ids)
            if numbers and self:
                # a form sends back what it was shown; sudo: only compared
                numbers -= set(self.sudo()[name].ids)
            given[field.comodel_name] |= numbers

    @api.model
    def _get_given_numbers(self, ids):
        """:param ids: as a client gives them
        :return: the set of those that name a record of the database"""
        numbers = set()
        for id_ in ids:
            # “7” and 7.0 are the record 7 to the database; forms have words for new lines
            number = id_.origin if isinstance(id_, NewId) else id_
            if number and isinstance(number, int):
                numbers.add(number)
            elif number and not (isinstance(number, str) and number.startswith("virtual_")):
                raise AccessError(self.env._("Name each record by its ID."))
        return numbers

    @api.model
    def _check_may_read(self, comodel, ids):
        """:param ids: as a client gives them
        :raises AccessError: when the user may not read one of these records of ``comodel``"""
        records = comodel.browse(self._get_given_numbers(ids))
        if not records:
            return
        try:
            records.check_access("read")
        except AccessError:
            # what was deleted meanwhile gets a sentence of its own
            records.sudo().exists().sudo(False).check_access("read")

    @api.model
    def _get_given_id(self, comodel, value, given):
        """Collect what a form says of the record that its line belongs to: the web client gives
        the line's ``onchange`` what was changed on it, and its id.

        :return: the id that a many2one names"""
        if not isinstance(value, dict):
            return value
        number = value.get("id")
        if isinstance(comodel, MembriFieldsMixin):
            holder = comodel.browse(number if isinstance(number, int) else [])
            holder._collect_given({k: v for k, v in value.items() if k != "id"}, given)
        return number

    @api.model
    def _get_commanded_ids(self, comodel, commands, given):
        """Collect what one2many or many2many commands would write on other records of ours.

        :return: the ids that they name"""
        ids = []
        for command in commands:
            if not isinstance(command, (list, tuple)):
                ids.append(command)
                continue
            if command[0] == Command.SET:
                ids += command[2]
            elif command[0] in (Command.LINK, Command.UPDATE):
                ids.append(command[1])
            if command[0] in (Command.CREATE, Command.UPDATE) and isinstance(
                comodel, MembriFieldsMixin
            ):
                line = comodel
                if command[0] == Command.UPDATE and isinstance(command[1], int):
                    line = comodel.browse(command[1])
                line._collect_given(command[2] or {}, given)
        return ids

    # ------------------------------------------------------------------
    # Writing
    # ------------------------------------------------------------------

    def write(self, vals):
        return super().write(self._check_client_write(vals))

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._check_client_create(vals_list)
        created = super(MembriFieldsMixin, self._without_forged_defaults()).create(vals_list)
        return created.with_env(self.env)

    @api.model
    def default_get(self, fields):
        # EXTENDS base: neither the context nor a user's own defaults give facts, whoever creates
        ours = self._without_forged_defaults()
        own_defaults = self.env["ir.default"]._get_model_defaults(self._name)
        forged = [
            name
            for name in fields
            if name in own_defaults
            and (field := self._fields.get(name))
            and self._is_fact(field)
            and not field.company_dependent
        ]
        values = super(MembriFieldsMixin, ours).default_get(
            [name for name in fields if name not in forged] if forged else fields
        )
        for name in forged:
            if (field := self._fields[name]).default:
                values[name] = field.convert_to_write(field.default(self), self)
        given = values
        if not self._name.startswith("membri."):
            # what a colleague set up as a default of Odoo's forms stops nobody there
            given = {
                name: value
                for name, value in values.items()
                if f"default_{name}" in self.env.context
            }
        self._check_given_records(given)
        return values

    def _without_forged_defaults(self):
        """:return: ``self``, without the defaults of facts that a client put into the context"""
        kept = {
            key: value
            for key, value in self.env.context.items()
            if not key.startswith("default_")
            or not (field := self._fields.get(key[8:]))
            or not self._is_fact(field)
            or (
                field.name in self._creation_fields
                and field.name not in ("state", "origin")
                and self._name.startswith("membri.")
            )
        }
        if len(kept) == len(self.env.context):
            return self
        return self.with_env(self.env(context=kept))

    def _check_client_create(self, vals_list):
        """Called first by every ``create`` that completes what a client gives.

        :return: ``vals_list``, without what the client need not have sent
        :raises UserError: naming the field that is not a client's to give
        """
        if self.env.su or self._is_internal_write():
            return vals_list
        asked = self._check_creation_records(vals_list)
        vals_list = [self._keep_given(vals) for vals in vals_list]
        self._check_written_records(vals_list, asked)
        return vals_list

    def _check_written_records(self, vals_list, asked=frozenset()):
        """What a record names is shown with it, and goes out by it. Lines are asked by themselves,
        as they are created or written: accountants book terms that they need not read.

        :param vals_list: list of values that a client gives
        :param asked: names of fields that were asked about already
        :raises AccessError: when they name a record that the user may not read"""
        self._check_given_records_of_all(
            [
                {
                    name: value
                    for name, value in vals.items()
                    if name not in asked and not isinstance(self._fields.get(name), fields.One2many)
                }
                for vals in vals_list
            ]
        )

    @api.model
    def _check_creation_records(self, vals_list):
        """What a new record is about, from then on, is what its client may read.

        :return: the names of the fields that were asked about
        :raises AccessError: naming no more of what may not be read than Odoo does"""
        asked = set()
        for name in self._creation_fields:
            field = self._fields[name]
            comodel_name = field.comodel_name if field.type == "many2one" else ""
            if comodel_name.startswith("membri.") or comodel_name == "res.company":
                asked.add(name)
                given = [vals[name] for vals in vals_list if vals.get(name)]
                comodel = self.env[comodel_name]
                if given and not comodel.has_access("read"):
                    # accountants book terms, of their companies, that they need not read
                    numbers = [id_ for id_ in given if isinstance(id_, int)]
                    of_theirs = [("company_id", "in", self.env.user.company_ids.ids)]
                    # sudo: to find out whose they are
                    known_sudo = comodel.sudo().browse(numbers).exists()
                    given = set(given) - set(known_sudo.filtered_domain(of_theirs).ids)
                self._check_may_read(comodel, given)
        return asked

    def _check_client_write(self, vals):
        """:return: ``vals``, without facts that they leave as they are: an import run twice
            writes the same values again, and may
        :raises UserError: naming the record and the field that is not a client's to write
        """
        if self.env.su or self._is_internal_write():
            return vals
        refused = [
            name
            for name in vals
            if (field := self._fields.get(name)) is not None and not self._may_give(field)
        ]
        odoo_facts = self._get_odoo_facts(vals)
        if self and (refused or odoo_facts):
            self.check_access("write")  # the sentence names the record
        for name in refused:
            if changed := self._filter_changed(name, vals[name]):
                raise self._get_refusal(self._fields[name], changed[0])
        for name in sorted(odoo_facts):
            if changed := self._filter_about_memberships()._filter_changed(name, vals[name]):
                raise self._get_refusal(self._fields[name], changed[0])
        kept = {name: value for name, value in vals.items() if name not in refused}
        self._check_written_records([kept])
        return kept

    @api.model
    def _get_odoo_facts(self, vals):
        """:return: the names in ``vals`` that no client writes on what memberships are about"""
        return self._odoo_facts & vals.keys()

    def _filter_about_memberships(self):
        """Hook, of documents of Odoo: those that are about memberships"""
        return self.browse()

    @api.model
    def _keep_given(self, vals):
        """What a client may give when it creates a record; forms send empty values and
        defaults along, which are left out."""
        kept = {}
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or name in self._creation_fields or self._may_give(field):
                kept[name] = self._check_commands(field, value) if field is not None else value
            elif self._passes_over_given_facts and self._is_fact(field):
                continue
            elif value and not self._is_default(field, value):
                self.browse().check_access("create")
                raise self._get_refusal(field, self.browse())
        return kept

    @api.model
    def _is_default(self, field, value):
        return bool(field.default) and value == field.convert_to_write(field.default(self), self)

    @api.model
    def _check_commands(self, field, commands):
        """A record is made with lines of its own: commands that name other lines, or facts of
        the new ones, are refused here, for the method that creates may be privileged."""
        if field.type != "one2many" or not isinstance(commands, (list, tuple)):
            return commands
        comodel = self.env[field.comodel_name]
        if not isinstance(comodel, MembriFieldsMixin) or not self._is_our_field(field):
            return commands
        checked = []
        for command in commands:
            if isinstance(command, (list, tuple)) and command[0] == Command.CREATE:
                checked.append(Command.create(comodel._keep_given(command[2])))
            elif isinstance(command, (list, tuple)) and (
                command[0] == Command.CLEAR or (command[0] == Command.SET and not command[2])
            ):
                checked.append(command)
            else:
                raise UserError(
                    self.env._(
                        "“%(field)s” of a new record accepts only new lines. Lines of "
                        "other records stay where they are.",
                        field=field._description_string(self.env),
                    )
                )
        return checked

    def _check_line_commands(self, name, commands):
        """Commands that are carried out under the privilege are the client's all the same.

        :param name: of the one2many field that they are for
        :return: ``commands``, without facts that they leave as they are
        :raises UserError: naming the line and the field that is not a client's to write"""
        Line = self.env[self._fields[name].comodel_name]
        checked = []
        for command in commands:
            if command[0] == Command.CREATE:
                [vals] = Line._check_client_create([command[2]])
                command = Command.create(vals)
            elif command[0] == Command.UPDATE:
                vals = Line.browse(command[1])._check_client_write(command[2])
                command = Command.update(command[1], vals)
            checked.append(command)
        return checked

    def _filter_changed(self, name, value):
        """:return: the records of ``self`` to which writing ``value`` would make a difference"""
        field = self._fields[name]
        if field.type in ("one2many", "many2many"):
            return self if value else self.browse()
        return self.filtered(
            lambda record: (
                field.convert_to_cache(value, record, validate=False)
                != field.convert_to_cache(record[name], record, validate=False)
            )
        )

    def _get_refusal(self, field, record):
        """:param record: the record whose ``field`` a client wants to write; empty: a new one
        :return: the exception that says so"""
        names = {
            "field": field._description_string(self.env),
            "record": record.display_name or self.env["ir.model"]._get(self._name).name,
        }
        if record:
            sentence = self.env._(
                "“%(field)s” is set by the system and cannot be edited (%(record)s).",
                **names,
            )
        else:
            sentence = self.env._(
                "“%(field)s” is set by the system and cannot be given for a new record "
                "(%(record)s).",
                **names,
            )
        return UserError(sentence)
