"""Tags: TagResource, UntagResource, ListTagsForResource, and the rules on tags that Create shares."""

from collections.abc import Iterator

from control_plane.api import paging
from control_plane.api.answers import Answer
from control_plane.api.decoding import Parameters
from control_plane.api.errors import NotFound, TooManyTags
from control_plane.api.semantics import KINDS
from control_plane.api.session import Session
from control_plane.api.validation import Violation, shown
from control_plane.store import objects, tags
from control_plane.store.records import ObjectRecord

DEFAULT_PAGE = 50
_RESERVED = "aws:"


def tag_violations(given: list[dict[str, str]]) -> Iterator[Violation]:
    """Keys that begin with `aws:` are reserved, and a key can have one value."""
    seen: set[str] = set()
    for index, key in enumerate(tag["key"] for tag in given):
        if key.lower().startswith(_RESERVED):
            yield Violation(f"tags[{index}].key", f"must not begin with {_RESERVED}, which is reserved")
        if key in seen:
            yield Violation(f"tags[{index}].key", f"another tag has the key {shown(key)} already")
        seen.add(key)


def tag_resource(session: Session, parameters: Parameters) -> Answer:
    """Set tags; a key that exists gets the new value, other tags stay.

    Raises:
        TooManyTags: the object would have more tags than the quota.
    """
    record = _tagged(session, parameters)
    wanted = {tag["key"]: tag["value"] for tag in parameters["tags"]}
    limit = session.installation.quotas.tags_per_resource
    total = len(tags.keys(session.connection, record.uid) | wanted.keys())
    if total > limit:
        raise TooManyTags(f"The object would have {total} tags; the limit is {limit}")
    tags.put(session.write, record.uid, wanted)
    return {}


def untag_resource(session: Session, parameters: Parameters) -> Answer:
    """Take tags off; keys that are not there are ignored."""
    tags.remove(session.write, _tagged(session, parameters).uid, parameters["tagKeys"])
    return {}


def list_tags_for_resource(session: Session, parameters: Parameters) -> Answer:
    """Show one page of an object's tags, by key."""
    limit = parameters.get("limit", DEFAULT_PAGE)
    collection = ("tags", parameters["resourceArn"])
    after = paging.position(collection, parameters.get("nextToken"))
    record = _tagged(session, parameters)
    found = tags.page(session.connection, record.uid, after=after, at_most=limit + 1)
    more = paging.next_token(collection, found[limit - 1][0]) if len(found) > limit else None
    return {"tags": [{"key": key, "value": value} for key, value in found[:limit]], "nextToken": more}


def _tagged(session: Session, parameters: Parameters) -> ObjectRecord:
    key = session.installation.arns.parse(parameters["resourceArn"])
    record = objects.get(session.connection, key)
    if record is None:
        raise NotFound(f"{KINDS[key.kind].noun} {parameters['resourceArn']} does not exist")
    return record
