"""What the API answers when it does not do what was asked.

ApiError
├── BadRequest           400  the request breaks the service model or a rule of App Mesh; says which, by member path
├── Forbidden            403  not signed, not well signed, or somebody else's mesh
├── NotFound             404  the object, or one it refers to, does not exist
├── Conflict             409  the name is taken, or a token was used for another request
├── ResourceInUse        409  something still refers to what was to be deleted
├── LimitExceeded        400  a quota
├── TooManyTags          400
├── ServiceUnavailable   503  the database does not answer
├── InternalServerError  500  a bug of ours
└── UnknownOperation     404  no such URL; 405 for a URL that has other methods (the only code not in the model)

Codes and statuses are the service model's; a test compares them.
"""

from typing import ClassVar


class ApiError(Exception):
    """Base of all errors that become a response; the message is for the caller."""

    code: ClassVar[str]
    status: int

    @property
    def message(self) -> str:
        """What the caller is told."""
        return str(self)


class BadRequest(ApiError):
    """The request breaks the service model or a rule of App Mesh."""

    code = "BadRequestException"
    status = 400


class PayloadTooLarge(BadRequest):
    """The body is too large to be looked at."""

    status = 413


class Forbidden(ApiError):
    """The caller is not known, or may not do this."""

    code = "ForbiddenException"
    status = 403


class NotFound(ApiError):
    """The object, or one it refers to, does not exist."""

    code = "NotFoundException"
    status = 404


class Conflict(ApiError):
    """The name is taken, or a client token was used for another request."""

    code = "ConflictException"
    status = 409


class ResourceInUse(ApiError):
    """Something still refers to the object."""

    code = "ResourceInUseException"
    status = 409


class LimitExceeded(ApiError):
    """A quota would be exceeded."""

    code = "LimitExceededException"
    status = 400


class TooManyTags(ApiError):
    """The object would have more tags than it may."""

    code = "TooManyTagsException"
    status = 400


class ServiceUnavailable(ApiError):
    """The state cannot be reached right now."""

    code = "ServiceUnavailableException"
    status = 503


class InternalServerError(ApiError):
    """A bug of ours."""

    code = "InternalServerErrorException"
    status = 500


class UnknownOperation(ApiError):
    """There is no operation at this URL."""

    code = "UnknownOperationException"
    status = 404


class MethodNotAllowed(UnknownOperation):
    """There are operations at this URL, but not by this method."""

    status = 405

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed
