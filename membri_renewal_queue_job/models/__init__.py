from . import ir_cron
from . import runner
