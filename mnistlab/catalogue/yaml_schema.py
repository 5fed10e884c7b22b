"""The JSON schema of YAML presets, from the catalogue: every form that is read, and nothing that would be refused.

Draft 7, which editors know best. Each class has a definition of its own; what `class_path` says decides which counts.
Where no class is named it may be chosen elsewhere, so that the options of all classes of the kind are taken. A class of
the user's own is taken with any options.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from mnistlab.catalogue import Catalogue, ClassEntry, KindEntry, OptionEntry
from mnistlab.options.arguments import BASE, STEERING
from mnistlab.options.domains import domain_words
from mnistlab.options.entries import Value
from mnistlab.options.kinds import schema_of
from mnistlab.options.lightning_cli import MOVED, OF_CALLS, SUBCOMMANDS
from mnistlab.options.written import SWEEP
from mnistlab.system.strict_json import spelt

Schema = dict[str, Value]

_DOTTED = r"^(?!mnistlab\.)[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
"""The path of a class that may be the user's own."""

_CHOICE = r"^choice:"
_DOMAIN = rf"^({'|'.join(domain_words())}):"
"""What a sweep takes in place of a value."""

_INIT = r"(init_args\.)?"


@lru_cache(maxsize=1)
def schema_text(catalogue: Catalogue) -> str:
    """The schema as JSON."""
    return json.dumps(spelt(_Builder(catalogue).schema()), separators=(",", ":"), ensure_ascii=False) + "\n"


