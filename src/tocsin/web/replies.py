"""Answers through signed links: programs on `/r/`, people on `/p/`."""

from collections import Counter
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin.actions import linked
from tocsin.actions.linked import Closedness, Opened, Verb
from tocsin.actions.links import PAGE, REPLY
from tocsin.actions.shown import users_of
from tocsin.core.alert import Alert, Changed, Outcome, Refused, Unchanged
from tocsin.core.kinds import Via
from tocsin.core.message import state_sentence
from tocsin.store import names
from tocsin.web import jsonbody
from tocsin.web.pages import Shown, alert_page, notice_page, zone_of
from tocsin.web.parts import Parts
from tocsin.web.problems import Problem, is_unavailable, json_response, not_found
from tocsin.web.wording import LANGUAGES, Words, language, sentence

MOST_COMMENT = 2000


class Replies:
    """Handles both kinds of link; one object per process."""

    def __init__(self, parts: Parts) -> None:
        self._world = parts.world

    async def reply(self, request: Request) -> Response:
        """`POST /r/{secret}`: acts at once, any number of times."""
        opened = await linked.open_link(self._world, REPLY, request.path_params["secret"])
        if not isinstance(opened, Opened):  # before its words are looked at
            raise _closed(opened)
        verb, comment = _asked(jsonbody.read(await request.body()))
        if opened.over:
            return _said(opened.alert, _standing(opened.alerts))
        if not opened.may_act:
            raise Problem(403, "The role of this person lets them read only.", "Ask an admin.")
        answers = await linked.act(self._world, opened, verb, comment, Via.REPLY)
        if not answers:
            raise _closed(Closedness.UNKNOWN)
        if opened.carried:
            now = await linked.reopened(self._world, opened)
            return _said(now.alert, _standing(now.alerts))
        return _said(answers[0].alert, _message(answers[0].alert, answers[0].outcome))

    async def show(self, request: Request) -> Response:
        """`GET /p/{secret}`: the alert with its buttons; changes nothing."""
        return await self._page(request, acting=False)

    async def act(self, request: Request) -> Response:
        """`POST /p/{secret}`: presses a button, once per nonce."""
        return await self._page(request, acting=True)

    async def _page(self, request: Request, *, acting: bool) -> Response:
        spoken = language(request.headers.get("accept-language", ""))
        words = LANGUAGES[spoken]
        try:
            opened = await linked.open_link(self._world, PAGE, request.path_params["secret"])
            if not isinstance(opened, Opened):
                text, status = _why_closed(opened, words)
                return notice_page(text, spoken, status)
            if not acting:
                return alert_page(await self._shown(opened), spoken)
            return await self._press(request, opened, spoken)
        except Exception as error:
            if not is_unavailable(error):
                raise
            page = notice_page(words.unavailable, spoken, 503)
            page.headers["Retry-After"] = "5"
            return page

    async def _press(self, request: Request, opened: Opened, spoken: str) -> Response:
        words = LANGUAGES[spoken]
        form = _form(await request.body())
        verb = form.get("action", "")
        if verb not in set(Verb) or len(form.get("comment", "")) > MOST_COMMENT:
            return alert_page(await self._shown(opened), spoken, words.unreadable, 400)
        if opened.over:  # the page says who closed it
            return alert_page(await self._shown(opened), spoken)
        if not opened.may_act:
            return alert_page(await self._shown(opened), spoken, words.may_not, 403)
        if not await linked.use_nonce(self._world, opened, form.get("nonce", "")):
            now = await linked.reopened(self._world, opened)
            return alert_page(await self._shown(now), spoken, words.used, 409)
        comment = form.get("comment", "").strip() or None
        answers = await linked.act(self._world, opened, Verb(verb), comment, Via.PAGE)
        if not answers:
            return notice_page(words.not_found, spoken, 404)
        shown = await self._shown(await linked.reopened(self._world, opened))
        changed = [one.outcome for one in answers if isinstance(one.outcome, Changed)]
        said = _said_on_page(changed[0] if changed else answers[0].outcome, shown, words)
        return alert_page(shown, spoken, said)

    async def _shown(self, opened: Opened) -> Shown:
        async with self._world.database.transaction() as connection:
            users = {user for alert in opened.alerts for user in users_of(alert)}
            known = await names.user_names(connection, users)
        return Shown(
            alert=opened.alert,
            person=opened.person.user,
            team=opened.linked.team_name,
            names=known,
            zone=opened.linked.zone,
            nonce=linked.nonce(self._world, opened),
            may_act=opened.may_act,
            carried=opened.carried,
            offered=opened.offered,
        )


