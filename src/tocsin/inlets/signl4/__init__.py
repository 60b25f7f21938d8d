"""Reads and answers what SIGNL4 senders post."""

from tocsin.inlets.signl4.inlet import Signl4Inlet

__all__ = ["Signl4Inlet"]
