const known = new WeakMap<object, string>()

/** The JSON of a value that never changes; made once, because a message to many people is one value. */
export function jsonOf(value: object): string {
  const json = known.get(value) ?? JSON.stringify(value)
  known.set(value, json)
  return json
}
