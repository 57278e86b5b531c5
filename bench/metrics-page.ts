import type { Carillon } from './contenders/carillon.ts'

export interface Histogram {
  readonly sum: number
  readonly count: number
}

/** A histogram without labels as it stands on the metrics page. */
export async function histogram(server: Carillon, name: string): Promise<Histogram> {
  const lines = await page(server)
  const value = (line: string) =>
    Number(
      lines
        .find((one) => one.startsWith(`${line} `))
        ?.split(' ')
        .at(-1),
    )
  return { sum: value(`${name}_sum`), count: value(`${name}_count`) }
}

/** A counter as it stands on the metrics page, with its labels as they are printed there; 0 before its first step. */
export async function counter(server: Carillon, line: string): Promise<number> {
  const found = (await page(server)).find((one) => one.startsWith(`${line} `))
  return Number(found?.split(' ').at(-1) ?? 0)
}

async function page(server: Carillon): Promise<readonly string[]> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${server.operatorToken}` },
  })
  return (await response.text()).split('\n')
}

/** The mean of what was observed between two readings. */
export function meanBetween(before: Histogram, after: Histogram): number {
  return (after.sum - before.sum) / (after.count - before.count)
}
