from . import shared_invoice
from . import bulk_job
