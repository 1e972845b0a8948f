"""The least that Flask can do: the measure of what the service does beside it."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}
