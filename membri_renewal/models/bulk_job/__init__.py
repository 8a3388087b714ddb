from . import bulk_job
from . import work
from . import line
