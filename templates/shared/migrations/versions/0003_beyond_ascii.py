"""Email addresses in the one form in which they are looked up."""

import sqlalchemy as sa
from alembic import context, op

from app.addresses import lookup_form

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring addresses beyond ASCII into that form, of two that come to one only the first."""
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
    """Leave the addresses, which are as good in this form."""
