"""What is told of resources, one step after the other, and what there is at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from stackyard.resources import fields, names
from stackyard.resources.errors import ResourceError


@dataclass(frozen=True)
class Field:
    """One field; `limits` is what stands in the braces, in the one form of its type."""

    name: str
    type: str
    limits: str
    required: bool
    unique: bool
    index: bool

    @property
    def column(self) -> str:
        """Return what its column is called, as its value is in JSON."""
        return f"{self.name}_id" if self.type == fields.REFERENCES else self.name

    def __str__(self) -> str:
        """Return it as an answer has it."""
        braces = f"{{{self.limits}}}" if self.limits else ""
        marks = f"{'!' if self.required else ''}{':uniq' if self.unique else ''}"
        marks += ":index" if self.index else ""
        return f"{self.name}:{self.type}{braces}{marks}"


@dataclass(frozen=True)
class Resource:
    """What rows of one table are: `name` is what one is called, `plural` what several are."""

    name: str
    plural: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        """Return it as an answer has it."""
        return f"{self.name}/{self.plural} {' '.join(map(str, self.fields))}"

    @property
    def targets(self) -> set[str]:
        """Return the resources whose rows it names."""
        return {field.limits for field in self.fields if field.type == fields.REFERENCES}

    @property
    def constraints(self) -> set[str]:
        """Return what its constraints and indexes are called, but for their kind."""
        columns = [*(field.column for field in self.fields), "creator_id", "created_at_id"]
        return {f"{self.plural}_{column}" for column in columns}

    @property
    def classes(self) -> set[str]:
        """Return the classes that the project has for it, and the types of its fields."""
        name = _class(self.name)
        types = [*(field.column for field in self.fields), "ordering"]
        return {
            *(f"{name}{suffix}" for suffix in ("", "In", "Patch", "Query", "Page")),
            *(f"_{name}{_class(one)}" for one in types),
        }


@dataclass(frozen=True)
class Addition:
    """Fields that a resource got later, and that its older rows have nothing in."""

    resource: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        """Return it as an answer has it."""
        return f"+{self.resource} {' '.join(map(str, self.fields))}"


@dataclass(frozen=True)
class Removal:
    """The end of a resource."""

    resource: str

    def __str__(self) -> str:
        """Return it as an answer has it."""
        return f"-{self.resource}"


Step = Resource | Addition | Removal
"""What is told at once."""


def _class(name: str) -> str:
    """Return a name as one of a class."""
    return "".join(word.capitalize() for word in name.split("_"))


def at_the_end(steps: Iterable[Step]) -> list[Resource]:
    """Return the resources that there are after some steps, one after the other.

    Raises:
        ResourceError: if one of these cannot be, saying why in one line.
    """
    found: dict[str, Resource] = {}
    gone: list[Resource] = []
    for step in steps:
        if isinstance(step, Removal):
            gone.append(_known(step.resource, found))
            del found[step.resource]
            for other in found.values():
                if step.resource in other.targets:
                    reason = f"{other.name} names rows of it; remove that first"
                    raise ResourceError(step.resource, reason)
            continue
        if isinstance(step, Addition):
            after = _added(_known(step.resource, found), step)
            others = [one for one in found.values() if one.name != after.name]
        else:
            after, others = step, [*found.values()]
            if {step.name, step.plural} & {name for one in gone for name in (one.name, one.plural)}:
                reason = "the migrations of one that was called so are there; choose another name"
                raise ResourceError(step.name, reason)
        _check(after)
        _check_beside(after, others)
        found[after.name] = after
    return [*found.values()]


def in_order(steps: list[Step]) -> list[Step]:
    """Return the same, the first resources each after those whose rows it names, if that can be.

    What is in order already stays as it is.
    """
    left: list[Resource] = []
    for step in steps:
        if not isinstance(step, Resource):
            break
        left.append(step)
    found, later = list[Step](), steps[len(left) :]
    while left:
        names = {one.name for one in left}
        ready = (one for one in left if not one.targets & (names - {one.name}))
        found.append(next(ready, left[0]))
        left = [one for one in left if one is not found[-1]]
    return [*found, *later]


def _known(name: str, resources: Mapping[str, Resource]) -> Resource:
    if name in resources:
        return resources[name]
    known = f"there are {', '.join(resources)}" if resources else "there are none"
    raise ResourceError(name, f"no resource is called so; {known}")


def _added(resource: Resource, addition: Addition) -> Resource:
    for field in addition.fields:
        if field.required:
            reason = "rows that are there have none, so it cannot be required; leave out the !"
            raise ResourceError(field.name, reason)
    return replace(resource, fields=resource.fields + addition.fields)


def _check(resource: Resource) -> None:
    """Refuse what a resource cannot be, whatever others there are."""
    plural, told = resource.plural, [field.column for field in resource.fields]
    called = [field.name for field in resource.fields]
    names.check_resource(resource.name, plural)
    ranges = {
        f"{field.name}_{end}"
        for field in resource.fields
        if field.type in fields.RANGED
        for end in ("from", "to")
    }
    for field in told:
        if told.count(field) > 1 or called.count(field) > 1:
            raise ResourceError(field, f"{resource.name} has it twice; keep one of them")
        if field in ranges:
            raise ResourceError(field, "lists are narrowed by that parameter; choose another name")
        if len(plural) + len(field) > names.CONSTRAINT:
            reason = f"with {plural} it is longer than {names.CONSTRAINT} letters"
            raise ResourceError(field, f"{reason}, which no constraint is called; choose another")
        if [_class(name) for name in told].count(_class(field)) > 1:
            raise ResourceError(field, "its type is called as that of another field; rename it")
    if all(one.type == fields.REFERENCES for one in resource.fields):
        reason = "it has nothing of its own, beside what names other rows; give it another field"
        raise ResourceError(resource.name, reason)


def _check_beside(resource: Resource, others: list[Resource]) -> None:
    """Refuse what a resource cannot be beside others, whose rows it may name."""
    known = {resource.name, *(other.name for other in others)}
    for one in resource.fields:
        if one.type != fields.REFERENCES:
            continue
        if one.limits not in known:
            reason = f"there is no resource {one.limits!r} to name a row of"
            raise ResourceError(one.name, f"{reason}; tell that first")
        if one.required and one.limits == resource.name:
            reason = "each row would need another before it, so there is no first; leave out the !"
            raise ResourceError(one.name, reason)
        if one.required and one.unique:
            reason = "what names a row cannot be required and unique yet; leave out the ! or :uniq"
            raise ResourceError(one.name, reason)
    for other in others:
        if {resource.name, resource.plural} & {other.name, other.plural}:
            raise ResourceError(resource.name, "it is told twice; keep one of them")
        if resource.constraints & other.constraints:
            reason = f"a constraint of it would be called as one of {other.name}; rename a field"
            raise ResourceError(resource.name, reason)
        # In whatever case: so the cache names the rows of Django's.
        if {*map(str.lower, resource.classes)} & {*map(str.lower, other.classes)}:
            reason = f"a class of it is called as one of {other.name}; rename it"
            raise ResourceError(resource.name, reason)
