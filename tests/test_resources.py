"""Resources of the owner's own: what can be said of them, and what a project has of that."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import copier
import pydantic
import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from combinations import CHOICES, FRAMEWORKS, ROOT, TEMPLATE, offered
from conftest import CHECKOUT_WARNINGS, STACKYARD, Command, generated, run
from stackyard.making.generate import generate
from stackyard.resources import ResourceError, canonical, parse
from stackyard.resources.fields import EXACT
from stackyard.resources.names import CONSTRAINT, LONGEST, MODULES, check_field, check_resource
from stackyard.template import jinja

SHOP = (
    "product name:string{1..200}! sku:string!:uniq price:decimal{10.2}! stock:integer"
    " status:enum{draft,live} released:date"
)
DATABASES = CHOICES["database"]
# What each type takes, a field without anything else, and names that are as long as may be.
LONG = "x" * LONGEST
EVERY = [
    *("boolean!", "date:index", "datetime!", "decimal", "enum{one}", "integer:index"),
    *("string!:uniq", "text{9..99}", "uuid:index", "email!", "url{255}:index", "float{-0.5..1}!"),
    "json!",
]
# One with every type that is in none of these, required and not.
EVENT = (
    "event starts:datetime!:index ends:datetime:uniq code:uuid!:uniq other_code:uuid"
    " host:email! reply_to:email:uniq site:url! ticket:url{255}:uniq"
    " ratio:float{0..1}! share:float:uniq below:float{..1.5} above:float{-0.5..}:index"
    " detail:json! extra:json"
)
ODD = [
    "user_group level:integer{1..9}!:uniq active:boolean! rate:decimal{3.3} note:text{5..500}!",
    f"{LONG}/{LONG[:-1]}y {'f' * (CONSTRAINT - LONGEST)}:enum{{one,two-and-more,three_and_more}}",
    f"{'z' * LONGEST}/{'z' * (CONSTRAINT - LONGEST)} "
    + " ".join(f"{one * LONGEST}:{kind}" for one, kind in zip("abcdefghijklm", EVERY, strict=True)),
    "person flag:boolean",
    EVENT,
    # Rows that name others: of a resource that is told later, of long names, of the same one.
    "house age:integer at:references{street}!"
    f" {'w' * (CONSTRAINT - LONGEST - 3)}:references{{{LONG}}}:uniq",
    f"street name! {'y' * LONGEST}:references{{street}}",
]
# What comes later, of every type and with long names.
ADDED = [
    *(
        f"+{LONG} {one * (CONSTRAINT - LONGEST)}:{kind.replace('!', '')}"
        for one, kind in zip("ghijklmnopqrs", EVERY, strict=True)
    ),
    "+person note:text rate:decimal extra:json mood:enum{good,bad} home:references{house}",
    "-user_group",
]


OTHERS = (":datetime", ":uuid", ":email", ":url{255}", ":float", ":float{-1.5..}")
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,9}){0,3}", fullmatch=True)


@st.composite
def fields(draw: st.DrawFn, name: str) -> str:
    """Draw one field, in whatever form."""
    low, more = draw(st.integers(0, 300)), draw(st.integers(1, 700))
    least = draw(st.integers(-EXACT, EXACT))
    most = draw(st.integers(least, EXACT))
    digits = draw(st.integers(1, 30))
    words = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,15}", fullmatch=True)
    choices = draw(st.lists(words, min_size=1, max_size=9, unique=True))
    kind = draw(
        st.sampled_from(
            [
                "",
                ":string",
                f":string{{{low}..{low + more}}}",
                f":text{{{low}..{low + more}}}",
                ":integer",
                f":integer{{{least}..{most}}}",
                f":decimal{{{digits}.{draw(st.integers(0, min(digits, 6)))}}}",
                ":boolean",
                ":date",
                ":json",
                *OTHERS,
                f":enum{{{','.join(choices)}}}",
            ]
        )
    )
    marked = kind in (*("", ":string", ":integer", ":date"), *OTHERS)
    mark = draw(st.sampled_from(["", ":uniq", ":index"])) if marked else ""
    return f"{name}{kind}{draw(st.sampled_from(['', '!']))}{mark}"


def can_be(name: str) -> bool:
    try:
        check_field(name)
        check_resource(name, f"{name}s")
    except ResourceError:
        return False
    return True


@st.composite
def resources(draw: st.DrawFn) -> list[str]:
    """Draw one to five resources, of one to seven fields each, which name rows of others."""
    names = draw(st.lists(NAMES.filter(can_be), min_size=1, max_size=5, unique=True))
    told = []
    for number, name in enumerate(names):
        found = draw(st.lists(NAMES.filter(can_be), min_size=1, max_size=7, unique=True))
        fits = [field for field in found if len(field) + len(name) < CONSTRAINT] or ["x"]
        first = draw(st.integers(1, len(fits)))
        own = [draw(fields(field)) for field in fits[:first]]
        targets = draw(st.lists(st.sampled_from(names[: number + 1]), max_size=2, unique=True))
        marks = ["", ":uniq", *(["!"] if name not in targets else [])]
        own += [f"{one}:references{draw(st.sampled_from(marks))}" for one in targets]
        told.append(" ".join([f"{name}/{name}s", *own]))
        if fits[first:]:
            later = (draw(fields(field)).replace("!", "") for field in fits[first:])
            told.append(" ".join([f"+{name}", *later]))
    return told


def parsed(told: list[str]) -> str:
    """Return the one form of what can be told; what collides by chance is left to other tests."""
    try:
        return canonical(told)
    except ResourceError:
        return ""


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(resources())
def test_the_template_reads_what_the_command_tells(told: list[str]) -> None:
    text = parsed(told)

    assert parse([text] if text else []) == (parse(told) if text else [])
    answers = {"framework": FRAMEWORKS[0], "database": "postgresql", "resources": text}
    assert TEMPLATE.refusal("resources", answers) == ""
    read = jinja.render(ROOT, "{% include 'templates/resources.jinja' %}", answers)
    for one, resource in zip(json.loads(read), parse([text] if text else []), strict=True):
        assert (one["name"], one["plural"]) == (resource.name, resource.plural)
        for field, known in zip(one["fields"], resource.fields, strict=True):
            kind = "integer" if known.type == "references" else known.type
            assert (field["name"], field["type"]) == (known.column, kind)
            if known.type == "references":
                assert field["target"]["name"] == known.limits
                continue
            assert (field["required"], field["unique"]) == (known.required, known.unique)
            assert field["index"] == known.index
            limits = {
                "enum": ",".join(field["choices"]),
                "decimal": f"{field['digits']}.{field['places']}",
                "url": str(field["max"]),
            }.get(known.type, f"{field['min']}..{field['max']}")
            assert known.limits in ("", limits)


def make(path: Path, framework: str, told: list[str], **answers: str) -> Path:
    """Make a shop with these resources."""
    known = {"framework": framework, "project_name": "shop", "resources": canonical(told)}
    generate(TEMPLATE, {**known, **answers}, path, with_git=False, with_lock=False)
    return path


def judge(project: Path) -> None:
    """Have the linter find a project in order, and laid out as it lays it out."""
    ruff = STACKYARD.with_name("ruff")
    run(ruff, "check", "--no-cache", cwd=project)
    run(ruff, "format", "--no-cache", "--check", cwd=project)


ANSWERS = [
    {},
    {"cache": "none"},
    {"tasks": "none"},
    {"cache": "none", "tasks": "none"},
    {"replicas": "streaming"},
    {"replicas": "streaming", "cache": "none"},
    *({"database": name} for name in DATABASES if name != "postgresql"),
    {"database": "sqlite", "example": "books"},
    {"database": "mysql", "example": "books", "tasks": "none"},
]


@pytest.mark.parametrize(
    ("framework", "answers"),
    [
        pytest.param(framework, told, id=f"{framework}-{'-'.join(told.values()) or 'defaults'}")
        for framework in FRAMEWORKS
        for told in ANSWERS
        if offered({"database": "postgresql"} | told | {"framework": framework})
    ],
)
def test_whatever_the_names_a_project_is_in_order(
    tmp_path: Path, framework: str, answers: dict[str, str]
) -> None:
    project = make(tmp_path / "shop", framework, [SHOP, *ODD, *ADDED], **answers)
    judge(project)
    readme = (project / "README.md").read_text("utf-8")
    assert len(re.findall(r"(?m)^ *products(/|\.py) ", readme)) == 1  # in the tree of files


@pytest.mark.parametrize("framework", FRAMEWORKS)
@settings(
    max_examples=4,
    # A shop takes seconds: what fails is shown as it was drawn.
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(resources().filter(parsed), st.sampled_from(DATABASES))
# Without a number or a flag, whose parsers stand beside its own.
@example(["pot mail:email"], "postgresql")
def test_any_resources_are_in_order(
    tmp_path_factory: pytest.TempPathFactory, framework: str, told: list[str], database: str
) -> None:
    """On the database that is drawn, or on PostgreSQL where it does not take them."""
    answers = {"framework": framework, "database": database, "resources": parsed(told)}
    if not offered(answers) or TEMPLATE.refusal("resources", answers):
        database = "postgresql"
    place = tmp_path_factory.mktemp("resources") / "shop"
    judge(make(place, framework, told, database=database))


def defined(file: Path) -> set[str]:
    """Return the names of a module: what it imports, defines or assigns."""
    found = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name for alias in node.names}
            case ast.Assign():
                found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return found


@pytest.mark.xdist_group("rendered")
def test_no_resource_takes_a_name_of_the_project(rendered: dict[str, Path]) -> None:
    """Neither a module's, nor a class's of the tables and the schemas."""
    for name, project in rendered.items():
        modules = {path.stem.removeprefix("test_") for path in project.glob("tests/**/*.py")}
        if (project / "app/routers").exists():  # FastAPI
            modules |= {path.stem for path in (project / "app/routers").glob("*.py")}
            modules |= {one for one in defined(project / "app/main.py") if one.islower()}
        elif (project / "app/extensions.py").exists():  # Flask
            modules |= {path.stem for path in (project / "app").glob("*.py")}
        elif (project / "app/handlers").exists():  # Tornado
            modules |= {path.stem for path in (project / "app/handlers").glob("*.py")}
            modules |= {one for one in defined(project / "app/app.py") if one.islower()}
        elif (project / "app/views").exists():  # Pyramid
            modules |= {path.stem for path in (project / "app/views").glob("*.py")}
        else:
            continue
        assert modules - {"__init__", "__main__"} - MODULES == set(), name
        files = [project / "app/models.py", project / "app/schemas.py"]
        classes = {one for file in files if file.exists() for one in defined(file)}
        for taken in filter(lambda one: re.fullmatch(r"([A-Z][a-z]+)+", one), classes):
            word = re.sub(r"\B([A-Z])", r"_\1", taken).lower()
            with pytest.raises(ResourceError):
                check_resource(word, f"{word}s")


@pytest.mark.xdist_group("rendered")
def test_no_resource_takes_a_name_of_pyramid(rendered: dict[str, Path]) -> None:
    """Neither a route's, for one or several, nor that of a schema or of what a URL stands for."""
    for project in rendered.values():
        if not (project / "app/openapi.yaml").exists():
            continue
        code = "".join(path.read_text("utf-8") for path in (project / "app").glob("*.py"))
        for route in re.findall(r'add_route\("([a-z_]+)"', code):
            for told in ((route, "things"), ("thing", route)):
                with pytest.raises(ResourceError):
                    check_resource(*told)
        document = yaml.safe_load((project / "app/openapi.yaml").read_text("utf-8"))
        schemas = document["components"]["schemas"]
        found = re.findall(r"class (\w+)Resource\b", code)
        for taken in {*found, *schemas, *(re.sub("(In|Page|Patch)$", "", one) for one in schemas)}:
            word = re.sub(r"\B([A-Z])", r"_\1", taken).lower()
            with pytest.raises(ResourceError):
                check_resource(word, f"{word}s")


