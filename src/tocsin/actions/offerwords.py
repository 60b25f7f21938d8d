"""What people are told about offers of shifts."""

from collections.abc import Callable

from tocsin.core.dutywords import Said, notice, span
from tocsin.store.offers import Kind, Offer, State


def asked(offer: Offer) -> Said:
    """To whoever may accept it."""
    new = offer.new
    if new.kind is Kind.SWAP:
        return notice(
            lambda _: f"{offer.user_name} offers you a swap in {offer.team_name}.",
            lambda zone: f"{_what(offer)(zone)}{_comment(offer)} Accept or decline before then.",
        )
    return notice(
        lambda _: f"{offer.user_name} asks for cover in {offer.team_name}.",
        lambda zone: f"{_what(offer)(zone)}{_comment(offer)} Whoever accepts first takes it.",
    )


def accepted(offer: Offer) -> Said:
    """To both sides, once it has its effect."""
    taker, team = offer.taker_name or "somebody", offer.team_name
    if offer.new.kind is Kind.SWAP:
        return notice(
            lambda _: f"The swap of {offer.user_name} and {taker} in {team} counts now.",
            _what(offer),
        )
    return notice(lambda _: f"{taker} covers for {offer.user_name} in {team}.", _what(offer))


def ended(offer: Offer) -> Said:
    """To both sides, when it comes to nothing."""
    swap = offer.new.kind is Kind.SWAP
    what = f"{'swap' if swap else 'request for cover'} of {offer.user_name} in {offer.team_name}"
    match offer.state:
        case State.DECLINED:
            how = f"was declined by {offer.answered_by}"
        case State.WITHDRAWN:
            how = f"was withdrawn by {offer.answered_by}"
        case _:
            how = "has expired: nobody accepted before the shift began"
    return notice(
        lambda _: f"The {what} {how}.", lambda zone: f"All stays as it was: {_own(offer, zone)}."
    )


def _what(offer: Offer) -> Callable[[str], str]:
    back = offer.new.back
    taker = offer.taker_name or "Whoever accepts"

    def said(zone: str) -> str:
        mine = span(offer.new.stint.from_, offer.new.stint.to, zone)
        text = f"{taker} takes {offer.schedule_name} {mine} ({zone})"
        if back is not None:
            theirs = span(back.from_, back.to, zone)
            text += f"; {offer.user_name} takes {offer.back_name} {theirs}"
        return f"{text}."

    return said


def _own(offer: Offer, zone: str) -> str:
    stint = offer.new.stint
    when = span(stint.from_, stint.to, zone)
    return f"{offer.user_name} has {offer.schedule_name} {when} ({zone})"


def _comment(offer: Offer) -> str:
    return f' "{offer.new.comment}"' if offer.new.comment else ""
