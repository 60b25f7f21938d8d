"""The golden nights, one after the other."""

from tests.nights.everyday_nights import EVERYDAY
from tests.nights.nights_of_answers import ANSWER_NIGHTS
from tests.nights.nights_of_clocks import CLOCK_NIGHTS
from tests.nights.nights_of_duty import DUTY_NIGHTS
from tests.nights.nights_of_kinds import KINDS_OF_ALERTS
from tests.nights.nights_of_ways import WAYS

NIGHTS = (
    *EVERYDAY,
    *DUTY_NIGHTS,
    *CLOCK_NIGHTS,
    *WAYS,
    *KINDS_OF_ALERTS,
    *ANSWER_NIGHTS,
)
