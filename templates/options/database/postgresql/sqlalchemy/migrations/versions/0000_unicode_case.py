"""Case as Unicode has it, for what is compared without regard to it."""

from alembic import op

revision = "0000"
down_revision = None
branch_labels = None
depends_on = None

# Case is the same whatever the locale of the database: with C, only ASCII has any.
UNICODE_CASE = """
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        CREATE COLLATION unicode_case (provider = builtin, locale = 'PG_UNICODE_FAST');
    ELSE
        CREATE COLLATION unicode_case (provider = icu, locale = 'und');
    END IF;
END
$$
"""


def upgrade() -> None:
    """Make the collation."""
    op.execute(UNICODE_CASE)


def downgrade() -> None:
    """Drop the collation."""
    op.execute("DROP COLLATION unicode_case")
