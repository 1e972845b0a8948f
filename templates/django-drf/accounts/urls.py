"""The URLs of users and tokens."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("users", views.RegistrationView.as_view()),
    path("users/me", views.CurrentUserView.as_view()),
    path("auth/token", views.TokenView.as_view()),
    path("auth/revoke", views.RevocationView.as_view()),
]
