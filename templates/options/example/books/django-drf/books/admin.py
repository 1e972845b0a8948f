"""Books in the admin site."""

from django.contrib import admin

from books.models import Book


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    """Books, found by their words, their number and their time."""

    list_display = ["title", "author", "publication_date", "isbn", "creator"]
    list_filter = ["publication_date", "created_at"]
    list_select_related = ["creator"]
    search_fields = ["title__unicode_case", "author__unicode_case", "isbn"]
    date_hierarchy = "publication_date"
    autocomplete_fields = ["creator"]
    readonly_fields = ["created_at", "updated_at"]
