/**
 * The one table of error codes. A code is `area.reason`, stable, and never re-used for something else.
 *
 * `what` says what happened, `mend` what the reader can do. `http` is the status of the HTTP answer. `mqtt` says
 * what becomes of a publish with that fault (contract section 4): `dead` is acknowledged and kept as a dead
 * letter, `refuse` closes the connection without an acknowledgement, `retry` also closes it, and the client's
 * resend may succeed.
 */
export const ERRORS = {
  'publish.invalid_json': {
    what: 'The payload is not valid JSON',
    mend: 'Send one JSON object in UTF-8',
    http: 400,
    mqtt: 'dead',
  },
  'publish.invalid_body': {
    what: 'The payload does not fit this topic',
    mend: 'Compare it with the topic table of the README or /asyncapi.json',
    http: 400,
    mqtt: 'dead',
  },
  'publish.no_route': {
    what: 'No route takes this topic',
    mend: 'Check the spelling against the topic table of the README',
    http: 404,
    mqtt: 'dead',
  },
  'publish.too_large': {
    what: 'The payload is over 128 KB',
    mend: 'Send a link to the content instead',
    http: 413,
    mqtt: 'dead',
  },
  'publish.too_deep': {
    what: 'The payload nests too deeply or has too many keys',
    mend: 'At most 32 levels and 1,000 keys',
    http: 400,
    mqtt: 'dead',
  },
  'publish.unknown_user': {
    what: 'There is no such user',
    mend: 'Add the user to `users:` of the configuration',
    http: 404,
    mqtt: 'dead',
  },
  'publish.unknown_group': {
    what: 'There is no such group',
    mend: 'Name the group in `groups:` of at least one user',
    http: 404,
    mqtt: 'dead',
  },
  'publish.unknown_team': {
    what: 'There is no such team',
    mend: 'Take a name from `teams:` of the configuration',
    http: 404,
    mqtt: 'dead',
  },
  'publish.unknown_alert': {
    what: 'There is no such alert',
    mend: 'Take the id from the alert, its receipt or GET /v1/alerts',
    http: 404,
    mqtt: 'dead',
  },
  'publish.invalid_address': {
    what: 'The address is none',
    mend: 'Give one mailbox such as anna@example.org, or a phone number such as +4915112345678',
    http: 400,
    mqtt: 'dead',
  },
  'publish.premium_number': {
    what: 'The number charges whoever sends to it',
    mend: 'Give another number, or set `channels.sms.allow_premium`',
    http: 400,
    mqtt: 'dead',
  },
  'publish.missing_value': {
    what: 'A placeholder of the text has no value for this recipient',
    mend: 'Give the value in `data` of the recipient',
    http: 400,
    mqtt: 'dead',
  },
  'template.missing_fields': {
    what: 'The data lack what the template shows',
    mend: 'Give the missing fields in `data`, or a `default` in the template',
    http: 400,
    mqtt: 'dead',
  },
  'publish.rule_failed': {
    what: 'A rule could not be applied to this message',
    mend: 'Mend the rule that the reason names, then replay the dead letter',
    http: 400,
    mqtt: 'dead',
  },
  'publish.handler_failed': {
    what: 'The handler failed three times',
    mend: 'Replay the dead letter after mending the handler',
    http: 500,
    mqtt: 'dead',
  },
  'publish.blocked': {
    what: 'Messages of this sender are blocked here',
    mend: 'Take the sender out of `filter.block`, then replay the dead letter',
    http: 403,
    mqtt: 'dead',
  },
  'publish.forbidden': {
    what: 'You may not publish to this topic',
    mend: 'Add the topic to `publish:` of the client, or use another identity',
    http: 403,
    mqtt: 'refuse',
  },
  'publish.reserved_topic': {
    what: 'Topics below $SYS and $share belong to the broker',
    mend: 'Use another topic',
    http: 403,
    mqtt: 'refuse',
  },
  'subscribe.forbidden': {
    what: 'You may not subscribe to this topic',
    mend: 'Add the filter to `subscribe:` of the client',
    http: 403,
    mqtt: 'refuse',
  },
  'alert.forbidden': {
    what: 'This alert is not yours',
    mend: 'Ask a member of the owning team or an operator',
    http: 403,
    mqtt: 'dead',
  },
  'alert.closed': {
    what: 'The alert is already resolved',
    mend: 'Nothing is left to do',
    http: 409,
    mqtt: 'dead',
  },
  'alert.suppressed': {
    what: 'A silence, a maintenance window or another alert holds the alert back',
    mend: 'End what `suppressed_by` names first; the alert then starts by itself',
    http: 409,
    mqtt: 'dead',
  },
  'alert.snooze_too_long': {
    what: 'A critical alert may not sleep that long',
    mend: 'Snooze it for less, at most alerts.longest_snooze (24 h unless configured)',
    http: 400,
    mqtt: 'dead',
  },
  'alert.no_policy': {
    what: 'Nobody is left to escalate to',
    mend: 'Give the owning team an escalation policy with steps',
    http: 409,
    mqtt: 'dead',
  },
  rate_limit_exceeded: {
    what: 'Too many publishes in the window',
    mend: 'Wait for reset_time, or raise rate_limit of the client',
    http: 429,
    mqtt: 'retry',
  },
  'auth.missing': {
    what: 'No credentials were given',
    mend: 'Send Authorization: Bearer, X-API-Key, or MQTT username and password',
    http: 401,
    mqtt: 'refuse',
  },
  'auth.invalid': {
    what: 'The credentials are wrong',
    mend: 'Check user name, password or token',
    http: 401,
    mqtt: 'refuse',
  },
  'auth.expired': { what: 'The credentials have expired', mend: 'Log in again', http: 401, mqtt: 'refuse' },
  'auth.forbidden': {
    what: 'Your role does not allow this',
    mend: 'Ask an administrator for the role',
    http: 403,
    mqtt: 'refuse',
  },
  'auth.too_many_attempts': {
    what: 'Too many failed attempts',
    mend: 'Wait a minute',
    http: 429,
    mqtt: 'refuse',
  },
  'delivery.not_pending': {
    what: 'The delivery is being sent, or has ended',
    mend: 'Only what is `pending` can be cancelled',
    http: 409,
    mqtt: 'dead',
  },
  'config.faulty': {
    what: 'The configuration is faulty',
    mend: 'Mend every fault of the list and try again',
    http: 400,
    mqtt: 'dead',
  },
  'stream.too_many': {
    what: 'There are too many live connections of this person',
    mend: 'Close one, or raise `limits.streams_per_user`',
    http: 429,
    mqtt: 'refuse',
  },
  'request.invalid': {
    what: 'The request is not valid',
    mend: 'Compare it with /docs',
    http: 400,
    mqtt: 'dead',
  },
  'request.not_found': {
    what: 'There is nothing here',
    mend: 'Compare the path with /docs',
    http: 404,
    mqtt: 'dead',
  },
  'request.too_large': {
    what: 'The request body is over 256 KB',
    mend: 'Send less',
    http: 413,
    mqtt: 'dead',
  },
  'record.stale': {
    what: 'Somebody else has changed it meanwhile',
    mend: 'Read it again and repeat the change',
    http: 409,
    mqtt: 'dead',
  },
  'contact.wrong_code': {
    what: 'This is not the code',
    mend: 'Read it again; details.tries_left says how often you may try',
    http: 400,
    mqtt: 'dead',
  },
  'contact.no_code': {
    what: 'No code is good for this contact: none was sent, or it has expired, or was mistaken too often',
    mend: 'Ask for a new one with POST /v1/users/me/contacts/{id}/code',
    http: 409,
    mqtt: 'dead',
  },
  'contact.too_many_codes': {
    what: 'Too many codes were asked for: three in 15 minutes, per person and per address',
    mend: 'Wait for Retry-After',
    http: 429,
    mqtt: 'retry',
  },
  'contact.too_many_tests': {
    what: 'Too many test messages: five in 15 minutes, per person',
    mend: 'Wait for Retry-After',
    http: 429,
    mqtt: 'retry',
  },
  'contact.unreachable': {
    what: 'Nothing can be sent there',
    mend: 'The message says why; use another address or channel',
    http: 409,
    mqtt: 'dead',
  },
  'contact.too_many': {
    what: 'A person has at most 20 contacts of their own',
    mend: 'Remove one first',
    http: 409,
    mqtt: 'dead',
  },
  'oncall.past': {
    what: 'The time is over already',
    mend: 'Give a `to` that is still to come; local times are those of the schedule',
    http: 400,
    mqtt: 'dead',
  },
  'oncall.overlap': {
    what: 'Another one covers a part of that time already',
    mend: 'Remove the one that `details.id` names, or choose another time',
    http: 409,
    mqtt: 'dead',
  },
  'oncall.too_many': {
    what: 'The team has too many of them',
    mend: 'Remove some that are not needed any more',
    http: 409,
    mqtt: 'dead',
  },
  'oncall.invalid_calendar': {
    what: 'The calendar cannot be taken',
    mend: 'Change the lines that `details.faults` names; nothing was taken',
    http: 400,
    mqtt: 'dead',
  },
  'record.read_only': {
    what: 'The configuration file owns this',
    mend: 'Change it there and reload the configuration',
    http: 409,
    mqtt: 'dead',
  },
  'store.unavailable': {
    what: 'The message could not be stored',
    mend: 'Send it again; nothing was accepted',
    http: 503,
    mqtt: 'retry',
  },
  'store.busy': {
    what: 'Too much is waiting to be stored',
    mend: 'Send it again after Retry-After',
    http: 503,
    mqtt: 'retry',
  },
  'server.stopping': {
    what: 'The server is stopping',
    mend: 'Connect again in a moment',
    http: 503,
    mqtt: 'retry',
  },
  'server.internal': {
    what: 'Something went wrong inside',
    mend: 'Look for the correlation id in the log',
    http: 500,
    mqtt: 'retry',
  },
  'notipy.unknown_service': {
    what: 'Invalid service_id or service_token',
    mend: 'Send X-Service-Id and X-Service-Token as POST /api/v1/register gave them',
    http: 401,
    mqtt: 'refuse',
  },
  'notipy.registration_closed': {
    what: 'Registration is closed',
    mend: 'Register with the token of an operator, or set notipy.open_registration',
    http: 403,
    mqtt: 'refuse',
  },
  'notipy.invalid': {
    what: 'The request does not fit the event',
    mend: 'Compare it with the channels of the event',
    http: 400,
    mqtt: 'dead',
  },
  'notipy.invalid_id': {
    what: 'The notification id is not valid',
    mend: 'Send the id that the list gives',
    http: 422,
    mqtt: 'dead',
  },
  'notipy.event_not_found': {
    what: 'event not found',
    mend: 'It was deleted, or it is not of this service',
    http: 404,
    mqtt: 'dead',
  },
  'notipy.notification_not_found': {
    what: 'notification not found',
    mend: 'Take the id from get_notifications of the event',
    http: 404,
    mqtt: 'dead',
  },
  'notipy.not_failed': {
    what: 'Only a failed notification is sent again',
    mend: 'Add ?force=true to send it again all the same',
    http: 409,
    mqtt: 'dead',
  },
  // The codes of the CoreBanq document (C14), which its clients know by name.
  'notifications_m.invalid_user_id': {
    what: 'There is no authenticated user',
    mend: 'Sign in as a person; clients have no inbox',
    http: 401,
    mqtt: 'refuse',
  },
  'notifications_m.invalid_id': {
    what: 'The notification id is not valid',
    mend: 'Send the UUID that the list gives',
    http: 400,
    mqtt: 'dead',
  },
  'notifications_m.not_found': {
    what: 'There is no such notification',
    mend: 'It was deleted, or it is not yours',
    http: 404,
    mqtt: 'dead',
  },
  'notifications_m.invalid_group': {
    what: 'There is no such group of notifications',
    mend: 'Take one that GET /v1/notifications/preferences shows, or add it to `notification_types:`',
    http: 400,
    mqtt: 'dead',
  },
  'notifications_m.invalid_channel': {
    what: 'There is no such channel',
    mend: 'Use system, email, sms, push, web_push, telegram, voice or speech',
    http: 400,
    mqtt: 'dead',
  },
  'notifications_m.invalid_event': {
    what: 'There is no such event, or it cannot be the name of one',
    mend: 'Take one that GET /v1/notifications/preferences shows, or add it to `notification_types:`',
    http: 400,
    mqtt: 'dead',
  },
  'notifications_m.failed_to_fetch_notifications': {
    what: 'The notifications could not be read',
    mend: 'Try again after Retry-After',
    http: 503,
    mqtt: 'retry',
  },
  'notifications_m.failed_to_mark_as_read': {
    what: 'The notification could not be marked',
    mend: 'Try again after Retry-After',
    http: 503,
    mqtt: 'retry',
  },
  'notifications_m.failed_to_delete': {
    what: 'The notification could not be deleted',
    mend: 'Try again after Retry-After',
    http: 503,
    mqtt: 'retry',
  },
  'notifications_m.failed_to_fetch_preferences': {
    what: 'The preferences could not be read',
    mend: 'Try again after Retry-After',
    http: 503,
    mqtt: 'retry',
  },
  'notifications_m.failed_to_update_preferences': {
    what: 'The preferences could not be stored',
    mend: 'Try again after Retry-After',
    http: 503,
    mqtt: 'retry',
  },
} as const satisfies Record<string, ErrorEntry>

export interface ErrorEntry {
  readonly what: string
  readonly mend: string
  readonly http: number
  readonly mqtt: 'dead' | 'refuse' | 'retry'
}

export type ErrorCode = keyof typeof ERRORS

/** A failure that its cause can act on. Everything else that is thrown is a bug. */
export class Fault extends Error {
  readonly code: ErrorCode
  /** Machine-readable particulars; they go out to the caller, so never a secret. */
  readonly details: Readonly<Record<string, unknown>> | undefined
  /** After how many milliseconds another attempt may succeed; HTTP's Retry-After. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    details?: Readonly<Record<string, unknown>>,
    retryAfterMs?: number,
  ) {
    super(message)
    this.name = 'Fault'
    this.code = code
    this.details = details
    this.retryAfterMs = retryAfterMs
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }
}

/** Makes a {@link Fault}; without a message the table's own sentence stands. */
export function fault(
  code: ErrorCode,
  message?: string,
  details?: Readonly<Record<string, unknown>>,
  retryAfterMs?: number,
): Fault {
  return new Fault(code, message ?? ERRORS[code].what, details, retryAfterMs)
}