@pytest.mark.parametrize("name", [one for one in dir(pydantic.BaseModel) if one[0] != "_"])
def test_no_field_takes_a_name_of_its_model(name: str) -> None:
    with pytest.raises(ResourceError):
        check_field(name)


@pytest.mark.filterwarnings(CHECKOUT_WARNINGS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_plain_copier_makes_the_same(tmp_path: Path, clone: Path, framework: str) -> None:
    told = {"framework": framework, "project_name": "shop", "resources": canonical([SHOP])}
    expected = generated(make(tmp_path / "command", framework, [SHOP]))

    copier.run_copy(str(clone), tmp_path / "copier", told, defaults=True, quiet=True)

    made = generated(tmp_path / "copier")
    assert made.keys() == expected.keys()
    assert {path for path in made if made[path] != expected[path]} <= {".copier-answers.yml"}


@pytest.mark.filterwarnings(CHECKOUT_WARNINGS)
@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"resources": "product name!"}, "stackyard new --resource"),
        ({"database": "sqlite", "resources": canonical(["pot size:decimal{19.2}"])}, "18 digits"),
    ],
)
def test_plain_copier_refuses_what_cannot_be(
    tmp_path: Path, clone: Path, answers: dict[str, str], reason: str
) -> None:
    told = {"framework": "flask", "resources": canonical([SHOP]), **answers}
    with pytest.raises(ValueError, match=reason):
        copier.run_copy(str(clone), tmp_path / "shop", told, defaults=True, quiet=True)
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (["flask", "shop", "--resource", "product name:strin"], "'strin' is no type"),
        (
            ["flask", "shop", "--resource", "pot size:decimal{19.0}", "--database", "sqlite"],
            "18 digits",
        ),
        (
            ["django-drf", "shop", "--resource", "pot size:decimal{16.0}", "--database", "sqlite"],
            "15 digits",
        ),
    ],
)
def test_the_command_refuses_and_writes_nothing(
    stackyard: Command, told: list[str], reason: str
) -> None:
    done = stackyard("new", *told, "--defaults")

    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (stackyard.directory / "shop").exists()


def test_the_same_again_is_the_same(stackyard: Command) -> None:
    told = ["--resource", SHOP, "--resource", "category:name"]
    done = stackyard("new", "flask", "shop", *told, "--defaults", "--no-lock", "--no-git")
    assert done.returncode == 0, done.stderr
    answers = stackyard.directory / "shop/.copier-answers.yml"
    assert "resources: product/products name:string{1..200}!" in answers.read_text("utf-8")

    again = ["new", "flask", "again", "--answers", str(answers), "--defaults", "--json"]
    known = json.loads(stackyard(*again, "--dry-run").stdout)

    assert known["answers"]["resources"] == canonical([SHOP, "category:name"])
    assert known["repeat"].count("--resource ") == 2
