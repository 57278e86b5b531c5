import Type, { type Static } from 'typebox'
import { firstText, keyOf, levelOf, typeOf, type HookAlert } from './hook-alert.ts'

/** Create Alert of the Opsgenie Alert API: https://docs.opsgenie.com/docs/alert-api */
export const OpsgenieBody = Type.Object(
  {
    message: Type.String({ minLength: 1 }),
    alias: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    tags: Type.Optional(Type.Array(Type.String())),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    entity: Type.Optional(Type.String()),
    source: Type.Optional(Type.String()),
    priority: Type.Optional(Type.String({ description: 'P1 to P5; P3 unless set' })),
    note: Type.Optional(Type.String()),
  },
  { examples: [{ message: 'The disk is full', alias: 'disk-db-1', priority: 'P1', source: 'db-1' }] },
)

/** Keyed by its alias, else by its text (behaviour E13). */
export function fromOpsgenie(body: Static<typeof OpsgenieBody>): HookAlert {
  const { message, alias, description, tags, details, entity, note } = body
  return {
    action: 'fire',
    level: levelOf(body.priority ?? 'P3'),
    type: typeOf(details?.['alert_type'], entity, body.source, 'opsgenie'),
    message,
    source: firstText(entity, body.source),
    dedupKey: keyOf('opsgenie', firstText(alias) ?? message),
    data: Object.fromEntries(
      Object.entries({ description, tags, details, note }).filter(([, value]) => value !== undefined),
    ),
  }
}

/** What is done to an alert that is named by its alias. */
export function ofOpsgenie(action: 'resolve' | 'acknowledge', alias: string): HookAlert {
  return {
    action,
    level: 'critical',
    type: 'opsgenie',
    message: action,
    source: null,
    dedupKey: keyOf('opsgenie', alias),
    data: {},
  }
}
