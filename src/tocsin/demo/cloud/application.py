"""All services of the simulated cloud as one ASGI application."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from tocsin.demo.cloud.entra import EntraService
from tocsin.demo.cloud.errors import ServiceError
from tocsin.demo.cloud.graph import GraphService
from tocsin.demo.cloud.graph_directory import GraphDirectoryService
from tocsin.demo.cloud.ingestion import IngestionService
from tocsin.demo.cloud.logs import LogsService
from tocsin.demo.cloud.resources import ResourceService
from tocsin.demo.cloud.sentinel import SentinelService
from tocsin.demo.cloud.state import CloudState
from tocsin.demo.cloud.traffic import Drop, Traffic


def build_application(state: CloudState, drop: Drop) -> ASGIApp:
    """`drop` cuts the connection of the client with that address; it serves the reset faults."""

    async def refuse(request: Request, error: Exception) -> JSONResponse:
        del request
        assert isinstance(error, ServiceError)
        return JSONResponse(error.body(state.now()), error.status, error.headers)

    # Entra's addresses begin with a variable part, so they come last.
    services = (
        GraphService(state),
        GraphDirectoryService(state),
        SentinelService(state),
        ResourceService(state),
        IngestionService(state),
        LogsService(state),
        EntraService(state),
    )
    routes = [route for service in services for route in service.routes()]
    return Traffic(Starlette(routes=routes, exception_handlers={ServiceError: refuse}), state, drop)
