/** A request as a requirement document prints it; `{name}` stands for what an earlier answer gave under that name. */
export interface DocumentExample {
  readonly title: string
  readonly method: string
  readonly path: string
  /** Whose credentials go along, in the header that the document names. */
  readonly as: 'person' | 'backend' | 'service' | 'nobody'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly status: number
  /** Names that the answer has; `a.b` is `b` in `a`, or in the first entry of the list `a`. */
  readonly fields: readonly string[]
  /** What the answer says word for word. */
  readonly says?: Readonly<Record<string, unknown>>
  /** Which of its fields later requests need, and under which name. */
  readonly keep?: Readonly<Record<string, string>>
}

/** The people and things that the examples name. */
export const NAMED = {
  coreBanqUser: '123e4567-e89b-12d3-a456-426614174000',
  customer: '550e8400-e29b-41d4-a716-446655440000',
  xynapUser: '42',
  xynapTenant: '1',
  routeMqUser: 'user123',
} as const

/** The columns of the table of notifications in the xynap document (X33), those that are always there. */
const XYNAP_ALWAYS = 'uuid user_id tenant_id type channel title body data read_at created_at'.split(' ')
const XYNAP_GIVEN = 'category severity icon entity_type entity_id action_url'.split(' ')

/** The backend's calls of the xynap document with their arguments as JSON, and its REST section (X16 to X25). */
export const XYNAP: readonly DocumentExample[] = [
  {
    title: 'create_notification (X16)',
    method: 'POST',
    path: '/api/v1/notifications',
    as: 'backend',
    body: `{
      "user_id": 42,
      "title": "Neuer Kunde angelegt",
      "body": "Kunde 'Mustermann GmbH' wurde erfolgreich erstellt.",
      "category": "crm",
      "severity": "success",
      "icon": "building",
      "entity_type": "customer",
      "entity_id": "uuid-...",
      "action_url": "/crm/customers/uuid-..."
    }`,
    status: 201,
    fields: [...XYNAP_ALWAYS, ...XYNAP_GIVEN],
    says: {
      category: 'crm',
      severity: 'success',
      icon: 'building',
      user_id: '42',
      tenant_id: '1',
      channel: 'app',
    },
    keep: { uuid: 'uuid' },
  },
  {
    title: 'notify_tenant_admins (X17)',
    method: 'POST',
    path: '/api/v1/tenants/1/admins/notify',
    as: 'backend',
    body: `{
      "title": "Rechnung ueberfaellig",
      "body": "Rechnung INV-2026-001 ist seit 14 Tagen ueberfaellig.",
      "category": "dunning",
      "severity": "warning"
    }`,
    status: 201,
    fields: ['notifications', ...XYNAP_ALWAYS.map((name) => `notifications.${name}`)],
  },
  {
    title: 'emit_event (X18)',
    method: 'POST',
    path: '/api/v1/events/emit',
    as: 'backend',
    body: `{
      "type": "order.completed",
      "data": { "user_id": 42, "order_id": 7, "total": 299.00 },
      "source": "shop"
    }`,
    status: 202,
    fields: ['id', 'result'],
  },
  {
    title: 'a list with all filters (X21)',
    method: 'GET',
    path: '/api/v1/notifications?limit=20&unread_only=true&category=crm',
    as: 'person',
    status: 200,
    fields: [
      'notifications',
      'total',
      ...[...XYNAP_ALWAYS, ...XYNAP_GIVEN].map((name) => `notifications.${name}`),
    ],
  },
  {
    title: 'the list as it is printed (X21)',
    method: 'GET',
    path: '/api/v1/notifications?limit=20&unread_only=true&category=payment',
    as: 'person',
    status: 200,
    fields: ['notifications', 'total'],
  },
  {
    title: 'the summary (X22)',
    method: 'GET',
    path: '/api/v1/notifications/summary',
    as: 'person',
    status: 200,
    fields: ['total', 'unread'],
    // As administrator of the tenant they were told of the invoice as well.
    says: { total: 2, unread: 2 },
  },
  {
    title: 'mark as read (X23)',
    method: 'PUT',
    path: '/api/v1/notifications/{uuid}/read',
    as: 'person',
    status: 200,
    fields: ['status'],
  },
  {
    title: 'mark all as read (X24)',
    method: 'POST',
    path: '/api/v1/notifications/read-all',
    as: 'person',
    status: 200,
    fields: ['status'],
  },
  {
    title: 'delete (X25)',
    method: 'DELETE',
    path: '/api/v1/notifications/{uuid}',
    as: 'person',
    status: 200,
    fields: ['status'],
  },
]

