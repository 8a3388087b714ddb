from . import shared_invoice
