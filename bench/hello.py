"""The smallest Starlette application that reads a body: what a server in Python costs at least."""

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _hello(request: Request) -> Response:
    await request.body()
    return Response(b"hello", 201)


if __name__ == "__main__":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    application = Starlette(routes=[Route("/", _hello, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, access_log=False))
    server.run(sockets=[listener])
