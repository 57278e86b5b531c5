/**
 * The status page: who is on call, what is open, what was captured. Signs in by cookie, so that no token is ever in
 * reach of a script. Everything from the server becomes text, never markup.
 */

const POLL_MS = 3000
const SHOWN = 20
const OPEN = ['firing', 'acknowledged', 'snoozed', 'suppressed']

const at = (id) => document.getElementById(id)

class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    credentials: 'same-origin',
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const content = await answer.json().catch(() => null)
  if (!answer.ok)
    throw new Refused(answer.status, content?.error?.message ?? content?.reason ?? answer.statusText)
  return content
}

function element(tag, className, text) {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}

function button(label, about, act) {
  const made = element('button', '', label)
  made.type = 'button'
  made.setAttribute('aria-label', `${label}: ${about}`)
  made.dataset.key = `${label} ${about}`
  made.addEventListener('click', async () => {
    made.disabled = true
    try {
      await act()
      notice('')
      await refresh()
    } catch (error) {
      notice(error.message)
      made.disabled = false
    }
  })
  return made
}

/** Draws a list anew only when it changed, so that focus and screen readers are left alone. */
function fill(list, items, row, empty) {
  const state = JSON.stringify(items)
  if (list.dataset.state === state) return
  list.dataset.state = state
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined
  list.replaceChildren(...(items.length > 0 ? items.map(row) : [element('li', 'quiet', empty)]))
  for (const made of focused === undefined ? [] : list.querySelectorAll('button')) {
    if (made.dataset.key === focused) made.focus()
  }
}

/** A long text below its title, out of the way until it is wanted. */
function folded(title, text) {
  const made = document.createElement('details')
  made.className = 'what'
  made.append(element('summary', '', title), element('p', 'text', text))
  return made
}

function row(...parts) {
  const made = document.createElement('li')
  made.append(...parts)
  return made
}

const time = (text) => element('span', 'quiet', new Date(text).toLocaleTimeString())
const SEVERITY = { critical: 'bad', warning: 'warn', info: 'good' }
const RANK = Object.keys(SEVERITY)

function alertRow(alert) {
  const path = `/v1/alerts/${encodeURIComponent(alert.id)}`
  const taken = alert.status === 'acknowledged'
  const over = alert.status === 'resolved'
  const state = [
    taken ? `acknowledged by ${alert.acknowledged_by}` : alert.status,
    // Only critical alerts go through steps.
    ...(taken || over || alert.step === 0 ? [] : [`step ${alert.step}`]),
    ...(alert.count === 1 ? [] : [`${alert.count}×`]),
  ].join(', ')
  const about = `${alert.type}, ${alert.message}`
  return row(
    element('span', `pill ${SEVERITY[alert.severity] ?? ''}`, alert.severity),
    element('span', 'what', `${alert.type}: ${alert.message}`),
    element('span', 'quiet', state),
    time(alert.created_at),
    ...(taken || over ? [] : [button('Acknowledge', about, () => call('POST', `${path}/ack`, {}))]),
    ...(over ? [] : [button('Resolve', about, () => call('POST', `${path}/resolve`, {}))]),
  )
}

function onCallRow(team) {
  const until = team.until === null ? '' : ` until ${new Date(team.until).toLocaleString()}`
  return row(
    element('span', 'what', `${team.team}: ${team.name ?? 'nobody'}${until}`),
    element('span', 'quiet', team.next === null ? '' : `next ${team.next}`),
  )
}

function inboxRow(entry) {
  const read = button('Mark read', entry.title, () =>
    call('PATCH', `/v1/notifications/${encodeURIComponent(entry.id)}/read`, {}),
  )
  return row(
    element('span', entry.read ? 'what' : 'what unread', `${entry.title}\n${entry.message}`),
    time(entry.created_at),
    ...(entry.read ? [] : [read]),
  )
}

function outboxRow(item) {
  const canAck = item.answerable && item.actions.some((action) => action.id === 'ack')
  const reply = button('Reply “ack”', `${item.channel} to ${item.user_id ?? item.address}`, async () => {
    const { reply } = await call('POST', `/v1/outbox/${encodeURIComponent(item.id)}/reply`, { text: 'ack' })
    announce(reply)
  })
  return row(
    element('span', 'pill', item.channel),
    element('span', 'quiet', item.user_id ?? item.address ?? ''),
    item.subject === undefined ? element('span', 'what', item.text) : folded(item.subject, item.text),
    time(item.created_at),
    ...(canAck ? [reply] : []),
  )
}

