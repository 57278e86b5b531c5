import type { Database, Row, SqlValue } from '../file/database.ts'

/** One change of MQTT session state as it crosses to the writer: its name, then the columns of its statement. */
export type SessionChange =
  | readonly ['keep', id: string, tenant: string, principal: string]
  | readonly ['leave', at: number, id: string]
  | readonly ['drop', id: string]
  | readonly ['subscribe', id: string, filter: string, qos: number, options: string]
  | readonly ['unsubscribe', id: string, filter: string]
  | readonly ['unsubscribeAll', id: string]
  | readonly ['enqueue', message: Row, recipients: readonly QueuedFor[]]
  | readonly ['identify', packetId: number | null, id: string, broker: string, counter: number]
  | readonly ['release', id: string, packetId: number]
  | readonly ['clear', id: string, packetId: number]
  | readonly ['take', id: string, packetId: number, doc: string, payload: SqlValue]
  | readonly ['untake', id: string, packetId: number]
  | readonly ['untakeAll', id: string]
  | readonly ['retain', tenant: string, topic: string, doc: string, payload: SqlValue]
  | readonly ['unretain', tenant: string, topic: string]
  | readonly ['will', id: string, broker: string, doc: string, payload: SqlValue]
  | readonly ['unwill', id: string]

/** A session that a message waits for, with the QoS and the packet identifier of its delivery. */
export type QueuedFor = readonly [id: string, qos: number, packetId: number | null]

/** The row that a change found and removed, or how many rows it changed. */
export type SessionReply = Row | number

/** Topic, payload, QoS of the delivery, retain, dup, broker, counter, packet identifier, released. */
const OUTGOING = 'm.topic, m.payload, o.qos, m.retain, m.dup, m.broker, m.counter, o.packet_id, o.released'

/** The reader's statements on MQTT session state. */
export function mqttSessionReads(db: Database) {
  const sessions = db.prepare('SELECT id, principal, left_at FROM mqtt_session ORDER BY left_at, id')
  const subscriptions = db.prepare('SELECT session, filter, qos, options FROM mqtt_subscription')
  const subscriptionsOf = db.prepare(
    'SELECT session, filter, qos, options FROM mqtt_subscription WHERE session = ?',
  )
  const outgoing = db.prepare(`
    SELECT ${OUTGOING} FROM mqtt_outgoing o JOIN mqtt_message m ON m.seq = o.message
    WHERE o.session = ? ORDER BY o.seq`)
  const incoming = db.prepare(
    'SELECT packet_id, doc, payload FROM mqtt_incoming WHERE session = ? AND packet_id = ?',
  )
  const incomingIds = db.prepare('SELECT packet_id FROM mqtt_incoming WHERE session = ?')
  const retained = db.prepare(
    'SELECT doc, payload, seq FROM mqtt_retained WHERE seq > ? ORDER BY seq LIMIT ?',
  )
  const wills = db.prepare('SELECT doc, payload, broker, session FROM mqtt_will')
  const will = db.prepare('SELECT doc, payload, broker, session FROM mqtt_will WHERE session = ?')
  return {
    mqttSessions: (): Row[] => sessions.all(),
    mqttSubscriptions: (id: string | null): Row[] =>
      id === null ? subscriptions.all() : subscriptionsOf.all(id),
    mqttOutgoing: (id: string): Row[] => outgoing.all(id),
    mqttIncoming: ({ id, packetId }: { readonly id: string; readonly packetId: number }): Row | null =>
      incoming.get(id, packetId) ?? null,
    mqttIncomingIds: (id: string): Row[] => incomingIds.all(id),
    mqttRetained: ({ after, limit }: { readonly after: number; readonly limit: number }): Row[] =>
      retained.all(after, limit),
    mqttWills: (id: string | null): Row[] => (id === null ? wills.all() : will.all(id)),
  }
}

