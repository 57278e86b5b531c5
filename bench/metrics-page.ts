import type { Carillon } from './contenders/carillon.ts'

export interface Histogram {
  readonly sum: number
  readonly count: number
}

/** A histogram without labels as it stands on the metrics page. */
export async function histogram(server: Carillon, name: string): Promise<Histogram> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${server.operatorToken}` },
  })
  const lines = (await response.text()).split('\n')
  const value = (line: string) =>
    Number(
      lines
        .find((one) => one.startsWith(`${line} `))
        ?.split(' ')
        .at(-1),
    )
  return { sum: value(`${name}_sum`), count: value(`${name}_count`) }
}

/** The mean of what was observed between two readings. */
export function meanBetween(before: Histogram, after: Histogram): number {
  return (after.sum - before.sum) / (after.count - before.count)
}
