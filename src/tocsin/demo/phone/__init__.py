"""The simulated phone that stands beside the house for demo and tests."""

from tocsin.demo.phone.phone import Phone, Receipt
from tocsin.demo.phone.rings import Action, Page, PagedAlert, Reply, Ring
from tocsin.demo.phone.server import PhoneServer

__all__ = [
    "Action",
    "Page",
    "PagedAlert",
    "Phone",
    "PhoneServer",
    "Receipt",
    "Reply",
    "Ring",
]
