import Type from 'typebox'
import type { Context, Decision, Handler, InboxDecision } from '#engine'

export const InboxBody = Type.Unknown({ description: 'Ignored', examples: [{}] })

export function markOne(as: InboxDecision['as']): Handler<{ userId: string; id: string }, unknown> {
  return (context) => ({ kind: 'inbox', userId: context.params.userId, ids: [context.params.id], as })
}

export function markAllRead(context: Context<{ userId: string }>): Decision {
  return { kind: 'inbox', userId: context.params.userId, ids: 'all', as: 'read' }
}
