from . import bulk_job
from . import runner
