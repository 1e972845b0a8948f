"""The URLs of books."""

from rest_framework.routers import SimpleRouter

from books.views import BookViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("books", BookViewSet)

urlpatterns = router.urls
