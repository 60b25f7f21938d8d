"""HTTP whose heads and trailers have an end."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BESIDE_BODY = 512 * 1024
"""Bytes of a request that are not its body; above one read of the socket (256 KiB), so that a body
that arrives together with its head is never cut off."""


class BoundedHttp(HttpToolsProtocol):
    """Uvicorn's protocol keeps heads and trailers of any length; here the connection ends first.

    The gate sees a request only when its head is complete, which would be too late.
    """

    _beside = 0

    def data_received(self, data: bytes) -> None:
        """As Uvicorn, until more than `BESIDE_BODY` bytes came that belong to no body."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > BESIDE_BODY and not self.transport.is_closing():
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """A piece of a body, which the gate bounds."""
        self._beside -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request on the connection has its own bound."""
        self._beside = 0
        super().on_message_complete()
