"""The installation that the state machine plays with: two teams, five people, many policies."""

from collections.abc import Mapping, Sequence

import msgspec

from tests.store.scene import ROWS

ACTORS: Mapping[str, int] = {"mara": 1, "jonas": 2, "ada": 3, "eva": 4, "boss": 5}
METHODS: Mapping[str, int] = {
    "mara": 1,
    "jonas": 2,
    "ada": 3,
    "mara's pager": 11,
    "eva": 14,
    "eva's pager": 24,
    "boss": 15,
}

POLICIES: Mapping[str, Mapping[str, object]] = {
    "hold": {
        "acknowledge_timeout": "20m",
        "steps": [
            {"notify": [{"duty": 1}], "wait": "3m", "if_nobody": "hold", "hold_for": "6m"},
            {"notify": [{"team": "soc"}], "wait": "4m"},
        ],
    },
    "turns": {
        "repeat": 2,
        "mode": "multi",
        "acknowledgements": 2,
        "steps": [
            {
                "notify": [{"duty": 1}, {"duty": 2}, {"user": "eva"}],
                "pick": "round_robin",
                "wait": "90s",
            },
            {"notify": [{"user": "ada"}], "wait": "1m", "if_nobody": "continue"},
        ],
    },
    "picky": {
        "repeat": 1,
        "acknowledge_timeout": "8m",
        "steps": [
            {"notify": [{"user": "ada"}], "wait": "1m", "when": {"severity": ["critical"]}},
            {"notify": [{"duty": 2}], "wait": "2m", "when": {"from": "22:00", "to": "05:00"}},
            {
                "notify": [{"team": "soc"}],
                "wait": "1m",
                "if_nobody": "continue",
                "when": {"older_than": "3m"},
            },
            {
                "notify": [{"duty": 1}],
                "wait": "2m",
                "when": {"from": "04:05", "to": "09:00", "clock": "responder"},
            },
        ],
    },
    "others": {
        "close_after": "25m",
        "steps": [
            {"notify": [{"user": "mara"}, {"policy": "plant/default"}], "wait": "3m"},
            {"notify": [{"duty": 1}], "pick": "next", "wait": "2m"},
        ],
    },
    "hasty": {
        "repeat": 3,
        "steps": [{"notify": [{"duty": 1}, {"duty": 2}], "wait": "30s", "if_nobody": "continue"}],
    },
}

CATEGORIES: Mapping[str, Mapping[str, object]] = {
    **{name: {"policy": name} for name in POLICIES},
    "everybody": {"mode": "emergency"},
    "recorded": {"urgency": "record"},
    "hidden": {"suppress": True},
}

RULES: Sequence[tuple[int, str, int, Mapping[str, object]]] = (
    (1, "urgent", 1, {"after": "2m", "via": "pager", "repeat_every": "1m"}),
    (1, "normal", 0, {"after": "0s", "via": "pager"}),
    (1, "normal", 1, {"after": "1m", "via": "phone", "repeat_every": "45s"}),
    (4, "urgent", 0, {"after": "0s", "via": "pager", "repeat_every": "1m"}),
    (4, "urgent", 1, {"after": "90s", "via": "phone"}),
)

_PEOPLE = (
    "UPDATE contact_method SET channel = 'handset'",
    ("INSERT INTO app_user (id, name, role) VALUES (4, 'eva', 'user'), (5, 'boss', 'admin')"),
    "UPDATE membership SET role = 'team_admin' WHERE user_id = 3",
    (
        "INSERT INTO contact_method (id, user_id, name, channel, address) VALUES"
        " (11, 1, 'pager', 'pager', 'mara''s pager'), (14, 4, 'phone', 'handset', 'eva'),"
        " (24, 4, 'pager', 'pager', 'eva''s pager'), (15, 5, 'phone', 'handset', 'boss')"
    ),
    "UPDATE contact_method SET address = substr(address, 21) WHERE address LIKE 'http%'",
    """UPDATE contact_method SET body = '{"limits": {"per_minute": 3}}' WHERE id = 3""",
    (
        "UPDATE app_user SET body = body || jsonb_build_object('quiet_hours', jsonb_build_array("
        'jsonb_build_object(\'days\', \'["mon","tue","wed","thu","fri","sat","sun"]\''
        "::jsonb, 'from', '04:10', 'to', '04:25'))) WHERE id = 2"
    ),
)
_TEAMS = (
    "INSERT INTO team (id, name, time_zone) VALUES (2, 'plant', 'Europe/Berlin')",
    "INSERT INTO membership (user_id, team_id, position) VALUES (4, 2, 0)",
    (
        "INSERT INTO escalation_policy (team_id, id, name, body) OVERRIDING SYSTEM VALUE VALUES"
        """ (2, 90, 'default', '{"steps": ["""
        """{"notify": [{"duty": 1}], "wait": "2m", "if_nobody": "continue"},"""
        """ {"notify": [{"team": "plant"}], "wait": "2m"}]}')"""
    ),
    (
        "INSERT INTO schedule (team_id, id, name, tier) OVERRIDING SYSTEM VALUE"
        " VALUES (1, 2, 'second', '2'), (2, 3, 'plant', '1')"
    ),
    (
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
        " (1, 2, '2', 2, tstzrange('2026-11-23', '2026-11-25'), 'rotation weeks'),"
        " (2, 3, '1', 4, tstzrange('2026-11-23', '2026-11-25'), 'rotation weeks'),"
        " (1, 1, '1', 2, tstzrange('2026-11-25', '2026-11-26'), 'rotation weeks')"
    ),
)


def statements() -> list[str]:
    """All that makes the installation, in its order."""
    policies = [
        "INSERT INTO escalation_policy (team_id, id, name, body) OVERRIDING SYSTEM VALUE"
        f" VALUES (1, {10 + place}, '{name}', '{_json(body)}')"
        for place, (name, body) in enumerate(POLICIES.items())
    ]
    categories = [
        "INSERT INTO category (team_id, id, name, position, body) OVERRIDING SYSTEM VALUE"
        f" VALUES (1, {10 + place}, '{name}', {place}, '{_json(body)}')"
        for place, (name, body) in enumerate(CATEGORIES.items())
    ]
    rules = [
        "INSERT INTO notification_rule (id, user_id, urgency, position, body)"
        f" VALUES ({20 + place}, {user}, '{urgency}', {position}, '{_json(body)}')"
        for place, (user, urgency, position, body) in enumerate(RULES)
    ]
    return [*ROWS, *_PEOPLE, *_TEAMS, *policies, *categories, *rules]


def _json(body: Mapping[str, object]) -> str:
    return msgspec.json.encode(body).decode()
