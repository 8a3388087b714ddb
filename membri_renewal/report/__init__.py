from . import reconciliation
from . import aged
