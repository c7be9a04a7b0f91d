"""Errors of this room.

ResourceError
└── InvalidResource      the object can never be translated as it stands; names the field
"""


class ResourceError(Exception):
    """Anything that is wrong with a custom resource."""


class InvalidResource(ResourceError):
    """A field that no retry will mend: only the user can.

    Attributes:
        field: JSON path as the user wrote it, `spec.routes[0].http.match.prefix`.
        message: What is wrong with it, without the path.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}" if field else message)

    def __reduce__(self) -> tuple[type["InvalidResource"], tuple[str, str]]:
        """Pickle by both arguments; the default would pass only the joined text."""
        return type(self), (self.field, self.message)
