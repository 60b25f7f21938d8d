"""With what the secrets of people are sealed."""


def seal_context(method: int) -> str:
    """With what the signing key of a contact method is sealed."""
    return f"contact method {method}"