const TEST_NOTIFICATION = `{
  "type": "chats",
  "event": "message_received",
  "title": "Test Notification",
  "content": "This is a test notification",
  "customer_id": "550e8400-e29b-41d4-a716-446655440000",
  "user_ids": ["123e4567-e89b-12d3-a456-426614174000"],
  "rec_type": "chats",
  "rec_id": "789e4567-e89b-12d3-a456-426614174000"
}`
const SENT = { message: 'Notification sent to all connected users' }
const COREBANQ = 'id type event title content read created_at'.split(' ')

/** The endpoints of the CoreBanq document, its bodies as they are printed (C01 to C12). */
export const COREBANQ_EXAMPLES: readonly DocumentExample[] = [
  {
    title: 'trigger a test notification (C11)',
    method: 'POST',
    path: '/v1/notifications/trigger',
    as: 'backend',
    body: TEST_NOTIFICATION,
    status: 200,
    fields: ['message'],
    says: SENT,
  },
  {
    title: 'send one directly (C12)',
    method: 'POST',
    path: '/v1/notifications/sse',
    as: 'backend',
    body: TEST_NOTIFICATION,
    status: 200,
    fields: ['message'],
    says: SENT,
  },
  {
    title: 'the list (C01)',
    method: 'GET',
    path: '/v1/notifications',
    as: 'person',
    status: 200,
    fields: ['notifications', 'total', 'limit', 'offset', ...COREBANQ.map((name) => `notifications.${name}`)],
    says: { total: 1, limit: 50, offset: 0 },
    keep: { notification_id: 'notifications.id' },
  },
  {
    title: 'the list with all parameters (C01)',
    method: 'GET',
    path: '/v1/notifications?limit=50&offset=0&status=unread&customer_id=550e8400-e29b-41d4-a716-446655440000',
    as: 'person',
    status: 200,
    fields: COREBANQ.map((name) => `notifications.${name}`),
    says: { total: 1 },
  },
  {
    title: 'a single one (C02)',
    method: 'GET',
    path: '/v1/notifications/{notification_id}',
    as: 'person',
    status: 200,
    fields: [...COREBANQ, 'customer_id', 'rec_type', 'rec_id'],
    says: { type: 'chat', event: 'message_received', read: false },
  },
  {
    title: 'mark it as read (C03)',
    method: 'PATCH',
    path: '/v1/notifications/{notification_id}/read',
    as: 'person',
    body: `{
  "read": true
}`,
    status: 200,
    fields: COREBANQ,
    says: { read: true },
  },
  {
    title: 'mark it as read without a body (C03)',
    method: 'PATCH',
    path: '/v1/notifications/{notification_id}/read',
    as: 'person',
    status: 200,
    fields: COREBANQ,
    says: { read: true },
  },
  {
    title: 'the preferences (C05)',
    method: 'GET',
    path: '/v1/notifications/preferences',
    as: 'person',
    status: 200,
    fields: ['groups'],
  },
  {
    title: 'change the preferences (C06)',
    method: 'PUT',
    path: '/v1/notifications/preferences',
    as: 'person',
    body: '{"groups":{"chat":{"events":{"message_received":{"enabled":true,"channels":["system","email","sms"]}}}}}',
    status: 200,
    fields: ['groups.chat.events.message_received.enabled'],
  },
  {
    title: 'delete it (C04)',
    method: 'DELETE',
    path: '/v1/notifications/{notification_id}',
    as: 'person',
    status: 200,
    fields: [],
  },
  {
    title: 'one that is gone (C14)',
    method: 'GET',
    path: '/v1/notifications/{notification_id}',
    as: 'person',
    status: 404,
    fields: ['error.message'],
    says: { 'error.code': 'notifications_m.not_found' },
  },
]

