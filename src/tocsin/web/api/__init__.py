"""The JSON API under /api/v1: what the UI uses, and everybody else."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from tocsin.web.api import (
    alerts,
    answers,
    calendars,
    configuration,
    connectors,
    coverage,
    duty,
    feeds,
    later,
    ledger,
    live,
    offers,
    preview,
    schedules,
    tokens,
)
from tocsin.web.api.asking import Doors, May
from tocsin.web.api.described import Described
from tocsin.web.api.strict import StrictJson
from tocsin.web.problems import Problem, answer

__all__ = ["Doors", "May", "create_api"]


def create_api(doors: Doors) -> FastAPI:
    """The application of the API, to be mounted; its description is at /api/v1/openapi.json."""
    # In this order: of two routes with the same path the first answers.
    routers = (
        alerts.router,
        ledger.router,
        answers.router,
        duty.router,
        offers.router,
        preview.router,
        schedules.router,
        calendars.router,
        feeds.router,
        coverage.router,
        connectors.router,
        tokens.router,
        configuration.router,
        later.router,
        live.router,
    )
    routes: list[BaseRoute] = [route for router in routers for route in router.routes]
    api = Described(
        title="Tocsin",
        version="1",
        docs_url=None,  # the pages would load programs from elsewhere
        redoc_url=None,
        routes=routes,
        redirect_slashes=False,
        exception_handlers={
            Exception: answer,
            HTTPException: answer,
            Problem: answer,
            RequestValidationError: answer,
        },
    )
    api.state.doors = doors
    api.add_middleware(StrictJson)
    return api
