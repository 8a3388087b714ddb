from . import bulk_job
from . import work