/** How a service uses NotiPy, with the fields of checklist N04 to N11. */
export const NOTIPY: readonly DocumentExample[] = [
  {
    title: 'the documentation (N03)',
    method: 'GET',
    path: '/docs/json',
    as: 'nobody',
    status: 200,
    fields: ['openapi', 'paths'],
  },
  {
    title: 'register (N04)',
    method: 'POST',
    path: '/api/v1/register',
    as: 'nobody',
    status: 200,
    fields: ['service_id', 'service_token'],
    keep: { service_id: 'service_id', service_token: 'service_token' },
  },
  {
    title: 'make an event (N05)',
    method: 'POST',
    path: '/api/v1/events',
    as: 'service',
    body: `{
      "name": "signup",
      "description": "Somebody has signed up",
      "channels": {
        "email": { "subject": "Welcome {{ name }}", "is_html": true, "content": "<p>Hello {{ name }}</p>", "no_of_attachments": 0 },
        "sms": { "content": "Hello {{ name }}" }
      }
    }`,
    status: 200,
    fields: ['event.id', 'event.name', 'event.description', 'event.channels.email.no_of_attachments'],
    says: { message: 'event created successfully' },
    keep: { event_id: 'event.id' },
  },
  {
    title: 'the list of events (N06)',
    method: 'GET',
    path: '/api/v1/events?limit=20&offset=0&query=SIGN',
    as: 'service',
    status: 200,
    fields: ['events.name'],
    says: { total_count: 1 },
  },
  {
    title: 'one event (N07)',
    method: 'GET',
    path: '/api/v1/events/{event_id}',
    as: 'service',
    status: 200,
    fields: ['event.name'],
  },
  {
    title: 'change it (N07)',
    method: 'PUT',
    path: '/api/v1/events/{event_id}',
    as: 'service',
    body: '{"description": "Said to whoever has signed up"}',
    status: 200,
    fields: ['event.name', 'message'],
  },
  {
    title: 'send notifications (N08)',
    method: 'POST',
    path: '/api/v1/events/{event_id}/send_notifications',
    as: 'service',
    body: `{
      "email": { "to_email": ["john@example.org"], "metadata": { "name": "John" }, "attachments": [] },
      "sms": { "to_phone_number": ["+4915112345678"], "metadata": { "name": "John" } }
    }`,
    status: 200,
    fields: [],
    says: { message: 'notification has been queued successfully for delivery' },
  },
  {
    title: 'send without what the template needs (N09)',
    method: 'POST',
    path: '/api/v1/events/{event_id}/send_notifications',
    as: 'service',
    body: '{"email": {"to_email": ["john@example.org"], "metadata": {}}}',
    status: 400,
    fields: [],
    says: { 'error.message': 'Missing fields in metadata: name' },
  },
  {
    title: 'what was sent (N10)',
    method: 'GET',
    path: '/api/v1/events/{event_id}/get_notifications?limit=20&offset=0',
    as: 'service',
    status: 200,
    fields: 'created_at channel_type event_id dynamic_data status'
      .split(' ')
      .map((name) => `notifications.${name}`),
    says: { total: 2 },
    keep: { notification_id: 'notifications.id' },
  },
  {
    title: 'one notification, on the path that is xynap’s as well (N10)',
    method: 'GET',
    path: '/api/v1/notifications/{notification_id}',
    as: 'service',
    status: 200,
    fields: 'created_at channel_type event_id dynamic_data status'.split(' '),
  },
  {
    title: 'an id that is none (N10)',
    method: 'GET',
    path: '/api/v1/notifications/nonsense',
    as: 'service',
    status: 422,
    fields: ['error.message'],
  },
  {
    title: 'without credentials (N04)',
    method: 'GET',
    path: '/api/v1/events',
    as: 'nobody',
    status: 401,
    fields: [],
    says: { 'error.message': 'Invalid service_id or service_token' },
  },
  {
    title: 'delete the event (N07)',
    method: 'DELETE',
    path: '/api/v1/events/{event_id}',
    as: 'service',
    status: 200,
    fields: [],
    says: { message: 'event deleted successfully' },
  },
]

/** The usage examples of the RouteMQ document, over HTTP (R29); those over MQTT have a test of their own. */
export const ROUTEMQ: readonly DocumentExample[] = [
  {
    title: 'a notification to a user (R17)',
    method: 'POST',
    path: '/v1/publish/notifications/realtime/user/user123',
    as: 'backend',
    body: `{
"title": "New Message",
"message": "You have received a new message from John",
"type": "message",
"priority": "normal",
"data": {
"message_id": "msg_456",
"sender": "john_doe"
}
}`,
    status: 202,
    fields: ['id', 'result.notification_id', 'result.channels'],
    says: { 'result.status': 'sent' },
  },
  {
    title: 'a critical alert (R22)',
    method: 'POST',
    path: '/v1/publish/notifications/alerts/critical/system_failure',
    as: 'backend',
    body: `{
"message": "Database connection failed",
"source": "database_monitor",
"severity": "critical",
"affected_systems": ["user_service", "order_service"]
}`,
    status: 202,
    fields: ['result.alert_id', 'result.notified_users'],
    says: { 'result.status': 'critical_alert_sent' },
  },
]