class _Builder:
    """Writes the schema of a catalogue.

    Args:
        catalogue: What there is to choose from.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._definitions: dict[str, Schema] = {}

    def schema(self) -> Schema:
        for name, kind in self._catalogue.kinds.items():
            if self._single(name) == name:
                self._add_kind(name, kind)
        properties = {option.name: self._option(option) for option in self._catalogue.top}
        checks: list[Schema] = []
        for name, section in self._catalogue.sections.items():
            if section.kind:
                properties[name] = {**self._choice(section.kind), "description": f"A class: {section.kind}."}
                checks.append(_unless(self._own(name, section.kind), self._below(name, section.kind)))
                checks.extend(self._slots_below(name, section.kind))
            elif section.entry:
                self._add_class(name, "any", section.entry.options)
                properties[name] = {"allOf": [_ref(f"{name}:any")], "description": section.entry.summary}
                checks.append(self._below(name, name))
                checks.extend(self._slots_below(name, name))
        slots = {option.name: option.kind for option in self._catalogue.top if option.kind}
        checks.extend(_unless(self._own(name, kind), self._below(name, kind)) for name, kind in slots.items())
        of_sweep = {option.name: self._option(option, swept=False) for option in self._catalogue.sweep.options}
        self._add_object(f"{SWEEP}:any", of_sweep, {})
        properties[SWEEP] = {
            "allOf": [_ref(f"{SWEEP}:any")],
            "description": "How a sweep goes about: mnistlab sweep --help.",
        }
        checks.append(self._below(SWEEP, SWEEP))
        properties |= self._beside()
        sections = "|".join([*self._catalogue.sections, *slots, SWEEP])
        more: Schema = {rf"^{name}\+$": _ref(f"{kind}:name") for name, kind in slots.items()}
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "mnistlab",
            "description": "A configuration of mnistlab: a preset, or what a run has saved.",
            "type": "object",
            "properties": properties,
            "patternProperties": {rf"^({sections})\.": {}, **more},
            "additionalProperties": False,
            "allOf": checks,
            "definitions": self._definitions,
        }

    def _beside(self) -> dict[str, Schema]:
        """What stands in files only: what a preset builds on, and what LightningCLI writes."""
        name: Schema = {"type": "string", "minLength": 1}
        base: Schema = {"anyOf": [name, {"type": "array", "items": name}, {"type": "null"}], "description": BASE.text}
        nothing: Schema = {"type": "null"}
        moved = {key: {"anyOf": [self._choice(target[-1]), nothing]} for key, target in MOVED.items()}
        calls: dict[str, Schema] = {key: {} for key in OF_CALLS}
        weights: Schema = {"type": ["string", "null"], "description": "What a command goes on with, or measures."}
        steering: dict[str, Schema] = {option.name: nothing for option in STEERING}
        within: dict[str, Schema] = {key: {"anyOf": [{"$ref": "#"}, nothing]} for key in SUBCOMMANDS}
        return {BASE.name: base, **steering, "ckpt_path": weights, **moved, **calls, **within}

    def _add_kind(self, name: str, kind: KindEntry) -> None:
        known = {key: _pattern(entry) for key, entry in kind.classes.items()}
        summaries = [entry.summary for entry in kind.classes.values()]
        self._definitions[f"{name}:name"] = {
            "type": "string",
            "anyOf": [
                {"enum": list(kind.classes), "enumDescriptions": summaries},
                *({"pattern": pattern} for pattern in known.values()),
                {"pattern": _DOTTED},
                {"pattern": _CHOICE},
            ],
        }
        own: Schema = {"type": "string", "pattern": _DOTTED, "not": {"pattern": "|".join(known.values())}}
        self._definitions[f"{name}:own"] = {
            "anyOf": [own, {"type": "object", "required": ["class_path"], "properties": {"class_path": own}}]
        }
        for key, entry in kind.classes.items():
            self._add_class(name, key, entry.options)
        self._add_any(name, kind)
        by_class = [_where_class(known[key], _ref(f"{name}:{key}")) for key in known]
        nowhere: Schema = {"if": {"not": {"required": ["class_path"]}}, "then": _ref(f"{name}:any")}
        swept = _where_class(_CHOICE, _ref(f"{name}:any"))
        self._definitions[f"{name}:object"] = {
            "type": "object",
            "properties": {"class_path": _ref(f"{name}:name")},
            "allOf": [*by_class, swept, nowhere],
        }

    def _add_class(self, kind: str, key: str, options: Sequence[OptionEntry]) -> None:
        """The options of a class, beside `class_path` or within `init_args`."""
        properties = {option.name: self._option(option) for option in options}
        self._add_object(f"{kind}:{key}", properties, {option.name: option.kind for option in options if option.kind})

    def _add_any(self, kind: str, entry: KindEntry) -> None:
        """The options of all classes of a kind."""
        found: dict[str, dict[str, Schema]] = {}
        slots: dict[str, str] = {}
        for key, cls in entry.classes.items():
            for option in cls.options:
                values = json.dumps({**self._option(option), "description": "", "default": ""})
                found.setdefault(option.name, {}).setdefault(values, _ref(f"{kind}:{key}/properties/{option.name}"))
                if option.kind:
                    slots[option.name] = option.kind
        properties: dict[str, Schema] = {name: _either(list(refs.values())) for name, refs in found.items()}
        self._add_object(f"{kind}:any", properties, slots)

    def _add_object(self, name: str, properties: Mapping[str, Schema], slots: Mapping[str, str]) -> None:
        names = _any_of(properties)
        parts = _any_of(option for option, schema in properties.items() if option in slots or _has_parts(schema))
        patterns: dict[str, Value] = {rf"^(init_args\.({names})\+?|({names})\+)$": {}} if names else {}
        slots = {option: kind for option, kind in slots.items() if self._single(kind) == kind}
        patterns |= {rf"^{re.escape(option)}\+$": _ref(f"{name}/properties/{option}") for option in slots}
        if parts:
            patterns[rf"^{_INIT}({parts})\."] = {}
        checks = [_unless(self._own(option, kind), self._below(option, kind)) for option, kind in slots.items()]
        self._definitions[name] = {
            "type": ["object", "null"],
            "properties": {"class_path": {}, "init_args": _ref(name), **properties},
            "patternProperties": patterns,
            "additionalProperties": False,
            **({"allOf": checks} if checks else {}),
        }

    def _option(self, option: OptionEntry, *, swept: bool = True) -> Schema:
        """What an option takes; where it can be swept a domain too."""
        said: Schema = {"description": option.text} if option.text else {}
        if not option.required:
            said["default"] = option.default
        if option.kind is None:
            return {**(_or_domain if swept else dict)(_with_null(option)), **said}
        more: list[Value] = [{"type": "boolean"}] if "true" in option.choices else []
        return {**self._choice(option.kind, more, any_text="text" in option.type.split(" or ")), **said}

    def _choice(self, name: str, more: Sequence[Value] = (), *, any_text: bool = False) -> Schema:
        """How a class of a kind can be written: its name, a mapping, in a list where several are taken, null.

        By type, not with `anyOf`: so an editor says what is wrong with the name or with the mapping, and not that it
        should have been the other. An `anyOf` that is always met stands beside it, from which editors take the names.
        """
        kind, name = self._catalogue.kinds[name], self._single(name)
        text: Schema = {"anyOf": [_ref(f"{name}:name"), {"type": "string"}]} if any_text else _ref(f"{name}:name")
        if kind.named:
            one = _by_type(text, _ref(f"{name}:object"), [{"type": "null"}])
            return {"type": ["object", "null"], "additionalProperties": one}
        item = _by_type(text, {"allOf": [_ref(f"{name}:object"), {"required": ["class_path"]}]}, [])
        others: list[Value] = [{"type": "array", "items": item}] if kind.many else []
        others += [{"type": "null"}] if kind.optional else []
        return _by_type(text, _ref(f"{name}:object"), [*others, *more])

    def _single(self, name: str) -> str:
        """The kind of which one is taken for each name, `loss` for `losses`; of others the same."""
        kinds = self._catalogue.kinds
        single = (key for key, each in kinds.items() if each.bases == kinds[name].bases and not each.named)
        return next(single, name) if kinds[name].named else name

    def _own(self, key: str, kind: str) -> Schema:
        """That a class of the user's own is chosen for a key."""
        return {"required": [key], "properties": {key: _ref(f"{kind}:own")}}

    def _slots_below(self, prefix: str, kind: str) -> Iterable[Schema]:
        """The checks of `model.optimizer.lr` and its like."""
        slots = {name: slot for name, slot in self._slots(kind).items() if self._single(slot) == slot}
        return [self._below(rf"{prefix}\.{_INIT}{re.escape(name)}", slot) for name, slot in slots.items()]

    def _slots(self, kind: str) -> dict[str, str]:
        classes = self._classes(kind)
        return {option.name: option.kind for entry in classes for option in entry.options if option.kind}

    def _classes(self, kind: str) -> list[ClassEntry]:
        if kind in self._catalogue.kinds:
            return list(self._catalogue.kinds[kind].classes.values())
        entry = self._catalogue.sweep if kind == SWEEP else self._catalogue.sections[kind].entry
        return [entry] if entry else []

    def _below(self, prefix: str, kind: str) -> Schema:
        """The check of dotted keys: `model.layers` where `prefix` is `model`."""
        name = f"{kind}:after-{re.sub(r'[^A-Za-z]+', '-', prefix)}"
        if name not in self._definitions:
            options = list(dict.fromkeys(option.name for entry in self._classes(kind) for option in entry.options))
            start = rf"^{prefix}\."
            patterns: dict[str, Value] = {rf"{start}init_args$": _ref(f"{kind}:any")}
            patterns |= {rf"{start}{_INIT}{re.escape(key)}$": _ref(f"{kind}:any/properties/{key}") for key in options}
            if kind in self._catalogue.kinds:
                patterns[rf"{start}class_path$"] = _ref(f"{kind}:name")
            known = rf"{start}(init_args|class_path|{_INIT}({_any_of(options)})(\+|\..+)?)$"
            names: Schema = {"pattern": rf"^(?!{prefix}\.)|{known}", "patternErrorMessage": "There is no such option."}
            self._definitions[name] = {"patternProperties": patterns, "propertyNames": names}
        return _ref(name)


