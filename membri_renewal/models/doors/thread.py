from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from ..mixins.fields import MembriFieldsMixin
from .base import check_may_print, is_told_of
from .company_notes import NOTES_OF
from .form import NAMES_OF_RATING, get_compute_of_rating
from .given import get_create_of_group_messages
from .search import FILES_FOR, compares_text, get_recipients_domain_of, look_as_user
from .typed_contact import IS_TYPED

# where a message is seen, and in whose name
POSTED_AS = frozenset({"author_guest_id", "author_id", "email_from", "message_type", "parent_id"})


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_process(
        self,
        model,
        message,
        custom_values=None,
        save_original=False,
        strip_attachments=False,
        thread_id=None,
    ):
        # EXTENDS mail, which lets any employee hand in an email by RPC, from whomever, for a record
        # of their choice or for a new one with values of their choice, and does it in sudo: as the
        # work address of a new employee they wrote the address of any member
        self._membri_check_handed_in(model, thread_id, custom_values)
        threads = self
        if not self.env.su:  # nor with values that the context says
            threads = self.with_env(self.env(context=clean_context(self.env.context)))
        threads = threads.with_context(**{IS_TYPED: (True,)})
        return super(MailThread, threads).message_process(
            model,
            message,
            custom_values=custom_values,
            save_original=save_original,
            strip_attachments=strip_attachments,
            thread_id=thread_id,
        )

    @api.model
    def _membri_check_handed_in(self, model, thread_id, custom_values):
        """What finds its record by itself, as a reply does, is as good as an email, which brings no
        values.

        :raises AccessError: when a client gives some, and is no administrator, or may not write the
            record of ours that is named, or make one"""
        if self.env.su:
            return
        if custom_values and not self.env.is_system():
            raise AccessError(self.env._("An email cannot set the values of a new record."))
        fields_mixin = self.pool["membri.fields.mixin"]
        if model not in self.env or not isinstance(self.env[model], fields_mixin):
            return
        if thread_id:
            self.env[model].browse(int(thread_id)).check_access("write")
        else:
            self.env[model].check_access("create")

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        # EXTENDS mail, which lets whoever reads a record follow it: followers get by email what the
        # staff posts there
        closed = self._name in ("membri.renewal", "res.partner") and self.env.user.share
        # not in sudo, as a route of Odoo's website calls it: what the visitor may do
        if closed and self and not self.with_user(self.env.user).has_access("write"):
            if not self.env.su:
                return False
            # whoever of the staff is to do what a visitor has asked for follows it as ever
            partner_ids = self._membri_get_staff(partner_ids).ids
        return super().message_subscribe(partner_ids=partner_ids, subtype_ids=subtype_ids)

    @api.model
    def _membri_get_staff(self, partner_ids):
        """:return: those of these contacts (a list of ids) who are employees"""
        contacts = self.env["res.partner"].browse(partner_ids or ())
        return contacts.filtered(lambda contact: not contact.partner_share)

    def _message_log_batch(self, *args, **kwargs):
        # EXTENDS mail: Odoo's window for text messages logs them on all that its user reads
        reads_only = self._name == "account.move" and self._membri_reads_as_reader()
        if kwargs.get("message_type") == "sms" and (self._name.startswith("membri.") or reads_only):
            self.check_access("write")
        return super()._message_log_batch(*args, **kwargs)

    def message_post(self, **kwargs):
        # EXTENDS mail: any employee makes a rating (an application of Odoo's) of any record, by
        # anybody, and a page that needs no login posts it in sudo
        if kwargs.get("rating_id"):
            self._membri_check_may_rate(self)
        return super().message_post(**kwargs)

    def _message_update_content(self, message, /, **kwargs):
        # EXTENDS mail: in the place of any message, of any record, that the rating names
        if not kwargs.get("strict", True):
            # sudo: which record the message is of; what is the user's own they may rewrite
            message_sudo = message.with_env(self.env).sudo()
            if message_sudo.model in self.env and not message_sudo.is_current_user_or_guest_author:
                record = self.env[message_sudo.model].browse(message_sudo.res_id)
                self._membri_check_may_rate(record)
        return super()._message_update_content(message, **kwargs)

    @api.model
    def _membri_check_may_rate(self, record):
        """Nobody asks for a rating of these.

        :raises AccessError: when the user may not write ``record``, and it is of ours or one
            that memberships are about"""
        if isinstance(record, self.pool["membri.fields.mixin"]):
            # not in sudo: what the user may write
            record.with_user(self.env.user).check_access("write")

    def message_notify(self, **kwargs):
        # EXTENDS mail, which asks for the right to read
        model = kwargs.get("model") or self._name
        named = self.env[model].browse(kwargs.get("res_id") or []) if kwargs.get("model") else self
        reads_only = model == "account.move" and named._membri_reads_as_reader()
        if model.startswith("membri.") or reads_only:
            named.check_access("write")
        return super().message_notify(**kwargs)


