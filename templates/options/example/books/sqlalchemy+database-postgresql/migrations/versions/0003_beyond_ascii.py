"""Text beyond ASCII: authors in any case, and email addresses in their one form."""

import sqlalchemy as sa
from alembic import context, op

from app.addresses import lookup_form

revision = "0003"
down_revision = ("0000", "0001")
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have the index ignore case in every alphabet, and bring addresses into their form."""
    op.drop_index("ix_books_author_lower", "books")
    expression = sa.text("upper(author COLLATE unicode_case)")
    op.create_index("ix_books_author_caseless", "books", [expression])
    bring_addresses_into_form()


def bring_addresses_into_form() -> None:
    """Change addresses beyond ASCII; one whose form another user has stays as it is."""
    if context.is_offline_mode():  # as SQL, for a new database
        return
    connection = op.get_bind()
    users = sa.table("users", sa.column("id"), sa.column("email"))
    query = sa.select(users).where(users.c.email.regexp_match("[^ -~]")).order_by(users.c.id)
    for user_id, email in connection.execute(query).all():
        form = lookup_form(email)
        taken = sa.select(users.c.id).where(users.c.email == form)
        if not connection.execute(taken).first():
            connection.execute(sa.update(users).where(users.c.id == user_id).values(email=form))


def downgrade() -> None:
    """Have the index of before; the addresses are as good in this form."""
    op.drop_index("ix_books_author_caseless", "books")
    op.create_index("ix_books_author_lower", "books", [sa.text("lower(author)")])
