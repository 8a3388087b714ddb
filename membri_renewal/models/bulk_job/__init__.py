from . import bulk_job
from . import work
from . import letters
from . import line
