import werkzeug.exceptions

from odoo import models
from odoo.http import Response, request

OWN_MODULE = "odoo.addons.membri_renewal."
# names under which the address of a page, or its path, holds what opens a document
SECRETS = (
    "access_token",
    "renewal_token",
    "hash",
    "token",
    "auth_signup_token",
    "invitation_token",
)
REFERRER = ("Referrer-Policy", "no-referrer")
# pages of members, where they answer and pay: no other site shows them below buttons of its own
MEMBER_PAGES = ("/my/", "/membership/")
FRAMES = {
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
}


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        # EXTENDS web: work that goes on in the background shows from the first page on
        # and an officer who chose no other home begins the day with the dashboards
        result = super().session_info()
        user = self.env.user
        if user.has_group("membri_renewal.group_membri_user"):
            result["membri_bulk_jobs"] = self.env["membri.bulk.job"]._get_running_progress()
            if not result["home_action_id"] and not user.has_group("base.group_system"):
                result["home_action_id"] = self.env.ref("membri_renewal.action_membri_dashboard").id
        return result

    # ------------------------------------------------------------------
    # What holds for all routes of ours, also for Odoo's where we extend them
    # ------------------------------------------------------------------

    @classmethod
    def _authenticate(cls, endpoint):
        # EXTENDS base: before anybody is signed in, each request comes here
        is_own = cls._membri_is_own(endpoint)
        if is_own:
            cls._membri_check_method(endpoint)
        result = super()._authenticate(endpoint)
        if is_own or cls._membri_is_secret_address():
            request.future_response.headers.set(*REFERRER)
        if is_own and endpoint.routing["routes"][0].startswith(MEMBER_PAGES):
            request.future_response.headers.update(FRAMES)
        return result

    @classmethod
    def _pre_dispatch(cls, rule, args):
        # EXTENDS base: what opens a document may be a part of the path (a shared dashboard)
        result = super()._pre_dispatch(rule, args)
        if any(args.get(name) for name in SECRETS):
            request.future_response.headers.set(*REFERRER)
        return result

    @classmethod
    def _handle_error(cls, exception):
        # EXTENDS base: pages of errors have an address, too
        response = super()._handle_error(exception)
        own = REFERRER[0] in request.future_response.headers
        if own or cls._membri_is_secret_address():
            if isinstance(response, werkzeug.exceptions.HTTPException):
                response = response.get_response(request.httprequest.environ)
            response.headers.set(*REFERRER)
        return response

    @classmethod
    def _membri_is_own(cls, endpoint):
        """:return: whether this add-on defines or extends the route"""
        method = endpoint.func
        return any(
            parent.__module__.startswith(OWN_MODULE) and method.__name__ in vars(parent)
            for parent in type(method.__self__).mro()
        )

    @classmethod
    def _membri_get_methods(cls, endpoint):
        """:return: the methods of HTTP that run this route"""
        if endpoint.routing["type"] == "jsonrpc":
            return {"POST"}
        methods = set(endpoint.routing["methods"] or ("GET", "POST"))
        return methods | {"HEAD"} if "GET" in methods else methods

    @classmethod
    def _membri_check_method(cls, endpoint):
        """Odoo lets ``OPTIONS`` into every route, runs it as if it were a ``POST``, and asks for
        no CSRF token, since the method is called safe. Nothing of ours runs for it."""
        methods = cls._membri_get_methods(endpoint)
        if request.httprequest.method not in methods:
            allow = ", ".join(sorted(methods))
            werkzeug.exceptions.abort(Response(status=405, headers={"Allow": allow}))

    @classmethod
    def _membri_is_secret_address(cls):
        return any(request.httprequest.args.get(name) for name in SECRETS)