class MembriRenewal(models.Model):
    """The thread of a renewal is the staff's. Members have its page, which says what concerns
    them: neither the key, nor the signature of an email, nor a login opens the thread to them."""

    _inherit = "membri.renewal"

    @api.model
    # Odoo's name of the parameter, passed by keyword. pylint: disable-next=redefined-builtin
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        # EXTENDS portal: every route of Odoo's chatter asks this
        if self.env.user.share:
            return self.browse()
        return super()._get_thread_with_access(thread_id, **kwargs)

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        # EXTENDS mail: messages asked for without a route; portal users write no renewal
        result = super()._mail_get_operation_for_mail_message_operation(message_operation)
        return dict.fromkeys(result, "write") if self.env.user.share else result

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        # EXTENDS portal, which signs the member's link to the thread
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        for name, _is_of_group, options in groups:
            if name == "portal_customer" and self:
                options["button_access"] = {"url": self._get_localized_url(self.access_url)}
        return groups


class ResPartner(models.Model):
    """The thread of a contact tells of its membership, and of what was sent to it: the people of
    its company, who see each other as contacts, read neither."""

    _inherit = "res.partner"

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        # EXTENDS mail: but what was sent to them; portal users write no contact
        result = super()._mail_get_operation_for_mail_message_operation(message_operation)
        return dict.fromkeys(result, "write") if self.env.user.share else result


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    # Odoo's name of the parameter, passed by keyword. pylint: disable-next=redefined-builtin
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        # EXTENDS portal: the link of a membership invoice opens its page, and not its thread;
        # who may read or write the invoice keeps these rights
        # sudo: of which kind it is
        if self.browse(thread_id).sudo().exists().membri_invoice_type:
            return super()._get_thread_with_access(thread_id, **kwargs)
        return super()._get_thread_with_access(thread_id, hash=hash, pid=pid, token=token, **kwargs)

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        # EXTENDS mail: whoever reads an invoice may post on it, with emails to its payer; readers
        # of memberships change nothing
        result = super()._mail_get_operation_for_mail_message_operation(message_operation)
        if message_operation == "create":
            for move in self._membri_filter_as_reader():
                result[move] = "write"
        return result

    def _membri_shows_thread(self, visitor):
        """Return whether the page of the invoice shows its thread to ``visitor``, a user: Odoo
        renders the page as its superuser."""
        self.ensure_one()
        return not self.membri_invoice_type or self.with_user(visitor).has_access("read")


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.depends_context("uid")
    def _compute_display_name(self):
        # EXTENDS base: Odoo fetches messages in sudo, whoever asks for one by its number. A
        # property (of a task, of a product) that names one showed its subject to everybody
        readable = self if self.env.su else self._filtered_access("read")
        (self - readable).display_name = False
        return super(MailMessage, readable)._compute_display_name()

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        # EXTENDS base: and the export of what names one, all that it says
        self.check_access("read")
        return super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)

    def _get_forbidden_access(self, operation):
        # EXTENDS mail, which lets whoever was notified of a message answer it, and react: members
        # read what was sent to them, and answer by email or on the page
        forbidden = super()._get_forbidden_access(operation)
        if operation == "create":
            forbidden |= (self - forbidden)._membri_filter_misplaced()
        elif operation == "write":
            forbidden |= (self - forbidden)._membri_filter_of_others()
        if self.env.user._is_internal():
            return forbidden
        # sudo: what they are about
        closed_sudo = self.sudo().filtered(
            lambda message: (
                message.model == "membri.renewal"
                if operation != "read"
                else message.model == "account.move" and message._membri_is_log()
            )
        )
        return forbidden | self.browse(closed_sudo.ids)

    def write(self, vals):
        # EXTENDS mail, which lets the author make a message for somebody into one of the thread,
        # in the name of anybody
        result = super().write(vals)
        if not self.env.su and vals.keys() & POSTED_AS:
            self.check_access("create")
        return result

    def _membri_filter_of_others(self):
        """Odoo lets whoever received a message rewrite it, in the name of its author.

        :return: those of ``self`` that somebody else wrote about a record of ours, or one that
            memberships are about, which the user may not write"""
        of_others = self.browse()
        for model, found_sudo in self.sudo().grouped("model").items():  # sudo: whose they are
            if not isinstance(self.env.get(model), MembriFieldsMixin):
                continue
            found_sudo = found_sudo.filtered(lambda it: it.author_id != it.env.user.partner_id)
            ids = set(found_sudo.mapped("res_id"))
            may = self._filter_records_for_message_operation(model, ids, "write").ids
            of_others |= found_sudo.filtered(lambda it, may=may: it.res_id not in may).sudo(False)
        return of_others

    def _membri_filter_misplaced(self):
        """Odoo lets whoever signs in make a message for somebody about any record, whose name it
        then shows, and post on any record as the answer to a message about another one.

        :return: those of ``self``, just made, that are about a record that the user may not read,
            or post on, and that are no answer to a message that somebody else sent them there"""
        misplaced = self.browse()
        # sudo: what they are about, and what they answer
        about_sudo = self.sudo().filtered(lambda it: it.res_id and it.model in self.env)
        for model, found_sudo in about_sudo.grouped("model").items():
            ids = set(found_sudo.mapped("res_id"))
            may_post = set(self._filter_records_for_message_operation(model, ids, "create").ids)
            may_read = set(self.env[model].browse(ids - may_post)._filtered_access("read").ids)
            followed_sudo = self.env["mail.followers"].sudo()  # sudo: as Odoo asks for them
            followed_sudo = followed_sudo.search(
                Domain("res_model", "=", model)
                & Domain("res_id", "in", ids - may_post)
                & Domain("partner_id", "=", self.env.user.partner_id.id)
            )
            followed = set(followed_sudo.mapped("res_id"))
            # whoever reads them follows them; posting there needs the right to write
            if model.startswith("membri."):
                followed = set()
            elif model == "account.move":
                moves_sudo = self.env[model].sudo().browse(followed)  # sudo: of which kind
                followed -= set(moves_sudo.filtered("membri_invoice_type").ids)
            for message_sudo in found_sudo:
                number, parent_sudo = message_sudo.res_id, message_sudo.parent_id
                answers = (
                    (parent_sudo.model, parent_sudo.res_id) == (model, number)
                    and parent_sudo.create_uid != self.env.user
                    and self.env.user.partner_id in parent_sudo.partner_ids
                )
                may = may_post | (
                    may_read if message_sudo.message_type == "user_notification" else followed
                )
                if number not in may and not answers:
                    misplaced |= message_sudo.sudo(False)
        return misplaced

    def _membri_is_log(self):
        """Return whether Odoo keeps this message (in sudo) from the searches of portal users,
        though not from routes that are given its number."""
        self.ensure_one()
        internal = self.is_internal or not self.subtype_id or self.subtype_id.internal
        return internal and self.message_type != "user_notification"


