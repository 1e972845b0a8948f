"""Authors found in any case, in every alphabet."""

from django.db import migrations, models
from django.db.models.functions import Upper

from core.lookups import UnicodeCase


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_beyond_ascii"),
        ("books", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="book", name="books_book_author_upper"),
        migrations.AddIndex(
            model_name="book",
            index=models.Index(Upper(UnicodeCase("author")), name="books_book_author_caseless"),
        ),
    ]
