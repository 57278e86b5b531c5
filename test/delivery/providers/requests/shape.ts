/** What a provider takes as a value. Everything that a shape does not name is refused. */
export type Shape =
  | {
      readonly kind: 'text'
      /** In UTF-16 units, the most that any way of counting characters comes to. */
      readonly longest: number
      readonly shortest?: number
      readonly longestBytes?: number
      readonly form?: RegExp
      readonly oneOf?: readonly string[]
    }
  | { readonly kind: 'whole'; readonly least: number; readonly most: number }
  | { readonly kind: 'exactly'; readonly value: unknown }
  | { readonly kind: 'flag' }
  | { readonly kind: 'list'; readonly of: Shape; readonly least: number; readonly most: number }
  | {
      readonly kind: 'object'
      readonly required: Readonly<Record<string, Shape>>
      readonly optional?: Readonly<Record<string, Shape>>
    }
  | { readonly kind: 'one of'; readonly by: string; readonly shapes: Readonly<Record<string, Shape>> }
  | { readonly kind: 'map'; readonly of: Shape; readonly names?: RegExp }
  | { readonly kind: 'free object' }

type Fields = Readonly<Record<string, unknown>>

export const text = (longest: number, more: { shortest?: number; form?: RegExp } = {}): Shape => ({
  kind: 'text',
  longest,
  shortest: 1,
  ...more,
})

export const oneOf = (...values: readonly string[]): Shape => ({
  kind: 'text',
  longest: Infinity,
  oneOf: values,
})

/** An absolute http(s) URL. */
export const link = (longest: number): Shape => text(longest, { form: /^https?:\/\/[^\s/]+/ })

/** Where a value differs from its shape, one sentence each; empty when it does not. */
export function mismatches(value: unknown, shape: Shape, at = 'body'): string[] {
  switch (shape.kind) {
    case 'text':
      return textMismatches(value, shape).map((what) => `${at}: ${what}`)
    case 'whole':
      return Number.isSafeInteger(value) && Number(value) >= shape.least && Number(value) <= shape.most
        ? []
        : [`${at}: ${String(value)} is no whole number from ${shape.least} to ${shape.most}`]
    case 'exactly':
      return JSON.stringify(value) === JSON.stringify(shape.value)
        ? []
        : [`${at}: is not ${JSON.stringify(shape.value)}`]
    case 'flag':
      return typeof value === 'boolean' ? [] : [`${at}: is neither true nor false`]
    case 'list':
      if (!Array.isArray(value)) return [`${at}: is no list`]
      return [
        ...(value.length < shape.least || value.length > shape.most ? [`${at}: has ${value.length}`] : []),
        ...value.flatMap((item, index) => mismatches(item, shape.of, `${at}[${index}]`)),
      ]
    case 'object':
      return isObject(value) ? objectMismatches(value, shape, at) : [`${at}: is no object`]
    case 'one of': {
      const chosen = isObject(value) ? shape.shapes[String(value[shape.by])] : undefined
      return chosen === undefined
        ? [`${at}.${shape.by}: is none that is known`]
        : mismatches(value, chosen, at)
    }
    case 'map':
      if (!isObject(value)) return [`${at}: is no object`]
      return Object.entries(value).flatMap(([name, item]) => [
        ...(shape.names && !shape.names.test(name) ? [`${at}.${name}: is no name`] : []),
        ...mismatches(item, shape.of, `${at}.${name}`),
      ])
    case 'free object':
      return isObject(value) ? [] : [`${at}: is no object`]
  }
}

function textMismatches(value: unknown, shape: Extract<Shape, { kind: 'text' }>): string[] {
  if (typeof value !== 'string') return ['is no text']
  const { longest, shortest = 0, longestBytes = Infinity, form, oneOf: values } = shape
  const bytes = Buffer.byteLength(value)
  return [
    ...(value.length > longest ? [`has ${value.length} of ${longest} characters`] : []),
    ...(bytes > longestBytes ? [`has ${bytes} of ${longestBytes} bytes`] : []),
    // Providers count a text of blanks as none.
    ...(value.trim().length < shortest ? ['is too short'] : []),
    ...(/\p{Surrogate}/u.test(value) ? ['has half a character'] : []),
    ...(form && !form.test(value) ? [`"${value.slice(0, 60)}" is not of the form ${String(form)}`] : []),
    ...(values && !values.includes(value) ? [`"${value.slice(0, 60)}" is none of ${values.join(', ')}`] : []),
  ]
}

function objectMismatches(value: Fields, shape: Extract<Shape, { kind: 'object' }>, at: string): string[] {
  const { required, optional = {} } = shape
  const missing = Object.keys(required).filter((name) => !Object.hasOwn(value, name))
  return [
    ...missing.map((name) => `${at}.${name}: is missing`),
    ...Object.entries(value).flatMap(([name, item]) => {
      const known = required[name] ?? optional[name]
      return known === undefined ? [`${at}.${name}: is unknown`] : mismatches(item, known, `${at}.${name}`)
    }),
  ]
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
