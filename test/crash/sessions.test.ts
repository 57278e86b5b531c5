import { expect } from 'chai'
import mqtt from 'mqtt'
import { Installation, type Program } from '../support/program.ts'

const ROUNDS = 4
const CONFIG = `
clients:
  device: { token: device-token, publish: ["plain/#"], subscribe: [], rate_limit: { max_requests: 1000000, window_seconds: 60 } }
  reader: { token: reader-token, publish: [], subscribe: ["plain/#"] }
`

describe(`an MQTT session whose process is killed ${ROUNDS} times under load`, function () {
  this.timeout(120_000)
  const installation = new Installation(CONFIG)
  after(() => installation.remove())

  const connect = (program: Program, username: string, clientId: string) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${program.mqttPort}`, {
      username,
      password: `${username}-token`,
      clientId,
      clean: false,
      protocolVersion: 4,
      reconnectPeriod: 0,
    })

  it('has every acknowledged message of every quality, in order, while its client is away (decision 6, P1)', async () => {
    let program = await installation.start()
    const reader = await connect(program, 'reader', 'r')
    await reader.subscribeAsync(['plain/1', 'plain/2'], { qos: 2 })
    await reader.endAsync()
    const acknowledged: { readonly topic: string; readonly text: string }[] = []
    let next = 0
    for (let round = 0; round < ROUNDS; round++) {
      const device = await connect(program, 'device', `d${round}`)
      device.on('error', () => {})
      const target = acknowledged.length + 40
      await new Promise<void>((resolve) => {
        const send = () => {
          const qos = next % 2 === 0 ? 1 : 2
          const [topic, text] = [`plain/${qos}`, `${next++}`]
          device.publish(topic, text, { qos }, (error) => {
            if (error) return
            acknowledged.push({ topic, text })
            if (acknowledged.length === target) resolve()
            send()
          })
        }
        for (let open = 0; open < 10; open++) send()
      })
      await program.end('SIGKILL')
      await device.endAsync(true)
      program = await installation.start()
    }
    const got: { readonly topic: string; readonly text: string }[] = []
    const again = mqtt.connect(`mqtt://127.0.0.1:${program.mqttPort}`, {
      username: 'reader',
      password: 'reader-token',
      clientId: 'r',
      clean: false,
      protocolVersion: 4,
      reconnectPeriod: 0,
    })
    await new Promise<void>((resolve) => {
      const left = new Set(acknowledged.map(({ text }) => text))
      again.on('message', (topic, payload) => {
        got.push({ topic, text: String(payload) })
        left.delete(String(payload))
        if (left.size === 0) resolve()
      })
    })
    await again.endAsync(true)
    for (const topic of ['plain/1', 'plain/2']) {
      const texts = got.filter((message) => message.topic === topic).map(({ text }) => Number(text))
      expect(texts, topic).to.deep.equal(texts.toSorted((a, b) => a - b))
      expect(new Set(texts).size, `${topic} doubled`).to.equal(texts.length)
    }
    await program.end('SIGTERM')
  })
})
