import type { Finding, Path } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

type Escalation = Config['teams'][string]['escalation']

/** Settings of an escalation that make no sense together. */
export function checkEscalation(config: Config): Finding[] {
  return Object.entries(config.teams).flatMap(([name, { escalation }]) => {
    const path: Path = ['teams', name, 'escalation']
    return [
      ...endFaults(escalation, path),
      ...reminderFaults(escalation, path),
      ...stepFaults(escalation, path),
    ]
  })
}

function endFaults({ fallback, resolve_at_end, steps }: Escalation, path: Path): Finding[] {
  if (resolve_at_end !== true) return []
  const at: Path = [...path, 'resolve_at_end']
  return [
    ...(fallback ? [{ path: at, message: 'the end either tells the fallback or closes the alert' }] : []),
    ...(steps.length === 0 ? [{ path: at, message: 'needs steps, or there is no end' }] : []),
  ]
}

function reminderFaults({ ack_reminder, ack_timeout }: Escalation, path: Path): Finding[] {
  if (ack_reminder === undefined || ack_timeout !== undefined) return []
  return [
    {
      path: [...path, 'ack_reminder'],
      message: 'needs ack_timeout: how long an answer to the reminder may take',
    },
  ]
}

function stepFaults({ steps }: Escalation, path: Path): Finding[] {
  return steps.flatMap(({ between, if_more_than: more }, index) => {
    const at: Path = [...path, 'steps', index]
    const [from, to] = between?.split('-') ?? []
    return [
      ...(from !== undefined && from === to
        ? [{ path: [...at, 'between'], message: 'begin and end must differ; 00:00-24:00 is all day' }]
        : []),
      ...(more && /^0+[a-z]+$/.test(more.within)
        ? [{ path: [...at, 'if_more_than', 'within'], message: 'must be more than nothing' }]
        : []),
    ]
  })
}