/** The writer's statements on MQTT session state. */
export function mqttSessionWrites(db: Database) {
  const statements = {
    keep: db.prepare(`
      INSERT INTO mqtt_session (id, tenant, principal, left_at) VALUES (?, ?, ?, NULL)
      ON CONFLICT DO UPDATE SET tenant = excluded.tenant, principal = excluded.principal, left_at = NULL`),
    leave: db.prepare('UPDATE mqtt_session SET left_at = ? WHERE id = ?'),
    subscribe: db.prepare(`
      INSERT INTO mqtt_subscription (session, filter, qos, options) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET qos = excluded.qos, options = excluded.options`),
    unsubscribe: db.prepare('DELETE FROM mqtt_subscription WHERE session = ? AND filter = ?'),
    unsubscribeAll: db.prepare('DELETE FROM mqtt_subscription WHERE session = ?'),
    identify: db.prepare(`
      UPDATE mqtt_outgoing SET packet_id = ?1 WHERE session = ?2 AND (?3, ?4) = (
        SELECT broker, counter FROM mqtt_message WHERE seq = message)`),
    release: db.prepare('UPDATE mqtt_outgoing SET released = 1 WHERE session = ? AND packet_id = ?'),
    take: db.prepare(`
      INSERT INTO mqtt_incoming (session, packet_id, doc, payload) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET doc = excluded.doc, payload = excluded.payload`),
    untake: db.prepare('DELETE FROM mqtt_incoming WHERE session = ? AND packet_id = ?'),
    untakeAll: db.prepare('DELETE FROM mqtt_incoming WHERE session = ?'),
    retain: db.prepare(`
      INSERT INTO mqtt_retained (tenant, topic, doc, payload) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET doc = excluded.doc, payload = excluded.payload`),
    unretain: db.prepare('DELETE FROM mqtt_retained WHERE tenant = ? AND topic = ?'),
    will: db.prepare(`
      INSERT INTO mqtt_will (session, broker, doc, payload) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET broker = excluded.broker, doc = excluded.doc, payload = excluded.payload`),
  }
  const unwill = db.prepare('DELETE FROM mqtt_will WHERE session = ? RETURNING doc, payload, broker, session')
  const removeSession = db.prepare('DELETE FROM mqtt_session WHERE id = ?')
  const message = db.prepare(
    'INSERT INTO mqtt_message (topic, payload, retain, dup, broker, counter) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const queue = db.prepare(
    'INSERT INTO mqtt_outgoing (session, message, qos, packet_id, released) VALUES (?, ?, ?, ?, 0)',
  )
  const first = db.prepare(`
    SELECT ${OUTGOING}, o.seq, o.message FROM mqtt_outgoing o JOIN mqtt_message m ON m.seq = o.message
    WHERE o.session = ? AND o.packet_id = ? ORDER BY o.seq LIMIT 1`)
  const unqueue = db.prepare('DELETE FROM mqtt_outgoing WHERE seq = ?')
  const unqueueAll = db.prepare('DELETE FROM mqtt_outgoing WHERE session = ? RETURNING message')
  // Gone with the last session that it waited for.
  const forget = db.prepare(
    'DELETE FROM mqtt_message WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM mqtt_outgoing WHERE message = ?1)',
  )

  const enqueue = (row: Row, recipients: readonly QueuedFor[]): number => {
    const seq = message.run(...row).lastInsertRowid
    for (const [id, qos, packetId] of recipients) queue.run(id, seq, qos, packetId)
    return recipients.length
  }
  const clear = (id: string, packetId: number): SessionReply => {
    const found = first.get(id, packetId)
    if (!found) return 0
    const [seq, of] = found.slice(-2) as [number, number]
    unqueue.run(seq)
    forget.run(of)
    return found
  }
  const drop = (id: string): number => {
    for (const [of] of unqueueAll.all(id)) forget.run(of ?? null)
    statements.unsubscribeAll.run(id)
    statements.untakeAll.run(id)
    return removeSession.run(id).changes
  }

  return {
    apply(change: SessionChange): SessionReply {
      if (change[0] === 'enqueue') return enqueue(change[1], change[2])
      if (change[0] === 'clear') return clear(change[1], change[2])
      if (change[0] === 'drop') return drop(change[1])
      if (change[0] === 'unwill') return unwill.all(change[1])[0] ?? 0
      const [name, ...values] = change
      return statements[name].run(...values).changes
    },
  }
}
