"""Let the triggers that record edits find their rows by index, however small the tables were when they were planned.

PL/pgSQL plans a statement once in a session. Planned while `item_updates` was nearly empty, a bulk edit read the whole
of it again for each item: 14 seconds for 10,000 items, and four times as long for twice as many.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for function in ("record_edit()", "record_creation()"):
        op.execute(f"ALTER FUNCTION {function} SET enable_seqscan TO off")
