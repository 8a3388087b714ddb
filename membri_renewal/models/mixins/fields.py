from collections import defaultdict

from odoo import api, fields, models
from odoo.api import NewId
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain

# Clients can put anything into the context but this very object, so nobody outside
# the server-side methods can claim to be one of them.
_INTERNAL_WRITE = object()


def get_flag_domain(found, value):
    """:param found: domain of the records that bear a flag
    :param value: what a search asks of the flag, as a search method gets it
    :return: the domain of that search"""
    if set(value) == {True, False}:
        return Domain.TRUE
    return found if True in value else ~found


class MembriFieldsMixin(models.AbstractModel):
    """The one place that says which fields a client (web client, import, RPC) may write, and
    which ones portal users may read. All models of this add-on have it, and the models of
    Odoo that it adds ``membri_*`` fields to, for these.

    A field that is declared ``readonly`` is a fact: our own methods write it, in sudo or by
    :meth:`_internal_write`. The others are the client's, as far as its access rights go.
    """

    _name = "membri.fields.mixin"
    _inherit = "membri.keyless.body.mixin"
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
            given = {
                name: value
                for name, value in values.items()
                if f"default_{name}" in self.env.context
            }
            # what a colleague set up as a default of Odoo's forms stops nobody there
            for name in own_defaults.keys() & (values.keys() - given.keys()):
                try:
                    self._check_given_records({name: values[name]})
                except AccessError:
                    del values[name]
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
        # as Odoo does, but before a sentence could tell of what there is, and a number is taken
        self.check_access("create")
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
                accounts = self.env.user.has_group("account.group_account_invoice")
                if given and accounts and not comodel.has_access("read"):
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
