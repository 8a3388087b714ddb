from . import reconciliation
from . import aged
from . import deferred
from . import insight
