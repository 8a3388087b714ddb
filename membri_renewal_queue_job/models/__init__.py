from . import ir_cron
from . import work
