"""What resources and their fields can be called."""

from __future__ import annotations

import keyword
import re
import sys

from stackyard.resources.errors import ResourceError

LONGEST = 40
"""How many letters a name has at most."""

CONSTRAINT = 63 - len("uq__")
"""How many of a table and a column together: PostgreSQL's longest name, for `uq_table_column`."""

LIKE_DIGITS = frozenset({"i", "l", "o"})
"""What linters refuse, as a variable (E741) or as the class that is named after it (E742)."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SQL = _words(
    """
    all analyse analyze and any array as asc asymmetric between bigint bit both by case cast char
    character check collate column constraint create cross current_date current_role current_time
    current_timestamp current_user database default deferrable delete desc distinct do drop else
    end escape except exists explain false fetch float for foreign from full grant group having in
    index initially inner insert int integer intersect interval into is join key keys lateral
    leading left like limit localtime localtimestamp natural not null numeric offset on only or
    order outer overlaps placing primary range rank read real references returning right row rows
    schema select session_user set similar smallint some symmetric system table tablesample then
    to trailing trigger true union unique update user using values varchar variadic varying view
    when where window with
    """
)
"""What PostgreSQL, SQLite, MySQL or MariaDB would have to have in quotes."""

_OWN_FIELDS = frozenset({"id", "creator", "creator_id", "created_at", "updated_at"})
_OWN_INDEX = "created_at_id"
"""What the index behind every list is called, after its table."""

_QUERIES = frozenset({"page", "page_size", "search", "ordering"})
_CODE = _words(
    """
    bool date datetime fields func int mapped_column metadata registry self str
    """
)
"""What the code of a table or a schema calls something else."""

_MODEL = _words(
    """
    construct copy dict from_orm json model_computed_fields model_config model_construct model_copy
    model_extra model_fields model_fields_set model_json_schema model_parametrized_name
    model_post_init model_rebuild parse_file parse_obj parse_raw schema schema_json
    update_forward_refs validate
    """
)
_MODEL_BEGINS = ("model_dump", "model_validate")
"""What a pydantic model has already, and what it keeps for itself."""

_CLASSES = _words(
    """
    after_validator amount annotated any author_count base base_model before_validator big_integer
    book book_in book_page book_patch book_query boolean change check_constraint column_element
    computed config_dict core_schema current_user date date_time decade_count decimal
    declarative_base dialect digits double email_address field field_error filter fixed_point flag
    foreign_key form generic get_core_schema_handler grant health identifier index input isbn
    iso_date length literal mailbox mapped meta_data model moment name numeric one_of ordering
    output page page_query parameter password problem range real_number refresh_token report
    report_status revocation row schema sought sought_number str_enum strict_bool string
    string_constraints summary term text time token_error token_pair token_request type_decorator
    type_var user user_in utc_date_time uuid validation_error web_address whole_number
    with_json_schema
    """
)
"""Whose class would be called as another of the project."""

_DJANGO_FIELDS = _words(
    """
    adelete arefresh_from_db asave base_filters clean clean_fields data date_error_message
    declared_filters errors filters form form_prefix from_db full_clean get_constraints
    get_deferred_fields is_bound is_valid models objects pk prepare_database_save qs queryset
    refresh_from_db request save save_base serializable_value settings unique_error_message
    validate_constraints validate_unique
    """
)
"""What Django's rows and filter sets, or the code of a model, have by that name."""

_DJANGO_CLASSES = _words(
    """
    caseless choice email_field enum field_error float integer model ordering resource search
    """
)
"""Whose filters, serializers or views would be called as others of Django's project."""

_ROUTES = _words(
    """
    book books healthz me metrics own readyz report reports revoke token users
    """
)
"""What Pyramid's routes are called, be they of one or several, or a class of what they lead to."""

DJANGO_APPS = _words(
    """
    accounts admin attrs auth client_address config contenttypes core devservers django_filters docs
    drf_spectacular groups k8s load manage messages migrations monitoring objects requests
    rest_framework sessions staticfiles tests tracing user_permissions
    """
)
"""What is imported by that name beside Django's apps, and what its users have already."""

MODULES = _words(
    """
    addresses app asynccontextmanager asyncio attempts auth backup base book books cache cached
    changes cli client_address conditions configure_logging conflicts conftest cors csp db
    dependencies dialect docs endless engine errors etags extensions factories feed filters fixtures
    gauges gc guard health held hub lag lifespan limits listing logger logs mail main metrics
    middleware migrations models mysql openapi pages postgresql problems proxies queue rabbitmq
    races re readiness replica report reports requests resources routers rows saving schemas
    security sentry sentry_sdk server settings sqlite start_sentry statuses structlog task_metrics
    tasks tokens users values welcome worker
    """
)
"""What else a project has in `app/`, imports where it is put together, or has tests of."""

_TOLD = "type"
"""What a message of the feed has beside the row that it tells of."""


def check_field(name: str) -> None:
    """Refuse what no field can be called.

    Raises:
        ResourceError: saying why.
    """
    _check_form(name)
    _check_sql(name)
    if name in _OWN_FIELDS:
        raise ResourceError(name, "every resource has one already; leave it out")
    if name == _OWN_INDEX:
        raise ResourceError(name, "an index of every table is called so; choose another")
    if name in _DJANGO_FIELDS:
        raise ResourceError(name, "every row in Django has something of that name; choose another")
    if name in _QUERIES:
        raise ResourceError(name, "lists have a parameter of that name; choose another")
    if name in _CODE | _MODEL or name.startswith(_MODEL_BEGINS):
        raise ResourceError(name, "the code has something else of that name; choose another")


def check_resource(name: str, plural: str) -> None:
    """Refuse what no resource can be called, be it one or several.

    Raises:
        ResourceError: saying why.
    """
    _check_form(name)
    _check_form(plural)
    _check_sql(plural)
    if name.replace("_", "") == plural.replace("_", ""):
        raise ResourceError(name, f"one and several are called the same; say {name}/several_{name}")
    if name in _CLASSES | _DJANGO_CLASSES | _ROUTES:
        raise ResourceError(name, "the code has something else of that name; choose another")
    if plural in MODULES | DJANGO_APPS | _CODE | _ROUTES | sys.stdlib_module_names:
        raise ResourceError(
            plural, f"the code has something else of that name; say {name}/another_word"
        )
    if name == _TOLD:
        raise ResourceError(name, "messages of Tornado's feed have something else of that name")


def _check_sql(name: str) -> None:
    if name in SQL:
        raise ResourceError(name, "it is a word of SQL's own; choose another")


def _check_form(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ResourceError(name, f"a name is of a-z, 0-9 and single _{_nearest(name)}")
    if len(name) > LONGEST:
        raise ResourceError(name, f"a name has {LONGEST} letters at most")
    if name in LIKE_DIGITS:
        raise ResourceError(name, "it is read as a digit; choose a longer one")
    if keyword.iskeyword(name):
        raise ResourceError(name, "it is a word of Python's own; choose another")


def _nearest(name: str) -> str:
    """Return what to say instead, if anything is near."""
    from slugify import slugify

    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    near = slugify(words, separator="_").lstrip("0123456789_")
    return f"; say {near}" if near and not keyword.iskeyword(near) else ""
