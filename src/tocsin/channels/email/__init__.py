"""Pages a person by mail."""

from tocsin.channels.email.channel import EmailChannel

__all__ = ["EmailChannel"]
