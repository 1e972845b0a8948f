"""The URLs of authors."""

from django.urls import path

from authors.views import AuthorsView

urlpatterns = [path("authors", AuthorsView.as_view())]
