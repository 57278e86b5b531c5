import { expect } from 'chai'
import { MAIN, start, type Ended } from '../support/command.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const CONFIG = `
users:
  anna: { name: Anna, password: anna-password, email: anna@example.org, phone: "+4915112345671", roles: [admin] }
  bob: { name: Bob, password: bob-password, email: bob@example.org, phone: "+4915112345672" }
  cem: { name: Cem, password: cem-password, email: cem@example.org }
clients:
  device: { token: device-token, publish: ["alerts/#", "notifications/#"] }
teams:
  platform:
    alert_types: ["disk_*"]
    schedule: { layers: [{ rotate: [bob] }] }
    escalation: { steps: [{ notify: [oncall], wait: 5m }, { notify: ["user:cem"], wait: 5m }] }
`

/** Every verb runs the program itself, as people do; what is asked is a second process of it. */
describe('The command line against the running program (contract section 9)', function () {
  this.timeout(120_000)
  let installation: Installation
  let program: Program
  let token = ''
  before(async () => {
    installation = new Installation(CONFIG)
    program = await installation.start()
    token = (await HttpApi.login(() => program, 'anna', 'anna-password')).token
  })
  after(() => installation.remove())

  const carillon = (...args: string[]): Promise<Ended> =>
    start(process.execPath, [MAIN, ...args], {
      cwd: installation.folder,
      env: { CARILLON_URL: program.url, CARILLON_TOKEN: token },
    }).ended
  const well = async (...args: string[]) => {
    const { code, out, errors } = await carillon(...args)
    expect({ code, errors }, args.join(' ')).to.deep.equal({ code: 0, errors: '' })
    return out
  }
  const json = async <T>(...args: string[]) => JSON.parse(await well(...args, '--json')) as T
  const raise = async (type: string) => {
    const { result } = await json<{ result: { alert_id: string } }>(
      'publish',
      `alerts/critical/${type}`,
      '-m',
      'Full',
    )
    return result.alert_id
  }

  it('changes who is on call for a while, shows it, and takes it back', async () => {
    const made = await json<{ id: string }>('oncall', 'override', 'platform', 'cem', '--for', '8h')
    expect(await well('oncall', 'now', 'platform')).to.match(/^platform +cem /m)
    expect(await well('oncall', 'overrides', 'platform')).to.match(
      new RegExp(`^${made.id} +replace +cem`, 'm'),
    )
    expect(await well('oncall', 'show', 'platform')).to.match(/^cem .*\nbob /m)
    expect(await well('oncall', 'ical', 'platform')).to.match(/^BEGIN:VCALENDAR\r\n[^]*SUMMARY:Cem/)
    await well('oncall', 'end-override', 'platform', made.id)
    expect(await well('oncall', 'now')).to.match(/^platform +bob/m)
    const again = await carillon('oncall', 'end-override', 'platform', made.id)
    expect(again).to.deep.equal({
      code: 1,
      out: '',
      errors: `request.not_found: There is nothing here, at /v1/oncall/platform/overrides/${made.id} (404)\n`,
    })
  })

  it('leads an alert through everything that people do with it', async () => {
    const id = await raise('disk_full')
    expect(await well('alerts', 'ls', '--status', 'firing')).to.contain(id)
    expect(await well('alert', 'ack', id)).to.contain('acknowledged')
    expect(await well('alert', 'unack', id)).to.contain('firing')
    expect(await well('alert', 'reassign', id, '--user', 'cem')).to.contain(id)
    expect(await well('alert', 'escalate', id)).to.contain('firing')
    expect(await well('alert', 'snooze', id, '--for', '30m')).to.contain('snoozed')
    await well('alert', 'note', id, '-m', 'Cleaning up')
    expect(await well('alert', 'resolve', id)).to.contain('resolved')
    const shown = await well('alert', 'show', id)
    for (const line of [
      'acknowledged by anna',
      'taken back by anna',
      'handed over by anna: cem',
      'escalated',
    ])
      expect(shown).to.contain(line)
    expect((await carillon('alert', 'reassign', id)).code).to.equal(2)
  })

  it('previews, makes, lists and ends a silence, which the audit log names', async () => {
    const id = await raise('disk_slow')
    const options = ['--type', 'disk_sl*', '--for', '1h']
    expect(await well('silence', 'preview', ...options)).to.match(
      new RegExp(`^1 open alerts would be silenced\\n[^]*${id}`),
    )
    const silence = await json<{ id: string }>('silence', 'add', ...options, '--reason', 'New disks')
    expect(await well('silence', 'ls')).to.match(
      new RegExp(`^${silence.id} +active +anna .*type=disk_sl\\* +New disks$`, 'm'),
    )
    expect(await well('alert', 'ls', '--status', 'suppressed')).to.contain(id)
    await well('silence', 'end', silence.id)
    expect(await well('silence', 'ls')).to.contain('ended by anna')
    expect((await carillon('silence', 'end', silence.id)).code).to.equal(1)
    expect((await carillon('silence', 'add', '--for', '1h', '--reason', 'x')).code).to.equal(2)
    expect(
      (await carillon('silence', 'add', '--type', 'x', '--for', 'long', '--reason', 'x')).errors,
    ).to.equal('--for is a duration such as 30m or 2h, found "long"\n')
  })

  it('announces, lists and cancels maintenance (R35)', async () => {
    const added = await well(
      'maintenance',
      'add',
      '--id',
      'w1',
      '--type',
      'disk_*',
      '--for',
      '2h',
      '--title',
      'Disks',
    )
    expect(added).to.equal('w1  announced\n')
    const id = await raise('disk_gone')
    expect(await well('maintenance', 'ls')).to.match(/^w1 +active .* anna +1 +disk_\* +Disks$/m)
    expect(await well('alert', 'ls', '--status', 'suppressed')).to.contain(id)
    expect(await well('maintenance', 'cancel', 'w1')).to.equal('w1  cancelled\n')
    expect(await well('maintenance', 'ls')).to.match(/^w1 +cancelled /m)
  })

  it('tests whether somebody can be reached, with the exit code to say so', async () => {
    expect(await well('test-send', 'bob', '--channel', 'sms')).to.match(/^sms +\S+ +sent +captured$/m)
    const { items } = await json<{ items: readonly object[] }>('test-send', 'bob')
    expect(items).to.have.length(3)
    const refused = await carillon('test-send', 'cem', '--channel', 'sms')
    expect(refused.code).to.equal(1)
    expect(refused.errors).to.match(/^contact\.unreachable: cem has no address on sms/)
  })

  it('shows dead letters, presents them again and throws them away', async () => {
    const device = new HttpApi(() => program, 'device-token')
    await device.publish('alerts/critical/disk_full', '{"message":')
    const { items } = await json<{ items: readonly { id: string }[] }>('deadletters', 'ls')
    const [letter] = items
    const id = letter?.id ?? ''
    expect(await well('deadletters', 'ls')).to.match(new RegExp(`^${id} .*publish\\.invalid_json`, 'm'))
    expect(await well('deadletters', 'show', id)).to.contain('{"message":')
    expect((await carillon('deadletters', 'replay', id)).code).to.equal(1)
    expect(await well('deadletters', 'rm', id)).to.equal(`${id}  removed\n`)
    expect(await well('deadletters', 'ls')).to.not.contain(id)
  })

  it('sends a delivery again', async () => {
    const id = await raise('disk_new')
    const { items } = await json<{ items: readonly { id: string; channel: string }[] }>(
      'deliveries',
      'ls',
      '--alert',
      id,
      '--user',
      'bob',
      '--channel',
      'sms',
    )
    const [delivery] = items
    expect(await well('deliveries', 'resend', delivery?.id ?? '')).to.contain('is sent again as')
  })

  it('asks ahead: preflight, explain, simulate, verify-audit', async () => {
    const preflight = await carillon('preflight')
    expect([0, 1]).to.include(preflight.code)
    expect(preflight.out).to.not.equal('')
    expect(await well('explain', 'alerts/critical/disk_full', '{"message":"x"}')).to.contain('team ')
    expect(await well('simulate', 'disk_full', '--for', '6m')).to.match(/sent +bob +sms/)
    expect(await well('verify-audit', '--url', program.url)).to.contain('all as they were written')
  })

  it('answers 1 with a sentence when it is not let in, and 2 when a verb is none', async () => {
    const stranger = await carillon('alerts', 'ls', '--token', 'nonsense')
    expect(stranger.code).to.equal(1)
    expect(stranger.errors).to.match(/\(401\); give --token or CARILLON_TOKEN\n$/)
    expect(await carillon('silence', 'ad')).to.deep.include({
      code: 2,
      errors: "error: unknown command 'ad'\n(Did you mean add?)\n",
    })
  })
})
