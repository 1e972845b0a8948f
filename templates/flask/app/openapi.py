"""How the OpenAPI document is made of views and schemas."""

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask_smorest.spec.plugins import FlaskPlugin
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from app.schemas import Form


class Views(FlaskPlugin):
    """Describes an operation by its view: its name, its docstring, the parameters of its path."""

    def path_helper(self, rule: Rule, operations: dict[str, Any], **_: Any) -> str:
        """Complete the operations of a rule, and return its path as OpenAPI writes it."""
        for operation in operations.values():
            operation["operationId"] = rule.endpoint.rpartition(".")[2]
            operation["summary"] = operation["summary"].removesuffix(".")
            if parameters := self.rule_to_params(rule):
                operation["parameters"] = parameters + operation.get("parameters", [])
        path: str = self.flaskpath2openapi(rule.rule)
        return path


class Converter(OpenAPIConverter):
    """Says of a parameter that it is required, but not that it is not."""

    def field2required(self, field: fields.Field[Any], **_: Any) -> dict[str, bool]:
        """Return what a parameter tells of that."""
        return {"required": True} if field.required else {}


class Schemas(MarshmallowPlugin):
    """Describes schemas under the names of their classes."""

    Converter = Converter


def component_name(schema: Schema | type[Schema]) -> Any:
    """Return the name of a schema in the document; a form has none, and stands where it is sent."""
    kind = schema if isinstance(schema, type) else type(schema)
    return None if issubclass(kind, Form) else kind.__name__


PLUGINS = {"flask_plugin": Views(), "marshmallow_plugin": Schemas(component_name)}