class MailScheduledMessage(models.Model):
    """What somebody is about to post on a membership invoice is made, changed and taken back by who
    may write it: Odoo asks for the right to read."""

    _inherit = "mail.scheduled.message"

    def _check_access(self, operation):
        # EXTENDS base
        result = super()._check_access(operation)
        if self.env.su or operation == "read":
            return result
        # sudo: what they are about
        on_invoices_sudo = self.sudo().filtered(lambda message: message.model == "account.move")
        moves_sudo = self.env["account.move"].sudo().browse(on_invoices_sudo.mapped("res_id"))
        ours = moves_sudo.exists().filtered("membri_invoice_type").sudo(False)
        refused = set((ours - ours._filtered_access("write")).ids)
        closed = self.browse(on_invoices_sudo.filtered(lambda m: m.res_id in refused).ids)
        if not closed:
            return result
        if result:
            return result[0] | closed, result[1]
        return closed, lambda: self.env["ir.rule"]._make_access_error(operation, closed)


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def send_mail_batch(self, res_ids, *args, **kwargs):
        # EXTENDS mail: send_mail, which any client may call, comes here as well
        self._membri_check_may_email(self.model, res_ids)  # before a sentence on the values
        email_values = kwargs.get("email_values", args[2] if len(args) > 2 else None)
        self._membri_check_email_values(email_values or {})
        return super().send_mail_batch(res_ids, *args, **kwargs)

    @api.model
    def _membri_check_email_values(self, values):
        """Odoo makes the email in sudo, with what values it is given: any employee sent any file
        to any address.

        :param values: of an email (``mail.mail``), as a client gives them
        :raises AccessError: when they name files that the user may not read
        :raises UserError: when they hold a fact, or say which record or message it is about"""
        if self.env.su:
            return
        mails, given = self.env["mail.mail"], {}
        for name, value in values.items():
            field = mails._fields.get(name)
            if field is None:
                continue
            if mails._is_fact(field) or name in ("mail_message_id", "model", "res_id"):
                raise mails._get_refusal(field, mails)
            if field.comodel_name == "ir.attachment":
                ids = mails._get_commanded_ids(self.env[field.comodel_name], value or (), given)
                mails._check_may_read(self.env[field.comodel_name], ids)

    def _membri_is_statement(self):
        """:return: whether this is the template of the statement, or another one that sends it"""
        statement = self.env.ref("membri_renewal.mail_template_statement", raise_if_not_found=False)
        # sudo: what it sends
        reports_sudo = self.sudo().report_template_ids
        return bool(self and self == statement) or any(
            report.report_name == "membri_renewal.report_statement" for report in reports_sudo
        )

    def _membri_check_may_email(self, model, res_ids):
        """Emails about renewals and membership invoices leave in the organization's name, with
        their keys, and what becomes of them is recorded; statements and annual receipts are sent
        by who writes invoices.

        :raises AccessError: for whoever may not write these documents"""
        if model == "membri.annual.receipt" or self._membri_is_statement():
            self.env["account.move"]._membri_check_works_on_invoices()
        if model not in ("membri.renewal", "account.move"):
            return
        documents = self.env[model].browse(res_ids)
        if model == "account.move":
            documents = documents.filtered("membri_invoice_type")
        documents.check_access("write")


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _evaluate_res_ids(self):
        # EXTENDS mail, which computes in sudo what the window shows of them: any employee read
        # their names, and what a template says of them
        res_ids = super()._evaluate_res_ids()
        user = self.env.user
        if res_ids and user._is_internal() and is_told_of(self.env, self.model):
            # sudo: those that there are
            records_sudo = self.env[self.model].sudo().browse(res_ids).exists()
            records_sudo.with_user(user).check_access("read")
        return res_ids

    def _compute_attachment_ids(self):
        # EXTENDS mail, which prints in sudo: any employee got the statement of any contact, and
        # the receipt of the invoice of the same number
        user = self.env.user
        if user._is_internal():
            for composer in self:
                env = composer.with_user(user).env
                # sudo: of what they are
                for report_sudo in composer.template_id.sudo().report_template_ids:
                    res_ids = composer._evaluate_res_ids()
                    check_may_print(env, report_sudo, composer.model, res_ids)
        return super()._compute_attachment_ids()

    def _membri_check_template(self, res_ids):
        """Odoo renders a template for records of its own model, by the numbers of those that are
        written to: an auditor sent a notice to the followers of the contact of the same number.

        :raises AccessError: for whoever may not send emails about these"""
        template = self.template_id
        if template and template.model != self.model:
            template._membri_check_may_email(template.model, res_ids)

    def _action_send_mail_comment(self, res_ids):
        # EXTENDS mail
        self._membri_check_template(res_ids)
        return super()._action_send_mail_comment(res_ids)

    def _action_send_mail_mass_mail(self, res_ids, auto_commit=False):
        # EXTENDS mail, which asks for the right to read
        self._membri_check_template(res_ids)
        self.template_id._membri_check_may_email(self.model, res_ids)
        return super()._action_send_mail_mass_mail(res_ids, auto_commit=auto_commit)

    def _action_send_mail(self, auto_commit=False):
        # EXTENDS mail: a statement lists what is due to one company
        composer = self
        if self.template_id._membri_is_statement():
            self.env["account.move"]._membri_check_works_on_invoices()
            composer = self.with_context(**{NOTES_OF: (self.env.company.id,)})
        return super(MailComposeMessage, composer)._action_send_mail(auto_commit=auto_commit)


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _register_hook(self):
        # EXTENDS base: Odoo's ratings show the name of any record, and mailings ask as the system;
        # no dependencies of ours, but installed with many an application
        result = super()._register_hook()
        if ratings := self.env.registry.get("rating.rating"):
            for name in NAMES_OF_RATING:
                ratings._fields[name].compute = get_compute_of_rating(name)
        if mailings := self.env.registry.get("mailing.mailing"):
            mailings._get_recipients_domain = get_recipients_domain_of(mailings)
        if group_messages := self.env.registry.get("mail.group.message"):
            group_messages.create = get_create_of_group_messages(group_messages)
        return result

    @api.model
    def _search(
        self,
        domain,
        offset=0,
        limit=None,
        order=None,
        *,
        active_test=True,
        bypass_access=False,
    ):
        # EXTENDS base, which looks in sudo: by a file of their own any employee asked whether
        # there is a renewal whose key begins so
        files = self
        if not self.env.su and not bypass_access:
            domain = look_as_user(self, domain)
            # and does so for visitors, too, who read none: the time that it took to find none told
            # them of the names and the words of all files
            if not self.browse().has_access("read"):
                return self.browse()._as_query()
            # and of the words of files about whatever it is
            if compares_text(self, domain):
                for_whom = self.env.user._membri_get_file_rule()
                context = {**self.env.context, FILES_FOR: for_whom}
                files = self.with_env(self.env(context=context))
        return super(IrAttachment, files)._search(
            domain, offset, limit, order, active_test=active_test, bypass_access=bypass_access
        )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base, which asks for the right to the record, and not for that to its field; what
        # comes in is kept without keys
        files = super().create(self._membri_without_keys(vals_list))
        if not self.env.su:
            files.filtered("res_field").check_access("write")
        return files

    def write(self, vals):
        # EXTENDS base, as create
        result = super().write(vals)
        if not self.env.su and vals.get("res_field"):
            self.check_access("write")
        return result

    def _has_field_access(self, field, operation):
        # EXTENDS base, which asks this model for the right to the field of another one that a
        # file is the value of: what is a fact there, and what members do not read, is one here
        if field.model_name != self._name:
            return self.env[field.model_name]._has_field_access(field, operation)
        return super()._has_field_access(field, operation)

    def _inaccessible_comodel_records(self, model_and_ids, operation):
        # EXTENDS base: what is attached to a renewal is of its thread
        renewal_ids = model_and_ids.get("membri.renewal")
        if renewal_ids and not self.env.su and self.env.user.share:
            for renewal_id in renewal_ids:
                yield "membri.renewal", renewal_id
        yield from super()._inaccessible_comodel_records(model_and_ids, operation)