def routes(replies: Replies) -> list[Route]:
    """`/r/` answers GET with 405 and changes nothing; `/p/` shows on GET and acts on POST."""
    return [
        Route("/r/{secret}", replies.reply, methods=["POST"]),
        Route("/p/{secret}", replies.show, methods=["GET"]),
        Route("/p/{secret}", replies.act, methods=["POST"]),
    ]


def _asked(body: object) -> tuple[Verb, str | None]:
    """The action and comment of a reply. Raises a 400 `Problem` that names the fault."""
    remedy = 'Send {"action": "acknowledge" | "close" | "escalate" | "annotate", "comment"?: text}.'
    if not isinstance(body, dict):
        raise Problem(400, "The body is not a JSON object.", remedy)
    fields: dict[object, object] = dict(body)  # pyright: ignore[reportUnknownArgumentType] - JSON
    action, comment = fields.pop("action", None), fields.pop("comment", None)
    if fields:
        raise Problem(400, f"The field {str(next(iter(fields)))[:80]!r} is not known.", remedy)
    if not isinstance(action, str) or action not in set(Verb):
        raise Problem(400, "`action` is missing or not one of the four.", remedy)
    if comment is not None and (not isinstance(comment, str) or len(comment) > MOST_COMMENT):
        raise Problem(400, f"`comment` is a text of at most {MOST_COMMENT} characters.", remedy)
    if action == Verb.ANNOTATE and not (comment or "").strip():
        raise Problem(400, "`annotate` needs a comment.", remedy)
    return Verb(action), (comment or "").strip() or None


def _closed(why: Closedness) -> Problem:
    match why:
        case Closedness.UNKNOWN:
            return not_found("link")
        case Closedness.ENDED:
            return Problem(
                410,
                "This link has ended: its alert was closed more than 24 hours ago.",
                "Nothing is left to do; a new alert brings new links.",
            )
        case Closedness.NO_ACCESS:
            return Problem(
                403,
                "The person whom this link was sent to is not in the alert's team (any more), and"
                " the alert does not mean them.",
                "Ask an admin of the team if that is wrong.",
            )


def _why_closed(why: Closedness, words: Words) -> tuple[str, int]:
    match why:
        case Closedness.UNKNOWN:
            return words.not_found, 404
        case Closedness.ENDED:
            return words.ended, 410
        case Closedness.NO_ACCESS:
            return words.no_access, 403


def _message(alert: Alert, outcome: Outcome) -> str:
    if isinstance(outcome, Unchanged | Refused):
        reason = outcome.reason
        return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."
    return state_sentence(alert)


def _standing(alerts: tuple[Alert, ...]) -> str:
    """How one alert stands, or how many of several stand how."""
    if len(alerts) == 1:
        return state_sentence(alerts[0])
    counts = Counter(alert.status.value for alert in alerts)
    return f"{len(alerts)} alerts: {', '.join(f'{n} {status}' for status, n in counts.items())}."


def _said(alert: Alert, message: str) -> Response:
    return json_response({"status": alert.status.value, "message": message})


def _said_on_page(outcome: Outcome, shown: Shown, words: Words) -> str | None:
    """What came of the button; how the alert stands is on the page anyway."""
    if isinstance(outcome, Refused):
        return sentence(shown.alert, words, shown.names, zone_of(shown.zone))
    return words.unchanged if isinstance(outcome, Unchanged) else words.done


def _form(body: bytes) -> dict[str, str]:
    """The fields of an urlencoded form; an unreadable one has none."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=10, errors="replace"
        )
    except ValueError:
        return {}
    return {name: value.replace("\0", "") for name, value in pairs}
