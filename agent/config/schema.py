"""The JSON Schema of the whole file, with the drivers and rules that are installed, for editors."""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from lamppost.agent.config.fields import is_secret
from lamppost.agent.config.load import RULES
from lamppost.agent.config.model import (
    DeviceSettings,
    EvidenceSettings,
    Hub,
    Node,
    Policy,
    SightSettings,
    SpoolSettings,
)
from lamppost.agent.config.plugins import NAME, plugin_class
from lamppost.agent.rules.api import Rule
from lamppost.drivers import registry
from lamppost.drivers.api import Driver

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SECRET = r"^file:.|\$\{[A-Za-z_][A-Za-z0-9_]*\}"  # noqa: S105 - the pattern of a reference
_NAMES = {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}


class _ForToml(GenerateJsonSchema):
    """TOML has no null: what may be None may be left out. Titles made of field names say nothing."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {k: v for k, v in made.items() if k != "default" or v is not None}

    def field_title_should_be_set(self, schema: Any) -> bool:
        _ = schema
        return False


def document() -> tuple[Schema, list[str]]:
    """Return the schema, and what had to be left out of it because it cannot be loaded."""
    defs: Schema = {}
    troubles: list[str] = []
    node = _table(Node, "node", defs)
    hub = _table(Hub, "hub", defs)
    spool = _table(SpoolSettings, "spool", defs)
    sight = _table(SightSettings, "sight", defs)
    evidence = _table(EvidenceSettings, "evidence", defs)
    policy = _table(Policy, "telemetry", defs)
    host = _table(DeviceSettings, "device", defs)
    drivers = _plugins(registry.DRIVERS, Driver, "driver", host, defs, troubles)
    rules = _plugins(RULES, Rule, "kind", {"properties": {}}, defs, troubles)
    properties = {
        "node": node,
        "hub": hub,
        "spool": spool,
        "sight": sight,
        "evidence": evidence,
        "telemetry": policy,
        "devices": {"description": "One table for each device: [devices.NAME].", **drivers},
        "rules": {"description": "One table for each rule: [rules.NAME].", **rules},
    }
    made = {
        "$schema": DIALECT,
        "title": "lamppost.toml",
        "description": "Configuration of one Lamppost node.",
        "type": "object",
        "properties": properties,
        "required": ["node"],
        "additionalProperties": False,
        "$defs": defs,
    }
    return made, troubles


def _table(model: type[BaseModel], prefix: str, defs: Schema) -> Schema:
    """Return the schema of one model; the models within it go to ``defs`` under ``prefix``."""
    made = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}", schema_generator=_ForToml)
    inner = made.pop("$defs", {})
    for found in (made, *inner.values()):
        _mark_secrets(found)
    defs |= {f"{prefix}.{name}": found for name, found in inner.items()}
    made.pop("title", None)
    return made


def _mark_secrets(table: Schema) -> None:
    for key, field in table.get("properties", {}).items():
        if field.get("type") == "string" and (field.get("format") == "password" or is_secret(key, None)):
            field["pattern"] = _SECRET


def _preset(properties: Schema, plugin: type[BaseModel]) -> Schema:
    """Return the host's keys with the defaults that a driver wants of them."""
    wanted = getattr(plugin, "host_defaults", {})
    return properties | {key: {**properties[key], "default": value} for key, value in wanted.items()}


def _plugins(
    group: str, kind: type[Driver | Rule], key: str, host: Schema, defs: Schema, troubles: list[str]
) -> Schema:
    """Return the schema of ``[devices]`` or ``[rules]``: tables that ``key`` tells apart."""
    names = []
    for name in registry.names(group):
        try:
            plugin: type[BaseModel] = plugin_class(name, group, kind, {key, *host["properties"]})
            own = _table(plugin, f"{key}.{name}", defs)
        except (registry.PluginError, PydanticInvalidForJsonSchema) as error:
            troubles.append(f"{name}: {error}")
            continue
        names.append(name)
        chosen = {"const": name, "description": getattr(plugin, "summary", "") or (plugin.__doc__ or "")}
        fields = {k: v for k, v in own.get("properties", {}).items() if k != NAME}
        defs[f"{key}.{name}"] = {
            "description": own.get("description", ""),
            "type": "object",
            "properties": {**_preset(host["properties"], plugin), **fields, key: chosen},
            "required": [key, *(k for k in own.get("required", []) if k != NAME)],
            "additionalProperties": own.get("additionalProperties", False),
        }
    table: Schema = {"type": "object", "required": [key], "properties": {key: {"enum": names}}}
    if names:
        table["oneOf"] = [{"$ref": f"#/$defs/{key}.{name}"} for name in names]
    return {"type": "object", "propertyNames": _NAMES, "additionalProperties": table}
