"""The least that FastAPI can do: the measure of what the service does beside it."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}