function notice(text) {
  at('notice').textContent = text
  at('notice').hidden = text === ''
}

function announce(text) {
  if (text !== '') notice(text)
}

function health(text, className) {
  at('health').textContent = text
  at('health').className = `pill ${className}`
}

function show(person) {
  at('sign-in').hidden = person !== null
  at('status').hidden = person === null
  at('sign-out').hidden = person === null
  at('who').textContent = person === null ? '' : (person.name ?? person.id)
  const operator = person?.roles.some((role) => role === 'ops' || role === 'admin') ?? false
  at('outbox-section').hidden = !operator
}

let me = null

async function refresh() {
  await call('GET', '/readyz').then(
    () => health('ready', 'good'),
    (error) => health(error instanceof Refused ? `not ready: ${error.message}` : 'offline', 'bad'),
  )
  if (me === null) return
  const operator = me.roles.some((role) => role === 'ops' || role === 'admin')
  try {
    // Asked for by state, so that no number of resolved alerts pushes an open one off the page.
    const [alerts, teams, inbox, outbox, linked] = await Promise.all([
      Promise.all(OPEN.map((status) => call('GET', `/v1/alerts?limit=100&status=${status}`))),
      call('GET', '/v1/oncall').catch(() => ({ items: [] })),
      me.kind === 'user' ? call('GET', `/v1/notifications?limit=${SHOWN}`) : { notifications: [] },
      operator ? call('GET', '/v1/outbox') : { items: [] },
      linkedAlert(),
    ])
    const open = alerts
      .flatMap((list) => list.items)
      .toSorted(
        (a, b) =>
          RANK.indexOf(a.severity) - RANK.indexOf(b.severity) || (a.created_at < b.created_at ? 1 : -1),
      )
    const openIds = new Set(open.map((alert) => alert.id))
    at('linked-section').hidden = linked === undefined
    fill(at('linked'), linked ? [linked] : [], alertRow, 'There is no such alert, or it is not yours.')
    fill(at('alerts'), open, alertRow, 'All quiet.')
    fill(at('on-call'), teams.items, onCallRow, 'No team has a schedule.')
    fill(at('inbox'), inbox.notifications, inboxRow, 'Nothing yet.')
    const captured = outbox.items.slice(-SHOWN).toReversed()
    const answerable = (item) => item.alert_id === undefined || openIds.has(item.alert_id)
    fill(
      at('outbox'),
      captured.map((item) => ({ ...item, answerable: answerable(item) })),
      outboxRow,
      'Nothing yet.',
    )
  } catch (error) {
    if (error instanceof Refused && error.status === 401) await start()
    else health(error instanceof Refused ? error.message : 'offline', 'bad')
  }
}

/** The alert that the link of a mail leads to: undefined on the page of everything, null where there is none. */
async function linkedAlert() {
  const id = /^\/alerts\/([^/]+)$/.exec(location.pathname)?.[1]
  if (id === undefined) return undefined
  return call('GET', `/v1/alerts/${id}`).catch((error) => {
    if (error instanceof Refused && error.status === 404) return null
    throw error
  })
}

async function start() {
  me = await call('GET', '/v1/users/me').catch(() => null)
  show(me)
  if (me === null) at('user').focus()
  await refresh()
}

at('sign-in-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const form = new FormData(event.target)
  try {
    await call('POST', '/v1/login', { user: form.get('user'), password: form.get('password') })
    notice('')
    at('password').value = ''
    await start()
  } catch (error) {
    notice(error.message)
  }
})

at('sign-out').addEventListener('click', async () => {
  await call('POST', '/v1/logout', {}).catch(() => {})
  await start()
})

const link = /^#t=([\w-]+)$/.exec(location.hash)?.[1]
if (link !== undefined) {
  // Out of the address bar and the history before anything else.
  history.replaceState(null, '', '/')
  await call('POST', '/v1/login', { link }).catch((error) =>
    notice(`${error.message}; a new one is printed when the demo starts again`),
  )
}

// Waits for one answer before it asks again, so that a slow server is not asked twice at once.
async function poll() {
  if (!document.hidden) await refresh()
  setTimeout(poll, POLL_MS)
}

await start()
setTimeout(poll, POLL_MS)
