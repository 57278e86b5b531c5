import type { Asked } from '../../../support/provider-server.ts'
import { mismatches, type Shape } from './shape.ts'

/** What a provider's public pages say about one request. */
export interface RequestFacts {
  readonly title: string
  readonly pages: readonly string[]
  readonly method: 'POST'
  readonly path: RegExp
  readonly headers: Readonly<Record<string, RegExp>>
  readonly encoding: 'json' | 'form'
  readonly body: Shape
  readonly mostBytes?: number
  /** What holds between several fields: sentences about what does not. */
  readonly rules?: (body: Readonly<Record<string, unknown>>) => readonly string[]
}

/** Everything in which a request differs from the facts; empty when the provider would take it. */
export function faultsOf(request: Asked, facts: RequestFacts): string[] {
  const { method, path, headers, body } = request
  const size = Buffer.byteLength(body)
  const content = contentOf(body, facts.encoding)
  return [
    ...(method === facts.method ? [] : [`method ${method}`]),
    ...(facts.path.test(path) ? [] : [`path ${path}`]),
    ...Object.entries(facts.headers)
      .filter(([name, form]) => !form.test(String(headers[name] ?? '')))
      .map(([name]) => `header ${name}: ${String(headers[name])}`),
    ...(Number(headers['content-length']) === size ? [] : ['header content-length is not the size']),
    ...(size > (facts.mostBytes ?? Infinity) ? [`body: has ${size} of ${facts.mostBytes} bytes`] : []),
    ...(content === null
      ? [`body: is no ${facts.encoding}`]
      : [...mismatches(content, facts.body), ...(facts.rules?.(content) ?? [])]),
  ]
}

function contentOf(body: string, encoding: 'json' | 'form'): Readonly<Record<string, unknown>> | null {
  if (encoding === 'form') {
    const fields = [...new URLSearchParams(body)]
    return new Set(fields.map(([name]) => name)).size === fields.length ? Object.fromEntries(fields) : null
  }
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}
