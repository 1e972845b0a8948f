"""How bodies are written: as JSON in UTF-8, without blanks."""

import json
from typing import Any

from rest_framework import renderers


class JSONRenderer(renderers.JSONRenderer):
    """DRF's, but for U+2028 and U+2029: what JSON does not escape stays as it is."""

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        """Return the body; of no data there is none."""
        if data is None:
            return b""
        separators = (",", ":")
        return json.dumps(
            data, cls=self.encoder_class, ensure_ascii=False, separators=separators
        ).encode()
