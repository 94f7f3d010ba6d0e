// The fields of a form for a JSON Schema.

/**
 * The fields: `path` (the names that lead to it), `kind` ("choice", "choices", "flag", "number",
 * "lines", "file" or "text"), `options`, `isRequired`, `description`. What no field can hold, such
 * as a list of objects, has the kind "json". Of several variants of a schema, all fields are there.
 */
export function fieldsOf(schema, resolve, path = [], isRequired = true) {
  const variants = variantsOf(schema, resolve);
  const properties = new Map();
  for (const variant of variants) {
    for (const [name, property] of Object.entries(variant.properties ?? {})) {
      properties.set(name, [...(properties.get(name) ?? []), ...variantsOf(property, resolve)]);
    }
  }
  const having = variants.filter(({ properties }) => properties !== undefined);
  return [...properties].flatMap(([name, kinds]) => {
    if (kinds.some((each) => isNothing(each.not))) return [];
    const own = [...path, name];
    const isNeeded = isRequired && having.every(({ required }) => required?.includes(name));
    if (kinds.some((each) => each.properties !== undefined)) {
      return fieldsOf({ anyOf: kinds }, resolve, own, isNeeded);
    }
    const description = kinds.map((each) => each.description).find(Boolean) ?? "";
    return [{ path: own, ...kindOf(kinds, resolve), isRequired: isNeeded, description }];
  });
}

/** A schema and all that it is made of, without references. */
function variantsOf(schema, resolve) {
  const own = resolve(schema);
  const parts = [...(own.allOf ?? []), ...(own.oneOf ?? []), ...(own.anyOf ?? [])];
  return [own, ...parts.flatMap((part) => variantsOf(part, resolve))];
}

const isNothing = (schema) => schema !== undefined && Object.keys(schema).length === 0;

function kindOf(kinds, resolve) {
  const options = optionsOf(kinds);
  const types = new Set(kinds.flatMap(({ type }) => type ?? []));
  if (types.has("array")) {
    const items = kinds.flatMap(({ items }) => (items ? variantsOf(items, resolve) : []));
    const choices = optionsOf(items);
    if (choices.length > 0) return { kind: "choices", options: choices };
    return { kind: items.some(({ type }) => type === "string") ? "lines" : "json", options: [] };
  }
  if (options.length > 0) return { kind: "choice", options };
  if (kinds.some(({ format }) => format === "binary")) return { kind: "file", options };
  if (types.has("boolean")) return { kind: "flag", options: [true, false] };
  if (types.has("integer") || types.has("number")) return { kind: "number", options };
  return { kind: types.has("object") ? "json" : "text", options };
}

const optionsOf = (kinds) => [
  ...new Set(kinds.flatMap(({ enum: values, const: only }) => values ?? (only === undefined ? [] : [only]))),
];

/** The value at a path of a JSON value; undefined if there is none. */
export const valueAt = (value, path) => path.reduce((node, name) => node?.[name], value);

/** Set the value at a path; undefined takes it away, with the objects that are empty then. */
export function setValueAt(owner, [name, ...rest], value) {
  if (rest.length === 0) {
    if (value === undefined) delete owner[name];
    else owner[name] = value;
    return;
  }
  const isObject = owner[name] !== null && typeof owner[name] === "object";
  if (!isObject && value === undefined) return;
  if (!isObject) owner[name] = {};
  setValueAt(owner[name], rest, value);
  if (value === undefined && Object.keys(owner[name]).length === 0) delete owner[name];
}
