"""What an owner may add to the tables, by database: what to say, and what undoes it.

`{books}` is the table of the books, `{author}` an author.
"""

from collections.abc import Mapping

Alteration = tuple[str, str]

UNIQUE_AUTHOR = "an author who may have one book"
AUTHORS = "a table of authors"
ITS_ROWS = "who is in it"
REFERENCE = "a reference to it"
FUNCTION = "what a trigger calls"
CREATED = "a trigger of new books"
CHANGED = "a trigger of changed books"

NOTHING = ("SELECT 1", "SELECT 1")
UPPER = "SET NEW.title = IF(LEFT(NEW.author, 12) = 'A trigger of', UPPER(NEW.title), NEW.title)"

POSTGRESQL: Mapping[str, Alteration] = {
    UNIQUE_AUTHOR: (
        "CREATE UNIQUE INDEX one_each ON {books} (author) WHERE author = '{author}'",
        "DROP INDEX one_each",
    ),
    AUTHORS: ("CREATE TABLE authors (name varchar PRIMARY KEY)", "DROP TABLE authors"),
    ITS_ROWS: NOTHING,
    REFERENCE: (
        "ALTER TABLE {books} ADD CONSTRAINT fk_books_author"
        " FOREIGN KEY (author) REFERENCES authors (name) NOT VALID",
        "ALTER TABLE {books} DROP CONSTRAINT fk_books_author",
    ),
    FUNCTION: (
        "CREATE FUNCTION spell() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.title = upper(NEW.title); RETURN NEW; END $$",
        "DROP FUNCTION spell()",
    ),
    CREATED: (
        "CREATE TRIGGER spelling BEFORE INSERT OR UPDATE ON {books} FOR EACH ROW"
        " WHEN (NEW.author LIKE 'A trigger of %') EXECUTE FUNCTION spell()",
        "DROP TRIGGER spelling ON {books}",
    ),
    CHANGED: NOTHING,
}
MYSQL: Mapping[str, Alteration] = {
    UNIQUE_AUTHOR: (
        "ALTER TABLE {books} ADD COLUMN one_each varchar(200)"
        " AS (CASE WHEN author = '{author}' THEN author END), ADD UNIQUE (one_each)",
        "ALTER TABLE {books} DROP COLUMN one_each",
    ),
    AUTHORS: ("CREATE TABLE authors (name varchar(200) PRIMARY KEY)", "DROP TABLE authors"),
    ITS_ROWS: ("INSERT INTO authors SELECT DISTINCT author FROM {books}", "SELECT 1"),
    REFERENCE: (
        "ALTER TABLE {books} ADD CONSTRAINT fk_books_author"
        " FOREIGN KEY (author) REFERENCES authors (name)",
        "ALTER TABLE {books} DROP FOREIGN KEY fk_books_author, DROP INDEX fk_books_author",
    ),
    FUNCTION: NOTHING,
    CREATED: (
        f"CREATE TRIGGER created BEFORE INSERT ON {{books}} FOR EACH ROW {UPPER}",
        "DROP TRIGGER created",
    ),
    CHANGED: (
        f"CREATE TRIGGER changed BEFORE UPDATE ON {{books}} FOR EACH ROW {UPPER}",
        "DROP TRIGGER changed",
    ),
}
# All else it cannot alter: see exceptions.py.
SQLITE = {UNIQUE_AUTHOR: POSTGRESQL[UNIQUE_AUTHOR]}
ALTERATIONS = {"postgresql": POSTGRESQL, "sqlite": SQLITE, "mysql": MYSQL, "mariadb": MYSQL}