def _any_of(names: Iterable[str]) -> str:
    """A pattern for any of the names."""
    return "|".join(map(re.escape, names))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _by_type(text: Schema, mapping: Schema, others: Sequence[Value]) -> Schema:
    """What a text must be, what a mapping must be, and what else is taken."""
    others = [text, mapping, *others]
    no_text: Schema = {"if": {"type": "object"}, "then": mapping, "else": {"anyOf": others}}
    return {"anyOf": [text, mapping, {}], "if": {"type": "string"}, "then": text, "else": no_text}


def _either(schemas: Sequence[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def _unless(condition: Schema, check: Schema) -> Schema:
    return {"if": condition, "else": check}


def _where_class(pattern: str, then: Schema) -> Schema:
    return {"if": {"required": ["class_path"], "properties": {"class_path": {"pattern": pattern}}}, "then": then}


def _pattern(entry: ClassEntry) -> str:
    """The names of a class: the short one, all small too, and the paths by which its package offers it."""
    package = re.escape(entry.path.partition(".")[0])
    return rf"^(({package}\.(\w+\.)*)?{re.escape(entry.name)}|{re.escape(entry.name.lower())})$"


def _or_domain(schema: Schema) -> Schema:
    """A value, or many of them for a sweep; an option that takes any text takes that too."""
    if schema.get("type") == "string" and "enum" not in schema and "pattern" not in schema:
        return schema
    return {"if": {"type": "string", "pattern": _DOMAIN}, "else": schema} if schema else schema


def _with_null(option: OptionEntry) -> Schema:
    """The values of an option; null too where that is its default, whatever its annotation says."""
    schema = schema_of(option.takes)
    if schema and option.default is None and not option.required and "null" not in option.choices:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def _has_parts(schema: Schema) -> bool:
    """Whether `option.part` can be written: the option takes a mapping, or anything."""
    return not schema.keys() - {"description", "default"} or '"object"' in json.dumps(schema)
