from . import payment
from . import fee_notice
from . import portal
