from . import account_move
from . import sending
from . import page
